"""What people do in Slack comes in, over Socket Mode or signed requests; events go out."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from typing import Any, Final, cast

import structlog
from aiohttp import web

from bridge.bots.chat import Chat, Event
from bridge.bots.handler import Handler
from bridge.bots.intake import Intake
from bridge.bots.slack import blocks, events
from bridge.bots.slack.api import Api
from bridge.bots.slack.client import SlackChat
from bridge.bots.slack.counting import Counting, Typed
from bridge.bots.slack.door import Door
from bridge.bots.slack.events import Kept, Seat
from bridge.bots.slack.hook import PATH, Hook
from bridge.bots.slack.socket import Socket
from bridge.dispatch.bridge import Bridge
from bridge.errors import BridgeError, Refused

log = structlog.get_logger("bridge.slack")

_MOST_REMEMBERED: Final = 1000
_DRAIN: Final = 5.0
#: A tenant that there is not: whoever acts in a workspace whose tenant is closed is a stranger.
_NOBODYS: Final = -1


class SlackEdge:
    """Hears all configured workspaces."""

    def __init__(self, bridge: Bridge, chat: Chat, handler: Handler) -> None:
        self.bridge = bridge
        self._chat = cast(SlackChat, chat)
        self._handler = handler
        self._intake = Intake(bridge, "slack", self._work, lambda kept: str(kept.get("person", "")))
        self._counting = Counting(handler.counts)
        self._told: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._doors = [
            Door(api, self._intake.take, self._typed, self._opened)
            for api in self._chat.apis.values()
        ]
        self._sockets = [Socket(d.api, d.hear) for d in self._doors if _has_socket(d)]
        self._hooked = [d for d in self._doors if _has_secret(d) and not _has_socket(d)]

    def routes(self) -> list[web.RouteDef]:
        """The request URL, where a workspace has no app token."""
        return [web.post(PATH, Hook(self._hooked).answer)] if self._hooked else []

    async def start(self) -> None:
        """Work what was left, and begin to hear."""
        self._intake.start()
        for socket in self._sockets:
            socket.start(self.bridge.watch)
        for door in self._doors:
            if not (_has_socket(door) or _has_secret(door)):
                name = door.api.workspace.name
                log.error("slack is not heard: no app_token, no signing_secret", workspace=name)

    async def stop(self) -> None:
        """Hear no more, and finish what was heard."""
        for socket in self._sockets:
            await socket.stop()
        for door in self._doors:
            await door.settled()
        await self._counting.stop()
        # What waits for Slack longer is worked by the next start.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN):
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self._intake.stop()

    # -- what was stored ---------------------------------------------------------------------

    async def _work(self, number: int, kept: Mapping[str, Any]) -> None:
        api = self._chat.apis.get(kept["app"])
        if api is None:
            log.warning("an update of a workspace that is gone was dropped")
            return
        try:
            event = await self._event(number, api, dict(kept))
        except Refused:
            log.warning("somebody acted where they cannot be answered")
            return
        await self._handler(event)

    async def _event(self, number: int, api: Api, kept: Kept) -> Event:
        team = await api.team()
        seat = events.seat_of(kept)
        if seat is None and kept.get("post") and not kept["ephemeral"]:
            # We have written there before.
            channel = kept["channel"]
            seat = Seat(f"{team}/{channel}", private=channel.startswith("D"))
        if seat is None:
            seat = await self._chat.seat(api, kept.get("channel", ""), kept["person"])
        return events.event_of(number, kept, team, self._tenant(api), seat)

    def _tenant(self, api: Api) -> int:
        name = api.workspace.tenant
        if not name:
            return 0
        found = self.bridge.register.named(name)
        return found.id if found else _NOBODYS

    # -- what is not worth storing -----------------------------------------------------------

    def _typed(self, api: Api, body: Mapping[str, Any]) -> None:
        if (body.get("view") or {}).get("callback_id") in events.FORMS:
            kept = events.submitted(body)
            seat = events.seat_of(kept) or Seat("", private=True)
            event = events.event_of(0, kept, api.known_team, self._tenant(api), seat)
            self._counting.heard(Typed(api, event, body["view"]))

    def _opened(self, api: Api, body: Mapping[str, Any]) -> None:
        opened = body.get("event") or {}
        if opened.get("tab", "home") == "home" and self._is_new(str(body.get("event_id", ""))):
            kept = {
                "kind": "command",
                "team": body.get("team_id", ""),
                "person": opened.get("user", ""),
                "text": "",
            }
            self._soon(self._publish(api, kept))

    async def _publish(self, api: Api, kept: Kept) -> None:
        try:
            seat = Seat("", private=True)
            event = events.event_of(0, kept, await api.team(), self._tenant(api), seat)
            view = blocks.home(await self._handler.home(event))
            await api.call("views_publish", user_id=event.person, view=view)
        except BridgeError as no:
            log.warning("a home page was not shown", why=type(no).__name__)
        except Exception as fault:  # noqa: BLE001 - a page must not end the edge
            log.error("a home page failed", error=type(fault).__name__)

    def _is_new(self, event_id: str) -> bool:
        """Whether Slack tells it for the first time."""
        new = event_id not in self._told
        self._told[event_id] = None
        if len(self._told) > _MOST_REMEMBERED:
            self._told.popitem(last=False)
        return new

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _has_socket(door: Door) -> bool:
    return bool(door.api.workspace.app_token.get_secret_value())


def _has_secret(door: Door) -> bool:
    return bool(door.api.workspace.signing_secret.get_secret_value().strip())
