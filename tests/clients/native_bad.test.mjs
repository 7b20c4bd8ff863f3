// SPDX-License-Identifier: MIT
// What is refused at /ws, and how: upgrades by their status, everything later by the close code.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { ENCODINGS, JSON_V1, MSGPACK_V1, Native } from "./support/native.mjs";
import { encode, jwt } from "./support/packages.mjs";
import { RawSocket, RawWebSocket, clientFrame } from "./support/raw.mjs";
import { claims, create, join } from "./support/rest.mjs";
import { System, withSystem } from "./support/system.mjs";

let system;
let poll;
let token;
let pids;
before(async () => {
  system = await System.start({ env: { CLIENT_PORT: "8123" } });
  ({ poll, accessToken: token } = await create(system.url, { name: "Ada" }));
  pids = await system.pids();
});
after(async () => {
  try {
    assert.deepEqual(await system.pids(), pids, "the same processes as in the beginning");
    await system?.stop();
  } finally {
    await system?.dispose();
  }
});

const path = "/ws";
const upgrade = (headers) => RawWebSocket.open(system.port, { path, headers });
const HEAD =
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

async function answer(bytes) {
  const socket = await RawSocket.connect(system.port);
  socket.write(bytes);
  const { code, headers } = await socket.response();
  socket.destroy();
  return { code, headers };
}

describe("upgrades", () => {
  test("subprotocols", async () => {
    for (const [offer, wanted] of [
      [undefined, undefined],
      [JSON_V1, JSON_V1],
      [MSGPACK_V1, MSGPACK_V1],
      [`${MSGPACK_V1}, ${JSON_V1}`, MSGPACK_V1],
      [`chat, superchat ,${JSON_V1}`, JSON_V1],
    ]) {
      const socket = await upgrade(offer ? { "Sec-WebSocket-Protocol": offer } : {});
      assert.equal(socket.upgrade.code, 101, offer);
      assert.equal(socket.upgrade.headers["sec-websocket-protocol"], wanted, offer);
      assert.equal(socket.upgrade.headers["sec-websocket-accept"], socket.accept);
      socket.destroy();
    }
    for (const offer of ["chat", "rollcall", "/", "rollcall.v2.json", "chat, superchat"]) {
      const socket = await upgrade({ "Sec-WebSocket-Protocol": offer });
      assert.equal(socket.upgrade.code, 400, offer);
      await socket.ended();
    }
    const long = await upgrade({ "Sec-WebSocket-Protocol": `${"x".repeat(200)},${JSON_V1}` });
    assert.equal(long.upgrade.code, 400);
  });

  test("origins, as for Socket.IO", async () => {
    for (const [origin, code] of [
      ["https://foe.example", 403],
      ["null", 403],
      [`https://${"x".repeat(600)}`, 403],
      ["http://localhost:8123", 101],
      [`http://127.0.0.1:${system.port}`, 101],
    ]) {
      const socket = await upgrade({ Origin: origin });
      assert.equal(socket.upgrade.code, code, origin);
      socket.destroy();
    }
  });

  test("no compression is taken up", async () => {
    const socket = await upgrade({ "Sec-WebSocket-Extensions": "permessage-deflate" });
    assert.equal(socket.upgrade.code, 101);
    assert.equal(socket.upgrade.headers["sec-websocket-extensions"], undefined);
    socket.destroy();
  });

  test("what is no upgrade of version 13 to a host", async () => {
    const host = "Host: a\r\n";
    const version = "Sec-WebSocket-Version: 13\r\n";
    for (const [bytes, code] of [
      [`GET /ws HTTP/1.1\r\n${HEAD}${version}\r\n`, 400],
      [`GET /ws HTTP/1.1\r\n${host}${HEAD}Sec-WebSocket-Version: 8\r\n\r\n`, 426],
      [`GET /ws HTTP/1.1\r\n${host}${HEAD}\r\n`, 426],
      [`POST /ws HTTP/1.1\r\n${host}${HEAD}${version}Content-Length: 0\r\n\r\n`, 400],
      [`GET /ws/x HTTP/1.1\r\n${host}${HEAD}${version}\r\n`, 404],
      [`GET /ws HTTP/1.1\r\n${host}\r\n`, 404],
      [`GET /ws HTTP/1.1\r\n${host}Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n`, 404],
    ]) {
      const { code: got, headers } = await answer(bytes);
      assert.equal(got, code, bytes);
      if (code === 426) assert.equal(headers["sec-websocket-version"], "13");
    }
  });
});

const joinFrame = (data) => JSON.stringify({ event: "join", id: 1, data });

describe("frames", () => {
  test("one segment with the upgrade request, pieces, a character cut in two", async () => {
    const first = await RawSocket.connect(system.port);
    Object.setPrototypeOf(first, RawWebSocket.prototype);
    first.write(
      Buffer.concat([
        Buffer.from(
          `GET /ws HTTP/1.1\r\nHost: a\r\n${HEAD}Sec-WebSocket-Version: 13\r\n\r\n`,
        ),
        clientFrame(joinFrame({ token })),
      ]),
    );
    assert.equal((await first.response()).code, 101);
    assert.equal(JSON.parse(await first.text()).event, "joined");

    const socket = await upgrade();
    const bytes = Buffer.from(joinFrame({ token, note: "ü" }));
    const cut = bytes.indexOf(0xc3) + 1;
    socket.say(bytes.subarray(0, 9), { fin: false });
    socket.say("hello", { opcode: 9 });
    socket.say(bytes.subarray(9, cut), { opcode: 0, fin: false });
    socket.say("", { opcode: 0, fin: false });
    socket.say(bytes.subarray(cut), { opcode: 0 });
    const pong = await socket.frame();
    assert.deepEqual([pong.opcode, pong.payload.toString()], [10, "hello"]);
    assert.equal(JSON.parse(await socket.text()).event, "joined");

    // Byte by byte.
    const slow = await upgrade();
    for (const byte of clientFrame(joinFrame({ token }))) slow.write(Buffer.from([byte]));
    assert.equal(JSON.parse(await slow.text()).event, "joined");
    for (const one of [first, socket, slow]) one.destroy();
  });

  const text = {
    "no JSON": ["nonsense", 4000],
    "half of it": ['{"event":"join"', 4000],
    "two of it": ['{"event":"ping"}{"event":"ping"}', 4000],
    "a list": ["[]", 4000],
    "a text": ['"join"', 4000],
    nothing: ["", 4000],
    "no event": ['{"id":1}', 4000],
    "an event that is none": ['{"event":7}', 4000],
    "an id that is none": ['{"event":"ping","id":{}}', 4000],
    "an id of a half": ['{"event":"ping","id":1.5}', 4000],
    "an id without end": ['{"event":"ping","id":1e999}', 4000],
    "a longer id": [`{"event":"ping","id":"${"x".repeat(65)}"}`, 4000],
    "a second join": [joinFrame({ token: "x" }), 4000],
    "a deep one": [`${"[".repeat(3000)}`, 4000],
    "bad UTF-8": [Buffer.from([0x7b, 0xff, 0x7d]), 1007],
    "a surrogate": [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 1007],
    "a binary one": [Buffer.from("{}"), 4000, 2],
    "a large one": [JSON.stringify({ event: "ping", data: "x".repeat(70_000) }), 1009],
    "opcode 3": ["x", 1002, 3],
  };
  for (const [what, [bytes, code, opcode]] of Object.entries(text)) {
    test(`${what}: ${code}, before and after the join`, async () => {
      const early = await upgrade();
      early.say(bytes, { opcode: opcode ?? 1 });
      // Before it a join is a join, and no more than 4 KiB may come.
      const first = what === "a second join" ? 4001 : code;
      assert.equal(await early.closed(), first);
      const { accessToken } = await join(system.url, poll.id, "Bob");
      const late = await upgrade();
      late.say(joinFrame({ token: accessToken }));
      await late.text();
      late.say(bytes, { opcode: opcode ?? 1 });
      assert.equal(await late.closed(), code);
    });
  }

  test("frames against the rules of RFC 6455: 1002", async () => {
    const ping = Buffer.from('{"event":"ping"}');
    for (const [what, bytes] of Object.entries({
      "reserved bits": clientFrame(ping, { rsv: 4 }),
      "no mask": clientFrame(ping, { masked: false }),
      "a length in a longer form": Buffer.concat([
        Buffer.from([0x81, 0xfe, 0, ping.length, 0, 0, 0, 0]),
        ping,
      ]),
      "a continuation of nothing": clientFrame(ping, { opcode: 0 }),
      "a message within a message": Buffer.concat([
        clientFrame(ping, { fin: false }),
        clientFrame(ping),
      ]),
      "a ping in pieces": clientFrame("x", { opcode: 9, fin: false }),
      "a ping of 126 bytes": clientFrame("x".repeat(126), { opcode: 9 }),
      "a close of one byte": clientFrame("x", { opcode: 8 }),
    })) {
      const socket = await upgrade();
      socket.say(joinFrame({ token }));
      assert.equal(JSON.parse(await socket.text()).event, "joined");
      socket.write(bytes);
      assert.equal(await socket.closed(), 1002, what);
    }
  });

  const packed = {
    "no msgpack": randomBytes(50).fill(0xc1, 0, 1),
    nothing: Buffer.alloc(0),
    "half of it": encode({ event: "ping" }).subarray(0, 7),
    "two of it": Buffer.concat([encode({ event: "ping" }), encode({ event: "ping" })]),
    "a map of 4 billion": Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]),
    "arrays 1,000 deep": Buffer.concat([Buffer.alloc(1000, 0x91), Buffer.from([0xc0])]),
    "a key that is a number": encode(new Map([[1, "event"]])),
    "text that is no UTF-8": Buffer.from("81a56576656e74a2fffe", "hex"),
    "binary data": encode({ event: "ping", data: new Uint8Array(3) }),
    "an extension": encode({ event: "ping", data: new Date() }),
    "data that is no number": encode({ event: "ping", data: NaN }),
    "an id that is none": encode({ event: "ping", id: [1] }),
  };
  test("msgpack garbage: 4000, before and after the join", async () => {
    for (const [what, bytes] of Object.entries(packed)) {
      const early = await Native.open(system.url, { asked: MSGPACK_V1 });
      early.raw(bytes);
      assert.equal((await early.closed()).code, 4000, what);
      const late = await Native.join(system.url, token, { asked: MSGPACK_V1 });
      late.raw(bytes);
      assert.equal((await late.closed()).code, 4000, what);
    }
    const kind = await Native.open(system.url, { asked: MSGPACK_V1 });
    kind.raw("{}");
    assert.equal((await kind.closed()).code, 4000);
  });
});

for (const asked of ENCODINGS) {
  describe(`joining, ${asked}`, () => {
    const fails = async (data, url = system.url) => {
      const one = await Native.open(url, { asked });
      one.say({ event: "join", id: "me", data });
      const { id, data: error } = await one.next("error");
      assert.equal(id, "me");
      assert.equal(error.outcome, "none");
      return [error.type, error.message, (await one.closed()).code];
    };

    test("a token that is none: 4001", async () => {
      const forbidden = ["Unauthorized", "FORBIDDEN", 4001];
      const other = jwt.sign({ ...claims(token) }, "another key");
      for (const bad of [undefined, null, 7, {}, "", "x.y.z", `${token}x`, other]) {
        assert.deepEqual(await fails({ token: bad }), forbidden, String(bad));
      }
      assert.deepEqual(await fails(undefined), forbidden);
      assert.deepEqual(await fails([token]), forbidden);
    });

    test("a poll that is gone: 4003; who was removed: 4004", async () => {
      const made = await create(system.url, { name: "Ada" });
      const ada = await Native.join(system.url, made.accessToken, { asked });
      const { accessToken } = await join(system.url, made.poll.id, "Bob");
      const bob = await Native.join(system.url, accessToken, { asked });
      await ada.sees(["Ada", "Bob"]);
      await ada.saved("remove_participant", { id: bob.id });
      assert.equal((await bob.closed()).code, 4004);
      assert.deepEqual(await fails({ token: accessToken }), [
        "Unauthorized",
        "Removed from the poll",
        4004,
      ]);
      await ada.ask("cancel_poll");
      assert.equal((await ada.closed()).code, 4003);
      const gone = await fails({ token: made.accessToken });
      assert.deepEqual(gone, ["Unknown", "Poll not found", 4003]);
    });

    test("anything else first: 4000; nothing for ten seconds: 4101", async () => {
      const silent = await Native.open(system.url, { asked });
      for (const event of ["ping", "nominate", "leave", "explode"]) {
        const one = await Native.open(system.url, { asked });
        one.say({ event, id: 1 });
        assert.deepEqual(await one.closed(), { code: 4000, reason: "join first" });
        assert.deepEqual(one.frames, []);
      }
      const begun = performance.now();
      assert.deepEqual(await silent.closed(), { code: 4101, reason: "nothing joined" });
      assert.ok(performance.now() - begun > 5000);
    });

    test("over the rate: errors first, then 4103", async () => {
      const made = await create(system.url, { name: "Ada" });
      const ada = await Native.join(system.url, made.accessToken, { asked });
      for (let i = 0; i < 25; i++) ada.say({ event: "nominate", id: i, data: { text: "" } });
      await ada.when(() => ada.count("error") === 25, "25 errors");
      const limited = ada.frames.filter(({ data }) => /slow down/.test(data.message));
      assert.ok(limited.length > 0 && limited.length <= 5, `${limited.length}`);
      for (let i = 0; i < 1000; i++) ada.say({ event: "ping" });
      assert.equal((await ada.closed()).code, 4103);
    });
  });
}

describe("the end of things", () => {
  test("a poll's time is over: ended expired, 4003", () =>
    withSystem({ env: { POLL_DURATION: "2" } }, async (short) => {
      const made = await create(short.url, { name: "Ada" });
      const ada = await Native.join(short.url, made.accessToken);
      assert.deepEqual((await ada.next("ended")).data, { why: "expired" });
      assert.deepEqual(await ada.closed(), { code: 4003, reason: "expired" });
    }));

  test("who does not answer a ping: 4102; who does, stays", () =>
    withSystem(
      {
        env: {
          ROLLCALL_GATEWAY_PING_INTERVAL_MS: "300",
          ROLLCALL_GATEWAY_PING_TIMEOUT_MS: "300",
          ROLLCALL_PRESENCE_GRACE_MS: "0",
        },
      },
      async (brisk) => {
        const made = await create(brisk.url, { name: "Ada" });
        const ada = await Native.join(brisk.url, made.accessToken);
        const { accessToken } = await join(brisk.url, made.poll.id, "Bob");
        const bob = await Native.join(brisk.url, accessToken, { autoPong: false });
        await ada.sees(["Ada", "Bob"]);
        assert.deepEqual(await bob.closed(), { code: 4102, reason: "ping timeout" });
        await ada.sees(["Ada"]);
        assert.equal(ada.end, undefined);
        await ada.leave();
      },
    ));

  const crowd = async (url) => {
    const made = await create(url, { name: "Ada" });
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, i) => join(url, made.poll.id, `n${i}`)),
    );
    const all = await Promise.all(tokens.map(({ accessToken }) => Native.join(url, accessToken)));
    return [...all, await Native.open(url)];
  };
  const pauses = (ends) =>
    ends.map(({ code, reason }) => {
      assert.equal(code, 4200);
      const { retry_ms: ms } = JSON.parse(reason);
      assert.ok(Number.isInteger(ms) && ms >= 0 && ms <= 2000, reason);
      return ms;
    });

  test("a gateway drains: 4200, one after the other", () =>
    withSystem({ env: { ROLLCALL_DRAIN_MS: "2000" }, gateways: 2 }, async (two) => {
      const all = await crowd(two.url);
      const over = [];
      for (const one of all) one.over.then((end) => over.push([end, performance.now()]));
      await two.ctl("drain", "g1");
      await two.ctl("drain", "g2");
      await Promise.all(all.map((one) => one.closed()));
      assert.equal(pauses(over.map(([end]) => end)).length, all.length);
      const back = over.map(([{ reason }, at]) => at + JSON.parse(reason).retry_ms);
      assert.ok(Math.max(...back) - Math.min(...back) > 200, `${back}`);
    }));

  test("a gateway stops: 4200, and when to come again, spread", () =>
    withSystem({ env: { ROLLCALL_DRAIN_MS: "2000" } }, async (stopping) => {
      const all = await crowd(stopping.url);
      await stopping.ctl("stop", "g1");
      const told = pauses(await Promise.all(all.map((one) => one.closed())));
      assert.ok(new Set(told).size > 10, `${told}`);
    }));
});
