"""The one door out: notices that are due, told by their edge's notifier, retried like messages."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import structlog

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.teller import Teller
from bridge.errors import Doubtful, Refused, TryLater
from bridge.store.notices import (
    NEXT_NOTICE,
    ClaimNotices,
    GiveBackNotices,
    GivenUp,
    Notice,
    NoticeDone,
    claim_notices,
    finish_notices,
    give_back_notices,
    give_up_notices,
    inbox_places,
)

log = structlog.get_logger("bridge.answer")

GLANCE = 2.0
GIVE_UP_SECONDS = 3 * 86400.0
FIRST_RETRY, LONGEST_RETRY = 10.0, 1800.0
IN_DOUBT = "in-doubt"
#: Seconds between two warnings that an edge's notices wait.
WARN_S = 60.0


class Notifier(Protocol):
    """An edge's way of telling what is owed."""

    async def tell(self, notice: Notice) -> bool:
        """Deliver one notice; True if it stayed in our own mailbox.

        Raises Refused (will never be taken), TryLater.
        """


class Desk(Teller[Notice]):
    """One edge's notices."""

    def __init__(self, bridge: Bridge, edge: str, notifier: Notifier) -> None:
        super().__init__(bridge, f"desk-{edge}", GLANCE)
        self.edge = edge
        self._notifier = notifier
        self._warned_at = -WARN_S
        self._waits = False

    async def _next(self) -> float | None:
        found = await self.bridge.store.read(NEXT_NOTICE, edge=self.edge)
        return found[0][0] if found else None

    async def _claim(self, most: int) -> Sequence[Notice]:
        bridge = self.bridge
        claim = ClaimNotices(self.edge, bridge.incarnation, bridge.clock(), most)
        found: list[Notice] = await bridge.store.write(claim_notices, claim)
        return found

    async def _give_back(self, keep: frozenset[int]) -> None:
        mine = GiveBackNotices(self.edge, self.bridge.incarnation, keep)
        await self.bridge.store.write(give_back_notices, mine)

    async def _tell(self, notice: Notice) -> None:
        done = await self._told(notice)
        self.bridge.metrics.notices.labels(self.edge, done.state).inc()
        if done.state == "failed":
            await self._give_up(notice, done.reason)
        else:
            await self._keep(finish_notices, done)

    async def _give_up(self, notice: Notice, reason: str) -> None:
        """Of what a person wrote, the tenant's inboxes are told instead."""
        inboxes = self._inboxes(notice.tenant_id) if notice.kind == "answer" else ()
        item = GivenUp(notice, self.bridge.clock(), reason, inboxes)
        places: int | None = await self._keep(give_up_notices, item)
        if places == 0:
            log.error("an answer can be shown nowhere: name an inbox", edge=self.edge)
        for edge in {edge for edge, _ in inboxes}:
            self.bridge.ring_edge(edge)

    def _inboxes(self, number: int) -> tuple[tuple[str, str], ...]:
        """Where this tenant's inboxes are that may be told."""
        tenant = self.bridge.register.tenants.get(number)
        places = inbox_places(tenant.inbox) if tenant is not None else []
        lawful = self.bridge.lawful
        return tuple((edge, place) for edge, place in places if not lawful.why_not(number, edge))

    async def _told(self, notice: Notice) -> NoticeDone:
        try:
            mailbox = await self._notifier.tell(notice)
        except Refused as no:
            log.warning("notice refused", notice=notice.id, kind=notice.kind, reason=no.sentence)
            return NoticeDone(notice.id, "failed", self.bridge.clock(), reason=no.sentence)
        except TryLater as later:
            self._warn(later)
            in_doubt = isinstance(later, Doubtful)
            return self._later(notice, IN_DOUBT if in_doubt else later.sentence)
        except Exception as error:  # noqa: BLE001
            fault = type(error).__name__
            log.error("notice failed", notice=notice.id, kind=notice.kind, error=fault)
            return self._later(notice, fault)
        if self._waits:
            self._waits = False
            log.info("notices leave again", edge=self.edge)
        return NoticeDone(notice.id, "sent", self.bridge.clock(), mailbox=mailbox)

    def _warn(self, later: TryLater) -> None:
        """Say why notices wait, not for each: one may wait where others leave."""
        now = time.monotonic()
        if now - self._warned_at >= WARN_S:
            self._warned_at, self._waits = now, True
            log.warning("notices wait", edge=self.edge, why=later.sentence, hint=later.hint)

    def _later(self, notice: Notice, reason: str) -> NoticeDone:
        now = self.bridge.clock()
        if now - notice.created_at > GIVE_UP_SECONDS:
            return NoticeDone(notice.id, "failed", now, reason=reason)
        delay = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(notice.tries, 20))
        # What may stand there once stays in doubt, whatever the tries after that come to.
        kept = IN_DOUBT if notice.reason == IN_DOUBT else reason
        return NoticeDone(notice.id, "due", now, due_at=now + delay, reason=kept)
