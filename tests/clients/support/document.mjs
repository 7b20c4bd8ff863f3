// SPDX-License-Identifier: MIT
// A poll as its clients are shown it.

// All members of a document, in their order on the wire.
export const MEMBERS = [
  "id",
  "topic",
  "votesPerVoter",
  "participants",
  "nominations",
  "rankings",
  "results",
  "adminID",
  "hasStarted",
  "version",
  "rev",
  "state",
  "endsAt",
];
