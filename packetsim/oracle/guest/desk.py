"""Rule: each cluster has a thread that does its requests in order; clusters do not wait for each other.

However a request fails, its reply says so and everything else goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any

from . import asked, namespaces
from .abilities import abilities
from .channel import Channel
from .cluster import Cluster
from .faults import GuestError

MOST_CLUSTERS = 16
MOST_WAITING = 64  # requests of one cluster
LEAVE = 5.0  # seconds that a thread has left when the other side has gone

Work = Callable[[], Mapping[str, object]]
Request = dict[str, Any]


class Desk:
    """`serve` returns when the other side has closed."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._home = namespaces.this_one()
        self._workers: dict[str, _Worker] = {}

    def serve(self) -> None:
        for request in self._channel.requests():
            _answer(self._channel, request.get("id"), partial(self._take, request))
        for worker in self._workers.values():
            worker.finish(LEAVE)

    def _take(self, request: Request) -> Mapping[str, object] | None:
        """None: a worker will reply."""
        found = asked.Fields(request, "request")
        do = found.one_of("do", ("hello", "build", "load", "send", "reset", "drop"))
        if do == "hello":
            return abilities(self._home)
        plan = asked.plan(request.get("plan")) if do == "build" else None
        name = plan.cluster if plan is not None else found.code("cluster")
        worker = self._worker(name, plan is not None)
        if worker is None and do == "drop":
            return {}
        if worker is None:
            raise GuestError(f"there is no cluster {name}; build it first")
        work = worker.built(plan) if plan is not None else _work(worker.cluster, found, do)
        worker.do(request.get("id"), work)
        if do == "drop":
            self._workers.pop(name).finish()
        return None

    def _worker(self, name: str, new: bool) -> _Worker | None:
        for failed in [key for key, worker in self._workers.items() if worker.failed]:
            self._workers.pop(failed).finish()
        if not new:
            return self._workers.get(name)
        if name in self._workers:
            raise GuestError(f"there is a cluster {name} already; drop it first")
        if len(self._workers) >= MOST_CLUSTERS:
            raise GuestError(f"there are {MOST_CLUSTERS} clusters already; drop one first")
        self._workers[name] = _Worker(self._channel, self._home)
        return self._workers[name]


def _work(cluster: Cluster, found: asked.Fields, do: str) -> Work:
    """The request's fields are read now, the work is done later."""
    if do == "load":
        loads, trace = found.each("loads", asked.load, asked.MOST_NAMESPACES), found.flag("trace")
        return lambda: cluster.load(loads, trace)
    if do == "send":
        probes = found.each("probes", asked.probe, asked.MOST_PROBES)
        return lambda: cluster.send(probes)
    return _nothing_to_say(cluster.reset if do == "reset" else cluster.drop)


def _nothing_to_say(act: Callable[[], None]) -> Work:
    def work() -> Mapping[str, object]:
        act()
        return {}

    return work


class _Worker:
    """`failed`: its cluster could not be built, so there is nothing left of it."""

    def __init__(self, channel: Channel, home: namespaces.Namespace) -> None:
        self.cluster = Cluster(home)
        self.failed = False
        self._channel = channel
        self._waiting: SimpleQueue[tuple[object, Work] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def built(self, plan: asked.Plan) -> Work:
        def work() -> Mapping[str, object]:
            try:
                self.cluster.build(plan)
            except BaseException:
                self.failed = True
                raise
            return {}

        return work

    def do(self, identity: object, work: Work) -> None:
        if self._waiting.qsize() >= MOST_WAITING:
            raise GuestError(f"{MOST_WAITING} requests of this cluster are waiting; wait for a reply first")
        self._waiting.put((identity, work))

    def finish(self, within: float = 0.0) -> None:
        """No more will be asked of it."""
        self._waiting.put(None)
        self._thread.join(within)

    def _run(self) -> None:
        while (given := self._waiting.get()) is not None:
            identity, work = given
            _answer(self._channel, identity, work)


def _answer(channel: Channel, identity: object, work: Callable[[], Mapping[str, object] | None]) -> None:
    try:
        done = work()
    except GuestError as error:
        channel.fail(identity, str(error))
    except Exception as error:  # whatever it is, the other requests go on
        channel.fail(identity, f"the guest failed: {type(error).__name__}: {error}")
    else:
        if done is not None:
            channel.done(identity, done)
