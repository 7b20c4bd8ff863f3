// SPDX-License-Identifier: MIT
// rollcall.js, the client for pages: whole polls, kills meanwhile, and what it does by itself.
import assert from "node:assert/strict";
import fs from "node:fs";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { connect, merge, pauseMs } from "../../gateway/web/rollcall.js";
import { onEnd } from "./support/cleanup.mjs";
import { WebSocket } from "./support/packages.mjs";
import { create, join } from "./support/rest.mjs";
import { withSystem } from "./support/system.mjs";
import { deadline } from "./support/wait.mjs";

const quick = { baseMs: 20, mostMs: 200 };
const env = { ROLLCALL_PRESENCE_GRACE_MS: "30000" };

function enter(system, token, options = {}) {
  const poll = connect({ url: system.url, token, WebSocket, ...quick, ...options });
  onEnd(() => poll.close());
  return poll;
}

// Resolves once `check` gives something, looked at after each change.
function when(poll, check, what) {
  const offs = [];
  const met = new Promise((resolve, reject) => {
    const look = () => {
      const value = check(poll);
      if (value) resolve(value);
    };
    for (const event of ["document", "state", "ballot"]) offs.push(poll.on(event, look));
    offs.push(poll.on("closed", (end) => reject(new Error(`${end.code} before ${what}`))));
    look();
  });
  return deadline(met, what).finally(() => offs.forEach((off) => off()));
}

const once = (poll, event) =>
  deadline(new Promise((resolve) => poll.on(event, resolve)), event);
const sees = (poll, names) =>
  when(
    poll,
    ({ document }) => document && Object.values(document.participants).sort().join() === names,
    names,
  );
const reaches = (poll, rev) =>
  when(poll, ({ document }) => document.version >= Number(rev.split("-")[0]), rev);

async function table(system) {
  const { poll, accessToken } = await create(system.url, { name: "Ada" });
  const tokens = [accessToken];
  for (const name of ["Bob", "Cyd"]) {
    tokens.push((await join(system.url, poll.id, name)).accessToken);
  }
  const all = tokens.map((token) => enter(system, token));
  await Promise.all(all.map((one) => sees(one, "Ada,Bob,Cyd")));
  return all;
}

describe("with a real Rollcall", () => {
  test("a whole poll", () =>
    withSystem({}, async (system) => {
      const [ada, bob, cyd] = await table(system);
      const ended = [bob, cyd].map((one) => once(one, "ended"));
      const closed = [bob, cyd].map((one) => once(one, "closed"));
      assert.equal(ada.document.adminID, ada.user);
      assert.equal(ada.document.id, ada.poll);
      const first = bob.document;
      const soup = await ada.send("nominate", { text: "Soup" });
      const rice = await bob.send("nominate", { text: "Rice" });
      assert.equal(soup.outcome, "saved");
      await assert.rejects(bob.send("start_vote"), {
        type: "Unauthorized",
        message: "Admin privileges required",
        outcome: "none",
      });
      await assert.rejects(bob.send("nominate", { text: "" }), {
        type: "BadRequest",
        message: ["text must be longer than or equal to 1 characters"],
        outcome: "none",
      });
      await ada.send("start_vote");
      const { ballot } = await bob.send("submit_rankings", { rankings: [rice.id, soup.id] });
      assert.deepEqual(ballot, [rice.id, soup.id]);
      await when(bob, (me) => me.ballot, "the ballot");
      assert.deepEqual(bob.ballot, ballot);
      const close = await ada.send("close_poll");
      await Promise.all([ada, bob, cyd].map((one) => reaches(one, close.rev)));
      assert.equal(bob.document.results[0].nominationID, rice.id);
      assert.deepEqual(bob.document, ada.document);
      // Patched in place all the time.
      assert.equal(bob.document, first);
      await ada.send("cancel_poll");
      assert.deepEqual(await Promise.all(ended), [{ why: "cancelled" }, { why: "cancelled" }]);
      for (const end of await Promise.all(closed)) assert.equal(end.code, 4003);
      assert.equal(bob.state, "closed");
      await assert.rejects(bob.send("nominate", { text: "x" }), { outcome: "none" });
    }));

  test("close() leaves at once, a bad token is told", () =>
    withSystem({}, async (system) => {
      const [ada, bob, cyd] = await table(system);
      bob.close();
      await sees(ada, "Ada,Cyd");
      assert.equal(bob.state, "closed");
      const stranger = enter(system, "x.y.z");
      const end = await once(stranger, "closed");
      assert.equal(end.code, 4001);
      assert.equal(end.error.message, "FORBIDDEN");
      cyd.close();
      await sees(ada, "Ada");
      ada.close();
    }));

  test("kill -9 of the gateway in the middle, twice: it goes on", () =>
    withSystem({ env }, async (system) => {
      const all = await table(system);
      const [ada, bob, cyd] = all;
      const outcomes = [];
      for (let round = 0; round < 2; round++) {
        const away = all.map((one) => when(one, ({ state }) => state === "waiting", "the loss"));
        // In flight while it dies: acknowledged, or unknown, never silent.
        const flying = all.map((one, i) =>
          one.send("nominate", { text: `${round}.${i}` }).then(
            ({ outcome }) => outcomes.push(outcome),
            ({ outcome }) => outcomes.push(outcome),
          ),
        );
        const killed = await system.killChild("gateway");
        await Promise.all(away);
        // Asked for while it is away: sent once it is back, and only then.
        const late = bob.send("remove_participant", { id: "nobody" });
        await assert.rejects(late, { type: "Unauthorized", outcome: "none" });
        await deadline(Promise.all(flying), "an end to each command");
        await system.whole(killed);
        const { rev } = await ada.send("nominate", { text: `after ${round}` });
        await Promise.all(all.map((one) => reaches(one, rev)));
      }
      assert.equal(outcomes.length, 6);
      assert.ok(outcomes.every((one) => ["saved", "unknown"].includes(one)), `${outcomes}`);
      await Promise.all(all.map((one) => reaches(one, ada.document.rev)));
      assert.deepEqual(bob.document, ada.document);
      assert.deepEqual(cyd.document, ada.document);
      assert.equal(Object.keys(ada.document.participants).length, 3);
      for (const one of all) one.close();
    }));

  test("kill -9 of the gateway while nothing changes: back where it was", () =>
    withSystem({ env }, async (system) => {
      const all = await table(system);
      const documents = all.map(({ document }) => document);
      const back = all.map(async (one) => {
        await when(one, ({ state }) => state === "waiting", "the loss");
        await when(one, ({ state }) => state === "joined", "the return");
      });
      await system.killChild("gateway");
      await Promise.all(back);
      const { rev } = await all[0].send("nominate", { text: "Soup" });
      await Promise.all(all.map((one) => reaches(one, rev)));
      // No snapshot: it is the same object, patched.
      assert.ok(all.every(({ document }, i) => document === documents[i]));
      for (const one of all) one.close();
    }));

  test("kill -9 of actors: nobody notices, commands wait", () =>
    withSystem({ env }, async (system) => {
      const all = await table(system);
      const states = [];
      for (const one of all) one.on("state", (state) => states.push(state));
      const documents = all.map(({ document }) => document);
      const killed = await system.killChild("actors");
      const { rev } = await all[0].send("nominate", { text: "Soup" });
      await system.whole(killed);
      await Promise.all(all.map((one) => reaches(one, rev)));
      assert.deepEqual(states, []);
      assert.deepEqual(all.map(({ document }) => document), documents);
      for (const one of all) one.close();
    }));

  test("two gateways, one drains: all come back within the time that they were told", () =>
    withSystem({ env: { ...env, ROLLCALL_DRAIN_MS: "500" }, gateways: 2 }, async (system) => {
      const all = await table(system);
      await system.ctl("drain", "g1");
      const { rev } = await all[0].send("nominate", { text: "Soup" });
      await Promise.all(all.map((one) => when(one, ({ state }) => state === "joined", "the join")));
      await Promise.all(all.map((one) => reaches(one, rev)));
      for (const one of all) one.close();
    }));
});

// --- without a server ---

// A WebSocket whose other end is the test.
class Fake {
  static all = [];
  constructor(url, protocols) {
    Object.assign(this, { url, protocols, readyState: 0, sent: [] });
    Fake.all.push(this);
  }
  open() {
    this.readyState = 1;
    this.onopen();
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  say(event, data, id) {
    this.onmessage({ data: JSON.stringify({ event, id, data }) });
  }
  end(code, reason = "") {
    this.readyState = 3;
    this.onclose({ code, reason });
  }
  close(code) {
    this.readyState = 3;
    this.closedWith = code;
  }
}

const next = (count) =>
  deadline(
    new Promise((resolve) => {
      const look = () =>
        Fake.all.length >= count ? resolve(Fake.all.at(-1)) : setTimeout(look, 1);
      look();
    }),
    `attempt ${count}`,
  );

function fake(options = {}) {
  Fake.all = [];
  const poll = connect({ url: "https://a.example/CODE", token: "t", WebSocket: Fake, ...options });
  onEnd(() => poll.close());
  return poll;
}

const start = (rev = "1-a") => ({ rev, version: 1, participants: { u: "U" } });
const welcome = (socket, document) => {
  socket.open();
  socket.say("joined", { user: "u", poll: "P", rev: "1-a" }, "join");
  if (document) socket.say("snapshot", { document });
};

describe("by itself", () => {
  test("it is small", () => {
    const text = fs.readFileSync(new URL("../../gateway/web/rollcall.js", import.meta.url));
    assert.ok(gzipSync(text, { level: 9 }).length < 6144);
  });

  test("merge: RFC 7396, appendix A", () => {
    for (const [target, patch, wanted] of [
      [{ a: "b" }, { a: "c" }, { a: "c" }],
      [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
      [{ a: "b" }, { a: null }, {}],
      [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
      [{ a: ["b"] }, { a: "c" }, { a: "c" }],
      [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
      [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
      [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
      [{ e: null }, { a: 1 }, { e: null, a: 1 }],
      [[1, 2], {}, [1, 2]],
      [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    ]) {
      assert.deepEqual(merge(target, patch), wanted);
    }
  });

  test("pauses by the class of the close code", () => {
    for (const code of [4000, 4001, 4003, 4004, 4099, 1002, 1003, 1007, 1009]) {
      assert.equal(pauseMs(code, "", 0), undefined, `${code}`);
    }
    for (let round = 0; round < 100; round++) {
      for (let attempt = 0; attempt < 12; attempt++) {
        const most = Math.min(15000, 500 * 2 ** attempt);
        const lost = pauseMs(1006, "", attempt);
        assert.ok(lost >= most / 2 && lost <= most, `${lost} after ${attempt}`);
        const busy = pauseMs(4100, "", attempt);
        assert.ok(busy >= Math.min(15000, most * 2) / 2 && busy <= 15000);
      }
      assert.ok(pauseMs(4200, "", 0) <= 100);
      assert.equal(pauseMs(4200, '{"retry_ms":1234}', 0), 1234);
      assert.equal(pauseMs(4200, '{"retry_ms":0}', 5), 0);
      assert.ok(pauseMs(4200, '{"retry_ms":-1}', 0) <= 100);
      assert.ok(pauseMs(4299, "nonsense", 3) >= 2000);
    }
  });

  test("it joins with its rev, and never sends a command twice", async () => {
    const poll = fake(quick);
    const early = poll.send("nominate", { text: "early" });
    const [first] = Fake.all;
    assert.equal(first.url, "wss://a.example/ws");
    assert.deepEqual(first.protocols, ["rollcall.v1.json"]);
    first.open();
    assert.deepEqual(first.sent, [{ event: "join", id: "join", data: { token: "t" } }]);
    first.say("joined", { user: "u", poll: "P", rev: "1-a" }, "join");
    first.say("snapshot", { document: start() });
    assert.deepEqual(first.sent[1], { event: "nominate", id: 1, data: { text: "early" } });
    first.say("ack", { outcome: "saved", rev: "2-b", id: "n" }, 1);
    assert.deepEqual(await early, { outcome: "saved", rev: "2-b", id: "n" });
    first.say("patch", { from: "1-a", to: "2-b", patch: { rev: "2-b", version: 2, x: { y: 1 } } });
    assert.deepEqual(poll.document, { ...start(), rev: "2-b", version: 2, x: { y: 1 } });

    const flying = poll.send("start_vote");
    const failed = assert.rejects(flying, { type: "Unknown", outcome: "unknown" });
    first.end(1006);
    await failed;
    assert.equal(poll.state, "waiting");
    const late = poll.send("close_poll");
    const second = await next(2);
    second.open();
    assert.deepEqual(second.sent[0].data, { token: "t", rev: "2-b" });
    second.say("joined", { user: "u", poll: "P", rev: "2-b" }, "join");
    assert.deepEqual(
      second.sent.slice(1).map(({ event }) => event),
      ["close_poll"],
    );
    second.say("error", { type: "BadRequest", message: "no", outcome: "none" }, 3);
    await assert.rejects(late, { type: "BadRequest", message: "no", outcome: "none" });
    poll.close();
    assert.equal(second.closedWith, 1000);
  });

  test("so much may wait, the rest is refused; close() ends all", async () => {
    const poll = fake();
    const waiting = Array.from({ length: 32 }, () => poll.send("nominate", {}));
    await assert.rejects(poll.send("nominate", {}), { type: "Unknown", outcome: "none" });
    poll.close();
    for (const one of waiting) await assert.rejects(one, { type: "Closed", outcome: "none" });
    assert.equal(poll.state, "closed");
  });

  test("a patch that does not fit, or silence, makes it come anew", async () => {
    const poll = fake({ ...quick, quietMs: 50, answerMs: 50 });
    welcome(Fake.all[0], start());
    Fake.all[0].say("patch", { from: "7-x", to: "8-y", patch: {} });
    assert.equal(Fake.all[0].closedWith, 4900);
    const second = await next(2);
    welcome(second, start());
    assert.equal(second.sent[0].data.rev, undefined);
    // It is asked, answers once, then no more.
    await deadline(
      new Promise((resolve) => {
        second.send = ({ length }) => length && resolve();
      }),
      "a ping",
    );
    second.say("pong");
    const third = await next(3);
    assert.equal(second.closedWith, 4900);
    // Nobody answers the join.
    third.open();
    await next(4);
    assert.equal(third.closedWith, 4900);
    poll.close();
  });

  test("what came before it is closed is told, and then no more", async () => {
    const poll = fake(quick);
    const seen = [];
    for (const event of ["document", "ballot", "state", "ended", "error", "closed"]) {
      poll.on(event, (value) => seen.push([event, value]));
    }
    const off = poll.on("document", () => assert.fail("it was taken off"));
    off();
    const [socket] = Fake.all;
    welcome(socket);
    socket.say("snapshot", { document: start(), ballot: ["a"] });
    socket.say("error", { type: "BadRequest", message: "m", outcome: "none" });
    socket.say("ended", { why: "removed" });
    socket.end(4004, "removed");
    assert.deepEqual(seen, [
      ["state", "joined"],
      ["ballot", ["a"]],
      ["document", start()],
      ["error", { type: "BadRequest", message: "m", outcome: "none" }],
      ["ended", { why: "removed" }],
      ["state", "closed"],
      ["closed", { code: 4004, reason: "removed", error: undefined }],
    ]);
    assert.equal(Fake.all.length, 1);
  });
});
