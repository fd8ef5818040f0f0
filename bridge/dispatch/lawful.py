"""The register of processors in; which of them may have which tenant's data, and why not, out.

It is computed when the register or the settings are read anew; a message costs one look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bridge.dispatch.tenants import Register, Tenant
from bridge.privacy.transfers import Transfers, day, transfers
from bridge.settings import SANDBOX, Settings
from bridge.store.processors import (
    BOUND,
    OBJECTIONS,
    REGISTER,
    Named,
    Processor,
    processor_of,
)
from bridge.store.store import Store

#: The reason of a message that no carrier may take.
NO_LAWFUL_ROUTE: Final = "no-lawful-route"
CARRIER, SMARTHOST = "carrier", "smarthost"
_PURPOSES: Final = {
    CARRIER: "delivers SMS and receives answers",
    SMARTHOST: "delivers answers and reports by mail",
    "slack": "shows messages and answers to the tenant's staff",
    "telegram": "shows messages and answers to the tenant's staff",
}


@dataclass(frozen=True, slots=True)
class Lawful:
    """Who may not have whose data: tenant → (kind, name) → why. Empty where nothing stands."""

    refused: Mapping[int, Mapping[tuple[str, str], str]] = field(default_factory=dict)

    def why_not(self, tenant: int, kind: str, name: str = "") -> str:
        """Why a processor may not have this tenant's data; "" where it may.

        The name is needed for carriers alone.
        """
        found = self.refused.get(tenant)
        return found.get((kind, name or kind), "") if found else ""

    def carriers(self, tenant: int, route: Sequence[str]) -> Sequence[str]:
        """Those of a route that may be used, in its order."""
        found = self.refused.get(tenant)
        return [name for name in route if (CARRIER, name) not in found] if found else route

    def after(self, tenant: int, route: Sequence[str], hop: int, here: str) -> int | None:
        """The next place of the route behind `hop` that may be used and is not here; or None."""
        return next(
            (
                place
                for place in range(hop + 1, len(route))
                if route[place] != here and not self.why_not(tenant, CARRIER, route[place])
            ),
            None,
        )


def named_by(settings: Settings) -> tuple[Named, ...]:
    """The processors that the configuration names. The sandbox is in-house."""
    found = [
        Named(CARRIER, carrier.name, carrier.country, _PURPOSES[CARRIER])
        for carrier in settings.carriers
        if carrier.kind != SANDBOX
    ]
    others = {
        SMARTHOST: settings.mail.smarthost.get_secret_value(),
        "slack": settings.slack.apps(),
        "telegram": settings.telegram.token.get_secret_value(),
    }
    return (*found, *(Named(n, n, "", _PURPOSES[n]) for n, is_on in others.items() if is_on))


async def read(store: Store, settings: Settings, register: Register, now: float) -> Lawful:
    """What stands in the store now. Raises StoreUnavailable."""
    processors = [processor_of(row) for row in await store.read(REGISTER)]
    objections = {(row[0], row[1]) for row in await store.read(OBJECTIONS)}
    bound = {row[0] for row in await store.read(BOUND)}
    judge = _Judge(transfers(), settings.region, now)
    refused = {
        tenant.id: found
        for tenant in register.tenants.values()
        if (found := dict(_refused(judge, tenant, processors, objections, bound)))
    }
    return Lawful(refused)


def _refused(
    judge: _Judge,
    tenant: Tenant,
    processors: Sequence[Processor],
    objections: set[tuple[int, int]],
    bound: set[int],
) -> Iterator[tuple[tuple[str, str], str]]:
    for each in processors:
        why = judge.why_not(each, tenant, is_bound=tenant.id in bound)
        if (tenant.id, each.id) in objections:
            why = f"{tenant.name} objects to {each.name}"
        if why:
            yield (each.kind, each.name), why


@dataclass(frozen=True, slots=True)
class _Judge:
    """The rules on one day. `region` is where the operator sits."""

    rules: Transfers
    region: str
    now: float

    def why_not(self, each: Processor, tenant: Tenant, *, is_bound: bool) -> str:
        if each.ended_at is not None:
            return f"{each.name} is not used any more"
        if self.now < each.effective_at and (is_bound or each.source == "command"):
            begins = datetime.fromtimestamp(each.effective_at, UTC).date().isoformat()
            return f"{each.name} is announced for {begins}"
        if tenant.eea_only and each.country not in self.rules.eea:
            where = f"in {each.country}" if each.country else "in no country that is recorded"
            return f"{each.name} is {where}, and {tenant.name} stays inside the EEA"
        # Nobody has said where it is: with the operator. `bridge check` asks for it.
        if each.country in ("", self.region):
            return ""
        until = day(each.valid_until) if each.valid_until is not None else None
        why = self.rules.why_not(each.country, each.mechanism, until, day(self.now))
        return f"{each.name}: {why}" if why else ""
