"""What operations share: a bridge and who asks it come in; tenants, ids, audit lines go out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.store import ids, logbook
from bridge.store.logbook import Look, record_looks

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Office:
    """Where an operation is done: the bridge, and who asks.

    `silence` returns once no part that is claimed for these people can leave any more.
    """

    bridge: Bridge
    silence: Callable[[Sequence[int]], Awaitable[None]]
    actor: str


Operation = Callable[..., AsyncIterator[Item]]


async def tenant_named(office: Office, name: str) -> Tenant:
    """An open tenant, also one that another process has just added; "" is the only one there is.

    Raises Refused.
    """
    found = office.bridge.register.named(name)
    if found is None:
        await office.bridge.refresh()
        known = list(office.bridge.register.tenants.values())
        found = known[0] if not name and len(known) == 1 else office.bridge.register.named(name)
    if found is None:
        raise no_tenant(name, [t.name for t in office.bridge.register.tenants.values()])
    return found


def no_tenant(name: str, known: Sequence[str]) -> Refused:
    """The refusal of a tenant's name, and which names there are."""
    listed = f"tenants: {', '.join(known) or 'none'}; `bridge tenant add` adds one"
    if not name:
        return Refused("which tenant?", f"name it with --tenant; {listed}")
    return Refused(f"there is no tenant {name!r}", listed)


async def refuse_unknown(office: Office, name: str) -> None:
    """Raises Refused for a tenant that has never been here; a closed one has its log."""
    rows = await office.bridge.store.read(logbook.TENANT_NAMES)
    names = sorted(row[0] for row in rows)
    if name not in names:
        raise no_tenant(name, names)


async def record(office: Office, action: str, **details: object) -> None:
    """Write a line of the audit: who asks does this, and with which options."""
    reason = " ".join(f"{key}={value}" for key, value in details.items() if value)
    look = Look(office.actor, action, reason, office.bridge.clock())
    await office.bridge.store.write(record_looks, look)


def read_id(shown: str, shown_by: str) -> int:
    """The id that `shown` stands for; `shown_by` is the command to copy it from. Raises Refused."""
    try:
        number = ids.read(shown)
    except ValueError as wrong:
        raise Refused(f"this is no id: {wrong}", f"copy it from `{shown_by}`") from None
    # 13 characters can write more than the 63 bits of an id.
    return number if number < 1 << 63 else 0


def iso(moment: float | None) -> str | None:
    """A time in UTC, to the millisecond."""
    if moment is None:
        return None
    written = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")
