"""Breaches, complaints and authorities' demands: what happened comes in, how it stands goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

from bridge.dispatch import abuse, breaches, demanding
from bridge.dispatch.breaches import Case
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.demanding import Paper
from bridge.errors import Refused
from bridge.operations.office import Item, Office, iso, tenant_named
from bridge.store.breaches import Facts


def breach_item(bridge: Bridge, found: Case, tenant: int = 0) -> Item:
    """A breach as it is shown; with a tenant, of the tenants it concerns that one alone."""
    names = bridge.register.tenants
    return {
        "id": found.breach.id,
        "state": found.state,
        "source": found.breach.source,
        "nature": found.breach.nature,
        "aware_at": iso(found.breach.aware_at),
        "target_at": iso(found.target_at),
        "due_at": iso(found.due_at),
        "tenants": {
            names[number].name if number in names else f"(closed {number})": iso(told_at)
            for number, told_at in found.tenants.items()
            if tenant in (0, number)
        },
        "closed_at": iso(found.breach.closed_at),
        "outcome": found.breach.outcome,
    }


def _facts(given: Mapping[str, str]) -> Facts:
    values: dict[str, object] = dict(given)
    try:
        for name in ("people", "records"):
            if name in values:
                values[name] = int(str(values[name]))
        return Facts(**values)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Refused("a breach has no such fact", "`bridge breach open --help`") from None


async def breach_open(
    office: Office,
    *,
    facts: Mapping[str, str],
    tenants: Sequence[str] = (),
    aware: str = "",
    source: str = "operator",
) -> AsyncIterator[Item]:
    """Open a breach; without tenants it concerns all. Raises Refused."""
    await office.bridge.refresh()
    named = [await tenant_named(office, name) for name in tenants]
    concerned = named or list(office.bridge.register.tenants.values())
    aware_at = _moment(aware) if aware else None
    found = await breaches.begin(
        office.bridge, office.actor, concerned, _facts(facts), source=source, aware_at=aware_at
    )
    yield breach_item(office.bridge, found)


def _moment(written: str) -> float:
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise Refused(f"{written!r} is no time", "write it as 2026-11-22T14:30Z") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


async def breach_learn(
    office: Office,
    *,
    id: int,  # noqa: A002
    facts: Mapping[str, str],
) -> AsyncIterator[Item]:
    """Record what has become known. Raises Refused."""
    found = await breaches.learn(office.bridge, office.actor, id, _facts(facts))
    yield breach_item(office.bridge, found)


async def breach_notify(
    office: Office,
    *,
    id: int,  # noqa: A002
    by_hand: Sequence[str] = (),
) -> AsyncIterator[Item]:
    """Tell the tenants; those `by_hand` have been told otherwise. Raises Refused."""
    hands = [await tenant_named(office, name) for name in by_hand]
    found, heard = await breaches.tell(office.bridge, office.actor, id, hands)
    names = office.bridge.register.tenants
    yield {
        **breach_item(office.bridge, found),
        "told": [names[number].name for number in heard if number in names],
        "untold": [names[number].name for number in found.untold if number in names],
    }


async def breach_draft(office: Office, *, id: int) -> AsyncIterator[Item]:  # noqa: A002
    """The notification of Article 33(3), as far as its facts are known. Raises Refused."""
    found = await breaches.case(office.bridge, id)
    yield {"id": id, "draft": breaches.draft(office.bridge, found)}


async def breach_close(office: Office, *, id: int, outcome: str) -> AsyncIterator[Item]:  # noqa: A002
    """Close a breach of which every tenant was told. Raises Refused."""
    found = await breaches.close(office.bridge, office.actor, id, outcome)
    yield breach_item(office.bridge, found)


async def breach_list(office: Office) -> AsyncIterator[Item]:
    """One object a breach, newest first."""
    for found in await breaches.cases(office.bridge):
        yield breach_item(office.bridge, found)


async def abuse_open(
    office: Office, *, number: str, tenant: str = "", source: str = "7726", note: str = ""
) -> AsyncIterator[Item]:
    """Somebody complained: they get no more messages, and a case is open. Raises Refused."""
    owner = await tenant_named(office, tenant)
    opened = await abuse.complained(
        office.bridge,
        office.actor,
        owner,
        number,
        source=source,
        note=note,
        silence=office.silence,
    )
    yield {"id": opened, "state": "open", "suppressed": True}


async def abuse_list(office: Office) -> AsyncIterator[Item]:
    """One object a case, newest first."""
    names = office.bridge.register.tenants
    for case in await abuse.cases(office.bridge):
        yield {
            "id": case.id,
            "kind": case.kind,
            "tenant": names[case.tenant_id].name if case.tenant_id in names else "",
            "source": case.source,
            "state": "open" if case.reviewed_at is None else "reviewed",
            "opened_at": iso(case.opened_at),
            "review_due": iso(case.review_due),
            "outcome": case.outcome,
        }


async def abuse_review(office: Office, *, id: int, outcome: str) -> AsyncIterator[Item]:  # noqa: A002
    """A person has looked at a case. Raises Refused."""
    await abuse.looked_at(office.bridge, office.actor, id, outcome)
    yield {"id": id, "state": "reviewed"}


async def demand_open(
    office: Office, *, number: str, paper: Mapping[str, object], tenant: str = ""
) -> AsyncIterator[Item]:
    """Open an authority's demand. Raises Refused."""
    owner = await tenant_named(office, tenant)
    fields = paper.get("fields")
    names = tuple(map(str, fields)) if isinstance(fields, list | tuple) else ()
    words = {key: str(value) for key, value in paper.items() if key != "fields"}
    try:
        read = Paper(**words, fields=names)
    except TypeError:
        raise Refused("a demand has no such fact", "`bridge demand open --help`") from None
    opened = await demanding.begin(office.bridge, office.actor, owner, number, read)
    yield {"id": opened, "state": "open"}


async def demand_declare(office: Office, *, basis: str) -> AsyncIterator[Item]:
    """Ask for the declaration that a store for authorities needs. Raises Refused."""
    opened = await demanding.declare(office.bridge, office.actor, basis)
    yield {"id": opened, "state": "open"}


async def demand_approve(office: Office, *, id: int) -> AsyncIterator[Item]:  # noqa: A002
    """Agree to a demand, as one of several. Raises Refused."""
    done = await demanding.approve(office.bridge, office.actor, id)
    yield {"id": id, "state": done.state, "approvals": done.approvals}


async def demand_refuse(office: Office, *, id: int, reason: str) -> AsyncIterator[Item]:  # noqa: A002
    """A demand is not answered. Raises Refused."""
    await demanding.refuse(office.bridge, office.actor, id, reason)
    yield {"id": id, "state": "refused"}


async def demand_answer(office: Office, *, id: int) -> AsyncIterator[Item]:  # noqa: A002
    """One object a message, with the fields that were approved. Raises Refused."""
    for row in await demanding.respond(office.bridge, office.actor, id):
        yield {
            name: iso(float(str(value))) if name.endswith("_at") and value is not None else value
            for name, value in row.items()
        }


async def demand_list(office: Office) -> AsyncIterator[Item]:
    """One object a demand, newest first."""
    tenants = office.bridge.register.tenants
    for demand, agreed in await demanding.demands(office.bridge):
        owner = tenants.get(demand.tenant_id or 0)
        yield {
            "id": demand.id,
            "kind": demand.kind,
            "state": demand.state,
            "tenant": owner.name if owner is not None else "",
            "authority": demand.authority,
            "reference": demand.reference,
            "basis": demand.basis,
            "fields": list(demand.fields),
            "opened_by": demand.opened_by,
            "approved_by": agreed,
            "opened_at": iso(demand.created_at),
            "done_at": iso(demand.done_at),
            "reason": demand.reason,
        }
