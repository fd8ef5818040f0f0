"""The Protocols at the borders of the house: what a carrier and a notifier must be able to do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

from bridge.model import Erased, Inbound, OptOutPage, Outcome, Part, Receipt

Done = Callable[[Part, Outcome], None]


class Inbox(Protocol):
    """Where a carrier puts what comes from the network. Returning means: it is on disk."""

    async def receipt(self, carrier: str, receipt: Receipt) -> None:
        """Store a receipt; the carrier may acknowledge it once this returns."""

    async def inbound(self, carrier: str, part: Inbound) -> None:
        """Store an MO part, and act on a STOP; acknowledge once this returns.

        Raises TryLater when it could not be stored: the carrier then refuses it for now.
        """

    async def opted_out(self, carrier: str, number: str) -> None:
        """A person has opted out with the carrier itself; `number` as the carrier writes it.

        Raises TryLater as `inbound` does.
        """


class Carrier(Protocol):
    """Whoever accepts our MT. One instance is one account (for SMPP: one bind).

    `send` must not block: it writes what it was given and returns; `done` is called once for each
    part, in the event loop's thread, never from within `send` itself. It is called once more, with
    `late`, when a part is taken after all that was told as unknown.
    """

    name: str
    whole: bool
    """A long text is handed over in one part: this carrier cuts and joins it."""

    async def open(self, inbox: Inbox, on_room: Callable[[], None]) -> None:
        """Start keeping the bind up, for as long as `close` has not been called.

        Returns without waiting for the first bind. `on_room` is called whenever `room` may have
        grown from zero: bound again, or answers came in.
        """

    async def close(self) -> None:
        """Stop sending, wait for answers that are still due (a few seconds), unbind."""

    @property
    def room(self) -> int:
        """Parts that may leave right now: 0 while unbound or with a full window."""

    @property
    def up(self) -> bool:
        """Whether the bind stands (for HTTP: whether the provider takes our account)."""

    def send(self, parts: Sequence[Part], done: Done) -> None:
        """Hand over parts, at most `room` of them, to leave in this order."""

    def withdraw(self, message: int) -> None:
        """A STOP: parts of this message that are not written yet stay here, told as not sent.

        Nothing to do for a carrier that writes what it is handed at once.
        """


class OptOutList(Protocol):
    """A carrier's own list of people who opted out with it, where it lets us read one.

    Apart from `Carrier`: the process that reads it need not have the bind.
    """

    def pages(self) -> AsyncGenerator[OptOutPage, None]:
        """The list from its beginning, a page at a time; it ends when all of it was read.

        Raises TryLater where it breaks off, and Misconfigured where the carrier does not let us
        read it: what came until then holds all the same.
        """


class Eraser(Protocol):
    """A carrier's records of single SMS, where it lets us erase them (PRIVACY P68).

    Apart from `Carrier`: the process that asks need not have the bind.
    """

    async def erase(self, carrier_id: str, *, inbound: bool) -> Erased:
        """Ask to erase the record of an SMS by the carrier's own id; `inbound`: it is an MO.

        Never raises for what the carrier answers, nor where it does not answer.
        """

    async def close(self) -> None:
        """Drop the connections."""
