"""What is kept of one person: rows come out for an export, a page in memory at a time.

Also which files were made for whom, so that they go in time, and with the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, select

from bridge.store.chat_tables import card, contact, contact_group, group_member, staff
from bridge.store.erasure_tables import export_file
from bridge.store.request_tables import dsr
from bridge.store.sql import Do, Many, Rows, Script, Statement, Values, among, insert_new
from bridge.store.tables import (
    attempt,
    body,
    conversation,
    message,
    reply,
    reply_body,
    subject,
    suppression,
)

PAGE = 500

#: (person, tenant, number, country, known since) under these tokens, of one tenant.
PERSON = Statement(
    select(subject.c.id, subject.c.phone, subject.c.country, subject.c.created_at).where(
        among(subject.c.phone_index, "tokens")
    )
)
_MESSAGE = (
    message.c.id,
    message.c.created_at,
    message.c.sent_at,
    message.c.final_at,
    message.c.state,
    message.c["class"],
    message.c.originator,
    message.c.parts,
    body.c.text,
)
#: Messages to a person since a moment, oldest first.
MESSAGES_TO = Statement(
    select(*_MESSAGE, conversation.c.origin_kind)
    .outerjoin(body, body.c.message_id == message.c.id)
    .outerjoin(conversation, conversation.c.id == message.c.conversation_id)
    .where(
        message.c.subject_id == bindparam("person"),
        message.c.id > bindparam("after"),
        message.c.created_at >= bindparam("since"),
    )
    .order_by(message.c.id)
    .limit(PAGE)
)
#: Who carried them: (carrier).
CARRIERS_TO = Statement(
    select(attempt.c.carrier)
    .distinct()
    .join(message, message.c.id == attempt.c.message_id)
    .where(message.c.subject_id == bindparam("person"))
)
#: Who brought what they wrote: (carrier).
CARRIERS_FROM = Statement(
    select(reply.c.carrier).distinct().where(reply.c.subject_id == bindparam("person"))
)
REPLIES_OF = Statement(
    select(reply.c.id, reply.c.at, reply.c.originator, reply.c.verdict, reply_body.c.text)
    .outerjoin(reply_body, reply_body.c.reply_id == reply.c.id)
    .where(
        reply.c.subject_id == bindparam("person"),
        reply.c.id > bindparam("after"),
        reply.c.at >= bindparam("since"),
    )
    .order_by(reply.c.id)
    .limit(PAGE)
)
#: (name) that a tenant gave a number.
NAMES_OF = Statement(
    select(contact.c.name, contact.c.created_at)
    .where(contact.c.subject_id == bindparam("person"))
    .order_by(contact.c.name)
)
GROUPS_OF = Statement(
    select(contact_group.c.name)
    .distinct()
    .join(group_member, group_member.c.group_id == contact_group.c.id)
    .outerjoin(contact, contact.c.id == group_member.c.contact_id)
    .where(
        (group_member.c.subject_id == bindparam("person"))
        | (contact.c.subject_id == bindparam("person"))
    )
    .order_by(contact_group.c.name)
)
SUPPRESSIONS_OF = Statement(
    select(
        suppression.c.scope,
        suppression.c.purpose,
        suppression.c.source,
        suppression.c.created_at,
        suppression.c.lifted_at,
    )
    .where(among(suppression.c.token, "tokens"))
    .order_by(suppression.c.created_at)
)
REQUESTS_OF = Statement(
    select(
        dsr.c.id,
        dsr.c.type,
        dsr.c.channel,
        dsr.c.received_at,
        dsr.c.state,
        dsr.c.closed_at,
        dsr.c.identity_level,
        dsr.c.details,
        dsr.c.reason,
    )
    .where(among(dsr.c.token, "tokens"), dsr.c.tenant_id == bindparam("tenant"))
    .order_by(dsr.c.received_at)
)
#: Messages that somebody wrote from their own address, oldest first; with whom they went to.
MESSAGES_BY = Statement(
    select(*_MESSAGE, conversation.c.origin_kind, subject.c.phone)
    .join(conversation, conversation.c.id == message.c.conversation_id)
    .outerjoin(body, body.c.message_id == message.c.id)
    .outerjoin(subject, subject.c.id == message.c.subject_id)
    .where(
        message.c.tenant_id == bindparam("tenant"),
        conversation.c.origin_kind == bindparam("kind"),
        func.lower(conversation.c.origin_address) == bindparam("address"),
        message.c.id > bindparam("after"),
    )
    .order_by(message.c.id)
    .limit(PAGE)
)
#: (name, role, since, until, cards) of a chat identity's enrolments.
ENROLMENTS = Statement(
    select(
        staff.c.name,
        staff.c.role,
        staff.c.created_at,
        staff.c.revoked_at,
        select(func.count()).where(card.c.staff_id == staff.c.id).scalar_subquery(),
    )
    .where(
        staff.c.tenant_id == bindparam("tenant"),
        staff.c.edge == bindparam("kind"),
        staff.c.team == bindparam("team"),
        staff.c.person == bindparam("person"),
    )
    .order_by(staff.c.created_at)
)


@dataclass(frozen=True, slots=True)
class File:
    """A file that was made for somebody."""

    name: str
    request_id: int
    tenant_id: int
    token: str
    made_at: float


_ADD = insert_new(export_file)
_OLD = Statement(
    select(export_file.c.name).where(export_file.c.made_at <= bindparam("before")).limit(PAGE)
)
_GONE = Statement(delete(export_file).where(among(export_file.c.name, "names")))
#: The names of the files that may stand on the disk.
FILES = Statement(select(export_file.c.name))


def add_files(items: Sequence[File]) -> Script:
    """Remember files; nothing an item."""
    rows = [{name: getattr(i, name) for name in File.__dataclass_fields__} for i in items]
    yield Many(_ADD, rows)
    return [None] * len(items)


def forget_files(items: Sequence[float]) -> Script:
    """The names of the files made before a moment; they are known no more."""
    results = []
    for before in items:
        names = [row[0] for row in (yield Rows(_OLD, {"before": before}))]
        if names:
            yield Do(_GONE, {"names": Values(names)})
        results.append(names)
    return results
