"""The lists from end to end: what people write, what staff do, what leaves and what does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
import structlog
from sqlalchemy import select

from bridge import opening, settings
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.optout import left_by_link, secret
from bridge.dispatch.receive import Reception
from bridge.dispatch.submit import keep, prepare, submit
from bridge.errors import Refused
from bridge.keyring import Keyring
from bridge.model import Class, Inbound, Origin, State, Submission
from bridge.operations import REGISTRY, Office
from bridge.privacy.keywords import verdict
from bridge.store.list_tables import blocked, wish
from bridge.store.sql import Do as Step
from bridge.store.sql import Statement
from bridge.store.tables import message, reply, subject, suppression
from tests.bridges import ANNA, OURS, Running, a_bridge, until, write_config
from tests.seeds import seeded
from tests.smsc import smsc

BERTA = "+420601123457"
CONFIG = """
data_dir = "{data_dir}"
region = "CZ"
[database]
url = "{url}"
[privacy]
stop_burst = 5
[[tenants]]
name = "acme"
originator = "{ours}"
[[tenants]]
name = "sister"
"""
Do = Callable[..., Any]


@pytest.fixture
async def bridge(tmp_path: Path, url: str) -> AsyncIterator[Bridge]:
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIG.format(data_dir=seeded(tmp_path / "data"), url=url, ours=OURS))
    async with opening.opened(settings.load(path, {}), "up") as bridge:
        await bridge.bell.start([], None)
        yield bridge
        await bridge.bell.stop()


@pytest.fixture
def reception(bridge: Bridge) -> Reception:
    return Reception(bridge, lambda _: None)


@pytest.fixture
def do(bridge: Bridge) -> Do:
    """Run an operation; its items."""

    async def run(operation: str, **arguments: Any) -> list[dict[str, Any]]:
        office = Office(bridge, bridge.silence, "eva")
        return [item async for item in REGISTRY[operation](office, **arguments)]

    return run


def a_submission(bridge: Bridge, to: str = ANNA, **more: Any) -> Submission:
    acme = bridge.register.named(more.pop("owner", "acme"))
    assert acme is not None
    facts: dict[str, Any] = {"text": "The pump runs.", **more}
    return Submission(acme.id, Origin("cli", "eva"), to, "CZ", **facts)


async def queued(bridge: Bridge, to: str = ANNA, **more: Any) -> State:
    """What becomes of a text that is taken now."""
    return (await submit(bridge, a_submission(bridge, to, **more))).state


async def marketed(bridge: Bridge, to: str = ANNA) -> State:
    """What becomes of an advertisement, past what else the law asks of it."""
    ready = prepare(bridge, a_submission(bridge, to))
    ready.prepared.klass = str(Class.MARKETING)
    return (await keep(bridge, ready.prepared, "cli")).state


async def texted(bridge: Bridge, to: str = ANNA) -> None:
    """The person has had a message: what they write is an answer to us."""
    await queued(bridge, to)
    claimed = Statement(message.update().values(tries=1))

    def script(items: Any) -> Any:
        yield Step(claimed, {})
        return [None] * len(items)

    await bridge.store.write(script, None)


async def writes(reception: Reception, text: str, source: str = ANNA) -> None:
    part = Inbound(source=source, destination=OURS, data=text.encode(), coding="utf-8")
    await reception.inbound("sandbox", part)


async def rows(bridge: Bridge, *columns: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await bridge.store.read(Statement(select(*columns)))]


async def states(bridge: Bridge) -> list[str]:
    found = select(message.c.state).where(message.c.exempt.is_not(True)).order_by(message.c.id)
    return [row[0] for row in await bridge.store.read(Statement(found))]


def packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode())).decode()


# what people write


async def test_p35_a_stop_word_suppresses_and_cancels_before_it_is_acknowledged(
    bridge: Bridge, reception: Reception
) -> None:
    await texted(bridge)
    await queued(bridge)
    await writes(reception, "ＳＴＯＰ!")
    assert await states(bridge) == ["suppressed", "suppressed"]
    assert await rows(bridge, suppression.c.scope, suppression.c.purpose) == [("tenant", "any")]
    assert await queued(bridge) is State.SUPPRESSED
    assert await rows(bridge, reply.c.done, reply.c.done_scope, reply.c.cancelled) == [
        ("any", "tenant", 2)
    ]


async def test_p36_a_wish_in_free_words_stops_marketing_at_once_and_waits_for_people(
    bridge: Bridge, reception: Reception, do: Do
) -> None:
    await texted(bridge)
    assert await marketed(bridge) is State.QUEUED
    await writes(reception, "please stop texting me")
    assert await states(bridge) == ["queued", "suppressed"]
    assert await rows(bridge, suppression.c.scope, suppression.c.purpose) == [
        ("tenant", "marketing")
    ]
    assert await marketed(bridge) is State.SUPPRESSED
    assert await queued(bridge) is State.QUEUED
    (waits,) = await do("suppress wishes", tenant="acme")
    assert not waits["overdue"]
    ((at, due),) = await rows(bridge, wish.c.at, wish.c.due_at)
    assert 86_400 <= round(due - at) <= 3 * 86_400


async def test_p37_a_weak_word_of_another_language_is_looked_at_and_stops_nothing(
    bridge: Bridge, reception: Reception, do: Do
) -> None:
    await texted(bridge)
    await writes(reception, "slutt")
    assert await rows(bridge, suppression.c.id) == []
    assert await marketed(bridge) is State.QUEUED
    assert len(await do("suppress wishes", tenant="acme")) == 1
    assert await rows(bridge, reply.c.verdict, reply.c.done) == [("intent", "")]


@pytest.mark.parametrize(
    "word", ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"]
)
@pytest.mark.parametrize("country", ["US", "CA", "JM", "DO"])
def test_p37_in_plus_one_countries_the_fccs_words_always_opt_out(word: str, country: str) -> None:
    assert verdict(word, country).verdict == "stop"


async def test_p38_a_stop_is_confirmed_once_and_within_five_minutes(
    bridge: Bridge, reception: Reception
) -> None:
    await texted(bridge)
    await writes(reception, "STOP")
    await writes(reception, "STOP now")
    exempt = await rows(
        bridge, message.c.exempt, message.c["class"], message.c.created_at, message.c.expires_at
    )
    answers = [row for row in exempt if row[0]]
    assert len(answers) == 1
    _, klass, at, until_ = answers[0]
    assert klass == "transactional"
    assert until_ - at <= 300


async def test_p38_a_keyword_narrows_the_stop_to_its_programme(
    bridge: Bridge, reception: Reception, do: Do
) -> None:
    await do("programme add", name="offers", tenant="acme", keyword="OFFERS")
    await texted(bridge)
    assert await queued(bridge, programme="offers") is State.QUEUED
    await writes(reception, "stop offers")
    assert await states(bridge) == ["queued", "suppressed"]
    assert await rows(bridge, suppression.c.scope) == [("programme",)]
    assert await queued(bridge, programme="offers") is State.SUPPRESSED
    assert await queued(bridge) is State.QUEUED
    await writes(reception, "START offers")
    assert await queued(bridge, programme="offers") is State.QUEUED


async def test_a_programme_that_there_is_not_is_refused(bridge: Bridge) -> None:
    with pytest.raises(Refused, match="no programme of this name"):
        await queued(bridge, programme="nothing")


async def test_p39_a_stop_without_a_scope_is_the_whole_tenants_and_no_other_ones(
    bridge: Bridge, reception: Reception, do: Do
) -> None:
    await do("programme add", name="offers", tenant="acme", keyword="OFFERS")
    await texted(bridge)
    await writes(reception, "STOP")
    for more in ({}, {"programme": "offers"}, {"originator": "+420601000009"}):
        assert await queued(bridge, **more) is State.SUPPRESSED
    assert await queued(bridge, owner="sister") is State.QUEUED


@pytest.mark.parametrize("way", ["yes", "import", "operator", "link"])
async def test_p40_nothing_but_start_from_the_handset_lifts(
    bridge: Bridge, reception: Reception, do: Do, way: str
) -> None:
    await texted(bridge)
    await writes(reception, "STOP")
    match way:
        case "yes":
            await writes(reception, "YES")
        case "import":
            data = packed("name,number\nanna,601123456\n")
            (done,) = await do("contacts import", data=data, tenant="acme")
            assert done["suppressed"] == [2]
        case "operator":
            with pytest.raises(Refused, match="opted out themselves"):
                await do("suppress remove", number=ANNA, tenant="acme")
        case "link":
            acme = bridge.register.named("acme")
            assert acme is not None
            await left_by_link(bridge, secret(bridge.keys, acme.id, ANNA), "any")
    assert await queued(bridge) is State.SUPPRESSED
    await writes(reception, "START")
    assert await queued(bridge) is State.QUEUED


async def test_p43_a_carriers_news_of_an_opt_out_becomes_ours(
    bridge: Bridge, reception: Reception
) -> None:
    await texted(bridge)
    await reception.opted_out("sandbox", ANNA[1:])
    assert await rows(bridge, suppression.c.scope, suppression.c.source) == [("tenant", "carrier")]
    assert await states(bridge) == ["suppressed"]
    assert await queued(bridge) is State.SUPPRESSED


async def test_p45_a_suppression_has_no_end(bridge: Bridge, reception: Reception) -> None:
    await texted(bridge)
    await writes(reception, "STOP")
    now = bridge.clock()
    bridge.clock = lambda: now + 10 * 366 * 86_400
    await bridge.refresh()
    assert await queued(bridge) is State.SUPPRESSED
    assert not any("expires" in column.name for column in suppression.columns)


async def test_p72_a_burst_of_stops_is_told_once_and_names_nobody(
    bridge: Bridge, reception: Reception
) -> None:
    people = [f"+4206011235{n:02d}" for n in range(12)]
    for person in people:
        await texted(bridge, person)
    with structlog.testing.capture_logs() as logs:
        for person in people:
            await writes(reception, "STOP", person)
    told = [entry for entry in logs if "many STOPs" in entry["event"]]
    assert len(told) == 1
    assert not any(person[1:] in str(entry) for person in people for entry in logs)
    assert bridge.metrics.stop_bursts._value.get() == 1


# the blacklist


@pytest.mark.parametrize("what", [ANNA, "+420601*", "CZ"])
async def test_the_blacklist_refuses_until_it_is_lifted(bridge: Bridge, do: Do, what: str) -> None:
    await do("blacklist add", what=what, reason="a prank")
    with pytest.raises(Refused, match="blacklist"):
        await queued(bridge)
    assert (await do("blacklist check", what=ANNA))[0]["blocked"]
    (entry,) = await do("blacklist list")
    assert ANNA not in str(entry)
    assert ANNA not in str(await rows(bridge, *_blocked_columns()))
    assert await do("blacklist remove", what=what) == [{"kind": entry["kind"], "state": "removed"}]
    assert await queued(bridge) is State.QUEUED
    assert (await do("blacklist remove", what=what))[0]["state"] == "was not there"


def _blocked_columns() -> list[Any]:
    return list(blocked.columns)


async def test_a_tenants_own_block_is_no_other_ones(bridge: Bridge, do: Do) -> None:
    await do("blacklist add", what=ANNA, tenant="acme")
    with pytest.raises(Refused, match="this number is on the blacklist"):
        await queued(bridge)
    assert await queued(bridge, owner="sister") is State.QUEUED
    assert await queued(bridge, BERTA) is State.QUEUED


@pytest.mark.parametrize("what", ["XX", "12", "+999"])
async def test_what_cannot_be_blocked_is_refused(do: Do, what: str) -> None:
    if what == "+999":
        assert (await do("blacklist add", what=what))[0]["kind"] == "prefix"
        return
    with pytest.raises(Refused):
        await do("blacklist add", what=what)


# files


async def test_p3_a_file_of_numbers_is_taken_in_and_not_kept(bridge: Bridge, do: Do) -> None:
    await texted(bridge)
    data = packed("number;who\n601 123 456;Anna\nnobody;x\n+420 601 123 457;Berta\n")
    *problems, done = await do("suppress import", data=data, tenant="acme")
    assert [p["line"] for p in problems] == [3]
    assert done == {"added": 2, "there": 0, "wrong": 1, "cancelled": 1}
    assert await queued(bridge) is State.SUPPRESSED
    assert await queued(bridge, BERTA) is State.SUPPRESSED
    (*_, again) = await do("suppress import", data=data, tenant="acme")
    assert (again["added"], again["there"]) == (0, 2)


async def test_a_list_leaves_as_tokens_and_a_file_is_checked_against_it(do: Do) -> None:
    await do("suppress add", number=ANNA, tenant="acme")
    (entry,) = await do("suppress export", tenant="acme")
    assert ANNA[1:] not in str(entry)
    assert len(entry["token"]) == 22
    data = packed(f"{BERTA}\n{ANNA}\n")
    found, counts = await do("suppress check file", data=data, tenant="acme")
    assert found == {"line": 2, "scope": "tenant", "purpose": "any"}
    assert counts == {"lines": 2, "suppressed": 1, "wrong": 0}


async def test_p30_who_was_erased_and_is_suppressed_is_rejected_at_the_next_upload(
    bridge: Bridge, reception: Reception, do: Do
) -> None:
    await texted(bridge)
    await writes(reception, "STOP")

    def erased(items: Any) -> Any:
        for table in (message, subject):
            yield Step(Statement(table.delete()), {})
        return [None] * len(items)

    await bridge.store.write(erased, None)
    data = packed("name,number\nanna,601123456\nberta,601123457\n")
    (done,) = await do("contacts import", data=data, tenant="acme")
    assert (done["added"], done["suppressed"]) == (1, [2])
    assert set(done) == {"added", "changed", "unchanged", "groups", "suppressed"} | (
        set(done) & {"consents"}
    )
    numbers = [row[0] for row in await rows(bridge, subject.c.phone)]
    assert numbers == [BERTA]


# stolen


async def test_p63_a_stolen_list_gives_no_number_to_whoever_has_no_pepper(
    bridge: Bridge, reception: Reception
) -> None:
    await texted(bridge)
    await writes(reception, "STOP")
    (token,) = [row[0] for row in await rows(bridge, suppression.c.token)]
    acme = bridge.register.named("acme")
    assert acme is not None
    tried = 0
    for n in range(120_000, 124_000):  # a slice of the range that she is in
        number = f"+420601{n:06d}"
        tried += number == ANNA
        for written in (number, number[1:], number[4:]):
            assert token not in _guesses(written.encode(), acme.id)
    assert tried == 1  # her own number was among them, and none of the guesses was right
    assert token == bridge.keys.person(acme.id, ANNA)


def _guesses(number: bytes, tenant: int) -> set[str]:
    """What somebody would try: plain hashes, and HMAC under keys that they can think of."""
    plain = [hashlib.sha256(number).digest(), hashlib.sha1(number).digest()]
    keys = (b"", b"sms-bridge", b"subject:%d" % tenant, bytes(32))
    made = plain + [hmac.digest(key, number, "sha256") for key in keys]
    return {base64.urlsafe_b64encode(each[:16])[:22].decode() for each in made}


def test_p63_with_another_pepper_every_token_is_another() -> None:
    mine, other = Keyring(b"m" * 32), Keyring(b"o" * 32)
    assert set(mine.tokens(1, ANNA)).isdisjoint(other.tokens(1, ANNA))


# over SMTP, and at the claim


async def test_the_blacklist_is_a_550_with_a_sentence(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path)) as running:
        await _operates(running, "blacklist add", what=ANNA, reason="")
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as caught:
            await running.mail(f"{ANNA}@sms.example")
        assert caught.value.code == 550
        assert "this number is on the blacklist" in caught.value.message


async def test_a_block_stops_what_is_queued_already(tmp_path: Path) -> None:
    async with smsc() as centre:
        config = write_config(tmp_path, port=centre.port)
        async with a_bridge(config, works=False) as running:
            await submit(running.bridge, a_submission(running.bridge))
            await submit(running.bridge, a_submission(running.bridge, BERTA))
            await _operates(running, "blacklist add", what=ANNA, reason="")
        async with a_bridge(config) as running:

            async def over() -> bool:
                return not {"queued", "sending"} & set(await running.states())

            await until(over)
            assert (await running.states())[0] == "failed"
        assert [s.destination for s in centre.submits] == [BERTA[1:]]


async def _operates(running: Running, operation: str, **arguments: Any) -> None:
    office = Office(running.bridge, running.bridge.silence, "eva")
    async for _ in REGISTRY[operation](office, **arguments):
        pass
