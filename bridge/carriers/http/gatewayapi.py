"""GatewayAPI (OnlineCity), REST API: parts in, `POST /rest/mtsms` out; delivery statuses, MO in.

Sources: https://gatewayapi.com/docs/apis/rest/, /docs/authentication, /docs/webhooks, and the error
code index of the provider's own documentation files. Read 23 November 2026.

Our reference ("userref") comes back in each status, so receipts name it and nothing hangs on the
answer. There is no key by which a repeated request would be known. The provider keeps at most 40
connections of one address open.

Signed callbacks carry what they say a second time, in a JSON Web Token: only that one is signed, so
it is read, and the body must say the same.
"""

from __future__ import annotations

import binascii
import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, Final

from bridge.carriers.http.provider import (
    Answer,
    Call,
    Callback,
    Heard,
    Provider,
    Unreadable,
    by_status,
    mo,
    refusal,
    retry_after,
    with_json,
    word,
)
from bridge.carriers.http.reading import digits, moment, reference, seconds_left, table
from bridge.model import Outcome, Part, Receipt, State, Verdict

LONGEST_VALIDITY: Final = 7 * 86_400
SIGNATURE: Final = "x-gwapi-signature"

_REJECTED = Verdict.REJECTED
_NOT_SENT = Verdict.NOT_SENT
_THROTTLED = Verdict.THROTTLED

#: Codes of the API, 0x0100 to 0x07FF.
ERRORS: Final[dict[int, tuple[Verdict, str]]] = {
    0x0210: (_NOT_SENT, "the provider does not know our account"),
    0x0211: (_NOT_SENT, "the provider does not take our password"),
    0x0212: (_NOT_SENT, "the provider does not take our address"),
    0x0213: (_NOT_SENT, "our address is not allowed to use this account"),
    0x0214: (_REJECTED, "the provider has seen this text to this number too often"),
    0x0215: (Verdict.FAILED, "the number is on the provider's blacklist"),
    0x0216: (_NOT_SENT, "our account is out of credit"),
    0x0217: (_REJECTED, "our account may not send to this country"),
    0x0218: (_REJECTED, "the provider does not know this class of message"),
    0x021D: (_NOT_SENT, "SMS is not enabled for our account"),
    0x021E: (_REJECTED, "this class of message is not set up for this destination"),
    0x021F: (_REJECTED, "our account may not send to this operator"),
    0x0220: (_REJECTED, "the provider does not take a parameter"),
    0x0221: (_NOT_SENT, "the provider does not take our way to sign"),
    0x0222: (_REJECTED, "the provider misses a parameter"),
    0x0223: (_NOT_SENT, "the provider does not know our key"),
    0x0224: (_NOT_SENT, "the provider does not take our signature"),
    0x0310: (_REJECTED, "the provider finds the number twice in one message"),
    0x0311: (_REJECTED, "the provider does not take this priority"),
}
#: The last two digits mean the same wherever an error comes from, up to 0F.
GENERAL: Final[dict[int, tuple[Verdict, str]]] = {
    0x03: (_REJECTED, "the provider does not permit it"),
    0x05: (_THROTTLED, "the provider is shutting down"),
    0x06: (_THROTTLED, "the provider is short of resources"),
    0x07: (_NOT_SENT, "the provider does not permit it to our account"),
    0x08: (_REJECTED, "the provider finds an argument wrong"),
    0x09: (_THROTTLED, "the provider cannot take it for now"),
}

_STRANGE: Final = "the network does not know this number"
_NO_SMS: Final = "this number takes no SMS"
_AWAY: Final = "the phone could not be reached"
_FULL: Final = "the phone's memory is full"
_BARRED: Final = "the network bars this number"
_FILTERED: Final = "the network filtered this message"
_SENDER: Final = "the network does not take this originator"
_BUSY: Final = "the network was too busy"

#: Codes of a status, 0x1010 to 0x1094: those that tell a person something.
FAILURES: Final = {
    **dict.fromkeys((0x1010, 0x1020, 0x1040, 0x1060), _STRANGE),
    **dict.fromkeys((0x1012, 0x1014, 0x1024, 0x102C, 0x1041), _NO_SMS),
    **dict.fromkeys((0x1013, 0x1019, 0x1021, 0x1022), _AWAY),
    **dict.fromkeys((0x1018, 0x102A), _FULL),
    **dict.fromkeys((0x1011, 0x1025, 0x1026, 0x1031, 0x1034, 0x103C, 0x1084, 0x1093), _BARRED),
    **dict.fromkeys((0x1030, 0x1035), _FILTERED),
    **dict.fromkeys((0x1033, 0x1065), _SENDER),
    **dict.fromkeys((0x1047, 0x1080), _BUSY),
    0x1023: "the phone was busy",
    0x1037: "a limit of the network is reached",
    0x1091: "the network did not answer in time",
    0x1092: "the person's credit is used up",
}

STATES: Final = {
    "UNKNOWN": State.SENT,  # "messages start here"
    "SCHEDULED": State.SENT,
    "BUFFERED": State.SENT,
    "ENROUTE": State.SENT,
    "ACCEPTED": State.SENT,  # by the network, on the person's behalf: no handset has confirmed
    "DELIVERED": State.DELIVERED,
    "EXPIRED": State.EXPIRED,
    "DELETED": State.FAILED,
    "UNDELIVERABLE": State.FAILED,
    "REJECTED": State.FAILED,
    "SKIPPED": State.FAILED,
}


class GatewayApi(Provider):
    """An account: `key` is its API token, `signing_secret` the token of its webhook."""

    api_url = "https://gatewayapi.com"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.config.key.get_secret_value()}"}

    @property
    def _secret(self) -> bytes:
        return self.config.signing_secret.get_secret_value().encode()

    @property
    def signed(self) -> bool:
        """Where the webhook was given an authentication token."""
        return bool(self._secret)

    def request(self, part: Part, now: float, _token: str) -> Call:
        """One message to one recipient; the provider is told the alphabet that was counted with."""
        message: dict[str, Any] = {
            "message": part.text,
            "recipients": [{"msisdn": int(digits(part.destination))}],
            "encoding": "UCS2" if part.encoding == "ucs2" else "UTF8",
            "userref": reference(part),
        }
        if sender := self.sender(part):
            message["sender"] = sender.removeprefix("+")
        if valid := seconds_left(part, now, longest=LONGEST_VALIDITY):
            message["validity_period"] = valid
        # Only a webhook that is set up there has a token; it is used where no address is named.
        if self.config.receipts and not self.signed and (url := self.url("receipt")):
            message["callback_url"] = url
        return with_json("POST", f"{self.base}/rest/mtsms", message, **self._headers)

    def outcome(self, answer: Answer) -> Outcome:
        """By the ids of a 200, by the code of an error, else by the status of HTTP."""
        fields = answer.fields()
        if answer.status == 200:
            if isinstance(fields.get("ids"), list) and fields["ids"]:
                return Outcome(Verdict.ACCEPTED)
            return Outcome(Verdict.UNKNOWN, reason="the provider's answer names no id")
        code = word(fields.get("code"), 12)
        known = _meaning(code)
        if known is None:
            if answer.status == 422:
                return refusal(_REJECTED, "the provider cannot read the request", "HTTP 422")
            return by_status(answer)
        verdict, said = known
        return refusal(verdict, said, code, retry_after(answer) if verdict is _THROTTLED else 0.0)

    def known_as(self, part: Part) -> str:
        """Statuses bring the userref back."""
        return reference(part)

    def probe(self, _token: str) -> Call:
        """The account and its credit."""
        return Call("GET", f"{self.base}/rest/me", self._headers)

    def genuine(self, callback: Callback) -> bool:
        """Whether the token is signed with the webhook's secret, and says what the body says."""
        claims = self._claims(callback) if self._secret else None
        try:
            said = callback.fields()
        except Unreadable:
            return False
        return claims is not None and all(claims.get(name) == said[name] for name in said)

    def heard(self, callback: Callback) -> Heard:
        """One status, or one MO."""
        fields = self._claims(callback) if self._secret else callback.fields()
        if fields is None:
            raise Unreadable("no token")
        if callback.what == "inbound":
            if "message" not in fields:
                raise Unreadable("no message")
            return Heard(
                inbound=[
                    mo(
                        fields.get("msisdn"),
                        fields.get("receiver"),
                        fields["message"],
                        fields.get("id"),
                    )
                ]
            )
        return Heard(receipts=[_receipt(fields)])

    def _claims(self, callback: Callback) -> Mapping[str, Any] | None:
        """What the token says, where it is genuine (RFC 7515, RFC 7519; HS256 and nothing else)."""
        head, _, rest = callback.headers.get(SIGNATURE, "").partition(".")
        content, _, signature = rest.partition(".")
        try:
            ours = hmac.digest(self._secret, f"{head}.{content}".encode(), "sha256")
            if not hmac.compare_digest(ours, _unpacked(signature)):
                return None
            header, claims = json.loads(_unpacked(head)), json.loads(_unpacked(content))
        except (ValueError, RecursionError, binascii.Error):
            return None
        return claims if table(header).get("alg") == "HS256" and isinstance(claims, dict) else None


def _unpacked(text: str) -> bytes:
    """Base64 for URLs, its padding left out (RFC 7515, 2). Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _meaning(code: str) -> tuple[Verdict, str] | None:
    """What a code such as 0x0213 says; None for one that is not documented."""
    number = _number(code)
    return ERRORS.get(number) or GENERAL.get(number & 0xFF)


def _number(code: str) -> int:
    """A code such as 0x0213; 0 for none."""
    try:
        return int(code, 16)
    except ValueError:
        return 0


def _receipt(fields: Mapping[str, Any]) -> Receipt:
    said = word(fields.get("status"), 40)
    state, name = STATES.get(said), word(fields.get("userref"))
    if state is None or not name:
        raise Unreadable("no status, or none of a message of ours")
    code = word(fields.get("code"), 12)
    reason = "" if state is State.DELIVERED else " ".join(w for w in (said, code) if w)
    if reason and (told := FAILURES.get(_number(code))):
        reason = f"{told} ({reason})"
    return Receipt(name, state, reason, moment(fields.get("time")))
