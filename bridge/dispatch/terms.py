"""Versions of the terms: announced in time, accepted by a tenant or not (PRIVACY P21)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.processors import check_notice, moment_of
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.privacy.transfers import day
from bridge.store.announcements import Words
from bridge.store.policies import (
    ACCEPTANCES,
    POLICIES,
    Accept,
    Policy,
    Publish,
    Published,
    accept,
    policy_of,
    publish,
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the terms, and the tenants that accepted it: id → (who, when)."""

    policy: Policy
    accepted: dict[int, tuple[str, float]]


async def versions(bridge: Bridge) -> Sequence[Version]:
    """All versions, newest first."""
    accepted: dict[int, dict[int, tuple[str, float]]] = {}
    for policy, tenant, actor, at in await bridge.store.read(ACCEPTANCES):
        accepted.setdefault(policy, {})[tenant] = (actor, at)
    rows = [policy_of(row) for row in await bridge.store.read(POLICIES)]
    return [Version(row, accepted.get(row.id, {})) for row in rows]


async def announce(
    bridge: Bridge, actor: str, version: str, effective: str, *, url: str = "", digest: str = ""
) -> Published:
    """Announce a version to every tenant, its day at least the notice ahead. Raises Refused."""
    now = bridge.clock()
    if not version.strip():
        raise Refused("the version needs a name", "say --version, as in 2027-01")
    effective_at = moment_of(effective)
    check_notice(now, effective_at)
    begins = day(effective_at).isoformat()
    words = Words(
        f"New terms ({version}) from {begins}",
        (
            f"Version {version} of the terms and of the privacy policy shall hold from {begins}.",
            *([f"Read it: {url}"] if url else []),
            "It binds you once you accept it. Until then the version you accepted holds.",
        ),
    )
    item = Publish(version, url, digest, effective_at, words, actor, now)
    done: Published = await bridge.store.write(publish, item)
    bridge.ring_edges()
    return done


async def agree(bridge: Bridge, actor: str, tenant: Tenant, version: str) -> bool:
    """Record a tenant's acceptance; whether it is new. Raises Refused."""
    item = Accept(tenant.id, version, actor, bridge.clock())
    is_new: bool = await bridge.store.write(accept, item)
    await bridge.refresh()
    return is_new


async def terms_of(bridge: Bridge, tenant: int) -> str:
    """The version that binds a tenant: the newest that it has accepted and that holds by now."""
    now = bridge.clock()
    for each in await versions(bridge):
        if tenant in each.accepted and each.policy.effective_at <= now:
            return each.policy.version
    return ""
