"""What everything leaves behind: attempts, written before a part leaves, and events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from bridge.store.sql import Statement, insert
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
