// SPDX-License-Identifier: MIT
// Engine.IO over HTTP long-polling, request by request: sections 2, 3 and 4 of the contract.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Echo, PacketSocket, Polling, RS, forgotten } from "../clients/support/echo.mjs";
import { RawSocket } from "../clients/support/raw.mjs";
import { deadline } from "../clients/support/wait.mjs";

const UNKNOWN = '400 {"code":1,"message":"Session ID unknown"}';

let echo; // with a heartbeat that is not in the way
before(async () => {
  echo = await Echo.start({ "ping-interval-ms": 25000, "ping-timeout-ms": 20000 });
});
after(() => echo?.stop());

const ask = async (path, init) => {
  const answer = await deadline(fetch(echo.url + path, init), path);
  return { status: answer.status, headers: answer.headers, body: await answer.text() };
};

describe("section 2: requests and handshake", () => {
  test("the open packet has exactly five members, alone in the body", async () => {
    const { status, headers, body } = await ask("/engine.io/?EIO=4&transport=polling");
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "text/plain; charset=UTF-8");
    assert.equal(headers.get("content-length"), String(body.length));
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(body[0], "0");
    const { sid, ...rest } = JSON.parse(body.slice(1));
    assert.deepEqual(rest, {
      upgrades: ["websocket"],
      pingInterval: 25000,
      pingTimeout: 20000,
      maxPayload: 1000000,
    });
    assert.match(sid, /^[A-Za-z0-9_-]+$/);
  });

  test("a sid has the owner's tag and 132 random bits, and never comes twice", async () => {
    const sids = await Promise.all([...Array(50)].map(async () => (await echo.session()).sid));
    for (const sid of sids) assert.match(sid, /^e1-00000000-[A-Za-z0-9_-]{22}$/);
    assert.equal(new Set(sids).size, 50);
  });

  test("a WebSocket gets the open packet first, with nothing to upgrade to", async () => {
    const socket = await echo.socket();
    const open = JSON.parse((await socket.next()).slice(1));
    assert.deepEqual(Object.keys(open), [
      "sid",
      "upgrades",
      "pingInterval",
      "pingTimeout",
      "maxPayload",
    ]);
    assert.deepEqual(open.upgrades, []);
    socket.close();
  });

  test("refusals: code, message, status, in the stock order", async () => {
    const { sid } = await echo.session();
    const socket = await echo.socket();
    const other = JSON.parse((await socket.next()).slice(1)).sid;
    const cases = [
      ["GET", "", 400, 0, "Transport unknown"],
      ["GET", "EIO=4", 400, 0, "Transport unknown"],
      ["GET", "EIO=4&transport=abc", 400, 0, "Transport unknown"],
      ["GET", "EIO=4&transport=abc&sid=nobody", 400, 0, "Transport unknown"],
      ["GET", "EIO=4&transport=polling&sid=nobody", 400, 1, "Session ID unknown"],
      ["POST", "EIO=3&transport=websocket&sid=nobody", 400, 1, "Session ID unknown"],
      ["POST", "EIO=4&transport=polling", 400, 2, "Bad handshake method"],
      ["PUT", "EIO=3&transport=polling", 400, 2, "Bad handshake method"],
      ["DELETE", "EIO=4&transport=websocket", 400, 2, "Bad handshake method"],
      ["GET", "EIO=4&transport=websocket", 400, 3, "Bad request"],
      ["GET", `EIO=3&transport=polling&sid=${sid}`, 400, 3, "Bad request"],
      ["GET", `transport=polling&sid=${sid}`, 400, 3, "Bad request"],
      ["GET", `EIO=4&transport=websocket&sid=${sid}`, 400, 3, "Bad request"],
      ["GET", `EIO=4&transport=polling&sid=${other}`, 400, 3, "Bad request"],
      ["GET", "transport=polling", 400, 5, "Unsupported protocol version"],
      ["GET", "EIO=3&transport=polling", 400, 5, "Unsupported protocol version"],
      ["GET", "EIO=abc&transport=polling", 400, 5, "Unsupported protocol version"],
      ["GET", "EIO=4&transport=polling&j=0", 400, 3, "Bad request"],
      ["GET", `EIO=4&transport=polling&sid=${sid}&j=0`, 400, 3, "Bad request"],
      ["POST", `EIO=4&transport=polling&sid=${sid}&j=0`, 400, 3, "Bad request"],
      ["GET", "EIO=4&transport=polling+", 400, 0, "Transport unknown"],
    ];
    for (const [method, query, status, code, message] of cases) {
      const answer = await ask(`/engine.io/?${query}`, {
        method,
        body: method === "GET" ? undefined : "4x",
      });
      assert.equal(answer.body, JSON.stringify({ code, message }), `${method} ${query}`);
      assert.equal(answer.status, status, query);
      assert.equal(answer.headers.get("content-type"), "application/json", query);
      assert.equal(answer.headers.get("cache-control"), "no-store", query);
    }
    const session = Object.assign(new Polling(), { base: echo.url, path: "/engine.io/", sid });
    assert.equal(await session.post("4alive"), "200 ok");
    assert.equal(await session.get(), "200 4alive");
    socket.close();
  });

  test("t, b64 and unknown parameters are ignored, values are decoded", async () => {
    const session = await echo.session();
    assert.equal(await session.post("4x", { query: "&t=abc.0&b64=1&more=%26sid%3D1" }), "200 ok");
    assert.equal(await session.get({ query: "&b64=1" }), "200 4x");
    const sid = session.sid.replace("-", "%2D");
    const answer = await ask(`/engine.io/?EIO=%34&transport=poll%69ng&sid=${sid}&t=1`, {
      method: "POST",
      body: "4y",
    });
    assert.equal(answer.status, 200);
  });

  test("the path without its slash is none, nor is a file below it", async () => {
    for (const path of ["/engine.io", "/socket.io", "/socket.io/socket.io.js", "/socket.io/x"]) {
      assert.equal((await ask(`${path}?EIO=4&transport=polling`)).status, 404, path);
    }
  });

  test("a refused upgrade is an HTTP answer before any 101", async () => {
    const queries = ["EIO=3&transport=websocket", "EIO=4&transport=polling", "transport=websocket"];
    for (const query of [...queries, "EIO=4&transport=websocket&sid=nobody"]) {
      const raw = await RawSocket.connect(echo.port);
      raw.write(
        `GET /engine.io/?${query} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n` +
          "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
      const { status, headers, body } = await raw.response();
      assert.equal(status, "HTTP/1.1 400 Bad Request", query);
      assert.equal(headers["content-type"], "application/json");
      assert.match(body, /^\{"code":[135],"message":"[^"]+"\}$/, query);
      await raw.ended();
    }
  });
});

describe("section 3: packets and payloads", () => {
  test("texts, batches and base64 come back as they were sent", async () => {
    const session = await echo.session();
    for (const payload of [
      "4hello",
      `4a${RS}4b${RS}4c`,
      `4hello${RS}bAQIDBA==`,
      "4",
      "b",
      "bAA==",
      `4\u{1f35a} \u0000 \u20ac`,
    ]) {
      assert.equal(await session.post(payload), "200 ok");
      assert.equal(await session.get(), `200 ${payload}`);
    }
  });

  test("a binary message of a WebSocket stays one; base64 in a text is one, too", async () => {
    const socket = await echo.socket();
    await socket.next();
    socket.send(Buffer.from([1, 2, 3, 4]));
    assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3, 4]));
    socket.send("bAQID");
    assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3]));
    socket.send(Buffer.alloc(0));
    assert.deepEqual(await socket.next(), Buffer.alloc(0));
    socket.close();
  });

  test("an unasked pong, and 0, 5 and 6 on an open WebSocket, are ignored", async () => {
    const socket = await echo.socket();
    await socket.next();
    for (const packet of ["3", "3probe", "0", "5", "6"]) socket.send(packet);
    socket.send("4here");
    assert.equal(await socket.next(), "4here");
    socket.close();
  });

  test("by polling, an unasked pong, and 0, 5 and 6, are ignored as well", async () => {
    const session = await echo.session();
    assert.equal(await session.post(["3", "3probe", "0", "5", "6"].join(RS)), "200 ok");
    assert.equal(await session.post("4here"), "200 ok");
    assert.equal(await session.get(), "200 4here");
  });

  const bad = ["", "2", "2probe", "7", "abc", "bA", "bAQID=", "b*aaa", "4x\x1e", "\x1e4x"];
  for (const payload of bad) {
    test(`a POST of ${JSON.stringify(payload)} ends the session`, async () => {
      const session = await echo.session();
      assert.equal(await session.post(payload), "400 ");
      assert.equal(await session.get(), UNKNOWN);
    });
  }

  test("what stands before a bad packet is delivered", async () => {
    const session = await echo.session();
    const { answer: get } = await echo.park(() => session.get());
    assert.equal(await session.post(`4one${RS}4two${RS}9`), "400 ");
    assert.equal(await get, `200 4one${RS}4two${RS}1`);
    assert.equal(await session.get(), UNKNOWN);
  });

  for (const packet of ["", "2", "7", "abc", "bA"]) {
    test(`a WebSocket that sends ${JSON.stringify(packet)} is closed`, async () => {
      const socket = await echo.socket();
      await socket.next();
      socket.send(packet);
      assert.equal((await socket.end()).code, 1008);
    });
  }
});

describe("section 4: the polling transport", () => {
  test("a GET is answered at once with everything, else parked", async () => {
    const session = await echo.session();
    await session.post("4a");
    await session.post("4b");
    assert.equal(await session.get(), `200 4a${RS}4b`);
    const { answer: get } = await echo.park(() => session.request("GET"));
    const post = await session.request("POST", "4c");
    assert.equal(post.body, "ok");
    assert.equal(post.headers.get("content-type"), "text/html");
    assert.equal(post.headers.get("cache-control"), "no-store");
    assert.equal(post.headers.get("content-length"), "2");
    const answer = await get;
    assert.equal(answer.body, "4c");
    assert.equal(answer.headers.get("content-type"), "text/plain; charset=UTF-8");
    assert.equal(answer.headers.get("content-length"), "2");
    assert.equal(answer.headers.get("cache-control"), "no-store");
  });

  test("a body is text, whatever is in it, and not compressed, whoever accepts that", async () => {
    const session = await echo.session();
    const packet = `b${Buffer.alloc(3000).toString("base64")}`;
    assert.equal(await session.post(packet), "200 ok");
    const headers = { "accept-encoding": "gzip, deflate, br" };
    const answer = await session.request("GET", undefined, { headers });
    assert.equal(answer.body, packet);
    assert.equal(answer.headers.get("content-type"), "text/plain; charset=UTF-8");
    assert.equal(answer.headers.get("content-encoding"), null);
    assert.equal(answer.headers.get("content-length"), "4001");
  });

  test("a second GET: the parked one 1, the new one 400, and the session is closed", async () => {
    const session = await echo.session();
    const { answer: first } = await echo.park(() => session.get());
    assert.equal(await session.get(), "400 ");
    assert.equal(await first, "200 1");
    assert.equal(await session.get(), UNKNOWN);
  });

  test("a second POST: the new one 400, the first cut, and the session is closed", async () => {
    const session = await echo.session();
    const raw = await RawSocket.connect(echo.port);
    const head = `POST /engine.io/?EIO=4&transport=polling&sid=${session.sid} HTTP/1.1\r\n`;
    raw.write(`${head}Host: h\r\nContent-Length: 10\r\n\r\n4abc`);
    const { answer: get } = await echo.park(() => session.get());
    assert.match(await session.post("4second"), /^400 /);
    assert.equal((await raw.ended()).length, 0);
    assert.equal(await get, "200 1");
    assert.equal(await session.get(), UNKNOWN);
  });

  test("a parked GET that is cancelled closes the session", async () => {
    const session = await echo.session();
    const controller = new AbortController();
    const { answer: get } = await echo.park(() =>
      session.get({ signal: controller.signal }).catch((error) => error.name),
    );
    controller.abort();
    assert.equal(await get, "AbortError");
    await forgotten(session);
  });

  test("a POST that breaks off closes the session", async () => {
    const session = await echo.session();
    const raw = await RawSocket.connect(echo.port);
    const head = `POST /engine.io/?EIO=4&transport=polling&sid=${session.sid} HTTP/1.1\r\n`;
    raw.write(`${head}Host: h\r\nContent-Length: 10\r\n\r\n4abc`);
    const { answer: get } = await echo.park(() => session.get());
    raw.destroy();
    assert.equal(await get, "200 1");
    assert.equal(await session.get(), UNKNOWN);
  });

  test("POST 1: the parked GET 6, the POST ok, then code 1", async () => {
    const session = await echo.session();
    const { answer: get } = await echo.park(() => session.get());
    assert.equal(await session.post("1"), "200 ok");
    assert.equal(await get, "200 6");
    assert.equal(await session.get(), UNKNOWN);
    const other = await echo.session();
    assert.equal(await other.post(`4x${RS}1${RS}4y`), "200 ok");
    assert.equal(await other.get(), UNKNOWN);
  });

  test("a bad Socket.IO packet: POST 400, the parked GET 1, then code 1", async () => {
    const session = await echo.session("/socket.io/");
    const { answer: get } = await echo.park(() => session.get());
    assert.equal(await session.post('42["nobody joined"]'), "400 ");
    assert.equal(await get, "200 1");
    assert.equal(await session.get(), UNKNOWN);
  });

  test("a body over maxPayload: 413, empty, and the session stays", async () => {
    const session = await echo.session();
    assert.equal(await session.post(`4${"x".repeat(1000000)}`), "413 ");
    const most = `4${"x".repeat(999999)}`;
    assert.equal(await session.post(most), "200 ok");
    assert.equal(await session.get(), `200 ${most}`);
    // Bytes count, not characters.
    assert.equal(await session.post(`4${"\u20ac".repeat(333334)}`), "413 ");
    // Far too large: not even read; the connection ends, the session does not.
    const raw = await RawSocket.connect(echo.port);
    const head = `POST /engine.io/?EIO=4&transport=polling&sid=${session.sid} HTTP/1.1\r\n`;
    raw.write(`${head}Host: h\r\nContent-Length: 99000000\r\n\r\n4`);
    assert.equal((await raw.response()).code, 413);
    raw.destroy();
    assert.equal(await session.post("4still"), "200 ok");
    assert.equal(await session.get(), "200 4still");
  });

  test("application/octet-stream: 400, and the session is closed", async () => {
    const session = await echo.session();
    const headers = { "content-type": "application/octet-stream" };
    assert.equal(await session.post("4x", { headers }), "400 ");
    assert.equal(await session.get(), UNKNOWN);
  });

  test("other methods with a sid are refused and change nothing", async () => {
    const session = await echo.session();
    for (const method of ["PUT", "DELETE", "PATCH", "HEAD"]) {
      const { status } = await session.request(method);
      assert.equal(status, 405, method);
    }
    assert.equal(await session.post("4x"), "200 ok");
    assert.equal(await session.get(), "200 4x");
  });

  test("the server closes, a GET is parked: the queue, then 1", async () => {
    const session = await echo.session("/socket.io/");
    await session.send("0");
    assert.match(await session.text(), /^0\{"sid"/);
    assert.equal(await session.text(), '2["auth",{}]');
    const { answer: get } = await echo.park(() => session.get());
    assert.equal(await session.send('2["message",1]', '2["close"]'), "200 ok");
    assert.equal(await get, `200 42["message-back",1]${RS}1`);
    assert.equal(await session.get(), UNKNOWN);
  });

  test("the server closes, no GET is parked: kept for the next one", async () => {
    const session = await echo.session("/socket.io/");
    await session.send("0");
    await session.text();
    await session.text();
    assert.equal(await session.send('2["message",1]', '2["close"]'), "200 ok");
    assert.equal(await session.post("4late"), "200 ok");
    assert.equal(await session.get(), `200 42["message-back",1]${RS}1`);
    assert.equal(await session.get(), UNKNOWN);
  });

  test("a body has a megabyte at most, the rest comes with the next GET", async () => {
    const session = await echo.session();
    const part = `4${"y".repeat(400000)}`;
    for (let i = 0; i < 4; i++) assert.equal(await session.post(part), "200 ok");
    assert.equal(await session.get(), `200 ${part}${RS}${part}`);
    assert.equal(await session.get(), `200 ${part}${RS}${part}`);
    // 800,000 bytes are more than that in base64.
    const bytes = `b${Buffer.alloc(400000).toString("base64")}`;
    for (let i = 0; i < 2; i++) assert.equal(await session.post(bytes), "200 ok");
    for (let i = 0; i < 2; i++) assert.equal(await session.get(), `200 ${bytes}`);
  });

  test("requests after the upgrade: 400 code 3, and the WebSocket is unharmed", async () => {
    const session = await echo.session();
    const socket = await PacketSocket.open(echo.url, "/engine.io/", `&sid=${session.sid}`);
    socket.send("2probe");
    assert.equal(await socket.next(), "3probe");
    socket.send("5");
    socket.send("4x");
    assert.equal(await socket.next(), "4x");
    assert.equal(await session.get(), '400 {"code":3,"message":"Bad request"}');
    assert.equal(await session.post("4y"), '400 {"code":3,"message":"Bad request"}');
    socket.send("4z");
    assert.equal(await socket.next(), "4z");
    socket.close();
  });
});
