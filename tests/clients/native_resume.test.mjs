// SPDX-License-Identifier: MIT
// Who comes back over /ws with a rev gets what it missed and nothing else.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ENCODINGS, Native } from "./support/native.mjs";
import { create, join } from "./support/rest.mjs";
import { withSystem } from "./support/system.mjs";

const env = { ROLLCALL_PRESENCE_GRACE_MS: "60000" };

// Everything that this client was sent up to now: an answer comes behind it.
const quiet = (one) => one.ask("ping", undefined, "quiet").then(() => one.frames);

async function pair(system, asked) {
  const { poll, accessToken } = await create(system.url, { name: "Ada" });
  const ada = await Native.join(system.url, accessToken, { asked });
  const { accessToken: token } = await join(system.url, poll.id, "Bob");
  const bob = await Native.join(system.url, token, { asked });
  for (const one of [ada, bob]) await one.sees(["Ada", "Bob"]);
  const back = (document) => Native.join(system.url, token, { asked, document });
  return { ada, bob, token, back };
}

const events = (one) => one.frames.map(({ event }) => event);

for (const asked of ENCODINGS) {
  describe(`coming back, ${asked}`, () => {
    test("current: nothing follows joined; behind: exactly the patches that are missing", () =>
      withSystem({ env }, async (system) => {
        const { ada, bob, back } = await pair(system, asked);
        await bob.lose();
        const same = await back(bob.document);
        await quiet(same);
        assert.deepEqual(events(same), ["joined", "pong"]);
        assert.equal(same.joined.data.rev, bob.document.rev);
        await same.lose();

        for (const text of ["Soup", "Rice", "Oats"]) await ada.saved("nominate", { text });
        const late = await back(bob.document);
        await quiet(late);
        assert.deepEqual(events(late), ["joined", "patch", "patch", "patch", "pong"]);
        assert.deepEqual(late.document, ada.document);
        assert.deepEqual(late.violations, []);
        assert.equal(late.frames[1].data.from, bob.document.rev);
        assert.equal(late.frames[3].data.to, late.joined.data.rev);

        // In the middle.
        const middle = await back({ ...bob.document, rev: late.frames[1].data.to });
        await quiet(middle);
        assert.deepEqual(events(middle), ["joined", "patch", "patch", "pong"]);
        await Promise.all([ada, late, middle].map((one) => one.leave()));
      }));

    test("a rev of another history, of the future, or none at all: the whole document", () =>
      withSystem({ env }, async (system) => {
        const { ada, bob, back } = await pair(system, asked);
        await ada.saved("nominate", { text: "Soup" });
        const { document } = bob;
        const [version, chain] = document.rev.split("-");
        const other = chain.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
        for (const rev of [
          `${version}-${other}`,
          `${Number(version) + 50}-${chain}`,
          `1-${chain}`,
          "nonsense",
          7,
          "",
        ]) {
          const one = await back({ ...document, rev, version: 0 });
          await quiet(one);
          assert.deepEqual(events(one), ["joined", "snapshot", "pong"], `rev ${rev}`);
          assert.deepEqual(one.document, ada.document);
          await one.lose();
        }
        await ada.leave();
        await bob.leave();
      }));

    test("who was unlisted meanwhile never sees a document without itself", () =>
      withSystem({ env }, async (system) => {
        const { ada, bob, back } = await pair(system, asked);
        await bob.leave();
        await ada.sees(["Ada"]);
        const again = await back(bob.document);
        await quiet(again);
        assert.deepEqual(events(again), ["joined", "snapshot", "pong"]);
        assert.deepEqual(again.violations, []);
        await ada.reaches(again.document.rev);
        assert.deepEqual(again.document, ada.document);
        await ada.leave();
        await again.leave();
      }));

    test("a ballot of another tab meanwhile is told besides the patches", () =>
      withSystem({ env }, async (system) => {
        const { ada, bob, token, back } = await pair(system, asked);
        const { id } = await ada.saved("nominate", { text: "Soup" });
        await ada.saved("start_vote");
        await bob.reaches(ada.document.rev);
        await bob.lose();
        const tab = await Native.join(system.url, token, { asked });
        await tab.saved("submit_rankings", { rankings: [id] });
        const late = await back(bob.document);
        await quiet(late);
        assert.deepEqual(events(late).sort(), ["ballot", "joined", "patch", "pong"]);
        assert.deepEqual(late.ballot, [id]);
        const current = await back(tab.document);
        await quiet(current);
        assert.deepEqual(events(current), ["joined", "pong"]);
        await Promise.all([ada, tab, late, current].map((one) => one.leave()));
      }));

    test("kill -9 of actors: who is current gets no byte, sockets stay", () =>
      withSystem({ env }, async (system) => {
        const { ada, bob } = await pair(system, asked);
        const before = [ada, bob].map((one) => one.ws._socket.bytesRead);
        await system.whole(await system.killChild("actors"));
        const { rev } = ada.document;
        const { id } = await ada.saved("nominate", { text: "Soup" });
        await bob.when((me) => me.document.nominations[id], "Soup");
        // One ack and one patch to her, one patch to him: nothing else.
        assert.deepEqual(events(ada).slice(-2).sort(), ["ack", "patch"]);
        assert.deepEqual(
          [ada, bob].map((one) => one.count("snapshot") + one.count("joined")),
          [2, 2],
        );
        const patch = bob.frames.at(-1);
        assert.equal(patch.data.from, rev);
        assert.ok(bob.ws._socket.bytesRead - before[1] <= patch.bytes + 4);
        assert.deepEqual([...ada.violations, ...bob.violations], []);
        await ada.leave();
        await bob.leave();
      }));

    test("kill -9 of a gateway: back with the rev, nothing follows if it is current", () =>
      withSystem({ env }, async (system) => {
        const { ada, bob, back } = await pair(system, asked);
        const killed = await system.killChild("gateway");
        assert.equal((await bob.closed()).code, 1006);
        await ada.closed();
        await system.whole(killed);
        const again = await back(bob.document);
        await quiet(again);
        assert.deepEqual(events(again), ["joined", "pong"]);
        assert.deepEqual(again.violations, []);
        await again.leave();
      }));
  });
}
