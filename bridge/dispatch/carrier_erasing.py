"""Carriers' records of people who are erased come in; each carrier that can is asked to erase them.

What it does not erase, and what cannot be reached for two weeks, is told in the receipt (P68).
Nothing here logs an id.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final

import structlog

from bridge.carriers import eraser, erases
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.teller import Teller
from bridge.errors import StoreUnavailable
from bridge.model import Erased, Fate
from bridge.ports import Eraser
from bridge.privacy.periods import periods
from bridge.settings import Settings
from bridge.store.carrier_erasures import (
    GIVEN_UP,
    NEXT_RECORD,
    PENDING,
    WAITED_FOR,
    Abandon,
    ClaimRecords,
    GiveBackRecords,
    GiveUpRecords,
    Record,
    RecordDone,
    abandon_records,
    claim_records,
    finish_records,
    give_back_records,
    give_up_records,
)

log = structlog.get_logger("bridge.carrier_erasing")

GLANCE: Final = 10.0
#: Records that one carrier is asked for at once.
AT_ONCE: Final = 4
FIRST_RETRY, LONGEST_RETRY = 60.0, 6 * 3600.0
_SETTLED: Final = (*(str(fate) for fate in Fate if fate is not Fate.LATER), GIVEN_UP)


def asked(settings: Settings) -> tuple[str, ...]:
    """The carriers that are asked to erase, by name."""
    return tuple(carrier.name for carrier in settings.carriers if erases(carrier))


def desks(bridge: Bridge) -> Iterator[RecordDesk]:
    """A desk for each of them. Raises Misconfigured."""
    for carrier in bridge.settings.carriers:
        found = eraser(carrier, bridge.keys, bridge.settings.public_url)
        if found is not None:
            yield RecordDesk(bridge, carrier.name, found)


async def abandon(bridge: Bridge) -> None:
    """Who is not asked any more, by bridge.toml, has nothing pending. Raises StoreUnavailable."""
    carriers = asked(bridge.settings)
    for (name,) in await bridge.store.read(WAITED_FOR):
        if name in carriers:
            continue
        why = "it is not configured any more"
        if name in bridge.carriers:
            why = "by bridge.toml it is not asked"
        count = await bridge.store.write(abandon_records, Abandon(name, why, bridge.clock()))
        bridge.metrics.carrier_erasures.labels(name, str(Fate.REFUSED)).inc(count)
        log.warning("records stay with a carrier", carrier=name, why=why, count=count)


class RecordDesk(Teller[Record]):
    """Asks one carrier; any number of processes may be at it.

    What concerns the whole account (it may not erase, the provider is away or busy) lets all of
    its records wait, with growing pauses; what concerns one record lets that one wait.
    """

    def __init__(self, bridge: Bridge, name: str, found: Eraser) -> None:
        self.name = f"records-{name}"
        super().__init__(bridge, self.name, GLANCE)
        self._carrier = name
        self._eraser = found
        self._parked = 0.0  # until when nothing is asked
        self._fails = 0  # pauses of the whole account without an answer between them
        self._why = ""  # of the last of them
        for outcome in _SETTLED:  # a rise from nothing is none
            bridge.metrics.carrier_erasures.labels(name, outcome)

    async def stop(self) -> None:
        """Finish what is being asked."""
        await super().stop()
        await self._eraser.close()

    async def _next(self) -> float | None:
        found = await self.bridge.store.read(NEXT_RECORD, carrier=self._carrier)
        return max(found[0][0], self._parked) if found else None

    async def _claim(self, most: int) -> Sequence[Record]:
        room = min(most, AT_ONCE - len(self._telling))
        if room <= 0:
            return []  # whoever ends wakes us
        bridge = self.bridge
        claim = ClaimRecords(self._carrier, bridge.incarnation, bridge.clock(), room)
        found: list[Record] = await bridge.store.write(claim_records, claim)
        return found

    async def _give_back(self, keep: frozenset[int]) -> None:
        mine = GiveBackRecords(self._carrier, self.bridge.incarnation, keep)
        await self.bridge.store.write(give_back_records, mine)

    async def _tell(self, item: Record) -> None:
        try:
            told = await self._eraser.erase(item.carrier_id, inbound=item.inbound)
        except Exception as error:  # noqa: BLE001 - its words may hold an id
            kind = type(error).__name__
            log.error("a carrier was not asked to erase", carrier=self._carrier, error=kind)
            told = Erased(Fate.LATER, f"the bridge failed at this ({kind})")
        done = self._done(item, told)
        await self._keep(finish_records, done)
        if done.outcome != PENDING:
            self._count(done.outcome)
        if done.outcome == GIVEN_UP and told.whole:
            await self._give_up(told.reason, done.now)

    async def _give_up(self, reason: str, now: float) -> None:
        """What holds for one record of the account holds for all that have waited as long."""
        overdue = GiveUpRecords(self._carrier, reason, now - periods().carriers, now)
        with contextlib.suppress(StoreUnavailable):  # the next one that is asked for finds them
            count = await self.bridge.store.write(give_up_records, overdue)
            self._count(GIVEN_UP, count)

    def _count(self, outcome: str, count: int = 1) -> None:
        self.bridge.metrics.carrier_erasures.labels(self._carrier, outcome).inc(count)

    def _done(self, item: Record, told: Erased) -> RecordDone:
        now = self.bridge.clock()
        if told.fate is not Fate.LATER:
            self._fails, self._why = 0, ""
            if told.fate is Fate.REFUSED:
                log.warning(
                    "a carrier refused to erase a record", carrier=self._carrier, why=told.reason
                )
            return RecordDone(item.id, now, str(told.fate), told.reason)
        if told.whole:
            self._park(told, now)
        if now - item.begun_at > periods().carriers:
            return RecordDone(item.id, now, GIVEN_UP, told.reason)
        pause = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(item.tries, 20))
        due = self._parked if told.whole else now + max(told.pause, pause)
        return RecordDone(item.id, now, reason=told.reason, due_at=due)

    def _park(self, told: Erased, now: float) -> None:
        if now < self._parked:  # by another of those that were asked at once
            return
        pause = (told.pause or FIRST_RETRY) * 2 ** min(self._fails, 20)
        self._parked = now + min(LONGEST_RETRY, pause)
        self._fails += 1
        if told.reason != self._why:
            self._why = told.reason
            hint = {"hint": told.hint} if told.hint else {}
            log.warning(
                "a carrier erases nothing now", carrier=self._carrier, why=told.reason, **hint
            )
