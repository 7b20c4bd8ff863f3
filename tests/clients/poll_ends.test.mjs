// SPDX-License-Identifier: MIT
// How it ends for somebody, or for all: kick, cancel and expiry, packet by packet, and what their
// tokens are worth afterwards.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { io44, io48 } from "./support/packages.mjs";
import { Player } from "./support/player.mjs";
import { RawWebSocket } from "./support/raw.mjs";
import { call, create, join } from "./support/rest.mjs";
import { System, withSystem } from "./support/system.mjs";
import { Table } from "./support/table.mjs";
import { eventually } from "./support/wait.mjs";

const NOT_FOUND = { statusCode: 404, message: "Poll not found", error: "Not Found" };

let system;
before(async () => {
  system = await System.start();
});
after(() => system?.end());

// A raw socket of this token that has had its first document.
async function watcher(port, token, more = {}) {
  const socket = await RawWebSocket.join(port, { token, ...more });
  assert.match(await socket.text(), /^40\/polls,/);
  assert.match(await socket.text(), /^42\/polls,\["poll_updated",/);
  return socket;
}

// All packets up to the DISCONNECT, documents and patches as [event, …args].
async function farewell(socket) {
  const events = [];
  for (;;) {
    const packet = await socket.text();
    if (packet === "2") continue;
    if (packet === "41/polls,") return events;
    assert.ok(packet.startsWith("42/polls,"), packet);
    events.push(JSON.parse(packet.slice(9)));
  }
}

// The doors of REST to one who holds a token: rejoin and GET.
async function doors(url, poll, token) {
  const rejoin = await call(url, "POST", "/polls/rejoin", { accessToken: token });
  const get = await call(url, "GET", `/polls/${poll}`, undefined, { token });
  return [rejoin, get].map(({ json }) => json);
}

for (const updates of [undefined, "patch"]) {
  test(`kick, ${updates ?? "full"}: the update, then 41, then no door is open`, async () => {
    const table = await Table.open(system.url, undefined, {}, { updates });
    const [ada, bob, cyd] = table.players;
    const ids = await table.nominations();
    await table.saved(ada, "start_vote");
    await table.saved(cyd, "submit_rankings", { rankings: [ids[0]] });
    // Another of Cyd's tabs, which tells what it is sent.
    const tab = await watcher(system.port, cyd.token, { updates });
    table.players.pop();
    const { rev } = await table.saved(ada, "remove_participant", { id: cyd.id });
    for (const one of [ada, bob]) {
      assert.deepEqual(Object.keys(one.document.participants).sort(), [ada.id, bob.id].sort());
      assert.deepEqual(one.document.rankings, {}, "the ballot is dropped");
      assert.ok(one.document.nominations[ids[2]], "the nomination stays");
      assert.deepEqual(one.violations, []);
    }
    const events = await farewell(tab);
    const [name, last] = events.at(-1);
    assert.equal(events.length, 1);
    assert.equal(name, "poll_updated");
    assert.equal(last.rev, rev);
    assert.ok(!Object.hasOwn(last.participants, cyd.id));
    await cyd.when((me) => me.disconnects.length === 1, "its end");
    assert.deepEqual(cyd.disconnects, ["io server disconnect"]);
    assert.deepEqual(cyd.exceptions, []);
    assert.deepEqual(cyd.cancels, []);

    const forbidden = {
      statusCode: 403,
      message: "Removed from the poll",
      error: "Forbidden",
    };
    assert.deepEqual(await doors(system.url, table.poll, cyd.token), [forbidden, forbidden]);
    for (const io of [io44, io48]) {
      const again = new Player(system.url, cyd.token, { io });
      assert.equal(await again.refused(), "Removed from the poll");
      again.leave();
    }
    tab.say(`40/polls,${JSON.stringify({ token: cyd.token })}`);
    assert.equal(await tab.text(), "44/polls,{\"message\":\"Removed from the poll\"}");
    // A kick is no ban: the same person comes as somebody new.
    const anew = await Player.join(system.url, table.poll, "Cyd");
    await anew.sees(["Ada", "Bob", "Cyd"]);
    anew.leave();
    tab.destroy();
    table.leave();
  });
}

test("an admin may kick itself and commands afterwards", async () => {
  const table = await Table.open(system.url, ["Ada", "Bob"]);
  const [ada, bob] = table.players;
  ada.socket.emit("remove_participant", { id: ada.id });
  await ada.when((me) => me.disconnects.length === 1, "its end");
  await bob.sees(["Bob"]);
  const again = new Player(system.url, ada.token);
  assert.equal(await again.refused(), "Removed from the poll");
  again.leave();
  table.leave();
});

for (const phase of ["open", "voting", "closed"]) {
  test(`cancel while ${phase}: poll_cancelled without argument, then 41`, async () => {
    const table = await Table.open(system.url);
    const [ada, bob] = table.players;
    const ids = await table.nominations();
    if (phase !== "open") {
      await table.saved(ada, "start_vote");
      await table.saved(bob, "submit_rankings", { rankings: [ids[0]] });
    }
    if (phase === "closed") await table.saved(ada, "close_poll");
    const sockets = [
      await watcher(system.port, bob.token),
      await watcher(system.port, bob.token, { updates: "patch" }),
    ];
    const ack = await ada.ask("cancel_poll");
    assert.equal(ack.outcome, "saved");
    assert.equal(ack.error, undefined);
    for (const socket of sockets) {
      assert.deepEqual(await farewell(socket), [["poll_cancelled"]]);
      socket.say(`40/polls,${JSON.stringify({ token: bob.token })}`);
      assert.equal(await socket.text(), "44/polls,{\"message\":\"Poll not found\"}");
      socket.destroy();
    }
    for (const player of table.players) {
      await player.when((me) => me.disconnects.length === 1, "its end");
      assert.deepEqual(player.disconnects, ["io server disconnect"]);
      assert.deepEqual(player.cancels, [[]]);
      assert.deepEqual(player.exceptions, []);
    }
    assert.deepEqual(await doors(system.url, table.poll, bob.token), [NOT_FOUND, NOT_FOUND]);
    const late = await call(system.url, "POST", "/polls/join", { pollID: table.poll, name: "D" });
    assert.deepEqual(late.json, NOT_FOUND);
    const again = new Player(system.url, bob.token);
    assert.equal(await again.refused(), "Poll not found");
    again.leave();
  });
}

test("cancel with the ballots of others on the way: what was acknowledged came first", async () => {
  const table = await Table.open(system.url);
  const [ada, bob] = table.players;
  const ids = await table.nominations();
  await table.saved(ada, "start_vote");
  const answers = [];
  for (let i = 0; i < 8; i++) {
    bob.socket.emit("submit_rankings", { rankings: [ids[i % 3]] }, (ack) => answers.push(ack));
  }
  assert.equal((await ada.ask("cancel_poll")).outcome, "saved");
  await bob.when((me) => me.disconnects.length === 1, "its end");
  assert.deepEqual(bob.cancels, [[]]);
  // What comes when the socket has left already has no answer any more.
  for (const answer of answers) {
    if (answer.outcome === "saved") continue;
    assert.deepEqual(answer.error, { type: "Unknown", message: "Poll not found" });
    assert.equal(answer.outcome, "none");
  }
});

test("expiry: an exception, poll_cancelled, then 41; afterwards nothing is there", () =>
  withSystem({ env: { POLL_DURATION: "4" } }, async (short) => {
    const { poll, accessToken } = await create(short.url, { name: "Ada" });
    const bob = await join(short.url, poll.id, "Bob");
    const sockets = [
      await watcher(short.port, accessToken),
      await watcher(short.port, bob.accessToken, { updates: "patch" }),
    ];
    const stock = [io44, io48].map((io) => new Player(short.url, bob.accessToken, { io }));
    await Promise.all(stock.map((player) => player.joined()));
    const gone = { type: "Unknown", message: "The poll has ended" };
    for (const socket of sockets) {
      const events = await farewell(socket);
      assert.ok(Math.abs(Date.now() - poll.endsAt) < 1500, `${Date.now() - poll.endsAt} ms off`);
      assert.deepEqual(events.slice(-2), [["exception", gone], ["poll_cancelled"]]);
      assert.ok(events.slice(0, -2).every(([name]) => /^poll_(updated|patched)$/.test(name)));
    }
    for (const player of stock) {
      await player.when((me) => me.disconnects.length === 1, "its end");
      assert.deepEqual(player.exceptions, [gone]);
      assert.deepEqual(player.cancels, [[]]);
      assert.deepEqual(player.disconnects, ["io server disconnect"]);
    }
    // The tokens' second has passed, too: they are worth nothing any more.
    const forbidden = {
      statusCode: 403,
      message: "Invalid authorization token",
      error: "Forbidden",
    };
    await eventually(async () => {
      const answers = await doors(short.url, poll.id, accessToken);
      return answers.every(({ statusCode }) => statusCode === 403);
    }, "tokens to expire");
    assert.deepEqual(await doors(short.url, poll.id, accessToken), [forbidden, forbidden]);
    sockets[0].say(`40/polls,${JSON.stringify({ token: accessToken })}`);
    assert.equal(await sockets[0].text(), "44/polls,{\"message\":\"FORBIDDEN\"}");
    const late = await call(short.url, "POST", "/polls/join", { pollID: poll.id, name: "Dan" });
    assert.deepEqual(late.json, NOT_FOUND);
    // The code is not given away at once: its owner record stands as a tombstone.
    const redis = await short.redis();
    assert.equal(await redis.document(poll.id), null);
    assert.match(await redis.call("GET", `own:{polls:${poll.id}}`), /:ended$/);
    redis.close();
    for (const socket of sockets) socket.destroy();
  }));

test("expiry of a poll that nobody watches, and of one whose actors were away", () =>
  withSystem({ env: { POLL_DURATION: "3" } }, async (short) => {
    const { poll } = await create(short.url, { name: "Ada" });
    const other = await create(short.url, { name: "Bob" });
    const bob = new Player(short.url, other.accessToken);
    await bob.joined();
    const killed = await short.killChild("a1");
    await short.whole(killed);
    await bob.when((me) => me.cancels.length === 1, "its end");
    assert.deepEqual(bob.exceptions, [{ type: "Unknown", message: "The poll has ended" }]);
    for (const id of [poll.id, other.poll.id]) {
      const late = await call(short.url, "POST", "/polls/join", { pollID: id, name: "Dan" });
      assert.deepEqual(late.json, NOT_FOUND);
    }
  }));
