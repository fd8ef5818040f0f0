"""Vonage (Nexmo), its SMS API: an SMS by a form; receipts and MO by its webhooks.

Sources, all read on 2026-11-23: the API description Nexmo/api-specification, definitions/sms.yml
1.2.0 (request, answer, receipt, MO); developer.vonage.com/messaging/sms/guides: troubleshooting-sms
(codes of answers), concatenation-and-encoding, inbound-sms; /opt-out-assist/guides/
messaging-opted-out-numbers; /getting-started/concepts/signing-messages (its `sig`). Erasing is its
Redact API: definitions/redact.yml, developer.vonage.com/redact/overview and /api-errors/redact.

There is no idempotency key: a request without an answer is a doubt. A long text is one request, and
its answer names an id for each part that Vonage cut.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from bridge.carriers.http.erasing import ErasingProvider
from bridge.carriers.http.erasing import by_status as erased_by_status
from bridge.carriers.http.provider import (
    Answer,
    Call,
    Callback,
    Heard,
    Unreadable,
    Unsendable,
    basic,
    by_status,
    form,
    mo,
    refusal,
    retry_after,
    whole_number,
    with_json,
    word,
)
from bridge.model import Erased, Fate, Outcome, Part, Receipt, State, Verdict

_TTL: Final = (20_000, 604_800_000)  # milliseconds, the least and the most
_LONGEST_CALLBACK: Final = 100  # characters
_OPTED_OUT: Final = 9

_NUMBER: Final = Verdict.FAILED
_HERE: Final = Verdict.REJECTED
_ACCOUNT: Final = Verdict.NOT_SENT

#: `status` of a message in the answer; 0 is taken.
ERRORS: Final[dict[int, tuple[Verdict, str]]] = {
    1: (Verdict.THROTTLED, "we send faster than Vonage allows"),
    2: (_HERE, "Vonage misses a parameter"),
    3: (_HERE, "Vonage does not take a parameter"),
    4: (_ACCOUNT, "Vonage refuses our credentials"),
    5: (Verdict.UNKNOWN, "Vonage has a fault of its own"),
    6: (_NUMBER, "Vonage cannot send to this number"),
    7: (_NUMBER, "Vonage may not send to this number"),
    8: (_ACCOUNT, "the account at Vonage is suspended"),
    9: (_ACCOUNT, "the account at Vonage has no credit"),
    10: (Verdict.THROTTLED, "too many connections to Vonage at once"),
    11: (_ACCOUNT, "the account at Vonage may not use its SMS API"),
    12: (_HERE, "the text is too long for Vonage"),
    14: (_ACCOUNT, "Vonage wants another signature"),
    15: (_HERE, "Vonage does not take this originator"),
    22: (_HERE, "Vonage does not know this network"),
    23: (_HERE, "Vonage does not take the address for receipts"),
    29: (_HERE, "a trial account at Vonage sends to listed numbers only"),
    32: (_ACCOUNT, "Vonage wants a signature or a secret, not both"),
    33: (_NUMBER, "this number is not in use any more"),
}

#: `status` of a receipt.
STATES: Final = {
    "accepted": State.SENT,
    "buffered": State.SENT,
    "delivered": State.DELIVERED,
    "expired": State.EXPIRED,
    "failed": State.FAILED,
    "rejected": State.FAILED,
    "unknown": State.UNKNOWN,
}
#: `err-code` of a receipt.
FAILURES: Final = {
    1: "the network gives no reason",
    2: "the phone could not be reached",
    3: "the number is not in use any more",
    4: "the person's network bars SMS to them",
    5: "the number has moved to another network, which is not found",
    6: "the network took it for spam",
    7: "the phone was busy",
    8: "the network had a fault",
    _OPTED_OUT: "this person has opted out with Vonage",
    10: "the network does not take the text",
    11: "Vonage has no way to this number",
    12: "there is no way to this number",
    13: "the network sends no such SMS to people of this age",
    14: "the network bars SMS to this number",
    15: "the person's prepaid card is empty",
}


#: Where the Redact API is, and whose hosts have it there.
_REDACTS: Final = "https://api.nexmo.com"
_OWN_HOSTS: Final = ".nexmo.com"
_PREMATURE: Final = 900.0  # seconds; data can be redacted an hour after, not before


class Vonage(ErasingProvider):
    """An account by its API key and secret."""

    api_url = "https://rest.nexmo.com"
    erase_hint: ClassVar[str] = (
        "ask Vonage's support to let the account use the Redact API; or set erase_records = false"
        " and have the records redacted yourself"
    )

    @property
    def signed(self) -> bool:
        """Accounts sign when they are told to; `signing_secret` says that this one does."""
        return bool(self.config.signing_secret.get_secret_value())

    def request(self, part: Part, now: float, _token: str) -> Call:
        """POST /sms/json. Raises Unsendable."""
        sender = self.sender(part).removeprefix("+")
        if not sender:
            raise Unsendable(_HERE, "Vonage needs an originator")
        fields = {
            "api_key": self.config.key.get_secret_value(),
            "api_secret": self.config.secret.get_secret_value(),
            "from": sender,
            "to": part.destination.removeprefix("+"),
            "text": part.text,
            "type": "unicode" if part.encoding == "ucs2" else "text",
            "status-report-req": "true" if self.config.receipts else "false",
        }
        if part.expires_at is not None:
            least, most = _TTL
            fields["ttl"] = str(int(min(max((part.expires_at - now) * 1000, least), most)))
        url = self.url("receipt")
        # A longer one is refused, and the SMS with it (error 23); the account has its own webhook.
        if self.config.receipts and 0 < len(url) <= _LONGEST_CALLBACK:
            fields["callback"] = url
        return form("POST", f"{self.base}/sms/json", fields)

    def probe(self, _token: str) -> Call:
        """The account's balance."""
        key, secret = self.config.key, self.config.secret
        return Call(
            "GET",
            f"{self.base}/account/get-balance",
            {"Authorization": basic(key.get_secret_value(), secret.get_secret_value())},
        )

    def outcome(self, answer: Answer) -> Outcome:
        """200, and a status for each part into which Vonage cut the text."""
        if answer.status != 200:
            return by_status(answer)
        told = answer.fields().get("messages")
        parts = [part for part in told if isinstance(part, dict)] if isinstance(told, list) else []
        codes = {word(part.get("status")) for part in parts}
        ids = [word(part.get("message-id")) for part in parts]
        if codes == {"0"} and all(ids):
            return Outcome(Verdict.ACCEPTED, ids[0], also=tuple(ids[1:]))
        refused = codes - {"0"}
        if len(codes) != 1 or not refused:
            return refusal(Verdict.UNKNOWN, "Vonage's answer does not say what it took", "")
        (code,) = refused
        verdict, said = ERRORS.get(whole_number(code), (_HERE, "Vonage refused the SMS"))
        pause = retry_after(answer) if verdict is Verdict.THROTTLED else 0.0
        return refusal(verdict, said, f"Vonage {code}", pause)

    def erase_call(self, carrier_id: str, _token: str, *, inbound: bool) -> Call:
        """POST /v1/redact/transaction, at Vonage's host for it; at `api_url` where that is ours."""
        host = urlsplit(self.base).hostname or ""
        base = _REDACTS if host.endswith(_OWN_HOSTS) else self.base
        key, secret = self.config.key, self.config.secret
        return with_json(
            "POST",
            f"{base}/v1/redact/transaction",
            {"id": carrier_id, "product": "sms", "type": "inbound" if inbound else "outbound"},
            Authorization=basic(key.get_secret_value(), secret.get_secret_value()),
        )

    def erased(self, answer: Answer) -> Erased:
        """204, or a problem (RFC 9457) whose `type` ends in its code."""
        code = word(answer.fields().get("type")).rpartition("#")[2]
        if answer.status == 403 and code == "premature-redaction":
            return Erased(Fate.LATER, "Vonage redacts an hour after the SMS", pause=_PREMATURE)
        if answer.status == 404 and code == "invalid-id":
            return Erased(Fate.GONE)
        if answer.status in (401, 403):
            shown = word(code, 40) or f"HTTP {answer.status}"
            return self.barred(f"Vonage does not let our account redact ({shown})")
        return erased_by_status(answer)

    def genuine(self, callback: Callback) -> bool:
        """`sig` over the sorted fields: a hash of them and the secret, or an HMAC."""
        try:
            said = _fields(callback)
        except Unreadable:
            return False
        given = said.pop("sig", "")
        if not isinstance(given, str) or not all(isinstance(v, str | int) for v in said.values()):
            return False
        secret = self.config.signing_secret.get_secret_value().encode()
        data = "".join(f"&{name}={_plain(said[name])}" for name in sorted(said))
        signed = data.encode("utf-8", "replace")
        method = self.config.signing_method
        if method == "md5hash":
            own = hashlib.md5(signed + secret).hexdigest()  # noqa: S324 - the provider's own way
        else:
            own = hmac.new(secret, signed, method).hexdigest()
        return hmac.compare_digest(given.lower().encode("utf-8", "replace"), own.encode())

    def heard(self, callback: Callback) -> Heard:
        """A receipt, or a part of an MO; as a form, as JSON, or in the query of a GET."""
        said = _fields(callback)
        return _receipt(said) if callback.what == "receipt" else _inbound(said)


def _receipt(said: Mapping[str, Any]) -> Heard:
    number, status = word(said.get("messageId")), word(said.get("status"))
    if not number or not status:
        raise Unreadable("no messageId or status")
    state = STATES.get(status, State.UNKNOWN)
    code = whole_number(said.get("err-code"))
    reason = ""
    if state not in (State.DELIVERED, State.SENT):
        told = FAILURES.get(code, f"Vonage tells {status}")
        reason = refusal(_NUMBER, told, f"Vonage {code}" if code else "").reason
    opted_out = [word(said.get("msisdn"))] if code == _OPTED_OUT and reason else []
    return Heard(receipts=[Receipt(number, state, reason)], opted_out=opted_out)


def _inbound(said: Mapping[str, Any]) -> Heard:
    key = word(said.get("messageId"))
    if not key or not said.get("msisdn"):
        raise Unreadable("no messageId or msisdn")
    if said.get("type") == "binary":
        raise Unreadable("binary: no text")
    place = {}
    if word(said.get("concat")).lower() == "true":
        total, number = (
            whole_number(said.get("concat-total")),
            whole_number(said.get("concat-part")),
        )
        if 1 < total < 256 and 1 <= number <= total:
            ref = whole_number(said.get("concat-ref"))
            place = {"ref": ref, "total": total, "number": number}
    return Heard(
        inbound=[mo(said["msisdn"], said.get("to"), said.get("text"), key, **place)],
    )


def _fields(callback: Callback) -> dict[str, Any]:
    """What was said, in whichever of the three ways the account is set to."""
    if callback.method == "GET":
        return dict(callback.form())
    if callback.headers.get("content-type", "").startswith("application/json"):
        return callback.fields()
    return dict(callback.form())


def _plain(value: object) -> str:
    return str(value).replace("&", "_").replace("=", "_")
