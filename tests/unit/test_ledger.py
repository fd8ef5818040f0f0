"""What carriers answered reaches the store before what takes its place in the window."""

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.ledger import Ledger
from bridge.errors import StoreUnavailable
from bridge.store.outcomes import PartDone, Progress

DONE = PartDone(7, "accepted", "a1", "")


class Puts:
    """A store that remembers what was put, in order, and ends it as told."""

    def __init__(self) -> None:
        self.items: list[Sequence[Progress]] = []
        self.futures: list[asyncio.Future[None]] = []
        self.told = asyncio.Event()

    def put(self, _script: Callable[..., Any], item: Sequence[Progress]) -> asyncio.Future[None]:
        self.items.append(item)
        self.futures.append(asyncio.get_running_loop().create_future())
        self.told.set()
        return self.futures[-1]


def ledger(store: Puts) -> Ledger:
    bridge = SimpleNamespace(store=store, clock=lambda: 1.0, incarnation=1)
    return Ledger(cast("Bridge", bridge), "smsc", lambda _moves: None)


async def test_answers_are_handed_over_at_once_when_something_is_about_to_leave() -> None:
    store = Puts()
    answers = ledger(store)
    answers.record((DONE,), None)
    answers.record((DONE,), None)
    assert not store.items, "answers of one turn share a write"
    answers.flush()
    assert [len(item) for item in store.items] == [2]
    await asyncio.sleep(0)
    assert len(store.items) == 1, "nothing is written twice"


async def test_while_the_store_refuses_an_answer_nothing_may_leave() -> None:
    store = Puts()
    answers = ledger(store)
    answers.record((DONE,), None)
    answers.flush()
    store.told.clear()
    store.futures[0].set_exception(StoreUnavailable("full", "free some space"))
    await asyncio.sleep(0)
    assert answers.behind == 1
    async with asyncio.timeout(10):
        await store.told.wait()
    assert answers.behind == 0
    assert store.items[1] == store.items[0]


async def test_what_is_told_of_when_all_was_settled_does_not_wait() -> None:
    store = Puts()
    answers = ledger(store)
    await answers.settled()
    answers.record((DONE,), None)
    for _ in range(3):  # turns of the loop, which the end of a process surely has
        await asyncio.sleep(0)
    assert len(store.items) == 1
