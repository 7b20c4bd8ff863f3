// SPDX-License-Identifier: MIT
// 300 people vote within a second, and processes die while people vote: every ballot that was
// acknowledged is in the poll, counted once.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SANITIZED, counted, withSystem } from "./support/system.mjs";
import { Table } from "./support/table.mjs";
import { eventually } from "./support/wait.mjs";

const VOTED_MS = SANITIZED ? 5000 : 1000;
const WEIGHTS = [1, 0.6944444444444445, 0.2962962962962962];

const names = (count) => Array.from({ length: count }, (_, i) => `p${i}`);

// Some 1 to 3 of the options, another list for each number.
function choices(ids, number) {
  const count = 1 + (number % 3);
  return Array.from({ length: count }, (_, i) => ids[(number * 7 + i * 3) % ids.length]).filter(
    (id, i, all) => all.indexOf(id) === i,
  );
}

async function start(system, count, options) {
  const table = await Table.open(system.url, names(count), { votesPerVoter: 3 }, options);
  const ids = [];
  for (let i = 0; i < 10; i++) {
    ids.push((await table.players[i].ask("nominate", { text: `Option ${i}` })).id);
  }
  await table.saved(table.admin, "start_vote");
  return { table, ids };
}

// Closes the poll; what is stored has these ballots, by user, and the results that follow.
async function verify(system, table, ballots) {
  await table.saved(table.admin, "close_poll");
  const redis = await system.redis();
  const stored = await redis.document(table.poll);
  redis.close();
  for (const [user, ballot] of ballots) assert.deepEqual(stored.rankings[user], ballot);
  assert.equal(Object.keys(stored.rankings).length, ballots.size);
  assert.deepEqual(Object.keys(stored.meta.ballotSeq).sort(), [...ballots.keys()].sort());
  // Counted by a second hand, in order of the first ballots.
  const seqs = Object.entries(stored.meta.ballotSeq).sort(([, [a]], [, [b]]) => a - b);
  assert.equal(new Set(seqs.map(([, [seq]]) => seq)).size, ballots.size, "each has a place");
  const scores = new Map();
  for (const [user] of seqs) {
    ballots.get(user).forEach((id, n) => scores.set(id, (scores.get(id) ?? 0) + WEIGHTS[n]));
  }
  const wanted = [...scores].sort(([, a], [, b]) => b - a);
  assert.deepEqual(
    table.admin.document.results.map(({ nominationID, score }) => [nominationID, score]),
    wanted,
  );
  for (const player of table.players) assert.deepEqual(player.violations, []);
  table.leave();
}

const written = async (system) => {
  const status = await system.status();
  return {
    scripts: counted(status, "scripts"),
    batches: counted(status, "batches_saved"),
  };
};

// Counters come with a beat, once a second.
async function afterBeat(system, batches) {
  return eventually(async () => {
    const now = await written(system);
    return now.batches >= batches && now;
  }, `${batches} batches in the counters`);
}

for (const processes of [1, 2]) {
  test(`300 people vote within a second, ${processes} + ${processes}`, () =>
    withSystem({ gateways: processes, actors: processes }, async (system) => {
      const { table, ids } = await start(system, 300, (i) => ({
        updates: i % 2 ? "patch" : undefined,
      }));
      const version = () => table.admin.document.version;
      const before = await afterBeat(system, version() - 1);
      const from = version();
      const ballots = new Map();
      const begun = performance.now();
      const acks = await Promise.all(
        table.players.map((player, i) => {
          const rankings = choices(ids, i);
          ballots.set(player.id, rankings);
          return player.ask("submit_rankings", { rankings });
        }),
      );
      const took = performance.now() - begun;
      for (const ack of acks) {
        assert.equal(ack.outcome, "saved");
        await table.all(ack.rev);
      }
      const batches = version() - from;
      const now = await afterBeat(system, before.batches + batches);
      const scripts = now.scripts - before.scripts;
      console.log(
        `${acks.length} ballots in ${took.toFixed(0)} ms: ${scripts} scripts, ${batches} batches`,
      );
      assert.ok(took < VOTED_MS, `took ${took} ms`);
      assert.equal(now.batches - before.batches, batches);
      assert.ok(scripts <= acks.length / 3, `${scripts} scripts for ${acks.length} ballots`);
      await verify(system, table, ballots);
    }));
}

// People vote again and again, each waits for its answer; resolves, after `until`, to the last
// ballot that each knows to be saved, and what it sent since then.
function voters(table, ids) {
  const state = { running: true, acknowledged: 0, unknown: 0, refused: 0 };
  const lane = async (player, i) => {
    const known = { saved: null, open: [] };
    for (let n = i; state.running; n += 301) {
      const rankings = choices(ids, n);
      const ack = await player.ask("submit_rankings", { rankings });
      if (ack.outcome === "saved") {
        known.saved = rankings;
        known.open = [];
        state.acknowledged++;
      } else if (ack.outcome === "unknown") {
        known.open.push(rankings);
        state.unknown++;
      } else {
        assert.equal(ack.outcome, "none", JSON.stringify(ack));
        assert.equal(ack.error.type === "Unknown" || /slow down/.test(ack.error.message), true);
        state.refused++;
        // Neither a busy loop nor a rhythm: as a person would try again.
        await new Promise((next) => setTimeout(next, 20));
      }
    }
    return [player.id, known];
  };
  const lanes = Promise.all(table.players.map(lane));
  lanes.catch(() => {});
  state.stop = async () => {
    state.running = false;
    return new Map(await lanes);
  };
  return state;
}

// Every acknowledged ballot is there, or one that its voter sent after it without being told.
async function reckon(system, table, known) {
  const redis = await system.redis();
  const stored = await redis.document(table.poll);
  redis.close();
  const ballots = new Map();
  for (const [user, { saved, open }] of known) {
    const ballot = stored.rankings[user];
    const may = [saved, ...open].map((one) => JSON.stringify(one ?? undefined));
    assert.ok(may.includes(JSON.stringify(ballot)), `${ballot} is none of ${may}`);
    if (ballot) ballots.set(user, ballot);
  }
  await verify(system, table, ballots);
}

describe("kill -9 in the middle of voting", () => {
  const env = { ROLLCALL_GATEWAY_COMMANDS_PER_S: "100000", ROLLCALL_PRESENCE_GRACE_MS: "2000" };
  for (const [victim, processes, rounds] of [
    ["actors", 1, 4],
    ["actors", 2, 4],
    ["redis", 1, 3],
    ["redis", 2, 3],
  ]) {
    test(`${victim}, ${processes} + ${processes}`, () =>
      withSystem({ env, gateways: processes, actors: processes }, async (system) => {
        const { table, ids } = await start(system, 40, (i) => ({
          updates: i % 2 ? "patch" : undefined,
        }));
        const state = voters(table, ids);
        for (let round = 0; round < rounds; round++) {
          const before = state.acknowledged;
          const some = () => state.acknowledged > before + 100;
          await eventually(some, "100 ballots acknowledged");
          // Of several, the poll's own is not known: each in turn.
          const name = victim === "actors" ? `a${1 + (round % processes)}` : victim;
          const killed = await system.killChild(name);
          await system.whole(killed);
        }
        const after = state.acknowledged;
        await eventually(() => state.acknowledged > after + 100, "ballots after the last kill");
        const known = await state.stop();
        console.log(
          `${victim}: ${state.acknowledged} acknowledged, ${state.unknown} unknown, ` +
            `${state.refused} refused over ${rounds} kills`,
        );
        for (const player of table.players) assert.deepEqual(player.disconnects, []);
        await reckon(system, table, known);
      }));
  }
});
