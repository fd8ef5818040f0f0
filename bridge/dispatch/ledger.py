"""What carriers answered, kept until the store has it: it is not known anywhere else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.stopping import settle, wish
from bridge.errors import BridgeError, StoreUnavailable
from bridge.model import Verdict
from bridge.store.outcomes import Move, PartDone, Progress, record_progress
from bridge.store.suppressions import Bound, suppress_all

log = structlog.get_logger("bridge.ledger")

AGAIN = 0.5  # seconds
PATIENCE = 0.005  # seconds for which answers wait for a birth or a claim to be stored with

STATES = {
    Verdict.ACCEPTED: "accepted",
    Verdict.NOT_SENT: "not-sent",
    Verdict.THROTTLED: "throttled",
    Verdict.REJECTED: "rejected",
    Verdict.FAILED: "failed",
    Verdict.OPTED_OUT: "rejected",
    Verdict.UNKNOWN: "unknown",
}


class Ledger:
    """One carrier's answers on their way to the store; `moved` hears of moves once they are."""

    def __init__(
        self, bridge: Bridge, carrier: str, moved: Callable[[Sequence[Move]], None]
    ) -> None:
        self._bridge = bridge
        self._carrier = carrier
        self._moved = moved
        self._settling: set[asyncio.Task[None]] = set()
        self._known: list[Progress] = []
        self._timer: asyncio.TimerHandle | None = None
        self._patience = PATIENCE
        self._pending = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        #: Answers that the store has refused for now: until they are there, nothing may leave.
        self.behind = 0
        #: Messages done with, of which the store does not know yet.
        self.untold: set[int] = set()

    def record(self, parts: tuple[PartDone, ...], move: Move | None) -> None:
        """Keep for the next write: that of a birth or a claim, or one of its own a moment later."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._patience, self.flush)
        if move is not None:
            self.untold.add(move.message)
        bridge = self._bridge
        self._known.append(Progress(self._carrier, bridge.clock(), bridge.incarnation, parts, move))

    def opted_out(self, tenant_id: int, phone: str) -> None:
        """The carrier knows of an opt-out that we had not heard of (P43): it becomes ours."""
        bridge = self._bridge
        now = bridge.clock()
        item = wish(bridge.keys, tenant_id, phone, scope="tenant", source="carrier", now=now)

        def put() -> asyncio.Future[Any]:
            future = bridge.store.put(suppress_all, item)
            future.add_done_callback(self._stopped)
            return future

        self._until_stored(put, ())

    def _stopped(self, done: asyncio.Future[Any]) -> None:
        """What another lane has claimed for this person stays here."""
        if not done.cancelled() and done.exception() is None:
            task = asyncio.ensure_future(self._settle(done.result()[0]))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)

    async def _settle(self, bound: Bound) -> None:
        # Nobody waits for it: what other processes have under way is told by their own carriers.
        with contextlib.suppress(BridgeError):
            await settle(self._bridge, bound)

    async def settled(self) -> None:
        """Wait until the store has everything, unless it takes nothing.

        What is told of afterwards does not wait: the process ends, and the store with it.
        """
        self._patience = 0.0
        self.flush()
        while not self._quiet.is_set():
            waited = asyncio.ensure_future(self._quiet.wait())
            await asyncio.wait([waited], timeout=2 * AGAIN)
            waited.cancel()
            if self._bridge.store.failing is not None:
                return

    def flush(self) -> None:
        """Hand everything to the store now, before what the caller is about to store.

        An answer's place in the window is free at once. What takes it must not be on disk before
        the answer is: a kill between the two would leave more in doubt than the window holds.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._known:
            return
        known, self._known = self._known, []
        self._put(known)

    def _put(self, known: list[Progress]) -> None:
        moves = [progress.move for progress in known if progress.move is not None]
        self._until_stored(
            lambda: self._bridge.store.put(record_progress, known), moves, one_by_one=known
        )

    def _until_stored(
        self,
        put: Callable[[], asyncio.Future[Any]],
        moves: Sequence[Move],
        *,
        one_by_one: Sequence[Progress] = (),
    ) -> None:
        self._pending += 1
        self._quiet.clear()

        def attempt() -> None:
            put().add_done_callback(ended)

        def again() -> None:
            self.behind -= 1
            attempt()

        def ended(done: asyncio.Future[Any]) -> None:
            error = None if done.cancelled() else done.exception()
            if isinstance(error, StoreUnavailable):
                self.behind += 1
                asyncio.get_running_loop().call_later(AGAIN, again)
                return
            if error is None:
                self._told(moves)
            elif len(one_by_one) > 1:
                for progress in one_by_one:
                    self._put([progress])
            else:
                log.error("an answer was not recorded", error=type(error).__name__)
                self._told(moves)
            self._pending -= 1
            if not self._pending:
                self._quiet.set()

        attempt()

    def _told(self, moves: Sequence[Move]) -> None:
        for move in moves:
            self.untold.discard(move.message)
        self._moved(moves)
