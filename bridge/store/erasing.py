"""Erasing a person: an order comes in, bounded transactions go out until nothing is left of them.

The first transaction stops what waits for the person, suppresses them and takes their names away;
the last destroys their key and their number (PRIVACY P2, P29, P65). Between them each may be the
last before a kill: what is gone is gone, what is left is found again. The traffic record stays,
and leads to nobody: when, by which carrier, how many parts (P6).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, case, delete, literal, select, update

from bridge.store import ids
from bridge.store.audit import TAIL, Entry, append
from bridge.store.carrier_erasures import queue_parts
from bridge.store.chat_tables import staff
from bridge.store.erasure_tables import erasure, export_file
from bridge.store.loose import forget_mentions
from bridge.store.people import Counts, Person, erase_person, stop_person
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
from bridge.store.tables import conversation, subject
from bridge.store.writers import Left, Writer, erase_writer, stop_writer

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
ANY_DONE_SINCE = Statement(
    select(erasure.c.id).where(erasure.c.done_at >= bindparam("since")).limit(1)
)
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
    select(subject.c.id).where(subject.c.id == bindparam("id")).with_for_update()
)
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
    for stop in item.stops:
        yield from suppress(stop)
    if item.kind == NUMBER:
        carriers = yield from stop_person(Person(item.id, person, item.now), counts)
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


def _person(item: Order) -> Script:
    """The id of the person behind a number; 0 where the tenant knows nobody."""
    if item.kind != NUMBER:
        return 0
    if item.subject_id is not None:
        found = yield Rows(_PERSON_BY_ID, {"id": item.subject_id})
    else:
        found = yield Rows(_PERSON, {"tokens": Values([item.token, *item.older])})
    return found[0][0] if found else 0


def _told(one: Erasure, now: float) -> Script:
    """The audit's entry of the end: its number and its hash."""
    person = one.subject_id or None
    reason = f"request {ids.show(one.request_id)}" if one.request_id else "after a restore"
    yield from append([Entry(one.actor, "erased", reason, now, one.tenant_id, person)])
    return (yield Rows(TAIL, {}))[0]


# The transactions that follow


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
    left = yield from _gone(one, counts, item)
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


def _gone(one: Erasure, counts: Counts, step: Step) -> Script:
    """Take away what one transaction may; a `Left`."""
    left = Left.NOTHING
    if one.kind == NUMBER:
        person = Person(one.id, one.subject_id, step.now, step.carriers)
        left = yield from erase_person(person, counts)
    elif one.value:
        writer = Writer(one.id, one.tenant_id, one.kind, one.value, step.now, step.carriers)
        left = yield from erase_writer(writer, counts)
    if left is Left.NOTHING and one.value:
        yield from _mentions(one, counts, step)
    return left


def _mentions(one: Erasure, counts: Counts, step: Step) -> Script:
    """What somebody has just typed, or a carrier just told, and belongs to nobody yet."""
    parts = yield from forget_mentions(one.tenant_id, one.kind, one.value, counts)
    known = [part for part in parts if part[0] in step.carriers]
    yield from queue_parts(one.id, known, step.now)
