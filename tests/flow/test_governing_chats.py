"""Breaches, processors and access from chats: each role may what it may, each tenant its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Text, func, select, type_coerce

from bridge.bots import model
from bridge.bots.chat import Typed
from bridge.bots.commands import parse
from bridge.bots.enrolment import code_hash, new_code
from bridge.bots.handler import Handler
from bridge.bots.words import WrongWord
from bridge.dispatch import breaches, processors
from bridge.dispatch.breaches import Case
from bridge.errors import TryLater
from bridge.model import Inbound
from bridge.store.breaches import Facts
from bridge.store.chat_tables import chat_update
from bridge.store.sql import Statement, Values
from bridge.store.staff import Invite, invite
from bridge.store.suppressions import ACTIVE
from bridge.store.tables import metadata
from bridge.store.updates import UpdateDone, finish_updates
from bridge.store.vault import MARK
from tests.bridges import ANNA, write_config
from tests.chats import GROUP, Talk, a_talk

INBOX = f'inbox = ["telegram:{GROUP}"]'
SISTER = """
[[tenants]]
name = "sister"
"""
COMMANDS = {
    "subproc": model.Subproc("list", "", {}),
    "subproc notify smsc-1": model.Subproc("notify", "smsc-1", {}),
    'subproc add x country=NO purpose="delivers SMS" kind=other': model.Subproc(
        "add", "x", {"country": "NO", "purpose": "delivers SMS", "kind": "other"}
    ),
    "breach open A disk was lost": model.Breach("open", 0, "A disk was lost"),
    "breach report Somebody knew": model.Breach("report", 0, "Somebody knew"),
    "breach notify 7": model.Breach("notify", 7, ""),
    'breach close 7 outcome="found again"': model.Breach("close", 7, "found again"),
    "access": model.Access("review", "", {}),
    "access grant Eva Nováková role=agent": model.Access(
        "grant", "Eva Nováková", {"role": "agent"}
    ),
    "access revoke eva": model.Access("revoke", "eva", {}),
    "access review 0w4": model.Access("review", "0w4", {}),
    "access close-all confirm=AB12": model.Access("close-all", "", {"confirm": "AB12"}),
}
NONE = {
    "subproc sell": "it can be list, add or notify",
    "subproc add x colour=red": "only this can stand here",
    "breach notify seven": "this is no id",
    "breach close 7": "is missing",
    "breach open": "is missing",
    "access grant Eva": "role=<role> is missing",
    "access grant role=agent": "whose access?",
    "access revoke": "whose access?",
    "access close-all now": "only confirm=<code>",
}


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_is_understood(text: str) -> None:
    assert parse(text) == COMMANDS[text]


@pytest.mark.parametrize("text", NONE)
def test_what_is_wrong_is_pointed_at(text: str) -> None:
    with pytest.raises(WrongWord) as caught:
        parse(text)
    assert NONE[text] in caught.value.sentence


async def cases(talk: Talk) -> list[Case]:
    return await breaches.cases(talk.bridge)


async def test_p58_anybody_reports_and_privacy_tells_and_closes(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path, tenant=INBOX)) as talk:
        await talk.enrol("7", "auditor")
        await talk.types("7", "breach open A disk was lost")
        assert "may not" in talk.last
        await talk.types("7", "breach report Somebody knew what we wrote")
        assert "is open, and the operator knows" in talk.last
        (case,) = await cases(talk)
        assert case.breach.source == "tenant"
        await talk.enrol("8", "privacy", "Petr")
        await talk.types("8", "breach list")
        assert f"{case.breach.id}  open" in talk.last
        await talk.types("8", f'breach close {case.breach.id} outcome="nothing"')
        assert "has not been told" in talk.last
        await talk.types("8", f"breach notify {case.breach.id}")
        assert "told" in talk.last
        await talk.types("8", f'breach close {case.breach.id} outcome="nothing"')
        assert "is closed" in talk.last
        assert [c.state for c in await cases(talk)] == ["closed"]


async def test_p58_one_tenant_neither_sees_nor_tells_of_anothers_breach(tmp_path: Path) -> None:
    path = write_config(tmp_path, carriers=SISTER)
    async with a_talk(path) as talk:
        acme, sister = (talk.bridge.register.named(n) for n in ("acme", "sister"))
        assert acme is not None
        assert sister is not None
        facts = Facts(nature="theirs")
        await breaches.begin(talk.bridge, "root", [sister], facts)
        await breaches.begin(talk.bridge, "root", [acme, sister], facts)
        await talk.enrol("7", "privacy")
        await talk.types("7", "breach list")
        assert "2  open" in talk.last
        assert "1  open" not in talk.last
        await talk.types("7", "breach notify 1")
        assert "no breach with this id" in talk.last
        await talk.types("7", "breach notify 2")
        assert "other tenants too" in talk.last
        assert [c.state for c in await cases(talk)] == ["open", "open"]


async def test_p55_privacy_keeps_the_register_where_there_is_one_tenant(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path, tenant=INBOX)) as talk:
        await talk.enrol("7", "agent")
        await talk.types("7", "subproc list")
        assert "may not" in talk.last
        await talk.enrol("8", "privacy", "Petr")
        await talk.types("8", 'subproc add printer kind=other country=NO purpose="prints"')
        assert "told in 1 inboxes" in talk.last
        await talk.types("8", "subproc list")
        assert "printer  other  NO" in talk.last
        assert "is announced for" in talk.last
        await talk.types("8", 'subproc add x country=NO purpose="y" effective=2020-01-01')
        assert "at least 30 days before" in talk.last


async def test_p55_with_several_tenants_the_operator_announces(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path, carriers=SISTER)) as talk:
        await talk.enrol("7", "privacy")
        await talk.types("7", 'subproc add printer kind=other country=NO purpose="prints"')
        assert "other tenants too" in talk.last
        assert await processors.register(talk.bridge) == []


async def test_p59_an_admin_grants_reviews_and_revokes(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path)) as talk:
        await talk.enrol("7", "agent", "Anna")
        await talk.types("7", "access grant Petr role=admin")
        assert "may not let people in and out" in talk.last
        await talk.enrol("8", "admin", "Boris")
        await talk.types("8", "access grant Petr Novák role=boss")
        assert "no such role" in talk.last
        await talk.types("8", "access grant Petr Novák role=agent")
        found = re.search(r"/sms (enrol \S+)", talk.last)
        assert found is not None
        await talk.types("9", found[1])
        assert "Welcome, Petr Novák" in talk.last
        await talk.types("8", "access review")
        assert "Petr Novák  agent  until 20" in talk.last
        await talk.types("8", "access review boris")
        assert "Nobody confirms their own access" in talk.last
        await talk.types("8", "access review petr novák")
        assert "keeps access until" in talk.last
        await talk.types("8", "access revoke petr novák")
        assert "may do nothing here" in talk.last
        await talk.types("9", "quota")
        assert "not enrolled" in talk.last


async def test_p59_a_grant_whose_day_is_over_is_refused_before_any_sweep(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path), works=False) as talk:
        await talk.enrol("7")
        now = talk.bridge.clock()
        talk.bridge.clock = lambda: now + 89 * 86400
        await talk.types("7", "quota")
        assert "not enrolled" not in talk.last
        talk.bridge.clock = lambda: now + 91 * 86400
        await talk.types("7", f"{ANNA} Boiler 3 is cold")
        assert "not enrolled" in talk.last
        assert await talk.running.states() == []


async def test_p60_close_all_needs_its_code_and_stop_is_still_heard(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path)) as talk:
        await talk.enrol("7", "agent", "Anna")
        await talk.enrol("8", "admin", "Boris")
        await talk.types("8", "access close-all confirm=00000000")
        found = re.search(r"confirm=(\w+)", talk.last)
        assert found is not None
        await talk.types("7", "quota")
        assert "Your limits" in talk.last
        await talk.types("8", f"access close-all confirm={found[1]}")
        assert "Closed: 2 people" in talk.last
        for person in ("7", "8"):
            await talk.types(person, "quota")
            assert "not enrolled" in talk.last
        stop = Inbound(source=ANNA, destination="+420601000000", data=b"STOP", coding="utf-8")
        tenant = talk.bridge.register.named("acme")
        assert tenant is not None
        await talk.running.parts.reception.inbound("sandbox", stop)
        tokens = Values([talk.bridge.keys.person(tenant.id, ANNA)])
        assert len(await talk.running.rows(ACTIVE, keys=tokens)) == 1


async def test_p60_of_several_tenants_only_ones_own_people_go(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path, carriers=SISTER)) as talk:
        await talk.enrol("8", "admin", "Boris")
        sister = talk.bridge.register.named("sister")
        assert sister is not None
        await _enrol_elsewhere(talk, sister.id)
        await talk.types("8", "access close-all")
        found = re.search(r"confirm=(\w+)", talk.last)
        assert found is not None
        await talk.types("8", f"access close-all confirm={found[1]}")
        assert "Closed: 1 people" in talk.last
        await talk.types("9", "quota")
        assert "Your limits" in talk.last


async def _enrol_elsewhere(talk: Talk, tenant: int) -> None:
    code, now = new_code(), talk.bridge.clock()
    item = Invite(tenant, "agent", "Cyril", code_hash(talk.bridge.keys, code), now, now + 900)
    await talk.bridge.store.write(invite, item)
    await talk.types("9", f"enrol {code}")


async def test_none_of_it_is_typed_where_others_read(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path)) as talk:
        await talk.enrol("8", "admin", "Boris")
        await talk.types("8", "access grant Petr role=agent", GROUP)
        assert "where others read" in talk.last
        assert "enrol" not in talk.last


OPENERS = {
    "breach report Somebody knew": ("auditor", "breach"),
    "access grant Petra role=agent": ("admin", "invitation"),
    f"dsar open access {ANNA} via=phone": ("privacy", "dsr"),
    f'hold add {ANNA} basis="case 7" until=2099-01-01': ("privacy", "hold"),
}


@pytest.mark.parametrize("command", OPENERS)
async def test_a_command_is_not_obeyed_again_because_its_answer_cannot_be_shown(
    tmp_path: Path, command: str
) -> None:
    role, name = OPENERS[command]
    made = Statement(select(func.count()).select_from(metadata.tables[name]))
    async with a_talk(write_config(tmp_path, tenant=INBOX)) as talk:
        await talk.running.mail(f"{ANNA}@sms.example")
        await talk.enrol("7", role)
        ((before,),) = await talk.running.rows(made)
        talk.chat.away = 2
        event = await talk.event("7", Typed(command))
        with pytest.raises(TryLater):
            await talk.handler(event)
        with pytest.raises(TryLater):
            # As whoever takes over the update of a process that has ended.
            await Handler(talk.bridge, {talk.chat.edge: talk.chat})(event)
        told = len(talk.chat.whispers)
        await talk.handler(event)
        ((person, view),) = talk.chat.whispers[told:]
        assert person == "7"
        assert "✗" not in view.plain
        assert await talk.running.rows(made) == [(before + 1,)]
        kept = Statement(
            select(type_coerce(chat_update.c.answer, Text)).where(chat_update.c.id == event.update)
        )
        ((sealed,),) = await talk.running.rows(kept)
        assert sealed.startswith(MARK)
        await talk.bridge.store.write(finish_updates, UpdateDone(event.update, 0.0))
        assert await talk.running.rows(kept) == [("",)]
