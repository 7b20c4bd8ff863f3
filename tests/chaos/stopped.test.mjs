// SPDX-License-Identifier: MIT
// A process that is stopped for three seconds and goes on: as after a pause of the machine.
// Whatever was decided about it in the meantime, in the end there is one truth, and everybody
// sees it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withSystem } from "../clients/support/system.mjs";
import { during } from "../clients/support/wait.mjs";
import { Crowd, GRACE_MS } from "./chaos.mjs";

const env = { ROLLCALL_PRESENCE_GRACE_MS: String(GRACE_MS) };
const STOPPED_MS = 3000;

async function stopped(system, pid) {
  process.kill(pid, "SIGSTOP");
  await during(STOPPED_MS, 100, () => {});
  try {
    process.kill(pid, "SIGCONT");
  } catch (error) {
    // It was given up and killed in the meantime, which is as good.
    if (error.code !== "ESRCH") throw error;
  }
}

describe("SIGSTOP for three seconds", () => {
  for (const name of ["a1", "g1", "redis", "supervisor"]) {
    test(name, () =>
      withSystem({ env, gateways: 2, actors: 2 }, async (system) => {
        const crowds = [
          await Crowd.start(system, 8, { reconnection: true }),
          await Crowd.start(system, 8, { reconnection: true }),
        ];
        const pid = name === "supervisor" ? system.main.pid : (await system.child(name)).pid;
        for (const crowd of crowds) crowd.load(2);
        await stopped(system, pid);
        for (const crowd of crowds) {
          await crowd.stop();
          await Promise.all(crowd.players.map((player) => player.when((me) => me.live, "return")));
          crowd.redis.close();
          crowd.redis = await system.redis();
          await crowd.right();
          await crowd.lively();
          if (name !== "g1") {
            assert.deepEqual(
              crowd.players.flatMap((player) => player.disconnects),
              [],
            );
          }
          crowd.end();
        }
      }),
    );
  }
});
