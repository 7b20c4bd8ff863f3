# SPDX-License-Identifier: MIT
"""Thousands of Socket.IO clients that poll, in one thread: each has one connection, and a GET
waiting on it whenever it has nothing to say."""

import collections
import json
import resource
import select
import socket
import time

from machine import Missing

STALL_S = 30
RS = "\x1e"
PATH = "/socket.io/?EIO=4&transport=polling"


class Poller:
    def __init__(self, port, auth):
        self.auth = auth
        self.sid = None
        self.parked = False  # its GET is out
        self.joined = False  # and a document came
        self.received = b""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ask("GET")

    def ask(self, method, body=""):
        self.parked = method == "GET"
        sid = f"&sid={self.sid}" if self.sid else ""
        length = f"Content-Length: {len(body.encode())}\r\n" if method == "POST" else ""
        self.socket.sendall(f"{method} {PATH}{sid} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n"
                            f"{body}".encode())

    def take(self):
        """What has come; whole answers are acted upon."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise Missing(f"the session {self.sid} lost its connection")
        self.received += data
        head, blank, rest = self.received.partition(b"\r\n\r\n")
        if not blank:
            return
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        size = int(fields[b"content-length"])
        if len(rest) < size:
            return
        self.received = rest[size:]
        if b" 200 " not in head[:16]:
            raise Missing(f"the session {self.sid}: {head[:40]} {rest[:80]}")
        self.act(rest[:size].decode())

    def act(self, body):
        if not self.parked:  # ok to a POST
            self.ask("GET")
        elif not self.sid:
            self.sid = json.loads(body[1:])["sid"]
            self.ask("POST", "40/polls," + self.auth)
        else:
            packets = body.split(RS)
            wrong = [packet for packet in packets if not packet.startswith(("40", "42", "2", "6"))]
            if wrong:
                raise Missing(f"the session {self.sid} got {wrong[0][:80]}")
            self.joined = self.joined or any(packet.startswith("42") for packet in packets)
            self.ask(*(("POST", "3") if "2" in packets else ("GET",)))


class Pollers:
    def __init__(self, port, auths):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.limit = (soft, hard)
        self.port = port
        self.epoll = select.epoll()
        self.waiting = collections.deque(auths)
        self.by_fd = {}

    def open(self, window):
        """All of them, up to their first document, so many at a time."""
        joining = {}
        while self.waiting or joining:
            while self.waiting and len(joining) < window:
                poller = Poller(self.port, self.waiting.popleft())
                joining[poller.socket.fileno()] = poller
                self.by_fd[poller.socket.fileno()] = poller
                self.epoll.register(poller.socket, select.EPOLLIN)
            if not self.turn(STALL_S):
                raise Missing(f"nothing happened for {STALL_S} s, {len(joining)} were joining")
            joining = {fd: poller for fd, poller in joining.items() if not poller.joined}

    def turn(self, seconds):
        """False: nothing came for so long."""
        ready = self.epoll.poll(seconds)
        for fd, _ in ready:
            self.by_fd[fd].take()
        return bool(ready)

    def settle(self, seconds):
        """Until nothing comes for so long: then all GETs wait."""
        while self.turn(seconds):
            pass
        if not all(poller.parked for poller in self.by_fd.values()):
            raise Missing("not all GETs wait")

    def live(self, seconds):
        """For so long; how many answers came."""
        count = 0
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            count += self.turn(left)
        return count

    def hang_up(self, step):
        """Each of so many; their sessions' ids."""
        gone = list(self.by_fd.values())[::step]
        for poller in gone:
            del self.by_fd[poller.socket.fileno()]
            poller.socket.close()
        return [poller.sid for poller in gone]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for poller in self.by_fd.values():
            poller.socket.close()
        self.epoll.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, self.limit)
