"""Routes: a number comes in; which carriers would take a message to it, and why, goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bridge import phone
from bridge.dispatch.choose import Leg
from bridge.dispatch.roads import Own, explained
from bridge.operations.office import Item, Office, tenant_named
from bridge.store.conversations import SHOWN
from bridge.store.sql import Values


async def explain_route(
    office: Office, *, number: str, tenant: str = "", klass: str = "transactional", shown: str = ""
) -> AsyncIterator[Item]:
    """One object. Raises Refused, BadNumber."""
    bridge = office.bridge
    known = bridge.register.tenants.values()
    owner = await tenant_named(office, tenant or (next(iter(known)).name if known else ""))
    to = phone.parse(number, owner.region)
    keys = bridge.keys
    person = keys.person(owner.id, to.e164)
    tokens = {person, *(old.person(owner.id, to.e164) for old in keys.older)}
    rows = await bridge.store.read(SHOWN, tokens=Values(sorted(tokens)))
    own = Own(person, tuple(row[0] for row in rows))
    yield explained(bridge, Leg(owner, to.e164, to.country, klass, shown), own)
