"""A chat that a test can look into: what the bridge shows in it, and what people do there.

It stands for Slack and Telegram where their adapters are not the subject; it is no adapter of ours
that is left out of a test: those have tests of their own against servers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bridge.bots.board import Board
from bridge.bots.chat import Act, Button, Event, Form, Gone, Pressed, Typed, View
from bridge.bots.enrolment import code_hash, new_code
from bridge.bots.handler import Handler
from bridge.bots.inboxes import ChatNotifier
from bridge.dispatch.answer import Desk
from bridge.errors import Refused, TryLater
from bridge.store.staff import Invite, invite
from bridge.store.updates import StoreUpdate, store_updates
from tests.bridges import Running, a_bridge

GROUP = "-1001"


@dataclass
class Shown:
    """A post as it stands now, and how often it was changed."""

    place: str
    thread: str
    view: View
    answers: str = ""
    edits: int = 0


@dataclass
class Pinboard:
    """`bots.chat.Chat` over lists."""

    edge: str = "telegram"
    forum: bool = True
    posts: dict[str, Shown] = field(default_factory=dict)
    whispers: list[tuple[str, View]] = field(default_factory=list)
    revised: list[View] = field(default_factory=list)
    labels: list[tuple[Button, ...]] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    topics: dict[str, str] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    closed: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)  # places whose posts may not be deleted
    away: int = 0  # so many answers are not taken
    _last: int = 100

    async def whisper(self, event: Event, view: View) -> None:
        self._reach()
        self.whispers.append((event.person, view))

    async def revise(self, event: Event, view: View) -> None:  # noqa: ARG002
        self._reach()
        self.revised.append(view)

    def _reach(self) -> None:
        if self.away:
            self.away -= 1
            raise TryLater("the chat cannot be reached")

    async def relabel(self, event: Event, buttons: Sequence[Button]) -> None:  # noqa: ARG002
        self.labels.append(tuple(buttons))

    async def ask(self, event: Event, form: Form) -> str:  # noqa: ARG002
        self.forms.append(form)
        return self._number()

    async def post(self, place: str, thread: str, view: View, answers: str = "") -> str:
        if place in self.closed:
            raise Refused("the bot was blocked")
        if thread and self.shared(place) and thread not in self.topics:
            raise Gone
        number = self._number()
        self.posts[number] = Shown(place, thread, view, answers)
        return number

    async def edit(self, place: str, post: str, view: View) -> None:
        shown = self.posts[post]
        assert shown.place == place
        shown.view, shown.edits = view, shown.edits + 1

    async def remove(self, place: str, post: str) -> None:
        if place in self.kept:
            raise Refused("the chat keeps it")
        if self.posts.pop(post, None) is None:
            raise Gone

    async def remove_thread(self, place: str, root: str) -> None:
        if place in self.kept:
            raise Refused("the chat keeps it")
        if self.topics.pop(root, None) is None:
            await self.remove(place, root)

    async def open_thread(self, place: str, title: str) -> str:
        if not (self.shared(place) and self.forum):
            return ""
        number = self._number()
        self.topics[number] = title
        return number

    async def fetch(self, file: str) -> bytes:
        raise NotImplementedError

    async def roots(self, place: str) -> bool:
        return not (self.shared(place) and self.forum)

    async def close(self) -> None:
        pass

    def resolved(self, tenant: int, place: str) -> str:  # noqa: ARG002
        return place

    def shared(self, place: str) -> bool:
        return place.startswith("-")

    def _number(self) -> str:
        self._last += 1
        return str(self._last)

    def words(self) -> str:
        """All that stands in the chat."""
        return "\n".join(shown.view.plain for shown in self.posts.values())


class Talk:
    """People in a chat of a running bridge."""

    def __init__(self, running: Running, chat: Pinboard) -> None:
        self.running = running
        self.bridge = running.bridge
        self.chat = chat
        self.handler = Handler(running.bridge, {chat.edge: chat})
        self._keys = 0
        self.code = ""  # the command that enrols, as it was last typed

    async def enrol(
        self, person: str, role: str = "agent", name: str = "Eva", place: str = ""
    ) -> None:
        """An operator's code, redeemed."""
        tenant = self.bridge.register.named("acme")
        assert tenant is not None
        code, now = new_code(), self.bridge.clock()
        item = Invite(tenant.id, role, name, code_hash(self.bridge.keys, code), now, now + 900)
        await self.bridge.store.write(invite, item)
        self.code = f"enrol {code}"
        await self.types(person, self.code, place)

    async def event(self, person: str, act: Act, place: str = "", **more: str) -> Event:
        """An event, stored as an edge stores it."""
        self._keys += 1
        item = StoreUpdate(self.chat.edge, str(self._keys), "{}", self.bridge.clock(), None)
        number = await self.bridge.store.write(store_updates, item)
        place = place or person
        private = not self.chat.shared(place)
        return Event(number, self.chat.edge, "", person, place, act, private=private, **more)  # type: ignore[arg-type]

    async def does(self, person: str, act: Act, place: str = "", **more: str) -> Event:
        """Somebody does something, and the bridge has worked it."""
        event = await self.event(person, act, place, **more)
        await self.handler(event)
        return event

    async def types(self, person: str, text: str, place: str = "") -> Event:
        return await self.does(person, Typed(text), place)

    async def presses(self, person: str, label: str, view: View, place: str = "") -> Event:
        """A button of a view, by its label."""
        button = next(b for b in view.buttons if b.label.startswith(label))
        return await self.does(person, Pressed(button.action, button.value, ""), place)

    @property
    def last(self) -> str:
        """The words last whispered."""
        return self.chat.whispers[-1][1].plain


@asynccontextmanager
async def a_talk(
    config: Path, *, edge: str = "telegram", works: bool = True
) -> AsyncIterator[Talk]:
    """A bridge with a chat whose cards and notices are told."""
    async with a_bridge(config, works=works) as running:
        chat = Pinboard(edge)
        desk = Desk(running.bridge, edge, ChatNotifier(running.bridge, chat))
        board = Board(running.bridge, chat)
        desk.start()
        board.start()
        running.parts.tellers[edge] = [desk, board]
        try:
            yield Talk(running, chat)
        finally:
            await desk.stop()
            await board.stop()
