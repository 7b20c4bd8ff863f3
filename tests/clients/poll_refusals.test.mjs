// SPDX-License-Identifier: MIT
// Everything that a poll refuses, as it is said: `exception` to who asked alone, the same in the
// acknowledgement, and nothing changes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { io44, io48 } from "./support/packages.mjs";
import { Player } from "./support/player.mjs";
import { join } from "./support/rest.mjs";
import { System, counted } from "./support/system.mjs";
import { Table } from "./support/table.mjs";
import { eventually } from "./support/wait.mjs";

const NOT_ADMIN = ["Unauthorized", "Admin privileges required"];
const SHORT = "text must be longer than or equal to 1 characters";
const LONG = "text must be shorter than or equal to 100 characters";
const BOTH = "text must be longer than or equal to 1 and shorter than or equal to 100 characters";
const STRING = "text must be a string";
const STARTED = (what) => `The vote has started: options can not be ${what} any more`;
const NOWHERE = "One of the ranked options does not exist";

let system;
before(async () => {
  system = await System.start({
    env: { ROLLCALL_GATEWAY_COMMANDS_PER_S: "1000", ROLLCALL_POLL_NOMINATIONS_MAX: "7" },
  });
});
after(() => system?.end());

const adminEvents = (table) => [
  ["remove_nomination", { id: "AAAAAAAA" }],
  ["remove_participant", { id: table.players[2].id }],
  ["start_vote"],
  ["close_poll"],
  ["cancel_poll"],
];

for (const [version, io] of [
  ["4.4", io44],
  ["4.8", io48],
]) {
  test(`socket.io-client ${version}: each event in each phase`, async () => {
    const table = await Table.open(system.url, undefined, {}, { io });
    const [ada, bob] = table.players;
    const bad = (player, event, message) => table.refused(player, event, "BadRequest", message);
    const unauthorized = async () => {
      for (const event of adminEvents(table)) await table.refused(bob, event, ...NOT_ADMIN);
    };
    // Open.
    await unauthorized();
    await bad(ada, ["start_vote"], "Add at least one option before the vote starts");
    const ids = await table.nominations();
    await bad(ada, ["submit_rankings", { rankings: [ids[0]] }], "The vote has not started yet");
    await bad(ada, ["close_poll"], "The vote has not started yet");
    // Voting.
    await table.saved(ada, "start_vote");
    await unauthorized();
    await bad(bob, ["nominate", { text: "Late" }], STARTED("added"));
    await bad(ada, ["remove_nomination", { id: ids[0] }], STARTED("removed"));
    const rank = (rankings) => ["submit_rankings", { rankings }];
    await bad(bob, rank([]), "Rank at least one option");
    await bad(bob, rank([ids[0], ids[1], ids[2]]), "Rank at most 2 options");
    await bad(bob, rank([ids[0], "AAAAAAAA"]), NOWHERE);
    await bad(bob, rank(["constructor"]), NOWHERE);
    await bad(bob, rank(["__proto__", "toString"]), NOWHERE);
    await bad(bob, rank([null]), NOWHERE);
    await bad(bob, rank([1]), NOWHERE);
    await bad(bob, rank([[ids[0]]]), NOWHERE);
    for (const wrong of [null, 5, true, ids[0], { 0: ids[0] }, undefined]) {
      await bad(bob, rank(wrong), "rankings must be a list of options");
    }
    const noList = "rankings must be a list of options";
    for (const wrong of [[], [null], [[ids[0]]], ["x"], [7]]) {
      await bad(bob, ["submit_rankings", ...wrong], noList);
    }
    await bad(bob, [...rank([ids[0]]), { more: 1 }], noList);
    // A long list of repeats is one ballot.
    const many = Array.from({ length: 500 }, (_, i) => ids[i % 2]);
    const ack = await table.saved(bob, ...rank(many));
    assert.deepEqual(ack.ballot, [ids[0], ids[1]]);
    // Closed.
    await table.saved(ada, "close_poll");
    await unauthorized();
    await bad(bob, ["nominate", { text: "Late" }], STARTED("added"));
    await bad(ada, ["remove_nomination", { id: ids[0] }], STARTED("removed"));
    await bad(ada, ["remove_participant", { id: bob.id }], "The poll is closed");
    await bad(ada, ["start_vote"], "The poll is closed");
    await bad(bob, rank([ids[2]]), "The poll is closed: your ranking was not counted");
    // The very ballot that was counted is saved.
    const same = await bob.ask(...rank([ids[0], ids[1]]));
    assert.equal(same.outcome, "saved");
    table.leave();
  });
}

test("nominate: the original's words for each wrong payload", async () => {
  const table = await Table.open(system.url, ["Ada", "Bob"]);
  const [, bob] = table.players;
  const wrong = [
    [[], [SHORT, STRING]],
    [[null], [SHORT, STRING]],
    [[5], [SHORT, STRING]],
    [["Soup"], [SHORT, STRING]],
    [[true], [SHORT, STRING]],
    [[["Soup"]], [SHORT, STRING]],
    [[{}], [SHORT, STRING]],
    [[{ text: null }], [SHORT, STRING]],
    [[{ text: "" }], [SHORT]],
    [[{ text: 0 }], [SHORT, STRING]],
    [[{ text: false }], [SHORT, STRING]],
    [[{ text: 5 }], [BOTH, STRING]],
    [[{ text: true }], [BOTH, STRING]],
    [[{ text: {} }], [BOTH, STRING]],
    [[{ text: [] }], [SHORT, STRING]],
    [[{ text: "x".repeat(101) }], [LONG]],
    [[{ text: "\u{1f35c}".repeat(101) }], [LONG]],
    [[{ text: "Soup" }, { text: "Rice" }], [SHORT, STRING]],
    [[{ text: "Soup" }, "more", 3], [SHORT, STRING]],
  ];
  for (const [args, message] of wrong) {
    await table.refused(bob, ["nominate", ...args], "BadRequest", message);
  }
  await eventually(
    async () => counted(await system.status(), "commands_refused") >= wrong.length,
    "refused commands to be counted",
  );
  // 100 characters are 100, whatever they are made of; nothing is trimmed.
  for (const text of ["x".repeat(100), "\u{1f35c}".repeat(100), " ", "\u0000"]) {
    const { id } = await table.saved(bob, "nominate", { text, extra: [1, { deep: null }] });
    assert.deepEqual(bob.document.nominations[id], { userID: bob.id, text });
  }
  table.leave();
});

test("ids that are none of ours", async () => {
  const table = await Table.open(system.url);
  const [ada] = table.players;
  for (const event of ["remove_nomination", "remove_participant"]) {
    for (const args of [[], [null], [{}], [{ id: null }], [{ id: 7 }], [{ id: ["x"] }], ["x"]]) {
      await table.refused(ada, [event, ...args], "BadRequest", "id must be a string");
    }
    const rev = ada.document.rev;
    for (const id of ["", "*", "$..*", "a.b['c']", "__proto__", "x".repeat(50_000), "\u0000"]) {
      assert.deepEqual(await ada.ask(event, { id }), { outcome: "saved", rev });
    }
  }
  table.leave();
});

test("as many nominations as there may be", async () => {
  const table = await Table.open(system.url);
  const [ada, bob] = table.players;
  for (let i = 0; i < 5; i++) await table.saved(ada, "nominate", { text: `Soup ${i}` });
  const own = "You have added as many options as you may";
  await table.refused(ada, ["nominate", { text: "Soup" }], "BadRequest", own);
  const { id } = await table.saved(bob, "nominate", { text: "Rice" });
  await table.saved(bob, "nominate", { text: "Bread" });
  const all = "This poll has as many options as it may have";
  await table.refused(bob, ["nominate", { text: "Soup" }], "BadRequest", all);
  // Room again.
  await table.saved(ada, "remove_nomination", { id });
  await table.saved(bob, "nominate", { text: "Tea" });
  table.leave();
});

test("the event `test` of the article, and events that nobody knows", async () => {
  const table = await Table.open(system.url);
  const [, bob] = table.players;
  await table.refused(bob, ["test"], "BadRequest", "plain ol");
  await table.refused(bob, ["test", { any: "thing" }, 2], "BadRequest", "plain ol");
  const unknown = ["vote", "Nominate", "poll_updated", "exception", "", "__proto__", "start_poll"];
  const before = counted(await system.status(), "unknown_events");
  for (const event of unknown) bob.socket.emit(event, { text: "x" }, () => assert.fail(event));
  await eventually(
    async () => counted(await system.status(), "unknown_events") >= before + unknown.length,
    "unknown events to be counted",
  );
  assert.ok(bob.live);
  assert.equal(bob.exceptions.length, 2);
  table.leave();
});

test("a poll that is full", async () => {
  const small = await System.start({ env: { ROLLCALL_POLL_PARTICIPANTS_MAX: "3" } });
  try {
    const table = await Table.open(small.url);
    const { accessToken } = await join(small.url, table.poll, "Dan");
    const dan = new Player(small.url, accessToken);
    assert.equal(await dan.refused(), "The poll is full");
    dan.leave();
    // Who is in may come with a second tab; who leaves makes room.
    const tab = new Player(small.url, table.players[1].token);
    await tab.joined();
    tab.leave();
    table.players.pop().leave();
    await table.admin.sees(["Ada", "Bob"]);
    const again = new Player(small.url, accessToken);
    await again.sees(["Ada", "Bob", "Dan"]);
    again.leave();
    table.leave();
    await small.stop();
  } finally {
    await small.dispose();
  }
});
