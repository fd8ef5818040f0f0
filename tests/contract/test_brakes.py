"""What the brakes count, over both databases, shared by processes and kept over a kill."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from bridge.errors import Refused
from bridge.model import State
from bridge.store.abuse import CASES, case_of
from bridge.store.announcements import KIND, words_of
from bridge.store.audit_tables import audit
from bridge.store.brake_tables import brake, brake_count, brake_number, fold
from bridge.store.brakes import SPENT, STOPPED, TOO_FAST, Cap, Meter, tidy_brakes
from bridge.store.braking import Decide, Halt, Resume, decide, halt, resume
from bridge.store.folding import OVER, FoldOver, close_folds
from bridge.store.sql import is_alone
from bridge.store.submissions import Stored, store_submissions
from bridge.store.tables import message
from tests.stores import NOW, Database, Worker

OWNER = "owner@acme.example"
SPAN = 600.0


@pytest.fixture
def tenant_settings() -> dict[str, Any]:
    return {"inbox": [OWNER]}


def meter(number: int, *, sender: str = "thief", most: int = 5, **more: Any) -> Meter:
    """A number of one range, in a window."""
    base = Meter(sender, sender, (), "range", f"n{number}", most, SPAN)
    return replace(base, review_due=NOW + 86400, **more)


def cap(limit: int, **more: Any) -> Cap:
    """Parts of the tenant in one hour."""
    return replace(Cap("t1 hour", 3600, NOW + 3600, limit, "hour"), **more)


def capped(*caps: Cap) -> Meter:
    return Meter("eva", "eva@acme.example", caps)


async def send(work: Worker, number: int, by: Meter | None, **more: Any) -> Stored:
    return await work.submit(number, meter=by, **more)


async def told(work: Worker) -> list[str]:
    """What the tenant and the operator are told, oldest first."""
    found = await work.notices("mail", most=100)
    return [words.subject for n in found if n.kind == KIND and (words := words_of(n.payload))]


async def test_numbers_of_a_range_are_counted_and_more_are_refused(work: Worker) -> None:
    kept = [await send(work, n, meter(n)) for n in range(8)]
    assert [s.refusal.rule if s.refusal else "" for s in kept] == [
        *[""] * 5,
        TOO_FAST,
        STOPPED,
        STOPPED,
    ]
    assert [s.refusal.is_news for s in kept if s.refusal] == [True, False, False]
    assert await work.count(message) == 5


async def test_all_at_once_no_more_than_the_velocity_is_stored(database: Database) -> None:
    processes = await database.two()
    items = [(p, n) for n in range(60) for p in processes]
    kept = await asyncio.gather(
        *(send(p, n % 100, meter(n * 2 + (p is processes[0]))) for p, n in items)
    )
    assert sum(s.refusal is None for s in kept) == 5
    assert await processes[0].count(message) == 5
    assert sum(bool(s.refusal and s.refusal.is_news) for s in kept) == 1
    assert len(await processes[0].rows(select(brake.c.id).where(brake.c.kind == "range"))) == 1


async def test_one_person_who_is_written_to_again_and_again_is_one_number(work: Worker) -> None:
    for _ in range(20):
        assert (await send(work, 1, meter(1))).refusal is None


async def test_the_window_slides(work: Worker) -> None:
    for n in range(5):
        await send(work, n, meter(n), now=NOW + n)
    late = NOW + SPAN + 2
    assert (await send(work, 6, meter(6), now=late)).refusal is None
    assert (await send(work, 7, meter(7), now=late)).refusal is None
    again = await send(work, 8, meter(8), now=NOW + SPAN + 2)
    assert again.refusal is None
    over = await send(work, 9, meter(9), now=NOW + SPAN + 2)
    assert over.refusal is not None


async def test_p32_a_stop_is_a_case_and_the_owner_is_told_once(work: Worker) -> None:
    for n in range(9):
        await send(work, n, meter(n, places=(("mail", "root@sms.example"),)))
    assert sorted(await told(work)) == [
        "A case of abuse was opened",
        "Sending to a range of numbers was stopped",
    ]
    (case,) = [case_of(row) for row in await work.store.read(CASES)]
    assert (case.kind, case.source, case.review_due) == ("block", TOO_FAST, NOW + 86400)


async def test_the_one_sender_whose_doing_it_is_may_send_nothing_more(work: Worker) -> None:
    for n in range(6):
        await send(work, n, meter(n))
    elsewhere = replace(meter(50), range="other range")
    refused = await send(work, 50, elsewhere)
    assert refused.refusal is not None
    assert (refused.refusal.rule, refused.refusal.kind) == (STOPPED, "sender")
    honest = replace(elsewhere, sender="eva")
    assert (await send(work, 51, honest)).refusal is None


async def test_where_several_senders_wrote_only_the_range_is_stopped(work: Worker) -> None:
    for n in range(6):
        await send(work, n, meter(n, sender=f"sender-{n % 2}"))
    assert [r[0] for r in await work.rows(select(brake.c.kind))] == ["range"]


@pytest.mark.parametrize("lift", [True, False])
async def test_p32_a_person_lifts_or_confirms_and_the_case_is_reviewed(
    work: Worker, lift: bool
) -> None:
    for n in range(6):
        await send(work, n, meter(n))
    (number,) = (await work.rows(select(brake.c.id).where(brake.c.kind == "range")))[0]
    await work.store.write(decide, Decide(number, lift, "it was a drill", "eva", NOW + 60))
    after = await send(work, 7, meter(7))
    assert (after.refusal is None) is lift
    (case,) = [case_of(row) for row in await work.store.read(CASES)]
    assert (case.reviewer, case.reviewed_at) == ("eva", NOW + 60)
    assert ("lifted" if lift else "confirmed") in case.outcome
    actions = [r[0] for r in await work.rows(select(audit.c.action).order_by(audit.c.seq))]
    assert ("brake lift" if lift else "brake confirm") in actions


async def test_another_tenants_stop_is_nobody_elses_to_lift(work: Worker) -> None:
    for n in range(6):
        await send(work, n, meter(n))
    with pytest.raises(Refused, match="nothing that a rule stopped"):
        await work.store.write(decide, Decide(1, True, "mine", "mallory", NOW, 2))


# -- caps


async def counted(work: Worker) -> dict[str, int]:
    """What counts: not of which stages somebody was told."""
    wanted = select(brake_count.c.key, brake_count.c["count"]).where(brake_count.c["count"] > 0)
    return dict(await work.rows(wanted))


async def test_a_cap_counts_parts_and_what_is_over_is_refused_whole(work: Worker) -> None:
    by = capped(cap(10))
    kept = [await send(work, n, by, parts=3) for n in range(4)]
    assert [s.refusal.rule if s.refusal else "" for s in kept] == ["", "", "", SPENT]
    assert (await send(work, 9, by, parts=1)).refusal is None
    assert await counted(work) == {"t1 hour": 10}


async def test_two_processes_share_a_cap(database: Database) -> None:
    both = await database.two()
    kept = await asyncio.gather(*(send(p, n, capped(cap(30))) for n in range(40) for p in both))
    assert sum(s.refusal is None for s in kept) == 30
    assert await counted(both[0]) == {"t1 hour": 30}


async def test_each_stage_is_told_once(work: Worker) -> None:
    for n in range(14):
        await send(work, n % 5, capped(cap(10)))
    stages = [subject.split(" ")[0] for subject in await told(work)]
    assert stages == ["50", "80", "90", "100"]


async def test_a_raised_cap_has_stages_of_its_own(database: Database) -> None:
    """Also while one process has not heard of it yet: each is told once."""
    old, new = await database.two()
    for n in range(10):
        await send(old, n, capped(cap(10)))
    for n in range(10, 20):
        await send(new, n, capped(cap(20)))
        await send(old, n, capped(cap(10)))
    stages = [words.split(" %")[0] for words in await told(new)]
    assert sorted(map(int, stages)) == [50, 50, 80, 80, 90, 90, 100, 100]


async def test_a_sender_has_a_cap_of_its_own(work: Worker) -> None:
    caps = (cap(100), cap(2, key="eva hour", whose="eva@acme.example"))
    kept = [await send(work, n, capped(*caps)) for n in range(3)]
    assert kept[2].refusal is not None
    assert kept[2].refusal.cap is not None
    assert kept[2].refusal.cap.whose == "eva@acme.example"
    assert await counted(work) == {"t1 hour": 2, "eva hour": 2}


async def test_money_is_counted_by_the_parts_price(work: Worker) -> None:
    money = cap(10_000_000_000, key="t1 day CZK", each=2_500_000_000, currency="CZK", period="day")
    kept = [await send(work, n, capped(money), parts=2) for n in range(3)]
    assert [s.refusal is None for s in kept] == [True, True, False]
    assert list((await counted(work)).values()) == [10_000_000_000]
    subjects = await told(work)
    assert subjects == [
        "50 % of the money (CZK) of this day",
        "100 % of the money (CZK) of this day",
    ]


async def test_what_was_refused_may_come_again(work: Worker) -> None:
    first = await send(work, 1, capped(cap(1)), dedupe="k0")
    assert first.refusal is None
    refused = await send(work, 2, capped(cap(1)), dedupe="k1")
    assert refused.refusal is not None
    again = await send(work, 2, capped(cap(1, slot=7200, until=NOW + 7200)), dedupe="k1")
    assert again.refusal is None
    assert not again.repeat


async def test_a_chats_command_sees_what_was_refused(work: Worker) -> None:
    by = replace(capped(cap(1)), keeps=True)
    kept = [await send(work, n, by) for n in range(2)]
    assert [s.state for s in kept] == [State.QUEUED, State.CANCELLED]
    assert await work.rows(select(message.c.reason).where(message.c.state == "cancelled")) == [
        (SPENT,)
    ]


async def test_counts_go_when_their_time_is_over(work: Worker) -> None:
    await send(work, 1, meter(1))
    await send(work, 2, capped(cap(5)))
    await work.store.write(tidy_brakes, NOW + 7200)
    assert [await work.count(t) for t in (brake_count, brake_number)] == [0, 0]


# -- halts


async def test_nothing_leaves_while_it_is_halted_and_all_of_it_after(work: Worker) -> None:
    await work.submit(1)
    assert await work.store.write(halt, Halt(0, "too many bounces", "eva", NOW))
    assert not await work.store.write(halt, Halt(0, "again", "eva", NOW))
    claims = await work.claim()
    assert (claims.messages, claims.halted) == ([], True)
    await work.submit(2)
    assert await work.store.write(resume, Resume(0, "eva", NOW))
    assert len((await work.claim()).messages) == 2
    actions = [r[0] for r in await work.rows(select(audit.c.action).order_by(audit.c.seq))]
    assert actions == ["stop-sending", "resume"]


async def test_one_tenants_halt_is_no_others(work: Worker) -> None:
    await work.store.write(halt, Halt(1, "a drill", "eva", NOW))
    await work.submit(1)
    other = await work.submit(2, tenant_id=2)
    claims = await work.claim()
    assert [m.id for m in claims.messages] == [other.id]
    assert claims.halted
    assert await told(work) == ["Sending was stopped"]


async def test_a_message_is_not_claimed_at_birth_while_it_is_halted(work: Worker) -> None:
    await work.store.write(halt, Halt(1, "a drill", "eva", NOW))
    born = {"lease": work.me, "carrier": "smsc", "attempts": {1: 77}}
    assert (await work.submit(1, **born)).state is State.QUEUED
    assert (await work.submit(2, tenant_id=2, **born)).state is State.SENDING


# -- folding


async def fold_over(work: Worker) -> list[int]:
    """What is over: how many more alerts each window had."""
    found = []
    for row in await work.store.read(OVER, now=NOW + 61):

        def tell(more: int) -> Any:
            yield from ()
            return more

        found.append(await work.store.write(close_folds, FoldOver(row[0], tell)))
    return [more for more in found if more is not None]


async def test_the_same_alert_again_is_counted_and_stays_in_the_log(database: Database) -> None:
    first, second = await database.two()
    same: dict[str, Any] = {"fold": ("disk full", 60.0)}
    kept = await asyncio.gather(*(p.submit(1, **same) for _ in range(21) for p in (first, second)))
    assert sum(s.state is State.QUEUED for s in kept) == 1
    assert sum(s.folded for s in kept) == 41
    assert await first.count(message) == 42
    assert await first.rows(select(message.c.state, message.c.reason).distinct()) != []
    assert await first.notices("mail") == []
    assert await fold_over(first) == [41]
    assert await fold_over(second) == []
    assert (await first.submit(1, **same)).state is State.QUEUED


def test_whatever_may_lock_credit_after_other_rows_shares_no_transaction() -> None:
    assert is_alone(close_folds)


async def test_one_alert_alone_is_not_told_of_twice(work: Worker) -> None:
    await work.submit(1, fold=("disk full", 60.0))
    assert await fold_over(work) == []
    assert await work.count(fold) == 0


async def test_what_is_folded_is_not_counted_but_a_refused_one_folds_nothing(
    work: Worker,
) -> None:
    same: dict[str, Any] = {"fold": ("disk full", 60.0), "meter": capped(cap(2))}
    assert (await work.submit(1, **same)).refusal is None
    assert [(await work.submit(1, **same)).folded for _ in range(5)] == [True] * 5
    assert (await work.submit(2, meter=capped(cap(2)))).refusal is None
    other: dict[str, Any] = {"fold": ("disk slow", 60.0), "meter": capped(cap(2))}
    futures = [
        work.store.put(store_submissions, work.prepared(3, **other, id=work.ids.next()))
        for _ in range(3)
    ]
    kept = await asyncio.gather(*futures)
    assert [bool(s.refusal) for s in kept] == [True] * 3
    assert [r[0] for r in await work.rows(select(fold.c.key))] == ["disk full"]
