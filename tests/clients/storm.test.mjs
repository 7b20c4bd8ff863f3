// SPDX-License-Identifier: MIT
// Many join one poll at the same moment: nobody is ever shown a document without itself.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Player, settled } from "./support/player.mjs";
import { create, join } from "./support/rest.mjs";
import { withSystem } from "./support/system.mjs";

const LATE_MS = 60_000;

// Tokens first, so that the sockets come at once.
async function tokensOf(url, poll, count) {
  const tokens = [];
  for (let at = 0; at < count; at += 50) {
    const names = Array.from({ length: Math.min(50, count - at) }, (_, i) => `n${at + i}`);
    const joins = await Promise.all(names.map((name) => join(url, poll, name)));
    tokens.push(...joins.map(({ accessToken }) => accessToken));
  }
  return tokens;
}

async function storm(system, redis, count, updatesOf) {
  const { poll } = await create(system.url, { name: "Ada" });
  const tokens = await tokensOf(system.url, poll.id, count);
  const players = tokens.map(
    (token, i) => new Player(system.url, token, { updates: updatesOf(i), timeout: LATE_MS }),
  );
  await Promise.all(players.map((player) => player.joined(LATE_MS)));
  const stored = await settled(redis, poll.id, players, LATE_MS);
  assert.equal(Object.keys(stored.participants).length, count);
  const violations = players.flatMap((player) => player.violations);
  assert.deepEqual(violations.slice(0, 5), [], `${violations.length} violations`);
  for (const player of players) assert.deepEqual(player.disconnects, []);
  const left = players.splice(0, Math.floor(count / 2));
  for (const player of left) player.leave();
  await settled(redis, poll.id, players, LATE_MS);
  for (const player of players) {
    assert.deepEqual(player.violations, []);
    player.leave();
  }
}

const settings = [];
for (const processes of [1, 2]) {
  for (const write of ["direct", "orthodox"]) {
    settings.push({ gateways: processes, actors: processes, write });
  }
}

for (const setting of settings) {
  const { gateways, actors, write } = setting;
  describe(`storms, ${gateways} + ${actors} processes, ${write} writes`, () => {
    test("50, 200 and 500 joins at once", () =>
      withSystem(setting, async (system) => {
        const redis = await system.redis();
        await storm(system, redis, 50, () => undefined);
        await storm(system, redis, 50, () => "patch");
        await storm(system, redis, 200, (i) => (i % 2 ? "patch" : undefined));
        await storm(system, redis, 500, (i) => (i % 2 ? "patch" : undefined));
        redis.close();
      }));
  });
}

test("two polls' storms at once do not mix", () =>
  withSystem({ gateways: 2, actors: 2 }, async (system) => {
    const redis = await system.redis();
    await Promise.all([
      storm(system, redis, 100, () => undefined),
      storm(system, redis, 100, () => "patch"),
      storm(system, redis, 100, (i) => (i % 2 ? "patch" : undefined)),
    ]);
    redis.close();
  }));
