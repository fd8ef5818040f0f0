"""Counts of carriers' answers and receipts go in; sums a slot, and carriers' weights, come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    Double,
    Integer,
    Subquery,
    Text,
    bindparam,
    delete,
    func,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from bridge.store.health_tables import carrier_health, carrier_tally
from bridge.store.sql import Do, Many, Script, Statement, batched

COUNTS: Final = ("answered", "accepted", "errors", "throttled", "late", "reported")
#: Milliseconds that counts are kept for: well beyond what any judgement looks back on.
KEPT_MS: Final = 6 * 3600 * 1000


@dataclass(slots=True)
class Counted:
    """What one process counted of one carrier in one slot."""

    carrier: str
    slot: int
    incarnation: int
    answered: int = 0
    accepted: int = 0
    errors: int = 0
    throttled: int = 0
    late: int = 0
    reported: int = 0


@dataclass(frozen=True, slots=True)
class Weighed:
    """A carrier's weight, 0 to 1, and what it follows from."""

    carrier: str
    weight: float
    usual: float
    reason: str
    changed_at: float


def _add(given: Subquery, database: str) -> ClauseElement:
    clause = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(carrier_tally)
    clause = clause.from_select([c.name for c in given.c], select(*given.c).where(true()))
    added: ClauseElement = clause.on_conflict_do_update(
        index_elements=["carrier", "slot", "incarnation"],
        set_={name: carrier_tally.c[name] + clause.excluded[name] for name in COUNTS},
    )
    return added


_ADD = batched(
    _add,
    carrier=Text,
    slot=BigInteger,
    incarnation=BigInteger,
    answered=Integer,
    accepted=Integer,
    errors=Integer,
    throttled=Integer,
    late=Integer,
    reported=Integer,
)
_OLD = Statement(delete(carrier_tally).where(carrier_tally.c.slot < bindparam("before")))
#: (slot, then each of COUNTS) of a carrier since a slot, over all processes.
SLOTS = Statement(
    select(carrier_tally.c.slot, *(func.sum(carrier_tally.c[name]) for name in COUNTS))
    .where(
        carrier_tally.c.carrier == bindparam("carrier"), carrier_tally.c.slot >= bindparam("since")
    )
    .group_by(carrier_tally.c.slot)
    .order_by(carrier_tally.c.slot)
)
#: Every carrier's weight, as `Weighed`.
WEIGHTS = Statement(select(carrier_health))


def _weigh(given: Subquery, database: str) -> ClauseElement:
    clause = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(carrier_health)
    clause = clause.from_select([c.name for c in given.c], select(*given.c).where(true()))
    kept: ClauseElement = clause.on_conflict_do_update(
        index_elements=["carrier"],
        set_={name: clause.excluded[name] for name in ("weight", "usual", "reason", "changed_at")},
    )
    return kept


_WEIGH = batched(_weigh, carrier=Text, weight=Double, usual=Double, reason=Text, changed_at=Double)


def count(items: Sequence[Sequence[Counted]]) -> Script:
    """Nothing an item: what was counted is added to its slots."""
    rows = [asdict(one) for item in items for one in item]
    if rows:
        yield Many(_ADD, rows)
        newest = max(row["slot"] for row in rows)
        yield Do(_OLD, {"before": newest - KEPT_MS})
    return [None] * len(items)


def weigh(items: Sequence[Weighed]) -> Script:
    """Nothing an item: these are the carriers' weights now."""
    newest = {item.carrier: item for item in items}
    yield Many(_WEIGH, [asdict(newest[name]) for name in sorted(newest)])
    return [None] * len(items)
