"""What a mail session asks of the house: sender, recipients, content and logins in; answers out."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class Session:
    """One client's connection as the door sees it.

    `peer` is an IP address without zone (a unix socket counts as 127.0.0.1), an IPv4-mapped IPv6
    address is written as IPv4. `login` is the user proved by AUTH, kept for all mails of the
    connection and forgotten at STARTTLS. `helo` is what the client calls itself.
    """

    peer: str
    login: str | None = None
    tls: bool = False
    helo: str = ""
    lmtp: bool = False


@dataclass(slots=True)
class Reply:
    """An SMTP reply: code (RFC 5321), status (RFC 3463, `x.y.z`) and one sentence for a person."""

    code: int
    status: str
    sentence: str


class Refusal(Exception):
    """A no at MAIL or RCPT; a `code` below 500 means: not now."""

    def __init__(self, code: int, status: str, sentence: str) -> None:
        super().__init__(f"{code} {status}")
        self.code = code
        self.status = status
        self.sentence = sentence


class Door(Protocol):
    """Decides about senders, recipients, mails and logins; the session only speaks for it.

    TryLater becomes a 451 with its own status and sentence, whatever else a method raises
    `451 4.3.0`: the client keeps the mail and comes again.
    """

    def mail(self, session: Session, sender: str) -> object:
        """MAIL FROM: `sender` is "" for the null sender. The transaction's own state comes back.

        Raises Refusal.
        """

    def recipient(
        self,
        session: Session,
        transaction: object,
        address: str,
    ) -> object | Awaitable[object]:
        """RCPT TO: the recipient's own state comes back, at once or awaited. Raises Refusal.

        `address` may lack a domain; a local part keeps its quotes only where it needs them.
        """

    async def data(
        self,
        session: Session,
        transaction: object,
        sender: str,
        recipients: list[object],
        content: bytes,
    ) -> list[Reply]:
        """Take a mail: one reply a recipient, in their order. 250 means: it is on disk.

        Runs to its end even when the client has left, who may then send the same mail again.
        """

    async def login(self, session: Session, user: str, password: str) -> bool:
        """True when the password is right. TryLater or a fault is answered with 454."""
