// SPDX-License-Identifier: MIT
// kill -9 of a gateway: the port never refuses, its users are gone after the grace time unless
// they came back, those of the other gateway notice nothing but that.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Player } from "../clients/support/player.mjs";
import { create, join } from "../clients/support/rest.mjs";
import { withSystem } from "../clients/support/system.mjs";
import { Crowd, GRACE_MS, Prober, localPort, ownerOf } from "./chaos.mjs";

const env = { ROLLCALL_PRESENCE_GRACE_MS: String(GRACE_MS) };

describe("kill -9 of a gateway", () => {
  for (const gateways of [1, 2]) {
    test(`${gateways} of them, under load, three times`, () =>
      withSystem({ env, gateways }, async (system) => {
        const crowd = await Crowd.start(system, 16, { reconnection: true });
        const prober = new Prober(system.port);
        crowd.load(3);
        for (let round = 0; round < 3; round++) {
          const killed = await system.killChild(`g${1 + (round % gateways)}`);
          await system.whole(killed);
          await crowd.visit(`after${round}`);
        }
        await crowd.stop();
        await Promise.all(crowd.players.map((player) => player.when((me) => me.live, "return")));
        await crowd.right();
        await crowd.lively();
        await prober.stop();
        assert.deepEqual(prober.refused, [], `${prober.accepted} were accepted`);
        assert.ok(prober.accepted > 50);
        crowd.end();
      }));
  }

  test("who does not come back is gone after the grace time, others never went", () =>
    withSystem({ env, gateways: 2 }, async (system) => {
      const { poll, accessToken } = await create(system.url, { name: "Ada" });
      const { g1, g2 } = await system.pids();
      const owner = (player) => ownerOf(system.port, localPort(player), [g1, g2]);
      // Until both gateways have some who come back and some who do not.
      const players = [new Player(system.url, accessToken, { reconnection: true })];
      const byOwner = new Map([
        [g1, []],
        [g2, []],
      ]);
      const full = () => [...byOwner.values()].every((list) => list.length > 4);
      for (let i = 0; i < 400 && !full(); i++) {
        const { accessToken: token } = await join(system.url, poll.id, `n${i}`);
        const player = new Player(system.url, token, { reconnection: i % 2 === 0 });
        await player.joined();
        players.push(player);
        byOwner.get(owner(player)).push(player);
      }
      const mine = byOwner.get(g1);
      const others = byOwner.get(g2);
      assert.ok(full(), `${mine.length} and ${others.length}`);
      (owner(players[0]) === g1 ? mine : others).push(players[0]);
      const returning = mine.filter((player) => player.socket.io.reconnection());
      const lost = mine.filter((player) => !player.socket.io.reconnection());
      const missing = [];
      const watcher = others[0];
      watcher.socket.on("poll_updated", ({ participants }) => {
        for (const { id, name } of [...returning, ...others]) {
          if (!Object.hasOwn(participants, id)) missing.push(name);
        }
      });
      process.kill(g1, "SIGKILL");
      const killed = performance.now();
      await Promise.all(
        returning.map((player) => player.when((me) => me.disconnects.length && me.live, "return")),
      );
      const left = players.filter((player) => !lost.includes(player)).map(({ name }) => name);
      if (lost.length) {
        await watcher.sees(left, GRACE_MS + 15_000);
        const took = performance.now() - killed;
        assert.ok(took > GRACE_MS * 0.9, `gone after ${took} ms, within the grace time`);
      }
      await Promise.all([...returning, ...others].map((player) => player.sees(left)));
      assert.deepEqual(missing, [], "who came back, or never went, was missing");
      for (const player of others) assert.deepEqual(player.disconnects, []);
      for (const player of players) {
        assert.deepEqual(player.violations, []);
        player.leave();
      }
    }));
});
