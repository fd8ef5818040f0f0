"""What contacts and groups share: names come in, the rows they stand for go out, held for changes.

Names come as `bridge.naming` compares them. Whoever changes names holds the tenant's row, so that
a contact and a group never share one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, func, select, union_all

from bridge.store.chat_tables import contact, contact_group, group_member
from bridge.store.claimed import MARK, set_aside, unclaimed
from bridge.store.sql import (
    Do,
    Lock,
    Many,
    Rows,
    Script,
    Statement,
    among,
    constant,
    insert_new,
    unique,
)
from bridge.store.tables import subject, tenant


class Put(StrEnum):
    """What became of something that was put."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "same"
    TAKEN = "taken"  # a group has the contact's name, or the other way round: nothing is stored


@dataclass(frozen=True, slots=True)
class Someone:
    """A number on its way into `subject`; `id` is for the rows that it may be the first to need."""

    id: int
    phone: str
    phone_index: str
    all_index: str
    country: str
    older: tuple[str, ...] = ()  # the tokens under older peppers


#: Groups with their memberships, and who each one is about.
MEMBERSHIPS = contact_group.outerjoin(
    group_member, group_member.c.group_id == contact_group.c.id
).outerjoin(contact, contact.c.id == group_member.c.contact_id)
MEMBER = func.coalesce(contact.c.subject_id, group_member.c.subject_id)

_CONTACTS = Statement(
    select(contact.c.name, contact.c.id, contact.c.subject_id).where(
        contact.c.tenant_id == bindparam("tenant_id"),
        among(contact.c.name, "names"),
        unclaimed(contact),
    )
)
_GROUPS = Statement(
    select(contact_group.c.name, contact_group.c.id).where(
        contact_group.c.tenant_id == bindparam("tenant_id"),
        among(contact_group.c.name, "names"),
        unclaimed(contact_group),
    )
)
_ASIDE = (set_aside(contact), set_aside(contact_group))
_PERSON = (subject.c.id, subject.c.phone, subject.c.country)
#: (kind, name, subject id, number, country) of a tenant's contacts and groups by name. An empty
#: group has one row, without a person.
NAMED = Statement(
    union_all(
        select(constant("contact").label("kind"), contact.c.name, *_PERSON)
        .join(subject, subject.c.id == contact.c.subject_id)
        .where(
            contact.c.tenant_id == bindparam("tenant_id"),
            among(contact.c.name, "names"),
            unclaimed(contact),
        ),
        select(constant("group").label("kind"), contact_group.c.name, *_PERSON)
        .select_from(MEMBERSHIPS.outerjoin(subject, subject.c.id == MEMBER))
        .where(
            contact_group.c.tenant_id == bindparam("tenant_id"),
            among(contact_group.c.name, "names"),
            unclaimed(contact_group),
        ),
    )
)
_TENANTS = Statement(
    select(tenant.c.id).where(among(tenant.c.id, "ids")).order_by(tenant.c.id).with_for_update()
)
_PEOPLE = Statement(
    select(subject.c.phone_index, subject.c.id)
    .where(among(subject.c.phone_index, "keys"))
    .order_by(subject.c.id)
    .with_for_update(read=True, key_share=True)
)
_PERSON_ADD = insert_new(subject)


def hold(tenants: Iterable[int]) -> Script:
    """Nobody else changes these tenants' names until the transaction ends."""
    yield Lock(_TENANTS, {"ids": unique(tenants)})


def make_free(tenant_id: int, names: Iterable[str]) -> Script:
    """Names that only what is claimed for deletion still has may be given anew (P1)."""
    values = {"a_tenant": tenant_id, "names": unique(names), "a_mark": MARK}
    for statement in _ASIDE:
        yield Do(statement, values)


def contacts_named(tenant_id: int, names: Iterable[str]) -> Script:
    """Name → (contact, subject) of those that there are."""
    found = yield Rows(_CONTACTS, {"tenant_id": tenant_id, "names": unique(names)})
    return {row[0]: (row[1], row[2]) for row in found}


def groups_named(tenant_id: int, names: Iterable[str]) -> Script:
    """Name → group of those that there are."""
    found = yield Rows(_GROUPS, {"tenant_id": tenant_id, "names": unique(names)})
    return {row[0]: row[1] for row in found}


def people_known(keys: Iterable[str]) -> Script:
    """phone_index → subject of those that there are."""
    found = yield Rows(_PEOPLE, {"keys": unique(keys)})
    return {row[0]: row[1] for row in found}


def people_made(tenant_id: int, wanted: Sequence[Someone], now: float) -> Script:
    """phone_index → subject; the missing ones are made."""
    first = {i.phone_index: i for i in wanted}
    known = yield from people_known(first)
    rows = [_subject(tenant_id, first[key], now) for key in sorted(first.keys() - known.keys())]
    if rows:
        yield Many(_PERSON_ADD, rows)
        # Another process may have made one of them meanwhile.
        known = yield from people_known(first)
    return known


def _subject(tenant_id: int, person: Someone, now: float) -> dict[str, Any]:
    return {
        "id": person.id,
        "tenant_id": tenant_id,
        "phone": person.phone,
        "phone_index": person.phone_index,
        "all_index": person.all_index,
        "country": person.country,
        "created_at": now,
    }
