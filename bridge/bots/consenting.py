"""What a person agreed to is asked for, recorded or taken back in a chat; a view goes out.

The number is masked and evidence stays away: what is shown in a chat stays there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bridge import phone
from bridge.bots.chat import Line, View
from bridge.dates import day
from bridge.dispatch import consents
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.consents import Shown
from bridge.dispatch.tenants import Tenant
from bridge.privacy.consents import terms
from bridge.store.audit import Entry, audited
from bridge.store.consents import Ended, end_consents, give_consents
from bridge.store.staff import Person, actor_of


class Consenting:
    """Consents, for people in chats."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge

    async def shown(self, tenant: Tenant, number: str) -> View:
        """All that is recorded of a person."""
        found = await consents.consents_of(self.bridge, tenant, number)
        head = Line(f"Consents of {phone.mask(number)}", "head")
        if not found:
            return View((head, Line("Nothing is recorded.")))
        return View((head, *(Line(_said(each)) for each in found)))

    async def added(
        self, person: Person, tenant: Tenant, number: str, edge: str, given: Mapping[str, str]
    ) -> View:
        """Record what a person agreed to. Raises Refused."""
        agreed = terms(given, self.bridge.clock(), edge)
        known = await consents.texts(self.bridge, tenant)
        someone = consents.someone(self.bridge, tenant, phone.parse(number))
        item = consents.giving(self.bridge, tenant, someone, agreed, known)
        what = f"{item.terms.programme or 'all'} {agreed.purpose} {agreed.basis}"
        entry = self._entry(person, "consent add", what)
        await self.bridge.store.write(audited(give_consents), (item, entry))
        return await self.shown(tenant, number)

    async def withdrawn(
        self, person: Person, tenant: Tenant, number: str, edge: str, given: Mapping[str, str]
    ) -> View:
        """End what a person agreed to, and what waits because of it. Raises Refused."""
        programme, via = given.get("programme", ""), given.get("channel") or edge
        item = consents.ending(self.bridge, tenant, phone.parse(number), programme, via=via)
        tell = self._entry(person, "consent withdraw", f"{programme or 'all'} via {via}")

        def told(done: Ended) -> Entry:
            return tell(done.people[0])

        done = await self.bridge.store.write(audited(end_consents), (item, told))
        await consents.ended(self.bridge, item, done)
        messages = f"{done.cancelled} message{'' if done.cancelled == 1 else 's'} cancelled"
        view = await self.shown(tenant, number)
        return View((Line(f"Withdrawn; {messages}."), *view.lines))

    def _entry(self, person: Person, action: str, what: str) -> Callable[[int], Entry]:
        actor, now, tenant = actor_of(person), self.bridge.clock(), person.tenant_id
        return lambda subject: Entry(actor, action, what, now, tenant, subject)


def _said(each: Shown) -> str:
    """One consent in words."""
    mark = "●" if each.state == "active" else "○"
    words = f" “{each.text}”" if each.text else ""
    since = f"{each.basis} to {each.purpose} by {each.channel}, {day(each.given_at)}"
    until = f", until {day(each.expires_at)}" if each.expires_at else ""
    return f"{mark} {each.programme or 'all'}: {each.state}; {since}{until}{words}"
