// SPDX-License-Identifier: MIT
// kill -9 of Redis: no join that was shown is lost, and those of the outage are answered when it
// is back or refused with a reason.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Player, settled } from "../clients/support/player.mjs";
import { call, create, join } from "../clients/support/rest.mjs";
import { withSystem } from "../clients/support/system.mjs";
import { during, eventually } from "../clients/support/wait.mjs";
import { Crowd, GRACE_MS } from "./chaos.mjs";

const env = { ROLLCALL_PRESENCE_GRACE_MS: String(GRACE_MS) };

describe("kill -9 of Redis", () => {
  test("under load, three times", () =>
    withSystem({ env, actors: 2 }, async (system) => {
      const crowds = [await Crowd.start(system, 10), await Crowd.start(system, 10)];
      for (const crowd of crowds) crowd.load(3);
      for (let round = 0; round < 3; round++) {
        const killed = await system.killChild("redis");
        const answers = await Promise.all(
          crowds.map(async (crowd) => {
            // Its token is from before, or the poll is loaded: either way an answer comes.
            const answer = await call(system.url, "POST", "/polls/join", {
              pollID: crowd.poll,
              name: "Outage",
            });
            return answer.status;
          }),
        );
        for (const status of answers) assert.ok([201, 503].includes(status), `status ${status}`);
        await system.whole(killed);
        await Promise.all(crowds.map((crowd) => crowd.visit(`after${round}`)));
      }
      for (const crowd of crowds) {
        await crowd.stop();
        crowd.redis.close();
        crowd.redis = await system.redis();
        await crowd.right();
        await crowd.lively();
        assert.deepEqual(
          crowd.players.flatMap((player) => player.disconnects),
          [],
        );
        assert.ok(crowd.outcomes.joined > 5, JSON.stringify(crowd.outcomes));
        crowd.end();
      }
    }));

  test("what was shown is saved, whenever it dies", () =>
    withSystem({ env }, async (system) => {
      const { poll, accessToken } = await create(system.url, { name: "Ada" });
      const players = [new Player(system.url, accessToken)];
      await players[0].joined();
      const tokens = [];
      for (let i = 0; i < 60; i++) tokens.push(await join(system.url, poll.id, `n${i}`));
      const waiting = tokens.map((one) => new Player(system.url, one.accessToken));
      // In the middle of the storm: some are shown by now, some are not.
      await Promise.race(waiting.map((player) => player.joined()));
      const killed = await system.killChild("redis");
      const shown = new Map(Object.entries(players[0].document.participants));
      await system.whole(killed);
      await Promise.all(
        waiting.map((player) =>
          player.when((me) => me.document || me.refusals.length, "an answer"),
        ),
      );
      players.push(...waiting);
      const redis = await system.redis();
      const stored = await settled(redis, poll.id, players);
      for (const [id, name] of shown) assert.equal(stored.participants[id], name);
      for (const player of players) {
        assert.deepEqual(player.violations, []);
        player.leave();
      }
      redis.close();
    }));

  test("while it is stopped nothing is shown that is not saved, sockets stay", () =>
    withSystem({ env }, async (system) => {
      const crowd = await Crowd.start(system, 4);
      const { accessToken } = await join(system.url, crowd.poll, "Late");
      const { pid } = await system.child("redis");
      process.kill(pid, "SIGSTOP");
      const late = new Player(system.url, accessToken);
      await eventually(() => late.socket.io.engine.readyState === "open", "an open transport");
      const versions = crowd.players.map(({ document }) => document.version);
      // A silent store counts as down after two seconds: both sides of that are looked at.
      await during(3000, 50, () => {
        assert.equal(late.document, null);
        assert.deepEqual(
          crowd.players.map(({ document }) => document.version),
          versions,
        );
      });
      process.kill(pid, "SIGCONT");
      await late.when((me) => me.document || me.refusals.length, "an answer");
      if (late.document) crowd.players.push(late);
      await crowd.right();
      assert.deepEqual(
        crowd.players.flatMap((player) => player.disconnects),
        [],
      );
      late.leave();
      crowd.end();
    }));

  test("a create and a first load during the outage", () =>
    withSystem({ env }, async (system) => {
      const { poll } = await create(system.url, { name: "Ada" });
      const killed = await system.killChild("redis");
      const [made, read] = await Promise.all([
        call(system.url, "POST", "/polls", { topic: "T", votesPerVoter: 1, name: "N" }),
        call(system.url, "POST", "/polls/join", { pollID: poll.id, name: "Bob" }),
      ]);
      for (const answer of [made, read]) {
        assert.ok([201, 503].includes(answer.status), `${answer.status} ${answer.text}`);
        if (answer.status === 503) {
          assert.equal(answer.headers.get("retry-after"), "1");
          assert.equal(answer.json.statusCode, 503);
        }
      }
      await system.whole(killed);
      await create(system.url, { name: "Bea" });
      await join(system.url, poll.id, "Cyd");
    }));
});
