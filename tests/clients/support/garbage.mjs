// SPDX-License-Identifier: MIT
// Messages that no honest peer would send over a link, each as [what, parts]. `header(seq)` makes
// the header that is due, so that some of them are wrong only where they want to be.
import { randomBytes } from "node:crypto";
import { event, pack } from "./link.mjs";

const big = (lead, size) => Buffer.concat([Buffer.from(lead), Buffer.alloc(size)]);
const nested = (depth, lead) => Buffer.concat([Buffer.alloc(depth, lead), Buffer.from([0xc0])]);

// Bytes that are no event, or none that may be.
export const badEvents = () => [
  ["nothing", Buffer.alloc(0)],
  ["random bytes", randomBytes(300)],
  ["zeroes", Buffer.alloc(300)],
  ["an array of 268 million", Buffer.from([0xdd, 0x0f, 0xff, 0xff, 0xff])],
  ["an array of 4 billion", Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])],
  ["a map of 4 billion", Buffer.from([0x93, 0x0b, 0xa0, 0xdf, 0xff, 0xff, 0xff, 0xff])],
  ["a text of 4 GB", Buffer.from([0x93, 0x0b, 0xdb, 0xff, 0xff, 0xff, 0xff, 0x41])],
  ["binary of 4 GB", Buffer.from([0x93, 0x0b, 0xc6, 0xff, 0xff, 0xff, 0xff, 0x41])],
  ["an extension of 4 GB", Buffer.from([0x93, 0x0b, 0xc9, 0xff, 0xff, 0xff, 0xff, 0x01])],
  ["the byte that means nothing", Buffer.from([0xc1])],
  ["arrays 100,000 deep", nested(100_000, 0x91)],
  ["maps 1,000 deep", nested(1000, 0x81)],
  ["a cut event", event("CONNECT", "ABCDEF", { conn: "c", user: "u", name: "n" }).subarray(0, 12)],
  ["something behind it", Buffer.concat([event("RESYNC", "ABCDEF", {}), Buffer.from([1])])],
  ["no array", pack({ type: 11 })],
  ["an empty array", pack([])],
  ["two members", pack([11, "ABCDEF"])],
  ["four members", pack([11, "ABCDEF", {}, 1])],
  ["a type that is text", pack(["CONNECT", "ABCDEF", {}])],
  ["a type that is negative", pack([-11, "ABCDEF", {}])],
  [
    "a type of 2^63",
    Buffer.concat([Buffer.from([0x93, 0xcf, 0x80]), Buffer.alloc(7), Buffer.from([0xa0, 0x80])]),
  ],
  ["an unknown type", pack([99, "ABCDEF", {}])],
  ["a huge unknown type", pack([2 ** 40, "ABCDEF", {}])],
  ["a poll that is a number", pack([11, 7, {}])],
  ["a body that is an array", pack([11, "ABCDEF", []])],
  ["a body that is nil", pack([11, "ABCDEF", null])],
  ["no member at all", pack([11, "ABCDEF", {}])],
  ["members of another type", pack([11, "ABCDEF", { conn: 1, user: [], name: {} }])],
  ["a conn of 100 kB", pack([11, "ABCDEF", { conn: "c".repeat(1e5), user: "u", name: "n" }])],
  ["a poll of 100 kB", pack([11, "P".repeat(1e5), { conn: "c", user: "u", name: "n" }])],
  ["a poll that is a path", pack([11, "$..*", { conn: "c", user: "u", name: "n" }])],
  ["a poll in small letters", pack([11, "abcdef", { conn: "c", user: "u", name: "n" }])],
  ["a user that is a path", pack([11, "ABCDEF", { conn: "c", user: "a.b..*['x']", name: "n" }])],
  [
    "text that is no UTF-8",
    Buffer.concat([
      Buffer.from([0x93, 0x0b, 0xa6]),
      Buffer.from("ABCDEF"),
      Buffer.from([0x83, 0xa4]),
      Buffer.from("conn"),
      Buffer.from([0xa1, 0x63, 0xa4]),
      Buffer.from("user"),
      Buffer.from([0xa1, 0x75, 0xa4]),
      Buffer.from("name"),
      Buffer.from([0xa2, 0xff, 0xfe]),
    ]),
  ],
  [
    "keys that are numbers",
    pack([
      11,
      "ABCDEF",
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ]),
  ],
  ["a SYNC of nonsense", event("SYNC", "ABCDEF", { conns: [1, "a", [], [1, 2, 3], ["c"], {}] })],
  ["a SYNC without list", event("SYNC", "ABCDEF", { conns: 7 })],
  [
    "a CREATE in the past",
    event("CREATE", "ABCDEF", { req: 1, topic: "T", votes: 2, admin: "u", endsAt: 1, nonce: "n" }),
  ],
  [
    "a CREATE of nonsense",
    event("CREATE", "ABCDEF", {
      req: -1,
      topic: "",
      votes: 1e6,
      admin: "",
      endsAt: -1,
      nonce: "\0",
    }),
  ],
  [
    "a COMMAND of an unknown verb",
    event("COMMAND", "ABCDEF", {
      req: 1,
      conn: "c",
      user: "u",
      id: "i",
      verb: "explode",
      args: { a: 1 },
    }),
  ],
  ["a REPLY to nobody", event("REPLY", "", { req: 999, code: "x", outcome: "saved" })],
  ["an update of nothing", event("POLL_UPDATED", "ABCDEF", { from: "1-a", to: "x", patch: 7 })],
  ["a snapshot of nothing", event("POLL_SNAPSHOT", "ABCDEF", { rev: "x", document: [1] })],
  [
    "a snapshot half empty",
    event("POLL_SNAPSHOT", "ABCDEF", {
      rev: "2-0000000000000000",
      document: { id: "ABCDEF", participants: 7 },
    }),
  ],
  ["a KICK of nonsense", event("KICK", "ABCDEF", { conns: { a: 1 }, code: "x" })],
  [
    "a ROSTER of nonsense",
    event("ROSTER", "", { generation: 2 ** 52, actors: [1, ["x"], [1, 2, 3]], gateways: "none" }),
  ],
  [
    "a ROSTER with a wild endpoint",
    event("ROSTER", "", {
      generation: 1,
      actors: [[1, "0123456789abcdef", "ipc://" + "x".repeat(300), "up"]],
      gateways: [],
    }),
  ],
  ["a CALL of an unknown verb", event("CALL", "", { id: 1, verb: "explode" })],
  ["a CALL of nonsense", event("CALL", "", { id: 1, verb: "kill", args: [[[[{}]]]] })],
  ["a BEAT of nonsense", event("BEAT", "", { generation: 2 ** 53 - 1, stats: [[["x"]]] })],
];

export const badMessages = ({ from = "0123456789abcdef", to = "" } = {}) => {
  const hello = event("HELLO", "", { min: 1, max: 1, role: "gateway", name: "g7", session: 1 });
  const head = (...words) => pack(words);
  const first = head(1, from, to, 1, 0, 0);
  return [
    ["an empty part", [Buffer.alloc(0)]],
    ["no event", [first]],
    ["a header alone that is garbage", [randomBytes(40)]],
    ["a header that is a map", [pack({ a: 1 }), hello]],
    ["a short header", [head(1, from, to), hello]],
    ["a long header", [head(1, from, to, 1, 0, 0, 0), hello]],
    ["texts for numbers", [head("1", from, to, "1", "0", "0"), hello]],
    ["numbers for texts", [head(1, 2, 3, 1, 0, 0), hello]],
    ["protocol 99", [head(99, from, to, 1, 0, 0), hello]],
    ["a negative protocol", [head(-1, from, to, 1, 0, 0), hello]],
    ["an incarnation of 100 kB", [head(1, "a".repeat(1e5), to, 1, 0, 0), hello]],
    ["an incarnation that is none", [head(1, "../../etc", to, 1, 0, 0), hello]],
    ["meant for somebody else", [head(1, from, "fedcba9876543210", 2, 0, 0), hello]],
    ["a negative number", [head(1, from, to, -5, 0, 0), hello]],
    ["a number from the future", [head(1, from, to, 1e9, 0, 0), hello]],
    ["more consumed than sent", [head(1, from, to, 2, 1e12, 1e12), event("BEAT", "", {})]],
    ["less than nothing consumed", [head(1, from, to, 2, -1, -1), event("BEAT", "", {})]],
    ["a header of 4 billion", [Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]), hello]],
    [
      "a HELLO of no version",
      [first, event("HELLO", "", { min: 7, max: 9, role: "gateway", name: "g7", session: 1 })],
    ],
    [
      "a HELLO of turned versions",
      [first, event("HELLO", "", { min: 2, max: 0, role: "gateway", name: "g7", session: 1 })],
    ],
    [
      "a HELLO of an unknown role",
      [first, event("HELLO", "", { min: 1, max: 1, role: "pope", name: "g7", session: 1 })],
    ],
    [
      "a HELLO without a name",
      [first, event("HELLO", "", { min: 1, max: 1, role: "gateway", name: "", session: 1 })],
    ],
    [
      "a HELLO of a wild name",
      [
        first,
        event("HELLO", "", { min: 1, max: 1, role: "gateway", name: "g".repeat(5000), session: 1 }),
      ],
    ],
    ["two HELLOs at once", [first, hello, hello]],
    ["six hundred events", [first, ...Array.from({ length: 600 }, () => hello)]],
    ["two thousand parts", Array.from({ length: 2000 }, () => Buffer.from([1]))],
    ["an event of 3 MB", [first, big([0x93, 0x01, 0xa0], 3e6)]],
    ["an event of 17 MB", [first, big([0x93, 0x01, 0xa0], 17e6)]],
    ...badEvents().map(([what, bytes]) => [`first of all ${what}`, [first, bytes]]),
  ];
};
