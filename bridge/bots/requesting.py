"""Commands and buttons about people's own data come in; requests are registered and decided on.

The same way as the command line's, with the roles of PRIVACY (c). Nothing personal is shown: a
masked number, and how a request stands. Codes are never typed here (P23), and no chat hands data
out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bridge import phone
from bridge.bots import model, views
from bridge.bots.chat import Button, Chat, Event, Line, View
from bridge.bots.conversing import Conversing
from bridge.bots.naming import Naming
from bridge.bots.roles import Act
from bridge.bots.sending import Sending
from bridge.dates import day
from bridge.dispatch import deciding, identity
from bridge.dispatch import requests as register
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.request_stops import NUMBER
from bridge.dispatch.requests import Ask, By, Someone, named
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.privacy.letters import of_country
from bridge.privacy.requests import Kind, Role, State
from bridge.store import ids
from bridge.store.request_rows import DUE, REQUEST, Request, request_of
from bridge.store.requests import Check, Opened
from bridge.store.staff import STAFF, Person, actor_of, person_of
from bridge.store.threads import LATEST_REPLY

#: Which role each act on a request needs (PRIVACY c).
ACTS: Final[Mapping[str, Act]] = {
    "list": "request",
    "show": "request",
    "verify": "request",
    "forward": "request",
    "receipt": "request",
    "withdraw": "request",
    "instruct": "instruct",
    "preview": "carry-out",
    "run": "carry-out",
    "extend": "carry-out",
    "refuse": "carry-out",
}


class Requesting:
    """The register of requests, for people in chats."""

    def __init__(
        self,
        bridge: Bridge,
        chats: Mapping[str, Chat],
        sending: Sending,
        talk: Conversing,
        naming: Naming,
    ) -> None:
        self.bridge = bridge
        self._chats = chats
        self._sending = sending
        self._talk = talk
        self._naming = naming

    # -- opening -----------------------------------------------------------------------------

    async def opened(
        self, event: Event, person: Person, tenant: Tenant, wanted: model.DsarOpen
    ) -> View:
        """`/sms dsar open`, `/sms export`, `/sms erase`. Raises Refused."""
        number = await self._one(tenant, wanted.of)
        details = {name: value for name, value in wanted.given.items() if name in _DETAILS}
        if "number" in details:
            details["number"] = phone.parse(details["number"], tenant.region).e164
        ask = Ask(
            Kind(wanted.kind),
            Someone(NUMBER, number),
            tenant,
            wanted.given.get("via", event.edge),
            actor_of(person),
            wanted.given.get("lang", of_country(phone.country(number))),
            details=details,
        )
        return _registered(await register.open_request(self.bridge, ask))

    async def _one(self, tenant: Tenant, of: model.Recipient) -> str:
        numbers = await self._naming.numbers(tenant, (of,))
        if len(numbers) != 1:
            raise Refused("one person only, not a group", "name them one by one")
        return numbers[0]

    async def export(self, event: Event, person: Person, number: int) -> None:
        """[Export] below an SMS. Raises Refused."""
        await self._asked_below(event, person, number, Kind.ACCESS)

    async def erase(self, event: Event, person: Person, number: int) -> None:
        """[Erase] below an SMS. Raises Refused."""
        await self._asked_below(event, person, number, Kind.ERASE)

    async def _asked_below(self, event: Event, person: Person, number: int, kind: Kind) -> None:
        """Somebody read in an SMS that its writer asks for this: the handset proves the number."""
        thread = await self._talk.thread(person, number)
        rows = await self.bridge.store.read(LATEST_REPLY, subject_id=thread.subject_id)
        now = self.bridge.clock()
        proof = (
            Check("handset", now, now, evidence=ids.show(rows[0][0]), passed=True) if rows else None
        )
        ask = Ask(
            kind,
            Someone(NUMBER, thread.phone),
            self._sending.tenant(person),
            event.edge,
            actor_of(person),
            of_country(phone.country(thread.phone)),
            proof=proof,
        )
        view = _registered(await register.open_request(self.bridge, ask))
        await self._chats[event.edge].whisper(event, view)

    # -- looking -----------------------------------------------------------------------------

    async def listed(self, person: Person, due: int | None) -> View:
        """`/sms dsar list due=<days>`."""
        before = self.bridge.clock() + (365 if due is None else due) * 86400.0
        rows = await self.bridge.store.read(DUE, tenant_id=person.tenant_id, before=before)
        if not rows:
            return views.said("No request waits for an answer.")
        lines = [_line(request_of(row)) for row in rows[:50]]
        return View(
            (Line("Requests, the most urgent first", "head"), Line("\n".join(lines), "code"))
        )

    async def acted(self, event: Event, person: Person, wanted: model.DsarAct) -> View:
        """Every act on one request but its opening. Raises Refused."""
        by = By(actor_of(person), event.edge, person.tenant_id)
        number, given, bridge = wanted.request, wanted.given, self.bridge
        match wanted.action:
            case "verify":
                await identity.send_code(bridge, number, by)
                return views.said(
                    "A code goes to the person. They enter it in the portal; never take it here."
                )
            case "forward":
                done = await deciding.forward(bridge, number, by)
            case "instruct":
                decision, reason = given["decision"], given.get("reason", "")
                done = await deciding.instruct(bridge, number, decision, reason, by)
            case "extend":
                months = int(given["months"]) if given.get("months", "").isdecimal() else 0
                done = await deciding.extend(bridge, number, months, given.get("reason", ""), by)
            case "refuse":
                done = await deciding.refuse(bridge, number, given.get("reason", ""), by)
            case "withdraw":
                done = await deciding.withdraw(bridge, number, by)
            case "preview":
                return await self._preview(number, by)
            case "run":
                others = await self._names_of(person)
                done = await deciding.run(bridge, number, given.get("confirm", ""), by, others)
            case _:
                done = await register.read(bridge, number, person.tenant_id)
        return _standing(done)

    async def _preview(self, number: int, by: By) -> View:
        request, code = await deciding.previewed(self.bridge, number, by)
        counts = await register.concerns(self.bridge, request)
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        shown = ids.show(number)
        lines = [
            Line(f"{request.type} of {named(request)}: not done yet", "head"),
            Line(f"It concerns {told}."),
        ]
        if request.known_details.get("mode") == "only":
            lines.append(Line("⚠ Nothing is kept, so messages may be sent to them again."))
        if deciding.needs_another(request):
            lines.append(Line("Somebody else than who approved it carries it out.", "faint"))
        return View((*lines, Line(f"/sms dsar run {shown} confirm={code}", "code")))

    # -- a second person ---------------------------------------------------------------------

    async def shown(self, event: Event, person: Person, number: int) -> bool:
        """`/sms approve`: whether it is a request; then what is agreed to is shown."""
        rows = await self.bridge.store.read(REQUEST, id=number)
        if not rows or rows[0][1] != person.tenant_id:
            return False
        request = request_of(rows[0])
        words = f"{request.type} of {named(request)}"
        waits = request.state in (State.INSTRUCTED, State.VERIFIED)
        buttons = (Button("Agree", "dsr-agree", ids.show(number), "danger"),) if waits else ()
        view = View((Line(words, "head"), Line(_state(request), "faint")), buttons)
        await self._chats[event.edge].whisper(event, view)
        return True

    async def agreed(self, event: Event, person: Person, number: int) -> None:
        """[Agree]: another person than who asked for it or decided. Raises Refused."""
        by = By(actor_of(person), event.edge, person.tenant_id)
        others = await self._names_of(person)
        request = await deciding.approve(self.bridge, number, by, others)
        hint = f"To carry it out: /sms dsar preview {ids.show(number)}"
        said = f"{person.name} approved: {request.type} of {named(request)}."
        await self._chats[event.edge].revise(event, views.said(said, hint))

    async def _names_of(self, person: Person) -> tuple[str, ...]:
        """By which the register may know this person: one may be enrolled in both chats."""
        rows = await self.bridge.store.read(STAFF, tenant="")
        found = (person_of(row) for row in rows)
        return tuple(
            actor_of(one)
            for one in found
            if one.name.casefold() == person.name.casefold()
            or (one.edge, one.team, one.person) == (person.edge, person.team, person.person)
        )

    # -- restriction -------------------------------------------------------------------------

    async def restricted(
        self, event: Event, person: Person, tenant: Tenant, wanted: model.Restrict
    ) -> View:
        """`/sms restrict <number> on|off case=<id>`. Raises Refused."""
        number = await self._one(tenant, wanted.of)
        request = await register.read(self.bridge, wanted.case, person.tenant_id)
        if request.identity != number:
            raise Refused("this case is about somebody else", "/sms dsar list shows the cases")
        by = By(actor_of(person), event.edge, person.tenant_id)
        changed = await identity.restrict(self.bridge, request, by, on=wanted.on)
        if not changed:
            return views.said("It stood so already.")
        words = "may not be used any more" if wanted.on else "may be used again"
        return views.said(f"The data of {phone.mask(number)} {words}.")


_DETAILS: Final = ("mode", "ground", "number")


def _registered(opened: Opened) -> View:
    request = opened.request
    if opened.duplicate_of is not None or request is None:
        shown = ids.show(opened.duplicate_of or opened.id)
        return views.said(f"This was asked for already: request {shown}.")
    lines = [
        f"Request {ids.show(request.id)}: {request.type} of {named(request)}.",
        f"Due by {day(request.due)}. {_decides(request)}",
    ]
    if opened.bound:
        lines.append("What must stop has stopped.")
    if request.known_details.get("mode") == "only":
        lines.append("⚠ Nothing will be kept, so messages may be sent to them again.")
    if request.state == State.RECEIVED:
        lines.append(f"Nobody has proved the number yet: /sms dsar verify {ids.show(request.id)}")
    return views.said(*lines)


def _decides(request: Request) -> str:
    if request.role == Role.PROCESSOR:
        return "The tenant decides and has been told; nothing is shown or erased without it."
    return "The operator decides."


def _state(request: Request) -> str:
    return f"{request.state.replace('_', ' ')}, due by {day(request.due)}"


def _line(request: Request) -> str:
    shown = ids.show(request.id)
    return f"{shown}  {day(request.due)}  {request.type}  {named(request)}  {request.state}"


def _standing(request: Request) -> View:
    lines = [Line(f"Request {ids.show(request.id)}: {request.type} of {named(request)}", "head")]
    lines.append(Line(_state(request)))
    if request.reason:
        lines.append(Line(f"Why: {request.reason}"))
    if request.extended_to is not None:
        lines.append(Line("Its time was extended.", "faint"))
    if request.type == "erase" and request.result.get("files"):
        lines.append(Line("Its receipt is signed; the person finds it in the portal.", "faint"))
    return View(tuple(lines))
