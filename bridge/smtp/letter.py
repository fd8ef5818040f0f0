"""From whom, to whom, below which mail: comes in; a mail with these headers, but no body, goes out.

Text for a header stays inside that header, ids are never folded into something else, and the same
input gives the same octets. All is ASCII (RFC 2047, quoted-printable), except in a mail to or from
an address beyond ASCII, which needs SMTPUTF8 anyway.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy, Policy
from email.utils import format_datetime
from typing import Any

from bridge.errors import Refused

_SUBJECT_LIMIT = 200
_REFERENCES_LIMIT = 900

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_PLAIN_ADDRESS = re.compile(r"""([^\s\x00-\x1f\x7f"(),:;<>@\[\]\\]+)@([\w.-]+)""")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class _Ids(UnstructuredHeader, BaseHeader):
    """Message-ids, one a line: the library's folding would encode a long one (RFC 2047 5 (3))."""

    def fold(self, *, policy: Policy[Any]) -> str:
        return f"{self.name}: {f'{policy.linesep} '.join(str(self).split())}{policy.linesep}"


def _policy() -> EmailPolicy[EmailMessage]:
    registry = HeaderRegistry()
    for name in ("message-id", "in-reply-to", "references"):
        registry.map_to_type(name, _Ids)
    return SMTP.clone(header_factory=registry, cte_type="7bit")


LETTERS = _policy()


@dataclass(frozen=True, slots=True)
class Thread:
    """What a mail must name to appear below the one it answers: as that one's headers had it."""

    message_id: str = ""
    references: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """The outside of a mail: from whom, to whom, when, below which.

    `sender` is the address that an answer goes to, `name` what stands beside it (a contact's name
    or a number); `message_id` comes from `message_id()`, `at` is Unix time in seconds.
    """

    to: str
    sender: str
    name: str
    message_id: str
    at: float
    thread: Thread = field(default_factory=Thread)


def message_id(kind: str, number: int, at: float, domain: str) -> str:
    """The Message-ID of a notice: always the same for the same stored row.

    `at` is when the row was stored: numbers alone come again after a database is made anew, and
    mail systems drop what they take for a repetition.
    """
    return f"<{kind}.{number}.{round(at * 1000):x}@{domain}>"


def outside(letter: Letter, kind: str, subject: str) -> EmailMessage:
    """A mail with its headers and no body yet. Raises Refused for what is no address."""
    ascii_only = (letter.to + letter.sender).isascii()
    mail = EmailMessage(LETTERS if ascii_only else LETTERS.clone(utf8=True))
    mail["From"] = _address(letter.sender, letter.name)
    mail["To"] = _address(letter.to)
    mail["Subject"] = one_line(subject)[:_SUBJECT_LIMIT]
    mail["Date"] = date(letter.at)
    mail["Message-ID"] = letter.message_id
    if answered := _MESSAGE_ID.findall(letter.thread.message_id)[:1]:
        mail["In-Reply-To"] = answered[0]
        mail["References"] = _references(letter.thread.references, answered[0])
    mail["X-SMS-Bridge"] = kind
    return mail


def set_text(mail: EmailMessage, text: str) -> None:
    """Give a mail or a part its text, in UTF-8; line ends become those of a mail."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    mail.set_content(clean + "\n", cte="quoted-printable")


def one_line(text: str) -> str:
    """Text for a header: on one line, without control characters."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def _references(earlier: str, answered: str) -> str:
    """RFC 5322 3.6.4: what the mail referred to, and the mail; the middle goes when too long."""
    ids = [each for each in _MESSAGE_ID.findall(earlier) if each != answered]
    while ids and sum(map(len, ids)) > _REFERENCES_LIMIT:
        del ids[1 if len(ids) > 1 else 0]
    return " ".join([*ids, answered])


def _address(address: str, name: str = "") -> Address:
    try:
        if not address.isascii() and (plain := _PLAIN_ADDRESS.fullmatch(address)):
            return Address(one_line(name), *plain.groups())  # its own reader takes ASCII only
        return Address(one_line(name), addr_spec=address)
    except (HeaderParseError, ValueError, IndexError):
        raise Refused(
            "a mail cannot go to or from what is no mail address",
            "correct the address in the configuration",
            status="5.1.3",
        ) from None


def date(at: float) -> str:
    """Unix time as a date of RFC 5322 3.3, in UTC."""
    return format_datetime(datetime.fromtimestamp(int(at), UTC))
