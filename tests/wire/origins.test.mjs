// SPDX-License-Identifier: MIT
// One rule for all doors: which web pages may talk to us (origin.h).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { RawSocket, RawWebSocket } from "../clients/support/raw.mjs";
import { System } from "../clients/support/system.mjs";

describe("origins", () => {
  let system;
  before(async () => {
    system = await System.start({
      env: { CLIENT_PORT: "8123", ROLLCALL_HTTP_ORIGINS: "https://a.example http://b.example:81" },
    });
  });
  after(() => system?.end());

  const host = () => `127.0.0.1:${system.port}`;
  const friends = {
    none: () => undefined,
    "the same": () => `http://${host()}`,
    "the same by TLS": () => `https://${host()}`,
    "the client's port": () => "http://localhost:8123",
    "one of the settings": () => "https://a.example",
    "another of the settings": () => "http://b.example:81",
    "in capitals": () => "HTTPS://A.EXAMPLE",
  };
  const strangers = {
    foreign: () => "https://evil.example",
    null: () => "null",
    "another port of ours": () => `http://127.0.0.1:${system.port + 1}`,
    "another scheme": () => "http://a.example",
    "the beginning of a friend": () => "https://a.exampl",
    "a friend and more": () => "https://a.example.evil.example",
    "a friend as a user": () => "https://a.example@evil.example",
    "two friends": () => "https://a.example http://b.example:81",
    "very long": () => `https://${"a".repeat(700)}.example`,
  };

  async function ask(method, path, origin, body = "") {
    const socket = await RawSocket.connect(system.port);
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: ${host()}\r\nContent-Length: ${body.length}\r\n` +
        (body ? "Content-Type: application/json\r\n" : "") +
        (origin === undefined ? "" : `Origin: ${origin}\r\n`) +
        "\r\n" +
        body,
    );
    const answer = await socket.response();
    socket.destroy();
    return answer;
  }

  async function upgrade(path, origin, more = {}) {
    const headers = { ...more, ...(origin === undefined ? {} : { Origin: origin }) };
    const socket = await RawWebSocket.open(system.port, { path, headers });
    socket.destroy();
    return socket.upgrade;
  }

  const create = '{"topic":"T","votesPerVoter":1,"name":"Ada"}';
  const allow = "access-control-allow-origin";
  const polling = "/socket.io/?EIO=4&transport=polling";
  const websocket = "/socket.io/?EIO=4&transport=websocket";
  const native = { "Sec-WebSocket-Protocol": "rollcall.v1.json" };

  for (const [who, origin] of Object.entries(friends)) {
    test(`a friend, ${who}`, async () => {
      const answers = [
        [await ask("GET", "/healthz", origin()), 200],
        [await ask("POST", "/polls", origin(), create), 201],
        [await ask("POST", "/polls/join", origin(), '{"pollID":"ZZZZZZ","name":"Bob"}'), 404],
        [await ask("GET", polling, origin()), 200],
        [await ask("GET", `${polling}&sid=x`, origin()), 400],
      ];
      for (const [answer, code] of answers) {
        assert.equal(answer.code, code, answer.head);
        // Whose Origin is none needs no leave; whoever has one is told that it may read this.
        if (origin()) assert.equal(answer.headers[allow], origin(), answer.head);
        assert.doesNotMatch(answer.headers[allow] ?? "", /\*/);
      }
      assert.equal((await upgrade(websocket, origin())).code, 101);
      assert.equal((await upgrade("/ws", origin(), native)).code, 101);
    });
  }

  for (const [who, origin] of Object.entries(strangers)) {
    test(`a stranger, ${who}`, async () => {
      for (const [method, path, body, code] of [
        ["GET", "/healthz", "", 200],
        ["POST", "/polls", create, 201],
        ["OPTIONS", "/polls", "", 204],
      ]) {
        const answer = await ask(method, path, origin(), body);
        assert.equal(answer.code, code, answer.head);
        assert.equal(answer.headers[allow], undefined, answer.head);
      }
      for (const path of [polling, `${polling}&sid=x`]) {
        const refused = await ask("GET", path, origin());
        assert.equal(refused.code, 403);
        assert.deepEqual(JSON.parse(refused.body), { code: 4, message: "Forbidden" });
        assert.equal(refused.headers[allow], undefined);
      }
      assert.equal((await upgrade(websocket, origin())).code, 403);
      assert.equal((await upgrade("/ws", origin(), native)).code, 403);
    });
  }

  test("a preflight of a friend is answered with what it asks for", async () => {
    for (const path of ["/polls", "/polls/join", polling]) {
      const answer = await ask("OPTIONS", path, "https://a.example");
      assert.equal(answer.code, 204);
      assert.equal(answer.headers[allow], "https://a.example");
      assert.match(answer.headers["access-control-allow-methods"], /POST/);
      assert.match(answer.headers.vary ?? "", /Origin/i);
    }
  });
});
