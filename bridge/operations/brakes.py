"""The brakes, for operators: what is stopped goes out; halts, lifts and confirmations come in."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bridge.dispatch import halting
from bridge.operations.office import Item, Office, iso, tenant_named


async def stop_sending(
    office: Office, *, tenant: str = "", reason: str = ""
) -> AsyncIterator[Item]:
    """Nothing more leaves: of a tenant, or of all. Raises Refused."""
    owner = await tenant_named(office, tenant) if tenant else None
    await halting.halt(office.bridge, office.actor, owner, reason)
    yield {"tenant": tenant or "all", "state": "stopped"}


async def resume(office: Office, *, tenant: str = "") -> AsyncIterator[Item]:
    """What waited leaves. Raises Refused."""
    owner = await tenant_named(office, tenant) if tenant else None
    await halting.resume(office.bridge, office.actor, owner)
    yield {"tenant": tenant or "all", "state": "sending"}


async def brake_list(office: Office) -> AsyncIterator[Item]:
    """One object for each thing that is stopped, newest first."""
    names = office.bridge.register.tenants
    for each in await halting.standing(office.bridge):
        known = names.get(each.tenant_id)
        yield {
            "id": each.id,
            "tenant": known.name if known else "all",
            "kind": each.kind,
            "country": each.about,
            "reason": each.reason,
            "by": each.actor,
            "case": each.case_id,
            "since": iso(each.created_at),
            "confirmed_at": iso(each.confirmed_at),
        }


async def brake_lift(office: Office, *, id: int, outcome: str) -> AsyncIterator[Item]:  # noqa: A002
    """What a rule stopped goes on; its case is reviewed. Raises Refused."""
    await halting.decide(office.bridge, office.actor, id, lift=True, outcome=outcome)
    yield {"id": id, "state": "lifted"}


async def brake_confirm(office: Office, *, id: int, outcome: str) -> AsyncIterator[Item]:  # noqa: A002
    """What a rule stopped stays stopped; its case is reviewed. Raises Refused."""
    await halting.decide(office.bridge, office.actor, id, lift=False, outcome=outcome)
    yield {"id": id, "state": "confirmed"}
