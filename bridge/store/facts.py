"""Small facts about the store itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Double, bindparam, cast, extract, func, select

from bridge.store.sql import Many, Rows, Script, Statement, insert_new
from bridge.store.tables import fact

_ADD = insert_new(fact)
_GET = Statement(select(fact.c.value).where(fact.c.name == bindparam("name")))


#: The database's clock, which several machines share. Only PostgreSQL knows it.
CLOCK = Statement(select(cast(extract("epoch", func.clock_timestamp()), Double)))


def settle(items: Sequence[tuple[str, str]]) -> Script:
    """Each fact's value: the one given if it was not known, else the one that stands."""
    results = []
    for name, value in items:
        yield Many(_ADD, [{"name": name, "value": value}])
        found = yield Rows(_GET, {"name": name})
        results.append(found[0][0])
    return results
