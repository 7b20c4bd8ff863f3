// SPDX-License-Identifier: MIT
// kill -9 of actors: no socket notices, the list is right again within a second, and who is
// current gets no byte for it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Player } from "../clients/support/player.mjs";
import { RawWebSocket } from "../clients/support/raw.mjs";
import { create, join } from "../clients/support/rest.mjs";
import { withSystem } from "../clients/support/system.mjs";
import { Crowd, GRACE_MS, WHOLE_MS } from "./chaos.mjs";

const env = { ROLLCALL_PRESENCE_GRACE_MS: String(GRACE_MS) };

for (const processes of [1, 2]) {
  describe(`kill -9 of actors, ${processes} + ${processes}`, () => {
    test("under load: sockets stay, documents right", () =>
      withSystem({ env, gateways: processes, actors: processes }, async (system) => {
        const crowds = [await Crowd.start(system, 12), await Crowd.start(system, 12)];
        for (const crowd of crowds) crowd.load(3);
        for (let round = 0; round < 3; round++) {
          const name = `a${1 + (round % processes)}`;
          const killed = await system.killChild(name);
          await system.whole(killed);
          await Promise.all(crowds.map((crowd) => crowd.visit(`after${round}`)));
        }
        for (const crowd of crowds) {
          await crowd.stop();
          await crowd.right();
          await crowd.lively();
          const drops = crowd.players.flatMap((player) => player.disconnects);
          assert.deepEqual(drops, [], "sockets of those who stay were closed");
          assert.ok(crowd.outcomes.joined > 5, JSON.stringify(crowd.outcomes));
          crowd.end();
        }
      }));
  });
}

test("the list is right again within a second", () =>
  withSystem({ env }, async (system) => {
    const crowd = await Crowd.start(system, 20);
    const { accessToken } = await join(system.url, crowd.poll, "Late");
    await system.killChild("a1");
    const killed = performance.now();
    const late = new Player(system.url, accessToken);
    await late.joined();
    crowd.players.push(late);
    await crowd.right();
    const took = performance.now() - killed;
    assert.ok(took < WHOLE_MS, `took ${took} ms`);
    console.log(`right again ${took.toFixed(0)} ms after kill -9`);
    crowd.end();
  }));

test("who is current gets no byte", () =>
  withSystem({ env }, async (system) => {
    const { poll, accessToken } = await create(system.url, { name: "Ada" });
    const full = await RawWebSocket.join(system.port, { token: accessToken });
    await full.text();
    await full.text();
    const bob = await join(system.url, poll.id, "Bob");
    const patched = await RawWebSocket.join(system.port, {
      token: bob.accessToken,
      updates: "patch",
    });
    await patched.text();
    const { rev } = JSON.parse((await patched.text()).slice(9))[1];
    await full.text();
    const received = [full.received, patched.received];
    const killed = await system.killChild("a1");
    await system.whole(killed);
    // A join behind it shows that SYNC is through: each gets one frame, for that join.
    const cyd = await Player.join(system.url, poll.id, "Cyd");
    await cyd.sees(["Ada", "Bob", "Cyd"]);
    const document = JSON.parse((await full.text()).slice(9))[1];
    const [event, { from, to }] = JSON.parse((await patched.text()).slice(9));
    assert.equal(event, "poll_patched");
    assert.equal(from, rev);
    assert.equal(to, document.rev);
    assert.equal(full.bytes.length + patched.bytes.length, 0);
    assert.ok(patched.received - received[1] < 300, "more than one patch");
    assert.ok(full.received - received[0] < JSON.stringify(document).length + 60, "more than one");
    cyd.leave();
    full.destroy();
    patched.destroy();
  }));

test("a join in flight when actors die is answered", () =>
  withSystem({ env }, async (system) => {
    const { poll, accessToken } = await create(system.url, { name: "Ada" });
    const ada = new Player(system.url, accessToken);
    await ada.joined();
    const tokens = await Promise.all(
      Array.from({ length: 40 }, (_, i) => join(system.url, poll.id, `n${i}`)),
    );
    const players = tokens.map(
      (one, i) => new Player(system.url, one.accessToken, { updates: i % 2 ? "patch" : undefined }),
    );
    await system.killChild("a1");
    await Promise.all(players.map((player) => player.joined()));
    for (const player of [ada, ...players]) {
      await player.sees(["Ada", ...players.map(({ name }) => name)]);
      assert.deepEqual(player.violations, []);
      assert.deepEqual(player.disconnects, []);
      player.leave();
    }
  }));
