"""Is it alive, does it get on, what has it counted: answers for those who watch over the bridge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.health import said
from bridge.errors import StoreUnavailable
from bridge.store.health import ANSWERED_SINCE, BINDS, id_at
from bridge.store.sweeps import DUE_MOVING

#: Seconds that a message may be due while its carrier answers nothing.
STUCK_SECONDS = 60.0
#: Seconds that the database has for its answer; whoever watches waits hardly longer for ours.
ANSWER_SECONDS = 3.0

Binds = Callable[[], Mapping[str, bool]]


class Health:
    """`/healthz`, `/readyz` and `/metrics` of one process. They tell of no person."""

    def __init__(self, bridge: Bridge, binds: Binds) -> None:
        self._bridge = bridge
        self._binds = binds

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """What is answered where."""
        yield web.get("/healthz", self.alive)
        yield web.get("/readyz", self.ready)
        yield web.get("/metrics", self.metrics)

    async def alive(self, _request: web.Request) -> web.Response:
        """The loop turns."""
        return web.Response(text="ok\n")

    async def ready(self, _request: web.Request) -> web.Response:
        """200 while messages get on, 503 while they do not, and in either case why."""
        told = await self._told()
        return web.json_response(told, status=200 if told["ready"] else 503)

    async def metrics(self, _request: web.Request) -> web.Response:
        """Everything that is counted, in Prometheus' text format."""
        metrics = self._bridge.metrics
        for carrier, up in self._binds().items():
            metrics.bind_up.labels(carrier).set(up)
        metrics.queue_up.set(self._bridge.bell.up)
        metrics.halts.set(len(self._bridge.brakes.halts))
        metrics.stopped.set(len(self._bridge.brakes.standing) - len(self._bridge.brakes.halts))
        metrics.store_up.set(self._bridge.store.failing is None)
        body = generate_latest(metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _told(self) -> dict[str, Any]:
        bridge, binds = self._bridge, {}
        problems, degraded = [], []
        oldest: float | None = None
        failing = bridge.store.failing
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                binds = await self._all_binds()
                oldest, stuck = await self._waiting()
            problems += [f"lane {lane}: nothing has left for a minute" for lane in stuck]
        except StoreUnavailable as error:
            failing = failing or error
        except TimeoutError:
            failing = failing or StoreUnavailable("it does not answer in time", "")
        if failing is not None:
            problems.append(f"database: {failing.sentence}")
        if not bridge.bell.up:
            degraded.append("broker: messages are found by looking, not by ringing")
        degraded += [f"sending is stopped by hand: {name}" for name in sorted(self._halted())]
        degraded += [f"carrier {name}: not bound" for name, up in sorted(binds.items()) if not up]
        degraded += said(bridge.health.weights.values())
        return {
            "ready": not problems,
            "problems": problems,
            "degraded": degraded,
            "oldest_due_seconds": oldest,
            "halted": sorted(self._halted()),
            "database": failing is None,
            "broker": bridge.bell.up,
            "binds": dict(sorted(binds.items())),
            "weights": {n: bridge.health.weight(n) for n in sorted(bridge.health.watched)},
        }

    def _halted(self) -> Iterable[str]:
        """The tenants of which nothing leaves, by name; "all" for everybody's."""
        tenants = self._bridge.register.tenants
        for each in self._bridge.brakes.halts:
            yield tenants[each.tenant_id].name if each.tenant_id in tenants else "all"

    async def _all_binds(self) -> dict[str, bool]:
        """Every carrier's bind, whichever process owns it: its own ones are known to the moment."""
        bridge = self._bridge
        owned = dict.fromkeys((carrier.name for carrier in bridge.settings.carriers), False)
        owned |= {
            row[0]: bool(row[1]) for row in await bridge.store.read(BINDS, now=bridge.clock())
        }
        return owned | dict(self._binds())

    async def _waiting(self) -> tuple[float, list[str]]:
        """The age in seconds of the oldest message that is due, and the lanes that stand still.

        A lane with a long backlog that its carrier works off, or refuses for now, gets on.
        """
        bridge = self._bridge
        now = bridge.clock()
        ages = {row[0]: now - row[2] for row in await bridge.store.read(DUE_MOVING, now=now)}
        oldest = round(max(ages.values(), default=0.0), 3)
        if bridge.brakes.all_halted:
            return oldest, []
        stuck = [lane for lane, age in ages.items() if age > STUCK_SECONDS]
        still = []
        for lane in sorted(stuck):
            carrier = lane.rpartition(".")[0]
            since = id_at(now - STUCK_SECONDS)
            if not await bridge.store.read(ANSWERED_SINCE, since=since, carrier=carrier):
                still.append(lane)
        return oldest, still
