"""Wishes in free words that wait for somebody to look: found, decided, reminded of (P36)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from bridge.store.list_tables import wish
from bridge.store.sql import Do, Rows, Script, Statement, Values, among


@dataclass(frozen=True, slots=True)
class Decided:
    """Somebody has looked at a person's wishes."""

    tenant_id: int
    subject_id: int
    decision: str  # opted-out | blocked | no-wish
    actor: str
    now: float


#: (reply, at, due) of a tenant's wishes that wait, the oldest first.
OPEN_WISHES = Statement(
    select(wish.c.reply_id, wish.c.at, wish.c.due_at)
    .where(wish.c.tenant_id == bindparam("tenant"), wish.c.decided_at.is_(None))
    .order_by(wish.c.due_at)
)
_DECIDE = Statement(
    update(wish)
    .where(
        wish.c.tenant_id == bindparam("w_tenant"),
        wish.c.subject_id == bindparam("w_subject"),
        wish.c.decided_at.is_(None),
    )
    .values(
        decided_at=bindparam("w_now"), decision=bindparam("w_decision"), actor=bindparam("w_actor")
    )
)
_OVERDUE = Statement(
    select(wish.c.reply_id)
    .where(wish.c.decided_at.is_(None), ~wish.c.reminded, wish.c.due_at < bindparam("now"))
    .limit(500)
    .with_for_update(skip_locked=True)
)
_REMINDED = Statement(
    update(wish).where(among(wish.c.reply_id, "ids")).values(reminded=bindparam("w_reminded"))
)


def decide_wishes(items: Sequence[Decided]) -> Script:
    """How many wishes of each person waited, and wait no more."""
    results = []
    for item in items:
        row = {
            "w_tenant": item.tenant_id,
            "w_subject": item.subject_id,
            "w_now": item.now,
            "w_decision": item.decision,
            "w_actor": item.actor,
        }
        results.append((yield Do(_DECIDE, row)))
    return results


def overdue_wishes(items: Sequence[float]) -> Script:
    """How many wishes nobody has looked at in time; each is counted once."""
    results = []
    for now in items:
        found = yield Rows(_OVERDUE, {"now": now})
        if found:
            ids = Values(row[0] for row in found)
            yield Do(_REMINDED, {"ids": ids, "w_reminded": True})
        results.append(len(found))
    return results
