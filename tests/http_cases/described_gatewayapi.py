"""GatewayAPI's Mobile Messaging API, wholly described in bridge.toml: gatewayapi.com/docs/guide/ and the
pages of its message API and webhooks.
"""

from __future__ import annotations

import hashlib
import hmac

import jsonschema

from bridge.model import State, Verdict
from tests.http_cases import ANNA, OURS, Case, Reply, Seen, Sent, Told, says, told_json

TOKEN = "hM-3pgVuIoqB0HyCOINxduwZWQ"
SECRET = "the secret of the webhook"

REQUEST = {
    "url": "/mobile/single",
    "check": "/rest/me",
    "headers": {"Authorization": "Token {key}"},
    "json": {
        "sender": "{from_digits}",
        "recipient": "{to_digits:number}",
        "message": "{text}",
        "reference": "{id}",
        "expiration": "{expires}",
    },
}
ANSWER = {
    "success": [202],
    "id": "/msg_id",
    "errors": [
        {"status": 401, "verdict": "not-sent", "reason": "our token does not arrive"},
        {"status": 403, "verdict": "not-sent", "reason": "our token is not taken"},
    ],
}
RECEIPT = {
    "id": "/event/msg_id",
    "state": "/event/status",
    "time": "/event/status_at",
    "reason": "/event/error",
    "states": {
        "ENROUTE": "sent",
        "ACCEPTED": "sent",
        "DELIVERED": "delivered",
        "EXPIRED": "expired",
        "DELETED": "failed",
        "UNDELIVERABLE": "failed",
        "REJECTED": "failed",
        "UNKNOWN": "unknown",
    },
}
SIGNATURE = {
    "kind": "hmac-sha256",
    "at": "header:Signature",
    "prefix": "v1=",
    "encoding": "hex",
    "secret": SECRET,
}

#: A message of /mobile/single, as far as it is used here.
MESSAGE = {
    "type": "object",
    "required": ["sender", "message", "recipient"],
    "additionalProperties": False,
    "properties": {
        "sender": {"type": "string", "minLength": 3, "maxLength": 18},
        "message": {"type": "string", "minLength": 1},
        "recipient": {"type": "integer", "minimum": 1},
        "reference": {"type": "string"},
        "expiration": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$"},
    },
}


def logged_in(request: Seen) -> None:
    assert request.headers["authorization"] == f"Token {TOKEN}"


def judge(request: Seen) -> Sent:
    assert (request.method, request.path, request.query) == ("POST", "/mobile/single", "")
    logged_in(request)
    said = request.json()
    jsonschema.validate(said, MESSAGE)
    return Sent(str(said["recipient"]), said["message"], said["sender"])


def accept(sent: Sent, number: str) -> Reply:
    return says({"msg_id": number, "recipient": int(sent.to), "reference": None}, 202)


def other(request: Seen) -> Reply:
    assert (request.method, request.path) == ("GET", "/rest/me")
    logged_in(request)
    return says({"credit": 1234.56, "currency": "DKK", "id": 1})


def receipt(number: str, state: str) -> Told:
    event = {
        "msg_id": number,
        "recipient": 420601123456,
        "reference": "0000000000001",
        "status": state,
        "status_at": "2026-11-23T09:00:02.000Z",
        "error": None if state == "DELIVERED" else "UNKNOWN_SUBSCRIBER",
    }
    envelope = {
        "event_id": "01JG9Q9X5V1X9T1V1V1V1V1V1V",
        "timestamp": "2026-11-23T09:00:03.000Z",
        "event_type": "message.status.sms",
        "event": event,
    }
    return told_json(envelope)


def sign(told: Told, _url: str) -> Told:
    signature = hmac.new(SECRET.encode(), told.body, hashlib.sha256).hexdigest()
    headers = {**told.headers, "Signature": f"v1={signature}"}
    return Told(told.body, told.content_type, told.query, told.method, headers)


CASE = Case(
    kind="http",
    keys={
        "key": TOKEN,
        "request": REQUEST,
        "answer": ANSWER,
        "receipt": RECEIPT,
        "signature": SIGNATURE,
    },
    judge=judge,
    accept=accept,
    is_send=lambda request: request.path == "/mobile/single",
    other=other,
    refuses_us=says({"error": "Invalid token"}, 403),
    to=ANNA.removeprefix("+"),
    sender=OURS.removeprefix("+"),
    refusals=[
        (Reply(401), Verdict.NOT_SENT),
        (Reply(403), Verdict.NOT_SENT),
        (Reply(400), Verdict.REJECTED),
        (Reply(422), Verdict.REJECTED),
    ],
    busy=Reply(429, headers={"Retry-After": "7"}),
    doubts=[Reply(500), Reply(502, "<html>"), Reply(202, "{}"), Reply(200, "{}")],
    receipt=receipt,
    states={
        "ENROUTE": State.SENT,
        "ACCEPTED": State.SENT,
        "DELIVERED": State.DELIVERED,
        "EXPIRED": State.EXPIRED,
        "DELETED": State.FAILED,
        "UNDELIVERABLE": State.FAILED,
        "REJECTED": State.FAILED,
        "UNKNOWN": State.UNKNOWN,
    },
    inbound=None,
    sign=sign,
)
