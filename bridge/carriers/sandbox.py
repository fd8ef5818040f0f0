"""The sandbox: parts come in, are stored as what phones received, and are receipted like real ones.

It behaves as a carrier does: a part that is sent again after a doubt is received again, and the
receipts that it owes are found again after a kill.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

import structlog

from bridge.errors import StoreUnavailable, TryLater
from bridge.model import Outcome, Part, Receipt, State, Verdict
from bridge.ports import Done, Inbox
from bridge.settings import Carrier as CarrierSettings
from bridge.store.ids import show
from bridge.store.sandbox import NEVER, OWED, Arrival, take_parts
from bridge.store.store import Store

log = structlog.get_logger("bridge.sandbox")

#: What phones see and answer where no originator is set: fictional (NANP 555-01XX).
SANDBOX_NUMBER: Final = "+12025550100"
#: Parts under way at once, where the configuration does not say.
WINDOW: Final = 100
#: Seconds from a part's arrival to its receipt: between these two.
RECEIPT_AFTER: Final = (0.3, 1.0)
#: Seconds that a slow phone is late.
SLOW_SECONDS: Final = 15.0
#: Seconds that `close` waits for the database.
GRACE: Final = 5.0

_AGAIN = 0.5
_BATCH = 500


class Keys(Protocol):
    """What the sandbox needs of the keyring."""

    def everyone(self, e164: str) -> str:
        """The keyed hash that the operator's own records know a number by."""


class SandboxCarrier:
    """The phone network in a box, as `bridge.ports.Carrier`. Times in Unix seconds."""

    def __init__(
        self,
        config: CarrierSettings,
        store: Store,
        keys: Keys,
        *,
        slow: float = SLOW_SECONDS,
        receipt_after: tuple[float, float] = RECEIPT_AFTER,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = config.name
        self.whole = False
        self._originator = config.originator or SANDBOX_NUMBER
        self._window = config.window if "window" in config.model_fields_set else WINDOW
        self._store = store
        self._keys = keys
        self._slow = slow
        self._clock = clock
        self._receipts = _Receipts(config.name, store, receipt_after, clock)
        self._on_room: Callable[[], None] = lambda: None
        self._flying: dict[int, tuple[Part, Done]] = {}
        self._landed = asyncio.Event()
        self._open = False

    async def open(self, inbox: Inbox, on_room: Callable[[], None]) -> None:
        """Take parts from now on; the receipts that an earlier run owes follow."""
        self._on_room = on_room
        self._receipts.start(inbox)
        self._open = True

    async def close(self) -> None:
        """Take nothing more; parts under way have a few seconds to be stored."""
        self._open = False
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                while self._flying:
                    self._landed.clear()
                    await self._landed.wait()
        for part, done in list(self._flying.values()):
            del self._flying[part.attempt]
            done(part, Outcome(Verdict.UNKNOWN, reason="sandbox-closed"))
        await self._receipts.stop()

    @property
    def room(self) -> int:
        """Parts that may leave right now."""
        return max(0, self._window - len(self._flying)) if self._open else 0

    @property
    def up(self) -> bool:
        """Whether it is open: this bind cannot break."""
        return self._open

    def send(self, parts: Sequence[Part], done: Done) -> None:
        """Store what the phones receive; each part is answered when it is on disk."""
        now = self._clock()
        for part in parts:
            self._flying[part.attempt] = part, done
            self._put(self._arrival(part, now))

    def withdraw(self, message: int) -> None:
        """What was handed over is written."""

    def _arrival(self, part: Part, now: float) -> Arrival:
        return Arrival(
            attempt=part.attempt,
            message=part.message,
            part=part.number,
            total=part.total,
            originator=part.originator or self._originator,
            phone=self._keys.everyone(part.destination),
            now=now,
            slow=self._slow,
        )

    def _put(self, arrival: Arrival) -> None:
        if arrival.attempt in self._flying:
            future = self._store.put(take_parts, arrival)
            future.add_done_callback(partial(self._stored, arrival))

    def _stored(self, arrival: Arrival, future: asyncio.Future[float]) -> None:
        """A part is on disk, or has to be put again: writing it twice changes nothing."""
        if future.cancelled() or arrival.attempt not in self._flying:
            return
        error = future.exception()
        if isinstance(error, StoreUnavailable):
            asyncio.get_running_loop().call_later(_AGAIN, self._put, arrival)
            return
        was_full = self.room == 0
        part, done = self._flying.pop(arrival.attempt)
        if error is not None:
            log.error("part not stored", message=show(part.message), error=type(error).__name__)
            done(part, Outcome(Verdict.REJECTED, reason="sandbox-fault"))
        else:
            carrier_id = show(arrival.attempt)
            done(part, Outcome(Verdict.ACCEPTED, carrier_id))
            self._receipts.owe(carrier_id, future.result())
        self._landed.set()
        if was_full:
            self._on_room()


class _Receipts:
    """Hands over the receipts that are owed, each at its time."""

    def __init__(
        self,
        carrier: str,
        store: Store,
        after: tuple[float, float],
        clock: Callable[[], float],
    ) -> None:
        self._carrier = carrier
        self._store = store
        self._after = after
        self._clock = clock
        self._owed: list[tuple[float, str, State]] = []
        self._known: set[str] = set()
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, inbox: Inbox) -> None:
        """Begin with what the store says is owed."""
        self._task = asyncio.create_task(self._run(inbox), name=f"receipts-{self._carrier}")

    async def stop(self) -> None:
        """End; what is still owed is in the store."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._task = None
        self._owed.clear()
        self._known.clear()

    def owe(self, carrier_id: str, arrives: float) -> None:
        """A part will be with its phone at `arrives`, or `NEVER`."""
        if carrier_id in self._known:
            return
        self._known.add(carrier_id)
        state = State.FAILED if arrives == NEVER else State.DELIVERED
        start = self._clock() if arrives == NEVER else arrives
        due = start + random.uniform(*self._after)  # noqa: S311
        heapq.heappush(self._owed, (due, carrier_id, state))
        if self._owed[0][1] == carrier_id:
            self._more.set()

    async def _run(self, inbox: Inbox) -> None:
        await self._recall()
        while True:
            if ripe := self._ripe():
                tries = (self._hand_over(inbox, *each) for each in ripe)
                for fault in await asyncio.gather(*tries, return_exceptions=True):
                    if isinstance(fault, Exception):
                        log.error("receipt not taken", error=type(fault).__name__)
                continue
            wait = self._owed[0][0] - self._clock() if self._owed else None
            self._more.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._more.wait()

    async def _recall(self) -> None:
        """What was answered before this start and never receipted."""
        while True:
            try:
                rows = await self._store.read(OWED, carrier=self._carrier)
            except StoreUnavailable:
                await asyncio.sleep(_AGAIN)
                continue
            for carrier_id, arrives in rows:
                self.owe(carrier_id, arrives)
            return

    def _ripe(self) -> list[tuple[str, State]]:
        now = self._clock()
        ripe: list[tuple[str, State]] = []
        while self._owed and self._owed[0][0] <= now and len(ripe) < _BATCH:
            _, carrier_id, state = heapq.heappop(self._owed)
            ripe.append((carrier_id, state))
        return ripe

    async def _hand_over(self, inbox: Inbox, carrier_id: str, state: State) -> None:
        reason = "phone unreachable" if state is State.FAILED else ""
        try:
            await inbox.receipt(self._carrier, Receipt(carrier_id, state, reason, at=self._clock()))
        except TryLater:
            heapq.heappush(self._owed, (self._clock() + _AGAIN, carrier_id, state))
        else:
            self._known.discard(carrier_id)
