"""Claimed parts come in, and leave for the carrier at its pace.

A claim takes milliseconds, over a network tens of them, and a small bucket would be full long
before it is over. So parts are claimed ahead, by a few times what a claim takes, and wait here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bridge.dispatch.pace import Pace
from bridge.model import Part

#: Seconds that are claimed ahead: at least, and at most.
LEAST: Final = 0.05
MOST: Final = 0.5
_SMOOTH: Final = 0.2


class Departures:
    """What waits for its turn on one carrier. `leave` hands parts over and says how many left."""

    def __init__(self, pace: Pace, leave: Callable[[Sequence[Part]], int]) -> None:
        self.pace = pace
        self._leave = leave
        self._loop = asyncio.get_running_loop()
        self._parts: deque[Part] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._claim = 0.0  # seconds that a claim takes, smoothed

    @property
    def ahead(self) -> float:
        """Seconds by which parts are claimed before they may leave."""
        return min(MOST, LEAST + 3 * self._claim)

    def took(self, seconds: float) -> None:
        """A claim has taken so long."""
        self._claim += (seconds - self._claim) * _SMOOTH

    def __len__(self) -> int:
        """How many wait here."""
        return len(self._parts)

    @property
    def paused(self) -> float:
        """Seconds for which the carrier still wants to be left alone."""
        return self.pace.wait(self._loop.time(), 0.0)

    def room(self) -> int:
        """Parts that may be claimed now, of which some may leave soon only."""
        return self.pace.free(self._loop.time(), self.ahead) - len(self._parts)

    def wait(self) -> float:
        """Seconds until a claim is worth its while: half of what is claimed ahead has left."""
        paused = self.paused
        if paused > 0:
            return paused
        more = self.pace.wait(self._loop.time(), len(self._parts) + 1.0) - self.ahead
        return max(0.0, more, (self.ahead / 2 - LEAST / 2) if self._parts else 0.0)

    def put(self, parts: Iterable[Part]) -> None:
        """Let these leave in their turn, at once where the pace allows it."""
        self._parts.extend(parts)
        if self._timer is None:
            self._drip()

    def take_back(self, is_over: Callable[[Part], bool]) -> list[Part]:
        """Those of what waits here that shall not leave any more."""
        found = [part for part in self._parts if is_over(part)]
        if found:
            self._parts = deque(part for part in self._parts if not is_over(part))
        return found

    def _drip(self) -> None:
        self._timer = None
        count = min(len(self._parts), self.pace.free(self._loop.time()))
        if count:
            left = self._leave([self._parts.popleft() for _ in range(count)])
            self.pace.take(left, self._loop.time())
        if self._parts:
            wait = max(0.001, self.pace.wait(self._loop.time()))
            self._timer = self._loop.call_later(wait, self._drip)
