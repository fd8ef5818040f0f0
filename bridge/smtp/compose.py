"""What the writer of a mail must hear comes in; RFC 5322 mails as bytes go out.

Pure: time, ids and addresses are given, so the same notice composed again is the same mail, with
the same Message-ID.

| mail        | envelope sender   | Auto-Submitted | why                                           |
| ----------- | ----------------- | -------------- | --------------------------------------------- |
| `answer`    | the reply address | none           | a person wrote it; none means `no` (RFC 3834) |
| `inbox`     | the reply address | none, or auto- | as `answer`; a notice without a person's words|
|             |                   | generated      | is automatic                                  |
| `report`    | null              | auto-replied   | RFC 3464 2, RFC 3834 5                        |
| `explained` | null              | auto-replied   | made by the bridge because a mail came        |
| `letter`    | null              | auto-replied   | so is the answer to a request about data      |

Holiday notices answer people, so an answer asks not to get any (X-Auto-Response-Suppress); those
that come nevertheless never become SMS. `X-SMS-Bridge` marks all of these mails as our own, by
which a loop is seen. Numbers appear as they are given: whoever composes decides whether the
reader may see a whole one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from enum import StrEnum
from typing import Any

from bridge.smtp.letter import LETTERS, Letter, date, one_line, outside, set_text

FOOTER = "Answer this mail to send an SMS back."

_ORIGINAL_LIMIT = 16_384
_ADDRESS_LIMIT = 960  # of the 998 of a line (RFC 5322 2.1.1), with the name of its field


class _OneLine(UnstructuredHeader, BaseHeader):
    """A field of a delivery status: ASCII on one line: folding would encode a long one."""

    def fold(self, *, policy: Policy[Any]) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_STATUS_FIELDS = SMTP.clone(
    header_factory=HeaderRegistry(default_class=_OneLine, use_default_map=False)
)


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
    cost: str = ""  # of all parts, with its currency; "" where it is not known
    sender: str = ""  # what the phone shows, and whether answers come back


def answer(letter: Letter, text: str, *, footer: str = FOOTER) -> bytes:
    """An SMS that somebody sent, as a mail to the writer of the mail it answers.

    The footer stands below "-- " (RFC 3676 4.3), where mail programs and our own cutting of
    quotes look for it.
    """
    subject = letter.thread.subject
    mail = outside(
        letter, "answer", _reply(subject) if one_line(subject) else f"SMS from {letter.name}"
    )
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    set_text(mail, _with_footer(text, footer))
    return mail.as_bytes()


def inbox(
    letter: Letter, subject: str, text: str, *, note: str = "", automatic: bool = False
) -> bytes:
    """What came from a phone and has no writer to go to: to the tenant's inbox.

    `text` is what the person wrote, `note` says below it why it came here. `automatic` is for
    notices (an opt-out) that nobody needs to answer.
    """
    mail = outside(letter, "inbox", subject)
    mail["X-Auto-Response-Suppress"] = "All" if automatic else "OOF, AutoReply"
    if automatic:
        mail["Auto-Submitted"] = "auto-generated"
    set_text(mail, _with_footer(text, note))
    return mail.as_bytes()


def explained(letter: Letter, explanation: Explanation) -> bytes:
    """The answer to a mail to `explain.…@`: what would be sent, how, and by which rules."""
    mail = _automatic(letter, "explain", _reply(letter.thread.subject or "explain"))
    set_text(mail, _explained(explanation))
    return mail.as_bytes()


def letter(outside_of: Letter, subject: str, text: str) -> bytes:
    """News of a request about somebody's own data, below their own mail where they wrote one."""
    mail = _automatic(outside_of, "request", subject)
    set_text(mail, text)
    return mail.as_bytes()


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
    mail["MIME-Version"] = "1.0"
    # The library's own boundary is random: the same report would be another mail.
    boundary = hashlib.sha256(letter.message_id.encode()).hexdigest()[:40]
    mail["Content-Type"] = f"multipart/report; report-type=delivery-status; boundary={boundary}"
    words = EmailMessage(LETTERS)
    set_text(words, "\n\n".join(map(_in_words, fates)))
    parts = [words, _delivery_status(fates, reporting_mta, arrived)]
    if original_headers:
        headers = EmailMessage(LETTERS)
        set_text(headers, original_headers[:_ORIGINAL_LIMIT].decode("utf-8", "replace"))
        headers.replace_header("Content-Type", 'text/rfc822-headers; charset="utf-8"')
        parts.append(headers)
    for part in parts:
        del part["MIME-Version"]
        mail.attach(part)
    return mail.as_bytes()


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
    lines = [_SENTENCES[fate.action].format(one_line(fate.shown))]
    lines += [f"Why: {one_line(fate.reason)}"] if fate.reason else []
    lines += [f"What to do: {one_line(fate.hint)}"] if fate.hint else []
    return "\n".join(lines)


def _delivery_status(fates: Sequence[Fate], mta: str, arrived: float | None) -> EmailMessage:
    """RFC 3464 2.1: fields about the mail, then a group of fields for each recipient."""
    about = EmailMessage(_STATUS_FIELDS)
    about["Reporting-MTA"] = f"dns; {_ascii(mta)}"
    if arrived is not None:
        about["Arrival-Date"] = date(arrived)
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
    """An address with its type; beyond ASCII as RFC 6533 3 has it.

    No address that SMTP carries (RFC 5321 4.5.3.1.3) comes near the limit of a line.
    """
    kind = "rfc822" if address.isascii() else "utf-8"
    written = ""
    for sign in one_line(address):
        step = sign if sign.isascii() else f"\\x{{{ord(sign):X}}}"
        if len(written) + len(step) > _ADDRESS_LIMIT:
            break
        written += step
    return f"{kind}; {written}"


def _explained(told: Explanation) -> str:
    lines = ["Nothing was sent. This is what your mail would have become.", ""]
    lines += [f"To: {one_line(told.shown)}"]
    if told.refused:
        lines += ["It would be refused: " + one_line(told.refused)]
    if told.units:
        parts = f"{len(told.units)} part{'s' if len(told.units) > 1 else ''}"
        lines += [f"Size: {parts} in {told.encoding}, units {' + '.join(map(str, told.units))}"]
    if told.sender:
        lines += [f"From: {told.sender}"]
    if told.cost:
        lines += [f"Cost: {told.cost}"]
    if told.text:
        lines += ["Text:", "", *(f"    {line}" for line in told.text.splitlines()), ""]
    if told.rules:
        lines += ["Rules that shaped it:", *(f"  - {one_line(rule)}" for rule in told.rules)]
    return "\n".join(lines)


def _automatic(letter: Letter, kind: str, subject: str) -> EmailMessage:
    mail = outside(letter, kind, subject)
    mail["Auto-Submitted"] = "auto-replied"
    mail["X-Auto-Response-Suppress"] = "All"
    return mail


def _reply(subject: str) -> str:
    said = one_line(subject)
    return said if said[:3].lower() == "re:" else f"Re: {said}"


def _with_footer(text: str, footer: str) -> str:
    words = text.rstrip("\r\n")
    return f"{words}\n\n-- \n{one_line(footer)}" if footer else words


def _ascii(text: str) -> str:
    return one_line(text).encode("ascii", "replace").decode("ascii")[:500]
