"""Small facts about the store itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Double, and_, bindparam, cast, extract, func, select, update

from bridge.store.sql import Many, Rows, Script, Statement, constant, insert_new
from bridge.store.tables import body, fact, message

_ADD = insert_new(fact)
_SET = Statement(
    update(fact).where(fact.c.name == bindparam("f_name")).values(value=bindparam("f_value"))
)
_GET = Statement(select(fact.c.value).where(fact.c.name == bindparam("name")))


#: `message.rules` of an SMS that carries a code for its person alone (PRIVACY P23).
CODE_RULES: Final = ("request-code", "portal-code")
#: A message's body, where anybody but its person may read it.
READABLE: Final = and_(
    body.c.message_id == message.c.id,
    message.c.rules.not_in([constant(rule) for rule in CODE_RULES]),
)
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


def note(items: Sequence[tuple[str, str]]) -> Script:
    """Each fact has this value from now on."""
    for name, value in items:
        yield Many(_ADD, [{"name": name, "value": value}])
        yield Many(_SET, [{"f_name": name, "f_value": value}])
    return [None] * len(items)
