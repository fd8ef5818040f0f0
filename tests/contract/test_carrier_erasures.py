"""Carriers' records of erased people over both databases: queued with the erasure, settled once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select

from bridge.model import Inbound, State
from bridge.store.carrier_erasures import (
    FIRST,
    GIVEN_UP,
    NAMELESS,
    NEXT_RECORD,
    WAITED_FOR,
    Abandon,
    ClaimRecords,
    GiveBackRecords,
    GiveUpRecords,
    Record,
    RecordDone,
    abandon_records,
    claim_records,
    finish_records,
    give_back_records,
    give_up_records,
)
from bridge.store.erasing import Step, begin_erasures, erase_more
from bridge.store.erasure_tables import carrier_erasure, erasure, receipt
from bridge.store.kept_registers import _delete_requests
from bridge.store.outcomes import record_progress
from bridge.store.proofs import RECORDS, Proof, put_proofs
from bridge.store.purges import delete_replies
from bridge.store.sql import Row, Script
from bridge.store.tables import attempt, callback, message, reply, reply_part
from bridge.store.writers import Left
from tests.bridges import until
from tests.contract.test_erasing import hears, hears_a_part, order, put
from tests.stores import NOW, Database, Worker

ALL = select(
    carrier_erasure.c.carrier,
    carrier_erasure.c.carrier_id,
    carrier_erasure.c.inbound,
    carrier_erasure.c.outcome,
).order_by(carrier_erasure.c.id)
WHO = ("smsc",)
#: SQLite has one writer.
several_writers = pytest.mark.parametrize(
    "url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


async def sent(work: Worker, person: int = 1, state: State = State.SENT) -> str:
    """An SMS that the carrier took; its id there."""
    await work.submit(person)
    claims = await work.claim()
    await work.answer(claims, state)
    (number,) = claims.messages[0].attempts.values()
    return f"id-{number}"


async def hears_from(work: Worker, person: int, *names: str) -> int:
    """An MO whose parts the carrier calls so."""
    number = await hears(work, person)
    for name in names:
        await put(work, reply_part, reply_id=number, carrier_id=name)
    return number


async def erased(work: Worker, person: int = 1, carriers: tuple[str, ...] = WHO) -> int:
    """The number of an erasure that is done."""
    one = await work.store.write(begin_erasures, order(work, person))
    step = Step(one.id, work.now, carriers)
    while (await work.store.write(erase_more, step)).left is not Left.NOTHING:
        pass
    return int(one.id)


async def claimed(work: Worker, most: int = 9, after: float = FIRST) -> list[Record]:
    claim = ClaimRecords("smsc", work.me, work.now + after, most)
    found: list[Record] = await work.store.write(claim_records, claim)
    return found


async def told(work: Worker) -> list[Row]:
    return [tuple(row) for row in await work.store.read(RECORDS, request=7)]


async def test_p68_what_a_carrier_keeps_is_queued_in_the_transaction_that_unlinks_it(
    work: Worker,
) -> None:
    out = await sent(work)
    await sent(work, 2)
    await hears_from(work, 1, "mo-1", "mo-2")
    await hears_from(work, 2, "mo-3")
    one = await work.store.write(begin_erasures, order(work))
    assert await work.count(carrier_erasure) == 0
    await work.store.write(erase_more, Step(one.id, work.now, WHO))
    assert await work.rows(ALL) == [
        ("smsc", out, False, ""),
        ("smsc", "mo-1", True, ""),
        ("smsc", "mo-2", True, ""),
    ]
    rows = await work.rows(select(reply_part.c.carrier_id))
    assert rows == [("mo-3",)]


async def test_a_transaction_that_is_not_committed_queues_nothing(work: Worker) -> None:
    await sent(work)
    one = await work.store.write(begin_erasures, order(work))

    def breaks(items: list[Step]) -> Script:
        yield from erase_more(items)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await work.store.write(breaks, Step(one.id, work.now, WHO))
    assert await work.count(carrier_erasure) == 0
    assert await work.rows(select(message.c.subject_id)) != [(0,)]


async def test_nothing_is_queued_for_carriers_that_cannot(work: Worker) -> None:
    await sent(work)
    await hears_from(work, 1)
    await hears_a_part(work, 1)
    await erased(work, carriers=("another",))
    assert await work.count(carrier_erasure) == 0


async def test_of_a_text_that_the_carrier_cut_every_part_is_asked_for(work: Worker) -> None:
    await work.submit(1)
    claims = await work.claim()
    (item,) = work.progress(claims)
    (part,) = item.parts
    also = ((work.ids.next(), "part-2"), (work.ids.next(), "part-3"))
    more = replace(part, message=claims.messages[0].id, also=also)
    await work.store.write(record_progress, [replace(item, parts=(more,))])
    await erased(work)
    assert [row[1] for row in await work.rows(ALL)] == [part.carrier_id, "part-2", "part-3"]


async def test_a_part_in_doubt_has_no_name_and_one_that_was_refused_no_record(
    work: Worker,
) -> None:
    for state in ("unknown", "rejected"):
        await work.submit(1)
        claims = await work.claim()
        (item,) = work.progress(claims)
        part = replace(item.parts[0], state=state, carrier_id="")
        await work.store.write(record_progress, [replace(item, parts=(part,))])
    await erased(work)
    assert await work.rows(ALL) == [("smsc", "", False, NAMELESS)]
    assert await claimed(work) == []
    assert await told(work) == [("smsc", NAMELESS, "", 1, NOW)]


async def test_an_answer_whose_name_nobody_kept_is_counted(work: Worker) -> None:
    await work.submit(1)
    await work.answer(await work.claim())
    await hears(work, 1)
    await erased(work)
    assert (await work.rows(ALL))[1:] == [("smsc", "", True, NAMELESS)]


async def test_a_part_of_an_answer_that_is_not_whole_goes_too(work: Worker) -> None:
    await sent(work)
    await hears_a_part(work, 1)
    payload = '{"source": "+420601123401", "data": "41", "key": "mo-7"}'
    row = {"carrier": "smsc", "kind": "part", "key": "g", "number": 2, "total": 2}
    await put(work, callback, payload=payload, at=work.now, **row)
    await erased(work)
    assert await work.count(callback) == 0
    assert (await work.rows(ALL))[1:] == [
        ("smsc", "", True, NAMELESS),
        ("smsc", "mo-7", True, ""),
    ]


async def test_p2_a_writers_texts_go_at_their_carriers(work: Worker) -> None:
    out = await sent(work)
    item = order(work, kind="mail", value="eva@acme.example", token="eva", stops=())
    one = await work.store.write(begin_erasures, item)
    assert one.carriers == '["smsc"]'
    await work.store.write(erase_more, Step(one.id, work.now, WHO))
    assert await work.rows(ALL) == [("smsc", out, False, "")]


async def test_a_carrier_is_asked_a_minute_after_the_erasure_and_by_one_process(
    database: Database,
) -> None:
    one, two = await database.two()
    out = await sent(one)
    await erased(one)
    assert await claimed(one, after=FIRST - 1) == []
    assert [tuple(r) for r in await one.store.read(NEXT_RECORD, carrier="smsc")] == [(NOW + FIRST,)]
    (mine,) = await claimed(one)
    assert (mine.carrier_id, mine.inbound, mine.tries, mine.begun_at) == (out, False, 0, NOW)
    assert await claimed(two) == []
    await one.store.write(finish_records, RecordDone(mine.id, NOW, due_at=NOW + 300, reason="busy"))
    assert await claimed(two, after=299) == []
    (theirs,) = await claimed(two, after=300)
    assert theirs == replace(mine, tries=1)
    assert await told(one) == [("smsc", "", "busy", 1, None)]
    await two.store.write(finish_records, RecordDone(theirs.id, NOW + 301, "erased"))
    assert await told(one) == [("smsc", "erased", "", 1, NOW + 301)]
    assert await one.rows(ALL) == [("smsc", "", False, "erased")]


async def test_p13_what_a_killed_process_asked_for_is_asked_for_again(database: Database) -> None:
    dead = await database.worker("work-1")
    await sent(dead)
    await erased(dead)
    (held,) = await claimed(dead)
    assert await claimed(dead) == []
    next_start = await database.worker("work-1")
    assert [each.id for each in await claimed(next_start)] == [held.id]
    # Who is taken for dead gets nothing: nobody would free it.
    await next_start.store.write(finish_records, RecordDone(held.id, NOW, due_at=NOW))
    assert await claimed(dead) == []


async def test_a_claim_whose_commit_was_in_doubt_is_given_back(work: Worker) -> None:
    for _ in range(2):
        await sent(work)
    await erased(work)
    first, second = await claimed(work)
    mine = GiveBackRecords("smsc", work.me, frozenset({first.id}))
    assert await work.store.write(give_back_records, mine) == 1
    assert [each.id for each in await claimed(work)] == [second.id]


async def test_p68_who_is_not_asked_any_more_keeps_it_and_no_id_stays(work: Worker) -> None:
    for _ in range(2):
        await sent(work)
    await erased(work)
    assert [tuple(row) for row in await work.store.read(WAITED_FOR)] == [WHO]
    (held,) = await claimed(work, most=1)
    gone = Abandon("smsc", "it is not configured any more", work.now + 5)
    assert await work.store.write(abandon_records, gone) == 2
    # What a process was asking just then changes nothing any more.
    await work.store.write(finish_records, RecordDone(held.id, work.now + 9, "erased"))
    await work.store.write(finish_records, RecordDone(held.id, work.now + 9, due_at=work.now))
    assert await told(work) == [("smsc", "refused", gone.reason, 2, NOW + 5)]
    assert {row[1] for row in await work.rows(ALL)} == {""}
    assert await work.store.read(WAITED_FOR) == []


async def test_p68_what_is_given_up_is_what_has_waited_long_and_nobody_asks_for(
    work: Worker,
) -> None:
    for person in (1, 1, 2):
        await sent(work, person)
    await erased(work)
    (held,) = await claimed(work, most=1)
    await erased(work, 2)
    reason = "it lets nobody erase"
    early = GiveUpRecords("smsc", reason, NOW, NOW + 9)
    assert await work.store.write(give_up_records, early) == 0
    assert await work.store.write(give_up_records, replace(early, carrier="another")) == 0
    assert await work.store.write(give_up_records, replace(early, before=NOW + 1)) == 2
    assert [(row[1] != "", row[3]) for row in await work.rows(ALL)] == [
        (True, ""),
        (False, GIVEN_UP),
        (False, GIVEN_UP),
    ]
    await work.store.write(finish_records, RecordDone(held.id, NOW + 9, "erased"))
    assert await told(work) == [
        ("smsc", "erased", "", 1, NOW + 9),
        ("smsc", GIVEN_UP, reason, 2, NOW + 9),
    ]


async def test_they_go_with_their_request_and_an_answers_names_with_the_answer(
    work: Worker,
) -> None:
    await sent(work)
    number = await hears_from(work, 1, "mo-1")

    def gone(items: list[int]) -> Script:
        yield from delete_replies(items)
        return [None] * len(items)

    await work.store.write(gone, number)
    assert await work.count(reply) == await work.count(reply_part) == 0
    await erased(work)
    assert await work.count(carrier_erasure) == 1

    def over(items: list[int]) -> Script:
        yield from _delete_requests(items)
        return [None] * len(items)

    await work.store.write(over, 7)
    assert await work.count(carrier_erasure) == await work.count(erasure) == 0


async def test_p6_the_traffic_record_stays_as_it_was(work: Worker) -> None:
    out = await sent(work)
    await erased(work)
    (mine,) = await claimed(work)
    await work.store.write(finish_records, RecordDone(mine.id, work.now, GIVEN_UP, "busy"))
    assert await work.rows(select(attempt.c.carrier_id)) == [(out,)]
    assert await work.rows(ALL) == [("smsc", "", False, GIVEN_UP)]


@several_writers
async def test_p68_a_receipt_waits_for_who_is_just_queueing(database: Database) -> None:
    """Neither sees what the other has not committed: the receipt's erasures are locked first."""
    work = await database.worker("work-1")
    number = await erased(work)
    other = await asyncpg.connect(database.url)
    watcher = await asyncpg.connect(database.url)
    try:
        async with other.transaction():
            await other.execute("SELECT 1 FROM erasure WHERE id = $1 FOR UPDATE", number)
            await other.execute(_LATE, number, NOW)
            putting = work.store.put(put_proofs, Proof(7, "{}", NOW, [], []))
            await until(lambda: waits_or_done(watcher, putting))
        await putting
    finally:
        await other.close()
        await watcher.close()
    assert await work.rows(select(receipt.c.is_last)) == [(False,)]


async def waits_or_done(watcher: Any, putting: asyncio.Future[Any]) -> bool:
    return putting.done() or bool(await watcher.fetch(_WAITS))


_LATE = (
    "INSERT INTO carrier_erasure (erasure_id, carrier, carrier_id, due_at)"
    " VALUES ($1, 'smsc', 'mo-9', $2)"
)
_WAITS = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def test_a_part_that_waits_for_others_keeps_its_name() -> None:
    from bridge.store.mo_parts import PartIn, part_row, read_part

    part = Inbound("+420601123401", "+420601000000", b"A", "utf-8", total=2, key="mo-1")
    row = part_row(PartIn("smsc", part, part.source, part.destination, "", "CZ", "h", "g", NOW))
    assert read_part(row["payload"]) == part
    # One that an earlier version stored has none.
    assert read_part(row["payload"].replace(', "key": "mo-1"', "")).key == ""
