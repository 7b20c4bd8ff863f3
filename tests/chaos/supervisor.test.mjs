// SPDX-License-Identifier: MIT
// kill -9 of the supervisor: its children end by themselves and cleanly, the next start ends a
// Redis that outlived it, and the people come back into the polls that they were in.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settled } from "../clients/support/player.mjs";
import { System, isAlive } from "../clients/support/system.mjs";
import { eventually } from "../clients/support/wait.mjs";
import { Crowd, GRACE_MS } from "./chaos.mjs";

const env = { ROLLCALL_PRESENCE_GRACE_MS: String(GRACE_MS) };

describe("kill -9 of the supervisor", () => {
  test("children stop, a new start takes everything up", async () => {
    const system = await System.start({ env, gateways: 2, actors: 2 });
    try {
      const crowd = await Crowd.start(system, 10, { reconnection: true });
      const { redis, ...rest } = await system.pids();
      const { generation } = await system.status();
      system.main.kill("SIGKILL");
      await system.exited;
      await eventually(() => !Object.values(rest).some(isAlive), "the end of actors and gateways");
      system.assertClean();
      crowd.redis.close();
      await system.launch();
      assert.ok((await system.status()).generation > generation, "an old roster");
      const pids = await system.pids();
      assert.notEqual(pids.redis, redis);
      assert.ok(!isAlive(redis), "the old Redis still runs");
      await Promise.all(crowd.players.map((player) => player.when((me) => me.live, "return")));
      crowd.redis = await system.redis();
      await settled(crowd.redis, crowd.poll, crowd.players);
      await crowd.lively();
      crowd.end();
      await system.stop();
    } finally {
      await system.dispose();
    }
  });

  test("killed in the middle of its start, and then of its stop", async () => {
    const system = await System.start({ env });
    try {
      system.main.kill("SIGINT");
      system.main.kill("SIGKILL");
      await system.exited;
      const starting = system.launch();
      await Promise.race([starting, eventually(() => system.strays().length > 2, "children")]);
      system.main.kill("SIGKILL");
      await starting.catch(() => {});
      await system.exited;
      await system.launch();
      await eventually(async () => system.strays().length === 4, "one of each, no more");
      await system.stop();
      assert.deepEqual(system.strays(), []);
    } finally {
      await system.dispose();
    }
  });
});
