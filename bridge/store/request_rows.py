"""The register of data subjects' requests, as it is read: by number, by person, by what is due."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import BigInteger, Text, bindparam, exists, func, or_, select, text

from bridge.store.chat_tables import contact
from bridge.store.consent_tables import consent
from bridge.store.request_tables import OPEN, dsr, dsr_event, instruction
from bridge.store.sql import Row, Statement, among, constant
from bridge.store.tables import conversation, incarnation, message, reply, subject, tenant


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands; the fields are the columns of `dsr`, in order."""

    id: int
    tenant_id: int
    subject_id: int
    role: str
    type: str
    channel: str
    lang: str
    identity_kind: str
    identity: str
    token: str
    answer_to: str
    details: str
    opened_by: str
    received_at: float
    due_at: float
    extended_to: float | None = None
    extension_reason: str = ""
    state: str = ""
    held_from: str = ""
    reason: str = ""
    identity_level: str = ""
    instruction_id: int | None = None
    hold_id: int | None = None
    undetermined: bool = False
    told_at: float | None = None
    escalated_at: float | None = None
    reminded_at: float | None = None
    release_at: float | None = None
    approved_by: str = ""
    ran_by: str = ""
    confirm: str = ""
    tries: int = 0
    lease: int | None = None
    retry_at: float | None = None
    outcome: str = ""
    closed_at: float | None = None

    @property
    def due(self) -> float:
        """Until when it must be answered, with its extension."""
        return self.extended_to or self.due_at

    @property
    def known_details(self) -> Mapping[str, Any]:
        """What was said beside the kind: the right number, the ground, the way to erase."""
        found: Mapping[str, Any] = json.loads(self.details or "{}")
        return found

    @property
    def result(self) -> Mapping[str, Any]:
        """What came of carrying it out."""
        found: Mapping[str, Any] = json.loads(self.outcome or "{}")
        return found


REQUEST_KEYS: Final = tuple(column.name for column in dsr.columns)
assert tuple(f.name for f in fields(Request)) == REQUEST_KEYS  # noqa: S101 - a row is read by its order

REQUEST_ROW = select(*dsr.columns)
REQUEST = Statement(REQUEST_ROW.where(dsr.c.id == bindparam("id")))
_OF_TENANT = or_(
    bindparam("tenant_id", type_=BigInteger) == 0,
    dsr.c.tenant_id == bindparam("tenant_id", type_=BigInteger),
)
#: The open ones that are due before a moment, of one tenant or (0) of all; the most urgent first.
DUE = Statement(
    REQUEST_ROW.where(
        text(OPEN),
        _OF_TENANT,
        func.coalesce(dsr.c.extended_to, dsr.c.due_at) <= bindparam("before"),
    ).order_by(func.coalesce(dsr.c.extended_to, dsr.c.due_at), dsr.c.id)
)
#: All of a tenant (0: of all), newest first.
NEWEST = Statement(REQUEST_ROW.where(_OF_TENANT).order_by(dsr.c.id.desc()).limit(bindparam("most")))
#: All of one person, by the keyed hashes of who they are, newest first.
OF_PERSON = Statement(REQUEST_ROW.where(among(dsr.c.token, "tokens")).order_by(dsr.c.id.desc()))
EVENTS = Statement(
    select(
        dsr_event.c.what,
        dsr_event.c.before,
        dsr_event.c.after,
        dsr_event.c.actor,
        dsr_event.c.detail,
        dsr_event.c.at,
    )
    .where(dsr_event.c.dsr_id == bindparam("id"))
    .order_by(dsr_event.c.id)
)
#: (id, actor, channel, decision, text_hash, at, declined_at) of what a tenant decided, in order.
INSTRUCTIONS = Statement(
    select(
        instruction.c.id,
        instruction.c.actor,
        instruction.c.channel,
        instruction.c.decision,
        instruction.c.text_hash,
        instruction.c.at,
        instruction.c.declined_at,
    )
    .where(instruction.c.dsr_id == bindparam("id"))
    .order_by(instruction.c.id)
)
#: Those that are being carried out, and by whom: nobody, or a process that is not there any more.
ABANDONED = Statement(
    select(dsr.c.id)
    .where(
        dsr.c.state == constant("executing"),
        or_(
            dsr.c.lease.is_(None),
            dsr.c.lease.not_in(
                select(incarnation.c.id).where(incarnation.c.seen_at >= bindparam("alive_since"))
            ),
        ),
        or_(dsr.c.retry_at.is_(None), dsr.c.retry_at <= bindparam("now")),
    )
    .order_by(dsr.c.id)
)
#: (tenant, its settings, subject, country, number) of everybody behind a number, by its hash.
KNOWN_TO = Statement(
    select(tenant.c.id, tenant.c.settings, subject.c.id, subject.c.country, subject.c.phone)
    .join(subject, subject.c.tenant_id == tenant.c.id)
    .where(subject.c.all_index == bindparam("all_index"), tenant.c.closed_at.is_(None))
    .order_by(tenant.c.id)
)
#: The same, of tenants that have more of a person than what the bridge itself wrote to them.
DEALS_WITH = Statement(
    select(tenant.c.id, tenant.c.settings)
    .join(subject, subject.c.tenant_id == tenant.c.id)
    .where(
        subject.c.all_index == bindparam("all_index"),
        tenant.c.closed_at.is_(None),
        or_(
            *(
                exists().where(table.c.subject_id == subject.c.id)
                for table in (reply, contact, consent)
            ),
            exists().where(message.c.subject_id == subject.c.id, message.c.exempt.is_not(True)),
        ),
    )
    .order_by(tenant.c.id)
)
#: (subject, number) as a tenant knows it, by its hash.
SUBJECT = Statement(
    select(subject.c.id, subject.c.phone).where(subject.c.phone_index == bindparam("phone_index"))
)
#: The tenants in whose name a mail address has written.
WRITERS = Statement(
    select(conversation.c.tenant_id)
    .where(
        conversation.c.origin_kind == constant("mail"),
        func.lower(conversation.c.origin_address) == func.lower(bindparam("address", type_=Text())),
    )
    .distinct()
    .order_by(conversation.c.tenant_id)
)
#: (messages, replies, contacts, conversations) of one person: what a preview counts.
CONCERNS = Statement(
    select(
        *(
            select(func.count())
            .where(table.c.subject_id == bindparam("subject_id"))
            .scalar_subquery()
            for table in (message, reply, contact, conversation)
        )
    )
)
#: (open, overdue), for the metrics.
COUNTS = Statement(
    select(
        func.count(),
        func.count().filter(func.coalesce(dsr.c.extended_to, dsr.c.due_at) < bindparam("now")),
    ).where(text(OPEN))
)


def request_of(row: Row) -> Request:
    """A request as the statements here select it."""
    values = list(row)
    values[_UNDETERMINED] = bool(values[_UNDETERMINED])
    return Request(*values)


_UNDETERMINED: Final = REQUEST_KEYS.index("undetermined")
