"""The blacklist: a number, a prefix or a country comes in, whether it is written to goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bridge.dispatch.blacklist import Target, block, is_blocked, target, unblock
from bridge.operations.office import Item, Office, entry, iso, reason_of, tenant_named
from bridge.store.blocklist import BLOCKS


async def blacklist_add(
    office: Office, *, what: str, tenant: str = "", reason: str = ""
) -> AsyncIterator[Item]:
    """Nobody of this tenant, or of the whole bridge without one, is written to there."""
    found = await _target(office, tenant, what)
    said = entry(office, "blacklist add", found.tenant, reason_of(reason, kind=found.kind))
    is_new = await block(office.bridge, found, reason, said)
    yield {"kind": found.kind, "state": "added" if is_new else "was there"}


async def blacklist_remove(office: Office, *, what: str, tenant: str = "") -> AsyncIterator[Item]:
    """They may be written to again."""
    found = await _target(office, tenant, what)
    said = entry(office, "blacklist remove", found.tenant, reason_of("", kind=found.kind))
    was = await unblock(office.bridge, found, said)
    yield {"kind": found.kind, "state": "removed" if was else "was not there"}


async def blacklist_check(office: Office, *, what: str, tenant: str = "") -> AsyncIterator[Item]:
    """Whether a number may be written to, and what forbids it."""
    found = await _target(office, tenant, what)
    await office.bridge.refresh()
    kind = is_blocked(office.bridge, found)
    yield {"blocked": bool(kind), "by": kind or None}


async def blacklist_list(office: Office) -> AsyncIterator[Item]:
    """One object an entry. A number is told by nothing but its keyed hash."""
    for name, kind, value, reason, actor, at, tenant in await office.bridge.store.read(BLOCKS):
        yield {
            "scope": name if tenant else "operator",
            "kind": kind,
            "value": "" if kind == "number" else value,
            "reason": reason,
            "by": actor,
            "since": iso(at),
        }


async def _target(office: Office, tenant: str, what: str) -> Target:
    if not tenant:
        return target(office.bridge.keys, 0, what, office.bridge.settings.region)
    owner = await tenant_named(office, tenant)
    return target(office.bridge.keys, owner.id, what, owner.region)
