"""Rule: everybody on a lab hears the same events in the same order; who is slow is told to ask again.

A room is a lab in this process: its session, its lock, its listeners. The engine and the database work in
threads; what is sent is decided here, on the event loop, while the lock is held. Whoever only looks takes hold of
one moment under the lock and makes words of it outside, in threads of their own: nobody who acts waits for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings

from visualizer import log, messages
from visualizer.models import Lab
from visualizer.refusals import RefusedError
from visualizer.schemas import Command, Goodbye, People, Resync, Role
from visualizer.seen import Seen
from visualizer.sessions import Session

MOST_WAITING = 256  # messages for one listener
MOST_WAITING_LETTERS = 16 * 1024 * 1024
MOST_MISSED = 200  # events; who missed more gets the whole view
IDLE_ROOMS = 64  # labs kept in memory though nobody listens
COUNT_AFTER = 0.2  # seconds: many who come at once are counted once
_WORKERS = 4
_READERS = 2
_FAULT = "This could not be done: a fault of ours, which is logged. Nothing has changed; try something else."

Result = TypeVar("Result")
_log = logging.getLogger(__name__)
_threads = ThreadPoolExecutor(_WORKERS, thread_name_prefix="lab")
_readers = ThreadPoolExecutor(_READERS, thread_name_prefix="look")


async def in_thread(work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)


async def _in_reader(work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(_readers, work)


class Listener:
    """What waits to be sent to one page. `behind`: it missed something, and hears nothing until it says hello."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._early: deque[str] | None = None  # what came while its greeting was being written
        self._letters = 0
        self._more = asyncio.Event()
        self.behind = False

    def put(self, text: str) -> None:
        full = len(self._waiting) >= MOST_WAITING or self._letters + len(text) > MOST_WAITING_LETTERS
        if self._waiting and full:
            self._waiting.clear()
            self._letters = 0
            self.behind = True
            text = Resync().model_dump_json()
        self._waiting.append(text)
        self._letters += len(text)
        self._more.set()

    def expect(self) -> None:
        """The page has said hello: from here on events wait until its greeting is there."""
        self.behind = False
        self._early = deque()

    def tell(self, text: str) -> None:
        """An event. Who has missed one hears no more of them."""
        if self.behind:
            return
        if self._early is None:
            self.put(text)
        elif len(self._early) < MOST_WAITING and sum(map(len, self._early)) < MOST_WAITING_LETTERS:
            self._early.append(text)
        else:
            self.behind = True
            self._early = deque([Resync().model_dump_json()])

    def greet(self, texts: list[str]) -> None:
        """What a page that says hello is told, however much it is, and what has happened meanwhile."""
        for text in (*texts, *(self._early or ())):
            self._waiting.append(text)
            self._letters += len(text)
        self._early = None
        self._more.set()

    async def take(self) -> str:
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        text = self._waiting.popleft()
        self._letters -= len(text)
        return text


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a command."""

    seq: int
    events: list[log.Stored]


class Room:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.lock = asyncio.Lock()
        self.listeners: set[Listener] = set()
        self._session: Session | None = None
        self._views: dict[Role, tuple[int, str]] = {}
        self._viewing = asyncio.Lock()  # taken by whoever writes a view, in the order of `lock`
        self._counting: asyncio.TimerHandle | None = None
        self._ended = False

    # ---- work in a thread, under the lock -----------------------------------------------------------------

    def _opened(self) -> Session:
        if self._ended:
            raise log.LostError
        if self._session is None:
            self._session = log.opened(self.lab)
        return self._session

    def _do(self, command: Command) -> Told:
        session = self._opened()
        if session.seq >= settings.PACKETWALK_MOST_COMMANDS:
            raise RefusedError(
                [f"This lab has reached {session.seq:,} events, the most there may be. Fork it to go on."]
            )
        sound = False
        try:
            handled = session.handle(command)
            stored = log.append(self.lab.pk, command, handled, session)
            sound = True
            return Told(session.seq, stored)
        except RefusedError as refused:
            sound = not refused.spoiled
            raise
        finally:
            if not sound:
                self._session = None

    def _greeting(self, seen: int | None) -> list[str] | Seen:
        """The events that followed `seen`, or what the view is to be made of."""
        self.lab.refresh_from_db(fields=["touched"])
        log.touch(self.lab)
        session = self._opened()
        if seen is not None and 0 <= seen <= session.seq and session.seq - seen <= MOST_MISSED:
            missed = [messages.happened(one) for one in log.after(self.lab.pk, seen, MOST_MISSED)]
            if sum(map(len, missed)) < MOST_WAITING_LETTERS:
                return [messages.welcome(None), *missed]
        return session.seen()

    # ---- on the event loop --------------------------------------------------------------------------------

    async def ask(self, command: Command) -> Told:
        """Do it, store it, tell everybody. Raises RefusedError, LostError."""
        async with self.lock:
            try:
                told = await in_thread(lambda: self._do(command))
            except log.OvertakenError:
                told = await in_thread(lambda: self._do(command))
            except (RefusedError, log.LostError):
                raise
            except Exception:
                _log.exception("lab %s: %s", self.lab.pk, command.type)
                raise RefusedError([_FAULT]) from None
            for stored in told.events:
                self._tell(messages.happened(stored))
            return told

    def _tell(self, text: str) -> None:
        for listener in self.listeners:
            listener.tell(text)

    async def read(self, take: Callable[[Session], Callable[[], Result]]) -> Result:
        """`take` looks at the session while nothing changes it, and briefly; what it gives back does the long work."""
        async with self.lock:
            work = await in_thread(lambda: take(self._opened()))
        return await _in_reader(work)

    async def join(self, listener: Listener, role: Role, seen: int | None) -> None:
        """The listener gets the view or what it missed, and from then on every event. Raises LostError."""
        async with self.lock:
            self.listeners.discard(listener)
            try:
                greeting = await in_thread(lambda: self._greeting(seen))
            except Lab.DoesNotExist:
                raise log.LostError from None
            listener.expect()
            self.listeners.add(listener)
        try:
            listener.greet(greeting if isinstance(greeting, list) else [await self._welcome(role, greeting)])
        except BaseException:
            self.listeners.discard(listener)
            raise
        self._count_soon()

    async def _welcome(self, role: Role, moment: Seen) -> str:
        """The view, written once for all of a role who come between two events."""
        async with self._viewing:
            seq, text = self._views.get(role, (-1, ""))
            if seq != moment.seq:
                expires = log.expires(self.lab)
                text = await _in_reader(lambda: messages.welcome(moment.view(role, expires).model_dump_json()))
                self._views[role] = moment.seq, text
            return text

    async def end(self) -> None:
        """The lab is deleted; whoever is on it is told."""
        async with self.lock:
            await in_thread(lambda: Lab.objects.filter(pk=self.lab.pk).delete())
            self._ended = True
            self._tell(Goodbye(reason="This lab was deleted by its owner. Start a new one.").model_dump_json())
            self.listeners.clear()
            self._session = None

    def leave(self, listener: Listener) -> None:
        self.listeners.discard(listener)
        self._count_soon()

    def _count_soon(self) -> None:
        if self._counting is None:
            self._counting = asyncio.get_running_loop().call_later(COUNT_AFTER, self._count)

    def _count(self) -> None:
        self._counting = None
        self._tell(People(count=len(self.listeners)).model_dump_json())


class Rooms:
    """The labs that this process has in memory, the one used last at the end."""

    def __init__(self) -> None:
        self._rooms: OrderedDict[int, Room] = OrderedDict()

    def of(self, lab: Lab) -> Room:
        room = self._rooms.get(lab.pk)
        if room is None:
            room = self._rooms[lab.pk] = Room(lab)
        self._rooms.move_to_end(lab.pk)
        self._forget_idle()
        return room

    def _forget_idle(self) -> None:
        idle = [pk for pk, room in self._rooms.items() if not room.listeners and not room.lock.locked()]
        for pk in idle[: max(0, len(idle) - IDLE_ROOMS)]:
            del self._rooms[pk]

    def forget(self, lab: Lab) -> None:
        self._rooms.pop(lab.pk, None)

    def clear(self) -> None:
        self._rooms.clear()


rooms = Rooms()
