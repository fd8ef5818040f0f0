"""Whether what stands at a place of a chat is read by somebody who may."""

from __future__ import annotations

from bridge.bots.chat import Chat
from bridge.store.chat_log import READERS
from bridge.store.store import Store


async def is_read(store: Store, chat: Chat, place: str, tenant: int) -> bool:
    """True for a shared place; a private chat ends with its person's enrolment."""
    if chat.shared(place):
        return True
    return bool(await store.read(READERS, edge=chat.edge, place=place, tenant=tenant))
