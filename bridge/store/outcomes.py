"""What carriers answered to parts, and what that means for their messages, recorded in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, update

from bridge.model import FINAL, State
from bridge.store.claims import EVENT_ADD
from bridge.store.notices import notices_for
from bridge.store.receipts import match_early
from bridge.store.sql import Many, Script, Statement, constant
from bridge.store.tables import attempt, message

_NEWS = ((State.FAILED, "failed"), (State.EXPIRED, "failed"), (State.UNKNOWN, "unknown"))


@dataclass(frozen=True, slots=True)
class PartDone:
    """A part's attempt, answered."""

    attempt: int
    state: str  # accepted not-sent rejected failed unknown
    carrier_id: str
    reason: str


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Progress:
    """What one answer brought: its part, and the message's move when it was the last."""

    carrier: str
    now: float
    incarnation: int
    parts: tuple[PartDone, ...]
    move: Move | None


_ANSWERED = Statement(
    update(attempt)
    .where(
        attempt.c.id == bindparam("a_id"),
        attempt.c.state.in_([constant("claimed"), constant("unknown")]),
    )
    .values(
        state=bindparam("a_state"),
        carrier_id=bindparam("a_carrier_id"),
        reason=bindparam("a_reason"),
        answered_at=bindparam("a_at"),
    )
)
# Only the owner moves a message out of `sending`: after a lease was lost, another decides.
_MOVE = Statement(
    update(message)
    .where(
        message.c.id == bindparam("m_id"),
        message.c.state == constant("sending"),
        message.c.lease == bindparam("m_lease"),
    )
    .values(
        state=bindparam("m_state"),
        reason=bindparam("m_reason"),
        lane=bindparam("m_lane"),
        hop=bindparam("m_hop"),
        due_at=bindparam("m_due_at"),
        resent=bindparam("m_resent"),
        encoding=bindparam("m_encoding"),
        lang=bindparam("m_lang"),
        parts=bindparam("m_parts"),
        sent_at=bindparam("m_sent_at"),
        final_at=bindparam("m_final_at"),
        lease=None,
    )
)


def record_progress(items: Sequence[Progress]) -> Script:
    """Nothing an item; afterwards attempts, messages, events and notices tell of it."""
    parts = [(item, part) for item in items for part in item.parts]
    if parts:
        yield Many(_ANSWERED, [_answered(item, part) for item, part in parts])
    moves = [(item, item.move) for item in items if item.move is not None]
    if moves:
        yield Many(_MOVE, [_moved(item, move) for item, move in moves])
        yield Many(EVENT_ADD, [_event(item, move) for item, move in moves])
        now = moves[0][0].now
        for state, kind in _NEWS:
            yield from notices_for([m.message for _, m in moves if m.state is state], kind, now)
    known = {(item.carrier, part.carrier_id) for item, part in parts if part.carrier_id}
    if known:
        yield from match_early(known, items[0].now)
    return [None] * len(items)


def _answered(item: Progress, part: PartDone) -> dict[str, Any]:
    return {
        "a_id": part.attempt,
        "a_state": part.state,
        "a_carrier_id": part.carrier_id,
        "a_reason": part.reason,
        "a_at": item.now,
    }


def _moved(item: Progress, move: Move) -> dict[str, Any]:
    return {
        "m_id": move.message,
        "m_lease": item.incarnation,
        "m_state": str(move.state),
        "m_reason": move.reason,
        "m_lane": move.lane,
        "m_hop": move.hop,
        "m_due_at": move.due_at,
        "m_resent": move.resent,
        "m_encoding": move.encoding,
        "m_lang": move.lang,
        "m_parts": move.parts,
        "m_sent_at": item.now if move.state is State.SENT else None,
        "m_final_at": item.now if move.state in FINAL else None,
    }


def _event(item: Progress, move: Move) -> dict[str, Any]:
    detail = " ".join(word for word in (item.carrier, move.reason) if word)
    return {"message_id": move.message, "kind": str(move.state), "detail": detail, "at": item.now}
