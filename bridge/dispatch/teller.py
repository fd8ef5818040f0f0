"""What is due comes in, claimed a few at a time; each is told in a task of its own.

One that takes long holds up nobody but itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog

from bridge.dispatch.bridge import Bridge
from bridge.errors import StoreUnavailable
from bridge.store.store import BatchScript

log = structlog.get_logger("bridge.teller")

#: So many are told at once; more are claimed when half of them have been.
AT_ONCE: Final = 20
#: Seconds for which what falls due shares a claim, unless more waits than can be told at once.
BREATH: Final = 0.05
#: Seconds until the database is asked again to store what became of one.
AGAIN: Final = 0.5
#: Seconds that those under way may take when the bridge ends; the next start tells them again.
GRACE: Final = 10.0


class Owed(Protocol):
    """Something that is to be told."""

    @property
    def id(self) -> int: ...


Item = TypeVar("Item", bound=Owed)
Done = TypeVar("Done")


class Teller(ABC, Generic[Item]):
    """Tells what one table owes over one edge. It looks by itself every `glance` seconds."""

    def __init__(self, bridge: Bridge, name: str, glance: float) -> None:
        self.bridge = bridge
        self._name = name
        self._glance = glance
        self._telling: dict[int, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._in_doubt = False
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def _next(self) -> float | None:
        """When the next one is due. Raises StoreUnavailable."""

    @abstractmethod
    async def _claim(self, most: int) -> Sequence[Item]:
        """Some that are due, leased to this process. Raises StoreUnavailable."""

    @abstractmethod
    async def _give_back(self, keep: frozenset[int]) -> None:
        """What is leased to this process, but for these, is due again. Raises StoreUnavailable."""

    @abstractmethod
    async def _tell(self, item: Item) -> None:
        """Tell one, and store what became of it."""

    async def _keep(self, script: BatchScript[Done], done: Done) -> Any:
        """Store what became of one, however long that takes; what the script says of it.

        An end leaves it to the next start: None.
        """
        while True:
            try:
                return await self.bridge.store.write(script, done)
            except StoreUnavailable:
                if self._stopping:
                    return None
                await asyncio.sleep(AGAIN)

    def start(self) -> None:
        """Begin to tell what is due."""
        self._task = asyncio.create_task(self._run(), name=self._name)
        self.bridge.watch(self._task)

    def wake(self) -> None:
        """Something may be due."""
        self._wake.set()

    async def stop(self) -> None:
        """Finish what is being told."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        if self._telling:
            _, late = await asyncio.wait(self._telling.values(), timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self) -> None:
        while not self._stopping:
            pause = self._glance
            try:
                pause = await self._work()
            except StoreUnavailable:
                pass  # the store's own log tells of it
            except Exception as error:  # noqa: BLE001 - it must not end while the bridge runs
                log.error("a teller stumbled", name=self._name, error=type(error).__name__)
            if pause > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), pause)
                await asyncio.sleep(BREATH)
            self._wake.clear()

    async def _work(self) -> float:
        """Begin with some that are due; the seconds until it is worth another look."""
        if len(self._telling) > AT_ONCE // 2:
            return self._glance  # whoever ends wakes us
        # An idle glance must not cost a commit: look before asking.
        due = await self._next()
        if self._stopping or due is None:
            return self._glance
        if (wait := due - self.bridge.clock()) > 0:
            return min(wait, self._glance)
        room = AT_ONCE - len(self._telling)
        items = await self._claimed(room)
        for item in items:
            task = asyncio.create_task(self._tell(item))
            self._telling[item.id] = task
            task.add_done_callback(partial(self._ended, item.id))
        return 0.0 if len(items) == room else self._glance

    async def _claimed(self, most: int) -> Sequence[Item]:
        if self._in_doubt:
            await self._give_back(frozenset(self._telling))
            self._in_doubt = False
        try:
            return await self._claim(most)
        except StoreUnavailable:
            # A connection lost during COMMIT: the claim may stand, and nothing of it is told.
            self._in_doubt = True
            raise

    def _ended(self, number: int, done: asyncio.Task[None]) -> None:
        del self._telling[number]
        self._wake.set()
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("a teller stumbled", name=self._name, error=type(error).__name__)
