"""Signed receipts of erasures: one a request, the newest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, text

from bridge.store.erasure_tables import receipt
from bridge.store.sql import Do, Many, Script, Statement, insert


@dataclass(frozen=True, slots=True)
class Proof:
    """What a person is given (PRIVACY P68)."""

    request_id: int
    document: str  # as a file has it
    issued_at: float
    is_last: bool  # no other one follows


#: The newest receipt of a request, as a file has it.
PROOF = Statement(select(receipt.c.document).where(receipt.c.request_id == bindparam("request")))
#: The requests whose receipt another one follows.
UNSETTLED = Statement(
    select(receipt.c.request_id).where(text("NOT is_last")).order_by(receipt.c.request_id)
)
_GONE = Statement(delete(receipt).where(receipt.c.request_id == bindparam("request")))
_ADD = insert(receipt)


def put_proofs(items: Sequence[Proof]) -> Script:
    """Keep receipts; each takes the place of its request's earlier one."""
    for item in items:
        yield Do(_GONE, {"request": item.request_id})
        row = {name: getattr(item, name) for name in Proof.__dataclass_fields__}
        yield Many(_ADD, [row])
    return [None] * len(items)
