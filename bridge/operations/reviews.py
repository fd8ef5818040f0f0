"""Reviews of access: who has it until when goes out, who keeps it comes in (P59)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bridge.dispatch import reviewing
from bridge.operations.office import Item, Office, iso, read_id, tenant_named
from bridge.store import ids


async def access_review(office: Office, *, tenant: str = "") -> AsyncIterator[Item]:
    """One object a grant, those that end first, first."""
    owner = (await tenant_named(office, tenant)).id if tenant else 0
    for grant in await reviewing.grants(office.bridge, owner):
        yield {
            "id": ids.show(grant.id),
            "tenant": grant.tenant,
            "name": grant.name,
            "role": grant.role,
            "since": iso(grant.since),
            "review_due": iso(grant.due),
        }


async def access_confirm(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """Somebody still needs their access. Raises Refused."""
    number = read_id(id, "bridge access review")
    due = await reviewing.keep(office.bridge, office.actor, number)
    yield {"id": ids.show(number), "state": "confirmed", "review_due": iso(due)}
