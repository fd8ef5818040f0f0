"""The one door out: notices that are due, told by their edge's notifier, retried like messages."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

import structlog

from bridge.dispatch.bridge import Bridge
from bridge.errors import Refused, StoreUnavailable, TryLater
from bridge.store.notices import (
    NEXT_NOTICE,
    ClaimNotices,
    GiveBackNotices,
    Notice,
    NoticeDone,
    claim_notices,
    finish_notices,
    give_back_notices,
)

log = structlog.get_logger("bridge.answer")

GLANCE = 2.0
AGAIN = 0.5
GIVE_UP_SECONDS = 3 * 86400.0
FIRST_RETRY, LONGEST_RETRY = 10.0, 1800.0


class Notifier(Protocol):
    """An edge's way of telling what is owed."""

    async def tell(self, notice: Notice) -> bool:
        """Deliver one notice; True if it stayed in our own mailbox.

        Raises Refused (will never be taken), TryLater.
        """


class Desk:
    """One edge's notices."""

    def __init__(self, bridge: Bridge, edge: str, notifier: Notifier) -> None:
        self.bridge = bridge
        self.edge = edge
        self._notifier = notifier
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._in_doubt = False

    def start(self) -> None:
        """Begin to tell what is due."""
        self._task = asyncio.create_task(self._run(), name=f"desk-{self.edge}")
        self.bridge.watch(self._task)
        self.wake()

    def wake(self) -> None:
        """Something may be due."""
        self._wake.set()

    async def stop(self) -> None:
        """Finish what is being told."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), GLANCE)
            self._wake.clear()
            try:
                while await self._work():
                    pass
            except StoreUnavailable:
                continue
            except Exception as error:  # noqa: BLE001 - a desk must not end while the bridge runs
                log.error("a desk stumbled", edge=self.edge, error=type(error).__name__)

    async def _work(self) -> bool:
        if self._stopping:
            return False
        now = self.bridge.clock()
        # An idle glance must not cost a commit: look before asking.
        due = await self.bridge.store.read(NEXT_NOTICE, edge=self.edge)
        if not due or due[0][0] > now:
            return False
        if self._in_doubt:
            mine = GiveBackNotices(self.bridge.incarnation, frozenset())
            await self.bridge.store.write(give_back_notices, mine)
            self._in_doubt = False
        claim = ClaimNotices(self.edge, self.bridge.incarnation, now)
        try:
            notices: list[Notice] = await self.bridge.store.write(claim_notices, claim)
        except StoreUnavailable:
            # A connection lost during COMMIT: the claim may stand, and nothing of it is told.
            self._in_doubt = True
            raise
        await asyncio.gather(*(self._tell(notice) for notice in notices))
        return bool(notices)

    async def _tell(self, notice: Notice) -> None:
        done = await self._told(notice)
        self.bridge.metrics.notices.labels(self.edge, done.state).inc()
        while True:
            try:
                await self.bridge.store.write(finish_notices, done)
            except StoreUnavailable:
                if self._stopping:
                    return  # told again after the next start
                await asyncio.sleep(AGAIN)
            else:
                return

    async def _told(self, notice: Notice) -> NoticeDone:
        try:
            mailbox = await self._notifier.tell(notice)
        except Refused as no:
            log.warning("notice refused", notice=notice.id, kind=notice.kind, reason=no.sentence)
            return NoticeDone(notice.id, "failed", self.bridge.clock(), reason=no.sentence)
        except TryLater as later:
            return self._later(notice, later.sentence)
        except Exception as error:  # noqa: BLE001
            fault = type(error).__name__
            log.error("notice failed", notice=notice.id, kind=notice.kind, error=fault)
            return self._later(notice, fault)
        return NoticeDone(notice.id, "sent", self.bridge.clock(), mailbox=mailbox)

    def _later(self, notice: Notice, reason: str) -> NoticeDone:
        now = self.bridge.clock()
        if now - notice.created_at > GIVE_UP_SECONDS:
            return NoticeDone(notice.id, "failed", now, reason=reason)
        delay = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(notice.tries, 20))
        return NoticeDone(notice.id, "due", now, due_at=now + delay, reason=reason)
