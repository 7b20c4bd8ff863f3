// SPDX-License-Identifier: MIT
// Stock Socket.IO clients of two ages join and leave, and each sees it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { io44, io48 } from "./support/packages.mjs";
import { Player, settled } from "./support/player.mjs";
import { claims, create, join } from "./support/rest.mjs";
import { System } from "./support/system.mjs";

const ids = (players) => players.map(({ id }) => id).sort();

for (const [version, io] of [
  ["4.4", io44],
  ["4.8", io48],
]) {
  for (const updates of [undefined, "patch"]) {
    describe(`socket.io-client ${version}, ${updates ?? "full"}`, () => {
      let system;
      let redis;
      before(async () => {
        system = await System.start({ env: { ROLLCALL_PRESENCE_GRACE_MS: "1500" } });
        redis = await system.redis();
      });
      after(async () => {
        redis?.close();
        await system?.end();
      });
      const options = { io, updates };

      test("three join, one leaves, each sees it", async () => {
        const { poll, accessToken } = await create(system.url, { topic: "Lunch", name: "Ada" });
        const ada = new Player(system.url, accessToken, options);
        await ada.sees(["Ada"]);
        assert.deepEqual(ada.document.participants, { [ada.id]: "Ada" });
        assert.equal(ada.document.adminID, ada.id);
        const bob = await Player.join(system.url, poll.id, "Bob", options);
        const cyd = await Player.join(system.url, poll.id, "Cyd", options);
        const all = [ada, bob, cyd];
        await Promise.all(all.map((player) => player.sees(["Ada", "Bob", "Cyd"])));
        const stored = await settled(redis, poll.id, all);
        assert.deepEqual(Object.keys(stored.participants).sort(), ids(all));
        bob.leave();
        await Promise.all([ada.sees(["Ada", "Cyd"]), cyd.sees(["Ada", "Cyd"])]);
        await settled(redis, poll.id, [ada, cyd]);
        for (const player of all) {
          assert.deepEqual(player.violations, []);
          if (updates) assert.ok(player.documents === 1, `${player.documents} full documents`);
          else assert.equal(player.patches, 0);
        }
        ada.leave();
        cyd.leave();
      });

      test("two tabs are one participant, one tab may go", async () => {
        const { poll, accessToken } = await create(system.url, { name: "Ada" });
        const ada = new Player(system.url, accessToken, options);
        const { accessToken: bobs } = await join(system.url, poll.id, "Bob");
        const tabs = [new Player(system.url, bobs, options), new Player(system.url, bobs, options)];
        await Promise.all([ada, ...tabs].map((player) => player.sees(["Ada", "Bob"])));
        const version = ada.document.version;
        tabs[0].leave();
        // What the leaving tab may have caused comes before what Cyd causes.
        const cyd = await Player.join(system.url, poll.id, "Cyd", options);
        await Promise.all([ada, tabs[1], cyd].map((player) => player.sees(["Ada", "Bob", "Cyd"])));
        assert.equal(ada.document.version, version + 1);
        assert.equal(tabs[1].document.version, version + 1);
        tabs[1].leave();
        await Promise.all([ada, cyd].map((player) => player.sees(["Ada", "Cyd"])));
        for (const player of [ada, cyd, ...tabs]) assert.deepEqual(player.violations, []);
        ada.leave();
        cyd.leave();
      });

      test("leaving and coming back with the same token", async () => {
        const { poll, accessToken } = await create(system.url, { name: "Ada" });
        const ada = new Player(system.url, accessToken, options);
        const { accessToken: bobs } = await join(system.url, poll.id, "Bob");
        const bob = new Player(system.url, bobs, options);
        await ada.sees(["Ada", "Bob"]);
        bob.leave();
        await ada.sees(["Ada"]);
        bob.socket.connect();
        await Promise.all([ada.sees(["Ada", "Bob"]), bob.sees(["Ada", "Bob"])]);
        assert.deepEqual([...ada.violations, ...bob.violations], []);
        assert.equal(claims(bobs).pollID, poll.id);
        ada.leave();
        bob.leave();
      });

      test("a lost socket stays listed for the grace time", async () => {
        const { poll, accessToken } = await create(system.url, { name: "Ada" });
        const ada = new Player(system.url, accessToken, options);
        const bob = await Player.join(system.url, poll.id, "Bob", options);
        await Promise.all([ada, bob].map((player) => player.sees(["Ada", "Bob"])));
        const lost = performance.now();
        bob.socket.io.engine.transport.ws._socket.destroy();
        await ada.sees(["Ada"]);
        const stayed = performance.now() - lost;
        assert.ok(stayed > 1300, `gone after ${stayed} ms, not after the grace time`);
        assert.deepEqual([...ada.violations, ...bob.violations], []);
        ada.leave();
      });

      test("names that need care arrive as they were sent", async () => {
        const names = [
          "한국어 이름",
          "\u{1F600}".repeat(25),
          '"\\/\b\f\u0000<>&',
          "__proto__",
          "   ",
        ];
        const { poll, accessToken } = await create(system.url, { name: names[0] });
        const players = [new Player(system.url, accessToken, options)];
        for (const name of names.slice(1)) {
          players.push(await Player.join(system.url, poll.id, name, options));
        }
        await Promise.all(players.map((player) => player.sees(names)));
        for (const player of players) {
          assert.deepEqual(player.violations, []);
          player.leave();
        }
      });
    });
  }
}
