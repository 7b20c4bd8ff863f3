// SPDX-License-Identifier: MIT
// Whole polls over /ws, frame by frame, in both encodings, beside stock Socket.IO clients.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ENCODINGS, JSON_V1, Native } from "./support/native.mjs";
import { Player } from "./support/player.mjs";
import { create, join } from "./support/rest.mjs";
import { System } from "./support/system.mjs";

let system;
before(async () => {
  system = await System.start();
});
after(() => system?.end());

const without = ({ bytes, taken, ...frame }) => frame;

for (const asked of ENCODINGS) {
  describe(asked, () => {
    const options = { asked };
    const enter = async (poll, name) =>
      Native.join(system.url, (await join(system.url, poll.id, name)).accessToken, options);

    test("joined, snapshot, patch, ack: each frame to the word", async () => {
      const { poll, accessToken } = await create(system.url, { topic: "Lunch ☕", name: "Ada" });
      const ada = await Native.join(system.url, accessToken, options);
      assert.equal(ada.ws.protocol, asked);
      const snapshot = await ada.next("snapshot");
      const { document } = snapshot.data;
      assert.deepEqual(without(ada.joined), {
        event: "joined",
        id: "j",
        data: { user: ada.id, poll: poll.id, rev: document.rev },
      });
      const { version, rev } = document;
      const wanted = { ...poll, participants: { [ada.id]: "Ada" }, version, rev };
      assert.deepEqual(without(snapshot), { event: "snapshot", data: { document: wanted } });
      assert.equal(ada.frames.length, 2);

      const ack = await ada.ask("nominate", { text: "Soup" }, 7);
      const patch = await ada.next("patch");
      const to = ack.data.rev;
      const { id } = ack.data;
      const data = { outcome: "saved", rev: to, id };
      assert.deepEqual(without(ack), { event: "ack", id: 7, data });
      assert.deepEqual(without(patch), {
        event: "patch",
        data: {
          from: rev,
          to,
          patch: {
            nominations: { [id]: { userID: ada.id, text: "Soup" } },
            version: version + 1,
            rev: to,
          },
        },
      });
      await ada.leave();
      assert.deepEqual(ada.violations, []);
    });

    test("a whole poll, also for those who speak Socket.IO", async () => {
      const { poll, accessToken } = await create(system.url, { name: "Ada", votesPerVoter: 2 });
      const ada = await Native.join(system.url, accessToken, options);
      const bob = await enter(poll, "Bob");
      const cyd = await Player.join(system.url, poll.id, "Cyd", { updates: "patch" });
      const dan = await enter(poll, "Dan");
      for (const one of [ada, bob, cyd, dan]) await one.sees(["Ada", "Bob", "Cyd", "Dan"]);

      const soup = (await ada.saved("nominate", { text: "Soup" })).id;
      const rice = (await bob.saved("nominate", { text: "Rice" })).id;
      const oats = (await dan.saved("nominate", { text: "Oats" })).id;
      await ada.saved("remove_nomination", { id: oats });
      await ada.saved("remove_participant", { id: dan.id });
      assert.deepEqual((await dan.next("ended")).data, { why: "removed" });
      assert.deepEqual(await dan.closed(), { code: 4004, reason: "removed" });

      await ada.saved("start_vote");
      const vote = await bob.saved("submit_rankings", { rankings: [rice, soup] });
      assert.deepEqual(vote.ballot, [rice, soup]);
      assert.deepEqual((await bob.next("ballot")).data, { ballot: [rice, soup] });
      await ada.saved("submit_rankings", { rankings: [soup] });
      await cyd.ask("submit_rankings", { rankings: [soup] });
      await bob.when((me) => Object.keys(me.document.rankings).length === 3, "three ballots");
      // Nobody else's ballot shows, nor the own one in the document.
      const hidden = { [ada.id]: [], [bob.id]: [], [cyd.id]: [] };
      assert.deepEqual(bob.document.rankings, hidden);

      await ada.saved("close_poll");
      await bob.when((me) => me.document.state === "closed", "results");
      assert.equal(bob.document.results[0].nominationID, soup);
      await cyd.when((me) => me.document.state === "closed", "results");
      assert.deepEqual(bob.document.results, cyd.document.results);
      const answer = await ada.ask("cancel_poll");
      assert.equal(answer.data.outcome, "saved");
      for (const one of [ada, bob]) {
        assert.deepEqual((await one.next("ended")).data, { why: "cancelled" });
        assert.deepEqual(await one.closed(), { code: 4003, reason: "cancelled" });
        assert.deepEqual(one.violations, []);
        assert.equal(one.count("snapshot"), 1);
      }
      assert.deepEqual(cyd.violations, []);
    });

    test("a second tab hears of the ballot, a later one gets it with its snapshot", async () => {
      const { poll, accessToken } = await create(system.url, { name: "Ada" });
      const tabs = [
        await Native.join(system.url, accessToken, options),
        await Native.join(system.url, accessToken, options),
      ];
      const soup = (await tabs[0].saved("nominate", { text: "Soup" })).id;
      await tabs[0].saved("start_vote");
      await tabs[0].saved("submit_rankings", { rankings: [soup] });
      for (const tab of tabs) {
        assert.deepEqual((await tab.next("ballot")).data, { ballot: [soup] });
      }
      const late = await Native.join(system.url, accessToken, options);
      const { ballot, document } = (await late.next("snapshot")).data;
      assert.deepEqual(ballot, [soup]);
      assert.deepEqual(document.rankings, { [late.id]: [] });
      const bob = await enter(poll, "Bob");
      assert.equal((await bob.next("snapshot")).data.ballot, undefined);
      for (const tab of [...tabs, late, bob]) await tab.leave();
    });

    test("refusals name the request, or nothing if it had no name", async () => {
      const { poll, accessToken } = await create(system.url, { name: "Ada" });
      const ada = await Native.join(system.url, accessToken, options);
      const bob = await enter(poll, "Bob");
      const admin = await bob.ask("start_vote", undefined, "an id");
      assert.deepEqual(without(admin), {
        event: "error",
        id: "an id",
        data: { type: "Unauthorized", message: "Admin privileges required", outcome: "none" },
      });
      bob.say({ event: "start_vote" });
      assert.deepEqual(without(await bob.next("error")), {
        event: "error",
        data: { type: "Unauthorized", message: "Admin privileges required", outcome: "none" },
      });
      const short = await ada.ask("nominate", { text: "" });
      assert.deepEqual(short.data, {
        type: "BadRequest",
        message: ["text must be longer than or equal to 1 characters"],
        outcome: "none",
      });
      const unknown = await ada.ask("explode", { a: 1 }, -5);
      assert.deepEqual(unknown.data, {
        type: "BadRequest",
        message: "Unknown event",
        outcome: "none",
      });
      // Without an id a success is told by its patch alone.
      ada.say({ event: "nominate", data: { text: "Soup" } });
      await bob.when((me) => Object.keys(me.document.nominations).length, "Soup");
      await ada.ask("ping", undefined, "p");
      assert.equal(ada.count("ack"), 0);
      assert.deepEqual(ada.frames.filter(({ id }) => id === "p").map(without), [
        { event: "pong", id: "p" },
      ]);
      await ada.leave();
      await bob.leave();
    });

    test("what is asked before joined is held, eight of it", async () => {
      const { accessToken } = await create(system.url, { name: "Ada" });
      const ada = await Native.open(system.url, options);
      ada.say({ event: "join", id: "j", data: { token: accessToken } });
      for (let i = 0; i < 9; i++) ada.say({ event: "nominate", id: i, data: { text: `n${i}` } });
      await ada.when(() => ada.frames.filter(({ id }) => Number.isInteger(id)).length === 9, "all");
      const answers = ada.frames.filter(({ id }) => Number.isInteger(id));
      const busy = answers.filter(({ data }) => /busy/.test(data.message));
      const saved = answers.filter(({ event }) => event === "ack");
      // At most five of one user's are taken; how many were held depends on when it was joined.
      assert.equal(saved.length, 5);
      assert.ok(busy.length <= 1);
      await ada.leave();
    });

    test("leave, and close(), take the participant out at once", async () => {
      const { poll, accessToken } = await create(system.url, { name: "Ada" });
      const ada = await Native.join(system.url, accessToken, options);
      const bob = await enter(poll, "Bob");
      const cyd = await enter(poll, "Cyd");
      await ada.sees(["Ada", "Bob", "Cyd"]);
      bob.say({ event: "leave" });
      assert.deepEqual(await bob.closed(), { code: 1000, reason: "left" });
      await ada.sees(["Ada", "Cyd"]);
      await cyd.leave();
      await ada.sees(["Ada"]);
      await ada.leave();
    });

    test("texts that need care arrive as they were sent", async () => {
      const { accessToken } = await create(system.url, { name: "한국어 이름" });
      const ada = await Native.join(system.url, accessToken, options);
      const texts = ["\u{1F600}".repeat(50), '"\\/\b\f\u0000<>&', "__proto__", "a\nb"];
      for (const text of texts) await ada.saved("nominate", { text });
      const shown = Object.values(ada.document.nominations).map(({ text }) => text);
      assert.deepEqual(shown.sort(), [...texts].sort());
      assert.deepEqual(Object.values(ada.document.participants), ["한국어 이름"]);
      await ada.leave();
    });

    test("a document of more than one fragment, to those who come one by one", async () => {
      const { poll, accessToken } = await create(system.url, { name: "Ada" });
      const ada = await Native.join(system.url, accessToken, options);
      const tokens = await Promise.all(
        Array.from({ length: 300 }, (_, i) =>
          join(system.url, poll.id, `${"\u{1F34E}".repeat(22)}${i}`),
        ),
      );
      const all = await Promise.all(
        tokens.map((one) => Native.join(system.url, one.accessToken, options)),
      );
      for (const one of [ada, ...all]) {
        await one.when((me) => Object.keys(me.document?.participants ?? {}).length === 301, "all");
        assert.deepEqual(one.violations, []);
        assert.equal(one.count("snapshot"), 1);
        assert.deepEqual(one.document, ada.document);
      }
      await Promise.all(all.map((one) => one.leave()));
      await ada.sees(["Ada"]);
      await ada.leave();
    });
  });
}

test("a storm of changes is one patch after the other", async () => {
  const { poll, accessToken } = await create(system.url, { name: "Ada" });
  const ada = await Native.join(system.url, accessToken, { asked: JSON_V1 });
  const tokens = await Promise.all(
    Array.from({ length: 40 }, (_, i) => join(system.url, poll.id, `n${i}`)),
  );
  const all = await Promise.all(tokens.map((one) => Native.join(system.url, one.accessToken)));
  await Promise.all(all.map((one) => one.saved("nominate", { text: one.name })));
  await ada.when((me) => Object.keys(me.document.nominations).length === 40, "forty");
  assert.deepEqual(ada.violations, []);
  assert.equal(ada.count("snapshot"), 1);
  await Promise.all([ada, ...all].map((one) => one.leave()));
});
