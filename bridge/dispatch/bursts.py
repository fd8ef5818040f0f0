"""Moments of opt-outs come in; a count goes out, once, when there are too many within a minute."""

from __future__ import annotations

from collections import deque
from typing import Final

MINUTE: Final = 60.0


class Bursts:
    """Notices more than `most` a minute; silent again until a minute had fewer."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: deque[float] = deque(maxlen=most + 1)
        self._told = False

    def seen(self, now: float) -> int:
        """One more; how many there were within a minute where that begins a burst, else 0."""
        self._seen.append(now)
        is_burst = len(self._seen) > self._most and self._seen[0] > now - MINUTE
        begins = is_burst and not self._told
        self._told = is_burst
        return len(self._seen) if begins else 0
