// SPDX-License-Identifier: MIT
// A small client of Redis (RESP2), to look at documents behind the back of all of Rollcall.
import net from "node:net";
import { onEnd } from "./cleanup.mjs";
import { deadline } from "./wait.mjs";

// Reads one reply of `text` at `at`: [value, next] or null if it is not whole yet.
function parse(bytes, at) {
  const end = bytes.indexOf("\r\n", at);
  if (end < 0) return null;
  const line = bytes.toString("utf8", at + 1, end);
  const next = end + 2;
  switch (String.fromCharCode(bytes[at])) {
    case "+":
      return [line, next];
    case "-":
      return [new Error(line), next];
    case ":":
      return [Number(line), next];
    case "$": {
      const size = Number(line);
      if (size < 0) return [null, next];
      if (bytes.length < next + size + 2) return null;
      return [bytes.toString("utf8", next, next + size), next + size + 2];
    }
    case "*": {
      const items = [];
      let from = next;
      for (let left = Number(line); left > 0; left--) {
        const item = parse(bytes, from);
        if (!item) return null;
        items.push(item[0]);
        from = item[1];
      }
      return [items, from];
    }
    default:
      return [new Error(`not a reply: ${bytes.toString("utf8", at, at + 40)}`), bytes.length];
  }
}

// The parts of redis://user:pass@host:port or unix:PATH?user=USER&pass=PASSWORD.
export function addressOf(text) {
  const url = new URL(text);
  if (url.protocol === "unix:") {
    const { searchParams: words } = url;
    return {
      path: decodeURIComponent(url.pathname),
      user: words.get("user"),
      password: words.get("pass"),
    };
  }
  return {
    host: url.hostname,
    port: Number(url.port || 6379),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
}

export class Redis {
  static async connect({ path, host, port, user, password }) {
    const self = new Redis();
    self.waiting = [];
    self.bytes = Buffer.alloc(0);
    self.socket = net.connect(path ? { path } : { host, port });
    onEnd(() => self.socket.destroy());
    self.socket.on("data", (data) => self.#data(data));
    self.socket.on("error", (error) => self.#fail(error));
    self.socket.on("close", () => self.#fail(new Error("connection to Redis closed")));
    await deadline(
      new Promise((resolve, reject) => {
        self.socket.once("connect", resolve);
        self.socket.once("error", reject);
      }),
      "a connection to Redis",
    );
    if (password) await self.call("AUTH", ...(user ? [user] : []), password);
    return self;
  }

  #data(data) {
    this.bytes = Buffer.concat([this.bytes, data]);
    for (let reply; this.bytes.length && (reply = parse(this.bytes, 0));) {
      this.bytes = this.bytes.subarray(reply[1]);
      const { resolve, reject } = this.waiting.shift();
      if (reply[0] instanceof Error) reject(reply[0]);
      else resolve(reply[0]);
    }
  }

  #fail(error) {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  call(...words) {
    const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
    const reply = new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
    this.socket.write(`*${words.length}\r\n${parts.join("")}`);
    return deadline(reply, `Redis to answer ${words[0]}`);
  }

  async document(poll) {
    const text = await this.call("JSON.GET", `polls:${poll}`);
    return text === null ? null : JSON.parse(text);
  }

  close() {
    this.socket.destroy();
  }
}
