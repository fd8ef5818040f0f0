"""What the writer of a mail must hear comes in; RFC 5322 mails as bytes go out.

Pure: time, ids and addresses are given, so the same notice composed again is the same mail, with
the same Message-ID. All octets are ASCII (RFC 2047, quoted-printable), except in a mail to or
from an address beyond ASCII, which needs SMTPUTF8 anyway. Whatever is given as a header's text
stays inside that header.

| mail        | envelope sender   | Auto-Submitted | why                                           |
| ----------- | ----------------- | -------------- | --------------------------------------------- |
| `answer`    | the reply address | none           | a person wrote it; none means `no` (RFC 3834) |
| `inbox`     | the reply address | none, or auto- | as `answer`; a notice without a person's words|
|             |                   | generated      | is automatic                                  |
| `report`    | null              | auto-replied   | RFC 3464 2, RFC 3834 5                        |
| `explained` | null              | auto-replied   | made by the bridge because a mail came        |

Holiday notices answer people, so an answer asks not to get any (X-Auto-Response-Suppress); those
that come nevertheless never become SMS. `X-SMS-Bridge` marks all of these mails as our own, by
which a loop is seen. Numbers appear as they are given: whoever composes decides whether the
reader may see a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy, Policy
from email.utils import format_datetime
from enum import StrEnum
from typing import Any

from bridge.errors import Refused

FOOTER = "Answer this mail to send an SMS back."

_SUBJECT_LIMIT = 200
_REFERENCES_LIMIT = 900
_ORIGINAL_LIMIT = 16_384

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_PLAIN_ADDRESS = re.compile(r"""([^\s\x00-\x1f\x7f"(),:;<>@\[\]\\]+)@([\w.-]+)""")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class _Ids(UnstructuredHeader, BaseHeader):
    """Message-ids, one a line: the library's folding would encode a long one (RFC 2047 5 (3))."""

    def fold(self, *, policy: Policy[Any]) -> str:
        return f"{self.name}: {f'{policy.linesep} '.join(str(self).split())}{policy.linesep}"


class _OneLine(UnstructuredHeader, BaseHeader):
    """A field of a delivery status: ASCII on one line, for the same reason."""

    def fold(self, *, policy: Policy[Any]) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _policy() -> EmailPolicy[EmailMessage]:
    registry = HeaderRegistry()
    for name in ("message-id", "in-reply-to", "references"):
        registry.map_to_type(name, _Ids)
    return SMTP.clone(header_factory=registry, cte_type="7bit")


_LETTERS = _policy()
_STATUS_FIELDS = SMTP.clone(
    header_factory=HeaderRegistry(default_class=_OneLine, use_default_map=False)
)


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


class Action(StrEnum):
    """What became of an SMS, in the words of RFC 3464 2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"  # handed to a network that gives no receipts


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the SMS to one recipient.

    `recipient` is the address as the writer wrote it, `shown` the number or name in the text;
    `reason` says why and `hint` what to do next, both in plain words; `status` is RFC 3463's.
    """

    recipient: str
    shown: str
    action: Action
    status: str
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a mail would have become: as `bridge explain mail` tells it, and for whom."""

    shown: str
    text: str = ""
    refused: str = ""  # the reason, "" if it would be sent
    encoding: str = ""
    units: tuple[int, ...] = ()  # of each part
    rules: tuple[str, ...] = ()


def message_id(kind: str, number: int, at: float, domain: str) -> str:
    """The Message-ID of a notice: always the same for the same stored row.

    `at` is when the row was stored: numbers alone come again after a database is made anew, and
    mail systems drop what they take for a repetition.
    """
    return f"<{kind}.{number}.{round(at * 1000):x}@{domain}>"


def answer(letter: Letter, text: str, *, footer: str = FOOTER) -> bytes:
    """An SMS that somebody sent, as a mail to the writer of the mail it answers.

    The footer stands below "-- " (RFC 3676 4.3), where mail programs and our own cutting of
    quotes look for it.
    """
    subject = letter.thread.subject
    mail = _mail(letter, "answer", _reply(subject) if _line(subject) else f"SMS from {letter.name}")
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    _set_text(mail, _with_footer(text, footer))
    return _octets(mail)


def inbox(
    letter: Letter, subject: str, text: str, *, note: str = "", automatic: bool = False
) -> bytes:
    """What came from a phone and has no writer to go to: to the tenant's inbox.

    `text` is what the person wrote, `note` says below it why it came here. `automatic` is for
    notices (an opt-out) that nobody needs to answer.
    """
    mail = _mail(letter, "inbox", subject)
    mail["X-Auto-Response-Suppress"] = "All" if automatic else "OOF, AutoReply"
    if automatic:
        mail["Auto-Submitted"] = "auto-generated"
    _set_text(mail, _with_footer(text, note))
    return _octets(mail)


def explained(letter: Letter, explanation: Explanation) -> bytes:
    """The answer to a mail to `explain.…@`: what would be sent, how, and by which rules."""
    mail = _automatic(letter, "explain", _reply(letter.thread.subject or "explain"))
    _set_text(mail, _explained(explanation))
    return _octets(mail)


def report(
    letter: Letter,
    fates: Sequence[Fate],
    *,
    reporting_mta: str,
    arrived: float | None = None,
    original_headers: bytes = b"",
) -> bytes:
    """A delivery status notification (RFC 3464): in words, for programs, and the mail it is about.

    `reporting_mta` is the bridge's host name, `arrived` when the mail came (Unix time).
    """
    title = next(_TITLES[action] for action in _TITLES if action in {fate.action for fate in fates})
    mail = _automatic(letter, "report", f"{title}: {letter.thread.subject or 'your SMS'}")
    mail["Content-Type"] = "multipart/report; report-type=delivery-status"
    words = EmailMessage(_LETTERS)
    _set_text(words, "\n\n".join(map(_in_words, fates)))
    parts = [words, _delivery_status(fates, reporting_mta, arrived)]
    if original_headers:
        headers = EmailMessage(_LETTERS)
        _set_text(headers, original_headers[:_ORIGINAL_LIMIT].decode("utf-8", "replace"))
        headers.replace_header("Content-Type", 'text/rfc822-headers; charset="utf-8"')
        parts.append(headers)
    for part in parts:
        del part["MIME-Version"]
        mail.attach(part)
    return _octets(mail)


# Worst first: it gives the report its title.
_TITLES = {
    Action.FAILED: "Not delivered",
    Action.DELAYED: "Delayed",
    Action.RELAYED: "Sent",
    Action.DELIVERED: "Delivered",
}
_SENTENCES = {
    Action.FAILED: "The SMS to {} was not delivered.",
    Action.DELAYED: "The SMS to {} is not delivered yet. Nothing is lost: it is still being tried.",
    Action.RELAYED: "The SMS to {} was sent. This network does not tell whether it arrived.",
    Action.DELIVERED: "The SMS to {} was delivered.",
}


def _in_words(fate: Fate) -> str:
    lines = [_SENTENCES[fate.action].format(_line(fate.shown))]
    lines += [f"Why: {_line(fate.reason)}"] if fate.reason else []
    lines += [f"What to do: {_line(fate.hint)}"] if fate.hint else []
    return "\n".join(lines)


def _delivery_status(fates: Sequence[Fate], mta: str, arrived: float | None) -> EmailMessage:
    """RFC 3464 2.1: fields about the mail, then a group of fields for each recipient."""
    about = EmailMessage(_STATUS_FIELDS)
    about["Reporting-MTA"] = f"dns; {_ascii(mta)}"
    if arrived is not None:
        about["Arrival-Date"] = _date(arrived)
    status = EmailMessage(_STATUS_FIELDS)
    status["Content-Type"] = "message/delivery-status"
    status.set_payload([about, *map(_recipient_fields, fates)])
    return status


def _recipient_fields(fate: Fate) -> EmailMessage:
    fields = EmailMessage(_STATUS_FIELDS)
    fields["Final-Recipient"] = _typed_address(fate.recipient)
    fields["Action"] = str(fate.action)
    fields["Status"] = fate.status
    if fate.reason:
        fields["Diagnostic-Code"] = f"x-sms; {_ascii(fate.reason)}"
    return fields


def _typed_address(address: str) -> str:
    """An address with its type; beyond ASCII as RFC 6533 3 has it."""
    if address.isascii():
        return f"rfc822; {_line(address)}"
    return "utf-8; " + "".join(c if c.isascii() else f"\\x{{{ord(c):X}}}" for c in _line(address))


def _explained(told: Explanation) -> str:
    lines = ["Nothing was sent. This is what your mail would have become.", ""]
    lines += [f"To: {_line(told.shown)}"]
    if told.refused:
        lines += ["It would be refused: " + _line(told.refused)]
    if told.units:
        parts = f"{len(told.units)} part{'s' if len(told.units) > 1 else ''}"
        lines += [f"Size: {parts} in {told.encoding}, units {' + '.join(map(str, told.units))}"]
    if told.text:
        lines += ["Text:", "", *(f"    {line}" for line in told.text.splitlines()), ""]
    if told.rules:
        lines += ["Rules that shaped it:", *(f"  - {_line(rule)}" for rule in told.rules)]
    return "\n".join(lines)


def _automatic(letter: Letter, kind: str, subject: str) -> EmailMessage:
    mail = _mail(letter, kind, subject)
    mail["Auto-Submitted"] = "auto-replied"
    mail["X-Auto-Response-Suppress"] = "All"
    return mail


def _mail(letter: Letter, kind: str, subject: str) -> EmailMessage:
    """A mail with its headers and no body yet. Raises Refused for what is no address."""
    ascii_only = (letter.to + letter.sender).isascii()
    mail = EmailMessage(_LETTERS if ascii_only else _LETTERS.clone(utf8=True))
    mail["From"] = _address(letter.sender, letter.name)
    mail["To"] = _address(letter.to)
    mail["Subject"] = _line(subject)[:_SUBJECT_LIMIT]
    mail["Date"] = _date(letter.at)
    mail["Message-ID"] = letter.message_id
    if answered := _MESSAGE_ID.findall(letter.thread.message_id)[:1]:
        mail["In-Reply-To"] = answered[0]
        mail["References"] = _references(letter.thread.references, answered[0])
    mail["X-SMS-Bridge"] = kind
    return mail


def _references(earlier: str, answered: str) -> str:
    """RFC 5322 3.6.4: what the mail referred to, and the mail; the middle goes when too long."""
    ids = [each for each in _MESSAGE_ID.findall(earlier) if each != answered]
    while ids and sum(map(len, ids)) > _REFERENCES_LIMIT:
        del ids[1 if len(ids) > 1 else 0]
    return " ".join([*ids, answered])


def _address(address: str, name: str = "") -> Address:
    try:
        if not address.isascii() and (plain := _PLAIN_ADDRESS.fullmatch(address)):
            return Address(_line(name), *plain.groups())  # its own reader takes ASCII only
        return Address(_line(name), addr_spec=address)
    except (HeaderParseError, ValueError, IndexError):
        raise Refused(
            "a mail cannot go to or from what is no mail address",
            "correct the address in the configuration",
            status="5.1.3",
        ) from None


def _reply(subject: str) -> str:
    line = _line(subject)
    return line if line[:3].lower() == "re:" else f"Re: {line}"


def _with_footer(text: str, footer: str) -> str:
    return f"{text}\n\n-- \n{_line(footer)}" if footer else text


def _set_text(mail: EmailMessage, text: str) -> None:
    clean = text.encode("utf-8", "replace").decode("utf-8").rstrip("\r\n")
    mail.set_content(clean + "\n", cte="quoted-printable")


def _octets(mail: EmailMessage) -> bytes:
    return mail.as_bytes()


def _line(text: str) -> str:
    """Text for a header: on one line, without control characters."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def _ascii(text: str) -> str:
    return _line(text).encode("ascii", "replace").decode("ascii")[:500]


def _date(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(at), UTC))
