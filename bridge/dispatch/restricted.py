"""People whose data may be kept and not used come in; whether it may be changed or shown goes out.

Sending is stopped by the list itself (`store.listed`); here are the other uses that Art. 18 ends
for a while: changes, and what shows many people at once (PRIVACY P27).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.dispatch.bridge import Bridge
from bridge.errors import Refused
from bridge.store.identity import RESTRICTED_TOKENS
from bridge.store.names import NAMED
from bridge.store.sql import Values


@dataclass(frozen=True, slots=True)
class Restricted:
    """The restrictions that stand; for most bridges none."""

    bridge: Bridge
    tokens: frozenset[str]

    def has(self, tenant: int, e164: str) -> bool:
        """Whether a tenant may not use this person's data at present."""
        if not self.tokens:
            return False
        keys = self.bridge.keys
        return any(k.person(tenant, e164) in self.tokens for k in (keys, *keys.older))


async def restricted(bridge: Bridge) -> Restricted:
    """The restrictions that stand now. Raises StoreUnavailable."""
    rows = await bridge.store.read(RESTRICTED_TOKENS)
    return Restricted(bridge, frozenset(row[0] for row in rows))


async def names_restricted(bridge: Bridge, tenant: int, names: Iterable[str]) -> frozenset[str]:
    """Those of a tenant's contacts by name who are restricted."""
    found = await restricted(bridge)
    if not found.tokens:
        return frozenset()
    rows = await bridge.store.read(NAMED, tenant_id=tenant, names=Values(sorted(set(names))))
    return frozenset(
        name for kind, name, _, e164, _ in rows if kind == "contact" and found.has(tenant, e164)
    )


async def refuse_change(
    bridge: Bridge, tenant: int, names: Iterable[str] = (), numbers: Iterable[str] = ()
) -> None:
    """Raises Refused where one of these people is restricted."""
    found = await restricted(bridge)
    by_number = any(found.has(tenant, number) for number in numbers)
    if by_number or await names_restricted(bridge, tenant, names):
        raise Refused(
            "this person's data may not be changed at present",
            "they have asked for that; whoever answers for their data can end it",
        )
