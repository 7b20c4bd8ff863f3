// SPDX-License-Identifier: MIT
// A running sio_echo, and clients of Engine.IO that say exactly what a test wants said.
import { spawn } from "node:child_process";
import { closeAll, onEnd } from "./cleanup.mjs";
import { WebSocket } from "./packages.mjs";
import { binary, cleanEnvironment, sanitizerReports, temporaryFolder } from "./system.mjs";
import { deadline, eventually } from "./wait.mjs";

export const RS = "\x1e";

export class Echo {
  // Options as the program's: { "ping-interval-ms": 25000 }.
  static async start(options = {}) {
    const self = new Echo();
    self.dir = temporaryFolder();
    const args = Object.entries({ port: 0, ...options }).flatMap(([key, value]) => [
      `--${key}`,
      String(value),
    ]);
    self.child = spawn(binary("sio_echo"), args, {
      env: cleanEnvironment(self.dir),
      stdio: ["ignore", "pipe", "inherit"],
    });
    self.exited = new Promise((resolve) => {
      self.child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    let out = "";
    await deadline(
      new Promise((resolve, reject) => {
        self.child.stdout.on("data", (data) => {
          out += data;
          if (out.includes("\n")) resolve();
        });
        self.exited.then(() => reject(new Error("sio_echo ended")));
      }),
      "sio_echo",
    );
    self.port = Number(/:(\d+)\n/.exec(out)[1]);
    self.url = `http://127.0.0.1:${self.port}`;
    return self;
  }

  // Ends it, and fails if it did not end well.
  async stop() {
    closeAll();
    this.child.kill("SIGTERM");
    const { code, signal } = await deadline(this.exited, "the end of sio_echo");
    const reports = sanitizerReports(this.dir);
    if (code !== 0 || reports.length > 0) {
      throw new Error(`sio_echo ended with ${code ?? signal}\n${reports.join("\n")}`);
    }
  }

  async count() {
    return Number(await (await deadline(fetch(`${this.url}/parked`), "a count")).text());
  }

  // Sends GETs with `ask` and waits until the server has parked them. Resolves to { answer }, what
  // `ask` returned.
  async park(ask, count = 1) {
    const before = await this.count();
    const answer = ask();
    await eventually(async () => (await this.count()) >= before + count, "a parked GET");
    return { answer };
  }

  get pid() {
    return this.child.pid;
  }

  session(path) {
    return Polling.open(this.url, path);
  }

  socket(path, query) {
    return PacketSocket.open(this.url, path, query);
  }
}

// A client that polls when it is told to.
export class Polling {
  static async open(base, path = "/engine.io/", headers = {}) {
    const self = new Polling();
    self.base = base;
    self.path = path;
    const answer = await self.request("GET", undefined, { headers });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
    self.open = JSON.parse(answer.body.slice(1));
    self.sid = self.open.sid;
    self.pending = [];
    return self;
  }

  address(more = "") {
    const sid = this.sid ? `&sid=${this.sid}` : "";
    return `${this.base}${this.path}?EIO=4&transport=polling${sid}${more}`;
  }

  async request(method, body, { headers = {}, signal, query } = {}) {
    const answer = await deadline(
      fetch(this.address(query), { method, body, headers, signal }),
      `the answer to ${method} ${this.path}`,
    );
    return {
      status: answer.status,
      headers: answer.headers,
      body: await answer.text(),
    };
  }

  // "200 body" of a GET, of a POST.
  async get(options) {
    const { status, body } = await this.request("GET", undefined, options);
    return `${status} ${body}`;
  }

  async post(text, options) {
    const { status, body } = await this.request("POST", text, options);
    return `${status} ${body}`;
  }

  // The next packet, from as many GETs as it takes; pings are answered.
  async packet() {
    while (this.pending.length === 0) {
      const { status, body } = await this.request("GET");
      if (status !== 200) throw new Error(`${status} ${body}`);
      for (const packet of body.split(RS)) {
        if (packet === "2") await this.post("3");
        else this.pending.push(packet);
      }
    }
    return this.pending.shift();
  }

  // The text of the next message.
  async text() {
    return (await this.packet()).slice(1);
  }

  send(...messages) {
    return this.post(messages.map((message) => `4${message}`).join(RS));
  }
}

// A WebSocket that hands out what came, in order; Engine.IO's pings are answered if `pongs`.
export class PacketSocket {
  static async open(base, path = "/engine.io/", query = "", pongs = true) {
    const self = new PacketSocket();
    const address = `${base.replace("http", "ws")}${path}?EIO=4&transport=websocket${query}`;
    self.socket = new WebSocket(address, { perMessageDeflate: false });
    self.received = [];
    self.waiting = [];
    self.closed = new Promise((resolve) => {
      self.socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    self.socket.on("message", (data, isBinary) => {
      const text = isBinary ? data : data.toString();
      if (pongs && text === "2") self.socket.send("3");
      else self.#take(text);
    });
    self.socket.on("error", () => {});
    onEnd(() => self.socket.terminate());
    self.opened = new Promise((resolve, reject) => {
      self.socket.once("open", resolve);
      self.socket.once("error", reject);
    });
    self.opened.catch(() => {});
    await deadline(Promise.race([self.opened, self.closed]), "a WebSocket");
    return self;
  }

  #take(data) {
    const waiting = this.waiting.shift();
    if (waiting) waiting(data);
    else this.received.push(data);
  }

  // The next message: a text, or a Buffer.
  next(what = "a message") {
    if (this.received.length > 0) return Promise.resolve(this.received.shift());
    return deadline(new Promise((resolve) => this.waiting.push(resolve)), what);
  }

  send(data) {
    this.socket.send(data);
  }

  end() {
    return deadline(this.closed, "the end of a WebSocket");
  }

  close() {
    this.socket.close();
  }
}

// Milliseconds of processor time that a process has used.
export async function processorMs(pid) {
  const fs = await import("node:fs/promises");
  const stat = await fs.readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

// Bytes of memory that a process has.
export async function residentBytes(pid) {
  const fs = await import("node:fs/promises");
  const statm = await fs.readFile(`/proc/${pid}/statm`, "utf8");
  return Number(statm.split(" ")[1]) * 4096;
}

// Waits until a session is not known any more.
export function forgotten(polling) {
  return eventually(async () => {
    const answer = await polling.get();
    return answer === '400 {"code":1,"message":"Session ID unknown"}';
  }, "the session to be forgotten");
}
