"""One suite over both databases: names of people, kept and found again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bridge.store.chat_tables import contact, contact_group, group_member
from bridge.store.contacts import (
    CONTACTS,
    ContactIn,
    Kept,
    PutContacts,
    put_contacts,
    remove_contacts,
)
from bridge.store.groups import (
    GROUPS,
    MEMBERS,
    Changed,
    Members,
    put_members,
    remove_groups,
    remove_members,
)
from bridge.store.names import NAMED, Put, Someone
from bridge.store.sql import Statement, Values
from bridge.store.store import Store, driver
from bridge.store.suppressions import Lift, Suppress, lift_all, suppress_all
from bridge.store.tables import subject
from bridge.store.templates import (
    TEMPLATE,
    TEMPLATES,
    TemplateIn,
    put_templates,
    remove_templates,
)
from bridge.store.tenants import TenantIn, put_tenants
from tests.seeds import seed
from tests.stores import a_vault

SUBJECTS = Statement(select(func.count()).select_from(subject))


@dataclass
class Place:
    """A store with two tenants, and short ways to what is tested."""

    store: Store
    tenant: int = 0
    other: int = 0
    ids: Any = field(default_factory=lambda: count(1000))

    def person(self, number: int, tenant: int = 0) -> Someone:
        owner = tenant or self.tenant
        return Someone(
            next(self.ids), f"+4206011234{number:02d}", f"{owner}-{number}", f"all-{number}", "CZ"
        )

    async def put(self, name: str, number: int, *groups: str, tenant: int = 0) -> Kept:
        one = ContactIn(name, self.person(number, tenant), groups)
        return await self.put_all([one], tenant=tenant)

    async def put_all(
        self, contacts: Sequence[ContactIn], *, tenant: int = 0, leave_out: bool = False
    ) -> Kept:
        groups = {g: next(self.ids) for i in contacts for g in i.groups}
        item = PutContacts(tenant or self.tenant, contacts, 1.0, groups, leave_out)
        found: Kept = await self.store.write(put_contacts, item)
        return found

    async def join(self, group: str, *members: str | int, tenant: int = 0) -> Changed:
        found: Changed = await self.store.write(put_members, self._members(group, members, tenant))
        return found

    async def leave(self, group: str, *members: str | int) -> Changed:
        found: Changed = await self.store.write(remove_members, self._members(group, members, 0))
        return found

    def _members(self, group: str, members: Sequence[str | int], tenant: int) -> Members:
        names = [m for m in members if isinstance(m, str)]
        people = [self.person(m, tenant) for m in members if isinstance(m, int)]
        return Members(tenant or self.tenant, group, names, people, 1.0, next(self.ids))

    async def named(self, *names: str, tenant: int = 0) -> list[tuple[str, str, str]]:
        found = await self.store.read(
            NAMED, tenant_id=tenant or self.tenant, names=Values(sorted(names))
        )
        return sorted((row[0], row[1], (row[3] or "")[-2:]) for row in found)

    async def groups(self) -> list[tuple[str, int]]:
        return [(r[0], r[1]) for r in await self.store.read(GROUPS, tenant_id=self.tenant)]

    async def rows(self, table: Any) -> int:
        found = await self.store.read(Statement(select(func.count()).select_from(table)))
        return int(found[0][0])


async def opened(url: str, folder: Path) -> Store:
    store = Store(driver(url, folder, a_vault()))
    await store.open()
    return store


@pytest.fixture
async def place(url: str, tmp_path: Path) -> AsyncIterator[Place]:
    seed(tmp_path)
    store = await opened(url, tmp_path)
    ids = [
        await store.write(put_tenants, TenantIn(name, {}, [], [], "command", 1.0))
        for name in ("acme", "sister")
    ]
    yield Place(store, *ids)
    await store.close()


# Contacts


async def test_a_contact_is_new_then_the_same_then_changed(place: Place) -> None:
    for number, what in ((1, Put.ADDED), (1, Put.SAME), (2, Put.CHANGED)):
        assert (await place.put("anna", number)).contacts == {"anna": what}
    assert await place.named("anna") == [("contact", "anna", "02")]
    listed = await place.store.read(CONTACTS, tenant_id=place.tenant)
    assert [tuple(row) for row in listed] == [("anna", "+420601123402", "CZ")]


async def test_a_person_with_two_names_stands_in_subject_once(place: Place) -> None:
    await place.put("anna", 1)
    await place.put("anna.work", 1)
    assert await place.rows(subject) == 1
    assert len(await place.named("anna", "anna.work")) == 2


async def test_tenants_do_not_see_each_others_names(place: Place) -> None:
    await place.put("anna", 1)
    assert (await place.put("anna", 2, tenant=place.other)).contacts == {"anna": Put.ADDED}
    assert await place.named("anna") == [("contact", "anna", "01")]
    assert await place.named("anna", tenant=place.other) == [("contact", "anna", "02")]
    assert not await place.store.write(remove_contacts, (place.other, "berta"))
    assert await place.store.write(remove_contacts, (place.other, "anna"))
    assert await place.named("anna") == [("contact", "anna", "01")]


async def test_a_removed_contact_leaves_its_groups(place: Place) -> None:
    await place.put("anna", 1, "ops", "night")
    await place.put("berta", 2, "ops")
    assert await place.store.write(remove_contacts, (place.tenant, "anna"))
    assert not await place.store.write(remove_contacts, (place.tenant, "anna"))
    assert await place.groups() == [("night", 0), ("ops", 1)]
    assert await place.named("anna", "night") == [("group", "night", "")]


async def test_a_contact_and_a_group_never_share_a_name(place: Place) -> None:
    await place.put("anna", 1, "ops")
    assert await place.put("ops", 2) == Kept({}, ("ops",))
    assert await place.put("berta", 2, "anna") == Kept({}, ("anna",))
    assert await place.put("clara", 2, "clara") == Kept({}, ("clara",))
    assert await place.join("anna", 3) == Changed(group=Put.TAKEN)
    assert await place.named("anna", "berta", "ops") == [
        ("contact", "anna", "01"),
        ("group", "ops", "01"),
    ]


async def test_with_a_clash_nothing_is_stored(place: Place) -> None:
    await place.join("ops", 1)
    many = [ContactIn("anna", place.person(2), ("new",)), ContactIn("ops", place.person(3))]
    assert (await place.put_all(many)).clashes == ("ops",)
    assert await place.rows(contact) == 0
    assert await place.rows(contact_group) == 1
    assert await place.rows(subject) == 1


async def test_of_a_contact_and_a_group_at_once_one_gets_the_name(
    place: Place, url: str, tmp_path: Path
) -> None:
    """Two processes over one database, where it allows them."""
    store = place.store if url == "sqlite" else await opened(url, tmp_path)
    for number in range(10):
        one = PutContacts(place.tenant, [ContactIn(f"n{number}", place.person(1))], 1.0)
        group = Members(place.tenant, f"n{number}", [], [place.person(2)], 1.0, next(place.ids))
        kept, changed = await asyncio.gather(
            place.store.write(put_contacts, one), store.write(put_members, group)
        )
        assert bool(kept.clashes) != (changed.group is Put.TAKEN)
    assert await place.rows(contact) + await place.rows(contact_group) == 10
    if store is not place.store:
        await store.close()


# A file at once


async def test_many_contacts_in_one_transaction(place: Place) -> None:
    await place.put("n0", 0)
    many = [
        ContactIn(f"n{i}", place.person(i % 90), ("all", "odd" if i % 2 else "even"))
        for i in range(2000)
    ]
    commits = place.store.commits
    kept = await place.put_all(many)
    assert place.store.commits == commits + 1
    assert kept.contacts["n0"] is Put.SAME
    assert list(kept.contacts.values()).count(Put.ADDED) == 1999
    assert await place.groups() == [("all", 90), ("even", 45), ("odd", 45)]
    assert await place.rows(subject) == 90
    again = await place.put_all(many)
    assert set(again.contacts.values()) == {Put.SAME}
    assert await place.rows(group_member) == 4000


async def test_suppressed_people_are_left_out_if_asked(place: Place) -> None:
    for scope, tenant, token in (
        ("tenant", place.tenant, f"{place.tenant}-1"),
        ("all", 0, "all-2"),
    ):
        await place.store.write(suppress_all, Suppress(tenant, token, scope, "operator", 1.0))
    many = [
        ContactIn(name, place.person(i), (name + "s",)) for i, name in enumerate(["a", "b", "c"])
    ]
    kept = await place.put_all(many, leave_out=True)
    assert kept == Kept({"a": Put.ADDED})
    assert await place.groups() == [("as", 1)]
    assert await place.rows(subject) == 1
    await place.store.write(lift_all, Lift(("all-2",), "person", 2.0))
    kept = await place.put_all(many, leave_out=True)
    assert kept == Kept({"a": Put.SAME, "c": Put.ADDED})


async def test_a_suppression_for_another_tenant_leaves_nobody_out(place: Place) -> None:
    item = Suppress(place.other, f"{place.other}-1", "tenant", "operator", 1.0)
    await place.store.write(suppress_all, item)
    kept = await place.put_all([ContactIn("anna", place.person(1))], leave_out=True)
    assert kept == Kept({"anna": Put.ADDED})


# Groups


async def test_a_group_is_made_by_its_first_members(place: Place) -> None:
    await place.put("anna", 1)
    assert await place.join("ops", "anna", 2) == Changed(2, group=Put.ADDED)
    assert await place.join("ops", "anna", 2) == Changed(0, group=Put.SAME)
    assert await place.join("ops", 3) == Changed(1, group=Put.CHANGED)
    assert await place.named("ops") == [("group", "ops", n) for n in ("01", "02", "03")]
    rows = await place.store.read(MEMBERS, tenant_id=place.tenant)
    assert [(r[0], r[1], r[2][-2:]) for r in rows] == [
        ("ops", "", "02"),
        ("ops", "", "03"),
        ("ops", "anna", "01"),
    ]


async def test_a_member_has_the_contacts_number_of_today(place: Place) -> None:
    await place.put("anna", 1, "ops")
    await place.put("anna", 5)
    assert await place.named("ops") == [("group", "ops", "05")]


async def test_a_person_in_a_group_twice_counts_once(place: Place) -> None:
    await place.put("anna", 1)
    await place.join("ops", "anna", 1)
    assert await place.groups() == [("ops", 1)]


async def test_with_an_unknown_member_nothing_changes(place: Place) -> None:
    await place.put("anna", 1)
    found = await place.join("ops", "anna", "bertha", "carl")
    assert found == Changed(unknown=("bertha", "carl"))
    assert await place.groups() == []
    await place.join("ops", "anna")
    assert await place.leave("ops", "anna", "carl") == Changed(unknown=("carl",), group=Put.SAME)
    assert await place.groups() == [("ops", 1)]


@pytest.mark.parametrize("gone", ["anna", 1])
async def test_whoever_leaves_is_gone_by_whatever_name_they_stood_there(
    place: Place, gone: str | int
) -> None:
    await place.put("anna", 1)
    await place.put("anna.work", 1)
    await place.join("ops", "anna", "anna.work", 1, 2)
    await place.join("night", "anna")
    assert await place.leave("ops", gone) == Changed(3, group=Put.CHANGED)
    assert await place.leave("ops", gone) == Changed(0, group=Put.SAME)
    assert await place.groups() == [("night", 1), ("ops", 1)]


async def test_nobody_leaves_a_group_that_is_not_there(place: Place) -> None:
    assert await place.leave("ops", 1) == Changed()
    assert await place.rows(subject) == 0


async def test_a_removed_group_leaves_its_people(place: Place) -> None:
    await place.put("anna", 1, "ops")
    assert await place.store.write(remove_groups, (place.tenant, "ops"))
    assert not await place.store.write(remove_groups, (place.tenant, "ops"))
    assert await place.rows(group_member) == 0
    assert await place.named("anna", "ops") == [("contact", "anna", "01")]


async def test_many_at_once_of_several_tenants(place: Place) -> None:
    found = await asyncio.gather(
        *(place.put(f"c{i}", i, tenant=(place.tenant, place.other)[i % 2]) for i in range(40))
    )
    assert all(set(kept.contacts.values()) == {Put.ADDED} for kept in found)


# Templates


async def test_a_template_is_put_listed_read_and_removed(place: Place) -> None:
    for text, what in (("Hi", Put.ADDED), ("Hi", Put.SAME), ("Hi {name}", Put.CHANGED)):
        item = TemplateIn(place.tenant, "greet", text, 1.0)
        assert await place.store.write(put_templates, item) is what
    await place.store.write(put_templates, TemplateIn(place.other, "greet", "Hei", 1.0))
    found = await place.store.read(TEMPLATES, tenant_id=place.tenant)
    assert [tuple(row) for row in found] == [("greet", "Hi {name}")]
    assert await place.store.write(remove_templates, (place.tenant, "greet"))
    assert not await place.store.write(remove_templates, (place.tenant, "greet"))
    rows = await place.store.read(TEMPLATE, tenant_id=place.other, name="greet")
    assert rows[0][0] == "Hei"
