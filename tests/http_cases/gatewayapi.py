"""GatewayAPI: gatewayapi.com/docs/apis/rest/, /docs/authentication, /docs/webhooks, and the error
code index of the provider's documentation files.
"""

from __future__ import annotations

import jsonschema
import jwt

from bridge.model import State, Verdict
from tests.http_cases import ANNA, OURS, Case, Reply, Seen, Sent, Told, says, told_json

TOKEN = "hM-3pgVuIoqB0HyCOINxduwZWQ"
SECRET = "the webhook's own token, long enough for SHA-256"

#: A message of /rest/mtsms, for one recipient.
MESSAGE = {
    "type": "object",
    "required": ["message", "recipients"],
    "additionalProperties": False,
    "properties": {
        "message": {"type": "string", "minLength": 1},
        "sender": {"type": "string", "pattern": r"^([0-9]{1,15}|.{1,11})$"},
        "userref": {"type": "string"},
        "validity_period": {"type": "integer", "minimum": 1},
        "encoding": {"enum": ["UTF8", "UCS2"]},
        "callback_url": {"type": "string"},
        "recipients": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["msisdn"],
                "additionalProperties": False,
                "properties": {"msisdn": {"type": "integer", "minimum": 1_000_000}},
            },
        },
    },
}

REFERENCES: list[str] = []


def logged_in(request: Seen) -> None:
    assert request.headers["authorization"] == f"Token {TOKEN}"


def judge(request: Seen) -> Sent:
    assert (request.method, request.path, request.query) == ("POST", "/rest/mtsms", "")
    logged_in(request)
    said = request.json()
    jsonschema.validate(said, MESSAGE)
    REFERENCES.append(said["userref"])
    return Sent(
        str(said["recipients"][0]["msisdn"]),
        said["message"],
        said.get("sender", ""),
        receipts_to=said.get("callback_url", ""),
        ucs2=said["encoding"] == "UCS2",
    )


def accept(_sent: Sent, _number: str) -> Reply:
    usage = {"countries": {"CZ": 1}, "currency": "DKK", "total_cost": 0.12}
    return says({"ids": [421332671], "usage": usage})


def other(request: Seen) -> Reply:
    assert (request.method, request.path) == ("GET", "/rest/me")
    logged_in(request)
    return says({"credit": 1234.56, "currency": "DKK", "id": 1})


def error(code: str, status: int = 400) -> Reply:
    said = {
        "code": code,
        "incident_uuid": "d8127429-fa0c-4316-b1f2-e610c3958f43",
        "message": "…: %1",
        "variables": [ANNA],
    }
    return says({name: value for name, value in said.items() if value}, status)


def receipt(number: str, state: str) -> Told:
    status = {
        "id": 1000001,
        "msisdn": 420601123456,
        "time": 1795424400,
        "status": state,
        "userref": number,
    }
    return told_json(status)


def inbound(text: str, number: str) -> Told:
    mo = {
        "id": number,
        "msisdn": 420601123456,
        "receiver": int(OURS.removeprefix("+")),
        "message": text,
        "senttime": 1795424400,
        "webhook_label": "test",
    }
    return told_json(mo)


def sign(told: Told, _url: str) -> Told:
    """A JSON Web Token of the same content, by a library that we do not use."""
    token = jwt.api_jws.encode(told.body, SECRET, "HS256", {"typ": "JWT"})
    headers = {**told.headers, "X-Gwapi-Signature": token}
    return Told(told.body, told.content_type, told.query, told.method, headers)


def number(n: int) -> str:
    """What we called the newest; the 99th is of a message that never left."""
    return REFERENCES[-1] if n < 99 else "0000000000099"


CASE = Case(
    kind="gatewayapi",
    keys={"key": TOKEN, "signing_secret": SECRET},
    judge=judge,
    accept=accept,
    is_send=lambda request: request.path == "/rest/mtsms",
    other=other,
    refuses_us=error("0x0223", 401),
    to=ANNA.removeprefix("+"),
    sender=OURS.removeprefix("+"),
    refusals=[
        (error("0x0215", 403), Verdict.FAILED),
        (error("0x0214", 403), Verdict.REJECTED),
        (error("0x0217", 403), Verdict.REJECTED),
        (error("0x0222"), Verdict.REJECTED),
        (error("0x0308"), Verdict.REJECTED),
        (error("0x0213", 403), Verdict.NOT_SENT),
        (error("0x0216", 403), Verdict.NOT_SENT),
        (error("0x0309", 500), Verdict.THROTTLED),
        (error("", 401), Verdict.NOT_SENT),
        (error("", 403), Verdict.REJECTED),
        (error("", 422), Verdict.REJECTED),
    ],
    busy=Reply(429),
    doubts=[error("", 500), error("0x0301", 500), Reply(502, "<html>"), says({"ids": []})],
    receipt=receipt,
    states={
        "SCHEDULED": State.SENT,
        "BUFFERED": State.SENT,
        "ENROUTE": State.SENT,
        "ACCEPTED": State.SENT,
        "DELIVERED": State.DELIVERED,
        "EXPIRED": State.EXPIRED,
        "DELETED": State.FAILED,
        "UNDELIVERABLE": State.FAILED,
        "REJECTED": State.FAILED,
        "SKIPPED": State.FAILED,
    },
    inbound=inbound,
    sign=sign,
    number=number,
)
