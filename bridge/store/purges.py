"""Rows that are due come in; they go, with all that hangs on them, in the caller's transaction.

Each script returns how many rows went from which table. What was sent leaves its line in the
ledger first (PRIVACY P69); suppressions are never touched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, delete, or_, select

from bridge.store.attachments import delete_attachments
from bridge.store.chat_tables import (
    card_message,
    chat_post,
    contact,
    group_member,
    thread,
)
from bridge.store.consent_tables import consent, permit
from bridge.store.erasure_tables import erasure
from bridge.store.list_tables import wish
from bridge.store.processor_tables import abuse_case, demand
from bridge.store.request_tables import dsr
from bridge.store.retention_tables import ledger
from bridge.store.sql import (
    Do,
    Many,
    Rows,
    Script,
    Shred,
    Statement,
    Values,
    among,
    insert_new,
)
from bridge.store.tables import (
    attempt,
    body,
    conversation,
    event,
    message,
    metadata,
    notice,
    notice_body,
    reply,
    reply_body,
    reply_part,
    sandbox_part,
    subject,
    subject_key,
)

#: Table → rows that went.
Counts = Counter[str]

_SENT = Statement(
    select(
        message.c.id,
        message.c.tenant_id,
        message.c.lane,
        message.c.parts,
        message.c.sent_at,
        subject.c.country,
    )
    .select_from(message.outerjoin(subject, subject.c.id == message.c.subject_id))
    .where(among(message.c.id, "ids"), message.c.sent_at.is_not(None))
)
_LEDGER_ADD = insert_new(ledger)
_NOTICES_OF = {
    message: Statement(select(notice.c.id).where(among(notice.c.message_id, "ids"))),
    reply: Statement(select(notice.c.id).where(among(notice.c.reply_id, "ids"))),
}


@cache
def _gone(column: Column[Any]) -> Statement:
    """Delete the rows whose `column` is one of `ids`."""
    return Statement(delete(column.table).where(among(column, "ids")))


def delete_by(column: Column[Any], ids: Sequence[int]) -> Script:
    """Delete the rows whose `column` is one of these."""
    gone = Counter[str]()
    if ids:
        count = yield Do(_gone(column), {"ids": Values(ids)})
        if count:
            gone[column.table.name] += count
    return gone


def book(ids: Sequence[int]) -> Script:
    """The ledger keeps the parts of what was sent, and to which country: with no number (P69)."""
    sent = yield Rows(_SENT, {"ids": Values(ids)})
    if sent:
        yield Many(_LEDGER_ADD, [_line(*row) for row in sent])


def delete_messages(ids: Sequence[int]) -> Script:
    """Messages with text, attempts, events, notices and places on cards; the ledger keeps parts."""
    if not ids:
        return Counter[str]()
    yield from book(ids)
    gone = yield from _notices_gone(message, ids)
    gone += yield from delete_attachments(ids)
    for column in (
        body.c.message_id,
        attempt.c.message_id,
        event.c.message_id,
        card_message.c.message_id,
        sandbox_part.c.message_id,
        permit.c.message_id,
        message.c.id,
    ):
        gone += yield from delete_by(column, ids)
    return gone


def _line(
    number: int, tenant: int, lane: str, parts: int, sent_at: float, country: str | None
) -> dict[str, Any]:
    return {
        "message_id": number,
        "tenant_id": tenant,
        "country": country or "",
        "carrier": lane.rpartition(".")[0],
        "parts": parts,
        "sent_at": sent_at,
    }


def delete_replies(ids: Sequence[int]) -> Script:
    """Answers with their text and notices."""
    if not ids:
        return Counter[str]()
    gone = yield from _notices_gone(reply, ids)
    for column in (reply_body.c.reply_id, reply_part.c.reply_id, wish.c.reply_id, reply.c.id):
        gone += yield from delete_by(column, ids)
    return gone


def _notices_gone(table: Table, ids: Sequence[int]) -> Script:
    found = yield Rows(_NOTICES_OF[table], {"ids": Values(ids)})
    return (yield from delete_notices([row[0] for row in found]))


def delete_notices(ids: Sequence[int]) -> Script:
    """Notices with what they tell."""
    gone = yield from delete_by(notice_body.c.notice_id, ids)
    gone += yield from delete_by(notice.c.id, ids)
    return gone


def delete_contacts(ids: Sequence[int]) -> Script:
    """Contacts, with their places in groups."""
    gone = yield from delete_by(group_member.c.contact_id, ids)
    gone += yield from delete_by(contact.c.id, ids)
    return gone


def delete_threads(ids: Sequence[int]) -> Script:
    """Threads in chats, with the posts that belong there."""
    gone = yield from delete_by(chat_post.c.thread_id, ids)
    gone += yield from delete_by(thread.c.id, ids)
    return gone


def delete_people(ids: Sequence[int]) -> Script:
    """People to whom nothing refers any more, and their keys (PRIVACY P65)."""
    gone = Counter[str]()
    if ids:
        keys = yield Shred(ids)
        if keys:
            gone[subject_key.name] += keys
        gone += yield from delete_by(subject.c.id, ids)
    return gone


#: Which tables need the person that their rows name; of some only while the row is open.
_NEEDS: dict[str, ColumnElement[bool] | None] = {
    message.name: None,
    reply.name: None,
    conversation.name: None,
    thread.name: None,
    contact.name: None,
    group_member.name: None,
    consent.name: None,
    dsr.name: dsr.c.closed_at.is_(None),
    erasure.name: erasure.c.state == "running",
    demand.name: demand.c.done_at.is_(None),
    abuse_case.name: abuse_case.c.reviewed_at.is_(None),
}
#: Tables whose rows may name a person who is gone: they end with a row above, or prove what was.
LETS_GO = frozenset({"attachment", "body", "hold", "notice", "permit", "subject_key", "wish"})


def needs(table: Table) -> bool | None:
    """Whether a table's rows keep the person they name; None where that was never decided."""
    return True if table.name in _NEEDS else False if table.name in LETS_GO else None


def is_needed() -> ColumnElement[bool]:
    """For a SELECT from `subject`: whether something needs the person."""
    return or_(*(_names(metadata.tables[name], only) for name, only in _NEEDS.items()))


def _names(table: Table, only: ColumnElement[bool] | None) -> ColumnElement[bool]:
    found = select(table.c.subject_id).where(table.c.subject_id == subject.c.id)
    if only is not None:
        found = found.where(only)
    return found.correlate(subject).exists()
