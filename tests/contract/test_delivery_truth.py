"""What receipts say becomes the truth about a message, in whatever order and however often it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from bridge.model import FINAL, Class, Receipt, State
from bridge.store.leases import release_silent
from bridge.store.outcomes import Progress, record_progress
from bridge.store.receipts import ReceiptIn, record_receipts
from bridge.store.sql import Row
from bridge.store.sweeps import UNKNOWN_SECONDS, sweep
from bridge.store.tables import attempt, event, message, notice
from tests.consents import VOUCHED
from tests.stores import Database, Worker, a_database

ENDS = (State.DELIVERED, State.FAILED, State.EXPIRED)
MIDDLES = (State.SENT, State.UNKNOWN)
#: Random histories on each database.
HISTORIES = 60


@pytest.fixture
async def database(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with a_database(url, tmp_path, {"reports": "all"}) as made:
        yield made


@dataclass(frozen=True)
class Word:
    """What a carrier says of one part."""

    part: int
    state: State
    reason: str = ""


@dataclass
class Facts:
    """What is on disk about one message."""

    state: str
    final_at: float | None
    attempts: Sequence[Row]
    events: Sequence[Row]


class Story:
    """One message of some parts, handed over, and what is said of it."""

    def __init__(self, worker: Worker, number: int, attempts: dict[int, int]) -> None:
        self.worker = worker
        self.number = number
        self.attempts = attempts

    def receipt(self, word: Word) -> ReceiptIn:
        told = Receipt(f"id-{self.attempts[word.part]}", word.state, word.reason)
        return ReceiptIn("smsc", told, self.worker.now)

    async def hear(self, word: Word, by: Worker | None = None) -> None:
        await (by or self.worker).store.write(record_receipts, self.receipt(word))

    async def facts(self) -> Facts:
        rows = self.worker.rows
        ((state, final_at),) = await rows(
            select(message.c.state, message.c.final_at).where(message.c.id == self.number)
        )
        columns = (attempt.c.part, attempt.c.state, attempt.c.reason, attempt.c.final_at)
        parts = await rows(
            select(*columns).where(attempt.c.message_id == self.number).order_by(attempt.c.part)
        )
        said = await rows(
            select(event).where(event.c.message_id == self.number).order_by(event.c.id)
        )
        return Facts(state, final_at, parts, said)


def a_history(luck: Random, parts: int) -> list[Word]:
    """What may be said of parts: anything, repeated and contradicted, in any order."""
    said = [
        Word(part, luck.choice((*ENDS, State.DELIVERED, *MIDDLES)), luck.choice(("", "code 1")))
        for part in range(1, parts + 1)
        for _ in range(luck.randint(0, 3))
    ]
    said += [luck.choice(said) for _ in range(luck.randint(0, 4)) if said]
    luck.shuffle(said)
    return said


def _first_ends(said: Sequence[Word]) -> dict[int, State]:
    """The first final word about each part."""
    ends: dict[int, State] = {}
    for word in said:
        if word.state in ENDS:
            ends.setdefault(word.part, word.state)
    return ends


def _allowed(said: Sequence[Word], parts: int) -> set[str]:
    ends = _first_ends(said)
    if any(state is not State.DELIVERED for state in ends.values()):
        return {"failed", "expired"}
    return {"delivered"} if len(ends) == parts else {"sent"}


async def a_story(worker: Worker, person: int, parts: int) -> tuple[Story, list[object]]:
    """A message whose parts have left, and the carrier's answers to them."""
    stored = await worker.submit(person, parts=parts, text="x" * 150 * parts)
    claims = await worker.claim()
    (claimed,) = claims.messages
    answers: list[object] = list(worker.progress(claims))
    return Story(worker, stored.id, claimed.attempts), answers


async def test_any_order_of_receipts_ends_in_the_truth(database: Database) -> None:
    """Early, late, doubled, contradictory: after each, nothing that stood has moved."""
    worker = await database.worker("work-1")
    for seed in range(HISTORIES):
        luck = Random(seed)
        parts = luck.randint(1, 4)
        story, answers = await a_story(worker, seed, parts)
        said = a_history(luck, parts)
        answered_after = luck.randint(0, len(said))
        before = await story.facts()
        for at in range(len(said) + 1):
            if at == answered_after:
                await worker.store.write(record_progress, answers)
            if at < len(said):
                await story.hear(said[at])
            after = await story.facts()
            assert after.events[: len(before.events)] == before.events, "events are append-only"
            if before.state in FINAL:
                assert (after.state, after.final_at) == (before.state, before.final_at)
            before = after
        assert before.state in _allowed(said, parts), f"seed {seed}: {said}"
        ends = _first_ends(said)
        assert {row[0]: row[1] for row in before.attempts if row[1] in ENDS} == ends
        luck.shuffle(said)
        for word in said:
            await story.hear(word)
        assert await story.facts() == before, f"seed {seed}: what was said again is nothing"


async def test_two_processes_that_hear_everything_twice_at_once(database: Database) -> None:
    one, other = await database.two()
    for seed in range(HISTORIES // 3):
        luck = Random(1000 + seed)
        parts = luck.randint(1, 3)
        story, answers = await a_story(one, seed, parts)
        await one.store.write(record_progress, answers)
        said = a_history(luck, parts)
        await asyncio.gather(*(story.hear(word, by) for word in said for by in (one, other)))
        found = await story.facts()
        # Each part has one end, and its first event of an end tells the same.
        ends = {row[0]: row[1] for row in found.attempts if row[1] in ENDS}
        assert ends.keys() == _first_ends(said).keys()
        told: dict[int, str] = {}
        for row in found.events:
            kind = row[event.c.keys().index("kind")].removeprefix("receipt-")
            if kind in ENDS:
                told.setdefault(row[event.c.keys().index("part")], kind)
        assert {part: told[part] for part in ends} == ends
        assert len(set(_said(found))) == len(_said(found)), "the same is told once"
        if State(found.state) is State.DELIVERED:
            assert ends == dict.fromkeys(range(1, parts + 1), "delivered")


def _said(facts: Facts) -> list[tuple[object, ...]]:
    names = [column.name for column in event.c]
    wanted = [names.index(name) for name in ("part", "kind", "detail")]
    return [tuple(row[at] for at in wanted) for row in facts.events]


async def test_an_event_names_its_part(database: Database) -> None:
    worker = await database.worker("work-1")
    story, answers = await a_story(worker, 1, 2)
    await worker.store.write(record_progress, answers)
    for word in (Word(2, State.SENT), Word(2, State.DELIVERED), Word(1, State.DELIVERED)):
        await story.hear(word)
    assert _said(await story.facts()) == [
        (0, "sent", "smsc"),
        (2, "receipt-sent", "smsc"),
        (2, "receipt-delivered", "smsc"),
        (1, "receipt-delivered", "smsc"),
        (0, "delivered", ""),
    ]


async def test_what_contradicts_is_kept_once_and_moves_nothing(database: Database) -> None:
    worker = await database.worker("work-1")
    story, answers = await a_story(worker, 1, 1)
    await worker.store.write(record_progress, answers)
    late = Word(1, State.FAILED, "absent")
    for word in (Word(1, State.DELIVERED), late, late, Word(1, State.DELIVERED)):
        await story.hear(word)
    found = await story.facts()
    assert (found.state, found.attempts[0][1]) == ("delivered", "delivered")
    assert _said(found)[2:] == [(0, "delivered", ""), (1, "receipt-failed", "smsc absent")]
    notices = await worker.rows(select(notice.c.kind))
    assert notices == [("delivered",)]


async def _in_doubt(worker: Worker, person: int) -> int:
    """An advertisement whose process ended while it left."""
    stored = await worker.submit(person, klass=str(Class.MARKETING), permit=VOUCHED)
    await worker.claim()
    return stored.id


async def test_unknown_closes_after_72_hours(database: Database) -> None:
    dead, heir = await database.two()
    await _in_doubt(dead, 1)
    then = dead.now + 60
    assert await heir.store.write(release_silent, (heir.me, then)) == 1
    state = select(message.c.state, message.c.reason, message.c.final_at)
    assert (await heir.rows(state))[0][0] == "unknown"
    await heir.store.write(sweep, then + UNKNOWN_SECONDS - 1)
    assert (await heir.rows(state))[0][0] == "unknown"
    over = then + UNKNOWN_SECONDS
    swept = await heir.store.write(sweep, over)
    assert swept.expired == 1
    assert await heir.rows(state) == [("expired", "never-known", over)]
    assert (await heir.store.write(sweep, over + 60)).expired == 0
    kinds = [row[0] for row in await heir.rows(select(event.c.kind).order_by(event.c.id))]
    assert kinds == ["unknown", "expired"]


async def a_doubt(worker: Worker) -> Story:
    """A message whose answer never came: it waits to be sent again."""
    story, answers = await a_story(worker, 1, 1)
    (answer,) = answers
    assert isinstance(answer, Progress)
    assert answer.move is not None
    parts = (replace(answer.parts[0], state="unknown"),)
    move = replace(answer.move, state=State.QUEUED, resent=1)
    await worker.store.write(record_progress, [replace(answer, parts=parts, move=move)])
    assert (await story.facts()).state == "queued"
    return story


async def test_a_receipt_settles_a_doubt_before_it_is_sent_again(database: Database) -> None:
    worker = await database.worker("work-1")
    story = await a_doubt(worker)
    await story.hear(Word(1, State.DELIVERED))
    assert (await story.facts()).state == "delivered"
    assert not (await worker.claim()).messages


@pytest.mark.parametrize("by", ["sweep", "claim"])
async def test_what_is_in_doubt_when_its_time_is_over_has_not_expired(
    database: Database, by: str
) -> None:
    """Nobody knows whether it has arrived; its receipt may still tell."""
    worker = await database.worker("work-1")
    story = await a_doubt(worker)
    worker.now += 7200
    await (worker.store.write(sweep, worker.now) if by == "sweep" else worker.claim())
    facts = await story.facts()
    assert (facts.state, facts.final_at) == ("unknown", None)
    assert [kind for (kind,) in await worker.rows(select(notice.c.kind))] == ["unknown"]
    await story.hear(Word(1, State.DELIVERED))
    assert (await story.facts()).state == "delivered"
