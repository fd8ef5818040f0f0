"""Whose access is looked at, and until when it stands (PRIVACY P59)."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.dispatch.bridge import Bridge
from bridge.privacy.duties import duties
from bridge.store.access import GRANTS, Confirm, confirm


@dataclass(frozen=True, slots=True)
class Grant:
    """Somebody's access; `due` None: nobody has said until when."""

    id: int
    tenant_id: int
    tenant: str
    name: str
    role: str
    since: float
    due: float | None


async def grants(bridge: Bridge, tenant: int = 0) -> list[Grant]:
    """The grants that stand, of one tenant or (0) of all; those that end first, first."""
    rows = await bridge.store.read(GRANTS, tenant=tenant)
    found = [Grant(*row) for row in rows]
    return sorted(found, key=lambda grant: (grant.due or 0.0, grant.id))


def review_due(now: float) -> float:
    """Until when a grant of now stands."""
    return now + duties().review


async def keep(bridge: Bridge, actor: str, number: int, tenant: int = 0) -> float:
    """Somebody still needs their access: until when it stands now. Raises Refused."""
    now = bridge.clock()
    item = Confirm(number, tenant, actor, review_due(now), now)
    await bridge.store.write(confirm, item)
    return item.due
