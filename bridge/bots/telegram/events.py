"""Telegram's updates come in; events for the handler go out, or what to answer at once. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from aiogram.types import CallbackQuery, ChatMemberUpdated, Message, Update

from bridge.bots.chat import Answered, Event, Filled, Line, Pressed, Typed, View
from bridge.bots.telegram.render import pressed
from bridge.bots.views import said
from bridge.errors import TryLater

#: What we ask Telegram for.
WANTED: Final = ["message", "edited_message", "callback_query", "my_chat_member"]
GROUPS: Final = ("group", "supergroup")
CONTACTS: Final = "contacts"

_COMMAND: Final = re.compile(
    r"/(sms|start|help)(?:@(\w+))?(?:\s+(.*))?", re.DOTALL | re.IGNORECASE
).fullmatch
_OTHER_COMMAND: Final = re.compile(r"/\w{1,32}(?:@\w+)?(?:\s|$)").match
_REPLY: Final = re.compile(r"reply\s+(.+)", re.DOTALL | re.IGNORECASE).fullmatch
_MEDIA: Final = (
    *("photo", "sticker", "voice", "audio", "document", "video", "video_note", "animation"),
    *("location", "venue", "contact", "poll", "dice", "game", "story", "checklist"),
    *("paid_media", "live_photo"),
)


class Us(NamedTuple):
    """Who reads."""

    id: int
    username: str  # "" until Telegram has told it
    groups: Mapping[str, int]  # the groups that are inboxes, and their tenant; 0: of several


@dataclass(frozen=True, slots=True)
class Saying:
    """What is answered at once."""

    place: str
    view: View
    answers: str
    person: str
    thread: str = ""
    album: str = ""  # pictures that were sent together are answered once


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody added us to a group that is nobody's inbox."""

    place: str
    can_read: bool  # there are people whom a word could reach


@dataclass(frozen=True, slots=True)
class Moving:
    """A group became a supergroup."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Hushing:
    """A button that is none of ours; it must not wait for an answer."""

    query: str


Read = Event | Saying | Leaving | Moving | Hushing | None


def read(number: int, update: Update, us: Us) -> Read:
    """What an update means to us. Raises TryLater while our own name is not known."""
    if update.message is not None:
        return _Reader(number, update.message, us).read()
    if update.edited_message is not None:
        return _Reader(number, update.edited_message, us).read_edited()
    if update.callback_query is not None:
        return _pressed(number, update.callback_query, us)
    if update.my_chat_member is not None:
        return _member(update.my_chat_member, us)
    return None


class _Reader:
    """One message."""

    def __init__(self, number: int, message: Message, us: Us) -> None:
        self._number = number
        self._message = message
        self._us = us
        self._place = str(message.chat.id)
        self._private = message.chat.type == "private"
        self._text = message.text or ""

    def read(self) -> Read:
        message = self._message
        if message.migrate_to_chat_id is not None:
            return Moving(self._place, str(message.migrate_to_chat_id))
        if not self._is_ours():
            return None
        if message.sender_chat is not None:
            return self._anonymous()
        if message.text is None:
            return self._no_text()
        ours, found = self._command()
        if not ours:
            return None
        if message.forward_origin is not None and (self._private or found):
            return self._say("A forwarded message is not obeyed, and not sent; write it anew.")
        if found:
            return self._typed(*found)
        if _OTHER_COMMAND(self._text):
            return self._how() if self._private else None
        post = self._answered_post()
        if post:
            return self._event(Answered(self._text, post))
        return self._how() if self._private else None

    def read_edited(self) -> Read:
        if not self._is_ours() or not self._text or self._message.sender_chat is not None:
            return None
        ours, found = self._command()
        if not ours or not (found or self._answered_post()):
            return None
        return self._say("An edit does not change an SMS that was sent; write a new one.")

    def _is_ours(self) -> bool:
        who = self._message.from_user
        if who is None or (who.is_bot and self._message.sender_chat is None):
            return False
        return self._private or self._place in self._us.groups

    # -- commands ----------------------------------------------------------------------------

    def _command(self) -> tuple[bool, tuple[str, str] | None]:
        """Whether the text is not for another bot; the command's verb and what stands behind."""
        found = _COMMAND(self._text)
        if found is None:
            return True, None
        verb, name, rest = found[1].lower(), found[2], found[3] or ""
        if name and not self._us.username:
            raise TryLater("Telegram has not told the bot's own name yet")
        if name and name.lower() != self._us.username.lower():
            return False, None
        if verb != "sms" and not name and not self._private:
            return False, None  # any bot's command
        return True, (verb, rest)

    def _typed(self, verb: str, rest: str) -> Event:
        post = self._answered_post()
        reply = _REPLY(rest) if post and verb == "sms" else None
        if reply:
            return self._event(Answered(reply[1], post))
        return self._event(Typed(rest if verb == "sms" else "help"))

    def _answered_post(self) -> str:
        """The post of ours that the message answers; "" for none."""
        to = self._message.reply_to_message
        if to is None or to.from_user is None or to.from_user.id != self._us.id:
            return ""
        # In a topic everything seems to answer the message that made the topic.
        is_topics_own = self._thread() == str(to.message_id)
        if is_topics_own or to.forum_topic_created is not None:
            return ""
        return str(to.message_id)

    # -- other content -----------------------------------------------------------------------

    def _no_text(self) -> Read:
        message = self._message
        file = message.document
        if file is not None and self._private and _is_table(file.file_name, file.mime_type):
            fields = {"file_id": file.file_id}
            return self._event(Filled(CONTACTS, file.file_name or "", fields))
        if not any(getattr(message, kind, None) for kind in _MEDIA):
            return None
        was_meant = (message.caption or "").lower().startswith("/sms") or self._answered_post()
        if not self._private and not was_meant:
            return None
        return self._say("Only text can be sent as SMS; write it as text.")

    def _anonymous(self) -> Read:
        chat = self._message.sender_chat
        if chat is None or chat.id != self._message.chat.id or not _COMMAND(self._text):
            return None
        return self._say(
            "I cannot see who wrote this.",
            "Write as yourself: switch off Remain Anonymous in your rights as an administrator.",
        )

    # -- what comes of it --------------------------------------------------------------------

    def _how(self) -> Saying:
        return self._saying(
            View(
                (
                    Line("Nothing was sent. To send an SMS, write"),
                    Line("/sms <number or @name> <text>", "code"),
                    Line("or answer below an SMS that came in. More: /sms help", "faint"),
                )
            )
        )

    def _say(self, *lines: str) -> Saying:
        return self._saying(said(*lines))

    def _saying(self, view: View) -> Saying:
        message = self._message
        return Saying(
            self._place,
            view,
            str(message.message_id),
            self._person(),
            self._thread(),
            message.media_group_id or "",
        )

    def _event(self, act: Typed | Answered | Filled) -> Event:
        return Event(
            update=self._number,
            edge="telegram",
            team="",
            person=self._person(),
            place=self._place,
            act=act,
            thread=self._thread(),
            private=self._private,
            answers=str(self._message.message_id),
            tenant=self._us.groups.get(self._place, 0),
            back={"name": self._message.from_user.first_name if self._message.from_user else ""},
        )

    def _person(self) -> str:
        return str(self._message.from_user.id) if self._message.from_user else ""

    def _thread(self) -> str:
        return "" if self._private else _topic(self._message)


def _topic(message: Any) -> str:
    """The forum topic. Answers outside of topics have a thread too, which nobody can post to."""
    if not getattr(message, "is_topic_message", None):
        return ""
    return str(message.message_thread_id or "")


def _is_table(name: str | None, kind: str | None) -> bool:
    return kind == "text/csv" or (name or "").lower().endswith(".csv")


def _pressed(number: int, query: CallbackQuery, us: Us) -> Read:
    message = query.message
    if message is None or not query.data:
        return Hushing(query.id)
    place = str(message.chat.id)
    private = message.chat.type == "private"
    if not private and place not in us.groups:
        return Hushing(query.id)
    return Event(
        update=number,
        edge="telegram",
        team="",
        person=str(query.from_user.id),
        place=place,
        act=Pressed(*pressed(query.data), str(message.message_id)),
        thread="" if private else _topic(message),
        private=private,
        tenant=us.groups.get(place, 0),
        back={"query": query.id, "name": query.from_user.first_name},
    )


def _member(change: ChatMemberUpdated, us: Us) -> Read:
    """Where we were added, only inboxes keep us."""
    place, now = str(change.chat.id), change.new_chat_member
    is_there = now.status in ("member", "administrator") or bool(getattr(now, "is_member", False))
    if change.chat.type == "private" or not is_there or place in us.groups:
        return None
    return Leaving(place, change.chat.type in GROUPS)
