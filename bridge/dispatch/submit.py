"""The one door in: a Submission comes from an edge, a stored message goes to the outbox.

Every rule that does not need the database is applied in `prepare`; suppression and repeats are
judged in the transaction that stores.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from bridge.dispatch.advertising import Cleared, cleared
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.fit import fit
from bridge.dispatch.lawful import CARRIER
from bridge.dispatch.optout import with_way_out
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.model import Class, State, Submission
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
    ready = await made_ready(bridge, submission)
    return await keep(bridge, ready.prepared, submission.origin.kind)


async def made_ready(bridge: Bridge, submission: Submission) -> Ready:
    """`prepare`, after what an advertisement needs. Raises Refused, StoreUnavailable."""
    if submission.klass is not Class.MARKETING:
        return prepare(bridge, submission)
    tenant = bridge.register.tenants[submission.tenant]
    check_country(tenant, submission.country)
    carrier = first_carrier(bridge, tenant, submission.destination)
    shown = _originator(submission, tenant, carrier)
    return prepare(bridge, submission, await cleared(bridge, submission, shown))


def _originator(submission: Submission, tenant: Tenant, carrier: Carrier) -> str:
    """What the phone shows; "" is the carrier's own."""
    return submission.originator or tenant.originator or carrier.originator


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
    elif stored.state in (State.SUPPRESSED, State.CANCELLED):
        bridge.ring_edge(edge)
    return stored


def prepare(bridge: Bridge, submission: Submission, clearance: Cleared | None = None) -> Ready:
    """Apply the tenant's rules. Raises Refused with a sentence for the writer.

    An advertisement needs its clearance (`made_ready`).
    """
    if clearance is not None:
        submission = clearance.submission
    elif submission.klass is Class.MARKETING:
        raise Refused("advertisements are not sent from here", "send them by mail")
    tenant = bridge.register.tenants[submission.tenant]
    keys, to = bridge.keys, submission.destination
    check_country(tenant, submission.country)
    bridge.lists.refuse_blocked(keys, tenant.id, to, submission.country)
    programme = _programme(bridge, submission)
    now = bridge.clock()
    carrier = first_carrier(bridge, tenant, submission.destination)
    originator = _originator(submission, tenant, carrier)
    text, optout = submission.text, ""
    if submission.klass is Class.MARKETING:
        url = bridge.settings.public_url
        text, optout = with_way_out(tenant, keys, url, to, originator, text)
    segmented = fit(tenant, text, shifts(carrier))
    due_at = submission.not_before or now
    expires_at = max(due_at, now) + tenant.validity
    if clearance is not None:
        expires_at = min(expires_at, clearance.until)
    state, reason = _first_state(submission, now)
    prepared = Prepared(
        id=bridge.ids.next(),
        tenant_id=tenant.id,
        phone=submission.destination,
        phone_index=keys.person(tenant.id, to),
        all_index=keys.everyone(to),
        country=submission.country,
        originator=originator,
        origin_kind=submission.origin.kind,
        origin_address=submission.origin.address,
        origin=json.dumps(submission.origin.ref) if submission.origin.ref else "",
        klass=str(submission.klass),
        urgent=submission.urgent,
        text=segmented.text,
        encoding=segmented.encoding,
        lang=segmented.lang,
        parts=len(segmented.parts),
        rules=" ".join((*submission.rules, *_rules(segmented, clearance))),
        state=str(state),
        reason=reason,
        lane=lane(carrier.name, submission.urgent),
        due_at=due_at,
        expires_at=expires_at,
        now=now,
        dedupe=bridge.keys.repeat(submission.dedupe) if submission.dedupe else None,
        programme_index=keys.programme(tenant.id, programme, to) if programme else "",
        older=keys.moved(tenant.id, to, programme) if keys.older else None,
        pepper_version=keys.version,
        optout_link=optout,
        permit=clearance.permit if clearance else None,
    )
    return Ready(prepared, segmented)


def _programme(bridge: Bridge, submission: Submission) -> int:
    """The programme's id, 0 for none. Raises Refused."""
    if not submission.programme:
        return 0
    return bridge.register.programme(submission.tenant, submission.programme).id


def first_carrier(bridge: Bridge, tenant: Tenant, destination: str) -> Carrier:
    """The first carrier of the route that may have this tenant's data (P50).

    Raises Refused where there is none.
    """
    route = bridge.routes.carriers(destination)
    allowed = bridge.lawful.carriers(tenant.id, route)
    if not allowed:
        why = bridge.lawful.why_not(tenant.id, CARRIER, route[-1])
        raise Refused(
            f"no carrier of this route may have data of {tenant.name} ({why})",
            "ask the operator: `bridge subproc list` shows what is recorded",
            status="5.7.1",
        )
    return bridge.carrier(allowed[0])


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


#: What is no advertisement needs no consent and keeps no hours, and is marked so.
_EXEMPT = ("exempt:transactional",)


def _rules(segmented: Segmented, clearance: Cleared | None) -> tuple[str, ...]:
    exempt = _EXEMPT if clearance is None else ()
    return ("transliterated", *exempt) if segmented.transliterated else exempt
