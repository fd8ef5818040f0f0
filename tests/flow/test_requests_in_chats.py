"""People in chats about people's own data: roles, a second person, buttons, and nothing personal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge.bots import roles
from bridge.bots.requesting import ACTS
from bridge.dispatch import identity
from bridge.dispatch.requests import By, read
from bridge.store import ids
from bridge.store.request_rows import Request, request_of
from bridge.store.request_tables import dsr, restriction
from bridge.store.sql import Statement
from bridge.store.tables import body, subject
from tests.bridges import ANNA, until, write_config
from tests.chats import GROUP, Talk, a_talk
from tests.flow.test_chats import shown, writes


def config(folder: Path, tenant: str = "") -> Path:
    return write_config(folder, tenant=f'inbox = ["telegram:{GROUP}"]\n{tenant}')


async def request(talk: Talk) -> Request:
    found = await talk.running.rows(Statement(select(*dsr.columns).order_by(dsr.c.id.desc())))
    return request_of(found[0])


async def staff(talk: Talk) -> None:
    """One of each role, each another person."""
    people = {"7": "agent", "8": "privacy", "9": "tenant-owner", "10": "admin", "11": "privacy"}
    for person, role in people.items():
        await talk.enrol(person, role, name=f"P{person}")


async def proved(talk: Talk) -> str:
    """The newest request, proved by somebody's word."""
    found = await request(talk)
    await identity.vouch(talk.bridge, found.id, "known in person", By("operator", "cli"))
    return ids.show(found.id)


async def test_an_erasure_from_a_chat_takes_four_roles_and_ends_with_nobody_there(
    tmp_path: Path,
) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await staff(talk)
        await talk.types("7", f"{ANNA} Boiler 3 is cold")
        await shown(talk, "delivered")
        await talk.types("7", f"dsar open erase {ANNA} via=phone lang=cs")
        assert "The tenant decides" in talk.last
        assert ANNA not in talk.last
        number = await proved(talk)
        await talk.types("9", f'dsar instruct {number} fulfil reason="she asked us"')
        assert "instructed" in talk.last
        await talk.types("10", f"approve {number}")
        view = talk.chat.whispers[-1][1]
        await talk.presses("10", "Agree", view)
        assert "P10 approved" in talk.chat.revised[-1].plain
        await talk.types("8", f"dsar preview {number}")
        preview = talk.last
        assert "2 messages" in preview  # one is of ours: where the receipt will be
        await talk.types("8", preview.splitlines()[-1].removeprefix("/sms "))
        assert "executing" in talk.last

        async def gone() -> bool:
            return not await talk.running.rows(Statement(select(subject.c.id)))

        async def done() -> bool:
            return (await request(talk)).state == "receipt_sent"

        await until(gone)
        await until(done)


async def test_whoever_asked_or_decided_does_not_approve_even_from_another_chat(
    tmp_path: Path,
) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await staff(talk)
        await talk.enrol("21", "privacy", name="P9")  # the tenant's owner, once more
        await talk.types("8", f"erase {ANNA}")
        number = await proved(talk)
        await talk.types("9", f'dsar instruct {number} fulfil reason="she asked us"')
        for person in ("8", "21"):
            await talk.types(person, f"approve {number}")
            await talk.presses(person, "Agree", talk.chat.whispers[-1][1])
            assert "second person" in talk.last
        assert (await request(talk)).state == "instructed"


@pytest.mark.parametrize(
    ("person", "typed"),
    [
        ("7", 'dsar instruct {id} fulfil reason="x"'),
        ("8", 'dsar instruct {id} fulfil reason="x"'),
        ("7", "dsar preview {id}"),
        ("9", "dsar preview {id}"),
        ("10", "dsar run {id} confirm=ABCDEF"),
        ("7", 'dsar extend {id} months=1 reason="x"'),
        ("7", "restrict +420601123456 on case={id}"),
    ],
)
async def test_each_act_needs_its_role(tmp_path: Path, person: str, typed: str) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await staff(talk)
        await talk.types("7", f"erase {ANNA}")
        number = await proved(talk)
        await talk.types(person, typed.format(id=number))
        assert "may not" in talk.last
        assert (await request(talk)).state == "forwarded"
        assert await talk.running.rows(Statement(select(restriction.c.id))) == []


def test_the_roles_are_those_of_the_document() -> None:
    may = {act: {r for r in roles.ROLES if roles.may(r, act)} for act in set(ACTS.values())}
    assert may["instruct"] == {"tenant-owner"}
    assert may["carry-out"] == {"privacy"}
    assert may["request"] == {"agent", "privacy", "tenant-owner", "admin"}
    agree = {role for role in roles.ROLES if roles.may(role, "agree-request")}
    assert agree == {"privacy", "admin"}


async def test_the_buttons_below_an_sms_open_a_proved_request_and_show_nothing(
    tmp_path: Path,
) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"{ANNA} Boiler 3 is cold")
        await shown(talk, "delivered")
        await writes(talk, "Please erase everything you have about me")
        post = await shown(talk, "SMS from")
        await talk.presses("7", "Erase", talk.chat.posts[post].view, GROUP)
        found = await request(talk)
        assert (found.type, found.state, found.identity_level) == ("erase", "forwarded", "number")
        assert ANNA not in talk.chat.words() + talk.last
        await talk.presses("7", "Erase", talk.chat.posts[post].view, GROUP)
        assert "asked for already" in talk.last
        await talk.presses("7", "Export", talk.chat.posts[post].view, GROUP)
        assert (await request(talk)).type == "access"


async def test_requests_are_not_spoken_of_in_a_group(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7")
        for typed in (f"dsar open access {ANNA}", f"export {ANNA}", f"erase {ANNA}", "dsar list"):
            await talk.types("7", typed, GROUP)
            assert "where others read" in talk.last
        assert await talk.running.rows(Statement(select(dsr.c.id))) == []


async def test_p23_a_code_is_neither_taken_nor_shown_in_a_chat(tmp_path: Path) -> None:
    shows = 'show_texts_in = ["telegram"]'
    async with a_talk(config(tmp_path, shows)) as talk:
        await staff(talk)
        await talk.types("7", f"dsar open access {ANNA}")
        number = ids.show((await request(talk)).id)
        await talk.types("7", f"dsar verify {number}")
        assert "portal" in talk.last
        rows = await talk.running.rows(Statement(select(body.c.message_id, body.c.text)))
        message, text = max(rows)
        code = "".join(c for c in text.split()[0] if c.isdigit())
        assert len(code) == 6
        await talk.types("7", f"status {ids.show(message)}")
        await talk.types("8", f"status {ids.show(message)}")
        await talk.types("7", f"dsar verify {number} {code}")
        everything = talk.chat.words() + "\n".join(v.plain for _, v in talk.chat.whispers[:-1])
        assert code not in everything
        assert (await read(talk.bridge, ids.read(number))).state == "identity_pending"


async def test_p27_a_restriction_from_a_chat_names_its_case(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await staff(talk)
        await talk.types("7", f"dsar open restrict {ANNA} ground=accuracy")
        number = ids.show((await request(talk)).id)
        await talk.types("8", f"restrict +420601123457 on case={number}")
        assert "about somebody else" in talk.last
        await talk.types("8", f"restrict {ANNA} on case={number}")
        assert "may not be used" in talk.last
        await talk.types("8", f"restrict {ANNA} off case={number}")
        assert "may be used again" in talk.last


async def test_p29_erase_only_warns(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7")
        await talk.types("7", f"erase {ANNA} mode=only")
        assert "messages may be sent to them again" in talk.last


async def test_the_list_shows_what_is_due_and_another_tenants_nothing(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7")
        await talk.types("7", "dsar list")
        assert "No request waits" in talk.last
        await talk.types("7", f"export {ANNA}")
        number = ids.show((await request(talk)).id)
        await talk.types("7", "dsar list due=31")
        assert number in talk.last
        await talk.types("7", "dsar list due=5")
        assert number not in talk.last


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("dsar open everything +420601123456", "it can be access"),
        ("dsar", "what to do is missing"),
        ("dsar frobnicate", "it can be open"),
        ("dsar instruct 38g4sre5p0100 perhaps", "fulfil or refuse"),
        ("dsar instruct 38g4sre5p0100 fulfil", "reason=… is missing"),
        ("dsar extend 38g4sre5p0100 months=1", "reason=… is missing"),
        ("dsar list due=soon", "due is a count"),
        ("dsar show nonsense", "not a request's id"),
        ("restrict +420601123456 maybe case=38g4sre5p0100", "on or off"),
        ("restrict +420601123456 on", "case=<id> is missing"),
    ],
)
async def test_what_is_typed_wrongly_is_shown_right(tmp_path: Path, typed: str, said: str) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("8", "privacy")
        await talk.types("8", typed)
        assert said.casefold() in talk.last.casefold()


async def test_an_extension_and_a_refusal_from_a_chat(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path, 'profile = "controller"'), works=False) as talk:
        await staff(talk)
        await talk.types("7", f"dsar open access {ANNA}")
        assert "The operator decides" in talk.last
        number = ids.show((await request(talk)).id)
        await talk.types("8", f'dsar extend {number} months=2 reason="ten years of messages"')
        assert "was extended" in talk.last
        await proved(talk)
        await talk.types("8", f'dsar refuse {number} reason="asked for every day"')
        found: Any = await request(talk)
        assert (found.state, found.reason) == ("refused", "asked for every day")
