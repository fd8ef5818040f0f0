"""Advertising from a mail to the phone: refused, deferred, sent, taken back; told with its rule."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiosmtplib
import pytest
from sqlalchemy import select

from bridge import opening
from bridge.cli.files import packed
from bridge.dispatch import consents
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.contacts import import_csv
from bridge.dispatch.receive import Reception
from bridge.dispatch.submit import made_ready, prepare, submit
from bridge.errors import Refused
from bridge.model import Class, Inbound, Origin, State, Submission
from bridge.operations import REGISTRY, Office
from bridge.phone import parse
from bridge.settings import load
from bridge.store import ids
from bridge.store.audit_tables import audit
from bridge.store.claims import Claim, ClaimScript
from bridge.store.consent_tables import consent
from bridge.store.sql import Do, Script, Statement
from bridge.store.tables import body, message
from tests.bridges import ANNA, BERIT, OURS, Running, a_bridge, until, write_config
from tests.chats import GROUP, a_talk
from tests.consents import OFFER, agree, moment, shift

ADDRESS = f"{ANNA}.marketing@sms.example"
NORSK = "Acme tilbud 20 %. Avmelding: svar STOPP"
PROGRAMMES = """
programmes = [
  { name = "news", keyword = "NOVINKY", text = "{tenant}: novinky, 4 mesicne. Odhlaseni: STOP" },
  { name = "shop", keyword = "JOIN", text = "{tenant}: shop offers? Reply ANO", confirm = "ANO", welcome = "{tenant}: welcome. Odhlaseni: STOP" },
]
"""


@pytest.fixture
def tenant() -> str:
    return PROGRAMMES


@pytest.fixture
async def bridge(tmp_path: Path, url: str, tenant: str) -> AsyncIterator[Bridge]:
    """An open bridge whose clock stands at noon in Prague."""
    path = write_config(tmp_path, database=url, tenant=tenant)
    async with opening.opened(load(path, {}), "up") as made:
        noon(made)
        yield made


Do_ = Callable[..., Any]


@pytest.fixture
def do(bridge: Bridge) -> Do_:
    """Run an operation; its items."""

    async def run(operation: str, **arguments: Any) -> list[dict[str, Any]]:
        office = Office(bridge, Reception(bridge, lambda _: None).silence, "eva")
        return [item async for item in REGISTRY[operation](office, **arguments)]

    return run


def noon(bridge: Bridge, local: str = "2026-11-24T12:00", zone: str = "Europe/Prague") -> None:
    """Stop the bridge's clock."""
    now = moment(local, zone)
    bridge.clock = lambda: now


def an_advert(bridge: Bridge, to: str = ANNA, text: str = OFFER, **more: Any) -> Submission:
    acme = bridge.register.named("acme")
    assert acme is not None
    number = parse(to)
    return Submission(
        acme.id, Origin("cli", "eva"), to, number.country, text, klass=Class.MARKETING, **more
    )


async def the_message(bridge: Bridge) -> tuple[Any, ...]:
    """(state, due_at, expires_at, rules) of the only message."""
    wanted = select(message.c.state, message.c.due_at, message.c.expires_at, message.c.rules)
    (row,) = await bridge.store.read(Statement(wanted))
    return tuple(row)


def hour(at: float) -> str:
    return datetime.fromtimestamp(at, ZoneInfo("Europe/Prague")).strftime("%dT%H:%M")


# Through the mail


async def test_p48_a_mail_without_consent_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path), works=False) as running:
        with pytest.raises(aiosmtplib.SMTPDataError) as no:
            await running.mail(ADDRESS, text=OFFER)
        assert no.value.code == 550
        assert "no consent to advertising is recorded" in no.value.message
        assert "bridge consent add" in no.value.message
        assert "(rule basis:CZ)" in no.value.message
        assert await running.states() == []


async def test_p48_with_consent_it_reaches_the_phone(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path)) as running:
        shift(running.bridge, "2026-11-24T12:00")
        await agree(running.bridge, ANNA)
        assert (await running.mail(ADDRESS, text=OFFER)).startswith("250")

        async def delivered() -> bool:
            return await running.states() == ["delivered"]

        await until(delivered)


async def test_p47_a_mail_that_does_not_say_what_it_is_is_refused(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path), works=False) as running:
        shift(running.bridge, "2026-11-24T12:00")
        await agree(running.bridge, ANNA)
        with pytest.raises(aiosmtplib.SMTPDataError) as no:
            await running.mail(ADDRESS, text="Sleva 20 %")
        assert 'begins with "OS"' in no.value.message


async def test_explain_by_mail_names_the_rule(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path)) as running:
        shift(running.bridge, "2026-11-24T22:00")
        await agree(running.bridge, ANNA)
        await running.mail(f"explain.{ADDRESS}", text=OFFER)
        await running.mail(f"explain.{BERIT}.marketing@sms.example", text=NORSK)
        mails = await until(lambda: two(running))
        told = "\n".join(mail["text"] for mail in mails)
        assert "marketing:CZ" in told
        assert "quiet-hours:CZ" in told
        assert "rule basis:NO" in told
        assert await running.states() == []


async def two(running: Running) -> list[dict[str, Any]]:
    mails = await running.mails()
    return mails if len(mails) == 2 else []


async def test_what_is_no_advertisement_is_exempt_and_marked_so(bridge: Bridge) -> None:
    noon(bridge, "2026-11-24T23:00")
    alarm = an_advert(bridge, text="Boiler 3 is cold")
    alarm.klass = Class.TRANSACTIONAL
    assert (await submit(bridge, alarm)).state is State.QUEUED
    state, _, _, rules = await the_message(bridge)
    assert (state, rules) == ("queued", "exempt:transactional")


async def test_p48_nothing_that_skips_the_rules_is_prepared(bridge: Bridge) -> None:
    with pytest.raises(Refused, match="not sent from here"):
        prepare(bridge, an_advert(bridge))


# Hours

HOURS = {
    "at night": ("2026-11-24T23:00", "scheduled", "25T08:00", "25T20:00"),
    "at noon": ("2026-11-24T12:00", "queued", "24T12:00", "24T20:00"),
    "just before the end": ("2026-11-24T19:59", "queued", "24T19:59", "24T20:00"),
    "at the end": ("2026-11-24T20:00", "scheduled", "25T08:00", "25T20:00"),
}


@pytest.mark.parametrize(("local", "state", "due", "ends"), HOURS.values(), ids=HOURS)
async def test_p49_it_waits_for_its_hours_and_ends_with_them(
    bridge: Bridge, local: str, state: str, due: str, ends: str
) -> None:
    noon(bridge, local)
    await agree(bridge, ANNA)
    assert (await submit(bridge, an_advert(bridge))).state == state
    found, due_at, expires_at, rules = await the_message(bridge)
    assert (found, hour(due_at), hour(expires_at)) == (state, due, ends)
    assert ("quiet-hours:CZ" in rules.split()) is (state == "scheduled")


@pytest.mark.parametrize("tenant", ['validity = "1h"'])
async def test_p49_a_shorter_validity_stays(bridge: Bridge) -> None:
    await agree(bridge, ANNA)
    await submit(bridge, an_advert(bridge))
    _, _, expires_at, _ = await the_message(bridge)
    assert hour(expires_at) == "24T13:00"


async def test_p49_what_was_held_over_night_is_released_into_the_day(
    bridge: Bridge, do: Do_
) -> None:
    await agree(bridge, ANNA)
    kept = await submit(bridge, an_advert(bridge, hold="SPF did not tell"))
    noon(bridge, "2026-11-24T23:00")
    await do("held release", id=ids.show(kept.id))
    state, due_at, expires_at, _ = await the_message(bridge)
    assert (state, hour(due_at), hour(expires_at)) == ("queued", "25T08:00", "25T20:00")


async def test_p49_what_comes_back_from_the_carrier_late_expires(bridge: Bridge) -> None:
    """A retry that falls due behind the window never rings."""
    await agree(bridge, ANNA)
    kept = await submit(bridge, an_advert(bridge))
    late = moment("2026-11-24T20:00:30")

    def retried(items: list[int]) -> Script:
        yield Do(Statement(message.update().values(due_at=late, tries=3)), {})
        return [None] * len(items)

    await bridge.store.write(retried, kept.id)
    claims = ClaimScript(bridge.ids.next)
    item = Claim("sandbox", bridge.incarnation, late + 1, 10, 10)
    found = await bridge.store.write(claims, item)
    assert found.messages == []
    assert (await the_message(bridge))[0] == "expired"


# What the tenant wishes


@pytest.mark.parametrize(
    "tenant",
    [
        'marketing_label = "OS Acme:"\nmarketing_footer = "Odhlaseni: STOP"\nmarketing_basis = "tenant"'
    ],
)
async def test_a_tenant_may_vouch_and_have_its_words_added(bridge: Bridge) -> None:
    await submit(bridge, an_advert(bridge, text="sleva 20 %"))
    rows = await bridge.store.read(Statement(select(body.c.text)))
    assert [row[0] for row in rows] == ["OS Acme: sleva 20 % Odhlaseni: STOP"]
    rules = (await the_message(bridge))[3].split()
    assert {"basis:tenant", "marketing-label", "marketing-footer"} <= set(rules)


@pytest.mark.parametrize("tenant", ['marketing_cap = "2/7d"'])
async def test_a_cap_is_told_to_whoever_writes(bridge: Bridge) -> None:
    await agree(bridge, ANNA)
    for _ in range(2):
        await submit(bridge, an_advert(bridge))
    with pytest.raises(Refused, match=r"no more advertisements than 2/7d \(rule cap:CZ\)"):
        await submit(bridge, an_advert(bridge))


async def test_p46_a_name_gets_its_link(bridge: Bridge) -> None:
    await agree(bridge, ANNA)
    ready = await made_ready(bridge, an_advert(bridge, text="OS: sleva", originator="ACME"))
    assert "/o/" in ready.prepared.text


@pytest.mark.parametrize("tenant", ['optout = "require"'])
async def test_p46_or_has_to_say_where(bridge: Bridge) -> None:
    await agree(bridge, ANNA)
    with pytest.raises(Refused, match=r"takes no answer.*\(rule opt-out:CZ\)"):
        await made_ready(bridge, an_advert(bridge, text="OS: sleva. STOP", originator="ACME"))


async def test_p48_a_programme_needs_a_consent_to_it(bridge: Bridge) -> None:
    await agree(bridge, ANNA, programme="news")
    assert (await submit(bridge, an_advert(bridge, programme="News"))).state is State.QUEUED
    for other in ("shop", ""):
        with pytest.raises(Refused, match="no consent to advertising"):
            await submit(bridge, an_advert(bridge, programme=other))
    with pytest.raises(Refused, match="no programme of this name"):
        await submit(bridge, an_advert(bridge, programme="chess"))


# From the handset


async def hears(bridge: Bridge, text: str) -> None:
    part = Inbound(source=ANNA, destination=OURS, data=text.encode(), coding="utf-8")
    await Reception(bridge, lambda _: None).inbound("sandbox", part)


async def records(bridge: Bridge) -> list[tuple[Any, ...]]:
    wanted = select(
        consent.c.programme, consent.c.channel, consent.c.void_reason, consent.c.withdrawn_via
    ).order_by(consent.c.id)
    return [tuple(row) for row in await bridge.store.read(Statement(wanted))]


async def answers(bridge: Bridge) -> list[str]:
    wanted = select(body.c.text).join(message, message.c.id == body.c.message_id)
    wanted = wanted.where(message.c.exempt).order_by(message.c.id)
    return [row[0] for row in await bridge.store.read(Statement(wanted))]


async def test_a_programmes_keyword_is_a_consent_and_is_answered(bridge: Bridge) -> None:
    await hears(bridge, "Novinky!")
    assert await records(bridge) == [("news", "handset", "", "")]
    assert await answers(bridge) == ["acme: novinky, 4 mesicne. Odhlaseni: STOP"]
    acme = bridge.register.named("acme")
    assert acme is not None
    (shown,) = await consents.consents_of(bridge, acme, ANNA)
    assert (shown.state, shown.text) == ("active", "acme: novinky, 4 mesicne. Odhlaseni: STOP")
    assert (await submit(bridge, an_advert(bridge, programme="news"))).state is State.QUEUED


async def test_a_keyword_that_is_to_be_confirmed_counts_only_then(bridge: Bridge) -> None:
    await hears(bridge, "JOIN")
    with pytest.raises(Refused, match="no consent"):
        await submit(bridge, an_advert(bridge, programme="shop"))
    noon(bridge, "2026-11-24T13:00")
    await hears(bridge, "ano")
    assert await records(bridge) == [("shop", "handset", "", "")]
    assert await answers(bridge) == [
        "acme: shop offers? Reply ANO",
        "acme: welcome. Odhlaseni: STOP",
    ]
    assert (await submit(bridge, an_advert(bridge, programme="shop"))).state is State.QUEUED


async def test_a_confirmation_that_comes_too_late_confirms_nothing(bridge: Bridge) -> None:
    await hears(bridge, "JOIN")
    noon(bridge, "2026-11-25T12:00:01")
    await hears(bridge, "ANO")
    assert await records(bridge) == [("shop", "handset", "unconfirmed", "")]
    assert len(await answers(bridge)) == 1


async def test_ano_alone_is_just_a_word(bridge: Bridge) -> None:
    await hears(bridge, "ANO")
    assert await records(bridge) == []
    assert await answers(bridge) == []


async def test_p40_a_keyword_lifts_no_stop(bridge: Bridge) -> None:
    await hears(bridge, "STOP")
    noon(bridge, "2026-11-24T12:30")
    await hears(bridge, "NOVINKY")
    assert await records(bridge) == []
    assert len(await answers(bridge)) == 1


async def test_p40_after_a_stop_and_a_start_consent_is_still_needed(bridge: Bridge) -> None:
    await hears(bridge, "NOVINKY")
    noon(bridge, "2026-11-24T12:10")
    await hears(bridge, "STOP")
    assert await records(bridge) == [("news", "handset", "", "handset")]
    noon(bridge, "2026-11-24T12:20")
    await hears(bridge, "START")
    with pytest.raises(Refused, match="no consent"):
        await submit(bridge, an_advert(bridge, programme="news"))


# By commands


async def test_p31_withdrawal_by_command_is_audited_and_cancels(bridge: Bridge, do: Do_) -> None:
    given = {"evidence": "form", "text": "I want news.", "age": "17"}
    (shown,) = await do("consent add", number=ANNA, given=given)
    assert (shown["state"], shown["text"], shown["channel"]) == (
        "active",
        "I want news.",
        "command",
    )
    assert "evidence" not in shown
    await submit(bridge, an_advert(bridge))
    (done,) = await do("consent withdraw", number=ANNA, via="phone")
    assert done == {"ended": 1, "cancelled": 1}
    assert (await the_message(bridge))[0] == "cancelled"
    (shown,) = await do("consent show", number=ANNA, reveal=True)
    assert (shown["state"], shown["withdrawn_via"]) == ("withdrawn", "phone")
    assert shown["evidence"] == "form"
    rows = await bridge.store.read(Statement(select(audit.c.action).order_by(audit.c.seq)))
    assert [row[0] for row in rows] == ["consent add", "consent withdraw", "consent show --reveal"]


async def test_p51_a_reassigned_number_by_command(do: Do_) -> None:
    await do("consent add", number=ANNA, given={"evidence": "form"})
    assert await do("consent withdraw", number=ANNA, void=True) == [{"ended": 1, "cancelled": 0}]
    (shown,) = await do("consent show", number=ANNA)
    assert shown["state"] == "void"


async def test_s4_11_a_child_needs_a_guardian(bridge: Bridge, do: Do_) -> None:
    with pytest.raises(Refused, match="under 16"):
        await do("consent add", number=ANNA, given={"evidence": "form", "age": "15"})
    given = {"evidence": "signed by the mother", "age": "15", "basis": "guardian"}
    await do("consent add", number=ANNA, given=given)
    assert (await submit(bridge, an_advert(bridge))).state is State.QUEUED


async def test_texts_have_versions(do: Do_) -> None:
    assert await do("consent text", version="v1", text="I want news.") == [
        {"version": "v1", "text": "I want news."}
    ]
    with pytest.raises(Refused, match="other words"):
        await do("consent text", version="v1", text="I want all.")
    (shown,) = await do("consent add", number=ANNA, given={"evidence": "form", "text": "v1"})
    assert (shown["version"], shown["text"]) == ("v1", "I want news.")


async def test_a_file_of_consents_is_all_or_nothing(bridge: Bridge, do: Do_) -> None:
    good = Path(bridge.settings.data_dir) / "consents.csv"
    good.write_text(f"number,evidence,programme\n{ANNA},form,news\n{BERIT},shop,\n")
    assert await do("consent import", data=packed(str(good), as_json=True)) == [{"recorded": 2}]
    good.write_text(f"number,evidence,programme\n{ANNA},form,chess\n{BERIT},paper,\n")
    with pytest.raises(Refused, match="nothing was imported: 1 problem"):
        await do("consent import", data=packed(str(good), as_json=True))
    assert len(await records(bridge)) == 2


async def test_contacts_bring_their_consents(bridge: Bridge) -> None:
    acme = bridge.register.named("acme")
    assert acme is not None
    data = f"name,number,consent\nanna,{ANNA},web form\nberit,{BERIT},\n".encode()
    for _ in range(2):
        assert (await import_csv(bridge, acme, data)).problems == ()
    assert await records(bridge) == [("", "import", "", "")]
    assert (await submit(bridge, an_advert(bridge))).state is State.QUEUED
    wrong = f"name,number,consent\nanna,{ANNA},programme=chess evidence=form\n".encode()
    (problem,) = (await import_csv(bridge, acme, wrong)).problems
    assert problem.line == 2
    assert "no programme" in problem.reason


# In chats


async def test_an_agent_keeps_consents_from_a_chat(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path, tenant=PROGRAMMES)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"consent {ANNA}")
        assert "Nothing is recorded." in talk.last
        words = 'add programme=news text="I want news." evidence="phone call"'
        await talk.types("7", f"consent {ANNA} {words}")
        assert "● news: active" in talk.last
        assert "I want news." in talk.last
        assert ANNA not in talk.last
        assert "phone call" not in talk.last
        await talk.types("7", f"consent {ANNA} withdraw programme=news")
        assert "○ news: withdrawn" in talk.last
        rows = await talk.running.rows(Statement(select(audit.c.action).order_by(audit.c.seq)))
        said = [row[0] for row in rows if row[0].startswith("consent")]
        assert said == ["consent add", "consent withdraw"]


async def test_what_is_wrong_in_a_chat_is_said(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"consent {ANNA} add text=x")
        assert "needs its evidence" in talk.last
        await talk.types("7", f"consent {ANNA} add colour=red")
        assert "has no colour" in talk.last
        await talk.types("7", f"consent {ANNA} withdraw evidence=x")
        assert "withdrawal has a programme" in talk.last
        await talk.types("7", f"consent {ANNA} forget")
        assert "add, withdraw or show" in talk.last


async def test_p56_no_number_is_written_where_others_read(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"consent {ANNA}", place=GROUP)
        assert "umbers are not written where others read" in talk.last


async def test_an_auditor_looks_and_changes_nothing(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path)) as talk:
        await talk.enrol("7", role="auditor")
        await talk.types("7", f"consent {ANNA}")
        assert "Nothing is recorded." in talk.last
        await talk.types("7", f"consent {ANNA} add evidence=form")
        assert "may not record consents" in talk.last
