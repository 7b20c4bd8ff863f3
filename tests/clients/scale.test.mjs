// SPDX-License-Identifier: MIT
// Several gateways on one port, without anything in front that keeps a client at one of them: each
// request of a client that polls opens a connection of its own, and so comes to any of them.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import { Native } from "./support/native.mjs";
import { io44, io48 } from "./support/packages.mjs";
import { Player } from "./support/player.mjs";
import { create, join } from "./support/rest.mjs";
import { System } from "./support/system.mjs";
import { Table } from "./support/table.mjs";
import { eventually } from "./support/wait.mjs";

const agent = () => new http.Agent({ keepAlive: false });
const polling = (io = io48) => ({ io, transports: ["polling"], agent: agent() });
const upgrading = (io = io48) => ({ io, transports: ["polling", "websocket"], agent: agent() });

let system;
const start = (gateways) => async () => {
  system = await System.start({ gateways, actors: 2 });
};
const end = () => system?.end();

async function playWhole(options) {
  const table = await Table.open(system.url, ["Ada", "Bob", "Cyd", "Dan"], {}, options);
  const ids = await table.nominations();
  await table.saved(table.admin, "start_vote");
  for (const player of table.players) {
    await table.saved(player, "submit_rankings", { rankings: [ids[1], ids[0]] });
  }
  await table.saved(table.admin, "close_poll");
  for (const player of table.players) {
    assert.equal(player.document.results[0].nominationID, ids[1]);
    assert.deepEqual(player.violations, []);
    assert.deepEqual(player.disconnects, []);
    assert.deepEqual(player.exceptions, []);
  }
  return table;
}

describe("three gateways", () => {
  before(start(3));
  after(end);

  for (const [version, io] of [
    ["4.4", io44],
    ["4.8", io48],
  ]) {
    test(`socket.io-client ${version}, polling only: a whole poll`, async () => {
      const asked = await system.neighbours("asked");
      const table = await playWhole(polling(io));
      for (const { socket } of table.players) {
        assert.equal(socket.io.engine.transport.name, "polling");
      }
      await eventually(
        async () => (await system.neighbours("asked")) > asked,
        "forwarded requests",
      );
      table.leave();
    });

    test(`socket.io-client ${version}, default transports: all of them upgrade`, async () => {
      const given = await system.neighbours("given");
      const tables = [];
      // Which gateway takes a connection is up to the system.
      while ((await system.neighbours("given")) === given) {
        tables.push(await playWhole(upgrading(io)));
        for (const { name, socket } of tables.at(-1).players) {
          await eventually(
            () => socket.io.engine.transport.name === "websocket",
            `the upgrade of ${name}`,
          );
        }
      }
      await eventually(
        async () => (await system.neighbours("given")) === (await system.neighbours("taken")),
        "all that was given to be taken",
      );
      assert.equal(await system.neighbours("not_given"), 0);
      for (const table of tables) table.leave();
    });
  }

  test("a client that goes away is noticed, whoever it hung up on", async () => {
    const table = await Table.open(system.url, ["Ada"], {}, polling());
    const guests = [];
    for (let i = 0; i < 8; i++) {
      guests.push(await Player.join(system.url, table.poll, `G${i}`, polling()));
    }
    await table.admin.sees(["Ada", ...guests.map(({ name }) => name)]);
    for (const { socket } of guests) socket.disconnect();
    await table.admin.sees(["Ada"]);
    table.leave();
  });

  test("kill -9 of a gateway: its clients come back, the others notice nothing", async () => {
    const options = { ...polling(), reconnection: true, reconnectionDelayMax: 500 };
    const names = Array.from({ length: 9 }, (_, i) => `P${i}`);
    const table = await Table.open(system.url, names, {}, options);
    const owner = ({ socket }) => socket.io.engine.id.split("-")[0];
    const owners = table.players.map(owner);
    const victim = owners[0];
    const before = await system.killChild(victim);
    await system.whole(before);
    const [id] = await table.nominations(["Soup"]);
    await table.saved(table.admin, "start_vote");
    for (const [i, player] of table.players.entries()) {
      await player.when((me) => me.live, "to be back");
      await table.saved(player, "submit_rankings", { rankings: [id] });
      if (owners[i] === victim) assert.ok(player.disconnects.length > 0, player.name);
      assert.deepEqual(player.violations, []);
    }
    table.leave();
  });
});

describe("one gateway, then three, then two", () => {
  before(start(1));
  after(end);

  test("clients that poll stay, play on, and move when theirs goes", async () => {
    const options = { ...polling(), reconnection: true, reconnectionDelayMax: 500 };
    const { poll, accessToken } = await create(system.url, {});
    const ada = new Player(system.url, accessToken, options);
    const bob = await Player.join(system.url, poll.id, "Bob", options);
    await ada.sees(["Ada", "Bob"]);

    assert.equal(await system.ctl("scale", "gateway", "3"), "gateway: 3 ready\n");
    assert.equal((await system.gateways()).length, 3);
    const more = [];
    for (let i = 0; i < 12; i++) {
      const { accessToken: token } = await join(system.url, poll.id, `P${i}`);
      more.push(new Player(system.url, token, options));
    }
    const names = ["Ada", "Bob", ...more.map(({ name }) => name)];
    await Promise.all([ada, bob, ...more].map((player) => player.sees(names)));
    for (const player of [ada, bob]) {
      assert.equal((await player.ask("nominate", { text: "Soup" })).outcome, "saved");
      assert.deepEqual(player.disconnects, []);
    }
    // Which gateway takes a connection is up to the system.
    await eventually(async () => {
      (await Player.join(system.url, poll.id, "Guest", polling())).leave();
      return (await system.neighbours("asked")) > 0;
    }, "forwarded requests");

    assert.equal(await system.ctl("scale", "gateway", "2"), "gateway: 2 ready\n");
    const left = (await system.gateways()).map(({ name }) => name);
    assert.deepEqual(left, ["g1", "g2"]);
    const all = [ada, bob, ...more];
    await Promise.all(
      all.map((player) =>
        player.when((me) => me.live && !me.socket.io.engine.id.startsWith("g3-"), "to be back"),
      ),
    );
    await Promise.all(all.map((player) => player.sees(names)));
    for (const player of all) {
      assert.deepEqual(player.violations, []);
      player.leave();
    }
  });

  test("a drained gateway sends its clients away one after the other", async () => {
    const options = { reconnection: true, reconnectionDelayMax: 500 };
    const table = await Table.open(
      system.url,
      Array.from({ length: 10 }, (_, i) => `P${i}`),
      {},
      (i) => ({ ...options, ...(i % 2 ? polling() : {}) }),
    );
    const left = [];
    for (const player of table.players) {
      player.socket.on("disconnect", () => left.push(performance.now()));
    }
    for (const name of ["g1", "g2"]) {
      assert.match(await system.ctl("drain", name, "--within-ms", "1500"), /^g\d is ready/);
    }
    // All were on one of the two; those of g1 may have gone to g2 and been sent away again.
    assert.ok(left.length >= table.players.length, `${left.length} were sent away`);
    assert.ok(Math.max(...left) - Math.min(...left) > 500, "at once");
    const names = table.players.map(({ name }) => name);
    await Promise.all(
      table.players.map((player) => player.when((me) => me.live, "to be back")),
    );
    await Promise.all(table.players.map((player) => player.sees(names)));
    table.leave();
  });
});

describe("one gateway, then three: new clients spread", () => {
  const kept = [];
  let token;
  before(async () => {
    await start(1)();
    token = (await create(system.url)).accessToken;
  });
  after(end);

  const native = () => Native.join(system.url, token);
  const sum = (counts) => counts.reduce((all, count) => all + count, 0);

  // So many more tabs of one user, a few at a time.
  async function enter(count, open) {
    let left = count;
    const some = async () => {
      while (left-- > 0) kept.push(await open());
    };
    await Promise.all(Array.from({ length: 5 }, some));
  }

  // A counter of each gateway, g1 first, once all of them add up to `all`.
  const spread = (name, all) =>
    eventually(async () => {
      const counts = (await system.gateways()).map(({ stats }) => stats.core[name]);
      return sum(counts) === all && counts;
    }, `${all} ${name}`);

  const allAccept = () =>
    eventually(
      async () => (await system.gateways()).every(({ stats }) => stats.accept),
      "all to take connections",
    );

  // Without sharing one of them had four fifths, or all. Gateways that get no processor for the
  // 2 ms that they are waited for may lose a few.
  function assertFair(counts) {
    assert.ok(Math.max(...counts) <= (sum(counts) * 2) / 3, counts.join());
  }

  test("WebSockets", async () => {
    await enter(30, native);
    await system.ctl("scale", "gateway", "3");
    await allAccept();
    await enter(90, native);
    assertFair(await spread("natives", 120));
  });

  test("kill -9: the others go on at once, the new one gets its share", async () => {
    const dead = await system.killChild("g2");
    await enter(5, native);
    const lost = dead.stats.core.natives;
    await eventually(() => kept.filter((one) => one.end).length === lost, "the end of its sockets");
    await system.whole(dead);
    await allAccept();
    await enter(lost, native);
    assertFair(await spread("natives", 125));
  });

  test("sessions that poll", async () => {
    await enter(60, async () => {
      const player = new Player(system.url, token, polling());
      await player.when((me) => me.live, "to be live");
      return player;
    });
    assertFair(await spread("sessions_polling", 60));
  });
});
