"""GoSMS: doc.gosms.cz, napoveda.gosms.cz, and the answers kept in digitalcz/gosms."""

from __future__ import annotations

import jsonschema

from bridge.model import State, Verdict
from tests.http_cases import ANNA, OURS, Case, Reply, Seen, Sent, Told, says, told_json

TOKEN = "AccessTokenIU78JO"
MESSAGE = {
    "type": "object",
    "required": ["message", "recipients", "channel"],
    "additionalProperties": False,
    "properties": {
        "message": {"type": "string", "minLength": 1},
        "recipients": {"type": "string", "pattern": r"^\+[1-9]\d{6,14}$"},
        "channel": {"type": "integer"},
    },
}
LOGIN = {"grant_type": "client_credentials", "client_id": "17994_x", "client_secret": "kept"}


def judge(request: Seen) -> Sent:
    assert (request.method, request.path) == ("POST", "/api/v1/messages/")
    logged_in(request)
    said = request.json()
    jsonschema.validate(said, MESSAGE)
    assert said["channel"] == 185270
    # The originator is the channel's: nothing of it stands in the request.
    return Sent(said["recipients"], said["message"], OURS)


def logged_in(request: Seen) -> None:
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


def other(request: Seen) -> Reply:
    if request.path == "/oauth/v2/token":
        assert request.method == "POST"
        assert request.form() == LOGIN
        token = {"access_token": TOKEN, "expires_in": 3600, "token_type": "bearer", "scope": "user"}
        return says(token)
    assert (request.method, request.path) == ("GET", "/api/v1/")
    logged_in(request)
    channel = {"id": 185270, "name": "alarms", "sourceNumber": OURS}
    return says({"currentCredit": 93.5, "invoicingType": "Prepaid", "channels": [channel]})


def accept(_sent: Sent, number: str) -> Reply:
    return says({"recipients": {"invalid": []}, "link": f"api/v1/messages/{number}"}, 201)


def receipt(number: str, name: str) -> Told:
    people: dict[str, object] = {ANNA: "2026-11-23T21:23:00+02:00"}
    if name == "delivering":
        people = {ANNA: {"deliveredCount": 0, "undeliveredCount": 0, "deliveringCount": 1}}
    report = {
        "event": "delivery",
        "delivery": {
            "isDelivered": name == "delivered",
            "smsCount": 1,
            "deliveredSmsCount": int(name == "delivered"),
            "recipients": {"delivered": {}, "undelivered": {}, "delivering": {}, name: people},
        },
        "links": {
            "message": f"/api/v1/messages/{number}",
            "replies": f"/api/v1/messages/{number}/replies",
        },
    }
    return told_json([report])


def inbound(text: str, key: str) -> Told:
    reply = {
        "id": key,
        "message": text,
        "sourceNumber": OURS,
        "received": "2026-11-23T21:23:00+02:00",
    }
    report = {
        "event": "reply",
        "reply": {"hasReplies": True, "repliesCount": 1, "recipients": {ANNA: [reply]}},
        "links": None,
    }
    return told_json([report])


CASE = Case(
    kind="gosms",
    keys={"account": "17994_x", "secret": "kept", "service": "185270"},
    judge=judge,
    accept=accept,
    is_send=lambda request: request.path == "/api/v1/messages/",
    other=other,
    refuses_us=says({"error": "access_denied", "error_description": "…"}, 401),
    to=ANNA,
    sender=OURS,
    refusals=[
        (
            says({"recipients": {"invalid": [ANNA]}, "link": "api/v1/messages/1"}, 201),
            Verdict.FAILED,
        ),
        (says({"title": "Validation Failed", "violations": []}, 400), Verdict.REJECTED),
        (says({"error": "access_denied"}, 401), Verdict.NOT_SENT),
    ],
    busy=says({}, 429, Retry_After="7"),
    doubts=[Reply(500), Reply(502, "<html>", "text/html"), says({})],
    receipt=receipt,
    states={
        "delivered": State.DELIVERED,
        "undelivered": State.FAILED,
    },
    inbound=inbound,
    number=lambda n: str(542141883 + n),
)
