"""An authority's demand comes in; after several people agreed, the fields it may have go out (P57).

By default nothing is kept for authorities. A store for them would need a declaration that the
operator is a covered provider, which goes through the same hands (P7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge import phone
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.processors import moment_of
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.privacy.duties import duties
from bridge.store.demands import (
    ACCESS,
    APPROVALS,
    DECLARED,
    DEMANDS,
    FIELDS,
    PERSON_OF,
    STORE,
    Agree,
    Agreed,
    Ask,
    Demand,
    Finish,
    agree,
    answer,
    demand_of,
    finish_demands,
    open_demands,
)


@dataclass(frozen=True, slots=True)
class Paper:
    """What an authority wrote."""

    authority: str
    reference: str
    basis: str
    fields: tuple[str, ...]
    since: str = ""
    until: str = ""


async def begin(bridge: Bridge, actor: str, tenant: Tenant, number: str, paper: Paper) -> int:
    """Open a demand for what is known of a number; its id. Raises Refused."""
    if not paper.authority.strip() or not paper.basis.strip():
        raise Refused(
            "a demand needs the authority and its legal basis", "say --authority and --basis"
        )
    unknown = [name for name in paper.fields if name not in FIELDS]
    if unknown or not paper.fields:
        raise Refused(
            f"there is no field {unknown[0]!r}" if unknown else "which fields may be answered?",
            f"say --field for each that the law allows: {', '.join(FIELDS)}",
        )
    item = Ask(
        ACCESS,
        tenant.id,
        await _person(bridge, tenant, number),
        paper.authority,
        paper.reference,
        paper.basis,
        tuple(name for name in FIELDS if name in paper.fields),
        moment_of(paper.since) if paper.since else 0.0,
        # What there is by now, and nothing that comes after the demand.
        moment_of(paper.until) if paper.until else bridge.clock() + 1.0,
        actor,
        bridge.clock(),
    )
    opened: int = await bridge.store.write(open_demands, item)
    return opened


async def _person(bridge: Bridge, tenant: Tenant, number: str) -> int:
    e164 = phone.parse(number, tenant.region).e164
    for ring in (bridge.keys, *bridge.keys.older):
        rows = await bridge.store.read(PERSON_OF, token=ring.person(tenant.id, e164))
        if rows:
            return int(rows[0][0])
    raise Refused(
        f"{tenant.name} has nothing about this number", "answer the authority so, and record it"
    )


async def declare(bridge: Bridge, actor: str, basis: str) -> int:
    """Ask for the declaration that a store for authorities needs; its id. Raises Refused."""
    if not basis.strip():
        raise Refused(
            "which law makes the operator a covered provider?",
            "say --basis with the act and the paragraph",
        )
    if await bridge.store.read(DECLARED):
        raise Refused("it has been declared already", "`bridge demand list` shows by whom")
    item = Ask(STORE, None, None, "", "", basis, (), None, None, actor, bridge.clock())
    opened: int = await bridge.store.write(open_demands, item)
    return opened


async def approve(bridge: Bridge, actor: str, number: int) -> Agreed:
    """One person agrees to a demand. Raises Refused."""
    item = Agree(number, actor, duties().approvers, bridge.clock())
    done: Agreed = await bridge.store.write(agree, item)
    return done


async def refuse(bridge: Bridge, actor: str, number: int, reason: str) -> None:
    """A demand is not answered. Raises Refused."""
    if not reason.strip():
        raise Refused("why is it refused?", "say --reason")
    item = Finish(number, actor, "refused", reason, bridge.clock())
    await bridge.store.write(finish_demands, item)


async def respond(bridge: Bridge, actor: str, number: int) -> Sequence[dict[str, object]]:
    """What an approved demand may have, and nothing beside it. Raises Refused."""
    found = await demand(bridge, number)
    # Recorded first: whatever is handed out has its line in the audit.
    item = Finish(number, actor, "answered", "", bridge.clock())
    await bridge.store.write(finish_demands, item)
    values = {"subject": found.subject_id, "since": found.since, "until": found.until}
    rows = await bridge.store.read(answer(found.fields), **values)
    return [dict(zip(found.fields, row, strict=True)) for row in rows]


async def demand(bridge: Bridge, number: int) -> Demand:
    """One demand. Raises Refused."""
    for each, _ in await demands(bridge):
        if each.id == number:
            return each
    raise Refused("there is no demand with this id", "`bridge demand list` shows them")


async def demands(bridge: Bridge) -> list[tuple[Demand, list[str]]]:
    """All demands, newest first, each with whoever agreed."""
    agreed: dict[int, list[str]] = {}
    for number, actor, _ in await bridge.store.read(APPROVALS):
        agreed.setdefault(number, []).append(actor)
    rows = [demand_of(row) for row in await bridge.store.read(DEMANDS)]
    return [(row, agreed.get(row.id, [])) for row in rows]


async def is_declared(bridge: Bridge) -> bool:
    """Whether the operator has declared to be a covered provider."""
    return bool(await bridge.store.read(DECLARED))
