"""GoSMS.cz: an SMS by its API with an OAuth2 token; receipts and MO by its webhooks.

Sources, read on 2026-11-23: doc.gosms.cz (token, addresses); the answers that its PHP library
digitalcz/gosms keeps (tests/Dummy/Responses: sent_message, detail_message, replies_message);
napoveda.gosms.cz, "K čemu slouží webhooky?": reported is the detail of a message with the name of
the event and a link, gathered for ten seconds, told three times more after a status of 400 or more.
The names of events and the list around them: Mediaface-full/raseliniste, which quotes doc.gosms.eu.

The originator is the channel's. It signs nothing, has no validity, no choice of encoding and no key
for repeats: a request without an answer is a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from bridge.carriers.http.provider import (
    Answer,
    Call,
    Callback,
    Doors,
    Heard,
    Provider,
    Ticket,
    Unreadable,
    by_status,
    form,
    mo,
    refusal,
    whole_number,
    with_json,
    word,
)
from bridge.errors import Misconfigured
from bridge.model import Inbound, Outcome, Part, Receipt, State, Verdict
from bridge.settings import Carrier as Config

_ID: Final = re.compile(r"/messages/([0-9]{1,30})\b")
_HOUR: Final = 3600.0


class GoSms(Provider):
    """An organisation: `account` is its client_id, `secret` its client_secret, `service` a channel.

    Accounts of app.gosms.eu set `api_url` to that.
    """

    api_url = "https://app.gosms.cz"

    def __init__(self, config: Config, doors: Doors) -> None:
        super().__init__(config, doors)
        if not config.service.isdigit():
            raise Misconfigured(
                f'[[carriers]] "{config.name}" service: a channel of GoSMS is a number',
                "take it from the administration of GoSMS",
            )

    def login(self) -> Call:
        """OAuth2, client credentials (RFC 6749, 4.4)."""
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.config.account,
            "client_secret": self.config.secret.get_secret_value(),
        }
        return form("POST", f"{self.base}/oauth/v2/token", fields)

    def ticket(self, answer: Answer) -> Ticket | None:
        """The token, good for an hour."""
        said = answer.fields()
        token = word(said.get("access_token"), 4000)
        if answer.status != 200 or not token:
            return None
        return Ticket(token, whole_number(said.get("expires_in")) or _HOUR)

    def request(self, part: Part, _now: float, token: str) -> Call:
        """POST of the text to one recipient."""
        fields = {
            "message": part.text,
            "recipients": part.destination,
            "channel": int(self.config.service),
        }
        url = f"{self.base}/api/v1/messages/"
        return with_json("POST", url, fields, Authorization=f"Bearer {token}")

    def outcome(self, answer: Answer) -> Outcome:
        """The link of the message, whose end is its id, and the recipients that are none."""
        said = answer.fields()
        recipients = said.get("recipients")
        if answer.status in (200, 201):
            if isinstance(recipients, dict) and recipients.get("invalid"):
                return Outcome(Verdict.FAILED, reason="GoSMS finds no such number")
            if found := _ID.search(word(said.get("link"))):
                return Outcome(Verdict.ACCEPTED, found[1])
        if answer.status == 403:
            return refusal(Verdict.NOT_SENT, "GoSMS refuses our account", "HTTP 403")
        return by_status(answer)

    def probe(self, token: str) -> Call:
        """The organisation: its credit and channels."""
        return Call("GET", f"{self.base}/api/v1/", {"Authorization": f"Bearer {token}"})

    def probed(self, answer: Answer) -> str:
        """The channel must be one of the organisation's."""
        channels = answer.fields().get("channels")
        if answer.status == 200 and isinstance(channels, list):
            ids = [word(c.get("id")) for c in channels if isinstance(c, dict)]
            if self.config.service not in ids:
                return f"the organisation at GoSMS has no channel {self.config.service}"
        return super().probed(answer)

    def heard(self, callback: Callback) -> Heard:
        """A list of reports; either of our two addresses takes both events."""
        told = callback.json()
        if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
            raise Unreadable("no list of reports")
        receipts: list[Receipt] = []
        inbound: list[Inbound] = []
        for each in told:
            if isinstance(each.get("delivery"), dict):
                receipts += _receipts(each)
            if isinstance(each.get("reply"), dict):
                inbound += _replies(each["reply"])
        return Heard(receipts=receipts, inbound=inbound)


def _receipts(report: Mapping[str, Any]) -> Iterator[Receipt]:
    """One message has one recipient here, whose number is the key of what became of it."""
    links = report.get("links")
    found = _ID.search(
        word(links.get("message") or links.get("self")) if isinstance(links, dict) else ""
    )
    if not found:
        raise Unreadable("a delivery without a link to its message")
    recipients = report["delivery"].get("recipients")
    if not isinstance(recipients, dict):
        raise Unreadable("a delivery without recipients")
    for name, state, reason in (
        ("undelivered", State.FAILED, "GoSMS tells: not delivered"),
        ("delivered", State.DELIVERED, ""),
    ):
        people = recipients.get(name)
        if isinstance(people, dict) and people:
            yield Receipt(found[1], state, reason, _moment(next(iter(people.values()))))


def _replies(reply: Mapping[str, Any]) -> Iterator[Inbound]:
    recipients = reply.get("recipients")
    if not isinstance(recipients, dict):
        raise Unreadable("a reply without recipients")
    for source, texts in recipients.items():
        for text in texts if isinstance(texts, list) else ():
            if not isinstance(text, dict) or "message" not in text:
                raise Unreadable("a reply without a message")
            # A long one may come in its parts.
            total, number = (
                whole_number(text.get("partsCount")),
                whole_number(text.get("partNumber")),
            )
            more = {"ref": whole_number(text.get("messageReferenceNumber"))}
            if 0 < number <= total <= 255:
                more |= {"total": total, "number": number}
            key = word(text.get("id"))
            yield mo(source, text.get("sourceNumber"), text["message"], key, **more)


def _moment(written: object) -> float | None:
    """A time with its zone (ISO 8601) in Unix time."""
    try:
        found = datetime.fromisoformat(word(written))
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else None
