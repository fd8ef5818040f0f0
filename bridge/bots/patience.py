"""How often a stranger is answered: an identity comes in, yes or no goes out."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

ANSWERS: Final = 5
SECONDS: Final = 600.0
_MOST: Final = 10_000


class Patience:
    """A few answers an identity and a while; then silence."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._given: OrderedDict[str, deque[float]] = OrderedDict()

    def __call__(self, identity: str) -> bool:
        """Whether this one is to be answered (again)."""
        now = self._clock()
        given = self._given.setdefault(identity, deque())
        self._given.move_to_end(identity)
        if len(self._given) > _MOST:
            self._given.popitem(last=False)
        while given and given[0] < now - SECONDS:
            given.popleft()
        if len(given) >= ANSWERS:
            return False
        given.append(now)
        return True
