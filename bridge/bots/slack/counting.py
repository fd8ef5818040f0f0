"""A text that is being typed in a form comes in; what it will cost goes out, into the form.

Of what is typed faster than it can be shown, only the newest is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bridge.bots.chat import Event
from bridge.bots.slack import blocks
from bridge.bots.slack.api import Api, Refusal
from bridge.bots.slack.events import fields
from bridge.errors import BridgeError

log = structlog.get_logger("bridge.slack")

#: Seconds between two updates of one form: Slack allows about a hundred a minute in all.
BREATH: Final = 0.5

Counts = Callable[[Event, Mapping[str, str]], Awaitable[tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Typed:
    """An open form, as it was when a character was typed in it."""

    api: Api
    event: Event
    view: Mapping[str, Any]


class Counting:
    """Keeps the counts of open forms up to date."""

    def __init__(self, counts: Counts, breath: float = BREATH) -> None:
        self._counts = counts
        self._breath = breath
        self._newest: dict[str, Typed] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def heard(self, typed: Typed) -> None:
        """Something was typed."""
        form = typed.view["id"]
        self._newest[form] = typed
        if form not in self._tasks:
            self._tasks[form] = asyncio.create_task(self._follow(form))

    async def stop(self) -> None:
        """Show no more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, form: str) -> None:
        try:
            seen = ""
            while (typed := self._newest.pop(form, None)) is not None:
                seen = await self._shown(typed, seen)
                await asyncio.sleep(self._breath)
        finally:
            del self._tasks[form]

    async def _shown(self, typed: Typed, seen: str) -> str:
        """Show the counts; the hash of what is shown then, "" where that is not known."""
        try:
            lines = await self._counts(typed.event, fields(typed.view))
            return await _update(typed, blocks.counted(typed.view, lines), seen)
        except BridgeError:
            return ""
        except Exception as fault:  # noqa: BLE001 - a count must not end the edge
            log.error("a count failed", error=type(fault).__name__)
            return ""


async def _update(typed: Typed, view: Mapping[str, Any], seen: str) -> str:
    """Update the form, unless a newer one is shown; the hash of what is shown then."""
    told = typed.view.get("hash", "")
    for known in dict.fromkeys((seen or told, told)):
        try:
            answer = await typed.api.call(
                "views_update", view_id=typed.view["id"], hash=known, view=view
            )
        except Refusal as no:
            if no.code != "hash_conflict":
                raise
        else:
            return str(answer["view"].get("hash", ""))
    return ""
