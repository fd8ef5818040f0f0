"""Kannel 1.4.5 User's Guide: tables 7-10, 7-11, 7-16 and 7-17, chapter 10."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from bridge.model import State, Verdict
from tests.http_cases import ANNA, OURS, Case, Reply, Seen, Sent, Told, told_form

PARAMETERS = {
    *("username", "password", "from", "to", "udh", "smsc", "coding", "validity", "priority"),
    *("dlr-mask", "dlr-url"),
}
#: The default of sendsms-chars.
CHARS = set("0123456789 +-")


def judge(request: Seen) -> Sent:
    assert (request.method, request.path) == ("POST", "/cgi-bin/sendsms")
    said = parameters(request)
    assert said["to"]
    assert set(said["to"]) <= CHARS
    kind, _, charset = request.headers["content-type"].partition("; charset=")
    assert (kind, charset) == ("text/plain", "UTF-8")
    assert said["coding"] in ("0", "2")
    assert int(said.get("validity", "1")) > 0
    assert 0 <= int(said.get("priority", "0")) <= 3
    header = bytes.fromhex(said.get("udh", ""))
    assert not header or header[:3] == b"\5\0\3"
    text = request.body.decode()
    room = 140 - len(header)
    assert said["coding"] == "0" or len(text.encode("utf-16-be")) <= room
    url = said.get("dlr-url", "")
    assert bool(url) == ("dlr-mask" in said)
    if url:
        assert said["dlr-mask"] == "31"
    asked = parse_qs(urlsplit(url).query)
    return Sent(
        said["to"],
        text,
        said.get("from", ""),
        receipts_to=url.partition("?")[0],
        ucs2=said["coding"] == "2",
        id=asked["id"][0] if url else "",
    )


def parameters(request: Seen) -> dict[str, str]:
    """The X-Kannel headers by the names of the parameters that they stand for."""
    named = {
        name.removeprefix("x-kannel-"): value
        for name, value in request.headers.items()
        if name.startswith("x-kannel-")
    }
    assert set(named) <= PARAMETERS, set(named) - PARAMETERS
    assert (named["username"], named["password"]) == ("bridge", "kept")
    return named


def other(request: Seen) -> Reply:
    parameters(request)
    return text("Empty receiver number not allowed, rejected", 400)


def text(body: str, status: int) -> Reply:
    return Reply(status, body, "text/html")


def receipt(attempt: str, told: str, answer: str = "") -> Told:
    fields = {"id": attempt, "type": told, "at": "1795422907", "answer": answer}
    return told_form(fields, "GET")


def inbound(said: str, key: str) -> Told:
    fields = {
        "from": ANNA,
        "to": OURS,
        "data": said.encode("utf-16-be").hex().upper(),
        "charset": "UTF-16BE",
        "id": key,
    }
    return told_form(fields, "GET")


CASE = Case(
    kind="kannel",
    keys={"account": "bridge", "secret": "kept"},
    judge=judge,
    accept=lambda _sent, _id: text("0: Accepted for delivery", 202),
    is_send=lambda request: "x-kannel-to" in request.headers,
    other=other,
    refuses_us=text("Authorization failed for sendsms", 403),
    to=ANNA,
    sender=OURS,
    refusals=[
        (text("Authorization failed for sendsms", 403), Verdict.NOT_SENT),
        (
            text("Number(s) has/have been denied by white- and/or black-lists.", 400),
            Verdict.REJECTED,
        ),
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
