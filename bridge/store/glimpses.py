"""Links that show a reply's text once, for chats that may not carry it (PRIVACY P56)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update

from bridge.store import ids
from bridge.store.audit import Entry, append
from bridge.store.chat_tables import glimpse
from bridge.store.sql import Do, Many, Rows, Script, Statement, insert_new
from bridge.store.tables import reply, reply_body

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
    select(reply_body.c.reply_id, reply_body.c.text, glimpse.c.tenant_id, reply.c.subject_id)
    .join(glimpse, glimpse.c.reply_id == reply_body.c.reply_id)
    .join(reply, reply.c.id == reply_body.c.reply_id)
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
    """A `Seen` an item; None where the link was opened before, is over, or never was.

    The audit tells the tenant of each one (P61).
    """
    results, entries = [], []
    for item in items:
        seen = None
        if (yield Do(_OPEN, {"g_hash": item.hash, "now": item.now})):
            for number, text, *whose in (yield Rows(_TEXT, {"hash": item.hash})):
                seen = Seen(number, text)
                shown = ids.show(number)
                entries.append(Entry("one-time link", "read a reply", shown, item.now, *whose))
        results.append(seen)
    yield from append(entries)
    return results


def forget_glimpses(now: float) -> Script:
    """Drop links that are over; how many."""
    return (yield Do(_OLD, {"before": now - VALID_SECONDS}))
