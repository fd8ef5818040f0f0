"""Parts on the wire in, their outcomes out: accepted, refused, or unknown when nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from bridge.carriers.smpp.account import Account
from bridge.carriers.smpp.status import ESME_ROK
from bridge.model import Outcome, Part, Verdict
from bridge.ports import Done

NOT_SENT: Final = Outcome(Verdict.NOT_SENT, reason="not bound to the carrier")
FAULT: Final = Outcome(Verdict.REJECTED, reason="a fault of the bridge, before it was written")
_TIMED_OUT: Final = "the carrier did not answer in time"
_LOST: Final = Outcome(
    Verdict.UNKNOWN, reason="the connection to the carrier broke before its answer"
)


class Window:
    """The submits of one connection that are not answered yet, never more than its size.

    A submit that timed out keeps its slot: the SMSC may still hold it. Its late answer frees the
    slot, and is told of where it is good. When such slots fill half the window the bind is `sick`:
    nothing more leaves. When no answer comes for as long again, only a new bind helps.

    After a connection that broke with submits open, one may be open; with each that is accepted,
    from the second on, twice as many. An SMSC that closes after each message doubles nothing.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._size = account.config.window
        self._timeout = account.config.response_timeout
        # One timeout for all and a dict in order of sending: the first is always the oldest.
        self._waiting: dict[int, tuple[Part, Done, float]] = {}
        self._late: dict[int, tuple[Part, Done]] = {}
        self._expired_at = 0.0
        self._proved = False

    @property
    def free(self) -> int:
        """Submits that may leave now."""
        trusted = self._account.trusted
        size = self._size if trusted is None else min(trusted, self._size)
        return max(0, size - len(self._waiting) - len(self._late))

    @property
    def waiting(self) -> int:
        """Submits whose outcome is still open."""
        return len(self._waiting)

    @property
    def sick(self) -> bool:
        """Whether unanswered submits hold so much of the window that no more may leave."""
        return 2 * len(self._late) >= self._size

    def hopeless(self, now: float) -> bool:
        """Whether those will not be answered any more."""
        return self.sick and not self._waiting and now >= self._expired_at + self._timeout

    def add(self, sequence: int, part: Part, done: Done, now: float) -> None:
        """`part` leaves now (loop time) under `sequence`."""
        self._waiting[sequence] = (part, done, now)

    def answered(self, sequence: int, status: int, raw_id: str, now: float) -> bool:
        """An answer came; True when it freed a slot."""
        found = self._waiting.pop(sequence, None)
        if found is None:
            return self._late_answer(sequence, status, raw_id)
        part, done, left = found
        account = self._account
        if status == ESME_ROK:
            if account.judge.pause:
                account.judge.relieved(left)
            if account.trusted is not None:
                self._widen(account.trusted)
            account.counts["accepted"] += 1
            done(part, Outcome(Verdict.ACCEPTED, account.ids.answer(raw_id)))
        else:
            account.counts["refused"] += 1
            done(part, account.judge.outcome(status, left, now))
        return True

    def _widen(self, trusted: int) -> None:
        if self._proved:
            self._account.trusted = 2 * trusted if 2 * trusted < self._size else None
        self._proved = True

    def expire(self, now: float) -> int:
        """Give up on submits older than the timeout; how many."""
        before = now - self._timeout
        old = takewhile(lambda entry: entry[1][2] <= before, self._waiting.items())
        due = [sequence for sequence, _ in old]
        for sequence in due:
            part, done, _ = self._waiting.pop(sequence)
            self._late[sequence] = part, done
            done(part, Outcome(Verdict.UNKNOWN, reason=_TIMED_OUT, pause=self._timeout))
        if due:
            self._expired_at = now
            self._account.counts["timed-out"] += len(due)
        return len(due)

    def lost(self) -> int:
        """The connection is gone: whatever waited is unknown; how many."""
        waiting, self._waiting = self._waiting, {}
        self._late.clear()
        if waiting:
            self._account.trusted = 1
        for part, done, _ in waiting.values():
            done(part, _LOST)
        self._account.counts["lost"] += len(waiting)
        return len(waiting)

    def _late_answer(self, sequence: int, status: int, raw_id: str) -> bool:
        account = self._account
        found = self._late.pop(sequence, None)
        if found is None:
            account.counts["strange"] += 1
            return False
        account.counts["late"] += 1
        if status == ESME_ROK:
            part, done = found
            done(part, Outcome(Verdict.ACCEPTED, account.ids.answer(raw_id), late=True))
        return True


def each(parts: Sequence[Part], done: Done, outcome: Outcome) -> None:
    """Tell `outcome` of every part, in the loop, after the caller has returned."""
    loop = asyncio.get_running_loop()
    for part in parts:
        loop.call_soon(done, part, outcome)
