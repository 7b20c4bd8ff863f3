// SPDX-License-Identifier: MIT
// What a client may write into its packets, byte by byte: JSON's odd corners, numbers that do not
// fit, too many events.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Player } from "./support/player.mjs";
import { RawWebSocket, clientFrame } from "./support/raw.mjs";
import { create } from "./support/rest.mjs";
import { System, counted } from "./support/system.mjs";
import { eventually } from "./support/wait.mjs";

let system;
before(async () => {
  system = await System.start();
});
after(() => system?.end());

// A poll with one socket that has seen its first document.
async function alone(more) {
  const { poll, accessToken } = await create(system.url, { name: "Ada", ...more });
  const socket = await RawWebSocket.join(system.port, { token: accessToken });
  assert.match(await socket.text(), /^40\/polls,\{"sid":"[A-Za-z0-9_-]{20}"\}$/);
  assert.match(await socket.text(), /^42\/polls,\["poll_updated",\{"id":/);
  return { poll, socket, token: accessToken };
}

const exception = (type, message) =>
  `42/polls,["exception",${JSON.stringify({ type, message })}]`;
const acknowledged = (id, type, message) =>
  `43/polls,${id}[${JSON.stringify({ error: { type, message }, outcome: "none" })}]`;

const SHORT = "text must be longer than or equal to 1 characters";
const BOTH = "text must be longer than or equal to 1 and shorter than or equal to 100 characters";
const STRING = "text must be a string";

// A nomination as JSON text; resolves to its text as everybody is shown it.
async function nominated(socket, json) {
  socket.say(`42/polls,0["nominate",{"text":${json}}]`);
  let id;
  let nominations;
  while (!id || !nominations?.[id]) {
    const packet = await socket.text();
    const [first, second] = JSON.parse(packet.slice(packet.indexOf("[")));
    if (packet.startsWith("43/polls,0")) {
      assert.equal(first.outcome, "saved");
      id = first.id;
    } else {
      assert.equal(first, "poll_updated");
      nominations = second.nominations;
    }
  }
  return nominations[id].text;
}

test("texts come back as they were written", async () => {
  const texts = [
    ["\"\\u0000\"", "\u0000"],
    ["\"a\\u0000b\\u0000\"", "a\u0000b\u0000"],
    ["\"\\ud83c\\udf5c\"", "\u{1f35c}"],
    ["\"\\u007f\\u0001\\n\\t\\\\\\\"\\/\"", "\u007f\u0001\n\t\\\"/"],
    ["\"</script>\\u2028\\uffff\\ufeff\"", "</script>\u2028\uffff\ufeff"],
  ];
  for (const [json, text] of texts) {
    const { socket } = await alone();
    assert.equal(await nominated(socket, json), text);
    socket.destroy();
  }
});

test("a number is no text, however large", async () => {
  const { socket } = await alone();
  const whole = ["9007199254740993", "9223372036854775807", "9223372036854775808"];
  const large = ["-9223372036854775809", "1" + "0".repeat(300), "1e300", "0.1"];
  for (const [i, number] of [...whole, ...large].entries()) {
    socket.say(`42/polls,${i}["nominate",{"text":${number}}]`);
    assert.equal(await socket.text(), exception("BadRequest", [BOTH, STRING]), number);
    assert.equal(await socket.text(), acknowledged(i, "BadRequest", [BOTH, STRING]), number);
  }
  for (const [i, number] of ["0", "-0", "0.0", "0e5"].entries()) {
    socket.say(`42/polls,${i}["nominate",{"text":${number}}]`);
    assert.equal(await socket.text(), exception("BadRequest", [SHORT, STRING]), number);
    assert.equal(await socket.text(), acknowledged(i, "BadRequest", [SHORT, STRING]), number);
  }
  socket.destroy();
});

test("large numbers and deep values inside of other events are refused like any", async () => {
  const { socket } = await alone();
  const deep = (depth) => "[".repeat(depth) + "]".repeat(depth);
  const cases = [
    ["submit_rankings", "{\"rankings\":[99999999999999999999]}", "The vote has not started yet"],
    ["submit_rankings", `{"rankings":${deep(7)}}`, "The vote has not started yet"],
    ["submit_rankings", `{"rankings":${deep(500)}}`, "The vote has not started yet"],
    ["remove_nomination", "{\"id\":12345678901234567890}", "id must be a string"],
    ["remove_nomination", "{\"id\":9007199254740993}", "id must be a string"],
    ["remove_nomination", `{"id":${deep(100)}}`, "id must be a string"],
    ["remove_nomination", `{"id":"x","more":${deep(100)}}`, undefined],
    ["remove_nomination", `{"id":"${"x".repeat(60_000)}"}`, undefined],
    ["remove_participant", "{\"id\":1e300}", "id must be a string"],
  ];
  for (const [i, [event, args, message]] of cases.entries()) {
    socket.say(`42/polls,${i}["${event}",${args}]`);
    if (message === undefined) {
      assert.match(await socket.text(), new RegExp(`^43/polls,${i}\\[\\{"outcome":"saved"`));
      continue;
    }
    assert.equal(await socket.text(), exception("BadRequest", message), args.slice(0, 60));
    assert.equal(await socket.text(), acknowledged(i, "BadRequest", message));
  }
  socket.destroy();
});

// What is no JSON, or no event of ours to be: the socket is closed, as the original's parser does.
test("what can not be read closes the socket and nothing else", async () => {
  const { poll } = await alone();
  const bad = [
    "42/polls,[\"nominate\",{\"text\":\"\\ud83c\"}]",
    "42/polls,[\"nominate\",{\"text\":\"\\udf5c\\ud83c\"}]",
    "42/polls,[\"nominate\",{\"text\":\"a\\ud83cb\"}]",
    "42/polls,[\"nominate\",{\"text\":\"x\"}",
    "42/polls,[\"nominate\",{\"text\":\"x\"}]x",
    "42/polls,[\"nominate\",{text:\"x\"}]",
    "42/polls,[\"nominate\",{\"text\":NaN}]",
    "42/polls,[\"nominate\",{\"text\":01}]",
    "42/polls,[]",
    "42/polls,[null]",
    "42/polls,{}",
    "42/polls,",
    "42/polls,[\"disconnect\"]",
    "42/polls,[\"connect\"]",
    "42/polls,99999999999999999999[\"test\"]",
    "42/polls,-1[\"test\"]",
    `42/polls,["nominate",${"[".repeat(30_000)}`,
    `42/polls,["nominate",${"[".repeat(5000)}${"]".repeat(5000)}]`,
  ];
  for (const packet of bad) {
    const { socket, token } = await alone();
    const player = new Player(system.url, token);
    await player.joined();
    socket.say(packet);
    await socket.closed();
    assert.ok(player.live, packet.slice(0, 60));
    player.leave();
  }
  assert.equal((await fetch(`${system.url}/healthz`)).status, 200);
  assert.ok(poll.id);
});

test("an event whose name is a number or unknown is ignored and counted", async () => {
  const { socket } = await alone();
  const before = counted(await system.status(), "unknown_events");
  for (const name of ["1", "1.5", "99999999999999999999", "\"x\\u0000\"", "\"\""]) {
    socket.say(`42/polls,7[${name},{"text":"Soup"}]`);
  }
  socket.say("42/polls,8[\"test\"]");
  assert.equal(await socket.text(), exception("BadRequest", "plain ol"));
  assert.equal(await socket.text(), acknowledged(8, "BadRequest", "plain ol"));
  await eventually(
    async () => counted(await system.status(), "unknown_events") === before + 5,
    "5 unknown events",
  );
  socket.destroy();
});

test("20 commands a second, then a BadRequest, then again", async () => {
  const { socket } = await alone();
  const words = "Too many events, slow down";
  const limited = counted(await system.status(), "commands_limited");
  // One segment, so that all are there at once; unknown events count as well.
  for (let i = 0; i < 30; i++) socket.say(`42/polls,${i}["${i < 10 ? "vote" : "test"}"]`);
  const answers = [];
  for (let i = 10; i < 30; i++) {
    const [told, ack] = [await socket.text(), await socket.text()];
    const message = told.includes("plain ol") ? "plain ol" : words;
    assert.equal(told, exception("BadRequest", message));
    assert.equal(ack, acknowledged(i, "BadRequest", message));
    answers.push(message);
  }
  const allowed = answers.filter((message) => message !== words).length;
  assert.ok(allowed >= 10 && allowed < 18, `${allowed} of the last 20 allowed`);
  assert.deepEqual(answers.slice(0, 10), Array(10).fill("plain ol"));
  await eventually(
    async () => counted(await system.status(), "commands_limited") >= limited + 20 - allowed,
    "limited commands to be counted",
  );
  // The socket stays, and may speak again soon.
  await eventually(async () => {
    socket.say("42/polls,[\"test\"]");
    return (await socket.text()).includes("plain ol");
  }, "to be heard again");
  socket.destroy();
});

// The stock client never does it; the original closes such a socket, too.
test("an event before the CONNECT is answered closes the socket", async () => {
  const { accessToken } = await create(system.url, { name: "Ada" });
  const socket = await RawWebSocket.open(system.port);
  await socket.text();
  // In one piece: the answer must not come first.
  const packets = [
    `40/polls,{"token":"${accessToken}"}`,
    "42/polls,0[\"nominate\",{\"text\":\"Soup\"}]",
  ];
  socket.write(Buffer.concat(packets.map((packet) => clientFrame(packet))));
  await socket.closed();
});
