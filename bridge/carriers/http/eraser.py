"""A provider's records of single SMS: an id comes in, the provider is asked to erase what it has
under it, and what became of that goes out. No id is kept.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from bridge.carriers.http.carrier import wire
from bridge.carriers.http.erasing import ErasingProvider
from bridge.carriers.http.provider import Unsendable
from bridge.carriers.http.tickets import Tickets
from bridge.carriers.http.wire import Lost, Wire
from bridge.model import Erased, Fate
from bridge.settings import Carrier as Config

_NO_WAY: Final = Erased(Fate.REFUSED, "the provider has no way to erase such records")


class HttpEraser:
    """The records of an account at a provider, as `bridge.ports.Eraser`."""

    def __init__(self, config: Config, provider: ErasingProvider) -> None:
        self._config = config
        self._provider = provider
        self._wire: Wire | None = None

    async def erase(self, carrier_id: str, *, inbound: bool) -> Erased:
        """Ask once. Raises Misconfigured for TLS files that cannot be used."""
        if self._wire is None:
            self._wire = wire(self._config)
            self._tickets = Tickets(self._provider, self._wire)
        if not self._provider.reaches(inbound=inbound):
            return _NO_WAY
        request = partial(self._provider.erase_call, carrier_id, inbound=inbound)
        try:
            answer = await self._tickets.ask(request)
        except Lost as lost:
            return Erased(Fate.LATER, str(lost), whole=True)
        except Unsendable as no:
            return Erased(Fate.LATER, no.outcome.reason, whole=True)
        return self._provider.erased(answer)

    async def close(self) -> None:
        """Drop the connections."""
        if self._wire is not None:
            await self._wire.close()
            self._wire = None
