"""Over both databases: cards follow every move of their messages, notices keep their order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import select

from bridge.model import Inbound, State
from bridge.store.cards import (
    GATHER,
    NEXT_CARD,
    Card,
    CardDone,
    GiveBackCards,
    finish_cards,
    give_back_cards,
    touch_cards,
)
from bridge.store.chat_log import ONE, TakeBack, take_back
from bridge.store.chat_tables import card, thread
from bridge.store.drafts import ChatSend
from bridge.store.held import Decide, decide
from bridge.store.leases import release_silent
from bridge.store.mo_parts import PartIn
from bridge.store.notices import (
    NEXT_NOTICE,
    NOTICE_ADD,
    GiveBackNotices,
    NoticeDone,
    finish_notices,
    give_back_notices,
    notice_row,
)
from bridge.store.replies import Heard, Judged, Known, Means, ReplyScript
from bridge.store.sql import Many, Script
from bridge.store.suppressions import Suppress, suppress_all
from bridge.store.sweeps import sweep
from bridge.store.tables import notice
from bridge.store.tenants import TenantIn, put_tenants
from tests.consents import VOUCHED
from tests.stores import EDGE, NOW, OURS, PLACE, Database, Worker

ANNA, BERIT = 41, 42
INBOX = ["desk@acme.example", "telegram:-1001", "slack:C0123"]


@pytest.fixture
def tenant_settings() -> dict[str, Any]:
    return {"reports": "all", "inbox": INBOX}


# Cards


def _moved(items: Sequence[Sequence[int]]) -> Script:
    """Messages have moved, at the beginning of time."""
    for item in items:
        yield from touch_cards(item, NOW)
    return [None] * len(items)


async def finish(work: Worker, shown: Card, post: str = "77") -> None:
    done = CardDone(shown.id, work.now, post, shown.wanted)
    await work.store.write(finish_cards, done)


async def show_all(work: Worker) -> None:
    """Post and edit whatever is due, as a board does."""
    while found := await work.cards():
        for each in found:
            await finish(work, each)


async def stands(work: Worker, **more: Any) -> tuple[ChatSend, int]:
    """A message whose card shows all there is to see."""
    sent = await work.send(work.prepared(1, **more))
    await show_all(work)
    assert await work.cards() == []
    return sent, sent.prepared[0].id


async def test_any_number_of_moves_is_one_edit(work: Worker) -> None:
    _, number = await stands(work)
    await asyncio.gather(*(work.store.write(_moved, [number]) for _ in range(5)))
    work.now += GATHER
    (first,) = await work.cards()
    await asyncio.gather(*(work.store.write(_moved, [number]) for _ in range(5)))
    assert await work.cards() == []
    await finish(work, first)
    (second,) = await work.cards()
    assert (second.post, second.wanted) == ("77", 11)
    await finish(work, second)
    work.now += 60
    assert await work.cards() == []


async def test_moves_neither_put_an_edit_off_nor_cut_a_pause_short(work: Worker) -> None:
    _, number = await stands(work)

    async def due() -> float:
        moment: float = (await work.store.read(NEXT_CARD, edge=EDGE))[0][0]
        return moment

    await work.store.write(_moved, [number])
    first = await due()
    assert first == NOW + GATHER
    work.now += GATHER
    await work.store.write(_moved, [number])
    assert await due() == first
    (shown,) = await work.cards()
    await work.store.write(finish_cards, CardDone(shown.id, work.now, due_at=NOW + 60))
    await work.store.write(_moved, [number])
    assert await due() == NOW + 60
    assert await work.cards() == []
    work.now = NOW + 60
    assert [c.tries for c in await work.cards()] == [1]


async def test_two_processes_never_show_the_same_card(database: Database) -> None:
    here, there = await database.two()
    for number in range(30):
        await here.send(here.prepared(number))
    found = await asyncio.gather(*(w.cards(most=4) for _ in range(5) for w in (here, there)))
    ids = [c.id for each in found for c in each]
    assert len(ids) == len(set(ids)) == 30


async def test_two_processes_count_every_move(database: Database) -> None:
    here, there = await database.two()
    first, second = [await here.send(*(here.prepared(n) for n in range(5))) for _ in range(2)]
    numbers = [p.id for item in (first, second) for p in item.prepared]
    ways = ((here, numbers), (there, numbers[::-1]))
    await asyncio.gather(*(w.store.write(_moved, order) for _ in range(20) for w, order in ways))
    assert await here.rows(select(card.c.wanted)) == [(41,)] * 2


async def test_what_a_dead_process_was_posting_is_in_doubt_and_an_edit_is_not(
    database: Database,
) -> None:
    here, there = await database.two()
    _, number = await stands(here)
    await here.store.write(_moved, [number])
    await here.send(here.prepared(2))
    here.now = there.now = NOW + GATHER
    assert [c.post for c in await here.cards()] == ["", "77"]
    assert await there.cards() == []
    heir = await database.worker("work-1")
    heir.now = there.now
    again = await heir.cards()
    assert [(c.post, c.doubtful) for c in again] == [("", True), ("77", False)]
    await there.store.write(release_silent, (there.me, NOW + 60))
    again = await there.cards()
    assert [(c.post, c.doubtful, c.tries) for c in again] == [("", True, 2), ("77", False, 2)]
    for each in again:
        await finish(there, each)
    # What may stand there twice says so for good.
    found = await there.rows(select(card.c.doubtful, card.c.tries))
    assert sorted((bool(row[0]), row[1]) for row in found) == [(False, 0), (True, 0)]


async def test_who_was_taken_for_dead_shows_and_tells_nothing(database: Database) -> None:
    """Nobody would free it: the process is forgotten already."""
    here, there = await database.two()
    await there.store.write(release_silent, (there.me, NOW + 60))
    await here.send(here.prepared(1))
    await here.store.write(_owe, owed(ANNA))
    assert await here.cards() == await here.notices() == []
    assert len(await there.cards()) == len(await there.notices()) == 1


async def test_a_claim_of_cards_whose_commit_was_in_doubt_is_given_back(work: Worker) -> None:
    first, second = [await work.send(work.prepared(n)) for n in range(2)]
    await work.cards()
    for edge, count in (("slack", 0), (EDGE, 1)):
        back = GiveBackCards(edge, work.me, frozenset({second.card.id}))
        assert await work.store.write(give_back_cards, back) == count
    assert [(c.id, c.doubtful) for c in await work.cards()] == [(first.card.id, False)]


async def test_a_card_whose_post_was_never_answered_is_in_doubt(work: Worker) -> None:
    await work.send(work.prepared(1))
    (lost,) = await work.cards()
    await work.store.write(finish_cards, CardDone(lost.id, NOW, due_at=NOW, doubtful=True))
    (again,) = await work.cards()
    assert again.doubtful
    await work.store.write(finish_cards, CardDone(again.id, NOW, "77", again.wanted))
    await work.store.write(finish_cards, CardDone(again.id, NOW, due_at=NOW, doubtful=True))
    assert [bool(row[0]) for row in await work.rows(select(card.c.doubtful))] == [True]


async def test_a_card_is_the_root_of_all_its_people(work: Worker) -> None:
    sent = await work.send(*(work.prepared(n) for n in range(3)))
    await work.send(work.prepared(3))
    (shown, _) = await work.cards()
    assert shown.id == sent.card.id
    done = CardDone(shown.id, NOW, "77", shown.wanted, rooted=True)
    await work.store.write(finish_cards, done)
    roots = await work.rows(select(thread.c.root).order_by(thread.c.id))
    assert roots == [("77",)] * 3 + [("",)]


async def sent(work: Worker, state: State = State.SENT) -> Any:
    claims = await work.claim()
    await work.answer(claims, state)
    return claims


async def delivered(work: Worker, _number: int) -> None:
    claims = await sent(work)
    await show_all(work)
    await work.receipt(claims, State.DELIVERED)


async def undelivered(work: Worker, _number: int) -> None:
    claims = await sent(work)
    await show_all(work)
    await work.receipt(claims, State.FAILED)


async def taken_back(work: Worker, number: int) -> None:
    assert await work.store.write(take_back, TakeBack(number, 1, NOW)) == "queued"
    assert await work.store.write(take_back, TakeBack(number, 1, NOW)) == "cancelled"
    assert await work.store.write(take_back, TakeBack(number, 2, NOW)) == ""


async def decided(work: Worker, number: int, *, release: bool) -> None:
    await work.store.write(decide, Decide(number, release, 3600.0, NOW, "eva"))


WAYS: dict[str, tuple[Callable[[Worker, int], Awaitable[Any]], str, dict[str, Any]]] = {
    "sent": (lambda w, _: sent(w), "sent", {}),
    "refused": (lambda w, _: sent(w, State.FAILED), "failed", {}),
    "delivered": (delivered, "delivered", {}),
    "not delivered": (undelivered, "failed", {}),
    "its time ran out": (lambda w, _: w.store.write(sweep, NOW), "expired", {"expires_at": NOW}),
    "late at the claim": (lambda w, _: w.claim(), "expired", {"expires_at": NOW}),
    "stopped": (
        lambda w, _: w.store.write(suppress_all, Suppress(1, "person-1", "tenant", "handset", NOW)),
        "suppressed",
        {},
    ),
    "taken back": (taken_back, "cancelled", {}),
    "released": (lambda w, n: decided(w, n, release=True), "queued", {"state": "held"}),
    "dropped": (lambda w, n: decided(w, n, release=False), "cancelled", {"state": "held"}),
}


@pytest.mark.parametrize("way", WAYS)
async def test_every_move_of_a_message_is_told_on_its_card(work: Worker, way: str) -> None:
    move, state, more = WAYS[way]
    found, number = await stands(work, **more)
    await work.submit(2)  # of somebody who wrote a mail
    await move(work, number)
    work.now += GATHER
    assert [c.id for c in await work.cards()] == [found.card.id]
    rows = await work.store.read(ONE, tenant=1, id=number)
    assert rows[0][1] == state


async def test_what_came_into_doubt_is_told_on_its_card(database: Database) -> None:
    here = await database.worker("work-1")
    found, _ = await stands(here, klass="marketing", permit=VOUCHED)
    await here.claim()
    heir = await database.worker("work-1")
    heir.now += GATHER
    assert [c.id for c in await heir.cards()] == [found.card.id]


# Notices


def _owe(items: Sequence[dict[str, Any]]) -> Script:
    """Owe notices."""
    yield Many(NOTICE_ADD, items)
    return [None] * len(items)


def owed(subject: int | None, edge: str = EDGE, place: str = PLACE) -> dict[str, Any]:
    return notice_row(1, edge, "inbox", NOW, place=place, subject_id=subject)


async def told(work: Worker, number: int, due_at: float = 0.0) -> None:
    state = "due" if due_at else "sent"
    await work.store.write(finish_notices, NoticeDone(number, state, work.now, due_at))


async def test_news_of_one_person_keep_their_order_over_retries(database: Database) -> None:
    here, there = await database.two()
    for _ in range(3):
        await here.store.write(_owe, owed(ANNA))
    both = (here, there)
    order: list[int] = []
    for later in (True, False, True, False, False):
        found = await asyncio.gather(*(w.notices() for w in both for _ in range(2)))
        ((one,),) = [each for each in found if each]
        order.append(one.id)
        assert await here.store.read(NEXT_NOTICE, edge=EDGE) == []
        await told(here, one.id, here.now + 10 if later else 0.0)
        if later:
            due = await here.store.read(NEXT_NOTICE, edge=EDGE)
            assert [row[0] for row in due] == [here.now + 10]
            assert await here.notices() == await there.notices() == []
            here.now = there.now = here.now + 10
    assert order == [1, 1, 2, 2, 3]
    assert await here.notices() == []


async def test_others_are_not_held_back(work: Worker) -> None:
    await work.store.write(_owe, owed(ANNA))
    (first,) = await work.notices()
    await told(work, first.id, NOW + 60)
    rows = [
        owed(ANNA),
        owed(BERIT),
        owed(ANNA, place="-1002"),
        owed(ANNA, edge="slack"),
        owed(None, edge="mail"),
        owed(None, edge="mail"),
    ]
    for row in rows:
        await work.store.write(_owe, row)
    assert [n.id for n in await work.notices()] == [3, 4]
    assert [n.id for n in await work.notices("slack")] == [5]
    assert [n.id for n in await work.notices("mail")] == [6, 7]
    work.now = NOW + 60
    assert [n.id for n in await work.notices()] == [first.id]
    await work.store.write(finish_notices, NoticeDone(first.id, "failed", work.now))
    assert [n.id for n in await work.notices()] == [2]


async def test_a_mail_that_is_told_later_holds_no_mail_back(work: Worker) -> None:
    for _ in range(2):
        await work.store.write(_owe, owed(None, edge="mail", place=""))
    first, _ = await work.notices("mail")
    await told(work, first.id, NOW + 60)
    await work.store.write(_owe, owed(None, edge="mail", place=""))
    assert [n.id for n in await work.notices("mail")] == [3]


async def test_what_a_dead_process_was_telling_is_told_first_and_marked(database: Database) -> None:
    here, there = await database.two()
    for _ in range(2):
        await here.store.write(_owe, owed(ANNA))
    await here.notices()
    assert await there.notices() == []
    await there.store.write(release_silent, (there.me, NOW + 60))
    assert [(n.id, n.reason, n.tries) for n in await there.notices()] == [(1, "in-doubt", 1)]


async def test_a_claim_of_notices_whose_commit_was_in_doubt_is_given_back(work: Worker) -> None:
    """What another edge's desk of the same process is telling stays with it."""
    for row in (owed(ANNA), owed(BERIT), owed(None, edge="mail", place="")):
        await work.store.write(_owe, row)
    lost, kept = await work.notices()
    assert len(await work.notices("mail")) == 1
    back = GiveBackNotices(EDGE, work.me, frozenset({kept.id}))
    assert await work.store.write(give_back_notices, back) == 1
    assert [n.id for n in await work.notices()] == [lost.id]
    assert await work.notices("mail") == []


async def owed_now(work: Worker) -> list[tuple[Any, ...]]:
    wanted = select(notice.c.edge, notice.c.kind, notice.c.place).order_by(notice.c.id)
    return [tuple(row) for row in await work.rows(wanted)]


def _hears(work: Worker, verdict: str = "none") -> ReplyScript:
    return ReplyScript(
        work.ids.next,
        Means(
            lambda parts, _: Judged(parts[0].data.decode(), verdict, ""),
            lambda _, judged: judged,
            lambda *_: None,
            lambda tenant, item, _: Known(f"{tenant}/{item.source}", "", (), {}, 1),
            lambda owners, _: (owners[0][0], owners[0][1]),
            lambda now: now,
        ),
    )


async def hears(work: Worker, text: str, all_index: str = "all-1") -> Heard:
    part = Inbound(source="+420601123401", destination=OURS, data=text.encode(), coding="utf-8")
    item = PartIn("smsc", part, "+420601123401", OURS, all_index, "CZ", text, "", work.now)
    found: Heard = await work.store.write(_hears(work), item)
    return found


async def test_a_reply_of_a_stranger_is_owed_to_each_inbox(work: Worker) -> None:
    twice = TenantIn("acme", {"inbox": [*INBOX, INBOX[1]]}, [], [], "file", NOW)
    await work.store.write(put_tenants, twice)
    heard = await hears(work, "Is anybody there?")
    assert set(heard.edges) == {"mail", "telegram", "slack"}
    assert await owed_now(work) == [
        ("mail", "inbox", "desk@acme.example"),
        ("telegram", "inbox", "-1001"),
        ("slack", "inbox", "C0123"),
    ]
    await hears(work, "Hello?")
    assert [n.reply_id for n in await work.notices()] == [heard.reply_id]
    assert len(await work.notices("mail")) == 2


async def test_an_answer_to_a_chat_is_owed_where_it_was_written(work: Worker) -> None:
    await work.send(work.prepared(1))
    await sent(work)
    assert (await hears(work, "On my way")).edges == (EDGE,)
    assert await owed_now(work) == [(EDGE, "answer", PLACE)]


@pytest.mark.parametrize("kind", ["held", "unknown"])
async def test_what_waits_for_a_person_is_owed_to_the_inboxes_of_chats(
    work: Worker, kind: str
) -> None:
    if kind == "held":
        await work.submit(1, state="held", reason="sender-not-proved")
    else:
        await work.send(work.prepared(1))
        await sent(work, State.UNKNOWN)
    places = [("telegram", kind, "-1001"), ("slack", kind, "C0123")]
    assert await owed_now(work) == places
    numbers = await work.rows(select(notice.c.message_id, notice.c.subject_id))
    assert len(set(numbers)) == 1
    assert numbers[0][1] is None
