"""Cards that are due come in; posts in chats, made once and edited in place, go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from bridge.bots import views
from bridge.bots.chat import Chat, Gone
from bridge.bots.readers import is_read
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.teller import Teller
from bridge.errors import Doubtful, Refused, TryLater
from bridge.store.cards import (
    FATES,
    NEXT_CARD,
    Card,
    CardDone,
    ClaimCards,
    Fate,
    GiveBackCards,
    claim_cards,
    finish_cards,
    give_back_cards,
)
from bridge.store.staff import PERSON_BY_ID

log = structlog.get_logger("bridge.board")

GLANCE: Final = 0.5
FIRST_RETRY, LONGEST_RETRY = 2.0, 600.0
MOST_TRIES: Final = 150  # in a row: about a day


class Board(Teller[Card]):
    """One chat's cards."""

    def __init__(self, bridge: Bridge, chat: Chat) -> None:
        super().__init__(bridge, f"board-{chat.edge}", GLANCE)
        self._chat = chat

    async def _next(self) -> float | None:
        found = await self.bridge.store.read(NEXT_CARD, edge=self._chat.edge)
        return found[0][0] if found else None

    async def _claim(self, most: int) -> Sequence[Card]:
        bridge = self.bridge
        claim = ClaimCards(self._chat.edge, bridge.incarnation, bridge.clock(), most)
        found: list[Card] = await bridge.store.write(claim_cards, claim)
        return found

    async def _give_back(self, keep: frozenset[int]) -> None:
        mine = GiveBackCards(self._chat.edge, self.bridge.incarnation, keep)
        await self.bridge.store.write(give_back_cards, mine)

    async def _tell(self, card: Card) -> None:
        await self._keep(finish_cards, await self._shown(card))

    async def _shown(self, card: Card) -> CardDone:
        now = self.bridge.clock()
        rooted = False
        try:
            if self.bridge.lawful.why_not(card.tenant_id, card.edge):
                return CardDone(card.id, now, card.post, card.wanted)
            if not await is_read(self.bridge.store, self._chat, card.place, card.tenant_id):
                return CardDone(card.id, now, card.post, card.wanted)
            # Asked before: what comes after a post must not make a second one.
            rooted = not card.post and not card.thread and await self._chat.roots(card.place)
            post = await self._posted(card)
        except Doubtful:
            return replace(self._later(card), doubtful=True)
        except TryLater:
            return self._later(card)
        except (Refused, Gone) as no:
            # Nobody can see it there any more; the messages themselves go their way.
            log.warning("a card cannot be shown", edge=card.edge, reason=type(no).__name__)
            return CardDone(card.id, now, card.post, card.wanted)
        except Exception as error:  # noqa: BLE001
            log.error("a card failed", edge=card.edge, error=type(error).__name__)
            return self._later(card)
        return CardDone(card.id, now, post, card.wanted, rooted=rooted)

    def _later(self, card: Card) -> CardDone:
        now = self.bridge.clock()
        if card.tries > MOST_TRIES:
            return CardDone(card.id, now, card.post, card.wanted)
        delay = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(card.tries - 1, 20))
        return CardDone(card.id, now, due_at=now + delay)

    async def _posted(self, card: Card) -> str:
        store = self.bridge.store
        fates = [Fate(*row) for row in await store.read(FATES, card=card.id)]
        author = await self._author(card) if self._chat.shared(card.place) else ""
        view = views.card(fates, author, doubtful=card.doubtful)
        if card.post:
            await self._chat.edit(card.place, card.post, view)
            return card.post
        return await self._chat.post(card.place, card.thread, view, card.answers)

    async def _author(self, card: Card) -> str:
        rows = await self.bridge.store.read(PERSON_BY_ID, id=card.staff_id)
        return str(rows[0][2]) if rows else ""
