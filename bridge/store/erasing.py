"""Erasing a person: an order comes in, bounded transactions go out until nothing is left of them.

The first transaction stops what waits for the person, suppresses them and takes their names away;
the last destroys their key and their number (PRIVACY P2, P29, P65). Between them each may be the
last before a kill: what is gone is gone, what is left is found again. The traffic record stays,
and leads to nobody: when, by which carrier, how many parts (P6).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, case, delete, literal, select, update

from bridge.model import State
from bridge.store import ids
from bridge.store.attachments import delete_attachments
from bridge.store.audit import TAIL, Entry, append
from bridge.store.cards import touch_cards
from bridge.store.carrier_erasures import queue_answers, queue_messages, queue_parts
from bridge.store.chat_erasures import POST, THREAD, queue_posts, take_down
from bridge.store.chat_tables import (
    card,
    card_message,
    chat_post,
    contact,
    glimpse,
    group_member,
    staff,
    thread,
)
from bridge.store.claims import end_messages
from bridge.store.consent_tables import consent, permit
from bridge.store.erasure_tables import erasure, export_file
from bridge.store.exports import CARRIERS_FROM, CARRIERS_TO
from bridge.store.list_tables import wish
from bridge.store.loose import forget_mentions
from bridge.store.processor_tables import abuse_case
from bridge.store.purges import book, delete_contacts, delete_notices, delete_replies
from bridge.store.sql import (
    Do,
    Many,
    Refs,
    Rows,
    Script,
    Shred,
    Statement,
    Values,
    among,
    constant,
    insert,
)
from bridge.store.suppressions import Suppress, suppress
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
from bridge.store.writers import BATCH, Left, Writer, erase_writer, stop_writer

NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Order:
    """Somebody is to be erased within one tenant.

    `value` is who they are (E.164, an address, `team/person`), `token` its keyed hash; for a
    number that is the person's `phone_index`, and `older` those under older peppers. `ref` is used
    where the audit has no name for them. A replay names the `subject_id` of its time.
    """

    id: int
    request_id: int
    tenant_id: int
    kind: str
    value: str
    token: str
    ref: str
    stops: tuple[Suppress, ...]
    actor: str
    now: float
    subject_id: int | None = None
    older: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure as it stands."""

    id: int
    request_id: int
    tenant_id: int
    kind: str
    subject_id: int
    ref: str
    token: str
    value: str
    wishes: str  # JSON: [scope, tenant, token, version of the pepper] each
    actor: str
    counts: str  # JSON
    carriers: str  # JSON
    audit_seq: int
    audit_hash: str
    state: str  # running done
    begun_at: float
    done_at: float | None

    @property
    def stops(self) -> Sequence[tuple[str, int, str, int]]:
        """What was suppressed with it: (scope, tenant, token, version of the pepper) each."""
        return tuple((s, tenant, token, v) for s, tenant, token, v in json.loads(self.wishes))

    @property
    def rows(self) -> Mapping[str, int]:
        """What went: category → rows."""
        found: Mapping[str, int] = json.loads(self.counts or "{}")
        return found


@dataclass(frozen=True, slots=True)
class Step:
    """An erasure is to go on; `carriers` can be asked to erase what they keep."""

    id: int
    now: float
    carriers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stepped:
    """How far it is; `files` are exports that hold the person's data, once nothing is left."""

    left: Left
    files: tuple[str, ...] = ()


Counts = Counter[str]

_ROW = select(*(erasure.c[name] for name in Erasure.__dataclass_fields__))
ERASURE = Statement(_ROW.where(erasure.c.id == bindparam("id")))
ERASURES_OF = Statement(
    _ROW.where(erasure.c.request_id == bindparam("request")).order_by(erasure.c.id)
)
EVERY = Statement(_ROW.order_by(erasure.c.id))
SINCE = Statement(_ROW.where(erasure.c.begun_at >= bindparam("since")).order_by(erasure.c.id))
#: Those that a kill has left, begun before a moment.
RUNNING = Statement(
    _ROW.where(
        erasure.c.state == constant("running"), erasure.c.begun_at < bindparam("before")
    ).order_by(erasure.c.id)
)
#: Those done since a moment: what came while they were at work is looked for once more.
DONE_SINCE = Statement(_ROW.where(erasure.c.done_at >= bindparam("since")).order_by(erasure.c.id))
_MINE = Statement(
    _ROW.where(
        erasure.c.tenant_id == bindparam("tenant"),
        erasure.c.token == bindparam("token"),
        erasure.c.request_id == bindparam("request"),
        erasure.c.request_id > 0,
    )
)
#: Everybody who wrote within a tenant by mail, or who is enrolled there in a chat.
ORIGINS = Statement(
    select(conversation.c.origin_address)
    .distinct()
    .where(
        conversation.c.tenant_id == bindparam("tenant"),
        conversation.c.origin_kind == bindparam("kind"),
    )
    .union(
        select(
            case(
                (staff.c.team == "", staff.c.person),
                else_=staff.c.team + literal("/") + staff.c.person,
            )
        ).where(staff.c.tenant_id == bindparam("tenant"), staff.c.edge == bindparam("kind"))
    )
)
#: The tenants that know a number.
PEOPLE_OF = Statement(
    select(subject.c.tenant_id).distinct().where(among(subject.c.all_index, "tokens"))
)
_LOCKED = Statement(_ROW.where(erasure.c.id == bindparam("id")).with_for_update())
_ADD = insert(erasure)
_COUNTED = Statement(
    update(erasure).where(erasure.c.id == bindparam("e_id")).values(counts=bindparam("e_counts"))
)
_DONE = Statement(
    update(erasure)
    .where(erasure.c.id == bindparam("e_id"), erasure.c.state == constant("running"))
    .values(
        state="done",
        value="",
        counts=bindparam("e_counts"),
        audit_seq=bindparam("e_seq"),
        audit_hash=bindparam("e_hash"),
        done_at=bindparam("e_now"),
    )
)
_PERSON = Statement(
    select(subject.c.id).where(among(subject.c.phone_index, "tokens")).with_for_update()
)
_PERSON_BY_ID = Statement(
    select(subject.c.id, subject.c.all_index)
    .where(subject.c.id == bindparam("id"))
    .with_for_update()
)
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
_FILES = Statement(select(export_file.c.name).where(export_file.c.token == bindparam("token")))
_FILES_GONE = Statement(delete(export_file).where(export_file.c.token == bindparam("token")))


def erasure_of(row: Sequence[object]) -> Erasure:
    """An erasure as the statements here select it."""
    return Erasure(*row)  # type: ignore[arg-type]


# The first transaction


def begin_erasures(items: Sequence[Order]) -> Script:
    """An `Erasure` an item: the one that its request has had, or a new one.

    Who is to be left alone is on the list once this is on disk, and nothing waits for them.
    """
    results = []
    for item in items:
        results.append((yield from _begin(item)))
    return results


def _begin(item: Order) -> Script:
    values = {"tenant": item.tenant_id, "token": item.token, "request": item.request_id}
    found = (yield Rows(_LOCKED, {"id": item.id})) or (yield Rows(_MINE, values))
    if found:
        return erasure_of(found[0])
    counts = Counter[str]()
    person = yield from _person(item)
    carriers = yield from _carriers(person)
    for stop in item.stops:
        yield from suppress(stop)
    if item.kind == NUMBER:
        yield from _stop(person, counts, item.now)
        yield from _names(person, counts)
    else:
        writer = Writer(item.id, item.tenant_id, item.kind, item.value, item.now)
        carriers = yield from stop_writer(writer)
    known = person and item.subject_id is None
    ref = (yield Refs([person]))[person] if known else item.ref
    made = Erasure(
        item.id,
        item.request_id,
        item.tenant_id,
        item.kind,
        person,
        ref,
        item.token,
        item.value,
        json.dumps([[s.scope, s.tenant_id, s.token, s.pepper_version] for s in item.stops]),
        item.actor,
        json.dumps(+counts),
        json.dumps(carriers),
        0,
        "",
        "running",
        item.now,
        None,
    )
    row = {name: getattr(made, name) for name in Erasure.__dataclass_fields__}
    yield Many(_ADD, [row])
    return made


def _carriers(person: int) -> Script:
    """Who carried what was written to a person, or by them."""
    names: set[str] = set()
    for statement in (CARRIERS_TO, CARRIERS_FROM) if person else ():
        names |= {row[0] for row in (yield Rows(statement, {"person": person}))}
    return sorted(names)


def _person(item: Order) -> Script:
    """The id of the person behind a number; 0 where the tenant knows nobody."""
    if item.kind != NUMBER:
        return 0
    if item.subject_id is not None:
        found = yield Rows(_PERSON_BY_ID, {"id": item.subject_id})
    else:
        found = yield Rows(_PERSON, {"tokens": Values([item.token, *item.older])})
    return found[0][0] if found else 0


def _stop(person: int, counts: Counts, now: float) -> Script:
    """End what waits for a person, or is in doubt: nobody may send it again."""
    if not person:
        return
    waiting = [row[0] for row in (yield Rows(_OPEN, {"person": person}))]
    if waiting:
        yield from end_messages(waiting, State.CANCELLED, "erased", now)
        counts["cancelled"] += len(waiting)


def _told(one: Erasure, now: float) -> Script:
    """The audit's entry of the end: its number and its hash."""
    person = one.subject_id or None
    reason = f"request {ids.show(one.request_id)}" if one.request_id else "after a restore"
    yield from append([Entry(one.actor, "erased", reason, now, one.tenant_id, person)])
    return (yield Rows(TAIL, {}))[0]


# Those that follow


def erase_more(items: Sequence[Step]) -> Script:
    """A `Stepped` an item; one that is done already is gone through once more."""
    results = []
    for item in items:
        results.append((yield from _more(item)))
    return results


def _more(item: Step) -> Script:
    found = yield Rows(_LOCKED, {"id": item.id})
    if not found:
        return Stepped(Left.NOTHING)
    one = erasure_of(found[0])
    counts = Counter(one.rows)
    for work in _WORK[one.kind == NUMBER]:
        left = yield from work(one, counts, item)
        if left is not Left.NOTHING:
            yield Do(_COUNTED, {"e_id": one.id, "e_counts": json.dumps(+counts)})
            return Stepped(left)
    files = [row[0] for row in (yield Rows(_FILES, {"token": one.token}))]
    if files:
        yield Do(_FILES_GONE, {"token": one.token})
        counts["export_files"] += len(files)
    if one.state == "running":
        seq, entry = yield from _told(one, item.now)
        end = {"e_id": one.id, "e_counts": json.dumps(+counts), "e_now": item.now}
        yield Do(_DONE, {**end, "e_seq": seq, "e_hash": entry})
    if one.subject_id:
        yield Shred([one.subject_id])
    return Stepped(Left.NOTHING, tuple(files))


def _named(one: Erasure, counts: Counts, _step: Step) -> Script:
    if one.subject_id:
        yield from _names(one.subject_id, counts)
    return Left.NOTHING


def _names(person: int, counts: Counts) -> Script:
    """What tenants call the person, and the groups they are in."""
    if not person:
        return
    contacts = [row[0] for row in (yield Rows(_CONTACTS, {"person": person}))]
    gone = yield from delete_contacts(contacts)
    counts["groups"] += gone["group_member"] + (yield Do(_MEMBERS_GONE, {"p": person}))
    counts["names"] += gone["contact"]


def _messages(one: Erasure, counts: Counts, step: Step) -> Script:
    """The texts that were sent; what carriers were given stays as a record of nobody."""
    if not one.subject_id:
        return Left.NOTHING
    if (yield Rows(_FLYING, {"person": one.subject_id})):
        return Left.FLYING
    now = step.now
    yield from _stop(one.subject_id, counts, now)
    found = [row[0] for row in (yield Rows(_MESSAGES, {"person": one.subject_id}))]
    if not found:
        return Left.NOTHING
    these = {"ids": Values(found)}
    yield from _cards(one, found, counts, now)
    notices = [row[0] for row in (yield Rows(_NOTICES, these))]
    counts["notices"] += (yield from delete_notices(notices))["notice"]
    counts["texts"] += yield Do(_BODIES_GONE, these)
    counts["attachments"] += (yield from delete_attachments(found, now))["attachment"]
    yield Do(_SANDBOX_GONE, these)
    yield from book(found)  # while it is known which country it went to
    yield from queue_messages(one.id, found, step.carriers, now)
    counts["messages"] += yield Do(_UNLINKED, these)
    return Left.MORE if len(found) == BATCH else Left.NOTHING


def _cards(one: Erasure, messages: Sequence[int], counts: Counts, now: float) -> Script:
    """Take messages off their cards: what else stands there is shown anew, an empty one goes."""
    these = {"ids": Values(messages)}
    cards = Values([row[0] for row in (yield Rows(_CARDS, these))])
    if not cards:
        return
    yield from touch_cards(messages, now)
    yield Do(_OFF_CARDS, these)
    empty = yield Rows(_EMPTY_CARDS, {"cards": cards})
    counts["cards"] += len(empty)
    yield from take_down(one.id, empty, now)


def _replies(one: Erasure, counts: Counts, step: Step) -> Script:
    """What the person wrote on their phone."""
    if not one.subject_id:
        return Left.NOTHING
    found = [row[0] for row in (yield Rows(_REPLIES, {"person": one.subject_id}))]
    if not found:
        return Left.NOTHING
    these = {"ids": Values(found)}
    yield Do(_GLIMPSES_GONE, these)
    yield from queue_answers(one.id, found, step.carriers, step.now)
    gone = yield from delete_replies(found)
    counts["notices"] += gone["notice"]
    counts["replies"] += gone["reply"]
    return Left.MORE if len(found) == BATCH else Left.NOTHING


def _threads(one: Erasure, counts: Counts, step: Step) -> Script:
    """Where the person's SMS stand in chats; the posts are taken down by whoever speaks there."""
    if not one.subject_id:
        return Left.NOTHING
    found = yield Rows(_THREADS, {"person": one.subject_id})
    if not found:
        return Left.NOTHING
    these = {"ids": Values([row[0] for row in found])}
    posts = yield Rows(_POSTS, these)
    if posts:
        yield from queue_posts(one.id, [(*row, POST) for row in posts], step.now)
        keys = [dict(zip(("edge", "place", "post"), row, strict=True)) for row in posts]
        yield Many(_POST_GONE, keys)
        counts["posts"] += len(posts)
    if len(posts) == BATCH:
        return Left.MORE
    roots = yield Rows(_OWN_ROOTS, these)
    yield from queue_posts(one.id, [(*row, THREAD) for row in roots], step.now)
    counts["threads"] += yield Do(_THREADS_GONE, these)
    return Left.MORE if len(found) == BATCH else Left.NOTHING


def _mentioned(one: Erasure, counts: Counts, step: Step) -> Script:
    """What somebody has just typed, or a carrier just told, and belongs to nobody yet."""
    if one.value:
        parts = yield from forget_mentions(one.tenant_id, one.kind, one.value, counts)
        known = [part for part in parts if part[0] in step.carriers]
        yield from queue_parts(one.id, known, step.now)
    return Left.NOTHING


def _number(one: Erasure, counts: Counts, _step: Step) -> Script:
    """The person's number; their key follows when the audit has told of it."""
    if not one.subject_id:
        return Left.NOTHING
    person = {"person": one.subject_id}
    counts["conversations"] += yield Do(_CONVERSATIONS_GONE, person)
    counts["consents"] += yield Do(_CONSENTS_GONE, person)
    yield Do(_PERMITS_GONE, person)
    yield Do(_WISHES_GONE, person)
    yield Do(_CASES_EMPTIED, person)
    found = yield Rows(_PERSON_BY_ID, {"id": one.subject_id})
    if found:
        same = {**person, "all_index": found[0][1]}
        if not (yield Rows(_SAME_PHONE, same)):
            yield Do(_PHONE_GONE, {"all_index": found[0][1]})
    counts["numbers"] += yield Do(_PERSON_GONE, person)
    return Left.NOTHING


def _writer(one: Erasure, counts: Counts, step: Step) -> Script:
    if not one.value:
        return Left.NOTHING
    writer = Writer(one.id, one.tenant_id, one.kind, one.value, step.now, step.carriers)
    return (yield from erase_writer(writer, counts))


_Work = Callable[[Erasure, Counts, Step], Script]
_WORK: dict[bool, Sequence[_Work]] = {
    True: (_named, _messages, _replies, _threads, _mentioned, _number),
    False: (_writer, _mentioned),
}
