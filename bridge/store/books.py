"""The books as they stand: balances, and whether they are right; each question is one statement.

One statement sees one moment, on both databases, while others write.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, bindparam, func, or_, select

from bridge.store.account_tables import account, charge, entry, transfer
from bridge.store.accounts import RESERVED, REVENUE
from bridge.store.sql import Statement, constant
from bridge.store.store import Store

#: (tenant, currency, kind, balance).
BALANCES = Statement(
    select(account.c.tenant_id, account.c.currency, account.c.kind, account.c.balance).order_by(
        account.c.tenant_id, account.c.currency, account.c.kind
    )
)
#: Whether anything is reserved: without it there is nothing to close.
ANY_OPEN = Statement(select(charge.c.message_id).where(charge.c.state == constant("open")).limit(1))
_UNBALANCED = Statement(
    select(entry.c.transfer_id)
    .group_by(entry.c.transfer_id, entry.c.currency)
    .having(func.sum(entry.c.amount) != 0)
    .limit(100)
)
#: (currency, debits, credits).
_SIDES = Statement(
    select(
        entry.c.currency,
        func.sum(entry.c.amount).filter(entry.c.amount < 0),
        func.sum(entry.c.amount).filter(entry.c.amount > 0),
    )
    .group_by(entry.c.currency)
    .order_by(entry.c.currency)
)
_HOMELESS = Statement(
    select(entry.c.transfer_id)
    .outerjoin(transfer, transfer.c.id == entry.c.transfer_id)
    .where(transfer.c.id.is_(None))
    .limit(100)
)


_sums = (
    select(
        entry.c.tenant_id,
        entry.c.kind,
        entry.c.currency,
        func.sum(entry.c.amount).label("amount"),
    )
    .group_by(entry.c.tenant_id, entry.c.kind, entry.c.currency)
    .subquery("sums")
)
#: Accounts whose balance is not the sum of their entries.
_WRONG = Statement(
    select(account.c.tenant_id)
    .select_from(
        account.outerjoin(
            _sums,
            and_(
                _sums.c.tenant_id == account.c.tenant_id,
                _sums.c.kind == account.c.kind,
                _sums.c.currency == account.c.currency,
            ),
        )
    )
    .where(account.c.balance != func.coalesce(_sums.c.amount, 0))
)
_held = (
    select(charge.c.tenant_id, charge.c.currency, func.sum(charge.c.reserved).label("amount"))
    .where(charge.c.state == constant("open"))
    .group_by(charge.c.tenant_id, charge.c.currency)
    .subquery("held")
)
#: Tenants for which something else is reserved than their open messages may cost.
_LOOSE = Statement(
    select(account.c.tenant_id)
    .select_from(
        account.outerjoin(
            _held,
            and_(_held.c.tenant_id == account.c.tenant_id, _held.c.currency == account.c.currency),
        )
    )
    .where(
        account.c.kind == constant(RESERVED),
        account.c.balance != func.coalesce(_held.c.amount, 0),
    )
)
_closed = (
    select(
        charge.c.transfer_id,
        charge.c.currency,
        func.sum(charge.c.reserved).label("reserved"),
        func.sum(charge.c.amount).label("amount"),
    )
    .where(charge.c.state != constant("open"))
    .group_by(charge.c.transfer_id, charge.c.currency)
    .subquery("closed")
)
_given_back, _earned = entry.alias("given_back"), entry.alias("earned")


def _of(line: object, kind: str) -> object:
    return and_(
        line.c.transfer_id == _closed.c.transfer_id,  # type: ignore[attr-defined]
        line.c.currency == _closed.c.currency,  # type: ignore[attr-defined]
        line.c.kind == constant(kind),  # type: ignore[attr-defined]
    )


#: Settlements that booked something else than their messages were charged.
_MISBOOKED = Statement(
    select(_closed.c.transfer_id)
    .select_from(
        _closed.outerjoin(_given_back, _of(_given_back, RESERVED)).outerjoin(  # type: ignore[arg-type]
            _earned,
            _of(_earned, REVENUE),  # type: ignore[arg-type]
        )
    )
    .where(
        or_(
            _closed.c.reserved != -func.coalesce(_given_back.c.amount, 0),
            _closed.c.amount != func.coalesce(_earned.c.amount, 0),
        )
    )
    .limit(100)
)
#: (transfers, charges, of them open).
_COUNTS = Statement(
    select(
        select(func.count()).select_from(transfer).scalar_subquery(),
        select(func.count()).select_from(charge).scalar_subquery(),
        select(func.count())
        .select_from(charge)
        .where(charge.c.state == constant("open"))
        .scalar_subquery(),
    )
)
_CHECKS = (
    (_UNBALANCED, "transfers whose entries do not sum to nothing"),
    (_HOMELESS, "entries without a transfer"),
    (_WRONG, "accounts whose balance is not the sum of their entries"),
    (_LOOSE, "tenants for whom other than their open messages is reserved"),
    (_MISBOOKED, "settlements that are not the sum of their messages"),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the books found: `faults` is empty where they are right."""

    faults: tuple[str, ...]
    sides: tuple[tuple[str, int, int], ...]  # (currency, debits, credits), each above zero
    transfers: int
    charges: int
    open: int


async def verified(store: Store) -> Verdict:
    """Check the books whole. Raises StoreUnavailable."""
    faults = []
    for statement, what in _CHECKS:
        if rows := await store.read(statement):
            faults.append(f"{len(rows)} {what}")
    sides = [(r[0], -int(r[1] or 0), int(r[2] or 0)) for r in await store.read(_SIDES)]
    faults += [f"debits and credits in {c} differ" for c, debit, credit in sides if debit != credit]
    counts = (await store.read(_COUNTS))[0]
    return Verdict(tuple(faults), tuple(sides), *counts)


#: (kind, balance) of one of a tenant's accounts.
ACCOUNT = Statement(
    select(account.c.kind, account.c.balance).where(
        account.c.tenant_id == bindparam("tenant"), account.c.currency == bindparam("currency")
    )
)
