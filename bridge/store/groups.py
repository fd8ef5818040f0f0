"""A tenant's groups: members come in and out by contact or by number, groups and counts go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, delete, distinct, func, or_, select

from bridge.store.chat_tables import contact, contact_group, group_member
from bridge.store.claimed import unclaimed
from bridge.store.names import (
    MEMBER,
    MEMBERSHIPS,
    Put,
    Someone,
    contacts_named,
    groups_named,
    hold,
    make_free,
    people_known,
    people_made,
)
from bridge.store.sql import (
    Do,
    Many,
    Rows,
    Script,
    Statement,
    Values,
    among,
    insert,
    insert_new,
    unique,
)
from bridge.store.tables import subject


@dataclass(frozen=True, slots=True)
class Members:
    """People of a group, by contact and by number; `id` is for the group if it is not there yet."""

    tenant_id: int
    group: str
    contacts: Sequence[str]
    people: Sequence[Someone]
    now: float
    id: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """How many memberships came or went; with `unknown` contacts, none.

    `group` tells of the group itself; None where there is none of this name.
    """

    count: int = 0
    unknown: tuple[str, ...] = ()
    group: Put | None = None


#: (name, how many people) of a tenant's groups.
GROUPS = Statement(
    select(contact_group.c.name, func.count(distinct(subject.c.id)))
    .select_from(MEMBERSHIPS.outerjoin(subject, subject.c.id == MEMBER))
    .where(contact_group.c.tenant_id == bindparam("tenant_id"), unclaimed(contact_group))
    .group_by(contact_group.c.id, contact_group.c.name)
    .order_by(contact_group.c.name)
)
#: (group, contact or "", number) of all members of a tenant's groups.
MEMBERS = Statement(
    select(contact_group.c.name, func.coalesce(contact.c.name, ""), subject.c.phone)
    .select_from(MEMBERSHIPS.join(subject, subject.c.id == MEMBER))
    .where(contact_group.c.tenant_id == bindparam("tenant_id"), unclaimed(contact_group))
    .order_by(contact_group.c.name, func.coalesce(contact.c.name, ""), subject.c.id)
)
_ADD = insert(contact_group)
_JOIN = insert_new(group_member)
_CONTACTS_OF = Statement(
    select(contact.c.id).where(
        contact.c.tenant_id == bindparam("tenant_id"), among(contact.c.subject_id, "people")
    )
)
_LEAVE = Statement(
    delete(group_member).where(
        group_member.c.group_id == bindparam("g_id"),
        or_(
            among(group_member.c.contact_id, "contacts"),
            and_(group_member.c.contact_id == 0, among(group_member.c.subject_id, "people")),
        ),
    )
)
_EMPTY = Statement(delete(group_member).where(group_member.c.group_id == bindparam("g_id")))
_GONE = Statement(delete(contact_group).where(contact_group.c.id == bindparam("g_id")))


def put_members(items: Sequence[Members]) -> Script:
    """A `Changed` an item; a group that is not there yet is made."""
    yield from hold(i.tenant_id for i in items)
    results = []
    for item in items:
        results.append((yield from _put(item)))
    return results


def _put(item: Members) -> Script:
    yield from make_free(item.tenant_id, [item.group])
    contacts = yield from contacts_named(item.tenant_id, {*item.contacts, item.group})
    if item.group in contacts:
        return Changed(group=Put.TAKEN)
    groups = yield from groups_named(item.tenant_id, [item.group])
    unknown = tuple(name for name in item.contacts if name not in contacts)
    if unknown:
        return Changed(unknown=unknown, group=Put.SAME if groups else None)
    number = groups.get(item.group, item.id)
    if not groups:
        base = {"id": number, "tenant_id": item.tenant_id}
        yield Many(_ADD, [{**base, "name": item.group, "created_at": item.now}])
    count = yield from _join(item, number, [contacts[name][0] for name in item.contacts])
    if not groups:
        return Changed(count, group=Put.ADDED)
    return Changed(count, group=Put.CHANGED if count else Put.SAME)


def _join(item: Members, group: int, contacts: Sequence[int]) -> Script:
    people = yield from people_made(item.tenant_id, item.people, item.now)
    pairs = [(number, 0) for number in contacts] + [(0, person) for person in people.values()]
    rows = [{"group_id": group, "contact_id": c, "subject_id": s} for c, s in pairs]
    return (yield Many(_JOIN, rows)) if rows else 0


def remove_members(items: Sequence[Members]) -> Script:
    """A `Changed` an item: these people leave the group, by whatever name they stand in it."""
    yield from hold(i.tenant_id for i in items)
    results = []
    for item in items:
        results.append((yield from _leave(item)))
    return results


def _leave(item: Members) -> Script:
    groups = yield from groups_named(item.tenant_id, [item.group])
    if not groups:
        return Changed()
    contacts = yield from contacts_named(item.tenant_id, item.contacts)
    unknown = tuple(name for name in item.contacts if name not in contacts)
    if unknown:
        return Changed(unknown=unknown, group=Put.SAME)
    known = yield from people_known(i.phone_index for i in item.people)
    people = unique([*known.values(), *(person for _, person in contacts.values())])
    same = yield Rows(_CONTACTS_OF, {"tenant_id": item.tenant_id, "people": people})
    ids = Values(row[0] for row in same)
    values = {"g_id": groups[item.group], "people": people, "contacts": ids}
    count = yield Do(_LEAVE, values)
    return Changed(count, group=Put.CHANGED if count else Put.SAME)


def remove_groups(items: Sequence[tuple[int, str]]) -> Script:
    """True an item (tenant, name) that was a group; its members stay contacts."""
    yield from hold(i[0] for i in items)
    results = []
    for tenant_id, name in items:
        found = yield from groups_named(tenant_id, [name])
        for number in found.values():
            yield Do(_EMPTY, {"g_id": number})
            yield Do(_GONE, {"g_id": number})
        results.append(bool(found))
    return results
