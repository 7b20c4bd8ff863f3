// SPDX-License-Identifier: MIT
// Limits that need a whole system to be reached: each has its answer, its counter, and an end.
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { Player } from "./support/player.mjs";
import { RawSocket, RawWebSocket } from "./support/raw.mjs";
import { create } from "./support/rest.mjs";
import { counted, withSystem } from "./support/system.mjs";
import { Table } from "./support/table.mjs";
import { eventually, once } from "./support/wait.mjs";

const BUSY = { error: { type: "Unknown", message: "Too busy, try again later" }, outcome: "none" };

// A socket of the table's admin, raw, that has had its first document.
async function admin(system, table) {
  const socket = await RawWebSocket.join(system.port, { token: table.admin.token });
  await socket.text();
  await socket.text();
  return socket;
}

// Acknowledgements by their ids, until there are `count` of them.
async function acks(socket, count) {
  const answers = new Map();
  while (answers.size < count) {
    const packet = await socket.text();
    const ack = /^43\/polls,(\d+)\[(.*)\]$/s.exec(packet);
    if (ack) answers.set(Number(ack[1]), JSON.parse(ack[2]));
  }
  return answers;
}

test("commands on one socket without an answer: 32, more are busy", () =>
  withSystem({ env: { ROLLCALL_GATEWAY_COMMANDS_PER_S: "1000" } }, async (system) => {
    const table = await Table.open(system.url);
    await table.nominations();
    await table.saved(table.admin, "start_vote");
    const socket = await admin(system, table);
    const { pid } = await system.child("a1");
    process.kill(pid, "SIGSTOP");
    try {
      for (let i = 0; i < 40; i++) socket.say(`42/polls,${i}["start_vote"]`);
      const refused = await acks(socket, 8);
      assert.deepEqual([...refused.keys()].sort(), [32, 33, 34, 35, 36, 37, 38, 39]);
      for (const answer of refused.values()) assert.deepEqual(answer, BUSY);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    // Actors take 8 of one conn at a time: some may be busy for them, too, but all are answered.
    const rest = await acks(socket, 32);
    for (const answer of rest.values()) {
      if (answer.outcome !== "saved") assert.deepEqual(answer, BUSY);
    }
    assert.equal(rest.get(0).outcome, "saved");
    await eventually(
      async () => counted(await system.status(), "commands_busy") >= 8,
      "busy commands to be counted",
    );
    socket.destroy();
    table.leave();
  }));

test("commands that wait for the store: 8 of one conn, more are busy", () =>
  withSystem({ env: { ROLLCALL_GATEWAY_COMMANDS_PER_S: "1000" } }, async (system) => {
    const table = await Table.open(system.url);
    const ids = await table.nominations();
    await table.saved(table.admin, "start_vote");
    const socket = await admin(system, table);
    const { pid } = await system.child("redis");
    const vote = (i) =>
      socket.say(
        `42/polls,${i}["submit_rankings",${JSON.stringify({ rankings: [ids[i % 3]] })}]`,
      );
    process.kill(pid, "SIGSTOP");
    try {
      // 8 wait, after those that came before the first script went out: 8 at the most.
      for (let i = 0; i < 24; i++) vote(i);
      const refused = await acks(socket, 8);
      for (const answer of refused.values()) assert.deepEqual(answer, BUSY);
      assert.ok(![...refused.keys()].includes(0));
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const rest = [...(await acks(socket, 16)).values()];
    const saved = rest.filter(({ outcome }) => outcome === "saved").length;
    assert.ok(saved >= 8, `${saved} are saved`);
    for (const answer of rest) if (answer.outcome !== "saved") assert.deepEqual(answer, BUSY);
    await eventually(
      async () => counted(await system.status(), "calls_refused_busy") >= 8,
      "busy calls to be counted",
    );
    socket.destroy();
    table.leave();
  }));

test("sockets of a gateway: those past the limit wait until there is room", () =>
  withSystem({ env: { ROLLCALL_GATEWAY_SOCKETS_MAX: "8" } }, async (system) => {
    const { accessToken } = await create(system.url, { name: "Ada" });
    const players = Array.from({ length: 6 }, () => new Player(system.url, accessToken));
    await Promise.all(players.map((player) => player.joined()));
    const extra = Array.from({ length: 8 }, () =>
      net.connect({ port: system.port, host: "127.0.0.1" }),
    );
    await Promise.all(extra.map((socket) => once(socket, "connect")));
    await eventually(async () => counted(await system.status(), "paused") > 0, "the limit");
    // Nobody who is in is hurt, and when the others go there is room.
    for (const player of players) assert.ok(player.live);
    for (const socket of extra) socket.destroy();
    const late = new Player(system.url, accessToken);
    await late.joined();
    for (const player of [...players, late]) {
      assert.deepEqual(player.disconnects, []);
      player.leave();
    }
  }));

test("sockets that never join are a tenth: the oldest make room, nobody who joined is hurt", () =>
  withSystem({ env: { ROLLCALL_GATEWAY_SOCKETS_MAX: "640" } }, async (system) => {
    const { poll, accessToken } = await create(system.url, { name: "Ada" });
    const ada = new Player(system.url, accessToken);
    await ada.joined();
    const bob = await Player.join(system.url, poll.id, "Bob", { transports: ["polling"] });
    await bob.joined();
    // 64 are a tenth: the second half waits until the first had its time, and takes its place.
    const idle = Array.from({ length: 128 }, () =>
      net.connect({ port: system.port, host: "127.0.0.1" }),
    );
    for (const socket of idle) socket.on("error", () => {});
    await Promise.all(idle.slice(0, 64).map((socket) => once(socket.resume(), "end")));
    const carol = await Player.join(system.url, poll.id, "Carol");
    await Promise.all([ada, bob, carol].map((player) => player.sees(["Ada", "Bob", "Carol"])));
    await eventually(
      async () => counted(await system.status(), "strangers_evicted") >= 64,
      "strangers to be evicted",
    );
    assert.ok(counted(await system.status(), "strangers_paused") > 0);
    for (const player of [ada, bob, carol]) {
      assert.deepEqual(player.disconnects, []);
      player.leave();
    }
    for (const socket of idle) socket.destroy();
  }));

test("connects of one address: past the burst they are closed without a word", () =>
  withSystem(
    { env: { ROLLCALL_GATEWAY_ADDRESS_BURST: "20", ROLLCALL_GATEWAY_ADDRESS_PER_S: "10" } },
    async (system) => {
      const sockets = [];
      for (let i = 0; i < 40; i++) sockets.push(await RawSocket.connect(system.port));
      const over = () => sockets.filter((socket) => socket.over).length;
      await eventually(() => over() >= 10, "sockets past the burst to be closed");
      for (const socket of sockets.filter(({ over: closed }) => closed)) {
        assert.equal(socket.received, 0);
      }
      await eventually(
        async () => counted(await system.status(), "refused_rate") >= 10,
        "refused connects to be counted",
      );
      // Tokens come back.
      await eventually(async () => {
        const answer = await fetch(`${system.url}/healthz`);
        return answer.status === 200;
      }, "to be let in again");
      for (const socket of sockets) socket.destroy();
    },
  ));
