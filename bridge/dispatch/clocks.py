"""The time that all processes share, and whether somebody has set it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from bridge.store.facts import CLOCK
from bridge.store.store import Store

#: Seconds by which a clock may be corrected without a word.
SMALL: Final = 2.0


#: A leap of so many seconds is believed when it has stood for so many.
LEAP: Final = 60.0
BELIEVED: Final = 300.0


_RUNNING: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def running() -> float:
    """Seconds that only run, also while the machine sleeps where it can tell."""
    return time.clock_gettime(_RUNNING)


class SettledClock:
    """This machine's clock, but for a leap that is taken back: nothing expires by a mistake.

    Until a leap has stood for a while the time goes on as it passes.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, running: Callable[[], float] = running
    ) -> None:
        self._wall = wall
        self._running = running
        self._ahead = wall() - running()
        self._leapt: float | None = None

    def __call__(self) -> float:
        now = self._running()
        ahead = self._wall() - now
        if abs(ahead - self._ahead) < LEAP:
            self._ahead, self._leapt = ahead, None
        elif self._leapt is None:
            self._leapt = now
        elif now - self._leapt >= BELIEVED:
            self._ahead, self._leapt = ahead, None
        return now + self._ahead


class SharedClock:
    """The database's clock, carried on by the time that passes here.

    Leases of one machine are judged on another, so all go by the same clock; and what is done to
    the clock of this machine changes nothing.
    """

    def __init__(self, running: Callable[[], float] = time.monotonic) -> None:
        self._running = running
        self._ahead = time.time() - running()
        self._asked = False

    def __call__(self) -> float:
        return self._running() + self._ahead

    async def ask(self, store: Store) -> None:
        """Set it by the database's. Raises StoreUnavailable.

        An answer that took long says nothing exact: where it was set before it stays as it is.
        """
        began = self._running()
        found = await store.read(CLOCK)
        ended = self._running()
        if ended - began <= SMALL / 2 or not self._asked:
            self._ahead = found[0][0] - (began + ended) / 2
            self._asked = True


class Rarely:
    """What is done once in so many seconds at most, also after a clock was set back."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: float | None = None

    def due(self, now: float) -> bool:
        """Whether it is time; if so, it is again so many seconds from now."""
        if self._last is not None and 0 <= now - self._last < self._seconds:
            return False
        self._last = now
        return True


class Jumps:
    """Tells of a clock that was set while the process ran."""

    def __init__(self) -> None:
        self._ahead: float | None = None

    def since(self, now: float) -> float:
        """Seconds by which the clock that says `now` was set since the last look; 0: it was not."""
        before, self._ahead = self._ahead, now - time.monotonic()
        jump = 0.0 if before is None else self._ahead - before
        return jump if abs(jump) >= SMALL else 0.0
