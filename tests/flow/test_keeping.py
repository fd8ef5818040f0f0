"""Periods and holds from a chat, through its door: two people decide, and the purge obeys."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge.bots.commands import parse
from bridge.bots.model import HoldAdd, RetentionSet
from bridge.bots.words import WrongWord
from bridge.dispatch.keeping import Keeper, classes
from bridge.errors import Refused
from bridge.operations import REGISTRY, Item, Office
from bridge.store import ids
from bridge.store.audit_tables import audit
from bridge.store.kept import RETENTION, WALKS
from bridge.store.retention import RUNS
from bridge.store.retention_tables import hold, retention_rule
from bridge.store.sql import Statement
from bridge.store.tables import body, message
from tests.bridges import ANNA, until, write_config
from tests.chats import GROUP, Talk, a_talk

DAY = 86_400.0


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    tenant = f'inbox = ["telegram:{GROUP}"]'
    async with a_talk(write_config(tmp_path, tenant=tenant)) as made:
        await made.enrol("1", "agent", "Anna")
        await made.enrol("2", "admin", "Adam")
        await made.enrol("3", "privacy", "Petra")
        await made.enrol("4", "privacy", "Pavel")
        yield made


def waiting(talk: Talk) -> str:
    """The id that a second person is asked for."""
    found = re.search(r"/sms approve (\w{13})", talk.last)
    assert found, talk.last
    return found[1]


async def approve(talk: Talk, person: str, number: str) -> None:
    await talk.types(person, f"approve {number}")
    await talk.presses(person, "Agree", talk.chat.whispers[-1][1])


async def text_period(talk: Talk) -> str:
    tenant = talk.bridge.register.named("acme")
    assert tenant is not None
    found = {each.rule.name: each for each in await classes(talk.bridge, tenant.id)}
    return found["text"].period.written


async def test_everybody_may_see_what_is_kept_for_how_long(talk: Talk) -> None:
    await talk.types("1", "retention show")
    assert "text: 60 days, from final status" in talk.last
    assert "audit: 2 years" in talk.last
    assert "suppression" not in talk.last


async def test_a_period_holds_once_a_second_person_agrees(talk: Talk) -> None:
    await talk.types("2", 'retention set text 30 reason="less is more"')
    number = waiting(talk)
    assert await text_period(talk) == "60d"
    assert "needs a second person" in talk.chat.words()
    await talk.types("2", f"approve {number}")
    assert "a second person must agree" in talk.last.lower()
    await talk.types("1", f"approve {number}")
    await approve(talk, "3", number)
    assert await text_period(talk) == "30d"
    rows = await talk.running.rows(Statement(select(audit.c.action, audit.c.reason)))
    assert [row[0] for row in rows if row[0].startswith("retention")] == [
        *("retention set", "retention agree")
    ]
    ((reason, approved),) = await talk.running.rows(
        Statement(select(retention_rule.c.reason, retention_rule.c.approved_by))
    )
    assert reason == "less is more"
    assert approved.startswith("staff ")


@pytest.mark.parametrize(
    ("person", "typed", "said"),
    [
        ("1", 'retention set text 30 reason="x"', "may not change how long data is kept"),
        ("3", 'retention set text 30 reason="x"', "may not change how long data is kept"),
        ("2", 'retention set text 300 reason="x"', "at most"),
        ("2", 'retention set traffic 90 reason="x"', "operator's to set"),
        ("2", 'retention set audit 90 reason="x"', "cannot be changed"),
        ("2", 'retention set texts 30 reason="x"', "no class"),
        ("2", "retention set text 30", "the reason is missing: reason=…"),
        ("2", 'retention set text soon reason="x"', "no period"),
        ("1", f'hold add {ANNA} basis="x" until=2099-01-01', "may not hold"),
        ("2", f'hold add {ANNA} basis="x" until=2099-01-01', "may not hold"),
        ("3", f'hold add {ANNA} basis="x" until=2099-01-01', "nothing is kept of this person"),
        ("3", f'hold add {ANNA} basis="x" until=soon', "this is no day"),
        ("3", f'hold add {ANNA} basis="x"', "its until is missing: until=…"),
        ("3", "hold release 0000000000000", "there is no hold"),
    ],
)
async def test_what_may_not_be_is_refused_in_words(
    talk: Talk, person: str, typed: str, said: str
) -> None:
    await talk.types(person, typed)
    assert said in talk.last.lower()


async def sent(talk: Talk) -> str:
    """An SMS to Anna, delivered; its id."""
    await talk.running.mail(f"{ANNA}@sms.example")

    async def delivered() -> bool:
        return await talk.running.states() == ["delivered"]

    await until(delivered)
    rows = await talk.running.rows(Statement(select(message.c.id)))
    return ids.show(rows[0][0])


async def texts_after(talk: Talk, days: float) -> int:
    """How many texts are left when so many days have passed, for the purge alone."""
    later = copy(talk.bridge)
    later.clock = lambda: talk.bridge.clock() + days * DAY
    async for _ in Keeper(later).run(dry=False):
        pass
    return len(await talk.running.rows(Statement(select(body.c.message_id))))


async def test_p34_a_hold_from_a_chat_binds_at_once_and_stays_once_agreed(talk: Talk) -> None:
    number = await sent(talk)
    await talk.types("3", f'hold add {number} basis="case 7/2026" until=2099-01-01')
    assert "It binds from now on." in talk.last
    held = waiting(talk)
    assert ANNA not in talk.chat.words()
    await talk.types("3", "hold list")
    assert "case 7/2026, waits for a second person" in talk.last
    await talk.types("3", f"approve {held}")
    assert "a second person must agree" in talk.last.lower()
    await approve(talk, "4", held)
    assert await texts_after(talk, 100) == 1
    await talk.types("3", f"hold release {held}")
    assert "does not release it alone" in talk.last
    await talk.types("4", f"hold release {held}")
    assert "The hold has ended" in talk.last
    assert await texts_after(talk, 100) == 0


async def test_a_hold_that_nobody_agreed_to_lapses_after_a_week(talk: Talk) -> None:
    await sent(talk)
    await talk.types("3", f'hold add {ANNA} basis="case 7/2026" until=2099-01-01')
    assert await texts_after(talk, 100) == 0
    ((basis,),) = await talk.running.rows(Statement(select(hold.c.basis)))
    assert basis == "case 7/2026"


async def test_numbers_are_not_typed_where_others_read(talk: Talk) -> None:
    await talk.types("3", f'hold add {ANNA} basis="x" until=2099-01-01', GROUP)
    assert "not written where others read" in talk.last


def test_commands_are_read_as_they_are_written() -> None:
    command = parse('hold add @eva basis="case 12, claim" until=2027-06-30', "CZ")
    assert isinstance(command, HoldAdd)
    assert (command.basis, command.until.isoformat()) == ("case 12, claim", "2027-06-30")
    assert parse("retention set text 6mo reason=x") == RetentionSet("text", "6mo", "x")
    with pytest.raises(WrongWord):
        parse("hold keep 1")


# What the operator does


async def asked(talk: Talk, operation: str, actor: str = "eva", **given: Any) -> list[Item]:
    """An operation by somebody at the machine."""
    office = Office(talk.bridge, talk.bridge.silence, actor)
    return [item async for item in REGISTRY[operation](office, **given)]


async def test_the_operators_period_needs_another_operator(talk: Talk) -> None:
    (made,) = await asked(talk, "retention set", klass="account", period="3y", reason="enough")
    with pytest.raises(Refused, match="a second person"):
        await asked(talk, "retention agree", id=made["id"])
    (agreed,) = await asked(talk, "retention agree", actor="ota", id=made["id"])
    assert agreed["state"] == "agreed"
    shown = {item["class"]: item for item in await asked(talk, "retention show")}
    assert shown["account"]["period"] == "3y"
    with pytest.raises(Refused, match="nothing waits"):
        await asked(talk, "retention agree", actor="ota", id=made["id"])


async def test_a_proposal_lapses_after_a_week(talk: Talk) -> None:
    (made,) = await asked(talk, "retention set", klass="account", period="3y", reason="enough")
    real = talk.bridge.clock
    talk.bridge.clock = lambda: real() + 7.1 * DAY
    with pytest.raises(Refused, match="nothing waits"):
        await asked(talk, "retention agree", actor="ota", id=made["id"])


async def test_p06_a_dispute_holds_a_messages_record_and_not_its_text(talk: Talk) -> None:
    number = await sent(talk)
    given = {"ref": number, "basis": "complaint 7", "until": "2099-01-01", "claim": True}
    (held,) = await asked(talk, "hold add", **given)
    assert held["message"] == number
    assert await texts_after(talk, 300) == 0
    assert len(await talk.running.rows(Statement(select(message.c.id)))) == 1
    assert [item["id"] for item in await asked(talk, "hold list")] == [held["id"]]
    await asked(talk, "hold release", id=held["id"])
    await texts_after(talk, 300)
    assert len(await talk.running.rows(Statement(select(message.c.id)))) == 0


async def test_a_dispute_is_about_a_message(talk: Talk) -> None:
    await sent(talk)
    given = {"ref": ANNA, "basis": "complaint 7", "until": "2099-01-01", "claim": True}
    with pytest.raises(Refused, match="about a message"):
        await asked(talk, "hold add", **given)


async def test_p01_a_claim_is_recorded_with_the_instruction_and_kept(talk: Talk) -> None:
    await sent(talk)
    (made,) = await asked(talk, "retention claim", tenant="acme", instruction="letter of 3 May")
    assert made["messages_gone_after"] == made["backups_gone_after"] == "60d"
    rows = await talk.running.rows(
        Statement(select(audit.c.actor, audit.c.reason).where(audit.c.action == "privacy claim"))
    )
    assert [tuple(row) for row in rows] == [("eva", "letter of 3 May")]
    await texts_after(talk, 59)
    assert len(await talk.running.rows(Statement(select(message.c.id)))) == 1
    await texts_after(talk, 61)
    assert len(await talk.running.rows(Statement(select(message.c.id)))) == 0


async def test_a_dry_run_says_what_is_due_and_deletes_nothing(talk: Talk) -> None:
    await sent(talk)
    real = talk.bridge.clock
    talk.bridge.clock = lambda: real() + 61 * DAY
    (due,) = await asked(talk, "retention run", dry_run=True)
    assert due == {"class": "text", "period": "60d", "due": {"body": 1}, "more": False}
    (gone,) = await asked(talk, "retention run")
    assert gone == {"class": "text", "period": "60d", "deleted": {"body": 1}}
    assert await asked(talk, "retention run") == []


async def test_the_sweep_purges_a_little_at_a_time_and_once_an_hour(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(talk)
    written: list[Any] = []
    write = talk.bridge.store.write

    async def watched(script: Any, item: Any) -> Any:
        written.append(script)
        return await write(script, item)

    monkeypatch.setattr(talk.bridge.store, "write", watched)
    keeper, now = Keeper(talk.bridge), talk.bridge.clock() + 61 * DAY

    async def texts() -> int:
        return len(await talk.running.rows(Statement(select(body.c.message_id))))

    await keeper.once(now)
    assert await texts() == 1  # a process that has just begun waits
    for second in range(60, 60 + 3 * len(WALKS)):
        before = written.count(RETENTION.turn)
        await keeper.once(now + second)
        assert written.count(RETENTION.turn) - before <= 1
    assert RETENTION.turn in written
    assert await texts() == 0
    runs = await talk.running.rows(RUNS)
    assert {row[0] for row in runs if row[2] is not None} == set(WALKS)
    for second in range(200, 3000, 50):
        await keeper.once(now + second)
    assert len(await talk.running.rows(RUNS)) == len(runs)
