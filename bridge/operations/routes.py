"""Routes: a number comes in; which carriers would take a message to it, and why, goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bridge import phone
from bridge.dispatch.choose import Leg
from bridge.dispatch.roads import explained
from bridge.operations.office import Item, Office, tenant_named


async def explain_route(
    office: Office, *, number: str, tenant: str = "", klass: str = "transactional", shown: str = ""
) -> AsyncIterator[Item]:
    """One object. Raises Refused, BadNumber."""
    bridge = office.bridge
    known = bridge.register.tenants.values()
    owner = await tenant_named(office, tenant or (next(iter(known)).name if known else ""))
    to = phone.parse(number, owner.region)
    yield explained(bridge, Leg(owner, to.e164, to.country, klass, shown), runs=True)
