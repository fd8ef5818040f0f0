"""Sinch, SMS REST API: parts in, `POST /xms/v1/{plan}/batches` out; delivery reports, MO in.

Sources: https://developers.sinch.com/docs/sms/api-reference/ (batches, delivery reports, inbounds,
webhooks, status codes) and its text in the provider's public documentation files; the schemas
`TextRequest` and `RecipientDeliveryReport` of the provider's own SDKs. Read 23 November 2026.

Our reference travels with the batch and comes back in each report, so receipts name it and nothing
hangs on the answer. There is no key by which a repeated request would be known.

Sinch takes `${name}` in a text for a parameter of its own, and fails the message where it has no
value: such a text is left to the next carrier.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from bridge.carriers.http.provider import (
    Answer,
    Call,
    Callback,
    Heard,
    Provider,
    Unreadable,
    Unsendable,
    by_status,
    mo,
    refusal,
    retry_after,
    whole_number,
    with_json,
    word,
)
from bridge.carriers.http.reading import digits, iso, moment, reference
from bridge.model import Outcome, Part, Receipt, State, Verdict

LONGEST_VALIDITY: Final = 3 * 86_400
"""Seconds; "default and max is 3 days"."""

_PARAMETER: Final = re.compile(r"\$\{[A-Za-z0-9._-]{1,16}\}")
_EXPIRED_INSIDE: Final = 406

#: Words of a report, in small letters: the documentation writes Delivered, the SDKs DELIVERED.
STATES: Final = {
    "queued": State.SENT,
    "dispatched": State.SENT,
    "delivered": State.DELIVERED,
    "aborted": State.FAILED,
    "cancelled": State.FAILED,
    "rejected": State.FAILED,
    "deleted": State.FAILED,
    "failed": State.FAILED,
    "expired": State.EXPIRED,
    "unknown": State.UNKNOWN,
}

#: What codes of a report mean; 414 and more are of MMS.
FAILURES: Final = {
    402: "the operator finds no way to this number",
    403: "the provider met an error that it does not know",
    404: "it could not be delivered for now",
    405: "the provider took a part of the text for a parameter of its own",
    _EXPIRED_INSIDE: "its validity ended at the provider",
    407: "it was cancelled at the provider",
    408: "the operator refused it",
    410: "the provider has no originator for this number",
    411: "the text has more parts than the provider takes",
    412: "our account may not send to this region",
    413: "our account is blocked, or out of credit",
}
_DELETED: Final = "the operator deleted it: the number is none, or the person has opted out"

#: What HTTP statuses mean by the provider's own words; 500 says "the request was not processed".
REFUSED: Final[dict[int, tuple[Verdict, str]]] = {
    400: (Verdict.REJECTED, "the provider cannot read the request"),
    401: (Verdict.NOT_SENT, "the provider does not take our token for this service plan"),
    403: (Verdict.REJECTED, "the provider will not do this"),
    404: (Verdict.NOT_SENT, "the provider knows no such service plan"),
    500: (Verdict.THROTTLED, "the provider has a fault of its own, and took nothing"),
    503: (Verdict.THROTTLED, "the provider cannot take it for now"),
}


class Sinch(Provider):
    """A service plan at Sinch: `account` is its id, `key` its API token.

    With `signing_secret` callbacks must bear its signature.
    """

    api_url = "https://us.sms.api.sinch.com"

    @property
    def _batches(self) -> str:
        return f"{self.base}/xms/v1/{quote(self.config.account, safe='')}/batches"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.config.key.get_secret_value()}"}

    @property
    def _secret(self) -> bytes:
        return self.config.signing_secret.get_secret_value().encode()

    @property
    def signed(self) -> bool:
        """Signing is switched on for an account by its manager at Sinch."""
        return bool(self._secret)

    def request(self, part: Part, now: float, _token: str) -> Call:
        """A batch of one. Raises Unsendable."""
        if _PARAMETER.search(part.text):
            raise Unsendable(Verdict.REJECTED, "the provider takes ${…} for a parameter of its own")
        batch: dict[str, Any] = {
            "type": "mt_text",
            "to": [digits(part.destination)],
            "body": part.text,
            "client_reference": reference(part),
        }
        if sender := self.sender(part):
            batch["from"] = sender.removeprefix("+")
        if part.expires_at is not None:
            batch["expire_at"] = iso(min(part.expires_at, now + LONGEST_VALIDITY))
        if self.config.receipts and (url := self.url("receipt")):
            batch["delivery_report"] = "per_recipient_final"
            batch["callback_url"] = url
        return with_json("POST", self._batches, batch, **self._headers)

    def outcome(self, answer: Answer) -> Outcome:
        """By the status of HTTP, and the provider's code beside it."""
        status = answer.status
        if 200 <= status < 300:
            if word(answer.fields().get("id")):
                return Outcome(Verdict.ACCEPTED)
            return Outcome(Verdict.UNKNOWN, reason="the provider's answer names no batch")
        if status not in REFUSED:
            return by_status(answer)
        verdict, said = REFUSED[status]
        code = word(answer.fields().get("code"), 60) or f"HTTP {status}"
        pause = retry_after(answer) if verdict is Verdict.THROTTLED else 0.0
        return refusal(verdict, said, code, pause)

    def known_as(self, part: Part) -> str:
        """Reports bring the reference back."""
        return reference(part)

    def probe(self, _token: str) -> Call:
        """The newest batch."""
        return Call("GET", f"{self._batches}?page_size=1", self._headers)

    def genuine(self, callback: Callback) -> bool:
        """Base64 of HMAC-SHA256 over body, nonce and timestamp with points between."""
        given = callback.headers.get("x-sinch-webhook-signature", "")
        nonce = callback.headers.get("x-sinch-webhook-signature-nonce", "")
        stamp = callback.headers.get("x-sinch-webhook-signature-timestamp", "")
        signed = b".".join((callback.body, _octets(nonce), _octets(stamp)))
        ours = b64encode(hmac.digest(self._secret, signed, "sha256"))
        return bool(self._secret) and hmac.compare_digest(ours, _octets(given))

    def heard(self, callback: Callback) -> Heard:
        """One report about one recipient, or one MO; other kinds of report say nothing new."""
        fields = callback.fields()
        kind = word(fields.get("type"))
        if kind == "recipient_delivery_report_sms":
            return Heard(receipts=[_receipt(fields)])
        if kind == "mo_text":
            return Heard(
                inbound=[
                    mo(fields.get("from"), fields.get("to"), fields.get("body"), fields.get("id"))
                ]
            )
        if not kind:
            raise Unreadable("no type")
        return Heard()


def _octets(header: str) -> bytes:
    return header.encode("utf-8", "replace")


def _receipt(fields: Mapping[str, Any]) -> Receipt:
    state = STATES.get(word(fields.get("status")).lower())
    name = word(fields.get("client_reference")) or word(fields.get("batch_id"))
    if state is None or not name:
        raise Unreadable("no status, or none that is documented")
    code = word(fields.get("code"), 9)
    if code == str(_EXPIRED_INSIDE):
        state = State.EXPIRED
    said = word(fields.get("status"), 40)
    told = _DELETED if said.lower() == "deleted" else FAILURES.get(whole_number(code), "")
    reason = f"{told or said} ({f'{said} {code}' if told else code})"
    if state is State.DELIVERED:
        reason = ""
    at = fields.get("operator_status_at") or fields.get("at")
    return Receipt(name, state, reason, moment(at))
