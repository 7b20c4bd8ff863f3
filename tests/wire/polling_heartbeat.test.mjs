// SPDX-License-Identifier: MIT
// The heartbeat of Engine.IO over both transports, and closing: section 6 of the contract.
//
// A busy machine delays everything, so no test asks that something comes soon. What the server does
// some time after a request of ours is never seen sooner than that after we sent it: this is one
// bound. The other one lies where a wrong rule (a deadline set back, or counted from elsewhere)
// would have put the event at the earliest, far behind where the right one puts it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Echo, PacketSocket, RS, forgotten } from "../clients/support/echo.mjs";
import { during } from "../clients/support/wait.mjs";

const UNKNOWN = '400 {"code":1,"message":"Session ID unknown"}';
const INTERVAL = 300;
const TIMEOUT = 2000;
// Milliseconds that get lost when both ends round down.
const ROUNDING = 2;

// Tests that mostly wait may wait at the same time.
const TOGETHER = { concurrency: true };

const now = () => performance.now();
const pause = (ms) => during(ms, 5, () => {});

// Servers of the same kind, which differ in their times. One of them ends all connections of this
// process when it is stopped, so all are when all is over.
const servers = {
  echo: { "ping-interval-ms": INTERVAL, "ping-timeout-ms": TIMEOUT, "connect-timeout-ms": 60000 },
  strict: { "ping-interval-ms": 300, "ping-timeout-ms": 200 },
  patient: { "ping-interval-ms": 300, "ping-timeout-ms": 20000 },
  slow: { "ping-interval-ms": 1500, "ping-timeout-ms": TIMEOUT },
  quiet: { "ping-interval-ms": 25000, "ping-timeout-ms": 20000 },
};
before(async () => {
  for (const [name, options] of Object.entries(servers)) {
    servers[name] = await Echo.start(options);
  }
});
after(() => Promise.all(Object.values(servers).map((server) => server.stop?.())));

// A WebSocket that answers no ping by itself.
const silent = (path, query, server = servers.echo) =>
  PacketSocket.open(server.url, path, query, false);

async function probed(session, server = servers.echo) {
  const socket = await silent("/engine.io/", `&sid=${session.sid}`, server);
  socket.send("2probe");
  assert.equal(await socket.next(), "3probe");
  return socket;
}

describe("section 6: pings", TOGETHER, () => {
  test("polling: one a pingInterval after the handshake, and after each pong", async () => {
    let from = now();
    const session = await servers.echo.session();
    for (const ms of [0, 2 * INTERVAL, 0]) {
      assert.equal(await session.get(), "200 2");
      assert.ok(now() - from >= INTERVAL - ROUNDING, `${now() - from} ms`);
      await pause(ms);
      from = now();
      assert.equal(await session.post("3"), "200 ok");
    }
  });

  test("WebSocket: likewise, and no other in between", async () => {
    let from = now();
    const socket = await silent();
    await socket.next();
    for (const ms of [0, 2 * INTERVAL, 0]) {
      assert.equal(await socket.next(), "2");
      assert.ok(now() - from >= INTERVAL - ROUNDING, `${now() - from} ms`);
      await pause(ms);
      assert.deepEqual(socket.received, []);
      from = now();
      socket.send("3");
    }
    socket.close();
  });

  test("who has left all namespaces is pinged as before", async () => {
    const socket = await silent("/socket.io/");
    for (const packet of ["40", "41"]) socket.send(packet);
    for (const start of ["0{", "40{", '42["auth"']) {
      const packet = await socket.next();
      assert.ok(packet.startsWith(start), packet);
    }
    for (let i = 0; i < 3; i++) {
      assert.equal(await socket.next(), "2");
      socket.send("3");
    }
    socket.close();
  });

  test("a ping behind a long queue comes with one of its few bodies", async () => {
    const session = await servers.patient.session();
    const part = `4${"q".repeat(400000)}`;
    for (let i = 0; i < 9; i++) assert.equal(await session.post(part), "200 ok");
    await pause(2 * INTERVAL);
    const packets = [];
    for (let i = 0; i < 5; i++) {
      const { body } = await session.request("GET");
      packets.push(...body.split(RS).map((packet) => packet.length));
    }
    assert.deepEqual(packets.sort(), [1, ...Array(9).fill(part.length)]);
    assert.equal(await session.post("3"), "200 ok");
  });
});

describe("section 6: pongs that do not come", TOGETHER, () => {
  test("polling: 1 on the parked GET, then code 1", async () => {
    const begun = now();
    const session = await servers.echo.session();
    assert.equal(await session.get(), "200 2");
    assert.equal(await session.get(), "200 1");
    assert.ok(now() - begun >= INTERVAL + TIMEOUT - ROUNDING);
    assert.equal(await session.get(), UNKNOWN);
  });

  test("polling, without a GET: forgotten", async () => {
    const session = await servers.echo.session();
    await pause(INTERVAL + TIMEOUT + 500);
    assert.equal(await session.post("3"), UNKNOWN);
  });

  test("WebSocket: ping timeout; who answers stays", async () => {
    const talking = await servers.echo.socket();
    const begun = now();
    const socket = await silent();
    await talking.next();
    await socket.next();
    assert.equal(await socket.next(), "2");
    assert.equal((await socket.end()).reason, "ping timeout");
    assert.ok(now() - begun >= INTERVAL + TIMEOUT - ROUNDING);
    talking.send("4alive");
    assert.equal(await talking.next(), "4alive");
    talking.close();
  });

  test("any other packet extends the wait, once", async () => {
    const session = await servers.echo.session();
    assert.equal(await session.get(), "200 2");
    await pause(TIMEOUT / 2);
    const first = now();
    assert.equal(await session.post("4still here"), "200 ok");
    assert.equal(await session.get(), "200 4still here");
    await pause(TIMEOUT / 2);
    const second = now();
    assert.equal(await session.post("4and here"), "200 ok");
    assert.equal(await session.get(), "200 4and here");
    assert.equal(await session.get(), "200 1");
    assert.ok(now() - first >= TIMEOUT - ROUNDING, "extended by the first");
    assert.ok(now() - second < TIMEOUT - ROUNDING, "not by the second");
  });

  test("a request that comes too late finds that out, before any timer", async () => {
    let rounds = 0;
    for (let i = 0; i < 40 && rounds < 5; i++) {
      const begun = now();
      const session = await servers.strict.session();
      const opened = now();
      const ping = await session.get();
      // A server that stood still for a second begins to wait anew; we may have stood still, too.
      if (ping !== "200 2" || now() - begun > 300 + 1000) continue;
      await pause(Math.max(0, opened + 500 - now()));
      assert.equal(await session.get(), UNKNOWN);
      rounds++;
    }
    assert.equal(rounds, 5);
  });
});

describe("section 6: one deadline over both transports", TOGETHER, () => {
  test("a ping that is due later is counted from the handshake", async () => {
    const session = await servers.slow.session();
    await pause(1000);
    const socket = await probed(session, servers.slow);
    const moved = now();
    socket.send("5");
    assert.equal(await socket.next(), "2");
    assert.ok(now() - moved < 1500 - ROUNDING, "not from the upgrade");
    assert.equal((await socket.end()).reason, "ping timeout");
  });

  test("a ping that no GET has fetched comes by the WebSocket, its deadline stays", async () => {
    const session = await servers.echo.session();
    await pause(INTERVAL + 1000);
    const socket = await probed(session);
    const moved = now();
    socket.send("5");
    assert.equal(await socket.next(), "2");
    assert.equal((await socket.end()).reason, "ping timeout");
    assert.ok(now() - moved < TIMEOUT - ROUNDING, "not counted from the upgrade");
  });

  test("a ping that a GET has fetched is answered by the WebSocket", async () => {
    const session = await servers.echo.session();
    assert.equal(await session.get(), "200 2");
    const socket = await probed(session);
    socket.send("5");
    socket.send("3");
    const until = now() + TIMEOUT + 500;
    let pings = 0;
    while (now() < until) {
      assert.equal(await socket.next(), "2");
      socket.send("3");
      pings++;
    }
    assert.ok(pings > 1);
    socket.close();
  });

  test("a ping that a GET has fetched, and no answer: the WebSocket is closed", async () => {
    const session = await servers.echo.session();
    assert.equal(await session.get(), "200 2");
    await pause(1000);
    const socket = await probed(session);
    const moved = now();
    socket.send("5");
    assert.equal((await socket.end()).reason, "ping timeout");
    assert.ok(now() - moved < TIMEOUT - ROUNDING, "not counted from the upgrade");
    assert.deepEqual(socket.received, []);
  });
});

describe("section 6: closing", TOGETHER, () => {
  test("packet 1 on a WebSocket closes it at once", async () => {
    const socket = await servers.quiet.socket();
    await socket.next();
    socket.send("1");
    assert.equal((await socket.end()).code, 1000);
  });

  test("a close of ours has a code and a reason, and no DISCONNECT before it", async () => {
    const socket = await servers.quiet.socket("/socket.io/");
    for (const packet of ["40", "40/custom,", '42["message",1]', '42["close"]']) {
      socket.send(packet);
    }
    for (let i = 0; i < 5; i++) await socket.next();
    assert.equal(await socket.next(), '42["message-back",1]');
    assert.deepEqual(await socket.end(), { code: 1001, reason: "asked to" });
    assert.deepEqual(socket.received, []);
  });

  test("a DISCONNECT of ours, then the close of another namespace: both are told", async () => {
    const session = await servers.quiet.session("/socket.io/");
    await session.send("0", "0/custom,");
    for (let i = 0; i < 4; i++) await session.text();
    await session.send('2["leave"]', '2/custom,["close"]');
    assert.equal(await session.get(), `200 41${RS}1`);
    await forgotten(session);
  });
});
