"""A bind that stays down is left, and a carrier that is sick: what waits for it moves on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from bridge import segments
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.choose import Place, leg, numbered, onward, places, route_of
from bridge.dispatch.lawful import CARRIER, NO_LAWFUL_ROUTE
from bridge.dispatch.submit import shifts
from bridge.errors import StoreUnavailable
from bridge.ports import Carrier
from bridge.settings import Carrier as Config
from bridge.store.claims import lane
from bridge.store.reroutes import REFUSED, WAITING, GiveUp, Reroute, give_up, reroute
from bridge.store.sql import Row

log = structlog.get_logger("bridge.failover")

EVERY = 2.0
#: After a look that moved nothing the next one is so many times as late, unless a bind stands that
#: did not stand then.
RARELY = 15


class Failover:
    """Watches one carrier's bind, beside its lanes and not in their way."""

    def __init__(
        self, bridge: Bridge, carrier: Carrier, config: Config, names: Sequence[str]
    ) -> None:
        self._bridge = bridge
        self._carrier = carrier
        self._names = names
        self._patience = config.failover.total_seconds()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._run(), name=f"failover-{self._carrier.name}")
        self._bridge.watch(self._task)

    async def stop(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        down_since: float | None = None
        idle = 0
        seen: frozenset[str] = frozenset()
        while True:
            await asyncio.sleep(min(EVERY, self._patience))
            weight = self._bridge.health.weight(self._carrier.name)
            if self._carrier.up:
                down_since = None
                if weight >= 1:
                    idle = 0
                    continue
            else:
                down_since = down_since or loop.time()
            health = self._bridge.health
            standing = frozenset(c for c in self._bridge.carriers if not health.is_down(c))
            if idle > 0 and standing <= seen:
                idle -= 1
                continue
            seen = standing
            is_down = down_since is not None and loop.time() - down_since >= self._patience
            with contextlib.suppress(StoreUnavailable):
                moved = await self._move_all(weight, is_down=is_down)
                idle = RARELY if is_down and not moved else 0

    async def _move_all(self, weight: float, *, is_down: bool) -> int:
        """What waits for a bind that is down; for one that is sick, what has waited too long.

        What waits for a well one is only in no hurry: its pace is what holds it back.
        """
        if not is_down and weight >= 1:
            return 0
        now = self._bridge.clock()
        away = _Away(self._carrier.name, now, now if is_down else now - self._patience, weight)
        if is_down:
            away = replace(away, least=0.0)
        moved = 0
        for name in self._names:
            moved += await _move_waiting(self._bridge, name, away)
        if moved:
            why = "a bind is down" if is_down else "a carrier is sick"
            log.warning("messages go on", reason=why, carrier=self._carrier.name, count=moved)
        return moved


@dataclass(frozen=True, slots=True)
class _Away:
    """What is to leave a lane: what was due before a time, to where the weight is more."""

    here: str  # the carrier that it waits for; "" where that is gone
    now: float
    before: float
    least: float = 0.0


async def route_anew(bridge: Bridge, name: str, now: float) -> int:
    """What waits in the lane of a carrier that is no longer configured starts its route again."""
    moved = await _move_waiting(bridge, name, _Away("", now, now))
    log.warning("messages of a carrier that is gone go on", lane=name, count=moved)
    return moved


async def _move_waiting(bridge: Bridge, name: str, away: _Away) -> int:
    """How many moved on."""
    after, after_id, moved = 0.0, 0, 0
    page = {"lane": name, "now": away.now, "before": away.before}
    while rows := await bridge.store.read(WAITING, **page, after=after, after_id=after_id):
        after, after_id = rows[-1][4], rows[-1][0]
        moves, stuck = [], []
        for row in rows:
            place = await _place(bridge, row, away)
            if place is not None:
                moves.append(_moved(row, place, away.now))
            elif _is_forbidden(bridge, row, away.here):
                stuck.append(row[0])
        if stuck:
            await bridge.store.write(give_up, GiveUp(tuple(stuck), NO_LAWFUL_ROUTE, away.now))
            bridge.ring_edges()
        await asyncio.gather(*(bridge.store.write(reroute, move) for move in moves))
        for move in moves:
            bridge.ring_lane(move.lane, move.id)
        moved += len(moves)
    return moved


async def _place(bridge: Bridge, row: Row, away: _Away) -> Place | None:
    """Where a message may go on."""
    number, _, _, _, _, phone, _, tenant, klass, shown, country, tries = row
    found = leg(bridge, tenant, phone, country, klass)
    if len(route_of(bridge, found).carriers) == 1 and away.here:
        return None
    refused = await bridge.store.read(REFUSED, id=number) if tries else ()
    without = {each for (each,) in refused}
    place = onward(bridge, found, away.here, shown, without=without, least=away.least)
    return place and numbered(bridge, found, place)


def _is_forbidden(bridge: Bridge, row: Row, here: str) -> bool:
    """Nobody may take a message: neither whom it waits for nor whoever comes after."""
    _, _, _, _, _, phone, _, tenant, klass, _, country, _ = row
    if here and not bridge.lawful.why_not(tenant, CARRIER, here):
        return False
    return all(
        place.why_not for place in places(bridge, leg(bridge, tenant, phone, country, klass))
    )


def _moved(row: Row, place: Place, now: float) -> Reroute:
    """Where a message goes."""
    number, was, _, urgent, _, _, text, *_ = row
    config = place.carrier
    fitted = segments.segment(text, shifts(config))
    to = lane(config.name, bool(urgent))
    parts = len(fitted.parts)
    return Reroute(
        number, was, to, place.hop, fitted.encoding, fitted.lang, parts, now, place.originator
    )
