"""The one door in: a Submission comes from an edge, a stored message goes to the outbox.

Every rule that does not need the database is applied in `prepare`; suppression and repeats are
judged in the transaction that stores.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from bridge import flatjson
from bridge.dispatch import billing, caps, senders
from bridge.dispatch.advertising import Cleared, cleared
from bridge.dispatch.brakes import check_number, fold_of, refused
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.choose import Leg, Place, first
from bridge.dispatch.fit import fit
from bridge.dispatch.optout import with_way_out
from bridge.dispatch.prices import Price
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.model import Class, State, Submission
from bridge.segments import Segmented
from bridge.settings import Carrier
from bridge.store.brakes import Refusal
from bridge.store.claims import lane
from bridge.store.submissions import Prepared, Stored, store_submissions

log = structlog.get_logger("bridge.submit")

SCHEDULE_DAYS = 90


@dataclass(slots=True)
class Ready:
    """A submission that may be stored, with what `explain` says of it."""

    prepared: Prepared
    segmented: Segmented

    def cost(self, bridge: Bridge) -> Price | None:
        """What all its parts cost whoever sends it; None where that is not known."""
        made = self.prepared
        tenant, carrier = bridge.register.tenants[made.tenant_id], made.lane.rpartition(".")[0]
        found = bridge.prices.shown(tenant.name, carrier, made.phone, made.now)
        return found.times(made.parts) if found is not None else None


async def submit(bridge: Bridge, submission: Submission) -> Stored:
    """Store a message and ring for it. It is on disk when this returns.

    Raises Refused (a rule says no, or the credit does), StoreUnavailable (come again).
    """
    ready = await made_ready(bridge, submission)
    return await keep(bridge, ready.prepared, submission.origin.kind)


async def made_ready(bridge: Bridge, submission: Submission) -> Ready:
    """`prepare`, after what an advertisement needs. Raises Refused, StoreUnavailable."""
    if submission.klass is not Class.MARKETING:
        return prepare(bridge, submission)
    tenant = bridge.register.tenants[submission.tenant]
    check_number(tenant, submission.destination, submission.country, submission.kind)
    place = _place(bridge, submission, tenant)
    clearance = await cleared(bridge, submission, place.originator)
    return prepare(bridge, submission, clearance, place)


def _place(bridge: Bridge, submission: Submission, tenant: Tenant) -> Place:
    """The carrier that it goes to, and what the phone shows. Raises Refused."""
    wanted = submission.originator
    to, country = submission.destination, submission.country
    return first(bridge, Leg(tenant, to, country, submission.klass, wanted))


async def keep(bridge: Bridge, prepared: Prepared, edge: str) -> Stored:
    """Store what `prepare` made, and ring for it. Raises Refused, StoreUnavailable."""
    lane_awake = bridge.awake.get(prepared.lane)
    born = lane_awake.bear(prepared) if lane_awake is not None else None
    future = bridge.store.put(store_submissions, prepared)
    if born is not None:
        future.add_done_callback(born)
    # Whoever waits may leave; the commit and what follows from it go on.
    stored: Stored = await asyncio.shield(future)
    if stored.unpaid:
        raise billing.unpaid(bridge, prepared.tenant_id)
    if stored.refusal is not None:
        raise await braked(bridge, prepared.tenant_id, stored.refusal)
    if stored.repeat:
        bridge.metrics.repeats.labels(edge).inc()
        return stored
    bridge.metrics.accepted_by(edge).inc()
    if stored.state is State.QUEUED:
        bridge.ring_lane(prepared.lane, prepared.id)
    elif stored.state in (State.SUPPRESSED, State.CANCELLED):
        bridge.ring_edge(edge)
    return stored


async def braked(bridge: Bridge, tenant: int, why: Refusal) -> Refused:
    """What to say of a message that a brake refused; what it stopped is known here at once."""
    bridge.metrics.braked.labels(why.rule).inc()
    if why.is_news:
        log.warning("a rule has stopped a range of numbers", tenant=tenant)
        await bridge.brakes.refresh(bridge.store)
        bridge.ring_edges()
    return refused(why, bridge.register.tenants[tenant])


def prepare(
    bridge: Bridge,
    submission: Submission,
    clearance: Cleared | None = None,
    place: Place | None = None,
) -> Ready:
    """Apply the tenant's rules. Raises Refused with a sentence for the writer.

    An advertisement needs its clearance, and the place that it was given for (`made_ready`).
    """
    if clearance is not None:
        submission = clearance.submission
    elif submission.klass is Class.MARKETING:
        raise Refused("advertisements are not sent from here", "send them by mail")
    tenant = bridge.register.tenants[submission.tenant]
    keys, to = bridge.keys, submission.destination
    check_number(tenant, to, submission.country, submission.kind)
    sender = submission.sender or f"{submission.origin.kind}:{submission.origin.address}"
    bridge.brakes.refuse(keys, tenant, sender, to)
    bridge.lists.refuse_blocked(keys, tenant.id, to, submission.country)
    programme = _programme(bridge, submission)
    now = bridge.clock()
    place = place or _place(bridge, submission, tenant)
    carrier, originator, person = place.carrier, place.originator, keys.person(tenant.id, to)
    if place.pool:
        originator = senders.of_pool(place.pool, person)
    text, optout = submission.text, ""
    if submission.klass is Class.MARKETING:
        url = bridge.settings.public_url
        text, optout = with_way_out(tenant, keys, url, to, originator, text)
    # Cut, an advertisement would lose the way out at its end (P46, P47).
    advert = submission.klass is Class.MARKETING
    segmented = fit(tenant, text, shifts(carrier), submission.tail, whole=advert)
    due_at = submission.not_before or now
    expires_at = max(due_at, now) + tenant.validity
    if clearance is not None:
        expires_at = min(expires_at, clearance.until)
    state, reason = _first_state(submission, now)
    charge = billing.charge(bridge, tenant, to, now) if tenant.billing != billing.NONE else None
    prepared = Prepared(
        id=bridge.ids.next(),
        tenant_id=tenant.id,
        phone=submission.destination,
        phone_index=person,
        all_index=keys.everyone(to),
        country=submission.country,
        originator=originator,
        origin_kind=submission.origin.kind,
        origin_address=submission.origin.address,
        origin=flatjson.facts(submission.origin.ref) if submission.origin.ref else "",
        klass=str(submission.klass),
        urgent=submission.urgent,
        text=segmented.text,
        encoding=segmented.encoding,
        lang=segmented.lang,
        parts=len(segmented.parts),
        rules=" ".join((*submission.rules, *_rules(segmented, clearance, place))),
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
        charge=charge,
        hop=place.hop,
        pool=place.pool,
        fold=fold_of(keys, submission, sender) if submission.fold else None,
        meter=bridge.brakes.meter(
            keys,
            tenant,
            sender,
            (to, submission.country),
            caps.price_of(bridge.prices, tenant, to, now),
            now,
        ),
    )
    return Ready(prepared, segmented)


def _programme(bridge: Bridge, submission: Submission) -> int:
    """The programme's id, 0 for none. Raises Refused."""
    if not submission.programme:
        return 0
    return bridge.register.programme(submission.tenant, submission.programme).id


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


def _rules(segmented: Segmented, clearance: Cleared | None, place: Place) -> tuple[str, ...]:
    exempt = _EXEMPT if clearance is None else ()
    if place.rule:
        exempt = (*exempt, place.rule)
    return ("transliterated", *exempt) if segmented.transliterated else exempt
