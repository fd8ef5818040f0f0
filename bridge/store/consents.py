"""Consents come in to be recorded, ended and shown; what waits without one is cancelled with it.

A consent is a row that ends; nothing is overwritten, so that it can be proved later (Art. 7(1)).
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, bindparam, or_, select, update

from bridge.model import State
from bridge.store.claims import end_messages
from bridge.store.consent_tables import consent, consent_text, permit
from bridge.store.names import Someone, people_known, people_made
from bridge.store.permits import NO_CONSENT, OBJECTION, REASSIGNED, SUPERSEDED, UNCONFIRMED
from bridge.store.sql import Do, Many, Rows, Script, Statement, constant, insert, insert_new
from bridge.store.tables import message, subject


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed to, and how that is known; times in Unix seconds."""

    programme: str = ""
    purpose: str = "sms"
    basis: str = "consent"
    channel: str = "command"
    text_version: str = ""
    text: str = ""  # the words of that version, where they may be new
    evidence: str = ""
    of_age: bool | None = None
    given_at: float = 0.0
    expires_at: float | None = None
    confirmed: bool = True  # False: it counts once the person has confirmed it


@dataclass(frozen=True, slots=True)
class Give:
    """A person's consent; `id` is its own."""

    id: int
    tenant_id: int
    person: Someone
    terms: Terms
    now: float


@dataclass(frozen=True, slots=True)
class End:
    """A person withdraws, or has lost the number (`void`); programme "" is all of the tenant's."""

    id: int
    tenant_id: int
    person: Someone
    programme: str
    via: str
    now: float
    void: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """Whom it binds, how many consents ended, and how many messages were cancelled."""

    people: tuple[int, ...]
    ended: int
    cancelled: int


_SUBJECT = Statement(
    select(subject.c.id).where(subject.c.phone_index == bindparam("token")).with_for_update()
)
_ADD = insert(consent)
_TEXT_ADD = insert_new(consent_text)
_ACTIVE = (
    consent.c.subject_id == bindparam("s_id"),
    consent.c.withdrawn_at.is_(None),
    consent.c.void_reason == constant(""),
)
_SUPERSEDE = Statement(
    update(consent)
    .where(
        *_ACTIVE,
        consent.c.programme == bindparam("c_programme"),
        consent.c.purpose == bindparam("c_purpose"),
        consent.c.basis == bindparam("c_basis"),
    )
    .values(void_reason=constant(SUPERSEDED))
)
_OPEN = (
    consent.c.subject_id == bindparam("s_id"),
    consent.c.withdrawn_at.is_(None),
    consent.c.void_reason.in_([constant(""), constant(UNCONFIRMED)]),
)
_OF_PROGRAMME = or_(
    bindparam("c_programme", type_=Text()) == constant(""),
    consent.c.programme == bindparam("c_programme", type_=Text()),
)
_SAME = Statement(
    select(consent.c.evidence, consent.c.text_version, consent.c.expires_at).where(
        *_ACTIVE,
        consent.c.programme == bindparam("c_programme"),
        consent.c.purpose == bindparam("c_purpose"),
        consent.c.basis == bindparam("c_basis"),
    )
)
_WITHDRAW = Statement(
    update(consent)
    .where(*_OPEN, _OF_PROGRAMME)
    .values(withdrawn_at=bindparam("c_now"), withdrawn_via=bindparam("c_via"))
)
_VOID = Statement(
    update(consent)
    .where(*_OPEN, _OF_PROGRAMME)
    .values(void_reason=constant(REASSIGNED), expires_at=bindparam("c_now"))
)
_WAITING = Statement(
    select(message.c.id)
    .join(permit, permit.c.message_id == message.c.id)
    .where(
        permit.c.subject_id == bindparam("person"),
        or_(
            bindparam("programme", type_=Text()) == constant(""),
            permit.c.programme == bindparam("programme", type_=Text()),
        ),
        message.c.state.in_([constant("queued"), constant("scheduled"), constant("held")]),
    )
)
_PENDING = Statement(
    select(consent.c.id, consent.c.programme)
    .where(
        consent.c.subject_id == bindparam("person"),
        consent.c.void_reason == constant(UNCONFIRMED),
        consent.c.withdrawn_at.is_(None),
        consent.c.given_at > bindparam("since"),
    )
    .order_by(consent.c.given_at.desc(), consent.c.id.desc())
)
_CONFIRM = Statement(
    update(consent)
    .where(consent.c.id == bindparam("c_id"))
    .values(void_reason=constant(""), given_at=bindparam("c_now"))
)
#: (id, programme, purpose, basis, channel, text_version, evidence, of_age, given_at, expires_at,
#: withdrawn_at, withdrawn_via, void_reason, the words agreed to) of a person, oldest first.
CONSENTS = Statement(
    select(
        consent.c.id,
        consent.c.programme,
        consent.c.purpose,
        consent.c.basis,
        consent.c.channel,
        consent.c.text_version,
        consent.c.evidence,
        consent.c.of_age,
        consent.c.given_at,
        consent.c.expires_at,
        consent.c.withdrawn_at,
        consent.c.withdrawn_via,
        consent.c.void_reason,
        consent_text.c.text,
    )
    .select_from(consent)
    .join(subject, subject.c.id == consent.c.subject_id)
    .outerjoin(
        consent_text,
        (consent_text.c.tenant_id == consent.c.tenant_id)
        & (consent_text.c.version == consent.c.text_version),
    )
    .where(subject.c.phone_index == bindparam("phone_index"))
    .order_by(consent.c.given_at, consent.c.id)
)
#: Texts that people agree to: (version, text), newest first.
TEXTS = Statement(
    select(consent_text.c.version, consent_text.c.text)
    .where(consent_text.c.tenant_id == bindparam("tenant_id"))
    .order_by(consent_text.c.created_at.desc(), consent_text.c.version)
)


def give_consents(items: Sequence[Give]) -> Script:
    """The person's id an item. An older consent to the same is superseded."""
    results = []
    for item in items:
        known = yield from people_made(item.tenant_id, [item.person], item.now)
        person = known[item.person.phone_index]
        yield Rows(_SUBJECT, {"token": item.person.phone_index})
        yield from give(item.id, item.tenant_id, person, item.terms, item.now)
        results.append(person)
    return results


def give_together(items: Sequence[Sequence[Give]]) -> Script:
    """The people's ids an item, whose consents are all recorded, or none."""
    results = []
    for item in items:
        results.append((yield from give_consents(item)))
    return results


def give(number: int, tenant_id: int, person: int, terms: Terms, now: float) -> Script:
    """Record it, in whose transaction it is; what stands there already stays as it is.

    `number` is the new row's.
    """
    kind = {"c_programme": terms.programme, "c_purpose": terms.purpose, "c_basis": terms.basis}
    if terms.confirmed:
        same = yield Rows(_SAME, {"s_id": person, **kind})
        if (terms.evidence, terms.text_version, terms.expires_at) in map(tuple, same):
            return
        yield Do(_SUPERSEDE, {"s_id": person, **kind})
    if terms.text:
        words = {"version": terms.text_version, "text": terms.text, "created_at": now}
        yield Many(_TEXT_ADD, [{"tenant_id": tenant_id, **words}])
    row = _row(number, tenant_id, person, terms)
    yield Many(_ADD, [row])


def _row(number: int, tenant_id: int, person: int, terms: Terms) -> dict[str, Any]:
    return {
        "id": number,
        "tenant_id": tenant_id,
        "subject_id": person,
        "programme": terms.programme,
        "purpose": terms.purpose,
        "basis": terms.basis,
        "channel": terms.channel,
        "text_version": terms.text_version,
        "evidence": terms.evidence,
        "of_age": terms.of_age,
        "given_at": terms.given_at,
        "expires_at": terms.expires_at,
        "withdrawn_at": None,
        "withdrawn_via": "",
        "void_reason": "" if terms.confirmed else UNCONFIRMED,
    }


def confirm(person: int, programmes: Container[str], since: float, now: float) -> Script:
    """Confirm the newest opt-in to one of these since then; its programme, None for none."""
    found = yield Rows(_PENDING, {"person": person, "since": since})
    for number, programme in found:
        if programme in programmes:
            yield Do(_CONFIRM, {"c_id": number, "c_now": now})
            return programme
    return None


def end_consents(items: Sequence[End]) -> Script:
    """An `Ended` an item. Advertisements that wait are cancelled in the same transaction (P31)."""
    results = []
    for item in items:
        results.append((yield from _end(item)))
    return results


def _end(item: End) -> Script:
    if item.void:
        known = yield from people_known([item.person.phone_index])
        if not known:
            return Ended((), 0, 0)
    else:
        known = yield from people_made(item.tenant_id, [item.person], item.now)
    person = known[item.person.phone_index]
    yield Rows(_SUBJECT, {"token": item.person.phone_index})
    return (yield from end(item, person))


def stop_consents(person: int, programme: str, via: str, now: float) -> Script:
    """A STOP takes back what was agreed to; what waits is cancelled with it (`suppressions`)."""
    values = {"s_id": person, "c_programme": programme, "c_now": now, "c_via": via}
    yield Do(_WITHDRAW, values)


def end(item: End, person: int) -> Script:
    """End a person's consents, in whose transaction it is; `Ended`."""
    values = {"s_id": person, "c_programme": item.programme, "c_now": item.now}
    if item.void:
        ended = yield Do(_VOID, values)
    else:
        ended = yield Do(_WITHDRAW, {**values, "c_via": item.via})
    if not ended:
        # A no is kept also of those who never said yes: it outweighs the tenant's word.
        yield Many(_ADD, [_objection(item, person)])
    waiting = yield Rows(_WAITING, {"person": person, "programme": item.programme})
    ids = [row[0] for row in waiting]
    if ids:
        yield from end_messages(ids, State.CANCELLED, NO_CONSENT, item.now)
    return Ended((person,), ended, len(ids))


def _objection(item: End, person: int) -> dict[str, Any]:
    terms = Terms(item.programme, basis=OBJECTION, channel=item.via, given_at=item.now)
    row = _row(item.id, item.tenant_id, person, terms)
    if item.void:
        return {**row, "void_reason": REASSIGNED, "expires_at": item.now}
    return {**row, "withdrawn_at": item.now, "withdrawn_via": item.via}


def put_texts(items: Sequence[tuple[int, str, str, float]]) -> Script:
    """True an item (tenant, version, text, now) whose version is new; a version never changes."""
    results = []
    for tenant_id, version, words, now in items:
        row = {"tenant_id": tenant_id, "version": version, "text": words, "created_at": now}
        results.append(bool((yield Many(_TEXT_ADD, [row]))))
    return results
