"""One workspace's way in: a payload comes in, is stored, and its acknowledgement goes out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bridge.bots.slack import events
from bridge.bots.slack.api import QUIET, Api
from bridge.errors import StoreUnavailable

#: Slack waits for three seconds, the way included.
HASTE: Final = 2.4
BUSY: Final = "✗ The bridge cannot take this now; try again soon."
SLOW: Final = "The bridge is slow: look at /sms log before you try again, it may have been taken."

_ANY = re.compile(r"")

Take = Callable[[str, Mapping[str, Any]], Coroutine[Any, Any, bool]]
Heard = Callable[[Api, Mapping[str, Any]], None]


class Door:
    """Hears what comes for one workspace, whichever way it came.

    `take` stores; `typed` and `opened` are told of what is not worth storing: a character that was
    typed in a form, and somebody who looks at the app's page.
    """

    def __init__(
        self, api: Api, take: Take, typed: Heard, opened: Heard, *, haste: float = HASTE
    ) -> None:
        self.api = api
        self._take = take
        self._typed = typed
        self._opened = opened
        self._haste = haste
        self._taking: set[asyncio.Task[bool]] = set()
        self._app = self._bolt()

    async def hear(self, request: AsyncBoltRequest) -> BoltResponse:
        """What to answer; another status than 200 means: not taken."""
        return await self._app.async_dispatch(request)

    async def settled(self) -> None:
        """Wait for what is still being stored."""
        await asyncio.gather(*self._taking, return_exceptions=True)

    def _bolt(self) -> AsyncApp:
        app = AsyncApp(
            name=self.api.workspace.name,
            logger=QUIET,
            authorize=_authorized,
            # Else events would be acknowledged before they are stored.
            process_before_response=True,
            # Signatures are looked at before a workspace is chosen.
            request_verification_enabled=False,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        app.command(_ANY)(self._command)
        app.block_action(_ANY)(self._pressed)
        app.view_submission(_ANY)(self._submitted)
        app.shortcut(_ANY)(self._shortcut)
        app.event("app_home_opened")(self._home)
        app.event("message")(self._message)
        # What nobody asked for is heard once, and not told again for want of an answer.
        app.event(_ANY)(_ignored)
        return app

    async def _command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        no = await self._stored(events.command(body), body)
        await ack(text=no, response_type="ephemeral") if no else await ack()

    async def _pressed(self, ack: AsyncAck, body: dict[str, Any]) -> BoltResponse | None:
        if body["actions"][0].get("type") == "plain_text_input":
            self._typed(self.api, body)
            await ack()
            return None
        kept = events.pressed(body)
        if kept is not None and await self._stored(kept, body):
            return BoltResponse(status=503)
        await ack()
        return None

    async def _shortcut(self, ack: AsyncAck, body: dict[str, Any]) -> BoltResponse | None:
        if await self._stored(events.shortcut(body), body):
            return BoltResponse(status=503)
        await ack()
        return None

    async def _submitted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        no = await self._stored(events.submitted(body), body)
        # The form stays open then, with all that was typed.
        await (ack(response_action="errors", errors={"text": no}) if no else ack())

    async def _home(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        self._opened(self.api, body)
        await ack()

    async def _message(self, ack: AsyncAck, body: dict[str, Any]) -> BoltResponse | None:
        """In the private chat a file of contacts is read; what is written there is a note."""
        kept = events.dropped(body)
        if kept is not None and await self._stored(kept, body):
            return BoltResponse(status=503)
        await ack()
        return None

    async def _stored(self, kept: events.Kept, body: Mapping[str, Any]) -> str:
        """Store it; why that is not certain, "" where it is."""
        item = {"app": self.api.workspace.name, **kept}
        taking = asyncio.create_task(self._take(events.key(kept, body), item))
        self._taking.add(taking)
        taking.add_done_callback(self._taken)
        try:
            async with asyncio.timeout(self._haste):
                await asyncio.shield(taking)
        except StoreUnavailable:
            return BUSY
        except TimeoutError:
            return SLOW
        return ""

    def _taken(self, taking: asyncio.Task[bool]) -> None:
        self._taking.discard(taking)
        if not taking.cancelled():
            taking.exception()  # it is known, or nobody waits for it any more


async def _authorized(team_id: str | None) -> AuthorizeResult:
    """Who speaks is the bridge's to judge; Bolt need not ask Slack before it lets them in."""
    return AuthorizeResult(enterprise_id=None, team_id=team_id)


async def _ignored(ack: AsyncAck) -> None:
    await ack()
