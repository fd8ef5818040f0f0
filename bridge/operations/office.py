"""What operations share: a bridge and who asks it come in; tenants, ids, audit lines go out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.store import ids, logbook
from bridge.store.audit import Entry, audited, record_entries
from bridge.store.store import BatchScript

Item = dict[str, Any]
Given = TypeVar("Given")


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


async def record(
    office: Office,
    action: str,
    *,
    tenant: int = 0,
    subject: int | None = None,
    why: str = "",
    **details: object,
) -> None:
    """Write into the audit that who asks does this, and with which options.

    `tenant` is whose data it is, 0 nobody's or the whole bridge's; `subject` the person, if known.
    """
    item = entry(office, action, tenant, reason_of(why, **details), subject)
    await office.bridge.store.write(record_entries, item)


async def record_look(
    office: Office, action: str, *, tenant: str, why: str = "", **details: object
) -> None:
    """Write into the audit that who asks is shown a tenant's numbers or texts (P61).

    Without a tenant's name they are everybody's: each tenant has an entry of its own to be shown.
    """
    store = office.bridge.store
    known = {row[0]: row[1] for row in await store.read(logbook.TENANT_NAMES)}
    numbers = [known[tenant]] if tenant else list(known.values())
    reason = reason_of(why, **details)
    items = [entry(office, action, number, reason) for number in numbers]
    await asyncio.gather(*(store.write(record_entries, item) for item in items))


def reason_of(why: str, **details: object) -> str:
    """What was said as a reason, then the options that were given."""
    given = " ".join(f"{key}={value}" for key, value in details.items() if value)
    return "; ".join(each for each in (why, given) if each)


def entry(
    office: Office, action: str, tenant_id: int, reason: str = "", subject_id: int | None = None
) -> Entry:
    """An entry of the audit about an act of whoever asks; tenant 0: the whole bridge's."""
    return Entry(office.actor, action, reason, office.bridge.clock(), tenant_id, subject_id)


async def act(
    office: Office, script: BatchScript[Given], item: Given, tell: Callable[[Any], Entry | None]
) -> Any:
    """Run a script, and in the same transaction append what `tell` makes of its result."""
    return await office.bridge.store.write(audited(script), (item, tell))


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
