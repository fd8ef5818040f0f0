"""Beats of this process come in, and go out as: nobody takes it for dead yet; of others, as: dead.

No clock of any machine is believed for it. A clock may be set, and a process or its machine may
stand still: so a process counts what has passed for itself by two clocks, and others count for how
long they have seen nothing new of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final, NamedTuple

from bridge.store.leases import LEASE_SECONDS

#: Seconds between two looks after which what was seen before counts for nothing: whoever looks
#: stood still, or the database did, and then nobody could be heard of.
BLIND: Final = 3.0


class Moment(NamedTuple):
    """Now, by the clock that only runs and by the one that runs on while a machine sleeps."""

    running: float
    wall: float


def moment() -> Moment:
    """Now. The loop's own time will not do: it stands still until the loop turns."""
    return Moment(time.monotonic(), time.time())


class Tenure:
    """How long nobody takes this process for dead; what it holds must not leave afterwards."""

    def __init__(self) -> None:
        self._until = Moment(0.0, 0.0)

    def renew(self, asked: Moment, seconds: float) -> None:
        """A beat that was asked for at `asked` is on disk: it holds for so long from then."""
        self._until = Moment(asked.running + seconds, asked.wall + seconds)

    def stands(self) -> bool:
        """Whether what this process has claimed may leave, as far as time goes."""
        now = moment()
        return now.running < self._until.running and now.wall < self._until.wall


class Watch:
    """When each process was last seen to do something new, by the time that passes here."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[float, float]] = {}  # process → its last beat, seen since
        self._looked = 0.0

    def silent(self, beats: Iterable[tuple[int, float]], now: float) -> list[tuple[int, float]]:
        """Of these (process, last beat), read at `now` (time.monotonic): who is taken for dead."""
        known = self._seen if now - self._looked <= BLIND else {}
        self._looked = now
        self._seen = {
            process: known[process]
            if process in known and known[process][0] == beat
            else (beat, now)
            for process, beat in beats
        }
        return [
            (process, beat)
            for process, (beat, since) in self._seen.items()
            if now - since >= LEASE_SECONDS
        ]
