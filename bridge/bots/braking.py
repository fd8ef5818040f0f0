"""The kill switch and what rules have stopped, for people in chats: commands come in, views go out.

Who is enrolled speaks for one tenant: they halt its messages, and decide on its stops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bridge.bots import model, views
from bridge.bots.chat import Button, Chat, Event, Line, View
from bridge.bots.roles import Act
from bridge.dates import minute
from bridge.dispatch import halting
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.tenants import Tenant
from bridge.store import ids
from bridge.store.braking import Brake
from bridge.store.halts import EVERYBODY, HALT
from bridge.store.staff import Person, actor_of

#: What a role must be allowed for an action.
NEEDS: Final[Mapping[str, Act]] = {
    "halt": "halt",
    "resume": "halt",
    "list": "look",
    "lift": "halt",
    "confirm": "halt",
}
_MOST: Final = 5


class Braking:
    """Stops and starts for people in chats."""

    def __init__(self, bridge: Bridge, chats: Mapping[str, Chat]) -> None:
        self.bridge = bridge
        self._chats = chats

    async def __call__(self, person: Person, tenant: Tenant, wanted: model.Braking) -> View:
        """The answer to a command that this person's role may give. Raises Refused."""
        actor = actor_of(person)
        match wanted.action:
            case "halt":
                await halting.halt(self.bridge, actor, tenant, wanted.words)
                return views.said(
                    f"Nothing of {tenant.name} leaves any more.",
                    "What is accepted waits. /sms resume lets it go on.",
                )
            case "resume":
                await halting.resume(self.bridge, actor, tenant)
                why = self.bridge.brakes.why_halted(tenant.id)
                return views.said(why or f"Sending goes on for {tenant.name}.")
            case "list":
                return self._listed(await halting.standing(self.bridge, tenant.id))
        return await self._decided(person, wanted.id, wanted.action == "lift", wanted.words)

    async def lift(self, event: Event, person: Person, number: int) -> None:
        """[Lift]. Raises Refused."""
        view = await self._decided(person, number, True, "by button")
        await self._chats[event.edge].revise(event, view)

    async def confirm(self, event: Event, person: Person, number: int) -> None:
        """[Keep stopped]. Raises Refused."""
        view = await self._decided(person, number, False, "by button")
        await self._chats[event.edge].revise(event, view)

    async def _decided(self, person: Person, number: int, lift: bool, outcome: str) -> View:
        await halting.decide(
            self.bridge,
            actor_of(person),
            number,
            lift=lift,
            outcome=outcome,
            tenant=person.tenant_id,
        )
        done = "goes on" if lift else "stays stopped"
        return views.said(f"Stop {number} was looked at: it {done}.")

    def _listed(self, found: Sequence[Brake]) -> View:
        if not found:
            return views.said("Nothing is stopped.")
        lines = [Line("What is stopped", "head"), *(Line(_shown(each)) for each in found)]
        buttons = []
        for each in [one for one in found if one.kind != HALT][:_MOST]:
            value = ids.show(each.id)
            buttons += [
                Button(f"Lift {each.id}", "brake-lift", value),
                Button(f"Keep {each.id} stopped", "brake-confirm", value, "danger"),
            ]
        return View(tuple(lines), tuple(buttons))


def _shown(each: Brake) -> str:
    since = minute(each.created_at)
    if each.kind == HALT:
        whose = "everybody's" if each.tenant_id == EVERYBODY else "your"
        return f"All {whose} sending, since {since}, by {each.actor}: {each.reason}"
    what = f"a range of numbers in {each.about}" if each.about else "a sender"
    seen = ", confirmed" if each.confirmed_at is not None else ""
    return f"{each.id}: {what}, since {since}{seen}: {each.reason}"
