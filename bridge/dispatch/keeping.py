"""How long data is kept here: rules and decisions come in, turns of the purge go out.

One small turn a second, for the class that is due, so that sending never waits for it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.clocks import Rarely
from bridge.privacy.retention import Period, Plan, Rule, rules
from bridge.store.kept import RETENTION, WALKS
from bridge.store.periods import AGREED
from bridge.store.retention import RUNS, Turn, Turned

log = structlog.get_logger("bridge.retention")

#: Seconds between two runs of a class, between two looks whether one is due, and between turns.
REST: Final = 3600.0
LOOK: Final = 60.0
PACE: Final = 0.9
#: Rows that a turn looks at, beside traffic and when somebody waits for the end.
FEW, MANY = 100, 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of a class deleted, or in a dry run what is due; `more`: at least so much."""

    klass: str
    counts: Mapping[str, int]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Class:
    """One class, as people are shown it."""

    rule: Rule
    period: Period
    purged: bool  # by runs of ours; else it has no table, no end, or an end elsewhere
    last_run: float | None = None
    deleted: Mapping[str, int] | None = None


def lapse() -> float:
    """Seconds for which a hold or a period waits for a second person."""
    return timedelta(days=rules()["approval"].period.days).total_seconds()


async def plan(bridge: Bridge) -> Plan:
    """The periods that hold now. Raises StoreUnavailable."""
    rows = await bridge.store.read(AGREED)
    decided = {(row[0], row[1]): Period(row[2], row[3]) for row in rows}
    wishes = {
        tenant.id: Period(days=int(tenant.keep_texts // 86400))
        for tenant in bridge.register.tenants.values()
        if tenant.keep_texts is not None
    }
    return Plan(decided, wishes)


async def classes(bridge: Bridge, tenant: int = 0) -> list[Class]:
    """All classes with the periods of a tenant, or of all. Raises StoreUnavailable."""
    holds = await plan(bridge)
    last: dict[str, tuple[float, Mapping[str, int]]] = {}
    for name, _, done_at, counts in await bridge.store.read(RUNS):
        if done_at is not None:
            last[name] = (done_at, json.loads(counts))
    return [
        Class(rule, holds.period(name, tenant), name in WALKS, *last.get(name, (None, None)))
        for name, rule in rules().items()
    ]


class Keeper:
    """Purges what is due, a turn at a time; any number of them may be at it."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._looks = Rarely(LOOK)
        self._is_new = True
        self._waiting: list[str] = []

    async def once(self, now: float) -> None:
        """One small turn, if something is due. Raises StoreUnavailable."""
        if not self._is_time(now):
            return
        klass = self._waiting.pop()
        turned: Turned = await self.bridge.store.write(RETENTION.turn, await self._turn(klass, now))
        if turned.done:
            self._tell(klass, turned)
        elif not turned.idle:
            self._waiting.append(klass)

    def _is_time(self, now: float) -> bool:
        """Whether a class waits; a process that has just begun has other things to do."""
        if not self._waiting and self._looks.due(now):
            if not self._is_new:
                self._waiting = list(reversed(tuple(WALKS)))
            self._is_new = False
        return bool(self._waiting)

    async def run(self, *, dry: bool) -> AsyncIterator[Outcome]:
        """Every class to its end; with `dry` only what is due now. Raises StoreUnavailable."""
        for klass in WALKS:
            now = self.bridge.clock()
            item = replace(await self._turn(klass, now), most=MANY, rest=0.0, pace=0.0)
            yield await (self._due(item) if dry else self._to_its_end(item))

    async def due(self, klass: str) -> Outcome:
        """What of a class is due now: counted until it is many."""
        return await self._due(await self._turn(klass, self.bridge.clock()))

    async def _due(self, item: Turn) -> Outcome:
        counts, more = await self.bridge.store.write(RETENTION.due, item)
        return Outcome(item.klass, counts, more)

    async def _to_its_end(self, item: Turn) -> Outcome:
        while True:
            turned: Turned = await self.bridge.store.write(RETENTION.turn, item)
            if turned.done:
                break
        if not turned.idle:
            self._tell(item.klass, turned)
        return Outcome(item.klass, turned.counts)

    async def _turn(self, klass: str, now: float) -> Turn:
        cutoffs = partial((await plan(self.bridge)).cutoffs, klass)
        return Turn(
            klass, cutoffs, now, self.bridge.signer, lapse(), most=FEW, rest=REST, pace=PACE
        )

    def _tell(self, klass: str, turned: Turned) -> None:
        if turned.counts:
            told = " ".join(f"{name}={count}" for name, count in sorted(turned.counts.items()))
            log.info("data past its period is deleted", data_class=klass, deleted=told)
        if expired := turned.counts.get("attachment", 0) if klass == "attachment" else 0:
            self.bridge.metrics.attachments.labels("expired").inc(expired)
