"""Versions of the terms: announced to every tenant, accepted by each or not (PRIVACY P21).

What a tenant has not accepted does not bind it: silence changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from bridge.errors import Refused
from bridge.store.announcements import Words, tell_tenants
from bridge.store.audit import Entry, append
from bridge.store.processor_tables import policy_acceptance, policy_version
from bridge.store.sql import Many, Row, Rows, Script, Statement, insert_new
from bridge.store.tables import tenant


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of the terms."""

    id: int
    version: str
    url: str
    hash: str
    announced_at: float
    effective_at: float


@dataclass(frozen=True, slots=True)
class Publish:
    """A version that tenants are to be told of."""

    version: str
    url: str
    hash: str
    effective_at: float
    words: Words
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class Accept:
    """A tenant agrees to a version."""

    tenant_id: int
    version: str
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class Published:
    """A version's id, and how many inboxes of each tenant were told."""

    id: int
    told: dict[int, int]


#: In the order of `Policy`, newest first.
POLICIES = Statement(select(*policy_version.columns).order_by(policy_version.c.id.desc()))
#: (policy, tenant, actor, at) of all.
ACCEPTANCES = Statement(select(*policy_acceptance.columns).order_by(policy_acceptance.c.at))
_KEYS = ("version", "url", "hash", "announced_at", "effective_at")
_ADD = Statement(
    policy_version.insert()
    .values({key: bindparam(key) for key in _KEYS})
    .returning(policy_version.c.id)
)
_NAMED = Statement(
    select(policy_version.c.id).where(policy_version.c.version == bindparam("version"))
)
_TENANTS = Statement(select(tenant.c.id).where(tenant.c.closed_at.is_(None)).order_by(tenant.c.id))
_ACCEPT = insert_new(policy_acceptance)


def policy_of(row: Row) -> Policy:
    """A row of `POLICIES`."""
    return Policy(*row)


def publish(items: Sequence[Publish]) -> Script:
    """A `Published` an item. Raises Refused for a version that there is already."""
    results = []
    for item in items:
        if (yield Rows(_NAMED, {"version": item.version})):
            raise Refused(f"version {item.version!r} was announced before", "give it another name")
        values = {key: getattr(item, key) for key in _KEYS if hasattr(item, key)}
        added = yield Rows(_ADD, {**values, "announced_at": item.now})
        number = added[0][0]
        tenants = yield Rows(_TENANTS, {})
        words = {row[0]: item.words for row in tenants}
        told = yield from tell_tenants(words, "policy", number, item.now)
        results.append(Published(number, told))
    reasons = [f"version={item.version}" for item in items]
    yield from append(
        [
            Entry(item.actor, "policy announce", reason, item.now)
            for item, reason in zip(items, reasons, strict=True)
        ]
    )
    return results


def accept(items: Sequence[Accept]) -> Script:
    """True an item whose tenant had not agreed before. Raises Refused."""
    results = []
    for item in items:
        found = yield Rows(_NAMED, {"version": item.version})
        if not found:
            raise Refused(
                f"there is no version {item.version!r}", "`bridge policy list` shows them"
            )
        row = {
            "policy_id": found[0][0],
            "tenant_id": item.tenant_id,
            "actor": item.actor,
            "at": item.now,
        }
        results.append(bool((yield Many(_ACCEPT, [row]))))
    yield from append(
        [
            Entry(i.actor, "policy accept", f"version={i.version}", i.now, i.tenant_id)
            for i, is_new in zip(items, results, strict=True)
            if is_new
        ]
    )
    return results
