"""A bind that stays down is left: what waits for it moves to the next carrier of its route."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from bridge import segments
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.lawful import CARRIER, NO_LAWFUL_ROUTE
from bridge.dispatch.submit import shifts
from bridge.errors import StoreUnavailable
from bridge.ports import Carrier
from bridge.settings import Carrier as Config
from bridge.store.claims import lane
from bridge.store.reroutes import WAITING, GiveUp, Reroute, give_up, reroute
from bridge.store.sql import Row

log = structlog.get_logger("bridge.failover")

EVERY = 2.0
#: After a look that moved nothing (the routes end here), the next one is so many times as late.
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
        while True:
            await asyncio.sleep(min(EVERY, self._patience))
            if self._carrier.up:
                down_since, idle = None, 0
                continue
            down_since = down_since or loop.time()
            if loop.time() - down_since < self._patience or idle > 0:
                idle = max(0, idle - 1)
                continue
            with contextlib.suppress(StoreUnavailable):
                idle = 0 if await self._move_all() else RARELY

    async def _move_all(self) -> int:
        now = self._bridge.clock()
        moved = 0
        for name in self._names:
            moved += await _move_waiting(self._bridge, name, now, here=self._carrier.name)
        if moved:
            log.warning("a bind is down, messages go on", carrier=self._carrier.name, count=moved)
        return moved


async def route_anew(bridge: Bridge, name: str, now: float) -> int:
    """What waits in the lane of a carrier that is no longer configured starts its route again."""
    moved = await _move_waiting(bridge, name, now, here="")
    log.warning("messages of a carrier that is gone go on", lane=name, count=moved)
    return moved


async def _move_waiting(bridge: Bridge, name: str, now: float, *, here: str) -> int:
    """How many moved on; `here` is the carrier that they wait for, "" where that is gone."""
    after, after_id, moved = 0.0, 0, 0
    while rows := await bridge.store.read(
        WAITING, lane=name, now=now, after=after, after_id=after_id
    ):
        after, after_id = rows[-1][4], rows[-1][0]
        moves = [m for row in rows if (m := _moved(bridge, row, now, here)) is not None]
        stuck = [row[0] for row in rows if _is_stuck(bridge, row, here)]
        if stuck:
            await bridge.store.write(give_up, GiveUp(tuple(stuck), NO_LAWFUL_ROUTE, now))
            bridge.ring_edges()
        await asyncio.gather(*(bridge.store.write(reroute, move) for move in moves))
        for move in moves:
            bridge.ring_lane(move.lane, move.id)
        moved += len(moves)
    return moved


def _place(bridge: Bridge, row: Row, here: str) -> tuple[int, Sequence[str]] | None:
    """The place of the route where a message may go on, and the route."""
    _, _, hop, _, _, phone, _, tenant = row
    route = bridge.routes.carriers(phone)
    place = bridge.lawful.after(tenant, route, hop if here else -1, here)
    return None if place is None else (place, route)


def _is_stuck(bridge: Bridge, row: Row, here: str) -> bool:
    """Nobody may take a message: neither whom it waits for nor whoever comes after."""
    tenant = row[-1]
    forbidden = not here or bool(bridge.lawful.why_not(tenant, CARRIER, here))
    return forbidden and _place(bridge, row, here) is None


def _moved(bridge: Bridge, row: Row, now: float, here: str) -> Reroute | None:
    """Where a message goes; None where its route ends here."""
    number, was, _, urgent, _, _, text, _ = row
    found = _place(bridge, row, here)
    if found is None:
        return None
    hop, route = found
    config = bridge.carrier(route[hop])
    fitted = segments.segment(text, shifts(config))
    to = lane(config.name, bool(urgent))
    return Reroute(number, was, to, hop, fitted.encoding, fitted.lang, len(fitted.parts), now)
