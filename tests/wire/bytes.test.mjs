// SPDX-License-Identifier: MIT
// The bytes that a Socket.IO client gets over WebSocket, one by one, in both write modes.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MEMBERS } from "../clients/support/document.mjs";
import { RawSocket, RawWebSocket, clientFrame } from "../clients/support/raw.mjs";
import { create, join } from "../clients/support/rest.mjs";
import { System } from "../clients/support/system.mjs";

for (const write of ["direct", "orthodox"]) {
  describe(`bytes, ${write} writes`, () => {
    let system;
    before(async () => {
      system = await System.start({ write });
    });
    after(() => system?.end());

    test("the upgrade and the open packet", async () => {
      const socket = await RawWebSocket.open(system.port);
      assert.equal(socket.upgrade.status, "HTTP/1.1 101 Switching Protocols");
      assert.equal(socket.upgrade.headers.upgrade.toLowerCase(), "websocket");
      assert.equal(socket.upgrade.headers.connection.toLowerCase(), "upgrade");
      assert.equal(socket.upgrade.headers["sec-websocket-accept"], socket.accept);
      assert.equal(socket.upgrade.headers["sec-websocket-extensions"], undefined);
      const frame = await socket.frame();
      assert.deepEqual([frame.fin, frame.rsv, frame.opcode, frame.masked], [1, 0, 1, 0]);
      const text = frame.payload.toString();
      assert.match(
        text,
        new RegExp(
          '^0\\{"sid":"[A-Za-z0-9_-]{20,64}","upgrades":\\[\\],' +
            '"pingInterval":25000,"pingTimeout":20000,"maxPayload":65536\\}$',
        ),
      );
      const size = text.length;
      const head = size < 126 ? [0x81, size] : [0x81, 126, size >> 8, size & 255];
      assert.deepEqual([...frame.raw.subarray(0, head.length)], head);
      socket.destroy();
    });

    test("CONNECT, first document, update and patch", async () => {
      const { poll, accessToken } = await create(system.url, {
        topic: "Lunch \u2615",
        name: "Ada",
      });
      const ada = await RawWebSocket.join(system.port, { token: accessToken });
      const reply = await ada.text();
      assert.match(reply, /^40\/polls,\{"sid":"[A-Za-z0-9_-]{20,64}"\}$/);
      assert.notEqual(JSON.parse(reply.slice(9)).sid, JSON.parse(ada.open.slice(1)).sid);
      const first = await ada.text();
      const [name, shown] = JSON.parse(first.slice("42/polls,".length));
      assert.equal(name, "poll_updated");
      assert.deepEqual(Object.keys(shown), MEMBERS);
      assert.deepEqual(shown, {
        ...poll,
        participants: { [poll.adminID]: "Ada" },
        version: shown.version,
        rev: shown.rev,
      });
      assert.equal(first, `42/polls,${JSON.stringify(["poll_updated", shown])}`);

      const second = await join(system.url, poll.id, "Bob");
      const bob = await RawWebSocket.join(system.port, {
        token: second.accessToken,
        updates: "patch",
      });
      assert.match(await bob.text(), /^40\/polls,/);
      const whole = await bob.text();
      assert.equal(whole, await ada.text());
      const before = JSON.parse(whole.slice(9))[1];

      const third = await join(system.url, poll.id, 'C"yd');
      const cyd = await RawWebSocket.join(system.port, { token: third.accessToken });
      const patched = JSON.parse((await bob.text()).slice(9));
      assert.equal(patched[0], "poll_patched");
      const { from, to, patch } = patched[1];
      assert.equal(from, before.rev);
      assert.equal(to, patch.rev);
      assert.deepEqual(Object.values(patch.participants), ['C"yd']);
      assert.deepEqual(Object.keys(patch).sort(), ["participants", "rev", "version"]);
      for (const socket of [ada, bob, cyd]) socket.destroy();
    });

    test("a document of more than one fragment arrives whole", async () => {
      const { poll, accessToken } = await create(system.url, { name: "Ada" });
      const joins = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          join(system.url, poll.id, "\u{1F34E}".repeat(24) + (i % 10)),
        ),
      );
      const sockets = await Promise.all(
        joins.map((one) =>
          RawWebSocket.join(system.port, { token: one.accessToken, updates: "patch" }),
        ),
      );
      for (const socket of sockets) await socket.text();
      const ada = await RawWebSocket.join(system.port, { token: accessToken });
      await ada.text();
      let shown = {};
      while (Object.keys(shown.participants ?? {}).length < 31) {
        [, shown] = JSON.parse((await ada.text()).slice(9));
      }
      for (const socket of [...sockets, ada]) socket.destroy();
    });

    test("ping is answered by pong, text in pieces and two messages in one segment", async () => {
      const { accessToken } = await create(system.url, { name: "Ada" });
      const socket = await RawWebSocket.open(system.port);
      await socket.text();
      socket.say("hello", { opcode: 9 });
      const pong = await socket.frame();
      assert.equal(pong.opcode, 10);
      assert.equal(pong.payload.toString(), "hello");
      const text = `40/polls,${JSON.stringify({ token: accessToken })}`;
      socket.say(text.slice(0, 9), { fin: false });
      socket.say("", { opcode: 9 });
      socket.say(text.slice(9), { opcode: 0 });
      assert.equal((await socket.frame()).opcode, 10);
      assert.match(await socket.text(), /^40\/polls,/);
      await socket.text();
      // Left and joined again in one segment; an Engine.IO pong that nobody asked for is fine.
      socket.write(Buffer.concat([clientFrame("3"), clientFrame("41/polls,"), clientFrame(text)]));
      assert.match(await socket.text(), /^40\/polls,/);
      await socket.text();
      socket.say("1");
      assert.ok([1000, 1005].includes(await socket.closed()));
    });

    test("each byte of a request may come alone", async () => {
      const socket = await RawSocket.connect(system.port);
      const text = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
      for (const byte of Buffer.from(text)) {
        await new Promise((sent) => socket.socket.write(Buffer.from([byte]), sent));
      }
      assert.equal((await socket.response()).code, 200);
      socket.destroy();
    });

    test("requests that Engine.IO refuses", async () => {
      const cases = [
        ["/socket.io/?EIO=4&transport=polling&sid=nope", 400, 1, "Session ID unknown"],
        ["/socket.io/?EIO=4", 400, 0, "Transport unknown"],
        ["/socket.io/?EIO=4&transport=carrier-pigeon", 400, 0, "Transport unknown"],
        ["/socket.io/?EIO=4&transport=websocket", 400, 3, "Bad request"],
        ["/socket.io/?EIO=4&transport=websocket&sid=nope", 400, 1, "Session ID unknown"],
      ];
      for (const [path, status, code, message] of cases) {
        const answer = await fetch(system.url + path);
        assert.equal(answer.status, status, path);
        assert.match(answer.headers.get("content-type"), /^application\/json/);
        assert.equal(await answer.text(), JSON.stringify({ code, message }), path);
      }
      for (const path of [
        "/socket.io/?EIO=3&transport=websocket",
        "/socket.io/?transport=websocket",
        "/socket.io/?EIO=4&transport=websocket&sid=nope",
      ]) {
        const socket = await RawWebSocket.open(system.port, { path });
        assert.equal(socket.upgrade.code, 400, path);
        socket.destroy();
      }
    });

    test("origins: none, own and CLIENT_PORT's may, a foreign one may not", async () => {
      const allowed = [undefined, system.url, "http://localhost:8080"];
      for (const origin of [...allowed, "http://evil.example", "null"]) {
        const headers = origin ? { Origin: origin } : {};
        const socket = await RawWebSocket.open(system.port, { headers });
        assert.equal(socket.upgrade.code, allowed.includes(origin) ? 101 : 403, origin);
        socket.destroy();
      }
    });
  });
}
