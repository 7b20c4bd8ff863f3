// SPDX-License-Identifier: MIT
// Long-polling under libwebsockets: each trap of section 12 of the contract.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  Echo,
  PacketSocket,
  forgotten,
  processorMs,
  residentBytes,
} from "../clients/support/echo.mjs";
import { RawSocket } from "../clients/support/raw.mjs";
import { SANITIZED } from "../clients/support/system.mjs";
import { during } from "../clients/support/wait.mjs";

const COUNT = 200;
const pause = (ms) => during(ms, 20, () => {});

let echo;
before(async () => {
  echo = await Echo.start({ "ping-interval-ms": 25000, "ping-timeout-ms": 20000 });
});
after(() => echo?.stop());

const head = (session, method = "GET", more = "") =>
  `${method} /engine.io/?EIO=4&transport=polling&sid=${session.sid} HTTP/1.1\r\n` +
  `Host: h\r\n${more}\r\n`;

async function park(session) {
  const raw = await RawSocket.connect(echo.port);
  raw.write(head(session));
  return raw;
}

// What the server uses of the processor within `ms`, as a part of it.
async function load(ms) {
  const before = await processorMs(echo.pid);
  await pause(ms);
  return ((await processorMs(echo.pid)) - before) / ms;
}

describe("section 12", () => {
  test("a parked GET outlives the timeouts, and keep-alive goes on after it", async () => {
    const session = await echo.session();
    const raw = await park(session);
    await pause(7000);
    assert.equal(raw.over, false);
    for (const text of ["4late", "4again"]) {
      assert.equal(await session.post(text), "200 ok");
      const answer = await raw.response();
      assert.equal(answer.body, text);
      assert.equal(answer.headers.connection, "keep-alive");
      raw.write(head(session));
    }
    raw.destroy();
  });

  test("parked GETs cost no processor, not even with bytes behind them", async () => {
    const sessions = await Promise.all([...Array(COUNT)].map(() => echo.session()));
    const parked = await Promise.all(sessions.map(park));
    assert.ok((await load(1000)) < 0.1, "only parked");
    for (const raw of parked) raw.write("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n");
    assert.ok((await load(1000)) < 0.1, "with bytes behind them");
    for (const raw of parked) raw.write("x".repeat(100000));
    assert.ok((await load(1000)) < 0.1, "with many bytes behind them");
    // All are alive.
    await Promise.all(sessions.map((session) => session.post("4x")));
    for (const raw of parked) assert.equal((await raw.response()).body, "4x");
    for (const raw of parked) raw.destroy();
    assert.ok((await load(500)) < 0.3, "gone");
  });

  test("clients that hang up are noticed at once, and cost nothing afterwards", async () => {
    const sessions = await Promise.all([...Array(COUNT)].map(() => echo.session()));
    const { answer } = await echo.park(() => Promise.all(sessions.map(park)), COUNT);
    const parked = await answer;
    const begun = performance.now();
    for (const [i, raw] of parked.entries()) {
      if (i % 3 === 0) raw.socket.end();
      else if (i % 3 === 1) raw.socket.resetAndDestroy();
      else raw.destroy();
    }
    await Promise.all(sessions.map(forgotten));
    assert.ok(performance.now() - begun < (SANITIZED ? 5000 : 1000));
    assert.ok((await load(1000)) < 0.1);
  });

  test("a hang-up with bytes behind the GET is noticed as well", async () => {
    const session = await echo.session();
    const { answer } = await echo.park(() => park(session));
    const raw = await answer;
    raw.write("GET / HTTP/1.1\r\n");
    raw.destroy();
    await forgotten(session);
  });

  test("two requests in one segment: the second never breaks the first, nor spins", async () => {
    const session = await echo.session();
    const other = await echo.session();
    const raw = await RawSocket.connect(echo.port);
    raw.write(head(session) + head(other));
    await pause(50);
    assert.ok((await load(500)) < 0.1);
    assert.equal(await session.post("4x"), "200 ok");
    assert.equal((await raw.response()).body, "4x");
    // The connection may end then, or serve the second.
    await other.post("4y");
    const [rest] = await Promise.all([
      Promise.race([raw.response().then(({ body }) => body), raw.ended().then(() => "ended")]),
    ]).catch(() => ["ended"]);
    assert.ok(rest === "4y" || rest === "ended", rest);
    assert.ok((await load(500)) < 0.1);
    raw.destroy();
  });

  test("requests in one segment are answered, each in its turn", async () => {
    const raw = await RawSocket.connect(echo.port);
    const open = "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n\r\n";
    const count = "GET /parked HTTP/1.1\r\nHost: h\r\n\r\n";
    raw.write(open + count + open + count);
    for (const begin of [/^0\{/, /^\d+$/, /^0\{/, /^\d+$/]) {
      const { code, body } = await raw.response();
      assert.equal(code, 200);
      assert.match(body, begin);
    }
    raw.destroy();
  });

  test("a POST behind a GET in one segment on one connection", async () => {
    const session = await echo.session();
    const raw = await RawSocket.connect(echo.port);
    raw.write(`${head(session)}${head(session, "POST", "Content-Length: 2\r\n")}4x`);
    await pause(50);
    assert.ok((await load(500)) < 0.1);
    raw.destroy();
    await forgotten(session);
  });

  test("parked GETs give their tables of headers back", async () => {
    const sessions = await Promise.all([...Array(COUNT)].map(() => echo.session()));
    const filler = `X-Filler: ${"f".repeat(2000)}\r\n`;
    const before = await residentBytes(echo.pid);
    const parked = [];
    for (const session of sessions) {
      const raw = await RawSocket.connect(echo.port);
      raw.write(head(session, "GET", filler));
      parked.push(raw);
    }
    await pause(200);
    const each = ((await residentBytes(echo.pid)) - before) / COUNT;
    if (!SANITIZED) assert.ok(each < 12000, `${each} bytes for each`);
    for (const raw of parked) raw.destroy();
    await Promise.all(sessions.map(forgotten));
  });

  test("no Content-Length, or chunks: 411 at once", async () => {
    const session = await echo.session();
    for (const more of ["", "Transfer-Encoding: chunked\r\n"]) {
      const raw = await RawSocket.connect(echo.port);
      raw.write(head(session, "POST", more));
      assert.equal((await raw.response()).code, 411);
      raw.destroy();
    }
    assert.equal(await session.post("4x"), "200 ok");
    assert.equal(await session.get(), "200 4x");
  });

  test("Content-Length 0 is an empty payload", async () => {
    const session = await echo.session();
    const raw = await RawSocket.connect(echo.port);
    raw.write(head(session, "POST", "Content-Length: 0\r\n"));
    assert.equal((await raw.response()).code, 400);
    raw.destroy();
    await forgotten(session);
  });

  test("fragments, however small, are one message", async () => {
    const socket = await echo.socket();
    await socket.next();
    const text = `4${"fragment".repeat(1000)}`;
    for (let at = 0; at < text.length; at += 97) {
      const part = text.slice(at, at + 97);
      socket.socket.send(part, { fin: at + 97 >= text.length });
    }
    assert.equal(await socket.next(), text);
    socket.close();
  });

  test("over maxPayload on a WebSocket, whole or in fragments: 1009", async () => {
    const ways = [
      (socket) => socket.send("4".repeat(1000001)),
      (socket) => socket.send(Buffer.alloc(1000001)),
      (socket) => socket.send(`4${"\u20ac".repeat(333334)}`), // bytes count, not characters
      (socket) => {
        for (let i = 0; i < 11; i++) socket.socket.send("4".repeat(100000), { fin: false });
      },
    ];
    for (const send of ways) {
      const socket = await echo.socket();
      await socket.next();
      send(socket);
      assert.equal((await socket.end()).code, 1009);
    }
    const socket = await echo.socket();
    await socket.next();
    const most = `4${"\u20ac".repeat(333333)}`;
    socket.send(most);
    assert.equal(await socket.next(), most);
    socket.close();
  });

  test("an answer in many pieces to a slow reader arrives whole", async () => {
    const session = await echo.session();
    const part = `4${"z".repeat(900000)}`;
    assert.equal(await session.post(part), "200 ok");
    const raw = await RawSocket.connect(echo.port);
    raw.socket.pause();
    raw.write(head(session));
    await pause(300);
    raw.socket.resume();
    assert.equal((await raw.response()).body, part);
    raw.destroy();
  });

  test("who sends more, or ends, before it has taken its answer is not served on", async () => {
    for (const more of ["GET /parked HTTP/1.1\r\nHost: h\r\n\r\n", "x", null]) {
      const session = await echo.session();
      assert.equal(await session.post(`4${"z".repeat(900000)}`), "200 ok");
      const raw = await RawSocket.connect(echo.port);
      raw.socket.pause();
      raw.write(head(session));
      await pause(300);
      if (more) raw.write(more);
      else raw.socket.end();
      await pause(200);
      assert.ok((await load(500)) < 0.1);
      raw.destroy();
    }
  });

  test("a client that takes nothing of its answer does not hold the others up", async () => {
    const sessions = await Promise.all([...Array(10)].map(() => echo.session()));
    const part = `4${"z".repeat(900000)}`;
    const raws = [];
    for (const session of sessions) {
      await session.post(part);
      const raw = await RawSocket.connect(echo.port);
      raw.socket.pause();
      raw.write(head(session));
      raws.push(raw);
    }
    const other = await echo.session();
    assert.equal(await other.post("4x"), "200 ok");
    assert.equal(await other.get(), "200 4x");
    assert.ok((await load(500)) < 0.2);
    for (const raw of raws) raw.destroy();
  });
});

test("section 4: a client that goes while its answer is on the way is lost", async () => {
  const session = await echo.session("/socket.io/");
  await session.send("0");
  await session.text();
  await session.text();
  // More than the kernel takes at once.
  const part = "z".repeat(990000);
  for (let i = 0; i < 3; i++) await session.send(`2["message","${part}"]`);
  const raw = await RawSocket.connect(echo.port);
  raw.socket.pause();
  for (let i = 0; i < 3; i++) {
    raw.write(
      `GET /socket.io/?EIO=4&transport=polling&sid=${session.sid} HTTP/1.1\r\nHost: h\r\n\r\n`,
    );
  }
  await pause(200);
  raw.destroy();
  await forgotten(session);
});

describe("section 10: pages of other origins", () => {
  const FRIEND = "http://localhost:8080";
  const origin = (value) => ({ headers: { Origin: value } });

  test("every answer to a friend says so, errors too", async () => {
    const session = await echo.session();
    const answers = [
      await session.request("POST", "4x", origin(FRIEND)),
      await session.request("GET", undefined, origin(FRIEND)),
      await session.request("PUT", "4x", origin(FRIEND)),
      await session.request("POST", "abc", origin(FRIEND)),
      await session.request("GET", undefined, origin(FRIEND)),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 405, 400, 400],
    );
    for (const { headers } of answers) {
      assert.equal(headers.get("access-control-allow-origin"), FRIEND);
      assert.equal(headers.get("access-control-allow-credentials"), "true");
      assert.match(headers.get("vary"), /Origin/);
    }
  });

  test("OPTIONS before any check, of any session", async () => {
    for (const query of ["", "&sid=nobody"]) {
      const answer = await fetch(`${echo.url}/engine.io/?EIO=4&transport=polling${query}`, {
        method: "OPTIONS",
        headers: {
          Origin: FRIEND,
          "Access-Control-Request-Method": "POST",
          "Access-Control-Request-Headers": "x-mine",
        },
      });
      assert.equal(answer.status, 204);
      assert.equal(answer.headers.get("access-control-allow-origin"), FRIEND);
      assert.equal(answer.headers.get("access-control-allow-credentials"), "true");
      assert.match(answer.headers.get("access-control-allow-methods"), /GET.*POST/);
      assert.equal(answer.headers.get("access-control-allow-headers"), "x-mine");
      assert.ok(Number(answer.headers.get("access-control-max-age")) > 0);
    }
  });

  test("a foreign page: 403 code 4, with or without a session; no WebSocket", async () => {
    const session = await echo.session();
    const foe = origin("http://foe.example");
    const forbidden = '{"code":4,"message":"Forbidden"}';
    for (const method of ["GET", "POST"]) {
      const { status, body, headers } = await session.request(
        method,
        method === "POST" ? "4x" : undefined,
        foe,
      );
      assert.equal(`${status} ${body}`, `403 ${forbidden}`);
      assert.equal(headers.get("access-control-allow-origin"), null);
    }
    const answer = await fetch(`${echo.url}/engine.io/?EIO=4&transport=polling`, foe);
    assert.equal(answer.status, 403);
    assert.equal(await session.post("4x"), "200 ok");
    assert.equal(await session.get(), "200 4x");
  });

  test("the same origin, and none, are friends", async () => {
    const session = await echo.session();
    assert.equal(await session.post("4x", origin(echo.url)), "200 ok");
    assert.equal(await session.get(), "200 4x");
  });

  test("section 2: an Origin with control bytes is nobody's", async () => {
    const session = await echo.session();
    for (const origin of ["http://a\x01b", "http://a\x7fb", "http://localhost:8080\tx"]) {
      const raw = await RawSocket.connect(echo.port);
      raw.write(head(session, "GET", `Origin: ${origin}\r\n`));
      const { status, headers, body } = await raw.response();
      assert.equal(status, "HTTP/1.1 403 Forbidden");
      assert.equal(body, '{"code":4,"message":"Forbidden"}');
      assert.equal(headers["access-control-allow-origin"], undefined);
      raw.destroy();
    }
    assert.equal(await session.post("4x"), "200 ok");
    assert.equal(await session.get(), "200 4x");
  });
});

test("section 11: the probe may be answered before the CONNECT is", async () => {
  const session = await echo.session("/socket.io/");
  const [post, get, socket] = await Promise.all([
    session.send("0"),
    session.get(),
    PacketSocket.open(echo.url, "/socket.io/", `&sid=${session.sid}`),
  ]);
  assert.equal(post, "200 ok");
  assert.match(get, /^200 40\{"sid"/);
  socket.send("2probe");
  assert.equal(await socket.next(), "3probe");
  socket.send("5");
  socket.send('42["message",1]');
  let packet;
  do packet = await socket.next();
  while (packet.startsWith('42["auth"'));
  assert.equal(packet, '42["message-back",1]');
  socket.close();
});
