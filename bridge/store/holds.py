"""Holds: what must outlive its period comes in, is agreed to or released; what is held goes out.

A hold binds from the moment it is set. Without a second person's agreement it lapses after
`lapse` seconds. One about a message (a dispute of its price or delivery) keeps that message's
traffic record alone; any other keeps all of the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update

from bridge.store.retention_tables import hold
from bridge.store.sql import Do, Lock, Many, Rows, Script, Statement, insert
from bridge.store.tables import message, subject


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that must not be deleted until then."""

    id: int
    tenant_id: int
    subject_id: int
    message_id: int  # 0: all of the person
    basis: str
    until: float
    set_by: str
    approved_by: str
    created_at: float
    released_at: float | None = None
    released_by: str = ""


@dataclass(frozen=True, slots=True)
class Agree:
    """A second person agrees to a hold."""

    id: int
    approved_by: str
    now: float
    lapse: float  # seconds for which it waits


@dataclass(frozen=True, slots=True)
class Release:
    """A hold ends."""

    id: int
    released_by: str
    now: float


@dataclass(frozen=True, slots=True)
class Held:
    """What is held now."""

    people: frozenset[int]
    messages: frozenset[int]  # whose traffic record alone


def stands() -> ColumnElement[bool]:
    """Whether a hold binds at `now`; `asked_since` is how old a proposal may be."""
    return and_(
        hold.c.released_at.is_(None),
        hold.c.until > bindparam("now"),
        or_(hold.c.approved_by != "", hold.c.created_at > bindparam("asked_since")),
    )


_COLUMNS = [hold.c[name] for name in Hold.__dataclass_fields__]
_HELD = Statement(select(hold.c.subject_id, hold.c.message_id).where(stands()))
#: The holds that stand, oldest first; of one tenant, or with 0 of all.
STANDING = Statement(
    select(*_COLUMNS)
    .where(
        stands(),
        or_(bindparam("tenant_id") == 0, hold.c.tenant_id == bindparam("tenant_id")),
    )
    .order_by(hold.c.id)
)
HOLD = Statement(select(*_COLUMNS).where(hold.c.id == bindparam("id")))
#: Whether a person is held: what PRIVACY P34 asks before an erasure.
ON_PERSON = Statement(
    select(*_COLUMNS).where(
        stands(), hold.c.subject_id == bindparam("subject_id"), hold.c.message_id == 0
    )
)
#: (tenant, person) of a message, and of a person by their own id.
PERSON_OF_MESSAGE = Statement(
    select(message.c.tenant_id, message.c.subject_id).where(message.c.id == bindparam("id"))
)
PERSON = Statement(select(subject.c.tenant_id, subject.c.id).where(subject.c.id == bindparam("id")))
PERSON_BY_INDEX = Statement(
    select(subject.c.tenant_id, subject.c.id).where(subject.c.phone_index == bindparam("index"))
)
_LOCK = Statement(
    select(subject.c.id).where(subject.c.id == bindparam("id")).with_for_update(key_share=True)
)
_ADD = insert(hold)
_AGREE = Statement(
    update(hold)
    .where(
        hold.c.id == bindparam("h_id"),
        hold.c.approved_by == "",
        hold.c.released_at.is_(None),
        hold.c.created_at > bindparam("asked_since"),
    )
    .values(approved_by=bindparam("h_by"))
)
_RELEASE = Statement(
    update(hold)
    .where(hold.c.id == bindparam("h_id"), hold.c.released_at.is_(None))
    .values(released_at=bindparam("now"), released_by=bindparam("h_by"))
)


def add_holds(items: Sequence[Hold]) -> Script:
    """True an item whose person is still there. A purge at work is over before it binds."""
    results = []
    for item in items:
        yield Lock(_LOCK, {"id": item.subject_id})
        there = yield Rows(PERSON, {"id": item.subject_id})
        if there:
            yield Many(_ADD, [{name: getattr(item, name) for name in Hold.__dataclass_fields__}])
        results.append(bool(there))
    return results


def agree_to_holds(items: Sequence[Agree]) -> Script:
    """True an item whose hold waited for it."""
    results = []
    for item in items:
        values = {
            "h_id": item.id,
            "h_by": item.approved_by,
            "asked_since": item.now - item.lapse,
        }
        results.append(bool((yield Do(_AGREE, values))))
    return results


def release_holds(items: Sequence[Release]) -> Script:
    """True an item whose hold stood."""
    results = []
    for item in items:
        values = {"h_id": item.id, "h_by": item.released_by, "now": item.now}
        results.append(bool((yield Do(_RELEASE, values))))
    return results


def held(now: float, lapse: float) -> Script:
    """What is `Held` now."""
    rows = yield Rows(_HELD, {"now": now, "asked_since": now - lapse})
    return Held(
        frozenset(row[0] for row in rows if not row[1]),
        frozenset(row[1] for row in rows if row[1]),
    )
