"""Questions to Slack come in; answers go out, most of them from memory.

Whoever asks what is being asked waits for that answer. One that is old is given all the same, and
asked for anew: nobody's SMS waits until Slack lets us ask.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

MOST: Final = 5000


class Remembered:
    """Yes or no, by question; `seconds` later it is asked for again."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._known: OrderedDict[Hashable, tuple[float, bool]] = OrderedDict()
        self._asked: dict[Hashable, asyncio.Task[bool]] = {}

    async def __call__(self, key: Hashable, ask: Callable[[], Awaitable[bool]]) -> bool:
        """The answer; raises what `ask` raises, where nothing is known."""
        known = self._known.get(key)
        if known is not None and known[0] > self._clock():
            return known[1]
        asking = self._asking(key, ask)
        return await asyncio.shield(asking) if known is None else known[1]

    async def close(self) -> None:
        """Ask no more."""
        asked = list(self._asked.values())
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    def _asking(self, key: Hashable, ask: Callable[[], Awaitable[bool]]) -> asyncio.Task[bool]:
        if key not in self._asked:
            task = asyncio.ensure_future(self._learnt(key, ask))
            self._asked[key] = task
            task.add_done_callback(_seen)
        return self._asked[key]

    async def _learnt(self, key: Hashable, ask: Callable[[], Awaitable[bool]]) -> bool:
        try:
            answer = await ask()
            self._known[key] = self._clock() + self._seconds, answer
            self._known.move_to_end(key)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
            return answer
        finally:
            del self._asked[key]


def _seen(task: asyncio.Task[bool]) -> None:
    """Its fault is known, or nobody waits for it any more."""
    if not task.cancelled():
        task.exception()
