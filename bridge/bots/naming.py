"""Names, groups and templates of a tenant: commands come in, numbers, texts and views go out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bridge import phone
from bridge.bots import model, views
from bridge.bots.chat import Line, View
from bridge.bots.model import Name, Number, Recipient
from bridge.dispatch import contacts
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.contacts import Imported
from bridge.dispatch.restricted import refuse_change
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.store.contacts import CONTACTS, remove_contacts
from bridge.store.groups import GROUPS, remove_groups
from bridge.store.names import Put
from bridge.store.templates import (
    TEMPLATE,
    TEMPLATES,
    TemplateIn,
    put_templates,
    remove_templates,
)

MOST_SHOWN: Final = 100
_PLACEHOLDER: Final = re.compile(r"\{([^\W\d]\w*)\}")
_PUT: Final[Mapping[Put, str]] = {
    Put.ADDED: "is there now",
    Put.CHANGED: "is changed",
    Put.SAME: "was so already",
}


class Naming:
    """What names stand for."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge

    async def numbers(self, tenant: Tenant, to: Sequence[Recipient]) -> tuple[str, ...]:
        """The numbers, each once. Raises Refused for a name that nobody has."""
        names = [one.name for one in to if isinstance(one, Name)]
        found = await contacts.people(self.bridge, tenant, names) if names else ()
        known = {one.name: one.people for one in found}
        numbers: dict[str, None] = {}
        for one in to:
            if isinstance(one, Number):
                numbers[one.e164] = None
            else:
                numbers.update(dict.fromkeys(person.e164 for person in known[one.name]))
        return tuple(numbers)

    async def filled(self, tenant: Tenant, command: model.SendTemplate) -> str:
        """A template's text with its placeholders filled. Raises Refused."""
        rows = await self.bridge.store.read(TEMPLATE, tenant_id=tenant.id, name=command.name)
        if not rows:
            raise Refused("there is no template of this name", "/sms template list")
        text: str = rows[0][0]
        wanted = set(_PLACEHOLDER.findall(text))
        if missing := sorted(wanted - command.values.keys()):
            raise Refused(f"a value is missing: {', '.join(missing)}", "add <word>=<value>")
        if foreign := sorted(command.values.keys() - wanted):
            raise Refused(f"the template has no place for: {', '.join(foreign)}")
        return _PLACEHOLDER.sub(lambda found: command.values[found[1]], text)

    async def __call__(self, tenant: Tenant, command: model.Command) -> View:
        """Obey a command about names. Raises Refused."""
        match command:
            case model.ContactAdd(name, e164):
                put = await contacts.save_contact(self.bridge, tenant, name, phone.parse(e164))
                return views.said(f"@{name} {_PUT[put]}.")
            case model.GroupAdd(name, members):
                split = _split(members)
                changed = await contacts.save_members(self.bridge, tenant, name, *split)
                return views.said(f"{changed.count} joined @{name}.")
            case model.GroupRemove(name, members) if members:
                split = _split(members)
                changed = await contacts.drop_members(self.bridge, tenant, name, *split)
                return views.said(f"{changed.count} left @{name}.")
            case model.GroupRemove(name):
                gone = await self.bridge.store.write(remove_groups, (tenant.id, name))
                return _gone(gone, "group", name)
            case model.Remove(kind, name):
                script = remove_contacts if kind == "contact" else remove_templates
                if kind == "contact":
                    await refuse_change(self.bridge, tenant.id, [name])
                return _gone(await self.bridge.store.write(script, (tenant.id, name)), kind, name)
            case model.TemplateAdd(name, text):
                item = TemplateIn(tenant.id, name, text, self.bridge.clock())
                put = await self.bridge.store.write(put_templates, item)
                return views.said(f"The template {name} {_PUT[put]}.")
            case model.List(kind):
                return await self._list(tenant, kind)
        raise Refused("this cannot be done here", "/sms help")

    async def _list(self, tenant: Tenant, kind: str) -> View:
        read = self.bridge.store.read
        if kind == "contact":
            rows = await read(CONTACTS, tenant_id=tenant.id)
            return _listed("Contacts", (f"@{row[0]}  {phone.mask(row[1])}" for row in rows))
        if kind == "group":
            rows = await read(GROUPS, tenant_id=tenant.id)
            return _listed("Groups", (f"@{row[0]}  {row[1]} people" for row in rows))
        rows = await read(TEMPLATES, tenant_id=tenant.id)
        return _listed("Templates", (f"{row[0]}: {row[1]}" for row in rows))

    async def imported(self, tenant: Tenant, data: bytes) -> View:
        """A file of contacts, all or nothing."""
        return _import(await contacts.import_csv(self.bridge, tenant, data))


def _split(
    members: Sequence[Recipient],
) -> tuple[list[str], list[phone.Phone]]:
    names = [one.name for one in members if isinstance(one, Name)]
    return names, [phone.parse(one.e164) for one in members if isinstance(one, Number)]


def _gone(gone: bool, kind: str, name: str) -> View:
    if not gone:
        raise Refused(f"there is no {kind} of this name", f"/sms {kind} list")
    return views.said(f"The {kind} {name} is gone.")


def _listed(title: str, lines: Iterable[str]) -> View:
    found = list(lines)
    if not found:
        return views.said("There are none yet.")
    shown = found[:MOST_SHOWN]
    if len(found) > MOST_SHOWN:
        shown.append(f"and {len(found) - MOST_SHOWN} more")
    return View((Line(f"{title}: {len(found)}", "head"), Line("\n".join(shown), "code")))


def _import(done: Imported) -> View:
    if done.problems:
        lines = [f"line {p.line}: {p.reason}" if p.line else p.reason for p in done.problems]
        shown = "\n".join(lines[:MOST_SHOWN])
        return View(
            (Line("✗ Nothing was imported.", "head"), Line(shown, "code")),
        )
    facts = [f"{done.added} added, {done.changed} changed, {done.unchanged} as before."]
    if done.groups:
        facts.append(f"They are in {done.groups} groups.")
    if done.suppressed:
        where = ", ".join(map(str, done.suppressed[:MOST_SHOWN]))
        facts.append(f"Left out, because these people want no messages: lines {where}.")
    return views.said("Imported.", *facts)
