"""What is left to be seen to after erasures and exports: interrupted ones, late rows, old files."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from bridge.dispatch import carrier_erasing, exporting, receipting
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.erasing import finish, ledger_of, line_of
from bridge.errors import BridgeError, StoreUnavailable, TryLater
from bridge.privacy.periods import DAY
from bridge.store.erasing import DONE_SINCE, RUNNING, SINCE, Erasure, erasure_of

log = structlog.get_logger("bridge.erasing")

#: Seconds after which an erasure that still runs is taken for an interrupted one; after which one
#: that is done is looked at once more, and until when; and between two looks for old files.
SLOW: Final = 60.0
SETTLED, LATE = 60.0, 900.0
HOURLY: Final = 3600.0
#: The hour (UTC) in which a large database is written anew, if somebody was erased the day before.
NIGHT: Final = 2


class Aftercare:
    """One process's share; several do no harm."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._again: set[int] = set()
        self._purged: float | None = None
        self._heard_of = 0.0
        self._scrubbed = 0

    async def once(self, now: float) -> None:
        """What is to be seen to now. Raises StoreUnavailable."""
        await self._remember(now)
        rows = await self.bridge.store.read(RUNNING, before=now - SLOW)
        for row in rows:
            await self._finished(erasure_of(row))
        late = await self._late(now)
        await self._scrub(now, needed=bool(rows) or late)
        await carrier_erasing.abandon(self.bridge)
        await receipting.settle(self.bridge)
        if self._purged is None or now - self._purged >= HOURLY:
            self._purged = now
            await exporting.purge(self.bridge)

    async def _remember(self, now: float) -> None:
        """The ledger of this machine has what others have erased."""
        rows = await self.bridge.store.read(SINCE, since=self._heard_of)
        self._heard_of = now - HOURLY  # another process's clock may be behind, its commit late
        if rows:
            ledger = ledger_of(self.bridge)
            known = await asyncio.to_thread(ledger.lines)
            ledger.add(line_of(one) for one in map(erasure_of, rows) if one.id not in known)

    async def _scrub(self, now: float, *, needed: bool) -> None:
        """At once what is quick; at night, after a day with erasures, whatever it takes."""
        day, hour = divmod(int(now // 3600), 24)
        if hour == NIGHT and day != self._scrubbed:
            self._scrubbed = day
            if await self.bridge.store.read(DONE_SINCE, since=now - DAY):
                await self.bridge.store.scrub(whole=True)
                return
        if needed:
            await self.bridge.store.scrub()

    async def _late(self, now: float) -> bool:
        """A message may have been stored for somebody who was just being erased."""
        rows = await self.bridge.store.read(DONE_SINCE, since=now - LATE)
        due = [
            one
            for one in map(erasure_of, rows)
            if one.id not in self._again and now - (one.done_at or now) >= SETTLED
        ]
        for one in due:
            await self._finished(one)
            self._again.add(one.id)
        self._again &= {erasure_of(row).id for row in rows}
        return bool(due)

    async def _finished(self, one: Erasure) -> None:
        try:
            await finish(self.bridge, [one])
        except StoreUnavailable:
            raise
        except TryLater:
            log.info("an erasure waits for parts under way")
        except BridgeError as error:
            log.error("an erasure stumbled", error=type(error).__name__)
