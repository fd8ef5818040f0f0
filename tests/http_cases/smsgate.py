"""SMSGate, the phone itself: docs.sms-gate.app (local-server, sending-messages, webhooks), and the
schema of a message in android-sms-gateway/client-go, smsgateway/domain_messages.go.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import jsonschema

from bridge.model import State, Verdict
from tests.http_cases import ANNA, OURS, Case, Reply, Seen, Sent, Told, says, told_json

KEY = "signing-key"
MESSAGE = {
    "type": "object",
    "required": ["phoneNumbers", "textMessage"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 36},
        "deviceId": {"type": "string", "maxLength": 21},
        "textMessage": {
            "type": "object",
            "required": ["text"],
            "additionalProperties": False,
            "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 65535}},
        },
        "phoneNumbers": {
            "type": "array",
            "items": {"type": "string", "pattern": r"^\+[1-9]\d{6,14}$"},
            "minItems": 1,
            "maxItems": 1,
        },
        "withDeliveryReport": {"type": "boolean"},
        "ttl": {"type": "integer", "minimum": 5},
        "priority": {"type": "integer", "minimum": -128, "maximum": 127},
    },
}


def judge(request: Seen) -> Sent:
    assert (request.method, request.path) == ("POST", "/message")
    logged_in(request)
    said = request.json()
    jsonschema.validate(said, MESSAGE)
    (to,) = said["phoneNumbers"]
    # The originator is the SIM's: nothing of it stands in the request.
    return Sent(to, said["textMessage"]["text"], OURS, key=said["id"], id=said["id"])


def logged_in(request: Seen) -> None:
    given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert given == "sms:kept"


def accept(sent: Sent, number: str) -> Reply:
    recipient = {"phoneNumber": sent.to, "state": "Pending"}
    state = {"id": number, "state": "Pending", "recipients": [recipient], "states": {}}
    return says(state, 202)


def other(request: Seen) -> Reply:
    assert (request.method, request.path) == ("GET", "/message/none")
    logged_in(request)
    return Reply(404)


def error(message: str, status: int) -> Reply:
    return says({"message": message}, status)


def event(kind: str, **payload: object) -> Told:
    return told_json(
        {
            "deviceId": "ffffffffceb0b1db0000018e937c815b",
            "event": kind,
            "id": str(payload.pop("event_id", "Ey6ECgOkVVFjz3CL48B8C")),
            "payload": payload,
            "webhookId": "LreFUt-Z3sSq0JufY9uWB",
        }
    )


def receipt(message: str, kind: str) -> Told:
    when = f"{kind.removeprefix('sms:')}At"
    more = {"reason": "Send result: RESULT_ERROR_LIMIT_EXCEEDED"} if kind == "sms:failed" else {}
    return event(
        kind,
        messageId=message,
        sender=None,
        recipient=ANNA,
        phoneNumber=ANNA,
        simNumber=1,
        **{when: "2026-11-23T15:46:11.000+07:00"},
        **more,
    )


def inbound(text: str, key: str) -> Told:
    return event(
        "sms:received",
        event_id=key,
        messageId="abc123",
        sender=ANNA,
        recipient=OURS,
        phoneNumber=ANNA,
        simNumber=1,
        message=text,
        receivedAt="2026-11-23T15:46:11.000+07:00",
    )


def sign(told: Told, _url: str) -> Told:
    stamp = "1795422907"
    signature = hmac.new(KEY.encode(), told.body + stamp.encode(), hashlib.sha256).hexdigest()
    headers = {**told.headers, "X-Timestamp": stamp, "X-Signature": signature}
    return Told(told.body, told.content_type, told.query, told.method, headers)


CASE = Case(
    kind="smsgate",
    keys={"account": "sms", "secret": "kept", "signing_secret": KEY},
    judge=judge,
    accept=accept,
    is_send=lambda request: request.path == "/message",
    other=other,
    refuses_us=Reply(401),
    to=ANNA,
    sender=OURS,
    refusals=[
        (error("Text message is empty", 400), Verdict.REJECTED),
        (error("Unauthorized", 401), Verdict.NOT_SENT),
    ],
    busy=Reply(429, "{}", headers={"Retry-After": "7"}),
    doubts=[error("failed to handle request", 500), Reply(502, "<html>", "text/html"), Reply(504)],
    receipt=receipt,
    states={
        "sms:sent": State.SENT,
        "sms:delivered": State.DELIVERED,
        "sms:failed": State.FAILED,
    },
    inbound=inbound,
    sign=sign,
    idempotent=True,
    repeat=error("message with the same ID already exists", 409),
)
