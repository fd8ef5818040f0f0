"""What is particular to Kannel, BulkGate, GoSMS and SMSGate; the rest is in the contract suite."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from bridge.carriers.http import provider
from bridge.carriers.http.provider import Answer, Call, Callback, Heard, Provider, Unreadable
from bridge.errors import Misconfigured
from bridge.keyring import Keyring
from bridge.model import Part, State, Verdict
from bridge.settings import Carrier
from bridge.store.ids import show

ANNA, OURS = "+420601123456", "+420601000000"
NOW = 1_795_422_907.0


def account(kind: str, **keys: Any) -> Provider:
    values = {"name": "us", "kind": kind, "account": "a", "secret": "s", **keys}
    config = Carrier.model_validate(values, strict=False)
    return provider(config, Keyring(b"p" * 32), "https://sms.example")


def a_part(text: str = "Boiler 3 is cold", **more: Any) -> Part:
    values: dict[str, Any] = {
        "attempt": 7,
        "message": 8,
        "number": 1,
        "total": 1,
        "ref": 0,
        "destination": ANNA,
        "originator": "",
        "text": text,
        "encoding": "gsm7",
        "lang": "",
        "expires_at": None,
    }
    return Part(**(values | more))


def body(call: Call) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(call.body)
    return said


def got(query: dict[str, str], what: str = "receipt") -> Callback:
    return Callback(what, "GET", f"https://sms.example/x?{urlencode(query)}", {})


def posted(content: object) -> Callback:
    return Callback("receipt", "POST", "https://sms.example/x", {}, json.dumps(content).encode())


# -- Kannel ---------------------------------------------------------------------------------------


def kannel(**keys: Any) -> Provider:
    return account("kannel", **{"api_url": "http://127.0.0.1:13013", **keys})


def test_kannel_is_told_all_of_a_part() -> None:
    part = a_part(
        "part two", number=2, total=3, ref=0x2A, urgent=True, originator="ACME", expires_at=NOW + 61
    )
    call = kannel(service="main").request(part, NOW, "")
    assert (call.method, call.url) == ("POST", "http://127.0.0.1:13013/cgi-bin/sendsms")
    headers = dict(call.headers)
    url = headers.pop("X-Kannel-DLR-Url")
    assert url.startswith("https://sms.example/carriers/us/")
    assert url.endswith(f"/receipt?id={show(7)}&type=%d&at=%T&answer=%A")
    assert headers == {
        "X-Kannel-Username": "a",
        "X-Kannel-Password": "s",
        "X-Kannel-To": ANNA,
        "X-Kannel-From": "ACME",
        "X-Kannel-Coding": "0",
        "X-Kannel-UDH": "0500032A0302",
        "X-Kannel-SMSC": "main",
        "X-Kannel-Priority": "1",
        "X-Kannel-Validity": "2",
        "X-Kannel-DLR-Mask": "31",
        "Content-Type": "text/plain; charset=UTF-8",
    }
    assert call.body == b"part two"


def test_a_smsbox_may_have_a_sendsms_url_of_its_own() -> None:
    call = kannel(api_url="http://127.0.0.1:13013/sms").request(a_part(), NOW, "")
    assert call.url == "http://127.0.0.1:13013/sms"


@pytest.mark.parametrize(
    ("told", "answer", "state", "reason"),
    [
        ("1", "id:1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:made up", State.DELIVERED, ""),
        ("2", "id:1 stat:UNDELIV err:011 text:se", State.FAILED, "the SMSC tells UNDELIV (011)"),
        ("2", "id:1 stat:EXPIRED err:000 text:", State.EXPIRED, "the SMSC tells EXPIRED (000)"),
        ("34", "", State.EXPIRED, "the SMSC gives no reason"),
        ("16", "NACK/0x0000000b/Invalid", State.FAILED, "the SMSC refused it (0x0000000b)"),
        ("8", "ACK/", State.SENT, ""),
        ("4", "", State.SENT, ""),
    ],
)
def test_a_receipt_of_kannel(told: str, answer: str, state: State, reason: str) -> None:
    said = {"id": "x", "type": told, "at": "1795422907", "answer": answer}
    (receipt,) = kannel().heard(got(said)).receipts
    assert (receipt.carrier_id, receipt.state, receipt.reason) == ("x", state, reason)
    assert receipt.at == NOW


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        ("UTF-16BE", "utf-16-be", "Přijdu 🐎"),
        ("UTF-8", "utf-8", "[€] Ω"),
        ("WINDOWS-1252", "cp1252", "déjà €"),
        ("", "latin-1", "déjà"),
    ],
)
def test_an_mo_of_kannel_in_each_charset(charset: str, codec: str, text: str) -> None:
    said = {"from": ANNA, "to": OURS, "data": text.encode(codec).hex(), "charset": charset}
    (part,) = kannel().heard(got(said, "inbound")).inbound
    assert part.data.decode(part.coding) == text
    assert (part.source, part.destination) == (ANNA, OURS)


@pytest.mark.parametrize("said", [{}, {"from": ANNA, "data": "4"}, {"data": "41"}])
def test_no_mo_of_kannel(said: dict[str, str]) -> None:
    with pytest.raises(Unreadable):
        kannel().heard(got(said, "inbound"))


def test_an_address_that_is_no_kannel_is_told() -> None:
    assert "no sendsms of Kannel" in kannel().probed(Answer(404))
    assert kannel().probed(Answer(400)) == ""


# -- BulkGate -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "kind", "value"),
    [("", "gSystem", None), (OURS, "gOwn", OURS[1:]), ("ACME", "gText", "ACME")],
)
def test_originators_of_bulkgate(shown: str, kind: str, value: str | None) -> None:
    said = body(account("bulkgate").request(a_part(originator=shown), NOW, ""))
    assert (said["sender_id"], said.get("sender_id_value")) == (kind, value)


def test_bulkgate_has_another_way_for_advertisements() -> None:
    ads = account("bulkgate", service="promotional")
    assert ads.request(a_part(), NOW, "").url.endswith("/api/1.0/simple/promotional")
    one = {"status": "accepted", "sms_id": "tmp1", "price": 0.02, "number": ANNA[1:]}
    taken = Answer(200, {}, json.dumps({"data": {"total": {}, "response": [one]}}).encode())
    assert ads.outcome(taken).carrier_id == "tmp1"
    one = {"status": "blacklisted", "number": ANNA[1:]}
    refused = Answer(200, {}, json.dumps({"data": {"total": {}, "response": [one]}}).encode())
    assert ads.outcome(refused).verdict is Verdict.OPTED_OUT
    with pytest.raises(Misconfigured, match="BulkGate has no"):
        account("bulkgate", service="gold")


def test_bulkgate_tells_one_by_get_and_many_by_post() -> None:
    bulkgate = account("bulkgate")
    (receipt,) = bulkgate.heard(got({"status": "1", "smsID": "tmp1"})).receipts
    assert (receipt.carrier_id, receipt.state) == ("tmp1", State.DELIVERED)
    many = [
        {"status": "3", "smsID": "tmp1"},
        {"status": "13", "smsID": "tmp2"},
        {"status": "10", "from": ANNA[1:], "text": "Ano", "date": "1904111007;1904111011"},
    ]
    heard = bulkgate.heard(posted(many))
    assert [r.state for r in heard.receipts] == [State.FAILED]
    assert [p.data for p in heard.inbound] == [b"Ano"]
    with pytest.raises(Unreadable):
        bulkgate.heard(posted([1]))


def test_the_same_answer_a_day_later_is_another_mo() -> None:
    told = [
        {"status": "10", "from": ANNA[1:], "message": "Ano", "smsdetails": f"GSM;19041{day}1007"}
        for day in (11, 12)
    ]
    keys = [part.key for part in account("bulkgate").heard(posted(told)).inbound]
    assert len(set(keys)) == 2


# -- GoSMS ----------------------------------------------------------------------------------------


def gosms() -> Provider:
    return account("gosms", service="185270")


def test_the_channel_of_gosms_is_a_number_of_the_organisation() -> None:
    with pytest.raises(Misconfigured, match="a channel of GoSMS is a number"):
        account("gosms", service="alarms")
    other = json.dumps({"channels": [{"id": 1}]}).encode()
    assert "no channel 185270" in gosms().probed(Answer(200, {}, other))


def test_the_token_of_gosms() -> None:
    said = json.dumps({"access_token": "t", "expires_in": 3600}).encode()
    ticket = gosms().ticket(Answer(200, {}, said))
    assert ticket is not None
    assert (ticket.token, ticket.seconds) == ("t", 3600)
    assert gosms().ticket(Answer(400, {}, b'{"error":"invalid_client"}')) is None


def test_reports_of_gosms_come_in_one_list() -> None:
    delivered = {"delivered": {ANNA: "2026-11-23T21:23:00+02:00"}, "undelivered": []}
    reports = [
        {
            "event": "delivery",
            "delivery": {"recipients": delivered},
            "links": {"message": "/api/v1/messages/542141883"},
        },
        {
            "event": "reply",
            "reply": {
                "recipients": {
                    ANNA: [
                        {
                            "id": 9,
                            "message": "Ano",
                            "sourceNumber": OURS,
                            "partNumber": 1,
                            "partsCount": 2,
                            "messageReferenceNumber": 77,
                        }
                    ]
                }
            },
            "links": None,
        },
    ]
    heard: Heard = gosms().heard(posted(reports))
    (receipt,), (part,) = heard.receipts, heard.inbound
    assert (receipt.carrier_id, receipt.state) == ("542141883", State.DELIVERED)
    assert receipt.at == 1_795_461_780.0
    assert (part.number, part.total, part.ref, part.key) == (1, 2, 77, "9")
    for odd in ({}, [1], [{"delivery": {}}], [{"reply": {}}]):
        with pytest.raises(Unreadable):
            gosms().heard(posted(odd))


# -- SMSGate --------------------------------------------------------------------------------------


def device(seen: str, name: str = "d1") -> dict[str, str]:
    return {"id": name, "lastSeen": seen}


def test_a_server_of_smsgate_chooses_a_phone_that_is_there() -> None:
    call = account("smsgate").request(a_part(expires_at=NOW + 2, urgent=True), NOW, "")
    assert call.url == "https://api.sms-gate.app/3rdparty/v1/messages?deviceActiveWithin=1"
    said = body(call)
    assert (said["id"], said["ttl"], said["priority"]) == (show(7), 5, 99)
    phone = account("smsgate", api_url="http://192.0.2.7:8080", service="d1")
    call = phone.request(a_part(), NOW, "")
    assert call.url == "http://192.0.2.7:8080/message"
    assert body(call)["deviceId"] == "d1"


@pytest.mark.parametrize(
    ("devices", "service", "wrong"),
    [
        ([device("2026-11-23T08:00:00Z")], "", ""),
        ([device("2026-11-23T06:00:00Z"), device("2026-11-23T08:00:00Z", "d2")], "", ""),
        ([device("2026-11-23T06:00:00Z"), device("2026-11-23T08:00:00Z", "d2")], "d1", "not been"),
        ([device("2026-11-23T06:00:00.5Z")], "", "not been seen since 2026-11-23 06:00 UTC"),
        ([], "", "no phone"),
        ([device("2026-11-23T08:00:00Z")], "d9", "no such phone"),
    ],
)
def test_a_phone_that_is_away_is_told(devices: list[Any], service: str, wrong: str) -> None:
    keys = {"service": service} if service else {}
    date = {"date": "Mon, 23 Nov 2026 08:30:00 GMT"}
    said = account("smsgate", **keys).probed(Answer(200, date, json.dumps(devices).encode()))
    assert wrong in said
    assert bool(said) == bool(wrong)


def test_a_phone_of_our_own_does_not_know_the_message_that_it_is_asked_for() -> None:
    phone = account("smsgate", api_url="http://192.0.2.7:8080")
    assert phone.probe("").url == "http://192.0.2.7:8080/message/none"
    assert phone.probed(Answer(404)) == ""
    assert "not at this address" in account("smsgate").probed(Answer(404))


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 23 Nov 2026 08:30:00 -0000"])
def test_a_servers_clock_may_be_odd(date: str) -> None:
    said = json.dumps([device("2026-11-23T08:00:00Z")]).encode()
    assert account("smsgate").probed(Answer(200, {"date": date}, said)) == ""


@pytest.mark.parametrize(
    ("why", "state", "reason"),
    [
        ("TTL expired", State.EXPIRED, "its validity ended on the phone"),
        (
            f"Delivery result from SC {OURS}: 70",
            State.FAILED,
            "the phone tells: Delivery result from SC …: 70",
        ),
    ],
)
def test_what_fails_on_the_phone(why: str, state: State, reason: str) -> None:
    said = {"event": "sms:failed", "id": "e", "payload": {"messageId": "m", "reason": why}}
    (receipt,) = account("smsgate").heard(posted(said)).receipts
    assert (receipt.carrier_id, receipt.state, receipt.reason) == ("m", state, reason)


def test_a_sim_without_its_number_and_events_of_no_interest() -> None:
    smsgate = account("smsgate")
    payload = {"phoneNumber": ANNA, "recipient": None, "message": "Ano"}
    said = {"event": "sms:received", "id": "e1", "payload": payload}
    (part,) = smsgate.heard(posted(said)).inbound
    assert (part.source, part.destination, part.key) == (ANNA, "", "e1")
    assert smsgate.heard(posted({"event": "system:ping", "payload": {}})) == Heard()
    for odd in ({}, {"event": "sms:sent"}, {"event": "sms:received", "payload": {}}):
        with pytest.raises(Unreadable):
            smsgate.heard(posted(odd))
