// SPDX-License-Identifier: MIT
// python-socketio behind the face of a socket.io-client: what a Player needs of `io`.
import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

const folder = path.dirname(new URL(import.meta.url).pathname);
const root = path.resolve(folder, "../../..");

// ops/test makes it.
const own = path.join(root, "build/python/bin/python");
const PYTHON = process.env.ROLLCALL_TEST_PYTHON ?? own;

class PythonSocket {
  constructor(program, id) {
    this.program = program;
    this.id = id;
    this.heard = new EventEmitter();
    this.acks = new Map();
    this.connected = false;
    // As far as the tests look into one of socket.io-client's.
    this.io = { engine: { id: undefined, transport: { name: undefined } } };
  }

  on(event, listener) {
    this.heard.on(event, listener);
  }

  emit(event, ...args) {
    const ack = typeof args.at(-1) === "function" ? ++this.program.acks : undefined;
    if (ack) this.acks.set(ack, args.pop());
    this.program.tell({ op: "emit", id: this.id, event, args, ack });
  }

  disconnect() {
    this.program.tell({ op: "close", id: this.id });
  }

  take({ event, args = [], ack, live, sid, transport, reason }) {
    if (ack !== undefined) {
      this.acks.get(ack)(...args);
      this.acks.delete(ack);
    } else if (live === undefined) {
      this.heard.emit(event, ...args);
    } else {
      this.connected = live;
      if (live) this.io.engine = { id: sid, transport: { name: transport } };
      this.heard.emit(live ? "connect" : "disconnect", reason);
    }
  }
}

// One process for all clients; `io` makes one.
export class Python {
  constructor() {
    if (!fs.existsSync(PYTHON)) throw new Error(`no ${PYTHON}: ops/test makes it`);
    this.sockets = new Map();
    this.acks = 0;
    this.child = spawn(PYTHON, ["-I", path.join(folder, "../python/players.py")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.child.stdin.on("error", () => {}); // it ended: what waits for it says so
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      const news = JSON.parse(line);
      this.sockets.get(news.id).take(news);
    });
    this.io = (url, { transports, auth, reconnection, agent }) => {
      const id = this.sockets.size;
      const socket = new PythonSocket(this, id);
      this.sockets.set(id, socket);
      const base = new URL(url).origin;
      const order = { url: base, transports: transports ?? null, auth, reconnection };
      this.tell({ op: "open", id, ...order, fresh: agent !== undefined });
      return socket;
    };
  }

  tell(order) {
    this.child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  end() {
    this.child.kill("SIGKILL");
  }
}
