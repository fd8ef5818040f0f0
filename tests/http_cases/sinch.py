"""Sinch: developers.sinch.com/docs/sms/api-reference (batches, delivery reports, inbounds, webhooks,
status codes), the provider's documentation files, and the schemas of its own SDKs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

import jsonschema

from bridge.model import State, Verdict
from tests.http_cases import ANNA, OURS, Case, Reply, Seen, Sent, Told, says, told_json

PLAN = "jd63jf88477ll123ab4567cd89012ef3"
TOKEN = "0123456789abcdef0123456789abcdef"
SECRET = "foo_secret1234"
PATH = f"/xms/v1/{PLAN}/batches"

#: TextRequest, for a batch of one.
BATCH = {
    "type": "object",
    "required": ["to", "body"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "mt_text"},
        "to": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {"type": "string", "pattern": r"^\+?[1-9][0-9]{6,14}$"},
        },
        "from": {"type": "string", "pattern": r"^([0-9]{3,15}|[A-Za-z0-9 ._&-]{1,11})$"},
        "body": {"type": "string", "minLength": 1, "maxLength": 2000},
        "delivery_report": {
            "enum": ["none", "summary", "full", "per_recipient", "per_recipient_final"]
        },
        "expire_at": {
            "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
        },
        "callback_url": {"type": "string", "maxLength": 2048},
        "client_reference": {"type": "string", "maxLength": 2048},
    },
}

REFERENCES: list[str] = []


def logged_in(request: Seen) -> None:
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


def judge(request: Seen) -> Sent:
    assert (request.method, request.path, request.query) == ("POST", PATH, "")
    logged_in(request)
    said = request.json()
    jsonschema.validate(said, BATCH)
    assert "${" not in said["body"], "a parameter without a value fails the message"
    ends = datetime.fromisoformat(said["expire_at"]).timestamp()
    assert ends - datetime.now().timestamp() <= 3 * 86_400  # noqa: DTZ005
    assert ("callback_url" in said) == ("delivery_report" in said)
    REFERENCES.append(said["client_reference"])
    (to,) = said["to"]
    return Sent(to, said["body"], said.get("from", ""), receipts_to=said.get("callback_url", ""))


def accept(sent: Sent, number: str) -> Reply:
    batch = {
        "id": "01FC66621XXXXX119Z8PMV1QPQ",
        "to": [sent.to],
        "from": sent.sender,
        "body": sent.text,
        "type": "mt_text",
        "client_reference": number,
        "canceled": False,
        "created_at": "2026-11-23T09:00:00.000Z",
        "modified_at": "2026-11-23T09:00:00.000Z",
    }
    return says(batch, 201)


def other(request: Seen) -> Reply:
    assert (request.method, request.path) == ("GET", PATH)
    logged_in(request)
    return says({"page": 0, "page_size": 0, "count": 0, "batches": []})


def error(code: str, status: int) -> Reply:
    return says({"code": code, "text": "…"}, status)


def receipt(number: str, state: str, code: int = 0) -> Told:
    report = {
        "type": "recipient_delivery_report_sms",
        "batch_id": "01FC66621XXXXX119Z8PMV1QPQ",
        "recipient": ANNA.removeprefix("+"),
        "code": code,
        "status": state,
        "at": "2026-11-23T09:00:02.542Z",
        "operator_status_at": "2026-11-23T09:00:02.101Z",
        "client_reference": number,
    }
    return told_json(report)


def inbound(text: str, number: str) -> Told:
    mo = {
        "type": "mo_text",
        "id": number,
        "from": ANNA.removeprefix("+"),
        "to": OURS.removeprefix("+"),
        "body": text,
        "operator_id": "23001",
        "received_at": "2026-11-23T09:00:00.000Z",
    }
    return told_json(mo)


def sign(told: Told, _url: str) -> Told:
    """Base64 of HMAC-SHA256 over body, nonce and timestamp, as the provider's own SDKs check it."""
    nonce, stamp = "01FJA8B4A7BM43YGWSG9GBV067", "1634579353"
    signed = told.body + f".{nonce}.{stamp}".encode()
    signature = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    headers = {
        **told.headers,
        "X-Sinch-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Sinch-Webhook-Signature-Nonce": nonce,
        "X-Sinch-Webhook-Signature-Timestamp": stamp,
        "X-Sinch-Webhook-Signature-Algorithm": "HmacSHA256",
    }
    return Told(told.body, told.content_type, told.query, told.method, headers)


def number(n: int) -> str:
    """What we called the newest; the 99th is of a message that never left."""
    return REFERENCES[-1] if n < 99 else "0000000000099"


CASE = Case(
    kind="sinch",
    keys={"account": PLAN, "key": TOKEN, "signing_secret": SECRET},
    judge=judge,
    accept=accept,
    is_send=lambda request: request.method == "POST",
    other=other,
    refuses_us=Reply(401, "", "text/plain"),
    to=ANNA.removeprefix("+"),
    sender=OURS.removeprefix("+"),
    refusals=[
        (error("syntax_invalid_parameter_format", 400), Verdict.REJECTED),
        (error("syntax_constraint_violation", 400), Verdict.REJECTED),
        (error("unknown_campaign", 403), Verdict.REJECTED),
        (Reply(401), Verdict.NOT_SENT),
        (Reply(404), Verdict.NOT_SENT),
        (Reply(415), Verdict.REJECTED),
        (Reply(500), Verdict.THROTTLED),
        (Reply(503), Verdict.THROTTLED),
    ],
    busy=Reply(429),
    doubts=[Reply(502, "<html>", "text/html"), Reply(504), Reply(201, "")],
    receipt=receipt,
    states={
        "Queued": State.SENT,
        "Dispatched": State.SENT,
        "Delivered": State.DELIVERED,
        "DELIVERED": State.DELIVERED,
        "Aborted": State.FAILED,
        "Cancelled": State.FAILED,
        "Rejected": State.FAILED,
        "Deleted": State.FAILED,
        "Failed": State.FAILED,
        "Expired": State.EXPIRED,
        "Unknown": State.UNKNOWN,
    },
    inbound=inbound,
    sign=sign,
    number=number,
)
