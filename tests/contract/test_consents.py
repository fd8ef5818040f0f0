"""Consents in both databases: what is stored, what ends, and what then still leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Text, cast, select

from bridge.model import State
from bridge.store.consent_tables import consent, consent_text, permit
from bridge.store.consents import (
    CONSENTS,
    End,
    Ended,
    Give,
    Terms,
    end_consents,
    give_consents,
    give_together,
    put_texts,
    stop_consents,
)
from bridge.store.held import Decide, decide
from bridge.store.names import Someone
from bridge.store.permits import Permit
from bridge.store.sql import Script
from bridge.store.submissions import store_submissions
from bridge.store.suppressions import Suppress, suppress_all
from bridge.store.tables import message, notice
from tests.stores import NOW, Worker

NEED = Permit(bases=("consent", "customer"), purposes=("sms",))
NEWS = replace(NEED, programme="news")
DAY = 86400.0


def someone(work: Worker, person: int = 0) -> Someone:
    return Someone(
        work.ids.next(), f"+4206011234{person:02d}", f"person-{person}", f"all-{person}", "CZ"
    )


async def agree(work: Worker, person: int = 0, **terms: Any) -> int:
    """The person's id."""
    facts = {"evidence": "web form", "given_at": work.now, **terms}
    item = Give(work.ids.next(), 1, someone(work, person), Terms(**facts), work.now)
    found: int = await work.store.write(give_consents, item)
    return found


async def end(work: Worker, person: int = 0, programme: str = "", **more: Any) -> Ended:
    item = End(work.ids.next(), 1, someone(work, person), programme, "portal", work.now, **more)
    done: Ended = await work.store.write(end_consents, item)
    return done


async def advertise(work: Worker, person: int = 0, **more: Any) -> State:
    """The state that an advertisement is stored in."""
    facts = {"klass": "marketing", "permit": NEED, **more}
    return (await work.submit(person, **facts)).state


async def states(work: Worker) -> list[tuple[str, str]]:
    wanted = select(message.c.state, message.c.reason).order_by(message.c.id)
    return [(row[0], row[1]) for row in await work.rows(wanted)]


@pytest.fixture
def tenant_settings() -> dict[str, Any]:
    return {"reports": "all"}


# Where an advertisement is stored (P48)


async def test_p48_without_a_consent_nothing_is_queued(work: Worker) -> None:
    assert await advertise(work) is State.CANCELLED
    assert await states(work) == [("cancelled", "no-consent")]
    assert (await work.claim()).messages == []
    kinds = await work.rows(select(notice.c.kind))
    assert kinds == [("failed",)]


async def test_p48_with_a_consent_it_leaves(work: Worker) -> None:
    await agree(work)
    assert await advertise(work) is State.QUEUED
    assert len((await work.claim()).messages) == 1


async def test_p48_what_is_no_advertisement_asks_nobody(work: Worker) -> None:
    assert (await work.submit(1)).state is State.QUEUED
    assert len((await work.claim()).messages) == 1
    assert await work.rows(select(permit.c.message_id)) == []


async def test_p48_an_advertisement_without_a_permit_never_leaves(work: Worker) -> None:
    await work.submit(1, klass="marketing")
    assert (await work.claim()).messages == []
    assert await states(work) == [("cancelled", "no-consent")]


async def test_p48_a_tenant_that_vouches_is_believed_until_somebody_says_no(work: Worker) -> None:
    vouched = replace(NEED, vouched=True)
    assert await advertise(work, 1, permit=vouched) is State.QUEUED
    done = await end(work, 1)
    assert (done.ended, done.cancelled) == (0, 1)
    assert await advertise(work, 1, permit=vouched) is State.CANCELLED


async def test_p48_one_of_a_batch_does_not_answer_for_another(work: Worker) -> None:
    await agree(work, 1)
    items = [work.prepared(n, klass="marketing", permit=NEED) for n in (1, 2)]
    futures = [work.store.put(store_submissions, item) for item in items]
    assert [(await f).state for f in futures] == [State.QUEUED, State.CANCELLED]


# Taking it back


async def test_p31_a_withdrawal_cancels_what_waits_in_its_transaction(work: Worker) -> None:
    await agree(work)
    await advertise(work)
    await advertise(work, state="scheduled", due_at=NOW + 60)
    await advertise(work, state="held")
    await work.submit(0)  # not an advertisement
    done = await end(work)
    assert (done.ended, done.cancelled) == (1, 3)
    cancelled = [("cancelled", "no-consent")] * 3
    assert await states(work) == [*cancelled, ("queued", "")]
    assert [m.klass for m in (await work.claim()).messages] == ["transactional"]


def _withdrawn_unseen(items: Sequence[int]) -> Script:
    """A withdrawal whose transaction did not see the message: it was not committed yet."""
    for person in items:
        yield from stop_consents(person, "", "portal", NOW)
    return [None] * len(items)


async def test_p31_a_withdrawal_while_it_was_stored_is_found_at_the_claim(work: Worker) -> None:
    person = await agree(work)
    await advertise(work)
    await work.store.write(_withdrawn_unseen, person)
    assert await states(work) == [("queued", "")]
    assert (await work.claim()).messages == []
    assert await states(work) == [("cancelled", "no-consent")]


async def test_p31_one_programme_may_be_taken_back_alone(work: Worker) -> None:
    await agree(work)
    await agree(work, programme="news")
    await advertise(work, permit=NEWS)
    await advertise(work)
    done = await end(work, programme="news")
    assert (done.ended, done.cancelled) == (1, 1)
    assert await states(work) == [("cancelled", "no-consent"), ("queued", "")]
    assert await advertise(work, permit=NEWS) is State.CANCELLED


async def test_p31_what_was_taken_back_can_be_given_again(work: Worker) -> None:
    await agree(work)
    await end(work)
    work.now += 1
    assert await advertise(work) is State.CANCELLED
    await agree(work)
    assert await advertise(work) is State.QUEUED


async def test_p31_every_consent_is_shown_with_its_text(work: Worker) -> None:
    await agree(work, text="I want news.", text_version="v1", programme="news")
    await end(work, programme="news")
    rows = await work.store.read(CONSENTS, phone_index="person-0")
    (row,) = [tuple(row) for row in rows]
    assert row[1:7] == ("news", "sms", "consent", "command", "v1", "web form")
    assert row[10:] == (NOW, "portal", "", "I want news.")


# Terms that end


async def test_p14_when_the_term_is_over_nothing_leaves(work: Worker) -> None:
    await agree(work, expires_at=NOW + 60)
    assert await advertise(work, state="queued", due_at=NOW + 90, expires_at=NOW + 9999)
    work.now += 90
    assert (await work.claim()).messages == []
    assert await states(work) == [("cancelled", "no-consent")]
    assert await advertise(work) is State.CANCELLED


async def test_p54_a_customer_is_written_to_for_a_year_after_the_end(work: Worker) -> None:
    await agree(work, basis="customer", expires_at=NOW + 365 * DAY)
    work.now = NOW + 365 * DAY - 1
    assert await advertise(work) is State.QUEUED
    work.now = NOW + 365 * DAY
    assert await advertise(work) is State.CANCELLED


async def test_p54_an_objection_ends_it_at_once(work: Worker) -> None:
    await agree(work, basis="customer")
    await end(work)
    assert await advertise(work) is State.CANCELLED


# Another owner (P51)


async def test_p51_a_reassigned_number_has_no_consents_and_its_suppression_stays(
    work: Worker,
) -> None:
    await agree(work)
    await advertise(work)
    await work.store.write(suppress_all, Suppress(1, "person-0", "tenant", "handset", work.now))
    done = await end(work, void=True)
    assert done.ended == 1
    rows = await work.rows(select(consent.c.void_reason, consent.c.withdrawn_at))
    assert rows == [("reassigned", None)]
    assert (await work.submit(0)).state is State.SUPPRESSED


async def test_p51_the_tenants_word_was_about_the_old_owner(work: Worker) -> None:
    await work.submit(1)
    await end(work, 1, void=True)
    work.now += 1
    assert await advertise(work, 1, permit=replace(NEED, vouched=True)) is State.CANCELLED


async def test_p51_a_number_that_nobody_knows_leaves_no_trace(work: Worker) -> None:
    assert await end(work, 7, void=True) == Ended((), 0, 0)
    assert await work.rows(select(consent.c.id)) == []


# Records


async def test_the_same_consent_again_is_one_row(work: Worker) -> None:
    await agree(work)
    work.now += 5
    await agree(work)
    assert len(await work.rows(select(consent.c.id))) == 1


async def test_a_newer_consent_supersedes_the_older_one_of_its_kind(work: Worker) -> None:
    await agree(work)
    await agree(work, programme="news")
    await agree(work, evidence="signed on paper")
    rows = await work.rows(
        select(consent.c.programme, consent.c.void_reason).order_by(consent.c.id)
    )
    assert rows == [("", "superseded"), ("news", ""), ("", "")]


async def test_evidence_is_sealed_at_rest(work: Worker) -> None:
    await agree(work, evidence="anna@firm.example ticked the box")
    (shown,) = await work.rows(select(consent.c.evidence))
    assert shown[0] == "anna@firm.example ticked the box"
    (raw,) = await work.rows(select(cast(consent.c.evidence, Text)))
    assert "anna" not in raw[0]


async def test_a_version_never_changes(work: Worker) -> None:
    assert await work.store.write(put_texts, (1, "v1", "I want news.", NOW)) is True
    assert await work.store.write(put_texts, (1, "v1", "I want all.", NOW)) is False
    assert await work.rows(select(consent_text.c.text)) == [("I want news.",)]


async def test_a_file_of_consents_is_stored_whole(work: Worker) -> None:
    terms = Terms(evidence="web form", given_at=NOW)
    items = [Give(work.ids.next(), 1, someone(work, n), terms, NOW) for n in range(3)]
    assert len(await work.store.write(give_together, items)) == 3
    assert len(await work.rows(select(consent.c.id))) == 3


# Caps


async def test_the_cap_counts_in_the_transaction_that_stores(work: Worker) -> None:
    await agree(work)
    capped = replace(NEED, caps=((2, 7 * DAY),))
    found = [await advertise(work, permit=capped) for _ in range(3)]
    assert found == [State.QUEUED, State.QUEUED, State.CANCELLED]
    assert (await states(work))[-1] == ("cancelled", "too-often")


async def test_two_at_once_are_counted_too(work: Worker) -> None:
    await agree(work)
    capped = replace(NEED, caps=((1, DAY),))
    items = [work.prepared(0, klass="marketing", permit=capped) for _ in range(2)]
    futures = [work.store.put(store_submissions, item) for item in items]
    assert [(await f).state for f in futures] == [State.QUEUED, State.CANCELLED]


async def test_the_cap_is_free_again_when_its_time_is_over(work: Worker) -> None:
    await agree(work)
    capped = replace(NEED, caps=((1, DAY),))
    assert await advertise(work, permit=capped) is State.QUEUED
    work.now += DAY - 1
    assert await advertise(work, permit=capped) is State.CANCELLED
    work.now += 1
    assert await advertise(work, permit=capped) is State.QUEUED


# A late yes (P49)


@pytest.mark.parametrize(("state", "end"), [("held", "expired"), ("unknown", "unknown")])
async def test_p49_what_is_released_keeps_to_the_hours(work: Worker, state: str, end: str) -> None:
    await agree(work)
    number = (await work.submit(0, klass="marketing", permit=NEED, state=state)).id
    item = Decide(number, True, 9 * DAY, NOW, "eva", opens=NOW + 3600, closes=NOW + 7200)
    await work.store.write(decide, item)
    rows = await work.rows(select(message.c.state, message.c.due_at, message.c.expires_at))
    assert rows == [("queued", NOW + 3600, NOW + 7200)]
    work.now += 7200
    assert (await work.claim()).messages == []
    assert (await states(work))[0][0] == end
