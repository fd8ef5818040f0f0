"""What providers over HTTP have beside the contract: examples of their own documentation."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from hmac import digest
from typing import Any
from urllib.parse import urlencode

import pytest

from bridge.carriers.http.gatewayapi import GatewayApi
from bridge.carriers.http.infobip import Infobip
from bridge.carriers.http.linkmobility import LinkMobility
from bridge.carriers.http.provider import Callback, Doors, Provider, Unsendable
from bridge.carriers.http.reading import moment
from bridge.carriers.http.sinch import Sinch
from bridge.carriers.http.twilio import Twilio
from bridge.model import Part, Receipt, State, Verdict
from bridge.settings import Carrier

NOW = 1_795_424_400.0
DOORS = Doors("us", "x" * 22, "https://sms.example")


def account(of: type[Provider], **keys: Any) -> Provider:
    values = {"name": "us", "originator": "+420601000000", **keys}
    return of(Carrier.model_validate(values, strict=False), DOORS)


def gatewayapi(**more: Any) -> Provider:
    return account(GatewayApi, kind="gatewayapi", key="token", **more)


def linkmobility(**more: Any) -> Provider:
    keys = {"account": "acme", "secret": "s", "platform": "COMMON_API", "partner": "1"}
    return account(
        LinkMobility, kind="linkmobility", api_url="https://link.example", **(keys | more)
    )


def sinch() -> Provider:
    return account(Sinch, kind="sinch", account="plan", key="token")


def part(text: str = "The boiler is cold", **more: Any) -> Part:
    values: dict[str, Any] = {
        "attempt": 7,
        "message": 7,
        "number": 1,
        "total": 1,
        "ref": 0,
        "destination": "+420601123456",
        "originator": "",
        "text": text,
        "encoding": "gsm7",
        "lang": "",
        "expires_at": None,
    }
    return Part(**(values | more))


def sent(provider: Provider, it: Part) -> Any:
    return json.loads(provider.request(it, NOW, "").body)


def test_a_short_number_of_a_country_loses_its_country() -> None:
    mo = {
        "source": "+4740000000",
        "destination": "NO-2333",
        "content": {"type": "SMS", "userData": "hi", "encoding": "TEXT"},
        "messageId": "1",
    }
    came = Callback("inbound", "POST", "https://sms.example/", {}, json.dumps(mo).encode())
    (it,) = linkmobility().heard(came).inbound
    assert it.destination == "2333"


@pytest.mark.parametrize(
    ("sender", "kind"),
    [("+4740000000", "MSISDN"), ("2333", "SHORTNUMBER"), ("Acme", "ALPHANUMERIC")],
)
def test_the_kind_of_an_originator_is_told(sender: str, kind: str) -> None:
    assert sent(linkmobility(), part(originator=sender))["sourceTON"] == kind


def test_what_a_provider_cannot_take_goes_to_the_next() -> None:
    for provider, it in (
        (sinch(), part("The price is ${price}")),
        (linkmobility(), part("On fire 🔥", encoding="ucs2")),
        (linkmobility(originator=""), part()),
    ):
        with pytest.raises(Unsendable) as no:
            provider.request(it, NOW, "")
        assert no.value.outcome.verdict is Verdict.REJECTED


def told(provider: Provider, fields: dict[str, object]) -> Receipt:
    """The one receipt of a callback that says this, as JSON or as Twilio's form."""
    body = urlencode(fields) if provider.config.kind == "twilio" else json.dumps(fields)
    came = Callback("receipt", "POST", "https://sms.example/", {}, body.encode())
    (receipt,) = provider.heard(came).receipts
    return receipt


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        ("Failed", 402, "the operator finds no way to this number (Failed 402)"),
        ("Aborted", 413, "our account is blocked, or out of credit (Aborted 413)"),
        ("Deleted", 0, "the number is none, or the person has opted out (Deleted 0)"),
        ("Failed", 599, "Failed (599)"),
    ],
)
def test_sinchs_reports_say_why(status: str, code: int, reason: str) -> None:
    report = {
        "type": "recipient_delivery_report_sms",
        "status": status,
        "code": code,
        "client_reference": "7",
    }
    receipt = told(sinch(), report)
    assert (receipt.state, receipt.reason[-len(reason) :]) == (State.FAILED, reason)
    assert told(sinch(), report | {"status": "Delivered", "code": 0}).reason == ""


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("0x1010", "the network does not know this number (UNDELIVERABLE 0x1010)"),
        ("0x1018", "the phone's memory is full (UNDELIVERABLE 0x1018)"),
        ("0x10FF", "UNDELIVERABLE 0x10FF"),
        ("", "UNDELIVERABLE"),
        ("none", "UNDELIVERABLE none"),
    ],
)
def test_gatewayapis_statuses_say_why(code: str, reason: str) -> None:
    status = {"id": 1, "status": "UNDELIVERABLE", "code": code, "userref": "7", "time": NOW}
    receipt = told(gatewayapi(), status)
    assert (receipt.state, receipt.reason) == (State.FAILED, reason)


@pytest.mark.parametrize(
    ("code", "reason"),
    [(2104, "the operator knows no such number (2104)"), (1999, "result code 1999")],
)
def test_link_mobilitys_reports_say_why(code: int, reason: str) -> None:
    receipt = told(linkmobility(), {"refId": "7", "resultCode": code})
    assert (receipt.state, receipt.reason) == (State.FAILED, reason)


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        (30034, State.FAILED, "this originator is not registered for the United States"),
        (30036, State.EXPIRED, "its validity ended in Twilio's queue"),
        (30410, State.UNKNOWN, "the network did not answer in time, it may have arrived"),
        (39999, State.FAILED, "Twilio tells failed"),
    ],
)
def test_twilios_callbacks_say_why(code: int, state: State, reason: str) -> None:
    twilio = account(Twilio, kind="twilio", account="AC1", secret="s")
    receipt = told(twilio, {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": code})
    assert (receipt.state, receipt.reason) == (state, f"{reason} (Twilio {code})")


@pytest.mark.parametrize("text", ["$5", "a ${ b", "${}", "${two words}", "{name}"])
def test_what_only_looks_like_a_parameter_leaves(text: str) -> None:
    assert sent(sinch(), part(text))["body"] == text


def test_validity_stays_within_what_a_provider_takes() -> None:
    endless, long = part(), part(expires_at=NOW + 90 * 86_400)
    past = part(expires_at=NOW - 5)
    assert "validity_period" not in sent(gatewayapi(), endless)
    assert sent(gatewayapi(), long)["validity_period"] == 7 * 86_400
    assert sent(gatewayapi(), past)["validity_period"] == 1
    assert sent(linkmobility(), long)["relativeValidityTime"] == 48 * 3_600_000
    assert "expire_at" not in sent(sinch(), endless)
    assert sent(sinch(), long)["expire_at"] == "2026-11-26T09:00:00.000Z"
    infobip = account(Infobip, kind="infobip", api_url="https://x.api.infobip.com", key="key")
    assert sent(infobip, endless)["messages"][0].get("options") is None


def test_a_signed_webhook_is_not_replaced_by_an_address_without_a_token() -> None:
    assert sent(gatewayapi(), part())["callback_url"].startswith("https://sms.example/carriers/us/")
    assert "callback_url" not in sent(gatewayapi(signing_secret="token"), part())


@pytest.mark.parametrize("head", ['{"alg":"none"}', '{"alg":"HS512"}', "[]", "null", "{"])
def test_a_token_is_signed_as_documented_or_not_at_all(head: str) -> None:
    def packed(text: bytes) -> str:
        return urlsafe_b64encode(text).decode().rstrip("=")

    body = b'{"id": 1, "status": "DELIVERED", "userref": "0000000000007", "time": 1795424400}'

    def genuine(head: str, secret: bytes = b"secret") -> bool:
        first = f"{packed(head.encode())}.{packed(body)}"
        token = f"{first}.{packed(digest(secret, first.encode(), 'sha256'))}"
        came = Callback("receipt", "POST", "https://x/", {"x-gwapi-signature": token}, body)
        provider = gatewayapi(signing_secret="secret")
        if provider.genuine(came):
            assert provider.heard(came).receipts == [
                Receipt("0000000000007", State.DELIVERED, "", NOW)
            ]
            return True
        return False

    assert genuine('{"alg":"HS256","typ":"JWT"}')
    assert not genuine('{"alg":"HS256","typ":"JWT"}', b"another")
    assert not genuine(head)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (1_795_424_400, NOW),
        ("1795424400", NOW),
        (1_795_424_400_000, NOW),
        ("2026-11-23T09:00:00Z", NOW),
        ("2026-11-23T09:00:00.000+0000", NOW),
        ("2026-11-23T10:00:00.000+0100", NOW),
        ("2026-11-23 09:00:00", NOW),
        (float("inf"), None),
        (float("nan"), None),
        ("soon", None),
        ("", None),
        (None, None),
        (True, None),
        ({}, None),
        (-5, None),
        (10**400, None),
    ],
)
def test_times_are_read_however_they_are_written(value: object, at: float | None) -> None:
    assert moment(value) == at
