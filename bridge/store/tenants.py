"""Tenants, their sender rules and logins: from the configuration file into the store, and out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bridge.store.departures import ClaimDeletion, claim_deletions, renew
from bridge.store.programmes import ProgrammeIn, add_programmes
from bridge.store.sql import Do, Many, Rows, Script, Statement, constant, insert
from bridge.store.tables import login, sender_rule, sender_token, tenant


@dataclass(frozen=True, slots=True)
class TenantIn:
    """A tenant as the file or a command describes it."""

    name: str
    settings: Mapping[str, Any]
    #: (address, proofs, class, seconds within which the same alert is folded)
    senders: Sequence[tuple[str, Sequence[str], str, float]]
    logins: Sequence[tuple[str, str]]  # (user, argon2 hash)
    source: str  # "file" | "command"
    now: float


@dataclass(frozen=True, slots=True)
class CloseTenant:
    """An account is closed, and by whom (PRIVACY P10)."""

    name: str
    now: float
    actor: str = "configuration"


TENANTS = Statement(
    select(tenant.c.id, tenant.c.name, tenant.c.settings, tenant.c.source)
    .where(tenant.c.closed_at.is_(None))
    .order_by(tenant.c.id)
)
RULES = Statement(
    select(
        sender_rule.c.tenant_id,
        sender_rule.c.address,
        sender_rule.c.proofs,
        sender_rule.c["class"],
        sender_rule.c.fold,
    )
    .join(tenant, tenant.c.id == sender_rule.c.tenant_id)
    .where(tenant.c.closed_at.is_(None))
    .order_by(sender_rule.c.tenant_id, sender_rule.c.position)
)
LOGINS = Statement(
    select(login.c.username, login.c.tenant_id, login.c.password_hash)
    .join(tenant, tenant.c.id == login.c.tenant_id)
    .where(tenant.c.closed_at.is_(None))
)
TOKENS = Statement(select(sender_token.c.hash, sender_token.c.tenant_id))

_FIND = Statement(select(tenant.c.id).where(tenant.c.name == bindparam("name")))
_ADD = Statement(
    tenant.insert()
    .values(
        name=bindparam("name"),
        settings=bindparam("settings"),
        source=bindparam("source"),
        created_at=bindparam("now"),
    )
    .returning(tenant.c.id)
)
_CHANGE = Statement(
    update(tenant)
    .where(tenant.c.id == bindparam("t_id"))
    .values(settings=bindparam("t_settings"), source=bindparam("t_source"), closed_at=None)
)
_CLOSE = Statement(
    update(tenant)
    .where(tenant.c.name == bindparam("name"), tenant.c.closed_at.is_(None))
    .values(closed_at=bindparam("now"))
)
_RULES_GONE = Statement(delete(sender_rule).where(sender_rule.c.tenant_id == bindparam("t_id")))
_LOGINS_GONE = Statement(delete(login).where(login.c.tenant_id == bindparam("t_id")))
_FILE_GONE = Statement(
    update(tenant)
    .where(
        tenant.c.source == constant("file"),
        tenant.c.name == bindparam("t_name"),
    )
    .values(closed_at=bindparam("t_now"))
)
_FROM_FILE = Statement(
    select(tenant.c.name).where(tenant.c.source == constant("file"), tenant.c.closed_at.is_(None))
)
_RULE_ADD = insert(
    sender_rule, ("tenant_id", "position", "address", "proofs", "class", "source", "fold")
)
_LOGIN_ADD = insert(login)
_TOKEN_ADD = insert(sender_token)
_TOKENS_GONE = Statement(delete(sender_token).where(sender_token.c.tenant_id == bindparam("t_id")))


def put_tenants(items: Sequence[TenantIn]) -> Script:
    """Each tenant's id; its rules and logins become those given."""
    ids = []
    for item in items:
        ids.append((yield from _put(item)))
    return ids


def put_file_tenants(items: Sequence[Sequence[TenantIn]]) -> Script:
    """The ids of the file's tenants; those that left the file are closed (nothing is deleted)."""
    results = []
    for tenants in items:
        known = yield Rows(_FROM_FILE, {})
        gone = {row[0] for row in known} - {t.name for t in tenants}
        if gone:
            now = tenants[0].now if tenants else 0.0
            yield Many(_FILE_GONE, [{"t_name": name, "t_now": now} for name in sorted(gone)])
            for name in sorted(gone):
                yield from _leave(CloseTenant(name, now))
        ids = []
        for item in tenants:
            ids.append((yield from _put(item)))
        results.append(ids)
    return results


def _put(item: TenantIn) -> Script:
    settings = json.dumps(dict(item.settings))
    found = yield Rows(_FIND, {"name": item.name})
    if found:
        number = found[0][0]
        yield Do(_CHANGE, {"t_id": number, "t_settings": settings, "t_source": item.source})
        yield from renew(number, item.now)
        yield Do(_RULES_GONE, {"t_id": number})
        yield Do(_LOGINS_GONE, {"t_id": number})
    else:
        values = {"name": item.name, "settings": settings, "source": item.source, "now": item.now}
        made = yield Rows(_ADD, values)
        number = made[0][0]
    yield from add_programmes(
        [
            ProgrammeIn(number, each["name"], each["keyword"], item.now)
            for each in item.settings.get("programmes", ())
        ]
    )
    if item.senders:
        yield Many(_RULE_ADD, [_rule(number, n, item) for n in range(len(item.senders))])
    if item.logins:
        yield Many(
            _LOGIN_ADD,
            [
                {"username": u, "tenant_id": number, "password_hash": h, "source": item.source}
                for u, h in item.logins
            ],
        )
    return number


def _rule(number: int, position: int, item: TenantIn) -> dict[str, Any]:
    address, proofs, klass, fold = item.senders[position]
    return {
        "tenant_id": number,
        "position": position,
        "address": address,
        "proofs": json.dumps(list(proofs)),
        "class": klass,
        "source": item.source,
        "fold": fold,
    }


def close_tenants(items: Sequence[CloseTenant]) -> Script:
    """True an item whose tenant was open; what it had goes when its time comes."""
    results = []
    for item in items:
        closed = bool((yield Do(_CLOSE, {"name": item.name, "now": item.now})))
        if closed:
            yield from _leave(item)
        results.append(closed)
    return results


def _leave(item: CloseTenant) -> Script:
    found = yield Rows(_FIND, {"name": item.name})
    claim = ClaimDeletion(found[0][0], "closure", item.actor, "", item.now)
    yield from claim_deletions([claim])


def add_tokens(items: Sequence[tuple[int, str, float]]) -> Script:
    """Sender tokens of tenants: (tenant, hash, now)."""
    yield Many(_TOKEN_ADD, [{"hash": h, "tenant_id": t, "created_at": now} for t, h, now in items])
    return [None] * len(items)


def revoke_tokens(items: Sequence[int]) -> Script:
    """How many tokens of each tenant ended."""
    results = []
    for number in items:
        results.append((yield Do(_TOKENS_GONE, {"t_id": number})))
    return results
