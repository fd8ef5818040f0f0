"""The carriers' binds: each is owned by one process, through a lease that is kept alive here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import structlog

from bridge import carriers
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.deliver import Lanes
from bridge.errors import Misconfigured, StoreUnavailable
from bridge.ports import Inbox
from bridge.store.leases import LEASE_SECONDS, Beat, beat, leave

log = structlog.get_logger("bridge.binds")

BEAT = 2.0


class Binds:
    """What this process owns of the configured carriers."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.lanes: dict[str, Lanes] = {}
        house = carriers.House(bridge.store, bridge.keys, bridge.settings.public_url)
        self._made = {c.name: carriers.make(c, house) for c in bridge.settings.carriers}
        self._task: asyncio.Task[None] | None = None
        self.lost: Callable[[], None] = lambda: None

    async def start(self, inbox: Inbox) -> None:
        """Take the binds that are free; keep asking for the others."""
        self._inbox = inbox
        self.bridge.brakes.on_change.append(self._halted)
        await self._beat()
        self._task = asyncio.create_task(self._run(), name="binds")
        self.bridge.watch(self._task)

    async def stop(self) -> None:
        """Stop the lanes, unbind, record what is known, give the leases up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await asyncio.gather(*(self._release(name) for name in list(self.lanes)))
        with contextlib.suppress(StoreUnavailable):
            await self.bridge.store.write(leave, self.bridge.incarnation)

    def wake(self, lane: str) -> bool:
        """Wake a lane; False if another process owns it."""
        owner = self.lanes.get(lane.rpartition(".")[0])
        if owner is None:
            return False
        owner.wake()
        return True

    def revoke(self, subjects: Sequence[int]) -> None:
        """A STOP: nothing that is claimed here and not yet written leaves for these people."""
        for lanes in self.lanes.values():
            lanes.revoke(subjects)

    def _halted(self) -> None:
        for lanes in self.lanes.values():
            lanes.halted()

    def states(self) -> dict[str, bool]:
        """Which of the binds that this process owns stand."""
        return {name: lanes.carrier.up for name, lanes in self.lanes.items()}

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            try:
                await self._beat()
            except StoreUnavailable:
                continue
            except Exception as error:  # noqa: BLE001 - leases must be kept alive
                log.error("a beat stumbled", error=type(error).__name__)

    async def _beat(self) -> None:
        bridge = self.bridge
        wanted = tuple(
            (name, name in self.lanes and carrier.up) for name, carrier in self._made.items()
        )
        now = bridge.clock()
        owned = await bridge.store.write(beat, Beat(bridge.incarnation, now, wanted))
        if owned is None:
            log.error("this process was taken for dead; it ends so that a new one may start")
            self.lost()
            return
        # A second less than others wait, for what is on its way to the wire.
        bridge.owned_until = now + LEASE_SECONDS - 1
        for name in owned - self.lanes.keys():
            await self._take(name)
        for name in self.lanes.keys() - owned:
            log.warning("another process has taken a bind over", carrier=name)
            await self._release(name)
        for name, lanes in self.lanes.items():
            bridge.metrics.bind_up.labels(name).set(lanes.carrier.up)

    async def _take(self, name: str) -> None:
        lanes = Lanes(self.bridge, self._made[name], self.bridge.carrier(name))
        try:
            await self._made[name].open(self._inbox, lanes.wake)
        except Misconfigured as error:
            log.error(
                "a carrier cannot be used", carrier=name, error=error.sentence, hint=error.hint
            )
            del self._made[name]  # another process, with better files, may have it
            return
        self.lanes[name] = lanes
        lanes.start()
        self.bridge.bell.hear(_queues(lanes))

    async def _release(self, name: str) -> None:
        lanes = self.lanes[name]
        self.bridge.bell.leave(_queues(lanes))
        await lanes.stop()
        await lanes.carrier.close()
        await lanes.settle()
        del self.lanes[name]


def _queues(lanes: Lanes) -> list[str]:
    return [f"deliver.{name}" for name in lanes.names]
