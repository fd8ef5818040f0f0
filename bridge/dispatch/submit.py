"""The one door in: a Submission comes from an edge, a stored message goes to the outbox.

Every rule that does not need the database is applied in `prepare`; suppression and repeats are
judged in the transaction that stores.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.fit import fit
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.model import State, Submission
from bridge.segments import Segmented
from bridge.settings import Carrier
from bridge.store.claims import lane
from bridge.store.submissions import Prepared, Stored, store_submissions

SCHEDULE_DAYS = 90


@dataclass(slots=True)
class Ready:
    """A submission that may be stored, with what `explain` says of it."""

    prepared: Prepared
    segmented: Segmented


async def submit(bridge: Bridge, submission: Submission) -> Stored:
    """Store a message and ring for it. It is on disk when this returns.

    Raises Refused (a rule says no), StoreUnavailable (come again).
    """
    ready = prepare(bridge, submission)
    return await keep(bridge, ready.prepared, submission.origin.kind)


async def keep(bridge: Bridge, prepared: Prepared, edge: str) -> Stored:
    """Store what `prepare` made, and ring for it. Raises StoreUnavailable."""
    lane_awake = bridge.awake.get(prepared.lane)
    born = lane_awake.bear(prepared) if lane_awake is not None else None
    future = bridge.store.put(store_submissions, prepared)
    if born is not None:
        future.add_done_callback(born)
    # Whoever waits may leave; the commit and what follows from it go on.
    stored: Stored = await asyncio.shield(future)
    if stored.repeat:
        bridge.metrics.repeats.labels(edge).inc()
        return stored
    bridge.metrics.accepted_by(edge).inc()
    if stored.state is State.QUEUED:
        bridge.ring_lane(prepared.lane, prepared.id)
    elif stored.state is State.SUPPRESSED:
        bridge.ring_edge(edge)
    return stored


def prepare(bridge: Bridge, submission: Submission) -> Ready:
    """Apply the tenant's rules. Raises Refused with a sentence for the writer."""
    tenant = bridge.register.tenants[submission.tenant]
    check_country(tenant, submission.country)
    now = bridge.clock()
    carrier = bridge.carrier(bridge.routes.carriers(submission.destination)[0])
    segmented = fit(tenant, submission.text, shifts(carrier))
    due_at = submission.not_before or now
    state, reason = _first_state(submission, now)
    prepared = Prepared(
        id=bridge.ids.next(),
        tenant_id=tenant.id,
        phone=submission.destination,
        phone_index=bridge.keys.person(tenant.id, submission.destination),
        all_index=bridge.keys.everyone(submission.destination),
        country=submission.country,
        originator=submission.originator or tenant.originator or carrier.originator,
        origin_kind=submission.origin.kind,
        origin_address=submission.origin.address,
        origin=json.dumps(submission.origin.ref) if submission.origin.ref else "",
        klass=str(submission.klass),
        urgent=submission.urgent,
        text=segmented.text,
        encoding=segmented.encoding,
        lang=segmented.lang,
        parts=len(segmented.parts),
        rules=" ".join((*submission.rules, *_rules(segmented))),
        state=str(state),
        reason=reason,
        lane=lane(carrier.name, submission.urgent),
        due_at=due_at,
        expires_at=max(due_at, now) + tenant.validity,
        now=now,
        dedupe=bridge.keys.repeat(submission.dedupe) if submission.dedupe else None,
    )
    return Ready(prepared, segmented)


def check_country(tenant: Tenant, country: str) -> None:
    """Raises Refused where the tenant does not send."""
    if tenant.countries and country not in tenant.countries:
        allowed = ", ".join(sorted(tenant.countries))
        raise Refused(
            f"{tenant.name} does not send to {country}; allowed countries: {allowed}",
            "ask the operator to add the country",
            status="5.7.1",
        )


def _first_state(submission: Submission, now: float) -> tuple[State, str]:
    if submission.hold:
        return State.HELD, submission.hold
    if submission.not_before is not None and submission.not_before > now:
        if submission.not_before > now + SCHEDULE_DAYS * 86400:
            raise Refused(
                f"the time is more than {SCHEDULE_DAYS} days ahead", "choose an earlier one"
            )
        return State.SCHEDULED, ""
    return State.QUEUED, ""


_SHIFTS = {"turkish": "tr", "spanish": "es", "portuguese": "pt"}


def shifts(carrier: Carrier) -> tuple[str, ...]:
    """The national shift tables that a carrier declares, as `segments` names them."""
    return tuple(_SHIFTS[name] for name in carrier.shift) if carrier.shift else ()


def _rules(segmented: Segmented) -> tuple[str, ...]:
    return ("transliterated",) if segmented.transliterated else ()
