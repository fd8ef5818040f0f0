"""The tenants as the running bridge knows them: read from the store, kept fresh."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from bridge import settings
from bridge.errors import Misconfigured, Refused
from bridge.privacy.retention import Period, rules
from bridge.store import tenants as stored
from bridge.store.programmes import PROGRAMMES, Programme
from bridge.store.store import Store
from bridge.store.tenants import TenantIn

_REGION = "CZ"


@dataclass(frozen=True, slots=True)
class Optin:
    """How people agree to a programme from their phone."""

    name: str
    keyword: str = ""
    text: str = ""  # what they are told that they agreed to; {tenant} is the tenant's name
    confirm: str = ""  # what they answer to it first; "" for nothing
    welcome: str = ""  # what answers that
    purpose: str = "sms"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A client company and its rules; times in seconds."""

    id: int
    name: str
    region: str = _REGION
    countries: frozenset[str] = frozenset()  # `tenant_of` fills an empty one with the region
    high_cost: bool = False
    velocity: str = ""
    caps: Mapping[str, int] = field(default_factory=dict)
    cap_per_sender: Mapping[str, int] = field(default_factory=dict)
    #: The same in money: micro-units of `currency`.
    spend: Mapping[str, int] = field(default_factory=dict)
    spend_per_sender: Mapping[str, int] = field(default_factory=dict)
    max_parts: int = 6
    over_limit: str = "refuse"
    validity: float = 86400.0
    originator: str = ""
    originators: tuple[str, ...] = ()
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
    keep_texts: float | None = None
    profile: str = "processor"
    deciders: tuple[str, ...] = ()
    authority: str = ""
    help_text: str = ""
    stop_text: str = ""
    start_text: str = ""
    optout: str = "append"
    marketing_basis: str = "recorded"
    marketing_cap: str = ""
    marketing_sender: str = ""
    marketing_label: str = ""
    marketing_footer: str = ""
    programmes: tuple[Optin, ...] = ()
    eea_only: bool = False
    billing: str = "none"
    currency: str = "EUR"
    credit_limit: int = 0  # micro-units, as `low_balance`
    charge_on: str = "accepted"
    low_balance: tuple[int, ...] = ()
    variable_symbol: str = ""
    billing_address: tuple[str, ...] = ()
    attachments: str = "off"
    attachment_refused: str = "note"
    attachment_days: int = 30
    attachment_size: int = 5_000_000
    attachment_mail_size: int = 10_000_000
    attachment_count: int = 10
    link_domain: str = ""


@dataclass(frozen=True, slots=True)
class SenderRule:
    """A line of a tenant's `senders`."""

    tenant: int
    address: str
    proofs: tuple[str, ...]
    klass: str
    fold: float = 0.0  # seconds; 0: every alert leaves by itself


@dataclass(frozen=True, slots=True)
class Register:
    """All open tenants, their sender rules, logins (user → (tenant, hash)) and token hashes."""

    tenants: Mapping[int, Tenant]
    rules: tuple[SenderRule, ...]
    logins: Mapping[str, tuple[int, str]]
    tokens: tuple[tuple[int, str], ...]
    programmes: tuple[Programme, ...] = ()

    def programmes_of(self, tenant: int) -> tuple[Programme, ...]:
        """A tenant's programmes."""
        return tuple(p for p in self.programmes if p.tenant_id == tenant)

    def programme(self, tenant: int, name: str) -> Programme:
        """A tenant's programme, by its name or its id. Raises Refused."""
        own = self.programmes_of(tenant)
        for each in own:
            if name.casefold() == each.name.casefold() or name == str(each.id):
                return each
        known = ", ".join(each.name for each in own) or "none"
        raise Refused("there is no programme of this name", f"programmes: {known}")

    def named(self, name: str) -> Tenant | None:
        """The tenant of that name."""
        return next((t for t in self.tenants.values() if t.name == name), None)


EMPTY = Register({}, (), {}, ())
_KEPT = [each.name for each in fields(Tenant) if each.name not in ("id", "name")]
#: In a tenant's `countries`: any.
ANYWHERE = "*"


def from_file(tenant: settings.Tenant, now: float) -> TenantIn:
    """A tenant of bridge.toml, ready to be stored.

    Raises Misconfigured where it would keep texts for longer or shorter than the rules allow.
    """
    _check_periods(tenant)
    facts = {name: _plain(getattr(tenant, name)) for name in _KEPT}
    senders = [
        (s.address, list(s.proof), s.message_class, _plain(s.fold) or 0.0) for s in tenant.senders
    ]
    logins = [(login.user, login.password_hash.get_secret_value()) for login in tenant.logins]
    return TenantIn(tenant.name, facts, senders, logins, "file", now)


def frozen(tenant: settings.Tenant) -> Tenant:
    """A tenant of bridge.toml as it would be, without being stored."""
    facts = json.dumps({name: _plain(getattr(tenant, name)) for name in _KEPT})
    return tenant_of(0, tenant.name, facts)


def _check_periods(tenant: settings.Tenant) -> None:
    if tenant.keep_texts is None:
        return
    try:
        rules()["text"].check(Period(days=tenant.keep_texts.days))
    except Refused as no:
        raise Misconfigured(
            f"[[tenants]] {tenant.name}: keep_texts: {no.sentence}",
            "`bridge privacy retention show` prints the periods and their bounds",
        ) from no


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return {name: limit for name, limit in value.model_dump().items() if limit}
    if isinstance(value, list):
        return [each.model_dump() if hasattr(each, "model_dump") else each for each in value]
    return value.total_seconds() if hasattr(value, "total_seconds") else value


async def read(store: Store) -> Register:
    """The register as it stands in the store."""
    rows = await store.read(stored.TENANTS)
    rules = await store.read(stored.RULES)
    logins = await store.read(stored.LOGINS)
    tokens = await store.read(stored.TOKENS)
    return Register(
        {row[0]: tenant_of(row[0], row[1], row[2]) for row in rows},
        tuple(SenderRule(r[0], r[1], tuple(json.loads(r[2])), r[3], r[4]) for r in rules),
        {row[0]: (row[1], row[2]) for row in logins},
        tuple((row[1], row[0]) for row in tokens),
        tuple(Programme(*row) for row in await store.read(PROGRAMMES)),
    )


def tenant_of(number: int, name: str, kept: str) -> Tenant:
    """A stored tenant; keys that this version does not know are left out."""
    facts = {k: v for k, v in json.loads(kept).items() if k in _KEPT}
    facts["countries"] = facts.get("countries") or [facts.get("region") or _REGION]
    return Tenant(number, name, **{k: _frozen(k, v) for k, v in facts.items()})


def _frozen(key: str, value: Any) -> Any:
    if key in ("countries", "show_texts_in"):
        return frozenset(value)
    if key == "inbox" and isinstance(value, str):
        return (value,) if value else ()
    if key == "programmes":
        return tuple(Optin(**each) for each in value)
    return tuple(value) if isinstance(value, list) else value
