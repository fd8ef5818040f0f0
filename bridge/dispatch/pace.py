"""A carrier's pace: how many parts may leave now so that no second holds more than its TPS.

The times of the last parts are what keeps it: one more may leave when the one that left a rate ago
is longer ago than a second. A bucket beside them spreads parts over the second, and holds enough
that a process which was late for a moment catches up.
"""

from __future__ import annotations

import math
from collections import deque
from itertools import takewhile

#: A second, and what parts may draw together on their way to the carrier.
_SPAN = 1.03
#: Seconds of the rate that the bucket holds: so late may a process be and lose nothing.
_LATE = 0.1


class Pace:
    """Paces parts. `tps` 0 means no limit. Times in seconds, handed in."""

    def __init__(self, tps: float, now: float) -> None:
        self._tps = tps
        self._most = max(1, math.floor(tps))  # parts in any span
        self._span = _SPAN if tps >= 1 or not tps else _SPAN / tps
        self._size = max(1.0, tps * _LATE)
        self._tokens = 1.0
        self._at = now
        self._left: deque[float] = deque()
        self._paused_until = 0.0
        self._limited = tps > 0

    def free(self, now: float, ahead: float = 0.0) -> int:
        """Parts that may leave now, or within so many seconds from now."""
        if now < self._paused_until:
            return 0
        if not self._limited:
            return 1 << 30
        self._fill(now)
        then = now + ahead - self._span
        over = sum(1 for _ in takewhile(then.__ge__, self._left)) if ahead else 0
        in_bucket = math.floor(self._tokens + ahead * self._tps + 1e-9)
        return max(0, min(in_bucket, self._most - len(self._left) + over))

    def take(self, parts: int, now: float) -> None:
        """Parts have left."""
        if self._limited:
            self._fill(now)
            self._tokens -= parts
            self._left.extend([now] * parts)

    def wait(self, now: float, parts: float = 1.0) -> float:
        """Seconds until so many parts may leave; 0 if they may now."""
        if now < self._paused_until:
            return self._paused_until - now
        if not self._limited:
            return 0.0
        self._fill(now)
        wait = max(0.0, (parts - self._tokens) / self._tps)
        place = len(self._left) - self._most + math.ceil(parts) - 1
        if place >= 0 and self._left:
            wait = max(wait, self._left[min(place, len(self._left) - 1)] + self._span - now)
        return wait

    def pause(self, seconds: float, now: float) -> None:
        """The carrier wants to be left alone for a while."""
        self._paused_until = max(self._paused_until, now + seconds)

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        self._tokens = min(self._size, self._tokens + passed * self._tps)
        self._at = now
        while self._left and self._left[0] <= now - self._span:
            self._left.popleft()
