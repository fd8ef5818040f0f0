"""The register of processors and the terms: changes come in, what stands then goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from bridge.dispatch import processors, terms
from bridge.dispatch.lawful import named_by
from bridge.errors import Refused
from bridge.operations.office import Item, Office, iso, tenant_named
from bridge.privacy.transfers import day, transfers
from bridge.store.processors import OBJECTIONS, Details, Processor


async def subproc_list(office: Office) -> AsyncIterator[Item]:
    """One object a processor: who, where, on what ground, and who objects."""
    bridge = office.bridge
    names = {number: tenant.name for number, tenant in bridge.register.tenants.items()}
    objections: dict[int, list[str]] = {}
    for tenant, number in await bridge.store.read(OBJECTIONS):
        objections.setdefault(number, []).append(names.get(tenant, "(closed)"))
    used = {(each.kind, each.name) for each in named_by(bridge.settings)}
    for row in await processors.register(bridge):
        shown = processor_item(row, bridge.clock())
        configured = (row.kind, row.name) in used
        yield {**shown, "configured": configured, "objections": objections.get(row.id, [])}


def processor_item(row: Processor, now: float) -> Item:
    """A processor as it is shown."""
    state = "announced" if now < row.effective_at else "in use"
    return {
        "name": row.name,
        "kind": row.kind,
        "state": "ended" if row.ended_at is not None else state,
        "company": row.company,
        "address": row.address,
        "contact": row.contact,
        "purpose": row.purpose,
        "country": row.country,
        "mechanism": row.mechanism,
        "valid_until": _day(row.valid_until),
        "transfer": transfers().ground(row.country, row.mechanism, day(now)),
        "notified_at": iso(row.notified_at),
        "effective_at": iso(row.effective_at),
        "ended_at": iso(row.ended_at),
    }


def _day(moment: float | None) -> str | None:
    return None if moment is None else day(moment).isoformat()


async def subproc_add(
    office: Office, *, name: str, kind: str, effective: str = "", details: Mapping[str, str]
) -> AsyncIterator[Item]:
    """Announce a processor to every tenant. Raises Refused."""
    bridge = office.bridge
    found = _details(details)
    done = await processors.add(bridge, office.actor, kind, name, found, effective)
    row = await processors.named(bridge, f"{kind}/{name}")
    shown = processor_item(row, bridge.clock())
    yield {**shown, "untold": list(processors.untold(bridge, done.told))}


def _details(given: Mapping[str, str]) -> Details:
    """What was said of a processor; an empty word takes out what stands there."""
    values: dict[str, object] = dict(given)
    until = values.pop("until", None)
    if until:
        values["valid_until"] = processors.moment_of(str(until))
    try:
        return Details(**values)  # type: ignore[arg-type]
    except TypeError:
        raise Refused("a processor has no such detail", "`bridge subproc add --help`") from None


async def subproc_set(
    office: Office, *, name: str, details: Mapping[str, str]
) -> AsyncIterator[Item]:
    """Record what is known of a processor. Raises Refused."""
    row = await processors.record(office.bridge, office.actor, name, _details(details))
    yield processor_item(row, office.bridge.clock())


async def subproc_notify(office: Office, *, name: str) -> AsyncIterator[Item]:
    """Tell every tenant of a processor once more. Raises Refused."""
    done = await processors.tell(office.bridge, office.actor, name)
    told = sum(1 for places in done.told.values() if places)
    untold = list(processors.untold(office.bridge, done.told))
    yield {"name": name, "told": told, "untold": untold}


async def subproc_object(
    office: Office,
    *,
    name: str,
    tenant: str = "",
    reason: str = "",
    leaves: bool = False,
    withdraw: bool = False,
) -> AsyncIterator[Item]:
    """A tenant objects to a processor, or no longer does. Raises Refused."""
    owner = await tenant_named(office, tenant)
    row = await processors.object_to(
        office.bridge, office.actor, owner.id, name, reason, leaves=leaves, withdraw=withdraw
    )
    state = "withdrawn" if withdraw else "exit" if leaves else "excluded"
    yield {"name": row.name, "tenant": owner.name, "state": state}


async def subproc_end(office: Office, *, name: str) -> AsyncIterator[Item]:
    """Nothing goes to a processor any more. Raises Refused."""
    row = await processors.finish(office.bridge, office.actor, name)
    yield {"name": row.name, "state": "ended"}


async def policy_announce(
    office: Office, *, version: str, effective: str, url: str = "", digest: str = ""
) -> AsyncIterator[Item]:
    """Announce a version of the terms to every tenant. Raises Refused."""
    done = await terms.announce(
        office.bridge, office.actor, version, effective, url=url, digest=digest
    )
    told = sum(1 for places in done.told.values() if places)
    untold = list(processors.untold(office.bridge, done.told))
    yield {"version": version, "effective": effective, "told": told, "untold": untold}


async def policy_accept(office: Office, *, version: str, tenant: str = "") -> AsyncIterator[Item]:
    """Record that a tenant accepts a version. Raises Refused."""
    owner = await tenant_named(office, tenant)
    is_new = await terms.agree(office.bridge, office.actor, owner, version)
    state = "accepted" if is_new else "was accepted before"
    yield {"version": version, "tenant": owner.name, "state": state}


async def policy_list(office: Office) -> AsyncIterator[Item]:
    """One object a version, newest first, with the tenants that accepted it."""
    names = {number: tenant.name for number, tenant in office.bridge.register.tenants.items()}
    for each in await terms.versions(office.bridge):
        yield {
            "version": each.policy.version,
            "url": each.policy.url,
            "sha256": each.policy.hash,
            "announced_at": iso(each.policy.announced_at),
            "effective_at": iso(each.policy.effective_at),
            "accepted": sorted(names[tenant] for tenant in each.accepted if tenant in names),
        }
