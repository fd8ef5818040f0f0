"""Kannel's sendsms by a GET, wholly described in bridge.toml: User's Guide 1.4.5, tables 7-16 and 7-17
and chapter 10.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from bridge.model import State, Verdict
from tests.http_cases import ANNA, OURS, Case, Reply, Seen, Sent, Told, told_form

REQUEST = {
    "method": "GET",
    "url": "/cgi-bin/sendsms",
    "check": "/cgi-bin/sendsms?username={account}&password={secret}",
    "query": {
        "username": "{account}",
        "password": "{secret}",
        "from": "{from}",
        "to": "{to}",
        "text": "{text}",
        "charset": "UTF-8",
        "coding": "{encoding}",
        "validity": "{validity_minutes}",
        "dlr-mask": "31",
        "dlr-url": "{receipt_url}?id={id}&type=%d&at=%T",
    },
    "encodings": {"gsm7": "0", "ucs2": "2"},
}
ANSWER = {
    "success": [202],
    "errors": [
        {"status": 403, "verdict": "not-sent", "reason": "Kannel refuses our password"},
        {"status": 503, "verdict": "throttled", "reason": "Kannel has a fault for now"},
    ],
}
RECEIPT = {
    "id": "query:id",
    "state": "query:type",
    "time": "query:at",
    "states": {
        "1": "delivered",
        "2": "failed",
        "4": "sent",
        "8": "ignored",
        "16": "failed",
        "34": "expired",
    },
}
INBOUND = {"from": "query:from", "to": "query:to", "text": "query:text", "key": "query:id"}


def judge(request: Seen) -> Sent:
    assert (request.method, request.path, request.body) == ("GET", "/cgi-bin/sendsms", b"")
    said = request.fields()
    known = {"username", "password", "from", "to", "text", "charset", "coding", "validity"}
    assert set(said) <= known | {"dlr-mask", "dlr-url"}
    logged_in(said)
    assert said["charset"] == "UTF-8"
    assert set(said["to"]) <= set("0123456789 +-")
    assert int(said.get("validity", "1")) > 0
    url, _, asked = said.get("dlr-url", "").partition("?")
    assert not url or ("type=%d" in asked and said["dlr-mask"] == "31")
    named = parse_qs(urlsplit(f"?{asked}").query)
    return Sent(
        said["to"],
        said["text"],
        said.get("from", ""),
        receipts_to=url,
        ucs2={"0": False, "2": True}[said["coding"]],
        id=named["id"][0] if url else "",
    )


def logged_in(said: dict[str, str]) -> None:
    assert (said["username"], said["password"]) == ("bridge", "kept & safe")


def other(request: Seen) -> Reply:
    logged_in(request.fields())
    return text("Empty receiver number not allowed, rejected", 400)


def text(body: str, status: int) -> Reply:
    return Reply(status, body, "text/html")


def receipt(number: str, state: str) -> Told:
    return told_form({"id": number, "type": state, "at": "1795422907"}, "GET")


def inbound(said: str, key: str) -> Told:
    """get-url = "…/inbound?from=%p&to=%P&text=%b&id=%I", with charset = UTF-8."""
    return told_form({"from": ANNA, "to": OURS, "text": said, "id": key}, "GET")


CASE = Case(
    kind="http",
    keys={
        "account": "bridge",
        "secret": "kept & safe",
        "request": REQUEST,
        "answer": ANSWER,
        "receipt": RECEIPT,
        "inbound": INBOUND,
    },
    judge=judge,
    accept=lambda _sent, _id: text("0: Accepted for delivery", 202),
    is_send=lambda request: "to=" in request.query,
    other=other,
    refuses_us=text("Authorization failed for sendsms", 403),
    to=ANNA,
    sender=OURS,
    refusals=[
        (text("Authorization failed for sendsms", 403), Verdict.NOT_SENT),
        (text("Sender missing and no global set, rejected", 400), Verdict.REJECTED),
        (text("Temporal failure, try again later.", 503), Verdict.THROTTLED),
    ],
    busy=text("Temporal failure, try again later.", 503),
    doubts=[Reply(500), Reply(502), Reply(200, "?")],
    receipt=receipt,
    states={
        "1": State.DELIVERED,
        "2": State.FAILED,
        "4": State.SENT,
        "8": State.SENT,
        "16": State.FAILED,
        "34": State.EXPIRED,
    },
    inbound=inbound,
)
