"""Vonage's SMS API: Nexmo/api-specification definitions/sms.yml, and the guides that it names."""

from __future__ import annotations

import base64
import itertools
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jsonschema
from vonage_http_client.auth import Auth

from bridge.model import State, Verdict
from bridge.segments import segment
from tests.http_cases import Case, Records, Reply, Seen, Sent, Told, says, told_form, told_json

KEY, SECRET, SIGNING = "abcd1234", "abcdef0123456789", "0123456789abcdef0123456789abcdef"
ANNA, OURS = "420601123456", "420601000000"
PARTS = itertools.count(1)

#: Schema NewMessage, as far as these may stand here.
NEW_MESSAGE = {
    "type": "object",
    "required": ["api_key", "api_secret", "from", "to", "text"],
    "additionalProperties": False,
    "properties": {
        "api_key": {"type": "string", "minLength": 8, "maxLength": 8},
        "api_secret": {"type": "string", "minLength": 6, "maxLength": 32},
        "from": {"type": "string", "pattern": r"^(\d{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 &._-]{1,11})$"},
        "to": {"type": "string", "pattern": r"^\d{7,15}$"},
        "text": {"type": "string", "minLength": 1},
        "type": {"enum": ["text", "binary", "unicode"]},
        "ttl": {"type": "string", "pattern": "^[0-9]+$"},
        "status-report-req": {"enum": ["true", "false"]},
        "callback": {"type": "string", "pattern": "^https?://", "maxLength": 100},
        "client-ref": {"type": "string", "maxLength": 100},
    },
}


def judge(request: Seen) -> Sent:
    assert (request.method, request.path) == ("POST", "/sms/json")
    said = request.form()
    jsonschema.validate(said, NEW_MESSAGE)
    assert (said["api_key"], said["api_secret"]) == (KEY, SECRET)
    assert 20_000 <= int(said.get("ttl", "259200000")) <= 604_800_000
    ucs2 = said.get("type", "text") == "unicode"
    # "If your message contains characters outside this range, then you will need `unicode`".
    assert ucs2 == (segment(said["text"]).encoding == "ucs2")
    return Sent(
        said["to"], said["text"], said["from"], receipts_to=said.get("callback", ""), ucs2=ucs2
    )


#: Schema RedactTransaction of definitions/redact.yml, for SMS.
REDACT_TRANSACTION = {
    "type": "object",
    "required": ["id", "product", "type"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "product": {"enum": ["sms"]},
        "type": {"enum": ["inbound", "outbound"]},
    },
}


def accept(sent: Sent, number: str) -> Reply:
    """One message object for each part."""
    parts = len(segment(sent.text).parts)
    ids = [number, *(f"0D{next(PARTS):014X}" for _ in range(parts - 1))]
    messages = [
        {
            "to": sent.to,
            "message-id": each,
            "status": "0",
            "remaining-balance": "3.14159265",
            "message-price": "0.03330000",
            "network": "23001",
        }
        for each in ids
    ]
    return says({"message-count": str(parts), "messages": messages})


def logged_in(request: Seen) -> None:
    given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert given == f"{KEY}:{SECRET}"


def other(request: Seen) -> Reply:
    assert (request.method, request.path) == ("GET", "/account/get-balance")
    logged_in(request)
    return says({"value": 10.28, "autoReload": False})


def error(status: int) -> Reply:
    return says({"message-count": "1", "messages": [{"status": str(status), "error-text": "…"}]})


def receipt(number: str, state: str, code: str = "0") -> Told:
    return told_form(
        {
            "msisdn": ANNA,
            "to": OURS,
            "network-code": "23001",
            "messageId": number,
            "price": "0.03330000",
            "status": state,
            "scts": "2611231400",
            "err-code": code,
            "api-key": KEY,
            "message-timestamp": "2026-11-23 14:00:00",
            "timestamp": "1795442400",
            "nonce": "ec11dd3e-1e7f-4db5-9467-82b02cd223b9",
        },
        # The account's HTTP method for webhooks may be GET.
        "GET",
    )


def inbound(text: str, number: str, **more: str) -> Told:
    fields = {
        "api-key": KEY,
        "msisdn": ANNA,
        "to": OURS,
        "messageId": number,
        "text": text,
        "type": "unicode" if not text.isascii() else "text",
        "keyword": (text.split() or [""])[0].upper(),
        "message-timestamp": "2026-11-23 14:00:00",
        "timestamp": "1795442400",
        "nonce": "ec11dd3e-1e7f-4db5-9467-82b02cd223b9",
    }
    return told_json(fields | more)


def sign(told: Told, _url: str) -> Told:
    """As the official library computes it, with SHA-256 HMAC."""
    auth = Auth(api_key=KEY, signature_secret=SIGNING, signature_method="sha256")
    is_json = told.content_type == "application/json"
    try:
        said: Any = (
            json.loads(told.body)
            if is_json
            else dict(parse_qsl(told.query or told.body.decode(), keep_blank_values=True))
        )
    except (ValueError, RecursionError):
        return told
    if not isinstance(said, dict) or not said:
        return told
    said["sig"] = auth.sign_params(said).upper()
    if told.query:
        return Told(b"", "", urlencode(said), told.method, told.headers)
    body = json.dumps(said) if is_json else urlencode(said)
    return Told(body.encode(), told.content_type, "", told.method, told.headers)


CASE = Case(
    kind="vonage",
    keys={
        "key": KEY,
        "secret": SECRET,
        "signing_secret": SIGNING,
        "signing_method": "sha256",
    },
    judge=judge,
    accept=accept,
    is_send=lambda request: request.path == "/sms/json",
    other=other,
    refuses_us=says({"error-code": "401", "error-code-label": "authentication failed"}, 401),
    to=ANNA,
    sender=OURS,
    refusals=[
        (error(3), Verdict.REJECTED),
        (error(4), Verdict.NOT_SENT),
        (error(6), Verdict.FAILED),
        (error(7), Verdict.FAILED),
        (error(9), Verdict.NOT_SENT),
        (error(10), Verdict.THROTTLED),
        (error(15), Verdict.REJECTED),
        (error(99), Verdict.REJECTED),
    ],
    busy=error(1),
    doubts=[error(5), Reply(500), Reply(502, "<html>", "text/html"), says({"messages": []})],
    receipt=receipt,
    states={
        "accepted": State.SENT,
        "buffered": State.SENT,
        "delivered": State.DELIVERED,
        "expired": State.EXPIRED,
        "failed": State.FAILED,
        "rejected": State.FAILED,
        "unknown": State.UNKNOWN,
    },
    inbound=inbound,
    opt_outs=[("receipt", receipt("0A0000000123ABCD", "failed", "9"))],
    sign=sign,
    number=lambda n: f"0A{n:014X}",
)


def with_records(records: Records) -> Case:
    """The provider with its records of SMS, which the account may redact (redact-message)."""

    def taken(sent: Sent, number: str) -> Reply:
        reply = accept(sent, number)
        records.kept |= {(m["message-id"], "outbound") for m in json.loads(reply.body)["messages"]}
        return reply

    def both(request: Seen) -> Reply:
        if request.path != "/v1/redact/transaction":
            return other(request)
        assert request.method == "POST"
        logged_in(request)
        said = request.json()
        jsonschema.validate(said, REDACT_TRANSACTION)
        return records.ask((said["id"], said["type"]), problem("invalid-id", 404))

    return replace(CASE, accept=taken, other=both)


def problem(code: str, status: int, **headers: str) -> Reply:
    """How the Redact API refuses: some codes are its own, the others those of all APIs."""
    own = "/redact" if code in ("invalid-product", "premature-redaction", "rate-limit") else ""
    said = {
        "type": f"https://developer.vonage.com/api-errors{own}#{code}",
        "title": "…",
        "detail": "…",
        "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
    }
    reply = says(said, status, **headers)
    return replace(reply, content_type="application/problem+json")


#: It says so in another form than the others.
UNAUTHORIZED = says({"type": "UNAUTHORIZED", "error_title": "Unauthorized"}, 401)
