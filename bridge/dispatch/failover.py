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
from bridge.store.leases import RESEND_TIMES
from bridge.store.reroutes import REFUSED, WAITING, GiveUp, Reroute, give_up, reroute
from bridge.store.sql import Row

log = structlog.get_logger("bridge.failover")

EVERY, LEAST = 2.0, 0.1  # seconds between two looks
#: After a look that found something and moved nothing the next one is so many times as late, unless
#: a bind stands that did not stand then.
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
        self._every = max(LEAST, min(EVERY, self._patience))
        self._task: asyncio.Task[None] | None = None
        #: Parts that came back from a carrier which seemed to stand, and surely were not taken.
        self.unsent = 0

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
        loop, health = asyncio.get_running_loop(), self._bridge.health
        down_since: float | None = None
        stood, idle = False, 0
        seen: frozenset[str] = frozenset()
        while True:
            unsent = self.unsent
            await asyncio.sleep(self._every)
            weight = health.weight(self._carrier.name)
            # One that stands for moments, and gives back what it is handed, is down all the same.
            stands = self._carrier.up and self.unsent == unsent
            if not stands:
                down_since = down_since or loop.time()
            elif stood:
                down_since = None
            stood = stands
            if stands and weight >= 1:
                idle = 0
                continue
            standing = frozenset(c for c in self._bridge.carriers if not health.is_down(c))
            if idle > 0 and standing <= seen:
                idle -= 1
                continue
            seen = standing
            waited = down_since is not None and loop.time() - down_since >= self._patience
            is_down = not stands and (waited or weight == 0)
            try:
                found, moved = await self._move_all(weight, is_down=is_down)
            except StoreUnavailable:
                continue
            except Exception as error:  # noqa: BLE001 - what waits must be looked at again
                fault = type(error).__name__
                log.error("failover stumbled", carrier=self._carrier.name, error=fault)
                idle = RARELY
            else:
                idle = RARELY if found and not moved else 0

    async def _move_all(self, weight: float, *, is_down: bool) -> tuple[int, int]:
        """What waits for a bind that is down; for one that is sick, what has waited too long.

        What waits for a well one is only in no hurry: its pace is what holds it back. How many
        were looked at, and how many went on.
        """
        if not is_down and weight >= 1:
            return 0, 0
        now = self._bridge.clock()
        away = _Away(self._carrier.name, now, now if is_down else now - self._patience, weight)
        if is_down:
            away = replace(away, least=0.0)
        found = moved = 0
        for name in self._names:
            seen, went = await _move_waiting(self._bridge, name, away)
            found, moved = found + seen, moved + went
        if moved:
            why = "a bind is down" if is_down else "a carrier is sick"
            log.warning("messages go on", reason=why, carrier=self._carrier.name, count=moved)
        return found, moved


@dataclass(frozen=True, slots=True)
class _Away:
    """What is to leave a lane: what was due before a time, to where the weight is more."""

    here: str  # the carrier that it waits for; "" where that is gone
    now: float
    before: float
    least: float = 0.0


async def route_anew(bridge: Bridge, name: str, now: float) -> int:
    """What waits in the lane of a carrier that is no longer configured starts its route again.

    What is in doubt there, too: nobody can send it again where it was.
    """
    _, moved = await _move_waiting(bridge, name, _Away("", now, now))
    if moved:
        log.warning("messages of a carrier that is gone go on", lane=name, count=moved)
    return moved


async def _move_waiting(bridge: Bridge, name: str, away: _Away) -> tuple[int, int]:
    """How many were looked at, and how many moved on."""
    after, after_id, found, moved = 0.0, 0, 0, 0
    doubts = 0 if away.here else RESEND_TIMES
    page = {"lane": name, "now": away.now, "before": away.before, "doubts": doubts}
    while rows := await bridge.store.read(WAITING, **page, after=after, after_id=after_id):
        after, after_id, found = rows[-1][4], rows[-1][0], found + len(rows)
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
    return found, moved


async def _place(bridge: Bridge, row: Row, away: _Away) -> Place | None:
    """Where a message may go on."""
    number, _, _, _, _, phone, _, tenant, klass, shown, country, tries = row
    found = leg(bridge, tenant, phone, country, klass)
    if route_of(bridge, found).carriers == (away.here,):
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
