"""Kannel: an SMS by its `sendsms`; receipts by dlr-url, MO by the get-url of an sms-service.

Source: Kannel 1.4.5 User's Guide (kannel.org/download/1.4.5/userguide-1.4.5; Debian's kannel-docs),
read on 2026-11-23: tables 7-11 (headers of a POST), 7-16 (answers), 7-17 (parameters), 7-10 (escape
codes), chapter 10 (receipts). Seen at Kannel 1.4.5 itself, which our tests run: a part with its own
UDH is receipted by itself, of a text that Kannel cuts only the first part is; a receipt of 34 says
that the validity has ended (32, which the guide does not name, beside 2).

A POST keeps number and text out of addresses, which proxies and Kannel's own log write down. Kannel
gives no id: receipts name the attempt, which we put into dlr-url. A request without an answer is a
doubt.
"""

from __future__ import annotations

import math
import re
from typing import Final
from urllib.parse import urlsplit

from bridge.carriers.http.provider import (
    Answer,
    Call,
    Callback,
    Doors,
    Heard,
    Provider,
    Unreadable,
    by_status,
    mo,
    refusal,
    whole_number,
    word,
)
from bridge.model import Outcome, Part, Receipt, State, Verdict
from bridge.settings import Carrier as Config
from bridge.store.ids import show

#: Which receipts are wanted, and what they say (chapter 10).
_DELIVERED: Final = 1
_FAILED: Final = 2
_BUFFERED: Final = 4
_SUBMITTED: Final = 8
_REFUSED: Final = 16
_EXPIRED: Final = 32
_ALL: Final = _DELIVERED | _FAILED | _BUFFERED | _SUBMITTED | _REFUSED

_CODING: Final = {"gsm7": "0", "ucs2": "2"}
#: Charsets of an MO (%C); with `mo-recode` Kannel makes WINDOWS-1252 of UCS-2.
_CHARSETS: Final = {
    "UTF-8": "utf-8",
    "UTF-16BE": "utf-16-be",
    "WINDOWS-1252": "cp1252",
    "ISO-8859-1": "latin-1",
    "US-ASCII": "ascii",
}
_PATH: Final = "/cgi-bin/sendsms"  # unless its `sendsms-url` says otherwise


class Kannel(Provider):
    """A `sendsms-user`: `account` is its username, `service` the smsc-id to send by, if any.

    `api_url` may have a path, for a smsbox with a sendsms-url of its own.
    """

    whole = False

    def __init__(self, config: Config, doors: Doors) -> None:
        super().__init__(config, doors)
        self._address = self.base if urlsplit(self.base).path else self.base + _PATH

    def request(self, part: Part, now: float, _token: str) -> Call:
        """A POST with the parameters in its headers and the text as its body."""
        headers = self._account | {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-To": part.destination,
            "X-Kannel-Coding": _CODING[part.encoding],
        }
        if sender := self.sender(part):
            headers["X-Kannel-From"] = sender
        if part.total > 1:
            # 3GPP TS 23.040, 9.2.3.24.1: parts of one message, by a reference of one octet.
            header = bytes((5, 0, 3, part.ref, part.total, part.number))
            headers["X-Kannel-UDH"] = header.hex().upper()
        if self.config.service:
            headers["X-Kannel-SMSC"] = self.config.service
        if part.urgent:
            headers["X-Kannel-Priority"] = "1"
        if part.expires_at is not None:
            minutes = math.ceil(max(part.expires_at - now, 1) / 60)
            headers["X-Kannel-Validity"] = str(minutes)
        if self.config.receipts and (url := self.url("receipt")):
            headers["X-Kannel-DLR-Mask"] = str(_ALL)
            attempt = self.known_as(part)
            headers["X-Kannel-DLR-Url"] = f"{url}?id={attempt}&type=%d&at=%T&answer=%A"
        return Call("POST", self._address, headers, part.text.encode())

    @property
    def _account(self) -> dict[str, str]:
        return {
            "X-Kannel-Username": self.config.account,
            "X-Kannel-Password": self.config.secret.get_secret_value(),
        }

    def known_as(self, part: Part) -> str:
        """The attempt, which stands in dlr-url."""
        return show(part.attempt)

    def outcome(self, answer: Answer) -> Outcome:
        """202: Kannel has it; in its store, if it has one. 403: the password. 503: not now."""
        if answer.status == 202:
            return Outcome(Verdict.ACCEPTED)
        code = f"HTTP {answer.status}"
        if answer.status == 403:
            return refusal(Verdict.NOT_SENT, "Kannel refuses our username or password", code)
        if answer.status == 503:
            return refusal(Verdict.THROTTLED, "Kannel has a fault for now", code)
        if b"white- and/or black-lists" in answer.body:
            return refusal(Verdict.REJECTED, "a list of Kannel's forbids this number", code)
        return by_status(answer)

    def probe(self, _token: str) -> Call:
        """The same request without a recipient is refused, but after a wrong password."""
        return Call("POST", self._address, self._account | {"Content-Type": "text/plain"})

    def probed(self, answer: Answer) -> str:
        """400 says that only the recipient is missing."""
        if answer.status == 400:
            return ""
        if answer.status == 403:
            return "Kannel refuses our username or password (HTTP 403)"
        return f"this is no sendsms of Kannel (HTTP {answer.status})"

    def heard(self, callback: Callback) -> Heard:
        """A receipt by our dlr-url, or an MO by a get-url with the fields in docs/carriers.md.

        The answer is empty: an sms-service sends as an SMS whatever it is answered.
        """
        said = callback.form()
        if callback.what == "receipt":
            return Heard(receipts=[_receipt(said)])
        key = word(said.get("id"))
        try:
            data = bytes.fromhex(said["data"])
            source = said["from"]
        except (KeyError, ValueError):
            raise Unreadable("no from, or no data in hex (%e)") from None
        charset = _CHARSETS.get(said.get("charset", "").upper(), "latin-1")
        return Heard(inbound=[mo(source, said.get("to"), data.decode(charset, "replace"), key)])


def _receipt(said: dict[str, str]) -> Receipt:
    attempt, told = word(said.get("id")), whole_number(said.get("type"))
    if not attempt or not told:
        raise Unreadable("no id or type")
    answer = said.get("answer", "")
    when = word(said.get("at"), 12)
    at = float(when) if when.isascii() and when.isdigit() else None
    if told & _DELIVERED:
        return Receipt(attempt, State.DELIVERED, at=at)
    if told & (_FAILED | _EXPIRED):
        expired = told & _EXPIRED or re.search(r"\bstat:EXPIRED\b", answer)
        state = State.EXPIRED if expired else State.FAILED
        return Receipt(attempt, state, _reason(answer), at)
    if told & _REFUSED:
        return Receipt(attempt, State.FAILED, _reason(answer), at)
    return Receipt(attempt, State.SENT, at=at)


def _reason(answer: str) -> str:
    """The SMSC's own codes out of %A, which may hold the beginning of the text beside them."""
    if found := re.search(r"\bstat:([A-Z]{1,10})\b(?: err:([0-9A-Za-z]{1,6})\b)?", answer):
        return f"the SMSC tells {found[1]}" + (f" ({found[2]})" if found[2] else "")
    if found := re.match(r"NACK/(0x[0-9a-fA-F]{1,8})\b", answer):
        return f"the SMSC refused it ({found[1]})"
    return "the SMSC gives no reason"
