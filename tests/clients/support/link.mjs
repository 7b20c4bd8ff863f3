// SPDX-License-Identifier: MIT
// The link between two processes of Rollcall, written again from its description, so that a test
// can be a gateway, an actors process, a supervisor or a rollcallctl. Both ends over ZeroMQ; and
// raw parts, for those who want to be rude.
import { randomBytes } from "node:crypto";
import { onEnd } from "./cleanup.mjs";
import { decode, encode, zmq } from "./packages.mjs";
import { deadline } from "./wait.mjs";

export const TYPES = {
  HELLO: 1,
  WELCOME: 2,
  BEAT: 3,
  SYNC: 10,
  CONNECT: 11,
  DISCONNECT: 12,
  COMMAND: 13,
  CREATE: 14,
  READ: 15,
  RESYNC: 16,
  POLL_SNAPSHOT: 20,
  POLL_UPDATED: 21,
  CONNECTED: 22,
  REFUSED: 23,
  REPLY: 24,
  KICK: 25,
  POLL_ENDED: 26,
  MOVED: 27,
  EVENT_REFUSED: 28,
  POLLING_GET: 30,
  POLLING_POST: 31,
  POLLING_ABORT: 32,
  POLLING_ANSWER: 33,
  READY: 40,
  ROSTER: 41,
  DRAIN: 42,
  STOP: 43,
  RELOAD: 44,
  CALL: 50,
  RESULT: 51,
  CHILD_EVENT: 60,
};
const NAMES = Object.fromEntries(Object.entries(TYPES).map(([name, number]) => [number, name]));
// A BEAT each second is the rule; a test's loop may be late.
const BEAT_MS = 500;

export const incarnation = () => randomBytes(8).toString("hex");
// Revs and integers are small; extension types and binary do not occur.
export const pack = (value) => Buffer.from(encode(value, { ignoreUndefined: true }));
export const event = (type, poll, body) => pack([TYPES[type] ?? type, poll, body]);

// One end of one link. `transmit(parts)` sends a whole message.
export class Link {
  constructor(me, transmit) {
    this.me = me;
    this.transmit = transmit;
    this.peer = "";
    this.session = 0;
    this.events = [];
    this.waiting = [];
    this.silent = false;
    this.reset();
  }

  reset() {
    this.open = false;
    this.seqOut = 1;
    this.seqIn = 1;
    this.bytes = 0;
    this.messages = 0;
  }

  header(seq = this.seqOut++) {
    return pack([1, this.me.inc, this.peer, seq, this.bytes, this.messages]);
  }

  // One message of these events, each [type, poll, body].
  send(...events) {
    return this.transmit([this.header(), ...events.map((one) => event(...one))]);
  }

  hello(more = {}) {
    this.reset();
    this.peer = "";
    this.session = Math.max(this.session + 1, Date.now());
    const { role, name } = this.me;
    return this.send(["HELLO", "", { min: 1, max: 1, role, name, session: this.session, ...more }]);
  }

  beat(body = {}) {
    if (this.open && !this.silent) this.send(["BEAT", "", body]).catch(() => {});
  }

  // A message came in. Returns false if it is out of order.
  take(parts) {
    const [, from, , seq] = decode(parts[0]);
    const events = parts.slice(1).map((part) => {
      const [type, poll, body] = decode(part);
      return { type: NAMES[type] ?? type, poll, body };
    });
    if (seq !== 0) {
      if (events[0].type === "HELLO" || events[0].type === "WELCOME") {
        if (events[0].type === "HELLO") this.reset();
        this.peer = from;
        this.open = true;
        this.seqIn = 1;
      }
      if (seq !== this.seqIn) return false;
      this.seqIn++;
      this.messages++;
      for (const part of parts.slice(1)) this.bytes += part.length;
    }
    for (const one of events) this.#give(one);
    return true;
  }

  #give(one) {
    if (one.type === "BEAT") this.beats = (this.beats ?? 0) + 1;
    const at = this.waiting.findIndex(({ wanted }) => wanted(one));
    if (at >= 0) this.waiting.splice(at, 1)[0].resolve(one);
    else if (one.type !== "BEAT") this.events.push(one);
    this.onEvent?.(one);
  }

  // The next event of that type (and poll), from those not yet taken or from what comes.
  next(type, { poll, ms, where = () => true } = {}) {
    const wanted = (one) =>
      one.type === type && (poll === undefined || one.poll === poll) && where(one.body);
    const at = this.events.findIndex(wanted);
    if (at >= 0) return Promise.resolve(this.events.splice(at, 1)[0]);
    const entry = { wanted };
    const came = new Promise((resolve) => {
      entry.resolve = resolve;
      this.waiting.push(entry);
    });
    return deadline(
      came,
      `${type} ${poll ?? ""} (have ${JSON.stringify(this.events)})`,
      ms,
    ).finally(() => {
      const index = this.waiting.indexOf(entry);
      if (index >= 0) this.waiting.splice(index, 1);
    });
  }

  // The next event whatever it is (but a BEAT), in the order in which they came.
  any(ms) {
    if (this.events.length) return Promise.resolve(this.events.shift());
    const entry = { wanted: (one) => one.type !== "BEAT" };
    const came = new Promise((resolve) => {
      entry.resolve = resolve;
      this.waiting.push(entry);
    });
    return deadline(came, "any event", ms);
  }
}

// The dialling end: a test that is a gateway, a child of a supervisor, or rollcallctl.
export class Dialler {
  constructor(endpoint, { role, name, inc = incarnation(), identity = `${name}-${inc}` }) {
    this.socket = new zmq.Dealer({ routingId: identity, linger: 0, sendTimeout: 5000 });
    this.socket.connect(endpoint);
    this.link = new Link({ role, name, inc }, (parts) => this.sendRaw(parts));
    this.refusals = [];
    this.queue = Promise.resolve();
    onEnd(() => this.close());
    this.#receive();
    this.timer = setInterval(() => this.link.beat(this.beatBody ?? {}), BEAT_MS);
  }

  static async open(endpoint, options) {
    const self = new Dialler(endpoint, options);
    await self.link.hello();
    self.welcome = await self.link.next("WELCOME");
    return self;
  }

  // One after the other: zeromq.js refuses a second send while one is busy.
  sendRaw(parts) {
    const sent = this.queue.then(() => this.socket.send(parts));
    this.queue = sent.catch(() => {});
    return sent;
  }

  async #receive() {
    try {
      for await (const parts of this.socket) this.link.take(parts);
    } catch (error) {
      if (!this.socket.closed) throw error;
    }
  }

  close() {
    clearInterval(this.timer);
    this.socket.close();
  }
}

// The listening end: a test that is an actors process or a supervisor. One link for each identity.
export class Listener {
  constructor({ role, name, inc = incarnation() }) {
    this.me = { role, name, inc };
    this.socket = new zmq.Router({ linger: 0, mandatory: true, sendTimeout: 5000 });
    this.peers = new Map();
    this.waiting = [];
    this.queue = Promise.resolve();
    onEnd(() => this.close());
    this.timer = setInterval(() => {
      for (const link of this.peers.values()) link.beat();
    }, BEAT_MS);
  }

  static async bind(endpoint, options) {
    const self = new Listener(options);
    self.endpoint = endpoint;
    await self.socket.bind(endpoint);
    self.#receive();
    return self;
  }

  sendRaw(parts) {
    const sent = this.queue.then(() => this.socket.send(parts));
    this.queue = sent.catch(() => {});
    return sent;
  }

  async #receive() {
    try {
      for await (const [identity, ...parts] of this.socket) this.#take(identity, parts);
    } catch (error) {
      if (!this.socket.closed) throw error;
    }
  }

  #take(identity, parts) {
    const key = identity.toString("latin1");
    let link = this.peers.get(key);
    if (!link) {
      link = new Link(this.me, (out) => this.sendRaw([identity, ...out]));
      this.peers.set(key, link);
    }
    link.take(parts);
    const hello = link.events.findIndex(({ type }) => type === "HELLO");
    if (hello < 0) return;
    const [{ body }] = link.events.splice(hello, 1);
    link.greeting = body;
    link
      .send(["WELCOME", "", { proto: 1, name: this.me.name, session: body.session }])
      .catch(() => {});
    this.onGreeting?.(link);
    for (const resolve of this.waiting.splice(0)) resolve(link);
  }

  // The next link that opens (again).
  greeted(what = "a greeting") {
    return deadline(new Promise((resolve) => this.waiting.push(resolve)), what);
  }

  close() {
    clearInterval(this.timer);
    this.socket.close();
  }
}
