"""What an edge must know to answer: conversations, and the facts behind a notice."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from bridge.store.sql import Statement, among
from bridge.store.tables import (
    body,
    conversation,
    message,
    reply,
    reply_body,
    subject,
)

#: (id, tenant, phone, originator, origin kind, origin address) of one conversation.
CONVERSATION = Statement(
    select(
        conversation.c.id,
        conversation.c.tenant_id,
        subject.c.phone,
        conversation.c.originator,
        conversation.c.origin_kind,
        conversation.c.origin_address,
    )
    .join(subject, subject.c.id == conversation.c.subject_id)
    .where(conversation.c.id == bindparam("id"))
)

#: What a person has been shown, by their tokens; what they were shown in the newest of their
#: conversations comes first.
SHOWN = Statement(
    select(conversation.c.originator)
    .join(subject, subject.c.id == conversation.c.subject_id)
    .where(among(subject.c.phone_index, "tokens"))
    .group_by(conversation.c.originator)
    .order_by(func.max(conversation.c.id).desc())
)

#: A message with what its report needs.
MESSAGE_FACTS = Statement(
    select(
        message.c.id,
        message.c.state,
        message.c.reason,
        message.c.created_at,
        subject.c.phone,
        conversation.c.origin_address,
        body.c.origin,
        body.c.text,
    )
    .join(subject, subject.c.id == message.c.subject_id)
    .join(conversation, conversation.c.id == message.c.conversation_id)
    .outerjoin(body, body.c.message_id == message.c.id)
    .where(message.c.id == bindparam("id"))
)

#: A reply with the words, the person, the mail that it answers, and what was done about it.
REPLY_FACTS = Statement(
    select(
        reply.c.id,
        reply.c.verdict,
        reply.c.partial,
        reply.c.at,
        reply.c.originator,
        subject.c.phone,
        reply_body.c.text,
        conversation.c.id,
        conversation.c.origin_address,
        body.c.origin,
        reply.c.done,
        reply.c.done_scope,
        reply.c.cancelled,
    )
    .join(subject, subject.c.id == reply.c.subject_id)
    .join(reply_body, reply_body.c.reply_id == reply.c.id)
    .outerjoin(conversation, conversation.c.id == reply.c.conversation_id)
    .outerjoin(body, body.c.message_id == reply.c.message_id)
    .where(reply.c.id == bindparam("id"))
)
