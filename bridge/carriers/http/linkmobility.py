"""LINK Mobility, SMS REST API ("Common"): parts in, `POST /sms/send` out; delivery reports, MO in.

Sources: the provider's documents "SMS REST API, MT and Delivery Reports" 1.6 of 3 July 2019 (read
whole) and 2.4 of 23 June 2025 (its beginning), and "MO messages"; https://www.linkmobility.com/developer/.
Read 23 November 2026.

Our reference ("refId") is mirrored in each report, so receipts name it and nothing hangs on the
answer. There is no key by which a repeated request would be known, no signature of callbacks (their
path has a secret), and no harmless request: the account is looked at by one that lacks everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bridge.carriers.http.provider import (
    Answer,
    Call,
    Callback,
    Heard,
    Provider,
    Unreadable,
    Unsendable,
    basic,
    by_status,
    mo,
    refusal,
    with_json,
    word,
)
from bridge.carriers.http.reading import moment, reference, seconds_left, table
from bridge.model import Inbound, Outcome, Part, Receipt, State, Verdict

LONGEST_VALIDITY: Final = 48 * 3600

_NOT_SENT = Verdict.NOT_SENT
_REJECTED = Verdict.REJECTED
_FAILED = Verdict.FAILED
_THROTTLED = Verdict.THROTTLED
_UNKNOWN = Verdict.UNKNOWN

_QUEUED: Final = (1000, 1005)
_BEYOND_UCS2: Final = re.compile("[\U00010000-\U0010ffff]")
_SHORT: Final = re.compile(r"[0-9]{1,14}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}-\s*")

#: Codes of an answer that is no success: of the request (106xxx), and of the message.
REFUSED: Final[dict[int, tuple[Verdict, str]]] = {
    0: (_REJECTED, "the provider met an error that it does not know"),
    1: (_THROTTLED, "the provider cannot route it for now"),
    2: (_REJECTED, "the provider cannot route it"),
    3: (_THROTTLED, "we send faster than the provider allows"),
    4: (_UNKNOWN, "the provider waited in vain"),
    5: (_UNKNOWN, "the operator met an error that it does not know"),
    6: (_REJECTED, "the operator met an error"),
    104: (_NOT_SENT, "our account is set up wrongly"),
    105: (_THROTTLED, "the provider has a fault of its own"),
    2104: (_FAILED, "the operator knows no such number"),
    2105: (_FAILED, "the operator blocks this number"),
    2106: (_FAILED, "the provider knows no such number"),
    2107: (_FAILED, "the operator blocks this number for now"),
    106000: (_UNKNOWN, "the provider met an error that it does not know"),
    106100: (_NOT_SENT, "the provider does not take our user and password"),
    106101: (_NOT_SENT, "the provider does not let us in"),
    106200: (_NOT_SENT, "the provider does not know this platform"),
    106201: (_NOT_SENT, "the provider does not know this partner"),
    106202: (_REJECTED, "the provider finds the currency wrong"),
    106300: (_NOT_SENT, "the provider has no gate for our reports"),
    106301: (_NOT_SENT, "the provider does not know the gate for our reports"),
}
_OTHER: Final = (_REJECTED, "the provider refused the message")

#: Codes of a report that are not simply "not delivered".
STATES: Final = {
    4: State.UNKNOWN,
    5: State.UNKNOWN,
    1000: State.SENT,
    1001: State.DELIVERED,
    1002: State.EXPIRED,
    1005: State.SENT,
    1007: State.DELIVERED,
    1008: State.SENT,
    1010: State.UNKNOWN,
    1011: State.SENT,
    1012: State.SENT,
}


class LinkMobility(Provider):
    """A partner at LINK Mobility; `gate` is where reports go, as its support has set it up."""

    @property
    def _url(self) -> str:
        return f"{self.base}/sms/send"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": basic(self.config.account, self.config.secret.get_secret_value())}

    def request(self, part: Part, now: float, _token: str) -> Call:
        """One message; the provider chooses alphabet and parts (dcs TEXT). Raises Unsendable."""
        source = self.sender(part)
        if not source:
            raise Unsendable(_REJECTED, "the provider wants an originator; set the carrier's")
        if _BEYOND_UCS2.search(part.text):
            raise Unsendable(_REJECTED, "the provider takes no emoji beyond 16 bits")
        gate = self.config.gate if self.config.receipts else ""
        message: dict[str, Any] = {
            "source": source,
            "sourceTON": _kind(source),
            "destination": part.destination,
            "destinationTON": "MSISDN",
            "userData": part.text,
            "useDeliveryReport": bool(gate),
            "refId": reference(part),
            # Its default has changed between versions; without the answer nothing is known.
            "ignoreResponse": False,
            "platformId": self.config.platform,
            "platformPartnerId": self.config.partner,
        }
        if gate:
            message["deliveryReportGates"] = [gate]
        if valid := seconds_left(part, now, longest=LONGEST_VALIDITY):
            message["relativeValidityTime"] = valid * 1000
        return with_json("POST", self._url, message, **self._headers)

    def outcome(self, answer: Answer) -> Outcome:
        """By the result's code, else by the status of HTTP."""
        fields = answer.fields()
        code = fields.get("resultCode", fields.get("status"))
        if not isinstance(code, int):
            if 200 <= answer.status < 300:
                return Outcome(_UNKNOWN, reason="the provider's answer has no result code")
            return by_status(answer)
        if code in _QUEUED:
            return Outcome(Verdict.ACCEPTED)
        verdict, said = REFUSED.get(code, _OTHER)
        return refusal(verdict, said, code, 1.0 if verdict is _THROTTLED else 0.0)

    def known_as(self, part: Part) -> str:
        """Reports mirror the refId."""
        return reference(part)

    def probe(self, _token: str) -> Call:
        """A message without anything: refused for what it lacks (400), or for who we are."""
        return with_json("POST", self._url, {}, **self._headers)

    def heard(self, callback: Callback) -> Heard:
        """One report, or one MO."""
        fields = callback.fields()
        if callback.what == "inbound":
            return Heard(inbound=[_mo(fields)])
        code, name = fields.get("resultCode"), word(fields.get("refId"))
        if not isinstance(code, int) or not name:
            raise Unreadable("no result code, or no refId")
        state = STATES.get(code, State.FAILED)
        told = f"{REFUSED[code][1]} ({code})" if code in REFUSED else f"result code {code}"
        reason = "" if state is State.DELIVERED else told
        return Heard(receipts=[Receipt(name, state, reason, moment(fields.get("timestamp")))])


def _mo(fields: Mapping[str, Any]) -> Inbound:
    content = table(fields.get("content"))
    if "userData" not in content:
        raise Unreadable("no content")
    # Short numbers are written with their country, as NO-2333.
    ours = _COUNTRY.sub("", word(fields.get("destination"), 64))
    return mo(fields.get("source"), ours, content["userData"], fields.get("messageId"))


def _kind(source: str) -> str:
    """The type of number (TON) of an originator."""
    if source.startswith("+"):
        return "MSISDN"
    return "SHORTNUMBER" if _SHORT.fullmatch(source) else "ALPHANUMERIC"
