"""Names of contacts and groups come in from any edge, the people they stand for go out.

Also what edges and operators change: one contact, a group's members, or a whole file. Numbers are
for `submit`; no log line and no exception holds one, or a name.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.consents import giving, someone, texts
from bridge.dispatch.contact_file import Import, Problem, Row, read_csv
from bridge.dispatch.restricted import names_restricted, refuse_change
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.naming import alias_of, name_of
from bridge.phone import Phone
from bridge.store.contacts import ContactIn, Kept, PutContacts, put_contacts
from bridge.store.groups import Changed, Members, put_members, remove_members
from bridge.store.names import NAMED, Put
from bridge.store.sql import Values

_SLICE: Final = 500  # rows of a file between two looks at everybody else's work
_OTHER_NAME: Final = "choose another name"


@dataclass(frozen=True, slots=True)
class Person:
    """A number that a name stands for, and its country."""

    e164: str
    country: str


@dataclass(frozen=True, slots=True)
class Found:
    """A contact, or a group and its people, each once."""

    name: str
    kind: str  # "contact" | "group"
    people: tuple[Person, ...]


class NobodyOfThisName(Refused):
    """A name that leads to nobody; `name` is for pointing at it, never for a log."""

    def __init__(self, name: str, sentence: str, hint: str) -> None:
        super().__init__(sentence, hint, status="5.1.1")
        self.name = name


async def people(bridge: Bridge, tenant: Tenant, names: Sequence[str]) -> Sequence[Found]:
    """Whom each of the names stands for. Raises NobodyOfThisName."""
    wanted = [_compared(name) for name in names]
    found = await _found(bridge, tenant, {name for name in wanted if name})
    for typed, name in zip(names, wanted, strict=True):
        if name not in found:
            raise NobodyOfThisName(
                typed, "there is no contact or group of this name", "/sms contact list"
            )
        if not found[name].people:
            raise NobodyOfThisName(typed, "there is nobody in this group", "/sms group add")
    return [found[name] for name in wanted]


def _compared(typed: str) -> str:
    try:
        return name_of(typed)
    except ValueError:
        return ""


async def _found(bridge: Bridge, tenant: Tenant, names: Iterable[str]) -> dict[str, Found]:
    rows = await bridge.store.read(NAMED, tenant_id=tenant.id, names=Values(sorted(names)))
    kinds = {name: kind for kind, name, *_ in rows}
    members: dict[str, dict[int, Person]] = {name: {} for name in kinds}
    # In the order in which they became known; whoever was erased has no number any more.
    for _, name, number, e164, country in sorted(rows, key=lambda row: row[2] or 0):
        if e164:
            members[name][number] = Person(e164, country)
    return {name: Found(name, kinds[name], tuple(members[name].values())) for name in kinds}


# Changes


async def save_contact(bridge: Bridge, tenant: Tenant, name: str, number: Phone) -> Put:
    """Give a number a name; whether that is new, changed or as before. Raises Refused."""
    one = ContactIn(_alias(bridge, name), someone(bridge, tenant, number))
    await refuse_change(bridge, tenant.id, [one.name], [number.e164])
    item = PutContacts(tenant.id, [one], bridge.clock())
    kept: Kept = await bridge.store.write(put_contacts, item)
    if kept.clashes:
        raise Refused("a group has this name", _OTHER_NAME)
    return kept.contacts[one.name]


async def save_members(
    bridge: Bridge, tenant: Tenant, group: str, contacts: Sequence[str], numbers: Sequence[Phone]
) -> Changed:
    """Put contacts and numbers into a group, which is made if need be. Raises Refused."""
    item = _members(bridge, tenant, _alias(bridge, group), contacts, numbers)
    changed: Changed = await bridge.store.write(put_members, item)
    if changed.group is Put.TAKEN:
        raise Refused("a contact has this name", _OTHER_NAME)
    return _known(changed)


async def drop_members(
    bridge: Bridge, tenant: Tenant, group: str, contacts: Sequence[str], numbers: Sequence[Phone]
) -> Changed:
    """Take people out of a group, by whatever name they stand there. Raises Refused."""
    item = _members(bridge, tenant, _compared(group), contacts, numbers)
    changed: Changed = await bridge.store.write(remove_members, item)
    if changed.group is None:
        raise NobodyOfThisName(group, "there is no group of this name", "/sms group list")
    return _known(changed)


def _members(
    bridge: Bridge, tenant: Tenant, group: str, contacts: Sequence[str], numbers: Sequence[Phone]
) -> Members:
    people = [someone(bridge, tenant, number) for number in numbers]
    names = [_compared(name) for name in contacts]
    return Members(tenant.id, group, names, people, bridge.clock(), bridge.ids.next())


def _known(changed: Changed) -> Changed:
    if changed.unknown:
        raise NobodyOfThisName(
            changed.unknown[0], "there is no contact of this name", "/sms contact list"
        )
    return changed


def _alias(bridge: Bridge, typed: str) -> str:
    name = alias_of(typed)
    if name in _mailboxes(bridge):
        raise Refused("mail to this name is for the bridge itself", _OTHER_NAME)
    return name


def _mailboxes(bridge: Bridge) -> frozenset[str]:
    """Local parts that lead elsewhere; RFC 5321 4.5.1 keeps `postmaster` for whoever runs this."""
    return frozenset((bridge.settings.privacy.address.casefold(), "postmaster"))


# A file


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file did; with problems nothing.

    `groups` counts those that its people are in now, `suppressed` are the lines of people who are
    on the list not to be texted: they were left out.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    groups: int = 0
    problems: tuple[Problem, ...] = ()
    suppressed: tuple[int, ...] = ()


async def import_csv(bridge: Bridge, tenant: Tenant, data: bytes) -> Imported:
    """Store a file's contacts and groups, all or none. Nothing is kept of the file itself."""
    read = await asyncio.to_thread(read_csv, data, tenant.region, bridge.clock())
    problems = read.problems or _reserved(bridge, read.rows) or _no_programme(bridge, tenant, read)
    problems = problems or await _restricted(bridge, tenant, read.rows)
    if problems:
        return Imported(problems=problems)
    item = await _item(bridge, tenant, read)
    kept: Kept = await bridge.store.write(put_contacts, item)
    if kept.clashes:
        return Imported(problems=_clashes(read.rows, frozenset(kept.clashes)))
    puts = Counter(kept.contacts.values())
    rows = [row for row in read.rows if row.name in kept.contacts]
    return Imported(
        puts[Put.ADDED],
        puts[Put.CHANGED],
        puts[Put.SAME],
        len({group for row in rows for group in row.groups}),
        suppressed=tuple(row.line for row in read.rows if row.name not in kept.contacts),
    )


async def _item(bridge: Bridge, tenant: Tenant, read: Import) -> PutContacts:
    contacts = []
    known = await texts(bridge, tenant) if any(row.consent for row in read.rows) else {}
    for row in read.rows:
        person = someone(bridge, tenant, row.phone)
        agreed = giving(bridge, tenant, person, row.consent, known) if row.consent else None
        contacts.append(ContactIn(row.name, person, row.groups, agreed))
        if not len(contacts) % _SLICE:
            await asyncio.sleep(0)
    groups = {group for row in read.rows for group in row.groups}
    ids = {group: bridge.ids.next() for group in sorted(groups)}
    return PutContacts(tenant.id, contacts, bridge.clock(), ids, leave_out=True)


def _reserved(bridge: Bridge, rows: Sequence[Row]) -> tuple[Problem, ...]:
    mailboxes = _mailboxes(bridge)
    return tuple(
        Problem(row.line, "mail to this name, or to one of its groups, is for the bridge itself")
        for row in rows
        if not mailboxes.isdisjoint((row.name, *row.groups))
    )


async def _restricted(bridge: Bridge, tenant: Tenant, rows: Sequence[Row]) -> tuple[Problem, ...]:
    """The lines about people whose data may not be changed at present (P27)."""
    names = await names_restricted(bridge, tenant.id, [row.name for row in rows])
    why = "this person's data may not be changed at present"
    return tuple(Problem(row.line, why) for row in rows if row.name in names)


def _no_programme(bridge: Bridge, tenant: Tenant, read: Import) -> tuple[Problem, ...]:
    """The lines whose consent is to a programme that there is not."""
    found = []
    for row in read.rows:
        if row.consent is not None and row.consent.programme:
            try:
                bridge.register.programme(tenant.id, row.consent.programme)
            except Refused as no:
                found.append(Problem(row.line, f"{no.sentence}; {no.hint}"))
    return tuple(found)


def _clashes(rows: Sequence[Row], taken: frozenset[str]) -> tuple[Problem, ...]:
    found = []
    for row in rows:
        if row.name in taken:
            found.append(Problem(row.line, "a group has this name"))
        elif not taken.isdisjoint(row.groups):
            found.append(Problem(row.line, "a contact has the name of one of the groups"))
    return tuple(found)
