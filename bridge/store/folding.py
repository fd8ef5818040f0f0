"""Alerts that are the same come in; all but the first are counted, and told of when it is over.

Each keeps its own row in the log, `cancelled` with the reason `folded`: nothing is lost there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Double,
    Integer,
    Subquery,
    Text,
    bindparam,
    delete,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.model import State
from bridge.store.brake_tables import fold
from bridge.store.sql import Do, Many, Rows, Script, Statement, alone, among, batched, unique
from bridge.store.tables import body, conversation, message, subject

FOLDED: Final = "folded"
BATCH: Final = 100


class Alert(Protocol):
    """A message on its way into the outbox."""

    id: int
    state: str
    now: float
    fold: tuple[str, float] | None  # what makes it the same alert, and for how many seconds


def _count(given: Subquery, database: str) -> ClauseElement:
    clause = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(fold)
    clause = clause.from_select([c.name for c in fold.columns], select(*given.c).where(true()))
    found: ClauseElement = clause.on_conflict_do_update(
        index_elements=[fold.c.key],
        set_={"count": fold.c["count"] + clause.excluded["count"]},
    )
    return found


_COUNT = batched(_count, key=Text, message_id=BigInteger, count=Integer, ends_at=Double)
_FIRST = Statement(select(fold.c.key, fold.c.message_id).where(among(fold.c.key, "keys")))
_VOID = Statement(delete(fold).where(among(fold.c.message_id, "ids")))
_OVER = Statement(delete(fold).where(fold.c.key == bindparam("key")).returning(fold.c["count"]))
#: What is over: the key, and of the first one whose it is, from where, and what it said (null
#: where that has been erased).
OVER = Statement(
    select(
        fold.c.key,
        message.c.tenant_id,
        subject.c.phone,
        subject.c.country,
        body.c.text,
        body.c.origin,
        conversation.c.origin_kind,
        conversation.c.origin_address,
        message.c.urgent,
        message.c.originator,
        message.c.encoding,
    )
    .outerjoin(message, message.c.id == fold.c.message_id)
    .outerjoin(subject, subject.c.id == message.c.subject_id)
    .outerjoin(body, body.c.message_id == message.c.id)
    .outerjoin(conversation, conversation.c.id == message.c.conversation_id)
    .where(fold.c.ends_at <= bindparam("now"))
    .order_by(fold.c.ends_at)
    .limit(BATCH)
)


def fold_in(items: Sequence[Alert]) -> Script:
    """Message → the first of its kind, for those that are counted only.

    The row stays locked until the commit: who comes meanwhile is counted too, or begins anew.
    """
    groups: dict[str, list[Alert]] = {}
    spans: dict[str, float] = {}
    for item in items:
        if item.fold is not None and item.state == State.QUEUED:
            key, spans[item.fold[0]] = item.fold
            groups.setdefault(key, []).append(item)
    if not groups:
        return {}
    rows = [
        {
            "key": key,
            "message_id": groups[key][0].id,
            "count": len(groups[key]),
            "ends_at": groups[key][0].now + spans[key],
        }
        for key in sorted(groups)
    ]
    yield Many(_COUNT, rows)
    first: Mapping[str, int] = dict((yield Rows(_FIRST, {"keys": unique(groups)})))
    return {
        item.id: first[key]
        for key, group in groups.items()
        for item in group
        if first[key] != item.id
    }


def unfold(ids: Sequence[int]) -> Script:
    """These were not taken: what was counted under them is not told of."""
    yield Do(_VOID, {"ids": unique(ids)})


@dataclass(frozen=True, slots=True)
class FoldOver:
    """A window's end; `tell` makes a message of how many more there were, and stores it."""

    key: str
    tell: Callable[[int], Script]


@alone
def close_folds(items: Sequence[FoldOver]) -> Script:
    """What each `tell` returned; None where nothing more came, or another process was faster."""
    results = []
    for item in items:
        rows = yield Rows(_OVER, {"key": item.key})
        more = rows[0][0] - 1 if rows else 0
        results.append((yield from item.tell(more)) if more > 0 else None)
    return results
