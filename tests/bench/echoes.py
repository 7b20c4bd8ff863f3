# SPDX-License-Identifier: MIT
"""What Engine.IO and Socket.IO add to the native path, for each message.

All paths are in one process, sio_echo, over the same HTTP, WebSocket and writing code; 50 sockets
each, with one and with eight messages of 32 characters in flight on each. Measured in turn, CPU of
the server alone; the generator never sleeps, so that nobody pays for waking it.

  raw        /ws: a WebSocket message comes back as it is. Nothing is read in it: the floor.
  native     /ws: {"event":"message","data":"..."} comes back as message-back, read and written by
             the native protocol's own code. Less than the product does for any command.
  Engine.IO  /engine.io/: 4... comes back as it is. Nothing is read in it, so the raw path is what
             it is measured against.
  Socket.IO  /socket.io/: 42["message","..."] comes back as message-back. Its JSON is read and
             written, as on the native path, so that is what it is measured against. Against the
             raw path it is told too, without a target: the difference is what JSON costs.
"""

import statistics
from contextlib import ExitStack

from machine import Generator, Missing, Program, free_port
from table import row

SOCKETS = 50
EACH = 100
TEXT = "x" * 32
QUERY = "?EIO=4&transport=websocket"
# Path, what a client waits for, what it joins with, what it sends, what comes back.
PATHS = {
    "raw": ("/ws", "", "", TEXT, TEXT),
    "native": ("/ws", "", "", f'{{"event":"message","data":"{TEXT}"}}',
               f'{{"event":"message-back","data":"{TEXT}"}}'),
    "Engine.IO": ("/engine.io/" + QUERY, "0", "", "4" + TEXT, "4" + TEXT),
    "Socket.IO": ("/socket.io/" + QUERY, "42", "40", f'42["message","{TEXT}"]',
                  f'42["message-back","{TEXT}"]'),
}
# Who, against whom, and how many times as much it may be.
ROWS = (("Engine.IO", "raw", 1.3), ("Socket.IO", "native", 1.3), ("Socket.IO", "raw", None))


def per_echo(server, generator, order):
    """Microseconds of the server's CPU for each message that came back."""
    begun = server.cpu()
    _, count = generator.order(order)
    return (server.cpu() - begun) / int(count) * 1e6


def opened(server, words):
    generator = Generator(server, "tests/bench/echo", *words)
    if generator.order(f"open {SOCKETS}") != ["opened", str(SOCKETS)]:
        raise Missing("not all sockets opened")
    return generator


def measure(server, generators, depth, rounds):
    """{path: costs, one a round}; a first round warms up."""
    costs = {name: [] for name in generators}
    for _ in range(rounds + 1):
        for name, generator in generators.items():
            costs[name].append(per_echo(server, generator, f"echo {EACH} {depth}"))
    return {name: column[1:] for name, column in costs.items()}


def tell(costs, depth):
    for one, other, target in ROWS:
        ratio = statistics.median(a / b for a, b in zip(costs[one], costs[other]))
        row(f"CPU an echo, {one} against {other}, {depth} in flight on each of {SOCKETS}",
            f"{statistics.median(costs[one]):.2f} us", f"{statistics.median(costs[other]):.2f} us",
            ratio, target, "x")


def echo(options):
    """Echoes of Engine.IO and Socket.IO against those of the native path."""
    port = free_port()
    words = ("--port", str(port), "--ping-interval-ms", "600000")
    with Program(options.build, "bin/sio_echo", port, words) as server, ExitStack() as stack:
        generators = {name: stack.enter_context(opened(server, words))
                      for name, words in PATHS.items()}
        for depth in (1, 8):
            tell(measure(server, generators, depth, 9 if options.quick else 25), depth)
