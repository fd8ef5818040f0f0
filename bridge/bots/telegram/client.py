"""`chat.Chat` for Telegram: views go out as messages, topics, alerts and edits."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from aiogram.methods import (
    AnswerCallbackQuery,
    CreateForumTopic,
    DeleteForumTopic,
    DeleteMessage,
    EditMessageReplyMarkup,
    EditMessageText,
    GetChat,
    GetFile,
    ReopenForumTopic,
    SendMessage,
)
from aiogram.types import ForceReply, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters

from bridge.bots.chat import Button, Event, Form, Gone, Pressed, View
from bridge.bots.telegram.calls import Calls, Closed, Unchanged, fact
from bridge.bots.telegram.render import (
    ALERT,
    LABEL,
    cut,
    escaped,
    how_to_write,
    html_of,
    keyboard_of,
    plain_of,
    units,
)
from bridge.bots.views import said
from bridge.dispatch.bridge import Bridge
from bridge.errors import Refused, TryLater

LARGEST_FILE: Final = 1024 * 1024
#: Seconds for which a group's form is remembered; topics are seldom switched on.
FORUM_S: Final = 600.0
TITLE: Final = 128
#: What a group may read of an answer to one of its members.
_SHORT: Final = 300
_HTML: Final = "HTML"
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
_MOST_QUERIES: Final = 10_000

Markup = InlineKeyboardMarkup | ForceReply | None


class TelegramChat:
    """One bot."""

    edge = "telegram"

    def __init__(self, bridge: Bridge) -> None:
        self.calls = Calls(bridge.settings.telegram)
        self.id: int = self.calls.bot.id
        self.username = ""
        self._forums: dict[str, tuple[float, bool]] = {}
        self._settled: OrderedDict[str, None] = OrderedDict()

    async def close(self) -> None:
        await self.calls.close()

    def learn(self, me: Any) -> None:
        """What Telegram says of the bot."""
        self.username = str(fact(me, "username") or "")

    # -- answers -----------------------------------------------------------------------------

    async def whisper(self, event: Event, view: View) -> None:
        if event.private:
            await self.post(event.place, "", view, event.answers)
        elif isinstance(event.act, Pressed):
            await self._alert(event, view)
        else:
            heard = view if _may_be_overheard(view) else await self._aside(event, view)
            try:
                await self.post(event.place, event.thread, heard, event.answers)
            except Gone:
                await self.post(event.place, "", heard)  # the topic was deleted meanwhile

    async def _alert(self, event: Event, view: View) -> None:
        """To the one who pressed a button before others."""
        text = plain_of(view)
        # Nothing can be copied out of an alert.
        fits = units(text) <= ALERT and all(line.kind != "code" for line in view.lines)
        if fits and not view.buttons and await self.settle(event, text):
            return
        hint = await self._aside(event, view)
        await self.settle(event, plain_of(hint))

    async def _aside(self, event: Event, view: View) -> View:
        """Answer in private; what the group is told of it."""
        try:
            await self.post(event.person, "", view)
        except (Refused, Gone):
            at = f" (@{self.username})" if self.username else ""
            return said(f"Open a chat with me{at} and press Start; then do this once more.")
        return said("Details in our private chat.")

    async def settle(self, event: Event, text: str = "") -> bool:
        """Answer a pressed button, which waits for it; False where that was done before."""
        query = str(event.back.get("query", ""))
        return bool(query) and await self.hush(query, text)

    async def hush(self, query: str, text: str = "") -> bool:
        """As `settle`, for any button."""
        if query in self._settled:
            return False
        self._settled[query] = None
        if len(self._settled) > _MOST_QUERIES:
            self._settled.popitem(last=False)
        method = AnswerCallbackQuery(
            callback_query_id=query, text=text or None, show_alert=bool(text) or None
        )
        try:
            await self.calls(method)
        except Refused:
            return False  # it is too old to be answered
        except TryLater:
            if text:
                del self._settled[query]
                raise
        return True

    async def revise(self, event: Event, view: View) -> None:
        if isinstance(event.act, Pressed):
            with contextlib.suppress(Gone):
                await self.edit(event.place, event.act.post, view)
                return
        await self.whisper(event, view)

    async def relabel(self, event: Event, buttons: Sequence[Button]) -> None:
        if not isinstance(event.act, Pressed):
            return
        method = EditMessageReplyMarkup(
            chat_id=int(event.place),
            message_id=int(event.act.post),
            reply_markup=keyboard_of(buttons),
        )
        with contextlib.suppress(Unchanged, Gone):
            await self.calls(method)

    async def ask(self, event: Event, form: Form) -> str:
        if form.name != "reply":
            await self.whisper(event, how_to_write(form.fields))
            return ""
        person = ""
        if not event.private:
            name = escaped(str(event.back.get("name", "")) or "You there")
            person = f'<a href="tg://user?id={int(event.person)}">{name}</a>: '
        text = (
            f"<b>{escaped(form.title)}</b>\n"
            f"{person}Write your answer to this person as a reply to this message."
        )
        # Only whoever pressed the button is asked, where others read.
        markup = ForceReply(
            input_field_placeholder=cut(form.title, LABEL), selective=not event.private or None
        )
        below = event.act.post if isinstance(event.act, Pressed) else event.answers
        return await self._sent(event.place, event.thread, text, markup, below)

    # -- posts -------------------------------------------------------------------------------

    async def post(self, place: str, thread: str, view: View, answers: str = "") -> str:
        return await self._sent(place, thread, html_of(view), keyboard_of(view.buttons), answers)

    async def _sent(self, place: str, thread: str, text: str, markup: Markup, answers: str) -> str:
        topic = thread if thread and await self._is_forum(place) else ""
        below = answers or ("" if topic else thread)
        method = SendMessage(
            chat_id=int(place),
            text=text,
            parse_mode=_HTML,
            link_preview_options=_NO_PREVIEW,
            message_thread_id=int(topic) if topic else None,
            reply_parameters=_below(below),
            reply_markup=markup,
        )
        try:
            return await self._number(method)
        except Closed:
            await self._reopen(place, topic)
            return await self._number(method)
        except (Gone, Refused):
            self._forums.pop(place, None)
            raise

    async def _number(self, method: SendMessage) -> str:
        return str(fact(await self.calls(method), "message_id"))

    async def edit(self, place: str, post: str, view: View) -> None:
        method = EditMessageText(
            chat_id=int(place),
            message_id=int(post),
            text=html_of(view),
            parse_mode=_HTML,
            link_preview_options=_NO_PREVIEW,
            reply_markup=keyboard_of(view.buttons),
        )
        with contextlib.suppress(Unchanged):
            await self.calls(method)

    async def remove(self, place: str, post: str) -> None:
        await self.calls(DeleteMessage(chat_id=int(place), message_id=int(post)))

    async def remove_thread(self, place: str, root: str) -> None:
        """Delete a topic with all in it, or the post that answers hang below."""
        if not await self._is_forum(place):
            await self.remove(place, root)
            return
        await self.calls(DeleteForumTopic(chat_id=int(place), message_thread_id=int(root)))

    # -- topics ------------------------------------------------------------------------------

    async def open_thread(self, place: str, title: str) -> str:
        if not await self._is_forum(place):
            return ""
        method = CreateForumTopic(chat_id=int(place), name=cut(title, TITLE) or "SMS")
        try:
            return str(fact(await self.calls(method), "message_thread_id"))
        except Refused:
            self._forums.pop(place, None)
            raise

    async def _reopen(self, place: str, topic: str) -> None:
        """A closed topic takes the bot's posts again. Raises Gone where it may not open it."""
        method = ReopenForumTopic(chat_id=int(place), message_thread_id=int(topic))
        try:
            await self.calls(method)
        except Refused:
            raise Gone from None

    async def _is_forum(self, place: str) -> bool:
        if not self.shared(place):
            return False
        now = asyncio.get_running_loop().time()
        until, found = self._forums.get(place, (0.0, False))
        if until <= now:
            found = bool(fact(await self.calls(GetChat(chat_id=int(place))), "is_forum"))
            self._forums[place] = (now + FORUM_S, found)
        return found

    # -- the rest ----------------------------------------------------------------------------

    async def fetch(self, file: str) -> bytes:
        found = await self.calls(GetFile(file_id=file))
        path = str(fact(found, "file_path") or "")
        if (fact(found, "file_size") or 0) > LARGEST_FILE:
            raise _too_large()
        if not path or path.startswith("/"):
            raise Refused(
                "this Bot API server keeps files to itself", "run it without --local for imports"
            )
        data = await self.calls.download(path, LARGEST_FILE)
        if len(data) > LARGEST_FILE:
            raise _too_large()
        return data

    async def roots(self, place: str) -> bool:
        """In a forum people have topics of their own; elsewhere answers hang below a post."""
        return not await self._is_forum(place)

    def resolved(self, tenant: int, place: str) -> str:  # noqa: ARG002 - one bot for all tenants
        return self.calls.moved.get(place, place)

    def shared(self, place: str) -> bool:
        # The Bot API gives groups and channels negative ids.
        return place.startswith("-")


def _below(post: str) -> ReplyParameters | None:
    if not post:
        return None
    return ReplyParameters(message_id=int(post), allow_sending_without_reply=True)


def _may_be_overheard(view: View) -> bool:
    """Short words of ours; what somebody wrote or asked for is for them alone."""
    if view.buttons or any(line.kind in ("quote", "code") for line in view.lines):
        return False
    digits = max((len(run) for run in _runs(plain_of(view))), default=0)
    return len(view.plain) <= _SHORT and digits < 7


def _runs(text: str) -> list[str]:
    return "".join(c if c.isdecimal() else "" if c in " -()/." else "|" for c in text).split("|")


def _too_large() -> Refused:
    return Refused("this file is larger than 1 MB", "split it and drop the parts one by one")
