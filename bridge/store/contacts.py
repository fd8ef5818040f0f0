"""A tenant's contacts: names for numbers come in to be kept or forgotten, alone or a file at once.

A number stands in `subject` alone; a contact refers to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, delete, select, update

from bridge.store.chat_tables import contact, contact_group, group_member
from bridge.store.claimed import unclaimed
from bridge.store.consents import Give, give
from bridge.store.listed import ANY, suppressed
from bridge.store.names import (
    Put,
    Someone,
    contacts_named,
    groups_named,
    hold,
    make_free,
    people_made,
)
from bridge.store.sql import Do, Many, Script, Statement, insert, insert_new
from bridge.store.tables import subject


@dataclass(frozen=True, slots=True)
class ContactIn:
    """A name for a number, and the groups that it joins."""

    name: str
    person: Someone
    groups: tuple[str, ...] = ()
    consent: Give | None = None


@dataclass(frozen=True, slots=True)
class PutContacts:
    """Contacts of a tenant, all or none; each name once.

    `group_ids` are for groups that are not there yet. With `leave_out`, whoever is on the list not
    to be texted does not become a contact.
    """

    tenant_id: int
    contacts: Sequence[ContactIn]
    now: float
    group_ids: Mapping[str, int] = field(default_factory=dict)
    leave_out: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of each name, without those left out.

    With `clashes`, names that would be a contact's and a group's, nothing was stored.
    """

    contacts: Mapping[str, Put]
    clashes: tuple[str, ...] = ()


#: (name, number, country) of a tenant's contacts.
CONTACTS = Statement(
    select(contact.c.name, subject.c.phone, subject.c.country)
    .join(subject, subject.c.id == contact.c.subject_id)
    .where(contact.c.tenant_id == bindparam("tenant_id"), unclaimed(contact))
    .order_by(contact.c.name)
)
_ADD = insert(contact)
_CHANGE = Statement(
    update(contact)
    .where(contact.c.id == bindparam("c_id"))
    .values(subject_id=bindparam("c_subject"))
)
_GROUP_ADD = insert(contact_group)
_JOIN = insert_new(group_member)
_LEAVE = Statement(delete(group_member).where(group_member.c.contact_id == bindparam("c_id")))
_GONE = Statement(delete(contact).where(contact.c.id == bindparam("c_id")))


def put_contacts(items: Sequence[PutContacts]) -> Script:
    """A `Kept` an item."""
    yield from hold(i.tenant_id for i in items)
    results = []
    for item in items:
        results.append((yield from _put(item)))
    return results


def _put(item: PutContacts) -> Script:
    names = {i.name for i in item.contacts}
    joined = {group for i in item.contacts for group in i.groups}
    yield from make_free(item.tenant_id, names | joined)
    known = yield from contacts_named(item.tenant_id, names | joined)
    groups = yield from groups_named(item.tenant_id, names | joined)
    clashes = (names & (joined | groups.keys())) | (joined & known.keys())
    if clashes:
        return Kept({}, tuple(sorted(clashes)))
    left_out = (yield from _stopped(item.contacts)) if item.leave_out else set()
    wanted = [i for i in item.contacts if i.name not in left_out]
    people = yield from people_made(item.tenant_id, [i.person for i in wanted], item.now)
    puts = {i.name: _what(i, known, people) for i in wanted}
    yield from _write(item, [i for i in wanted if puts[i.name] is not Put.SAME], known, people)
    yield from _join(item, wanted, known, groups)
    for each in wanted:
        if (new := each.consent) is not None:
            person = people[each.person.phone_index]
            yield from give(new.id, item.tenant_id, person, new.terms, item.now)
    return Kept(puts)


def _stopped(contacts: Sequence[ContactIn]) -> Script:
    """The names of those who are on the list not to be texted."""
    tokens = {i.name: (i.person.phone_index, i.person.all_index, *i.person.older) for i in contacts}
    listed = yield from suppressed({token for each in tokens.values() for token in each})
    return {
        name for name, each in tokens.items() if any(listed.get(token) == ANY for token in each)
    }


_Known = Mapping[str, tuple[int, int]]


def _what(one: ContactIn, known: _Known, people: Mapping[str, int]) -> Put:
    if one.name not in known:
        return Put.ADDED
    is_same = known[one.name][1] == people[one.person.phone_index]
    return Put.SAME if is_same else Put.CHANGED


def _write(
    item: PutContacts, changed: Sequence[ContactIn], known: _Known, people: Mapping[str, int]
) -> Script:
    added = [
        {
            "id": i.person.id,
            "tenant_id": item.tenant_id,
            "name": i.name,
            "subject_id": people[i.person.phone_index],
            "created_at": item.now,
        }
        for i in changed
        if i.name not in known
    ]
    moved = [
        {"c_id": known[i.name][0], "c_subject": people[i.person.phone_index]}
        for i in changed
        if i.name in known
    ]
    if added:
        yield Many(_ADD, added)
    if moved:
        yield Many(_CHANGE, moved)


def _join(
    item: PutContacts, wanted: Sequence[ContactIn], known: _Known, groups: Mapping[str, int]
) -> Script:
    """Write the memberships, and the groups that are not there yet."""
    joined = {group for i in wanted for group in i.groups}
    new = {name: item.group_ids[name] for name in sorted(joined - groups.keys())}
    if new:
        base = {"tenant_id": item.tenant_id, "created_at": item.now}
        yield Many(_GROUP_ADD, [{**base, "id": new[name], "name": name} for name in new])
    ids = {**groups, **new}
    rows = [
        {
            "group_id": ids[group],
            "contact_id": known[i.name][0] if i.name in known else i.person.id,
            "subject_id": 0,
        }
        for i in wanted
        for group in i.groups
    ]
    if rows:
        yield Many(_JOIN, rows)


def remove_contacts(items: Sequence[tuple[int, str]]) -> Script:
    """True an item (tenant, name) that was a contact; it leaves its groups too."""
    yield from hold(i[0] for i in items)
    results = []
    for tenant_id, name in items:
        found = yield from contacts_named(tenant_id, [name])
        for number, _ in found.values():
            yield Do(_LEAVE, {"c_id": number})
            yield Do(_GONE, {"c_id": number})
        results.append(bool(found))
    return results
