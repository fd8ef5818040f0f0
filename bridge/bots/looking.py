"""Questions come in; how messages stand, what was sent and what may be sent go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bridge import phone
from bridge.bots import views
from bridge.bots.chat import Button, Line, View
from bridge.dates import minute
from bridge.dispatch import billing, caps
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.tenants import ANYWHERE, Tenant
from bridge.errors import Refused
from bridge.model import State
from bridge.money import show
from bridge.store import ids
from bridge.store.accounts import CREDIT, RESERVED
from bridge.store.audit import Entry, record_entries
from bridge.store.books import ACCOUNT
from bridge.store.brakes import USED
from bridge.store.cards import Fate
from bridge.store.chat_log import (
    MESSAGE_SUBJECT,
    NEWEST,
    NEWEST_OF,
    ONE,
    OWN,
    OWN_ONE,
    SPENT,
)
from bridge.store.staff import Person, actor_of

_AT_HOME = 10
_BAD = ("failed", "expired", "suppressed", "unknown")


class Looking:
    """Answers that change nothing but the audit."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge

    async def status(self, person: Person, number: int | None, *, texts: bool) -> View:
        """One message; without an id the newest of the person's own. Raises Refused.

        With `texts` also what others wrote is shown, which the audit tells the tenant (P61).
        """
        fates = await (self._own(person, 1) if number is None else self._one(person, number))
        if not fates:
            raise Refused("no message has this id" if number else "you have sent nothing yet")
        own = number is None or await self._is_own(person, fates[0])
        if texts and not own:
            await self._record(person, fates[0].id)
        shown = fates if texts or own else [replace(fate, text=None) for fate in fates]
        view = views.card(shown, "", doubtful=False)
        halted = self.bridge.brakes.why_halted(person.tenant_id)
        if halted and fates[0].state == State.QUEUED:
            view = replace(view, lines=(*view.lines, Line(f"It waits: {halted}")))
        return view

    async def _record(self, person: Person, number: int) -> None:
        rows = await self.bridge.store.read(MESSAGE_SUBJECT, id=number)
        whose = (person.tenant_id, *rows[0])
        now = self.bridge.clock()
        entry = Entry(actor_of(person), "read a message", ids.show(number), now, *whose)
        await self.bridge.store.write(record_entries, entry)

    async def _is_own(self, person: Person, fate: Fate) -> bool:
        values = {"tenant": person.tenant_id, "staff": person.id, "id": fate.id}
        return bool(await self.bridge.store.read(OWN_ONE, **values))

    async def _one(self, person: Person, number: int) -> list[Fate]:
        rows = await self.bridge.store.read(ONE, tenant=person.tenant_id, id=number)
        return [Fate(*row) for row in rows]

    async def _own(self, person: Person, most: int) -> list[Fate]:
        values = {"tenant": person.tenant_id, "staff": person.id, "most": most}
        return [Fate(*row) for row in await self.bridge.store.read(OWN, **values)]

    async def log(self, person: Person, count: int, number: str = "") -> View:
        """The newest messages of the tenant, or to one number."""
        values = {"tenant": person.tenant_id, "most": count}
        if number:
            token = self.bridge.keys.person(person.tenant_id, number)
            rows = await self.bridge.store.read(NEWEST_OF, **values, phone_index=token)
        else:
            rows = await self.bridge.store.read(NEWEST, **values)
        if not rows:
            return views.said("Nothing was sent yet.")
        return View((Line("The newest messages", "head"), _listed([Fate(*row) for row in rows])))

    async def quota(self, person: Person, tenant: Tenant) -> View:
        """What may be sent, and what was."""
        return View((Line("Your limits", "head"), *await self._limits(person, tenant)))

    async def balance(self, tenant: Tenant) -> View:
        """What is left of the tenant's credit, and what is reserved for what is on its way."""
        if tenant.billing == billing.NONE:
            return views.said("Nobody counts here: what you send is not charged.")
        rows = await self.bridge.store.read(ACCOUNT, tenant=tenant.id, currency=tenant.currency)
        kinds: dict[str, int] = {row[0]: row[1] for row in rows}
        left = kinds.get(CREDIT, 0) + billing.limit(tenant)
        lines = [
            Line("Your credit", "head"),
            Line(f"Left: {show(left)} {tenant.currency}"),
            Line(f"Reserved for what is on its way: {show(kinds.get(RESERVED, 0))}"),
        ]
        if limit := billing.limit(tenant):
            lines.append(Line(f"You may owe {show(limit)}; owed now: {show(limit - left)}"))
        return View(tuple(lines))

    async def _limits(self, person: Person, tenant: Tenant) -> list[Line]:
        now = datetime.fromtimestamp(self.bridge.clock(), UTC)
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        today = await self._spent(person, day.timestamp())
        month = await self._spent(person, day.replace(day=1).timestamp())
        countries = ", ".join(sorted(tenant.countries))
        halted = self.bridge.brakes.why_halted(tenant.id)
        return [
            *([Line(f"Nothing leaves: {halted}")] if halted else []),
            Line(f"Countries: {'all' if ANYWHERE in tenant.countries else countries}"),
            *(Line(f"Of this {line}") for line in await self._counted(tenant)),
            Line(f"Parts a message: {tenant.max_parts} at most"),
            Line(f"More than {tenant.second_person_above} recipients: a second person agrees"),
            Line(f"Sent today: {today}; this month: {month} (UTC)"),
        ]

    async def _counted(self, tenant: Tenant) -> list[str]:
        """How far the tenant's caps are used up."""
        now = self.bridge.clock()
        found = []
        for cap in caps.of_tenant(tenant, now):
            rows = await self.bridge.store.read(USED, key=cap.key, slot=cap.slot)
            found.append(f"{cap.period}: {cap.spoken(rows[0][0] if rows else 0)} (UTC)")
        return found

    async def _spent(self, person: Person, since: float) -> str:
        after = max(0, int(since * 1000) << 21)
        rows = await self.bridge.store.read(SPENT, tenant=person.tenant_id, after=after)
        messages, parts = rows[0]
        return f"{messages} messages, {parts} parts"

    async def home(self, person: Person, tenant: Tenant) -> View:
        """The page of one's own: last messages, failures, limits."""
        fates = await self._own(person, _AT_HOME)
        bad = [fate for fate in fates if fate.state in _BAD]
        lines = [Line(f"{tenant.name}: your last messages", "head")]
        lines.append(_listed(fates) if fates else Line("Nothing yet. Type /sms help to begin."))
        if bad:
            lines += [Line("What did not arrive", "head"), _listed(bad)]
        lines += [Line("Your limits", "head"), *await self._limits(person, tenant)]
        return View(tuple(lines), (Button("New SMS", "compose", "", "primary"),))


def _listed(fates: Sequence[Fate]) -> Line:
    rows = [
        f"{minute(fate.created_at)}  {phone.mask(fate.phone)}  {views.mark(fate)}"
        f"  {ids.show(fate.id)}"
        for fate in fates
    ]
    return Line("\n".join(rows), "code")
