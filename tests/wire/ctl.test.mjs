// SPDX-License-Identifier: MIT
// rollcallctl and the ways in which a start can fail: what scripts and people rely on.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { decode, zmq } from "../clients/support/packages.mjs";
import { Player } from "../clients/support/player.mjs";
import { call, create } from "../clients/support/rest.mjs";
import {
  MODULE,
  System,
  binary,
  cleanEnvironment,
  freePort,
  isAlive,
  temporaryFolder,
} from "../clients/support/system.mjs";
import { deadline, eventually, once } from "../clients/support/wait.mjs";

// Runs a program to its end: {code, out, err}.
function run(program, words, env, folder) {
  const ended = new Promise((resolve) => {
    execFile(binary(program), words, { env, cwd: folder }, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err }),
    );
  });
  return deadline(ended, `${program} ${words.join(" ")}`, 60_000);
}

describe("rollcallctl", () => {
  let system;
  let env;
  before(async () => {
    system = await System.start({ gateways: 2, actors: 2 });
    env = cleanEnvironment(system.dir, { ROLLCALL_STATE_DIR: system.state });
  });
  after(() => system?.end());
  const ctl = (...words) => run("rollcallctl", words, env, system.dir);

  test("status --json has what scripts rely on", async () => {
    const { code, out } = await ctl("status", "--json");
    assert.equal(code, 0);
    const { children } = JSON.parse(out);
    assert.deepEqual(children.map(({ name, role }) => `${name} ${role}`).sort(), [
      "a1 actors",
      "a2 actors",
      "g1 gateway",
      "g2 gateway",
      "redis redis",
    ]);
    for (const child of children) {
      assert.equal(child.state, "ready");
      assert.equal(child.restarts, 0);
      assert.ok(isAlive(child.pid));
      assert.ok(child.ready_ms >= 0 && child.ready_ms < 60_000, JSON.stringify(child));
      assert.equal(typeof child.endpoint, "string");
    }
    const found = await run(
      "rollcallctl",
      ["--state-dir", system.state, "status", "--json"],
      cleanEnvironment(system.dir),
      system.dir,
    );
    assert.equal(JSON.parse(found.out).children.length, 5);
  });

  test("the ready line, once, and nothing else on stdout", () => {
    assert.equal(system.readyLine, `Rollcall is ready: http://127.0.0.1:${system.port}`);
  });

  test("send: an event to a real process, and its answer", async () => {
    const { poll } = await create(system.url, { name: "Ada" });
    const answers = [];
    for (const name of ["a1", "a2"]) {
      const event = JSON.stringify({ type: "READ", poll: poll.id, req: 7 });
      const { code, out } = await ctl("--json", "send", name, event);
      assert.equal(code, 0, out);
      answers.push(
        ...out
          .trim()
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
      );
    }
    const replies = answers.filter(({ type, req }) => type === "REPLY" && req === 7);
    assert.ok(
      replies.some(({ code, data }) => code === "ok" && data.document.id === poll.id),
      JSON.stringify(answers),
    );
  });

  test("tap shows each update of a poll", async () => {
    const { poll, accessToken } = await create(system.url, { name: "Ada" });
    const words = ["--json", "--count", "1", "tap"];
    const tap = spawn(binary("rollcallctl"), words, { env, stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    tap.stdout.on("data", (data) => {
      out += data;
    });
    // A SUB socket says to nobody that it is there: so until it has seen something, things happen.
    await eventually(async () => {
      const ada = new Player(system.url, accessToken);
      await ada.joined();
      ada.leave();
      return out.includes("\n");
    }, "an update on the tap");
    const { type, poll: about, patch } = JSON.parse(out.split("\n")[0]);
    assert.equal(type, "POLL_UPDATED");
    assert.equal(about, poll.id);
    assert.ok(patch.version > 1);
    tap.kill();
  });

  test("restart of each child: another process, only a gateway's sockets notice", async () => {
    const { accessToken } = await create(system.url, { name: "Ada" });
    const ada = new Player(system.url, accessToken, { reconnection: true });
    await ada.joined();
    const before = await system.pids();
    for (const name of ["a1", "a2", "redis"]) {
      assert.equal((await ctl("restart", name)).code, 0);
    }
    assert.deepEqual(ada.disconnects, []);
    for (const name of ["g1", "g2"]) assert.equal((await ctl("restart", name)).code, 0);
    const now = await system.pids();
    for (const [name, pid] of Object.entries(before)) assert.notEqual(now[name], pid, name);
    await ada.when((me) => me.disconnects.length > 0 && me.live, "return");
    assert.deepEqual(ada.violations, []);
    ada.leave();
  });

  test("kill, and every change of state is an event", async () => {
    const subscriber = new zmq.Subscriber();
    subscriber.subscribe("");
    subscriber.connect(`ipc://${path.join(system.state, "run/events.sock")}`);
    const seen = [];
    (async () => {
      for await (const [name, event] of subscriber) seen.push([String(name), decode(event)[2]]);
    })().catch(() => {});
    await eventually(async () => {
      const child = await system.child("a2");
      assert.equal((await ctl("kill", "a2")).code, 0);
      await system.whole(child);
      return seen.some(([name, { to }]) => name === "a2" && to === "ready");
    }, "events of a kill");
    subscriber.close();
    const { restarts } = await system.child("a2");
    assert.ok(restarts >= 1);
  });

  test("stop and start of one child", async () => {
    assert.equal((await ctl("stop", "g2")).code, 0);
    assert.equal((await system.child("g2")).state, "down");
    assert.equal((await call(system.url, "GET", "/healthz")).status, 200);
    assert.equal((await ctl("start", "g2")).code, 0);
    assert.equal((await system.child("g2")).state, "ready");
  });

  test("wrong use is 100, nobody there is 111, each with a line", async () => {
    for (const words of [[], ["dance"], ["--nope"], ["kill"], ["send", "a1", "{"]]) {
      const { code, err } = await ctl(...words);
      assert.equal(code, 100, `${words}: ${err}`);
      assert.ok(err.trim(), `${words}`);
    }
    const unknown = await ctl("kill", "z9");
    assert.notEqual(unknown.code, 0);
    assert.ok(unknown.err.trim());
    const nowhere = await run(
      "rollcallctl",
      ["--state-dir", system.dir, "--timeout-ms", "500", "status"],
      cleanEnvironment(system.dir),
      system.dir,
    );
    assert.equal(nowhere.code, 111, nowhere.err);
  });

  test("a second start in the same place is refused and disturbs nothing", async () => {
    const before = await system.pids();
    const port = String(system.port + 1);
    const second = await run("rollcall", [], { ...env, PORT: port }, system.dir);
    assert.ok([100, 111].includes(second.code), `${second.code} ${second.err}`);
    assert.match(second.err.trim().split("\n").at(-1), /\S/);
    assert.deepEqual(await system.pids(), before);
  });
});

describe("a start that can not be", () => {
  const attempts = {
    "a port in use": async (folder, env) => {
      const server = net.createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const { port } = server.address();
      const end = await run("rollcall", [], { ...env, PORT: String(port) }, folder);
      server.close();
      return end;
    },
    "a module that is not there": (folder, env) =>
      run("rollcall", [], { ...env, ROLLCALL_REDIS_MODULE: "/nowhere/rejson.so" }, folder),
    "no redis-server": (folder, env) =>
      run("rollcall", [], { ...env, ROLLCALL_REDIS_SERVER: "/nowhere/redis-server" }, folder),
    "a port that is no number": (folder, env) =>
      run("rollcall", [], { ...env, PORT: "eighty" }, folder),
    "a store's url that is none": (folder, env) =>
      run("rollcall", [], { ...env, ROLLCALL_REDIS_URL: "http://localhost:6379" }, folder),
    "a file of settings that is not there": (folder, env) =>
      run("rollcall", ["--config", "/nowhere/rollcall.conf"], env, folder),
    "a state directory that is a file": (folder, env) => {
      const file = path.join(folder, "file");
      fs.writeFileSync(file, "");
      return run("rollcall", [], { ...env, ROLLCALL_STATE_DIR: file }, folder);
    },
    "a store of one's own that has no JSON": async (folder, env) => {
      const socket = path.join(folder, "r.sock");
      const redis = spawn("redis-server", ["--port", "0", "--unixsocket", socket, "--save", ""], {
        cwd: folder,
        stdio: "ignore",
      });
      await eventually(() => fs.existsSync(socket), "a Redis without JSON");
      const url = { ROLLCALL_REDIS_URL: `unix:${socket}` };
      const end = await run("rollcall", [], { ...env, ...url }, folder);
      redis.kill();
      await once(redis, "exit");
      return end;
    },
  };
  for (const [what, attempt] of Object.entries(attempts)) {
    test(`${what}: one clear line, nothing left running`, async () => {
      const folder = temporaryFolder();
      try {
        const env = cleanEnvironment(folder, {
          HOST: "127.0.0.1",
          PORT: String(await freePort()),
          ROLLCALL_STATE_DIR: path.join(folder, "s"),
          ROLLCALL_REDIS_MODULE: MODULE,
        });
        const { code, out, err } = await attempt(folder, env);
        assert.ok([100, 111, 125].includes(code), `${code}: ${err}`);
        assert.equal(out, "");
        const lines = err.trim().split("\n");
        assert.match(lines.at(-1), /^rollcall: \S.{10,}/, err);
        const left = fs.readdirSync("/proc").filter((pid) => {
          try {
            return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
          } catch {
            return false;
          }
        });
        assert.deepEqual(left, []);
      } finally {
        fs.rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
