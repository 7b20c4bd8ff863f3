// SPDX-License-Identifier: MIT
// Bad bytes at the clients' doors: each gets an error or the end of its connection, and the same
// processes still let people join afterwards.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { RawSocket, RawWebSocket, clientFrame } from "../clients/support/raw.mjs";
import { join } from "../clients/support/rest.mjs";
import { System, counted } from "../clients/support/system.mjs";
import { eventually } from "../clients/support/wait.mjs";
import { Witness } from "../clients/support/witness.mjs";

// Five seconds is what a close handshake may take, ten a join.
const SOON_MS = 4000;
const GRACE_MS = 3000;

for (const write of ["direct", "orthodox"]) {
  describe(`garbage, ${write} writes`, () => {
    let system;
    let witness;
    before(async () => {
      system = await System.start({ write, env: { ROLLCALL_PRESENCE_GRACE_MS: String(GRACE_MS) } });
      witness = await Witness.of(system);
    });
    after(async () => {
      witness?.leave();
      await system?.end();
    });

    // The connection ends at once, not only when some timer runs out.
    async function endsSoon(socket, what) {
      await socket.closed(SOON_MS).catch((error) => assert.fail(`${what}: ${error.message}`));
      socket.destroy();
    }

    const http = {
      "random bytes": randomBytes(4000),
      zeroes: Buffer.alloc(4000),
      "a TLS hello": Buffer.from("16030100a5010000a10303", "hex"),
      "no version": "GET /\r\n\r\n",
      "an endless request line": `GET /${"a".repeat(9000)} HTTP/1.1\r\n\r\n`,
      "an endless header": `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(9000)}\r\n\r\n`,
      "many headers": `GET / HTTP/1.1\r\n${"X: a\r\n".repeat(3000)}\r\n`,
      "a NUL in a header": "GET /healthz HTTP/1.1\r\nHost: a\0b\r\n\r\n",
      "a header without colon": "GET / HTTP/1.1\r\nnonsense\r\n\r\n",
      "a negative length": "POST /polls HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
      "a length that is no number": "POST /polls HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
      "two lengths":
        "POST /polls HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n" +
        "Content-Length: 4\r\n\r\n{}{}",
      "no length": "POST /polls HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\r\n",
      "bad chunks": "POST /polls HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
      "a path with bad escapes": "GET /%zz%00%ff/../..//etc HTTP/1.1\r\nHost: a\r\n\r\n",
      "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "an unknown method": "BREW /polls HTTP/1.1\r\nHost: a\r\n\r\n",
      "an upgrade to something else":
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" +
        "Host: a\r\nUpgrade: teapot\r\nConnection: Upgrade\r\n\r\n",
      "an upgrade without key":
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\n" +
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
      "an upgrade of version 8":
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\n" +
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n" +
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    };
    test("HTTP garbage", async () => {
      for (const [what, bytes] of Object.entries(http)) {
        const socket = await RawSocket.connect(system.port);
        socket.write(bytes);
        // Whoever gets an answer but no end says that he is done.
        const answer = await Promise.race([
          socket.ended(),
          socket
            .read((got) => (got.length ? [true, 0] : null), `an answer to ${what}`)
            .catch(() => true),
        ]);
        if (answer === true) socket.socket.end();
        await socket.ended();
        const text = socket.bytes.toString("latin1");
        assert.doesNotMatch(text, /^HTTP\/1\.[01] (2|101)/, what);
        socket.destroy();
      }
      await witness.alive();
    });

    test("half a request and a hang-up", async () => {
      for (const bytes of [
        "",
        "GET",
        "POST /polls HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{",
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nUpgrade: websocket\r\n",
      ]) {
        const [polite, rude] = [
          await RawSocket.connect(system.port),
          await RawSocket.connect(system.port),
        ];
        polite.write(bytes);
        polite.socket.end();
        await polite.ended();
        rude.write(bytes);
        rude.socket.resetAndDestroy();
      }
      await witness.alive();
    });

    const frames = {
      "reserved bits": clientFrame("2", { rsv: 4 }),
      "all reserved bits": clientFrame("2", { rsv: 7 }),
      "opcode 3": clientFrame("x", { opcode: 3 }),
      "opcode 11": clientFrame("x", { opcode: 11 }),
      "opcode 15": clientFrame("x", { opcode: 15 }),
      "a continuation of nothing": clientFrame("x", { opcode: 0 }),
      "a ping in pieces": clientFrame("x", { opcode: 9, fin: false }),
      "a ping of 126 bytes": clientFrame("x".repeat(126), { opcode: 9 }),
      "a text that begins within a text": Buffer.concat([
        clientFrame("4", { fin: false }),
        clientFrame("4"),
      ]),
      "a claim of 2^62 bytes": clientFrame("x", { length: 2 ** 62 }),
      "a claim of 2^63 bytes": Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
      "a claim of 4 GiB": clientFrame("x", { length: 2 ** 32 }),
      "more than may come before the join": clientFrame(`40/polls,{"token":"${"x".repeat(5000)}"}`),
      "that in pieces": Buffer.concat([
        clientFrame("40/polls,", { fin: false }),
        ...Array.from({ length: 5 }, () =>
          clientFrame("x".repeat(1000), { opcode: 0, fin: false }),
        ),
      ]),
      "bad UTF-8": clientFrame(Buffer.from([0x34, 0x30, 0xff, 0xfe, 0xc0, 0x80])),
      "a surrogate in UTF-8": clientFrame(Buffer.from([0x34, 0x30, 0xed, 0xa0, 0x80])),
      binary: clientFrame("4", { opcode: 2 }),
      "an empty text": clientFrame(""),
      "a close of one byte": clientFrame("x", { opcode: 8 }),
      "random frames": Buffer.concat([Buffer.from([0xff, 0xff]), randomBytes(3000)]),
    };
    test("WebSocket garbage ends the connection", async () => {
      for (const [what, bytes] of Object.entries(frames)) {
        const socket = await RawWebSocket.open(system.port);
        await socket.text();
        socket.write(bytes);
        await endsSoon(socket, what);
      }
      await witness.alive();
    });

    test("an unmasked frame, or a name with a control byte, is refused", async () => {
      // libwebsockets takes a frame without a mask; then it is a CONNECT without a token.
      for (const frame of [
        clientFrame("40/polls,", { masked: false }),
        clientFrame("40/polls\x1e,"),
      ]) {
        const socket = await RawWebSocket.open(system.port);
        await socket.text();
        socket.write(frame);
        assert.match(await socket.text().catch(() => "44"), /^44/);
        socket.destroy();
      }
      await witness.alive();
    });

    const unjoined = [
      "x",
      "7",
      "8",
      "9",
      "2",
      "4",
      "47",
      "4a",
      "42",
      '42["a"]',
      '42/polls,["nominate",{}]',
      "43/polls,1[]",
      '44/polls,{"message":"x"}',
      "41/polls,{}",
      "40/polls,[]",
      "40/polls,null",
      '40/polls,"a"',
      "40/polls,{",
      '40/polls,{"token":1}}',
      "40/polls,7",
      "40/polls,{}x",
      '45-["a"]',
      '451/polls,["a"]',
      '4511-/polls,["a",{"_placeholder":true,"num":0}]',
      "46-[]",
      "b4AAA",
      "\x1e",
    ];
    test("malformed Socket.IO packets before a join end the connection", async () => {
      for (const packet of unjoined) {
        const socket = await RawWebSocket.open(system.port);
        await socket.text();
        socket.say(packet);
        await endsSoon(socket, packet);
      }
      await witness.alive();
    });

    const joined = [
      "42/polls,",
      "42/polls,{}",
      "42/polls,[]",
      "42/polls,[null]",
      "42/polls,[{}]",
      '42/polls,["connect"]',
      '42/polls,["disconnect"]',
      '42/polls,["connect_error",1]',
      '42/polls,["disconnecting"]',
      '42/polls,["newListener"]',
      '42/polls,["removeListener"]',
      '42/polls,["a"',
      '42/polls,["a"]x',
      '42/polls,1 ["a"]',
      '42/polls,1234567890123456["a"]',
      '42/polls,-1["a"]',
      "43/polls,1",
      "43/polls,1{}",
      "41/polls,[]",
      "40/polls,",
      "44/polls,{}",
      '42/nope,["a"]',
      '42["a"]',
      '450-/polls,["a"]',
      '4599-/polls,["a"]',
      "7",
      `42/polls,["a",${"[".repeat(20_000)}${"]".repeat(20_000)}]`,
    ];
    test("malformed Socket.IO packets after a join end the connection, as a leave", async () => {
      const names = [];
      for (const packet of joined) {
        const { accessToken } = await join(system.url, witness.poll, "Eve");
        const socket = await RawWebSocket.join(system.port, { token: accessToken });
        assert.match(await socket.text(), /^40/);
        await socket.text();
        socket.say(packet);
        await socket.closed().catch((error) => {
          names.push(`${packet.slice(0, 60)}: ${error.message.slice(0, 80)}`);
        });
        socket.destroy();
      }
      assert.deepEqual(names, [], "these were not closed");
      await witness.ada.sees(["Ada"]);
      await witness.alive();
    });

    const late = {
      "reserved bits": clientFrame("2", { rsv: 4 }),
      "an unknown opcode": clientFrame("x", { opcode: 3 }),
      "a continuation of nothing": clientFrame("x", { opcode: 0 }),
      "a ping in pieces": clientFrame("x", { opcode: 9, fin: false }),
      "a ping of 126 bytes": clientFrame("x".repeat(126), { opcode: 9 }),
      "a claim of 4 GiB": clientFrame("x", { length: 2 ** 32 }),
      "66 kB": clientFrame(`42/polls,["a","${"x".repeat(66_000)}"]`),
      "bad UTF-8": clientFrame(Buffer.from([0x34, 0x32, 0xff, 0xfe])),
      binary: clientFrame("4", { opcode: 2 }),
      "an empty text": clientFrame(""),
    };
    test("bad frames after a join end it, as a leave", async () => {
      for (const [what, bytes] of Object.entries(late)) {
        const { accessToken } = await join(system.url, witness.poll, "Eve");
        const socket = await RawWebSocket.join(system.port, { token: accessToken });
        await witness.ada.sees(["Ada", "Eve"]);
        socket.write(bytes);
        await endsSoon(socket, what);
        const closed = performance.now();
        await witness.ada.sees(["Ada"]);
        const took = performance.now() - closed;
        assert.ok(took < GRACE_MS / 2, `${what}: listed for ${took} ms more, as if it were lost`);
      }
    });

    test("after a join a message may have 64 KiB, not more", async () => {
      const { accessToken } = await join(system.url, witness.poll, "Eve");
      const socket = await RawWebSocket.join(system.port, { token: accessToken });
      await socket.text();
      await socket.text();
      socket.say(`42/polls,["unknown","${"x".repeat(60_000)}"]`);
      socket.say("hi", { opcode: 9 });
      assert.equal((await socket.frame()).opcode, 10);
      socket.say(`42/polls,["unknown","${"x".repeat(66_000)}"]`);
      const code = await socket.closed(SOON_MS);
      assert.ok([1009, 1006].includes(code), `closed with ${code}`);
      await witness.ada.sees(["Ada"]);
    });

    test("it was counted", async () => {
      const names = ["bad_packets", "bad_utf8", "too_large", "tokens_refused"];
      const [wrong] = await Promise.all([
        RawWebSocket.join(system.port, { token: "wrong" }),
        eventually(async () => {
          const { stats } = await system.child("g1");
          return names.every((name) => counted(stats, name) > 0);
        }, `counters ${names} above 0`).catch(async (error) =>
          assert.fail(`${error.message}: ${JSON.stringify((await system.child("g1")).stats)}`),
        ),
      ]);
      wrong.destroy();
    });

    test("a thousand cut connections, some in the middle of a join", async () => {
      const { accessToken } = await join(system.url, witness.poll, "Eve");
      for (let round = 0; round < 20; round++) {
        const sockets = await Promise.all(
          Array.from({ length: 50 }, () => RawWebSocket.open(system.port)),
        );
        for (const [i, socket] of sockets.entries()) {
          if (i % 2) socket.say(`40/polls,${JSON.stringify({ token: accessToken })}`);
          if (i % 3) socket.destroy();
          else socket.socket.resetAndDestroy();
        }
      }
      await witness.ada.sees(["Ada"], 30_000);
      await witness.alive();
    });
  });
}
