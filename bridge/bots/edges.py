"""The chats that are configured come in as settings; their adapters and edges go out.

A chat's library is imported only here, and only where its token is set: aiogram alone would more
than double the memory of a bridge that has no Telegram.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from bridge.bots.chat import Chat
from bridge.bots.handler import Handler
from bridge.dispatch.bridge import Bridge


class Edge(Protocol):
    """What hears a chat."""

    async def start(self) -> None:
        """Begin to hear it."""

    async def stop(self) -> None:
        """Hear no more, and finish what was heard."""

    def routes(self) -> list[web.RouteDef]:
        """Where the chat calls us, if it does."""


def chats_of(bridge: Bridge) -> dict[str, Chat]:
    """The adapters of the configured chats, by edge."""
    found: dict[str, Chat] = {}
    if "slack" in bridge.edges:
        from bridge.bots.slack.client import SlackChat

        found["slack"] = SlackChat(bridge)
    if "telegram" in bridge.edges:
        from bridge.bots.telegram.client import TelegramChat

        found["telegram"] = TelegramChat(bridge)
    return found


def edges_of(bridge: Bridge, chats: Mapping[str, Chat]) -> list[Edge]:
    """What hears these chats."""
    handler = Handler(bridge, chats)
    found: list[Edge] = []
    for name, chat in chats.items():
        if name == "slack":
            from bridge.bots.slack.edge import SlackEdge

            found.append(SlackEdge(bridge, chat, handler))
        else:
            from bridge.bots.telegram.edge import TelegramEdge

            found.append(TelegramEdge(bridge, chat, handler))
    return found
