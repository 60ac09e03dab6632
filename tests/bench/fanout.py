"""Rule: one lab, one server process, many pages: how soon each hears of a command, how many messages a second.

The bare consumers of echo.py are measured by the same clients, with messages as long as the lab's events, in the same
run, each twice and in turn, and the better of the two counts: a machine that is busy with something else slows all.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from tests.bench.figures import Figure, percentile
from tests.visualizer.serving import PATIENCE, ROOT, Server

CLIENTS = 500
SENDERS = 20  # of them; one page alone may not ask so often
ROUNDS = 3  # commands of each sender
ALONE = 20  # commands asked one at a time, to see how soon each is heard
AT_ONCE = 25  # clients that connect at the same moment
_SEQ = re.compile(r'"seq":(\d+)')


@dataclass
class Client:
    line: ClientConnection
    heard: list[tuple[int, float]] = field(default_factory=list)  # an event's number, and when it came

    async def listen(self, more: asyncio.Condition) -> None:
        async for message in self.line:
            assert isinstance(message, str)
            if message.startswith('{"type":"happened"'):
                found = _SEQ.search(message)
                assert found is not None
                self.heard.append((int(found[1]), time.perf_counter()))
                async with more:
                    more.notify_all()


class Crowd:
    """Clients on one address."""

    def __init__(self, url: str, origin: str, hello: str | None) -> None:
        self._url, self._origin, self._hello = url, origin, hello
        self.clients: list[Client] = []
        self._more: dict[int, asyncio.Condition] = {}
        self._listening: list[asyncio.Task[None]] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Crowd:
        for start in range(0, CLIENTS, AT_ONCE):
            await asyncio.gather(*(self._join() for _ in range(start, min(CLIENTS, start + AT_ONCE))))
        return self

    async def _join(self) -> None:
        line = await self._stack.enter_async_context(
            connect(self._url, origin=Origin(self._origin), compression=None, max_size=None, open_timeout=PATIENCE)
        )
        if self._hello is not None:
            await line.send(self._hello)
            while '"welcome"' not in str(await line.recv()):
                pass
        client = Client(line)
        self.clients.append(client)
        more = self._more[id(client)] = asyncio.Condition()
        self._listening.append(asyncio.create_task(client.listen(more)))

    async def __aexit__(self, *error: object) -> None:
        for task in self._listening:
            task.cancel()
        await self._stack.aclose()

    async def until(self, client: Client, count: int) -> None:
        more = self._more[id(client)]
        async with more:
            await asyncio.wait_for(more.wait_for(lambda: len(client.heard) >= count), PATIENCE)

    async def all_until(self, count: int) -> None:
        for client in self.clients:
            await self.until(client, count)

    async def storm(self, said: Iterator[str]) -> float:
        """Every sender says the next when it has heard its last; messages a second that all clients hear together."""
        before = len(self.clients[0].heard)
        total = before + SENDERS * ROUNDS
        started = time.perf_counter()

        async def send(client: Client) -> None:
            for number in range(ROUNDS):
                await client.line.send(next(said))
                await self.until(client, before + (number + 1) * SENDERS)

        await asyncio.gather(*map(send, self.clients[:SENDERS]))
        await self.all_until(total)
        last = max(client.heard[-1][1] for client in self.clients)
        return CLIENTS * SENDERS * ROUNDS / (last - started)


def _renames() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        command = {"type": "rename", "title": f"title {number:06}"}
        yield json.dumps({"type": "ask", "id": f"r{number}", "command": command})


def _echoes(length: int) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        head = f'{{"type":"happened","seq":{number:06},"more":"'
        yield head + "x" * (length - len(head) - 2) + '"}'


async def _soon(crowd: Crowd, said: Iterator[str]) -> list[float]:
    """Milliseconds from a command to its event, at every client, when one command is asked at a time."""
    times: list[float] = []
    for _ in range(ALONE):
        count = len(crowd.clients[0].heard) + 1
        started = time.perf_counter()
        await crowd.clients[0].line.send(next(said))
        await crowd.all_until(count)
        times.extend((client.heard[-1][1] - started) * 1000 for client in crowd.clients)
    return times


def _wrong(crowd: Crowd) -> tuple[int, int]:
    """Events that were lost, and that came twice or out of order, over all clients."""
    lost = doubled = 0
    last = max(seq for client in crowd.clients for seq, _ in client.heard)
    first = min(client.heard[0][0] for client in crowd.clients)
    for client in crowd.clients:
        seqs = [seq for seq, _ in client.heard]
        lost += len(set(range(first, last + 1)) - set(seqs))
        doubled += sum(1 for one, two in pairwise(seqs) if two <= one)
    return lost, doubled


@contextmanager
def _bare() -> Iterator[str]:
    """The bare consumer's address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "daphne",
        "-v",
        "0",
        "-b",
        "127.0.0.1",
        "-p",
        str(port),
        "tests.bench.echo:application",
    ]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        started = time.monotonic()
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() - started < PATIENCE, (
                    "the bare consumer does not answer"
                )
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


async def _measured(server: Server, bare: str) -> list[Figure]:
    hello = json.dumps({"type": "hello", "protocol": 1, "seen": None})
    token = server.lab()["editor"]
    renames = _renames()
    rates: dict[str, list[float]] = {"lab": [], "group": [], "direct": []}
    async with AsyncExitStack() as stack:
        crowd = await stack.enter_async_context(
            Crowd(f"ws://{server.host}/ws/lab/{token}", f"http://{server.host}", hello)
        )
        times = await _soon(crowd, renames)
        length = len(json.dumps(server.json("GET", f"/labs/{token}/events?after=0")[-1], separators=(",", ":"))) + 20
        echoes = _echoes(length)
        bares = {
            path: await stack.enter_async_context(Crowd(f"ws://{bare}/{path}", f"http://{bare}", None))
            for path in ("group", "direct")
        }
        for _ in range(2):
            rates["lab"].append(await crowd.storm(renames))
            for path, echo in bares.items():
                rates[path].append(await echo.storm(echoes))
        lost, doubled = _wrong(crowd)
    best = {name: max(measured) for name, measured in rates.items()}
    return [
        Figure(f"{CLIENTS} pages on a lab: from command to event at a page, p95", percentile(times, 0.95), "ms"),
        Figure("  the middle one", percentile(times, 0.5), "ms"),
        Figure("  events lost", lost, "", most=0),
        Figure("  events doubled or out of order", doubled, "", most=0),
        Figure("  messages that pages hear, stored events", best["lab"], "a second"),
        Figure("  messages that a bare Channels group hears", best["group"], "a second"),
        Figure("  the one by the other", best["lab"] / best["group"], "", least=0.7),
        Figure("  messages of bare consumers without a channel layer", best["direct"], "a second"),
        Figure("  the lab's by those", best["lab"] / best["direct"], ""),
    ]


def measure(folder: Path) -> Iterator[Figure]:
    server = Server(folder)
    try:
        with _bare() as bare:
            yield from asyncio.run(_measured(server, bare))
    finally:
        server.kill()
