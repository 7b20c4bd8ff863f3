// SPDX-License-Identifier: MIT
// Whole polls again, through gateways that leave all writing to libwebsockets.
process.env.TEST_WRITE = "orthodox";
await import("./poll.test.mjs");
