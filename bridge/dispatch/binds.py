"""The carriers' binds: each is owned by one process, through a lease that is kept alive here.

A carrier that cannot be opened is owned all the same, as a bind that does not stand: what waits for
it moves on as from any other. It is tried again, and let go now and then, since another process may
have better files.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import structlog

from bridge import carriers
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.deliver import Lanes
from bridge.dispatch.tenure import moment
from bridge.errors import Misconfigured, StoreUnavailable
from bridge.ports import Inbox
from bridge.store.leases import LEASE_SECONDS, Beat, beat, leave, let_go

log = structlog.get_logger("bridge.binds")

BEAT = 2.0
#: Seconds between two tries to open a carrier.
AGAIN = 5.0
#: Seconds beyond its failover for which a process keeps a carrier that it cannot open, and seconds
#: for which it then leaves it to the others.
KEEP, STAND_BACK = 30.0, 3 * BEAT


class Binds:
    """What this process owns of the configured carriers."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.lanes: dict[str, Lanes] = {}
        house = carriers.House(
            bridge.store, bridge.keys, bridge.settings.public_url, bridge.tenure.stands
        )
        self._made = {c.name: carriers.make(c, house) for c in bridge.settings.carriers}
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        #: Carriers that cannot be opened here: since when, and when they are tried again.
        self._shut: dict[str, tuple[float, float]] = {}
        #: Those that are left to the others, and until when.
        self._left: dict[str, float] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self.lost: Callable[[], None] = lambda: None

    async def start(self, inbox: Inbox) -> None:
        """Take the binds that are free; keep asking for the others."""
        self._inbox = inbox
        self.bridge.brakes.on_change.append(self._halted)
        await self._beat()
        self._task = asyncio.create_task(self._run(), name="binds")
        self.bridge.watch(self._task)

    async def stop(self) -> None:
        """Stop the lanes, unbind, record what is known, give the leases up.

        They are kept alive until then: what is still answered is recorded, not taken for doubt.
        """
        self._stopping = True
        await self._leave_all()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._leave_all()  # what a beat under way has still taken
        with contextlib.suppress(StoreUnavailable):
            await self.bridge.store.write(leave, self.bridge.incarnation)

    async def _leave_all(self) -> None:
        await asyncio.gather(*(self._leave(name) for name in list(self.lanes)))

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
        wanted = tuple((name, self._stands(name)) for name in self._wanted())
        asked = moment()
        item = Beat(bridge.incarnation, bridge.clock(), wanted)
        owned = await bridge.store.write(beat, item)
        if owned is None:
            log.error("this process was taken for dead; it ends so that a new one may start")
            self.lost()
            return
        # A second less than others wait, for what is on its way to the wire.
        bridge.tenure.renew(asked, LEASE_SECONDS - 1)
        if self._stopping:
            return
        for name in self.lanes.keys() - owned - self._leaving.keys():
            log.warning("another process has taken a bind over", carrier=name)
            # Not waited for: it takes longer than a lease, if the carrier is slow to answer.
            self._leave(name)
        for name in sorted(owned - self.lanes.keys()):
            await self._take(name)
        for name in list(self._shut):
            await self._try_again(name)
        for name, lanes in self.lanes.items():
            bridge.metrics.bind_up.labels(name).set(lanes.carrier.up)

    def _stands(self, name: str) -> bool:
        return name in self.lanes and self._made[name].up

    def _wanted(self) -> list[str]:
        """The binds that this process keeps, or would have."""
        if self._stopping:
            return list(self.lanes)
        now = self._loop.time()
        self._left = {name: until for name, until in self._left.items() if until > now}
        return [name for name in self._made if name not in self._left]

    async def _take(self, name: str) -> None:
        lanes = Lanes(self.bridge, self._made[name], self.bridge.carrier(name))
        if why := await self._opened(name, lanes):
            now = self._loop.time()
            self._shut[name] = now, now + AGAIN
            log.error("a carrier cannot be used", carrier=name, **why)
        self.lanes[name] = lanes
        lanes.start()
        self.bridge.bell.hear(_queues(lanes))

    async def _opened(self, name: str, lanes: Lanes) -> dict[str, str]:
        """Why it could not be opened, for the log; {} where it could."""
        carrier = self._made[name]
        try:
            await carrier.open(self._inbox, lanes.there_is_room)
        except Misconfigured as error:
            return {"error": error.sentence, "hint": error.hint}
        except Exception as error:  # noqa: BLE001 - the other carriers must be opened
            # Its words may hold what is in its files.
            with contextlib.suppress(Exception):
                await carrier.close()
            return {"error": type(error).__name__, "hint": "it is a fault of the bridge: report it"}
        return {}

    async def _try_again(self, name: str) -> None:
        """Open a carrier that could not be; where that fails for long, let others try."""
        now = self._loop.time()
        since, at = self._shut[name]
        if name not in self.lanes or name in self._leaving:
            del self._shut[name]
        elif now >= at:
            if not await self._opened(name, self.lanes[name]):
                log.info("a carrier can be used now", carrier=name)
                del self._shut[name]
                self.lanes[name].wake()
            elif self._is_long(name, now - since):
                await self._let_go(name)
            else:
                self._shut[name] = since, now + AGAIN

    def _is_long(self, name: str, seconds: float) -> bool:
        """Whether others may try: where there may be any, and once what waited has left."""
        patience = self.bridge.carrier(name).failover.total_seconds()
        return self.bridge.store.database != "sqlite" and seconds >= patience + KEEP

    async def _let_go(self, name: str) -> None:
        del self._shut[name]
        self._left[name] = self._loop.time() + STAND_BACK
        await self._leave(name)
        await self.bridge.store.write(let_go, (self.bridge.incarnation, name))

    def _leave(self, name: str) -> asyncio.Task[None]:
        """Begin to release a bind; one release at a time."""
        task = self._leaving.get(name)
        if task is None:
            task = asyncio.create_task(self._release(name), name=f"release-{name}")
            self._leaving[name] = task
            self.bridge.watch(task)
        return task

    async def _release(self, name: str) -> None:
        lanes = self.lanes[name]
        try:
            self.bridge.bell.leave(_queues(lanes))
            await lanes.stop()
            await lanes.carrier.close()
            await lanes.settle()
        finally:
            del self.lanes[name]
            del self._leaving[name]


def _queues(lanes: Lanes) -> list[str]:
    return [f"deliver.{name}" for name in lanes.names]
