"""A provider that wants a token first: its log-in goes out, the token is kept while it is good."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from bridge.carriers.http.provider import Answer, Call, Provider, Ticket, Unsendable
from bridge.carriers.http.wire import Leave, Lost, Wire
from bridge.model import Verdict

#: The share of a token's time after which a new one is fetched.
_OLD: Final = 0.9
#: Seconds of age below which a token that is refused is not fetched anew: it is not its fault.
_NEW: Final = 5.0


class Tickets:
    """One account's token; "" for ever where the provider wants none."""

    def __init__(self, provider: Provider, wire: Wire) -> None:
        self._provider = provider
        self._wire = wire
        self._ticket: Ticket | None = None
        self._since = 0.0
        self._fetching = asyncio.Lock()

    async def token(self) -> str:
        """A token that is good. Raises Unsendable when none is to be had: nothing has left."""
        login = self._provider.login()
        if login is None:
            return ""
        async with self._fetching:  # one log-in for all who wait
            ticket = self._ticket
            if ticket is None or time.monotonic() > self._since + ticket.seconds * _OLD:
                ticket = await self._fetched()
                self._ticket, self._since = ticket, time.monotonic()
            return ticket.token

    async def ask(self, request: Callable[[str], Call], leave: Leave | None = None) -> Answer:
        """The answer to what `request` makes of a token; to a second one where the first was old.

        Raises Unsendable, and Lost as the wire does.
        """
        answer = await self._wire.ask(request(await self.token()), leave)
        if answer.status == 401 and self.drop():
            answer = await self._wire.ask(request(await self.token()), leave)
        return answer

    async def _fetched(self) -> Ticket:
        login = self._provider.login()
        try:
            answer = await self._wire.ask(login) if login is not None else None
        except Lost as lost:
            raise Unsendable(Verdict.NOT_SENT, f"no token from the provider: {lost}") from None
        ticket = self._provider.ticket(answer) if answer is not None else None
        if ticket is None:
            status = answer.status if answer is not None else 0
            raise Unsendable(
                Verdict.NOT_SENT, f"the provider refuses our credentials (HTTP {status})"
            )
        return ticket

    def drop(self) -> bool:
        """The token was refused; True where another one may do."""
        if self._ticket is None or time.monotonic() < self._since + _NEW:
            return False
        self._ticket = None
        return True
