"""Client companies, their tokens and logins: a change comes in, what stands then goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from bridge import settings
from bridge.dispatch import billing, tenants
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.money import paid, show
from bridge.operations.office import Item, Office, act, entry, record, tenant_named
from bridge.settings.problems import sentences
from bridge.smtp.proof import new_token
from bridge.store import tenants as stored
from bridge.store.logins import SetLogin, set_logins


async def _source(office: Office, name: str) -> str:
    """Where an open tenant was described: "file", "command"; "" where there is none."""
    rows = await office.bridge.store.read(stored.TENANTS)
    return next((row[3] for row in rows if row[1] == name), "")


async def _own(office: Office, name: str, what: str) -> Tenant:
    """A tenant that commands may change: what stands in the file is changed there."""
    tenant = await tenant_named(office, name)
    if await _source(office, name) == "file":
        raise Refused(f"the tenant {name!r} stands in the configuration", what)
    return tenant


async def tenant_list(office: Office) -> AsyncIterator[Item]:
    """One object an open tenant."""
    await office.bridge.refresh()
    register = office.bridge.register
    sources = {row[0]: row[3] for row in await office.bridge.store.read(stored.TENANTS)}
    for tenant in register.tenants.values():
        yield {
            "name": tenant.name,
            "source": sources.get(tenant.id, ""),
            "region": tenant.region,
            "countries": sorted(tenant.countries),
            "max_parts": tenant.max_parts,
            "validity": tenant.validity,
            "originator": tenant.originator,
            "senders": [
                {
                    "address": r.address,
                    "proof": list(r.proofs),
                    "class": r.klass,
                    **({"fold": r.fold} if r.fold else {}),
                }
                for r in register.rules
                if r.tenant == tenant.id
            ],
            "logins": sorted(u for u, (t, _) in register.logins.items() if t == tenant.id),
            "tokens": sum(t == tenant.id for t, _ in register.tokens),
        }


async def tenant_add(
    office: Office, *, tenant: Mapping[str, Any], credit: str = ""
) -> AsyncIterator[Item]:
    """Add a tenant, described as in [[tenants]], with so much credit to begin with.

    Raises Refused.
    """
    described = _described(tenant, office.bridge.settings.region)
    given = _credit(described, credit) if credit else 0
    if await _source(office, described.name):
        raise Refused(
            f"there is a tenant {described.name!r} already",
            "take another name, or close that one first: `bridge tenant close`",
        )
    row = replace(tenants.from_file(described, office.bridge.clock()), source="command")
    await act(office, stored.put_tenants, row, lambda number: entry(office, "tenant add", number))
    await office.bridge.refresh()
    if given:
        owner = await tenant_named(office, described.name)
        await billing.give(office.bridge, owner, given, office.actor)
        await record(office, "accounts gift", tenant=owner.id, amount=show(given))
    yield {"name": described.name, "state": "open"}


def _credit(described: settings.Tenant, written: str) -> int:
    """Raises Refused."""
    if described.billing == billing.NONE:
        raise Refused("this tenant keeps no account", "add --set billing=prepaid")
    try:
        given = paid(written)
    except ValueError as wrong:
        raise Refused(str(wrong)) from None
    if given <= 0:
        raise Refused("credit to begin with is above zero")
    return given


def _described(given: Mapping[str, Any], region: str) -> settings.Tenant:
    data = {"region": region, **given}
    try:
        return settings.Tenant.model_validate(data)
    except ValidationError as wrong:
        said = "; ".join(sentences(wrong, settings.Tenant, data))
        raise Refused(said, "docs/configuration.md describes the keys of [[tenants]]") from None


async def tenant_close(office: Office, *, name: str) -> AsyncIterator[Item]:
    """Nobody sends in this tenant's name any more; its log stays."""
    owner = await _own(office, name, "take it out there, and start the bridge again")
    closed = entry(office, "tenant close", owner.id)
    item = stored.CloseTenant(name, office.bridge.clock(), office.actor)
    await act(office, stored.close_tenants, item, lambda done: closed if done else None)
    await office.bridge.refresh()
    yield {"name": name, "state": "closed"}


async def token_issue(office: Office, *, name: str) -> AsyncIterator[Item]:
    """A token that proves a sender, shown this once."""
    tenant = await tenant_named(office, name)
    token, digest = new_token()
    item = (tenant.id, digest, office.bridge.clock())
    issued = entry(office, "token issue", tenant.id)
    await act(office, stored.add_tokens, item, lambda _: issued)
    await office.bridge.refresh()
    yield {"name": name, "token": token}


async def token_revoke(office: Office, *, name: str) -> AsyncIterator[Item]:
    """End all tokens of a tenant."""
    tenant = await tenant_named(office, name)
    ended = await act(
        office,
        stored.revoke_tokens,
        tenant.id,
        lambda count: entry(office, "token revoke", tenant.id, f"tokens={count}"),
    )
    await office.bridge.refresh()
    yield {"name": name, "revoked": ended}


async def tenant_login(
    office: Office, *, name: str, user: str, password_hash: str
) -> AsyncIterator[Item]:
    """Set the password hash of a user of SMTP AUTH; an empty one removes the user."""
    tenant = await _own(
        office, name, "write the login there; `bridge hash-password` makes its password_hash"
    )
    item = SetLogin(tenant.id, user, password_hash)
    action = "tenant login" if password_hash else "tenant login --remove"
    changed = entry(office, action, tenant.id)
    if not await act(office, set_logins, item, lambda done: changed if done else None):
        if password_hash:
            raise Refused(f"the user {user!r} belongs to another tenant", "take another name")
        raise Refused(f"{name} has no user {user!r}", "`bridge tenant list` shows the logins")
    await office.bridge.refresh()
    yield {"name": name, "user": user, "state": "set" if password_hash else "removed"}
