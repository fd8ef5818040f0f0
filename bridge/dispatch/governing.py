"""What time asks of the operator: access that nobody confirmed ends, and deadlines are told of."""

from __future__ import annotations

import structlog

from bridge.dispatch import breaches
from bridge.dispatch.bridge import Bridge
from bridge.privacy.duties import duties
from bridge.store.abuse import Overdue, remind_of_cases
from bridge.store.access import Expire, Expired, expire_grants

log = structlog.get_logger("bridge.governing")


class Governor:
    """One process's share; several do no harm."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge

    async def once(self, now: float) -> None:
        """What is due now. Raises StoreUnavailable."""
        bridge = self.bridge
        places = breaches.own_places(bridge)
        soon = now + duties().review_reminder
        done: Expired = await bridge.store.write(expire_grants, Expire(now, soon, places))
        if done.ended:
            log.warning("access that nobody confirmed has ended", count=done.ended)
        if done.announced:
            log.warning("access is to be reviewed: see bridge access review", count=done.announced)
        late = await bridge.store.write(remind_of_cases, Overdue(places, now))
        if late:
            log.warning("cases wait for a person: see bridge abuse list", count=late)
        if done.announced or late:
            bridge.ring_edges()
        await breaches.remind(bridge)
