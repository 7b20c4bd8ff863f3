// SPDX-License-Identifier: MIT
// The golden score vectors: against the table of weights, and in real polls that are closed with
// those ballots, bit for bit, also after actors have loaded the poll again.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { Player } from "./support/player.mjs";
import { System } from "./support/system.mjs";
import { Table } from "./support/table.mjs";

const vectors = JSON.parse(
  fs.readFileSync(new URL("../vectors/score.json", import.meta.url), "utf8"),
);
const WEIGHTS = [
  [1],
  [1, 0.5625],
  [1, 0.6944444444444445, 0.2962962962962962],
  [1, 0.765625, 0.421875, 0.152587890625],
  [1, 0.81, 0.5120000000000001, 0.24009999999999992, 0.07775999999999998],
];

// By hand, without a map or a stable sort.
function count({ votes, ballots }) {
  const ids = [...new Set(ballots.flat())];
  const scores = ids.map((id) =>
    ballots.reduce((sum, ballot) => {
      const place = ballot.indexOf(id);
      return place < 0 ? sum : sum + WEIGHTS[votes - 1][place];
    }, 0),
  );
  const order = ids.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
  return order.map((i) => ({ nominationID: ids[i], score: scores[i] }));
}

test("every vector is what the table of weights makes of it", () => {
  assert.ok(vectors.length > 30);
  for (const vector of vectors) {
    assert.deepEqual(count(vector), vector.results);
    for (const ballot of vector.ballots) assert.ok(ballot.length <= vector.votes);
  }
});

let system;
before(async () => {
  system = await System.start({ env: { ROLLCALL_GATEWAY_COMMANDS_PER_S: "1000" } });
});
after(() => system?.end());

// Plays a vector; resolves to the table and the results that it must show.
async function play(vector) {
  const names = [...new Set(vector.ballots.flat())].sort();
  const people = Math.max(vector.ballots.length, Math.ceil(names.length / 5), 1);
  const table = await Table.open(
    system.url,
    Array.from({ length: people }, (_, i) => `p${i}`),
    { votesPerVoter: vector.votes, topic: "Vector" },
    (i) => ({ updates: i % 2 ? "patch" : undefined }),
  );
  const ids = {};
  for (const [i, text] of names.entries()) {
    ids[text] = (await table.players[i % people].ask("nominate", { text })).id;
  }
  const lone = names.length === 0 && (await table.admin.ask("nominate", { text: "lone" }));
  assert.notEqual(lone.outcome, "none");
  await table.saved(table.admin, "start_vote");
  for (const [i, ballot] of vector.ballots.entries()) {
    const rankings = ballot.map((text) => ids[text]);
    const ack = await table.players[i].ask("submit_rankings", { rankings });
    assert.equal(ack.outcome, "saved");
  }
  await table.saved(table.admin, "close_poll");
  const wanted = vector.results.map(({ nominationID, score }) => ({
    nominationID: ids[nominationID],
    nominationText: nominationID,
    score,
  }));
  return { table, wanted };
}

test("real polls are counted exactly, now and after a load", async () => {
  const few = vectors.filter(({ ballots }) => ballots.length <= 20);
  const played = [];
  for (const vector of few) played.push(await play(vector));
  const check = ({ table, wanted }) => {
    for (const player of table.players) {
      assert.deepEqual(player.document.results, wanted);
      assert.deepEqual(player.violations, []);
    }
  };
  played.forEach(check);
  const killed = await system.killChild("a1");
  await system.whole(killed);
  for (const { table, wanted } of played) {
    const late = await Player.join(system.url, table.poll, "Late");
    await late.joined();
    assert.deepEqual(late.document.results, wanted);
    late.leave();
    table.leave();
  }
  console.log(`${played.length} polls counted`);
});

test("who votes again keeps the place of the first ballot", async () => {
  const table = await Table.open(system.url, ["Ada", "Bob", "Cyd"], { votesPerVoter: 1 });
  const ids = await table.nominations();
  const [ada, bob, cyd] = table.players;
  await table.saved(ada, "start_vote");
  const vote = (player, id) => table.saved(player, "submit_rankings", { rankings: [id] });
  await vote(ada, ids[2]);
  await vote(bob, ids[1]);
  await vote(cyd, ids[0]);
  await vote(ada, ids[0]);
  await vote(ada, ids[2]);
  await table.saved(ada, "close_poll");
  // A tie of three: in the order in which they first appear.
  assert.deepEqual(
    cyd.document.results.map(({ nominationID }) => nominationID),
    [ids[2], ids[1], ids[0]],
  );
  table.leave();
});
