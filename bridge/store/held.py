"""A person decides on a message that waits for one: it comes in by id, and is queued or ended.

What waits is held (its sender was not proved), or unknown: it may have left already, and its class
forbids to send it again unasked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from bridge.model import State
from bridge.store import ids
from bridge.store.audit import Entry, append
from bridge.store.cards import touch_cards
from bridge.store.claims import end_messages
from bridge.store.journal import EVENT_ADD
from bridge.store.sql import Do, Many, Rows, Script, Statement
from bridge.store.tables import message, subject, tenant

#: The states in which a message waits for a person.
WAITING = (State.HELD, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Decide:
    """What a person decided. `validity` is the tenant's, in seconds, counted anew on a release.

    `opens` and `closes` are the hours in which an advertisement may leave.
    """

    id: int
    release: bool
    validity: float
    now: float
    actor: str
    opens: float = 0.0
    closes: float = math.inf


@dataclass(frozen=True, slots=True)
class Decided:
    """Its state before and after, and the lane it is in."""

    before: State
    after: State
    lane: str


_FIND = Statement(
    select(
        message.c.state,
        message.c.lane,
        message.c.due_at,
        message.c.resent,
        message.c.tenant_id,
        message.c.subject_id,
    )
    .where(message.c.id == bindparam("m_id"))
    .with_for_update()
)
_QUEUE = Statement(
    update(message)
    .where(message.c.id == bindparam("m_id"))
    .values(
        state="queued",
        reason="",
        due_at=bindparam("m_due_at"),
        expires_at=bindparam("m_expires_at"),
        resent=bindparam("m_resent"),
        lease=None,
    )
)
#: (tenant, its settings, class, due_at, number, country) of a message.
FACTS = Statement(
    select(
        message.c.tenant_id,
        tenant.c.settings,
        message.c["class"],
        message.c.due_at,
        subject.c.phone,
        subject.c.country,
    )
    .join(tenant, tenant.c.id == message.c.tenant_id)
    .join(subject, subject.c.id == message.c.subject_id)
    .where(message.c.id == bindparam("id"))
)


def decide(items: Sequence[Decide]) -> Script:
    """A `Decided` an item, which names a message; what no longer waits stays as it is."""
    results: list[Decided] = []
    entries: list[Entry] = []
    for item in items:
        results.append((yield from _decide(item, entries)))
    yield from append(entries)
    return results


def _decide(item: Decide, entries: list[Entry]) -> Script:
    found = yield Rows(_FIND, {"m_id": item.id})
    said, lane, due_at, resent, *whose = found[0]
    state = State(said)
    if state not in WAITING:
        return Decided(state, state, lane)
    action = "held release" if item.release else "held drop"
    entries.append(Entry(item.actor, action, ids.show(item.id), item.now, *whose))
    if not item.release:
        yield from end_messages([item.id], State.CANCELLED, "dropped-by-operator", item.now)
        return Decided(state, State.CANCELLED, lane)
    due = max(item.now, due_at, item.opens)  # a time that its writer asked for still holds
    yield Do(
        _QUEUE,
        {
            "m_id": item.id,
            "m_due_at": due,
            "m_expires_at": min(due + item.validity, item.closes),
            "m_resent": resent + (state is State.UNKNOWN),
        },
    )
    event = {"message_id": item.id, "kind": "queued", "detail": "released-by-operator"}
    yield Many(EVENT_ADD, [{**event, "at": item.now}])
    yield from touch_cards([item.id], item.now)
    return Decided(state, State.QUEUED, lane)
