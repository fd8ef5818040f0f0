"""What people ask for in chats: how a tenant's messages stand, and taking one back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, bindparam, func, select

from bridge.model import State
from bridge.store.cards import FATE_COLUMNS
from bridge.store.chat_tables import card, card_message, chat_post, staff, thread
from bridge.store.claimed import unclaimed
from bridge.store.claims import end_messages
from bridge.store.facts import READABLE
from bridge.store.sql import Rows, Script, Statement
from bridge.store.tables import body, conversation, message, reply, reply_body, subject


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Somebody takes back a message of their tenant that has not left."""

    id: int
    tenant_id: int
    now: float


def _fates() -> Select[tuple[object, ...]]:
    found: Select[tuple[object, ...]] = (
        select(*FATE_COLUMNS)
        .join(subject, subject.c.id == message.c.subject_id)
        .outerjoin(body, READABLE)
        .where(message.c.tenant_id == bindparam("tenant"), unclaimed(message))
    )
    return found


#: The columns of `cards.Fate` each.
ONE = Statement(_fates().where(message.c.id == bindparam("id")))
_NEWEST = _fates().order_by(message.c.id.desc()).limit(bindparam("most"))
NEWEST = Statement(_NEWEST)
NEWEST_OF = Statement(_NEWEST.where(subject.c.phone_index == bindparam("phone_index")))
_OF_STAFF = message.c.id.in_(
    select(card_message.c.message_id)
    .join(card, card.c.id == card_message.c.card_id)
    .where(card.c.staff_id == bindparam("staff"))
)
OWN = Statement(_NEWEST.where(_OF_STAFF))
OWN_ONE = Statement(_fates().where(_OF_STAFF, message.c.id == bindparam("id")))
#: (messages, parts) of a tenant since a moment.
SPENT = Statement(
    select(func.count(), func.coalesce(func.sum(message.c.parts), 0)).where(
        message.c.tenant_id == bindparam("tenant"),
        message.c.id > bindparam("after"),
        message.c.sent_at.is_not(None),
    )
)
#: The thread at a place in which something came last, by its id.
LATEST_THREAD = Statement(
    select(chat_post.c.thread_id)
    .join(thread, thread.c.id == chat_post.c.thread_id)
    .where(
        chat_post.c.edge == bindparam("edge"),
        chat_post.c.place == bindparam("place"),
        thread.c.tenant_id == bindparam("tenant"),
    )
    .order_by(chat_post.c.created_at.desc())
    .limit(1)
)
#: The other messages of the same card.
SIBLINGS = Statement(
    select(card_message.c.message_id).where(
        card_message.c.card_id.in_(
            select(card_message.c.card_id).where(card_message.c.message_id == bindparam("id"))
        )
    )
)
_now = staff.alias("now")
#: Whether somebody who wrote from a place is still enrolled, by the same identity.
READERS = Statement(
    select(_now.c.id)
    .join(
        staff,
        and_(
            staff.c.edge == _now.c.edge,
            staff.c.team == _now.c.team,
            staff.c.person == _now.c.person,
        ),
    )
    .join(card, card.c.staff_id == staff.c.id)
    .where(
        card.c.edge == bindparam("edge"),
        card.c.place == bindparam("place"),
        card.c.tenant_id == bindparam("tenant"),
        _now.c.tenant_id == bindparam("tenant"),
        _now.c.revoked_at.is_(None),
    )
    .limit(1)
)
#: (tenant, person) of a reply.
REPLY_OWNERS = Statement(
    select(reply.c.tenant_id, reply.c.subject_id).where(reply.c.id == bindparam("id"))
)
#: The person that a message went to.
MESSAGE_SUBJECT = Statement(select(message.c.subject_id).where(message.c.id == bindparam("id")))
_STATE = Statement(
    select(message.c.state)
    .where(message.c.id == bindparam("id"), message.c.tenant_id == bindparam("tenant"))
    .with_for_update()
)
NOT_LEFT = (State.QUEUED, State.SCHEDULED, State.HELD)


def take_back(items: Sequence[TakeBack]) -> Script:
    """The state that each message was in, "" for none of that tenant; what has left stays."""
    results = []
    for item in items:
        found = yield Rows(_STATE, {"id": item.id, "tenant": item.tenant_id})
        if found and found[0][0] in NOT_LEFT:
            yield from end_messages([item.id], State.CANCELLED, "taken-back", item.now)
        results.append(found[0][0] if found else "")
    return results


#: A reply as a chat shows it, with the number or name of ours that its person knows.
CHAT_REPLY = Statement(
    select(
        reply.c.id,
        reply.c.verdict,
        reply.c.partial,
        reply.c.subject_id,
        func.coalesce(conversation.c.originator, reply.c.originator),
        reply_body.c.text,
        reply.c.done,
        reply.c.done_scope,
        reply.c.cancelled,
    )
    .join(reply_body, reply_body.c.reply_id == reply.c.id)
    .outerjoin(conversation, conversation.c.id == reply.c.conversation_id)
    .where(reply.c.id == bindparam("id"))
)
