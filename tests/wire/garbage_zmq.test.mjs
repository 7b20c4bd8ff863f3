// SPDX-License-Identifier: MIT
// Bad messages at every ZeroMQ socket of a running system, from outside and from a peer that had
// been let in; then bytes that are not ZeroMQ at all. Everything lives on, and says that it
// counted them.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { freshPoll } from "../clients/support/fake_gateway.mjs";
import { badEvents, badMessages } from "../clients/support/garbage.mjs";
import { Dialler, Listener, event, incarnation } from "../clients/support/link.mjs";
import { zmq } from "../clients/support/packages.mjs";
import { Parent, Stage } from "../clients/support/process.mjs";
import { call } from "../clients/support/rest.mjs";
import { System, counted, isAlive } from "../clients/support/system.mjs";
import { eventually } from "../clients/support/wait.mjs";
import { Witness } from "../clients/support/witness.mjs";

describe("garbage at the ZeroMQ sockets of a system", () => {
  let system;
  let witness;
  before(async () => {
    system = await System.start({ gateways: 2, actors: 2 });
    witness = await Witness.of(system);
  });
  after(async () => {
    witness?.leave();
    await system?.end();
  });

  // Sockets in the run folder, but for Redis' own.
  function sockets() {
    const run = path.join(system.state, "run");
    return fs
      .readdirSync(run)
      .map((name) => path.join(run, name))
      .filter((file) => fs.lstatSync(file).isSocket() && !/redis/.test(file));
  }

  test("from a stranger", async () => {
    assert.ok(sockets().length >= 4, sockets().join());
    for (const file of sockets()) {
      for (const Kind of [zmq.Dealer, zmq.Request, zmq.Publisher, zmq.Subscriber]) {
        const options = Kind === zmq.Subscriber ? {} : { sendTimeout: 1000 };
        const socket = new Kind({ linger: 100, ...options });
        if (Kind === zmq.Subscriber) socket.subscribe("", "x".repeat(1000));
        socket.connect(`ipc://${file}`);
        if (Kind === zmq.Request) await socket.send(["x"]);
        if (Kind === zmq.Publisher) await socket.send(["x"]);
        if (Kind === zmq.Dealer) {
          for (const [, parts] of badMessages()) {
            // A publisher does not talk to such a socket: there is nobody to send to.
            if (
              !(await socket.send(parts).then(
                () => true,
                () => false,
              ))
            )
              break;
          }
        }
        socket.close();
      }
    }
    await witness.alive();
  });

  test("from a gateway that actors have let in", async () => {
    for (const { name, endpoint } of (await system.status()).children) {
      if (!/^a\d/.test(name)) continue;
      const identity = "g9-0123456789abcdef";
      const dealer = await Dialler.open(endpoint, { role: "gateway", name: "g9", identity });
      for (const [what, bytes] of badEvents()) {
        if (!dealer.link.open) await dealer.link.hello().then(() => dealer.link.next("WELCOME"));
        await dealer
          .sendRaw([dealer.link.header(), bytes])
          .catch((error) => assert.fail(`${what}: ${error}`));
      }
      for (const [, parts] of badMessages({ from: dealer.link.me.inc, to: dealer.link.peer })) {
        await dealer.sendRaw(parts);
      }
      // It answers a new greeting of the same gateway.
      const again = await Dialler.open(endpoint, { role: "gateway", name: "g9" });
      // Not the poll of the others: whoever is asked for a poll takes it over.
      const reply = again.link.next("REPLY");
      await again.link.send(["READ", freshPoll(), { req: 1 }]);
      assert.deepEqual((await reply).body, { req: 1, code: "not_found", outcome: "none" });
      again.close();
      dealer.close();
    }
    await witness.alive();
  });

  test("from a child, and from a rollcallctl, of the supervisor", async () => {
    const { supervisor } = await supervisorEndpoint();
    for (const [role, name] of [
      ["ctl", "ctl"],
      ["gateway", "g1"],
      ["actors", "a1"],
      ["actors", "a99"],
    ]) {
      const dealer = new Dialler(supervisor, { role, name });
      await dealer.link.hello();
      for (const [, bytes] of badEvents()) await dealer.sendRaw([dealer.link.header(), bytes]);
      for (const [, parts] of badMessages({ from: dealer.link.me.inc, to: dealer.link.peer })) {
        await dealer.sendRaw(parts);
      }
      dealer.close();
    }
    await witness.alive();
  });

  // Where the children of this system dial.
  async function supervisorEndpoint() {
    const a1 = await system.child("a1");
    const all = fs.readFileSync(`/proc/${a1.pid}/environ`, "utf8").split("\0");
    const entry = all.find((line) => line.startsWith("ROLLCALL_SUPERVISOR="));
    return { supervisor: entry.slice("ROLLCALL_SUPERVISOR=".length) };
  }

  test("bytes that are not ZeroMQ", async () => {
    for (const file of sockets()) {
      for (const bytes of [
        randomBytes(2000),
        Buffer.alloc(2000),
        Buffer.alloc(100, 0xff),
        "GET / HTTP/1.1\r\n\r\n",
        Buffer.from("ff00000000000000017f03014e554c4c", "hex"),
      ]) {
        const socket = net.connect(file);
        socket.on("error", () => {});
        await new Promise((resolve) => socket.write(bytes, resolve));
        socket.destroy();
      }
    }
    await witness.alive();
  });

  test("it was counted", async () => {
    await eventually(async () => {
      const status = await system.status();
      return counted(status, "malformed") > 50 && counted(status, "unknown_types") > 0;
    }, "counters of malformed messages and unknown types in the status").catch(async (error) => {
      assert.fail(`${error.message}\n${JSON.stringify(await system.status(), null, 1)}`);
    });
  });
});

describe("garbage from above", () => {
  let stage;
  let parent;
  let gateway;
  let mad; // the present actors
  before(async () => {
    stage = new Stage();
    parent = await Parent.start(stage);
    gateway = await parent.startGateway();
  });
  after(async () => {
    const end = gateway && (await stage.end(gateway, "SIGTERM"));
    await stage.dispose();
    assert.deepEqual(end, { code: 0, signal: null }, gateway.log);
  });

  // The gateway's link to a new incarnation of actors.
  async function becomeActors() {
    const inc = incarnation();
    const endpoint = `ipc://${stage.path(`a1-${inc.slice(0, 6)}.sock`)}`;
    const actors = await Listener.bind(endpoint, { role: "actors", name: "a1", inc });
    stage.closing.push(() => actors.close());
    parent.actors.set(1, { inc, endpoint });
    const greeted = actors.greeted("the gateway to dial");
    await parent.roster();
    mad = actors;
    return greeted;
  }

  // A session anew: bad messages may have used numbers up that its good ones were to have.
  async function startsOver(link) {
    const greeted = mad.greeted("the gateway to greet again");
    const refusal = ["EVENT_REFUSED", "", { type: 0, code: "reset", text: "over" }];
    await link.transmit([link.header(0), event(...refusal)]);
    return greeted;
  }

  // A request comes through, and its answer back. It may come twice: a session that ends with it
  // under way has it sent again in the next.
  async function serves(link) {
    const pollID = freshPoll();
    link.onEvent = ({ type, poll, body }) => {
      if (type !== "READ") return;
      link.send(["REPLY", poll, { req: body.req, code: "not_found", outcome: "none" }]);
    };
    const answer = await call(gateway.url, "POST", "/polls/join", { pollID, name: "Eve" });
    assert.equal(answer.status, 404, gateway.log);
    assert.ok(isAlive(gateway.pid));
  }

  test("a gateway outlives a mad actors process", async () => {
    let link = await becomeActors();
    for (const [, bytes] of badEvents()) await link.transmit([link.header(), bytes]);
    await serves(link);
    // A peer that sends more than a message may have is not dialled again by ZeroMQ: that comes
    // last.
    const messages = badMessages({ from: link.me.inc, to: link.peer });
    const huge = messages.findIndex(([what]) => /17 MB/.test(what));
    const [[, last]] = messages.splice(huge, 1);
    for (const [what, parts] of messages) {
      await link.transmit(parts).catch((error) => assert.fail(`${what}: ${error}`));
    }
    await serves(await startsOver(link));
    await link.transmit(last);
    link = await becomeActors();
    await serves(link);
  });

  test("a roster that is older than its own is ignored", async () => {
    const link = await becomeActors();
    const empty = { actors: [], gateways: [], quarantined: [] };
    await gateway.link.send(["ROSTER", "", { generation: 1, ...empty }]);
    await serves(link);
    assert.match(gateway.log, /lifeline\.old_roster generation=1 /);
  });

  test("and a mad supervisor", async () => {
    await becomeActors();
    const above = gateway.link;
    for (const [, bytes] of badEvents()) await above.transmit([above.header(), bytes]);
    const messages = badMessages({ from: parent.listener.me.inc, to: above.peer });
    for (const [what, parts] of messages) {
      if (!/17 MB/.test(what)) await above.transmit(parts);
    }
    await serves(await becomeActors());
  });
});
