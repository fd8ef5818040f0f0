"""The list of people not to be texted: a number comes in, how it stands there goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bridge import phone
from bridge.dispatch.tenants import Tenant
from bridge.operations.office import Item, Office, iso, tenant_named
from bridge.store.sql import Values
from bridge.store.suppressions import ACTIVE, Lift, Suppress, lift_all, suppress_all

SOURCE: Final = "operator"


async def suppress_add(
    office: Office, *, number: str, tenant: str, scope: str = "tenant"
) -> AsyncIterator[Item]:
    """Nothing more leaves for this person; what waits is cancelled."""
    bridge = office.bridge
    owner, e164 = await _person(office, tenant, number)
    owner_id = owner.id if scope == "tenant" else 0
    token = bridge.keys.person(owner.id, e164) if owner_id else bridge.keys.everyone(e164)
    item = Suppress(owner_id, token, scope, SOURCE, bridge.clock())
    people, _ = await bridge.store.write(suppress_all, item)
    if people:
        await office.silence(people)
    await bridge.refresh()
    bridge.ring_edge("mail")
    yield await _standing(office, owner, e164)


async def suppress_remove(
    office: Office, *, number: str, tenant: str, scope: str = "tenant"
) -> AsyncIterator[Item]:
    """Lift a suppression; one in the other scope stays."""
    bridge = office.bridge
    owner, e164 = await _person(office, tenant, number)
    keys = bridge.keys
    token = keys.person(owner.id, e164) if scope == "tenant" else keys.everyone(e164)
    await bridge.store.write(lift_all, Lift((token,), SOURCE, bridge.clock()))
    await bridge.refresh()
    yield await _standing(office, owner, e164)


async def suppress_check(
    office: Office, *, number: str, tenant: str, scope: str = ""
) -> AsyncIterator[Item]:
    """Whether this person is suppressed: for the tenant, or for all."""
    owner, e164 = await _person(office, tenant, number)
    yield await _standing(office, owner, e164, scope)


async def _person(office: Office, tenant: str, number: str) -> tuple[Tenant, str]:
    owner = await tenant_named(office, tenant)
    return owner, phone.parse(number, owner.region).e164


async def _standing(office: Office, owner: Tenant, e164: str, scope: str = "") -> Item:
    """The wider suppression where both stand."""
    keys = office.bridge.keys
    tokens = Values((keys.person(owner.id, e164), keys.everyone(e164)))
    rows = await office.bridge.store.read(ACTIVE, keys=tokens)
    found = sorted((row for row in rows if scope in ("", row[0])), key=lambda row: row[0])
    if not found:
        return {"suppressed": False, "scope": None, "source": None, "since": None}
    kind, source, since, _ = found[0]
    return {"suppressed": True, "scope": kind, "source": source, "since": iso(since)}
