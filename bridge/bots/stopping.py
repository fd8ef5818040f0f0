"""Commands and buttons about the lists come in; people are opted out, blocked, or put back (P41).

What is typed or pressed here takes effect like a STOP. What a person did on their own phone is
undone by nothing here (P40). Numbers are masked, and every act is audited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bridge import phone
from bridge.bots import model, views
from bridge.bots.agreeing import AGREE_SECONDS, Agreeing
from bridge.bots.chat import Button, Chat, Event, Line, View
from bridge.bots.conversing import Conversing
from bridge.bots.naming import Naming
from bridge.bots.sending import Sending, decided_before
from bridge.dates import minute
from bridge.dispatch import blacklist
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.obeyed import cancelled
from bridge.dispatch.stopping import stop, wish
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.store import ids
from bridge.store.audit import Entry, audited
from bridge.store.blocklist import BLOCKS
from bridge.store.drafts import Draft, cancel_drafts, store_drafts
from bridge.store.listed import MARKETING
from bridge.store.sql import Values
from bridge.store.staff import Person, actor_of
from bridge.store.suppressions import ACTIVE, ENTERED, Bound, Lift, lift_all
from bridge.store.threads import Thread
from bridge.store.wishes import Decided, decide_wishes

_ONLY_START: Final = "only START from their phone lifts it"
_SCOPES: Final[Mapping[str, str]] = {
    "tenant": "by you",
    "programme": "of this programme",
    "all": "by anybody who writes over this bridge",
}


class Stopping:
    """The lists, for people in chats."""

    def __init__(
        self,
        bridge: Bridge,
        chats: Mapping[str, Chat],
        sending: Sending,
        agreeing: Agreeing,
        talk: Conversing,
        naming: Naming,
    ) -> None:
        self.bridge = bridge
        self._chats = chats
        self._sending = sending
        self._agreeing = agreeing
        self._talk = talk
        self._naming = naming

    # -- commands ----------------------------------------------------------------------------

    async def stop(self, event: Event, person: Person, tenant: Tenant, wanted: model.Stop) -> None:
        """`/sms stop`. Raises Refused."""
        number = await self._one(tenant, wanted.of)
        programme = 0
        if wanted.programme:
            programme = self.bridge.register.programme(tenant.id, wanted.programme).id
        bound = await self._stopped(person, tenant, number, wanted.scope, programme, wanted.reason)
        await self._tell(event, _stopped_view(number, wanted.scope, bound))

    async def _one(self, tenant: Tenant, of: model.Recipient) -> str:
        numbers = await self._naming.numbers(tenant, (of,))
        if len(numbers) != 1:
            raise Refused("one person only, not a group", "name them one by one")
        return numbers[0]

    async def _stopped(
        self,
        person: Person,
        tenant: Tenant,
        number: str,
        scope: str,
        programme: int,
        reason: str,
    ) -> Bound:
        now = self.bridge.clock()
        item = wish(
            self.bridge.keys,
            tenant.id,
            number,
            scope=scope,
            source="staff",
            now=now,
            programme=programme,
        )
        said = "; ".join(filter(None, (reason, f"scope={scope}")))
        bound = await stop(self.bridge, item, act=self._entry(person, "stop", said))
        await self._decide(person, bound, "opted-out")
        return bound

    async def _decide(self, person: Person, people: Sequence[int], decision: str) -> None:
        """Wishes of theirs that waited for somebody to look are looked at."""
        now, actor = self.bridge.clock(), actor_of(person)
        for each in people:
            item = Decided(person.tenant_id, each, decision, actor, now)
            await self.bridge.store.write(decide_wishes, item)

    def _entry(
        self, person: Person, action: str, reason: str = "", subject: int | None = None
    ) -> Entry:
        now = self.bridge.clock()
        return Entry(actor_of(person), action, reason, now, person.tenant_id, subject)

    async def _tell(self, event: Event, view: View) -> None:
        await self._chats[event.edge].whisper(event, view)

    async def blacklist(
        self, event: Event, person: Person, tenant: Tenant, wanted: model.Blacklist
    ) -> None:
        """`/sms blacklist`: the tenant's own part of it. Raises Refused."""
        if wanted.action == "list":
            await self._tell(event, await self._blocks(tenant))
            return
        what = blacklist.target(self.bridge.keys, tenant.id, wanted.what, tenant.region)
        shown = phone.mask(what.e164) if what.e164 else f"{what.kind} {what.value}"
        match wanted.action:
            case "add":
                said = self._entry(person, "blacklist add", _with(wanted.reason, what.kind))
                is_new = await blacklist.block(self.bridge, what, wanted.reason, said)
                words = "is blocked now" if is_new else "was blocked already"
            case "remove":
                said = self._entry(person, "blacklist remove", what.kind)
                was = await blacklist.unblock(self.bridge, what, said)
                words = "is not blocked any more" if was else "was not on your list"
            case _:
                by = blacklist.is_blocked(self.bridge, what)
                words = f"is blocked, by its {by}" if by else "is not blocked"
        await self._tell(event, views.said(f"{shown} {words}."))

    async def _blocks(self, tenant: Tenant) -> View:
        rows = [r for r in await self.bridge.store.read(BLOCKS) if r[6] in (0, tenant.id)]
        if not rows:
            return views.said("Nothing is blocked.")
        lines = [
            f"{minute(at)}  {kind} {'' if kind == 'number' else value}".rstrip()
            + ("" if owner else "  (the operator's)")
            for _, kind, value, _, _, at, owner in rows
        ]
        head = Line(f"The blacklist: {len(rows)}", "head")
        return View((head, Line("\n".join(lines[:100]), "code")))

    # -- buttons below an SMS ----------------------------------------------------------------

    async def opt_out(self, event: Event, person: Person, number: int) -> None:
        """[Opt out]: this person gets nothing more of the tenant. Raises Refused."""
        thread, tenant = await self._of(person, number)
        bound = await self._stopped(person, tenant, thread.phone, "tenant", 0, "button")
        buttons = views.conversation_buttons(thread, stopped=True)
        await self._chats[event.edge].relabel(event, buttons)
        await self._tell(event, _stopped_view(thread.phone, "tenant", bound))

    async def block(self, event: Event, person: Person, number: int) -> None:
        """[Block]: the tenant does not write to this number, whatever its person wants."""
        thread, tenant = await self._of(person, number)
        what = blacklist.target(self.bridge.keys, tenant.id, thread.phone, tenant.region)
        said = self._entry(person, "blacklist add", _with("button", what.kind), thread.subject_id)
        await blacklist.block(self.bridge, what, "", said)
        await self._decide(person, (thread.subject_id,), "blocked")
        await self._tell(event, views.said(f"{phone.mask(thread.phone)} is blocked now."))

    async def no_wish(self, event: Event, person: Person, number: int) -> None:
        """[Not a wish]: advertising, which stopped at once, may go on. Raises Refused."""
        thread, tenant = await self._of(person, number)
        keys = self.bridge.keys
        own = keys.person(tenant.id, thread.phone)
        older = (old for old, new in keys.moved(tenant.id, thread.phone).items() if new == own)
        tokens = (own, *older)
        rows = await self.bridge.store.read(ACTIVE, keys=Values(tokens))
        if any(row[1] != "handset" or row[4] != MARKETING for row in rows):
            raise Refused("this person has opted out in another way too", _ONLY_START)
        lifting = Lift(tokens, "review", self.bridge.clock(), MARKETING)
        said = self._entry(person, "no wish", "", thread.subject_id)
        await self.bridge.store.write(audited(lift_all), (lifting, lambda _: said))
        await self._decide(person, (thread.subject_id,), "no-wish")
        await self.bridge.refresh()
        buttons = views.conversation_buttons(thread, stopped=False)
        await self._chats[event.edge].relabel(event, buttons)
        await self._tell(event, views.said("Noted: it was no wish to opt out."))

    async def _of(self, person: Person, number: int) -> tuple[Thread, Tenant]:
        return await self._talk.thread(person, number), self._sending.tenant(person)

    # -- back on the air, by two people ------------------------------------------------------

    async def unstop(
        self, event: Event, person: Person, tenant: Tenant, wanted: model.Unstop
    ) -> None:
        """`/sms unstop`: a second person is asked. Raises Refused."""
        number = await self._one(tenant, wanted.of)
        tokens = self.bridge.keys.tokens(tenant.id, number)
        rows = await self._liftable(tokens)
        tokens = tuple(sorted({row[3] for row in rows}))
        shown = phone.mask(number)
        payload = {"unstop": tokens, "shown": shown, "evidence": wanted.evidence}
        draft = self._draft(event, person, payload)
        await self.bridge.store.write(store_drafts, draft)
        view = _agreement(draft, person.name)
        chat = self._chats[event.edge]
        for place in self._agreeing.meeting_places(chat, event, tenant):
            await chat.post(place, "", view)
        await self._tell(event, views.said(*_asked(draft.id)))

    async def _liftable(self, tokens: Sequence[str]) -> Sequence[Sequence[Any]]:
        rows = await self.bridge.store.read(ACTIVE, keys=Values(tokens))
        if not rows:
            raise Refused("this person is not on the list", "there is nothing to lift")
        if any(row[1] not in ENTERED for row in rows):
            raise Refused("this person opted out themselves", _ONLY_START)
        return rows

    def _draft(self, event: Event, person: Person, payload: Mapping[str, Any]) -> Draft:
        now = self.bridge.clock()
        return Draft(
            self.bridge.ids.next(),
            person.tenant_id,
            person.id,
            event.edge,
            event.place,
            event.thread,
            payload,
            "open",
            now,
            now + AGREE_SECONDS,
        )

    async def shown(self, event: Event, person: Person, number: int) -> bool:
        """`/sms approve`: whether it is ours; then it is shown. Raises Refused."""
        draft = await self._sending.draft(number, person)
        if "unstop" not in draft.payload:
            return False
        author = await self._agreeing.author(draft, person)
        await self._tell(event, _agreement(draft, author.name))
        return True

    async def agreed(self, event: Event, person: Person, number: int) -> None:
        """[Agree] of a second person: the operator's entry is lifted. Raises Refused."""
        draft = await self._sending.draft(number, person)
        author = await self._agreeing.author(draft, person)
        tokens = tuple(draft.payload["unstop"])
        await self._liftable(tokens)
        if not await self.bridge.store.write(cancel_drafts, number):
            await self._chats[event.edge].revise(event, decided_before())
            return
        evidence = f"evidence {draft.payload['evidence']}, asked by {actor_of(author)}"
        said = self._entry(person, "unstop", evidence)
        lifting = Lift(tokens, "unstop", self.bridge.clock())
        await self.bridge.store.write(audited(lift_all), (lifting, lambda _: said))
        await self.bridge.refresh()
        words = f"{draft.payload['shown']} may be written to again."
        await self._chats[event.edge].revise(event, views.said(words))

    async def disagreed(self, event: Event, person: Person, number: int) -> None:
        """[Refuse]: the entry stays."""
        await self._sending.draft(number, person)
        done = await self.bridge.store.write(cancel_drafts, number)
        view = views.said(f"{person.name} refused it: the entry stays.")
        await self._chats[event.edge].revise(event, view if done else decided_before())


def _with(reason: str, kind: str) -> str:
    return "; ".join(filter(None, (reason, f"kind={kind}")))


def _stopped_view(number: str, scope: str, bound: Bound) -> View:
    first = f"Opted out: {phone.mask(number)} gets nothing more {_SCOPES[scope]}."
    return views.said(first, cancelled(bound.cancelled) or "Nothing was waiting to leave.")


def _agreement(draft: Draft, author: str) -> View:
    shown = ids.show(draft.id)
    words = f"{author} wants {draft.payload['shown']} to be written to again"
    return View(
        (
            Line(words, "head"),
            Line(f"Evidence: {draft.payload['evidence']}"),
            Line(f"Or type: /sms approve {shown}", "faint"),
        ),
        (
            Button("Agree", "unstop-agree", shown, "primary"),
            Button("Refuse", "unstop-refuse", shown, "danger"),
        ),
    )


def _asked(number: int) -> tuple[str, str]:
    shown = ids.show(number)
    return ("A second person must agree.", f"Ask a colleague to type: /sms approve {shown}")
