// SPDX-License-Identifier: MIT
// Bytes on a socket: HTTP and WebSocket without a library in between.
import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import { onEnd } from "./cleanup.mjs";
import { PATIENCE_MS, deadline } from "./wait.mjs";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export class RawSocket {
  static async connect(port, host = "127.0.0.1") {
    const self = RawSocket.over(
      net.connect({ port, host, noDelay: true, allowHalfOpen: true }),
    );
    await deadline(
      new Promise((resolve, reject) => {
        self.socket.once("connect", resolve);
        self.socket.once("error", reject);
      }),
      "a connection",
    );
    return self;
  }

  // Around a socket of another kind, one with TLS for instance.
  static over(socket) {
    const self = new RawSocket();
    self.bytes = Buffer.alloc(0);
    self.received = 0;
    self.listeners = new Set();
    self.over = false;
    self.socket = socket;
    self.socket.on("data", (data) => {
      self.received += data.length;
      self.bytes = Buffer.concat([self.bytes, data]);
      self.#tell();
    });
    const ended = () => {
      self.over = true;
      self.#tell();
    };
    self.socket.on("end", ended);
    self.socket.on("close", ended);
    onEnd(() => self.socket.destroy());
    self.socket.on("error", (error) => {
      self.error = error;
      ended();
    });
    return self;
  }

  #tell() {
    for (const listener of [...this.listeners]) listener();
  }

  write(data) {
    if (!this.socket.destroyed) this.socket.write(data);
  }

  // The first result of `parse(bytes)` that is not null; [value, consumed].
  read(parse, what, ms = PATIENCE_MS) {
    let listener;
    const got = new Promise((resolve, reject) => {
      listener = () => {
        const result = parse(this.bytes);
        if (result) {
          // At once: the next piece may come before anybody hears of this one.
          this.listeners.delete(listener);
          this.bytes = this.bytes.subarray(result[1]);
          resolve(result[0]);
        } else if (this.over) {
          reject(new Error(`the end, but no ${what}: ${this.bytes.toString("latin1")}`));
        }
      };
      this.listeners.add(listener);
      listener();
    });
    return deadline(got, what, ms).finally(() => this.listeners.delete(listener));
  }

  // Resolves when the other side has closed, with all that came before.
  ended(ms = PATIENCE_MS) {
    let listener;
    const over = new Promise((resolve) => {
      listener = () => this.over && resolve(this.bytes);
      this.listeners.add(listener);
      listener();
    });
    return deadline(over, `the end (have ${this.bytes.toString("latin1")})`, ms).finally(() =>
      this.listeners.delete(listener),
    );
  }

  // One HTTP response with Content-Length, or up to the end.
  async response(ms) {
    const head = await this.read(
      (bytes) => {
        const end = bytes.indexOf("\r\n\r\n");
        return end < 0 ? null : [bytes.toString("latin1", 0, end), end + 4];
      },
      "a response's head",
      ms,
    );
    const [status, ...lines] = head.split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const code = Number(status.split(" ")[1]);
    let body = "";
    if (code !== 101 && code !== 204 && code !== 304) {
      const length = headers["content-length"];
      body =
        length === undefined
          ? (await this.ended(ms)).toString()
          : await this.read(
              (bytes) =>
                bytes.length >= Number(length)
                  ? [bytes.toString("utf8", 0, Number(length)), Number(length)]
                  : null,
              "a body",
              ms,
            );
    }
    return { status, code, headers, body, head };
  }

  destroy() {
    this.socket.destroy();
  }
}

// A frame as a client sends it. Everything about it can be made wrong.
export function clientFrame(
  payload,
  { opcode = 1, fin = true, rsv = 0, masked = true, length } = {},
) {
  const data = Buffer.from(payload);
  const size = length ?? data.length;
  const mask = masked ? 0x80 : 0;
  let head;
  if (size < 126) {
    head = Buffer.from([0, mask | size]);
  } else if (size < 65536) {
    head = Buffer.from([0, mask | 126, size >> 8, size & 255]);
  } else {
    head = Buffer.alloc(10);
    head[1] = mask | 127;
    head.writeBigUInt64BE(BigInt(size), 2);
  }
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  if (!masked) return Buffer.concat([head, data]);
  const key = randomBytes(4);
  return Buffer.concat([head, key, data.map((byte, i) => byte ^ key[i & 3])]);
}

function serverFrame(bytes) {
  if (bytes.length < 2) return null;
  let size = bytes[1] & 0x7f;
  let at = 2;
  if (size === 126) {
    if (bytes.length < 4) return null;
    size = bytes.readUInt16BE(2);
    at = 4;
  } else if (size === 127) {
    if (bytes.length < 10) return null;
    size = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (bytes.length < at + size) return null;
  const frame = {
    fin: bytes[0] >> 7,
    rsv: (bytes[0] >> 4) & 7,
    opcode: bytes[0] & 15,
    masked: bytes[1] >> 7,
    payload: bytes.subarray(at, at + size),
    raw: bytes.subarray(0, at + size),
  };
  return [frame, at + size];
}

export class RawWebSocket extends RawSocket {
  static async open(port, options) {
    return RawWebSocket.upgrade(await RawSocket.connect(port), port, options);
  }

  // Upgrades a connected RawSocket.
  static async upgrade(
    self,
    port,
    { path = "/socket.io/?EIO=4&transport=websocket", headers = {} } = {},
  ) {
    Object.setPrototypeOf(self, RawWebSocket.prototype);
    self.key = randomBytes(16).toString("base64");
    const lines = Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
    self.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n` +
        `Connection: Upgrade\r\nSec-WebSocket-Key: ${self.key}\r\nSec-WebSocket-Version: 13\r\n` +
        `${lines}\r\n`,
    );
    self.upgrade = await self.response();
    self.accept = createHash("sha1")
      .update(self.key + GUID)
      .digest("base64");
    return self;
  }

  // Up to the open packet; then a CONNECT with this auth.
  static async join(port, auth, options) {
    const self = await RawWebSocket.open(port, options);
    self.open = await self.text();
    self.say(`40/polls,${JSON.stringify(auth)}`);
    return self;
  }

  say(payload, options) {
    this.write(clientFrame(payload, options));
  }

  frame(ms) {
    return this.read(serverFrame, "a frame", ms);
  }

  // The next whole text message; fragments are put together.
  async text(ms) {
    const pieces = [];
    for (;;) {
      const frame = await this.frame(ms);
      if (frame.opcode === 8) {
        const code = frame.payload.length >= 2 ? frame.payload.readUInt16BE() : 1005;
        throw new Error(`closed with ${code} ${frame.payload.subarray(2)}`);
      }
      if (frame.opcode === 9) this.write(clientFrame(frame.payload, { opcode: 10 }));
      if (frame.opcode > 2) continue;
      pieces.push(frame.payload);
      if (frame.fin) return Buffer.concat(pieces).toString();
    }
  }

  // Resolves to the close code once the connection has ended, 1006 if there was no close frame. A
  // close frame is answered, as a good client does.
  async closed(ms) {
    for (;;) {
      let frame;
      try {
        frame = await this.frame(ms);
      } catch (error) {
        if (!this.over) throw error;
        return 1006;
      }
      if (frame.opcode !== 8) continue;
      this.write(clientFrame(frame.payload, { opcode: 8 }));
      await this.ended(ms);
      return frame.payload.length >= 2 ? frame.payload.readUInt16BE() : 1005;
    }
  }
}
