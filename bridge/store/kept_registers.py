"""The walks through consents, requests and the operator's registers: what ended goes in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, bindparam, case, func, or_, select

from bridge.model import FINAL, Class
from bridge.store.brake_tables import brake
from bridge.store.chat_tables import contact
from bridge.store.consent_tables import consent
from bridge.store.erasure_tables import carrier_erasure, chat_erasure, erasure, receipt
from bridge.store.processor_tables import (
    abuse_case,
    breach,
    breach_tenant,
    demand,
    demand_approval,
)
from bridge.store.purges import delete_by, delete_contacts, delete_messages
from bridge.store.request_tables import dsr, dsr_event, identity_check, instruction, restriction
from bridge.store.retention import HELD, Job, Walk, Walked
from bridge.store.sql import Rows, Script, Statement, Values, among, constant
from bridge.store.tables import message
from bridge.store.walks import Aged, by_key

# -- what was kept on a consent alone ------------------------------------------------------------

_other = consent.alias("other")
_OVER = func.coalesce(consent.c.withdrawn_at, consent.c.expires_at)
_STANDS = (
    select(_other.c.id)
    .where(
        _other.c.subject_id == consent.c.subject_id,
        _other.c.basis != constant("objection"),
        _other.c.withdrawn_at.is_(None),
        _other.c.void_reason == constant(""),
        or_(_other.c.expires_at.is_(None), _other.c.expires_at > bindparam("now")),
    )
    .correlate(consent)
    .exists()
)
#: What is sent to a person beside advertisements has a ground of its own.
_SERVED = (
    select(message.c.id)
    .where(
        message.c.subject_id == consent.c.subject_id,
        message.c["class"] != constant(Class.MARKETING),
    )
    .correlate(consent)
    .exists()
)
_ENDED = Statement(
    select(
        consent.c.id,
        consent.c.tenant_id,
        consent.c.subject_id,
        _OVER,
        or_(_STANDS, _SERVED),
    )
    .where(consent.c.id > bindparam("after"))
    .order_by(consent.c.id)
    .limit(bindparam("most"))
)
_CONTACTS = Statement(select(contact.c.id).where(among(contact.c.subject_id, "people")))
_ADVERTISEMENTS = Statement(
    select(message.c.id).where(
        among(message.c.subject_id, "people"),
        message.c["class"] == constant(Class.MARKETING),
        message.c.state.in_([constant(state) for state in sorted(FINAL)]),
    )
)


def consented(job: Job, after: int) -> Script:
    """Names and advertisements of people whose only ground was a consent, now over (P14).

    A `Walked`. The consent itself stays: it proves what was lawful (Art. 7(1)).
    """
    rows = yield Rows(_ENDED, {"after": after, "most": job.most, "now": job.now})
    over = {row[2] for row in rows if not row[4] and job.is_due(row[1], row[3])}
    people = Values(sorted(over - job.held.people))
    gone = Counter({HELD: len(over & job.held.people)})
    if people:
        names = [row[0] for row in (yield Rows(_CONTACTS, {"people": people}))]
        sent = [row[0] for row in (yield Rows(_ADVERTISEMENTS, {"people": people}))]
        if job.dry:
            gone += Counter(contact=len(names), message=len(sent))
        else:
            gone += yield from delete_contacts(names)
            gone += yield from delete_messages(sent)
    return Walked(rows[-1][0] if len(rows) == job.most else None, +gone)


#: A consent that was replaced or never confirmed ended when it was given.
consents: Final = Aged(
    key=consent.c.id,
    tenant=consent.c.tenant_id,
    person=consent.c.subject_id,
    moment=func.coalesce(_OVER, case((consent.c.void_reason != constant(""), consent.c.given_at))),
    condition=consent.c.basis != constant("objection"),
    gone=by_key(consent.c.id),
)

# -- requests ------------------------------------------------------------------------------------

_ERASURES = Statement(select(erasure.c.id).where(among(erasure.c.request_id, "ids")))


def _delete_requests(ids: Sequence[int]) -> Script:
    gone = Counter[str]()
    if not ids:
        return gone
    done = [row[0] for row in (yield Rows(_ERASURES, {"ids": Values(ids)}))]
    gone += yield from delete_by(chat_erasure.c.erasure_id, done)
    gone += yield from delete_by(carrier_erasure.c.erasure_id, done)
    for column in (
        erasure.c.request_id,
        receipt.c.request_id,
        restriction.c.dsr_id,
        instruction.c.dsr_id,
        identity_check.c.dsr_id,
        dsr_event.c.dsr_id,
        dsr.c.id,
    ):
        gone += yield from delete_by(column, ids)
    return gone


_RESTRICTED = (
    select(restriction.c.id)
    .where(restriction.c.dsr_id == dsr.c.id, restriction.c.off_at.is_(None))
    .correlate(dsr)
    .exists()
)
requests: Final = Aged(
    key=dsr.c.id,
    tenant=dsr.c.tenant_id,
    person=dsr.c.subject_id,
    moment=dsr.c.closed_at,
    condition=~_RESTRICTED,
    gone=_delete_requests,
)

# -- registers -----------------------------------------------------------------------------------


def _delete_breaches(ids: Sequence[int]) -> Script:
    gone = yield from delete_by(breach_tenant.c.breach_id, ids)
    gone += yield from delete_by(breach.c.id, ids)
    return gone


def _delete_demands(ids: Sequence[int]) -> Script:
    gone = yield from delete_by(demand_approval.c.demand_id, ids)
    gone += yield from delete_by(demand.c.id, ids)
    return gone


registers: Final[tuple[Walk, ...]] = (
    Aged(key=breach.c.id, moment=breach.c.closed_at, gone=_delete_breaches, timed=False),
    Aged(
        key=demand.c.id,
        moment=demand.c.done_at,
        # A store for authorities is declared for as long as it is there.
        condition=and_(demand.c.kind != constant("store"), demand.c.done_at.is_not(None)),
        gone=_delete_demands,
        timed=False,
    ),
    Aged(
        key=abuse_case.c.id,
        tenant=abuse_case.c.tenant_id,
        moment=abuse_case.c.reviewed_at,
        gone=by_key(abuse_case.c.id),
        timed=False,
    ),
    Aged(
        key=brake.c.id,
        tenant=brake.c.tenant_id,
        moment=brake.c.ended_at,
        gone=by_key(brake.c.id),
        timed=False,
    ),
)
