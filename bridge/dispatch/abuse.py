"""Complaints and automatic blocks: a report comes in, a case for a person to look at goes out.

A complaint (7726, a carrier's) suppresses the person before anything else (P53). What a rule blocks
by itself waits for a person's eyes a day at most (P32).
"""

from __future__ import annotations

from typing import Final

from bridge import phone
from bridge.dispatch.breaches import own_places
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.stopping import Silence, settle, wish
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.privacy.duties import duties
from bridge.store.abuse import (
    BLOCK,
    CASES,
    COMPLAINT,
    Case,
    Report,
    Reported,
    Review,
    case_of,
    report,
    review,
)
from bridge.store.suppressions import Bound

SOURCES: Final = ("7726", "carrier", "person")


async def complained(
    bridge: Bridge,
    actor: str,
    tenant: Tenant,
    number: str,
    *,
    source: str,
    note: str = "",
    silence: Silence | None = None,
) -> int:
    """Somebody complained of messages: they get none any more; the case's id. Raises Refused."""
    if source not in SOURCES:
        raise Refused(f"there is no source {source!r}", f"sources: {', '.join(SOURCES)}")
    now = bridge.clock()
    e164 = phone.parse(number, tenant.region).e164
    stopped = wish(
        bridge.keys, tenant.id, e164, scope="tenant", source=f"complaint-{source}", now=now
    )
    due = now + duties().block_review
    places = own_places(bridge)
    item = Report(COMPLAINT, tenant.id, source, note, due, actor, now, places, stopped)
    done: Reported = await bridge.store.write(report, item)
    bound = done.people if isinstance(done.people, Bound) else Bound()
    await settle(bridge, bound, silence)
    return done.id


async def blocked(bridge: Bridge, tenant: Tenant, rule: str, note: str = "") -> int:
    """A rule has blocked an account by itself: a person must look; the case's id."""
    now = bridge.clock()
    due = now + duties().block_review
    item = Report(BLOCK, tenant.id, rule, note, due, "bridge", now, own_places(bridge))
    done: Reported = await bridge.store.write(report, item)
    bridge.ring_edges()
    return done.id


async def looked_at(bridge: Bridge, actor: str, number: int, outcome: str) -> None:
    """A person has looked at a case. Raises Refused."""
    if not outcome.strip():
        raise Refused("what came of it?", "say --outcome")
    await bridge.store.write(review, Review(number, outcome, actor, bridge.clock()))


async def cases(bridge: Bridge) -> list[Case]:
    """All cases, newest first."""
    return [case_of(row) for row in await bridge.store.read(CASES)]
