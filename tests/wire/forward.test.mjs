// SPDX-License-Identifier: MIT
// Polling requests and upgrades that come to a gateway which does not own their session, byte by
// byte. Connections are made to one gateway while the other one is stopped, and kept.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { RawSocket, RawWebSocket, clientFrame } from "../clients/support/raw.mjs";
import { System, counted } from "../clients/support/system.mjs";
import { deadline, eventually } from "../clients/support/wait.mjs";

const UNKNOWN = '400 {"code":1,"message":"Session ID unknown"}';
const REQUEST = '400 {"code":3,"message":"Bad request"}';
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = createHash("sha1")
  .update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest("base64");

let system;
before(async () => {
  system = await System.start({ gateways: 2 });
});
after(() => system?.end());

const path = (sid, more = "EIO=4&transport=polling") => `/socket.io/?${more}&sid=${sid}`;

// A connection that is with the gateway of that name.
async function lineTo(name) {
  const { children } = await system.status();
  const others = children.filter((child) => child.role === "gateway" && child.name !== name);
  for (const { pid } of others) process.kill(pid, "SIGSTOP");
  try {
    const line = await RawSocket.connect(system.port);
    assert.equal((await ask(line, "GET", "/healthz")).slice(0, 3), "200");
    return line;
  } finally {
    for (const { pid } of others) process.kill(pid, "SIGCONT");
  }
}

function send(line, method, target, body = "", headers = "") {
  const length = method === "POST" ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : "";
  line.write(`${method} ${target} HTTP/1.1\r\nHost: x\r\n${length}${headers}\r\n${body}`);
}

async function answer(line) {
  const { code, body } = await line.response();
  return body ? `${code} ${body}` : String(code);
}

function ask(line, ...request) {
  send(line, ...request);
  return answer(line);
}

// A session of g1 with all its queue read, and a connection to g2.
async function strangers() {
  const own = await lineTo("g1");
  const open = await ask(own, "GET", "/socket.io/?EIO=4&transport=polling");
  const { sid } = JSON.parse(open.slice("200 0".length));
  assert.match(sid, /^g1-[0-9a-f]{8}-[\w-]{22}$/);
  const line = await lineTo("g2");
  return { own, line, sid };
}

async function join(line, sid) {
  assert.equal(await ask(line, "POST", path(sid), "40"), "200 ok");
  assert.match(await ask(line, "GET", path(sid)), /^200 40\{"sid":"/);
}

// The counters of one gateway's "neighbours", from its next beat.
const neighbours = async (name) => (await system.child(name)).stats.neighbours;
const parkedAt = (name, count) =>
  eventually(async () => (await neighbours(name)).served_parked === count, "a parked GET");

function close(...lines) {
  for (const line of lines) line.destroy();
}

describe("a session of another gateway", () => {
  test("GET and POST are answered by its owner; a GET waits", async () => {
    const { own, line, sid } = await strangers();
    const more = await lineTo("g2");
    await join(line, sid);
    send(line, "GET", path(sid));
    await parkedAt("g1", 1);
    // The namespace is left and joined again: its answer comes by the GET that waits.
    assert.equal(await ask(more, "POST", path(sid), "41\x1e40"), "200 ok");
    assert.match(await answer(line), /^200 40\{"sid":"/);
    // The owner's own connection works as well.
    assert.equal(await ask(own, "POST", path(sid), "1"), "200 ok");
    assert.equal(await ask(line, "GET", path(sid)), UNKNOWN);
    close(own, line, more);
  });

  test("two GETs by two gateways overlap", async () => {
    const { own, line, sid } = await strangers();
    await join(line, sid);
    send(line, "GET", path(sid));
    await parkedAt("g1", 1);
    assert.equal(await ask(own, "GET", path(sid)), "400");
    assert.equal(await answer(line), "200 1");
    assert.equal(await ask(line, "GET", path(sid)), UNKNOWN);
    close(own, line);
  });

  test("a client that hangs up on a stranger ends its session", async () => {
    const { own, line, sid } = await strangers();
    await join(own, sid);
    send(line, "GET", path(sid));
    await parkedAt("g1", 1);
    close(line);
    await parkedAt("g1", 0);
    assert.equal(await ask(own, "POST", path(sid), "3"), UNKNOWN);
    close(own);
  });

  test("what can not be is refused by the stranger itself", async () => {
    const { own, line, sid } = await strangers();
    const rows = [
      ["GET", path(sid, "EIO=3&transport=polling"), REQUEST],
      ["GET", path(sid, "EIO=4&transport=websocket"), REQUEST],
      ["GET", path(sid, "EIO=4&transport=pigeon"), '400 {"code":0,"message":"Transport unknown"}'],
      ["GET", path(`${sid.slice(0, -1)}!`), UNKNOWN],
      ["GET", path(`g9-00000000-${sid.slice(-22)}`), UNKNOWN],
      ["GET", path(`g1-00000000-${sid.slice(-22)}`), UNKNOWN],
      ["GET", path(`${sid.slice(0, -22)}AAAAAAAAAAAAAAAAAAAAAA`), UNKNOWN],
      ["PUT", path(sid), "405", "Content-Length: 0\r\n"],
    ];
    const asked = (await neighbours("g2")).asked;
    for (const [method, target, expected, headers] of rows) {
      assert.equal(await ask(line, method, target, "", headers), expected, `${method} ${target}`);
    }
    await join(line, sid);
    await eventually(async () => (await neighbours("g2")).asked > asked, "the next beat");
    close(own, line);
  });

  test("a body that its owner does not take", async () => {
    const { own, line, sid } = await strangers();
    assert.equal(await ask(line, "POST", path(sid), "4".repeat(5000)), "413");
    await join(line, sid);
    const type = "Content-Type: application/octet-stream\r\n";
    assert.equal(await ask(line, "POST", path(sid), "4x", type), "400");
    assert.equal(await ask(line, "GET", path(sid)), UNKNOWN);
    close(own, line);
  });
});

function sendUpgrade(line, sid, behind = "") {
  line.write(
    Buffer.concat([
      Buffer.from(
        `GET ${path(sid, "EIO=4&transport=websocket")} HTTP/1.1\r\nHost: x\r\n` +
          `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\n` +
          "Sec-WebSocket-Version: 13\r\n\r\n",
      ),
      Buffer.from(behind),
    ]),
  );
}

describe("an upgrade that comes to another gateway", () => {
  test("is handed over with its connection", async () => {
    const { own, line, sid } = await strangers();
    // A GET has waited on it before: nobody watches it afterwards.
    await join(line, sid);
    sendUpgrade(line, sid);
    const { code, headers } = await line.response();
    assert.equal(code, 101);
    assert.equal(headers["sec-websocket-accept"], ACCEPT);
    Object.setPrototypeOf(line, RawWebSocket.prototype);
    line.write(clientFrame("2probe"));
    assert.equal(await line.text(), "3probe");
    line.write(clientFrame("5"));
    line.write(clientFrame("41"));
    line.write(clientFrame("40"));
    assert.match(await line.text(), /^40\{"sid":"/);
    assert.equal(await ask(own, "GET", path(sid)), REQUEST);
    const counters = async () => {
      const { children } = await system.status();
      return children.map(({ stats }) => stats.neighbours);
    };
    await eventually(async () => counted(await counters(), "taken") === 1, "the count of it");
    // A larger message, and the end of it by its owner.
    line.write(clientFrame(`42["x","${"y".repeat(3000)}"]`));
    line.write(clientFrame("4nonsense"));
    await line.closed();
    close(own, line);
  });

  test("with the frames that came along with its request", async () => {
    const { own, line, sid } = await strangers();
    sendUpgrade(line, sid, clientFrame("2probe"));
    assert.equal((await line.response()).code, 101);
    Object.setPrototypeOf(line, RawWebSocket.prototype);
    assert.equal(await line.text(), "3probe");
    close(own, line);
  });

  test("many at once", async () => {
    const sessions = [];
    for (let i = 0; i < 8; i++) sessions.push(await strangers());
    for (const session of sessions) sendUpgrade(session.line, session.sid);
    for (const session of sessions) {
      assert.equal((await session.line.response()).code, 101);
      close(session.own, session.line);
    }
  });

  test("of nobody's session is refused", async () => {
    const { own, line, sid } = await strangers();
    for (const wrong of [
      `${sid.slice(0, -22)}AAAAAAAAAAAAAAAAAAAAAA`,
      `g1-00000000-${sid.slice(-22)}`,
      `${sid.slice(0, -3)}%0d%0a`,
    ]) {
      const one = await lineTo("g2");
      sendUpgrade(one, wrong);
      assert.equal((await one.response()).code, 400, wrong);
      close(one);
    }
    await join(line, sid);
    close(own, line);
  });
});

describe("kill -9", () => {
  test("of the owner: the GET that waits at a stranger is refused at once", async () => {
    const { own, line, sid } = await strangers();
    await join(line, sid);
    send(line, "GET", path(sid));
    await parkedAt("g1", 1);
    const killed = await system.killChild("g1");
    const begun = performance.now();
    assert.equal(await deadline(answer(line), "its answer", 10_000), UNKNOWN);
    assert.ok(performance.now() - begun < 2000, `${performance.now() - begun} ms`);
    assert.equal(await ask(line, "POST", path(sid), "3"), UNKNOWN);
    await system.whole(killed);
    // Its successor has the name, not the sessions.
    assert.equal(await ask(line, "GET", path(sid)), UNKNOWN);
    close(own, line);
  });

  test("of the stranger: the session ends", async () => {
    const { own, line, sid } = await strangers();
    await join(own, sid);
    send(line, "GET", path(sid));
    await parkedAt("g1", 1);
    const killed = await system.killChild("g2");
    await parkedAt("g1", 0);
    assert.equal(await ask(own, "POST", path(sid), "3"), UNKNOWN);
    await system.whole(killed);
    close(own, line);
  });
});
