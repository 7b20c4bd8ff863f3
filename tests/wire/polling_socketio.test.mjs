// SPDX-License-Identifier: MIT
// Socket.IO's packets over a WebSocket and over long-polling: section 7 of the contract, against a
// server that knows nothing of polls.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Echo, Polling, RS } from "../clients/support/echo.mjs";
import { during } from "../clients/support/wait.mjs";

const FIRST = '{"_placeholder":true,"num":0}';
const SECOND = '{"_placeholder":true,"num":1}';

let echo;
before(async () => {
  echo = await Echo.start({
    "ping-interval-ms": 25000,
    "ping-timeout-ms": 20000,
    "connect-timeout-ms": 60000,
  });
});
after(() => echo?.stop());

// One client, whatever carries its messages: binary ones are Buffers.
const carriers = {
  websocket: async () => {
    const socket = await echo.socket("/socket.io/");
    const open = JSON.parse((await socket.next()).slice(1));
    return {
      sid: open.sid,
      send: (...messages) => {
        for (const message of messages) {
          socket.send(Buffer.isBuffer(message) ? message : `4${message}`);
        }
      },
      next: async () => {
        const packet = await socket.next();
        return Buffer.isBuffer(packet) ? packet : packet.slice(1);
      },
      ended: () => socket.end(),
      close: () => socket.close(),
    };
  },
  polling: async () => {
    const session = await echo.session("/socket.io/");
    const encode = (message) =>
      Buffer.isBuffer(message) ? `b${message.toString("base64")}` : `4${message}`;
    let sent = Promise.resolve();
    return {
      sid: session.sid,
      send: (...messages) => {
        sent = sent.then(() => session.post(messages.map(encode).join(RS)));
      },
      next: async () => {
        const packet = await session.packet();
        return packet[0] === "b" ? Buffer.from(packet.slice(1), "base64") : packet.slice(1);
      },
      ended: async () => {
        await sent;
        for (;;) {
          const answer = await session.get();
          if (answer.startsWith("400")) return;
        }
      },
      close: () => session.post("1"),
    };
  },
};

async function joined(client, name = "", auth = "") {
  client.send(`0${name}${auth}`);
  assert.match(await client.next(), new RegExp(`^0${name}\\{"sid":"[A-Za-z0-9_-]{20}"\\}$`));
  assert.equal(await client.next(), `2${name}["auth",${auth || "{}"}]`);
}

for (const [carrier, open] of Object.entries(carriers)) {
  describe(`section 7 over ${carrier}`, () => {
    test("CONNECT, with and without a payload, in both namespaces", async () => {
      const client = await open();
      await joined(client, "", '{"token":"123"}');
      await joined(client, "/custom,");
      client.close();
    });

    test("the sids of two namespaces, and the session's, are three", async () => {
      const client = await open();
      client.send("0", "0/custom,");
      const sids = [];
      while (sids.length < 2) {
        const found = /"sid":"(.*)"/.exec(await client.next());
        if (found) sids.push(found[1]);
      }
      assert.equal(new Set([...sids, client.sid]).size, 3);
      client.close();
    });

    test("a namespace may end without its comma", async () => {
      const client = await open();
      client.send("0/custom");
      assert.match(await client.next(), /^0\/custom,\{"sid"/);
      client.close();
    });

    test("CONNECT_ERROR: unknown namespace, a query in one, a refusal with data", async () => {
      const client = await open();
      client.send("0/random");
      assert.equal(await client.next(), '4/random,{"message":"Invalid namespace"}');
      client.send("0/custom?a=b,");
      assert.equal(await client.next(), '4/custom?a=b,{"message":"Invalid namespace"}');
      client.send('0/custom,{"refuse":true}');
      assert.equal(
        await client.next(),
        '4/custom,{"message":"refused","data":{"why":"asked for"}}',
      );
      await joined(client, "/custom,"); // after 44
      client.close();
    });

    test("DISCONNECT of one leaves the other; CONNECT again is fine; no reply", async () => {
      const client = await open();
      await joined(client);
      await joined(client, "/custom,");
      client.send("1/custom,", '2["message","to the main one"]');
      assert.equal(await client.next(), '2["message-back","to the main one"]');
      await joined(client, "/custom,", '{"again":1}');
      client.send("1", "1/custom,");
      await joined(client);
      client.close();
    });

    test("DISCONNECT of the last one does not close; neither does ours", async () => {
      const client = await open();
      await joined(client);
      client.send('2["leave"]');
      assert.equal(await client.next(), "1");
      client.send("1"); // both sides may leave at once
      await joined(client);
      client.close();
    });

    test("EVENT and ACK: arguments as they were", async () => {
      const client = await open();
      await joined(client);
      client.send(
        '2["message",1,"2",{"3":[true]},null]',
        '2456["message-with-ack",1,"2",{"3":[]}]',
      );
      assert.equal(await client.next(), '2["message-back",1,"2",{"3":[true]},null]');
      assert.equal(await client.next(), '3456[1,"2",{"3":[]}]');
      client.send('20["message-with-ack"]', '2999999999999999["message-with-ack"]', "2[7]");
      assert.equal(await client.next(), "30[]");
      assert.equal(await client.next(), "3999999999999999[]");
      client.close();
    });

    test("events in the same body or segment as the CONNECT are not lost", async () => {
      const client = await open();
      client.send("0", '2["message",1]', '2["message",2]');
      assert.match(await client.next(), /^0\{"sid"/);
      assert.equal(await client.next(), '2["auth",{}]');
      assert.equal(await client.next(), '2["message-back",1]');
      assert.equal(await client.next(), '2["message-back",2]');
      client.close();
    });

    test("binary events and acks", async () => {
      const client = await open();
      await joined(client);
      const one = Buffer.from([1, 2, 3]);
      const two = Buffer.from([4, 5, 6]);
      client.send(`52-["message",${FIRST},${SECOND}]`, one, two);
      assert.equal(await client.next(), `52-["message-back",${FIRST},${SECOND}]`);
      assert.deepEqual([await client.next(), await client.next()], [one, two]);
      client.send(`52-789["message-with-ack",{"a":[${SECOND}]},${FIRST}]`, one, two);
      assert.equal(await client.next(), `62-789[{"a":[${SECOND}]},${FIRST}]`);
      assert.deepEqual([await client.next(), await client.next()], [one, two]);
      client.close();
    });

    test("ten attachments, an empty one among them, in a namespace", async () => {
      const client = await open();
      await joined(client, "/custom,");
      const places = [...Array(10)].map((_, num) => `{"_placeholder":true,"num":${num}}`);
      const bytes = places.map((_, i) => Buffer.alloc(i, i));
      client.send(`510-/custom,["message",${places}]`, ...bytes);
      assert.equal(await client.next(), `510-/custom,["message-back",${places}]`);
      for (const expected of bytes) assert.deepEqual(await client.next(), expected);
      client.close();
    });

    test("the server asks: acks with and without attachments, once each", async () => {
      const client = await open();
      await joined(client, "/custom,");
      client.send('2/custom,["ask"]', '2/custom,["ask"]');
      assert.equal(await client.next(), '2/custom,0["question"]');
      assert.equal(await client.next(), '2/custom,1["question"]');
      await joined(client); // has ids of its own
      client.send('2["ask"]');
      assert.equal(await client.next(), '20["question"]');
      // An unknown id is nothing, a second answer neither.
      client.send("3/custom,77[]", '3/custom,1["yes",1]', '3/custom,1["again"]', "3/custom,0[]");
      assert.equal(await client.next(), '2/custom,["answered","yes",1]');
      assert.equal(await client.next(), '2/custom,["answered"]');
      client.send('2/custom,["ask"]');
      assert.equal(await client.next(), '2/custom,2["question"]');
      client.send(`61-/custom,2[${FIRST}]`, Buffer.from("hi"));
      assert.equal(await client.next(), `51-/custom,["answered",${FIRST}]`);
      assert.deepEqual(await client.next(), Buffer.from("hi"));
      client.close();
    });

    test("an event right behind the DISCONNECT of its namespace closes", async () => {
      const client = await open();
      await joined(client);
      await joined(client, "/custom,");
      client.send("1/custom,", '2/custom,["message"]');
      await client.ended();
    });

    test("a separator in a text is escaped, and comes back escaped", async () => {
      const client = await open();
      await joined(client);
      client.send('2["message","a\\u001eb"]');
      assert.match(await client.next(), /^2\["message-back","a\\u001[Ee]b"\]$/);
      client.send(`2["message","a${RS}b"]`);
      await client.ended();
    });

    const early = [
      '2["message"]',
      "30[]",
      "1",
      '4{"message":"m"}',
      `51-["message",${FIRST}]`,
      `61-0[${FIRST}]`,
    ];
    for (const packet of early) {
      test(`before any CONNECT, ${packet} closes`, async () => {
        const client = await open();
        client.send(packet);
        await client.ended();
      });
    }

    const late = [
      ["CONNECT again", "0"],
      ["CONNECT again, with a payload", '0{"a":1}'],
      ["CONNECT_ERROR", '4{"message":"m"}'],
      ["an event of a namespace not joined", '2/custom,["message"]'],
      ["an ack of a namespace not joined", "3/custom,0[]"],
      ["a binary event of a namespace not joined", `51-/custom,["message",${FIRST}]`],
      ["an event of no namespace", '2/nope,["message"]'],
      ["DISCONNECT of a namespace never joined", "1/custom,"],
      ["type 7", "7"],
      ["type 9", '9["message"]'],
      ["a letter", "abc"],
      ["nothing", ""],
      ["JSON that does not end", '2["message"'],
      ["no JSON", "2[message]"],
      ["trailing garbage", '2["message"]x'],
      ["an event that is an object", "2{}"],
      ["an event that is a text", '2"message"'],
      ["an event without payload", "2"],
      ["an empty event", "2[]"],
      ["an event without a name", "2[null]"],
      ["an event named by an object", '2[{"a":1}]'],
      ["an ack id that is none", '2abc["message-with-ack"]'],
      ["a blank in the ack id", '21 2["message-with-ack"]'],
      ["an ack id of 16 digits", '21234567890123456["message-with-ack"]'],
      ["an ack that is an object", "30{}"],
      ["an ack without payload", "30"],
      ["an ack without id", "3[]"],
      ["DISCONNECT with a payload", "1{}"],
      ["DISCONNECT with a payload, in a namespace", '1/custom,["a"]'],
      ["no attachments announced", '5["message"]'],
      ["no dash behind the count", '51["message"]'],
      ["no attachments", '50-["message"]'],
      ["eleven attachments", '511-["message"]'],
      ["a binary ack without count", "60[]"],
      ["a binary ack without attachments", "60-0[]"],
      ["a binary ack of eleven attachments", "611-0[]"],
      ["a binary ack without a dash", "610[]"],
      ["a binary ack with a placeholder out of range", `61-0[${SECOND}]`],
      ["a placeholder out of range", '51-["message",{"_placeholder":true,"num":1}]'],
      ["a placeholder below range", '51-["message",{"_placeholder":true,"num":-1}]'],
      ["a placeholder without number", '51-["message",{"_placeholder":true}]'],
      ["a placeholder that counts in words", '51-["message",[{"_placeholder":true,"num":"0"}]]'],
      ["a binary message that nobody announced", Buffer.from("x")],
    ];
    for (const name of [
      "connect",
      "connect_error",
      "disconnect",
      "disconnecting",
      "newListener",
      "removeListener",
    ]) {
      late.push([`an event named ${name}`, `2["${name}"]`]);
    }
    for (const [what, packet] of late) {
      test(`after the CONNECT, ${what} closes`, async () => {
        const client = await open();
        await joined(client);
        client.send(packet);
        await client.ended();
      });
    }

    for (const auth of ["[]", "null", '"a"', "1", "{", "{}x"]) {
      test(`CONNECT with ${auth} closes`, async () => {
        const client = await open();
        client.send(`0${auth}`);
        await client.ended();
      });
    }

    test("a text while attachments are owed closes, and nothing is delivered", async () => {
      const client = await open();
      await joined(client);
      client.send(`52-["message",${FIRST},${SECOND}]`, Buffer.from("a"), '2["message",1]');
      await client.ended();
    });

    test("attachments beyond maxPayload together close", async () => {
      const client = await open();
      await joined(client);
      const half = Buffer.alloc(600000);
      client.send(`52-["message",${FIRST},${SECOND}]`);
      client.send(half);
      client.send(half);
      await client.ended();
    });
  });
}

describe("section 7: what only one of the carriers can show", () => {
  const EVENT = `451-["message",${FIRST}]`;
  const BACK = `451-["message-back",${FIRST}]`;

  test("WebSocket: an engine's pong may come between an event and its attachment", async () => {
    const socket = await echo.socket("/socket.io/");
    for (const packet of ["40", EVENT, "3"]) socket.send(packet);
    socket.send(Buffer.from("z"));
    for (let i = 0; i < 3; i++) await socket.next();
    assert.equal(await socket.next(), BACK);
    socket.close();
  });

  test("polling: likewise, in one body", async () => {
    const session = await echo.session("/socket.io/");
    await session.send("0");
    await session.text();
    await session.text();
    assert.equal(await session.post([EVENT, "3", "beg=="].join(RS)), "200 ok");
    assert.equal(await session.get(), `200 ${BACK}${RS}beg==`);
  });

  test("polling: the first event comes in the body of the CONNECT's answer", async () => {
    const session = await echo.session("/socket.io/");
    await session.send("0");
    const packets = (await session.get()).split(RS);
    assert.equal(packets.length, 2);
    assert.match(packets[0], /^200 40\{"sid":"[A-Za-z0-9_-]{20}"\}$/);
    assert.equal(packets[1], '42["auth",{}]');
  });

  test("a separator in the name of a namespace: unknown, or the end of a packet", async () => {
    const socket = await echo.socket("/socket.io/");
    await socket.next();
    socket.send(`40/a${RS}b,`);
    assert.equal(await socket.next(), `44/a${RS}b,{"message":"Invalid namespace"}`);
    socket.close();
    const session = await echo.session("/socket.io/");
    assert.equal(await session.post(`40/a${RS}x,`), "400 ");
    const known = await echo.session("/socket.io/");
    assert.equal(await known.post(`40/custom${RS}41/custom`), "200 ok");
  });
});

describe("section 7: connectTimeout", () => {
  let quick;
  before(async () => {
    quick = await Echo.start({ "connect-timeout-ms": 1000, "ping-timeout-ms": 20000 });
  });
  after(() => quick?.stop());

  const lasts = async (act) => {
    const begun = performance.now();
    const socket = await quick.socket("/socket.io/");
    await act(socket);
    await socket.end();
    return performance.now() - begun;
  };

  test("nothing joined: closed", async () => {
    const ms = await lasts(() => {});
    assert.ok(ms > 900 && ms < 10000, `${ms}`);
  });

  test("a refused CONNECT does not stop it, nor set it back", async () => {
    const ends = [];
    const note = (name, socket) => socket.closed.then(() => ends.push(name));
    const socket = await quick.socket("/socket.io/");
    note("refused", socket);
    await during(600, 20, () => {});
    // Whose time is up between the two moments at which that of the first one may be.
    const later = await quick.socket("/socket.io/");
    note("later", later);
    socket.send('40{"refuse":true}');
    await Promise.all([socket.end(), later.end()]);
    assert.deepEqual(ends, ["refused", "later"]);
    assert.equal(socket.received.at(-1), '44{"message":"refused","data":{"why":"asked for"}}');
  });

  test("joined, then left: closed as well, after as long", async () => {
    const ms = await lasts(async (socket) => {
      socket.send("40");
      await during(1500, 20, () => {});
      socket.send("41");
    });
    assert.ok(ms > 2400 && ms < 12000, `${ms}`);
  });

  test("over polling", async () => {
    const begun = performance.now();
    const session = await Polling.open(quick.url, "/socket.io/");
    let answer;
    do {
      answer = await session.get();
      if (answer === "200 2") await session.post("3");
    } while (answer.startsWith("200"));
    assert.equal(answer, '400 {"code":1,"message":"Session ID unknown"}');
    const ms = performance.now() - begun;
    assert.ok(ms > 900 && ms < 10000, `${ms}`);
  });

  test("who is in one namespace stays", async () => {
    const socket = await quick.socket("/socket.io/");
    socket.send("40/custom,");
    for (let i = 0; i < 3; i++) await socket.next();
    await during(1500, 20, () => {});
    socket.send('42/custom,["message",1]');
    assert.equal(await socket.next(), '42/custom,["message-back",1]');
    socket.close();
  });
});
