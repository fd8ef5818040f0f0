"""BulkGate: an SMS by its HTTP API; receipts and MO by one callback.

Sources, help.bulkgate.com/docs/en, read on 2026-11-23: http-simple-transactional and -post-json
(request, answer), http-simple-promotional, http-simple-check-credit-balance, api-error-types,
api-request-limits (429), opt-out (the blacklist); for callbacks, a GET for each or a POST of many,
http-low-level-api-delivery-confirmations-and-incoming-sms and
http-api-bulk-delivery-confirmations-and-incoming-sms.

It signs nothing, has no validity and no key for repeats: a request without an answer is a doubt.
The times in its callbacks are not read: their zone is "CET", all the year.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bridge.carriers.http.provider import (
    Answer,
    Call,
    Callback,
    Doors,
    Heard,
    Provider,
    Unreadable,
    Unsendable,
    by_status,
    mo,
    refusal,
    with_json,
    word,
)
from bridge.errors import Misconfigured
from bridge.model import Inbound, Outcome, Part, Receipt, State, Verdict
from bridge.settings import Carrier as Config

_LONGEST: Final = {"gsm7": 612, "ucs2": 268}  # characters of `text`

#: `type` of an error, and `status` of a message among several.
ERRORS: Final = {
    "unknown_identity": (Verdict.NOT_SENT, "BulkGate refuses our credentials"),
    "authentication_failed": (Verdict.NOT_SENT, "BulkGate refuses our credentials"),
    "banned": (Verdict.NOT_SENT, "the account at BulkGate is blocked"),
    "low_credit": (Verdict.NOT_SENT, "the credit at BulkGate is used up"),
    "invalid_numeric_sender": (Verdict.REJECTED, "BulkGate has not verified this originator"),
    "invalid_sender": (Verdict.REJECTED, "BulkGate does not take this originator"),
    "empty_message": (Verdict.FAILED, "there is no text"),
    "invalid_phone_number": (Verdict.FAILED, "BulkGate finds no such number"),
    "invalid_number": (Verdict.FAILED, "BulkGate finds no such number"),
    "blacklisted_number": (Verdict.OPTED_OUT, "this person is on BulkGate's blacklist"),
    "blacklisted": (Verdict.OPTED_OUT, "this person is on BulkGate's blacklist"),
    "unsupported_api_version": (Verdict.NOT_SENT, "BulkGate has changed its API"),
}
_TAKEN: Final = ("accepted", "sent", "scheduled")

#: `status` of a receipt; 10 is an MO, 13 a Viber message that was seen.
STATES: Final = {
    "1": (State.DELIVERED, ""),
    "2": (State.SENT, ""),
    "3": (State.FAILED, "the recipient is unknown or cannot be reached"),
}
_MO: Final = "10"


class BulkGate(Provider):
    """An API of an account: `account` is its application_id, `secret` its application_token.

    `service` is "transactional", or "promotional" for advertisements.
    """

    api_url = "https://portal.bulkgate.com"

    def __init__(self, config: Config, doors: Doors) -> None:
        super().__init__(config, doors)
        self._product = config.service or "transactional"
        if self._product not in ("transactional", "promotional"):
            raise Misconfigured(
                f'[[carriers]] "{config.name}" service: BulkGate has no "{config.service}"',
                'write "transactional", or "promotional" for advertisements',
            )

    def request(self, part: Part, _now: float, _token: str) -> Call:
        """POST of the text. Raises Unsendable for one that is too long."""
        if len(part.text) > _LONGEST[part.encoding]:
            raise Unsendable(Verdict.REJECTED, "the text is too long for BulkGate")
        fields: dict[str, object] = self._account | {
            "number": part.destination.removeprefix("+"),
            "text": part.text,
            "unicode": part.encoding == "ucs2",
            **_sender(self.sender(part)),
        }
        return with_json("POST", f"{self.base}/api/1.0/simple/{self._product}", fields)

    @property
    def _account(self) -> dict[str, object]:
        return {
            "application_id": self.config.account,
            "application_token": self.config.secret.get_secret_value(),
        }

    def outcome(self, answer: Answer) -> Outcome:
        """{"data": {"status": "accepted", "sms_id"}}, or {"type", "code", "error"}.

        The answer of `promotional` has a list of these, here of one.
        """
        said = answer.fields()
        data = _first(said.get("data"))
        status, sms_id = word(data.get("status")), word(data.get("sms_id"))
        if answer.status == 200 and sms_id and status in _TAKEN:
            return Outcome(Verdict.ACCEPTED, sms_id)
        for code in (word(said.get("type")), word(said.get("error")), status):
            if code in ERRORS and answer.status < 500:
                return refusal(*ERRORS[code], f"BulkGate {code}")
        return by_status(answer)

    def probe(self, _token: str) -> Call:
        """The credit is asked for."""
        return with_json("POST", f"{self.base}/api/1.0/simple/info", self._account)

    def probed(self, answer: Answer) -> str:
        """An account without credit sends nothing."""
        said = answer.fields()
        code = word(said.get("type")) or word(said.get("error"))
        if code in ERRORS:
            return f"{ERRORS[code][1]} ({code})"
        return super().probed(answer)

    def heard(self, callback: Callback) -> Heard:
        """A GET with one, or a POST with many; either of our addresses takes receipts and MO."""
        if callback.method == "GET":
            told: list[Any] = [callback.form()]
        else:
            found = callback.json()
            told = found if isinstance(found, list) else [found]
        receipts: list[Receipt] = []
        inbound: list[Inbound] = []
        for each in told:
            if not isinstance(each, dict):
                raise Unreadable("no object")
            status, sms_id = word(each.get("status")), word(each.get("smsID"))
            if status == _MO:
                inbound.append(_mo(each))
            elif status in STATES and sms_id:
                state, reason = STATES[status]
                receipts.append(Receipt(sms_id, state, reason))
            elif not status:
                raise Unreadable("no status")
        return Heard(receipts=receipts, inbound=inbound)


def _sender(shown: str) -> dict[str, str]:
    """sender_id and its value: the system's number, an own number, or letters."""
    if not shown:
        return {"sender_id": "gSystem"}
    digits = shown.removeprefix("+")
    if digits.isdigit():
        return {"sender_id": "gOwn", "sender_id_value": digits}
    return {"sender_id": "gText", "sender_id_value": shown}


def _first(data: object) -> Mapping[str, Any]:
    """What is said of our one message."""
    if isinstance(data, dict) and isinstance(data.get("response"), list) and data["response"]:
        data = data["response"][0]
    return data if isinstance(data, dict) else {}


def _mo(said: Mapping[str, Any]) -> Inbound:
    """`message`, which the example of a POST calls `text`. Its time does for the id it lacks."""
    text = said.get("message", said.get("text"))
    if "from" not in said or text is None:
        raise Unreadable("an MO without from or message")
    when = word(said.get("smsdetails")) or word(said.get("date"))
    return mo(said["from"], said.get("to"), text, f"{when} {text}" if when else "")
