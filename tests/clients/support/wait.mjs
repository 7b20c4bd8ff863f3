// SPDX-License-Identifier: MIT
// Waiting: always for an event, always with a deadline, never for a time to pass.

// Sanitized builds on a busy machine are slow; deadlines are about hanging, not about speed.
export const PATIENCE_MS = 20_000;

export function deadline(promise, what, ms = PATIENCE_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    const error = new Error(`waited ${ms} ms for ${what}`);
    timer = setTimeout(() => reject(error), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Asks `check` again and again until it returns something true, which is the result. An error
// that it throws counts as "not yet" and is told when time is up.
export function eventually(check, what, ms = PATIENCE_MS, everyMs = 20) {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const look = async () => {
      let error;
      try {
        const value = await check();
        if (value) return resolve(value);
      } catch (caught) {
        error = caught;
      }
      if (performance.now() - begun < ms) return setTimeout(look, everyMs);
      const why = error ? `: ${error.message}` : "";
      return reject(new Error(`not within ${ms} ms: ${what}${why}`, { cause: error }));
    };
    look();
  });
}

export function once(emitter, event, what = event, ms = PATIENCE_MS) {
  return deadline(new Promise((resolve) => emitter.once(event, resolve)), what, ms);
}

// For what has to happen for a stretch of time (a process stopped, a load going on): runs `step`
// every `everyMs` and ends after `ms`.
export function during(ms, everyMs, step) {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      try {
        if (performance.now() - begun >= ms) {
          clearInterval(timer);
          resolve();
        } else {
          step();
        }
      } catch (error) {
        clearInterval(timer);
        reject(error);
      }
    }, everyMs);
  });
}
