"""A person's right number comes in; contacts, groups and messages that wait go over to it (P26).

What has left stays with the number that it went to: it is true of that one. A wish not to be
texted goes along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select, update

from bridge.store.chat_tables import contact, group_member
from bridge.store.journal import EVENT_ADD
from bridge.store.names import Someone, hold, people_known, people_made
from bridge.store.sql import Do, Many, Rows, Script, Statement, Values, among, constant, insert_new
from bridge.store.suppressions import ACTIVE, Suppress, suppress
from bridge.store.tables import attempt, body, conversation, message


@dataclass(frozen=True, slots=True)
class Rectify:
    """A number of a tenant's person was wrong.

    `lane` is where urgent and other messages to the right one wait; `wish` makes a suppression of
    it from a purpose, a source and a programme's id (0: none). `programmes` are the tokens of the
    tenant's programmes: the wrong number's with (id, the right number's).
    """

    tenant_id: int
    old_index: str
    right: Someone
    lane: Callable[[bool], str]
    wish: Callable[[str, str, int], Suppress]
    programmes: Mapping[str, tuple[int, str]]
    next_id: Callable[[], int]
    now: float


@dataclass(frozen=True, slots=True)
class Rectified:
    """What changed, and the carriers that had got messages to the wrong number (Art. 19)."""

    subject_id: int = 0
    contacts: int = 0
    messages: int = 0
    recipients: tuple[str, ...] = ()


_WAITING: Final = Statement(
    select(
        message.c.id,
        message.c.urgent,
        message.c.programme_index,
        conversation.c.originator,
        conversation.c.origin_kind,
        conversation.c.origin_address,
        body.c.text,
        body.c.origin,
    )
    .join(conversation, conversation.c.id == message.c.conversation_id)
    .join(body, body.c.message_id == message.c.id)
    .where(
        message.c.subject_id == bindparam("subject"),
        message.c.state.in_([constant("queued"), constant("scheduled"), constant("held")]),
        message.c.exempt.is_not(True),
    )
    .order_by(message.c.id)
    .with_for_update(of=message)
)
_CONVERSATION = Statement(
    select(conversation.c.id).where(
        conversation.c.subject_id == bindparam("subject"),
        conversation.c.originator == bindparam("originator"),
        conversation.c.origin_kind == bindparam("origin_kind"),
        conversation.c.origin_address == bindparam("origin_address"),
    )
)
_CONVERSATION_ADD = insert_new(conversation)
_MOVED = Statement(
    update(message)
    .where(message.c.id == bindparam("m_id"))
    .values(
        subject_id=bindparam("m_subject"),
        conversation_id=bindparam("m_conversation"),
        lane=bindparam("m_lane"),
        hop=0,
        programme_index=bindparam("m_programme"),
    )
)
_RESEALED = Statement(
    update(body)
    .where(body.c.message_id == bindparam("b_id"))
    .values(text=bindparam("b_text"), origin=bindparam("b_origin"))
)
_CONTACTS = Statement(
    update(contact)
    .where(contact.c.subject_id == bindparam("old"))
    .values(subject_id=bindparam("new"))
)
_GROUPS = Statement(
    select(group_member.c.group_id, group_member.c.contact_id).where(
        group_member.c.subject_id == bindparam("subject")
    )
)
_GROUPS_GONE = Statement(group_member.delete().where(group_member.c.subject_id == bindparam("old")))
_JOIN = insert_new(group_member)
_CARRIERS = Statement(
    select(attempt.c.carrier)
    .join(message, message.c.id == attempt.c.message_id)
    .where(
        message.c.subject_id == bindparam("subject"),
        among(attempt.c.state, "states"),
    )
    .distinct()
)
_TAKEN: Final = ("accepted", "delivered", "unknown", "expired", "failed")


def rectify(items: Sequence[Rectify]) -> Script:
    """A `Rectified` an item; the same again where it was done before."""
    results = []
    for item in items:
        results.append((yield from _rectify(item)))
    return results


def _rectify(item: Rectify) -> Script:
    yield from hold([item.tenant_id])
    known = yield from people_known([item.old_index])
    made = yield from people_made(item.tenant_id, [item.right], item.now)
    new = made[item.right.phone_index]
    old = known.get(item.old_index)
    if old is None or old == new:
        return Rectified(new)
    yield from _suppressions(item)
    contacts = yield Do(_CONTACTS, {"old": old, "new": new})
    yield from _groups(old, new)
    messages = yield from _messages(item, old, new)
    carriers = yield Rows(_CARRIERS, {"subject": old, "states": Values(_TAKEN)})
    return Rectified(new, contacts, messages, tuple(sorted(row[0] for row in carriers)))


def _suppressions(item: Rectify) -> Script:
    keys = Values([item.old_index, *item.programmes])
    for _, source, _, token, purpose in (yield Rows(ACTIVE, {"keys": keys})):
        programme, _ = item.programmes.get(token, (0, ""))
        yield from suppress(item.wish(purpose, source, programme))


def _groups(old: int, new: int) -> Script:
    rows = yield Rows(_GROUPS, {"subject": old})
    if rows:
        yield Do(_GROUPS_GONE, {"old": old})
        members = [{"group_id": r[0], "contact_id": r[1], "subject_id": new} for r in rows]
        yield Many(_JOIN, members)


def _messages(item: Rectify, old: int, new: int) -> Script:
    waiting = yield Rows(_WAITING, {"subject": old})
    for number, urgent, programme, *key, text, origin in waiting:
        conversation_id = yield from _conversation(item, new, *key)
        values = {"m_id": number, "m_subject": new, "m_conversation": conversation_id}
        values["m_programme"] = item.programmes.get(programme, (0, ""))[1]
        yield Do(_MOVED, {**values, "m_lane": item.lane(bool(urgent))})
        # What waits for this person is under their key from now on.
        sealed = {"b_id": number, "b_text": text, "b_origin": origin, "subject_id": new}
        yield Do(_RESEALED, sealed)
    events = [
        {"message_id": row[0], "kind": "rectified", "detail": "", "at": item.now} for row in waiting
    ]
    if events:
        yield Many(EVENT_ADD, events)
    return len(waiting)


def _conversation(
    item: Rectify, subject: int, originator: str, origin_kind: str, origin_address: str
) -> Script:
    key = {
        "subject": subject,
        "originator": originator,
        "origin_kind": origin_kind,
        "origin_address": origin_address,
    }
    found = yield Rows(_CONVERSATION, key)
    if found:
        return found[0][0]
    row = {
        "id": item.next_id(),
        "tenant_id": item.tenant_id,
        "subject_id": subject,
        "originator": originator,
        "origin_kind": origin_kind,
        "origin_address": origin_address,
        "created_at": item.now,
    }
    yield Many(_CONVERSATION_ADD, [row])
    return (yield Rows(_CONVERSATION, key))[0][0]
