"""The sandbox's phones: parts that a network took for them come in, what people see goes out.

A row of `sandbox_part` has the id of the attempt that brought it, so writing it again changes
nothing. Its `at` is when the phone has the part: later for a slow phone, `NEVER` for one that
cannot be reached. Numbers and words are joined from where they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    delete,
    func,
    literal_column,
    select,
)

from bridge.store.sql import Many, Row, Rows, Script, Statement, among, constant, insert_new, unique
from bridge.store.tables import (
    attempt,
    body,
    event,
    message,
    notice,
    reply,
    reply_body,
    sandbox_part,
    sandbox_phone,
    subject,
)

#: 10000-01-01. Rows travel as JSON, which has no infinity.
NEVER = 253_402_300_800.0
NORMAL, SLOW, UNREACHABLE = "normal", "slow", "unreachable"
MODES = (NORMAL, SLOW, UNREACHABLE)

THREADS = 60  # phones that a page lists, the newest first
BUBBLES = 200  # messages, and as many answers, that a page shows of one phone
_NEWEST = 400  # newest parts among which the listed phones are looked for


@dataclass(frozen=True, slots=True)
class Arrival:
    """A part that the sandbox takes, with its attempt's id and the keyed hash of its phone."""

    attempt: int
    message: int
    part: int
    total: int
    originator: str
    phone: str
    now: float
    slow: float  # seconds that a slow phone is late


@dataclass(frozen=True, slots=True)
class Mode:
    """How a phone shall behave, under the keyed hash of its number."""

    phone: str
    mode: str


@dataclass(frozen=True, slots=True)
class Received:
    """A whole SMS as a phone received it."""

    message: int
    originator: str
    phone: str
    text: str
    parts: int
    at: float


_MODES = Statement(
    select(sandbox_phone.c.all_index, sandbox_phone.c.mode).where(
        among(sandbox_phone.c.all_index, "keys")
    )
)
_PART_KEYS = ("id", "message_id", "part", "total", "originator", "at")
_PART_ADD = insert_new(sandbox_part, _PART_KEYS)
_MODE_GONE = Statement(delete(sandbox_phone).where(sandbox_phone.c.all_index == bindparam("key")))
_MODE_ADD = insert_new(sandbox_phone)


def take_parts(items: Sequence[Arrival]) -> Script:
    """When the phone has each part: a Unix time, or `NEVER`."""
    found = yield Rows(_MODES, {"keys": unique(i.phone for i in items)})
    modes = {row[0]: row[1] for row in found}
    times = [_arrives(item, modes.get(item.phone, NORMAL)) for item in items]
    rows = [_part(item, at) for item, at in zip(items, times, strict=True)]
    yield Many(_PART_ADD, rows)
    return times


def _arrives(item: Arrival, mode: str) -> float:
    if mode == UNREACHABLE:
        return NEVER
    return item.now + item.slow if mode == SLOW else item.now


def _part(item: Arrival, at: float) -> dict[str, Any]:
    values = (item.attempt, item.message, item.part, item.total, item.originator, at)
    return dict(zip(_PART_KEYS, values, strict=True))


def set_modes(items: Sequence[Mode]) -> Script:
    """Nothing an item; the phones behave so from now on."""
    last = {item.phone: item.mode for item in items}
    yield Many(_MODE_GONE, [{"key": phone} for phone in sorted(last)])
    rows = [{"all_index": p, "mode": last[p]} for p in sorted(last) if last[p] != NORMAL]
    if rows:
        yield Many(_MODE_ADD, rows)
    return [None] * len(items)


#: Parts of a carrier that were answered and have had no receipt: (carrier's id, when there).
OWED = Statement(
    select(attempt.c.carrier_id, sandbox_part.c.at)
    .join(sandbox_part, sandbox_part.c.id == attempt.c.id)
    .where(attempt.c.carrier == bindparam("carrier"), attempt.c.state == constant("accepted"))
)


def _received(*only: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            sandbox_part.c.message_id,
            sandbox_part.c.part,
            sandbox_part.c.total,
            sandbox_part.c.originator,
            subject.c.phone,
            body.c.text,
            sandbox_part.c.at,
        )
        .join(message, message.c.id == sandbox_part.c.message_id)
        .join(subject, subject.c.id == message.c.subject_id)
        .join(body, body.c.message_id == message.c.id)
        .where(sandbox_part.c.at <= bindparam("now"), *only)
        .order_by(sandbox_part.c.at, sandbox_part.c.id)
    )


#: What all phones have received, and one phone; for `received`.
RECEIVED = Statement(_received())
RECEIVED_BY = Statement(_received(subject.c.all_index == bindparam("phone")))


def received(rows: Sequence[Row]) -> list[Received]:
    """Whole messages, in the order of their last parts.

    A message that was sent again is here as often as all of its parts came: its phone shows it so.
    """
    copies: dict[tuple[int, int], int] = {}
    parts: dict[tuple[int, int], int] = {}
    whole = []
    for number, part, total, originator, phone, text, at in rows:
        if total > 1:
            copy = copies[number, part] = copies.get((number, part), 0) + 1
            there = parts[number, copy] = parts.get((number, copy), 0) + 1
            if there < total:
                continue
        whole.append(Received(number, originator, phone, text, total, at))
    return whole


#: (number, mode) of every phone that an SMS was sent to here; once for each tenant that knows it.
PHONES = Statement(
    select(
        subject.c.phone,
        func.coalesce(sandbox_phone.c.mode, constant(NORMAL)),
    )
    .distinct()
    .select_from(sandbox_part)
    .join(message, message.c.id == sandbox_part.c.message_id)
    .join(subject, subject.c.id == message.c.subject_id)
    .outerjoin(sandbox_phone, sandbox_phone.c.all_index == subject.c.all_index)
)
#: (originator) that a phone would answer: of what it received last.
LAST_ORIGINATOR = Statement(
    select(sandbox_part.c.originator)
    .join(message, message.c.id == sandbox_part.c.message_id)
    .join(subject, subject.c.id == message.c.subject_id)
    .where(subject.c.all_index == bindparam("phone"), sandbox_part.c.at <= bindparam("now"))
    .order_by(sandbox_part.c.at.desc(), sandbox_part.c.id.desc())
    .limit(1)
)

_PHONE = (subject.c.all_index, subject.c.phone, subject.c.country)
#: (phone, number, country, time, text) of the newest SMS that were sent here …
NEWEST_SENT = Statement(
    select(*_PHONE, message.c.created_at, body.c.text)
    .select_from(sandbox_part)
    .join(message, message.c.id == sandbox_part.c.message_id)
    .join(subject, subject.c.id == message.c.subject_id)
    .join(body, body.c.message_id == message.c.id)
    .order_by(sandbox_part.c.id.desc())
    .limit(_NEWEST)
)
#: … of those that wait to be …
NEWEST_WAITING = Statement(
    select(*_PHONE, message.c.created_at, body.c.text)
    .select_from(message)
    .join(subject, subject.c.id == message.c.subject_id)
    .join(body, body.c.message_id == message.c.id)
    .where(message.c.state == constant("queued"), among(message.c.lane, "lanes"))
    .order_by(message.c.due_at.desc())
    .limit(THREADS)
)
#: … and of the newest answers.
NEWEST_ANSWERS = Statement(
    select(*_PHONE, reply.c.at, reply_body.c.text)
    .select_from(reply)
    .join(subject, subject.c.id == reply.c.subject_id)
    .join(reply_body, reply_body.c.reply_id == reply.c.id)
    .where(among(reply.c.carrier, "carriers"))
    .order_by(reply.c.id.desc())
    .limit(_NEWEST)
)

#: One phone: what was sent to it, newest first …
SENT_TO = Statement(
    select(
        message.c.id,
        message.c.created_at,
        message.c.originator,
        body.c.text,
        message.c.state,
        message.c.reason,
        message.c.parts,
        message.c.encoding,
        message.c.resent,
    )
    .join(subject, subject.c.id == message.c.subject_id)
    .join(body, body.c.message_id == message.c.id)
    .where(subject.c.all_index == bindparam("phone"), among(message.c.lane, "lanes"))
    .order_by(message.c.id.desc())
    .limit(BUBBLES)
)
#: … when which part of those came (message, part, total, originator, time) …
CAME = Statement(
    select(
        sandbox_part.c.message_id,
        sandbox_part.c.part,
        sandbox_part.c.total,
        sandbox_part.c.originator,
        sandbox_part.c.at,
    )
    .where(among(sandbox_part.c.message_id, "messages"))
    .order_by(sandbox_part.c.at, sandbox_part.c.id)
)
#: … what was answered there, newest first …
ANSWERED_BY = Statement(
    select(reply.c.id, reply.c.at, reply.c.originator, reply_body.c.text, reply.c.verdict)
    .join(subject, subject.c.id == reply.c.subject_id)
    .join(reply_body, reply_body.c.reply_id == reply.c.id)
    .where(subject.c.all_index == bindparam("phone"), among(reply.c.carrier, "carriers"))
    .order_by(reply.c.id.desc())
    .limit(BUBBLES)
)
#: … and whose it is: (number, country, mode).
PHONE = Statement(
    select(subject.c.phone, subject.c.country, sandbox_phone.c.mode)
    .select_from(subject)
    .outerjoin(sandbox_phone, sandbox_phone.c.all_index == subject.c.all_index)
    .where(subject.c.all_index == bindparam("phone"))
    .limit(1)
)

#: One row that differs when something that the pages show has changed; four looks at an index.
CHANGE = Statement(
    select(
        select(func.max(event.c.id)).scalar_subquery(),
        select(func.max(reply.c.id)).scalar_subquery(),
        select(func.max(sandbox_part.c.id)).scalar_subquery(),
        # Written as the partial index has it, which SQLite asks for.
        select(func.max(notice.c.done_at)).where(literal_column("mailbox")).scalar_subquery(),
    )
)
