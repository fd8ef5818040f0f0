"""Lists of opt-outs that providers keep, read over real sockets from providers that judge each
request by their documentation.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.carriers import optout_list
from bridge.carriers.http.optouts import HttpOptOutList
from bridge.errors import BridgeError, Misconfigured, TryLater
from bridge.keyring import Keyring
from bridge.model import OptedOut
from bridge.ports import OptOutList
from bridge.settings import Carrier
from tests.http_cases import PUBLIC, Reply, Seen, described_gatewayapi, infobip, says
from tests.http_cases.infobip import Blocklist, list_error
from tests.http_peer import Peer, a_peer

KEYS = Keyring(b"p" * 32)
ANNA, BERIT = "+420601123456", "+4740612345"


@pytest.fixture
def blocklist() -> Blocklist:
    return Blocklist()


@pytest.fixture
async def peer(blocklist: Blocklist) -> AsyncIterator[Peer]:
    async with a_peer(infobip.with_list(blocklist)) as peer:
        yield peer


def list_of(entry: dict[str, Any]) -> OptOutList | None:
    return optout_list(Carrier.model_validate({"name": "us", **entry}), KEYS, PUBLIC)


def at_infobip(peer: Peer, **more: Any) -> OptOutList:
    found = list_of({"kind": "infobip", "api_url": peer.url, "key": infobip.KEY, **more})
    assert found is not None
    return found


class Pauses(list[float]):
    """A sleep that is over at once."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def hurried(peer: Peer) -> tuple[OptOutList, Pauses]:
    """A reader whose pauses are only told."""
    found = at_infobip(peer)
    assert isinstance(found, HttpOptOutList)
    pauses = Pauses()
    found._sleep = pauses
    return found, pauses


async def everybody(listed: OptOutList) -> list[OptedOut]:
    return [each async for page in listed.pages() for each in page.people]


async def until_it_breaks(listed: OptOutList) -> tuple[list[OptedOut], BridgeError]:
    """Who came before, and what was said."""
    people: list[OptedOut] = []
    try:
        async for page in listed.pages():
            people += page.people
    except BridgeError as said:
        return people, said
    pytest.fail("it did not break")


def many(blocklist: Blocklist, count: int) -> None:
    for number in range(count):
        blocklist.add(f"+42060{number:07}")


# -- Infobip ------------------------------------------------------------------------------------


async def test_p44_infobips_blocklist_is_read_page_by_page(
    peer: Peer, blocklist: Blocklist
) -> None:
    many(blocklist, 2500)
    sizes = []
    async for page in at_infobip(peer).pages():
        sizes.append(len(page.people))
        assert page.total == 2500
        # The next page is not asked for before it is wanted.
        assert len(peer.asked) == len(sizes)
    assert sizes == [1000, 1000, 500]


async def test_an_empty_list_has_nobody(peer: Peer) -> None:
    assert await everybody(at_infobip(peer)) == []


async def test_what_an_entry_says_is_understood(peer: Peer, blocklist: Blocklist) -> None:
    blocklist.add(ANNA, sender="10950", createdDate="2026-11-20T10:00:00.000Z")
    (found,) = await everybody(at_infobip(peer))
    assert found == OptedOut("420601123456", "10950", 1795168800.0)


async def test_texts_alone_concern_us_and_an_entry_for_all_channels_does(
    peer: Peer, blocklist: Blocklist
) -> None:
    for channel in ("EMAIL", "WHATSAPP", "VIBER", "RCS", "APPLE_MB", "VOICE_OUTBOUND_TTS"):
        blocklist.add("+420601123450", channel)
    blocklist.add("+420601123451", "MMS")
    blocklist.add("+420601123452", None)
    blocklist.add("person@client.example", None)
    found = await everybody(at_infobip(peer))
    assert [each.number for each in found] == ["420601123451", "420601123452"]


async def test_who_is_asked_too_often_is_asked_again_when_it_says(
    peer: Peer, blocklist: Blocklist
) -> None:
    many(blocklist, 1500)
    busy = list_error("TOO_MANY_REQUESTS", 429, Retry_After="7")
    blocklist.answers = [None, busy]
    listed, pauses = hurried(peer)
    assert len(await everybody(listed)) == 1500
    assert pauses == [7.0]


async def test_who_wants_to_be_left_alone_for_long_is_asked_another_time(
    peer: Peer, blocklist: Blocklist
) -> None:
    blocklist.answers = [list_error("TOO_MANY_REQUESTS", 429, Retry_After="3600")]
    listed, pauses = hurried(peer)
    _, said = await until_it_breaks(listed)
    assert isinstance(said, TryLater)
    assert "more often than the provider allows" in said.sentence
    assert not pauses
    assert len(peer.asked) == 1


async def test_a_fault_of_its_own_is_no_end(peer: Peer, blocklist: Blocklist) -> None:
    many(blocklist, 10)
    blocklist.answers = [list_error("GENERAL_ERROR", 500), Reply(502, "<html>", "text/html")]
    listed, pauses = hurried(peer)
    assert len(await everybody(listed)) == 10
    assert pauses == [1.0, 5.0]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_may_not_read_it_is_told_what_it_lacks(
    peer: Peer, blocklist: Blocklist, status: int
) -> None:
    blocklist.answers = [list_error("FORBIDDEN", status)]
    people, said = await until_it_breaks(at_infobip(peer))
    assert not people
    assert isinstance(said, Misconfigured)
    assert str(status) in said.sentence
    assert "blocklist:manage" in said.hint
    assert len(peer.asked) == 1


@pytest.mark.parametrize(
    "broken",
    [
        Reply(200, "<html>", "text/html"),
        Reply(200, '{"results": ['),
        says({"results": {}}),
        says({"results": []}),
        says([]),
    ],
    ids=str,
)
async def test_what_came_before_a_broken_page_has_come(
    peer: Peer, blocklist: Blocklist, broken: Reply
) -> None:
    many(blocklist, 1500)
    blocklist.answers = [None, broken]
    people, said = await until_it_breaks(at_infobip(peer))
    assert len(people) == 1000
    assert isinstance(said, TryLater)
    assert "page 2" in said.sentence


async def test_a_provider_that_is_away_is_asked_three_times(peer: Peer) -> None:
    listed, pauses = hurried(peer)
    await peer.stop()
    _, said = await until_it_breaks(listed)
    assert isinstance(said, TryLater)
    assert "no connection" in said.sentence
    assert pauses == [1.0, 5.0]


async def test_who_does_not_want_it_does_not_read_it(peer: Peer) -> None:
    entry = {"kind": "infobip", "api_url": peer.url, "key": infobip.KEY, "optout_list": False}
    assert list_of(entry) is None


def test_a_provider_without_a_list_has_none() -> None:
    assert list_of({"kind": "vonage", "key": "k", "secret": "s"}) is None
    assert list_of({"kind": "sandbox", "name": "sandbox"}) is None


# -- described in bridge.toml -------------------------------------------------------------------

BY_PAGES = {
    "url": "/v2/messaging_optouts?page%5Bnumber%5D={page}&page%5Bsize%5D=2",
    "many": "/data",
    "number": "/to",
    "sender": "/from",
    "time": "/created_at",
    "pages": "/meta/total_pages",
}


def described(api_url: str, **optouts: Any) -> dict[str, Any]:
    return {
        "kind": "http",
        "api_url": api_url,
        "key": described_gatewayapi.TOKEN,
        "request": described_gatewayapi.REQUEST,
        "answer": described_gatewayapi.ANSWER,
        **({"optouts": optouts} if optouts else {}),
    }


@asynccontextmanager
async def a_list(**optouts: Any) -> AsyncIterator[tuple[OptOutList, list[Seen], list[Reply]]]:
    """A described list, what its provider was asked, and what it answers, in turn."""
    asked: list[Seen] = []
    answers: list[Reply] = []

    def other(request: Seen) -> Reply:
        described_gatewayapi.logged_in(request)
        assert request.method == "GET"
        assert request.body == b""
        asked.append(request)
        return answers[min(len(asked), len(answers)) - 1]

    async with a_peer(replace(described_gatewayapi.CASE, other=other)) as peer:
        listed = list_of(described(peer.url, **optouts))
        assert listed is not None
        yield listed, asked, answers


def telnyx(page: int, *people: tuple[str, str]) -> Reply:
    data = [
        {"to": to, "from": sender, "created_at": "2026-11-20T10:00:00+00:00", "keyword": "STOP"}
        for sender, to in people
    ]
    meta = {"page_number": page, "page_size": 2, "total_pages": 2, "total_results": 3}
    return says({"data": data, "meta": meta})


async def test_p44_a_described_list_is_read_to_its_last_page() -> None:
    async with a_list(**BY_PAGES) as (listed, asked, answers):
        answers += [
            telnyx(1, ("+15550100", ANNA), ("ACME", BERIT)),
            telnyx(2, ("+15550100", "+15550123")),
        ]
        found = await everybody(listed)
    assert found[0] == OptedOut(ANNA, "+15550100", 1795168800.0)
    assert [each.number for each in found] == [ANNA, BERIT, "+15550123"]
    assert [seen.query for seen in asked] == [
        f"page%5Bnumber%5D={page}&page%5Bsize%5D=2" for page in (1, 2)
    ]


async def test_without_a_number_of_pages_an_empty_one_is_the_end() -> None:
    where = {"url": "/blocked_numbers?page={page}", "number": "/number"}
    async with a_list(**where, at="/type", pattern="^2$") as (listed, asked, answers):
        answers += [
            says([{"number": ANNA, "type": 2}, {"number": BERIT, "type": 1}]),
            says([{"number": "+15550123", "type": 2}]),
            says([]),
        ]
        found = await everybody(listed)
    assert [each.number for each in found] == [ANNA, "+15550123"]
    assert [seen.query for seen in asked] == ["page=1", "page=2", "page=3"]


async def test_a_list_in_one_piece_may_be_of_plain_numbers() -> None:
    async with a_list(url="/optouts", many="/phoneNumbers") as (listed, asked, answers):
        answers.append(says({"phoneNumbers": [ANNA, BERIT]}))
        found = await everybody(listed)
    assert [each.number for each in found] == [ANNA, BERIT]
    assert len(asked) == 1


async def test_pages_may_begin_at_zero() -> None:
    where = {"url": "/optouts?p={page}", "first": 0, "many": "/all", "pages": "/pages"}
    async with a_list(**where) as (listed, asked, answers):
        answers += [says({"all": [ANNA], "pages": 2}), says({"all": [BERIT], "pages": 2})]
        assert len(await everybody(listed)) == 2
    assert [seen.query for seen in asked] == ["p=0", "p=1"]


async def test_who_does_not_count_pages_as_we_do_is_not_asked_for_ever() -> None:
    async with a_list(url="/optouts?page={page}") as (listed, asked, answers):
        answers.append(says([ANNA]))
        people, said = await until_it_breaks(listed)
    assert "the one before it again" in said.sentence
    assert [each.number for each in people] == [ANNA]
    assert len(asked) == 2


async def test_an_answer_without_the_list_is_not_an_empty_list() -> None:
    async with a_list(url="/optouts", many="/data") as (listed, _, answers):
        answers.append(says({"error": "none of your concern"}))
        _, said = await until_it_breaks(listed)
    assert "no list where `many` looks for it" in said.sentence


async def test_a_carrier_without_the_table_shows_no_list() -> None:
    assert list_of(described("https://api.example")) is None


@pytest.mark.parametrize(
    ("optouts", "complaint"),
    [
        ({"url": "/list", "pages": "/pages"}, "pages needs {page} in url"),
        ({"url": "/list", "at": "/type"}, "at and pattern belong together"),
        ({"url": "/list", "number": "header:X"}, 'must be a JSON pointer, such as "/number"'),
        ({"url": "/list?to={to}"}, '"{to}" cannot stand here; known here: {page}'),
        ({"url": "nowhere"}, "must be a web address with a fixed host"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_description_is_told(optouts: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(complaint)):
        Carrier.model_validate({"name": "us", **described("https://api.example", **optouts)})


def test_a_path_needs_somewhere_to_begin() -> None:
    entry = described("", url="/optouts")
    entry["request"] = {**entry["request"], "url": "https://api.example/sms", "check": ""}
    with pytest.raises(ValidationError, match="optouts url is a path; add api_url"):
        Carrier.model_validate({"name": "us", **entry})
