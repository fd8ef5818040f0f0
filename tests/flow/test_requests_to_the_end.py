"""Requests to their very end: whoever asked hears of it, and nothing says what was not done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.dispatch import deciding
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.requests import Ask, Someone, open_request
from bridge.errors import Refused
from bridge.privacy import asking
from bridge.privacy.requests import Kind
from bridge.store.tables import body, message, reply, suppression
from tests.requesters import (
    ANNA,
    BERTA,
    STRANGER,
    Do_,
    a_register,
    clock,
    doer,
    letters,
    proved,
    rows,
    sent,
    state_of,
    texted,
    the_request,
    writes,
)


@pytest.fixture
async def bridge(tmp_path: Path, url: str) -> AsyncIterator[Bridge]:
    async with a_register(tmp_path, url) as bridge:
        yield bridge


@pytest.fixture
def do(bridge: Bridge) -> Do_:
    return doer(bridge)


async def own_texts(bridge: Bridge) -> list[str]:
    """What the bridge itself wrote to people about their requests, but for codes."""
    found = await rows(bridge, body.c.message_id, body.c.text)
    rules = dict(await rows(bridge, message.c.id, message.c.rules))
    return [text for number, text in sorted(found) if rules[number] == "request-news"]


async def carried_out(do: Do_, shown: str, *, tenant: bool = False) -> None:
    if tenant:
        await do("dsar instruct", id=shown, decision="fulfil", reason="it is theirs")
    else:
        await do("dsar approve", id=shown)
    preview = await do("dsar preview", id=shown)
    await do("dsar run", id=shown, confirm=preview["confirm"])


async def active(bridge: Bridge) -> set[str]:
    found = await rows(bridge, suppression.c.purpose, suppression.c.lifted_at)
    return {purpose for purpose, lifted in found if lifted is None}


# A second fact


async def test_p23_who_answers_after_the_release_still_gets_the_file(
    bridge: Bridge, do: Do_
) -> None:
    await sent(bridge, await texted(bridge))
    opened = await do("dsar open", kind="access", who=ANNA, tenant="own", via="phone")
    await proved(bridge, do, opened["id"])
    await carried_out(do, opened["id"])
    clock(bridge).days(1.1)
    await bridge.clerk.once()  # type: ignore[union-attr]
    closed = await the_request(bridge)
    assert closed.state == "receipt_sent"
    assert "second fact" in deciding.may_release(closed, bridge.clock())
    await do("dsar verify", id=opened["id"], fact="2026-11-23")
    assert deciding.may_release(await the_request(bridge), bridge.clock()) == ""


# Who left no mail address


async def test_p22_p33_who_asked_without_a_mail_address_hears_by_sms(
    bridge: Bridge, do: Do_
) -> None:
    await sent(bridge, await texted(bridge))
    await writes(bridge, "GDPR VYPIS")
    shown = (await do("dsar list"))[0]["id"]
    await do("dsar extend", id=shown, months=1, reason="many messages")
    await do("dsar instruct", id=shown, decision="refuse", reason="asked five times this week")
    longer, refused = await own_texts(bridge)
    assert "potrva dele, do 23. 1. 2027" in longer
    assert "byla zamitnuta" in refused
    assert "https://sms.example/privacy" in refused
    assert "five times" not in refused


async def test_p33_the_one_who_is_proved_hears_that_it_is_done(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="restrict", who=ANNA, tenant="own", via="letter", lang="no")
    await do("dsar verify", id=opened["id"], vouch="her letter of 20 November")
    await carried_out(do, opened["id"])
    (done,) = await own_texts(bridge)
    assert "er oppfylt" in done


async def test_p68_who_is_to_be_erased_hears_before_where_the_receipt_will_be(
    bridge: Bridge, do: Do_
) -> None:
    await sent(bridge, await texted(bridge))
    await writes(bridge, "GDPR VYMAZ")
    shown = (await do("dsar list"))[0]["id"]
    await do("dsar instruct", id=shown, decision="fulfil", reason="she may go", actor="owner")
    assert await own_texts(bridge) == []
    await do("dsar approve", id=shown, actor="bob")
    (said,) = await own_texts(bridge)
    assert f"/privacy/receipt/{shown}-" in said


async def test_no_number_that_nobody_proved_gets_news_by_sms(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="access", who=ANNA, tenant="own", via="phone")
    await do("dsar extend", id=opened["id"], months=1, reason="many messages")
    assert (await do("dsar reject", id=opened["id"]))["state"] == "rejected"
    assert await own_texts(bridge) == []


@pytest.mark.parametrize("words", ["GDPR INNSYN", "Gdpr vypis", "GDPR EXPORT"])
async def test_who_asks_for_a_copy_by_sms_is_not_taken_for_one_who_wants_no_more(
    bridge: Bridge, do: Do_, words: str
) -> None:
    await sent(bridge, await texted(bridge))
    await writes(bridge, words)
    assert [one["type"] for one in await do("dsar list")] == ["access"]
    assert await rows(bridge, reply.c.verdict) == [("none",)]
    assert await active(bridge) == set()


# Objection


async def test_p28_a_refused_objection_lets_go_and_advertising_stays_stopped(
    bridge: Bridge, do: Do_
) -> None:
    opened = await do(
        "dsar open", kind="object", who=ANNA, tenant="own", answer_to="anna@person.example"
    )
    alarm = await texted(bridge, tenant="own")
    await proved(bridge, do, opened["id"])
    assert await state_of(bridge, alarm) == "suppressed"
    assert await state_of(bridge, await texted(bridge, tenant="own")) == "suppressed"
    await do("dsar refuse", id=opened["id"], reason="the pump is theirs to mind")
    assert await active(bridge) == {"marketing"}
    assert await state_of(bridge, await texted(bridge, tenant="own")) == "queued"
    assert "Advertising stays stopped" in (await letters(bridge))[-1][1]


@pytest.mark.parametrize("end", ["refuse", "withdraw"])
async def test_p28_a_stop_while_an_objection_is_weighed_outlives_it(
    bridge: Bridge, do: Do_, end: str
) -> None:
    await sent(bridge, await texted(bridge, tenant="own"))
    opened = await do("dsar open", kind="object", who=ANNA, tenant="own")
    await proved(bridge, do, opened["id"])
    await writes(bridge, "STOP")
    reason = {"reason": "the pump is theirs to mind"} if end == "refuse" else {}
    await do(f"dsar {end}", id=opened["id"], **reason)
    assert await active(bridge) == {"marketing", "any"}
    assert await state_of(bridge, await texted(bridge, tenant="own")) == "suppressed"


async def test_p28_an_objection_that_is_followed_stops_for_good(bridge: Bridge, do: Do_) -> None:
    opened = await do("dsar open", kind="object", who=ANNA, tenant="own")
    await texted(bridge, tenant="own")
    await proved(bridge, do, opened["id"])
    await carried_out(do, opened["id"])
    assert await active(bridge) == {"marketing", "any"}


async def test_p28_an_objection_to_advertising_stops_that_alone_and_is_not_weighed(
    bridge: Bridge, do: Do_
) -> None:
    alarm = await texted(bridge)
    opened = await do(
        "dsar open",
        kind="object",
        who=ANNA,
        tenant="acme",
        answer_to="anna@person.example",
        lang="cs",
        details={"mode": "marketing"},
    )
    await proved(bridge, do, opened["id"])
    assert await active(bridge) == {"marketing"}
    with pytest.raises(Refused, match="not weighed"):
        await do("dsar instruct", id=opened["id"], decision="refuse", reason="we like to advertise")
    await carried_out(do, opened["id"], tenant=True)
    assert await state_of(bridge, alarm) == "queued"
    theirs = [text for to, text in await letters(bridge) if to == "anna@person.example"]
    assert "Žádnou další reklamu" in theirs[-1]
    assert "námitka proti reklamě" in theirs[0]


async def test_a_withdrawn_consent_ends_nothing_that_had_another_ground(
    bridge: Bridge, do: Do_
) -> None:
    """ApiSendSMS 7.1."""
    alarm = await texted(bridge)
    opened = await do("dsar open", kind="withdraw", who=ANNA, tenant="acme")
    await proved(bridge, do, opened["id"])
    await carried_out(do, opened["id"], tenant=True)
    assert await active(bridge) == {"marketing"}
    assert await state_of(bridge, alarm) == "queued"


async def test_p28_the_letter_says_that_advertising_has_stopped(bridge: Bridge, do: Do_) -> None:
    await do("dsar open", kind="erase", who=ANNA, tenant="acme", answer_to="anna@person.example")
    await do("dsar open", kind="access", who=ANNA, tenant="acme", answer_to="anna@person.example")
    theirs = [text for to, text in await letters(bridge) if to == "anna@person.example"]
    assert ["stopped already" in text for text in theirs] == [True, False]


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("Vznáším námitku proti zasílání reklamy na mé číslo.", "marketing"),
        ("I object to your advertisements.", "marketing"),
        ("Jeg protesterer mot reklame.", "marketing"),
        ("Vznáším námitku proti zpracování svých údajů.", ""),
        ("I object to advertising and to all other use of my data.", ""),
        ("Neposílejte mi žádné zprávy ani reklamu.", ""),
    ],
)
def test_an_objection_is_made_no_narrower_than_it_is(text: str, mode: str) -> None:
    found = asking.of_mail(text)
    assert (found.kind, found.mode) == ("object", mode)


# Rectification


async def test_p26_a_number_that_was_written_in_words_can_be_corrected(
    bridge: Bridge, do: Do_
) -> None:
    waiting = await texted(bridge, tenant="own")
    opened = await do(
        "dsar open", kind="rectify", who=ANNA, tenant="own", answer_to="anna@person.example"
    )
    await proved(bridge, do, opened["id"])
    await do("dsar approve", id=opened["id"])
    assert "by hand" in (await do("dsar preview", id=opened["id"]))["warning"]
    corrected = await do("dsar correct", id=opened["id"], number="601 123 457")
    assert corrected["state"] == "approved"
    preview = await do("dsar preview", id=opened["id"])
    assert "warning" not in preview
    await do("dsar run", id=opened["id"], confirm=preview["confirm"])
    assert (await the_request(bridge)).result["messages"] == 1
    assert await state_of(bridge, waiting) == "queued"
    assert "also in messages that wait" in (await letters(bridge))[-1][1]
    with pytest.raises(Refused):
        await do("dsar correct", id=opened["id"], number=BERTA)


async def test_p26_what_was_corrected_by_hand_is_said_so(bridge: Bridge, do: Do_) -> None:
    await texted(bridge, tenant="own")
    opened = await do(
        "dsar open", kind="rectify", who=ANNA, tenant="own", answer_to="anna@person.example"
    )
    await proved(bridge, do, opened["id"])
    await carried_out(do, opened["id"])
    said = (await letters(bridge))[-1][1]
    assert "The data has been corrected." in said
    assert "messages that wait" not in said


# Nobody there


@pytest.mark.parametrize("kind", ["access", "rectify", "restrict"])
async def test_whom_nobody_knows_is_told_that_there_is_nothing(
    bridge: Bridge, do: Do_, kind: str
) -> None:
    who = Someone("number", STRANGER)
    await open_request(
        bridge, Ask(Kind(kind), who, None, "mail", "mail", "cs", {"to": "x@person.example"})
    )
    shown = (await do("dsar list"))[0]["id"]
    await proved(bridge, do, shown)  # by an SMS of ours, which is nothing of theirs
    await carried_out(do, shown)
    assert (await the_request(bridge)).state == "receipt_sent"
    assert "Žádné údaje o vás tu nejsou." in (await letters(bridge))[-1][1]


async def test_whom_somebody_knows_by_now_is_not_told_that_there_is_nothing(
    bridge: Bridge, do: Do_
) -> None:
    await open_request(
        bridge, Ask(Kind.ACCESS, Someone("number", ANNA), None, "mail", "mail", "cs")
    )
    shown = (await do("dsar list"))[0]["id"]
    await texted(bridge, tenant="own")
    await do("dsar verify", id=shown, vouch="seen")
    await carried_out(do, shown)
    failed = await the_request(bridge)
    assert failed.state == "failed"
    assert "by now" in failed.reason


# Another owner


async def test_p52_what_a_former_owner_asked_for_ends_with_the_number(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge, tenant="own")
    opened = await do(
        "dsar open", kind="access", who=ANNA, tenant="own", answer_to="anna@person.example"
    )
    await proved(bridge, do, opened["id"])
    await carried_out(do, opened["id"])
    clock(bridge).days(0.5)
    told = await do("reassigned", number=ANNA, evidence="the carrier's list", tenant="own")
    assert told["requests_ended"] == 1
    assert (await the_request(bridge)).state == "withdrawn"
    assert "belongs to somebody else" in (await letters(bridge))[-1][1]
    later = await do("dsar open", kind="access", who=ANNA, tenant="own")
    assert later["state"] == "received"
