"""Infobip: the provider's OpenAPI file 3.210.0 (send-sms-messages, receive-outbound-sms-message-
report-v3, receive-inbound-sms-messages) and its page of statuses and errors.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema

from bridge.model import State, Verdict
from tests.http_cases import ANNA, OURS, Case, Reply, Seen, Sent, Told, says, told_json

KEY = "0123456789abcdef0123456789abcdef-01234567-89ab-cdef-0123-456789abcdef"

#: SmsRequestEnvelope, as far as one text to one destination goes.
ENVELOPE = {
    "type": "object",
    "required": ["messages"],
    "additionalProperties": False,
    "properties": {
        "messages": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["destinations", "content"],
                "additionalProperties": False,
                "properties": {
                    "sender": {"type": "string", "pattern": r"^([0-9]{3,15}|[^+]{1,11})$"},
                    "destinations": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["to", "messageId"],
                            "additionalProperties": False,
                            "properties": {
                                "to": {"type": "string", "pattern": r"^[1-9][0-9]{6,14}$"},
                                "messageId": {"type": "string", "minLength": 1, "maxLength": 200},
                            },
                        },
                    },
                    "content": {
                        "type": "object",
                        "required": ["text"],
                        "additionalProperties": False,
                        "properties": {"text": {"type": "string", "minLength": 1}},
                    },
                    "options": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "validityPeriod": {
                                "type": "object",
                                "required": ["amount", "timeUnit"],
                                "additionalProperties": False,
                                "properties": {
                                    "amount": {"type": "integer", "minimum": 1, "maximum": 172_800},
                                    "timeUnit": {"enum": ["SECONDS", "MINUTES", "HOURS"]},
                                },
                            }
                        },
                    },
                    "webhooks": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "delivery": {
                                "type": "object",
                                "required": ["url"],
                                "additionalProperties": False,
                                "properties": {
                                    "url": {"type": "string"},
                                    "intermediateReport": {"type": "boolean"},
                                },
                            },
                            "contentType": {"enum": ["application/json", "application/xml"]},
                            "callbackData": {"type": "string", "maxLength": 4000},
                        },
                    },
                },
            },
        }
    },
}

STATUSES = {
    "PENDING_ACCEPTED": (1, "PENDING", 26),
    "PENDING_ENROUTE": (1, "PENDING", 7),
    "DELIVERED_TO_OPERATOR": (3, "DELIVERED", 2),
    "DELIVERED_TO_HANDSET": (3, "DELIVERED", 5),
    "UNDELIVERABLE_NOT_DELIVERED": (2, "UNDELIVERABLE", 9),
    "UNDELIVERABLE_REJECTED_OPERATOR": (2, "UNDELIVERABLE", 4),
    "EXPIRED_EXPIRED": (4, "EXPIRED", 15),
    "EXPIRED_DLR_UNKNOWN": (4, "EXPIRED", 29),
    "SIGNALS_BLOCKED": (4, "EXPIRED", 87),
    "REJECTED_NETWORK": (5, "REJECTED", 6),
    "REJECTED_PREFIX_MISSING": (5, "REJECTED", 8),
    "REJECTED_SOURCE": (5, "REJECTED", 11),
    "REJECTED_NOT_ENOUGH_CREDITS": (5, "REJECTED", 12),
    "REJECTED_DESTINATION_BLOCKLISTED": (5, "REJECTED", 14),
    "REJECTED_SYSTEM_ERROR": (5, "REJECTED", 21),
    "REJECTED_DUPLICATE_MESSAGE_ID": (5, "REJECTED", 23),
    "REJECTED_DESTINATION": (5, "REJECTED", 52),
    "REJECTED_OF_TOMORROW": (5, "REJECTED", 777),
}

IDS: list[str] = []
TAKEN: set[str] = set()


def status(name: str) -> dict[str, Any]:
    group, group_name, number = STATUSES.get(name, (9, "", name))
    return {
        "groupId": group,
        "groupName": group_name,
        "id": number,
        "name": name,
        "description": "…",
    }


def logged_in(request: Seen) -> None:
    assert request.headers["authorization"] == f"App {KEY}"


def judge(request: Seen) -> Sent:
    assert (request.method, request.path, request.query) == ("POST", "/sms/3/messages", "")
    logged_in(request)
    said = request.json()
    jsonschema.validate(said, ENVELOPE)
    (message,) = said["messages"]
    (destination,) = message["destinations"]
    IDS.append(destination["messageId"])
    return Sent(
        destination["to"],
        message["content"]["text"],
        message.get("sender", ""),
        key=destination["messageId"],
        receipts_to=message.get("webhooks", {}).get("delivery", {}).get("url", ""),
    )


def answered(name: str, number: str, to: str = "420601123456") -> Reply:
    message = {
        "messageId": number,
        "status": status(name),
        "destination": to,
        "details": {"messageCount": 1},
    }
    return says({"bulkId": "2034072219640523072", "messages": [message]})


def accept(sent: Sent, _number: str) -> Reply:
    """A second message of an id is refused."""
    if sent.key in TAKEN:
        return answered("REJECTED_DUPLICATE_MESSAGE_ID", sent.key, sent.to)
    TAKEN.add(sent.key)
    return answered("PENDING_ACCEPTED", sent.key, sent.to)


class Blocklist:
    """The account's blocklist (get-all-blocklists); `answers` are given first, once each."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.answers: list[Reply | None] = []

    def add(self, number: str, channel: str | None = "SMS", **more: str) -> None:
        entry = {
            "destination": number.removeprefix("+"),
            "sourceType": "MO",
            "accountKey": "8F0792F86035A9F4290821F1EE6BC06A",
            "createdDate": "2026-08-18T12:36:42.123Z",
            **more,
        }
        self.entries.append(entry if channel is None else {**entry, "channel": channel})

    def page(self, request: Seen) -> Reply:
        asked = request.fields()
        assert asked.keys() <= {"page", "size", "channel", "sender", "destination", "sourceType"}
        page, size = int(asked.get("page", 0)), int(asked.get("size", 100))
        assert page >= 0
        assert 1 <= size <= 1000
        wanted = asked.get("channel")
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            return answer
        found = [e for e in self.entries if wanted is None or e.get("channel") == wanted]
        paging = {
            "page": page,
            "size": size,
            "totalPages": -(-len(found) // size),
            "totalResults": len(found),
        }
        return says({"results": found[page * size : (page + 1) * size], "paging": paging})


def with_list(blocklist: Blocklist) -> Case:
    """The provider with a blocklist, which its key may read."""

    def both(request: Seen) -> Reply:
        if request.path != "/platform/1/blocklists":
            return other(request)
        assert (request.method, request.body) == ("GET", b"")
        logged_in(request)
        return blocklist.page(request)

    return replace(CASE, other=both)


def list_error(code: str, status: int, **headers: str) -> Reply:
    """How the blocklist refuses."""
    said = {"requestError": {"serviceException": {"messageId": code, "text": "…"}}}
    return says(said, status, **headers)


def other(request: Seen) -> Reply:
    assert (request.method, request.path) == ("GET", "/account/1/balance")
    logged_in(request)
    return says({"balance": 47.79134, "currency": "EUR"})


def error(code: str, status: int) -> Reply:
    said = {"errorCode": code, "description": "…", "action": "…", "violations": [], "resources": []}
    return says(said, status)


def receipt(number: str, state: str, code: int = 0, name: str = "NO_ERROR") -> Told:
    report = {
        "bulkId": "BULK-ID-123-xyz",
        "price": {"pricePerMessage": 0.01, "currency": "EUR"},
        "status": status(state),
        "error": {
            "groupId": 0,
            "groupName": "OK",
            "id": code,
            "name": name,
            "description": "…",
            "permanent": False,
        },
        "messageId": number,
        "to": ANNA.removeprefix("+"),
        "sender": "InfoSMS",
        "sentAt": "2026-11-23T09:00:00.000+0100",
        "doneAt": "2026-11-23T09:00:02.000+0100",
        "messageCount": 1,
    }
    return told_json({"results": [report]})


def inbound(text: str, number: str) -> Told:
    mo = {
        "messageId": number,
        "from": ANNA.removeprefix("+"),
        "to": OURS.removeprefix("+"),
        "text": text,
        "cleanText": text,
        "keyword": "",
        "receivedAt": "2026-11-23T09:00:00.000+0000",
        "smsCount": 1,
        "price": {"pricePerMessage": 0, "currency": "EUR"},
        "callbackData": "",
    }
    return told_json({"results": [mo], "messageCount": 1, "pendingMessageCount": 0})


def number(n: int) -> str:
    """What we called the newest; the 99th is of a message that never left."""
    return IDS[-1] if n < 99 else "0000000000099"


CASE = Case(
    kind="infobip",
    keys={"key": KEY},
    judge=judge,
    accept=accept,
    is_send=lambda request: request.path == "/sms/3/messages",
    other=other,
    refuses_us=error("E401", 401),
    to=ANNA.removeprefix("+"),
    sender=OURS.removeprefix("+"),
    refusals=[
        (answered("REJECTED_PREFIX_MISSING", "x"), Verdict.FAILED),
        (answered("REJECTED_DESTINATION", "x"), Verdict.FAILED),
        (answered("REJECTED_DESTINATION_BLOCKLISTED", "x"), Verdict.FAILED),
        (answered("REJECTED_NETWORK", "x"), Verdict.REJECTED),
        (answered("REJECTED_SOURCE", "x"), Verdict.REJECTED),
        (answered("REJECTED_OF_TOMORROW", "x"), Verdict.REJECTED),
        (answered("REJECTED_SYSTEM_ERROR", "x"), Verdict.THROTTLED),
        (answered("REJECTED_NOT_ENOUGH_CREDITS", "x"), Verdict.NOT_SENT),
        (error("E400", 400), Verdict.REJECTED),
        (error("E401", 401), Verdict.NOT_SENT),
        (error("E403", 403), Verdict.NOT_SENT),
    ],
    busy=error("E429", 429),
    doubts=[error("E500", 500), Reply(502, "<html>", "text/html"), says({"bulkId": "1"})],
    receipt=receipt,
    states={
        "PENDING_ENROUTE": State.SENT,
        "DELIVERED_TO_OPERATOR": State.SENT,
        "DELIVERED_TO_HANDSET": State.DELIVERED,
        "UNDELIVERABLE_NOT_DELIVERED": State.FAILED,
        "UNDELIVERABLE_REJECTED_OPERATOR": State.FAILED,
        "EXPIRED_EXPIRED": State.EXPIRED,
        "EXPIRED_DLR_UNKNOWN": State.UNKNOWN,
        "SIGNALS_BLOCKED": State.FAILED,
        "REJECTED_NETWORK": State.FAILED,
    },
    inbound=inbound,
    opt_outs=[
        ("receipt", receipt("mo", "UNDELIVERABLE_NOT_DELIVERED", 603, "EC_CONTENT_BLOCKED")),
        ("receipt", receipt("mo", "REJECTED_NETWORK", 573, "EC_SC_BLOCKED_BY_END_USER")),
    ],
    number=number,
    idempotent=True,
)
