// SPDX-License-Identifier: MIT
// A poll whose commands make actors crash, or hang: after two deaths it is in quarantine, and
// everybody else is served, before and after. Needs programs with fault points.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Player } from "./support/player.mjs";
import { call, join } from "./support/rest.mjs";
import { withSystem } from "./support/system.mjs";
import { Table } from "./support/table.mjs";
import { eventually } from "./support/wait.mjs";

const skip = process.env.ROLLCALL_FAULT_POINTS === "1" ? false : "programs without fault points";
const HUNG_MS = 60_000;

// A poll of a chosen code: the test is a gateway for it.
async function createPoll(system, name, poll) {
  const event = {
    type: "CREATE",
    poll,
    req: 1,
    topic: "Poison",
    votes: 2,
    admin: "admin-admin-admin-adm",
    endsAt: Date.now() + 600_000,
    nonce: "nonce",
  };
  const answer = await system.ctl("send", name, JSON.stringify(event), "--count", "1");
  assert.match(answer, /"outcome":"saved"/);
}

const quarantined = async (system) => (await system.status()).quarantined;

// The poll is shut, whatever one asks of it.
async function assertShut(system, poll, player) {
  const refused = await call(system.url, "POST", "/polls/join", { pollID: poll, name: "Late" });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get("retry-after"), "1");
  const tab = new Player(system.url, player.token);
  await tab.when((me) => me.disconnects.length + me.refusals.length > 0, "to be turned away");
  assert.equal(tab.document, null);
  tab.leave();
}

test("a poll that crashes actors is shut after two crashes", { skip }, () =>
  withSystem({ env: { ROLLCALL_FAULTS: "core.abort.P0SN22" } }, async (system) => {
    const table = await Table.open(system.url);
    await createPoll(system, "a1", "P0SN22");
    const { accessToken } = await join(system.url, "P0SN22", "Eve");
    const eve = new Player(system.url, accessToken);
    await eve.joined();
    // The gateway sends it once more when actors have died of it: that is the second time.
    const ack = await eve.ask("nominate", { text: "Hemlock" });
    assert.equal(ack.error.type, "Unknown");
    await eventually(async () => (await quarantined(system)).length, "the quarantine");
    assert.deepEqual(await quarantined(system), ["P0SN22"]);
    assert.match(await system.ctl("status"), /Poll in quarantine: P0SN22/);
    assert.match(system.log, /child\.poison.*child=a1 poll=P0SN22 in=nominate quarantined=0/);
    assert.match(system.log, /child\.poison.*child=a1 poll=P0SN22 in=nominate quarantined=1/);

    // The others have lost nothing, and go on.
    await table.nominations();
    await table.saved(table.admin, "start_vote");
    const other = await Table.open(system.url);
    for (const one of [...table.players, ...other.players]) {
      assert.deepEqual(one.violations, []);
      assert.deepEqual(one.disconnects, []);
    }
    const { restarts } = await system.child("a1");
    assert.equal(restarts, 2);
    await assertShut(system, "P0SN22", eve);
    assert.equal((await system.child("a1")).restarts, 2);
    await other.nominations();
    eve.leave();
    table.leave();
    other.leave();

    // It outlives Rollcall, until somebody lets the poll out.
    system.main.kill("SIGKILL");
    await system.exited;
    await system.launch();
    assert.deepEqual(await quarantined(system), ["P0SN22"]);
    await assertShut(system, "P0SN22", eve);
    assert.match(await system.ctl("release", "P0SN22"), /P0SN22: out of quarantine/);
    assert.deepEqual(await quarantined(system), []);
    const late = await Player.join(system.url, "P0SN22", "Late");
    await late.joined();
    late.leave();
  }));

test("a poll whose slot goes to another process crashes that one, too, and is shut", { skip }, () =>
  withSystem(
    { actors: 2, gateways: 2, env: { ROLLCALL_FAULTS: "core.abort.P0SN22" } },
    async (system) => {
      const tables = [await Table.open(system.url), await Table.open(system.url)];
      await createPoll(system, "a1", "P0SN22");
      const { accessToken } = await join(system.url, "P0SN22", "Eve");
      const eve = new Player(system.url, accessToken);
      await eve.joined();
      await eve.ask("nominate", { text: "Hemlock" });
      await eventually(async () => {
        if ((await quarantined(system)).length) return true;
        eve.socket.emit("nominate", { text: "Hemlock" });
        return false;
      }, "the quarantine");
      for (const table of tables) {
        await table.nominations();
        for (const one of table.players) assert.deepEqual(one.disconnects, []);
        table.leave();
      }
      await assertShut(system, "P0SN22", eve);
      eve.leave();
    },
  ));

test("a poll that makes actors hang is shut after they were killed twice", { skip }, () =>
  withSystem({ env: { ROLLCALL_FAULTS: "core.hang.HANG22" } }, async (system) => {
    const table = await Table.open(system.url);
    await createPoll(system, "a1", "HANG22");
    const { accessToken } = await join(system.url, "HANG22", "Eve");
    const eve = new Player(system.url, accessToken, { reconnection: true });
    await eve.joined();
    eve.socket.emit("nominate", { text: "Rope" });
    const shut = async () => (await quarantined(system)).includes("HANG22");
    await eventually(
      async () => {
        if (await shut()) return true;
        if (eve.live) eve.socket.emit("nominate", { text: "Rope" });
        return false;
      },
      "the quarantine",
      HUNG_MS,
      500,
    );
    assert.match(system.log, /child\.poison.*poll=HANG22 in=nominate quarantined=1/);
    await eventually(async () => (await system.child("a1")).state === "ready", "actors ready");
    await table.nominations();
    for (const one of table.players) assert.deepEqual(one.disconnects, []);
    await assertShut(system, "HANG22", eve);
    eve.leave();
    table.leave();
  }));
