// SPDX-License-Identifier: MIT
// A client of the native protocol without a library: each frame as it came, in both encodings. It
// keeps the document that it was shown and notes every breach of what a client may rely on.
import { onEnd } from "./cleanup.mjs";
import { WebSocket, decode, encode } from "./packages.mjs";
import { mergePatch } from "./patch.mjs";
import { claims } from "./rest.mjs";
import { deadline } from "./wait.mjs";

export const JSON_V1 = "rollcall.v1.json";
export const MSGPACK_V1 = "rollcall.v1.msgpack";
export const ENCODINGS = [JSON_V1, MSGPACK_V1];

export const wsUrl = (url) => `${url.replace(/^http/, "ws")}/ws`;

export class Native {
  // Resolves once the WebSocket is open; `asked`: a subprotocol, a list of them, or undefined.
  static async open(url, { asked = JSON_V1, ...options } = {}) {
    const self = new Native();
    self.frames = [];
    self.taken = 0;
    self.violations = [];
    self.document = null;
    self.ballot = null;
    self.listeners = new Set();
    self.ids = 0;
    self.ws = new WebSocket(wsUrl(url), asked ?? [], options);
    self.ws.binaryType = "nodebuffer";
    self.over = new Promise((resolve) => {
      self.ws.on("close", (code, reason) => {
        self.end = { code, reason: reason.toString() };
        resolve(self.end);
        self.#tell();
      });
    });
    self.ws.on("message", (data, binary) => self.#hear(data, binary));
    onEnd(() => self.ws.terminate());
    await deadline(
      new Promise((resolve, reject) => {
        self.ws.once("open", resolve);
        self.ws.once("error", reject);
        self.ws.once("unexpected-response", (_, response) =>
          reject(Object.assign(new Error(`${response.statusCode}`), response)),
        );
      }),
      "an open WebSocket",
    );
    self.ws.on("error", () => {});
    self.packed = self.ws.protocol === MSGPACK_V1;
    return self;
  }

  // Opens, joins and waits for `joined`; with a `rev`, as one who has that document.
  static async join(url, token, { document, ...options } = {}) {
    const self = await Native.open(url, options);
    self.id = claims(token).sub;
    self.name = claims(token).name;
    self.document = document ?? null;
    self.say({ event: "join", id: "j", data: { token, rev: document?.rev } });
    self.joined = await self.next("joined");
    return self;
  }

  #tell() {
    for (const listener of [...this.listeners]) listener();
  }

  #hear(data, binary) {
    if (binary !== this.packed) this.violations.push(`binary ${binary}`);
    const frame = binary ? decode(data) : JSON.parse(data.toString());
    frame.bytes = data.length;
    this.frames.push(frame);
    if (frame.event === "snapshot") {
      this.#show(frame.data.document);
      this.ballot = frame.data.ballot ?? this.ballot;
    } else if (frame.event === "patch") {
      const { from, to, patch } = frame.data;
      if (from !== this.document?.rev) {
        this.violations.push(`patch from ${from}, have ${this.document?.rev}`);
      }
      this.#show(mergePatch(this.document, patch));
      if (this.document.rev !== to) this.violations.push(`patch to ${to}: ${this.document.rev}`);
    } else if (frame.event === "ballot") {
      this.ballot = frame.data.ballot;
    }
    this.#tell();
  }

  #show(document) {
    if (this.document && document.version < this.document.version) {
      this.violations.push(`version ${this.document.version}, then ${document.version}`);
    }
    if (this.id && !Object.hasOwn(document.participants, this.id)) {
      this.violations.push(`not in version ${document.version}`);
    }
    this.document = document;
  }

  raw(data) {
    this.ws.send(data);
  }

  say(frame) {
    this.raw(this.packed ? encode(frame, { ignoreUndefined: true }) : JSON.stringify(frame));
  }

  // Resolves once `check(this)` gives something; that is the result.
  when(check, what, ms) {
    let listener;
    const met = new Promise((resolve, reject) => {
      listener = () => {
        const value = check(this);
        if (value) resolve(value);
        else if (this.end) reject(new Error(`closed ${this.end.code}, but no ${what}`));
      };
      this.listeners.add(listener);
      listener();
    });
    return deadline(met, what, ms).finally(() => this.listeners.delete(listener));
  }

  // The next frame of that event (and id) that was not taken yet.
  async next(event, id) {
    const found = await this.when(
      () => this.frames.find((one) => !one.taken && one.event === event && (!id || one.id === id)),
      event,
    );
    found.taken = true;
    return found;
  }

  // A request and its answer, `ack` or `error`.
  async ask(event, data, id = ++this.ids) {
    this.say({ event, id, data });
    const found = await this.when(
      () => this.frames.find((one) => !one.taken && one.id === id),
      `the answer to ${event}`,
    );
    found.taken = true;
    return found;
  }

  async saved(event, data) {
    const answer = await this.ask(event, data);
    if (answer.event !== "ack") throw new Error(`${event}: ${JSON.stringify(answer)}`);
    await this.reaches(answer.data.rev);
    return answer.data;
  }

  reaches(rev) {
    const version = Number(rev.split("-")[0]);
    return this.when(() => this.document?.version >= version, `version ${version}`);
  }

  sees(names) {
    const wanted = [...names].sort().join();
    return this.when(
      () =>
        this.document && Object.values(this.document.participants).sort().join() === wanted,
      `to see ${wanted}`,
    );
  }

  count(event) {
    return this.frames.filter((one) => one.event === event).length;
  }

  closed(ms) {
    return deadline(this.over, "the close", ms);
  }

  leave() {
    this.ws.close(1000);
    return this.closed();
  }

  // Gone without a word, as a train in a tunnel.
  lose() {
    this.ws.terminate();
    return this.closed();
  }
}
