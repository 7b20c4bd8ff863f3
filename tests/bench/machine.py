# SPDX-License-Identifier: MIT
"""The programs under measure, pinned to their cores and watched through /proc."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
SECRET = "bench secret"


class Missing(Exception):
    """Something that a measurement needs is not there, or is not as it must be."""


def on_core(core):
    """For preexec_fn: all that the child does happens on this core, if there is one."""
    cores = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {cores[core % len(cores)]})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_seconds(pid):
    """Run time of all threads of a process."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def rss_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Server:
    """A server of one or more processes: `pids` by name."""

    def cpu(self):
        return sum(map(cpu_seconds, self.pids.values()))

    def rss(self):
        return {name: rss_bytes(pid) for name, pid in self.pids.items()}


class Program(Server):
    """A server of one process, which says with a line that it is ready."""

    def __init__(self, build, program, port, words):
        self.build = build
        self.port = port
        self.process = subprocess.Popen([os.path.join(build, program), *words],
                                        stdout=subprocess.PIPE, preexec_fn=on_core(0))
        if not self.process.stdout.readline():
            raise Missing(f"{program} did not start")
        self.pids = {program: self.process.pid}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Bare(Program):
    def __init__(self, build):
        port = free_port()
        super().__init__(build, "tests/bench/bare", port, [str(port)])


class Rollcall(Server):
    """A whole system with limits that do not get into the way of one generator."""

    def __init__(self, build, settings=None):
        self.build = build
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="rcb")
        self.log = open(os.path.join(self.folder, "log"), "w+", encoding="utf-8")
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("ROLLCALL_", "REDIS_"))}
        module = os.environ.get("ROLLCALL_REDIS_MODULE", os.path.join(ROOT, "vendor/rejson.so"))
        self.env = {**kept, "HOST": "127.0.0.1", "PORT": str(self.port), "JWT_SECRET": SECRET,
                    "ROLLCALL_STATE_DIR": os.path.join(self.folder, "s"),
                    "ROLLCALL_REDIS_MODULE": module,
                    "ROLLCALL_GATEWAY_ADDRESS_BURST": "1000000",
                    "ROLLCALL_GATEWAY_ADDRESS_PER_S": "1000000",
                    "ROLLCALL_GATEWAY_PING_INTERVAL_MS": "600000", **(settings or {})}
        self.process = subprocess.Popen([os.path.join(build, "bin/rollcall")], env=self.env,
                                        cwd=self.folder, stdout=subprocess.PIPE, stderr=self.log,
                                        preexec_fn=on_core(0), text=True)
        line = self.process.stdout.readline()
        if not line.startswith("Rollcall is ready"):
            self.process.kill()
            self.log.seek(0)
            raise Missing(f"rollcall did not start: {line}{self.log.read()}")
        self.http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.pids = {child["name"]: child["pid"] for child in self.status()["children"]}

    def status(self):
        program = os.path.join(self.build, "bin/rollcallctl")
        return json.loads(subprocess.check_output([program, "status", "--json"], env=self.env,
                                                  timeout=30))

    def stats(self, name):
        """What that process counts, as of its last beat."""
        return next(child["stats"] for child in self.status()["children"] if child["name"] == name)

    def create(self):
        """The code of a new poll."""
        body = json.dumps({"topic": "Bench", "votesPerVoter": 2, "name": "Ada"})
        self.http.request("POST", "/polls", body, {"Content-Type": "application/json"})
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status != 201:
            raise Missing(f"create: {answer.status} {text}")
        return json.loads(text)["poll"]["id"]

    def auths(self, poll, count, **more):
        """Auth payloads of so many users of that poll."""
        now = int(time.time())
        users = (f"u{os.urandom(10).hex()}" for _ in range(count))
        return [json.dumps({"token": token({"pollID": poll, "name": f"Somebody {i}", "iat": now,
                                            "exp": now + 3600, "sub": user}), **more})
                for i, user in enumerate(users)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            for pid in [self.process.pid, *self.pids.values()]:
                os.kill(pid, signal.SIGKILL)
            raise
        finally:
            self.process.stdout.close()
            self.log.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def token(payload):
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")
    text = b".".join(encode(json.dumps(part).encode())
                     for part in ({"alg": "HS256", "typ": "JWT"}, payload))
    mac = hmac.new(SECRET.encode(), text, hashlib.sha256).digest()
    return (text + b"." + encode(mac)).decode()


class Generator:
    """A program that takes orders; they and their answers word by word."""

    def __init__(self, server, program, *words):
        self.process = subprocess.Popen(
            [os.path.join(server.build, program), str(server.port), *words], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, preexec_fn=on_core(1))

    def order(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n")
        if not answer:
            raise Missing(f"the generator gave up at: {line[:60]}")
        return answer.split(" ", 1) if answer.startswith("show ") else answer.split()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Load(Generator):
    """Socket.IO clients with an auth payload each, or bare WebSockets without any."""

    program = "tests/bench/load"

    def __init__(self, server, auths=None):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".auths")
        words = []
        if auths:
            self.file.write("\n".join(auths) + "\n")
            self.file.flush()
            words.append(self.file.name)
        super().__init__(server, self.program, *words)

    def close(self):
        super().close()
        self.file.close()
