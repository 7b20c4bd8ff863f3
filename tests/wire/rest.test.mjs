// SPDX-License-Identifier: MIT
// The REST doors, answer by answer: status, headers, body, and each message of the validation.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MEMBERS } from "../clients/support/document.mjs";
import { jwt } from "../clients/support/packages.mjs";
import { Player } from "../clients/support/player.mjs";
import { RawSocket } from "../clients/support/raw.mjs";
import { call, claims, create, join } from "../clients/support/rest.mjs";
import { System } from "../clients/support/system.mjs";

const SECRET = "rest test secret";
const NOT_FOUND = { statusCode: 404, message: "Poll not found", error: "Not Found" };

describe("REST", () => {
  let system;
  const post = (path, body, headers) => call(system.url, "POST", path, body, headers);
  before(async () => {
    system = await System.start({
      env: {
        JWT_SECRET: SECRET,
        POLL_DURATION: "3600",
        ROLLCALL_GATEWAY_UNKNOWN_CODES_PER_MIN: "1000",
      },
    });
  });
  after(() => system?.end());

  test("form bodies are parsed: all their values are texts", async () => {
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const made = await create(system.url);
    const joined = await post("/polls/join", `pollID=${made.poll.id}&name=B%C3%A9+%26+co`, form);
    assert.equal(joined.status, 201);
    assert.equal(claims(joined.json.accessToken).name, "Bé & co");
    const refused = await post("/polls", "topic=Lunch&votesPerVoter=3&name=Ada", form);
    assert.equal(refused.status, 400);
    assert.deepEqual(refused.json.message, [
      "votesPerVoter must not be greater than 5",
      "votesPerVoter must not be less than 1",
      "votesPerVoter must be an integer number",
    ]);
  });

  test("create", async () => {
    const begun = Date.now();
    const answer = await post("/polls", { topic: "Lunch", votesPerVoter: 3, name: "Ada" });
    assert.equal(answer.status, 201);
    assert.match(answer.headers.get("content-type"), /^application\/json; charset=utf-8$/i);
    assert.deepEqual(Object.keys(answer.json), ["poll", "accessToken"]);
    const { poll, accessToken } = answer.json;
    assert.deepEqual(Object.keys(poll), MEMBERS);
    assert.match(poll.id, /^[23456789ABCDEFGHJKMNPQRSTVWXYZ]{6}$/);
    assert.match(poll.adminID, /^[A-Za-z][A-Za-z0-9_-]{20}$/);
    const { id, adminID, rev, endsAt, ...rest } = poll;
    assert.deepEqual(rest, {
      topic: "Lunch",
      votesPerVoter: 3,
      participants: {},
      nominations: {},
      rankings: {},
      results: [],
      hasStarted: false,
      version: 1,
      state: "open",
    });
    assert.match(rev, /^1-[0-9a-f]{16}$/);
    assert.ok(Math.abs(endsAt - begun - 3_600_000) < 20_000, `endsAt ${endsAt}`);
    const said = claims(accessToken);
    assert.deepEqual(Object.keys(said), ["pollID", "name", "iat", "exp", "sub"]);
    assert.deepEqual([said.pollID, said.name, said.sub], [id, "Ada", adminID]);
    assert.equal(said.exp, Math.floor(endsAt / 1000));
    jwt.verify(accessToken, SECRET, { algorithms: ["HS256"] });
    assert.equal(
      Buffer.from(accessToken.split(".")[0], "base64url").toString(),
      '{"alg":"HS256","typ":"JWT"}',
    );
  });

  test("a token's payload is plain base64, whatever the name", async () => {
    for (const name of [
      "\uD55C\uAD6D\uC5B4",
      "\u{1F600}".repeat(25),
      "~~~???>>>\u007f",
      "\u00ff\u00fe",
    ]) {
      const { accessToken } = await create(system.url, { name });
      assert.doesNotMatch(accessToken.split(".")[1], /[-_]/);
      assert.equal(claims(accessToken).name, name);
    }
  });

  test("join", async () => {
    const { poll } = await create(system.url, { name: "Ada" });
    const answer = await post("/polls/join", { pollID: poll.id, name: "Bob" });
    assert.equal(answer.status, 201);
    assert.deepEqual(Object.keys(answer.json), ["poll", "accessToken"]);
    assert.deepEqual(answer.json.poll, poll, "joining writes nothing");
    const said = claims(answer.json.accessToken);
    assert.deepEqual([said.pollID, said.name], [poll.id, "Bob"]);
    assert.equal(said.exp, Math.floor(poll.endsAt / 1000));
    assert.notEqual(said.sub, poll.adminID);
  });

  test("rejoin is the bare document", async () => {
    const { poll, accessToken } = await create(system.url, { name: "Ada" });
    const answer = await post("/polls/rejoin", { accessToken });
    assert.equal(answer.status, 201);
    assert.deepEqual(answer.json, poll);
    for (const body of [{}, { accessToken: "x" }, { accessToken: 7 }, { accessToken: null }]) {
      const refused = await post("/polls/rejoin", body);
      assert.equal(refused.status, 403);
      assert.deepEqual(refused.json, {
        statusCode: 403,
        message: "Invalid authorization token",
        error: "Forbidden",
      });
    }
  });

  test("GET of a poll", async () => {
    const { poll, accessToken } = await create(system.url, { name: "Ada" });
    const other = await create(system.url, { name: "Oto" });
    const get = (headers) => call(system.url, "GET", `/polls/${poll.id}`, undefined, headers);
    for (const headers of [{ Authorization: `Bearer ${accessToken}` }, { token: accessToken }]) {
      const answer = await get(headers);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json, poll);
    }
    for (const headers of [
      {},
      { token: "x" },
      { token: other.accessToken },
      { Authorization: accessToken },
    ]) {
      assert.equal((await get(headers)).status, 403, JSON.stringify(headers));
    }
  });

  test("a poll that does not exist is a 404", async () => {
    const joined = await post("/polls/join", { pollID: "ZZZZZ9", name: "Bob" });
    assert.deepEqual([joined.status, joined.json], [404, NOT_FOUND]);
    const now = Math.floor(Date.now() / 1000);
    const accessToken = jwt.sign(
      { pollID: "ZZZZZ9", name: "B", iat: now, exp: now + 60, sub: "u12345678901234567890" },
      SECRET,
    );
    const rejoined = await post("/polls/rejoin", { accessToken });
    assert.deepEqual([rejoined.status, rejoined.json], [404, NOT_FOUND]);
    const got = await call(system.url, "GET", "/polls/ZZZZZ9", undefined, { token: accessToken });
    assert.deepEqual([got.status, got.json], [404, NOT_FOUND]);
    for (const pollID of ["zzzzz9", "      ", "../../", "$.a..b", "\u{1F600}12345"]) {
      const answer = await post("/polls/join", { pollID, name: "Bob" });
      assert.deepEqual([answer.status, answer.json], [404, NOT_FOUND], pollID);
    }
  });

  const long = (field, min, max) => [
    `${field} must be longer than or equal to ${min} characters`,
    `${field} must be shorter than or equal to ${max} characters`,
    `${field} must be longer than or equal to ${min} and shorter than or equal to ${max} ` +
      "characters",
  ];
  const topic = long("topic", 1, 100);
  const name = long("name", 1, 25);
  const pollID = long("pollID", 6, 6);
  const [over, under, integer] = [
    "votesPerVoter must not be greater than 5",
    "votesPerVoter must not be less than 1",
    "votesPerVoter must be an integer number",
  ];
  const topicType = "topic must be a string";
  const nameType = "name must be a string";
  const pollType = "pollID must be a string";
  const good = { topic: "T", votesPerVoter: 1, name: "N" };
  const nothing = [topic[0], topicType, over, under, integer, name[0], nameType];
  const invalid = [
    [{ ...good, topic: undefined }, [topic[0], topicType]],
    [{ ...good, topic: "" }, [topic[0]]],
    [{ ...good, topic: null }, [topic[0], topicType]],
    [{ ...good, topic: 0 }, [topic[0], topicType]],
    [{ ...good, topic: false }, [topic[0], topicType]],
    [{ ...good, topic: 7 }, [topic[2], topicType]],
    [{ ...good, topic: true }, [topic[2], topicType]],
    [{ ...good, topic: {} }, [topic[2], topicType]],
    [{ ...good, topic: "x".repeat(101) }, [topic[1]]],
    [{ ...good, name: "x".repeat(26) }, [name[1]]],
    [{ ...good, name: "\u{1F600}".repeat(26) }, [name[1]]],
    [{ ...good, name: "" }, [name[0]]],
    [{ ...good, votesPerVoter: 6 }, [over]],
    [{ ...good, votesPerVoter: 0 }, [under]],
    [{ ...good, votesPerVoter: -1 }, [under]],
    [{ ...good, votesPerVoter: 2.5 }, [integer]],
    [{ ...good, votesPerVoter: "3" }, [over, under, integer]],
    [{ ...good, votesPerVoter: undefined }, [over, under, integer]],
    [{ ...good, votesPerVoter: null }, [over, under, integer]],
    [{}, nothing],
    [[], nothing],
    [undefined, nothing],
  ];
  test("each message of the validation of create", async () => {
    for (const [body, message] of invalid) {
      const answer = await post("/polls", body);
      assert.equal(answer.status, 400, JSON.stringify(body));
      assert.equal(
        answer.text,
        JSON.stringify({ statusCode: 400, message, error: "Bad Request" }),
        JSON.stringify(body),
      );
    }
  });

  test("each message of the validation of join", async () => {
    const cases = [
      [{}, [pollID[0], pollType, name[0], nameType]],
      [{ pollID: "ABC", name: "N" }, [pollID[0]]],
      [{ pollID: "ABCDEFG", name: "N" }, [pollID[1]]],
      [{ pollID: 123456, name: "N" }, [pollID[2], pollType]],
      [{ pollID: "ABCDEF", name: "" }, [name[0]]],
      [{ pollID: "ABCDEF", name: ["a"] }, [name[2], nameType]],
    ];
    for (const [body, message] of cases) {
      const answer = await post("/polls/join", body);
      assert.deepEqual(
        [answer.status, answer.json],
        [400, { statusCode: 400, message, error: "Bad Request" }],
        JSON.stringify(body),
      );
    }
  });

  test("what is just good enough", async () => {
    for (const more of [
      { name: "\u{1F600}".repeat(25) },
      { name: "   " },
      { topic: "x".repeat(100) },
      { votesPerVoter: 5 },
      { extra: { a: [1] } },
      { __proto__: null, constructor: 1 },
    ]) {
      const answer = await post("/polls", { ...good, ...more });
      assert.equal(answer.status, 201, `${JSON.stringify(more)}: ${answer.text}`);
    }
    assert.equal(
      (await post("/polls", '{"topic":"T","votesPerVoter":3.0,"name":"N"}')).status,
      201,
    );
  });

  test("bodies that are no JSON, or no UTF-8", async () => {
    const bad = ["{", "{]", '{"a":}', "nul", '"', '{"topic":"T"} x', '{"a":"\\ud800"}'];
    for (const body of [...bad, Buffer.from([0x22, 0xff, 0xfe, 0x22])]) {
      const response = await fetch(`${system.url}/polls`, {
        method: "POST",
        body,
        headers: { "Content-Type": "application/json" },
      });
      const json = await response.json();
      assert.equal(response.status, 400, String(body));
      assert.equal(json.statusCode, 400);
      assert.equal(json.error, "Bad Request");
    }
    const deep = "[".repeat(50_000);
    assert.equal((await post("/polls", deep)).status, 400);
  });

  test("oversize bodies are 413, also when they only claim to be", async () => {
    const body = JSON.stringify({ ...good, topic: "x".repeat(102_400) });
    const answer = await post("/polls", body);
    assert.equal(answer.status, 413);
    assert.deepEqual(answer.json, { statusCode: 413, message: "request entity too large" });
    const socket = await RawSocket.connect(system.port);
    socket.write(
      "POST /polls HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
        "Content-Length: 4000000000\r\n\r\n",
    );
    assert.equal((await socket.response()).code, 413);
    socket.destroy();
    const fits = JSON.stringify({ ...good, more: "x".repeat(102_000) });
    assert.equal((await post("/polls", fits)).status, 201);
  });

  test("routes that are not there", async () => {
    for (const [method, path] of [
      ["GET", "/polls"],
      ["GET", "/nope"],
      ["DELETE", "/polls"],
      ["PUT", "/polls/join"],
      ["POST", "/polls/other"],
      ["GET", "/polls/a/b"],
    ]) {
      const answer = await call(system.url, method, path);
      assert.deepEqual(
        [answer.status, answer.json],
        [404, { statusCode: 404, message: `Cannot ${method} ${path}`, error: "Not Found" }],
      );
    }
  });

  test("health", async () => {
    assert.equal((await call(system.url, "GET", "/healthz")).status, 200);
    assert.equal((await call(system.url, "GET", "/readyz")).status, 200);
  });

  test("CORS: the page's origin is let in, a foreign one only served", async () => {
    const own = "http://localhost:8080";
    const allowed = await post("/polls", good, { Origin: own });
    assert.equal(allowed.headers.get("access-control-allow-origin"), own);
    assert.match(allowed.headers.get("vary"), /Origin/i);
    const foreign = await post("/polls", good, { Origin: "http://evil.example" });
    assert.equal(foreign.status, 201);
    assert.equal(foreign.headers.get("access-control-allow-origin"), null);
    assert.match(foreign.headers.get("vary"), /Origin/i);
    const socket = await RawSocket.connect(system.port);
    socket.write(
      `OPTIONS /polls HTTP/1.1\r\nHost: a\r\nOrigin: ${own}\r\n` +
        "Access-Control-Request-Method: POST\r\n" +
        "Access-Control-Request-Headers: content-type\r\n\r\n",
    );
    const preflight = await socket.response();
    assert.equal(preflight.code, 204);
    assert.equal(preflight.headers["access-control-allow-origin"], own);
    assert.match(preflight.headers["access-control-allow-methods"], /POST/);
    assert.equal(preflight.headers["access-control-allow-headers"], "content-type");
    socket.destroy();
  });

  test("whoever tries too many unknown codes learns nothing more", async () => {
    const strict = await System.start({ env: { ROLLCALL_GATEWAY_UNKNOWN_CODES_PER_MIN: "5" } });
    try {
      const { poll, accessToken } = await create(strict.url, { name: "Ada" });
      const tries = [];
      for (let i = 0; i < 8; i++) {
        tries.push(
          (await call(strict.url, "POST", "/polls/join", { pollID: `ZZZZZ${i}`, name: "Eve" }))
            .status,
        );
      }
      assert.deepEqual(tries, [404, 404, 404, 404, 404, 429, 429, 429]);
      const known = await call(strict.url, "POST", "/polls/join", { pollID: poll.id, name: "Eve" });
      assert.equal(known.status, 429, "a code that exists stands out");
      // Who has a token is not concerned.
      const ada = new Player(strict.url, accessToken);
      await ada.joined();
      ada.leave();
      await strict.stop();
    } finally {
      await strict.dispose();
    }
  });

  test("a poll ends at its time, for REST and for sockets", async () => {
    const short = await System.start({ env: { POLL_DURATION: "2" } });
    try {
      const { poll, accessToken } = await create(short.url, { name: "Ada" });
      const ada = new Player(short.url, accessToken);
      await ada.joined();
      let cancelled = false;
      ada.socket.on("poll_cancelled", () => {
        cancelled = true;
      });
      await ada.when((me) => me.disconnects.length > 0, "the end");
      assert.deepEqual(ada.disconnects, ["io server disconnect"]);
      assert.ok(cancelled);
      assert.deepEqual(ada.exceptions, [{ type: "Unknown", message: "The poll has ended" }]);
      assert.ok(Math.abs(Date.now() - poll.endsAt) < 3000);
      const answer = await call(short.url, "POST", "/polls/join", { pollID: poll.id, name: "B" });
      assert.equal(answer.status, 404);
      const redis = await short.redis();
      assert.equal(await redis.document(poll.id), null);
      redis.close();
      await short.stop();
    } finally {
      await short.dispose();
    }
  });
});
