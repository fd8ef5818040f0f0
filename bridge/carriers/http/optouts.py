"""A provider's list of the numbers that opted out with it: its pages are asked for one by one, and
what stands on them comes out. No page is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from hashlib import sha256
from typing import Final

from bridge.carriers.http.carrier import wire
from bridge.carriers.http.listing import ListingProvider
from bridge.carriers.http.provider import Answer, Unreadable, Unsendable, retry_after
from bridge.carriers.http.tickets import Tickets
from bridge.carriers.http.wire import Lost
from bridge.errors import Misconfigured, TryLater
from bridge.model import OptOutPage
from bridge.settings import Carrier as Config

PAUSES: Final = (1.0, 5.0)
"""Seconds before a page is asked for again."""
LONGEST_PAUSE: Final = 60.0
"""Who wants to be left alone for longer is asked another time."""
MOST_PAGES: Final = 100_000

_LATER: Final = "it is read again by itself; `bridge suppress sync` reads it at once"


class HttpOptOutList:
    """The list of an account at a provider, as `bridge.ports.OptOutList`."""

    def __init__(
        self,
        config: Config,
        provider: ListingProvider,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._provider = provider
        self._sleep = sleep

    async def pages(self) -> AsyncGenerator[OptOutPage, None]:
        """The list, page by page. Raises TryLater, Misconfigured."""
        line = wire(self._config)
        tickets = Tickets(self._provider, line)
        page, before = "", b""
        try:
            for count in range(1, MOST_PAGES + 1):
                answer = await self._answer(tickets, page)
                try:
                    found = self._provider.listed(answer, page)
                except Unreadable as why:
                    raise self._broken(f"page {count} cannot be read ({why})") from None
                # Who does not know our way of counting pages gives the first one for ever.
                same = sha256(answer.body).digest()
                if found.page.people and same == before:
                    raise self._broken(f"page {count} is the one before it again")
                yield found.page
                page, before = found.next, same
                if not page:
                    return
            raise self._broken(f"it has more than {MOST_PAGES} pages")
        finally:
            await line.close()

    async def _answer(self, tickets: Tickets, page: str) -> Answer:
        """A good answer, after a few tries."""
        pauses = iter(PAUSES)
        while True:
            pause = next(pauses, None)
            try:
                answer = await tickets.ask(partial(self._provider.list_call, page))
            except Lost as lost:
                why, wanted = str(lost), pause or 0.0
            except Unsendable as no:
                why, wanted = no.outcome.reason, pause or 0.0
            else:
                if 200 <= answer.status < 300:
                    return answer
                why, wanted = self._refused(answer), retry_after(answer, pause or 0.0)
            if pause is None or wanted > LONGEST_PAUSE:
                raise self._broken(why)
            await self._sleep(wanted)

    def _refused(self, answer: Answer) -> str:
        """Why there is no page now. Raises Misconfigured where there never will be one."""
        status = answer.status
        if status == 429:
            return "it is asked more often than the provider allows (HTTP 429)"
        if status >= 500 or status == 408:
            return f"the provider has a fault of its own (HTTP {status})"
        what = "does not let our account read" if status in (401, 403) else "does not show"
        raise Misconfigured(
            f"{self._config.name} {what} its list of opt-outs (HTTP {status})",
            self._provider.list_hint,
        )

    def _broken(self, why: str) -> TryLater:
        return TryLater(f"{self._config.name}'s list of opt-outs: {why}", _LATER)
