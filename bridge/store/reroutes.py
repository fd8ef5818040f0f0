"""Messages that wait for a carrier which is down move to the next of their route."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Double,
    Text,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
    update,
)

from bridge.model import State
from bridge.store.claims import end_messages
from bridge.store.journal import EVENT_ADD
from bridge.store.sql import Many, Rows, Script, Statement, among, constant, unique
from bridge.store.tables import attempt, body, message, subject


@dataclass(frozen=True, slots=True)
class Reroute:
    """A waiting message and where it goes."""

    id: int
    was: str
    lane: str
    hop: int
    encoding: str
    lang: str
    parts: int
    now: float
    originator: str | None = None  # None: as it is


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Waiting messages that nobody may take."""

    ids: tuple[int, ...]
    reason: str
    now: float


#: A page of what has waited in a lane since `before`, oldest first; not what has left in part,
#: which stays whole here, and with `doubts` 0 not what is in doubt: it may have been taken here.
WAITING = Statement(
    select(
        message.c.id,
        message.c.lane,
        message.c.hop,
        message.c.urgent,
        message.c.due_at,
        subject.c.phone,
        body.c.text,
        message.c.tenant_id,
        message.c["class"],
        message.c.originator,
        subject.c.country,
        message.c.tries,
    )
    .join(subject, subject.c.id == message.c.subject_id)
    .join(body, body.c.message_id == message.c.id)
    .where(
        message.c.lane == bindparam("lane"),
        message.c.state == constant("queued"),
        message.c.due_at <= bindparam("now"),
        # As long as that it has waited here, or half of its validity.
        (message.c.due_at <= bindparam("before"))
        | (message.c.due_at + message.c.expires_at <= bindparam("now") * literal_column("2")),
        tuple_(message.c.due_at, message.c.id)
        > tuple_(bindparam("after", type_=Double), bindparam("after_id", type_=BigInteger)),
        ~select(attempt.c.id)
        .where(
            attempt.c.message_id == message.c.id,
            attempt.c.state.in_([constant("accepted"), constant("delivered")]),
        )
        .exists(),
        (message.c.resent <= bindparam("doubts")),
    )
    .order_by(message.c.due_at, message.c.id)
    .limit(500)
)
#: The carriers that will never take a message.
REFUSED = Statement(
    select(attempt.c.carrier)
    .where(attempt.c.message_id == bindparam("id"), attempt.c.state == constant("rejected"))
    .distinct()
)
_STILL = Statement(
    select(message.c.id, message.c.lane)
    .where(among(message.c.id, "ids"), message.c.state == constant("queued"))
    .order_by(message.c.id)
    .with_for_update()
)
_MOVE = Statement(
    update(message)
    .where(
        message.c.id == bindparam("m_id"),
        message.c.state == constant("queued"),
        message.c.lane == bindparam("m_was"),
    )
    .values(
        lane=bindparam("m_lane"),
        hop=bindparam("m_hop"),
        encoding=bindparam("m_encoding"),
        lang=bindparam("m_lang"),
        parts=bindparam("m_parts"),
        originator=func.coalesce(bindparam("m_originator", type_=Text), message.c.originator),
    )
)


def reroute(items: Sequence[Reroute]) -> Script:
    """Nothing an item; those that meanwhile went elsewhere stay there."""
    count = len(items)
    there = {tuple(row) for row in (yield Rows(_STILL, {"ids": unique(i.id for i in items)}))}
    items = [item for item in items if (item.id, item.was) in there]
    if not items:
        return [None] * count
    yield Many(
        _MOVE,
        [
            {
                "m_id": i.id,
                "m_was": i.was,
                "m_lane": i.lane,
                "m_hop": i.hop,
                "m_encoding": i.encoding,
                "m_lang": i.lang,
                "m_parts": i.parts,
                "m_originator": i.originator,
            }
            for i in items
        ],
    )
    yield Many(
        EVENT_ADD,
        [{"message_id": i.id, "kind": "rerouted", "detail": i.lane, "at": i.now} for i in items],
    )
    return [None] * count


def give_up(items: Sequence[GiveUp]) -> Script:
    """How many of each have failed; those that meanwhile went elsewhere stay there."""
    results = []
    for item in items:
        found = yield Rows(_STILL, {"ids": unique(item.ids)})
        if found:
            numbers = [row[0] for row in found]
            yield from end_messages(numbers, State.FAILED, item.reason, item.now)
        results.append(len(found))
    return results
