"""What carriers answered to parts, and what that means for their messages, recorded in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Double,
    Integer,
    SmallInteger,
    Text,
    bindparam,
    func,
    null,
    select,
    update,
)

from bridge.model import FINAL, State
from bridge.store.cards import touch_cards
from bridge.store.journal import EVENT_ADD, attempt_row
from bridge.store.notices import notices_for
from bridge.store.receipts import match_early
from bridge.store.sql import (
    Do,
    Many,
    Rows,
    Script,
    Statement,
    among,
    batched,
    constant,
    insert,
    quick,
    unique,
)
from bridge.store.tables import attempt, message

_NEWS = (
    (State.FAILED, "failed"),
    (State.EXPIRED, "failed"),
    (State.SUPPRESSED, "failed"),
    (State.UNKNOWN, "unknown"),
)


@dataclass(slots=True)
class PartDone:
    """A part's attempt, answered."""

    attempt: int
    state: str  # accepted not-sent throttled rejected failed unknown
    carrier_id: str
    reason: str
    message: int = 0
    #: (attempt, carrier's id) of the parts after the first, where the carrier cut the text itself.
    also: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class Move:
    """A message leaves `sending`."""

    message: int
    state: State
    reason: str
    lane: str
    hop: int
    due_at: float
    resent: int
    encoding: str
    lang: str
    parts: int
    tries: int  # of the claim that it speaks of
    originator: str | None = None  # None: as it is


@dataclass(slots=True)
class Progress:
    """What one answer brought: its part, and the message's move when it was the last."""

    carrier: str
    now: float
    incarnation: int
    parts: tuple[PartDone, ...]
    move: Move | None


_ANSWERED = batched(
    lambda given, _: (
        update(attempt)
        .where(
            attempt.c.id == given.c.id,
            attempt.c.state.in_([constant("claimed"), constant("unknown")]),
        )
        .values(
            state=given.c.state,
            carrier_id=given.c.carrier_id,
            reason=given.c.reason,
            answered_at=given.c.at,
        )
    ),
    id=BigInteger,
    state=Text,
    carrier_id=Text,
    reason=Text,
    at=Double,
)
#: The first part of a text that the carrier cut is one of several.
_CUT = Statement(
    update(attempt).where(attempt.c.id == bindparam("c_id")).values(total=bindparam("c_total"))
)
_PART_ADD = insert(
    attempt,
    (
        *("id", "message_id", "part", "total", "carrier", "state", "carrier_id", "reason"),
        *("incarnation", "at", "answered_at"),
    ),
)
# Only the owner moves a message out of `sending`, and only for the claim that it speaks of: after
# a lease was lost, another decides.
_OWNED = Statement(
    select(message.c.id, message.c.lease, message.c.tries)
    .where(among(message.c.id, "ids"), message.c.state == constant("sending"))
    .order_by(message.c.id)
    .with_for_update()
)
_MOVE = batched(
    lambda given, _: (
        update(message)
        .where(message.c.id == given.c.id)
        .values(
            state=given.c.state,
            reason=given.c.reason,
            lane=given.c.lane,
            hop=given.c.hop,
            due_at=given.c.due_at,
            resent=given.c.resent,
            encoding=given.c.encoding,
            lang=given.c.lang,
            parts=given.c.parts,
            originator=func.coalesce(given.c.originator, message.c.originator),
            sent_at=null(),
            final_at=given.c.final_at,
            lease=null(),
        )
    ),
    id=BigInteger,
    state=Text,
    reason=Text,
    lane=Text,
    hop=SmallInteger,
    due_at=Double,
    resent=Integer,
    encoding=Text,
    lang=Text,
    parts=SmallInteger,
    originator=Text,
    final_at=Double,
)

# The move of nearly every message changes no more than this, and less of the indexes with it.
_SENT = Statement(
    update(message)
    .where(among(message.c.id, "ids"))
    .values(state=constant(State.SENT), reason="", sent_at=bindparam("at"), lease=null())
)


@quick
def record_progress(batches: Sequence[Sequence[Progress]]) -> Script:
    """Nothing a batch; afterwards attempts, messages, events and notices tell of it."""
    items = [item for batch in batches for item in batch]
    parts = [(item, part) for item in items for part in item.parts]
    if parts:
        yield Many(_ANSWERED, [_answered(item, part) for item, part in parts])
    cut = [(item, part) for item, part in parts if part.also]
    if cut:
        yield Many(_CUT, [{"c_id": p.attempt, "c_total": 1 + len(p.also)} for _, p in cut])
        yield Many(_PART_ADD, [row for item, part in cut for row in _further(item, part)])
    moves = yield from _ours([(item, item.move) for item in items if item.move is not None])
    if moves:
        now = moves[0][0].now
        sent = [move.message for _, move in moves if move.state is State.SENT]
        if sent:
            yield Do(_SENT, {"ids": unique(sent), "at": now})
            yield from touch_cards(sent, now)
        if len(sent) < len(moves):
            others = [_moved(i, move) for i, move in moves if move.state is not State.SENT]
            yield Many(_MOVE, others)
        yield Many(EVENT_ADD, [_event(item, move) for item, move in moves])
        for state, kind in _NEWS:
            yield from notices_for([m.message for _, m in moves if m.state is state], kind, now)
    known = {(item.carrier, part.carrier_id) for item, part in parts if part.carrier_id}
    known |= {(item.carrier, each) for item, part in cut for _, each in part.also}
    if known:
        yield from match_early(known, items[0].now)
    return [None] * len(batches)


def _ours(moves: list[tuple[Progress, Move]]) -> Script:
    """The moves of messages that are still claimed as they were."""
    if not moves:
        return []
    found = yield Rows(_OWNED, {"ids": unique(move.message for _, move in moves)})
    owned = {(row[0], row[1], row[2]) for row in found}
    return [(i, m) for i, m in moves if (m.message, i.incarnation, m.tries) in owned]


def _answered(item: Progress, part: PartDone) -> dict[str, Any]:
    return {
        "id": part.attempt,
        "state": part.state,
        "carrier_id": part.carrier_id,
        "reason": part.reason,
        "at": item.now,
    }


def _further(item: Progress, part: PartDone) -> list[dict[str, Any]]:
    """The parts after the first: each has receipts of its own, and delivered means all of them."""
    total = 1 + len(part.also)
    return [
        attempt_row(number, part.message, place, total, item.carrier, item.incarnation, item.now)
        | {"state": part.state, "carrier_id": carrier_id, "answered_at": item.now}
        for place, (number, carrier_id) in enumerate(part.also, 2)
    ]


def _moved(item: Progress, move: Move) -> dict[str, Any]:
    return {
        "id": move.message,
        "state": str(move.state),
        "reason": move.reason,
        "lane": move.lane,
        "hop": move.hop,
        "due_at": move.due_at,
        "resent": move.resent,
        "encoding": move.encoding,
        "lang": move.lang,
        "parts": move.parts,
        "originator": move.originator,
        "final_at": item.now if move.state in FINAL else None,
    }


def _event(item: Progress, move: Move) -> dict[str, Any]:
    detail = " ".join(word for word in (item.carrier, move.reason) if word)
    return {"message_id": move.message, "kind": str(move.state), "detail": detail, "at": item.now}
