"""Methods of the Bot API go out, at Telegram's pace; results come in, or errors in our words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, TypeVar, cast
from weakref import WeakValueDictionary

import structlog
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.methods.base import Response
from aiogram.utils.token import TokenValidationError
from aiohttp import ClientConnectorError, ClientError

from bridge.bots.chat import Gone
from bridge.errors import Doubtful, Misconfigured, Refused, TryLater
from bridge.settings.sections import Telegram

log = structlog.get_logger("bridge.telegram")
# What it would log is what people wrote.
logging.getLogger("aiogram").setLevel(logging.CRITICAL + 1)

#: Seconds that one call may wait for its turn, and for Telegram's answer.
PATIENCE_S: Final = 60.0
ANSWER_S: Final = 30.0

Result = TypeVar("Result")
#: What a method of aiogram raises.
ERRORS: Final = (TelegramAPIError, ClientDecodeError)


class Unchanged(Exception):
    """The post says already what it is to say."""


class Closed(Gone):
    """The topic is there, and takes no posts."""


# Parts of Telegram's descriptions, which are all that tells its 400s and 403s apart.
_GONE: Final = (
    "message thread not found",
    "topic_deleted",
    "topic_id_invalid",
    "message to edit not found",
    "message to delete not found",
    "message can't be edited",
    "message_id_invalid",
)
_REFUSALS: Final = (
    ("blocked by the user", "this person has blocked the bot", "they can unblock it"),
    ("can't initiate", "this person has not started the bot", "they open its chat, press Start"),
    ("user is deactivated", "this account is deleted", "revoke its enrolment"),
    ("chat not found", "the bot knows no such chat", "add the bot there, or look at the chat's id"),
    ("kicked", "the bot was removed from this group", "add it again"),
    ("not a member", "the bot is not in this group", "add it again"),
    ("create a topic", "the bot may not make topics here", "give it the right Manage Topics"),
    ("rights", "the bot may not write here", "look at its rights with `bridge check`"),
    ("forbidden", "the bot may not do this here", "look at its rights with `bridge check`"),
)


def meaning(error: Exception) -> Exception:
    """An error of aiogram's in our words; nothing of the request is in it."""
    if isinstance(error, TelegramUnauthorizedError | TelegramNotFound):
        return TryLater("Telegram does not know the bot's token", "check [telegram] token")
    if isinstance(error, TelegramNetworkError | TelegramServerError | ClientDecodeError):
        if isinstance(error.__cause__, ClientConnectorError):
            return TryLater(
                "Telegram cannot be reached", "check that this machine reaches [telegram] api_url"
            )
        return Doubtful("Telegram did not say whether it took it", "it is tried again")
    said = str(getattr(error, "message", "")).casefold()
    if "message is not modified" in said:
        return Unchanged()
    if "topic_closed" in said:
        return Closed()
    if any(part in said for part in _GONE):
        return Gone()
    if "too many requests" in said:
        return TryLater("Telegram asks us to wait", "it is tried again")
    for part, sentence, hint in _REFUSALS:
        if part in said:
            return Refused(sentence, hint)
    return Refused("Telegram refuses this", "look at what `bridge check` says of Telegram")


class _Session(AiohttpSession):
    """Takes a good answer also in a form that aiogram does not know: the act is done."""

    def check_response(
        self, bot: Bot, method: TelegramMethod[Result], status_code: int, content: str
    ) -> Response[Result]:
        try:
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError as error:
            if isinstance(error.data, dict) and error.data.get("ok") is True:
                return Response.model_construct(ok=True, result=error.data.get("result"))
            raise


class Calls:
    """One bot's calls. Those about one chat go one after the other, in the order they came."""

    def __init__(self, settings: Telegram, *, patience: float = PATIENCE_S) -> None:
        server = TelegramAPIServer.from_base(settings.api_url)
        try:
            session = _Session(api=server, timeout=ANSWER_S)
            self.bot = Bot(settings.token.get_secret_value(), session=session)
        except TokenValidationError:
            raise Misconfigured(
                "[telegram] token is not a bot's token", "copy it from @BotFather: 123456:ABC…"
            ) from None
        #: Groups that became supergroups, which gave them another id.
        self.moved: dict[str, str] = {}
        self._patience = patience
        self._until = 0.0
        self._lines: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def close(self) -> None:
        """End the connections."""
        await self.bot.session.close()

    async def once(self, method: TelegramMethod[Result], seconds: float = ANSWER_S) -> Result:
        """One request outside of every line. Raises `ERRORS`."""
        return await self.bot(method, request_timeout=int(seconds))

    async def __call__(self, method: TelegramMethod[Result]) -> Result:
        """Raises Refused, TryLater, Gone, Unchanged."""
        end = _now() + self._patience
        async with self._turn(str(getattr(method, "chat_id", "")), end):
            while True:
                await self._pause(end)
                try:
                    return await self.bot(self._redirected(method))
                except TelegramRetryAfter as error:
                    self._until = max(self._until, _now() + error.retry_after)
                    continue
                except TelegramMigrateToChat as error:
                    if self.move(
                        str(getattr(method, "chat_id", "")), str(error.migrate_to_chat_id)
                    ):
                        continue
                    no: Exception = Refused("this group has another id now", "change the inbox")
                except ERRORS as error:
                    no = meaning(error)
                # Out of the handler, so that what the library said hangs on no error of ours.
                break
        raise no

    @asynccontextmanager
    async def _turn(self, place: str, end: float) -> AsyncIterator[None]:
        if not place:
            yield
            return
        line = self._lines.setdefault(place, asyncio.Lock())
        try:
            async with asyncio.timeout_at(end):
                await line.acquire()
        except TimeoutError:
            raise _busy() from None
        try:
            yield
        finally:
            line.release()

    async def _pause(self, end: float) -> None:
        """Wait while Telegram wants us to, all calls alike."""
        while (pause := self._until - _now()) > 0:
            left = end - _now()
            if left <= 0:
                raise _busy()
            await asyncio.sleep(min(pause, left))

    # -- groups that became supergroups --------------------------------------------------------

    def move(self, old: str, new: str) -> bool:
        """Remember a group's new id; False where it was known."""
        if self.moved.get(old) == new:
            return False
        self.moved[old] = new
        log.warning(
            "a Telegram group became a supergroup; name its new id in the tenant's inbox",
            old=f"telegram:{old}",
            new=f"telegram:{new}",
        )
        return True

    def _redirected(self, method: TelegramMethod[Result]) -> TelegramMethod[Result]:
        new = self.moved.get(str(getattr(method, "chat_id", "")))
        if new is None:
            return method
        if getattr(method, "message_id", None):
            # The new group counts its posts anew: this number is another post there.
            raise Gone
        there = {"chat_id": int(new), "reply_parameters": None}
        known = {name: there[name] for name in there if hasattr(method, name)}
        return method.model_copy(update=known)

    # -- files -----------------------------------------------------------------------------------

    async def download(self, path: str, most: int) -> bytes:
        """A file that `getFile` named; one octet more than `most` where it is longer."""
        session = cast(AiohttpSession, self.bot.session)
        url = session.api.file_url(self.bot.token, path)
        data = bytearray()
        try:
            async with aclosing(session.stream_content(url, timeout=int(ANSWER_S))) as chunks:
                async for chunk in chunks:
                    data += chunk
                    if len(data) > most:
                        break
            return bytes(data[: most + 1])
        except (ClientError, TimeoutError):
            pass
        # The library's error has the address in it, and the address has the token.
        raise TryLater("Telegram does not give us the file", "drop it once more")


def fact(found: Any, name: str) -> Any:
    """A field of an answer, whether aiogram could read it or not."""
    return found.get(name) if isinstance(found, dict) else getattr(found, name, None)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _busy() -> TryLater:
    return TryLater("Telegram asks us to wait", "it is tried again")
