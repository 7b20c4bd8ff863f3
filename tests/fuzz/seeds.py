#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""Writes the first seeds of every corpus out of our own wire examples: seeds.py. What fuzzing has
found besides stays as it is."""

import base64
import hashlib
import hmac
import json
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
KEY = b"a key for nothing but this"
ALICE = "alice-alice-alice-ali"
BOB = "bob-bob-bob-bob-bob-b"
ME, PEER = "1" * 16, "d" * 16


def pack(value):
    """msgpack, as small as it goes."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if 0 <= value < 128:
            return bytes([value])
        return struct.pack(">Bq", 0xD3, value)
    if isinstance(value, float):
        return struct.pack(">Bd", 0xCB, value)
    if isinstance(value, bytes):
        return struct.pack(">BB", 0xC4, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return (bytes([0xA0 | len(text)]) if len(text) < 32
                else struct.pack(">BH", 0xDA, len(text))) + text
    if isinstance(value, list):
        return struct.pack(">BH", 0xDC, len(value)) + b"".join(map(pack, value))
    return struct.pack(">BH", 0xDE, len(value)) + b"".join(
        pack(key) + pack(member) for key, member in value.items())


def frame(payload, opcode=1, fin=1, mask=b"\x01\x02\x03\x04", rsv=0, form=0):
    size = len(payload)
    head = bytes([fin << 7 | rsv << 4 | opcode])
    flag = 0x80 if mask else 0
    form = form or (1 if size < 126 else 2 if size < 65536 else 8)
    if form == 1:
        head += bytes([flag | size])
    else:
        head += bytes([flag | (126 if form == 2 else 127)]) + size.to_bytes(form, "big")
    if not mask:
        return head + payload
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def framing():
    yield from (frame(b"40"), frame(b""), frame(b"x" * 126), frame(b"x" * 4096))
    yield from (frame(b"hi", opcode) for opcode in (0, 2, 3, 8, 9, 10, 11, 15))
    yield from (frame(b"hi", rsv=rsv) for rsv in (1, 2, 4))
    yield from (frame(b"hi", form=form) for form in (2, 8))
    yield frame(b"hi", mask=b"")
    yield frame(b"a", fin=0) + frame(b"ping", 9) + frame(b"b", 0)
    yield frame(b"a", fin=0) + frame(b"b")
    yield frame(b"\x03", 8)
    yield frame(struct.pack(">H", 1000) + b"bye", 8)
    yield b"\x81\xff" + b"\x80" + b"\x00" * 11
    yield frame(b"x" * 126, 9)
    yield frame(b"a", 9, fin=0)
    yield b"dGhlIHNhbXBsZSBub25jZQ=="


SIO = ['0', '0{"token":"t"}', '0/polls,{"token":"t","updates":"patch"}', '0/polls', '1', '1/polls,',
       '2["test"]', '2/polls,7["nominate",{"text":"Soup"}]',
       '2/polls,["submit_rankings",{"rankings":["a"]}]',
       '3/polls,7[]', '3/polls,0[{"error":null}]', '4/polls,{"message":"no"}',
       '51-["f",{"_placeholder":true,"num":0}]',
       '52-/custom,12["f",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
       '61-/custom,3[{"_placeholder":true,"num":0}]', '2[1]', '2[]', '2["connect"]', '510-["a"]',
       '50-["a"]',
       '2/polls,999999999999999["a"]', '2/polls,9999999999999999["a"]', '0/a?b=c,', '7', '2{}',
       '0[]',
       '2["' + "[" * 60 + '"]', '2["\\u0000\\ud83d\\ude00"]']


def socketio():
    yield from (text.encode() for text in SIO)
    yield "2[\"\u00e9\U0001F35C\"]".encode()
    yield b'2["\xff"]'


def payload():
    packets = ["4" + text for text in SIO[:12]] + ["1", "2", "3", "2probe", "3probe", "5", "6", "b"]
    yield from (packet.encode() for packet in packets)
    yield "\x1e".join(packets).encode()
    for size in range(6):
        yield b"b" + base64.b64encode(bytes(range(250, 250 + size)))
    yield from (b"", b"\x1e", b"4x\x1e", b"\x1e4x", b"bA", b"bAQID=", b"bA===", b"b*aaa",
        b"bAQ==AQ==")


NATIVE = [{"event": "join", "id": 1, "data": {"token": "t", "rev": "4-00000000000000ff"}},
          {"event": "join", "data": {"token": "t"}}, {"event": "leave"},
          {"event": "nominate", "id": "a1", "data": {"text": "Soup"}},
          {"event": "remove_nomination", "id": 2, "data": {"id": "nomi-001"}},
          {"event": "remove_participant", "id": 2, "data": {"id": BOB}},
          {"event": "submit_rankings", "id": 3, "data": {"rankings": ["nomi-001", "nomi-002"]}},
          {"event": "start_vote", "id": 4}, {"event": "close_poll", "id": 5},
          {"event": "cancel_poll"},
          {"event": "", "id": None}, {"id": 1}, {"event": 1}, {"event": "join", "data": []},
          {"event": "x" * 60, "id": "y" * 200}]


def native():
    for each in NATIVE:
        yield b"\0" + json.dumps(each).encode()
        yield b"\1" + pack(each)
    yield from (b"\0[]", b"\0{", b"\1\x93", b"\1\xdf\xff\xff\xff\xff", b"\1\xdb\xff\xff\xff\xff")


def body():
    good = {"topic": "Lunch", "votesPerVoter": 3, "name": "Ada"}
    for more in ({}, {"ballots": "open"}, {"ballots": "x"}, {"votesPerVoter": 0},
        {"votesPerVoter": 6},
                 {"votesPerVoter": 1.5}, {"votesPerVoter": "3"}, {"topic": ""},
                 {"topic": "x" * 101},
                 {"topic": None}, {"name": "x" * 26}, {"name": 1}, {"name": "\u0000\U0001F35C"},
                 {"x": {}}):
        yield b"\1" + json.dumps({**good, **more}).encode()
    for each in ({"pollID": "ABC123", "name": "Bob"}, {"pollID": "abc123", "name": "Bob"},
        {"pollID": 1},
                 {"pollID": "ABC1234"}, {"pollID": "ABC123", "name": ""}, {}, [], None, 1, "x"):
        yield b"\0" + json.dumps(each).encode()
    yield from (b"\1", b"\1{", b'\1{"a":1}x', b'\1{"topic":"\xff"}', b"\1" + b"[" * 40,
        b'\1{"a":1e999}')


def token():
    def text(value):
        return base64.urlsafe_b64encode(json.dumps(value, separators=(",",
            ":")).encode()).rstrip(b"=")

    def signed(header, claims, key=KEY):
        first = text(header) + b"." + text(claims)
        mac = hmac.new(key, first, hashlib.sha256).digest()
        return first + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")

    header = {"alg": "HS256", "typ": "JWT"}
    claims = {"pollID": "ABC123", "name": "Ada", "iat": 1, "exp": 4102444800, "sub": ALICE}
    yield signed(header, claims)
    for more in ({"name": "\U0001F35C" * 25}, {"name": ""}, {"name": 1}, {"name": "x" * 26},
        {"exp": -1},
                 {"exp": "1"}, {"exp": 1e300}, {"exp": None}, {"sub": ""}, {"sub": "x"},
                 {"pollID": "abc"},
                 {"pollID": None}, {"iat": None}, {"x": [[[]]]}, {"nbf": 1 << 52}):
        yield signed(header, {**claims, **more})
    for alg in ("none", "HS384", "RS256", "", None, 1):
        yield signed({**header, "alg": alg}, claims)
    yield signed(header, claims, b"another")
    yield signed(header, [])
    yield from (b"", b".", b"..", b"a.b.c", b"key\nother key\n\n", b"x" * 600 + b"\n" + b"y\n" * 20)


PUBLIC = {"id": "ABC123", "topic": "Lunch", "votesPerVoter": 3, "participants": {ALICE: "Alice"},
          "nominations": {"nomi-001": {"userID": ALICE, "text": "Soup"}}, "rankings": {ALICE: []},
          "results": [{"nominationID": "nomi-001", "nominationText": "Soup", "score": 0.5}],
          "adminID": ALICE, "hasStarted": False, "version": 4, "rev": "4-00000000000000ff",
          "state": "open", "endsAt": 1800000000000}
PATCH = {"participants": {BOB: "Bob"}, "version": 5, "rev": "5-00000000000000fe"}
EVENTS = [
    [1, "", {"min": 1, "max": 1, "role": "gateway", "name": "g1", "session": 1, "build": "x",
    "pid": 7}],
    [2, "", {"proto": 1, "name": "a1", "session": 1}], [3, "", {"generation": 7,
    "stats": {"a": 1}}],
    [10, "ABC123", {"rev": "4-00000000000000ff", "conns": [["c1", ALICE, "Alice"]], "last": True}],
    [11, "ABC123", {"conn": "c1", "user": ALICE, "name": "Alice"}],
    [12, "ABC123", {"conn": "c1", "why": "leave"}],
    [13, "ABC123", {"req": 1, "conn": "c1", "user": ALICE, "id": "i", "verb": "nominate",
                    "args": {"text": "Soup"}}],
    [14, "ABC123", {"req": 1, "topic": "Lunch", "votes": 3, "admin": ALICE, "endsAt": 1800000000000,
                    "nonce": "n"}],
    [15, "ABC123", {"req": 1, "user": ALICE}], [16, "ABC123", {}],
    [20, "ABC123", {"rev": "4-00000000000000ff", "document": PUBLIC}],
    [21, "ABC123", {"from": "4-00000000000000ff", "to": "5-00000000000000fe", "patch": PATCH}],
    [22, "ABC123", {"conn": "c1", "rev": "4-00000000000000ff", "ballot": ["nomi-001"]}],
    [23, "ABC123", {"conn": "c1", "code": "notfound", "text": "Poll not found"}],
    [24, "ABC123", {"req": 1, "code": "ok", "outcome": "saved", "data": None}],
    [25, "ABC123", {"conns": ["c1"], "code": "removed"}], [26, "ABC123", {"why": "expired"}],
    [27, "ABC123", {"generation": 8}], [28, "", {"type": 11, "code": "reset", "text": ""}],
    [30, "", {"req": 1, "sid": "s"}], [31, "", {"req": 1, "sid": "s", "body": b"4x"}],
    [33, "", {"req": 1, "sid": "s", "status": 200, "body": b"ok"}],
    [40, "", {"endpoint": "ipc://a"}],
    [41, "", {"generation": 7, "actors": [[1, ME, "ipc://a", "up"]], "gateways": []}],
    [42, "", {"within_ms": 5}], [43, "", {}], [50, "", {"id": 1, "verb": "status"}],
    [51, "", {"id": 1, "code": "ok", "data": {}}], [99, "x", {}],
    [60, "", {"child": "g1", "from": "up", "to": "ready", "at_ms": 5}]]


def header(seq, to=ME, sender=PEER):
    return pack([1, sender, to, seq, 0, 0])


def event():
    yield from map(pack, EVENTS)
    yield from (header(1), header(1 << 53), pack([]), pack([1, "", None]), b"\xc1",
        b"\xdd\xff\xff\xff\xff")


def link():
    def message(right, *parts):
        return bytes([0x80 * right | len(parts)]) + b"".join(
            struct.pack(">H", len(part)) + part for part in parts)

    packed = list(map(pack, EVENTS))
    for how in range(8):
        yield bytes([how]) + message(0, header(1, ""), packed[0]) + message(0, header(2), packed[4])
        yield bytes([how]) + b"".join(message(1, part) for part in packed[how::4])
        yield bytes([how]) + message(0, header(1), packed[1]) + message(0, header(0), packed[18])
        yield bytes([how]) + message(1, *packed[3:9]) + message(0, header(9), packed[2])


def document():
    def both(public, patch):
        first = pack(public)
        return struct.pack(">H", len(first)) + first + pack(patch)

    for patch in (PATCH, {}, None, [], {"participants": {ALICE: None}},
        {"nominations": {"nomi-001": None}},
                  {"rankings": {BOB: ["nomi-001"]}}, {"results": []}, {"results": [1]},
                  {"state": "closed"},
                  {"state": 1}, {"version": -1}, {"rev": "x"}, {"topic": None}, {"x": 1},
                  {"endsAt": 0},
                  {"participants": []}, {"hasStarted": True}):
        yield both(PUBLIC, patch)
    for more in ({"participants": {}}, {"participants": 1}, {"results": {}}, {"rev": ""},
        {"topic": "\0"}):
        yield both({**PUBLIC, **more}, PATCH)


def stored():
    good = {**PUBLIC, "rankings": {ALICE: ["nomi-001"]}, "results": []}
    for name in ("version", "rev", "state", "endsAt"):
        del good[name]
    meta = {"schema": 1, "version": 4, "rev": "4-00000000000000ff", "state": "open",
            "endsAt": 1800000000000, "ballots": "secret", "removed": {BOB: 1},
            "ballotSeq": {ALICE: [1, "conn-001", 3]},
            "nonce": "nonce"}
    for more in ({}, {"hasStarted": True}, {"topic": "\0\U0001F35C"}, {"participants": {}},
        {"rankings": {}},
                 {"results": [{"nominationID": "nomi-001", "nominationText": "Soup",
                 "score": 0.1}]},
                 {"id": "XYZ123"}, {"votesPerVoter": 9}, {"nominations": []}, {"adminID": 1},
                 {"more": 1}):
        yield json.dumps({**good, **more, "meta": meta}).encode()
    for more in ({"state": "voting"}, {"state": "closed"}, {"schema": 2}, {"version": 5},
        {"rev": "4-x"},
                 {"ballots": "open"}, {"ballotSeq": {}},
                 {"ballotSeq": {ALICE: 1}}, {"removed": {ALICE: 1}}, {"nonce": ""},
                 {"endsAt": -1}):
        yield json.dumps({**good, "meta": {**meta, **more}}).encode()
    yield from (b"", b"{", b"null", b"{} junk", json.dumps({**good, "meta": None}).encode())


def redis_reply():
    texts = [b"+OK\r\n", b"-ERR no\r\n", b":1\r\n", b":-9223372036854775808\r\n", b"$-1\r\n",
        b"$0\r\n\r\n",
             b"$2\r\nhi\r\n", b"*0\r\n", b"*-1\r\n", b"*2\r\n+a\r\n$1\r\nb\r\n",
             b"*1\r\n*1\r\n*1\r\n:1\r\n",
             b"-NOSCRIPT No matching script.\r\n", b"-LOADING\r\n", b"$2\r\nhi", b"$-2\r\n",
             b"*9999999\r\n",
             b"$99999999999\r\n", b":x\r\n", b"?\r\n", b"\r\n",
             b"*3\r\n$2\r\nOK\r\n$5\r\n7:1:a\r\n$2\r\n{}\r\n"]
    for piece in (0, 255):
        yield from (bytes([piece]) + text for text in texts)
    yield b"\x03" + b"".join(texts[:13])


def settings():
    for text in ("http\n    port = 3000\n", "http\n    host = \"127.0.0.1\"\n    port = 1\n",
        "gateways = 3\n",
                 "log\n    level = debug\n", "gateways = 0\n", "gateways = x\n",
                 "gateways = 99999999999999\n",
                 "unknown = 1\n", "http = 1\n", "# only a comment\n", "", "\n\n",
                 "http\n  port = 1\n",
                 "http\n    port\n", "state_dir = \"/tmp/a b\"\n", "state_dir = 'x\n",
                 "a\n    b\n        c = 1\n",
                 "redis\n    url = redis://u:p@h:1/\n", "presence\n    grace_ms = -1\n",
                 "http\n\tport = 3\n",
                 "actors = 32\ngateways = 32\ndrain_ms = 0\n", "\0\n", "\u00e9 = 1\n",
                 "gateways = 1\ngateways = 2\n"):
        yield text.encode()


def proxy():
    sign = b"\r\n\r\n\0\r\nQUIT\n"
    four = bytes([192, 0, 2, 7, 127, 0, 0, 1, 0, 80, 0, 80])
    yield from (b"PROXY TCP4 192.0.2.7 127.0.0.1 1 80\r\nGET", b"PROXY UNKNOWN\r\n", b"PROXY ",
                b"PROXY TCP6 2001:db8::7 ::1 1 80\r\n", b"PROXY TCP4 x\r\n", b"PROXY TCP4\r\n",
                b"PROXY " + b"1" * 120, b"PRO", b"GET / HTTP/1.1\r\n", b"PROXY UNKNOWN a b\n")
    for command, family, body in ((0x21, 0x11, four), (0x21, 0x21, bytes(36)), (0x20, 0, b""),
                                  (0x21, 0x31, bytes(216)), (0x21, 0x11, b"abcd"),
                                  (0x31, 0x11, four)):
        yield sign + bytes([command, family]) + struct.pack(">H", len(body)) + body + b"GET"
    yield sign + b"\x21\x11\xff\xff"
    yield from (b"127.0.0.1 ::1", b"10.0.0.0/8,fd00::/8", b"1.2.3.4/33", b"[2001:db8::1]:443",
                b"1.1.1.1, 192.0.2.1:80, junk", b",,,", b"[", b"1.2.3.4/")


def main():
    for make in (framing, payload, socketio, native, body, token, event, link, document, stored,
                 redis_reply, settings, proxy):
        folder = CORPUS / make.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("seed-*"):
            old.unlink()
        for i, data in enumerate(make()):
            (folder / f"seed-{i:02}").write_bytes(data)


if __name__ == "__main__":
    main()
