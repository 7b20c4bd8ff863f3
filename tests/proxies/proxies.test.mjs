// SPDX-License-Identifier: MIT
// Stock clients through nginx and HAProxy with the configurations of ops/conf: whole polls over all
// transports, and the limits know clients by their own addresses.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { Player } from "../clients/support/player.mjs";
import { RawSocket } from "../clients/support/raw.mjs";
import { call, create, join } from "../clients/support/rest.mjs";
import { System, counted, freePort, temporaryFolder } from "../clients/support/system.mjs";
import { deadline, eventually } from "../clients/support/wait.mjs";

const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), "../..");
const sbin = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
const has = (program) => spawnSync("which", [program], { env: { PATH: sbin } }).status === 0;

// A program that runs as long as its test.
class Proxy {
  // `ports`: which port of the sample stands for which.
  static async start(program, sample, ports, args) {
    const self = new Proxy();
    self.folder = temporaryFolder();
    let text = fs.readFileSync(path.join(root, "ops/conf", sample), "utf8");
    for (const [from, to] of Object.entries(ports)) {
      assert.ok(text.includes(`127.0.0.1:${from}`), `${sample} has ${from}`);
      text = text.replaceAll(`127.0.0.1:${from}`, `127.0.0.1:${to}`);
    }
    const file = path.join(self.folder, sample);
    fs.writeFileSync(file, text);
    self.log = "";
    self.child = spawn(program, args(self.folder, file), { env: { ...process.env, PATH: sbin } });
    self.exited = new Promise((resolve) => self.child.once("exit", resolve));
    for (const stream of [self.child.stdout, self.child.stderr])
      stream.on("data", (data) => (self.log += data));
    return self;
  }

  async up(port) {
    await eventually(
      async () => (await call(`http://127.0.0.1:${port}`, "GET", "/healthz")).status === 200,
      `an answer through ${port}: ${this.log}`,
    );
  }

  async stop() {
    this.child.kill("SIGTERM");
    await deadline(this.exited, "the end of a proxy");
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

const nginx = (ports) =>
  Proxy.start("nginx", "nginx.conf", ports, (folder, file) => ["-p", folder, "-c", file]);
const haproxy = (ports) => Proxy.start("haproxy", "haproxy.cfg", ports, (_, file) => ["-f", file]);

const shows = (player, check) =>
  player.when(({ document }) => document && check(document), `${check}`);

async function wholePoll(url, transports) {
  const made = await create(url);
  const joined = await join(url, made.poll.id, "Bob");
  const ada = new Player(url, made.accessToken, { transports });
  const bob = new Player(url, joined.accessToken, { transports });
  const both = (check) => Promise.all([ada, bob].map((player) => shows(player, check)));
  await Promise.all([ada, bob].map((player) => player.sees(["Ada", "Bob"])));
  ada.socket.emit("nominate", { text: "Soup" });
  bob.socket.emit("nominate", { text: "Bread" });
  await both(({ nominations }) => Object.keys(nominations).length === 2);
  ada.socket.emit("start_vote");
  await both(({ hasStarted }) => hasStarted);
  const [first, second] = Object.keys(ada.document.nominations);
  ada.socket.emit("submit_rankings", { rankings: [first, second] });
  bob.socket.emit("submit_rankings", { rankings: [second] });
  await both(({ rankings }) => Object.keys(rankings).length === 2);
  ada.socket.emit("close_poll");
  await both(({ results }) => results.length === 2);
  assert.deepEqual([...ada.violations, ...bob.violations], []);
  bob.leave();
  ada.leave();
}

function playsThrough(port) {
  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
    test(`a whole poll by ${transports}`, () =>
      wholePoll(`http://127.0.0.1:${port()}`, transports));
  }
}

// How many unknown codes `headers` may ask for until it is told 429, at most `most`.
async function unknownCodes(port, most, headers) {
  for (let i = 0; i < most; i++) {
    const body = { pollID: "ZZZZZZ", name: "Eve" };
    const { status } = await call(
      `http://127.0.0.1:${port}`,
      "POST",
      "/polls/join",
      body,
      headers(i),
    );
    if (status === 429) return i;
    assert.equal(status, 404);
  }
  return most;
}

const CODES = 5;
const env = {
  ROLLCALL_HTTP_TRUSTED_PROXIES: "127.0.0.1, ::1",
  ROLLCALL_GATEWAY_UNKNOWN_CODES_PER_MIN: String(CODES),
};

function withSystem(settings, body) {
  const stage = {};
  before(async () => {
    stage.system = await System.start(settings);
  });
  body(stage);
  after(async () => {
    await stage.proxy?.stop();
    await stage.system?.end();
  });
}

describe("X-Forwarded-For", () => {
  withSystem({ env }, (stage) => {
    const port = () => stage.system.port;
    const from = (chain) => () => ({ "X-Forwarded-For": chain });

    test("each client has limits of its own", async () => {
      assert.equal(await unknownCodes(port(), CODES + 2, from("192.0.2.1")), CODES);
      assert.equal(await unknownCodes(port(), CODES + 2, from("192.0.2.2")), CODES);
      assert.equal(await unknownCodes(port(), CODES + 2, from("192.0.2.1:4711")), 0);
    });
    test("what a client makes up does not help it", async () => {
      const forged = (i) => ({ "X-Forwarded-For": `198.51.100.${i}, 192.0.2.3` });
      assert.equal(await unknownCodes(port(), CODES + 2, forged), CODES);
      const through = (i) => ({ "X-Forwarded-For": `198.51.100.${i}, 192.0.2.4, 127.0.0.1` });
      assert.equal(await unknownCodes(port(), CODES + 2, through), CODES);
    });
    test("IPv6 clients count by their network", async () => {
      const near = (i) => ({ "X-Forwarded-For": `2001:db8::${i + 1}` });
      assert.equal(await unknownCodes(port(), CODES + 2, near), CODES);
      assert.equal(await unknownCodes(port(), 1, from("[2001:db8:0:1::1]:80")), 1);
    });
    test("nonsense is the proxy itself", async () => {
      const odd = ["nonsense", "", ",", "1.2.3", "a".repeat(2000), "1.2.3.4.5", "::1::"];
      const headers = (i) => ({ "X-Forwarded-For": odd[i % odd.length] });
      assert.equal(await unknownCodes(port(), CODES + 2, headers), CODES);
    });
  });
});

describe("nobody is trusted unless it is said", () => {
  withSystem({ env: { ...env, ROLLCALL_HTTP_TRUSTED_PROXIES: "192.0.2.0/24" } }, (stage) => {
    test("X-Forwarded-For of others is nothing", async () => {
      const headers = (i) => ({ "X-Forwarded-For": `198.51.100.${i}` });
      assert.equal(await unknownCodes(stage.system.port, CODES + 2, headers), CODES);
    });
  });
});

describe("nginx", { skip: !has("nginx") && "not installed" }, () => {
  withSystem({ env, gateways: 2 }, (stage) => {
    before(async () => {
      stage.port = await freePort();
      stage.proxy = await nginx({ 3000: stage.system.port, 8000: stage.port });
      await stage.proxy.up(stage.port);
    });
    playsThrough(() => stage.port);
    test("a client can not name itself", async () => {
      const body = '{"pollID":"ZZZZZZ","name":"Eve"}';
      const codes = [];
      // Each gateway counts for itself.
      for (let i = 0; i < 2 * CODES + 1; i++) {
        const options = { port: stage.port, host: "127.0.0.1", localAddress: "127.0.0.5" };
        const socket = RawSocket.over(net.connect(options));
        socket.write(
          `POST /polls/join HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.${i}\r\n` +
            `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        codes.push((await socket.response()).code);
        socket.destroy();
      }
      assert.equal(codes.at(-1), 429, `${codes}`);
      assert.equal(codes[0], 404);
    });
  });
});

describe("HAProxy with X-Forwarded-For", { skip: !has("haproxy") && "not installed" }, () => {
  withSystem({ env }, (stage) => {
    before(async () => {
      stage.port = await freePort();
      const ports = { 3000: stage.system.port, 8001: stage.port, 8002: await freePort() };
      stage.proxy = await haproxy(ports);
      await stage.proxy.up(stage.port);
    });
    playsThrough(() => stage.port);
  });
});

describe("HAProxy with the PROXY protocol", { skip: !has("haproxy") && "not installed" }, () => {
  withSystem({ env: { ...env, ROLLCALL_HTTP_PROXY_PROTOCOL: "1" } }, (stage) => {
    before(async () => {
      stage.port = await freePort();
      const ports = { 3000: stage.system.port, 8001: await freePort(), 8002: stage.port };
      stage.proxy = await haproxy(ports);
      await stage.proxy.up(stage.port);
    });
    playsThrough(() => stage.port);
  });
});

describe("the PROXY protocol", () => {
  withSystem({ env: { ...env, ROLLCALL_HTTP_PROXY_PROTOCOL: "1" } }, (stage) => {
    const request = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
    const v2 = (command, family, body) =>
      Buffer.concat([
        signature,
        Buffer.from([command, family, body.length >> 8, body.length & 255]),
        body,
      ]);
    const four = Buffer.from([192, 0, 2, 7, 127, 0, 0, 1, 0, 80, 0, 80]);

    const good = {
      "version 1": "PROXY TCP4 192.0.2.7 127.0.0.1 1 80\r\n",
      "version 1, IPv6": "PROXY TCP6 2001:db8::7 ::1 1 80\r\n",
      "version 1, unknown": "PROXY UNKNOWN\r\n",
      "version 1, unknown with more": "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
      "version 2": v2(0x21, 0x11, four),
      "version 2, IPv6": v2(0x21, 0x21, Buffer.alloc(36, 1)),
      "version 2 with additions": v2(0x21, 0x11, Buffer.concat([four, Buffer.alloc(200)])),
      "version 2, a check": v2(0x20, 0, Buffer.alloc(0)),
      "version 2, another family": v2(0x21, 0x31, Buffer.alloc(216)),
    };
    for (const [what, head] of Object.entries(good)) {
      test(what, async () => {
        const bytes = Buffer.concat([Buffer.from(head), Buffer.from(request)]);
        for (const pieces of [[bytes], [...bytes].map((byte) => Buffer.from([byte]))]) {
          const socket = await RawSocket.connect(stage.system.port);
          for (const piece of pieces) {
            socket.write(piece);
            if (pieces.length > 1) await new Promise(setImmediate);
          }
          assert.equal((await socket.response()).code, 200, what);
          socket.destroy();
        }
      });
    }

    const bad = {
      "none at all": request,
      "a lower case word": "proxy TCP4 192.0.2.7 127.0.0.1 1 80\r\n",
      "no address": "PROXY TCP4 x 127.0.0.1 1 80\r\n",
      "no family": "PROXY \r\n",
      "an endless line": `PROXY TCP4 ${"1".repeat(200)}`,
      "a line that ends badly": "PROXY TCP4 192.0.2.7 127.0.0.1 1 80\n",
      "version 2 of a false length": v2(0x21, 0x11, Buffer.alloc(4)),
      "version 2, far too long": Buffer.concat([signature, Buffer.from([0x21, 0x11, 255, 255])]),
      "version 3": v2(0x31, 0x11, four),
    };
    for (const [what, head] of Object.entries(bad)) {
      test(`${what} ends the connection`, async () => {
        const socket = await RawSocket.connect(stage.system.port);
        socket.write(head);
        await socket.ended(4000);
        assert.equal(socket.bytes.length, 0);
        socket.destroy();
      });
    }

    test("silence ends it, too, and it is counted", async () => {
      const socket = await RawSocket.connect(stage.system.port);
      socket.write("PROXY TCP4 ");
      await socket.ended();
      socket.destroy();
      await eventually(async () => {
        const { stats } = await stage.system.child("g1");
        return counted(stats, "bad_proxy") >= Object.keys(bad).length + 1;
      }, "the counter");
    });

    test("limits are the client's", async () => {
      const body = '{"pollID":"ZZZZZZ","name":"Eve"}';
      const codes = [];
      for (let i = 0; i <= CODES; i++) {
        const socket = await RawSocket.connect(stage.system.port);
        socket.write(
          "PROXY TCP4 203.0.113.9 127.0.0.1 1 80\r\nPOST /polls/join HTTP/1.1\r\nHost: a\r\n" +
            `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        codes.push((await socket.response()).code);
        socket.destroy();
      }
      assert.deepEqual(codes, [...Array(CODES).fill(404), 429]);
    });
  });
});
