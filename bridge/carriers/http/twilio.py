"""Twilio: an SMS by its Messages resource; receipts, MO and opt-outs by its webhooks.

Sources, all read on 2026-11-23: twilio.com/docs/messaging/api/message-resource (request, states;
the API description twilio/twilio-oai, spec/json/twilio_api_v2010.json), /docs/api/errors (each
code's own page), /docs/messaging/guides/webhook-request (MO), /docs/messaging/guides/
outbound-message-status-in-status-callbacks (receipts), /docs/usage/webhooks/webhooks-security;
DeleteMessage of the same description, and /docs/api/errors/20009 (erasing).

There is no idempotency key for messages: a request without an answer is a doubt.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from typing import ClassVar, Final
from urllib.parse import quote, urlsplit

from bridge.carriers.http.erasing import LONGEST, ErasingProvider
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
    word,
)
from bridge.model import Erased, Fate, Outcome, Part, Receipt, State, Verdict

_LONGEST: Final = 1600  # characters of Body; beyond it error 21617
_VALID: Final = 36_000  # seconds of ValidityPeriod: the page of error 30001
_OPTED_OUT: Final = 21610
_EXPIRED: Final = 30036
#: "Failed and not retried", for the network may have taken it.
_TIMED_OUT: Final = 30410

_NUMBER: Final = Verdict.FAILED
_HERE: Final = Verdict.REJECTED
_ACCOUNT: Final = Verdict.NOT_SENT

#: Codes in the answer to a request, and of a message that failed later.
ERRORS: Final[dict[int, tuple[Verdict, str]]] = {
    14107: (Verdict.THROTTLED, "we send faster than Twilio allows"),
    20003: (_ACCOUNT, "Twilio refuses our credentials"),
    20005: (_ACCOUNT, "the account at Twilio is not active"),
    20404: (_HERE, "Twilio does not know this account or sender"),
    20429: (Verdict.THROTTLED, "we send faster than Twilio allows"),
    21211: (_NUMBER, "Twilio finds no such number"),
    21212: (_HERE, "Twilio does not take this originator"),
    21408: (_HERE, "the account at Twilio may not send to this country"),
    21602: (_NUMBER, "there is no text"),
    21603: (_HERE, "Twilio needs an originator or a messaging service"),
    21606: (_HERE, "this originator cannot send to this number at Twilio"),
    21608: (_HERE, "a trial account at Twilio sends to verified numbers only"),
    21609: (_HERE, "Twilio does not take the address for receipts"),
    _OPTED_OUT: (Verdict.OPTED_OUT, "this person has opted out with Twilio"),
    21611: (Verdict.THROTTLED, "Twilio's queue for this originator is full"),
    21612: (_HERE, "Twilio has no way from this originator to this number"),
    21614: (_NUMBER, "this number takes no SMS"),
    21617: (_HERE, "the text is too long for Twilio"),
    21619: (_NUMBER, "there is no text"),
    21635: (_NUMBER, "this number is a landline"),
    21657: (_HERE, "Twilio does not take this originator for this country"),
    21659: (_HERE, "this originator is none of Twilio's numbers"),
    21660: (_HERE, "this originator does not belong to the account at Twilio"),
    21703: (_HERE, "the messaging service has no sender"),
    21704: (_HERE, "the messaging service has no sender"),
    21705: (_HERE, "Twilio does not know this messaging service"),
    21709: (_HERE, "this originator is none of the messaging service's"),
    21711: (_HERE, "this originator is none of the messaging service's"),
    30001: (Verdict.THROTTLED, "Twilio's queue for this originator is full"),
    30002: (_ACCOUNT, "the account at Twilio is suspended"),
    30003: (_NUMBER, "the phone could not be reached"),
    30004: (_NUMBER, "the number or the network blocks this message"),
    30005: (_NUMBER, "the number is not known, or not in use any more"),
    30006: (_NUMBER, "this number is a landline, or its network takes no SMS"),
    30007: (_NUMBER, "the network filtered this message"),
    30008: (_NUMBER, "the network gives no reason"),
    30022: (_HERE, "the network takes fewer SMS a second from this originator"),
    30024: (_HERE, "the network does not know this originator"),
    30027: (_HERE, "the network takes no more SMS from this originator today"),
    30032: (_HERE, "Twilio has not verified this toll-free originator"),
    30034: (_HERE, "this originator is not registered for the United States"),
    _EXPIRED: (_NUMBER, "its validity ended in Twilio's queue"),
    30037: (_ACCOUNT, "the account at Twilio may not send at present"),
    30038: (_NUMBER, "Twilio filtered this message for its one-time code"),
    30040: (_HERE, "the network wants this originator registered"),
    30041: (_HERE, "this originator is not registered for the United Kingdom"),
    30042: (_HERE, "the network blocks this originator"),
    _TIMED_OUT: (Verdict.UNKNOWN, "the network did not answer in time, it may have arrived"),
    30450: (_NUMBER, "Twilio blocked this message, as it does where it suspects fraud"),
    30454: (Verdict.THROTTLED, "the account at Twilio has sent all that it may for now"),
    63017: (Verdict.THROTTLED, "we send faster than Twilio allows"),
    63038: (Verdict.THROTTLED, "the account at Twilio has sent all that it may in a day"),
}

#: MessageStatus; the first three are told before an SMS has left.
STATES: Final = {
    "accepted": State.SENT,
    "scheduled": State.SENT,
    "queued": State.SENT,
    "sending": State.SENT,
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.FAILED,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}
#: Codes in the answer to DELETE.
_NO_SUCH: Final = 20404
_INCOMPLETE: Final = 20009
_UNFINISHED: Final = 60.0  # seconds: "wait at least 1 minute"
_NOTHING: Final = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


class Twilio(ErasingProvider):
    """An account by its SID and auth token, or by an API key (then `key` and `secret` are its)."""

    api_url = "https://api.twilio.com"
    erase_hint: ClassVar[str] = (
        "let the API key delete messages, or use the account's own auth token; or set"
        " erase_records = false and delete them yourself"
    )

    @property
    def signed(self) -> bool:
        """With an API key alone, nobody has told us the auth token that signs."""
        return bool(self._auth_token)

    @property
    def _auth_token(self) -> str:
        config = self.config
        own = config.signing_secret.get_secret_value()
        return own or ("" if config.key.get_secret_value() else config.secret.get_secret_value())

    def request(self, part: Part, now: float, _token: str) -> Call:
        """POST to the account's Messages. Raises Unsendable."""
        if len(part.text) > _LONGEST:
            raise Unsendable(_HERE, f"Twilio takes at most {_LONGEST} characters")
        fields = {"To": part.destination, "Body": part.text}
        if sender := self.sender(part):
            fields["From"] = sender
        if self.config.service:
            fields["MessagingServiceSid"] = self.config.service
        elif not sender:
            raise Unsendable(_HERE, ERRORS[21603][1])
        if part.expires_at is not None:
            fields["ValidityPeriod"] = str(int(min(max(part.expires_at - now, 1), _VALID)))
        if self.config.receipts and (url := self.url("receipt")):
            fields["StatusCallback"] = url
        return form("POST", f"{self._account}/Messages.json", fields, Authorization=self._basic)

    def probe(self, _token: str) -> Call:
        """The account itself is fetched."""
        return Call("GET", f"{self._account}.json", {"Authorization": self._basic})

    def probed(self, answer: Answer) -> str:
        """A fetched account says whether it is active."""
        status = word(answer.fields().get("status"))
        if answer.status == 200 and status not in ("", "active"):
            return f"the account at Twilio is {status}"
        if answer.status == 404:
            return ERRORS[20404][1]
        return super().probed(answer)

    @property
    def _account(self) -> str:
        return f"{self.base}/2010-04-01/Accounts/{self.config.account}"

    @property
    def _basic(self) -> str:
        user = self.config.key.get_secret_value() or self.config.account
        return basic(user, self.config.secret.get_secret_value())

    def outcome(self, answer: Answer) -> Outcome:
        """201 with the message's SID, or an error with its code."""
        said = answer.fields()
        sid = word(said.get("sid"))
        if answer.status in (200, 201) and sid and not said.get("error_code"):
            return Outcome(Verdict.ACCEPTED, sid)
        code = whole_number(said.get("code") or said.get("error_code"))
        found = ERRORS.get(code) if answer.status < 500 else None
        if found is None:
            return by_status(answer)
        return refusal(*found, f"Twilio {code}", _pause(found[0], answer))

    def erase_call(self, carrier_id: str, _token: str, *, inbound: bool) -> Call:  # noqa: ARG002
        """DELETE of the message, whichever way it went."""
        url = f"{self._account}/Messages/{quote(carrier_id, safe='')}.json"
        return Call("DELETE", url, {"Authorization": self._basic})

    def erased(self, answer: Answer) -> Erased:
        """204, or an error with its code; 20404 in Twilio's words: there is no such message."""
        code = whole_number(answer.fields().get("code"))
        if code == _INCOMPLETE:
            why = "Twilio has not finished with it (Twilio 20009)"
            return Erased(Fate.LATER, why, pause=retry_after(answer, _UNFINISHED, LONGEST))
        if answer.status == 404 and code == _NO_SUCH:
            return Erased(Fate.GONE)
        if answer.status in (401, 403):
            shown = f"Twilio {code}" if code else f"HTTP {answer.status}"
            return self.barred(f"Twilio does not let our account delete ({shown})")
        return erased_by_status(answer)

    def genuine(self, callback: Callback) -> bool:
        """X-Twilio-Signature: HMAC-SHA1 of the address and the sorted fields.

        The address may be meant with its scheme's own port or without.
        """
        try:
            pairs = callback.pairs() if callback.method == "POST" else []
        except Unreadable:
            return False
        given = callback.headers.get("x-twilio-signature", "").encode("utf-8", "replace")
        signed = "".join(name + value for name, value in sorted(set(pairs)))
        return any(
            hmac.compare_digest(given, self._signature(url + signed))
            for url in _writings(callback.url)
        )

    def _signature(self, data: str) -> bytes:
        key = self._auth_token.encode()
        return b64encode(hmac.digest(key, data.encode("utf-8", "replace"), "sha1"))

    def heard(self, callback: Callback) -> Heard:
        """A receipt (MessageStatus), or an MO, which Twilio has joined and decoded."""
        said = callback.form()
        if callback.what == "receipt":
            return _receipt(said)
        key = word(said.get("MessageSid"))
        if not key or "From" not in said:
            raise Unreadable("no MessageSid or From")
        # What the account counts as STOP may be a word that we do not know.
        opted_out = [word(said["From"])] if said.get("OptOutType") == "STOP" else []
        part = mo(said["From"], said.get("To"), said.get("Body"), key)
        return Heard(inbound=[part], opted_out=opted_out, answer=_NOTHING, answer_type="text/xml")


def _receipt(said: dict[str, str]) -> Heard:
    sid, status = word(said.get("MessageSid")), word(said.get("MessageStatus"))
    if not sid or not status:
        raise Unreadable("no MessageSid or MessageStatus")
    code = whole_number(said.get("ErrorCode"))
    state = State.UNKNOWN if code == _TIMED_OUT else STATES.get(status, State.UNKNOWN)
    reason = ""
    if state in (State.FAILED, State.UNKNOWN):
        reason = refusal(
            _HERE,
            ERRORS[code][1] if code in ERRORS else f"Twilio tells {status}",
            f"Twilio {code}" if code else "",
        ).reason
    if code == _EXPIRED:
        state = State.EXPIRED
    opted_out = [word(said.get("To"))] if code == _OPTED_OUT else []
    return Heard(receipts=[Receipt(sid, state, reason)], opted_out=opted_out)


def _pause(verdict: Verdict, answer: Answer) -> float:
    return retry_after(answer) if verdict is Verdict.THROTTLED else 0.0


def _writings(url: str) -> list[str]:
    """An address as it was called, with the port of its scheme, and without."""
    parts = urlsplit(url)
    port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    bare = parts.netloc.removesuffix(port) if port else parts.netloc
    rest = url[len(f"{parts.scheme}://{parts.netloc}") :]
    return [url, *(f"{parts.scheme}://{host}{rest}" for host in (bare, bare + port))]
