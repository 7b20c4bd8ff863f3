// SPDX-License-Identifier: MIT
// A test that is a gateway: it keeps a feed of each poll as a real one does, and notes every
// breach of what a gateway may rely on.
import { Dialler, incarnation } from "./link.mjs";
import { mergePatch } from "./patch.mjs";
import { eventually } from "./wait.mjs";

export const freshId = (length, first = "u") => {
  const letters = "ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz0123456789_-";
  let id = first;
  while (id.length < length) id += letters[Math.floor(Math.random() * letters.length)];
  return id;
};

export const freshPoll = () => {
  const letters = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
  return Array.from({ length: 6 }, () => letters[Math.floor(Math.random() * letters.length)]).join(
    "",
  );
};

export class FakeGateway {
  static async open(endpoint, name = "g1", inc = incarnation()) {
    const self = new FakeGateway();
    self.feeds = new Map();
    self.conns = new Map();
    self.users = new Map();
    self.violations = [];
    self.trace = [];
    self.updates = 0;
    self.requests = 0;
    self.name = name;
    self.inc = inc;
    self.endpoint = endpoint;
    self.dealer = await Dialler.open(endpoint, { role: "gateway", name, inc });
    self.link = self.dealer.link;
    self.link.onEvent = (event) => self.#see(event);
    return self;
  }

  #see({ type, poll, body }) {
    if (type !== "BEAT") this.trace.push(`${type} ${poll}`);
    if (type === "POLL_SNAPSHOT") {
      if (body.document.rev !== body.rev)
        this.violations.push(`snapshot ${body.rev}, inside other`);
      this.feeds.set(poll, body.document);
    } else if (type === "POLL_UPDATED") {
      const feed = this.feeds.get(poll);
      this.updates++;
      if (feed?.rev !== body.from) this.violations.push(`update ${body.from}, feed ${feed?.rev}`);
      const next = mergePatch(feed, body.patch);
      if (next.rev !== body.to) this.violations.push(`update to ${body.to} gives ${next.rev}`);
      if (feed && next.version !== feed.version + 1) {
        this.violations.push(`version ${feed.version}, then ${next.version}`);
      }
      this.feeds.set(poll, next);
    } else if (type === "CONNECTED") {
      const user = this.users.get(body.conn);
      const feed = this.feeds.get(poll);
      if (!feed || !Object.hasOwn(feed.participants, user)) {
        this.violations.push(`CONNECTED ${body.conn} before its user ${user} is listed`);
      }
      this.conns.set(body.conn, "connected");
    }
  }

  async request(type, poll, body) {
    const req = ++this.requests;
    await this.link.send([type, poll, { req, ...body }]);
    return (await this.link.next("REPLY", { where: (reply) => reply.req === req })).body;
  }

  create({
    poll = freshPoll(),
    topic = "Lunch",
    votes = 2,
    endsAt = Date.now() + 600_000,
    admin = freshId(21),
    nonce = freshId(16, "n"),
  } = {}) {
    const made = this.request("CREATE", poll, { topic, votes, admin, endsAt, nonce });
    return made.then((reply) => ({ poll, admin, nonce, endsAt, reply }));
  }

  // Sends CONNECT alone.
  connect(poll, conn, user, name, rev = this.feeds.get(poll)?.rev) {
    this.users.set(conn, user);
    return this.link.send(["CONNECT", poll, { conn, user, name, ...(rev ? { rev } : {}) }]);
  }

  // CONNECT and its CONNECTED.
  async join(poll, conn, user, name) {
    await this.connect(poll, conn, user, name);
    return this.connected(conn);
  }

  connected(conn) {
    return this.link.next("CONNECTED", { where: (body) => body.conn === conn });
  }

  disconnect(poll, conn, why = "leave") {
    this.users.delete(conn);
    return this.link.send(["DISCONNECT", poll, { conn, why }]);
  }

  sync(poll, conns, rev = this.feeds.get(poll)?.rev) {
    for (const [conn, user] of conns) this.users.set(conn, user);
    return this.link.send(["SYNC", poll, { conns, last: true, ...(rev ? { rev } : {}) }]);
  }

  names(poll) {
    return Object.values(this.feeds.get(poll)?.participants ?? {}).sort();
  }

  // Resolves once the feed lists exactly these names.
  sees(poll, names, ms) {
    const wanted = [...names].sort().join();
    return eventually(
      () => this.names(poll).join() === wanted,
      `${this.name} to see ${wanted} in ${poll}, not ${this.names(poll)}`,
      ms,
      5,
    );
  }

  close() {
    this.dealer.close();
  }
}
