"""Prices from a file come in, those that stand go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Double,
    Subquery,
    Text,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.store.price_tables import price
from bridge.store.sql import Many, Script, Statement, batched, constant
from bridge.store.tables import fact

COST: Final = "cost"
PRICE: Final = "price"
#: The name of the prices of every tenant that has none of its own.
ALL: Final = "*"
_VERSION: Final = "prices"


@dataclass(frozen=True, slots=True)
class Row:
    """A price of one part, in micro-units; `valid_from` in Unix seconds."""

    kind: str
    name: str
    prefix: str
    currency: str
    amount: int
    valid_from: float = 0.0


@dataclass(frozen=True, slots=True)
class Import:
    """The prices of a file."""

    rows: tuple[Row, ...]
    now: float
    version: str  # other than any before


_COLUMNS = tuple(Row.__dataclass_fields__)
PRICES = Statement(
    select(*(price.c[name] for name in _COLUMNS)).order_by(
        price.c.kind, price.c.name, price.c.prefix, price.c.currency, price.c.valid_from
    )
)
#: Changes whenever a price does.
VERSION = Statement(select(fact.c.value).where(fact.c.name == constant(_VERSION)))


def _add(given: Subquery, database: str) -> ClauseElement:
    clause = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(price)
    clause = clause.from_select([*_COLUMNS, "imported_at"], select(*given.c).where(true()))
    added: ClauseElement = clause.on_conflict_do_update(
        index_elements=["kind", "name", "prefix", "currency", "valid_from"],
        set_={"amount": clause.excluded.amount, "imported_at": clause.excluded.imported_at},
    )
    return added


def _mark(given: Subquery, database: str) -> ClauseElement:
    clause = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(fact)
    clause = clause.from_select(["name", "value"], select(*given.c).where(true()))
    marked: ClauseElement = clause.on_conflict_do_update(
        index_elements=["name"], set_={"value": clause.excluded.value}
    )
    return marked


_ADD = batched(
    _add,
    kind=Text,
    name=Text,
    prefix=Text,
    currency=Text,
    amount=BigInteger,
    valid_from=Double,
    imported_at=Double,
)
_MARK = batched(_mark, name=Text, value=Text)
_BATCH = 1000


def put_prices(items: Sequence[Import]) -> Script:
    """How many prices an item brought; one of the same prefix, currency and day is replaced."""
    for item in items:
        rows = [
            {**{name: getattr(row, name) for name in _COLUMNS}, "imported_at": item.now}
            for row in item.rows
        ]
        for at in range(0, len(rows), _BATCH):
            yield Many(_ADD, rows[at : at + _BATCH])
        yield Many(_MARK, [{"name": _VERSION, "value": item.version}])
    return [len(item.rows) for item in items]
