"""Whatever happens to messages and money, in whatever order: the books are right after each step."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bridge.model import State
from bridge.store.account_tables import charge
from bridge.store.accounts import Charge, Close, Posting, close_charges, post
from bridge.store.books import BALANCES, verified
from bridge.store.chat_log import TakeBack, take_back
from bridge.store.outcomes import record_progress
from bridge.store.tables import message
from tests.stores import Worker, a_database

PRICES = st.integers(0, 3_000_001)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(1, 9_999_999)),
        st.tuples(st.just("correct"), st.integers(-9_999_999, 9_999_999).filter(bool)),
        st.tuples(
            st.just("send"),
            PRICES,
            st.integers(1, 5),
            st.sampled_from(["accepted", "delivered"]),
            st.integers(0, 5_000_000),
        ),
        st.tuples(
            st.just("answer"),
            st.sampled_from(
                [State.SENT, State.SENT, State.FAILED, State.EXPIRED, State.QUEUED, State.UNKNOWN]
            ),
            st.integers(1, 5),
        ),
        st.tuples(st.just("report"), st.sampled_from([State.DELIVERED, State.FAILED])),
        st.tuples(st.just("take back")),
        st.tuples(st.just("wait"), st.integers(1, 400_000)),
        st.tuples(st.just("book")),
    ),
    min_size=1,
    max_size=25,
)


class Model:
    """What the books should say, kept beside them."""

    def __init__(self, work: Worker) -> None:
        self.work = work
        self.came = 0
        self.flying: list[Any] = []

    async def pay(self, amount: int, kind: str = "payment") -> None:
        item = Posting(self.work.ids.next(), 1, kind, "CZK", amount, "eva", self.work.now)
        await self.work.store.write(post, item)
        self.came += amount

    async def correct(self, amount: int) -> None:
        await self.pay(amount, "correction")

    async def send(self, price: int, parts: int, charge_on: str, limit: int) -> None:
        credit = (await self.balances()).get("credit", 0)
        due = Charge(price, "CZK", limit, charge_on)
        stored = await self.work.submit(1, charge=due, parts=parts)
        assert stored.unpaid == (credit - price * parts < -limit)

    async def answer(self, state: State, parts: int) -> None:
        claims = await self.work.claim()
        if not claims.messages:
            return
        moves = self.work.progress(claims, state)
        if state is State.QUEUED:
            moves = [
                replace(m, parts=(), move=replace(m.move, parts=parts)) for m in moves if m.move
            ]
        await self.work.store.write(record_progress, moves)
        if state is State.SENT:
            self.flying.append(claims)

    async def report(self, state: State) -> None:
        if self.flying:
            await self.work.receipt(self.flying.pop(0), state)

    async def take_back(self) -> None:
        for (number,) in await self.work.rows(select(message.c.id).limit(1)):
            await self.work.store.write(take_back, TakeBack(number, 1, self.work.now))

    async def wait(self, seconds: int) -> None:
        self.work.now += seconds

    async def book(self) -> None:
        await self.work.store.write(close_charges, Close(0, self.work.now, self.work.ids.next))

    async def balances(self) -> dict[str, int]:
        return {row[2]: row[3] for row in await self.work.store.read(BALANCES)}

    async def right(self) -> None:
        assert (await verified(self.work.store)).faults == ()
        found = await self.balances()
        kept = [found.get(kind, 0) for kind in ("credit", "reserved", "revenue")]
        assert sum(kept) == self.came
        assert min(kept[1:]) >= 0
        rows = await self.work.rows(select(charge.c.reserved, charge.c.amount, charge.c.state))
        assert kept[1] == sum(row[0] for row in rows if row[2] == "open")
        assert kept[2] == sum(row[1] for row in rows)


async def walk(steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with a_database("sqlite", Path(folder), {}) as database:
            model = Model(await database.worker("work-1"))
            for what, *given_ in steps:
                await getattr(model, what.replace(" ", "_"))(*given_)
                await model.right()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_the_books_are_right_after_every_step(steps: list[tuple[Any, ...]]) -> None:
    asyncio.run(walk(steps))
