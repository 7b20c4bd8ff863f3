# SPDX-License-Identifier: MIT
"""Clients of python-socketio, told what to do by lines of JSON and telling what they see likewise.

In:  {"op": "open", "id", "url", "transports", "auth", "reconnection", "fresh"}; "fresh": each
     request over a connection of its own
     {"op": "emit", "id", "event", "args", "ack"}; {"op": "close", "id"}
Out: {"id", "event", "args"}; {"id", "ack", "args"}; {"id", "live", "sid", "transport", "reason"}
"""

import asyncio
import json
import sys

import aiohttp
import socketio

NAMESPACE = "/polls"


def tell(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Player:
    def __init__(self, order):
        self.id = order["id"]
        self.order = order
        self.client = None

    async def open(self):
        order = self.order
        connector = aiohttp.TCPConnector(force_close=order["fresh"])
        self.client = socketio.AsyncClient(
            http_session=aiohttp.ClientSession(connector=connector),
            reconnection=order["reconnection"],
            reconnection_delay=0.05,
            reconnection_delay_max=0.5,
            handle_sigint=False,
        )
        self.client.on("connect", self.live, namespace=NAMESPACE)
        self.client.on("disconnect", self.gone, namespace=NAMESPACE)
        self.client.on("connect_error", self.refused, namespace=NAMESPACE)
        self.client.on("*", self.event, namespace=NAMESPACE)
        # The stock way is to raise at the first connection that fails; retry is as after a loss.
        await self.client.connect(
            order["url"],
            namespaces=[NAMESPACE],
            auth=order["auth"],
            transports=order["transports"],
            wait_timeout=20,
            retry=order["reconnection"],
        )

    # Not coroutines: they run to their end before the next packet is looked at, in order.
    def live(self):
        engine = self.client.eio
        tell(id=self.id, live=True, sid=engine.sid, transport=engine.transport())

    def gone(self, reason):
        tell(id=self.id, live=False, reason=reason)

    def refused(self, why):
        message = why.get("message") if isinstance(why, dict) else str(why)
        tell(id=self.id, event="connect_error", args=[{"message": message}])

    def event(self, name, *args):
        tell(id=self.id, event=name, args=args)

    async def emit(self, order):
        ack = order.get("ack")

        def answered(*args):
            tell(id=self.id, ack=ack, args=args)

        await self.client.emit(
            order["event"],
            tuple(order["args"]),
            namespace=NAMESPACE,
            callback=None if ack is None else answered,
        )

    async def close(self):
        await self.client.shutdown()
        await self.client.eio.http.close()


async def obey(players, order):
    try:
        if order["op"] == "open":
            players[order["id"]] = Player(order)
            await players[order["id"]].open()
        else:
            player = players[order["id"]]
            await (player.emit(order) if order["op"] == "emit" else player.close())
    except Exception as error:  # the test has to hear of it, whatever it is
        tell(id=order["id"], event="connect_error", args=[{"message": repr(error)}])


async def main():
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    players, tasks = {}, set()
    while line := await reader.readline():
        task = asyncio.create_task(obey(players, json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())
