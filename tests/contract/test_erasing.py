"""Erasing over both databases: nothing of the person is left, nothing of the others is touched."""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Table, func, select

from bridge import store
from bridge.model import State
from bridge.store import ids as shown
from bridge.store.audit_tables import audit
from bridge.store.chat_erasures import (
    CARD,
    POST,
    THREAD,
    ClaimCondemned,
    Condemned,
    CondemnedDone,
    claim_condemned,
    finish_condemned,
)
from bridge.store.chat_tables import (
    card,
    card_message,
    chat_post,
    chat_update,
    contact,
    contact_group,
    draft,
    glimpse,
    group_member,
    staff,
    thread,
)
from bridge.store.contacts import ContactIn, PutContacts, put_contacts
from bridge.store.drafts import send_from_chats
from bridge.store.erasing import (
    ERASURE,
    Erasure,
    Order,
    Step,
    Stepped,
    begin_erasures,
    erase_more,
    erasure_of,
)
from bridge.store.erasure_tables import chat_erasure, erasure
from bridge.store.glimpses import Glimpse, add_glimpses
from bridge.store.names import Someone
from bridge.store.notices import Explained, store_explained
from bridge.store.proofs import POSTS
from bridge.store.retention_tables import ledger
from bridge.store.sql import Many, Row, Script, insert
from bridge.store.staff import Invite, Redeem, invite, redeem
from bridge.store.suppressions import Suppress
from bridge.store.tables import (
    attempt,
    body,
    callback,
    conversation,
    event,
    message,
    metadata,
    notice,
    notice_body,
    reply,
    reply_body,
    subject,
    subject_key,
    suppression,
)
from bridge.store.threads import Post, Root, ThreadIn, add_posts, ensure_threads, set_roots
from bridge.store.writers import Left
from tests.stores import EDGE, NOW, OURS, PLACE, Worker

TEXT = "Boiler 3 is cold"
BERTA = "+420601123402"


def number(person: int) -> str:
    return f"+4206011234{person:02d}"


def order(work: Worker, person: int = 1, **more: Any) -> Order:
    """The first tenant's person is to be erased and left alone."""
    stop = Suppress(1, f"person-{person}", "tenant", "erasure", work.now)
    base = Order(
        work.ids.next(),
        7,
        1,
        "number",
        number(person),
        f"person-{person}",
        "f" * 24,
        (stop,),
        "eva",
        work.now,
    )
    return replace(base, **more)


async def begun(work: Worker, item: Order) -> Erasure:
    found: Erasure = await work.store.write(begin_erasures, item)
    return found


async def emptied(work: Worker, one: Erasure, most: int = 100) -> list[Stepped]:
    """All transactions of an erasure."""
    done: list[Stepped] = []
    for _ in range(most):
        done.append(await work.store.write(erase_more, Step(one.id, work.now)))
        if done[-1].left is not Left.MORE:
            return done
    return done


async def erased(work: Worker, item: Order) -> Erasure:
    """The erasure, done."""
    one = await begun(work, item)
    assert (await emptied(work, one))[-1].left is Left.NOTHING
    return erasure_of((await work.store.read(ERASURE, id=one.id))[0])


async def person(work: Worker, person: int) -> int:
    """The id of a person; 0 for nobody."""
    rows = await work.rows(select(subject.c.id).where(subject.c.phone_index == f"person-{person}"))
    return int(rows[0][0]) if rows else 0


async def put(work: Worker, table: Table, **row: Any) -> None:
    """A row of any table; what is no column tells whose it is."""
    columns = tuple(name for name in row if name in table.c)

    def script(items: Sequence[dict[str, Any]]) -> Script:
        yield Many(insert(table, columns), items)
        return [None] * len(items)

    await work.store.write(script, row)


async def hears(work: Worker, who: int, text: str = "What is cold?") -> int:
    """An MO of somebody who was written to is stored."""
    (found,) = await work.rows(
        select(message.c.id, message.c.conversation_id, subject.c.id)
        .join(subject, subject.c.id == message.c.subject_id)
        .where(subject.c.phone_index == f"person-{who}")
        .order_by(message.c.id.desc())
        .limit(1)
    )
    number_of = work.ids.next()
    row = {"tenant_id": 1, "message_id": found[0], "conversation_id": found[1]}
    row |= {"carrier": "smsc", "originator": OURS, "verdict": "none", "partial": False}
    await put(work, reply, id=number_of, subject_id=found[2], at=work.now, **row)
    await put(work, reply_body, reply_id=number_of, subject_id=found[2], text=text)
    return number_of


async def hears_a_part(work: Worker, who: int) -> None:
    """The first of two parts of a long MO."""
    payload = json.dumps({"source": number(who)[1:], "data": "41", "ref": 3, "number": 1})
    row = {"carrier": "smsc", "kind": "part", "key": f"group-{who}", "number": 1, "total": 2}
    await put(work, callback, payload=payload, at=work.now, **row)


async def named(work: Worker, person: int, name: str) -> None:
    """A contact, in a group."""
    someone = Someone(work.ids.next(), number(person), f"person-{person}", f"all-{person}", "CZ")
    item = PutContacts(
        1, [ContactIn(name, someone, ("guards",))], work.now, {"guards": work.ids.next()}
    )
    await work.store.write(put_contacts, item)


async def lived_in(work: Worker, who: int) -> int:
    """Everything that may be known of a person; their id."""
    await work.send(work.prepared(who, origin_kind=EDGE, origin_address=PLACE))
    await work.submit(who)
    claims = await work.claim()
    await work.answer(claims)
    answer = await hears(work, who)
    await named(work, who, f"anna{who}")
    number_of = await person(work, who)
    item = ThreadIn(work.ids.next(), 1, EDGE, PLACE, number_of, OURS, work.now)
    made = await work.store.write(ensure_threads, item)
    await work.store.write(set_roots, Root(made.id, f"topic-{who}", ""))
    await work.store.write(add_posts, Post(EDGE, PLACE, f"post-{who}", made.id, work.now))
    await work.store.write(add_glimpses, Glimpse(f"glimpse-{who}", 1, answer, work.now + 900))
    return number_of


async def leading_to(work: Worker, person: int) -> dict[str, int]:
    """Table → rows that name a person by their id."""
    found = {}
    for table in metadata.tables.values():
        if "subject_id" in table.c and table is not erasure:
            rows = await work.rows(
                select(func.count()).select_from(table).where(table.c.subject_id == person)
            )
            if rows[0][0]:
                found[table.name] = int(rows[0][0])
    return found


async def test_p2_p65_nothing_leads_to_an_erased_person(work: Worker) -> None:
    anna = await lived_in(work, 1)
    berta = await lived_in(work, 2)
    before = await leading_to(work, berta)
    assert {"subject_key", "message", "reply", "thread", "contact"} <= before.keys()
    one = await erased(work, order(work))
    assert await leading_to(work, anna) == {}
    assert await work.rows(select(subject.c.id).where(subject.c.id == anna)) == []
    assert await leading_to(work, berta) == before
    assert (one.state, one.subject_id, one.value) == ("done", anna, "")
    counts = one.rows
    assert counts["texts"] == counts["messages"] == 2
    assert counts["replies"] == counts["names"] == counts["threads"] == counts["numbers"] == 1
    # The others' texts are as they were.
    texts = await work.rows(select(body.c.text).order_by(body.c.message_id))
    assert [row[0] for row in texts] == [TEXT, TEXT]
    assert await work.rows(select(reply_body.c.text)) == [("What is cold?",)]


async def test_p6_the_traffic_record_stays_and_leads_to_nobody(work: Worker) -> None:
    await lived_in(work, 1)
    attempts, events = await work.count(attempt), await work.count(event)
    await erased(work, order(work))
    rows = await work.rows(select(message.c.state, message.c.subject_id, message.c.conversation_id))
    assert rows == [("sent", 0, 0)] * 2
    assert (await work.count(attempt), await work.count(event)) == (attempts, events)
    assert await work.count(body) == await work.count(conversation) == 0


async def test_p29_the_suppression_stands_with_the_first_row_that_goes(work: Worker) -> None:
    await lived_in(work, 1)
    await work.submit(1)
    await begun(work, order(work))
    assert await work.rows(select(suppression.c.token, suppression.c.source)) == [
        ("person-1", "erasure")
    ]
    assert await work.count(contact) == await work.count(group_member) == 0
    assert await work.count(contact_group) == 1
    states = await work.rows(select(message.c.state).order_by(message.c.id))
    assert [row[0] for row in states] == ["sent", "sent", "suppressed"]


async def test_p29_erase_only_suppresses_nobody_and_still_sends_nothing(work: Worker) -> None:
    await work.submit(1)
    one = await erased(work, order(work, stops=()))
    assert await work.count(suppression) == 0
    assert one.rows["cancelled"] == 1
    assert await work.rows(select(message.c.state, message.c.reason)) == [("cancelled", "erased")]
    assert (await work.claim()).messages == []


async def test_p30_an_erased_person_who_comes_back_is_still_suppressed(work: Worker) -> None:
    await lived_in(work, 1)
    await erased(work, order(work))
    await erased(work, order(work, request_id=8))
    stored = await work.submit(1)
    assert stored.state is State.SUPPRESSED


async def test_parts_under_way_are_waited_for(work: Worker) -> None:
    await work.submit(1)
    claims = await work.claim()
    one = await begun(work, order(work))
    assert [s.left for s in await emptied(work, one)] == [Left.FLYING]
    assert await work.count(body) == 1
    await work.answer(claims)
    assert (await emptied(work, one))[-1].left is Left.NOTHING
    assert await work.count(body) == 0


async def test_a_message_in_doubt_is_not_sent_again(work: Worker) -> None:
    await work.submit(1)
    await work.answer(await work.claim(), State.UNKNOWN)
    await erased(work, order(work))
    assert await work.rows(select(message.c.state)) == [("cancelled",)]


async def test_it_is_done_in_bounded_transactions_and_goes_on_after_each(work: Worker) -> None:
    for _ in range(450):
        await work.submit(1)
    one = await begun(work, order(work))
    done = await emptied(work, one)
    assert [s.left for s in done] == [Left.MORE, Left.MORE, Left.NOTHING]
    counted = erasure_of((await work.store.read(ERASURE, id=one.id))[0]).rows
    assert counted["texts"] == counted["messages"] == 450


async def test_p13_a_request_that_is_asked_for_again_is_the_same_erasure(work: Worker) -> None:
    await lived_in(work, 1)
    first = await begun(work, order(work))
    again = await begun(work, order(work))
    assert again == first
    await emptied(work, first)
    done = erasure_of((await work.store.read(ERASURE, id=first.id))[0])
    assert await begun(work, order(work)) == done
    assert await erased(work, order(work)) == done
    assert await work.count(erasure) == 1


async def test_what_came_while_it_was_at_work_goes_with_a_second_look(work: Worker) -> None:
    await lived_in(work, 1)
    one = await erased(work, order(work))
    # Another process stored it for somebody whom it had just found there.
    late = work.ids.next()
    await put(work, body, message_id=late, subject_id=one.subject_id, text=TEXT, origin="")
    row = (await work.rows(select(message)))[0]
    names = [column.name for column in message.c]
    values = dict(zip(names, row, strict=True)) | {"id": late, "subject_id": one.subject_id}
    await put(work, message, **values)
    assert (await leading_to(work, one.subject_id)).keys() == {"message", "subject_key"}
    await emptied(work, one)
    assert await leading_to(work, one.subject_id) == {}
    assert await work.count(body) == 0


# Every table

#: Rows that go, or lose their person.
GO = {
    *("subject_key", "conversation", "message", "reply", "notice", "thread", "contact"),
    *("group_member", "consent", "permit", "wish", "attachment"),
}
#: Rows that stay: an id that leads to nobody, and no words that can still be read.
STAY = {
    "abuse_case": "that there was a complaint; its note is emptied",
    "demand": "an authority's demand, which the law has us keep",
    "dsr": "the request, whose words were sealed under the person's key",
    "erasure": "the erasure itself",
    "hold": "that data was held, and why",
}


def test_p12_every_table_that_leads_to_people_is_reached_or_stays_for_a_reason() -> None:
    for module in pkgutil.iter_modules(store.__path__):
        if module.name.endswith("tables"):
            importlib.import_module(f"bridge.store.{module.name}")
    leading = {table.name for table in metadata.tables.values() if "subject_id" in table.c}
    assert leading == GO | STAY.keys()


async def test_p69_the_bill_still_has_its_parts_and_country(work: Worker) -> None:
    await lived_in(work, 1)
    await erased(work, order(work))
    rows = await work.rows(select(ledger.c.parts, ledger.c.country, ledger.c.carrier))
    assert rows == [(1, "CZ", "smsc")] * 2


# What belongs to nobody yet


@pytest.mark.parametrize(
    "payload",
    [
        {"to": [number(1)], "text": "x"},
        {"text": "/sms send 601 12 34-01 hello"},
        {"text": "call 00420601123401 now"},
    ],
)
async def test_a_draft_that_mentions_the_person_is_emptied(
    work: Worker, payload: dict[str, Any]
) -> None:
    await work.submit(1)
    mine = await work.draft(payload=payload)
    other = await work.draft(payload={"to": [BERTA], "text": "y"})
    await work.update(payload=json.dumps(payload), lease=None)
    await work.update(payload=json.dumps({"text": BERTA}), lease=None)
    await erased(work, order(work))
    rows = await work.rows(select(draft.c.id, draft.c.state, draft.c.payload))
    assert {r[0]: r[1:] for r in rows} == {
        mine.id: ("cancelled", ""),
        other.id: ("open", json.dumps({"to": [BERTA], "text": "y"})),
    }
    rows = await work.rows(select(chat_update.c.payload).order_by(chat_update.c.id))
    assert rows == [("",), (json.dumps({"text": BERTA}),)]


async def test_an_unfinished_long_mo_and_an_explanation_go_too(work: Worker) -> None:
    await work.submit(1)
    await hears_a_part(work, 1)
    await hears_a_part(work, 2)
    for e164 in (number(1), BERTA):
        payload = json.dumps({"to": "eva@acme.example", "number": e164})
        await work.store.write(store_explained, Explained(1, payload, work.now))
    await erased(work, order(work))
    rows = await work.rows(select(callback.c.key))
    assert rows == [("group-2",)]
    assert [json.loads(r[0])["number"] for r in await work.rows(select(notice_body.c.payload))] == [
        BERTA
    ]
    assert await work.count(notice) == 1


async def test_p2_a_part_from_a_number_of_another_country_stays(work: Worker) -> None:
    """Czech and French numbers have nine digits both, and one may be the other's."""
    await work.submit(1)
    theirs = json.dumps({"source": number(1).replace("+420", "33"), "data": "41", "key": "mo-9"})
    row = {"carrier": "smsc", "kind": "part", "key": "theirs", "number": 1, "total": 2}
    await put(work, callback, payload=theirs, at=work.now, **row)
    await hears_a_part(work, 1)
    await erased(work, order(work))
    assert await work.rows(select(callback.c.key)) == [("theirs",)]


# Chats


async def test_p68_posts_about_the_person_are_queued_to_be_taken_down(work: Worker) -> None:
    await lived_in(work, 1)
    await lived_in(work, 2)
    one = await erased(work, order(work))
    rows = await work.rows(
        select(chat_erasure.c.what, chat_erasure.c.post, chat_erasure.c.erasure_id)
    )
    assert sorted(rows) == [(POST, "post-1", one.id), (THREAD, "topic-1", one.id)]
    # Its card had not been posted yet: there is nothing to take down.
    assert await work.count(card) == 1
    assert await work.rows(select(chat_post.c.post)) == [("post-2",)]
    assert await work.rows(select(thread.c.root)) == [("topic-2",)]
    assert await work.rows(select(glimpse.c.hash)) == [("glimpse-2",)]


async def test_a_card_of_several_people_is_shown_anew_without_one(work: Worker) -> None:
    await work.send(work.prepared(1), work.prepared(2))
    before = (await work.rows(select(card.c.wanted)))[0][0]
    await erased(work, order(work))
    assert await work.count(card_message) == 1
    assert (await work.rows(select(card.c.wanted)))[0][0] > before
    assert await work.count(chat_erasure) == 0


async def test_a_card_that_is_just_being_posted_is_taken_down_afterwards(work: Worker) -> None:
    await work.send(work.prepared(1))
    (mine,) = await work.cards()
    await erased(work, order(work))
    rows = await work.rows(select(chat_erasure.c.what, chat_erasure.c.post))
    assert rows == [(CARD, str(mine.id))]
    assert await work.count(card) == 1


async def test_two_desks_never_take_the_same_post_down(work: Worker) -> None:
    await lived_in(work, 1)
    one = await erased(work, order(work))
    item = ClaimCondemned(EDGE, work.me, work.now)
    found: list[Condemned] = await work.store.write(claim_condemned, item)
    assert {c.what for c in found} == {POST, THREAD}
    assert await work.store.write(claim_condemned, item) == []
    done = [CondemnedDone(c.id, work.now, "deleted") for c in found[:1]]
    later = [CondemnedDone(c.id, work.now, due_at=work.now + 60) for c in found[1:]]
    for each in done + later:
        await work.store.write(finish_condemned, each)
    rows = await work.store.read(POSTS, request=one.request_id)
    assert [tuple(r) for r in rows] == [(EDGE, "", 1), (EDGE, "deleted", 1)]


# Writers


async def test_a_writer_by_mail_is_erased_and_the_recipients_stay(work: Worker) -> None:
    await work.submit(1)
    await work.submit(2, origin_address="Jan@acme.example")
    await work.answer(await work.claim())
    await hears(work, 1)
    await work.submit(1)
    item = order(work, kind="mail", value="EVA@acme.example", token="eva", stops=())
    one = await erased(work, item)
    assert one.rows["texts"] == 2
    assert await work.rows(select(conversation.c.origin_address)) == [("Jan@acme.example",)]
    assert await work.count(body) == 1
    states = await work.rows(select(message.c.state).order_by(message.c.id))
    assert [row[0] for row in states] == ["sent", "sent", "cancelled"]
    assert await work.count(subject) == 2
    assert await work.rows(select(reply_body.c.text)) == [("What is cold?",)]
    assert await work.rows(select(reply.c.conversation_id)) == [(None,)]


async def test_somebody_who_wrote_from_a_chat_is_erased(work: Worker) -> None:
    for who, name in (("41", "Jan"), ("42", "Eva")):
        await work.store.write(
            invite, Invite(1, "agent", name, f"hash-{who}", work.now, work.now + 900)
        )
        item = Redeem(work.ids.next(), f"hash-{who}", EDGE, "", who, 1, work.now)
        assert (await work.store.write(redeem, item)).person
    jan, eva = (row[0] for row in await work.rows(select(staff.c.id).order_by(staff.c.person)))
    for place in ("42", PLACE):
        update = await work.update()
        assert update is not None
        made = work.command(update, work.prepared(1, origin_address=place))
        made = replace(made, card=replace(made.card, staff_id=eva, place=place))
        await work.store.write(send_from_chats, made)
    await work.answer(await work.claim())
    one = await erased(work, order(work, kind=EDGE, value="42", token="eva", stops=()))
    rows = await work.rows(select(staff.c.id, staff.c.name, staff.c.person, staff.c.revoked_at))
    assert sorted(rows) == sorted([(jan, "Jan", "41", None), (eva, "", "", NOW)])
    assert await work.rows(select(card.c.staff_id)) == [(0,)]
    assert await work.rows(select(conversation.c.origin_address)) == [(PLACE,)]
    assert one.rows["enrolments"] == 1
    assert await work.count(body) == 1


# The files


@pytest.mark.parametrize("whole", [False, True])
async def test_p65_the_files_are_scrubbed_beside_other_work(work: Worker, whole: bool) -> None:
    await lived_in(work, 1)
    await erased(work, order(work))
    scrubbing = asyncio.gather(work.store.scrub(whole=whole), work.store.scrub())
    stored = await asyncio.gather(*(work.submit(person) for person in range(2, 12)))
    await scrubbing
    assert {one.state for one in stored} == {State.QUEUED}
    assert len((await work.claim()).messages) == 10


async def test_a_large_database_is_written_anew_only_when_asked(
    work: Worker, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if url != "sqlite":
        return
    for _ in range(300):
        await work.submit(1, text="x" * 600)
    await erased(work, order(work))
    monkeypatch.setattr("bridge.store.sqlite.SMALL", 0)
    path = work.store.driver.path  # type: ignore[attr-defined]
    await work.store.scrub()
    before = path.stat().st_size
    await work.store.scrub(whole=True)
    assert path.stat().st_size < before


# The audit


async def test_p62_the_audit_tells_of_it_by_a_reference_only(work: Worker) -> None:
    anna = await lived_in(work, 1)
    one = await erased(work, order(work))
    rows: list[Row] = await work.rows(
        select(audit.c.seq, audit.c.actor, audit.c.action, audit.c.subject_ref, audit.c.hash)
    )
    assert rows == [(one.audit_seq, "eva", "erased", one.ref, one.audit_hash)]
    assert len(one.ref) == 24
    assert str(anna) not in one.ref
    assert await work.rows(select(audit.c.reason)) == [(f"request {shown.show(7)}",)]
    assert await work.count(subject_key) == 0
