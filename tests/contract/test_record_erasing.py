"""Records of SMS at providers, erased over real sockets by providers that judge each request by
their documentation.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.carriers import eraser, erases
from bridge.carriers.http import provider
from bridge.carriers.http.erasing import BARRED, ErasingProvider
from bridge.keyring import Keyring
from bridge.model import Erased, Fate
from bridge.ports import Eraser
from bridge.settings import Carrier
from tests.http_cases import (
    PUBLIC,
    Case,
    Records,
    Reply,
    Seen,
    described_gatewayapi,
    says,
    twilio,
    vonage,
)
from tests.http_peer import Peer, a_peer

KEYS = Keyring(b"p" * 32)
HTML = Reply(404, "<html>Not found</html>", "text/html")


@dataclass
class Provider:
    """A provider, its records, and what erases them."""

    kind: str
    peer: Peer
    records: Records
    eraser: Eraser
    out: tuple[str, str]
    back: tuple[str, str]

    async def erase(self, *, inbound: bool = False) -> Erased:
        number, _ = self.back if inbound else self.out
        return await self.eraser.erase(number, inbound=inbound)

    async def hears(self, answer: Reply) -> Erased:
        """What an answer means."""
        self.records.answers.append(answer)
        return await self.erase()


CASES: dict[str, tuple[Callable[[Records], Case], tuple[str, str], tuple[str, str]]] = {
    "twilio": (twilio.with_records, ("SM" + "1" * 32, ""), ("SM" + "2" * 32, "")),
    "vonage": (
        vonage.with_records,
        ("0A0000000000000A", "outbound"),
        ("0B0000000000000B", "inbound"),
    ),
}


def entry(kind: str, url: str, **more: Any) -> Carrier:
    keys = CASES[kind][0](Records()).keys
    return Carrier.model_validate({"name": "us", "kind": kind, "api_url": url, **keys, **more})


@pytest.fixture(params=CASES)
async def at(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    case, out, back = CASES[request.param]
    records = Records()
    async with a_peer(case(records)) as peer:
        found = eraser(entry(request.param, peer.url, response_timeout="2s"), KEYS, PUBLIC)
        assert found is not None
        try:
            yield Provider(request.param, peer, records, found, out, back)
        finally:
            await found.close()


async def test_p68_a_record_is_erased_whichever_way_it_went(at: Provider) -> None:
    at.records.kept = {at.out, at.back}
    assert (await at.erase()).fate is Fate.ERASED
    assert at.records.kept == {at.back}
    assert (await at.erase(inbound=True)).fate is Fate.ERASED
    assert at.records.erased == [at.out, at.back]


async def test_what_the_provider_does_not_have_is_gone(at: Provider) -> None:
    assert (await at.erase()).fate is Fate.GONE


async def test_404_in_other_words_than_the_providers_is_not_gone(at: Provider) -> None:
    for answer in (HTML, Reply(404), says({"error": "no route"}, 404)):
        said = await at.hears(answer)
        assert (said.fate, said.whole) == (Fate.LATER, True)
        assert "404" in said.reason


REFUSED_ACCOUNT = {
    "twilio": [twilio.error(20003, 401), twilio.error(20003, 403), twilio.error(70051, 403)],
    "vonage": [
        vonage.UNAUTHORIZED,
        vonage.problem("unprovisioned", 403),
        vonage.problem("forbidden", 403),
    ],
}


async def test_an_account_that_may_not_is_left_alone_and_its_operator_told(at: Provider) -> None:
    for answer in REFUSED_ACCOUNT[at.kind]:
        said = await at.hears(answer)
        assert (said.fate, said.pause, said.whole) == (Fate.LATER, BARRED, True)
        assert "does not let our account" in said.reason
        assert "erase_records = false" in said.hint


NOT_YET = {
    "twilio": (twilio.error(20009, 409), 60.0),
    "vonage": (vonage.problem("premature-redaction", 403), 900.0),
}


async def test_what_is_too_young_is_asked_for_later(at: Provider) -> None:
    answer, pause = NOT_YET[at.kind]
    said = await at.hears(answer)
    assert (said.fate, said.pause, said.whole) == (Fate.LATER, pause, False)


async def test_too_many_requests_let_all_of_them_wait(at: Provider) -> None:
    answer = {
        "twilio": twilio.error(20429, 429, Retry_After="7"),
        "vonage": vonage.problem("rate-limit", 429, Retry_After="7"),
    }
    said = await at.hears(answer[at.kind])
    assert (said.fate, said.pause, said.whole) == (Fate.LATER, 7.0, True)


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_fault_of_its_own_concerns_one_record(at: Provider, status: int) -> None:
    said = await at.hears(Reply(status, "<html>", "text/html"))
    assert (said.fate, said.whole) == (Fate.LATER, False)
    assert str(status) in said.reason


async def test_any_other_refusal_is_one(at: Provider) -> None:
    said = await at.hears(Reply(422, "{}"))
    assert said.fate is Fate.REFUSED
    assert "422" in said.reason


async def test_a_provider_that_is_away_is_asked_again(at: Provider) -> None:
    await at.peer.stop()
    said = await at.erase()
    assert (said.fate, said.whole) == (Fate.LATER, True)
    assert "no connection" in said.reason
    await at.peer.start()
    at.records.kept = {at.out}
    assert (await at.erase()).fate is Fate.ERASED


async def test_an_answer_that_breaks_off_says_nothing(at: Provider) -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hangs_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        found = eraser(entry(at.kind, f"http://127.0.0.1:{port}"), KEYS, PUBLIC)
        assert found is not None
        said = await found.erase(at.out[0], inbound=False)
        await found.close()
    assert (said.fate, said.whole) == (Fate.LATER, True)
    assert "the connection to the provider broke" in said.reason


@pytest.mark.parametrize("kind", CASES)
def test_who_asks_the_carrier_himself_sets_it_so(kind: str) -> None:
    config = entry(kind, "https://sms.example", erase_records=False)
    assert erases(entry(kind, "https://sms.example"))
    assert not erases(config)
    assert eraser(config, KEYS, PUBLIC) is None


def test_other_carriers_cannot_be_asked() -> None:
    for keys in ({"kind": "infobip", "api_url": PUBLIC, "key": "k"}, {"kind": "sandbox"}):
        config = Carrier.model_validate({"name": str(keys["kind"]), **keys})
        assert eraser(config, KEYS, PUBLIC) is None


@pytest.mark.parametrize(
    ("api_url", "where"),
    [
        ("", "https://api.nexmo.com"),
        ("https://rest-eu-1.nexmo.com", "https://api.nexmo.com"),
        ("https://proxy.example/vonage", "https://proxy.example/vonage"),
        ("https://fakenexmo.com", "https://fakenexmo.com"),
    ],
)
def test_vonages_redact_api_has_a_host_of_its_own(api_url: str, where: str) -> None:
    found = provider(entry("vonage", api_url), KEYS, PUBLIC)
    assert isinstance(found, ErasingProvider)
    assert found.erase_call("0A1", "", inbound=False).url == f"{where}/v1/redact/transaction"


def test_an_id_cannot_leave_its_place_in_the_address() -> None:
    found = provider(entry("twilio", "https://sms.example"), KEYS, PUBLIC)
    assert isinstance(found, ErasingProvider)
    url = found.erase_call("../../x?y", "", inbound=False).url
    assert url.endswith("/Messages/..%2F..%2Fx%3Fy.json")


# -- described in bridge.toml -------------------------------------------------------------------

#: As LOX24 has it.
BOTH = {"url": "/sms/{id}", "inbound": "/incomings/{id}"}


def described(api_url: str, **erasing: Any) -> Carrier:
    return Carrier.model_validate(
        {
            "name": "us",
            "kind": "http",
            "api_url": api_url,
            "key": described_gatewayapi.TOKEN,
            "request": described_gatewayapi.REQUEST,
            "answer": described_gatewayapi.ANSWER,
            **({"erasing": erasing} if erasing else {}),
        }
    )


@asynccontextmanager
async def a_described(
    *answers: Reply, **erasing: Any
) -> AsyncIterator[tuple[Eraser, list[tuple[str, str]]]]:
    """What erases at a described provider, and what that was asked: (method, path)."""
    asked: list[tuple[str, str]] = []

    def other(request: Seen) -> Reply:
        described_gatewayapi.logged_in(request)
        assert request.body == b""
        asked.append((request.method, request.path))
        return answers[len(asked) - 1]

    async with a_peer(replace(described_gatewayapi.CASE, other=other)) as peer:
        found = eraser(described(peer.url, **erasing), KEYS, PUBLIC)
        assert found is not None
        try:
            yield found, asked
        finally:
            await found.close()


async def test_p68_a_described_record_is_erased_either_way() -> None:
    gone, own = Reply(404), Reply(403)
    async with a_described(Reply(204), Reply(200, "{}"), gone, own, **BOTH) as (found, asked):
        said = [await found.erase(f"a/{n}", inbound=n == 1) for n in range(4)]
    assert [each.fate for each in said] == [Fate.ERASED, Fate.ERASED, Fate.GONE, Fate.LATER]
    assert "[carriers.erasing]" in said[3].hint
    assert asked == [
        ("DELETE", "/sms/a%2F0"),
        ("DELETE", "/incomings/a%2F1"),
        ("DELETE", "/sms/a%2F2"),
        ("DELETE", "/sms/a%2F3"),
    ]


async def test_what_has_no_address_is_not_asked_for() -> None:
    more = {"url": "/sms/{id}/redact", "method": "POST", "gone": [409]}
    async with a_described(Reply(409), **more) as (found, asked):
        assert (await found.erase("7", inbound=False)).fate is Fate.GONE
        said = await found.erase("8", inbound=True)
    assert (said.fate, said.reason) == (
        Fate.REFUSED,
        "the provider has no way to erase such records",
    )
    assert asked == [("POST", "/sms/7/redact")]


def test_a_carrier_without_the_table_is_not_asked() -> None:
    assert not erases(described("https://api.example"))


@pytest.mark.parametrize(
    ("erasing", "complaint"),
    [
        ({"gone": [404]}, "has neither url nor inbound; say where a record is"),
        ({"url": "/sms"}, "{id} stands nowhere; put the provider's id in"),
        ({"url": "/sms/{to}"}, '"{to}" cannot stand here'),
        ({"url": "/sms/{id}", "method": "GET"}, "method"),
    ],
    ids=str,
)
def test_a_wrong_description_is_told(erasing: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(complaint)):
        described("https://api.example", **erasing)


def test_p68_what_the_provider_gave_no_id_is_not_asked_for_by_ours() -> None:
    entry = described("https://api.example").model_dump(exclude_unset=True, by_alias=True)
    nothing = {**described_gatewayapi.ANSWER, "id": ""}
    told = re.escape("erasing url asks by the provider's id; say in answer id where")
    with pytest.raises(ValidationError, match=told):
        Carrier.model_validate(
            {**entry, "request": described_gatewayapi.REQUEST, "answer": nothing, "erasing": BOTH}
        )


def test_a_path_needs_somewhere_to_begin() -> None:
    with pytest.raises(ValidationError, match="is a path; add api_url"):
        Carrier.model_validate(
            {
                "name": "us",
                "kind": "http",
                "key": "k",
                "request": {**described_gatewayapi.REQUEST, "url": "https://a.test/x", "check": ""},
                "answer": described_gatewayapi.ANSWER,
                "erasing": BOTH,
            }
        )
