"""A lane's own rules: who may leave at birth, whom room wakes, and what is kept for the urgent."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from bridge.dispatch import deliver
from bridge.dispatch.deliver import Lanes
from bridge.dispatch.tenure import moment
from bridge.model import Part
from bridge.ports import Carrier, Done
from bridge.store.submissions import Prepared, store_submissions
from tests.bridges import ANNA, BERIT, Running, a_bridge, until, write_config
from tests.stores import a_message

LIST = {(0, "country", "NO")}


class Open:
    """A carrier with so much room, which answers nothing."""

    name, whole, up = "smsc", False, True

    def __init__(self, window: int) -> None:
        self._window = window
        self.sent: list[Part] = []

    @property
    def room(self) -> int:
        return self._window - len(self.sent)

    def send(self, parts: Sequence[Part], _done: Done) -> None:
        self.sent += parts


@pytest.fixture
def window() -> int:
    return 2


@pytest.fixture
async def running(tmp_path: Path, url: str, window: int) -> AsyncIterator[Running]:
    config = write_config(tmp_path, database=url, port=1, window=window)
    async with a_bridge(config, works=False) as running:
        running.bridge.tenure.renew(moment(), math.inf)
        yield running


@pytest.fixture
def open_(window: int) -> Open:
    return Open(window)


@pytest.fixture
async def lanes(running: Running, open_: Open) -> Lanes:
    """The lanes of this carrier, in the test's hand."""
    return Lanes(running.bridge, cast("Carrier", open_), running.bridge.carrier("smsc"))


async def works(lanes: Lanes) -> None:
    """One claim, and no sleep after it."""
    lanes.wake()
    while await lanes._work():
        pass
    lanes._wake.clear()


def is_awake(lanes: Lanes) -> bool:
    return lanes._wake.is_set()


async def test_where_nothing_waits_room_wakes_nobody(lanes: Lanes) -> None:
    await works(lanes)
    lanes.there_is_room()
    assert not is_awake(lanes)


async def test_behind_a_full_window_room_wakes_the_lane(
    running: Running, lanes: Lanes, open_: Open
) -> None:
    for _ in range(3):
        await running.mail(f"{ANNA}@sms.example")
    await works(lanes)
    assert open_.room == 0
    lanes.there_is_room()
    assert is_awake(lanes)


async def test_behind_what_may_not_leave_something_may_wait(
    running: Running, lanes: Lanes, open_: Open, prepared: Callable[..., Prepared]
) -> None:
    for to in (BERIT, BERIT, ANNA):
        await running.mail(f"{to}@sms.example")
    running.bridge.lists.blocked = LIST
    await works(lanes)
    assert open_.sent == []
    assert lanes.bear(prepared()) is None, "what is new overtakes nobody"
    lanes.there_is_room()
    assert is_awake(lanes)
    await works(lanes)
    assert [part.destination for part in open_.sent] == [ANNA]


@pytest.mark.parametrize("window", [100])
async def test_births_under_way_leave_the_urgent_their_places(
    lanes: Lanes, prepared: Callable[..., Prepared]
) -> None:
    await works(lanes)
    born = [lanes.bear(prepared()) is not None for _ in range(100)]
    assert born == [True] * 98 + [False] * 2
    assert lanes.bear(prepared(urgent=True)) is not None


@pytest.mark.parametrize("window", [10_000])
async def test_what_becomes_due_is_not_forgotten_among_births(
    running: Running,
    lanes: Lanes,
    open_: Open,
    prepared: Callable[..., Prepared],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliver, "GLANCE", 3600.0)
    monkeypatch.setattr(deliver, "LINGER", 0.5)
    waits = prepared(due_at=running.bridge.clock() + 0.3)
    await running.bridge.store.write(store_submissions, waits)
    lanes.start()

    async def has_left() -> bool:
        await running.mail(f"{BERIT}@sms.example")
        return any(part.message == waits.id for part in open_.sent)

    await until(has_left)
    await lanes.stop()


@pytest.fixture
def prepared(running: Running) -> Callable[..., Prepared]:
    """Makes a message that is about to be stored."""
    ids, now = running.bridge.ids, running.bridge.clock()

    def make(**more: Any) -> Prepared:
        return a_message(ids.next(), now, phone=ANNA, originator="", **more)

    return make
