// SPDX-License-Identifier: MIT
// Whole polls over every transport of the stock clients, with a gateway that dies in the middle.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PacketSocket, Polling, forgotten } from "./support/echo.mjs";
import { io40, io44, io46, io48 } from "./support/packages.mjs";
import { Player } from "./support/player.mjs";
import { create, join } from "./support/rest.mjs";
import { System, counted } from "./support/system.mjs";
import { Table } from "./support/table.mjs";
import { eventually } from "./support/wait.mjs";

const TRANSPORTS = {
  default: ["polling", "websocket"],
  "polling only": ["polling"],
  "websocket only": ["websocket"],
  "the original's": ["websocket", "polling"],
};

let system;
before(async () => {
  system = await System.start();
});
after(() => system?.end());

const transportOf = (player) => player.socket.io.engine.transport.name;

// The next moment at which everybody is at the table again, with what was saved.
const whole = (table) =>
  Promise.all(
    table.players.map((player) =>
      eventually(
        () =>
          player.live &&
          player.document?.rev === table.admin.document?.rev &&
          Object.keys(player.document.participants).length === table.players.length,
        `${player.name} to be back`,
      ),
    ),
  );

async function play(table, interrupt) {
  const ids = await table.nominations();
  await interrupt?.();
  const [ada, bob, cyd] = table.players;
  await table.saved(ada, "start_vote");
  for (const [player, rankings] of [
    [ada, [ids[0], ids[1]]],
    [bob, [ids[1]]],
    [cyd, [ids[1], ids[0]]],
  ]) {
    await table.saved(player, "submit_rankings", { rankings });
    await player.when((me) => me.ballot?.join() === rankings.join(), "its own ballot");
  }
  await table.refused(bob, ["close_poll"], "Unauthorized", "Admin privileges required");
  await table.saved(ada, "close_poll");
  for (const player of table.players) {
    assert.deepEqual(
      player.document.results.map(({ nominationText }) => nominationText),
      ["Rice", "Soup"],
    );
    assert.deepEqual(player.violations, []);
  }
}

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  for (const [version, io] of [
    ["4.0", io40],
    ["4.4", io44],
    ["4.6", io46],
    ["4.8", io48],
  ]) {
    for (const updates of [undefined, "patch"]) {
      test(`${name}, ${version}, ${updates ?? "full"}: a whole poll`, async () => {
        const table = await Table.open(system.url, undefined, {}, { io, transports, updates });
        const moved = async () => {
          const last = transports.length > 1 ? "websocket" : transports[0];
          for (const player of table.players) {
            await eventually(() => transportOf(player) === last, `${player.name} on ${last}`);
          }
        };
        await play(table, moved);
        table.leave();
      });
    }
  }
}

test("all transports at one table", async () => {
  const kinds = Object.values(TRANSPORTS);
  const table = await Table.open(system.url, undefined, {}, (i) => ({ transports: kinds[i] }));
  await play(table);
  table.leave();
});

describe("endings over polling", () => {
  const options = { transports: ["polling"] };

  test("removed: the update, then io server disconnect, and refused from then on", async () => {
    const table = await Table.open(system.url, undefined, {}, options);
    const [ada, bob, cyd] = table.players;
    await ada.ask("remove_participant", { id: bob.id });
    await bob.when((me) => me.disconnects.length > 0, "the end");
    assert.deepEqual(bob.disconnects, ["io server disconnect"]);
    await cyd.sees(["Ada", "Cyd"]);
    const again = new Player(system.url, bob.token, options);
    assert.equal(await again.refused(), "Removed from the poll");
    table.leave();
  });

  test("cancelled: poll_cancelled, then io server disconnect", async () => {
    const table = await Table.open(system.url, undefined, {}, options);
    table.admin.socket.emit("cancel_poll");
    for (const player of table.players) {
      await player.when((me) => me.disconnects.length > 0, "the end");
      assert.deepEqual(player.cancels, [[]]);
      assert.deepEqual(player.disconnects, ["io server disconnect"]);
    }
  });

  test("who leaves is gone at once; who is lost, later", async () => {
    const table = await Table.open(system.url, undefined, {}, options);
    const [ada, bob] = table.players;
    const begun = performance.now();
    bob.leave();
    await ada.sees(["Ada", "Cyd"]);
    assert.ok(performance.now() - begun < 5000, "not after the grace time");
    table.leave();
  });

  test("a GET that breaks off is a lost client: it has its grace time", async () => {
    const { poll, accessToken } = await create(system.url, { name: "Ada" });
    const ada = new Player(system.url, accessToken, options);
    await ada.joined();
    const { accessToken: token } = await join(system.url, poll.id, "Bob");
    const bob = await Polling.open(system.url, "/socket.io/");
    await bob.send(`0/polls,${JSON.stringify({ token })}`);
    assert.match(await bob.text(), /^0\/polls,/);
    await ada.sees(["Ada", "Bob"]);
    const controller = new AbortController();
    const get = bob.request("GET", undefined, { signal: controller.signal }).catch(() => {});
    await eventually(async () => counted(await system.status(), "sessions_polling") > 1, "Bob");
    const begun = performance.now();
    controller.abort();
    await get;
    await ada.sees(["Ada"]);
    assert.ok(performance.now() - begun > 5000, "after the grace time");
    ada.leave();
  });
});

test("polling: messages before the join are bounded", async () => {
  const session = await Polling.open(system.url, "/socket.io/");
  assert.equal(await session.post(`40/polls,{"token":"${"x".repeat(4096)}"}`), "413 ");
  const { accessToken: token } = await create(system.url, { name: "Ada" });
  assert.equal(await session.send(`0/polls,${JSON.stringify({ token })}`), "200 ok");
  // The acceptance and the first document: one answer if they come in one turn.
  assert.match(await session.text(), /^0\/polls,\{"sid"/);
  assert.match(await session.text(), /^2\/polls,\["poll_updated",\{/);
  // Now it is known: its messages may be large.
  const text = "y".repeat(50000);
  assert.equal(await session.send(`2/polls,["nominate",{"text":"${text}"}]`), "200 ok");
  assert.match(await session.text(), /exception/);
  await session.post("1");
});

test("a slow poller gets the newest document, not all of them", async () => {
  const { poll, accessToken } = await create(system.url, { name: "Ada" });
  const ada = new Player(system.url, accessToken);
  await ada.joined();
  const { accessToken: token } = await join(system.url, poll.id, "Bob");
  const bob = await Polling.open(system.url, "/socket.io/");
  await bob.send(`0/polls,${JSON.stringify({ token })}`);
  assert.match(await bob.text(), /^0\/polls,/);
  assert.match(await bob.text(), /poll_updated/);
  for (let i = 0; i < 5; i++) await ada.ask("nominate", { text: `text ${i}` });
  const answer = await bob.get();
  assert.equal(answer.split("\x1e").length, 1);
  const [, document] = JSON.parse(answer.slice(answer.indexOf("[")));
  assert.equal(Object.keys(document.nominations).length, 5);
  await bob.post("1");
  ada.leave();
});

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  test(`${name}: the gateway is killed in the middle of a poll`, async () => {
    const options = { transports, reconnection: true };
    const table = await Table.open(system.url, undefined, {}, options);
    await play(table, async () => {
      const before = await system.killChild("gateway");
      await system.whole(before);
      await eventually(
        () => table.players.every((player) => player.disconnects.length > 0),
        "everybody to notice",
      );
      await whole(table);
    });
    table.leave();
  });
}

test("no log tells the id of a session, whatever happens to it", async () => {
  const talkative = await System.start({ gateways: 2, env: { ROLLCALL_LOG_LEVEL: "debug" } });
  try {
    const sids = [];
    const open = async () => {
      const session = await Polling.open(talkative.url, "/socket.io/");
      sids.push(session.sid);
      return session;
    };
    const bad = await open();
    assert.equal(await bad.post("4nonsense"), "400 ");
    await forgotten(bad);
    const overlapping = await open();
    const gets = [overlapping.get(), overlapping.get()];
    assert.deepEqual((await Promise.all(gets)).sort(), ["200 1", "400 "]);
    const moving = await open();
    const socket = await PacketSocket.open(talkative.url, "/socket.io/", `&sid=${moving.sid}`);
    socket.send("2probe");
    assert.equal(await socket.next(), "3probe");
    socket.send("5");
    socket.send("40/nope,");
    assert.equal(await socket.next(), '44/nope,{"message":"Invalid namespace"}');
    socket.send("4nonsense");
    await socket.end();
    const left = await open();
    assert.equal(await left.post("1"), "200 ok");
    const first = await PacketSocket.open(talkative.url, "/socket.io/");
    sids.push(JSON.parse((await first.next()).slice(1)).sid);
    first.socket.terminate();
    await talkative.stop();
    assert.match(talkative.log, /client\.bad/);
    for (const sid of sids) assert.ok(!talkative.log.includes(sid.slice(-22)), talkative.log);
  } finally {
    await talkative.dispose();
  }
});

test("/socket.io without its slash is nothing, nor is a file below it", async () => {
  for (const path of ["/socket.io", "/socket.io/socket.io.js", "/engine.io/"]) {
    const { status } = await fetch(`${system.url}${path}?EIO=4&transport=polling`);
    assert.equal(status, 404, path);
  }
});
