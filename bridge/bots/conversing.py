"""Buttons, answers and forms of a conversation come in; SMS, claims and decisions go out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bridge import phone
from bridge.bots import views
from bridge.bots.chat import Chat, Event, Form
from bridge.bots.sending import Sending, Wanted
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.glimpses import link
from bridge.dispatch.held import decided
from bridge.errors import Refused
from bridge.store import ids
from bridge.store.audit import Entry, record_entries
from bridge.store.chat_log import (
    LATEST_THREAD,
    NOT_LEFT,
    REPLY_OWNERS,
    SIBLINGS,
    TakeBack,
    take_back,
)
from bridge.store.staff import Person, actor_of
from bridge.store.threads import (
    THREAD,
    THREAD_OF_POST,
    THREADS_AT,
    THREADS_OF_CARD,
    Post,
    Take,
    Thread,
    add_posts,
    take_threads,
    thread_of,
)


class Conversing:
    """What can be done with a conversation, and with a message that waits."""

    def __init__(self, bridge: Bridge, chats: Mapping[str, Chat], sending: Sending) -> None:
        self.bridge = bridge
        self._chats = chats
        self._sending = sending

    # -- which one ---------------------------------------------------------------------------

    async def thread(self, person: Person, number: int) -> Thread:
        """A thread of the person's tenant. Raises Refused."""
        rows = await self.bridge.store.read(THREAD, id=number)
        return _own(person, [thread_of(row) for row in rows])

    async def thread_of_post(self, person: Person, event: Event, post: str) -> Thread | None:
        """The conversation that a post belongs to; None if it is no post of one."""
        key = {"edge": event.edge, "place": event.place}
        rows = await self.bridge.store.read(THREAD_OF_POST, **key, post=post)
        if not rows:
            # A card, below which its people's answers hang.
            rows = await self.bridge.store.read(THREADS_AT, **key, root=post)
        if not rows:
            rows = await self.bridge.store.read(THREADS_OF_CARD, **key, post=post)
        return _only(person, [thread_of(row) for row in rows]) if rows else None

    async def thread_here(self, person: Person, event: Event) -> Thread:
        """The conversation of this thread, else the one that moved last. Raises Refused."""
        key = {"edge": event.edge, "place": event.place}
        if event.thread:
            rows = await self.bridge.store.read(THREADS_AT, **key, root=event.thread)
            if rows:
                return _only(person, [thread_of(row) for row in rows])
        last = await self.bridge.store.read(LATEST_THREAD, **key, tenant=person.tenant_id)
        if not last:
            raise Refused("nobody has written here yet", "answer below an SMS that came in")
        return await self.thread(person, last[0][0])

    # -- answers -----------------------------------------------------------------------------

    async def answer(
        self, event: Event, person: Person, thread: Thread, text: str, *, sure: bool = True
    ) -> None:
        """Write to the person of a conversation, which the writer takes by it. Raises Refused.

        `sure` False: nobody pointed at the conversation, so it is shown first.
        """
        if not text.strip():
            raise Refused("there is no text to send", "write the answer as text")
        take = Take(thread.id, person.id, self.bridge.clock())
        now: Thread = await self.bridge.store.write(take_threads, take)
        warning = "" if sure else f"this goes to {phone.mask(thread.phone)}"
        if now.staff_id != person.id:
            warning = f"{now.taken_by or 'somebody else'} has claimed this conversation"
        wanted = Wanted(
            (thread.phone,),
            text,
            originator=thread.originator,
            answers=event.answers,
            warning=warning,
        )
        below = thread.root if thread.place == event.place else event.thread
        await self._sending.begin(replace(event, thread=below), person, wanted)

    async def ask(self, event: Event, person: Person, number: int) -> None:
        """[Reply]: open the form. Raises Refused."""
        thread = await self.thread(person, number)
        title = f"Answer to {phone.mask(thread.phone)}"
        form = Form("reply", ids.show(thread.id), title)
        post = await self._chats[event.edge].ask(event, form)
        if post:
            now = self.bridge.clock()
            item = Post(event.edge, event.place, post, thread.id, now)
            await self.bridge.store.write(add_posts, item)

    # -- who has it --------------------------------------------------------------------------

    async def claim(self, event: Event, person: Person, number: int) -> None:
        """[Claim]: the first has it, the second is told. Raises Refused."""
        thread = await self.thread(person, number)
        take = Take(thread.id, person.id, self.bridge.clock())
        now: Thread = await self.bridge.store.write(take_threads, take)
        await self._relabel(event, now)
        if now.staff_id != person.id:
            raise Refused(f"{now.taken_by} has claimed this conversation", "ask them to release it")

    async def release(self, event: Event, person: Person, number: int) -> None:
        """[Release]: anybody may, so that a conversation never waits for somebody who is away."""
        thread = await self.thread(person, number)
        take = Take(thread.id, None, self.bridge.clock(), force=True)
        await self._relabel(event, await self.bridge.store.write(take_threads, take))

    async def _relabel(self, event: Event, thread: Thread) -> None:
        buttons = views.conversation_buttons(thread, stopped=False)
        await self._chats[event.edge].relabel(event, buttons)

    # -- what waits --------------------------------------------------------------------------

    async def decide(self, event: Event, person: Person, number: int, *, release: bool) -> None:
        """[Release] and [Drop] of a message that waits for a person. Raises Refused."""
        try:
            tenant, actor = person.tenant_id, actor_of(person)
            await decided(self.bridge, number, release=release, tenant=tenant, actor=actor)
        except Refused as no:
            raise Refused(no.sentence) from no  # its hint is for the command line
        word = "Released" if release else "Dropped"
        await self._chats[event.edge].revise(event, views.said(f"{word} by {person.name}."))

    async def take_back(self, event: Event, person: Person, number: int) -> None:
        """Take a message back that has not left. Raises Refused."""
        was = await self._taken_back(person, number)
        if not was:
            raise Refused("no message has this id", "/sms log shows the newest")
        if was not in NOT_LEFT:
            raise Refused(f"it is too late: this message is {was}", "/sms status shows it")
        self.bridge.ring_edges()
        await self._chats[event.edge].whisper(event, views.said("Taken back, it does not leave."))

    async def take_all_back(self, event: Event, person: Person, number: int) -> None:
        """[Take back] on a card: all of its messages that have not left. Raises Refused."""
        rows = await self.bridge.store.read(SIBLINGS, id=number)
        found = [await self._taken_back(person, row[0]) for row in rows]
        count = sum(was in NOT_LEFT for was in found)
        if not count:
            raise Refused("it is too late: they have left", "/sms log shows them")
        self.bridge.ring_edges()
        left = len(found) - count
        words = f"Taken back, {'it does' if count == 1 else f'{count} of them do'} not leave."
        more = (f"{left} had left before.",) if left else ()
        await self._chats[event.edge].whisper(event, views.said(words, *more))

    async def _taken_back(self, person: Person, number: int) -> str:
        item = TakeBack(number, person.tenant_id, self.bridge.clock())
        was: str = await self.bridge.store.write(take_back, item)
        return was

    async def read(self, event: Event, person: Person, number: int) -> None:
        """[New link]: a link of one's own to what a person wrote. Raises Refused."""
        rows = await self.bridge.store.read(REPLY_OWNERS, id=number)
        if not rows or rows[0][0] != person.tenant_id:
            raise Refused("this SMS is not there any more")
        action, now = "took a link to a reply", self.bridge.clock()
        entry = Entry(actor_of(person), action, ids.show(number), now, *rows[0])
        await self.bridge.store.write(record_entries, entry)
        url = await link(self.bridge, person.tenant_id, number)
        await self._chats[event.edge].whisper(event, views.read(url))


def _own(person: Person, found: list[Thread]) -> Thread:
    if not found or found[0].tenant_id != person.tenant_id:
        raise Refused("this conversation is not there any more", "write to the number anew")
    return found[0]


def _only(person: Person, found: list[Thread]) -> Thread:
    if len(found) > 1:
        raise Refused(
            "several people were written to here", "answer below the SMS of the one you mean"
        )
    return _own(person, found)
