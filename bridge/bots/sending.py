"""Recipients and a text come in; a preview, or messages on their way and a card, go out.

Nothing leaves by accident: more than one part or recipient is shown first, many recipients need a
second person, and what is sent is sent once, however often its button is pressed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from bridge import phone
from bridge.bots import views
from bridge.bots.chat import Chat, Event, View
from bridge.dates import minute
from bridge.dispatch import senders
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.prices import total
from bridge.dispatch.submit import Ready, braked, prepare
from bridge.dispatch.tenants import Tenant
from bridge.errors import BadNumber, Refused
from bridge.model import Origin, State, Submission
from bridge.store.audit import Entry
from bridge.store.cards import CardIn
from bridge.store.drafts import (
    DRAFT,
    ChatSend,
    Draft,
    cancel_drafts,
    draft_of,
    send_from_chats,
    store_drafts,
)
from bridge.store.listed import ANY, OBJECTED
from bridge.store.sql import Values
from bridge.store.staff import Person
from bridge.store.submissions import Stored
from bridge.store.suppressions import ACTIVE

MOST_RECIPIENTS: Final = 1000
DECIDE_SECONDS: Final = 3600.0
_BREATH: Final = 50
_SENT: Final = "this was sent already; nothing is sent twice"
_NAMED: Final = 5  # recipients whose masks a preview shows


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be sent, as a draft keeps it."""

    numbers: tuple[str, ...]  # E.164
    text: str
    at: tuple[float | None, ...] = ()  # Unix time a number; empty: at once
    originator: str = ""
    answers: str = ""  # the author's own post
    warning: str = ""  # why its author should think again
    asked: bool = False  # a second person has been asked
    edited: bool = False  # it was shown before: it is shown again

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Wanted:
        """From a draft's payload."""
        lists = {"numbers": tuple(kept["numbers"]), "at": tuple(kept["at"])}
        return cls(**{**kept, **lists})


class Sending:
    """Sends for people in chats."""

    def __init__(self, bridge: Bridge, chats: Mapping[str, Chat]) -> None:
        self.bridge = bridge
        self._chats = chats

    async def begin(self, event: Event, person: Person, wanted: Wanted) -> None:
        """Send at once what is plain, show anything else first. Raises Refused."""
        tenant = self.tenant(person)
        ready = await self.ready(event, tenant, wanted)
        if self._is_plain(tenant, wanted, ready):
            await self._send(event, person, wanted, ready, None)
            return
        draft = self._draft(event, person, wanted)
        await self.bridge.store.write(store_drafts, draft)
        await self._chats[event.edge].whisper(event, await self._preview(tenant, draft, ready))

    def _is_plain(self, tenant: Tenant, wanted: Wanted, ready: Sequence[Ready]) -> bool:
        first = ready[0].prepared
        one = len(ready) == 1 and first.parts == 1
        was_cut = tenant.over_limit == "cut" and len(first.text) < len(wanted.text.strip())
        asked = wanted.warning or wanted.at or was_cut or wanted.edited
        return one and not asked and tenant.preview != "always"

    async def decided(self, event: Event, person: Person, number: int) -> None:
        """[Send]: the draft's author has seen the preview. Raises Refused."""
        draft = await self.own(number, person)
        wanted = Wanted.of(draft.payload)
        if len(wanted.numbers) > self.tenant(person).second_person_above:
            raise Refused("this needs a second person", "press Ask for agreement")
        await self.finish(event, person, draft, wanted)

    async def finish(
        self,
        event: Event,
        person: Person,
        draft: Draft,
        wanted: Wanted,
        agreed: Entry | None = None,
    ) -> None:
        if wanted.at and min(each or 0.0 for each in wanted.at) < self.bridge.clock():
            raise Refused("the time for which this was meant is over", "write it again")
        there = replace(event, edge=draft.edge, place=draft.place, thread=draft.thread)
        ready = await self.ready(there, self.tenant(person), wanted)
        author = replace(person, id=draft.staff_id)
        if await self._send(there, author, wanted, ready, draft.id, agreed):
            await self._chats[event.edge].revise(event, views.said("Sent."))
        else:
            await self._chats[event.edge].revise(event, decided_before())

    async def cancelled(self, event: Event, person: Person, number: int) -> None:
        """[Cancel]. Raises Refused."""
        await self.own(number, person)
        done = await self.bridge.store.write(cancel_drafts, number)
        view = views.said("Cancelled, nothing was sent.") if done else decided_before()
        await self._chats[event.edge].revise(event, view)

    async def changed(self, event: Event, person: Person, number: int, text: str) -> None:
        """The author wrote the text anew: the old draft ends, the new one is shown.

        Raises Refused; then the old one stays.
        """
        draft = await self.own(number, person)
        wanted = replace(Wanted.of(draft.payload), text=text, asked=False, edited=True)
        there = replace(event, edge=draft.edge, place=draft.place, thread=draft.thread)
        await self.ready(there, self.tenant(person), wanted)
        if not await self.bridge.store.write(cancel_drafts, number):
            raise Refused(_SENT)
        await self.begin(there, person, wanted)

    async def own(self, number: int, person: Person) -> Draft:
        """An open draft that the person wrote. Raises Refused."""
        draft = await self.draft(number, person)
        if draft.staff_id != person.id:
            raise Refused("this draft is somebody else's", "write your own")
        return draft

    async def draft(self, number: int, person: Person) -> Draft:
        """An open draft of the person's tenant. Raises Refused."""
        rows = await self.bridge.store.read(DRAFT, id=number)
        draft = draft_of(rows[0]) if rows else None
        if draft is None or draft.tenant_id != person.tenant_id:
            raise Refused("this draft is not there any more", "write it again")
        if draft.state == "sent":
            raise Refused(_SENT)
        if draft.state != "open":
            raise Refused("this was cancelled; nothing was sent")
        if draft.expires_at <= self.bridge.clock():
            raise Refused("this is too old; nothing was sent", "write it again")
        return draft

    # -- parts ---------------------------------------------------------------------------------

    def tenant(self, person: Person) -> Tenant:
        """The person's tenant. Raises Refused where it is closed."""
        tenant = self.bridge.register.tenants.get(person.tenant_id)
        if tenant is None:
            raise Refused("this account is closed", "ask the operator")
        return tenant

    async def ready(self, event: Event, tenant: Tenant, wanted: Wanted) -> list[Ready]:
        if len(wanted.numbers) > MOST_RECIPIENTS:
            raise Refused(f"at most {MOST_RECIPIENTS} recipients at once", "send in several goes")
        ready = []
        for count, number in enumerate(wanted.numbers):
            if count % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)  # others wait for this loop
            at = wanted.at[count] if wanted.at else None
            ready.append(self._one(event, tenant, wanted, number, at))
        return ready

    def _one(
        self, event: Event, tenant: Tenant, wanted: Wanted, number: str, at: float | None
    ) -> Ready:
        try:
            known = phone.parse(number, tenant.region)
            submission = Submission(
                tenant=tenant.id,
                origin=Origin(event.edge, event.place),
                destination=number,
                country=known.country,
                kind=known.type,
                sender=f"{event.edge}:{event.person}",
                text=wanted.text,
                originator=wanted.originator,
                not_before=at,
            )
            ready = prepare(self.bridge, submission)
        except BadNumber:
            raise
        except Refused as no:
            if len(wanted.numbers) == 1:
                raise
            raise Refused(f"{phone.mask(number)}: {no.sentence}", no.hint) from None
        if ready.prepared.meter is not None:
            # What a brake refuses of many is seen on their card.
            ready.prepared.meter = replace(ready.prepared.meter, keeps=True)
        return ready

    async def _send(
        self,
        event: Event,
        person: Person,
        wanted: Wanted,
        ready: Sequence[Ready],
        draft: int | None,
        agreed: Entry | None = None,
    ) -> bool:
        bridge = self.bridge
        now = bridge.clock()
        card = CardIn(
            bridge.ids.next(),
            person.tenant_id,
            person.id,
            event.edge,
            event.place,
            event.thread,
            wanted.answers,
            now,
        )
        prepared = tuple(each.prepared for each in ready)
        item = ChatSend(event.update, draft, prepared, card, now, agreed)
        stored: tuple[Stored, ...] | None = await bridge.store.write(send_from_chats, item)
        if stored is None:
            return False
        bridge.metrics.accepted_by(event.edge).inc(len(stored))
        for each in stored:
            if each.refusal is not None:
                await braked(bridge, person.tenant_id, each.refusal)  # its card says so
        queued = [
            (p.lane, p.id) for p, s in zip(prepared, stored, strict=True) if s.state is State.QUEUED
        ]
        for lane, number in dict(queued).items():
            bridge.ring_lane(lane, number)
        bridge.ring_edge(event.edge)
        return True

    def _draft(self, event: Event, person: Person, wanted: Wanted) -> Draft:
        now = self.bridge.clock()
        return Draft(
            self.bridge.ids.next(),
            person.tenant_id,
            person.id,
            event.edge,
            event.place,
            event.thread,
            asdict(wanted),
            "open",
            now,
            now + DECIDE_SECONDS,
        )

    async def _preview(self, tenant: Tenant, draft: Draft, ready: Sequence[Ready]) -> View:
        wanted = Wanted.of(draft.payload)
        return views.preview(
            draft.id,
            await self.facts(ready),
            ready[0].prepared.text,
            agree=len(ready) > tenant.second_person_above,
            warning=wanted.warning,
        )

    async def facts(self, ready: Sequence[Ready]) -> list[str]:
        """What an author should know: whom, where, how many parts, who has opted out."""
        first = ready[0].prepared
        countries = Counter(each.prepared.country for each in ready)
        where = ", ".join(f"{name} {count}" for name, count in countries.most_common())
        facts = [f"to {len(ready)} recipients: {where}"]
        if len(ready) <= _NAMED:
            whom = (f"{phone.mask(e.prepared.phone)} ({e.prepared.country})" for e in ready)
            facts = ["to " + ", ".join(whom)]
        parts = sum(each.prepared.parts for each in ready)
        kinds = " and ".join(sorted({views.encoding(e.prepared.encoding) for e in ready}))
        facts.append(f"{parts} part{'s' if parts > 1 else ''} in all, {kinds}")
        shown = Counter(each.prepared.originator for each in ready)
        facts += [f"from {senders.told(each)}" for each, _ in shown.most_common(_NAMED)]
        if costs := total(each.cost(self.bridge) for each in ready):
            facts.append(f"costs {costs}")
        if first.due_at > first.now:
            facts.append(_leaves(ready))
        tokens = {t for e in ready for t in (e.prepared.phone_index, e.prepared.all_index)}
        rows = await self.bridge.store.read(ACTIVE, keys=Values(tokens))
        listed = {row[3] for row in rows if row[4] in (ANY, OBJECTED)}
        stopped = sum(
            not listed.isdisjoint((e.prepared.phone_index, e.prepared.all_index)) for e in ready
        )
        if stopped:
            facts.append(f"{stopped} of them opted out and will get nothing")
        return facts


def _leaves(ready: Sequence[Ready]) -> str:
    """When they leave: on the recipient's own clock, and where that differs between when."""
    times = sorted({each.prepared.due_at for each in ready})
    if len(times) > 1:
        return f"leave between {minute(times[0])} and {minute(times[-1])}"
    zone = phone.zone(ready[0].prepared.phone)
    there = datetime.fromtimestamp(times[0], ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
    return f"leaves {there} {zone} ({minute(times[0])})"


def decided_before() -> View:
    """What a button says that was pressed again."""
    return views.said("This was decided before; nothing is sent twice.")
