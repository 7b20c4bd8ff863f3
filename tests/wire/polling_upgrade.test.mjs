// SPDX-License-Identifier: MIT
// From long-polling to a WebSocket, with its races: section 5 of the contract.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Echo, PacketSocket, RS } from "../clients/support/echo.mjs";

const REFUSED = '400 {"code":3,"message":"Bad request"}';

let echo;
before(async () => {
  echo = await Echo.start({ "ping-interval-ms": 25000, "ping-timeout-ms": 20000 });
});
after(() => echo?.stop());

const probe = (session) =>
  PacketSocket.open(echo.url, session.path, `&sid=${session.sid}`);

async function probed(session) {
  const socket = await probe(session);
  socket.send("2probe");
  assert.equal(await socket.next(), "3probe");
  return socket;
}

describe("section 5: the upgrade", () => {
  test("no open packet on the probing WebSocket; the probe is answered", async () => {
    const session = await echo.session();
    const socket = await probed(session);
    assert.deepEqual(socket.received, []);
    socket.close();
  });

  test("a parked GET gets a noop, and so does each that comes until 5", async () => {
    const session = await echo.session();
    const { answer: first } = await echo.park(() => session.get());
    const socket = await probed(session);
    assert.equal(await first, "200 6");
    const begun = performance.now();
    for (let i = 0; i < 3; i++) assert.equal(await session.get(), "200 6");
    // On a tick, not in a loop as fast as the client is.
    assert.ok(performance.now() - begun > 100, "noops come on a tick");
    socket.send("5");
    socket.send("4x");
    assert.equal(await socket.next(), "4x");
    assert.equal(await session.get(), REFUSED);
    socket.close();
  });

  test("until 5, messages go by polling, and POSTs are taken", async () => {
    const session = await echo.session();
    const socket = await probed(session);
    assert.equal(await session.post(`4a${RS}4b`), "200 ok");
    assert.equal(await session.get(), `200 4a${RS}4b`);
    assert.deepEqual(socket.received, []);
    socket.send("5");
    socket.send("4c");
    assert.equal(await socket.next(), "4c");
    socket.close();
  });

  test("what is queued at the 5 goes to the WebSocket, in order, kinds kept", async () => {
    const session = await echo.session();
    const socket = await probed(session);
    assert.equal(await session.post(`4a${RS}bAQI=${RS}4c`), "200 ok");
    socket.send("5");
    socket.send("4d");
    assert.equal(await socket.next(), "4a");
    assert.deepEqual(await socket.next(), Buffer.from([1, 2]));
    assert.equal(await socket.next(), "4c");
    assert.equal(await socket.next(), "4d");
    socket.close();
  });

  test("a GET that is parked at the 5 gets a noop", async () => {
    const session = await echo.session();
    const socket = await probe(session);
    const { answer: get } = await echo.park(() => session.get());
    socket.send("5");
    assert.equal(await get, "200 6");
    socket.close();
  });

  test("5 without a probe moves the session as well", async () => {
    const session = await echo.session();
    const socket = await probe(session);
    socket.send("5");
    socket.send("4x");
    assert.equal(await socket.next(), "4x");
    assert.equal(await session.get(), REFUSED);
    socket.close();
  });

  for (const packet of ["4hello", "2", "3probe", "1", "", Buffer.from([1])]) {
    test(`first packet ${JSON.stringify(packet)}: only the WebSocket is closed`, async () => {
      const session = await echo.session();
      const socket = await probe(session);
      socket.send(packet);
      await socket.end();
      assert.equal(await session.post("4x"), "200 ok");
      assert.equal(await session.get(), "200 4x");
    });
  }

  test("a second probe closes the WebSocket, polling goes on", async () => {
    const session = await echo.session();
    const socket = await probed(session);
    socket.send("2probe");
    await socket.end();
    assert.equal(await session.post("4x"), "200 ok");
    assert.equal(await session.get(), "200 4x");
  });

  test("a WebSocket that goes between probe and 5: polling goes on, without noops", async () => {
    const session = await echo.session();
    const socket = await probed(session);
    socket.socket.terminate();
    await socket.end();
    assert.equal(await session.post("4x"), "200 ok");
    assert.equal(await session.get(), "200 4x");
    // The next attempt may succeed.
    const again = await probed(session);
    again.send("5");
    again.send("4y");
    assert.equal(await again.next(), "4y");
    again.close();
  });

  test("a second WebSocket for the same sid is closed, the first is unharmed", async () => {
    const session = await echo.session();
    const first = await probed(session);
    const second = await probe(session);
    await second.opened;
    await second.end();
    first.send("5");
    first.send("4x");
    assert.equal(await first.next(), "4x");
    const third = await probe(session);
    await third.end();
    first.send("4y");
    assert.equal(await first.next(), "4y");
    first.close();
  });

  test("a session that began with a WebSocket has no other", async () => {
    const first = await echo.socket();
    const { sid } = JSON.parse((await first.next()).slice(1));
    const second = await PacketSocket.open(echo.url, "/engine.io/", `&sid=${sid}`);
    await second.end();
    first.send("4x");
    assert.equal(await first.next(), "4x");
    first.close();
  });

  test("the session ends while a WebSocket probes: that is closed, too", async () => {
    const session = await echo.session();
    const socket = await probed(session);
    assert.equal(await session.post("1"), "200 ok");
    await socket.end();
    assert.equal(await session.get(), '400 {"code":1,"message":"Session ID unknown"}');
  });

  test("no 5 within 10 s, probed or not: only the WebSocket is closed, no more noops", async () => {
    const begun = performance.now();
    await Promise.all(
      [probe, probed].map(async (open) => {
        const session = await echo.session();
        const silent = await open(session);
        await silent.end();
        assert.ok(performance.now() - begun > 9900);
        const { answer: get } = await echo.park(() => session.get());
        assert.equal(await session.post("4x"), "200 ok");
        assert.equal(await get, "200 4x");
      }),
    );
  });

  test("no session for a sid of nobody", async () => {
    const socket = await PacketSocket.open(echo.url, "/engine.io/", "&sid=nobody").catch(
      (error) => error,
    );
    assert.match(socket.message, /400/);
  });
});
