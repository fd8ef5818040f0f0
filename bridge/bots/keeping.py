"""Holds and periods, for people in chats: a command comes in; what holds, or who must agree, out.

Another period, and a hold, need a second person; a hold binds meanwhile. Numbers are masked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bridge.bots import model, views
from bridge.bots.agreeing import Agreeing
from bridge.bots.chat import Button, Chat, Event, Line, View
from bridge.bots.naming import Naming
from bridge.bots.roles import Act
from bridge.dates import day
from bridge.dispatch import holding
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.keeping import classes, lapse
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.privacy.retention import Period
from bridge.store import ids
from bridge.store.holds import Hold
from bridge.store.periods import Proposal
from bridge.store.staff import Person, actor_of

#: What each command asks of a role.
KEEPS: Final[Mapping[type, Act]] = {
    model.HoldAdd: "hold",
    model.HoldRelease: "hold",
    model.Holds: "hold",
    model.RetentionShow: "look",
    model.RetentionSet: "retain",
}
Waiting = Proposal | Hold


class Keeping:
    """What is kept, and for how long."""

    def __init__(
        self, bridge: Bridge, chats: Mapping[str, Chat], agreeing: Agreeing, naming: Naming
    ) -> None:
        self.bridge = bridge
        self._chats = chats
        self._agreeing = agreeing
        self._naming = naming

    async def __call__(
        self, event: Event, person: Person, tenant: Tenant, command: model.Kept
    ) -> None:
        """Obey one of `KEEPS`. Raises Refused."""
        await self._chats[event.edge].whisper(
            event, await self._view(event, person, tenant, command)
        )

    async def _view(
        self, event: Event, person: Person, tenant: Tenant, command: model.Kept
    ) -> View:
        match command:
            case model.RetentionShow():
                return await self._periods(tenant)
            case model.RetentionSet(klass, period, reason):
                made = await holding.propose(
                    self.bridge, klass, period, reason, actor_of(person), tenant.id
                )
                return await self._ask(event, person, tenant, made)
            case model.HoldAdd():
                held = await self._hold(person, tenant, command)
                return await self._ask(event, person, tenant, held)
            case model.HoldRelease(number):
                return await self._release(person, tenant, number)
            case model.Holds():
                return await self._holds(tenant)

    # -- periods -----------------------------------------------------------------------------

    async def _periods(self, tenant: Tenant) -> View:
        rows = [
            f"{each.rule.name}: {each.period}, from {each.rule.trigger} ({each.rule.clause})"
            for each in await classes(self.bridge, tenant.id)
            if not each.period.endless
        ]
        own = ", ".join(
            f"{each.rule.name} {each.rule.minimum.written} to {each.rule.maximum.written}"
            for each in await classes(self.bridge, tenant.id)
            if each.rule.set_by == "tenant"
        )
        return View(
            (
                Line("How long is kept what you have here", "head"),
                Line("\n".join(rows), "code"),
                Line(f"You may set: {own}", "faint"),
            )
        )

    # -- holds -------------------------------------------------------------------------------

    async def _hold(self, person: Person, tenant: Tenant, command: model.HoldAdd) -> Hold:
        ref = ids.show(command.of) if isinstance(command.of, int) else ""
        if not isinstance(command.of, int):
            ref, *others = await self._naming.numbers(tenant, (command.of,))
            if others:
                raise Refused("this is a group", "hold them one by one")
        about = await holding.whom(self.bridge, tenant.id, ref, tenant.region)
        return await holding.add(
            self.bridge,
            replace(about, message_id=0),
            command.basis,
            command.until,
            actor_of(person),
            agreed=False,
        )

    async def _release(self, person: Person, tenant: Tenant, number: int) -> View:
        found = await holding.hold(self.bridge, number, tenant.id)
        if found is None:
            raise Refused("there is no hold with this id", "/sms hold list shows them")
        await holding.release(self.bridge, found, actor_of(person))
        return views.said("The hold has ended. What is past its period goes with the next run.")

    async def _holds(self, tenant: Tenant) -> View:
        found = await holding.standing(self.bridge, tenant.id)
        if not found:
            return views.said("Nothing is held.")
        rows = [f"{ids.show(item.id)}  {_fact(item)}" for item in found]
        return View((Line("What is held", "head"), Line("\n".join(rows), "code")))

    # -- the second person -------------------------------------------------------------------

    async def _ask(self, event: Event, person: Person, tenant: Tenant, item: Waiting) -> View:
        """Show it where a second person sees it; what the first one reads."""
        chat = self._chats[event.edge]
        for place in self._agreeing.meeting_places(chat, event, tenant):
            await chat.post(place, "", _agreement(item, person.name))
        begun = item.set_at if isinstance(item, Proposal) else item.created_at
        shown = ids.show(item.id)
        first = "Nothing changes yet." if isinstance(item, Proposal) else "It binds from now on."
        return views.said(
            f"{first} A second person must agree before {day(begun + lapse())}.",
            f"Ask a colleague to type: /sms approve {shown}",
        )

    async def shown(self, event: Event, person: Person, number: int) -> bool:
        """`/sms approve`: whether it is ours; then it is shown. Raises Refused."""
        item = await self._waiting(person, number)
        if item is None:
            return False
        author = await self._second(person, item)
        await self._chats[event.edge].whisper(event, _agreement(item, author))
        return True

    async def agreed(self, event: Event, person: Person, number: int) -> None:
        """[Agree] of a second person. Raises Refused."""
        item = await self._waiting(person, number)
        if item is None:
            raise Refused("this does not wait for anybody any more")
        await self._second(person, item)
        if isinstance(item, Proposal):
            await holding.agree_to_period(self.bridge, item, actor_of(person))
        else:
            await holding.agree_to_hold(self.bridge, item, actor_of(person))
        words = f"{person.name} agreed: {_fact(item)}."
        await self._chats[event.edge].revise(event, views.said(words))

    async def _waiting(self, person: Person, number: int) -> Waiting | None:
        found = await holding.proposal(self.bridge, number, person.tenant_id)
        return found or await holding.hold(self.bridge, number, person.tenant_id)

    async def _second(self, person: Person, item: Waiting) -> str:
        """The name of who asked, on whose wish `person` may decide. Raises Refused."""
        kind, _, number = item.set_by.partition(" ")
        if kind != "staff":
            return item.set_by
        return (await self._agreeing.other(ids.read(number), person)).name


def _fact(item: Waiting) -> str:
    if isinstance(item, Proposal):
        return f"{item.klass} is kept for {Period(item.days, item.months)}"
    agreed = "" if item.approved_by else ", waits for a second person"
    return f"held until {day(item.until - 1)}: {item.basis}{agreed}"


def _agreement(item: Waiting, author: str) -> View:
    shown = ids.show(item.id)
    reason = item.reason if isinstance(item, Proposal) else item.basis
    what = "another period" if isinstance(item, Proposal) else "a hold"
    return View(
        (
            Line(f"{author} wants {what} and needs a second person", "head"),
            Line(_fact(item)),
            Line(f"Why: {reason}"),
            Line(f"Or type: /sms approve {shown}", "faint"),
        ),
        (Button("Agree", "keeping-agree", shown, "primary"),),
    )
