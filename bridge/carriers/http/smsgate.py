"""SMSGate: SMS by an Android phone with the app capcom6/android-sms-gateway, and its webhooks.

Sources, read on 2026-11-23: docs.sms-gate.app, features/sending-messages, features/webhooks,
features/status-tracking, features/multi-device, getting-started/local-server, faq/general,
blog/2026-05-06 (503), blog/2026-02-17 (sender, recipient); handlers/messages/3rdparty.go of the
server (400, 409) and MessagesService.kt of the app (the words for what failed).

`api_url` is that of the cloud or a private server, which ends in /3rdparty/v1, or the phone's own
in our network. The id of a message is ours: the same id again is the same SMS. The phone cuts a
long text and tells of each part that was delivered; we take the first for all, as its status does.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from bridge.carriers.http.provider import (
    Answer,
    Call,
    Callback,
    Doors,
    Heard,
    Provider,
    Unreadable,
    basic,
    by_status,
    mo,
    refusal,
    with_json,
    word,
)
from bridge.model import Outcome, Part, Receipt, State, Verdict
from bridge.settings import Carrier as Config
from bridge.store.ids import show

_SERVER: Final = "/3rdparty/v1"
#: A server hands a message to no phone that it has not seen for so long.
_AWAY: Final = timedelta(hours=1)
_SHORTEST: Final = 5  # seconds of `ttl`
#: From 100 on the limits that the phone's owner has set would not hold.
_URGENT: Final = 99

STATES: Final = {
    "sms:sent": (State.SENT, "sentAt"),
    "sms:delivered": (State.DELIVERED, "deliveredAt"),
    "sms:failed": (State.FAILED, "failedAt"),
}


class SmsGate(Provider):
    """`account` and `secret` are the app's username and password, `service` a device's id."""

    api_url = "https://api.sms-gate.app/3rdparty/v1"
    idempotent = True

    def __init__(self, config: Config, doors: Doors) -> None:
        super().__init__(config, doors)
        self._server = self.base.endswith(_SERVER)

    def request(self, part: Part, now: float, _token: str) -> Call:
        """POST of the text."""
        fields: dict[str, object] = {
            "id": self.known_as(part),
            "textMessage": {"text": part.text},
            "phoneNumbers": [part.destination],
            "withDeliveryReport": self.config.receipts,
        }
        if part.expires_at is not None:
            fields["ttl"] = max(int(part.expires_at - now), _SHORTEST)
        if part.urgent:
            fields["priority"] = _URGENT
        if self.config.service:
            fields["deviceId"] = self.config.service
        hours = int(_AWAY / timedelta(hours=1))
        path = f"/messages?deviceActiveWithin={hours}" if self._server else "/message"
        return with_json("POST", self.base + path, fields, Authorization=self._basic)

    @property
    def _basic(self) -> str:
        return basic(self.config.account, self.config.secret.get_secret_value())

    def known_as(self, part: Part) -> str:
        """The attempt."""
        return show(part.attempt)

    def outcome(self, answer: Answer) -> Outcome:
        """202: it waits for the phone. 409: it already did."""
        if answer.status in (202, 409):
            return Outcome(Verdict.ACCEPTED)
        code = f"HTTP {answer.status}"
        said = word(answer.fields().get("message"))
        if answer.status == 403:
            return refusal(Verdict.NOT_SENT, "SMSGate refuses our account", code)
        if answer.status == 503:
            return refusal(Verdict.NOT_SENT, "too much waits for the phone", code)
        if answer.status == 400 and "record not found" in said:
            return refusal(Verdict.NOT_SENT, "no phone has been seen for an hour", code)
        return by_status(answer)

    def probe(self, _token: str) -> Call:
        """A server tells of its phones; a phone is asked for a message that it cannot have."""
        path = "/devices" if self._server else "/message/none"
        return Call("GET", self.base + path, {"Authorization": self._basic})

    def probed(self, answer: Answer) -> str:
        """Whether a phone is there, by the server's own clock."""
        if self._server and answer.status == 200:
            return self._missing(answer)
        if not self._server and answer.status == 404:
            return ""
        return super().probed(answer)

    def _missing(self, answer: Answer) -> str:
        devices = answer.json()
        mine = self.config.service
        seen = [
            moment
            for device in (devices if isinstance(devices, list) else ())
            if isinstance(device, dict) and (not mine or device.get("id") == mine)
            if (moment := _moment(device.get("lastSeen")))
        ]
        if not seen:
            return "the account at SMSGate has no such phone" if mine else "it has no phone yet"
        try:
            now = parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError:
            return ""
        if now.replace(tzinfo=now.tzinfo or UTC) - max(seen) > _AWAY:
            return f"the phone has not been seen since {max(seen):%Y-%m-%d %H:%M %Z}"
        return ""

    @property
    def signed(self) -> bool:
        """With the app's signing key."""
        return bool(self.config.signing_secret.get_secret_value())

    def genuine(self, callback: Callback) -> bool:
        """X-Signature: HMAC-SHA256 of the body and X-Timestamp.

        How old that is does not matter: an event that comes again changes nothing.
        """
        stamp = callback.headers.get("x-timestamp", "").encode("utf-8", "replace")
        key = self.config.signing_secret.get_secret_value().encode()
        own = hmac.digest(key, callback.body + stamp, "sha256").hex()
        given = callback.headers.get("x-signature", "").lower()
        return hmac.compare_digest(given.encode("utf-8", "replace"), own.encode())

    def heard(self, callback: Callback) -> Heard:
        """One event; either of our two addresses takes each kind. Others are taken and left."""
        said = callback.fields()
        event, payload = word(said.get("event")), said.get("payload")
        if not event:
            raise Unreadable("no event")
        if event == "sms:received":
            return Heard(inbound=[_mo(_object(payload), word(said.get("id")))])
        if event in STATES:
            return Heard(receipts=[_receipt(event, _object(payload))])
        return Heard()


def _object(payload: object) -> Mapping[str, Any]:
    if not isinstance(payload, dict):
        raise Unreadable("no payload")
    return payload


def _mo(payload: Mapping[str, Any], key: str) -> Any:
    source = payload.get("sender") or payload.get("phoneNumber")
    if not source or "message" not in payload:
        raise Unreadable("an SMS without sender or message")
    return mo(source, payload.get("recipient"), payload["message"], key)


def _receipt(event: str, payload: Mapping[str, Any]) -> Receipt:
    message = word(payload.get("messageId"))
    if not message:
        raise Unreadable("no messageId")
    state, when = STATES[event]
    moment = _moment(payload.get(when))
    at = moment.timestamp() if moment else None
    if state is not State.FAILED:
        return Receipt(message, state, at=at)
    why = word(payload.get("reason"), 120)
    if why == "TTL expired":
        return Receipt(message, State.EXPIRED, "its validity ended on the phone", at)
    # It may name the number, or the operator's message centre by its number.
    shown = re.sub(r"\+?[0-9]{5,}", "…", why)
    return Receipt(message, state, f"the phone tells: {shown}" if shown else "", at)


def _moment(written: object) -> datetime | None:
    """A time with its zone (RFC 3339)."""
    try:
        found = datetime.fromisoformat(word(written))
    except ValueError:
        return None
    return found if found.tzinfo else None
