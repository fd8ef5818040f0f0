"""Payments from a bank's file come in; those whose account is known are booked, others wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select, update

from bridge.errors import Refused
from bridge.store.account_tables import payment
from bridge.store.accounts import Posting, post
from bridge.store.sql import Many, Rows, Script, Statement, alone, insert_new

KIND: Final = "payment"


@dataclass(frozen=True, slots=True)
class PaymentIn:
    """A line of a bank's statement; `tenant` is whose it is, 0 where that is not known."""

    key: str
    received_on: str
    amount: int
    currency: str
    symbol: str
    reference: str
    tenant: int = 0


@dataclass(frozen=True, slots=True)
class Import:
    """The lines of a file."""

    lines: tuple[PaymentIn, ...]
    actor: str
    now: float
    new_id: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file."""

    booked: int
    waiting: int
    known: int  # lines that an earlier file had


@dataclass(frozen=True, slots=True)
class Match:
    """A person says whose a payment is."""

    id: int
    tenant: int
    actor: str
    now: float
    transfer: int


#: (id, day, amount, currency, symbol, reference, tenant), newest first.
PAYMENTS = Statement(
    select(
        payment.c.id,
        payment.c.received_on,
        payment.c.amount,
        payment.c.currency,
        payment.c.symbol,
        payment.c.reference,
        payment.c.tenant_id,
    ).order_by(payment.c.id.desc())
)
_ADD = insert_new(payment)
_WAITING = Statement(
    select(payment.c.amount, payment.c.currency)
    .where(payment.c.id == bindparam("id"), payment.c.tenant_id == 0)
    .with_for_update()
)
_MATCH = Statement(
    update(payment)
    .where(payment.c.id == bindparam("p_id"))
    .values(
        tenant_id=bindparam("p_tenant"),
        matched_by=bindparam("p_actor"),
        matched_at=bindparam("p_now"),
    )
)


@alone
def import_payments(items: Sequence[Import]) -> Script:
    """An `Imported` an item; a line that was there is not booked again.

    All are booked at once: the accounts are locked in one order, whatever the file's.
    """
    results = []
    postings: list[Posting] = []
    for item in items:
        booked = waiting = known = 0
        for line in item.lines:
            number = item.new_id()
            if not (yield Many(_ADD, [_row(number, line, item)])):
                known += 1
            elif line.tenant:
                postings.append(_posting(number, item.new_id(), line, item))
                booked += 1
            else:
                waiting += 1
        results.append(Imported(booked, waiting, known))
    if postings:
        yield from post(postings)
    return results


def _row(number: int, line: PaymentIn, item: Import) -> Mapping[str, object]:
    return {
        "id": number,
        "key": line.key,
        "received_on": line.received_on,
        "amount": line.amount,
        "currency": line.currency,
        "symbol": line.symbol,
        "reference": line.reference,
        "tenant_id": line.tenant,
        "matched_by": "bridge" if line.tenant else "",
        "imported_at": item.now,
        "matched_at": item.now if line.tenant else None,
    }


def _posting(number: int, transfer: int, line: PaymentIn, item: Import) -> Posting:
    return Posting(
        transfer,
        line.tenant,
        KIND,
        line.currency,
        line.amount,
        item.actor,
        item.now,
        f"payment {number}",
    )


@alone
def match_payments(items: Sequence[Match]) -> Script:
    """Nothing an item. Raises Refused for one that does not wait."""
    for item in items:
        found = yield Rows(_WAITING, {"id": item.id})
        if not found:
            raise Refused(
                "no payment of this id waits for a person", "`bridge accounts payments` shows them"
            )
        amount, currency = found[0]
        values = {"p_tenant": item.tenant, "p_actor": item.actor, "p_now": item.now}
        yield Many(_MATCH, [{"p_id": item.id, **values}])
        key = f"payment {item.id}"
        to = (item.transfer, item.tenant, KIND, currency, amount, item.actor, item.now, key)
        yield from post([Posting(*to)])
    return [None] * len(items)
