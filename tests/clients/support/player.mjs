// SPDX-License-Identifier: MIT
// A participant: a stock Socket.IO client that keeps the document it was shown, and notes every
// breach of what each client may rely on: it is in what it sees, versions never fall, no patch is
// missed.
import { onEnd } from "./cleanup.mjs";
import { io48 } from "./packages.mjs";
import { mergePatch } from "./patch.mjs";
import { claims, join } from "./rest.mjs";
import { deadline, eventually } from "./wait.mjs";

export const versionOf = (rev) => Number(rev.split("-")[0]);

export class Player {
  constructor(url, token, { io = io48, updates, reconnection = false, auth, ...options } = {}) {
    this.token = token;
    this.id = claims(token).sub;
    this.name = claims(token).name;
    this.documents = 0;
    this.patches = 0;
    this.disconnects = [];
    this.refusals = [];
    this.exceptions = [];
    this.cancels = [];
    this.violations = [];
    this.document = null;
    this.ballot = null; // the own one, as it was shown last; not all documents have it
    this.#fresh = true;
    this.listeners = new Set();
    this.socket = io(`${url}/polls`, {
      transports: ["websocket"],
      forceNew: true,
      reconnection,
      reconnectionDelay: 50,
      reconnectionDelayMax: 200,
      auth: auth ?? { token, ...(updates ? { updates } : {}) },
      ...options,
    });
    onEnd(() => this.socket.disconnect());
    this.#listen();
  }

  // Joins a poll over REST as a new user and connects.
  static async join(url, poll, name, options) {
    return new Player(url, (await join(url, poll, name)).accessToken, options);
  }

  #fresh;

  #listen() {
    this.socket.on("connect", () => {
      this.#fresh = true;
    });
    this.socket.on("poll_updated", (document) => {
      this.documents++;
      this.#show(document);
    });
    this.socket.on("poll_patched", ({ from, to, patch }) => {
      this.patches++;
      if (from !== this.document?.rev) {
        this.violations.push(`patch from ${from} for a document at ${this.document?.rev}`);
      }
      this.#show(mergePatch(this.document, patch), to);
    });
    this.socket.on("exception", (exception) => {
      this.exceptions.push(exception);
      this.#tell();
    });
    this.socket.on("poll_cancelled", (...args) => {
      this.cancels.push(args);
      this.#tell();
    });
    this.socket.on("disconnect", (reason) => {
      this.disconnects.push(reason);
      this.#tell();
    });
    this.socket.on("connect_error", (error) => {
      this.refusals.push(error.message);
      this.#tell();
    });
  }

  #show(document, to = document.rev) {
    const before = this.document;
    if (!Object.hasOwn(document.participants, this.id)) {
      this.violations.push(`${this.name} is not in version ${document.version}`);
    }
    if (document.rev !== to || versionOf(document.rev) !== document.version) {
      this.violations.push(`rev ${document.rev} of version ${document.version}, to ${to}`);
    }
    if (before && !this.#fresh && document.version <= before.version) {
      this.violations.push(`version ${before.version}, then ${document.version}`);
    }
    if (before && document.version < before.version) {
      this.violations.push(`version fell from ${before.version} to ${document.version}`);
    }
    this.#fresh = false;
    this.document = document;
    const own = document.rankings?.[this.id];
    if (own?.length) this.ballot = own;
    this.#tell();
  }

  #tell() {
    for (const listener of [...this.listeners]) listener();
  }

  // Resolves once `check(this)` holds, looked at after each thing that happens here.
  when(check, what, ms) {
    let listener;
    const met = new Promise((resolve) => {
      listener = () => check(this) && resolve(this);
      this.listeners.add(listener);
      listener();
    });
    return deadline(met, `${this.name}: ${what}`, ms).finally(() =>
      this.listeners.delete(listener),
    );
  }

  joined(ms) {
    return this.when((me) => me.document !== null, "its first document", ms);
  }

  refused(ms) {
    return this.when((me) => me.refusals.length > 0, "a refusal", ms).then(() => this.refusals[0]);
  }

  sees(names, ms) {
    const wanted = [...names].sort().join();
    return this.when(
      (me) => me.document && Object.values(me.document.participants).sort().join() === wanted,
      `to see ${wanted}`,
      ms,
    );
  }

  // Sends an event that wants an acknowledgement; resolves to that.
  ask(event, ...args) {
    const answered = new Promise((resolve) => this.socket.emit(event, ...args, resolve));
    return deadline(answered, `${this.name}: the acknowledgement of ${event}`);
  }

  get live() {
    return this.socket.connected;
  }

  leave() {
    this.socket.disconnect();
  }
}

// All live players of a poll see the same document as the store's, and its participants are these
// users.
export function settled(redis, poll, players, ms) {
  return eventually(
    async () => {
      const stored = await redis.document(poll);
      const live = players.filter((player) => player.live);
      const wanted = [...new Set(live.map((player) => player.id))].sort().join();
      const listed = Object.keys(stored.participants).sort().join();
      if (listed !== wanted) throw new Error(`listed ${listed}, live ${wanted}`);
      for (const player of live) {
        const { version, rev, ...shown } = player.document;
        if (rev !== stored.meta.rev)
          throw new Error(`${player.name} at ${rev}, ${stored.meta.rev}`);
        const names = JSON.stringify(Object.entries(shown.participants).sort());
        const kept = JSON.stringify(Object.entries(stored.participants).sort());
        if (names !== kept) throw new Error(`${player.name} sees ${names}, stored ${kept}`);
      }
      return stored;
    },
    "documents equal to the live sockets",
    ms,
  );
}
