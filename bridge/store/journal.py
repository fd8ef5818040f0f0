"""What everything leaves behind: attempts, written before a part leaves, and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select

from bridge.store.sql import Do, Rows, Script, Statement, Values, insert
from bridge.store.tables import attempt, event, incarnation

ATTEMPT_ADD = insert(
    attempt,
    (
        "id",
        "message_id",
        "part",
        "total",
        "carrier",
        "state",
        "carrier_id",
        "reason",
        "incarnation",
        "at",
    ),
)
#: A process may claim only while nobody takes it for dead; what it claims then is its own.
ALIVE = Statement(
    select(incarnation.c.id).where(incarnation.c.id == bindparam("me")).with_for_update(read=True)
)
EVENT_ADD = insert(event, ("message_id", "kind", "detail", "at"))
PART_EVENT_ADD = insert(event, ("message_id", "part", "kind", "detail", "at"))


def lease_due(
    due: Statement, lease: Statement, values: Mapping[str, Any], incarnation: int
) -> Script:
    """The rows of `due`, whose first column is their id, leased to a process.

    None for one that others take for dead: nobody would free what it claims.
    """
    if not (yield Rows(ALIVE, {"me": incarnation})):
        return []
    found = yield Rows(due, values)
    if found:
        ids = Values(sorted(row[0] for row in found))
        yield Do(lease, {"ids": ids, "c_lease": incarnation})
    return found


def give_back_own(
    own: Statement, free: Statement, values: Mapping[str, Any], keep: frozenset[int]
) -> Script:
    """How many rows that a process has leased, and does not keep, are free again."""
    found = yield Rows(own, values)
    ids = sorted({row[0] for row in found} - keep)
    return (yield Do(free, {"ids": Values(ids)})) if ids else 0


def attempt_row(
    number: int, message: int, part: int, total: int, carrier: str, incarnation: int, now: float
) -> dict[str, Any]:
    """An attempt that is about to be made."""
    return {
        "id": number,
        "message_id": message,
        "part": part,
        "total": total,
        "carrier": carrier,
        "state": "claimed",
        "carrier_id": "",
        "reason": "",
        "incarnation": incarnation,
        "at": now,
    }
