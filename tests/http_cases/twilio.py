"""Twilio: twilio/twilio-oai spec/json/twilio_api_v2010.json (CreateMessage), docs/api/errors,
docs/messaging/guides/webhook-request and …/outbound-message-status-in-status-callbacks.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from urllib.parse import parse_qsl

import jsonschema
from twilio.request_validator import RequestValidator

from bridge.model import State, Verdict
from tests.http_cases import (
    ANNA,
    OURS,
    Case,
    Records,
    Reply,
    Seen,
    Sent,
    Told,
    says,
    told_form,
)

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "0123456789abcdef0123456789abcdef"
PATH = f"/2010-04-01/Accounts/{ACCOUNT}"

#: The parameters of CreateMessage that may stand here, by their description.
CREATE_MESSAGE = {
    "type": "object",
    "required": ["To", "Body"],
    "anyOf": [{"required": ["From"]}, {"required": ["MessagingServiceSid"]}],
    "additionalProperties": False,
    "properties": {
        "To": {"type": "string", "pattern": r"^\+[1-9]\d{6,14}$"},
        "From": {
            "type": "string",
            "pattern": r"^(\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 &._-]{1,11})$",
        },
        "MessagingServiceSid": {"type": "string", "pattern": "^MG[0-9a-fA-F]{32}$"},
        "Body": {"type": "string", "minLength": 1, "maxLength": 1600},
        "StatusCallback": {"type": "string", "pattern": "^https?://[^_/]+/"},
        "ValidityPeriod": {"type": "string", "pattern": "^[1-9][0-9]{0,4}$"},
    },
}


def judge(request: Seen) -> Sent:
    assert request.method == "POST"
    assert request.path == f"{PATH}/Messages.json"
    logged_in(request)
    said = request.form()
    jsonschema.validate(said, CREATE_MESSAGE)
    assert 1 <= int(said.get("ValidityPeriod", "1")) <= 36_000
    return Sent(
        said["To"], said["Body"], said.get("From", ""), receipts_to=said.get("StatusCallback", "")
    )


def logged_in(request: Seen) -> None:
    given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert given == f"{ACCOUNT}:{TOKEN}"


def accept(sent: Sent, sid: str) -> Reply:
    message = {
        "account_sid": ACCOUNT,
        "api_version": "2010-04-01",
        "body": sent.text,
        "date_created": "Mon, 23 Nov 2026 20:12:31 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": sent.sender,
        "num_segments": "1",
        "sid": sid,
        "status": "queued",
        "to": sent.to,
    }
    return says(message, 201)


def other(request: Seen) -> Reply:
    assert (request.method, request.path) == ("GET", f"{PATH}.json")
    logged_in(request)
    return says({"sid": ACCOUNT, "status": "active", "type": "Full"})


def error(code: int, status: int = 400, **headers: str) -> Reply:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return says(
        {"code": code, "message": "…", "more_info": more, "status": status}, status, **headers
    )


def receipt(sid: str, state: str, code: str = "") -> Told:
    fields = {
        "SmsSid": sid,
        "SmsStatus": state,
        "MessageStatus": state,
        "To": ANNA,
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "From": OURS,
        "ApiVersion": "2010-04-01",
    }
    return told_form(fields | ({"ErrorCode": code} if code else {}))


def inbound(text: str, sid: str, **more: str) -> Told:
    fields = {
        "ToCountry": "CZ",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "SmsSid": sid,
        "SmsStatus": "received",
        "Body": text,
        "To": OURS,
        "NumSegments": "1",
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "From": ANNA,
        "ApiVersion": "2010-04-01",
    }
    return told_form(fields | more)


def sign(told: Told, url: str) -> Told:
    """As the official library computes it."""
    said = dict(parse_qsl(told.body.decode(), keep_blank_values=True))
    signature = RequestValidator(TOKEN).compute_signature(url, said)
    headers = {**told.headers, "X-Twilio-Signature": signature}
    return Told(told.body, told.content_type, told.query, told.method, headers)


CASE = Case(
    kind="twilio",
    keys={"account": ACCOUNT, "secret": TOKEN},
    judge=judge,
    accept=accept,
    is_send=lambda request: request.path.endswith("/Messages.json"),
    other=other,
    refuses_us=error(20003, 401),
    to=ANNA,
    sender=OURS,
    refusals=[
        (error(21211), Verdict.FAILED),
        (error(21614), Verdict.FAILED),
        (error(21212), Verdict.REJECTED),
        (error(21408, 403), Verdict.REJECTED),
        (error(21610), Verdict.OPTED_OUT),
        (error(21611, 429), Verdict.THROTTLED),
        (error(20003, 401), Verdict.NOT_SENT),
        (error(20404, 404), Verdict.REJECTED),
        (error(21635), Verdict.FAILED),
        (error(21657), Verdict.REJECTED),
        (error(21704), Verdict.REJECTED),
        (error(63038, 429), Verdict.THROTTLED),
        (error(99999), Verdict.REJECTED),
    ],
    busy=error(20429, 429, Retry_After="7"),
    doubts=[error(20500, 500), Reply(502, "<html>Bad gateway</html>", "text/html"), Reply(504)],
    receipt=receipt,
    states={
        "queued": State.SENT,
        "sending": State.SENT,
        "sent": State.SENT,
        "delivered": State.DELIVERED,
        "undelivered": State.FAILED,
        "failed": State.FAILED,
        "canceled": State.FAILED,
    },
    inbound=inbound,
    opt_outs=[
        ("receipt", receipt("SM" + "0" * 31 + "9", "failed", "21610")),
        ("inbound", inbound("nechci", "SM" + "0" * 31 + "8", OptOutType="STOP")),
    ],
    sign=sign,
    number=lambda n: f"SM{n:032x}",
)


def with_records(records: Records) -> Case:
    """The provider with its records of SMS, which the account may delete (DeleteMessage).

    A SID says nothing of the way that a message went.
    """

    def taken(sent: Sent, sid: str) -> Reply:
        reply = accept(sent, sid)
        records.kept.add((json.loads(reply.body)["sid"], ""))
        return reply

    def both(request: Seen) -> Reply:
        found = re.fullmatch(rf"{PATH}/Messages/((?:SM|MM)[0-9a-fA-F]{{32}})\.json", request.path)
        if found is None:
            return other(request)
        assert (request.method, request.body, request.query) == ("DELETE", b"", "")
        logged_in(request)
        return records.ask((found[1], ""), error(20404, 404))

    return replace(CASE, accept=taken, other=both)
