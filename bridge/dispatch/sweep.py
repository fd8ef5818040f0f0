"""What keeps promises when a ring was lost: rings again for whatever is due, ends what is over.

Runs every second in `bridge up` and `bridge tick`. An emptied queue, a stopped broker or a dead
worker therefore delays by seconds and loses nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog

from bridge.dispatch.aftercare import Aftercare
from bridge.dispatch.audit import Notary
from bridge.dispatch.billing import Treasurer
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.clocks import BELIEVED, Jumps, Rarely, SettledClock
from bridge.dispatch.failover import route_anew
from bridge.dispatch.folding import unfold_due
from bridge.dispatch.governing import Governor
from bridge.dispatch.keeping import Keeper
from bridge.dispatch.optout_copy import Copyist
from bridge.dispatch.receive import Reception
from bridge.dispatch.tenure import Watch
from bridge.errors import StoreUnavailable
from bridge.store.brakes import tidy_brakes
from bridge.store.leases import BEATS, Gone, release_gone
from bridge.store.mo_parts import PartIn, read_part
from bridge.store.portal import tidy_portal
from bridge.store.receipts import match_missed
from bridge.store.replies import ReplyScript
from bridge.store.set_back import due_again
from bridge.store.sql import Script
from bridge.store.staff import tidy_staff
from bridge.store.sweeps import (
    DUE_LANES,
    DUE_NOTICES,
    PARTIAL,
    PARTIAL_SECONDS,
    Swept,
    sweep,
    tidy,
)
from bridge.store.wishes import overdue_wishes

log = structlog.get_logger("bridge.sweep")

EVERY = 1.0
RARELY = 20.0


class Sweeper:
    """The sweep of one process; several at once do no harm."""

    def __init__(self, bridge: Bridge, reception: Reception) -> None:
        self.bridge = bridge
        self._reception = reception
        self._partials = PartialScript(reception.script)
        self._notary = Notary(bridge)
        self._aftercare = Aftercare(bridge)
        self._governor = Governor(bridge)
        self._keeper = Keeper(bridge)
        self._treasurer = Treasurer(bridge)
        self._copyist = Copyist(bridge)
        self._watch = Watch()
        self._jumps = Jumps()
        self._rare = Rarely(RARELY)
        self.last = 0.0

    async def run(self) -> None:
        """Sweep every second for as long as the process lives."""
        while True:
            try:
                await self.once()
            except StoreUnavailable:
                log.debug("sweep waits for the database")
            except Exception as error:  # noqa: BLE001 - what is due must be found again
                log.error("a sweep stumbled", error=type(error).__name__)
            await asyncio.sleep(EVERY)

    async def once(self) -> None:
        """One sweep. Raises StoreUnavailable."""
        bridge = self.bridge
        now = bridge.clock()
        settles = isinstance(bridge.clock, SettledClock)
        if jump := self._jumps.since(time.time() if settles else now):
            hint = "let NTP keep the clock: all that expires and is deleted goes by it"
            if settles:
                hint = f"set it right within {BELIEVED / 60:.0f} minutes, or it is believed"
            log.warning("the clock was set", seconds=round(jump), hint=hint)
        await self._states(now)
        await unfold_due(bridge, now)
        await self._bells(now)
        await self._treasurer.once(now)
        if self._rare.due(now):
            if count := await bridge.store.write(due_again, bridge.clock()):
                log.warning(
                    "the clock was set back: what it would keep waiting is due", count=count
                )
            await bridge.store.write(tidy, now)
            await bridge.store.write(tidy_staff, now)
            await bridge.store.write(tidy_portal, now)
            await bridge.store.write(tidy_brakes, now)
            if await bridge.store.write(match_missed, now):
                bridge.ring_edges()
            await self._partial_replies(now)
            await self._notary.once(now)
            await self._aftercare.once(now)
            await self._governor.once(now)
            await self._wishes(now)
        self.last = now
        await self._keeper.once(now)
        await self._copyist.once(now)

    async def _wishes(self, now: float) -> None:
        """Wishes that nobody has looked at within a working day are told of, once (P36)."""
        if count := await self.bridge.store.write(overdue_wishes, now):
            self.bridge.metrics.wishes_overdue.inc(count)
            log.warning("wishes wait: see bridge suppress wishes", count=count)

    async def _states(self, now: float) -> None:
        bridge = self.bridge
        swept: Swept = await bridge.store.write(sweep, now)
        if swept.expired:
            bridge.metrics.expired.inc(swept.expired)
            bridge.ring_edges()
        freed = await self._release(now)
        if freed:
            bridge.metrics.released.inc(freed)
            log.warning("messages of ended processes released", count=freed)
        for lane in swept.lanes:
            bridge.ring_lane(lane, 0)

    async def _release(self, now: float) -> int:
        """What processes hold that nothing is seen of any more is free again; how many."""
        bridge = self.bridge
        beats = await bridge.store.read(BEATS, me=bridge.incarnation)
        silent = self._watch.silent([(row[0], row[1]) for row in beats], time.monotonic())
        item = Gone(tuple(silent), now)
        freed: int = await bridge.store.write(release_gone, item)
        return freed

    async def _bells(self, now: float) -> None:
        """Ring for lanes and edges whose work is due and may not have been heard of."""
        bridge = self.bridge
        bridge.metrics.due.clear()
        bridge.metrics.due_age.clear()
        for lane, count, oldest in await bridge.store.read(DUE_LANES, now=now):
            bridge.metrics.due.labels(lane).set(count)
            bridge.metrics.due_age.labels(lane).set(now - oldest)
            if lane.rpartition(".")[0] in bridge.carriers:
                bridge.ring_lane(lane, 0)
            else:
                await route_anew(bridge, lane, now)
        for edge, oldest in await bridge.store.read(DUE_NOTICES, now=now):
            bridge.metrics.due_age.labels(f"answer.{edge}").set(now - oldest)
            if edge in bridge.edges:  # nobody hears of one that is not configured any more
                bridge.ring_edge(edge)

    async def _partial_replies(self, now: float) -> None:
        """A long MO whose last part never came is passed on as it is, marked."""
        rows = await self.bridge.store.read(PARTIAL, before=now - PARTIAL_SECONDS)
        groups: dict[tuple[str, str], str] = {(row[0], row[1]): row[2] for row in rows}
        for (key, carrier), payload in groups.items():
            item = self._reception.understood(carrier, read_part(payload))
            if item.group_key == key:
                heard = await self.bridge.store.write(self._partials, item)
                await self._reception.follow(carrier, heard)


class PartialScript:
    """The batch script for what came of MOs that are not whole."""

    def __init__(self, replies: ReplyScript) -> None:
        self._replies = replies

    def __call__(self, items: Sequence[PartIn]) -> Script:
        """A `Heard` an item."""
        results = []
        for item in items:
            results.append((yield from self._replies.partial(item)))
        return results
