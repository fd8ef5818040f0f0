"""People in chats put others on the lists, and take back what was a mistake; buttons do the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge.dispatch.stopping import stop, wish
from bridge.dispatch.submit import submit
from bridge.errors import Refused
from bridge.model import Inbound, Origin, State, Submission
from bridge.store.audit_tables import audit
from bridge.store.list_tables import wish as wishes
from bridge.store.sql import Do, Statement
from bridge.store.tables import message, suppression
from tests.bridges import ANNA, until, write_config
from tests.chats import GROUP, Talk, a_talk

BERTA = "+420601123457"
INBOX = f'inbox = ["telegram:{GROUP}"]\nshow_texts_in = ["telegram", "slack"]\n'


def config(folder: Path) -> Path:
    return write_config(folder, tenant=INBOX)


async def takes(talk: Talk, number: str = ANNA) -> State:
    """What becomes of a message now."""
    acme = talk.bridge.register.named("acme")
    assert acme is not None
    item = Submission(acme.id, Origin("mail", "eva@acme.example"), number, "CZ", "The pump runs.")
    return (await submit(talk.bridge, item)).state


async def waits(talk: Talk, count: int = 3) -> None:
    """The person has had a message of ours, and more wait."""
    for _ in range(count):
        await takes(talk)

    def tried(items: Any) -> Any:
        yield Do(Statement(message.update().values(tries=1)), {})
        return [None] * len(items)

    await talk.bridge.store.write(tried, None)


async def writes(talk: Talk, text: str) -> None:
    part = Inbound(source=ANNA, destination="", data=text.encode(), coding="utf-8")
    await talk.running.parts.reception.inbound("sandbox", part)


async def shown(talk: Talk, words: str) -> Any:
    async def look() -> Any:
        return next((p.view for p in talk.chat.posts.values() if words in p.view.plain), None)

    return await until(look)


async def actions(talk: Talk) -> list[tuple[str, str]]:
    found = await talk.running.rows(Statement(select(audit.c.action, audit.c.reason)))
    return [(row[0], row[1]) for row in found]


async def listed(talk: Talk) -> list[tuple[str, str, str]]:
    wanted = select(suppression.c.scope, suppression.c.purpose, suppression.c.source)
    found = await talk.running.rows(Statement(wanted.where(suppression.c.lifted_at.is_(None))))
    return [(row[0], row[1], row[2]) for row in found]


async def test_p41_a_stop_by_phone_has_the_effect_of_a_stop_by_sms(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7")
        await waits(talk)
        await talk.types("7", f'stop {ANNA} reason="asked on the phone"')
        assert "3 waiting messages were cancelled" in talk.last
        assert "•••" in talk.last
        assert ANNA not in talk.last
        assert await takes(talk) is State.SUPPRESSED
        assert await takes(talk, BERTA) is State.QUEUED
        assert ("stop", "asked on the phone; scope=tenant") in await actions(talk)
        assert not any(ANNA[1:] in reason for _, reason in await actions(talk))


async def test_p41_all_binds_every_tenant_and_an_auditor_may_not(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7")
        await talk.enrol("8", "auditor", "Jan")
        await talk.types("8", f"stop {ANNA}")
        assert "may not opt people out" in talk.last
        await talk.types("7", f"stop {ANNA} scope=all")
        assert await listed(talk) == [("all", "any", "staff")]
        await talk.types("7", f"stop {ANNA} scope=programme:nothing")
        assert "no programme of this name" in talk.last


@pytest.mark.parametrize(
    "typed", ["stop @anna", "unstop @anna evidence=https://x.example", "blacklist"]
)
async def test_in_a_group_nothing_of_this_is_typed(tmp_path: Path, typed: str) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7", "privacy")
        await talk.types("7", typed, GROUP)
        assert "not typed where others read" in talk.last


async def test_every_stop_reaches_the_support_group_with_what_was_done(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await waits(talk)
        await writes(talk, "STOP")
        view = await shown(talk, "opted out")
        assert "nothing more is sent to them. 3 waiting messages were cancelled." in view.plain
        assert {"Claim", "Block"} <= {b.label for b in view.buttons}
        assert not {"Reply", "Opt out"} & {b.label for b in view.buttons}
        assert ANNA not in view.plain


async def test_p36_a_wish_reaches_people_who_say_what_it_was(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7")
        await waits(talk, 1)
        await writes(talk, "please stop texting me")
        view = await shown(talk, "no advertisement is sent to them any more")
        labels = {b.label for b in view.buttons}
        assert {"Reply", "Claim", "Opt out", "Not a wish", "Block"} <= labels
        assert await listed(talk) == [("tenant", "marketing", "handset")]
        await talk.presses("7", "Not a wish", view, GROUP)
        assert await listed(talk) == []
        decided = select(wishes.c.decision, wishes.c.actor)
        ((decision, actor),) = await talk.running.rows(Statement(decided))
        assert (decision, actor.startswith("staff ")) == ("no-wish", True)


async def test_p40_not_a_wish_lifts_no_stop(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7")
        await waits(talk, 1)
        await writes(talk, "please stop texting me")
        view = await shown(talk, "no advertisement")
        await writes(talk, "STOP")
        await talk.presses("7", "Not a wish", view, GROUP)
        assert "only START from their phone lifts it" in talk.last
        assert await takes(talk) is State.SUPPRESSED


async def test_the_button_below_an_sms_opts_its_person_out(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7")
        await writes(talk, "Who is this?")
        await waits(talk, 2)
        view = await shown(talk, "Who is this?")
        await talk.presses("7", "Opt out", view, GROUP)
        assert "2 waiting messages were cancelled" in talk.last
        assert not {"Reply", "Opt out"} & {button.label for button in talk.chat.labels[-1]}
        assert await takes(talk) is State.SUPPRESSED
        assert ("stop", "button; scope=tenant") in await actions(talk)


async def test_the_button_below_an_sms_blocks_its_number(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7")
        await writes(talk, "Buy my watches")
        await talk.presses("7", "Block", await shown(talk, "watches"), GROUP)
        with pytest.raises(Refused, match="blacklist"):
            await takes(talk)
        assert ANNA not in talk.last


async def test_the_blacklist_is_kept_by_commands(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7")
        await talk.enrol("8", "privacy", "Jan")
        await talk.types("7", f'blacklist add {ANNA} reason="a prank"')
        assert "is blocked now" in talk.last
        assert ANNA not in talk.last
        await talk.types("7", "blacklist add +44*")
        await talk.types("7", "blacklist check +447700900123")
        assert "is blocked, by its prefix" in talk.last
        await talk.types("7", "blacklist list")
        assert "prefix +44" in talk.last
        assert ANNA not in talk.last
        await talk.types("7", f"blacklist remove {ANNA}")
        assert "may not take from the blacklist" in talk.last
        await talk.types("8", f"blacklist remove {ANNA}")
        assert "is not blocked any more" in talk.last
        assert await takes(talk) is State.QUEUED


# taken back


async def stopped(talk: Talk, source: str) -> None:
    acme = talk.bridge.register.named("acme")
    assert acme is not None
    facts: dict[str, Any] = {"scope": "tenant", "source": source, "now": talk.bridge.clock()}
    await stop(talk.bridge, wish(talk.bridge.keys, acme.id, ANNA, **facts))


async def test_p40_an_entry_that_was_a_mistake_is_lifted_by_two_people(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7", "privacy")
        await talk.enrol("8", "admin", "Jan")
        await talk.enrol("9", "agent", "Ota")
        await stopped(talk, "operator")
        await talk.types("9", f"unstop {ANNA} evidence=https://tickets.example/7")
        assert "may not let people be written to again" in talk.last
        await talk.types("7", f"unstop {ANNA} evidence=https://tickets.example/7")
        assert "A second person must agree" in talk.last
        view = await shown(talk, "to be written to again")
        assert ANNA not in view.plain
        await talk.presses("7", "Agree", view, GROUP)
        assert "a second person must agree, not the one who wrote it" in talk.last.casefold()
        await talk.presses("9", "Agree", view, GROUP)
        assert "may not agree" in talk.last
        assert await takes(talk) is State.SUPPRESSED
        await talk.presses("8", "Agree", view, GROUP)
        assert await takes(talk) is State.QUEUED
        assert any(action == "unstop" and "tickets" in why for action, why in await actions(talk))
        await talk.presses("8", "Agree", view, GROUP)
        assert "not the" in talk.last or "cancelled" in talk.last


async def test_an_unstop_is_agreed_to_by_command_or_refused(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7", "privacy")
        await talk.enrol("8", "admin", "Jan")
        await stopped(talk, "staff")
        await talk.types("7", f"unstop {ANNA} evidence=https://tickets.example/7")
        number = talk.last.split()[-1]
        await talk.types("8", f"approve {number}")
        view = talk.chat.whispers[-1][1]
        assert "to be written to again" in view.plain
        await talk.presses("8", "Refuse", view)
        assert await takes(talk) is State.SUPPRESSED


@pytest.mark.parametrize("source", ["handset", "carrier", "link", "portal", "erasure"])
async def test_p40_what_the_person_did_is_not_undone(tmp_path: Path, source: str) -> None:
    async with a_talk(config(tmp_path), works=False) as talk:
        await talk.enrol("7", "privacy")
        await talk.types("7", f"unstop {ANNA} evidence=https://tickets.example/7")
        assert "is not on the list" in talk.last
        await stopped(talk, source)
        await talk.types("7", f"unstop {ANNA} evidence=https://tickets.example/7")
        assert "only START from their phone lifts it" in talk.last
