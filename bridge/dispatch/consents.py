"""Consents for every edge: a person of a tenant comes in; what they agreed to, or its end, out.

The portal, the chats and the command line use the same functions.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.stopping import Silence, settle
from bridge.dispatch.tenants import Tenant
from bridge.phone import Phone
from bridge.store.consents import CONSENTS, TEXTS, End, Ended, Give, Terms, end_consents
from bridge.store.listed import MARKETING
from bridge.store.names import Someone
from bridge.store.permits import OBJECTION, UNCONFIRMED
from bridge.store.suppressions import Bound


@dataclass(frozen=True, slots=True)
class Shown:
    """A consent as people are shown it; times in Unix seconds."""

    id: int
    programme: str  # "" is all that the tenant sends
    purpose: str  # sms marketing newsletter service
    basis: str  # consent customer guardian objection
    channel: str  # how it came
    version: str
    evidence: str
    given_at: float
    expires_at: float | None
    withdrawn_at: float | None
    withdrawn_via: str
    text: str  # the words agreed to, as far as they were recorded
    state: str  # active withdrawn expired void unconfirmed objection


async def consents_of(bridge: Bridge, tenant: Tenant, e164: str) -> list[Shown]:
    """All that is recorded of a person, oldest first (P31). Raises StoreUnavailable."""
    token = bridge.keys.person(tenant.id, e164)
    rows = await bridge.store.read(CONSENTS, phone_index=token)
    now = bridge.clock()
    return [_shown(row, now) for row in rows]


def _shown(row: Sequence[Any], now: float) -> Shown:
    return Shown(
        id=row[0],
        programme=row[1],
        purpose=row[2],
        basis=row[3],
        channel=row[4],
        version=row[5],
        evidence=row[6],
        given_at=row[8],
        expires_at=row[9],
        withdrawn_at=row[10],
        withdrawn_via=row[11],
        text=row[13] or "",
        state=_state(row[3], row[9], row[10], row[12], now),
    )


def _state(
    basis: str, expires_at: float | None, withdrawn_at: float | None, void: str, now: float
) -> str:
    if basis == OBJECTION and not void:
        return OBJECTION
    if withdrawn_at is not None:
        return "withdrawn"
    if void:
        return UNCONFIRMED if void == UNCONFIRMED else "void"
    return "expired" if expires_at is not None and expires_at <= now else "active"


def someone(bridge: Bridge, tenant: Tenant, number: Phone) -> Someone:
    """A number on its way into a tenant's rows."""
    return Someone(
        bridge.ids.next(),
        number.e164,
        bridge.keys.person(tenant.id, number.e164),
        bridge.keys.everyone(number.e164),
        number.country,
        tuple(bridge.keys.moved(tenant.id, number.e164)),
    )


def giving(
    bridge: Bridge, tenant: Tenant, person: Someone, terms: Terms, known: Container[str]
) -> Give:
    """A consent on its way into the store; its text may be one of the versions that are known.

    Raises Refused where there is no such programme.
    """
    if terms.text in known:
        terms = replace(terms, text_version=terms.text, text="")
    if terms.programme:
        named = bridge.register.programme(tenant.id, terms.programme)
        terms = replace(terms, programme=named.name)
    return Give(bridge.ids.next(), tenant.id, person, terms, bridge.clock())


async def texts(bridge: Bridge, tenant: Tenant) -> dict[str, str]:
    """The tenant's texts that people agree to, by version."""
    rows = await bridge.store.read(TEXTS, tenant_id=tenant.id)
    return {row[0]: row[1] for row in rows}


def ending(
    bridge: Bridge,
    tenant: Tenant,
    number: Phone,
    programme: str = "",
    *,
    via: str,
    void: bool = False,
) -> End:
    """A withdrawal on its way into the store. Raises Refused where there is no such programme."""
    if programme:
        programme = bridge.register.programme(tenant.id, programme).name
    person = someone(bridge, tenant, number)
    return End(bridge.ids.next(), tenant.id, person, programme, via, bridge.clock(), void)


async def ended(bridge: Bridge, item: End, done: Ended, silence: Silence | None = None) -> None:
    """What is to be done once an end is on disk: nothing that was claimed leaves any more.

    Raises StoreUnavailable, TryLater.
    """
    token = ""
    if item.programme:
        number = bridge.register.programme(item.tenant_id, item.programme).id
        token = bridge.keys.programme(item.tenant_id, number, item.person.phone)
    bound = Bound.of(done.people, MARKETING, token, done.cancelled)
    await settle(bridge, bound, silence)


async def withdraw(
    bridge: Bridge, tenant: Tenant, number: Phone, programme: str = "", *, via: str
) -> Ended:
    """A person takes back what they agreed to, at once and for what waits too (P31).

    Raises Refused, StoreUnavailable, TryLater.
    """
    item = ending(bridge, tenant, number, programme, via=via)
    done: Ended = await bridge.store.write(end_consents, item)
    await ended(bridge, item, done)
    return done
