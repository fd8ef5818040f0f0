"""Requests of data subjects against real stores: registered, proved, decided on, carried out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge import phone
from bridge.dispatch import contacts, deciding, identity
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.request_stops import NUMBER
from bridge.dispatch.requests import Ask, By, Someone, open_request, read
from bridge.dispatch.stopping import stop, wish
from bridge.dispatch.submit import submit
from bridge.errors import Refused
from bridge.model import Origin, State, Submission
from bridge.operations import REGISTRY, Office
from bridge.privacy.requests import Kind, due
from bridge.store import ids
from bridge.store.audit_tables import audit
from bridge.store.request_rows import Request, request_of
from bridge.store.request_tables import dsr, dsr_event, identity_check, instruction
from bridge.store.sql import Statement
from bridge.store.tables import body, message, notice, subject, suppression
from tests.requesters import (
    ANNA,
    BERTA,
    STRANGER,
    Do_,
    a_register,
    clock,
    code_sent,
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


# Opening


async def test_p22_a_request_is_registered_with_its_due_date(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="access", who=ANNA, tenant="acme", via="phone", lang="cs")
    assert (opened["state"], opened["role"], opened["type"]) == ("received", "processor", "access")
    assert opened["due_at"] == "2026-12-23T10:00:00.000Z"
    assert opened["who"] == "+420 ••• ••• 456"
    (listed,) = await do("dsar list", tenant="acme")
    assert listed["id"] == opened["id"]
    assert [item["id"] for item in await do("dsar list", due=5)] == []
    assert (await do("dsar show", id=opened["id"], reveal=True))["who"] == ANNA


async def test_p15_the_tenant_is_told_at_once_and_the_requester_who_decides(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    await do(
        "dsar open",
        kind="access",
        who=ANNA,
        tenant="acme",
        lang="cs",
        answer_to="anna@person.example",
    )
    request = await the_request(bridge)
    assert request.told_at == bridge.clock()
    told = dict(await letters(bridge))
    assert set(told) == {"boss@acme.example", "anna@person.example"}
    assert "access" in told["boss@acme.example"]
    assert ANNA not in told["boss@acme.example"]
    assert "acme" in told["anna@person.example"]
    assert "23.\N{NBSP}prosince 2026" in told["anna@person.example"]
    assert "Úřad pro ochranu osobních údajů" in told["anna@person.example"]
    assert "The pump runs" not in told["anna@person.example"]


async def test_p18_about_an_account_we_decide(bridge: Bridge, do: Do_) -> None:
    opened = await do("dsar open", kind="access", who="eva@firm.example", tenant="acme", own=True)
    assert opened["role"] == "controller"
    assert [to for to, _ in await letters(bridge)] == ["dpo@bridge.example"]


@pytest.mark.parametrize("who", ["eva@firm.example", "slack:T1/U77", "telegram:4711"])
async def test_subjects_are_also_people_without_a_number(bridge: Bridge, do: Do_, who: str) -> None:
    opened = await do("dsar open", kind="erase", who=who, tenant="own")
    assert who not in json.dumps(opened)
    assert await rows(bridge, suppression.c.id) == []
    assert (await do("dsar show", id=opened["id"], reveal=True))["who"] in who


async def test_the_same_request_again_is_a_duplicate(do: Do_) -> None:
    first = await do("dsar open", kind="erase", who=ANNA, tenant="acme")
    again = await do("dsar open", kind="erase", who=ANNA, tenant="acme")
    assert (again["state"], again["duplicate_of"]) == ("duplicate", first["id"])
    other = await do("dsar open", kind="erase", who=ANNA, tenant="own")
    assert other["state"] == "received"


async def test_a_proved_request_never_becomes_somebody_elses(bridge: Bridge, do: Do_) -> None:
    """Who asked first in another's name does not get the answer that the handset asks for."""
    await sent(bridge, await texted(bridge))
    await do("dsar open", kind="access", who=ANNA, tenant="acme", answer_to="mallory@evil.example")
    await writes(bridge, "GDPR EXPORT")
    found = await rows(bridge, dsr.c.state, dsr.c.answer_to, dsr.c.channel)
    assert ("forwarded", "", "sms") in found
    assert len([row for row in found if row[0] == "received"]) == 1


# Stopping needs no proof


@pytest.mark.parametrize("kind", ["object", "withdraw", "erase"])
async def test_p28_marketing_stops_on_receipt_and_alarms_do_not(
    bridge: Bridge, do: Do_, kind: str
) -> None:
    alarm = await texted(bridge)
    await do("dsar open", kind=kind, who=ANNA, tenant="acme")
    found = await rows(bridge, suppression.c.purpose, suppression.c.source)
    assert found == [("marketing", "request")]
    assert await state_of(bridge, alarm) == "queued"


@pytest.mark.parametrize("kind", ["access", "rectify", "restrict", "portability"])
async def test_what_asks_for_no_stop_stops_nothing(bridge: Bridge, do: Do_, kind: str) -> None:
    await do("dsar open", kind=kind, who=ANNA, tenant="acme")
    assert await rows(bridge, suppression.c.id) == []


async def test_once_the_number_is_proved_everything_stops(bridge: Bridge, do: Do_) -> None:
    alarm = await texted(bridge)
    opened = await do("dsar open", kind="erase", who=ANNA, tenant="acme")
    await proved(bridge, do, opened["id"])
    assert {row[0] for row in await rows(bridge, suppression.c.purpose)} == {"marketing", "any"}
    assert await state_of(bridge, alarm) == "suppressed"


async def test_the_request_and_its_stop_are_one_transaction(bridge: Bridge) -> None:
    """What breaks the one leaves nothing of the other."""
    from bridge.dispatch import requests
    from bridge.store.requests import open_requests

    acme = bridge.register.named("acme")
    ask = Ask(Kind.ERASE, Someone(NUMBER, ANNA), acme, "cli", "eva")
    item = await requests.prepared(bridge, ask)

    def broken(items: Any) -> Any:
        yield from open_requests(items)
        raise ValueError("the power went")

    with pytest.raises(ValueError, match="the power went"):
        await bridge.store.write(broken, item)
    assert await rows(bridge, dsr.c.id) == []
    assert await rows(bridge, suppression.c.id) == []


# Identity


async def test_p23_a_code_of_six_digits_of_which_a_hash_alone_is_kept(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="access", who=ANNA, tenant="acme")
    pending = await do("dsar verify", id=opened["id"])
    assert pending["state"] == "identity_pending"
    code = await code_sent(bridge)
    assert len(code) == 6
    (check,) = await rows(bridge, *identity_check.columns)
    assert code not in json.dumps([str(value) for value in check])
    request = await the_request(bridge)
    assert code not in json.dumps(request.outcome + request.details + request.reason)
    done = await do("dsar verify", id=opened["id"], code=code)
    assert (done["state"], done["identity"]) == ("forwarded", "number")
    # The SMS that carried it is emptied.
    clock(bridge).days(1)
    assert bridge.clerk is not None
    await bridge.clerk.once()  # type: ignore[attr-defined]
    assert code not in json.dumps(await rows(bridge, body.c.text))


async def test_p23_no_list_shows_the_sms_that_carries_a_code(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="access", who=ANNA, tenant="acme")
    await do("dsar verify", id=opened["id"])
    code = await code_sent(bridge)
    office = Office(bridge, bridge.silence, "eva")
    logged = [item async for item in REGISTRY["log"](office, reveal=True)]
    assert len(logged) == 2
    assert code not in json.dumps(logged)
    assert "The pump runs." in json.dumps(logged)


async def test_p23_a_code_has_three_tries_and_ten_minutes(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="access", who=ANNA, tenant="acme")
    await do("dsar verify", id=opened["id"])
    code = await code_sent(bridge)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(3):
        with pytest.raises(Refused, match="not right"):
            await do("dsar verify", id=opened["id"], code=wrong)
    with pytest.raises(Refused, match="over"):
        await do("dsar verify", id=opened["id"], code=code)
    await do("dsar verify", id=opened["id"])
    code = await code_sent(bridge)
    clock(bridge).now += 601
    with pytest.raises(Refused, match="over"):
        await do("dsar verify", id=opened["id"], code=code)
    assert (await the_request(bridge)).state == "identity_pending"


async def test_p74_a_victim_gets_a_few_codes_and_no_flood(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    for kind in ("access", "erase", "restrict"):
        opened = await do("dsar open", kind=kind, who=ANNA, tenant="acme")
        await do("dsar verify", id=opened["id"])
    with pytest.raises(Refused, match="too many codes"):
        await do("dsar verify", id=opened["id"])
    clock(bridge).now += 3601
    await do("dsar verify", id=opened["id"])


async def test_p75_no_code_goes_to_a_country_that_the_tenant_does_not_send_to(
    bridge: Bridge, do: Do_
) -> None:
    opened = await do("dsar open", kind="access", who="+4740612345", tenant="acme")
    with pytest.raises(Refused, match="no SMS goes"):
        await do("dsar verify", id=opened["id"])
    assert await rows(bridge, message.c.id) == []


async def test_a_code_reaches_whoever_has_opted_out(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    await do("suppress add", number=ANNA, tenant="acme")
    opened = await do("dsar open", kind="access", who=ANNA, tenant="acme")
    await do("dsar verify", id=opened["id"])
    newest = max(await rows(bridge, message.c.id, message.c.state, message.c.exempt))
    assert newest[1:] == (State.QUEUED, True)


async def test_somebodys_word_is_kept_as_a_hash(bridge: Bridge, do: Do_) -> None:
    opened = await do("dsar open", kind="erase", who=ANNA, tenant="acme", via="letter")
    shown = await do("dsar verify", id=opened["id"], vouch="her signed letter of 20 November")
    assert shown["identity"] == "vouched"
    (check,) = await rows(bridge, identity_check.c.method, identity_check.c.evidence)
    assert check[0] == "vouched"
    assert "letter" not in check[1]


async def test_the_handset_proves_what_it_asks_for_itself(bridge: Bridge) -> None:
    await sent(bridge, await texted(bridge))
    await writes(bridge, "GDPR VYMAZ")
    request = await the_request(bridge)
    assert (request.type, request.state, request.identity_level) == ("erase", "forwarded", "number")
    assert request.identity == ANNA
    assert {row[0] for row in await rows(bridge, suppression.c.purpose)} == {"marketing", "any"}
    answers = [text for (text,) in await rows(bridge, body.c.text)]
    assert any(ids.show(request.id) in text for text in answers)


async def test_whoever_was_answered_often_still_hears_that_the_request_is_here(
    bridge: Bridge,
) -> None:
    await sent(bridge, await texted(bridge))
    for _ in range(5):
        await writes(bridge, "GDPR")
    await writes(bridge, "GDPR VYMAZ")
    await writes(bridge, "GDPR VYMAZ")
    request = next(r for r in await all_requests(bridge) if r.state != "duplicate")
    answers = [text for (text,) in await rows(bridge, body.c.text)]
    assert len([text for text in answers if ids.show(request.id) in text]) == 1


async def test_gdpr_alone_is_answered_and_opens_nothing(bridge: Bridge) -> None:
    await sent(bridge, await texted(bridge))
    await writes(bridge, "GDPR")
    assert await rows(bridge, dsr.c.id) == []
    assert any("https://sms.example/privacy" in t for (t,) in await rows(bridge, body.c.text))


async def test_ordinary_talk_proves_nobody_elses_request(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="erase", who=ANNA, tenant="acme")
    await do("dsar verify", id=opened["id"])
    await writes(bridge, "Thank you, see you tomorrow")
    await writes(bridge, "000000")
    assert (await the_request(bridge)).state == "identity_pending"


async def all_requests(bridge: Bridge) -> list[Request]:
    found = await bridge.store.read(Statement(select(*dsr.columns).order_by(dsr.c.id)))
    return [request_of(row) for row in found]


async def test_the_code_may_come_back_from_the_handset(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="erase", who=ANNA, tenant="acme")
    await do("dsar verify", id=opened["id"])
    await writes(bridge, await code_sent(bridge))
    assert (await the_request(bridge)).state == "forwarded"


async def test_p23_access_needs_a_second_fact(bridge: Bridge, do: Do_) -> None:
    number = await texted(bridge)
    await sent(bridge, number)
    opened = await do("dsar open", kind="access", who=ANNA, tenant="acme")
    await proved(bridge, do, opened["id"])
    with pytest.raises(Refused, match="not right"):
        await do("dsar verify", id=opened["id"], fact="some other firm")
    done = await do("dsar verify", id=opened["id"], fact="2026-11-23")
    assert done["identity"] == "second-fact"


async def test_p23_a_second_fact_has_three_tries(bridge: Bridge, do: Do_) -> None:
    await sent(bridge, await texted(bridge))
    opened = await do("dsar open", kind="access", who=ANNA, tenant="acme")
    await proved(bridge, do, opened["id"])
    for guess in ("beta", "gamma", "2020-01-01"):
        with pytest.raises(Refused, match="not right"):
            await do("dsar verify", id=opened["id"], fact=guess)
    with pytest.raises(Refused, match="over"):
        await do("dsar verify", id=opened["id"], fact="acme")


# The number is told before anything is released


async def test_p73_the_number_is_told_a_day_before_an_export_is_released(
    bridge: Bridge, do: Do_
) -> None:
    await sent(bridge, await texted(bridge))
    opened = await do("dsar open", kind="access", who=ANNA, tenant="acme")
    verified = await proved(bridge, do, opened["id"])
    assert verified["release_at"] == "2026-11-24T10:00:00.000Z"
    assert any("asked for" in text for (text,) in await rows(bridge, body.c.text))
    await do("dsar verify", id=opened["id"], fact="acme")
    shown = opened["id"]
    await do("dsar instruct", id=shown, decision="fulfil", reason="she may have it")
    preview = await do("dsar preview", id=shown)
    done = await do("dsar run", id=shown, confirm=preview["confirm"])
    assert done["state"] == "done"
    request = await the_request(bridge)
    assert deciding.may_release(request, bridge.clock())
    clock(bridge).days(1.01)
    assert deciding.may_release(request, bridge.clock()) == ""
    await bridge.clerk.once()  # type: ignore[union-attr]
    assert (await the_request(bridge)).state == "receipt_sent"


@pytest.mark.parametrize("word", ["NO", "Ne", "STOP"])
async def test_p73_a_no_from_the_handset_ends_the_release(
    bridge: Bridge, do: Do_, word: str
) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="access", who=ANNA, tenant="acme")
    await proved(bridge, do, opened["id"])
    await writes(bridge, word, source=BERTA)
    assert (await the_request(bridge)).state == "forwarded"
    await writes(bridge, word)
    assert (await the_request(bridge)).state == "withdrawn"
    clock(bridge).days(2)
    assert deciding.may_release(await the_request(bridge), bridge.clock())


async def test_p73_without_the_second_fact_nothing_is_released(bridge: Bridge, do: Do_) -> None:
    await sent(bridge, await texted(bridge))
    opened = await do("dsar open", kind="access", who=ANNA, tenant="own")
    await proved(bridge, do, opened["id"])
    await do("dsar approve", id=opened["id"])
    preview = await do("dsar preview", id=opened["id"])
    await do("dsar run", id=opened["id"], confirm=preview["confirm"])
    clock(bridge).days(2)
    assert "second fact" in deciding.may_release(await the_request(bridge), bridge.clock())


# Whoever decides


async def test_p16_nothing_is_done_without_the_tenants_recorded_instruction(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="erase", who=ANNA, tenant="acme")
    await proved(bridge, do, opened["id"])
    for operation in ("dsar approve", "dsar preview"):
        with pytest.raises(Refused):
            await do(operation, id=opened["id"])
    with pytest.raises(Refused, match="previewed first"):
        await do("dsar run", id=opened["id"], confirm="ABCDEF")
    await do(
        "dsar instruct",
        actor="boss",
        id=opened["id"],
        decision="fulfil",
        reason="she has moved away",
        via="mail",
    )
    columns = ("actor", "channel", "decision", "text_hash", "at")
    (kept,) = await rows(bridge, *(instruction.c[name] for name in columns))
    assert kept[:3] == ("boss", "mail", "fulfil")
    assert len(kept[3]) == 64
    assert kept[4] == bridge.clock()


async def test_p16_another_tenant_instructs_nothing(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="erase", who=ANNA, tenant="acme")
    await proved(bridge, do, opened["id"])
    own = bridge.register.named("own")
    assert own is not None
    by = By("mallory", "slack", own.id)
    with pytest.raises(Refused, match="no request has this id"):
        await deciding.instruct(bridge, ids.read(opened["id"]), "fulfil", "mine", by)


async def test_p16_an_unproved_person_gets_nothing_instructed(do: Do_) -> None:
    opened = await do("dsar open", kind="access", who=ANNA, tenant="acme")
    with pytest.raises(Refused, match="cannot be decided on"):
        await do("dsar instruct", id=opened["id"], decision="fulfil", reason="why not")


async def test_p17_an_unlawful_instruction_is_refused_and_the_tenant_told_why(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    opened = await do(
        "dsar open", kind="erase", who=ANNA, tenant="acme", answer_to="anna@person.example"
    )
    await proved(bridge, do, opened["id"])
    await do("dsar instruct", id=opened["id"], decision="fulfil", reason="hide it from the court")
    await letters(bridge)
    refused = await do("dsar refuse", id=opened["id"], reason="a court has asked for it")
    assert refused["state"] == "refused"
    told = dict(await letters(bridge))
    assert "a court has asked for it" in told["boss@acme.example"]
    assert "a court has asked for it" in told["anna@person.example"]
    (declined,) = await rows(bridge, instruction.c.declined_by)
    assert declined == ("eva",)


async def test_p33_a_tenants_refusal_reaches_the_person_with_remedy_and_authority(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    opened = await do(
        "dsar open", kind="access", who=ANNA, tenant="acme", lang="no",
        answer_to="anna@person.example",
    )  # fmt: skip
    await proved(bridge, do, opened["id"])
    await letters(bridge)
    done = await do("dsar instruct", id=opened["id"], decision="refuse", reason="not our client")
    assert done["state"] == "refused"
    told = dict(await letters(bridge))["anna@person.example"]
    assert "not our client" in told
    assert "Úřad pro ochranu osobních údajů" in told
    assert "domstolene" in told


async def test_a_controller_decides_itself(do: Do_) -> None:
    opened = await do("dsar open", kind="restrict", who=ANNA, tenant="own")
    await do("dsar verify", id=opened["id"], vouch="known in person")
    with pytest.raises(Refused, match="the operator's to decide"):
        await do("dsar instruct", id=opened["id"], decision="fulfil", reason="x")
    assert (await do("dsar approve", id=opened["id"]))["state"] == "approved"


async def test_an_erasure_needs_another_person_to_agree_and_another_to_run_it(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    opened = await do("dsar open", actor="anna", kind="erase", who=ANNA, tenant="acme")
    shown = opened["id"]
    await do("dsar verify", id=shown, vouch="known in person")
    await do("dsar instruct", actor="boss", id=shown, decision="fulfil", reason="she asked")
    for actor in ("anna", "boss"):
        with pytest.raises(Refused, match="second person"):
            await do("dsar approve", actor=actor, id=shown)
    await do("dsar approve", actor="eva", id=shown)
    preview = await do("dsar preview", actor="eva", id=shown)
    assert preview["concerns"]["messages"] == 1
    with pytest.raises(Refused, match="second person"):
        await do("dsar run", actor="eva", id=shown, confirm=preview["confirm"])
    with pytest.raises(Refused, match="not the code"):
        await do("dsar run", actor="jan", id=shown, confirm="000000")
    done = await do("dsar run", actor="jan", id=shown, confirm=preview["confirm"])
    assert done["state"] == "receipt_sent"
    assert await rows(bridge, subject.c.id) == []
    assert (await the_request(bridge)).identity == ""


async def test_p22_an_extension_needs_a_reason_and_comes_before_the_due_date(
    bridge: Bridge, do: Do_
) -> None:
    opened = await do(
        "dsar open", kind="access", who=ANNA, tenant="acme", answer_to="anna@person.example"
    )
    shown = opened["id"]
    with pytest.raises(Refused, match="needs its reason"):
        await do("dsar extend", id=shown, months=1, reason=" ")
    with pytest.raises(Refused, match="1 to 2 months"):
        await do("dsar extend", id=shown, months=3, reason="many messages")
    await letters(bridge)
    extended = await do("dsar extend", id=shown, months=2, reason="many messages")
    assert extended["due_at"] == "2027-02-23T10:00:00.000Z"
    assert "many messages" in dict(await letters(bridge))["anna@person.example"]
    with pytest.raises(Refused, match="already"):
        await do("dsar extend", id=shown, months=2, reason="more")
    late = await do("dsar open", kind="restrict", who=ANNA, tenant="acme")
    clock(bridge).days(31)
    with pytest.raises(Refused, match="too late"):
        await do("dsar extend", id=late["id"], months=1, reason="we forgot")


async def test_p22_waiting_for_the_tenant_never_stops_the_clock(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    opened = await do("dsar open", kind="access", who=ANNA, tenant="acme")
    until = opened["due_at"]
    clock(bridge).days(3)
    await proved(bridge, do, opened["id"])
    clock(bridge).days(10)
    shown = await do("dsar forward", id=opened["id"])
    assert (shown["state"], shown["due_at"]) == ("forwarded", until)
    request = await the_request(bridge)
    assert request.due_at == due(request.received_at)


async def test_p22_day_20_is_escalated_and_the_due_date_reminded_of(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    await do("dsar open", kind="access", who=ANNA, tenant="acme")
    await letters(bridge)
    heard: dict[int, list[str]] = {}
    for day in range(1, 36):
        clock(bridge).days(1)
        await bridge.clerk.once()  # type: ignore[union-attr]
        if told := [to for to, _ in await letters(bridge)]:
            heard[day] = sorted(told)
    both = ["boss@acme.example", "dpo@bridge.example"]
    assert heard == {20: both, 27: both, 30: both}
    assert bridge.metrics.requests_overdue._value.get() == 1


async def test_an_erasure_ends_what_else_its_person_had_asked_for(bridge: Bridge, do: Do_) -> None:
    """Nobody can prove it any more; it would become overdue, and alarm for years."""
    await texted(bridge)
    left = [await do("dsar open", kind=k, who=ANNA, tenant="acme") for k in ("access", "rectify")]
    other = await do("dsar open", kind="access", who=BERTA, tenant="acme")
    erased = await ready_to_erase(do)
    await run(do, erased)
    clock(bridge).days(0.01)
    await bridge.clerk.once()  # type: ignore[union-attr]
    states = {ids.show(r.id): r.state for r in await all_requests(bridge)}
    assert states[erased] == "receipt_sent"
    assert [states[str(each["id"])] for each in left] == ["withdrawn", "withdrawn"]
    assert states[str(other["id"])] == "received"


async def test_p34_a_hold_stops_an_erasure_and_the_person_is_told_why(
    bridge: Bridge, do: Do_
) -> None:
    from datetime import date

    from bridge.dispatch import holding

    await texted(bridge)
    shown = await ready_to_erase(do, answer_to="anna@person.example")
    acme = bridge.register.named("acme")
    assert acme is not None
    whom = await holding.whom(bridge, acme.id, ANNA, "CZ")
    held = await holding.add(bridge, whom, "case 7", date(2027, 6, 1), "jan", agreed=True)
    await letters(bridge)
    done = await run(do, shown)
    assert (done["state"], done["reason"]) == ("held", "case 7")
    assert "case 7" in dict(await letters(bridge))["anna@person.example"]
    assert "restricted" in {row[0] for row in await rows(bridge, suppression.c.purpose)}
    assert len(await rows(bridge, subject.c.id)) == 1
    await holding.release(bridge, held, "jan")
    clock(bridge).days(1)
    await bridge.clerk.once()  # type: ignore[union-attr]
    assert (await the_request(bridge)).state == "approved"
    lifted = await rows(bridge, suppression.c.purpose, suppression.c.lifted_at)
    assert dict(lifted)["restricted"] is not None


async def ready_to_erase(do: Do_, **more: Any) -> str:
    opened = await do("dsar open", actor="anna", kind="erase", who=ANNA, tenant="acme", **more)
    shown = str(opened["id"])
    await do("dsar verify", id=shown, vouch="known in person")
    await do("dsar instruct", actor="boss", id=shown, decision="fulfil", reason="she asked")
    await do("dsar approve", actor="eva", id=shown)
    return shown


async def run(do: Do_, shown: str) -> Any:
    preview = await do("dsar preview", actor="jan", id=shown)
    return await do("dsar run", actor="jan", id=shown, confirm=preview["confirm"])


# Carrying out


async def test_p13_what_a_kill_left_executing_is_carried_out_by_the_next(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    shown = await ready_to_erase(do)
    clerk, bridge.clerk = bridge.clerk, None  # the process that begins it ends
    assert (await run(do, shown))["state"] == "executing"
    from bridge.store.requests import Take, take_requests

    # A process that is gone had taken it.
    gone = Take(ids.read(shown), 4711, bridge.clock() - 9, bridge.clock())
    assert await bridge.store.write(take_requests, gone) is not None
    assert clerk is not None
    await clerk.once()  # type: ignore[attr-defined]
    assert (await the_request(bridge)).state == "receipt_sent"
    assert await rows(bridge, subject.c.id) == []
    await clerk.carry_out(ids.read(shown))
    assert (await the_request(bridge)).state == "receipt_sent"


async def test_one_process_carries_a_request_out(bridge: Bridge, do: Do_) -> None:
    from bridge.store.leases import Begin, begin
    from bridge.store.requests import Take, take_requests

    await texted(bridge)
    shown = await ready_to_erase(do)
    clerk, bridge.clerk = bridge.clerk, None
    await run(do, shown)
    other = await bridge.store.write(begin, Begin("another", bridge.clock()))
    since = bridge.clock() - 9
    taken = Take(ids.read(shown), other, since, bridge.clock())
    assert await bridge.store.write(take_requests, taken) is not None
    assert clerk is not None
    assert await clerk.carry_out(ids.read(shown)) is None
    assert (await the_request(bridge)).state == "executing"


async def test_p29_an_erasure_keeps_the_suppression_unless_the_person_chose_otherwise(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    kept = await ready_to_erase(do)
    await run(do, kept)
    assert (await do("suppress check", number=ANNA, tenant="acme"))["suppressed"]


async def test_p29_erase_only_shows_the_warning_and_keeps_nothing(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    opened = await do(
        "dsar open", actor="anna", kind="erase", who=ANNA, tenant="acme", details={"mode": "only"}
    )
    assert "may be sent to them again" in opened["warning"]
    shown = opened["id"]
    await do("dsar verify", id=shown, vouch="known in person")
    await do("dsar instruct", actor="boss", id=shown, decision="fulfil", reason="she asked")
    await do("dsar approve", actor="eva", id=shown)
    await run(do, shown)
    assert not (await do("suppress check", number=ANNA, tenant="acme"))["suppressed"]
    assert await texted(bridge)


async def test_p26_queued_messages_change_and_the_recipients_are_named(
    bridge: Bridge, do: Do_
) -> None:
    from bridge.store.contacts import ContactIn, PutContacts, put_contacts
    from bridge.store.names import Someone as Named
    from bridge.store.sql import Many, insert
    from bridge.store.tables import attempt

    acme = bridge.register.named("acme")
    assert acme is not None
    left = await texted(bridge)
    waits = await texted(bridge)
    keys = bridge.keys
    anna = Named(7, ANNA, keys.person(acme.id, ANNA), keys.everyone(ANNA), "CZ")
    await bridge.store.write(
        put_contacts, PutContacts(acme.id, [ContactIn("anna", anna)], bridge.clock())
    )
    await sent(bridge, left)

    def an_attempt(_: Any) -> Any:
        row = {
            "id": bridge.ids.next(), "message_id": left, "part": 1, "total": 1,
            "carrier": "smsc-1", "state": "delivered", "incarnation": 1, "at": bridge.clock(),
        }  # fmt: skip
        yield Many(insert(attempt, tuple(row)), [row])
        return [None]

    await bridge.store.write(an_attempt, None)
    opened = await do(
        "dsar open",
        kind="rectify",
        who=ANNA,
        tenant="acme",
        answer_to="anna@person.example",
        details={"number": "601 123 457"},
    )
    shown = opened["id"]
    await do("dsar verify", id=shown, vouch="known in person")
    await do("dsar instruct", id=shown, decision="fulfil", reason="it was a slip")
    await letters(bridge)
    done = await run(do, shown)
    assert done["state"] == "receipt_sent"
    joined = select(message.c.id, subject.c.phone).join(
        subject, subject.c.id == message.c.subject_id
    )
    found = {row[0]: row[1] for row in await bridge.store.read(Statement(joined))}
    assert found[left] == ANNA
    assert found[waits] == BERTA
    (listed,) = await do("contacts list", tenant="acme", reveal=True)
    assert listed["number"] == BERTA
    text = dict(await letters(bridge))["anna@person.example"]
    assert "smsc-1" in text
    texts = dict(await rows(bridge, body.c.message_id, body.c.text))
    assert texts[waits] == "The pump runs."


async def test_p26_a_programme_and_its_stop_go_along_to_the_right_number(
    bridge: Bridge, do: Do_
) -> None:
    acme = bridge.register.named("acme")
    assert acme is not None
    offers = bridge.register.programme(acme.id, "offers").id
    origin = Origin("mail", "eva@firm.example", {"subject": "Pump"})
    item = Submission(acme.id, origin, ANNA, "CZ", "The pump runs.", programme="offers")
    waits = (await submit(bridge, item)).id
    opened = await do(
        "dsar open",
        kind="rectify",
        who=ANNA,
        tenant="acme",
        answer_to="anna@person.example",
        details={"number": BERTA},
    )
    await do("dsar verify", id=opened["id"], vouch="known in person")
    await do("dsar instruct", id=opened["id"], decision="fulfil", reason="it was a slip")
    await run(do, opened["id"])
    right = bridge.keys.programme(acme.id, offers, BERTA)
    assert dict(await rows(bridge, message.c.id, message.c.programme_index))[waits] == right
    facts = {"scope": "programme", "source": "handset", "programme": offers}
    await stop(bridge, wish(bridge.keys, acme.id, BERTA, now=bridge.clock(), **facts))
    assert await state_of(bridge, waits) == "suppressed"
    # And the other way round: who had left the programme under the wrong number has left it.
    opened = await do(
        "dsar open",
        kind="rectify",
        who=BERTA,
        tenant="acme",
        answer_to="anna@person.example",
        details={"number": STRANGER},
    )
    await do("dsar verify", id=opened["id"], vouch="known in person")
    await do("dsar instruct", id=opened["id"], decision="fulfil", reason="it was a slip")
    await run(do, opened["id"])
    assert (
        await state_of(bridge, (await submit(bridge, replace(item, destination=STRANGER))).id)
        == "suppressed"
    )


# Restriction


async def test_p27_while_it_is_restricted_nothing_is_sent_changed_or_exported_in_bulk(
    bridge: Bridge, do: Do_
) -> None:
    waits = await texted(bridge)
    acme = bridge.register.named("acme")
    assert acme is not None
    await contacts.save_contact(bridge, acme, "anna", phone.parse(ANNA))
    opened = await do("dsar open", kind="restrict", who=ANNA, tenant="acme")
    changed = await do("dsar restrict", id=opened["id"], on=True)
    assert changed["changed"]
    assert await state_of(bridge, waits) == "suppressed"
    assert await state_of(bridge, await texted(bridge)) == "suppressed"
    await writes(bridge, "START")
    assert await state_of(bridge, await texted(bridge)) == "suppressed"
    with pytest.raises(Refused, match="may not be used"):
        await do("suppress remove", number=ANNA, tenant="acme")
    assert await state_of(bridge, await texted(bridge)) == "suppressed"
    anna = phone.parse(ANNA)
    for change in (
        do("contacts remove", name="anna", tenant="acme"),
        contacts.save_contact(bridge, acme, "anna", phone.parse(BERTA)),
        contacts.save_contact(bridge, acme, "another", anna),
    ):
        with pytest.raises(Refused, match="may not be changed"):
            await change
    imported = await contacts.import_csv(bridge, acme, f"name,number\nanna,{BERTA}\n".encode())
    assert [problem.line for problem in imported.problems] == [2]
    (listed,) = await do("contacts list", tenant="acme", reveal=True)
    assert ANNA not in listed.values()
    office = Office(bridge, bridge.silence, "eva")
    logged = [item async for item in REGISTRY["log"](office, reveal=True)]
    assert all(ANNA not in item.values() and "text" not in item for item in logged)
    await do("dsar restrict", id=opened["id"], on=False)
    assert await state_of(bridge, await texted(bridge)) == "queued"


async def test_p27_a_stop_that_came_meanwhile_outlives_the_restriction(
    bridge: Bridge, do: Do_
) -> None:
    await sent(bridge, await texted(bridge))
    opened = await do("dsar open", kind="restrict", who=ANNA, tenant="acme")
    await do("dsar restrict", id=opened["id"], on=True)
    await writes(bridge, "STOP")
    await do("dsar restrict", id=opened["id"], on=False)
    assert await state_of(bridge, await texted(bridge)) == "suppressed"
    await writes(bridge, "START")
    assert await state_of(bridge, await texted(bridge)) == "queued"


async def test_p27_two_cases_restrict_until_the_last_ends(bridge: Bridge, do: Do_) -> None:
    await texted(bridge)
    one = await do("dsar open", kind="restrict", who=ANNA, tenant="acme")
    two = await do("dsar open", kind="rectify", who=ANNA, tenant="acme")
    for case in (one, two):
        await do("dsar restrict", id=case["id"], on=True)
    await do("dsar restrict", id=one["id"], on=False)
    assert await state_of(bridge, await texted(bridge)) == "suppressed"
    await do("dsar restrict", id=two["id"], on=False)
    assert await state_of(bridge, await texted(bridge)) == "queued"


# A number changes hands


async def test_p51_a_reassigned_number_voids_consents_and_keeps_suppressions(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    await do(
        "consent add", number=ANNA, tenant="acme", given={"text": "I agree", "evidence": "web form"}
    )
    await do("suppress add", number=ANNA, tenant="acme")
    done = await do("reassigned", number=ANNA, evidence="the operator's list", tenant="acme")
    assert done["consents_void"] == 1
    assert (await do("suppress check", number=ANNA, tenant="acme"))["suppressed"]


async def test_p52_access_covers_only_what_came_after_the_number_changed_hands(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    clock(bridge).days(10)
    await do("reassigned", number=ANNA, evidence="x", since="2026-12-01", tenant="acme")
    assert await identity.owned_since(bridge, ANNA) == datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    assert await identity.owned_since(bridge, BERTA) == 0.0
    asked: list[float] = []

    class Exports:
        async def export(self, _: Request, since: float) -> dict[str, Any]:
            asked.append(since)
            return {}

    bridge.clerk._executor = Exports()  # type: ignore[union-attr]
    opened = await do("dsar open", kind="access", who=ANNA, tenant="own")
    await do("dsar verify", id=opened["id"], vouch="known in person")
    await do("dsar approve", id=opened["id"])
    await run(do, opened["id"])
    assert asked == [datetime(2026, 12, 1, tzinfo=UTC).timestamp()]


# The record


async def test_every_move_leaves_an_event_and_an_audit_line_without_a_number(
    bridge: Bridge, do: Do_
) -> None:
    await texted(bridge)
    shown = await ready_to_erase(do)
    await run(do, shown)
    events = [after for _, after in sorted(await rows(bridge, dsr_event.c.id, dsr_event.c.after))]
    assert events == [
        "received", "verified", "forwarded", "instructed", "approved", "previewed",
        "executing", "done", "receipt_sent",
    ]  # fmt: skip
    lines = await rows(bridge, audit.c.actor, audit.c.action, audit.c.reason)
    actions = [action for _, action, _ in lines]
    assert "dsar opened" in actions
    assert ("boss", "dsar instructed", f"{shown} fulfil") in lines
    assert ANNA[1:] not in json.dumps(lines)


async def test_notices_hold_no_number_and_no_address_of_the_person(bridge: Bridge, do: Do_) -> None:
    await do("dsar open", kind="access", who=ANNA, tenant="acme", answer_to="anna@person.example")
    kept = json.dumps([[str(v) for v in row] for row in await rows(bridge, *notice.columns)])
    assert ANNA not in kept
    assert "anna@person.example" not in kept


async def test_p8_whoever_wants_what_must_be_kept_hears_why(bridge: Bridge, do: Do_) -> None:
    """An invoice is no tenant's data: the operator refuses with the reason."""
    opened = await do(
        "dsar open",
        kind="erase",
        who="eva@firm.example",
        tenant="acme",
        own=True,
        answer_to="eva@firm.example",
    )
    await do("dsar verify", id=opened["id"], vouch="her signed letter")
    await letters(bridge)
    await do("dsar refuse", id=opened["id"], reason="invoices are kept for 10 years (§ 35 VAT)")
    assert "10 years" in dict(await letters(bridge))["eva@firm.example"]


async def test_what_no_words_settled_is_classed_by_a_person(bridge: Bridge, do: Do_) -> None:
    acme = bridge.register.named("acme")
    ask = Ask(
        Kind.ACCESS, Someone(NUMBER, ANNA), acme, "mail", "mail", "en",
        {"to": "anna@person.example"}, undetermined=True,
    )  # fmt: skip
    opened = await open_request(bridge, ask)
    assert await rows(bridge, suppression.c.id) == []
    shown = await do("dsar class", id=ids.show(opened.id), kind="object")
    assert (shown["type"], shown["undetermined"]) == ("object", False)
    assert await rows(bridge, suppression.c.purpose) == [("marketing",)]
    with pytest.raises(Refused, match="already"):
        await do("dsar class", id=ids.show(opened.id), kind="access")


async def test_an_address_proves_itself_by_a_code_in_a_mail(bridge: Bridge, do: Do_) -> None:
    opened = await do(
        "dsar open",
        kind="access",
        who="anna@person.example",
        tenant="own",
        answer_to="anna@person.example",
    )
    await letters(bridge)
    await do("dsar verify", id=opened["id"])
    text = dict(await letters(bridge))["anna@person.example"]
    code = next(word.strip(".") for word in text.split() if word.strip(".").isdecimal())
    assert len(code) == 6
    done = await do("dsar verify", id=opened["id"], code=code)
    assert (done["state"], done["identity"]) == ("verified", "address")


async def test_an_unknown_number_and_a_foreign_id_are_refused_in_words(
    bridge: Bridge, do: Do_
) -> None:
    with pytest.raises(Refused, match="no request has this id"):
        await do("dsar show", id=ids.show(12345))
    with pytest.raises(Refused, match="no id"):
        await do("dsar show", id="nonsense")
    with pytest.raises(Refused, match="no such request"):
        await do("dsar open", kind="everything", who=STRANGER, tenant="acme")
    assert (
        await read(
            bridge,
            ids.read((await do("dsar open", kind="access", who=STRANGER, tenant="acme"))["id"]),
        )
    ).subject_id == 0


async def test_p2_a_verified_erasure_that_is_instructed_is_done_at_once(
    bridge: Bridge, do: Do_
) -> None:
    """Nothing waits for a nightly run: the fast lane is the command itself."""
    await texted(bridge)
    shown = await ready_to_erase(do)
    clock(bridge).days(2)
    assert (await run(do, shown))["state"] == "receipt_sent"
    assert await rows(bridge, subject.c.id) == []
