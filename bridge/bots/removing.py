"""Posts about people who are erased come in; they are taken out of their chat, or made empty.

What a chat does not let go, and what cannot be reached for days, is told in the receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from bridge.bots import views
from bridge.bots.chat import Chat, Gone
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.teller import Teller
from bridge.errors import Refused, TryLater
from bridge.privacy.periods import periods
from bridge.store.chat_erasures import (
    CARD,
    CARD_POST,
    NEXT_CONDEMNED,
    THREAD,
    ClaimCondemned,
    Condemned,
    CondemnedDone,
    GiveBackCondemned,
    claim_condemned,
    finish_condemned,
    give_back_condemned,
)

log = structlog.get_logger("bridge.removing")

GLANCE: Final = 2.0
FIRST_RETRY, LONGEST_RETRY = 2.0, 3600.0
_DELETED, _BLANKED, _GONE, _REFUSED = "deleted", "blanked", "gone", "refused"


class Remover(Teller[Condemned]):
    """Takes posts out of one chat."""

    def __init__(self, bridge: Bridge, chat: Chat) -> None:
        super().__init__(bridge, f"remover-{chat.edge}", GLANCE)
        self._chat = chat

    async def _next(self) -> float | None:
        found = await self.bridge.store.read(NEXT_CONDEMNED, edge=self._chat.edge)
        return found[0][0] if found else None

    async def _claim(self, most: int) -> Sequence[Condemned]:
        bridge = self.bridge
        claim = ClaimCondemned(self._chat.edge, bridge.incarnation, bridge.clock(), most)
        found: list[Condemned] = await bridge.store.write(claim_condemned, claim)
        return found

    async def _give_back(self, keep: frozenset[int]) -> None:
        mine = GiveBackCondemned(self._chat.edge, self.bridge.incarnation, keep)
        await self.bridge.store.write(give_back_condemned, mine)

    async def _tell(self, item: Condemned) -> None:
        await self._keep(finish_condemned, await self._done(item))

    async def _done(self, item: Condemned) -> CondemnedDone:
        try:
            post, number = await self._where(item)
            outcome = await self._taken(item, post) if post else _GONE
        except TryLater:
            return self._later(item)
        except Exception as error:  # noqa: BLE001
            log.error("a post was not taken down", edge=item.edge, error=type(error).__name__)
            return self._later(item)
        return CondemnedDone(item.id, self.bridge.clock(), outcome, card=number)

    async def _where(self, item: Condemned) -> tuple[str, int]:
        """The post, "" where it never came to stand; and the card that goes with it."""
        if item.what != CARD:
            return item.post, 0
        number = int(item.post)
        rows = await self.bridge.store.read(CARD_POST, id=number)
        if rows and rows[0][1] is not None:
            raise TryLater("it is just being posted")
        return (str(rows[0][0]) if rows else ""), number

    async def _taken(self, item: Condemned, post: str) -> str:
        chat = self._chat
        try:
            if item.what == THREAD:
                await chat.remove_thread(item.place, post)
            else:
                await chat.remove(item.place, post)
        except Gone:
            return _GONE
        except Refused:
            return await self._blanked(item, post)
        return _DELETED

    async def _blanked(self, item: Condemned, post: str) -> str:
        """A post that may not be deleted says nothing any more; a topic is no post."""
        try:
            if item.what == THREAD and not await self._chat.roots(item.place):
                return _REFUSED
            await self._chat.edit(item.place, post, views.said("This was erased."))
        except (Gone, Refused):
            return _REFUSED
        return _BLANKED

    def _later(self, item: Condemned) -> CondemnedDone:
        now = self.bridge.clock()
        if now - item.begun_at > periods().chats:
            number = int(item.post) if item.what == CARD else 0
            return CondemnedDone(item.id, now, _REFUSED, card=number)
        delay = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(item.tries, 20))
        return CondemnedDone(item.id, now, due_at=now + delay)
