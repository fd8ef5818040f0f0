"""Signed receipts of erasures: one a request, the newest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, delete, func, select, text, update

from bridge.store.erasure_tables import carrier_erasure, chat_erasure, erasure, receipt
from bridge.store.sql import Do, Many, Rows, Script, Statement, constant, insert

Told = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a person is given (PRIVACY P68), with what was read of `POSTS` and `RECORDS` for it."""

    request_id: int
    document: str  # as a file has it
    issued_at: float
    posts: Told
    records: Told


def _waits(table: Table) -> ColumnElement[bool]:
    """Whether something of a receipt's erasures is still to be settled there."""
    return (
        select(table.c.id)
        .join(erasure, erasure.c.id == table.c.erasure_id)
        .where(erasure.c.request_id == receipt.c.request_id, table.c.outcome == constant(""))
        .correlate(receipt)
        .exists()
    )


#: (edge, outcome, posts) of a request's erasures; the outcome "" is still to come.
POSTS = Statement(
    select(chat_erasure.c.edge, chat_erasure.c.outcome, func.count())
    .join(erasure, erasure.c.id == chat_erasure.c.erasure_id)
    .where(erasure.c.request_id == bindparam("request"))
    .group_by(chat_erasure.c.edge, chat_erasure.c.outcome)
    .order_by(chat_erasure.c.edge, chat_erasure.c.outcome)
)
#: (carrier, outcome, reason, records, when the last was settled), the same of carriers' records.
RECORDS = Statement(
    select(
        carrier_erasure.c.carrier,
        carrier_erasure.c.outcome,
        carrier_erasure.c.reason,
        func.count(),
        func.max(carrier_erasure.c.done_at),
    )
    .join(erasure, erasure.c.id == carrier_erasure.c.erasure_id)
    .where(erasure.c.request_id == bindparam("request"))
    .group_by(carrier_erasure.c.carrier, carrier_erasure.c.outcome, carrier_erasure.c.reason)
    .order_by(carrier_erasure.c.carrier, carrier_erasure.c.outcome, carrier_erasure.c.reason)
)
#: The newest receipt of a request, as a file has it.
PROOF = Statement(select(receipt.c.document).where(receipt.c.request_id == bindparam("request")))
#: The requests whose receipt another one follows, where nothing is waited for any more.
SETTLED = Statement(
    select(receipt.c.request_id)
    .where(text("NOT is_last"), ~_waits(chat_erasure), ~_waits(carrier_erasure))
    .order_by(receipt.c.request_id)
)
#: (is_last) of a request's receipt.
IS_LAST = Statement(select(receipt.c.is_last).where(receipt.c.request_id == bindparam("request")))
_REOPENED = Statement(
    update(receipt)
    .where(
        receipt.c.request_id
        == select(erasure.c.request_id)
        .where(erasure.c.id == bindparam("erasure"))
        .scalar_subquery(),
        receipt.c.is_last,
    )
    .values(is_last=False)
)
# Whoever queues something for an erasure has locked it: the second of the two sees the first's.
_LOCKED = Statement(
    select(erasure.c.id)
    .where(erasure.c.request_id == bindparam("request"))
    .order_by(erasure.c.id)
    .with_for_update()
)
_GONE = Statement(delete(receipt).where(receipt.c.request_id == bindparam("request")))
_ADD = insert(receipt)


def put_proofs(items: Sequence[Proof]) -> Script:
    """Keep receipts; each takes the place of its request's earlier one.

    It is the last where it tells all that is known by now, and nothing is waited for.
    """
    for item in items:
        here = {"request": item.request_id}
        yield Rows(_LOCKED, here)
        posts = [tuple(row) for row in (yield Rows(POSTS, here))]
        records = [tuple(row) for row in (yield Rows(RECORDS, here))]
        is_settled = all(row[1] for row in [*posts, *records])
        is_last = is_settled and (posts, records) == (item.posts, item.records)
        row = {"document": item.document, "issued_at": item.issued_at, "is_last": is_last}
        yield Do(_GONE, here)
        yield Many(_ADD, [{"request_id": item.request_id, **row}])
    return [None] * len(items)


def reopen(number: int) -> Script:
    """Something more of this erasure is to be settled: another receipt follows."""
    yield Do(_REOPENED, {"erasure": number})
