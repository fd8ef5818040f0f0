"""The tenants as the running bridge knows them: read from the store, kept fresh."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bridge import settings
from bridge.store import tenants as stored
from bridge.store.store import Store
from bridge.store.tenants import TenantIn


@dataclass(frozen=True, slots=True)
class Tenant:
    """A client company and its rules; times in seconds."""

    id: int
    name: str
    region: str = "CZ"
    countries: frozenset[str] = frozenset()
    max_parts: int = 6
    over_limit: str = "refuse"
    validity: float = 86400.0
    originator: str = ""
    subject: str = "if-empty"
    prefix: str = ""
    encoding: str = "auto"
    end_markers: tuple[str, ...] = ()
    reports: str = "failures"
    inbox: tuple[str, ...] = ()
    show_texts_in: frozenset[str] = frozenset()
    preview: str = "long"
    second_person_above: int = 20
    reply_window: float = 30 * 86400.0
    help_text: str = ""
    stop_text: str = ""
    start_text: str = ""


@dataclass(frozen=True, slots=True)
class SenderRule:
    """A line of a tenant's `senders`."""

    tenant: int
    address: str
    proofs: tuple[str, ...]
    klass: str


@dataclass(frozen=True, slots=True)
class Register:
    """All open tenants, their sender rules, logins (user → (tenant, hash)) and token hashes."""

    tenants: Mapping[int, Tenant]
    rules: tuple[SenderRule, ...]
    logins: Mapping[str, tuple[int, str]]
    tokens: tuple[tuple[int, str], ...]

    def named(self, name: str) -> Tenant | None:
        """The tenant of that name."""
        return next((t for t in self.tenants.values() if t.name == name), None)


EMPTY = Register({}, (), {}, ())
_KEPT = [field.name for field in fields(Tenant) if field.name not in ("id", "name")]


def from_file(tenant: settings.Tenant, now: float) -> TenantIn:
    """A tenant of bridge.toml, ready to be stored."""
    facts = {name: _plain(getattr(tenant, name)) for name in _KEPT}
    senders = [(s.address, list(s.proof), s.message_class) for s in tenant.senders]
    logins = [(login.user, login.password_hash.get_secret_value()) for login in tenant.logins]
    return TenantIn(tenant.name, facts, senders, logins, "file", now)


def _plain(value: Any) -> Any:
    return value.total_seconds() if hasattr(value, "total_seconds") else value


async def read(store: Store) -> Register:
    """The register as it stands in the store."""
    rows = await store.read(stored.TENANTS)
    rules = await store.read(stored.RULES)
    logins = await store.read(stored.LOGINS)
    tokens = await store.read(stored.TOKENS)
    return Register(
        {row[0]: tenant_of(row[0], row[1], row[2]) for row in rows},
        tuple(SenderRule(r[0], r[1], tuple(json.loads(r[2])), r[3]) for r in rules),
        {row[0]: (row[1], row[2]) for row in logins},
        tuple((row[1], row[0]) for row in tokens),
    )


def tenant_of(number: int, name: str, kept: str) -> Tenant:
    """A stored tenant; keys that this version does not know are left out."""
    facts = {k: v for k, v in json.loads(kept).items() if k in _KEPT}
    return Tenant(number, name, **{k: _frozen(k, v) for k, v in facts.items()})


def _frozen(key: str, value: Any) -> Any:
    if key in ("countries", "show_texts_in"):
        return frozenset(value)
    if key == "inbox" and isinstance(value, str):
        return (value,) if value else ()
    return tuple(value) if isinstance(value, list) else value
