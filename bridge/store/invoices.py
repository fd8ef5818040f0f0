"""What a tenant used in a month, its invoices, and what it owes; an invoice's number comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, null, or_, select, update

from bridge.errors import Refused
from bridge.store.account_tables import account, charge, entry, invoice, transfer
from bridge.store.accounts import CREDIT, RESERVED, SOURCES, Posting, post
from bridge.store.sql import Do, Many, Rows, Script, Statement, alone, constant, insert, insert_new
from bridge.store.tables import fact

#: Where money comes from that an invoice may be paid with.
_CAME: Final = tuple(kind for word, kind in SOURCES.items() if word != "vat")


@dataclass(frozen=True, slots=True)
class Issue:
    """An invoice to be issued; `vat` is booked with it. Amounts are micro-units."""

    id: int
    transfer: int
    tenant: int
    month: str
    currency: str
    total: int
    vat: int
    document: Mapping[str, Any]
    actor: str
    now: float
    due_at: float
    kept_from: float
    year: int


#: (country, messages, parts, amount) that were booked in a time.
USED = Statement(
    select(charge.c.country, func.count(), func.sum(charge.c.parts), func.sum(charge.c.amount))
    .where(
        charge.c.tenant_id == bindparam("tenant"),
        charge.c.currency == bindparam("currency"),
        charge.c.closed_at.is_not(None),
        charge.c.closed_at >= bindparam("since"),
        charge.c.closed_at < bindparam("until"),
        charge.c.state == constant("booked"),
    )
    .group_by(charge.c.country)
    .order_by(charge.c.country)
)
_MINE = (
    entry.c.tenant_id == bindparam("tenant"),
    entry.c.currency == bindparam("currency"),
    or_(entry.c.kind == constant(CREDIT), entry.c.kind == constant(RESERVED)),
)
_HAS = select(func.coalesce(func.sum(account.c.balance), 0)).where(
    account.c.tenant_id == bindparam("tenant"),
    account.c.currency == bindparam("currency"),
    or_(account.c.kind == constant(CREDIT), account.c.kind == constant(RESERVED)),
)
#: What a tenant has now, reserved or not.
HAS = Statement(_HAS)
#: (kind of transfer, what it moved of a tenant's money within a time, and since) and, without a
#: kind, what the tenant has now: in one statement, so that nothing is booked between the two.
MOVED = Statement(
    select(
        transfer.c.kind,
        func.sum(entry.c.amount).filter(transfer.c.at < bindparam("until")),
        func.sum(entry.c.amount).filter(transfer.c.at >= bindparam("until")),
    )
    .join(entry, entry.c.transfer_id == transfer.c.id)
    .where(
        transfer.c.tenant_id == bindparam("tenant"),
        transfer.c.kind != constant("reserve"),
        transfer.c.at >= bindparam("since"),
        *_MINE,
    )
    .group_by(transfer.c.kind)
    .union_all(select(constant(""), _HAS.scalar_subquery(), null()))
)
#: (number, tenant, month, currency, total, issued, due), oldest first.
INVOICES = Statement(
    select(
        invoice.c.number,
        invoice.c.tenant_id,
        invoice.c.month,
        invoice.c.currency,
        invoice.c.total,
        invoice.c.issued_at,
        invoice.c.due_at,
    ).order_by(invoice.c.number)
)
DOCUMENT = Statement(select(invoice.c.document).where(invoice.c.number == bindparam("number")))
_came = (
    select(account.c.tenant_id, account.c.currency, (-func.sum(account.c.balance)).label("amount"))
    .where(account.c.kind.in_([constant(kind) for kind in _CAME]))
    .group_by(account.c.tenant_id, account.c.currency)
    .subquery("came")
)
#: (tenant, currency, what has ever come in).
CAME = Statement(select(_came))
_late = (
    select(invoice.c.tenant_id, invoice.c.currency, func.max(invoice.c.number).label("last"))
    .where(invoice.c.due_at < bindparam("now"))
    .group_by(invoice.c.tenant_id, invoice.c.currency)
    .subquery("late")
)
_due = (
    select(invoice.c.tenant_id, invoice.c.currency, func.sum(invoice.c.total).label("total"))
    .join(
        _late,
        and_(
            _late.c.tenant_id == invoice.c.tenant_id,
            _late.c.currency == invoice.c.currency,
            invoice.c.number <= _late.c.last,
        ),
    )
    .group_by(invoice.c.tenant_id, invoice.c.currency)
    .subquery("due")
)
#: The tenants that owe what is overdue. Money pays the oldest first: so what came must suffice
#: for all up to the last one that is overdue.
DEBTORS = Statement(
    select(_due.c.tenant_id)
    .distinct()
    .select_from(
        _due.outerjoin(
            _came,
            and_(_came.c.tenant_id == _due.c.tenant_id, _came.c.currency == _due.c.currency),
        )
    )
    .where(_due.c.total > func.coalesce(_came.c.amount, 0))
)
_THERE = Statement(
    select(invoice.c.number).where(
        invoice.c.tenant_id == bindparam("tenant"),
        invoice.c.month == bindparam("month"),
        invoice.c.currency == bindparam("currency"),
    )
)
_SERIES_ADD = insert_new(fact)
_SERIES = Statement(select(fact.c.value).where(fact.c.name == bindparam("name")).with_for_update())
_SERIES_NEXT = Statement(
    update(fact).where(fact.c.name == bindparam("f_name")).values(value=bindparam("f_value"))
)
_ADD = insert(invoice)


@alone
def issue_invoices(items: Sequence[Issue]) -> Script:
    """The number of each, without a gap within a year. Raises Refused for one that is there."""
    numbers = []
    for item in items:
        name = f"invoices-{item.year}"
        yield Many(_SERIES_ADD, [{"name": name, "value": "0"}])
        last = int((yield Rows(_SERIES, {"name": name}))[0][0])
        where = {"tenant": item.tenant, "month": item.month, "currency": item.currency}
        if there := (yield Rows(_THERE, where)):
            raise Refused(f"this month has its invoice: {there[0][0]}")
        number = f"{item.year}{last + 1:06}"
        yield Do(_SERIES_NEXT, {"f_name": name, "f_value": str(last + 1)})
        yield Many(_ADD, [_row(item, number)])
        if item.vat:
            key = f"invoice {number}"
            to = (item.transfer, item.tenant, "vat", item.currency, -item.vat, item.actor)
            yield from post([Posting(*to, item.now, key)])
        numbers.append(number)
    return numbers


def _row(item: Issue, number: str) -> Mapping[str, Any]:
    return {
        "id": item.id,
        "number": number,
        "tenant_id": item.tenant,
        "month": item.month,
        "currency": item.currency,
        "total": item.total,
        "document": json.dumps({"number": number, **item.document}),
        "issued_at": item.now,
        "due_at": item.due_at,
        "kept_from": item.kept_from,
    }
