"""Processors, breaches and access, for people in chats: commands come in, views go out.

Who is enrolled speaks for one tenant. What concerns others too is refused here: the operator does
it on the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bridge.bots import model, views
from bridge.bots.chat import Line, View
from bridge.bots.enrolment import VALID_SECONDS, code_hash, new_code
from bridge.bots.roles import ROLES, Act
from bridge.dates import day, minute
from bridge.dispatch import breaches, processors, reviewing
from bridge.dispatch.breaches import Case
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.reviewing import Grant
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.store import ids
from bridge.store.audit import Entry, audited
from bridge.store.breaches import Facts
from bridge.store.processors import Details
from bridge.store.staff import (
    CloseAll,
    Closed,
    Invite,
    Person,
    Revoke,
    actor_of,
    close_all,
    invite,
    revoke,
)

#: Seconds for which a code that confirms is good; that of the span before still is.
_CONFIRM_SPAN: Final = 300.0
_CODE: Final = 8  # hexadecimal digits
_MOST: Final = 20
#: What a role must be allowed for an action, by command.
NEEDS: Final[Mapping[type, Mapping[str, Act]]] = {
    model.Subproc: {"list": "govern", "add": "govern", "notify": "govern"},
    model.Breach: {
        "report": "suspect",
        "list": "govern",
        "open": "govern",
        "notify": "govern",
        "close": "govern",
    },
    model.Access: {
        "review": "access",
        "grant": "access",
        "revoke": "access",
        "close-all": "access",
    },
}


class Governing:
    """The operator's registers, as far as a tenant's people may use them."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge

    async def __call__(
        self, person: Person, tenant: Tenant, wanted: model.Subproc | model.Breach | model.Access
    ) -> View:
        """The answer to a command that this person's role may give. Raises Refused."""
        match wanted:
            case model.Subproc():
                return await self._subproc(person, wanted)
            case model.Breach():
                return await self._breach(person, tenant, wanted)
            case model.Access():
                return await self._access(person, tenant, wanted)

    def _refuse_for_others(self, what: str) -> None:
        """Raises Refused where the bridge has other tenants too."""
        if len(self.bridge.register.tenants) > 1:
            raise Refused("this concerns other tenants too", f"ask the operator for `{what}`")

    # -- processors --------------------------------------------------------------------------

    async def _subproc(self, person: Person, wanted: model.Subproc) -> View:
        if wanted.action == "list":
            return await self._listed(person.tenant_id)
        self._refuse_for_others(f"bridge subproc {wanted.action}")
        actor = actor_of(person)
        if wanted.action == "notify":
            done = await processors.tell(self.bridge, actor, wanted.name)
        else:
            given = dict(wanted.given)
            kind, effective = given.pop("kind", "carrier"), given.pop("effective", "")
            until = given.pop("until", "")
            ends = processors.moment_of(until) if until else None
            details = Details(**given, valid_until=ends)
            done = await processors.add(self.bridge, actor, kind, wanted.name, details, effective)
        places = sum(done.told.values())
        if not places:
            raise Refused("it stands in the register, but no tenant has an inbox", "name one")
        return views.said(f"{wanted.name}: told in {places} inboxes.")

    async def _listed(self, tenant: int) -> View:
        rows = [row for row in await processors.register(self.bridge) if row.ended_at is None]
        if not rows:
            return views.said("Nobody else processes your data.")
        lawful = self.bridge.lawful
        shown = [
            f"{row.name}  {row.kind}  {row.country or '?'}"
            + (f"  ✗ {why}" if (why := lawful.why_not(tenant, row.kind, row.name)) else "")
            for row in rows
        ]
        return View((Line("Processors", "head"), Line("\n".join(shown), "code")))

    # -- breaches ----------------------------------------------------------------------------

    async def _breach(self, person: Person, tenant: Tenant, wanted: model.Breach) -> View:
        bridge, actor = self.bridge, actor_of(person)
        match wanted.action:
            case "list":
                return await self._breaches(tenant)
            case "open" | "report":
                source = "tenant" if wanted.action == "report" else "operator"
                facts = Facts(nature=wanted.words)
                found = await breaches.begin(bridge, actor, (tenant,), facts, source=source)
                return _opened(found)
            case "notify":
                await self._own(tenant, wanted.id)
                found, heard = await breaches.tell(bridge, actor, wanted.id)
                if not heard:
                    raise Refused("nobody was told: there is no inbox, or they know already")
                return views.said(f"Breach {wanted.id}: told.")
            case _:
                await self._own(tenant, wanted.id)
                await breaches.close(bridge, actor, wanted.id, wanted.words)
                return views.said(f"Breach {wanted.id} is closed.")

    async def _own(self, tenant: Tenant, number: int) -> None:
        """Raises Refused for a breach that is not this tenant's alone: others' are not shown."""
        found = await breaches.case(self.bridge, number)
        if tenant.id not in found.tenants:
            raise Refused("there is no breach with this id", "/sms breach list shows yours")
        if len(found.tenants) > 1:
            raise Refused(
                "this breach concerns other tenants too", "the operator tells and closes it"
            )

    async def _breaches(self, tenant: Tenant) -> View:
        own = [c for c in await breaches.cases(self.bridge) if tenant.id in c.tenants]
        if not own:
            return views.said("No breach.")
        shown = [
            f"{c.breach.id}  {c.state}  aware {minute(c.breach.aware_at)}  due {minute(c.due_at)}"
            for c in own[:_MOST]
        ]
        return View((Line("Breaches", "head"), Line("\n".join(shown), "code")))

    # -- access ------------------------------------------------------------------------------

    async def _access(self, person: Person, tenant: Tenant, wanted: model.Access) -> View:
        match wanted.action:
            case "grant":
                return await self._granted(person, tenant, wanted.who, wanted.given["role"])
            case "revoke":
                return await self._revoked(person, tenant, wanted.who)
            case "review" if wanted.who:
                return await self._confirmed(person, tenant, wanted.who)
            case "review":
                return _grants(await reviewing.grants(self.bridge, tenant.id))
            case _:
                return await self._closed(person, wanted.given.get("confirm", ""))

    async def _granted(self, person: Person, tenant: Tenant, name: str, role: str) -> View:
        if role not in ROLES:
            raise Refused("there is no such role", f"roles: {', '.join(ROLES)}")
        bridge, code, now = self.bridge, new_code(), self.bridge.clock()
        item = Invite(tenant.id, role, name, code_hash(bridge.keys, code), now, now + VALID_SECONDS)
        entry = Entry(actor_of(person), "access grant", f"role={role}", now, tenant.id)
        await bridge.store.write(audited(invite), (item, lambda _: entry))
        return View(
            (
                Line(f"Give this to {name}, for a private chat with me, within 15 minutes:"),
                Line(f"/sms enrol {code}", "code"),
            )
        )

    async def _one(self, tenant: Tenant, who: str) -> Grant:
        """A colleague by id or by name. Raises Refused."""
        found = [
            grant
            for grant in await reviewing.grants(self.bridge, tenant.id)
            if who.casefold() in (ids.show(grant.id), grant.name.casefold())
        ]
        if len(found) != 1:
            many = "several people have this name" if found else "nobody here has this name or id"
            raise Refused(many, "/sms access review shows the ids")
        return found[0]

    async def _revoked(self, person: Person, tenant: Tenant, who: str) -> View:
        grant = await self._one(tenant, who)
        asked = Revoke(grant.id, actor_of(person), self.bridge.clock())
        await self.bridge.store.write(revoke, asked)
        return views.said(f"{grant.name} may do nothing here any more.")

    async def _confirmed(self, person: Person, tenant: Tenant, who: str) -> View:
        grant = await self._one(tenant, who)
        if grant.id == person.id or grant.name.casefold() == person.name.casefold():
            raise Refused("nobody confirms their own access", "ask a colleague or the operator")
        due = await reviewing.keep(self.bridge, actor_of(person), grant.id, tenant.id)
        return views.said(f"{grant.name} keeps access until {day(due)}.")

    async def _closed(self, person: Person, confirm: str) -> View:
        """All access of the tenant's people, after the code that the first try shows."""
        now = self.bridge.clock()
        span = int(now / _CONFIRM_SPAN)
        codes = [self._confirmation(person, span - back) for back in (0, 1)]
        if confirm.upper() not in codes:
            return View(
                (
                    Line("This ends everybody's access here, yours too. To do it:"),
                    Line(f"/sms access close-all confirm={codes[0]}", "code"),
                )
            )
        asked = CloseAll(actor_of(person), now, person.tenant_id)
        closed: Closed = await self.bridge.store.write(close_all, asked)
        return views.said(
            f"Closed: {closed.staff} people, {closed.invitations} codes, {closed.links} links.",
            "Mails, receipts and STOP are worked as before. The operator invites anew.",
        )

    def _confirmation(self, person: Person, span: int) -> str:
        facts = (b"close-all", str(person.id).encode(), str(span).encode())
        return self.bridge.keys.repeat(*facts).encode().hex()[:_CODE].upper()


def _opened(found: Case) -> View:
    return views.said(
        f"Breach {found.breach.id} is open, and the operator knows.",
        f"You will be told by {minute(found.target_at)}, at the latest by {minute(found.due_at)}.",
    )


def _grants(found: Sequence[Grant]) -> View:
    shown = [
        f"{ids.show(g.id)}  {g.name}  {g.role}  until {day(g.due) if g.due else '?'}" for g in found
    ]
    return View(
        (
            Line("Who has access", "head"),
            Line("\n".join(shown), "code"),
            Line("To keep one: /sms access review <id>. The others end on their day.", "faint"),
        )
    )
