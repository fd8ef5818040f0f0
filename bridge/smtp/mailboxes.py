"""The mailboxes that are the bridge's own: what each does with a mail that anybody may write.

A mailbox takes so many mails an hour; more are somebody's doing, and come again later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from bridge.errors import TryLater
from bridge.smtp.door import Reply

AN_HOUR: Final = 120


class Mailbox(Protocol):
    """One of them."""

    #: Whether a machine may ask for it: a null sender is accepted at RCPT.
    machines: bool

    def is_it(self, local: str, *, domain: bool) -> bool:
        """Whether it has this local part; without a `domain` of ours behind it, as RFC 5321 has it.

        Raises Refused where nobody would read it.
        """

    async def take(self, sender: str, content: bytes) -> Reply:
        """Take a mail; 250 once what follows from it is on disk."""


@dataclass(frozen=True, slots=True)
class Box:
    """A recipient that is a mailbox of ours."""

    address: str
    mailbox: Mailbox


class Measure:
    """Counts what a mailbox has taken lately."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._taken: deque[float] = deque()

    def count(self) -> None:
        """One more. Raises TryLater where it is too many."""
        now = self._clock()
        while self._taken and self._taken[0] < now - 3600:
            self._taken.popleft()
        if len(self._taken) >= AN_HOUR:
            raise TryLater("too many mails to this mailbox lately", "come again in an hour")
        self._taken.append(now)
