"""Telegram's updates come in, by long polling or a webhook, and are on disk before it forgets them.

A poll confirms what the poll before it brought, so it is asked only when that is stored. aiogram's
own polling confirms before anything is handled, which is why this loop is ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import structlog
from aiogram.exceptions import (
    TelegramConflictError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import DeleteWebhook, GetMe, SetMyCommands, SetWebhook, TelegramMethod
from aiogram.types import BotCommand, BotCommandScopeAllPrivateChats
from aiohttp import web

from bridge.bots.chat import Gone
from bridge.bots.intake import Intake
from bridge.bots.patience import Patience
from bridge.bots.telegram.calls import ANSWER_S, ERRORS, meaning
from bridge.bots.telegram.client import TelegramChat
from bridge.bots.telegram.events import WANTED
from bridge.errors import BridgeError, Misconfigured, StoreUnavailable, TryLater
from bridge.settings import Settings

log = structlog.get_logger("bridge.telegram")

PATH: Final = "/telegram/webhook"
HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
POLL_S: Final = 25
#: Seconds between tries, the first and the longest; and how much later where another one polls.
FIRST_S, LONGEST_S, RIVAL_TIMES = 1.0, 60.0, 10.0
_LARGEST: Final = 1024 * 1024
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}").fullmatch
_COMMANDS: Final = (
    ("sms", "number or @name, and the text: send an SMS"),
    ("start", "what can be done here"),
    ("help", "what can be typed"),
)

Result = TypeVar("Result")


class _Updates(TelegramMethod[list[dict[str, Any]]]):
    """`getUpdates` as it comes: one update that aiogram cannot read must not hold up the others."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    timeout: int = POLL_S
    allowed_updates: list[str] = WANTED


class Hearing:
    """Brings one bot's updates into its intake. Telegram need not be there at the start."""

    def __init__(
        self,
        settings: Settings,
        chat: TelegramChat,
        intake: Intake,
        patience: Patience,
        first: float,
    ) -> None:
        self._chat = chat
        self._intake = intake
        self._patience = patience
        self._first = first
        self._trouble = ""
        self._url = settings.public_url + PATH
        self._secret = settings.telegram.webhook_secret.get_secret_value()
        if self._secret and not _SECRET(self._secret):
            raise Misconfigured(
                "[telegram] webhook_secret has characters that Telegram does not take",
                "use up to 256 letters, digits, - and _",
            )

    def routes(self) -> list[web.RouteDef]:
        """Where Telegram calls us, if it does."""
        return [web.post(PATH, self._called)] if self._secret else []

    async def run(self) -> None:
        """Hear until cancelled."""
        # A fault that nobody thought of must not end the process that sends everybody's SMS.
        while True:
            try:
                self._chat.learn(await self._insist(GetMe()))
                await self._show_commands()
                if self._secret:
                    await self._hook()
                    return
                await self._insist(DeleteWebhook())
                await self._poll()
            except Exception as error:  # noqa: BLE001
                log.error("the Telegram edge stumbled", error=type(error).__name__)
                await asyncio.sleep(self._first)

    async def _show_commands(self) -> None:
        commands = [BotCommand(command=name, description=does) for name, does in _COMMANDS]
        method = SetMyCommands(commands=commands, scope=BotCommandScopeAllPrivateChats())
        try:
            await self._chat.calls(method)
        except (BridgeError, Gone) as no:
            log.warning("Telegram does not show the bot's commands", error=type(no).__name__)

    async def _hook(self) -> None:
        method = SetWebhook(url=self._url, secret_token=self._secret, allowed_updates=WANTED)
        await self._insist(method)

    async def _poll(self) -> None:
        offset: int | None = None
        while True:
            updates = await self._insist(_Updates(offset=offset), POLL_S + 10)
            await self._store(updates)
            # An empty poll has confirmed everything. Numbers may begin anew after a quiet week,
            # and an old offset would then hide what is new.
            offset = max((u["update_id"] for u in updates), default=-1) + 1 or None

    async def _store(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """All of them are on disk when this returns."""
        waiting = list(updates)
        while waiting:
            took = (self._intake.take(str(each["update_id"]), each) for each in waiting)
            done = await asyncio.gather(*took, return_exceptions=True)
            waiting = [u for u, d in zip(waiting, done, strict=True) if isinstance(d, Exception)]
            if waiting:
                log.warning("updates are not stored yet", count=len(waiting))
                await asyncio.sleep(self._first)

    async def _insist(self, method: TelegramMethod[Result], seconds: float = ANSWER_S) -> Result:
        """Ask until Telegram answers, more and more slowly."""
        pause = self._first
        while True:
            try:
                result = await self._chat.calls.once(method, seconds)
            except TelegramRetryAfter as error:
                await asyncio.sleep(error.retry_after)
            except ERRORS as error:
                await self._trouble_with(error, pause)
                pause = min(pause * 2, LONGEST_S)
            else:
                if self._trouble:
                    log.info("Telegram answers again")
                self._trouble = ""
                return result

    async def _trouble_with(self, error: Exception, pause: float) -> None:
        """Say it once, and wait."""
        kind, sentence, hint = _trouble(error)
        if kind != self._trouble:
            log.error(sentence, hint=hint)
        self._trouble = kind
        if kind == "rival":
            # A poller that another one ends comes back at once: give it time.
            pause = max(pause, self._first * RIVAL_TIMES)
            with contextlib.suppress(*ERRORS):
                # The other one may be a webhook that somebody set.
                await self._chat.calls.once(DeleteWebhook())
        await asyncio.sleep(pause)

    # -- being called ------------------------------------------------------------------------

    async def _called(self, request: web.Request) -> web.Response:
        """The webhook: 200 when the update is on disk."""
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            if self._patience("log/webhook"):
                log.warning("a webhook call without our secret was refused")
            return web.Response(status=401)
        try:
            update = json.loads(await _body(request))
            key = str(int(update["update_id"]))
        except (ValueError, KeyError, TypeError):
            return web.Response(status=400)
        try:
            await self._intake.take(key, update)
        except StoreUnavailable:
            return web.Response(status=503, headers={"Retry-After": "5"})
        return web.Response()


async def _body(request: web.Request) -> bytes:
    """Updates may be longer than what the web edge takes from others. Raises ValueError."""
    data = bytearray()
    async for chunk in request.content.iter_any():
        data += chunk
        if len(data) > _LARGEST:
            raise ValueError("too large")
    return bytes(data)


def _trouble(error: Exception) -> tuple[str, str, str]:
    """Kind, sentence and hint, for the log."""
    if isinstance(error, TelegramUnauthorizedError | TelegramNotFound):
        hint = "check [telegram] token; until then nothing is heard from Telegram"
        return "token", "Telegram does not know the bot's token", hint
    if isinstance(error, TelegramConflictError):
        hint = "let one program hear the bot: end the other one, or take a bot of its own"
        return "rival", "another program hears this Telegram bot", hint
    if isinstance(meaning(error), TryLater):
        return "away", "Telegram cannot be reached", "it is tried again"
    hint = "look at what `bridge check` says of Telegram; a webhook needs https in public_url"
    return "no", "Telegram refuses to let us hear the bot", hint
