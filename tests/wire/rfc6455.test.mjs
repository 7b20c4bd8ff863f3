// SPDX-License-Identifier: MIT
// RFC 6455 to the letter, at both doors: handshakes, frames, closing, with raw sockets.
//
// Where we differ from what one might wish, and the RFC allows it: of several pings that come at
// once the first is answered, not the last (5.5.3: "may elect"); bad UTF-8 is found at the end of
// its message (8.1: whenever); a length over the bound ends the connection at the frame's head.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { RawSocket, RawWebSocket, clientFrame } from "../clients/support/raw.mjs";
import { System } from "../clients/support/system.mjs";

const CLOSE = 8;
const PING = 9;
const PONG = 10;
const WORDS = "Zoë, Jürgen, 김, 𝄞€";

// How to know that a message has arrived whole: its answer.
const doors = {
  "/socket.io/": {
    path: "/socket.io/?EIO=4&transport=websocket",
    headers: {},
    greeting: true,
    message: `40{"name":"${WORDS}"}`,
    arrived: async (socket) => assert.match(await socket.text(), /^40\{"sid":/),
  },
  "/ws": {
    path: "/ws",
    headers: { "Sec-WebSocket-Protocol": "rollcall.v1.json" },
    greeting: false,
    message: `{"event":"join","data":{"token":"${WORDS}"}}`,
    arrived: async (socket) => assert.equal(await socket.closed(), 4001),
  },
};

const closeBody = (code, reason = "") =>
  Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);

// A frame whose length is written in `bytes` bytes, whatever it is.
function longForm(payload, bytes, opcode = 1) {
  const plain = clientFrame(payload, { opcode });
  const size = Buffer.byteLength(payload);
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(size, Math.max(0, bytes - 4), Math.min(4, bytes));
  const mark = 0x80 | (bytes === 2 ? 126 : 127);
  return Buffer.concat([plain.subarray(0, 1), Buffer.from([mark]), length, plain.subarray(2)]);
}

function pieces(bytes, at) {
  const cuts = [0, ...at, bytes.length];
  return cuts.slice(1).map((to, i) => bytes.subarray(cuts[i], to));
}

function fragments(parts, opcode = 1) {
  return parts.map((part, i) =>
    clientFrame(part, { opcode: i ? 0 : opcode, fin: i === parts.length - 1 }),
  );
}

for (const write of ["direct", "orthodox"]) {
  describe(`RFC 6455, ${write} writes`, () => {
    let system;
    before(async () => {
      system = await System.start({ write });
    });
    after(() => system?.end());

    for (const [name, door] of Object.entries(doors)) {
      describe(name, () => doorTests(() => system, door));
    }

    test("an offer of h2c on a plain request is ignored", async () => {
      for (const [method, body] of [
        ["GET", ""],
        ["POST", '{"topic":"T","votesPerVoter":1,"name":"Ada"}'],
      ]) {
        const socket = await RawSocket.connect(system.port);
        const path = method === "GET" ? "/healthz" : "/polls";
        socket.write(
          `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${system.port}\r\n` +
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n" +
            "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n" +
            (body ? "Content-Type: application/json\r\n" : "") +
            `Content-Length: ${body.length}\r\n\r\n${body}`,
        );
        const answer = await socket.response();
        assert.equal(answer.code, method === "GET" ? 200 : 201, answer.head);
        assert.match(answer.status, /^HTTP\/1\.1 /);
        assert.equal(answer.headers.upgrade, undefined);
        socket.destroy();
      }
    });
  });
}

function doorTests(systemOf, door) {
  const { path, headers } = door;

  async function open() {
    const socket = await RawWebSocket.open(systemOf().port, { path, headers });
    assert.equal(socket.upgrade.code, 101, socket.upgrade.head);
    if (door.greeting) assert.match(await socket.text(), /^0\{/);
    return socket;
  }

  // The bytes end the connection with this code, in a close frame.
  async function closes(bytes, code, what) {
    const socket = await open();
    for (const piece of [bytes].flat()) socket.write(piece);
    const got = await socket
      .closed()
      .catch((error) => assert.fail(`${what ?? ""}: ${error.message}`));
    assert.equal(got, code, what);
    socket.destroy();
  }

  // The bytes are a message that is served.
  async function serves(bytes, what) {
    const socket = await open();
    for (const piece of [bytes].flat()) socket.write(piece);
    await door
      .arrived(socket)
      .catch((error) => assert.fail(`${what ?? ""}: ${error.message}`));
    socket.destroy();
  }

  describe("handshake", () => {
    const standard = {
      Host: "127.0.0.1",
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version": "13",
      ...headers,
    };

    async function ask(changes = {}, { http = "HTTP/1.1", tail = "", method = "GET" } = {}) {
      const socket = await RawSocket.connect(systemOf().port);
      const lines = Object.entries({ ...standard, ...changes })
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key}: ${value}\r\n`);
      socket.write(
        Buffer.concat([
          Buffer.from(`${method} ${path} ${http}\r\n${lines.join("")}\r\n`),
          Buffer.from(tail),
        ]),
      );
      socket.answer = await socket.response();
      return socket;
    }

    async function refused(code, changes, options) {
      const socket = await ask(changes, options);
      assert.equal(socket.answer.code, code, socket.answer.head);
      assert.equal(socket.answer.headers.upgrade, undefined);
      socket.socket.end();
      await socket.ended();
      socket.destroy();
      return socket.answer;
    }

    test("the RFC's own example", async () => {
      const { answer, socket } = await ask();
      assert.equal(answer.code, 101);
      assert.equal(answer.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
      assert.equal(answer.headers.upgrade.toLowerCase(), "websocket");
      assert.equal(answer.headers.connection.toLowerCase(), "upgrade");
      assert.equal(answer.headers["sec-websocket-extensions"], undefined);
      assert.equal(
        answer.headers["sec-websocket-protocol"],
        headers["Sec-WebSocket-Protocol"],
      );
      socket.destroy();
    });

    test("names in any case, and lists of tokens", async () => {
      for (const changes of [
        { Upgrade: "WebSocket" },
        { Connection: "upgrade" },
        { Connection: "keep-alive, Upgrade" },
        { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" },
      ]) {
        const { answer, socket } = await ask(changes);
        assert.equal(answer.code, 101, JSON.stringify(changes));
        assert.equal(answer.headers["sec-websocket-extensions"], undefined);
        socket.destroy();
      }
    });

    test("what is missing or wrong", async () => {
      await refused(400, { Host: undefined });
      await refused(400, { "Sec-WebSocket-Key": undefined });
      await refused(400, { "Sec-WebSocket-Key": "" });
      await refused(400, { "Sec-WebSocket-Key": "c2hvcnQ=" });
      await refused(400, { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==AAAA" });
      await refused(400, { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j!Q==" });
      await refused(400, {}, { http: "HTTP/1.0" });
    });

    test("another version is told of ours", async () => {
      for (const version of ["8", "7", "0", "14", "x", undefined]) {
        const answer = await refused(426, { "Sec-WebSocket-Version": version });
        assert.equal(answer.headers["sec-websocket-version"], "13");
      }
    });

    test("frames in the same segment as the request", async () => {
      const whole = clientFrame(door.message);
      const two = Buffer.concat(fragments(pieces(Buffer.from(door.message), [3])));
      for (const tail of [whole, two]) {
        const socket = await ask({}, { tail });
        Object.setPrototypeOf(socket, RawWebSocket.prototype);
        assert.equal(socket.answer.code, 101);
        if (door.greeting) await socket.text();
        await door.arrived(socket);
        socket.destroy();
      }
      const bad = await ask({}, { tail: clientFrame(door.message, { masked: false }) });
      Object.setPrototypeOf(bad, RawWebSocket.prototype);
      assert.equal(await bad.closed(), 1002);
      bad.destroy();
    });

    test("a request byte by byte, with a frame behind it", async () => {
      const socket = await RawSocket.connect(systemOf().port);
      Object.setPrototypeOf(socket, RawWebSocket.prototype);
      const lines = Object.entries(standard).map(([key, value]) => `${key}: ${value}\r\n`);
      const head = Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
      const bytes = Buffer.concat([head, clientFrame(door.message)]);
      for (const byte of bytes) {
        socket.write(Buffer.from([byte]));
        await new Promise(setImmediate);
      }
      assert.equal((await socket.response()).code, 101);
      if (door.greeting) await socket.text();
      await door.arrived(socket);
      socket.destroy();
    });

    test("unknown subprotocols", async () => {
      await refused(400, { "Sec-WebSocket-Protocol": "chat, superchat" });
      if (door.greeting) return; // and none is needed
      for (const offer of ["chat, rollcall.v1.json", "chat,rollcall.v1.json,x"]) {
        const { answer, socket } = await ask({ "Sec-WebSocket-Protocol": offer });
        assert.equal(answer.code, 101);
        assert.equal(answer.headers["sec-websocket-protocol"], "rollcall.v1.json");
        socket.destroy();
      }
    });
  });

  describe("messages", () => {
    const message = Buffer.from(door.message);

    test("in one frame", () => serves(clientFrame(message)));
    test("in fragments of one byte, cut within characters", () =>
      serves(fragments(pieces(message, [...message.keys()].slice(1)))));
    test("with empty fragments", () =>
      serves(fragments([Buffer.alloc(0), message, Buffer.alloc(0)])));
    test("byte by byte", async () => {
      const socket = await open();
      const bytes = Buffer.concat(fragments(pieces(message, [9])));
      for (const byte of bytes) {
        socket.write(Buffer.from([byte]));
        await new Promise(setImmediate);
      }
      await door.arrived(socket);
      socket.destroy();
    });
    test("masked with zeroes", async () => {
      const socket = await open();
      const head = clientFrame(message).subarray(0, message.length < 126 ? 2 : 4);
      socket.write(Buffer.concat([head, Buffer.alloc(4), message]));
      await door.arrived(socket);
      socket.destroy();
    });

    test("pings and pongs between the fragments", async () => {
      const socket = await open();
      const parts = fragments(pieces(message, [2, 5, 9]));
      const payload = randomBytes(125);
      socket.write(parts[0]);
      socket.write(clientFrame(payload, { opcode: PING }));
      const pong = await socket.frame();
      assert.equal(pong.opcode, PONG);
      assert.deepEqual(pong.payload, payload);
      assert.equal(pong.fin, 1);
      assert.equal(pong.masked, 0);
      socket.write(parts[1]);
      socket.write(clientFrame("nobody asked", { opcode: PONG }));
      socket.write(parts[2]);
      socket.write(clientFrame("", { opcode: PING }));
      const empty = await socket.frame();
      assert.deepEqual([empty.opcode, empty.payload.length], [PONG, 0]);
      socket.write(parts[3]);
      await door.arrived(socket);
      socket.destroy();
    });

    test("pongs that nobody asked for", async () => {
      const bytes = [
        clientFrame("", { opcode: PONG }),
        clientFrame(randomBytes(125), { opcode: PONG }),
        clientFrame(message),
      ];
      await serves(bytes);
      await serves(Buffer.concat(bytes));
    });

    test("a ping in the same segment as a message", async () => {
      const socket = await open();
      socket.write(Buffer.concat([clientFrame("hi", { opcode: PING }), clientFrame(message)]));
      let frame;
      if (door.greeting) {
        const kinds = [await socket.frame(), await socket.frame()].map(({ opcode }) => opcode);
        assert.deepEqual(kinds.sort(), [1, PONG]);
      } else {
        do {
          frame = await socket.frame();
        } while (frame.opcode !== CLOSE);
      }
      socket.destroy();
    });

    const long = (size) => clientFrame("x".repeat(size), { opcode: 1 });
    test("too large: at once, by their head alone", async () => {
      await closes(long(5000), 1009);
      await closes(long(70_000), 1009);
      await closes(clientFrame("", { length: 2 ** 40 }), 1009);
      await closes(clientFrame("", { length: 65_535 }), 1009);
    });
    test("too large in fragments", async () => {
      const parts = fragments(Array.from({ length: 6 }, () => Buffer.alloc(1000, "x")));
      await closes(parts, 1009);
    });
  });

  describe("UTF-8", () => {
    const bad = {
      "a lone continuation": [0x80],
      "a byte that never is": [0xff],
      "an overlong slash": [0xc0, 0xaf],
      "an overlong euro": [0xf0, 0x82, 0x82, 0xac],
      "a surrogate": [0xed, 0xa0, 0x80],
      "beyond U+10FFFF": [0xf4, 0x90, 0x80, 0x80],
      "a character cut short": [0xe2, 0x82],
    };
    for (const [what, bytes] of Object.entries(bad)) {
      test(what, async () => {
        const text = Buffer.concat([Buffer.from("4κόσμε"), Buffer.from(bytes)]);
        await closes(clientFrame(text), 1007, "in one frame");
        await closes(fragments(pieces(text, [text.length - 1])), 1007, "over a border");
        await closes(
          fragments([...pieces(text, [text.length - bytes.length + 1]), Buffer.alloc(0)]),
          1007,
          "with an empty end",
        );
      });
    }
  });

  describe("frames against the rules: 1002", () => {
    const whole = clientFrame(door.message);
    const wrong = {
      "reserved bit 1": clientFrame("2", { rsv: 4 }),
      "reserved bit 2": clientFrame("2", { rsv: 2 }),
      "reserved bit 3": clientFrame("2", { rsv: 1 }),
      "a ping with a reserved bit": clientFrame("", { opcode: PING, rsv: 4 }),
      "a close with a reserved bit": clientFrame("", { opcode: CLOSE, rsv: 1 }),
      ...Object.fromEntries(
        [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [
          `opcode ${opcode}`,
          clientFrame("", { opcode }),
        ]),
      ),
      "no mask": clientFrame(door.message, { masked: false }),
      "no mask, empty": clientFrame("", { masked: false }),
      "a ping without mask": clientFrame("a", { opcode: PING, masked: false }),
      "a close without mask": clientFrame(closeBody(1000), { opcode: CLOSE, masked: false }),
      "a length of 5 in 2 bytes": longForm("12345", 2),
      "a length of 125 in 2 bytes": longForm("x".repeat(125), 2),
      "a length of 5 in 8 bytes": longForm("12345", 8),
      "a length of 3000 in 8 bytes": Buffer.concat([
        Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0x0b, 0xb8, 0, 0, 0, 0]),
        Buffer.alloc(3000, "x"),
      ]),
      "a length of 2^63": Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
      "a ping of 126 bytes": clientFrame("x".repeat(126), { opcode: PING }),
      "a pong of 70000 bytes": clientFrame("x".repeat(70_000), { opcode: PONG }),
      "a close of 126 bytes": clientFrame(closeBody(1000, "x".repeat(124)), { opcode: CLOSE }),
      "a ping in the long form": longForm("12345", 2, PING),
      "a fragmented ping": clientFrame("a", { opcode: PING, fin: false }),
      "a fragmented pong": clientFrame("a", { opcode: PONG, fin: false }),
      "a fragmented close": clientFrame(closeBody(1000), { opcode: CLOSE, fin: false }),
      "a continuation of nothing": clientFrame("a", { opcode: 0 }),
      "a fragment of nothing": clientFrame("a", { opcode: 0, fin: false }),
      "a message within a message": [
        clientFrame("4", { fin: false }),
        clientFrame("4", { fin: true }),
      ],
      "a binary message within a text": [
        clientFrame("4", { fin: false }),
        clientFrame("4", { opcode: 2 }),
      ],
      "a continuation after the end": [
        ...fragments(["4", ""]).slice(0, 1),
        clientFrame("a", { opcode: PING, fin: false }),
      ],
    };
    for (const [what, bytes] of Object.entries(wrong)) {
      test(what, async () => {
        await closes(bytes, 1002, "alone");
        const all = Buffer.concat([bytes].flat());
        await closes(
          [...all].slice(0, 40).map((byte) => Buffer.from([byte])),
          1002,
          "byte by byte",
        );
        await closes(Buffer.concat([all, all, randomBytes(3000)]), 1002, "with more behind");
      });
    }

    test("what came before is served", async () => {
      const socket = await open();
      socket.write(Buffer.concat([whole, clientFrame("", { opcode: 15 })]));
      await door.arrived(socket);
      if (door.greeting) assert.equal(await socket.closed(), 1002);
      socket.destroy();
    });

    test("a message of the wrong kind is no breach of the RFC's rules", async () => {
      const socket = await open();
      socket.say(Buffer.from([1, 2, 3]), { opcode: 2 });
      assert.notEqual(await socket.closed(), 1002);
      socket.destroy();
    });
  });

  describe("closing", () => {
    const good = [1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    test("a code is given back", async () => {
      for (const code of good) {
        await closes(clientFrame(closeBody(code, "bye"), { opcode: CLOSE }), code, code);
      }
    });

    test("an empty close is given back empty", () =>
      closes(clientFrame("", { opcode: CLOSE }), 1005));

    test("the longest reason, with all kinds of characters", () =>
      closes(clientFrame(closeBody(1000, "𝄞".repeat(30) + "é1"), { opcode: CLOSE }), 1000));

    const never = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
    test("codes that no peer may send", async () => {
      for (const code of never) {
        await closes(clientFrame(closeBody(code), { opcode: CLOSE }), 1002, code);
      }
    });

    test("a body of one byte", () => closes(clientFrame("\x03", { opcode: CLOSE }), 1002));

    test("a reason that is no UTF-8", async () => {
      const reason = Buffer.from([0xce, 0xba, 0xed, 0xa0, 0x80]);
      await closes(clientFrame(closeBody(1000, reason), { opcode: CLOSE }), 1007);
    });

    test("within a message", () =>
      closes(
        [clientFrame("4", { fin: false }), clientFrame(closeBody(1000), { opcode: CLOSE })],
        1000,
      ));

    test("byte by byte", () =>
      closes(
        [...clientFrame(closeBody(1001, "away"), { opcode: CLOSE })].map((byte) =>
          Buffer.from([byte]),
        ),
        1001,
      ));

    test("what comes behind a close is not looked at", async () => {
      const socket = await open();
      const bye = clientFrame(closeBody(1000), { opcode: CLOSE });
      socket.write(Buffer.concat([bye, clientFrame(door.message), clientFrame("a", { rsv: 7 })]));
      const frame = await socket.frame();
      assert.deepEqual([frame.opcode, frame.payload.readUInt16BE()], [CLOSE, 1000]);
      await socket.ended();
      assert.equal(socket.bytes.length, 0);
      socket.destroy();
    });
  });
}
