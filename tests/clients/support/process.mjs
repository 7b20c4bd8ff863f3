// SPDX-License-Identifier: MIT
// Single processes without a supervisor: the test stands in for it. A real Redis, a real
// rollcall-actors, a real rollcall-gateway, each told by its environment what a supervisor would
// tell.
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { closeAll } from "./cleanup.mjs";
import { Listener, incarnation } from "./link.mjs";
import { Redis, addressOf } from "./resp.mjs";
import { MODULE, binary, cleanEnvironment, sanitizerReports, temporaryFolder } from "./system.mjs";
import { deadline, eventually } from "./wait.mjs";

const USER =
  "user poll on >s3cret resetkeys resetchannels ~polls:* ~own:{polls:*} ~probe:* ~roster " +
  "-@all +json.get +json.set +json.merge +json.del +get +set +exists +unlink +pexpireat +pttl " +
  "+time +eval +evalsha +script|load +ping +auth +info +role +module|list +client|setname";

// A folder of one test and the processes in it.
export class Stage {
  constructor() {
    this.dir = temporaryFolder();
    this.children = [];
    this.closing = [];
  }

  path(name) {
    return path.join(this.dir, name);
  }

  spawn(program, args, env, stdio = []) {
    const child = spawn(program, args, {
      cwd: this.dir,
      env: cleanEnvironment(this.dir, env),
      stdio: ["ignore", "pipe", "pipe", ...stdio],
    });
    child.log = "";
    const take = (data) => {
      child.log += data;
      if (process.env.TEST_VERBOSE) process.stderr.write(data);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.over = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
      child.once("error", (error) => resolve({ error }));
    });
    this.children.push(child);
    return child;
  }

  async end(child, signal = "SIGKILL") {
    child.kill(signal);
    return deadline(child.over, `the end of ${child.spawnfile}\n${child.log}`);
  }

  async dispose() {
    closeAll();
    for (const close of this.closing.reverse()) close();
    for (const child of this.children) child.kill("SIGKILL");
    await Promise.all(this.children.map((child) => child.over));
    const reports = sanitizerReports(this.dir);
    fs.rmSync(this.dir, { recursive: true, force: true });
    if (reports.length) throw new Error(`sanitizers say:\n${reports.join("\n")}`);
  }
}

export class Store {
  static async start(stage) {
    const self = new Store();
    self.stage = stage;
    self.socket = stage.path("redis.sock");
    self.url = `unix:${self.socket}?user=poll&pass=s3cret`;
    fs.mkdirSync(stage.path("data"));
    fs.writeFileSync(stage.path("users.acl"), `user default on nopass +@all ~*\n${USER}\n`);
    await self.launch();
    return self;
  }

  async launch() {
    const { stage } = this;
    const module = MODULE;
    this.child = stage.spawn("redis-server", [
      "--port",
      "0",
      "--unixsocket",
      this.socket,
      "--dir",
      stage.path("data"),
      "--loadmodule",
      module,
      "--appendonly",
      "yes",
      "--appendfsync",
      "always",
      "--save",
      "",
      "--aclfile",
      stage.path("users.acl"),
    ]);
    this.redis = await eventually(async () => {
      const redis = await Redis.connect(addressOf(this.url));
      await redis.call("PING");
      return redis;
    }, "Redis to answer");
    stage.closing.push(() => this.redis.close());
  }
}

// The supervisor that a child believes in.
export class Parent {
  static async start(stage) {
    const self = new Parent();
    self.stage = stage;
    self.generation = Date.now();
    self.actors = new Map();
    self.gateways = new Map();
    self.endpoint = `ipc://${stage.path("supervisor.sock")}`;
    self.listener = await Listener.bind(self.endpoint, { role: "supervisor", name: "supervisor" });
    stage.closing.push(() => self.listener.close());
    // As a supervisor does: a child that greets again is told again.
    self.listener.onGreeting = (link) => self.tell(link).catch(() => {});
    return self;
  }

  // Starts a child and waits for its READY, whose body is `ready`.
  async launch(program, role, name, env = {}, stdio = []) {
    const inc = incarnation();
    const child = this.stage.spawn(
      binary(program),
      [],
      {
        ROLLCALL_CHILD: name,
        ROLLCALL_INCARNATION: inc,
        ROLLCALL_SUPERVISOR: this.endpoint,
        ROLLCALL_RUN_DIR: this.stage.dir,
        ROLLCALL_STATE_DIR: this.stage.dir,
        ...env,
      },
      stdio,
    );
    child.name = name;
    child.inc = inc;
    child.slot = Number(name.slice(1));
    const failed = child.over.then((end) => {
      throw new Error(`${name} ended (${JSON.stringify(end)}) before it was ready\n${child.log}`);
    });
    failed.catch(() => {});
    child.link = await Promise.race([failed, this.#greeted(role, name)]);
    child.ready = (await Promise.race([failed, child.link.next("READY")])).body;
    child.endpoint = child.ready.endpoint;
    const list = role === "actors" ? this.actors : this.gateways;
    list.set(child.slot, { inc, endpoint: child.endpoint });
    return child;
  }

  async #greeted(role, name) {
    for (;;) {
      const link = await this.listener.greeted(`the greeting of ${name}`);
      if (link.greeting.role === role && link.greeting.name === name) return link;
    }
  }

  // Tells all children a new roster.
  async roster() {
    this.generation = Math.max(this.generation + 1, Date.now());
    for (const link of this.listener.peers.values()) if (link.open) await this.tell(link);
  }

  tell(link) {
    const actors = [...this.actors].map(([slot, { inc, endpoint, up = "up" }]) => [
      slot,
      inc,
      endpoint,
      up,
    ]);
    const gateways = [...this.gateways].map(([slot, { inc, endpoint }]) => [slot, inc, endpoint]);
    const body = { generation: this.generation, actors, gateways, quarantined: [] };
    return link.send(["ROSTER", "", body]);
  }

  startActors(store, name = "a1", env = {}) {
    return this.launch("rollcall-actors", "actors", name, { ROLLCALL_STORE: store.url, ...env });
  }

  // A gateway on a listening socket that we made, as the supervisor does.
  async startGateway({ name = "g1", secret = "gateway test secret", env = {} } = {}) {
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address();
    const secretFile = this.stage.path(`secret-${name}`);
    fs.writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 });
    // Ours is closed as soon as the child has its copy.
    const launched = this.launch(
      "rollcall-gateway",
      "gateway",
      name,
      {
        ROLLCALL_LISTEN_FD: "3",
        ROLLCALL_SECRET_FILE: secretFile,
        PORT: String(port),
        ...env,
      },
      [server._handle.fd],
    );
    server.close();
    const child = await launched;
    child.port = port;
    child.url = `http://127.0.0.1:${port}`;
    child.secret = secret;
    return child;
  }
}
