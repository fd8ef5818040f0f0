"""Calls to one workspace come in; they pass at once, or in their order when Slack asks for a pause.

A pause is for one method: Slack limits each by itself, in each workspace. After a 429 the calls of
it pass one by one, so that the next refusal is met by one call and not by all. Posts stand in a
queue of their channel, which Slack limits too (about one a second): a busy one holds up no other.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from bridge.errors import TryLater

#: Seconds that a call may wait for its turn.
PATIENCE: Final = 60.0

T = TypeVar("T")


class Pause(Exception):
    """Slack asks to be left alone for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(slots=True)
class Respite:
    """Until when (the loop's seconds) a method is left alone."""

    until: float = 0.0


class Turnstiles:
    """The way to one workspace: a pause a method, a queue a method and channel."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._respites: defaultdict[str, Respite] = defaultdict(Respite)
        # Each is kept by those who stand in it; an empty one holds nothing worth keeping.
        self._gates: WeakValueDictionary[tuple[str, str], Turnstile] = WeakValueDictionary()

    async def through(
        self, method: str, attempt: Callable[[], Awaitable[T]], channel: str = ""
    ) -> T:
        """What `attempt` answers; it raises Pause where it is to be made again. Raises TryLater."""
        gate = self._gates.get((method, channel))
        if gate is None:
            gate = Turnstile(self._respites[method], self._patience)
            self._gates[method, channel] = gate
        return await gate.through(attempt)


class Turnstile:
    """One queue before a method; `respite` may be shared with others."""

    def __init__(self, respite: Respite, patience: float = PATIENCE) -> None:
        self._respite = respite
        self._patience = patience
        self._tickets = itertools.count(1)
        self._queue: list[tuple[int, asyncio.Future[None]]] = []
        self._inside = 0  # the ticket of the one who was let in from the queue
        self._timer: asyncio.TimerHandle | None = None

    async def through(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What `attempt` answers; it raises Pause where it is to be made again. Raises TryLater."""
        ticket = next(self._tickets)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while True:
            await self._turn(ticket, deadline)
            try:
                return await attempt()
            except Pause as pause:
                until = loop.time() + pause.seconds
                self._respite.until = max(self._respite.until, until)
            finally:
                self._leave(ticket)

    async def _turn(self, ticket: int, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        if not (self._queue or self._inside) and loop.time() >= self._respite.until:
            return
        place = loop.create_future()
        heapq.heappush(self._queue, (ticket, place))
        self._admit()
        try:
            async with asyncio.timeout_at(deadline):
                await place
        except TimeoutError:
            self._leave(ticket)
            raise TryLater("Slack asks us to wait", "it is tried again by itself") from None
        except BaseException:
            self._leave(ticket)
            raise

    def _leave(self, ticket: int) -> None:
        if self._inside == ticket:
            self._inside = 0
            self._admit()

    def _admit(self) -> None:
        """Let the first in, if nobody is inside and the pause is over."""
        loop = asyncio.get_running_loop()
        while self._queue and not self._inside:
            wait = self._respite.until - loop.time()
            if wait > 0:
                self._timer = self._timer or loop.call_later(wait, self._over)
                return
            ticket, place = heapq.heappop(self._queue)
            if not place.done():  # else whoever waited has gone
                self._inside = ticket
                place.set_result(None)

    def _over(self) -> None:
        self._timer = None
        self._admit()
