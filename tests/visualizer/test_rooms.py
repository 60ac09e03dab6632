"""Rule: an event is encoded once for everybody, and whoever cannot keep up is told so, once."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from core.asgi import application
from tests.visualizer.labs import CLIENT, SHOP, WEB
from visualizer import log, messages
from visualizer.models import Lab
from visualizer.refusals import RefusedError
from visualizer.rooms import MOST_WAITING, Listener, Room, Rooms, in_thread
from visualizer.schemas import Burst, LabView, Rename, Role, Send
from visualizer.seen import Seen
from visualizer.sessions import Session, new_state

pytestmark = pytest.mark.django_db(transaction=True)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def made() -> tuple[Lab, str]:
    return log.create(new_state(SHOP, "Shop"))


def test_a_listener_that_is_full_is_emptied_and_told_to_ask_again() -> None:
    async def story() -> None:
        listener = Listener()
        for number in range(MOST_WAITING + 1):
            listener.put(str(number))
        assert json.loads(await listener.take()) == {"type": "resync"}
        assert listener.behind
        listener.expect()
        listener.greet(["a"] * (MOST_WAITING * 2))
        assert not listener.behind
        assert await listener.take() == "a"

    run(story())


def test_one_message_larger_than_all_that_may_wait_is_sent_all_the_same() -> None:
    async def story() -> None:
        listener = Listener()
        listener.put("x" * 20_000_000)
        assert len(await listener.take()) == 20_000_000

    run(story())


def test_everybody_gets_the_very_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    lab, _ = made()
    encoded: list[int] = []
    happened = messages.happened

    def counting(stored: log.Stored) -> str:
        encoded.append(stored.seq)
        return happened(stored)

    async def story() -> None:
        room, listeners = Room(lab), [Listener() for _ in range(50)]
        for listener in listeners:
            await room.join(listener, "viewer", None)
        monkeypatch.setattr(messages, "happened", counting)
        await room.ask(Rename(title="x"))
        texts = []
        for listener in listeners:
            while '"happened"' not in (text := await listener.take()):
                pass
            texts.append(text)
        assert all(text is texts[0] for text in texts)
        assert encoded == [1]

    run(story())


def test_who_comes_in_between_hears_every_event_once() -> None:
    lab, _ = made()

    async def listen(room: Room, last: int) -> None:
        listener, seen = Listener(), 0
        await room.join(listener, "owner", None)
        while seen < last:
            message = json.loads(await listener.take())
            if message["type"] == "welcome":
                seen = message["view"]["seq"]
            elif message["type"] == "happened":
                assert message["seq"] == seen + 1
                seen = message["seq"]

    async def story() -> None:
        room = Room(lab)
        asks = [room.ask(Rename(title=str(number))) for number in range(30)]
        async with asyncio.timeout(60):
            await asyncio.gather(*asks, *(listen(room, 30) for _ in range(10)))

    run(story())


def test_nobody_who_acts_waits_for_those_who_look() -> None:
    lab, _ = made()
    go_on = threading.Event()

    def slow(session: Session) -> Callable[[], int]:
        seen = session.seen()

        def work() -> int:
            assert go_on.wait(60)
            return seen.seq

        return work

    async def story() -> None:
        room = Room(lab)
        async with asyncio.timeout(60):
            looks = [asyncio.create_task(room.read(slow)) for _ in range(12)]
            await asyncio.sleep(0.1)
            told = await room.ask(Rename(title="x"))
            assert told.seq == 1
            assert not any(look.done() for look in looks)
            go_on.set()
            assert await asyncio.gather(*looks) == [0] * 12

    run(story())


def test_events_wait_for_a_greeting_that_is_still_being_written(monkeypatch: pytest.MonkeyPatch) -> None:
    lab, _ = made()
    go_on = threading.Event()
    view = Seen.view

    def slow(seen: Seen, role: Role, expires: str) -> LabView:
        assert go_on.wait(60)
        return view(seen, role, expires)

    async def story() -> None:
        room, patient, swamped = Room(lab), Listener(), Listener()
        monkeypatch.setattr(Seen, "view", slow)
        async with asyncio.timeout(60):
            joins = [asyncio.create_task(room.join(one, "owner", None)) for one in (patient, swamped)]
            while len(room.listeners) < 2:
                await asyncio.sleep(0)
            await room.ask(Rename(title="x"))
            for number in range(MOST_WAITING):
                swamped.tell(str(number))
            go_on.set()
            await asyncio.gather(*joins)
        told = [[json.loads(await one.take()) for _ in range(2)] for one in (patient, swamped)]
        assert [(one["type"], one.get("view", one).get("seq")) for one in told[0]] == [("welcome", 0), ("happened", 1)]
        assert [one["type"] for one in told[1]] == ["welcome", "resync"]
        assert swamped.behind

    run(story())


def test_who_cannot_be_greeted_is_told_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    lab, _ = made()

    async def story() -> None:
        room = Room(lab)
        monkeypatch.setattr(Seen, "view", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            await room.join(Listener(), "owner", None)
        assert not room.listeners

    run(story())


def test_a_fault_of_ours_is_told_as_one_and_the_lab_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    lab, _ = made()

    async def story() -> None:
        room = Room(lab)
        await room.ask(Send(source=CLIENT, target=WEB))
        with monkeypatch.context() as broken:
            broken.setattr(Session, "handle", lambda *_: 1 // 0)
            with pytest.raises(RefusedError, match="a fault of ours"):
                await room.ask(Send(source=CLIENT, target=WEB))
        told = await room.ask(Send(source=CLIENT, target=WEB))
        assert told.seq == 2

    run(story())


def test_who_was_overtaken_by_another_process_reads_the_log_again() -> None:
    lab, _ = made()

    async def story() -> None:
        one, other = Room(lab), Room(lab)
        for room, title in ((one, "a"), (other, "b"), (one, "c"), (other, "d")):
            await room.ask(Rename(title=title))
        events = await in_thread(lambda: log.after(lab.pk, 0, 10))
        assert [json.loads(event.event)["title"] for event in events] == ["a", "b", "c", "d"]

    run(story())


def test_a_lab_has_its_fill(settings: Any) -> None:
    settings.PACKETWALK_MOST_COMMANDS = 2
    lab, _ = made()

    async def story() -> None:
        room = Room(lab)
        for _ in range(2):
            await room.ask(Rename(title="x"))
        with pytest.raises(RefusedError, match="Fork it to go on"):
            await room.ask(Rename(title="x"))

    run(story())


def test_labs_that_nobody_listens_to_are_forgotten() -> None:
    async def story() -> None:
        rooms = Rooms()
        labs = [Lab(pk=number) for number in range(1, 200)]
        first = rooms.of(labs[0])
        first.listeners.add(Listener())
        for lab in labs:
            rooms.of(lab)
        assert rooms.of(labs[0]) is first
        assert len(rooms._rooms) < 100

    run(story())


def test_the_events_of_a_deleted_lab_end() -> None:
    lab, _ = made()

    async def story() -> None:
        room, listener = Room(lab), Listener()
        await room.join(listener, "owner", None)
        await room.end()
        while json.loads(await listener.take())["type"] != "goodbye":
            pass
        for ask in (room.ask(Rename(title="x")), room.join(listener, "owner", None)):
            with pytest.raises(log.LostError):
                await ask

    run(story())


def test_a_page_over_channels_own_communicator() -> None:
    lab, token = made()
    assert lab

    async def story() -> None:
        page = WebsocketCommunicator(application, f"/ws/lab/{token}", headers=[(b"host", b"localhost")])
        connected, _ = await page.connect()
        assert connected
        await page.send_json_to({"type": "hello", "protocol": 1})
        assert (await page.receive_json_from())["view"]["role"] == "owner"
        command = Burst(source=CLIENT, target=WEB, count=5).model_dump()
        await page.send_json_to({"type": "ask", "id": "b", "command": command})
        types = [(await page.receive_json_from(5))["type"] for _ in range(3)]
        assert sorted(types) == ["done", "happened", "people"]
        await page.disconnect()

    run(story())
