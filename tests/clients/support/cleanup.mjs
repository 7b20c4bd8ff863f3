// SPDX-License-Identifier: MIT
// What a test that failed leaves open would keep node from ending: each thing that can be open
// puts the way to close it here, and the end of a system or stage closes all.

const closers = new Set();

export function onEnd(close) {
  closers.add(close);
}

export function closeAll() {
  for (const close of closers) close();
  closers.clear();
}
