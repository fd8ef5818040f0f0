"""Invoices and what came in; which tenants owe what is overdue goes out: amounts and days only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bridge.store.invoices import CAME, DEBTORS, INVOICES
from bridge.store.sql import Row
from bridge.store.store import Store


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice, and how much of it is open: money pays the oldest first. Micro-units."""

    number: str
    tenant: int
    month: str
    currency: str
    total: int
    issued_at: float
    due_at: float
    open: int

    def state(self, now: float) -> str:
        """paid, open or overdue."""
        return "paid" if not self.open else "overdue" if self.due_at < now else "open"


async def invoices(store: Store) -> list[Invoice]:
    """All invoices, oldest first. Raises StoreUnavailable."""
    came = {(row[0], row[1]): int(row[2] or 0) for row in await store.read(CAME)}
    return list(_paid(await store.read(INVOICES), came))


def _paid(rows: Sequence[Row], came: Mapping[tuple[int, str], int]) -> Iterator[Invoice]:
    left = defaultdict(int, came)
    for number, tenant, month, currency, total, issued_at, due_at in rows:
        paid = min(total, max(0, left[tenant, currency]))
        left[tenant, currency] -= paid
        rest = total - paid
        yield Invoice(number, tenant, month, currency, total, issued_at, due_at, rest)


async def overdue(store: Store, now: float) -> Mapping[int, list[Invoice]]:
    """Tenant → its invoices that are overdue. Raises StoreUnavailable."""
    found: defaultdict[int, list[Invoice]] = defaultdict(list)
    for each in await invoices(store):
        if each.state(now) == "overdue":
            found[each.tenant].append(each)
    return dict(found)


async def debtors(store: Store, now: float) -> frozenset[int]:
    """The tenants of `overdue`, summed up by the database: this is asked again and again.

    Raises StoreUnavailable.
    """
    return frozenset(row[0] for row in await store.read(DEBTORS, now=now))
