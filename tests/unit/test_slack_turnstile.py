"""A pause a method, order after it, and nobody left standing."""

from __future__ import annotations

import asyncio

import pytest

from bridge.bots.slack.turnstile import Pause, Respite, Turnstile, Turnstiles
from bridge.errors import TryLater


class Calls:
    """Calls by name, each refused as often as it is told to."""

    def __init__(self, gate: Turnstile) -> None:
        self.gate = gate
        self.made: list[str] = []
        self.refuse: list[float] = []
        self.inside = self.most = 0

    async def call(self, name: str) -> str:
        return await self.gate.through(lambda: self._attempt(name))

    async def _attempt(self, name: str) -> str:
        self.made.append(name)
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await asyncio.sleep(0)
            if self.refuse:
                raise Pause(self.refuse.pop(0))
            return name
        finally:
            self.inside -= 1


@pytest.fixture
def calls() -> Calls:
    return Calls(Turnstile(Respite()))


async def test_without_a_pause_all_pass_at_once(calls: Calls) -> None:
    assert await asyncio.gather(*map(calls.call, "abc")) == ["a", "b", "c"]
    assert calls.most == 3


async def test_those_refused_together_go_on_one_by_one_in_their_order(calls: Calls) -> None:
    calls.refuse = [0.05, 0.05, 0.05]
    assert await asyncio.gather(*map(calls.call, "abc")) == ["a", "b", "c"]
    assert calls.made == ["a", "b", "c", "a", "b", "c"]


async def test_who_was_refused_is_before_who_came_later(calls: Calls) -> None:
    calls.refuse = [0.05]
    first = asyncio.create_task(calls.call("first"))
    await asyncio.sleep(0.01)
    later = [asyncio.create_task(calls.call(name)) for name in "ab"]
    calls.refuse = [0.02]
    await asyncio.gather(first, *later)
    assert calls.made == ["first", "first", "first", "a", "b"]
    assert calls.most == 1


async def test_who_waits_too_long_leaves_and_the_others_go_on() -> None:
    calls = Calls(Turnstile(Respite(), patience=0.1))
    calls.refuse = [0.15]
    with pytest.raises(TryLater):
        await calls.call("a")
    assert await calls.call("b") == "b"


async def test_who_is_cancelled_holds_nobody_up(calls: Calls) -> None:
    calls.refuse = [0.05]
    tasks = [asyncio.create_task(calls.call(name)) for name in "abc"]
    await asyncio.sleep(0.01)
    tasks[0].cancel()
    late = asyncio.create_task(calls.call("d"))
    await asyncio.sleep(0.02)
    late.cancel()
    assert await asyncio.gather(*tasks[1:]) == ["b", "c"]
    assert await asyncio.wait_for(calls.call("e"), 1) == "e"


async def test_a_fault_of_the_one_inside_lets_the_next_in(calls: Calls) -> None:
    async def fails() -> None:
        if "x" in calls.made:
            raise ValueError("a fault")
        calls.made.append("x")
        raise Pause(0.02)

    task = asyncio.create_task(calls.gate.through(fails))
    await asyncio.sleep(0)
    after = asyncio.create_task(calls.call("after"))
    with pytest.raises(ValueError, match="a fault"):
        await task
    assert await after == "after"


class Methods:
    """Calls by method and channel; `refuse` says how a method answers next, by Retry-After."""

    def __init__(self) -> None:
        self.gates = Turnstiles()
        self.refuse: dict[str, list[float]] = {}
        self.made: list[tuple[str, str, float]] = []
        self.hold = asyncio.Event()  # of the first channel
        self.hold.set()

    async def call(self, method: str, channel: str = "") -> None:
        async def attempt() -> None:
            self.made.append((method, channel, asyncio.get_running_loop().time()))
            if channel == "C1":
                await self.hold.wait()
            if pauses := self.refuse.get(method):
                raise Pause(pauses.pop(0))

        await self.gates.through(method, attempt, channel)

    def at(self, method: str, channel: str = "") -> list[float]:
        return [when for m, c, when in self.made if (m, c) == (method, channel)]


async def test_a_pause_of_one_method_holds_up_no_other() -> None:
    methods = Methods()
    methods.refuse = {"post": [30]}
    refused = asyncio.create_task(methods.call("post", "C1"))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        await asyncio.gather(methods.call("update"), methods.call("respond"))
    assert not refused.done()
    refused.cancel()


async def test_a_pause_is_obeyed_in_every_channel() -> None:
    methods = Methods()
    methods.refuse = {"post": [0.2]}
    first = asyncio.create_task(methods.call("post", "C1"))
    await asyncio.sleep(0.01)
    await asyncio.gather(first, methods.call("post", "C2"))
    began, again = methods.at("post", "C1")
    (there,) = methods.at("post", "C2")
    assert again - began >= 0.2
    assert there - began >= 0.2


async def test_a_busy_channel_holds_up_no_other_longer_than_its_pauses() -> None:
    """After a pause the first of each channel goes on; nobody waits for another channel's queue."""
    methods = Methods()
    methods.refuse = {"post": [0.05]}
    first = asyncio.create_task(methods.call("post", "C1"))
    await asyncio.sleep(0.01)
    methods.hold.clear()
    later = asyncio.create_task(methods.call("post", "C1"))
    async with asyncio.timeout(5):
        await methods.call("post", "C2")
    assert not first.done()
    methods.hold.set()
    await asyncio.gather(first, later)


async def test_a_queue_that_is_empty_is_forgotten() -> None:
    methods = Methods()
    methods.refuse = {"post": [0.01]}
    await asyncio.gather(*(methods.call("post", f"C{n}") for n in range(50)))
    assert len(methods.gates._gates) == 0
