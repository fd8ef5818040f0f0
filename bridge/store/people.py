"""Erasing somebody who was written to: the person behind a number.

Their texts, answers, threads and names go, and their number last; the record of what was sent
stays, and leads to nobody (PRIVACY P2, P6).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update

from bridge.model import State
from bridge.store.attachments import delete_attachments
from bridge.store.cards import touch_cards
from bridge.store.carrier_erasures import queue_answers, queue_messages
from bridge.store.chat_erasures import POST, THREAD, queue_posts, take_down
from bridge.store.chat_tables import (
    card,
    card_message,
    chat_post,
    contact,
    glimpse,
    group_member,
    thread,
)
from bridge.store.claims import end_messages
from bridge.store.consent_tables import consent, permit
from bridge.store.exports import CARRIERS_FROM, CARRIERS_TO
from bridge.store.list_tables import wish
from bridge.store.processor_tables import abuse_case
from bridge.store.purges import book, delete_contacts, delete_notices, delete_replies
from bridge.store.sql import Do, Many, Rows, Script, Statement, Values, among, constant
from bridge.store.tables import (
    body,
    conversation,
    message,
    notice,
    reply,
    sandbox_part,
    sandbox_phone,
    subject,
)
from bridge.store.writers import BATCH, Left

Counts = Counter[str]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody one tenant wrote to, and the erasure that is about them.

    `subject` is 0 where the tenant knows nobody of that number; `carriers` can be asked to erase
    what they keep.
    """

    erasure: int
    subject: int
    now: float
    carriers: tuple[str, ...] = ()


_OPEN = Statement(
    select(message.c.id).where(
        message.c.subject_id == bindparam("person"),
        message.c.state.in_(
            [constant(word) for word in ("queued", "scheduled", "held", "unknown")]
        ),
    )
)
_FLYING = Statement(
    select(message.c.id)
    .where(message.c.subject_id == bindparam("person"), message.c.state == constant("sending"))
    .limit(1)
)
_MESSAGES = Statement(
    select(message.c.id)
    .where(message.c.subject_id == bindparam("person"))
    .order_by(message.c.id)
    .limit(BATCH)
)
_UNLINKED = Statement(
    update(message).where(among(message.c.id, "ids")).values(subject_id=0, conversation_id=0)
)
_BODIES_GONE = Statement(delete(body).where(among(body.c.message_id, "ids")))
_SANDBOX_GONE = Statement(delete(sandbox_part).where(among(sandbox_part.c.message_id, "ids")))
_NOTICES = Statement(
    select(notice.c.id).where(notice.c.message_id.is_not(None), among(notice.c.message_id, "ids"))
)
_CARDS = Statement(
    select(card_message.c.card_id).distinct().where(among(card_message.c.message_id, "ids"))
)
_OFF_CARDS = Statement(delete(card_message).where(among(card_message.c.message_id, "ids")))
_EMPTY_CARDS = Statement(
    select(card.c.id, card.c.edge, card.c.place, card.c.post, card.c.lease)
    .where(
        among(card.c.id, "cards"),
        ~select(card_message.c.message_id).where(card_message.c.card_id == card.c.id).exists(),
    )
    .order_by(card.c.id)
    .with_for_update()
)
_REPLIES = Statement(
    select(reply.c.id)
    .where(reply.c.subject_id == bindparam("person"))
    .order_by(reply.c.id)
    .limit(BATCH)
)
_GLIMPSES_GONE = Statement(delete(glimpse).where(among(glimpse.c.reply_id, "ids")))
_THREADS = Statement(
    select(thread.c.id, thread.c.edge, thread.c.place, thread.c.root)
    .where(thread.c.subject_id == bindparam("person"))
    .order_by(thread.c.id)
    .limit(BATCH)
)
_POSTS = Statement(
    select(chat_post.c.edge, chat_post.c.place, chat_post.c.post)
    .where(among(chat_post.c.thread_id, "ids"))
    .order_by(chat_post.c.thread_id)
    .limit(BATCH)
)
_POST_GONE = Statement(
    delete(chat_post).where(
        chat_post.c.edge == bindparam("edge"),
        chat_post.c.place == bindparam("place"),
        chat_post.c.post == bindparam("post"),
    )
)
_other = thread.alias("other")
#: Roots that are this person's alone: no card, and no other person's thread, hangs there.
_OWN_ROOTS = Statement(
    select(thread.c.edge, thread.c.place, thread.c.root)
    .distinct()
    .where(
        among(thread.c.id, "ids"),
        thread.c.root != "",
        ~select(_other.c.id)
        .where(
            _other.c.edge == thread.c.edge,
            _other.c.place == thread.c.place,
            _other.c.root == thread.c.root,
            _other.c.subject_id != thread.c.subject_id,
        )
        .exists(),
        ~select(card.c.id)
        .where(
            card.c.edge == thread.c.edge,
            card.c.place == thread.c.place,
            card.c.post == thread.c.root,
        )
        .exists(),
    )
)
_THREADS_GONE = Statement(delete(thread).where(among(thread.c.id, "ids")))
_CONTACTS = Statement(select(contact.c.id).where(contact.c.subject_id == bindparam("person")))
_MEMBERS_GONE = Statement(delete(group_member).where(group_member.c.subject_id == bindparam("p")))
_CONVERSATIONS_GONE = Statement(
    delete(conversation).where(conversation.c.subject_id == bindparam("person"))
)
_CONSENTS_GONE = Statement(delete(consent).where(consent.c.subject_id == bindparam("person")))
_PERMITS_GONE = Statement(delete(permit).where(permit.c.subject_id == bindparam("person")))
_WISHES_GONE = Statement(delete(wish).where(wish.c.subject_id == bindparam("person")))
_CASES_EMPTIED = Statement(
    update(abuse_case).where(abuse_case.c.subject_id == bindparam("person")).values(note="")
)
_SAME_PHONE = Statement(
    select(subject.c.id)
    .where(subject.c.all_index == bindparam("all_index"), subject.c.id != bindparam("person"))
    .limit(1)
)
_PHONE_GONE = Statement(
    delete(sandbox_phone).where(sandbox_phone.c.all_index == bindparam("all_index"))
)
_PERSON_GONE = Statement(delete(subject).where(subject.c.id == bindparam("person")))
_PHONE = Statement(select(subject.c.all_index).where(subject.c.id == bindparam("id")))


def stop_person(one: Person, counts: Counts) -> Script:
    """End what waits for them, or is in doubt, and forget what tenants call them.

    Returns the carriers that carried what was written to them, or by them.
    """
    if not one.subject:
        return []
    names: set[str] = set()
    for statement in (CARRIERS_TO, CARRIERS_FROM):
        names |= {row[0] for row in (yield Rows(statement, {"person": one.subject}))}
    yield from _stop(one, counts)
    yield from _names(one, counts)
    return sorted(names)


def erase_person(one: Person, counts: Counts) -> Script:
    """One transaction's work; a `Left`. Their number goes when nothing else is left."""
    if not one.subject:
        return Left.NOTHING
    yield from _names(one, counts)
    for work in (_messages, _replies, _threads):
        left = yield from work(one, counts)
        if left is not Left.NOTHING:
            return left
    yield from _number(one, counts)
    return Left.NOTHING


def _stop(one: Person, counts: Counts) -> Script:
    """Nobody may send again what waits, or is in doubt."""
    waiting = [row[0] for row in (yield Rows(_OPEN, {"person": one.subject}))]
    if waiting:
        yield from end_messages(waiting, State.CANCELLED, "erased", one.now)
        counts["cancelled"] += len(waiting)


def _names(one: Person, counts: Counts) -> Script:
    """What tenants call them, and the groups they are in."""
    contacts = [row[0] for row in (yield Rows(_CONTACTS, {"person": one.subject}))]
    gone = yield from delete_contacts(contacts)
    counts["groups"] += gone["group_member"] + (yield Do(_MEMBERS_GONE, {"p": one.subject}))
    counts["names"] += gone["contact"]


def _messages(one: Person, counts: Counts) -> Script:
    """The texts that were sent; what carriers were given stays as a record of nobody."""
    if (yield Rows(_FLYING, {"person": one.subject})):
        return Left.FLYING
    yield from _stop(one, counts)
    found = [row[0] for row in (yield Rows(_MESSAGES, {"person": one.subject}))]
    if not found:
        return Left.NOTHING
    these = {"ids": Values(found)}
    yield from _cards(one, found, counts)
    notices = [row[0] for row in (yield Rows(_NOTICES, these))]
    counts["notices"] += (yield from delete_notices(notices))["notice"]
    counts["texts"] += yield Do(_BODIES_GONE, these)
    counts["attachments"] += (yield from delete_attachments(found, one.now))["attachment"]
    yield Do(_SANDBOX_GONE, these)
    yield from book(found)  # while it is known which country it went to
    yield from queue_messages(one.erasure, found, one.carriers, one.now)
    counts["messages"] += yield Do(_UNLINKED, these)
    return Left.MORE if len(found) == BATCH else Left.NOTHING


def _cards(one: Person, messages: Sequence[int], counts: Counts) -> Script:
    """Take messages off their cards: what else stands there is shown anew, an empty one goes."""
    these = {"ids": Values(messages)}
    cards = Values([row[0] for row in (yield Rows(_CARDS, these))])
    if not cards:
        return
    yield from touch_cards(messages, one.now)
    yield Do(_OFF_CARDS, these)
    empty = yield Rows(_EMPTY_CARDS, {"cards": cards})
    counts["cards"] += len(empty)
    yield from take_down(one.erasure, empty, one.now)


def _replies(one: Person, counts: Counts) -> Script:
    """What the person wrote on their phone."""
    found = [row[0] for row in (yield Rows(_REPLIES, {"person": one.subject}))]
    if not found:
        return Left.NOTHING
    these = {"ids": Values(found)}
    yield Do(_GLIMPSES_GONE, these)
    yield from queue_answers(one.erasure, found, one.carriers, one.now)
    gone = yield from delete_replies(found)
    counts["notices"] += gone["notice"]
    counts["replies"] += gone["reply"]
    return Left.MORE if len(found) == BATCH else Left.NOTHING


def _threads(one: Person, counts: Counts) -> Script:
    """Where the person's SMS stand in chats; the posts are taken down by whoever speaks there."""
    found = yield Rows(_THREADS, {"person": one.subject})
    if not found:
        return Left.NOTHING
    these = {"ids": Values([row[0] for row in found])}
    posts = yield Rows(_POSTS, these)
    if posts:
        yield from queue_posts(one.erasure, [(*row, POST) for row in posts], one.now)
        keys = [dict(zip(("edge", "place", "post"), row, strict=True)) for row in posts]
        yield Many(_POST_GONE, keys)
        counts["posts"] += len(posts)
    if len(posts) == BATCH:
        return Left.MORE
    roots = yield Rows(_OWN_ROOTS, these)
    yield from queue_posts(one.erasure, [(*row, THREAD) for row in roots], one.now)
    counts["threads"] += yield Do(_THREADS_GONE, these)
    return Left.MORE if len(found) == BATCH else Left.NOTHING


def _number(one: Person, counts: Counts) -> Script:
    """Their number; their key follows when the audit has told of it."""
    person = {"person": one.subject}
    counts["conversations"] += yield Do(_CONVERSATIONS_GONE, person)
    counts["consents"] += yield Do(_CONSENTS_GONE, person)
    yield Do(_PERMITS_GONE, person)
    yield Do(_WISHES_GONE, person)
    yield Do(_CASES_EMPTIED, person)
    found = yield Rows(_PHONE, {"id": one.subject})
    if found:
        same = {**person, "all_index": found[0][0]}
        if not (yield Rows(_SAME_PHONE, same)):
            yield Do(_PHONE_GONE, {"all_index": found[0][0]})
    counts["numbers"] += yield Do(_PERSON_GONE, person)
