"""Links that show a reply's text once, for chats that may not carry it (PRIVACY P56)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update

from bridge.store import ids
from bridge.store.chat_tables import glimpse
from bridge.store.logbook import Look, record_looks
from bridge.store.sql import Do, Many, Rows, Script, Statement, insert_new
from bridge.store.tables import reply_body

VALID_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A link; its secret is known by its keyed hash."""

    hash: str
    tenant_id: int
    reply_id: int
    expires_at: float


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody opens a link."""

    hash: str
    now: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What a link opened on."""

    reply_id: int
    text: str


_ADD = insert_new(glimpse)
_OPEN = Statement(
    update(glimpse)
    .where(
        glimpse.c.hash == bindparam("g_hash"),
        glimpse.c.used_at.is_(None),
        glimpse.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
)
_TEXT = Statement(
    select(reply_body.c.reply_id, reply_body.c.text)
    .join(glimpse, glimpse.c.reply_id == reply_body.c.reply_id)
    .where(glimpse.c.hash == bindparam("hash"))
)
_OLD = Statement(delete(glimpse).where(glimpse.c.expires_at < bindparam("before")))


def add_glimpses(items: Sequence[Glimpse]) -> Script:
    """Make links."""
    rows = [
        {
            "hash": item.hash,
            "tenant_id": item.tenant_id,
            "reply_id": item.reply_id,
            "expires_at": item.expires_at,
            "used_at": None,
        }
        for item in items
    ]
    yield Many(_ADD, rows)
    return [None] * len(items)


def open_glimpses(items: Sequence[Opened]) -> Script:
    """A `Seen` an item; None where the link was opened before, is over, or never was."""
    results = []
    for item in items:
        seen = None
        if (yield Do(_OPEN, {"g_hash": item.hash, "now": item.now})):
            found = yield Rows(_TEXT, {"hash": item.hash})
            seen = Seen(*found[0]) if found else None
        if seen is not None:
            look = Look("one-time link", "read a reply", ids.show(seen.reply_id), item.now)
            yield from record_looks([look])
        results.append(seen)
    return results


def forget_glimpses(now: float) -> Script:
    """Drop links that are over; how many."""
    return (yield Do(_OLD, {"before": now - VALID_SECONDS}))
