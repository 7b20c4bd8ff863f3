// SPDX-License-Identifier: MIT
// The test is the supervisor and the actors process of a real rollcall-gateway: what a gateway
// says to actors, and what its clients see of the answers and of their absence.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { freshId, freshPoll } from "../clients/support/fake_gateway.mjs";
import { Listener, incarnation } from "../clients/support/link.mjs";
import { jwt } from "../clients/support/packages.mjs";
import { Parent, Stage } from "../clients/support/process.mjs";
import { RawWebSocket } from "../clients/support/raw.mjs";
import { call } from "../clients/support/rest.mjs";

const rev = (version, tail = "a") => `${version}-${tail.repeat(16)}`;
const names = (pairs) => Object.fromEntries(pairs.map(([user, name]) => [user, name]));

function documentOf(poll, version, pairs) {
  return {
    id: poll,
    topic: "Lunch",
    votesPerVoter: 2,
    participants: names(pairs),
    nominations: {},
    rankings: {},
    results: [],
    adminID: "uadmin",
    hasStarted: false,
    version,
    rev: rev(version),
    state: "open",
    endsAt: 4102444800000,
  };
}

const updated = (poll, version, participants) => [
  "POLL_UPDATED",
  poll,
  {
    from: rev(version - 1),
    to: rev(version),
    patch: { participants, version, rev: rev(version) },
  },
];

describe("a gateway alone", () => {
  let stage;
  let parent;
  let gateway;
  let actors;
  let link;

  async function becomeActors() {
    const inc = incarnation();
    const endpoint = `ipc://${stage.path(`a1-${inc.slice(0, 6)}.sock`)}`;
    actors = await Listener.bind(endpoint, { role: "actors", name: "a1", inc });
    parent.actors.set(1, { inc, endpoint });
    const greeted = actors.greeted("the gateway to dial");
    await parent.roster();
    link = await greeted;
  }

  before(async () => {
    stage = new Stage();
    parent = await Parent.start(stage);
    gateway = await parent.startGateway();
    await becomeActors();
  });
  after(async () => {
    actors?.close();
    const end = gateway && (await stage.end(gateway, "SIGTERM"));
    await stage.dispose();
    assert.deepEqual(end, { code: 0, signal: null }, gateway.log);
  });

  function token(poll, user, name) {
    const now = Math.floor(Date.now() / 1000);
    return jwt.sign({ pollID: poll, name, iat: now, exp: now + 600, sub: user }, gateway.secret);
  }

  const open = (poll, user, name, auth = {}) =>
    RawWebSocket.join(gateway.port, { token: token(poll, user, name), ...auth });

  // A client that has joined a poll whose actor is this test; what it was told is checked on the
  // way.
  async function joined(poll, version, pairs, me, auth) {
    const client = await open(poll, me[0], me[1], auth);
    const { body } = await link.next("CONNECT", { poll });
    assert.equal(body.user, me[0]);
    assert.equal(body.name, me[1]);
    await link.send(
      ["POLL_SNAPSHOT", poll, { rev: rev(version), document: documentOf(poll, version, pairs) }],
      ["CONNECTED", poll, { conn: body.conn, rev: rev(version) }],
    );
    assert.match(await client.text(), /^40\/polls,\{"sid":"[A-Za-z0-9_-]+"\}$/);
    const first = await client.text();
    assert.equal(
      first,
      `42/polls,${JSON.stringify(["poll_updated", documentOf(poll, version, pairs)])}`,
    );
    client.conn = body.conn;
    client.rev = body.rev;
    return client;
  }

  test("says who it is", () => {
    assert.equal(link.greeting.role, "gateway");
    assert.equal(link.greeting.name, "g1");
    assert.deepEqual([link.greeting.min, link.greeting.max], [1, 1]);
  });

  test("CONNECT goes first, the reply comes only after CONNECTED, then the document", async () => {
    const poll = freshPoll();
    const ada = [freshId(21), "Ada"];
    const client = await open(poll, ...ada);
    const { body } = await link.next("CONNECT", { poll });
    assert.equal(body.rev, undefined, "there is no feed yet");
    await link.send(["POLL_SNAPSHOT", poll, { rev: rev(2), document: documentOf(poll, 2, [ada]) }]);
    assert.equal(client.bytes.length, 0, "shown before CONNECTED");
    await link.send(["CONNECTED", poll, { conn: body.conn, rev: rev(2) }]);
    assert.match(await client.text(), /^40\/polls,/);
    assert.match(await client.text(), /^42\/polls,\["poll_updated",/);
    client.say("41/polls,");
    const gone = await link.next("DISCONNECT", { poll });
    assert.deepEqual(gone.body, { conn: body.conn, why: "leave" });
    client.destroy();
  });

  test("an update before CONNECTED is in the first document, and not shown twice", async () => {
    const poll = freshPoll();
    const [ada, bob] = [
      [freshId(21), "Ada"],
      [freshId(21), "Bob"],
    ];
    const first = await joined(poll, 2, [ada], ada);
    const second = await open(poll, ...bob, { updates: "patch" });
    const { body } = await link.next("CONNECT", { poll });
    assert.equal(body.rev, rev(2), "its feed is current");
    await link.send(updated(poll, 3, names([bob])), [
      "CONNECTED",
      poll,
      { conn: body.conn, rev: rev(3) },
    ]);
    const whole = `42/polls,${JSON.stringify(["poll_updated", documentOf(poll, 3, [ada, bob])])}`;
    assert.equal(await first.text(), whole);
    assert.match(await second.text(), /^40\/polls,/);
    assert.equal(await second.text(), whole);
    await link.send(updated(poll, 4, { [ada[0]]: null }));
    const patch = { participants: { [ada[0]]: null }, version: 4, rev: rev(4) };
    assert.equal(
      await second.text(),
      `42/polls,${JSON.stringify(["poll_patched", { from: rev(3), to: rev(4), patch }])}`,
    );
    first.destroy();
    second.destroy();
  });

  test("an update without the client's own user is never shown to it", async () => {
    const poll = freshPoll();
    const [ada, bob] = [
      [freshId(21), "Ada"],
      [freshId(21), "Bob"],
    ];
    const client = await joined(poll, 2, [ada, bob], ada);
    await link.send(updated(poll, 3, { [ada[0]]: null }), updated(poll, 4, names([ada])));
    const shown = await client.text();
    assert.equal(
      shown,
      `42/polls,${JSON.stringify(["poll_updated", documentOf(poll, 4, [bob, ada])])}`.replace(
        /\{"id.*$/,
        (tail) => tail,
      ),
      shown,
    );
    client.destroy();
  });

  test("REFUSED is a connect error with its text", async () => {
    const poll = freshPoll();
    const client = await open(poll, freshId(21), "Ada");
    const { body } = await link.next("CONNECT", { poll });
    await link.send([
      "REFUSED",
      poll,
      { conn: body.conn, code: "not_found", text: "Poll not found" },
    ]);
    assert.equal(await client.text(), '44/polls,{"message":"Poll not found"}');
    client.destroy();
  });

  test("how a socket goes decides the reason", async () => {
    const close = (code) => Buffer.from([code >> 8, code & 255]);
    const ways = [
      ["leave", (client) => client.say("41/polls,")],
      ["leave", (client) => client.say("1")],
      ["leave", (client) => client.say(close(1000), { opcode: 8 })],
      ["reload", (client) => client.say(close(1001), { opcode: 8 })],
      ["lost", (client) => client.socket.resetAndDestroy()],
      ["lost", (client) => client.destroy()],
      ["leave", (client) => client.say("4x bad")],
    ];
    for (const [why, leave] of ways) {
      const poll = freshPoll();
      const ada = [freshId(21), "Ada"];
      const client = await joined(poll, 2, [ada], ada);
      leave(client);
      const { body } = await link.next("DISCONNECT", { poll });
      assert.deepEqual(body, { conn: client.conn, why }, String(leave));
      client.destroy();
    }
  });

  test("POLL_ENDED and KICK end the join, not without a word", async () => {
    const poll = freshPoll();
    const [ada, bob] = [
      [freshId(21), "Ada"],
      [freshId(21), "Bob"],
    ];
    const first = await joined(poll, 2, [ada, bob], ada);
    await link.send(["KICK", poll, { conns: [first.conn], code: "removed" }]);
    assert.equal(await first.text(), "41/polls,");
    first.destroy();
    const other = freshPoll();
    const second = await joined(other, 2, [bob], bob);
    await link.send(["POLL_ENDED", other, { why: "cancelled" }]);
    assert.equal(await second.text(), '42/polls,["poll_cancelled"]');
    assert.equal(await second.text(), "41/polls,");
    second.destroy();
    const last = freshPoll();
    const third = await joined(last, 2, [bob], bob);
    await link.send(["POLL_ENDED", last, { why: "expired" }]);
    assert.equal(
      await third.text(),
      '42/polls,["exception",{"type":"Unknown","message":"The poll has ended"}]',
    );
    assert.equal(await third.text(), '42/polls,["poll_cancelled"]');
    assert.equal(await third.text(), "41/polls,");
    third.destroy();
  });

  test("REST create and READ go over the link", async () => {
    const made = call(gateway.url, "POST", "/polls", { topic: "T", votesPerVoter: 3, name: "Ada" });
    const { poll, body } = await link.next("CREATE");
    assert.match(poll, /^[23456789A-HJKMNP-TV-Z]{6}$/);
    assert.deepEqual([body.topic, body.votes], ["T", 3]);
    assert.match(body.admin, /^[A-Za-z][A-Za-z0-9_-]{20}$/);
    const document = documentOf(poll, 1, []);
    const reply = { req: body.req, code: "taken", outcome: "none" };
    await link.send(["REPLY", poll, reply]);
    const second = await link.next("CREATE");
    assert.notEqual(second.poll, poll, "TAKEN draws another id");
    await link.send([
      "REPLY",
      second.poll,
      {
        req: second.body.req,
        code: "ok",
        outcome: "saved",
        rev: rev(1),
        data: { document: { ...document, id: second.poll, adminID: second.body.admin } },
      },
    ]);
    const { status, json } = await made;
    assert.equal(status, 201);
    assert.equal(json.poll.id, second.poll);
    assert.equal(json.poll.adminID, second.body.admin);
  });

  test("a new incarnation of actors: sockets stay, SYNC, no byte for who is current", async () => {
    const poll = freshPoll();
    const [ada, bob] = [
      [freshId(21), "Ada"],
      [freshId(21), "Bob"],
    ];
    const full = await joined(poll, 2, [ada, bob], ada);
    const patches = await open(poll, ...bob, { updates: "patch" });
    const { body } = await link.next("CONNECT", { poll });
    await link.send(["CONNECTED", poll, { conn: body.conn, rev: rev(2) }]);
    await patches.text();
    await patches.text();
    const received = [full.received, patches.received];
    actors.close();
    parent.actors.delete(1);
    await parent.roster();
    await becomeActors();
    const sync = await link.next("SYNC", { poll });
    assert.equal(sync.body.rev, rev(2));
    const conns = sync.body.conns.map(([conn, user, name]) => [conn, user, name]).sort();
    assert.deepEqual(
      conns,
      [
        [full.conn, ...ada],
        [body.conn, ...bob],
      ].sort(),
    );
    await link.send(
      ["CONNECTED", poll, { conn: full.conn, rev: rev(2) }],
      ["CONNECTED", poll, { conn: body.conn, rev: rev(2) }],
    );
    // What anybody would get for that comes before what this causes.
    const eve = freshId(21);
    await link.send(updated(poll, 3, { [eve]: "Eve" }));
    const whole = documentOf(poll, 3, [ada, bob, [eve, "Eve"]]);
    assert.equal(await full.text(), `42/polls,${JSON.stringify(["poll_updated", whole])}`);
    assert.match(await patches.text(), /^42\/polls,\["poll_patched",/);
    const sizes = [full.received - received[0], patches.received - received[1]];
    assert.ok(sizes[0] < JSON.stringify(whole).length + 40, "the full client got one frame");
    assert.ok(sizes[1] < 250, "the patch client got one frame");
    full.destroy();
    patches.destroy();
  });

  test("an update that does not fit makes the gateway ask, and nobody is shown a gap", async () => {
    const poll = freshPoll();
    const [ada, bob] = [
      [freshId(21), "Ada"],
      [freshId(21), "Bob"],
    ];
    const client = await joined(poll, 2, [ada], ada, { updates: "patch" });
    await link.send(updated(poll, 5, names([bob])));
    const asked = await link.next("RESYNC", { poll });
    assert.equal(asked.body.rev, rev(2));
    await link.send([
      "POLL_SNAPSHOT",
      poll,
      { rev: rev(5), document: documentOf(poll, 5, [ada, bob]) },
    ]);
    assert.equal(
      await client.text(),
      `42/polls,${JSON.stringify(["poll_updated", documentOf(poll, 5, [ada, bob])])}`,
    );
    client.destroy();
  });
});
