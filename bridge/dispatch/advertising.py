"""A marketing submission comes in; as it may leave, and until when, or a refusal goes out.

Transactional messages never come here. The rules are `privacy.marketing`'s; consents and what was
sent lately are looked up here, and judged once more in the transaction that stores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge import phone
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.model import Submission
from bridge.privacy.countries import cap, rule_for
from bridge.privacy.hours import Window, window
from bridge.privacy.marketing import Advert, Deferred, Forbidden, Person, need, verdict
from bridge.store.permits import (
    PERSON,
    RECENT,
    RECORDS,
    Permit,
    Record,
    records_of,
    since,
)
from bridge.store.sql import Values

#: A tenant that says that it has consent where nothing is recorded.
VOUCHES = "tenant"


@dataclass(frozen=True, slots=True)
class Cleared:
    """An advertisement that may leave."""

    submission: Submission  # its text, time and rules as they are now
    permit: Permit
    until: float  # the end of the hours in which it may leave


async def cleared(bridge: Bridge, submission: Submission, originator: str) -> Cleared:
    """Judge an advertisement. Raises Refused, which names the rule; StoreUnavailable."""
    tenant = bridge.register.tenants[submission.tenant]
    advert = _advert(bridge, tenant, submission, originator)
    rule = rule_for(submission.country, submission.destination)
    permit = need(advert, rule)
    now = bridge.clock()
    token = bridge.keys.person(tenant.id, submission.destination)
    records, recent = await _history(bridge, token, permit, submission.not_before or now)
    person = Person(rule, zones(submission.destination), recent)
    found = verdict(advert, person, records, now)
    if isinstance(found, Forbidden):
        raise Refused(f"{found.reason} (rule {found.rule})", found.hint, status="5.7.1")
    not_before = found.at if isinstance(found, Deferred) else submission.not_before
    rules = (*submission.rules, *found.rules)
    changed = replace(submission, text=found.text, not_before=not_before, rules=rules)
    return Cleared(changed, permit, found.until)


def hours_of(country: str, e164: str, at: float) -> Window | None:
    """When an advertisement to this number may leave: the window at that time, or the next."""
    return window(rule_for(country, e164).hours, zones(e164), at)


def zones(e164: str) -> tuple[str, ...]:
    """The zones that a number may be in, at least one."""
    return phone.zones(e164) or (phone.zone(e164),)


def _advert(bridge: Bridge, tenant: Tenant, submission: Submission, originator: str) -> Advert:
    programme = submission.programme
    if programme:
        programme = bridge.register.programme(tenant.id, programme).name
    return Advert(
        text=submission.text,
        originator=originator,
        sender=tenant.marketing_sender or tenant.name,
        programme=programme,
        label=tenant.marketing_label,
        footer=tenant.marketing_footer,
        vouched=tenant.marketing_basis == VOUCHES,
        cap=cap(tenant.marketing_cap),
        adds_link=tenant.optout == "append",
        not_before=submission.not_before,
    )


async def _history(
    bridge: Bridge, token: str, permit: Permit, due_at: float
) -> tuple[Sequence[Record], tuple[float, ...]]:
    """The person's consents, and when advertisements to them were due."""
    store = bridge.store
    found = await store.read(PERSON, token=token)
    if not found:
        return (), ()
    people = Values([found[0][0]])
    records = records_of(await store.read(RECORDS, people=people)).get(found[0][0], ())
    recent: tuple[float, ...] = ()
    if permit.caps:
        rows = await store.read(RECENT, people=people, since=since(permit.caps, due_at))
        recent = tuple(row[1] for row in rows)
    return records, recent
