// SPDX-License-Identifier: MIT
// Stock clients of Engine.IO and of Socket.IO against our echo server, over each transport.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { onEnd } from "./support/cleanup.mjs";
import { Echo } from "./support/echo.mjs";
import { EngineSocket, io40, io44, io46, io48 } from "./support/packages.mjs";
import { deadline, during, eventually, once } from "./support/wait.mjs";

const TRANSPORTS = {
  default: ["polling", "websocket"],
  "polling only": ["polling"],
  "websocket only": ["websocket"],
  "websocket first": ["websocket", "polling"],
};

let echo; // with pings that a test sees some of
before(async () => {
  echo = await Echo.start({ "ping-interval-ms": 300, "ping-timeout-ms": 2000 });
});
after(() => echo?.stop());

const bytesOf = (data) => Buffer.from(data).toString("hex");

describe("engine.io-client", () => {
  const connect = async (transports) => {
    const socket = new EngineSocket(echo.url.replace("http", "ws"), {
      path: "/engine.io/",
      transports,
    });
    socket.binaryType = "arraybuffer";
    onEnd(() => socket.close());
    socket.received = [];
    socket.on("data", (data) =>
      socket.received.push(typeof data === "string" ? data : bytesOf(data)),
    );
    await once(socket, "open");
    return socket;
  };

  for (const [name, transports] of Object.entries(TRANSPORTS)) {
    test(`${name}: texts and bytes come back in order, over the upgrade too`, async () => {
      const socket = await connect(transports);
      const expected = [];
      for (let i = 0; i < 300; i++) {
        const bytes = Buffer.from([i & 255, i >> 8]);
        socket.send(i % 3 === 2 ? bytes : `text ${i}`);
        expected.push(i % 3 === 2 ? bytesOf(bytes) : `text ${i}`);
        if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await eventually(() => socket.received.length >= 300, `${socket.received.length} of 300`);
      assert.deepEqual(socket.received, expected);
      const upgrades = transports[0] === "polling" && transports.length > 1;
      const last = upgrades ? "websocket" : transports[0];
      await eventually(() => socket.transport.name === last, last);
      socket.send("after");
      await eventually(() => socket.received.at(-1) === "after", "the last one");
      socket.close();
    });

    test(`${name}: outlives some pings, then leaves`, async () => {
      const socket = await connect(transports);
      let pings = 0;
      socket.on("ping", () => pings++);
      await eventually(() => pings >= 4, "four pings");
      assert.equal(socket.readyState, "open");
      const closed = once(socket, "close");
      socket.close();
      await closed;
    });
  }

  test("polling only: more than maxPayload at once comes in several bodies", async () => {
    const socket = await connect(["polling"]);
    const expected = [...Array(10)].map((_, i) => `${i}${"\u20ac".repeat(100000)}`);
    for (const text of expected) socket.send(text);
    await eventually(() => socket.received.length >= 10, "all of them");
    assert.deepEqual(socket.received, expected);
    // What no body can hold goes alone, and is refused: the client begins anew then.
    const closed = once(socket, "close");
    socket.send("x".repeat(1000000));
    assert.equal(await closed, "transport error");
  });

  test("many upgrades at the same time, with messages in between, lose none", async () => {
    const sockets = await Promise.all([...Array(30)].map(() => connect(TRANSPORTS.default)));
    await Promise.all(
      sockets.map(async (socket, n) => {
        for (let i = 0; i < 50; i++) {
          socket.send(`${n}.${i}`);
          if (i % 5 === 0) await during(3, 3, () => {});
        }
        await eventually(() => socket.received.length >= 50, `all of ${n}`);
        assert.deepEqual(
          socket.received,
          [...Array(50)].map((_, i) => `${n}.${i}`),
        );
        await eventually(() => socket.transport.name === "websocket", "the upgrade");
      }),
    );
    for (const socket of sockets) socket.close();
  });
});

for (const [version, io] of [
  ["4.0", io40],
  ["4.4", io44],
  ["4.6", io46],
  ["4.8", io48],
]) {
  describe(`socket.io-client ${version}`, () => {
    for (const [name, transports] of Object.entries(TRANSPORTS)) {
      const connect = async (nsp, options = {}) => {
        const socket = io(`${echo.url}${nsp}`, {
          transports,
          forceNew: true,
          reconnectionDelay: 50,
          reconnectionDelayMax: 100,
          ...options,
        });
        onEnd(() => socket.disconnect());
        socket.auths = [];
        socket.on("auth", (auth) => socket.auths.push(auth));
        await once(socket, "connect");
        return socket;
      };
      const back = (socket) =>
        deadline(
          new Promise((resolve) => socket.once("message-back", (...args) => resolve(args))),
          "message-back",
        );
      const ack = (socket, ...args) =>
        deadline(
          new Promise((resolve) =>
            socket.emit("message-with-ack", ...args, (...answer) => resolve(answer)),
          ),
          "an acknowledgement",
        );

      test(`${name}: auth, messages, acks, bytes`, async () => {
        const socket = await connect("/", { auth: { token: "t" } });
        await eventually(() => socket.auths.length === 1, "auth");
        assert.deepEqual(socket.auths, [{ token: "t" }]);
        const args = [1, "2", { 3: [true, null] }, "\u{1f35a}"];
        const answer = back(socket);
        socket.emit("message", ...args);
        assert.deepEqual(await answer, args);
        assert.deepEqual(await ack(socket, ...args), args);
        const bytes = back(socket);
        socket.emit("message", Buffer.from([1, 2]), { deep: [Buffer.from([3])] });
        const [one, { deep }] = await bytes;
        assert.equal(bytesOf(one), "0102");
        assert.equal(bytesOf(deep[0]), "03");
        const large = Buffer.alloc(200000, 7);
        assert.equal(bytesOf((await ack(socket, large))[0]), bytesOf(large));
        socket.disconnect();
      });

      test(`${name}: the server asks, and is answered`, async () => {
        const socket = await connect("/custom");
        socket.on("question", (answer) => answer("yes", Buffer.from([9])));
        const answered = once(socket, "answered");
        socket.emit("ask");
        assert.equal(await answered, "yes");
        socket.disconnect();
      });

      test(`${name}: two namespaces in one connection; leaving one, coming again`, async () => {
        const main = await connect("/", { forceNew: false });
        const custom = main.io.socket("/custom");
        if (!custom.connected) await once(custom, "connect");
        const gone = once(custom, "disconnect");
        custom.disconnect();
        assert.equal(await gone, "io client disconnect");
        assert.deepEqual(await ack(main, 1), [1]);
        custom.connect();
        await once(custom, "connect");
        assert.deepEqual(await ack(custom, 2), [2]);
        main.disconnect();
        custom.disconnect();
      });

      test(`${name}: refusals, with data; an unknown namespace`, async () => {
        const refused = async (nsp, auth) => {
          const socket = io(`${echo.url}${nsp}`, {
            transports,
            forceNew: true,
            reconnection: false,
            auth,
          });
          onEnd(() => socket.disconnect());
          const error = await once(socket, "connect_error");
          socket.disconnect();
          return error;
        };
        const error = await refused("/custom", { refuse: true });
        assert.equal(error.message, "refused");
        assert.deepEqual(error.data, { why: "asked for" });
        assert.equal((await refused("/none")).message, "Invalid namespace");
      });

      test(`${name}: DISCONNECT of ours is "io server disconnect"`, async () => {
        const socket = await connect("/");
        const gone = once(socket, "disconnect");
        socket.emit("leave");
        assert.equal(await gone, "io server disconnect");
        socket.disconnect();
      });

      test(`${name}: a transport that we close makes it come again`, async () => {
        const socket = await connect("/");
        const first = socket.io.engine.id;
        const gone = once(socket, "disconnect");
        socket.emit("close");
        assert.match(await gone, /^transport (close|error)$/);
        await once(socket, "connect");
        assert.notEqual(socket.io.engine.id, first);
        assert.deepEqual(await ack(socket, "again"), ["again"]);
        socket.disconnect();
      });

      test(`${name}: a close while no GET waits is told with the next one`, async () => {
        const socket = await connect("/");
        const gone = once(socket, "disconnect");
        socket.emit("close", "later");
        assert.match(await gone, /^transport (close|error)$/);
        socket.disconnect();
      });
    }
  });
}
