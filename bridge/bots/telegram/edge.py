"""Telegram's stored updates come in; what people do goes to the handler, the rest is answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

import structlog
from aiogram.methods import LeaveChat, SendChatAction
from aiogram.types import Update
from aiohttp import web
from pydantic import ValidationError

from bridge.bots.chat import Chat, Event, Gone, Pressed
from bridge.bots.intake import Intake
from bridge.bots.patience import Patience
from bridge.bots.telegram.client import TelegramChat
from bridge.bots.telegram.events import WANTED, Hushing, Leaving, Moving, Saying, Us, read
from bridge.bots.telegram.hearing import FIRST_S, Hearing
from bridge.bots.views import said
from bridge.dispatch.bridge import Bridge
from bridge.errors import BridgeError, Refused
from bridge.store.notices import inbox_places

log = structlog.get_logger("bridge.telegram")

#: Seconds after which a button is answered although what it does is not done.
SOON_S: Final = 2.0

Handle = Callable[[Event], Awaitable[None]]


class TelegramEdge:
    """What hears one bot; `handler` gets what people do. Raises Misconfigured."""

    def __init__(
        self, bridge: Bridge, chat: Chat, handler: Handle, *, first: float = FIRST_S
    ) -> None:
        self.bridge = bridge
        self._chat = chat = cast(TelegramChat, chat)  # `edges` makes the two as a pair
        self._handler = handler
        self._intake = Intake(bridge, "telegram", self._work, _whose)
        self._patience = Patience(bridge.clock)
        self._hearing = Hearing(bridge.settings, chat, self._intake, self._patience, first)
        self._albums: deque[str] = deque(maxlen=200)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to hear; Telegram need not be there yet."""
        self._intake.start()
        self._task = asyncio.create_task(self._hearing.run(), name="telegram")
        self.bridge.watch(self._task)

    async def stop(self) -> None:
        """Hear no more, and finish what was heard."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._intake.stop()

    def routes(self) -> list[web.RouteDef]:
        """Where Telegram calls us, if it does."""
        return self._hearing.routes()

    # -- working -----------------------------------------------------------------------------

    def _us(self) -> Us:
        groups: dict[str, int] = {}
        for tenant in self.bridge.register.tenants.values():
            for edge, written in inbox_places(tenant.inbox):
                if edge == "telegram":
                    place = self._chat.resolved(tenant.id, written)
                    groups[place] = 0 if place in groups else tenant.id
        return Us(self._chat.id, self._chat.username, groups)

    async def _work(self, number: int, payload: Mapping[str, Any]) -> None:
        """One stored update. Raises TryLater."""
        try:
            update = Update.model_validate(_whole(payload))
        except ValidationError:
            log.error("an update of Telegram's cannot be read", kinds=_kinds(payload))
            return
        match read(number, update, self._us()):
            case Event() as event:
                await self._obey(event)
            case Saying() as saying:
                await self._say(saying)
            case Leaving(place, can_read):
                await self._leave(place, can_read=can_read)
            case Moving(old, new):
                self._chat.calls.move(old, new)
            case Hushing(query):
                await self._chat.hush(query)

    async def _obey(self, event: Event) -> None:
        if not isinstance(event.act, Pressed):
            await self._handler(event)
            return
        work = asyncio.ensure_future(self._handler(event))
        try:
            done, _ = await asyncio.wait({work}, timeout=SOON_S)
            if not done:
                await self._chat.settle(event)
            await work
        finally:
            await self._chat.settle(event)

    async def _say(self, saying: Saying) -> None:
        """An answer at once, as often as a person may need it."""
        if saying.album and saying.album in self._albums:
            return
        self._albums.append(saying.album)
        if self._patience(f"say/{saying.place}/{saying.person}"):
            with contextlib.suppress(Refused, Gone):
                await self._chat.post(saying.place, saying.thread, saying.view, saying.answers)

    async def _leave(self, place: str, *, can_read: bool) -> None:
        """A group that is nobody's inbox learns nothing here."""
        if await self._is_moved(place):
            return
        if self._patience("log/leave"):
            log.warning("left a Telegram chat that is nobody's inbox")
        why = said(
            "I serve only the inboxes of my operator, and leave.",
            f'To keep me here, they name this group first: inbox = "telegram:{place}".',
        )
        with contextlib.suppress(BridgeError, Gone):
            if can_read and self._patience(f"leave/{place}"):
                await self._chat.post(place, "", why)
        with contextlib.suppress(Refused, Gone):
            await self._chat.calls(LeaveChat(chat_id=int(place)))

    async def _is_moved(self, place: str) -> bool:
        """Whether one of our groups has become this one: asking for the old one tells."""
        for old in self._us().groups:
            if old.startswith("-") and not old.startswith("-100"):
                with contextlib.suppress(Refused, Gone):
                    await self._chat.calls(SendChatAction(chat_id=int(old), action="typing"))
        return place in self._us().groups


def _kinds(payload: Mapping[str, Any]) -> list[str]:
    return [name for name in payload if name in WANTED]


def _whole(told: Any) -> Any:
    """An update with what aiogram wants and we do not need, where a server leaves it out."""
    if isinstance(told, list):
        return [_whole(each) for each in told]
    if not isinstance(told, Mapping):
        return told
    whole = {name: _whole(each) for name, each in told.items()}
    if isinstance(whole.get("from"), dict):
        whole["from"] = {"is_bot": False, "first_name": "", **whole["from"]}
        whole |= {} if "chat" in whole else {"chat_instance": whole.get("chat_instance", "")}
    return whole


def _whose(payload: Mapping[str, Any]) -> str:
    """The id of whoever did what an update tells, "" for nobody."""
    for told in payload.values():
        if isinstance(told, Mapping) and isinstance(told.get("from"), Mapping):
            return str(told["from"].get("id", ""))
    return ""
