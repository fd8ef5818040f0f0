"""Infobip, SMS API v3: parts in, `POST /sms/3/messages` out; delivery reports and MO in.

Sources: the provider's OpenAPI file 3.210.0 of 23 July 2026 (operations `send-sms-messages`,
`receive-outbound-sms-message-report-v3`, `receive-inbound-sms-messages`);
https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes (July 2026);
https://www.infobip.com/docs/developer-resources/api-fundamentals/rate-limits-and-throttling.
Read 23 November 2026. The list of opt-outs: `get-all-blocklists` of the same file.

We choose the message's id, and a second message of that id is refused (status 23): so a request
whose answer was lost is repeated without harm, and receipts name our id. Callbacks carry no
signature where their address comes with the message: their path has a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final

from bridge.carriers.http.listing import Listed, ListingProvider
from bridge.carriers.http.provider import (
    Answer,
    Call,
    Callback,
    Heard,
    Unreadable,
    by_status,
    mo,
    refusal,
    whole_number,
    with_json,
    word,
)
from bridge.carriers.http.reading import digits, entries, moment, reference, seconds_left, table
from bridge.model import OptedOut, OptOutPage, Outcome, Part, Receipt, State, Verdict

LONGEST_VALIDITY: Final = 48 * 3600
"""Seconds; the provider sets what is longer to this."""

_REJECTED = Verdict.REJECTED
_FAILED = Verdict.FAILED

_DUPLICATE: Final = 23
_TO_OPERATOR: Final = 2
_TO_HANDSET: Final = 5
_UNKNOWN_AT_EXPIRY: Final = 29
_ANTI_FRAUD: Final = 87
_PENDING_GROUPS: Final = (0, 1, 3)

#: Statuses of a message that was not taken, by id.
REFUSED: Final[dict[int, tuple[Verdict, str]]] = {
    6: (_REJECTED, "this network is not set up on our account"),
    8: (_FAILED, "the provider knows no such prefix"),
    10: (_FAILED, "the number does not take messages of services"),
    11: (_REJECTED, "the provider does not take this originator"),
    12: (Verdict.NOT_SENT, "our account is out of credit"),
    13: (_REJECTED, "this originator is blocked on our account"),
    14: (_FAILED, "the number is on the provider's blocklist"),
    17: (Verdict.NOT_SENT, "the credit of our account has expired"),
    18: (_REJECTED, "our account is on trial and may not send to this number"),
    19: (_REJECTED, "our account has no route to this number"),
    20: (_REJECTED, "the provider's flooding filter stopped it"),
    21: (Verdict.THROTTLED, "the provider has a fault of its own"),
    24: (_REJECTED, "the provider finds the header of the message wrong"),
    25: (_REJECTED, "the provider finds the message too long"),
    51: (_REJECTED, "the provider finds no destination"),
    52: (_FAILED, "the provider knows no such number"),
    _ANTI_FRAUD: (_REJECTED, "the provider's fraud filter stopped it"),
    100: (_REJECTED, "the provider refused the request"),
}
_OTHER: Final = (_REJECTED, "the provider refused the message")

#: Errors by which a report tells that the person wants nothing more: 573 asked the operator to
#: block the short code, 603 answered STOP.
OPTED_OUT: Final = (573, 603)

_GROUPS: Final = {
    0: State.SENT,
    1: State.SENT,
    2: State.FAILED,
    4: State.EXPIRED,
    5: State.FAILED,
}


#: Entries of a page of the blocklist: the most that there may be.
_PAGE: Final = 1000
#: Whose entries are about texts. One that names no channel is about all of them, which is why the
#: list is not asked for by channel.
_TEXTS: Final = ("", "SMS", "MMS")


class Infobip(ListingProvider):
    """An account at Infobip; `api_url` is its own base URL, `key` its API key."""

    idempotent: ClassVar[bool] = True
    list_hint: ClassVar[str] = (
        "give its API key the scope blocklist:manage, or set optout_list = false"
    )

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"App {self.config.key.get_secret_value()}"}

    def request(self, part: Part, now: float, _token: str) -> Call:
        """One message to one destination, with our id."""
        message: dict[str, Any] = {
            "destinations": [{"to": digits(part.destination), "messageId": reference(part)}],
            "content": {"text": part.text},
        }
        if sender := self.sender(part):
            message["sender"] = sender.removeprefix("+")
        if valid := seconds_left(part, now, longest=LONGEST_VALIDITY):
            message["options"] = {"validityPeriod": {"amount": valid, "timeUnit": "SECONDS"}}
        if self.config.receipts and (url := self.url("receipt")):
            message["webhooks"] = {"delivery": {"url": url}, "contentType": "application/json"}
        return with_json(
            "POST", f"{self.base}/sms/3/messages", {"messages": [message]}, **self._headers
        )

    def outcome(self, answer: Answer) -> Outcome:
        """By the status of the one message; without it, by the status of HTTP."""
        if answer.status == 403:
            return refusal(Verdict.NOT_SENT, "the provider does not let this key send", "HTTP 403")
        if not 200 <= answer.status < 300:
            return by_status(answer)
        message = next(entries(answer.fields().get("messages")), {})
        status = table(message.get("status"))
        number, group = status.get("id"), status.get("groupId")
        if number == _DUPLICATE or group in _PENDING_GROUPS:
            return Outcome(Verdict.ACCEPTED)
        if group is None:
            return Outcome(Verdict.UNKNOWN, reason="the provider's answer names no status")
        verdict, said = REFUSED.get(number, _OTHER) if isinstance(number, int) else _OTHER
        return refusal(verdict, said, status.get("name") or number)

    def known_as(self, part: Part) -> str:
        """Reports name the id that we chose."""
        return reference(part)

    def probe(self, _token: str) -> Call:
        """What is left of the credit."""
        return Call("GET", f"{self.base}/account/1/balance", self._headers)

    def probed(self, answer: Answer) -> str:
        """A key that may only send cannot see the credit (403), and is good."""
        return "" if answer.status == 403 else super().probed(answer)

    def heard(self, callback: Callback) -> Heard:
        """A bucket of reports, or of MO."""
        results = list(entries(callback.fields().get("results")))
        if not results:
            raise Unreadable("no results")
        if callback.what == "inbound":
            return Heard(
                inbound=[
                    mo(r.get("from"), r.get("to"), r.get("text"), r.get("messageId"))
                    for r in results
                ]
            )
        return Heard(
            receipts=[found for each in results if (found := _receipt(each)) is not None],
            opted_out=list(_opted_out(results)),
        )

    @property
    def lists(self) -> bool:
        """Unless the operator does not want it."""
        return self.config.optout_list

    def list_call(self, page: str, _token: str) -> Call:
        """A page of the blocklist, from 0."""
        url = f"{self.base}/platform/1/blocklists?page={page or 0}&size={_PAGE}"
        return Call("GET", url, self._headers)

    def listed(self, answer: Answer, page: str) -> Listed:
        """Who stands there for texts; other channels and mail addresses are not our concern."""
        said = answer.fields()
        results, paging = said.get("results"), table(said.get("paging"))
        if not isinstance(results, list) or "totalPages" not in paging:
            raise Unreadable("no results and paging")
        following = whole_number(page) + 1
        more = following < whole_number(paging["totalPages"])
        total = whole_number(paging.get("totalResults"))
        people = list(_blocked(entries(results)))
        return Listed(OptOutPage(people, total), str(following) if more else "")


def _blocked(results: Iterable[Mapping[str, Any]]) -> Iterator[OptedOut]:
    for each in results:
        number = word(each.get("destination"), 64)
        if number.isdigit() and word(each.get("channel")) in _TEXTS:
            sender = word(each.get("sender"), 64)
            yield OptedOut(number, sender, moment(each.get("createdDate")))


def _receipt(report: Mapping[str, Any]) -> Receipt | None:
    status, error = table(report.get("status")), table(report.get("error"))
    number, group = status.get("id"), status.get("groupId")
    name = word(report.get("messageId"))
    if not name or not isinstance(group, int):
        return None
    words = (word(status.get("name"), 60), word(error.get("name"), 60))
    state = _state(group, number)
    reason = "" if state is State.DELIVERED else " ".join(w for w in words if w != "NO_ERROR")
    return Receipt(name, state, reason.strip(), moment(report.get("doneAt")))


def _state(group: int, number: object) -> State:
    if group == 3:
        # The operator has it (2), or the handset (5).
        return State.SENT if number == _TO_OPERATOR else State.DELIVERED
    if group == 4 and number == _UNKNOWN_AT_EXPIRY:
        return State.UNKNOWN
    if number == _ANTI_FRAUD:
        return State.FAILED
    return _GROUPS.get(group, State.UNKNOWN)


def _opted_out(results: list[Mapping[str, Any]]) -> Iterator[str]:
    for each in results:
        if table(each.get("error")).get("id") in OPTED_OUT and (number := word(each.get("to"), 64)):
            yield number
