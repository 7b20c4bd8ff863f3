// SPDX-License-Identifier: MIT
// Stock Socket.IO clients of two ages play whole polls: exact documents and acknowledgements.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MEMBERS } from "./support/document.mjs";
import { io44, io48 } from "./support/packages.mjs";
import { Player } from "./support/player.mjs";
import { call, join } from "./support/rest.mjs";
import { System } from "./support/system.mjs";
import { Table } from "./support/table.mjs";

let system;
let redis;
before(async () => {
  system = await System.start();
  redis = await system.redis();
});
after(async () => {
  redis?.close();
  await system?.end();
});

async function play(table) {
  const [ada, bob, cyd] = table.players;
  const expected = {
    id: table.poll,
    topic: "Lunch",
    votesPerVoter: 2,
    participants: { [ada.id]: "Ada", [bob.id]: "Bob", [cyd.id]: "Cyd" },
    nominations: {},
    rankings: {},
    results: [],
    adminID: ada.id,
    hasStarted: false,
    state: "open",
    endsAt: table.created.endsAt,
  };
  table.expect(expected);
  assert.deepEqual(Object.keys(ada.document), MEMBERS);

  // What they nominate, the text as it was written.
  const texts = ["Soup", "<b>Rice</b> \u0000 \u{1f35a}", "  "];
  const ids = await table.nominations(texts);
  ids.forEach((id, i) => {
    assert.match(id, /^[A-Za-z][A-Za-z0-9_-]{7}$/);
    expected.nominations[id] = { userID: table.players[i].id, text: texts[i] };
  });
  table.expect(expected);

  const removal = await table.saved(ada, "remove_nomination", { id: ids[2] });
  assert.deepEqual(Object.keys(removal), ["outcome", "rev"]);
  delete expected.nominations[ids[2]];
  table.expect(expected);
  // Its target is gone already: saved, and nothing changes.
  assert.equal((await ada.ask("remove_nomination", { id: ids[2] })).rev, removal.rev);

  const start = await table.saved(ada, "start_vote");
  Object.assign(expected, { hasStarted: true, state: "voting" });
  table.expect(expected);
  assert.equal((await ada.ask("start_vote")).rev, start.rev);

  // Ballots are secret: that one has voted shows, its choices only to itself.
  const vote = async (player, rankings, ballot = rankings) => {
    const ack = await table.saved(player, "submit_rankings", { rankings });
    assert.deepEqual(ack, { outcome: "saved", rev: ack.rev, ballot });
    expected.rankings[player.id] = [];
    await player.when((me) => me.ballot?.join() === ballot.join(), "its own ballot");
    table.expect(expected);
    return ack;
  };
  await vote(ada, [ids[0], ids[1]]);
  await vote(bob, [ids[0]]);
  // The original's own page may send [a,a,b] after [a,b]: repeats are dropped.
  await vote(cyd, [ids[1], ids[1], ids[0]], [ids[1], ids[0]]);
  // Bob changes his mind; the same again changes nothing.
  const changed = await vote(bob, [ids[1]]);
  assert.equal((await bob.ask("submit_rankings", { rankings: [ids[1]] })).rev, changed.rev);

  const close = await table.saved(ada, "close_poll");
  expected.state = "closed";
  expected.results = [
    { nominationID: ids[1], nominationText: texts[1], score: 2.5625 },
    { nominationID: ids[0], nominationText: "Soup", score: 1.5625 },
  ];
  table.expect(expected);
  assert.equal((await ada.ask("close_poll")).rev, close.rev);
  return { expected, ids };
}

for (const [version, io] of [
  ["4.4", io44],
  ["4.8", io48],
]) {
  for (const options of [
    {},
    { updates: "patch" },
  ]) {
    test(`socket.io-client ${version}, ${options.updates ?? "full"}: a whole poll`, async () => {
      const table = await Table.open(system.url, undefined, {}, { io, ...options });
      const { expected, ids } = await play(table);
      for (const player of table.players) assert.deepEqual(player.exceptions, []);
      const stored = await redis.document(table.poll);
      assert.deepEqual(stored.results, expected.results);
      assert.deepEqual(Object.values(stored.rankings), [
        [ids[0], ids[1]],
        [ids[1]],
        [ids[1], ids[0]],
      ]);
      // Everyone may leave now and stays listed; a late one may watch.
      const late = await Player.join(system.url, table.poll, "Dan", { io, ...options });
      await late.sees(["Ada", "Bob", "Cyd", "Dan"]);
      assert.deepEqual(late.document.results, expected.results);
      late.leave();
      table.leave();
    });
  }
}

test("a poll of the original's clients: nobody asks for acknowledgements", async () => {
  const table = await Table.open(system.url, undefined, {}, { io: io44 });
  const [ada, bob] = table.players;
  const seen = (check, what) => Promise.all(table.players.map((one) => one.when(check, what)));
  ada.socket.emit("nominate", { text: "Soup" });
  bob.socket.emit("nominate", { text: "Rice" });
  await seen((me) => Object.keys(me.document.nominations).length === 2, "two nominations");
  const [first, second] = Object.keys(ada.document.nominations);
  ada.socket.emit("start_vote");
  await seen((me) => me.document.hasStarted, "the start");
  ada.socket.emit("submit_rankings", { rankings: [first, second] });
  bob.socket.emit("submit_rankings", { rankings: [second] });
  await seen((me) => Object.keys(me.document.rankings).length === 2, "two ballots");
  ada.socket.emit("close_poll");
  await seen((me) => me.document.results.length === 2, "the results");
  assert.deepEqual(
    ada.document.results.map(({ score }) => score),
    [1.5625, 1],
  );
  table.leave();
});

test("ballots are in no document of somebody else, by any door", async () => {
  const table = await Table.open(system.url);
  const ids = await table.nominations();
  const [ada, bob, cyd] = table.players;
  await table.saved(ada, "start_vote");
  await table.saved(bob, "submit_rankings", { rankings: [ids[2], ids[0]] });
  const secret = { [bob.id]: [] };
  const joined = await join(system.url, table.poll, "Dan");
  assert.deepEqual(joined.poll.rankings, secret);
  const rejoin = await call(system.url, "POST", "/polls/rejoin", { accessToken: cyd.token });
  assert.deepEqual(rejoin.json.rankings, secret);
  const get = await call(system.url, "GET", `/polls/${table.poll}`, undefined, {
    token: ada.token,
  });
  assert.deepEqual(get.json.rankings, secret);
  const dan = new Player(system.url, joined.accessToken, { updates: "patch" });
  await dan.joined();
  assert.deepEqual(dan.document.rankings, secret);
  await table.saved(ada, "close_poll");
  assert.deepEqual(ada.document.rankings, secret);
  dan.leave();
  table.leave();
});

for (const updates of [undefined, "patch"]) {
  test(`${updates ?? "full"}: a voter's ballot is in its own tabs, now and later`, async () => {
    const table = await Table.open(system.url, undefined, {}, { updates });
    const ids = await table.nominations();
    const [ada, bob] = table.players;
    await table.saved(ada, "start_vote");
    const tab = new Player(system.url, bob.token, { updates });
    await tab.joined();
    const mine = (count) => (me) => me.document.rankings[bob.id]?.length === count;
    await bob.ask("submit_rankings", { rankings: [ids[1]] });
    await Promise.all([bob, tab].map((one) => one.when(mine(1), "the ballot")));
    // Changed in the other tab.
    await tab.ask("submit_rankings", { rankings: [ids[1], ids[0]] });
    await Promise.all([bob, tab].map((one) => one.when(mine(2), "the new ballot")));
    // A tab that comes later, and after the end.
    const later = new Player(system.url, bob.token, { updates });
    await later.joined();
    assert.deepEqual(later.document.rankings, { [bob.id]: [ids[1], ids[0]] });
    await table.saved(ada, "close_poll");
    const last = new Player(system.url, bob.token, { updates });
    await last.joined();
    assert.deepEqual(last.document.rankings, { [bob.id]: [ids[1], ids[0]] });
    assert.deepEqual(ada.document.rankings, { [bob.id]: [] });
    for (const one of [...table.players, tab, later, last]) {
      assert.deepEqual(one.violations, []);
      one.leave();
    }
  });
}

describe("ballots: open", () => {
  for (const updates of [undefined, "patch"]) {
    test(`everybody sees them, ${updates ?? "full"}`, async () => {
      const creation = { ballots: "open" };
      const table = await Table.open(system.url, undefined, creation, { updates });
      const ids = await table.nominations();
      const [ada, bob, cyd] = table.players;
      await table.saved(ada, "start_vote");
      await table.saved(bob, "submit_rankings", { rankings: [ids[2], ids[0]] });
      for (const one of table.players) {
        assert.deepEqual(one.document.rankings, { [bob.id]: [ids[2], ids[0]] });
      }
      await table.saved(bob, "submit_rankings", { rankings: [ids[1]] });
      assert.deepEqual(cyd.document.rankings, { [bob.id]: [ids[1]] });
      const { poll } = await join(system.url, table.poll, "Dan");
      assert.deepEqual(poll.rankings, { [bob.id]: [ids[1]] });
      table.leave();
    });
  }
});
