"""What somebody is about to send from a chat; and the one transaction in which it is sent.

A command that is worked twice, and a button that is pressed twice, send once: the update or the
draft is closed in the same transaction that stores the messages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bridge.errors import Refused
from bridge.store.accounts import BALANCE_HINT
from bridge.store.audit import Entry, append
from bridge.store.cards import CardIn, add_card
from bridge.store.chat_tables import draft
from bridge.store.sql import Do, Many, Rows, Script, Statement, alone, insert
from bridge.store.submissions import Prepared, Stored, store_submissions
from bridge.store.threads import ThreadIn, add_threads, thread_row
from bridge.store.updates import OPEN_UPDATE, close_update


@dataclass(frozen=True, slots=True)
class Draft:
    """A text and its recipients, on its way to somebody's decision."""

    id: int
    tenant_id: int
    staff_id: int
    edge: str
    place: str
    thread: str
    payload: Mapping[str, Any]
    state: str  # open sent cancelled
    created_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class ChatSend:
    """Messages that a chat's command sends, and the card that tells of them.

    It is done once for its update, or once for its draft where there is one.
    """

    update: int
    draft: int | None
    prepared: tuple[Prepared, ...]
    card: CardIn
    now: float
    agreed: Entry | None = None  # who agreed, for the audit


_ADD = insert(draft)
DRAFT = Statement(select(*draft.c).where(draft.c.id == bindparam("id")))
_OPEN = Statement(
    select(draft.c.id)
    .where(
        draft.c.id == bindparam("id"),
        draft.c.state == "open",
        draft.c.expires_at > bindparam("now"),
    )
    .with_for_update()
)
_CLOSE = Statement(
    update(draft)
    .where(draft.c.id == bindparam("d_id"), draft.c.state == "open")
    .values(state=bindparam("d_state"), payload="")
)
_CHANGE = Statement(
    update(draft)
    .where(draft.c.id == bindparam("d_id"), draft.c.state == "open")
    .values(payload=bindparam("d_payload"), expires_at=bindparam("d_expires_at"))
)
_OLD = Statement(delete(draft).where(draft.c.expires_at < bindparam("before")))


def draft_of(row: Sequence[Any]) -> Draft:
    """A draft as `DRAFT` selects it."""
    values = list(row)
    values[6] = json.loads(values[6]) if values[6] else {}
    return Draft(*values)


def store_drafts(items: Sequence[Draft]) -> Script:
    """Keep drafts until they are decided on."""
    rows = []
    for item in items:
        row = {name: getattr(item, name) for name in Draft.__dataclass_fields__}
        rows.append({**row, "payload": json.dumps(dict(item.payload))})
    yield Many(_ADD, rows)
    return [None] * len(items)


def change_drafts(items: Sequence[Draft]) -> Script:
    """True an item that was still open; its payload and expiry are the new ones."""
    results = []
    for item in items:
        values = {
            "d_id": item.id,
            "d_payload": json.dumps(dict(item.payload)),
            "d_expires_at": item.expires_at,
        }
        results.append(bool((yield Do(_CHANGE, values))))
    return results


def cancel_drafts(items: Sequence[int]) -> Script:
    """True an item that was still open."""
    results = []
    for item in items:
        results.append(bool((yield Do(_CLOSE, {"d_id": item, "d_state": "cancelled"}))))
    return results


def forget_drafts(now: float) -> Script:
    """Drop what nobody decided on in time; how many."""
    return (yield Do(_OLD, {"before": now}))


@alone
def send_from_chats(items: Sequence[ChatSend]) -> Script:
    """A tuple of `Stored` an item; None where it was sent (or dropped) before."""
    mine = []
    for item in items:
        mine.append((yield from _mine(item)))
    fresh = [item for item, is_mine in zip(items, mine, strict=True) if is_mine]
    stored = yield from store_submissions([p for item in fresh for p in item.prepared])
    found: dict[int, Stored] = {s.id: s for s in stored}
    if any(each.unpaid for each in stored):
        # All of a command or nothing: rolled back, and tried again without the others.
        raise Refused("there is not enough credit for this", BALANCE_HINT)
    for item in fresh:
        yield from add_card(item.card, [p.id for p in item.prepared])
    yield from add_threads([_thread(item, p, found[p.id]) for item in fresh for p in item.prepared])
    yield from append([item.agreed for item in fresh if item.agreed is not None])
    return [
        tuple(found[p.id] for p in item.prepared) if is_mine else None
        for item, is_mine in zip(items, mine, strict=True)
    ]


def _mine(item: ChatSend) -> Script:
    """Close the update, and the draft; False where that was done before."""
    if item.draft is None:
        if not (yield Rows(OPEN_UPDATE, {"id": item.update})):
            return False
        return (yield from close_update(item.update, item.now))
    if not (yield Rows(_OPEN, {"id": item.draft, "now": item.now})):
        return False
    sent = bool((yield Do(_CLOSE, {"d_id": item.draft, "d_state": "sent"})))
    if sent:
        yield from close_update(item.update, item.now)
    return sent


def _thread(item: ChatSend, prepared: Prepared, stored: Stored) -> dict[str, object]:
    card = item.card
    wanted = ThreadIn(
        prepared.id,
        prepared.tenant_id,
        card.edge,
        card.place,
        stored.subject_id,
        prepared.originator,
        item.now,
    )
    return thread_row(wanted)
