// SPDX-License-Identifier: MIT
// The test is a gateway of a real rollcall-actors on a real RedisJSON: what comes over the link, in
// which order, and what is in the store by then.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MEMBERS } from "../clients/support/document.mjs";
import { FakeGateway, freshId, freshPoll } from "../clients/support/fake_gateway.mjs";
import { Parent, Stage, Store } from "../clients/support/process.mjs";
import { eventually } from "../clients/support/wait.mjs";

const GRACE_MS = 1500;

describe("actors", () => {
  let stage;
  let store;
  let parent;
  let actors;
  const gateways = [];

  before(async () => {
    stage = new Stage();
    store = await Store.start(stage);
    parent = await Parent.start(stage);
    actors = await parent.startActors(store, "a1", {
      ROLLCALL_PRESENCE_GRACE_MS: String(GRACE_MS),
      ROLLCALL_PRESENCE_RELOAD_MS: "400",
    });
  });
  after(async () => {
    for (const gateway of gateways) {
      gateway.close();
      assert.deepEqual(gateway.violations, [], gateway.name);
    }
    const end = await stage.end(actors, "SIGTERM");
    await stage.dispose();
    assert.deepEqual(end, { code: 0, signal: null }, actors.log);
  });

  // A gateway that the actors know of.
  async function gateway(name) {
    const opened = await FakeGateway.open(actors.endpoint, name);
    gateways.push(opened);
    parent.gateways.set(Number(name.slice(1)), { inc: opened.inc, endpoint: "" });
    await parent.roster();
    return opened;
  }

  const stored = (poll) => store.redis.document(poll);

  test("CREATE saves the document before it is answered", async () => {
    const g = await gateway("g1");
    const { poll, admin, endsAt, nonce, reply } = await g.create({ topic: "Mittag \u{1F35C}" });
    assert.equal(reply.outcome, "saved");
    const document = await stored(poll);
    assert.deepEqual(
      { ...document, meta: undefined },
      {
        id: poll,
        topic: "Mittag \u{1F35C}",
        votesPerVoter: 2,
        participants: {},
        nominations: {},
        rankings: {},
        results: [],
        adminID: admin,
        hasStarted: false,
        meta: undefined,
      },
    );
    assert.equal(document.meta.version, 1);
    assert.match(document.meta.rev, /^1-[0-9a-f]{16}$/);
    assert.equal(document.meta.endsAt, endsAt);
    assert.equal(document.meta.nonce, nonce);
    const left = await store.redis.call("PTTL", `polls:${poll}`);
    assert.ok(
      left > endsAt - Date.now() && left < endsAt - Date.now() + 61_000,
      `lives ${left} ms`,
    );
  });

  test("the same CREATE again is the same poll, another nonce is TAKEN", async () => {
    const g = gateways[0];
    const first = await g.create({});
    const again = await g.request("CREATE", first.poll, {
      topic: "Lunch",
      votes: 2,
      admin: first.admin,
      endsAt: first.endsAt,
      nonce: first.nonce,
    });
    assert.equal(again.outcome, "saved");
    const other = await g.create({ poll: first.poll });
    assert.equal(other.reply.outcome, "none");
    assert.equal(other.reply.code, "taken");
    assert.equal((await stored(first.poll)).adminID, first.admin);
  });

  test("READ answers with the public document", async () => {
    const g = gateways[0];
    const { poll, admin } = await g.create({});
    const reply = await g.request("READ", poll, {});
    assert.equal(reply.outcome, "none");
    const { document } = reply.data;
    assert.equal(document.id, poll);
    assert.equal(document.adminID, admin);
    assert.equal(document.version, 1);
    assert.equal(document.state, "open");
    assert.deepEqual(Object.keys(document).sort(), [...MEMBERS].sort());
    const missing = await g.request("READ", freshPoll(), {});
    assert.equal(missing.code, "not_found");
    assert.equal(missing.outcome, "none");
  });

  test("CONNECT: first the list, saved, then CONNECTED", async () => {
    const g = gateways[0];
    const { poll } = await g.create({});
    const user = freshId(21);
    g.trace.length = 0;
    const { body } = await g.join(poll, "c1", user, "Ada");
    assert.deepEqual((await stored(poll)).participants, { [user]: "Ada" });
    assert.equal(g.feeds.get(poll).rev, body.rev);
    assert.deepEqual(g.feeds.get(poll).participants, { [user]: "Ada" });
    const own = g.trace.filter((line) => line.endsWith(poll));
    assert.equal(own.at(-1), `CONNECTED ${poll}`);
    assert.equal(own[0], `POLL_SNAPSHOT ${poll}`, own.join());
  });

  test("each update goes once to each gateway with members, to no other", async () => {
    const [g1] = gateways;
    const g2 = await gateway("g2");
    const g3 = await gateway("g3");
    const { poll } = await g1.create({});
    const [ada, bob, cyd] = [freshId(21), freshId(21), freshId(21)];
    await g1.join(poll, "c1", ada, "Ada");
    await g2.join(poll, "c1", bob, "Bob");
    await g1.sees(poll, ["Ada", "Bob"]);
    const before = [g1.updates, g2.updates];
    await g1.join(poll, "c2", cyd, "Cyd");
    await g2.sees(poll, ["Ada", "Bob", "Cyd"]);
    assert.deepEqual([g1.updates, g2.updates], [before[0] + 1, before[1] + 1]);
    assert.deepEqual(g1.feeds.get(poll), g2.feeds.get(poll));
    assert.equal(g3.trace.length, 0, g3.trace.join());
    await g1.disconnect(poll, "c1");
    await Promise.all([g1, g2].map((g) => g.sees(poll, ["Bob", "Cyd"])));
    assert.deepEqual(Object.values((await stored(poll)).participants).sort(), ["Bob", "Cyd"]);
  });

  test("two conns of a user are one participant, over two gateways", async () => {
    const [g1, g2] = gateways;
    const { poll } = await g1.create({});
    const ada = freshId(21);
    await g1.join(poll, "t1", ada, "Ada");
    await g2.join(poll, "t2", ada, "Ada");
    const { rev } = g1.feeds.get(poll);
    await g1.disconnect(poll, "t1");
    // Whatever that caused would come before what this causes.
    await g1.join(poll, "t3", freshId(21), "Bob");
    await g2.sees(poll, ["Ada", "Bob"]);
    assert.equal(g2.feeds.get(poll).version, Number(rev.split("-")[0]) + 1);
    await g2.disconnect(poll, "t2");
    await g1.sees(poll, ["Bob"]);
  });

  test("a hundred CONNECTs in one message: few saves, all CONNECTED", async () => {
    const [g1] = gateways;
    const { poll } = await g1.create({});
    const conns = Array.from({ length: 100 }, (_, i) => [`s${i}`, freshId(21), `n${i}`]);
    for (const [conn, user] of conns) g1.users.set(conn, user);
    await g1.link.send(
      ...conns.map(([conn, user, name]) => ["CONNECT", poll, { conn, user, name }]),
    );
    await Promise.all(conns.map(([conn]) => g1.connected(conn)));
    const document = await stored(poll);
    assert.equal(Object.keys(document.participants).length, 100);
    assert.ok(document.meta.version <= 20, `${document.meta.version} saves`);
  });

  test("DISCONNECT `lost` and `reload` have their grace, a return ends it", async () => {
    const [g1, g2] = gateways;
    const { poll } = await g1.create({});
    const [ada, bob, cyd] = [freshId(21), freshId(21), freshId(21)];
    await g1.join(poll, "w", freshId(21), "Eye");
    await g2.join(poll, "a", ada, "Ada");
    await g2.join(poll, "b", bob, "Bob");
    await g2.join(poll, "c", cyd, "Cyd");
    await g1.sees(poll, ["Ada", "Bob", "Cyd", "Eye"]);
    const begun = performance.now();
    await g2.disconnect(poll, "a", "lost");
    await g2.disconnect(poll, "b", "reload");
    await g2.disconnect(poll, "c", "lost");
    await g1.sees(poll, ["Ada", "Cyd", "Eye"]);
    const reloaded = performance.now() - begun;
    await g2.join(poll, "c2", cyd, "Cyd");
    await g1.sees(poll, ["Cyd", "Eye"]);
    const gone = performance.now() - begun;
    assert.ok(reloaded > 350, `reload: ${reloaded} ms`);
    assert.ok(gone > GRACE_MS - 100, `lost: ${gone} ms`);
    await g1.disconnect(poll, "w");
  });

  test("SYNC replaces the gateway's set", async () => {
    const [g1, g2] = gateways;
    const { poll } = await g1.create({});
    const users = Array.from({ length: 3 }, () => freshId(21));
    await g2.join(poll, "w", freshId(21), "Eye");
    for (const [i, user] of users.entries()) await g1.join(poll, `y${i}`, user, `n${i}`);
    await g1.sync(poll, [
      ["y1", users[1], "n1"],
      ["y9", freshId(21), "new"],
    ]);
    await g1.connected("y9");
    await g2.sees(poll, ["Eye", "n1", "new"]);
  });

  test("SYNC or CONNECT at the current rev brings no snapshot, another rev does", async () => {
    const [g1] = gateways;
    const { poll } = await g1.create({});
    const ada = freshId(21);
    await g1.join(poll, "a", ada, "Ada");
    g1.trace.length = 0;
    await g1.sync(poll, [["a", ada, "Ada"]]);
    await g1.join(poll, "a2", ada, "Ada");
    const own = g1.trace.filter((line) => line.endsWith(poll));
    assert.ok(!own.some((line) => line.startsWith("POLL_")), own.join());
    g1.trace.length = 0;
    await g1.link.send(["RESYNC", poll, { rev: "1-0123456789abcdef" }]);
    await eventually(() => g1.trace.includes(`POLL_SNAPSHOT ${poll}`), "a snapshot after RESYNC");
    await g1.sync(poll, [["a", ada, "Ada"]], "1-0123456789abcdef");
    await eventually(
      () => g1.trace.filter((line) => line === `POLL_SNAPSHOT ${poll}`).length >= 2,
      "a snapshot after SYNC at another rev",
    );
  });

  test("CONNECT to a poll that does not exist is REFUSED", async () => {
    const [g1] = gateways;
    const poll = freshPoll();
    await g1.connect(poll, "x", freshId(21), "Eve");
    const { body } = await g1.link.next("REFUSED", { poll });
    assert.equal(body.conn, "x");
    assert.equal(body.code, "not_found");
    assert.equal(body.text, "Poll not found");
    assert.equal(await stored(poll), null);
  });

  test("a gateway that falls silent loses its users after the grace time", async () => {
    const [g1] = gateways;
    const g4 = await gateway("g4");
    const { poll } = await g1.create({});
    await g1.join(poll, "w", freshId(21), "Eye");
    await g4.join(poll, "a", freshId(21), "Ada");
    await g1.sees(poll, ["Ada", "Eye"]);
    g4.link.silent = true;
    await g1.sees(poll, ["Eye"], 15_000);
  });

  test("a gateway that the roster drops loses them too, a new one takes over", async () => {
    const [g1] = gateways;
    const g5 = await gateway("g5");
    const { poll } = await g1.create({});
    const [ada, bob] = [freshId(21), freshId(21)];
    await g1.join(poll, "w", freshId(21), "Eye");
    await g5.join(poll, "a", ada, "Ada");
    await g5.join(poll, "b", bob, "Bob");
    g5.close();
    parent.gateways.delete(5);
    await parent.roster();
    const next = await gateway("g5");
    await next.join(poll, "a", ada, "Ada");
    await g1.sees(poll, ["Ada", "Eye"], 15_000);
    await next.sees(poll, ["Ada", "Eye"]);
  });

  test("a second actors process takes a poll over, the first can not write any more", async () => {
    const [g1] = gateways;
    const { poll } = await g1.create({});
    const [ada, bob] = [freshId(21), freshId(21)];
    await g1.join(poll, "a", ada, "Ada");
    parent.generation += 1000;
    const second = await parent.startActors(store, "a2");
    parent.actors.delete(2);
    const g = await FakeGateway.open(second.endpoint, "g1");
    await g.join(poll, "b", bob, "Bob");
    const document = await stored(poll);
    assert.ok(Object.hasOwn(document.participants, bob));
    await g1.connect(poll, "c", freshId(21), "Cyd");
    // Whoever lost a poll says so, and has written nothing.
    await g1.link.next("MOVED", { poll });
    assert.ok(!Object.values((await stored(poll)).participants).includes("Cyd"));
    assert.deepEqual(g.violations, []);
    g.close();
    await stage.end(second, "SIGTERM");
  });
});
