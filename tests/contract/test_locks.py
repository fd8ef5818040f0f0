"""Several processes write about the same people and messages: none of them waits in a circle."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge.model import Receipt, State
from bridge.store.claims import Claim
from bridge.store.leases import GiveBack, give_back, release_silent
from bridge.store.outcomes import Move, PartDone, Progress, record_progress
from bridge.store.postgres import Postgres
from bridge.store.receipts import ReceiptIn, match_missed, record_receipts
from bridge.store.reroutes import Reroute, reroute
from bridge.store.sql import Script
from bridge.store.submissions import Prepared, store_submissions
from bridge.store.suppressions import Lift, Suppress, lift_all, suppress_all
from bridge.store.sweeps import sweep
from bridge.store.tables import message
from tests.stores import NOW, Worker, a_database

PEOPLE, TURNS = 12, 60


class Crowd:
    """The processes' work, each in an order of its own."""

    def __init__(self, seed: int) -> None:
        self.luck = random.Random(seed)
        self.heard: list[str] = []

    def some(self, work: Worker, lane: str) -> list[Prepared]:
        found = []
        for person in self.luck.sample(range(PEOPLE), 6):
            parts = self.luck.choice((1, 1, 3))
            found.append(
                work.prepared(
                    person,
                    lane=lane,
                    parts=parts,
                    text="x" * (150 * parts),
                    origin_kind="mail",
                    due_at=NOW - self.luck.random() * 100,
                )
            )
        return found

    async def owner(self, work: Worker, carrier: str) -> None:
        """Submits, some claimed at birth; claims, records part by part, as answers come."""
        begun: list[tuple[int, int, tuple[int, ...]]] = []
        for _ in range(TURNS):
            items = self.some(work, f"{carrier}.bulk")
            born = [item for item in items if self.luck.random() < 0.5]
            for item in born:
                item.lease, item.carrier = work.me, carrier
                item.attempts = {n: work.ids.next() for n in range(1, item.parts + 1)}
            claim = Claim(carrier, work.me, work.now, 20, 20, begun=tuple(begun))
            claiming = work.store.put(work.claims, claim)
            await asyncio.gather(*(work.store.put(store_submissions, i) for i in items))
            claims = await claiming
            done: list[tuple[int, list[int], tuple[int, int] | None]] = [
                (m, [a], None) for (m, _), a in claims.attempts.items()
            ]
            done += [(i.id, list(i.attempts.values()), (i.parts, 1)) for i in born]
            done += [(c.id, list(c.attempts.values()), (c.parts, c.tries)) for c in claims.messages]
            begun = [
                (c.id, c.parts, left)
                for c in claims.messages
                if (left := tuple(n for n in c.due if n not in c.attempts))
            ]
            told = [each for one in done for each in self.told(work, carrier, *one)]
            self.luck.shuffle(told)
            puts = []
            for each in told:
                puts.append(work.store.put(record_progress, [each]))
                if self.luck.random() < 0.2:
                    await asyncio.sleep(0)
            await asyncio.gather(*puts)
            if self.luck.random() < 0.2:
                keep = frozenset(number for number, _, _ in begun)
                mine = GiveBack(work.me, (f"{carrier}.bulk",), keep, work.now)
                await work.store.write(give_back, mine)

    def told(
        self,
        work: Worker,
        carrier: str,
        number: int,
        attempts: list[int],
        claim: tuple[int, int] | None,
    ) -> list[Progress]:
        """What the carrier answers to a message's parts; the last moves it."""
        found = []
        for attempt in attempts:
            part = PartDone(attempt, "accepted", f"{carrier}-{attempt}", "")
            self.heard.append(part.carrier_id)
            move = None
            if claim is not None and attempt == attempts[-1]:
                state = self.luck.choice((State.SENT, State.SENT, State.QUEUED))
                lane = f"{carrier}.bulk"
                parts, tries = claim
                move = Move(number, state, "", lane, 0, NOW - 1, 0, "gsm7", "", parts, tries)
            found.append(Progress(carrier, work.now, work.me, (part,), move))
        return found

    async def edge(self, work: Worker) -> None:
        """Hears receipts, also twice, and takes mails."""
        for _ in range(TURNS):
            ids = self.luck.sample(self.heard, min(30, len(self.heard)))
            puts = []
            for number in ids:
                state = self.luck.choice((State.DELIVERED, State.FAILED, State.SENT))
                item = ReceiptIn(number.partition("-")[0], Receipt(number, state, ""), work.now)
                puts.append(work.store.put(record_receipts, item))
            puts += [work.store.put(store_submissions, i) for i in self.some(work, "smsc.bulk")]
            self.luck.shuffle(puts)
            await asyncio.gather(*puts)

    async def keeper(self, work: Worker) -> None:
        """STOP and START, the sweep, messages that move on."""
        for _ in range(TURNS):
            person = self.luck.randrange(PEOPLE)
            await work.store.write(
                suppress_all, Suppress(1, f"person-{person}", "tenant", "reply", work.now)
            )
            await work.store.write(sweep, work.now)
            await work.store.write(match_missed, work.now)
            await work.store.write(release_silent, (work.me, work.now))
            rows = await work.rows(
                select(message.c.id, message.c.lane).where(message.c.state == "queued")
            )
            self.luck.shuffle(rows)
            moves = [
                Reroute(
                    n,
                    was,
                    self.luck.choice(("smsc.bulk", "spare.bulk")),
                    0,
                    "gsm7",
                    "",
                    1,
                    work.now,
                )
                for n, was in rows[:20]
            ]
            await asyncio.gather(*(work.store.put(reroute, m) for m in moves))
            item = Lift((f"person-{person}",), "reply", work.now)
            await work.store.write(lift_all, item)


@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(3))
async def test_nobody_waits_in_a_circle(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    circles: list[str] = []
    once = Postgres._once

    async def counted(self: Postgres, scripts: Sequence[Callable[[], Script]]) -> list[Any]:
        try:
            return await once(self, scripts)
        except Exception as error:
            circles.append(type(error).__name__)
            raise

    monkeypatch.setattr(Postgres, "_once", counted)
    crowd = Crowd(seed)
    async with a_database(postgres_url, tmp_path, {}) as database:
        one, two, three, four, five = [await database.worker(f"w-{n}") for n in range(5)]
        await asyncio.gather(
            crowd.owner(one, "smsc"),
            crowd.owner(two, "spare"),
            crowd.edge(three),
            crowd.edge(four),
            crowd.keeper(five),
        )
    assert circles == []
