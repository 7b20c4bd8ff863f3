// SPDX-License-Identifier: MIT
// A whole real Rollcall of one test: own port, own state directory, real Redis with RedisJSON.
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { closeAll } from "./cleanup.mjs";
import { Redis, addressOf } from "./resp.mjs";
import { deadline, eventually } from "./wait.mjs";

const run = promisify(execFile);
const root = path.resolve(
  import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname),
  "../../..",
);
const START_MS = 60_000;

export const MODULE = process.env.ROLLCALL_REDIS_MODULE ?? path.join(root, "vendor/rejson.so");
export const SANITIZED = process.env.ROLLCALL_SANITIZED === "1";

export function binary(name) {
  const folder = process.env.ROLLCALL_BIN_DIR;
  if (!folder) throw new Error("ROLLCALL_BIN_DIR does not say where the programs are");
  return path.join(folder, name);
}

// A free port of the loopback, for those who can not be told 0.
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// A new folder with a short path (an ipc endpoint's path has at most 107 bytes).
export function temporaryFolder() {
  return fs.mkdtempSync(path.join(os.tmpdir(), "rc"));
}

// Environment without anything that would reach Rollcall from outside, sanitizers' reports in
// `folder`.
export function cleanEnvironment(folder, more = {}) {
  const names = /^(ROLLCALL_|REDIS_|PORT$|CLIENT_PORT$|HOST$|POLL_DURATION$|JWT_SECRET$)/;
  const kept = Object.entries(process.env).filter(([name]) => !names.test(name));
  const log = `log_path=${path.join(folder, "sanitizer")}`;
  return {
    ...Object.fromEntries(kept),
    ASAN_OPTIONS: `${log}:detect_leaks=1:exitcode=99`,
    UBSAN_OPTIONS: `${log}:print_stacktrace=1`,
    ...more,
  };
}

// What sanitizers wrote into `folder`.
export function sanitizerReports(folder) {
  return fs
    .readdirSync(folder)
    .filter((name) => name.startsWith("sanitizer."))
    .map((name) => fs.readFileSync(path.join(folder, name), "utf8"));
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^\d+ \(.*\) Z/.test(stat);
  } catch {
    return false;
  }
}

// An environment variable of another process of ours.
export function environmentOf(pid, name) {
  const all = fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  return all.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

// The sum of all counters of this name anywhere in a status.
export function counted(value, name) {
  if (value === null || typeof value !== "object") return 0;
  return Object.entries(value).reduce(
    (sum, [key, inner]) =>
      sum + (key === name && typeof inner === "number" ? inner : counted(inner, name)),
    0,
  );
}

export class System {
  // Settings: gateways, actors, write ("direct", "orthodox"), env {…}, dir (an existing state
  // folder).
  static async start(settings = {}) {
    const self = new System();
    self.dir = settings.dir ?? temporaryFolder();
    self.state = path.join(self.dir, "s");
    self.port = settings.port ?? (await freePort());
    self.url = `http://127.0.0.1:${self.port}`;
    self.settings = settings;
    self.log = "";
    await self.launch();
    return self;
  }

  #environment() {
    const { gateways = 1, actors = 1, write = process.env.TEST_WRITE, env = {} } = this.settings;
    return cleanEnvironment(this.dir, {
      HOST: "127.0.0.1",
      PORT: String(this.port),
      ROLLCALL_STATE_DIR: this.state,
      ROLLCALL_REDIS_MODULE: MODULE,
      ROLLCALL_GATEWAYS: String(gateways),
      ROLLCALL_ACTORS: String(actors),
      ...(write ? { ROLLCALL_GATEWAY_WRITE: write } : {}),
      ...env,
    });
  }

  // Starts the program and waits for its line.
  async launch() {
    this.main = spawn(binary("rollcall"), [], {
      env: this.#environment(),
      cwd: this.dir,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.exited = new Promise((resolve) => {
      this.main.once("exit", (code, signal) => resolve({ code, signal }));
    });
    this.main.stderr.on("data", (data) => {
      this.log += data;
      if (process.env.TEST_VERBOSE) process.stderr.write(data);
    });
    let out = "";
    const ready = new Promise((resolve, reject) => {
      this.main.stdout.on("data", (data) => {
        out += data;
        if (/^Rollcall is ready: https?:\/\/\S+$/m.test(out)) resolve();
      });
      this.exited.then(({ code, signal }) =>
        reject(new Error(`rollcall ended (${code ?? signal}) before it was ready:\n${this.log}`)),
      );
      this.main.once("error", reject);
    });
    try {
      await deadline(ready, "the ready line", START_MS);
    } catch (error) {
      this.main.kill("SIGKILL");
      throw new Error(`${error.message}\n${this.log}`);
    }
    this.readyLine = out.trim();
  }

  async ctl(...words) {
    const env = this.#environment();
    const { stdout } = await run(binary("rollcallctl"), words, { env, cwd: this.dir });
    return stdout;
  }

  async status() {
    return JSON.parse(await this.ctl("status", "--json"));
  }

  // One child of the status, by name or role.
  async child(which) {
    const { children } = await this.status();
    const found = children.find(({ name, role }) => name === which || role === which);
    if (!found) throw new Error(`no child ${which} in ${JSON.stringify(children)}`);
    return found;
  }

  async gateways() {
    return (await this.status()).children.filter(({ role }) => role === "gateway");
  }

  // A counter that gateways keep of their neighbours, summed over all of them.
  async neighbours(name) {
    return counted(
      (await this.gateways()).map(({ stats }) => stats.neighbours),
      name,
    );
  }

  async pids() {
    const { children } = await this.status();
    return Object.fromEntries(children.map(({ name, pid }) => [name, pid]));
  }

  // kill -9 of a child; resolves when it is dead. The result is what status said of it.
  async killChild(which, signal = "SIGKILL") {
    const child = await this.child(which);
    process.kill(child.pid, signal);
    await eventually(() => !isAlive(child.pid), `the end of ${which}`);
    return child;
  }

  // Waits until a child has another process than `before` and says that it is ready.
  whole(before, ms) {
    return eventually(
      async () => {
        const child = await this.child(before.name);
        return child.pid !== before.pid && child.state.toLowerCase() === "ready" && child;
      },
      `${before.name} ready again`,
      ms,
    );
  }

  // Where the actors were told that their store is.
  async storeAddress() {
    const actors = (await this.status()).children.find(({ role }) => role === "actors");
    return addressOf(environmentOf(actors.pid, "ROLLCALL_STORE"));
  }

  async redis() {
    return Redis.connect(await this.storeAddress());
  }

  // Ends it as Ctrl-C does and checks that it ended well: code 0, no child left, no sanitizer's
  // report.
  async stop() {
    const pids = Object.values(await this.pids());
    this.main.kill("SIGINT");
    const { code, signal } = await deadline(
      this.exited,
      `the end of rollcall\n${this.log}`,
      START_MS,
    );
    await eventually(() => !pids.some(isAlive), "the end of all children");
    this.assertClean();
    if (code !== 0) throw new Error(`rollcall ended with ${code ?? signal}\n${this.log}`);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  // For the end of a test that may have failed: nothing is left running, whatever happened.
  async dispose() {
    closeAll();
    const pids = [];
    try {
      pids.push(...Object.values(await this.pids()));
    } catch {
      // It is gone, or never came up.
    }
    this.main.kill("SIGKILL");
    await this.exited;
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, "SIGKILL");
    for (const pid of this.strays()) process.kill(pid, "SIGKILL");
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  // For after() of a file's tests: a checked end, and whatever came of it, nothing left running.
  async end() {
    try {
      await this.stop();
    } finally {
      await this.dispose();
    }
  }

  // Processes that have to do with our state directory, by their environment or command line.
  strays() {
    return fs
      .readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => {
        try {
          const words = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8");
          return (
            words.includes(this.state) || environmentOf(pid, "ROLLCALL_STATE_DIR") === this.state
          );
        } catch {
          return false;
        }
      })
      .map(Number)
      .filter(isAlive);
  }

  assertClean() {
    const reports = sanitizerReports(this.dir);
    if (/ERROR: (Address|Leak)Sanitizer|runtime error:/.test(this.log)) reports.push(this.log);
    if (reports.length) throw new Error(`sanitizers say:\n${reports.join("\n")}`);
  }
}

// A system for the tests of one file: made before, checked and ended after all of them.
export async function withSystem(settings, body) {
  const system = await System.start(settings);
  try {
    await body(system);
    await system.stop();
  } catch (error) {
    try {
      system.assertClean();
    } catch (reports) {
      error.message += `\n${reports.message}`;
    }
    if (process.env.TEST_LOGS) error.message += `\n${system.log}`;
    throw error;
  } finally {
    await system.dispose();
  }
}
