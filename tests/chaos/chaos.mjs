// SPDX-License-Identifier: MIT
// What all chaos suites share: people who stay, people who come and go all the time, and what
// must be right when the dust has settled.
import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import { onEnd } from "../clients/support/cleanup.mjs";
import { Player, settled } from "../clients/support/player.mjs";
import { create, join } from "../clients/support/rest.mjs";
import { SANITIZED } from "../clients/support/system.mjs";

export const GRACE_MS = 2000;
// A list is right again within a second; a sanitized build is given three.
export const WHOLE_MS = SANITIZED ? 3000 : 1000;

// A poll with people who stay for the whole test: half of them full clients, half patch.
export class Crowd {
  static async start(system, count, options = {}) {
    const self = new Crowd();
    self.system = system;
    self.url = system.url;
    const { poll, accessToken } = await create(system.url, { name: "Ada" });
    self.poll = poll.id;
    self.players = [new Player(system.url, accessToken, options)];
    for (let i = 1; i < count; i++) {
      const { accessToken: token } = await join(system.url, self.poll, `stay${i}`);
      const updates = i % 2 ? "patch" : undefined;
      self.players.push(new Player(system.url, token, { updates, ...options }));
    }
    await Promise.all(self.players.map((player) => player.joined()));
    self.redis = await system.redis();
    self.visitors = [];
    onEnd(() => (self.loading = false));
    self.outcomes = { joined: 0, refused: 0, failed: 0 };
    return self;
  }

  // One visitor: joins over REST, connects, is shown itself, leaves. Every part of it may fail,
  // but each failure has to be an answer, not silence.
  async visit(name, ms = 30_000) {
    let player;
    try {
      player = await Player.join(this.url, this.poll, name);
      this.visitors.push(player);
      await player.when(
        (me) => me.document || me.refusals.length || me.disconnects.length,
        "an answer",
        ms,
      );
      this.outcomes[player.document ? "joined" : "refused"]++;
    } catch (error) {
      if (/waited/.test(error.message)) throw error;
      this.outcomes.failed++;
    }
    player?.leave();
  }

  // Visitors one after the other on `lanes` lanes, until stop() is called.
  load(lanes = 4) {
    this.loading = true;
    let count = 0;
    const lane = async () => {
      while (this.loading) await this.visit(`visit${count++}`);
    };
    this.lanes = Promise.all(Array.from({ length: lanes }, lane));
    this.lanes.catch(() => {});
  }

  async stop() {
    this.loading = false;
    await this.lanes;
  }

  // The documents are right: Redis', and those of all who are live.
  async right(ms) {
    await settled(this.redis, this.poll, this.players, ms);
    const violations = [...this.players, ...this.visitors].flatMap((player) => player.violations);
    assert.deepEqual(violations, []);
  }

  // Somebody comes, all who stay see it, somebody goes, all see that.
  async lively() {
    const guest = await Player.join(this.url, this.poll, "Guest");
    await guest.joined();
    this.players.push(guest);
    await this.right();
    this.players.pop();
    guest.leave();
    await this.right();
  }

  end() {
    for (const player of this.players) player.leave();
    this.redis.close();
  }
}

// Connects to the port again and again, each time as soon as the last attempt is through.
export class Prober {
  constructor(port) {
    this.port = port;
    this.refused = [];
    this.accepted = 0;
    this.running = true;
    onEnd(() => (this.running = false));
    this.done = this.#run();
  }

  async #run() {
    while (this.running) {
      await new Promise((next) => {
        const socket = net.connect({ port: this.port, host: "127.0.0.1" });
        socket.once("connect", () => {
          this.accepted++;
          socket.destroy();
        });
        socket.once("error", (error) => this.refused.push(error.code));
        socket.once("close", () => setTimeout(next, 2));
      });
    }
  }

  async stop() {
    this.running = false;
    await this.done;
  }
}

// The pid, among these, of the process that holds the server's end of a client's socket.
export function ownerOf(port, localPort, pids) {
  const hex = (number) => number.toString(16).toUpperCase().padStart(4, "0");
  const lines = fs.readFileSync("/proc/net/tcp", "utf8").split("\n");
  const line = lines
    .map((text) => text.trim().split(/\s+/))
    .find(
      (words) => words[1]?.endsWith(`:${hex(port)}`) && words[2]?.endsWith(`:${hex(localPort)}`),
    );
  const wanted = `socket:[${line?.[9]}]`;
  return pids.find((pid) =>
    fs.readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return fs.readlinkSync(`/proc/${pid}/fd/${fd}`) === wanted;
      } catch {
        return false;
      }
    }),
  );
}

export const localPort = (player) => player.socket.io.engine.transport.ws._socket.localPort;
