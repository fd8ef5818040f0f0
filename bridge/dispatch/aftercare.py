"""What is left to be seen to after erasures and exports: interrupted ones, late rows, old files."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from bridge.dispatch import carrier_erasing, exporting, receipting
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.clocks import Rarely
from bridge.dispatch.erasing import finish, ledger_of, line_of
from bridge.dispatch.nights import last_night
from bridge.errors import BridgeError, StoreUnavailable, TryLater
from bridge.store.erasing import ANY_DONE_SINCE, DONE_SINCE, RUNNING, SINCE, Erasure, erasure_of
from bridge.store.facts import note, settle

log = structlog.get_logger("bridge.erasing")

#: Seconds after which an erasure that still runs is taken for an interrupted one; after which one
#: that is done is looked at once more, and until when; and between two looks for old files, or
#: tries to write a database anew that failed at it.
SLOW: Final = 60.0
SETTLED, LATE = 60.0, 900.0
HOURLY: Final = 3600.0
#: The fact that says when the database was last written anew, or needed not to be.
_SCRUBBED: Final = "scrubbed"


class Aftercare:
    """One process's share; several do no harm."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._again: set[int] = set()
        self._purges = Rarely(HOURLY)
        self._anew = Rarely(HOURLY)  # so often where it fails
        self._heard_of = 0.0
        self._night = 0.0  # whose work is done

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
        if self._purges.due(now):
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
        """At once what is quick; once a night, or after it where it was missed, all of it."""
        night = last_night(now)
        is_whole = False
        if night != self._night and self._anew.due(now):
            is_whole = await self._scrubbed_whole(now, night)
            self._night, self._anew = night, Rarely(HOURLY)
        if needed and not is_whole:
            await self.bridge.store.scrub()

    async def _scrubbed_whole(self, now: float, night: float) -> bool:
        """Write the database anew, if that is due and somebody was erased since the last time."""
        store = self.bridge.store
        last = float(await store.write(settle, (_SCRUBBED, repr(night))))
        if night <= last <= now:
            return False
        # What was late for the last time is in it, and everything after a clock was set back.
        since = last - LATE if last <= now else 0.0
        found = bool(await store.read(ANY_DONE_SINCE, since=since))
        if found:
            await store.scrub(whole=True)
        await store.write(note, (_SCRUBBED, repr(now)))
        return found

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
