// SPDX-License-Identifier: MIT
// Who may not join, and what a stock client hears of it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { io44, io48, jwt } from "./support/packages.mjs";
import { Player } from "./support/player.mjs";
import { RawWebSocket } from "./support/raw.mjs";
import { claims, create, join } from "./support/rest.mjs";
import { System } from "./support/system.mjs";
import { eventually } from "./support/wait.mjs";

const SECRET = "a secret of this test";
const now = () => Math.floor(Date.now() / 1000);

describe("tokens", () => {
  let system;
  let poll;
  let ada;
  before(async () => {
    system = await System.start({ env: { JWT_SECRET: SECRET } });
    const made = await create(system.url, { name: "Ada" });
    poll = made.poll.id;
    ada = new Player(system.url, made.accessToken);
    await ada.joined();
  });
  after(async () => {
    ada?.leave();
    await system?.end();
  });

  const payload = (more = {}) => ({
    pollID: poll,
    name: "Eve",
    iat: now(),
    exp: now() + 600,
    sub: "Euser0123456789abcdef",
    ...more,
  });

  const without = (member) =>
    Object.fromEntries(Object.entries(payload()).filter(([name]) => name !== member));

  async function refusal(token, options = {}) {
    const player = new Player(system.url, ada.token, { auth: { token }, ...options });
    const text = await player.refused();
    assert.equal(player.document, null);
    player.leave();
    return text;
  }

  const bad = {
    "of another key": () => jwt.sign(payload(), "another secret"),
    expired: () => jwt.sign(payload({ iat: now() - 100, exp: now() - 1 }), SECRET),
    "without expiry": () => jwt.sign(without("exp"), SECRET),
    HS384: () => jwt.sign(payload(), SECRET, { algorithm: "HS384" }),
    HS512: () => jwt.sign(payload(), SECRET, { algorithm: "HS512" }),
    unsigned: () => jwt.sign(payload(), "", { algorithm: "none" }),
    "unsigned, with a signature": () => {
      const parts = jwt.sign(payload(), SECRET).split(".");
      parts[0] = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
      return parts.join(".");
    },
    "with another payload": () => {
      const parts = ada.token.split(".");
      const changed = { ...claims(ada.token), sub: "Euser0123456789abcdef" };
      parts[1] = Buffer.from(JSON.stringify(changed)).toString("base64url");
      return parts.join(".");
    },
    "of an ill-formed poll": () => jwt.sign(payload({ pollID: "../../" }), SECRET),
    "of an ill-formed user": () => jwt.sign(payload({ sub: "a.b" }), SECRET),
    "without a user": () => jwt.sign(without("sub"), SECRET),
    "without a name": () => jwt.sign(without("name"), SECRET),
    "of two parts": () => "a.b",
    "that is a number": () => 7,
    "that is an object": () => ({ a: 1 }),
    "that is empty": () => "",
    "that is long": () => "x".repeat(3000),
  };
  for (const [what, make] of Object.entries(bad)) {
    test(`a token ${what} is FORBIDDEN`, async () => {
      for (const io of [io44, io48]) assert.equal(await refusal(make(), { io }), "FORBIDDEN");
    });
  }

  test("no token at all is FORBIDDEN", async () => {
    assert.equal(await refusal(undefined, { auth: {} }), "FORBIDDEN");
  });

  test("a token signed by the same key elsewhere is good", async () => {
    const eve = new Player(system.url, jwt.sign(payload(), SECRET, { noTimestamp: true }));
    await eve.sees(["Ada", "Eve"]);
    eve.leave();
    await ada.sees(["Ada"]);
  });

  test("the header `token` serves when auth has none", async () => {
    const { accessToken } = await join(system.url, poll, "Bob");
    for (const io of [io44, io48]) {
      const bob = new Player(system.url, accessToken, {
        io,
        auth: {},
        extraHeaders: { token: accessToken },
      });
      await bob.sees(["Ada", "Bob"]);
      bob.leave();
      await ada.sees(["Ada"]);
    }
  });

  test("auth wins over the header", async () => {
    const { accessToken } = await join(system.url, poll, "Bob");
    assert.equal(await refusal("wrong", { extraHeaders: { token: accessToken } }), "FORBIDDEN");
  });

  test("a poll that does not exist", async () => {
    const text = await refusal(jwt.sign(payload({ pollID: "ZZZZZ9" }), SECRET));
    assert.equal(text, "Poll not found");
  });

  test("a token of another poll joins that poll alone", async () => {
    const other = await create(system.url, { name: "Oto" });
    const oto = new Player(system.url, other.accessToken);
    await oto.sees(["Oto"]);
    assert.equal(oto.document.id, other.poll.id);
    assert.equal(ada.document.id, poll);
    oto.leave();
  });

  test("an unknown namespace, and one with a query", async () => {
    for (const io of [io44, io48]) {
      for (const name of ["/nope", "/polls/", "/poll", "/custom"]) {
        const socket = io(system.url + name, {
          transports: ["websocket"],
          forceNew: true,
          reconnection: false,
          auth: { token: ada.token },
        });
        const errors = [];
        socket.on("connect_error", (error) => errors.push(error.message));
        await eventually(() => errors.length > 0, "a refusal");
        assert.deepEqual(errors, ["Invalid namespace"]);
        socket.disconnect();
      }
    }
  });

  test("the root namespace gives nothing away", async () => {
    const socket = io48(system.url, {
      transports: ["websocket"],
      forceNew: true,
      reconnection: false,
    });
    const seen = [];
    socket.onAny((...event) => seen.push(event));
    socket.on("connect_error", (error) => seen.push(error.message));
    socket.on("connect", () => seen.push("connected"));
    await eventually(() => seen.length > 0, "an answer");
    // Served or refused, but no document without a token.
    assert.ok(["connected", "Invalid namespace"].includes(seen[0]), JSON.stringify(seen));
    assert.equal(seen.length, 1);
    socket.disconnect();
  });

  test("after a refusal the same transport may try again", async () => {
    const { accessToken } = await join(system.url, poll, "Bob");
    const socket = await RawWebSocket.join(system.port, { token: "wrong" });
    assert.equal(await socket.text(), '44/polls,{"message":"FORBIDDEN"}');
    socket.say(`40/polls,${JSON.stringify({ token: accessToken })}`);
    assert.match(await socket.text(), /^40\/polls,/);
    assert.match(await socket.text(), /^42\/polls,\["poll_updated"/);
    socket.say("41/polls,");
    await ada.sees(["Ada"]);
    socket.destroy();
  });
});
