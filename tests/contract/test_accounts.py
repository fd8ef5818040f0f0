"""Credit over both databases: what is reserved, booked and given back, and that the books are right."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select, update

from bridge.model import State
from bridge.money import MICRO
from bridge.store.account_tables import account, charge, entry, transfer
from bridge.store.accounts import GRACE, Charge, Close, Closed, Posting, close_charges, post
from bridge.store.books import BALANCES, verified
from bridge.store.chat_log import TakeBack, take_back
from bridge.store.drafts import send_from_chats
from bridge.store.payments import Import, PaymentIn, import_payments
from bridge.store.purges import delete_messages
from bridge.store.reroutes import Reroute, reroute
from bridge.store.sql import Do, Script, Statement
from bridge.store.submissions import Stored, store_submissions
from bridge.store.tables import message, seen, subject
from tests.bridges import until
from tests.stores import NOW, Database, Worker

CROWN = Charge(MICRO, "CZK", 0)
MAIL = {"origin_kind": "mail", "origin_address": "eva@acme.example"}

#: SQLite has one writer.
several_writers = pytest.mark.parametrize(
    "url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


async def pay(work: Worker, amount: int, *, key: str = "", kind: str = "payment") -> bool:
    item = Posting(work.ids.next(), 1, kind, "CZK", amount * MICRO, "eva", work.now, key)
    booked: bool = await work.store.write(post, item)
    return booked


async def send(work: Worker, person: int = 0, due: Charge = CROWN, **more: Any) -> Stored:
    return await work.submit(person, charge=due, **more)


async def close(work: Worker) -> int:
    """Book all that has ended; how many. The books are right afterwards."""
    count, after = 0, 0
    while True:
        done: Closed = await work.store.write(close_charges, Close(after, work.now, work.ids.next))
        count += done.count
        if done.after is None:
            break
        after = done.after
    await right(work)
    return count


async def right(work: Worker) -> None:
    found = await verified(work.store)
    assert found.faults == ()


async def balances(work: Worker) -> dict[str, float]:
    """What is not zero, in whole units."""
    return {r[2]: r[3] / MICRO for r in await work.store.read(BALANCES) if r[3]}


async def test_what_a_message_costs_is_reserved_with_it_and_booked_when_it_was_taken(
    work: Worker,
) -> None:
    await pay(work, 10)
    await send(work, parts=3)
    await right(work)
    assert await balances(work) == {"credit": 7, "reserved": 3, "paid": -10}
    assert await close(work) == 0
    await work.answer(await work.claim())
    assert await close(work) == 1
    assert await close(work) == 0
    assert await balances(work) == {"credit": 7, "revenue": 3, "paid": -10}
    assert await work.rows(select(charge.c.state, charge.c.amount)) == [("booked", 3 * MICRO)]


@pytest.mark.parametrize("state", [State.FAILED, State.EXPIRED, State.SUPPRESSED])
async def test_what_no_carrier_took_is_given_back(work: Worker, state: State) -> None:
    await pay(work, 10)
    await send(work, parts=2)
    await work.answer(await work.claim(), state)
    assert await close(work) == 1
    assert await balances(work) == {"credit": 10, "paid": -10}


async def test_what_was_taken_is_charged_also_when_it_did_not_arrive(work: Worker) -> None:
    await pay(work, 10)
    await send(work)
    claims = await work.claim()
    await work.answer(claims)
    await work.receipt(claims, State.FAILED)
    await close(work)
    assert (await balances(work))["revenue"] == 1


async def test_a_tenant_may_be_charged_for_what_arrives_only(work: Worker) -> None:
    await pay(work, 10)
    due = replace(CROWN, charge_on="delivered")
    await send(work, 1, due)
    first = await work.claim()
    await work.answer(first)
    await send(work, 2, due)
    second = await work.claim()
    await work.answer(second)
    assert await close(work) == 0
    await work.receipt(first, State.DELIVERED)
    await work.receipt(second, State.FAILED)
    assert await close(work) == 2
    assert await balances(work) == {"credit": 9, "revenue": 1, "paid": -10}


async def test_who_is_charged_for_what_arrives_does_not_wait_for_ever(work: Worker) -> None:
    await pay(work, 10)
    await send(work, due=replace(CROWN, charge_on="delivered"))
    await work.answer(await work.claim())
    work.now += 3600 + GRACE - 1
    assert await close(work) == 0
    work.now += 2
    assert await close(work) == 1
    assert await balances(work) == {"credit": 10, "paid": -10}


async def test_what_is_cancelled_costs_nothing(work: Worker) -> None:
    await pay(work, 10)
    stored = await send(work)
    await work.store.write(take_back, TakeBack(stored.id, 1, work.now))
    await close(work)
    assert await balances(work) == {"credit": 10, "paid": -10}


async def test_what_is_in_doubt_stays_reserved(work: Worker) -> None:
    await pay(work, 10)
    await send(work)
    await work.answer(await work.claim(), State.UNKNOWN)
    assert await close(work) == 0
    assert (await balances(work))["reserved"] == 1


async def test_parts_are_counted_anew_where_another_carrier_cuts_otherwise(work: Worker) -> None:
    await pay(work, 10)
    stored = await send(work, parts=2)
    move = Reroute(stored.id, "smsc.bulk", "smsc.bulk", 1, "ucs2", "", 3, work.now)
    await work.store.write(reroute, move)
    await work.answer(await work.claim())
    await close(work)
    assert await balances(work) == {"credit": 7, "revenue": 3, "paid": -10}


async def test_a_message_that_was_purged_meanwhile_is_not_charged(work: Worker) -> None:
    await pay(work, 10)
    stored = await send(work)
    await work.store.write(_gone, stored.id)
    await close(work)
    assert await balances(work) == {"credit": 10, "paid": -10}


def _gone(items: list[int]) -> Script:
    yield from delete_messages(items)
    return [None] * len(items)


async def test_credit_that_does_not_suffice_stores_nothing(work: Worker) -> None:
    await pay(work, 2)
    stored = await send(work, parts=3, dedupe="mail-1")
    assert stored.unpaid
    assert await work.count(message) == await work.count(charge) == await work.count(seen) == 0
    await pay(work, 1)
    again = await send(work, parts=3, dedupe="mail-1")
    assert not again.unpaid
    assert not again.repeat
    assert await balances(work) == {"reserved": 3, "paid": -3}
    await right(work)


async def test_a_repeat_of_what_was_refused_is_refused(work: Worker) -> None:
    items = [work.prepared(charge=CROWN, dedupe="mail-1", **MAIL) for _ in range(2)]
    writes = [work.store.write(store_submissions, item) for item in items]
    assert [s.unpaid for s in await asyncio.gather(*writes)] == [True, True]
    assert await work.count(message) == 0


async def test_a_repeat_costs_once(work: Worker) -> None:
    await pay(work, 10)
    for _ in range(3):
        await send(work, dedupe="mail-1")
    assert (await balances(work))["reserved"] == 1
    await right(work)


async def test_who_opted_out_costs_nothing(work: Worker) -> None:
    await pay(work, 10)
    stored = await send(work, state="cancelled", reason="no-consent")
    assert not stored.unpaid
    await close(work)
    assert await balances(work) == {"credit": 10, "paid": -10}


async def test_of_several_at_once_as_many_are_taken_as_can_be_paid(work: Worker) -> None:
    await pay(work, 5)
    writes = [
        work.store.write(store_submissions, work.prepared(n, charge=CROWN, **MAIL))
        for n in range(9)
    ]
    stored = await asyncio.gather(*writes)
    assert sum(not each.unpaid for each in stored) == 5
    assert await balances(work) == {"reserved": 5, "paid": -5}
    await right(work)


@several_writers
async def test_two_processes_do_not_spend_the_same_credit(database: Database) -> None:
    one, two = await database.two()
    await pay(one, 20)
    writes = [
        each.store.write(store_submissions, each.prepared(n, charge=CROWN, **MAIL))
        for n in range(30)
        for each in (one, two)
    ]
    stored = await asyncio.gather(*writes)
    assert sum(not each.unpaid for each in stored) == 20
    assert await balances(one) == {"reserved": 20, "paid": -20}
    await right(two)


async def test_a_command_to_many_is_paid_for_whole_or_not_at_all(work: Worker) -> None:
    await pay(work, 2)
    number = await work.update()
    assert number is not None
    item = work.command(number, *(work.prepared(n, charge=CROWN) for n in range(3)))
    with pytest.raises(Exception, match="not enough credit"):
        await work.store.write(send_from_chats, item)
    assert await work.count(message) == await work.count(charge) == 0
    await pay(work, 1)
    assert await work.store.write(send_from_chats, item) is not None
    assert await balances(work) == {"reserved": 3, "paid": -3}


async def test_credit_may_go_below_zero_down_to_its_limit(work: Worker) -> None:
    due = replace(CROWN, limit=3 * MICRO)
    assert [(await send(work, n, due)).unpaid for n in range(5)] == [False] * 3 + [True] * 2
    assert (await balances(work))["credit"] == -3
    await right(work)


async def test_who_keeps_no_account_costs_nothing(work: Worker) -> None:
    await work.submit(1)
    await work.answer(await work.claim())
    assert await close(work) == 0
    assert await work.count(charge) == await work.count(transfer) == await work.count(account) == 0


async def test_a_payment_is_booked_once(work: Worker) -> None:
    assert await pay(work, 10, key="payment 1")
    assert not await pay(work, 10, key="payment 1")
    assert await pay(work, 10, key="payment 2")
    both = [
        Posting(work.ids.next(), 1, "gift", "CZK", 1, "eva", work.now, "welcome 1")
        for _ in range(2)
    ]
    found = await asyncio.gather(*(work.store.write(post, item) for item in both))
    assert sorted(found) == [False, True]
    assert (await balances(work))["paid"] == -20
    await right(work)


async def test_money_that_was_corrected_leaves_its_trace(work: Worker) -> None:
    await pay(work, 10)
    await pay(work, -4, kind="correction")
    assert await balances(work) == {"credit": 6, "paid": -10, "corrected": 4}
    assert await work.count(transfer) == 2
    await right(work)


async def test_a_resent_message_is_charged_once(database: Database) -> None:
    first = await database.worker("work-1")
    await pay(first, 10)
    await send(first)
    await first.claim()
    again = await database.worker("work-1")  # the first was killed with the part under way
    await again.answer(await again.claim())
    await close(again)
    assert await balances(again) == {"credit": 9, "revenue": 1, "paid": -10}


async def test_p69_the_books_balance_after_an_erasure_and_name_nobody(work: Worker) -> None:
    await pay(work, 10)
    sent = await send(work, 1, parts=2)
    await work.answer(await work.claim())
    await send(work, 2)
    await close(work)
    # What an erasure does to the record: it leads to nobody any more, then it goes.
    unlink = Statement(update(message).values(subject_id=0, conversation_id=0))
    await work.store.write(_do, unlink)
    await work.store.write(
        take_back,
        TakeBack(
            (await work.rows(select(message.c.id).where(message.c.state == "queued")))[0][0],
            1,
            work.now,
        ),
    )
    await work.store.write(_gone, sent.id)
    await work.store.write(_do, Statement(subject.delete()))
    await close(work)
    assert await balances(work) == {"credit": 8, "revenue": 2, "paid": -10}
    named = {"phone", "phone_index", "all_index", "subject_id", "text"}
    for table in (account, transfer, entry, charge):
        assert not named & set(table.c.keys())


def _do(items: list[Statement]) -> Script:
    for item in items:
        yield Do(item, {})
    return [None] * len(items)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (update(account).where(account.c.kind == "credit").values(balance=1), "accounts whose"),
        (update(entry).where(entry.c.kind == "paid").values(amount=1), "do not sum to nothing"),
        (update(charge).values(reserved=5), "open messages is reserved"),
        (transfer.delete(), "entries without a transfer"),
    ],
)
async def test_books_that_were_tampered_with_are_found_out(
    work: Worker, spoil: Any, said: str
) -> None:
    await pay(work, 10)
    await send(work)
    await right(work)
    await work.store.write(_do, Statement(spoil))
    assert said in " ".join((await verified(work.store)).faults)


async def test_a_settlement_that_was_tampered_with_is_found_out(work: Worker) -> None:
    await pay(work, 10)
    await send(work)
    await work.answer(await work.claim())
    await close(work)
    await work.store.write(_do, Statement(update(charge).values(amount=5)))
    assert "settlements" in " ".join((await verified(work.store)).faults)


async def test_a_backlog_does_not_hide_what_has_ended(work: Worker) -> None:
    await pay(work, 2000)
    waiting = {"lane": "other.bulk", "charge": CROWN, **MAIL}
    items = [work.prepared(n % 50, **waiting) for n in range(1200)]
    await asyncio.gather(*(work.store.write(store_submissions, item) for item in items))
    await send(work, 60)
    await work.answer(await work.claim())
    assert await close(work) == 1
    assert (await balances(work))["reserved"] == 1200


async def test_of_several_that_share_an_answer_the_unpaid_are_kept_as_cancelled(
    work: Worker,
) -> None:
    await pay(work, 1)
    first = await send(work, 1, shares_answer=True, dedupe="mail-1")
    second = await send(work, 2, shares_answer=True, dedupe="mail-2")
    assert (first.state, second.state) == (State.QUEUED, State.CANCELLED)
    assert not second.unpaid
    assert await work.rows(select(message.c.state, message.c.reason).order_by(message.c.id)) == [
        ("queued", ""),
        ("cancelled", "no-credit"),
    ]
    await pay(work, 1)
    again = await send(work, 2, shares_answer=True, dedupe="mail-2")
    assert again.state is State.QUEUED
    assert await close(work) == 0
    assert await balances(work) == {"reserved": 2, "paid": -2}


@several_writers
async def test_a_banks_file_takes_no_lock_out_of_turn(database: Database) -> None:
    """Accounts are locked in one order, whatever the file's: nobody waits in a circle."""
    work, _ = await database.two()
    for tenant in (1, 2):
        await work.store.write(post, Posting(work.ids.next(), tenant, "gift", "CZK", 1, "eva", NOW))
    lines = tuple(PaymentIn(str(n), "2026-11-03", 1, "CZK", "", "", n) for n in (2, 1))
    other = await asyncpg.connect(database.url)
    watcher = await asyncpg.connect(database.url)
    try:
        async with other.transaction():
            await other.execute(f"{_LOCKED} AND tenant_id = 1 FOR UPDATE")
            item = Import(lines, "eva", NOW, work.ids.next)
            importing = asyncio.ensure_future(work.store.write(import_payments, item))
            await until(lambda: watcher.fetch(_WAITS))
            await other.execute(f"{_LOCKED} AND tenant_id = 2 FOR UPDATE NOWAIT")
        assert (await importing).booked == 2
        await right(work)
    finally:
        await other.close()
        await watcher.close()


_LOCKED = "SELECT 1 FROM account WHERE kind = 'credit'"
_WAITS = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
