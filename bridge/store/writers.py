"""Erasing somebody who wrote to phones: a mail address, or an identity in a chat.

Their texts, enrolments and names go; the people they wrote to keep what is theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import ColumnElement, bindparam, delete, func, null, or_, select, update

from bridge.model import State
from bridge.store.attachments import delete_attachments
from bridge.store.carrier_erasures import queue_messages
from bridge.store.chat_erasures import take_down
from bridge.store.chat_tables import card, card_message, draft, enrol_try, invitation, staff, thread
from bridge.store.claims import end_messages
from bridge.store.holds import stands
from bridge.store.retention_tables import hold
from bridge.store.sql import Do, Rows, Script, Statement, Values, among, constant
from bridge.store.tables import (
    attempt,
    body,
    conversation,
    message,
    notice,
    notice_body,
    reply,
    sender_rule,
)

#: Rows of one kind that a transaction takes away.
BATCH = 200


class Left(Enum):
    """What a transaction of an erasure has left behind."""

    MORE = "more"
    FLYING = "flying"  # parts are under way: ask again
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who wrote within one tenant, and the erasure that is about them.

    `carriers` can be asked to erase what they keep of it.
    """

    erasure: int
    tenant: int
    kind: str  # mail | slack | telegram
    value: str  # an address; `team/person`; a numeric id
    now: float
    carriers: tuple[str, ...] = ()


_HERE: ColumnElement[bool] = (conversation.c.tenant_id == bindparam("tenant")) & (
    conversation.c.origin_kind == bindparam("kind")
)
_CONVERSATIONS = Statement(
    select(conversation.c.id, conversation.c.subject_id)
    .where(_HERE, among(func.lower(conversation.c.origin_address), "places"))
    .order_by(conversation.c.id)
    .limit(BATCH)
)
_OF_CONVERSATIONS = (
    select(message.c.id, message.c.state)
    .where(among(message.c.subject_id, "people"), among(message.c.conversation_id, "ids"))
    .order_by(message.c.id)
)
_MESSAGES = Statement(_OF_CONVERSATIONS.limit(BATCH))
_WAITING = Statement(
    select(message.c.id)
    .join(conversation, conversation.c.id == message.c.conversation_id)
    .where(
        _HERE,
        among(func.lower(conversation.c.origin_address), "places"),
        message.c.state.in_(
            [constant(word) for word in ("queued", "scheduled", "held", "unknown")]
        ),
    )
)
_CARRIERS = Statement(
    select(attempt.c.carrier)
    .distinct()
    .select_from(conversation)
    .join(
        message,
        (message.c.subject_id == conversation.c.subject_id)
        & (message.c.conversation_id == conversation.c.id),
    )
    .join(attempt, attempt.c.message_id == message.c.id)
    .where(_HERE, among(func.lower(conversation.c.origin_address), "places"))
    .order_by(attempt.c.carrier)
)
#: (id, basis) of a hold on somebody to whom they wrote.
_HELD = Statement(
    select(hold.c.id, hold.c.basis)
    .join(conversation, conversation.c.subject_id == hold.c.subject_id)
    .where(
        stands(),
        hold.c.message_id == 0,
        _HERE,
        among(func.lower(conversation.c.origin_address), "places"),
    )
    .order_by(hold.c.id)
    .limit(1)
)
_BODIES_GONE = Statement(delete(body).where(among(body.c.message_id, "ids")))
_UNLINKED = Statement(update(message).where(among(message.c.id, "ids")).values(conversation_id=0))
_REPLIES = Statement(
    select(reply.c.id).where(
        among(reply.c.subject_id, "people"), among(reply.c.conversation_id, "ids")
    )
)
_REPLIES_UNLINKED = Statement(
    update(reply).where(among(reply.c.id, "ids")).values(conversation_id=null())
)
_NOTICES = Statement(
    select(notice.c.id).where(
        notice.c.edge == bindparam("kind"),
        or_(
            notice.c.message_id.is_not(None) & among(notice.c.message_id, "messages"),
            notice.c.reply_id.is_not(None) & among(notice.c.reply_id, "replies"),
        ),
    )
)
_NOTICES_GONE = Statement(delete(notice).where(among(notice.c.id, "ids")))
_PAYLOADS_GONE = Statement(delete(notice_body).where(among(notice_body.c.notice_id, "ids")))
_CONVERSATIONS_GONE = Statement(delete(conversation).where(among(conversation.c.id, "ids")))
_RULES_GONE = Statement(
    delete(sender_rule).where(
        sender_rule.c.tenant_id == bindparam("tenant"),
        func.lower(sender_rule.c.address) == bindparam("address"),
        sender_rule.c.source == constant("command"),
    )
)
_STAFF = Statement(
    select(staff.c.id, staff.c.name).where(
        staff.c.tenant_id == bindparam("tenant"),
        staff.c.edge == bindparam("kind"),
        staff.c.team == bindparam("team"),
        staff.c.person == bindparam("person"),
    )
)
_REVOKED = Statement(
    update(staff)
    .where(among(staff.c.id, "ids"), staff.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("s_now"))
)
_NAMELESS = Statement(
    update(staff).where(among(staff.c.id, "ids")).values(name="", team="", person="")
)
_PLACES = Statement(
    select(card.c.place)
    .distinct()
    .where(card.c.edge == bindparam("kind"), among(card.c.staff_id, "ids"))
)
_CARDS = Statement(
    select(card.c.id, card.c.edge, card.c.place, card.c.post, card.c.lease)
    .where(among(card.c.staff_id, "ids"))
    .order_by(card.c.id)
    .limit(BATCH)
    .with_for_update()
)
_CARDS_NAMELESS = Statement(
    update(card)
    .where(among(card.c.id, "ids"))
    .values(staff_id=0, wanted=card.c.wanted + 1, due_at=bindparam("c_now"))
)
_OFF_CARDS = Statement(delete(card_message).where(among(card_message.c.card_id, "ids")))
_DRAFTS_EMPTIED = Statement(
    update(draft)
    .where(among(draft.c.staff_id, "ids"), draft.c.state == constant("open"))
    .values(state="cancelled", payload="")
)
_THREADS_FREE = Statement(
    update(thread)
    .where(thread.c.staff_id.is_not(None), among(thread.c.staff_id, "ids"))
    .values(staff_id=null(), claimed_at=null())
)
_INVITATIONS_GONE = Statement(
    delete(invitation).where(
        invitation.c.tenant_id == bindparam("tenant"), among(invitation.c.name, "names")
    )
)
_TRIES_GONE = Statement(
    delete(enrol_try).where(
        enrol_try.c.edge == bindparam("kind"),
        enrol_try.c.team == bindparam("team"),
        enrol_try.c.person == bindparam("person"),
    )
)


@dataclass(frozen=True, slots=True)
class Holding:
    """Whether a hold keeps what somebody wrote; `asked_since` is how old a proposal may be."""

    writer: Writer
    asked_since: float


def holds_on_writers(items: Sequence[Holding]) -> Script:
    """(id, basis) of a hold on a person to whom they wrote, an item; None where nobody is held.

    The texts are that person's data as well: what must be kept is not erased (PRIVACY P34).
    """
    results: list[tuple[int, str] | None] = []
    for item in items:
        one = item.writer
        places = yield from _own_places(one, (yield from _enrolled(one)))
        values = {"tenant": one.tenant, "kind": one.kind, "places": Values(places)}
        found = yield Rows(_HELD, {**values, "now": one.now, "asked_since": item.asked_since})
        results.append((found[0][0], found[0][1]) if found else None)
    return results


def stop_writer(one: Writer) -> Script:
    """End their enrolment, and what of theirs waits to be sent from where only they write.

    Returns the carriers that carried what they wrote.
    """
    enrolled = yield from _enrolled(one)
    if enrolled:
        yield Do(_REVOKED, {"ids": Values(enrolled), "s_now": one.now})
    values = {"tenant": one.tenant, "kind": one.kind}
    places = yield from _own_places(one, enrolled)
    waiting = yield Rows(_WAITING, {**values, "places": Values(places)})
    if waiting:
        yield from end_messages([row[0] for row in waiting], State.CANCELLED, "erased", one.now)
    return [row[0] for row in (yield Rows(_CARRIERS, {**values, "places": Values(places)}))]


def erase_writer(one: Writer, counts: Counter[str]) -> Script:
    """One transaction's work; a `Left`."""
    enrolled = yield from _enrolled(one)
    places = yield from _own_places(one, enrolled)
    left = yield from _texts(one, places, counts)
    if left is Left.NOTHING and enrolled:
        left = yield from _chats(one, enrolled, counts)
    if left is Left.NOTHING and one.kind == "mail":
        values = {"tenant": one.tenant, "address": one.value.lower()}
        counts["rules"] += yield Do(_RULES_GONE, values)
    return left


def _identity(one: Writer) -> dict[str, str]:
    team, _, person = one.value.rpartition("/")
    return {"kind": one.kind, "team": team, "person": person}


def _enrolled(one: Writer) -> Script:
    """The ids of a chat identity's enrolments."""
    if one.kind == "mail":
        return []
    found = yield Rows(_STAFF, {"tenant": one.tenant, **_identity(one)})
    return [row[0] for row in found]


def _own_places(one: Writer, enrolled: Sequence[int]) -> Script:
    """Where nobody else writes: the address, or the private chats; small letters."""
    if one.kind == "mail":
        return [one.value.lower()]
    found = (yield Rows(_PLACES, {"kind": one.kind, "ids": Values(enrolled)})) if enrolled else ()
    places = {row[0].lower() for row in found if _is_private(one.kind, row[0])}
    return sorted(places | ({one.value} if one.kind == "telegram" else set()))


def _is_private(kind: str, place: str) -> bool:
    """A chat with the bot alone: Slack's ids begin with D, Telegram's have no minus."""
    if kind == "slack":
        return place.rpartition("/")[2].startswith("D")
    return not place.startswith("-")


def _texts(one: Writer, places: Sequence[str], counts: Counter[str]) -> Script:
    """What they wrote, and where; the record of its traffic stays."""
    here = {"tenant": one.tenant, "kind": one.kind, "places": Values(places)}
    found = yield Rows(_CONVERSATIONS, here)
    if not found:
        return Left.NOTHING
    ids = {"ids": Values(sorted({row[0] for row in found}))}
    between = {**ids, "people": Values(sorted({row[1] for row in found}))}
    messages = yield Rows(_MESSAGES, between)
    if any(row[1] == State.SENDING for row in messages):
        return Left.FLYING
    replies = Values([row[0] for row in (yield Rows(_REPLIES, between))])
    written = Values([row[0] for row in messages])
    yield from _untold(one.kind, written, replies, counts)
    if written:
        counts["texts"] += yield Do(_BODIES_GONE, {"ids": written})
        counts["attachments"] += (yield from delete_attachments(written, one.now))["attachment"]
        yield from queue_messages(one.erasure, written, one.carriers, one.now)
        counts["messages"] += yield Do(_UNLINKED, {"ids": written})
    if len(messages) == BATCH:
        return Left.MORE
    if replies:
        yield Do(_REPLIES_UNLINKED, {"ids": replies})
    counts["conversations"] += yield Do(_CONVERSATIONS_GONE, ids)
    return Left.MORE if len(found) == BATCH else Left.NOTHING


def _untold(kind: str, messages: Values, replies: Values, counts: Counter[str]) -> Script:
    found = yield Rows(_NOTICES, {"kind": kind, "messages": messages, "replies": replies})
    if found:
        ids = {"ids": Values([row[0] for row in found])}
        yield Do(_PAYLOADS_GONE, ids)
        counts["notices"] += yield Do(_NOTICES_GONE, ids)


def _chats(one: Writer, enrolled: Sequence[int], counts: Counter[str]) -> Script:
    """Their enrolments and their name on cards; cards in private chats go."""
    ids = {"ids": Values(enrolled)}
    cards = yield Rows(_CARDS, ids)
    own = [row for row in cards if _is_private(row[1], row[2])]
    shared = [row[0] for row in cards if row not in own]
    if shared:
        yield Do(_CARDS_NAMELESS, {"ids": Values(shared), "c_now": one.now})
    if own:
        yield Do(_OFF_CARDS, {"ids": Values([row[0] for row in own])})
        yield from take_down(one.erasure, own, one.now)
        counts["cards"] += len(own)
    if len(cards) == BATCH:
        return Left.MORE
    counts["drafts"] += yield Do(_DRAFTS_EMPTIED, ids)
    yield Do(_THREADS_FREE, ids)
    identity = _identity(one)
    names = [row[1] for row in (yield Rows(_STAFF, {"tenant": one.tenant, **identity}))]
    yield Do(_INVITATIONS_GONE, {"tenant": one.tenant, "names": Values(sorted(set(names)))})
    yield Do(_TRIES_GONE, identity)
    counts["enrolments"] += yield Do(_NAMELESS, ids)
    return Left.NOTHING
