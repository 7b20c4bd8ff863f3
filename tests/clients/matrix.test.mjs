// SPDX-License-Identifier: MIT
// Stock clients of all ages and of two languages play whole polls, over each transport, with one
// gateway and with three, and through a gateway's sudden end. Each polling request opens a
// connection of its own, so with three gateways it comes to any of them.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import { io40, io44, io46, io48 } from "./support/packages.mjs";
import { Python } from "./support/python.mjs";
import { System } from "./support/system.mjs";
import { Table } from "./support/table.mjs";
import { eventually } from "./support/wait.mjs";

let python;
const CLIENTS = [
  ["socket.io-client 4.0", () => io40],
  ["socket.io-client 4.4", () => io44],
  ["socket.io-client 4.6", () => io46],
  ["socket.io-client 4.8", () => io48],
  ["python-socketio", () => python.io],
];
// In this order each counter below is still zero when its test begins.
const TRANSPORTS = [
  ["websocket only", ["websocket"]],
  ["polling only", ["polling"]],
  ["default transports", undefined],
];

before(() => {
  python = new Python();
});
after(() => python?.end());

const options = (io, transports, more = {}) => ({
  io: io(),
  transports,
  agent: new http.Agent({ keepAlive: false }),
  ...more,
});

let system;

// Until the ballots.
async function open(table) {
  const ids = await table.nominations();
  await table.saved(table.admin, "start_vote");
  return ids;
}

async function vote(table, player, rankings) {
  const { ballot } = await table.saved(player, "submit_rankings", { rankings });
  assert.deepEqual(ballot, rankings);
}

// From the ballots on: each of the three has ranked the second nomination first, then the first.
async function finish(table, ids) {
  await table.saved(table.admin, "close_poll");
  for (const { document, name } of table.players) {
    const results = document.results.map(({ nominationID }) => nominationID);
    assert.deepEqual(results, [ids[1], ids[0]], name);
    assert.equal(Object.keys(document.rankings).length, 3, name);
    assert.equal(document.state, "closed", name);
  }
}

async function cancel(table) {
  assert.equal((await table.admin.ask("cancel_poll")).outcome, "saved");
  await Promise.all(
    table.players.map((player) => player.when((me) => me.cancels.length === 1, "poll_cancelled")),
  );
}

function assertTransport(table, transports) {
  const wanted = transports?.[0] ?? "websocket"; // the default is to upgrade
  return Promise.all(
    table.players.map(({ name, socket }) =>
      eventually(() => socket.io.engine.transport.name === wanted, `${name} over ${wanted}`),
    ),
  );
}

async function playWhole(io, transports) {
  const table = await Table.open(system.url, undefined, {}, () => options(io, transports));
  const ids = await open(table);
  await assertTransport(table, transports);
  for (const player of table.players) await vote(table, player, [ids[1], ids[0]]);
  await finish(table, ids);
  for (const player of table.players) {
    assert.deepEqual(player.disconnects, []);
    assert.deepEqual(player.exceptions, []);
    assert.deepEqual(player.violations, []);
  }
  await cancel(table);
  table.leave();
}

// A change of mind on its way while a gateway ends. If it was acknowledged, then it counts.
function changeMind(player, rankings) {
  const change = { player, rankings, acked: false };
  player.socket.emit("submit_rankings", { rankings }, ({ outcome }) => {
    change.acked = outcome === "saved";
  });
  return change;
}

// Asks again after each loss of the connection. python-engineio does not end a session when a POST
// fails, it notices with the answer to its parked GET: until then what it is told to send is lost.
async function insist(table, player, rankings) {
  let ack;
  while (!ack) {
    const before = player.disconnects.length;
    player.socket.emit("submit_rankings", { rankings }, (answer) => {
      ack = answer;
    });
    await eventually(
      () => ack || (player.disconnects.length > before && player.live),
      `${player.name} to have an answer, or to be back`,
    );
  }
  assert.equal(ack.outcome, "saved");
  await table.all(ack.rev);
}

// Two vote, the gateway of the first one ends, all come back, the third one votes.
async function survive(tables, transports) {
  const ids = await Promise.all(tables.map(open));
  await Promise.all(
    tables.map(async (table, i) => {
      for (const player of table.players.slice(0, 2)) {
        await vote(table, player, [ids[i][1], ids[i][0]]);
      }
    }),
  );
  const owner = ({ socket }) => socket.io.engine.id.split("-")[0];
  await Promise.all(tables.map((table) => assertTransport(table, transports)));
  const victim = owner(tables[0].admin);
  const hit = tables.flatMap(({ players }) => players).filter((p) => owner(p) === victim);
  assert.ok(hit.length > 0, `nobody at ${victim}`);
  const child = await system.child(victim);
  const changes = tables.map(({ players }, i) => changeMind(players[1], ids[i].slice(0, 2)));
  process.kill(child.pid, "SIGKILL");
  await Promise.all(
    hit.map((player) => player.when((me) => me.disconnects.length > 0, "to lose its gateway")),
  );
  await system.whole(child);
  await Promise.all(
    tables.map(async (table, i) => {
      const [, , third] = table.players;
      const names = table.players.map(({ name }) => name);
      await Promise.all(
        table.players.map((player) => player.when((me) => me.live, "to be back")),
      );
      await Promise.all(table.players.map((player) => player.sees(names)));
      const { player: second, rankings, acked } = changes[i];
      if (acked) {
        await second.when((me) => me.ballot?.join() === rankings.join(), "what was acknowledged");
      }
      await vote(table, third, [ids[i][1], ids[i][0]]);
      await insist(table, second, [ids[i][1], ids[i][0]]);
      await finish(table, ids[i]);
      await assertTransport(table, transports);
      for (const player of table.players) assert.deepEqual(player.violations, []);
      await cancel(table);
      table.leave();
    }),
  );
}

for (const count of [1, 3]) {
  describe(`${count} gateways`, () => {
    before(async () => {
      system = await System.start({ gateways: count, actors: 2 });
    });
    after(() => system?.end());

    for (const [how, transports] of TRANSPORTS) {
      test(how, async (t) => {
        await Promise.all(
          CLIENTS.map(([name, io]) => t.test(name, () => playWhole(io, transports))),
        );
        if (count > 1 && transports?.[0] !== "websocket") {
          const counter = transports ? "asked" : "given";
          await eventually(async () => (await system.neighbours(counter)) > 0, `any ${counter}`);
        }
      });
    }

    if (count === 1) return;
    for (const [how, transports] of TRANSPORTS) {
      test(`${how}, kill -9 of a gateway`, async () => {
        const tables = await Promise.all(
          CLIENTS.map(([, io]) =>
            Table.open(system.url, undefined, {}, () =>
              options(io, transports, { reconnection: true, reconnectionDelayMax: 500 }),
            ),
          ),
        );
        await survive(tables, transports);
      });
    }
  });
}
