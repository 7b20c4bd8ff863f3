# SPDX-License-Identifier: MIT
"""2,000 polling sessions, each with a GET parked: what they cost while nothing happens, and how
soon a client that hangs up is noticed.

They are members of polls of 10 of a whole system. The first measure is of parking alone: pings are
ten minutes apart, and nothing is told to anybody; beside it is the same system without clients and
without polls, for which actors and Redis keep leases. The second (not in the quick form) has the
product's heartbeat, a ping each 25 s, so that 80 GETs a second are answered, each with a POST and a
GET to follow. CPU is that of gateway, actors and Redis together, and of the gateway alone.

Then one client in 20 hangs up, all at once, and a POST for the session of the last one is repeated
until it is refused with `Session ID unknown`; the time is from the first hang-up. Those of the
others must be refused at the first try then.
"""

import http.client
import time

from machine import Missing, Rollcall, cpu_seconds
from pollers import PATH, Pollers
from table import row

COUNT = 2000
POLL_SIZE = 10
HANG_UP_EACH = 20
LOOK_S = 0.2
STATUS_S = 10


def await_gauge(ours, name, value):
    """It comes with a beat, each second."""
    end = time.monotonic() + STATUS_S
    while (seen := ours.stats("g1").get("core", {}).get(name)) != value:
        if time.monotonic() > end:
            raise Missing(f"{name} is {seen}, not {value}")
        time.sleep(LOOK_S)  # sleep-ok: nothing tells that a beat has come


def spent_ms(ours, wait, seconds):
    """Milliseconds of CPU of each process while `wait` lets so many seconds pass, for 10 s."""
    begun = {name: cpu_seconds(pid) for name, pid in ours.pids.items()}
    wait(seconds)
    return {name: (cpu_seconds(pid) - begun[name]) * 1000 * 10 / seconds
            for name, pid in ours.pids.items()}


def tell(what, spent, idle):
    """Of the whole system, then of the gateway alone: 100 ms in 10 s are 1 % of a core."""
    for name, ours_ms, idle_ms in ((what, sum(spent.values()), sum(idle.values())),
                                   ("  of the gateway alone", spent["g1"], idle["g1"])):
        row(name, f"{ours_ms:.1f} ms", f"{idle_ms:.1f} ms", ours_ms / 100, 1, " %")


def parked_in(ours):
    auths = [auth for poll in (ours.create() for _ in range(COUNT // POLL_SIZE))
             for auth in ours.auths(poll, POLL_SIZE)]
    pollers = Pollers(ours.port, auths)
    pollers.open(POLL_SIZE)
    pollers.settle(0.5)
    await_gauge(ours, "polling_parked", COUNT)
    return pollers


def noticed_ms(ours, pollers):
    """How many hang up, and milliseconds until the last of them is noticed; the others are then."""
    connection = http.client.HTTPConnection("127.0.0.1", ours.port, timeout=30)
    connection.connect()
    begun = time.monotonic()
    gone = pollers.hang_up(HANG_UP_EACH)
    while lives(connection, gone[-1]):
        if time.monotonic() > begun + STATUS_S:
            raise Missing("a session did not end")
    took = time.monotonic() - begun
    if late := sum(lives(connection, sid) for sid in gone):
        raise Missing(f"{late} hang-ups were noticed later than the last one")
    connection.close()
    await_gauge(ours, "polling_parked", COUNT - len(gone))
    return len(gone), took * 1000


def lives(connection, sid):
    """Whether the gateway knows the session; tells it a packet that means nothing."""
    connection.request("POST", f"{PATH}&sid={sid}", "6")
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200 and b'"code":1' not in text:
        raise Missing(f"a POST of the session {sid}: {answer.status} {text}")
    return answer.status == 200


def with_heartbeat(build, idle):
    interval_ms = 25000
    settings = {"ROLLCALL_GATEWAY_PING_INTERVAL_MS": str(interval_ms)}
    with Rollcall(build, settings) as ours, parked_in(ours) as pollers:
        spent = spent_ms(ours, pollers.live, interval_ms / 1000)
    tell(f"the same with a ping each {interval_ms // 1000} s", spent, idle)


def parked(options):
    """Parked GETs: their CPU, and their hang-ups."""
    seconds = 4 if options.quick else 10
    with Rollcall(options.build) as ours:
        idle = spent_ms(ours, time.sleep, seconds)
        with parked_in(ours) as pollers:
            spent = spent_ms(ours, pollers.live, seconds)
            tell(f"CPU in 10 s of {COUNT} parked GETs", spent, idle)
            count, took_ms = noticed_ms(ours, pollers)
    if not options.quick:
        with_heartbeat(options.build, idle)
    row(f"{count} of them hang up: until the last is noticed", f"{took_ms:.1f} ms", "-", took_ms,
        100, " ms")
