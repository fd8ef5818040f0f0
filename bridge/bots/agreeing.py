"""A draft for many comes in; a second person is asked, and agrees or refuses, on the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Final

from bridge.bots import views
from bridge.bots.chat import Chat, Event
from bridge.bots.sending import Sending, Wanted, decided_before
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.store import ids
from bridge.store.audit import Entry
from bridge.store.drafts import Draft, cancel_drafts, change_drafts
from bridge.store.notices import inbox_places
from bridge.store.staff import PERSON_BY_ID, Person, actor_of, person_of

AGREE_SECONDS: Final = 86400.0


class Agreeing:
    """Above so many recipients nobody sends alone (PRIVACY P77)."""

    def __init__(self, bridge: Bridge, chats: Mapping[str, Chat], sending: Sending) -> None:
        self.bridge = bridge
        self._chats = chats
        self._sending = sending

    async def ask(self, event: Event, person: Person, number: int) -> None:
        """[Ask for agreement]: show it where a second person can see it. Raises Refused."""
        draft = await self._sending.own(number, person)
        wanted = Wanted.of(draft.payload)
        if wanted.asked:
            raise Refused("a second person has been asked already")
        wanted = replace(wanted, asked=True)
        asked = replace(
            draft, payload=asdict(wanted), expires_at=self.bridge.clock() + AGREE_SECONDS
        )
        await self.bridge.store.write(change_drafts, asked)
        tenant = self._sending.tenant(person)
        facts = await self._sending.facts(await self._sending.ready(event, tenant, wanted))
        view = views.agreement(number, person.name, facts, wanted.text)
        chat = self._chats[event.edge]
        places = self.meeting_places(chat, event, tenant)
        for place in places:
            await chat.post(place, "", view)
        hint = views.said("A second person has been asked.")
        await chat.revise(event, hint if places else views.said(*_by_command(number)))

    def meeting_places(self, chat: Chat, event: Event, tenant: Tenant) -> list[str]:
        """Where a second person sees what is asked."""
        if chat.shared(event.place):
            return [event.place]
        found = inbox_places(tenant.inbox)
        return [chat.resolved(tenant.id, place) for edge, place in found if edge == event.edge]

    async def agreed(self, event: Event, person: Person, number: int) -> None:
        """A second person agrees. Raises Refused."""
        draft, _ = await self._asked(number, person)
        now = self.bridge.clock()
        shown = ids.show(number)
        entry = Entry(actor_of(person), "agreed to send", shown, now, person.tenant_id)
        await self._sending.finish(event, person, draft, Wanted.of(draft.payload), entry)

    async def shown(self, event: Event, person: Person, number: int) -> None:
        """`/sms approve`: what is to be agreed to, with the buttons. Raises Refused."""
        draft, author = await self._asked(number, person)
        wanted = Wanted.of(draft.payload)
        facts = await self._sending.facts(
            await self._sending.ready(event, self._sending.tenant(person), wanted)
        )
        view = views.agreement(number, author.name, facts, wanted.text)
        await self._chats[event.edge].whisper(event, view)

    async def _asked(self, number: int, person: Person) -> tuple[Draft, Person]:
        """A draft on which this one may agree, and its author, who must be enrolled still."""
        draft = await self._sending.draft(number, person)
        author = await self.author(draft, person)
        if not Wanted.of(draft.payload).asked:
            raise Refused("nobody has asked for agreement on this yet")
        return draft, author

    async def author(self, draft: Draft, person: Person) -> Person:
        """Who wrote a draft on which `person` is to agree. Raises Refused: not the same one."""
        return await self.other(draft.staff_id, person)

    async def other(self, number: int, person: Person) -> Person:
        """Who asked, by the enrolment's id; `person` is another one, or it is Refused."""
        rows = await self.bridge.store.read(PERSON_BY_ID, id=number)
        if not rows:
            raise Refused("whoever wrote this is not enrolled any more", "write it yourself")
        author = person_of(rows[0])
        same = (author.edge, author.team, author.person) == (
            person.edge,
            person.team,
            person.person,
        )
        # One person may be enrolled in both chats.
        if same or author.name.casefold() == person.name.casefold():
            raise Refused("a second person must agree, not the one who wrote it")
        return author

    async def disagreed(self, event: Event, person: Person, number: int) -> None:
        """A second person refuses. Raises Refused."""
        draft = await self._sending.draft(number, person)
        done = await self.bridge.store.write(cancel_drafts, number)
        view = views.said(f"{person.name} refused it, nothing was sent.")
        await self._chats[event.edge].revise(event, view if done else decided_before())
        if done and (draft.edge, draft.place) != (event.edge, event.place):
            await self._chats[draft.edge].post(draft.place, draft.thread, view)


def _by_command(number: int) -> tuple[str, str]:
    shown = ids.show(number)
    return ("A second person must agree.", f"Ask a colleague to type: /sms approve {shown}")
