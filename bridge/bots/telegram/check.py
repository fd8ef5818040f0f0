"""Settings come in; what Telegram says of the bot, its webhook and its groups goes out.

Both functions answer with a sentence, or raise Misconfigured, Refused, TryLater.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiogram.methods import GetChat, GetChatMember, GetMe, GetWebhookInfo

from bridge.bots.telegram.calls import Calls, fact
from bridge.bots.telegram.hearing import PATH
from bridge.errors import Misconfigured
from bridge.settings import Settings

_PATIENCE_S: Final = 5.0
_HERE: Final = frozenset({"creator", "administrator", "member", "restricted"})


def places(settings: Settings) -> list[str]:
    """The Telegram chats that the file's tenants name as inboxes, each once."""
    named = (inbox.partition(":") for tenant in settings.tenants for inbox in tenant.inbox)
    return list(dict.fromkeys(place for edge, _, place in named if edge == "telegram"))


async def probe(settings: Settings) -> str:
    """The bot, and how it is heard."""
    async with _calls(settings) as calls:
        me = await calls(GetMe())
        hook = await calls(GetWebhookInfo())
    waiting = fact(hook, "pending_update_count") or 0
    heard = _heard(settings, hook)
    return f"@{fact(me, 'username')} {heard}, {waiting} updates wait"


def _heard(settings: Settings, hook: Any) -> str:
    url, secret = fact(hook, "url") or "", settings.telegram.webhook_secret.get_secret_value()
    ours = settings.public_url + PATH
    if not secret:
        if url:
            raise Misconfigured(
                "the bot has a webhook, and polling would take it away",
                "end the program that set it, or set [telegram] webhook_secret",
            )
        return "is polled"
    if not ours.startswith("https:"):
        raise Misconfigured(
            "Telegram calls https addresses only", "set public_url, or poll: no webhook_secret"
        )
    if url and url != ours:
        raise Misconfigured(
            "the bot's webhook leads elsewhere", f"start the bridge, which sets it to {ours}"
        )
    error = fact(hook, "last_error_message")
    if error and (fact(hook, "pending_update_count") or 0):
        raise Misconfigured("Telegram does not reach our webhook", f"it says: {error}")
    return f"calls {ours}" if url else f"will call {ours}"


async def probe_chat(settings: Settings, place: str) -> str:
    """One inbox: whether the bot is there, and may do what it must."""
    async with _calls(settings) as calls:
        chat = await calls(GetChat(chat_id=int(place)))
        if fact(chat, "type") == "private":
            return "a private chat that has started the bot"
        member = await calls(GetChatMember(chat_id=int(place), user_id=calls.bot.id))
        if place in calls.moved:
            raise Misconfigured(
                "this group became a supergroup and has another id",
                f'write "telegram:{calls.moved[place]}" in the inbox',
            )
    return _rights(chat, member)


def _rights(chat: Any, member: Any) -> str:
    status = str(fact(member, "status"))
    if status not in _HERE or fact(member, "is_member") is False:
        hint = "add it; @BotFather, /setjoingroups, Enable lets it in"
        raise Misconfigured("the bot is not in this group", hint)
    is_admin = status in ("creator", "administrator")
    may_write = fact(member, "can_send_messages")
    if may_write is None and not is_admin:
        may_write = fact(fact(chat, "permissions") or {}, "can_send_messages")
    if may_write is False and not is_admin:
        raise Misconfigured(
            "the bot may not write in this group", "let it send messages, or make it administrator"
        )
    if not fact(chat, "is_forum"):
        return "a group without topics: answers hang below one another"
    if status != "creator" and not fact(member, "can_manage_topics"):
        raise Misconfigured(
            "the bot may not make topics in this group",
            "make it an administrator with the right Manage Topics",
        )
    return "a group with a topic for each person"


@asynccontextmanager
async def _calls(settings: Settings) -> AsyncIterator[Calls]:
    calls = Calls(settings.telegram, patience=_PATIENCE_S)
    try:
        yield calls
    finally:
        await calls.close()
