"""LINK Mobility: its documents "SMS REST API, MT and Delivery Reports" 1.6 and "MO messages"."""

from __future__ import annotations

import base64

import jsonschema

from bridge.model import State, Verdict
from tests.http_cases import ANNA, OURS, Case, Reply, Seen, Sent, Told, says, told_json

USER, PASSWORD = "acme", "correct horse"
PLATFORM, PARTNER, GATE = "COMMON_API", "12345", "BVldZyQt"

#: The parameters of /sms/send that a free message has.
MESSAGE = {
    "type": "object",
    "required": ["source", "destination", "userData", "platformId", "platformPartnerId"],
    "additionalProperties": False,
    "properties": {
        "source": {"type": "string", "minLength": 1},
        "sourceTON": {"enum": ["SHORTNUMBER", "ALPHANUMERIC", "MSISDN"]},
        "destination": {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$"},
        "destinationTON": {"enum": ["SHORTNUMBER", "ALPHANUMERIC", "MSISDN"]},
        "dcs": {"enum": ["GSM", "BINARY", "UCS2", "TEXT"]},
        "userData": {"type": "string", "minLength": 1},
        "useDeliveryReport": {"type": "boolean"},
        "deliveryReportGates": {"type": "array", "items": {"type": "string"}},
        "relativeValidityTime": {"type": "integer", "minimum": 1, "maximum": 172_800_000},
        "platformId": {"const": PLATFORM},
        "platformPartnerId": {"const": PARTNER},
        "refId": {"type": "string"},
        "ignoreResponse": {"const": False},
    },
}

REFERENCES: list[str] = []


def logged_in(request: Seen) -> None:
    given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert given == f"{USER}:{PASSWORD}"


def judge(request: Seen) -> Sent:
    assert (request.method, request.path, request.query) == ("POST", "/sms/send", "")
    logged_in(request)
    said = request.json()
    jsonschema.validate(said, MESSAGE)
    assert all(ord(char) <= 0xFFFF for char in said["userData"]), "4-byte characters"
    assert said["sourceTON"] != "MSISDN" or said["source"].startswith("+")
    # Without a gate to report to, no report may be asked for.
    assert said["useDeliveryReport"] == (said.get("deliveryReportGates") == [GATE])
    REFERENCES.append(said["refId"])
    return Sent(said["destination"], said["userData"], said["source"])


def accept(_sent: Sent, _number: str) -> Reply:
    said = {
        "messageId": "Dcshuhod0PMAAAFQ+/PbnR3x",
        "resultCode": 1005,
        "description": "Queued",
    }
    return says(said)


def other(request: Seen) -> Reply:
    """There is no other request: a message without anything lacks its platformId."""
    logged_in(request)
    assert request.json() == {}
    return result(106200, 400)


def result(code: int, status: int = 200) -> Reply:
    return says({"resultCode": code, "description": "…"}, status)


def receipt(number: str, code: str) -> Told:
    report = {
        "refId": number,
        "id": "Dcshuhod0PMAAAFQ+/PbnR3x",
        "operator": "no.telenor",
        "sentTimestamp": "2026-11-23T09:37:35Z",
        "timestamp": "2026-11-23T09:37:36Z",
        "resultCode": int(code) if code.isascii() and code.isdigit() and len(code) < 9 else code,
        "operatorResultCode": "2",
        "segments": 1,
        "gateCustomParameters": {},
        "customParameters": {"received": "2026-11-23 10:37:36"},
    }
    return told_json(report)


def inbound(text: str, number: str) -> Told:
    mo = {
        "destination": OURS,
        "subNumber": None,
        "source": ANNA,
        "content": {"type": "SMS", "userData": text, "encoding": "TEXT"},
        "operator": "no.telenor",
        "timestamp": "2026-11-23T14:28:40Z",
        "messageId": number,
        "operatorTimestamp": "2026-11-23T14:28:40Z",
        "operatorMessageId": "0",
        "route": {"type": "KEYWORD_ROUTE", "id": "0", "number": "NO-2333", "keyword": "BCLT"},
        "gateCustomParameters": {},
        "customParameters": {},
    }
    return told_json(mo)


def number(n: int) -> str:
    """What we called the newest; the 99th is of a message that never left."""
    return REFERENCES[-1] if n < 99 else "0000000000099"


CASE = Case(
    kind="linkmobility",
    keys={
        "account": USER,
        "secret": PASSWORD,
        "platform": PLATFORM,
        "partner": PARTNER,
        "gate": GATE,
    },
    judge=judge,
    accept=accept,
    is_send=lambda request: request.json() != {},
    other=other,
    refuses_us=result(106100, 401),
    to=ANNA,
    sender=OURS,
    refusals=[
        (result(2104), Verdict.FAILED),
        (result(2106), Verdict.FAILED),
        (result(4001), Verdict.REJECTED),
        (result(2), Verdict.REJECTED),
        (result(1), Verdict.THROTTLED),
        (result(3), Verdict.THROTTLED),
        (result(106100, 401), Verdict.NOT_SENT),
        (result(106101, 403), Verdict.NOT_SENT),
        (result(106200, 400), Verdict.NOT_SENT),
        (result(106202, 400), Verdict.REJECTED),
        (Reply(400), Verdict.REJECTED),
        (Reply(401), Verdict.NOT_SENT),
    ],
    busy=Reply(429),
    doubts=[Reply(500), Reply(502, "<html>"), Reply(204), result(106000, 400), result(4)],
    receipt=receipt,
    states={
        "1000": State.SENT,
        "1011": State.SENT,
        "1001": State.DELIVERED,
        "1007": State.DELIVERED,
        "1002": State.EXPIRED,
        "1004": State.FAILED,
        "1006": State.FAILED,
        "1010": State.UNKNOWN,
        "2104": State.FAILED,
        "4": State.UNKNOWN,
    },
    inbound=inbound,
    number=number,
    unicode="Příliš žluťoučký kůň ☎",
)
