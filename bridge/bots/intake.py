"""What a chat tells comes in, and is on disk before it is acknowledged; then it is worked, once.

A process that ends midway leaves its updates to its next start, or to another process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog

from bridge.dispatch.bridge import Bridge
from bridge.errors import StoreUnavailable, TryLater
from bridge.store.updates import (
    MOST_TRIES,
    GiveBackUpdates,
    StoreUpdate,
    TakeUpdates,
    Update,
    UpdateDone,
    finish_updates,
    give_back_updates,
    store_updates,
    take_updates,
)

log = structlog.get_logger("bridge.intake")

GLANCE: Final = 5.0
AT_ONCE: Final = 64
#: Seconds for which an update keeps its place among those: who waits for the chat longer than that
#: goes on beside the others, and holds nobody up.
HOLD: Final = 1.0
GIVE_UP_SECONDS: Final = 86400.0
_PAUSES: Final = (0.2, 1.0, 3.0)

Work = Callable[[int, Mapping[str, Any]], Awaitable[None]]
Whose = Callable[[Mapping[str, Any]], str]


class Intake:
    """One chat's updates in one process.

    `work` gets an update's id and what the chat sent; `whose` names the person, whose updates are
    worked one after the other.
    """

    def __init__(self, bridge: Bridge, edge: str, work: Work, whose: Whose) -> None:
        self.bridge = bridge
        self.edge = edge
        self._work = work
        self._whose = whose
        self._last: dict[str, asyncio.Task[None]] = {}  # of each person
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._ids: set[int] = set()  # what is being worked
        self._doubt = 0.0  # when a commit was last in doubt: its lease may stand
        self._glance: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work what earlier processes left."""
        self._glance = asyncio.create_task(self._look(), name=f"intake-{self.edge}")
        self.bridge.watch(self._glance)

    async def stop(self) -> None:
        """Finish what is being worked."""
        if self._glance is not None:
            self._glance.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._glance
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def take(self, key: str, payload: Mapping[str, Any]) -> bool:
        """Store an update, and begin to work it; False for one that was told before.

        It is on disk when this returns. Raises StoreUnavailable.
        """
        bridge = self.bridge
        written = json.dumps(payload)
        now = bridge.clock()
        item = StoreUpdate(self.edge, key, written, now, bridge.incarnation)
        try:
            number: int | None = await bridge.store.write(store_updates, item)
        except StoreUnavailable:
            self._doubt = bridge.clock()
            raise
        if number is not None:
            self._begin(Update(number, written, now, 1))
        return number is not None

    def _begin(self, update: Update) -> None:
        self._ids.add(update.id)
        payload = json.loads(update.payload)
        person = self._whose(payload)
        task = asyncio.create_task(self._worked(update, payload, self._last.get(person)))
        self._last[person] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda done: self._forget(person, done))

    def _forget(self, person: str, done: asyncio.Task[None]) -> None:
        if self._last.get(person) is done:
            del self._last[person]

    async def _look(self) -> None:
        asked = TakeUpdates(self.edge, self.bridge.incarnation)
        while True:
            found: list[Update] = []
            try:
                await self._settle_doubt()
                found = await self.bridge.store.write(take_updates, asked)
            except StoreUnavailable:
                self._doubt = self.bridge.clock()
            for update in found:
                self._begin(update)
            if len(found) < asked.most:
                await asyncio.sleep(GLANCE)

    async def _settle_doubt(self) -> None:
        """What is leased to us and not worked goes back, and is taken again."""
        if not self._doubt:
            return
        mine = GiveBackUpdates(
            self.edge, self.bridge.incarnation, self._doubt, frozenset(self._ids)
        )
        await self.bridge.store.write(give_back_updates, mine)
        self._doubt = 0.0

    async def _worked(
        self, update: Update, payload: Mapping[str, Any], before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        await self._room.acquire()
        with contextlib.ExitStack() as place:
            place.callback(self._room.release)
            place.callback(asyncio.get_running_loop().call_later(HOLD, place.close).cancel)
            again = await self._tried(update, payload)
        while True:
            try:
                done = UpdateDone(update.id, self.bridge.clock(), again)
                await self.bridge.store.write(finish_updates, done)
            except StoreUnavailable:
                await asyncio.sleep(GLANCE)
            else:
                self._ids.discard(update.id)
                return

    async def _tried(self, update: Update, payload: Mapping[str, Any]) -> bool:
        """Work it; whether it is to be tried again later."""
        for pause in (*_PAUSES, None):
            try:
                await self._work(update.id, payload)
            except TryLater:
                if pause is None:
                    return self._is_young(update)
                await asyncio.sleep(pause)
            except Exception as fault:  # noqa: BLE001 - one update must not end the edge
                log.error("an update failed", edge=self.edge, error=type(fault).__name__)
                return update.tries < MOST_TRIES
            else:
                return False
        return False

    def _is_young(self, update: Update) -> bool:
        if self.bridge.clock() - update.at < GIVE_UP_SECONDS:
            return True
        log.error("an update was given up", edge=self.edge)
        return False
