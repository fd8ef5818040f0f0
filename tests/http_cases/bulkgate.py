"""BulkGate: help.bulkgate.com/docs/en, http-simple-transactional (and -post-json), api-error-types,
http-simple-check-credit-balance, http-api-bulk-delivery-confirmations-and-incoming-sms.
"""

from __future__ import annotations

import jsonschema

from bridge.model import State, Verdict
from tests.http_cases import ANNA, OURS, Case, Reply, Seen, Sent, Told, says, told_json

API = "/api/1.0/simple"
LOGIN = {
    "application_id": {"const": "12345"},
    "application_token": {"const": "kept"},
}
TRANSACTIONAL = {
    "type": "object",
    "required": ["application_id", "application_token", "number", "text"],
    "additionalProperties": False,
    "properties": {
        **LOGIN,
        "number": {"type": "string", "pattern": r"^[1-9]\d{6,14}$"},
        "text": {"type": "string", "minLength": 1, "maxLength": 612},
        "unicode": {"type": "boolean"},
        "sender_id": {"enum": ["gSystem", "gShort", "gText", "gOwn", "gProfile"]},
        "sender_id_value": {"type": "string", "minLength": 1},
    },
    "if": {"properties": {"unicode": {"const": True}}},
    "then": {"properties": {"text": {"maxLength": 268}}},
}


def judge(request: Seen) -> Sent:
    assert (request.method, request.path) == ("POST", f"{API}/transactional")
    said = request.json()
    jsonschema.validate(said, TRANSACTIONAL)
    sender = said.get("sender_id_value", "")
    return Sent(said["number"], said["text"], sender, ucs2=said["unicode"])


def accept(sent: Sent, sms_id: str) -> Reply:
    data = {
        "status": "accepted",
        "sms_id": sms_id,
        "price": 0.02,
        "credit": 215.8138,
        "number": sent.to,
    }
    return says({"data": data})


def other(request: Seen) -> Reply:
    assert (request.method, request.path) == ("POST", f"{API}/info")
    jsonschema.validate(request.json(), {"properties": LOGIN, "required": list(LOGIN)})
    data = {"wallet": "bg1805151838000001", "credit": 215.8138, "currency": "credits"}
    return says({"data": data})


def error(kind: str, status: int = 400) -> Reply:
    return says({"type": kind, "code": status, "error": "…", "detail": None}, status)


def receipt(sms_id: str, status: str) -> Told:
    one = {
        "status": status,
        "smsID": sms_id,
        "to": ANNA.lstrip("+"),
        "price": "0.71",
        "date": "1904111007;1904111011",
    }
    return told_json([one])


def inbound(text: str, key: str) -> Told:
    one = {
        "status": "10",
        "from": ANNA.lstrip("+"),
        "to": OURS.lstrip("+"),
        "message": text,
        "date": key,
    }
    return told_json([one])


CASE = Case(
    kind="bulkgate",
    keys={"account": "12345", "secret": "kept"},
    judge=judge,
    accept=accept,
    is_send=lambda request: request.path.endswith("/transactional"),
    other=other,
    refuses_us=says({"error": "authentication_failed", "code": 401}, 401),
    to=ANNA.lstrip("+"),
    sender=OURS.lstrip("+"),
    refusals=[
        (error("invalid_phone_number"), Verdict.FAILED),
        (error("blacklisted_number"), Verdict.OPTED_OUT),
        (error("invalid_numeric_sender"), Verdict.REJECTED),
        (error("unknown_identity", 401), Verdict.NOT_SENT),
        (error("banned", 403), Verdict.NOT_SENT),
        (error("low_credit"), Verdict.NOT_SENT),
        (error("unknown_action"), Verdict.REJECTED),
    ],
    busy=says({}, 429, Retry_After="7"),
    doubts=[error("unknown", 500), Reply(502, "<html>", "text/html"), says({"data": {}})],
    receipt=receipt,
    states={"1": State.DELIVERED, "2": State.SENT, "3": State.FAILED},
    inbound=inbound,
)
