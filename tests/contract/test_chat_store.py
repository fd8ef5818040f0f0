"""Over both databases: what chats told is worked, and what is sent from them is sent once."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select

from bridge.model import State
from bridge.store import cards, chat_log, drafts, glimpses, notices, threads, updates
from bridge.store.cards import FATES, Fate
from bridge.store.chat_tables import card, card_message, chat_update, draft, thread
from bridge.store.drafts import DRAFT, cancel_drafts, change_drafts, draft_of, send_from_chats
from bridge.store.leases import release_silent
from bridge.store.sql import Statement
from bridge.store.suppressions import Suppress, suppress_all
from bridge.store.sweeps import tidy
from bridge.store.tables import body, message, subject
from bridge.store.updates import (
    GiveBackUpdates,
    TakeUpdates,
    Update,
    UpdateDone,
    finish_updates,
    give_back_updates,
    take_updates,
)
from tests.seeds import seed
from tests.stores import EDGE, NOW, OURS, Database, Worker

DAY = 86_400.0
BROKEN = (sqlite3.IntegrityError, asyncpg.UniqueViolationError)


# What chats told


async def taken(work: Worker, most: int = 100) -> list[Update]:
    found: list[Update] = await work.store.write(take_updates, TakeUpdates(EDGE, work.me, most))
    return found


async def test_what_a_chat_tells_twice_is_one(database: Database) -> None:
    here, there = await database.two()
    told = await asyncio.gather(*(w.update(f"k{n % 10}") for n in range(30) for w in (here, there)))
    assert sum(number is not None for number in told) == 10
    assert await here.count(chat_update) == 10
    assert await here.update("k1") is None
    assert await here.update("k1", edge="slack") is not None


async def test_two_processes_never_take_the_same_update(database: Database) -> None:
    here, there = await database.two()
    made = [await here.update(lease=None) for _ in range(40)]
    found = await asyncio.gather(*(taken(w, 5) for _ in range(6) for w in (here, there)))
    assert all(each == sorted(each, key=lambda u: u.id) for each in found)
    ids = [u.id for each in found for u in each]
    assert sorted(ids) == made
    assert await taken(here) == []


async def test_a_dead_process_leaves_its_updates_to_its_heir(database: Database) -> None:
    here, there = await database.two()
    mine = await here.update()
    await there.update()
    assert await taken(there) == []
    heir = await database.worker("work-1")
    assert [u.id for u in await taken(heir)] == [mine]


async def test_a_silent_process_leaves_its_updates_to_others(database: Database) -> None:
    here, there = await database.two()
    mine = await here.update(payload="first")
    await there.store.write(release_silent, (there.me, NOW + 60))
    assert await taken(there) == [Update(mine or 0, "first", NOW, 0)]


async def test_who_was_taken_for_dead_leases_nothing(database: Database) -> None:
    """Nobody would free it: the process is forgotten already."""
    here, there = await database.two()
    await there.store.write(release_silent, (there.me, NOW + 60))
    late = await here.update()
    assert await taken(here) == []
    assert [u.id for u in await taken(there)] == [late]


async def test_what_was_worked_is_empty_and_over(work: Worker) -> None:
    number = await work.update() or 0
    assert await work.store.write(finish_updates, UpdateDone(number, NOW))
    assert not await work.store.write(finish_updates, UpdateDone(number, NOW))
    assert not await work.store.write(finish_updates, UpdateDone(number, NOW, again=True))
    assert await work.rows(select(chat_update.c.payload, chat_update.c.done_at)) == [("", NOW)]
    assert await taken(work) == []


async def test_an_update_that_is_tried_again_is_free_and_counted(work: Worker) -> None:
    number = await work.update() or 0
    for tries in range(3):
        assert await work.store.write(finish_updates, UpdateDone(number, NOW, again=True))
        assert [u.tries for u in await taken(work)] == [tries]


async def test_updates_are_forgotten_after_two_days(work: Worker) -> None:
    await work.update()
    work.now += DAY
    await work.update()
    await work.store.write(tidy, NOW + 2 * DAY)
    assert await work.count(chat_update) == 2
    await work.store.write(tidy, NOW + 2 * DAY + 1)
    assert await work.count(chat_update) == 1


async def test_a_write_of_updates_whose_commit_was_in_doubt_is_given_back(work: Worker) -> None:
    lost, worked = await work.update() or 0, await work.update() or 0
    slack = await work.update(edge="slack")
    work.now += 1
    await work.update()
    back = GiveBackUpdates(EDGE, work.me, NOW, frozenset({worked}))
    assert await work.store.write(give_back_updates, back) == 1
    assert [u.id for u in await taken(work)] == [lost]
    assert slack


# Sent once


async def test_an_update_that_two_processes_work_sends_once(database: Database) -> None:
    here, there = await database.two()
    number = await here.update() or 0
    items = [(w, w.command(number, w.prepared())) for _ in range(3) for w in (here, there)]
    done = await asyncio.gather(*(w.store.write(send_from_chats, item) for w, item in items))
    assert sum(each is not None for each in done) == 1
    assert await here.count(message) == await here.count(card) == await here.count(thread) == 1


async def test_a_draft_that_is_decided_several_times_sends_once(database: Database) -> None:
    here, there = await database.two()
    kept = await here.draft(payload={"text": "Boiler 3 is cold"})
    items = [
        (w, w.command(await w.update() or 0, w.prepared(), draft=kept.id))
        for _ in range(3)
        for w in (here, there)
    ]
    done = await asyncio.gather(*(w.store.write(send_from_chats, item) for w, item in items))
    assert sum(each is not None for each in done) == 1
    assert await here.count(message) == 1
    assert await here.rows(select(draft.c.state, draft.c.payload)) == [("sent", "")]
    closed = await here.rows(select(chat_update.c.id).where(chat_update.c.done_at.is_not(None)))
    (sent,) = (item for (_, item), each in zip(items, done, strict=True) if each is not None)
    assert closed == [(sent.update,)]


async def test_repeats_within_one_transaction_send_once(work: Worker) -> None:
    first, second = await work.update() or 0, await work.update() or 0
    kept = await work.draft()
    items = [
        *(work.command(first, work.prepared(1)) for _ in range(2)),
        *(work.command(second, work.prepared(2), draft=kept.id) for _ in range(2)),
    ]
    commits = work.store.commits
    done = await asyncio.gather(*(work.store.put(send_from_chats, item) for item in items))
    assert [each is not None for each in done] == [True, False, True, False]
    again = await asyncio.gather(*(work.store.put(send_from_chats, item) for item in items))
    assert again == [None] * 4
    assert work.store.commits == commits + 2
    assert await work.count(message) == 2


@pytest.mark.parametrize("why", ["expired", "cancelled", "missing"])
async def test_a_draft_that_is_not_open_sends_nothing(work: Worker, why: str) -> None:
    kept = await work.draft(expires_at=NOW if why == "expired" else NOW + 9)
    if why == "cancelled":
        assert await work.store.write(cancel_drafts, kept.id)
        assert not await work.store.write(cancel_drafts, kept.id)
    number = await work.update() or 0
    item = work.command(number, draft=1 if why == "missing" else kept.id)
    assert await work.store.write(send_from_chats, item) is None
    assert await work.count(message) == await work.count(card) == 0
    assert await work.store.write(finish_updates, UpdateDone(number, NOW))


async def test_an_open_draft_is_changed_and_a_decided_one_is_not(work: Worker) -> None:
    kept = await work.draft(payload={"text": "Hallo"})
    asked = replace(kept, payload={"text": "Hello"}, expires_at=NOW + DAY)
    assert await work.store.write(change_drafts, asked)
    assert draft_of((await work.store.read(DRAFT, id=kept.id))[0]) == asked
    await work.store.write(cancel_drafts, kept.id)
    assert not await work.store.write(change_drafts, kept)
    gone = draft_of((await work.store.read(DRAFT, id=kept.id))[0])
    assert (gone.state, gone.payload) == ("cancelled", {})
    await work.store.write(tidy, NOW + DAY + 1)
    assert await work.count(draft) == 0


async def test_the_card_and_the_threads_are_there_with_the_messages(work: Worker) -> None:
    people = [work.prepared(n, text=str(n)) for n in (1, 2, 1)]
    sent = await work.send(*people, thread="77")
    fates = [Fate(*row) for row in await work.store.read(FATES, card=sent.card.id)]
    assert [(f.id, f.phone, f.text) for f in fates] == [(p.id, p.phone, p.text) for p in people]
    found = await work.rows(select(thread.c.originator, thread.c.root, thread.c.staff_id))
    # Where the command was typed may be somebody else's topic: they get one of their own.
    assert found == [(OURS, "", None)] * 2
    assert await work.rows(select(chat_update.c.payload)) == [("",)]
    (shown,) = await work.cards()
    assert (shown.id, shown.thread, shown.wanted, shown.doubtful) == (sent.card.id, "77", 1, False)


async def test_whoever_opted_out_stands_on_the_card(work: Worker) -> None:
    stop = Suppress(1, "person-1", "tenant", "handset", NOW)
    await work.store.write(suppress_all, stop)
    item = work.command(await work.update() or 0, work.prepared(1), work.prepared(2))
    stored = await work.store.write(send_from_chats, item)
    assert [s.state for s in stored] == [State.SUPPRESSED, State.QUEUED]
    fates = [Fate(*row) for row in await work.store.read(FATES, card=item.card.id)]
    assert [(f.state, f.reason) for f in fates] == [("suppressed", "opted-out"), ("queued", "")]
    assert await work.count(thread) == 2


async def test_what_fails_midway_leaves_nothing_and_fails_alone(work: Worker) -> None:
    first = await work.send(work.prepared(1))
    number = await work.update() or 0
    kept = await work.draft()
    bad = work.command(number, work.prepared(2), draft=kept.id)
    bad = replace(bad, card=first.card)
    good = work.command(await work.update() or 0, work.prepared(3))
    done = await asyncio.gather(
        *(work.store.put(send_from_chats, item) for item in (bad, good)), return_exceptions=True
    )
    assert isinstance(done[0], BROKEN)
    assert done[1] is not None
    for table in (message, body, subject, thread, card, card_message):
        assert await work.count(table) == 2, table
    again = replace(bad, card=replace(first.card, id=work.ids.next()))
    assert await work.store.write(send_from_chats, again) is not None


# Plans


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (updates._FREE, "INDEX chat_update_open (edge=?)"),
        (updates._OWN, "INDEX chat_update_open (edge=?)"),
        (updates._OLD, "INDEX chat_update_at"),
        (updates.OPEN_UPDATE, "PRIMARY KEY"),
        (drafts._OPEN, "PRIMARY KEY"),
        (cards.NEXT_CARD, "INDEX card_due (edge=?)"),
        (cards._DUE, "INDEX card_due (edge=? AND due_at<?)"),
        (cards._TOUCH, "SEARCH card_message USING INTEGER PRIMARY KEY"),
        (cards._OWN, "INDEX card_lease"),
        (cards._RELEASE, "INDEX card_lease"),
        (cards._ROOTS, "INDEX thread_person (edge=? AND place=? AND subject_id=?)"),
        (cards.FATES, "INDEX card_message_card"),
        (notices.NEXT_NOTICE, "INDEX notice_due (edge=?)"),
        (notices.NEXT_NOTICE, "INDEX notice_subject (subject_id=? AND edge=? AND place=?"),
        (notices._DUE, "INDEX notice_due (edge=? AND due_at<?)"),
        (notices._DUE, "INDEX notice_subject (subject_id=? AND edge=? AND place=?"),
        (threads.THREAD_OF_POST, "INDEX sqlite_autoindex_chat_post_1 (edge=? AND place=? AND post=?)"),
        (threads.THREADS_AT, "INDEX thread_root (edge=? AND place=? AND root=?)"),
        (threads._THREAD_OF, "INDEX thread_person (edge=? AND place=? AND subject_id=? AND originator=?)"),
        (chat_log.ONE, "PRIMARY KEY"),
        (glimpses._OPEN, "INDEX sqlite_autoindex_glimpse_1 (hash=?)"),
    ],
)  # fmt: skip
async def test_what_runs_all_day_reads_no_table_whole(
    tmp_path: Path, statement: Statement, index: str
) -> None:
    seed(tmp_path)
    compiled = statement.of("sqlite")
    with closing(sqlite3.connect(tmp_path / "bridge.sqlite")) as connection:
        values = ["[]" if "json_each" in compiled.text else 0] * compiled.text.count("?")
        found = connection.execute(f"EXPLAIN QUERY PLAN {compiled.text}", values).fetchall()
    plan = [row[3] for row in found]
    assert any(index in step for step in plan), plan
    assert not [step for step in plan if step.startswith("SCAN") and "json_each" not in step], plan
