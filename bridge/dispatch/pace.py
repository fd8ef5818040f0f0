"""A carrier's pace: how many parts may leave now so that no second holds more than its TPS.

The bucket is small and filled a little slower than the rate, so that what a full bucket lets out
at once and what drips in during the same second stay within the rate together.
"""

from __future__ import annotations

import math

_SHARE = 0.02  # of the rate: the bucket's size, and what the drip is slowed by


class Pace:
    """A token bucket in parts. `tps` 0 means no limit. Times in seconds, handed in."""

    def __init__(self, tps: float, now: float) -> None:
        self._drip = tps * (1 - _SHARE)
        self._size = max(1.0, tps * _SHARE)
        self._tokens = self._size
        self._at = now
        self._paused_until = 0.0
        self._limited = tps > 0

    def free(self, now: float) -> int:
        """Parts that may leave now."""
        if now < self._paused_until:
            return 0
        if not self._limited:
            return 1 << 30
        self._fill(now)
        return math.floor(self._tokens + 1e-9)

    def take(self, parts: int, now: float) -> None:
        """Parts have left."""
        if self._limited:
            self._fill(now)
            self._tokens -= parts

    def wait(self, now: float) -> float:
        """Seconds until a part may leave; 0 if one may now."""
        if now < self._paused_until:
            return self._paused_until - now
        if not self._limited:
            return 0.0
        self._fill(now)
        return max(0.0, (1 - self._tokens) / self._drip)

    def pause(self, seconds: float, now: float) -> None:
        """The carrier wants to be left alone for a while."""
        self._paused_until = max(self._paused_until, now + seconds)

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        self._tokens = min(self._size, self._tokens + passed * self._drip)
        self._at = now
