// SPDX-License-Identifier: MIT
/*
 * A client of Rollcall's native protocol (proto/PROTOCOL.md, section 6) for browsers and Node. It
 * keeps the poll's document up to date, comes back by itself and asks then only for what it missed.
 *
 *     import { connect } from "./rollcall.js";
 *     const poll = connect({ url: "https://example.org", token });
 *     poll.on("document", (document) => show(document));
 *     const { id } = await poll.send("nominate", { text: "Soup" });
 *
 * connect({url, token, WebSocket, document}): `url` of the page or of the socket (default: this
 * page's); WebSocket where the platform has none; `document` that one has from before. Also in ms:
 * pauses between attempts start about baseMs (500) and grow to mostMs (15000); a server that has
 * been silent for quietMs (20000) is asked, and given up after answerMs (10000).
 *
 * The object: document (patched in place; a new object only with a snapshot), ballot (the user's
 * own, or null), user, poll, state ("connecting", "joined", "waiting", "closed"), and
 *   on(event, fn)     returns a function that takes it off again. Events:
 *                       document(document)  the first one, and after each change
 *                       patch({from, to, patch}), ballot(ballot), state(state)
 *                       error({type, message, outcome})  of what was not asked by send()
 *                       ended({why})        removed, cancelled, expired or not_found
 *                       closed({code, reason, error})    it will not come back
 *   send(verb, data)  a promise of {outcome, rev, id, ballot}. Rejected with {type, message,
 *                     outcome}: "none" was not saved; "unknown": the connection broke before the
 *                     answer. What could not be sent yet is sent after the next join.
 *   close()           leaves.
 */

const SUBPROTOCOL = "rollcall.v1.json";
const WAITING_MAX = 32;
// The others mean that the client, or what it asked for, is at fault: it would be so again.
const NEVER = [1002, 1003, 1007, 1009, 1010];
const GIVEN_UP = 4900; // our own: the server does not answer, or its patches do not fit

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/* RFC 7396, into `target`. */
export function merge(target, patch) {
  for (const [name, value] of Object.entries(patch)) {
    const there = target[name];
    if (value === null) delete target[name];
    else target[name] = isObject(value) ? merge(isObject(there) ? there : {}, value) : value;
  }
  return target;
}

/* How long to wait after a connection ended so, the nth time in a row; undefined: for ever. */
export function pauseMs(code, reason, attempt, { baseMs = 500, mostMs = 15000 } = {}) {
  if (NEVER.includes(code) || (code >= 4000 && code < 4100)) return undefined;
  if (code >= 4200 && code < 4300) {
    try {
      const { retry_ms: ms } = JSON.parse(reason);
      if (ms >= 0) return ms;
    } catch {
      // It does not say when: at once.
    }
    if (attempt === 0) return Math.random() * 100;
  }
  const step = attempt + (code >= 4100 && code < 4200 ? 1 : 0);
  return Math.min(mostMs, baseMs * 2 ** step) * (0.5 + Math.random() / 2);
}

function socketUrl(url) {
  if (/^wss?:/.test(url)) return url;
  const absolute = new URL("/ws", url);
  absolute.protocol = absolute.protocol.replace("http", "ws");
  return absolute.href;
}

const failure = (type, message, outcome) => Object.assign(new Error(), { type, message, outcome });

class Connection {
  document = null;
  ballot = null;
  user = null;
  poll = null;
  state = "connecting";
  #options;
  #socket = null;
  #listeners = new Map();
  #waiting = []; // commands that were not sent
  #flying = new Map(); // id -> command
  #ids = 0;
  #attempt = 0;
  #timer;
  #refusal;
  #online = () => this.state === "waiting" && this.#open();

  constructor(options) {
    this.#options = {
      url: globalThis.location?.href,
      WebSocket: globalThis.WebSocket,
      quietMs: 20000,
      answerMs: 10000,
      ...options,
    };
    if (!this.#options.WebSocket) throw new TypeError("no WebSocket here: pass one");
    this.document = options.document ?? null;
    globalThis.addEventListener?.("online", this.#online);
    this.#open();
  }

  on(event, listener) {
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all.add(listener));
    return () => all.delete(listener);
  }

  send(verb, data) {
    return new Promise((resolve, reject) => {
      if (this.state === "closed") {
        reject(failure("Closed", "The connection is closed", "none"));
      } else if (this.#waiting.length >= WAITING_MAX) {
        reject(failure("Unknown", "Too busy, try again later", "none"));
      } else {
        this.#waiting.push({ verb, data, resolve, reject });
        this.#sendWaiting();
      }
    });
  }

  close() {
    this.#drop(1000);
    this.#close({ code: 1000, reason: "" });
  }

  #emit(event, value) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(value);
  }

  #go(state) {
    if (this.state === state) return;
    this.state = state;
    this.#emit("state", state);
  }

  #after(ms, run) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, ms);
  }

  // --- the connection ---

  #open() {
    const { WebSocket, url, quietMs, answerMs } = this.#options;
    const socket = new WebSocket(socketUrl(url), [SUBPROTOCOL]);
    this.#socket = socket;
    this.#refusal = undefined;
    this.#go("connecting");
    this.#after(quietMs + answerMs, () => this.#lose(GIVEN_UP));
    socket.onopen = () => {
      const { token } = this.#options;
      this.#say({ event: "join", id: "join", data: { token, rev: this.document?.rev } });
    };
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onerror = () => {};
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
  }

  #say(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  // Nothing more of this socket is heard.
  #drop(code) {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = () => {};
    socket.close(code);
  }

  #lose(code) {
    this.#drop(code);
    this.#lost(code, "");
  }

  #lost(code, reason) {
    this.#socket = null;
    for (const { reject } of this.#flying.values()) {
      reject(failure("Unknown", "The connection broke before the answer", "unknown"));
    }
    this.#flying.clear();
    const pause = code === 1000 ? undefined : pauseMs(code, reason, this.#attempt++, this.#options);
    if (pause === undefined) return this.#close({ code, reason, error: this.#refusal });
    this.#after(pause, () => this.#open());
    this.#go("waiting");
  }

  #close(end) {
    if (this.state === "closed") return;
    clearTimeout(this.#timer);
    globalThis.removeEventListener?.("online", this.#online);
    const fail = (outcome) => failure("Closed", "The connection is closed", outcome);
    for (const { reject } of this.#waiting.splice(0)) reject(fail("none"));
    for (const { reject } of this.#flying.values()) reject(fail("unknown"));
    this.#flying.clear();
    this.#go("closed");
    this.#emit("closed", end);
  }

  #sendWaiting() {
    while (this.state === "joined" && this.#socket?.readyState === 1 && this.#waiting.length) {
      const command = this.#waiting.shift();
      const id = ++this.#ids;
      this.#flying.set(id, command);
      this.#say({ event: command.verb, id, data: command.data });
    }
  }

  // --- what the server says ---

  // A word of the server's: it lives for so long; then it is asked, and then given up.
  #watch() {
    this.#after(this.#options.quietMs, () => {
      this.#say({ event: "ping" });
      this.#after(this.#options.answerMs, () => this.#lose(GIVEN_UP));
    });
  }

  #hear({ event, id, data }) {
    if (this.state === "joined") this.#watch();
    const command = this.#flying.get(id);
    this.#flying.delete(id);
    switch (event) {
      case "joined":
        return this.#joined(data);
      case "snapshot":
        if (data.ballot) this.#vote(data.ballot);
        return this.#show(data.document);
      case "patch":
        return this.#patch(data);
      case "ballot":
        return this.#vote(data.ballot);
      case "ack":
        return command?.resolve(data);
      case "error":
        if (command) return command.reject(failure(data.type, data.message, data.outcome));
        if (id === "join") this.#refusal = data;
        return this.#emit("error", data);
      case "ended":
        return this.#emit("ended", data);
    }
  }

  #joined({ user, poll }) {
    Object.assign(this, { user, poll });
    this.#attempt = 0;
    this.#watch();
    this.#go("joined");
    this.#sendWaiting();
  }

  #show(document) {
    this.document = document;
    this.#emit("document", document);
  }

  #vote(ballot) {
    this.ballot = ballot;
    this.#emit("ballot", ballot);
  }

  #patch(data) {
    if (data.from !== this.document?.rev) {
      // Never seen; a whole document mends it.
      this.document = null;
      return this.#lose(GIVEN_UP);
    }
    merge(this.document, data.patch);
    this.#emit("patch", data);
    this.#emit("document", this.document);
  }
}

export const connect = (options) => new Connection(options);
