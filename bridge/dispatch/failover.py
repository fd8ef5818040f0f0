"""A bind that stays down is left: what waits for it moves to the next carrier of its route."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bridge import segments
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.submit import shifts
from bridge.ports import Carrier
from bridge.settings import Carrier as Config
from bridge.store.claims import lane
from bridge.store.reroutes import WAITING, Reroute, reroute
from bridge.store.sql import Row

log = structlog.get_logger("bridge.failover")


class Failover:
    """Watches one carrier's bind."""

    def __init__(self, bridge: Bridge, carrier: Carrier, config: Config) -> None:
        self._bridge = bridge
        self._carrier = carrier
        self._patience = config.failover.total_seconds()
        self._down_since: float | None = bridge.clock()

    async def look(self, names: Sequence[str]) -> int:
        """Move what waits in these lanes if the bind has been down for too long; how many moved."""
        if self._carrier.up:
            self._down_since = None
            return 0
        now = self._bridge.clock()
        if self._down_since is None:
            self._down_since = now
        if now - self._down_since < self._patience:
            return 0
        moved = 0
        for name in names:
            moved += await self._move_all(name, now)
        if moved:
            log.warning("a bind is down, messages go on", carrier=self._carrier.name, count=moved)
        return moved

    async def _move_all(self, name: str, now: float) -> int:
        return await _move_waiting(self._bridge, name, now, lambda hop: hop + 1)


async def route_anew(bridge: Bridge, name: str, now: float) -> int:
    """What waits in the lane of a carrier that is no longer configured starts its route again."""
    moved = await _move_waiting(bridge, name, now, lambda _hop: 0)
    log.warning("messages of a carrier that is gone go on", lane=name, count=moved)
    return moved


async def _move_waiting(
    bridge: Bridge, name: str, now: float, hop_after: Callable[[int], int]
) -> int:
    after, moved = 0, 0
    while rows := await bridge.store.read(WAITING, lane=name, now=now, after=after):
        after = rows[-1][0]
        moves = [m for row in rows if (m := _moved(bridge, row, now, hop_after)) is not None]
        await asyncio.gather(*(bridge.store.write(reroute, move) for move in moves))
        for move in moves:
            bridge.ring_lane(move.lane, move.id)
        moved += len(moves)
    return moved


def _moved(bridge: Bridge, row: Row, now: float, hop_after: Callable[[int], int]) -> Reroute | None:
    """Where a message goes; None where its route ends here."""
    number, was, hop, urgent, encoding, lang, parts, phone, text = row
    route = bridge.routes.carriers(phone)
    hop = hop_after(hop)
    if hop >= len(route):
        return None
    config = bridge.carrier(route[hop])
    if lang:
        fitted = segments.segment(text, shifts(config))
        encoding, lang, parts = fitted.encoding, fitted.lang, len(fitted.parts)
    to = lane(config.name, bool(urgent))
    return Reroute(number, was, to, hop, encoding, lang, parts, now)
