"""What people in a chat are answered comes in; it is told once what they did has been worked.

The chat may be away by then. So an answer is on disk before it is told, and an update that is
worked again is not obeyed again: it is only answered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, cast

from bridge.bots.chat import Button, Chat, Event, Line, View
from bridge.dispatch.bridge import Bridge
from bridge.store.updates import KEPT_ANSWER, KeepAnswer, keep_answers

Said = tuple[str, View]

_WHISPER: Final = "whisper"
_REVISE: Final = "revise"


class Gathering:
    """A chat whose answers wait until they are told; all else of it happens at once."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self._said: dict[int, list[Said]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.chat, name)

    async def whisper(self, event: Event, view: View) -> None:
        """Answer so that only the one who acted reads it."""
        self._said.setdefault(event.update, []).append((_WHISPER, view))

    async def revise(self, event: Event, view: View) -> None:
        """Put `view` in the place of the post whose button was pressed."""
        self._said.setdefault(event.update, []).append((_REVISE, view))

    def take(self, event: Event) -> list[Said]:
        """What was said to an event, which is forgotten here."""
        return self._said.pop(event.update, [])


class Answers:
    """Of one handler. The answers to an event stand in `chats` until they are told."""

    def __init__(self, bridge: Bridge, chats: Mapping[str, Chat]) -> None:
        self._bridge = bridge
        self._gathering = {edge: Gathering(chat) for edge, chat in chats.items()}
        self.chats = {edge: cast("Chat", each) for edge, each in self._gathering.items()}

    async def told_before(self, event: Event) -> bool:
        """Tell what an event was answered already; False for one that was not answered.

        Raises Refused, TryLater.
        """
        rows = await self._bridge.store.read(KEPT_ANSWER, id=event.update)
        if not (rows and rows[0][0]):
            return False
        await self._tell(event, _read(rows[0][0]))
        return True

    async def tell(self, event: Event) -> None:
        """Keep what was said to an event, then tell it. Raises Refused, TryLater."""
        said = self._gathering[event.edge].take(event)
        if said:
            item = KeepAnswer(event.update, _written(said))
            await self._bridge.store.write(keep_answers, item)
            await self._tell(event, said)

    def forget(self, event: Event) -> None:
        """What was said to an event that failed is not told."""
        self._gathering[event.edge].take(event)

    async def _tell(self, event: Event, said: list[Said]) -> None:
        chat = self._gathering[event.edge].chat
        for how, view in said:
            await (chat.whisper if how == _WHISPER else chat.revise)(event, view)


def _written(said: list[Said]) -> str:
    return json.dumps([[how, asdict(view)] for how, view in said])


def _read(written: str) -> list[Said]:
    return [
        (
            how,
            View(
                tuple(Line(*line) for line in view["lines"]),
                tuple(Button(**button) for button in view["buttons"]),
            ),
        )
        for how, view in json.loads(written)
    ]
