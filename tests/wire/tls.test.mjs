// SPDX-License-Identifier: MIT
// The listener with TLS: a certificate made here, stock clients that check it, HTTP/1.1 by ALPN.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { Player } from "../clients/support/player.mjs";
import { RawSocket, RawWebSocket, clientFrame } from "../clients/support/raw.mjs";
import { System, binary, cleanEnvironment, temporaryFolder } from "../clients/support/system.mjs";
import { deadline, once } from "../clients/support/wait.mjs";

const folder = temporaryFolder();
const cert = path.join(folder, "cert.pem");
const key = path.join(folder, "key.pem");
execFileSync("openssl", [
  ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
  ...["-days", "1", "-subj", "/CN=localhost", "-keyout", key, "-out", cert],
  ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
  ...["-addext", "basicConstraints=critical,CA:TRUE"],
], { stdio: "ignore" });
const ca = fs.readFileSync(cert);
after(() => fs.rmSync(folder, { recursive: true, force: true }));

function ask(port, method, where, body, headers = {}) {
  return deadline(
    new Promise((resolve, reject) => {
      const request = https.request(
        { port, host: "127.0.0.1", method, path: where, ca, headers },
        (answer) => {
          let text = "";
          answer.on("data", (data) => (text += data));
          answer.on("end", () => resolve({ status: answer.statusCode, text }));
        },
      );
      request.on("error", reject);
      request.end(body);
    }),
    `${method} ${where}`,
  );
}

const shows = (player, check) =>
  player.when(({ document }) => document && check(document), `${check}`);

const json = { "Content-Type": "application/json" };

async function made(port, where, body) {
  const { status, text } = await ask(port, "POST", where, JSON.stringify(body), json);
  assert.equal(status, 201, text);
  return JSON.parse(text);
}

// Bytes through TLS.
async function secureRaw(port) {
  const socket = tls.connect({ port, host: "127.0.0.1", ca, ALPNProtocols: ["http/1.1"] });
  await once(socket, "secureConnect");
  return RawSocket.over(socket);
}

// A raw WebSocket through TLS.
async function secure(port, options) {
  return RawWebSocket.upgrade(await secureRaw(port), port, options);
}

describe("TLS", () => {
  let system;
  let url;
  const env = { ROLLCALL_HTTP_TLS_CERT: cert, ROLLCALL_HTTP_TLS_KEY: key };
  before(async () => {
    system = await System.start({ env });
    url = `https://127.0.0.1:${system.port}`;
  });
  after(() => system?.end());

  test("the ready line says https", () => assert.match(system.readyLine, /https:\/\//));

  test("only HTTP/1.1 is agreed on", async () => {
    for (const [offer, agreed] of [
      [["h2", "http/1.1"], "http/1.1"],
      [["http/1.1"], "http/1.1"],
      [undefined, false],
    ]) {
      const socket = tls.connect({
        port: system.port,
        host: "127.0.0.1",
        ca,
        ALPNProtocols: offer,
      });
      await once(socket, "secureConnect");
      assert.equal(socket.alpnProtocol, agreed);
      assert.match(socket.getProtocol(), /^TLSv1\.[23]$/);
      socket.destroy();
    }
  });

  test("plain HTTP on the port is refused, and harms nobody", async () => {
    const socket = await RawSocket.connect(system.port);
    socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    await socket.ended();
    assert.doesNotMatch(socket.bytes.toString("latin1"), /200 OK/);
    socket.destroy();
    assert.equal((await ask(system.port, "GET", "/healthz")).status, 200);
  });

  for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
    test(`a whole poll by ${transports}`, async () => {
      const { poll, accessToken } = await made(system.port, "/polls", {
        topic: "Lunch",
        votesPerVoter: 2,
        name: "Ada",
      });
      const joined = await made(system.port, "/polls/join", { pollID: poll.id, name: "Bob" });
      const options = { transports, ca: ca.toString() };
      const ada = new Player(url, accessToken, options);
      const bob = new Player(url, joined.accessToken, options);
      await Promise.all([ada, bob].map((player) => player.sees(["Ada", "Bob"])));
      ada.socket.emit("nominate", { text: "Soup" });
      const has = (document) => Object.keys(document.nominations).length === 1;
      await Promise.all([ada, bob].map((player) => shows(player, has)));
      const [nomination] = Object.keys(ada.document.nominations);
      ada.socket.emit("start_vote");
      await shows(bob, (document) => document.hasStarted);
      bob.socket.emit("submit_rankings", { rankings: [nomination] });
      await shows(ada, (document) => Object.keys(document.rankings).length === 1);
      ada.socket.emit("close_poll");
      await Promise.all(
        [ada, bob].map((player) =>
          shows(player, (document) => document.results.length === 1),
        ),
      );
      assert.deepEqual([...ada.violations, ...bob.violations], []);
      ada.leave();
      bob.leave();
    });
  }

  test("a slow reader gets everything, in order", async () => {
    const { poll, accessToken } = await made(system.port, "/polls", {
      topic: "x".repeat(100),
      votesPerVoter: 2,
      name: "Ada",
    });
    const ada = new Player(url, accessToken, { transports: ["websocket"], ca: ca.toString() });
    await ada.sees(["Ada"]);
    const { accessToken: token } = await made(system.port, "/polls/join", {
      pollID: poll.id,
      name: "Slow",
    });
    const slow = await secure(system.port);
    await slow.text();
    slow.say(`40/polls,${JSON.stringify({ token })}`);
    await slow.text();
    slow.socket.pause();
    for (let i = 0; i < 5; i++) {
      ada.socket.emit("nominate", { text: `${i}`.padEnd(100, "x") });
      await shows(ada, (document) => Object.keys(document.nominations).length === i + 1);
    }
    slow.socket.resume();
    let version = 0;
    for (let count = 0; count < 5; ) {
      const text = await slow.text();
      if (text === "2") continue;
      const [, document] = JSON.parse(text.slice(text.indexOf("[")));
      assert.ok(document.version > version);
      version = document.version;
      count = Object.keys(document.nominations).length;
    }
    slow.destroy();
    ada.leave();
  });

  // The rest may be lost: then the connection ends.
  test("what comes with a request, or before its answer, does not keep that back", async () => {
    const head = (method, where, more = "") =>
      `${method} ${where} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
    const health = head("GET", "/healthz");
    const open = head("GET", "/socket.io/?EIO=4&transport=polling");
    for (const [first, second] of [
      [health + health, ""],
      [open + open, ""],
      [health, health],
      [open, health + open],
      [health, "x".repeat(20000)],
      [health + head("POST", "/polls", "Content-Length: 2\r\n"), "{}"],
    ]) {
      const socket = await secureRaw(system.port);
      socket.write(first);
      if (second) socket.write(second);
      assert.equal((await socket.response()).code, 200);
      socket.destroy();
    }
  });

  test("bytes behind a poll that waits do not keep its answer back", async () => {
    const socket = await secureRaw(system.port);
    const where = "/socket.io/?EIO=4&transport=polling";
    socket.write(`GET ${where} HTTP/1.1\r\nHost: h\r\n\r\n`);
    const { sid } = JSON.parse((await socket.response()).body.slice(1));
    const poll = `GET ${where}&sid=${sid} HTTP/1.1\r\nHost: h\r\n\r\n`;
    socket.write(poll + poll);
    socket.write(poll);
    const { status } = await ask(system.port, "POST", `${where}&sid=${sid}`, "40");
    assert.equal(status, 200);
    const { code, body } = await socket.response();
    assert.equal(code, 200);
    assert.match(body, /^4[04]\{/);
    socket.destroy();
  });

  test("the rules of frames hold", async () => {
    for (const bytes of [
      clientFrame("40", { masked: false }),
      clientFrame("40", { rsv: 4 }),
      Buffer.concat([clientFrame("40", { opcode: 5 }), clientFrame("40")]),
      Buffer.concat([clientFrame("40/x,"), clientFrame("x", { opcode: 0 })]),
    ]) {
      const socket = await secure(system.port);
      await socket.text();
      socket.write(bytes);
      assert.equal(await socket.closed(), 1002);
      socket.destroy();
    }
  });

  test("a NUL in a header is refused, in a body it is not", async () => {
    for (const [head, body, status] of [
      ["GET /healthz HTTP/1.1\r\nHost: a\0b\r\n\r\n", "", 400],
      ["POST /polls HTTP/1.1\r\nHost: a\r\nX: \0\r\nContent-Length: 2\r\n\r\n", "{}", 400],
      ["GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", "a\0b", 200],
    ]) {
      const raw = tls.connect({ port: system.port, host: "127.0.0.1", ca });
      await once(raw, "secureConnect");
      const socket = RawSocket.over(raw);
      socket.write(head + body);
      assert.equal((await socket.response()).code, status, head);
      socket.destroy();
    }
  });

  test("hang-ups in the middle of a handshake harm nobody", async () => {
    for (const bytes of ["", "\x16\x03\x01", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc"]) {
      const socket = await RawSocket.connect(system.port);
      socket.write(Buffer.from(bytes, "latin1"));
      socket.socket.end();
      await socket.ended();
      socket.destroy();
    }
    assert.equal((await ask(system.port, "GET", "/healthz")).status, 200);
  });

  test("a certificate without its key is a mistake", () => {
    const { status, stderr } = spawnSync(binary("rollcall-supervisor"), ["--check-config"], {
      env: cleanEnvironment(folder, { ROLLCALL_HTTP_TLS_CERT: cert }),
    });
    assert.equal(status, 100);
    assert.match(`${stderr}`, /http\.tls_cert is set, but http\.tls_key is not/);
  });
});
