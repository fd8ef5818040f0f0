"""A carrier or a tenant, and a number come in; what a part costs there goes out.

The longest prefix decides, and of its prices the newest that is valid already. They are read into
memory when they have changed: a look costs a microsecond, and nothing where there are none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bridge.money import show
from bridge.store.prices import ALL, COST, PRICE, PRICES, VERSION, Row
from bridge.store.store import Store


@dataclass(frozen=True, slots=True)
class Price:
    """What one part costs, in micro-units."""

    amount: int
    currency: str
    prefix: str = ""
    valid_from: float = 0.0

    def times(self, parts: int) -> Price:
        """So many parts of it."""
        return Price(self.amount * parts, self.currency, self.prefix, self.valid_from)

    def __str__(self) -> str:
        return f"{show(self.amount)} {self.currency}"


class _List:
    """One carrier's or tenant's prices: prefix → prices, newest first."""

    def __init__(self) -> None:
        self._prices: defaultdict[str, list[Price]] = defaultdict(list)
        self._sizes: tuple[int, ...] = ()

    def add(self, row: Row) -> None:
        prices = self._prices[row.prefix]
        prices.append(Price(row.amount, row.currency, row.prefix, row.valid_from))
        prices.sort(key=lambda price: -price.valid_from)
        if len(row.prefix) not in self._sizes:
            self._sizes = tuple(sorted((*self._sizes, len(row.prefix)), reverse=True))

    def find(self, e164: str, now: float, currency: str) -> Price | None:
        for size in self._sizes:
            for price in self._prices.get(e164[:size], ()):
                if price.valid_from <= now and currency in ("", price.currency):
                    return price
        return None


class Prices:
    """All prices, as they were last read."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._lists: Mapping[tuple[str, str], _List] = {}
        self._version = ""
        self._read(rows)

    async def refresh(self, store: Store) -> None:
        """Read the prices anew where they have changed. Raises StoreUnavailable."""
        found = await store.read(VERSION)
        version = found[0][0] if found else ""
        if version != self._version:
            self._read(Row(*row) for row in await store.read(PRICES))
            self._version = version

    def _read(self, rows: Iterable[Row]) -> None:
        lists: defaultdict[tuple[str, str], _List] = defaultdict(_List)
        for row in rows:
            lists[row.kind, row.name].add(row)
        self._lists = dict(lists)

    def cost(self, carrier: str, e164: str, now: float) -> Price | None:
        """What we pay a carrier for a part to this number; None where that is not known."""
        found = self._lists.get((COST, carrier))
        return found.find(e164, now, "") if found is not None else None

    def of(self, tenant: str, e164: str, now: float, currency: str = "") -> Price | None:
        """What a tenant pays us for a part to this number, in one currency or in any.

        Its own list decides where that has the prefix, else that of all tenants.
        """
        for name in (tenant, ALL):
            found = self._lists.get((PRICE, name))
            if found is not None and (price := found.find(e164, now, currency)) is not None:
                return price
        return None

    def shown(self, tenant: str, carrier: str, e164: str, now: float) -> Price | None:
        """What a part costs whoever sends it: the tenant's price, else what we pay ourselves."""
        return self.of(tenant, e164, now) or self.cost(carrier, e164, now)

    def known(self, kind: str) -> Sequence[str]:
        """Whose prices of a kind there are."""
        return sorted(name for which, name in self._lists if which == kind)


def total(prices: Iterable[Price | None]) -> str:
    """Their sum, by currency, as people read it; "" where one of them is not known."""
    sums: defaultdict[str, int] = defaultdict(int)
    for price in prices:
        if price is None:
            return ""
        sums[price.currency] += price.amount
    return " + ".join(f"{show(amount)} {currency}" for currency, amount in sorted(sums.items()))
