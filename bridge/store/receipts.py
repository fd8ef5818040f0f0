"""Receipts in; attempts, states and notices out. Evidence is kept, states only move forward."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Double, Text, bindparam, delete, select, update

from bridge.model import NEXT, Receipt, State
from bridge.store.claims import end_messages
from bridge.store.journal import PART_EVENT_ADD
from bridge.store.sql import (
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
from bridge.store.tables import attempt, callback, event, message


@dataclass(frozen=True, slots=True)
class ReceiptIn:
    """A receipt as it came from a carrier."""

    carrier: str
    receipt: Receipt
    now: float


# Of two processes that hear the same, or opposite things, the second waits and finds the first's.
_FIND = Statement(
    select(
        attempt.c.carrier,
        attempt.c.carrier_id,
        attempt.c.id,
        attempt.c.message_id,
        attempt.c.state,
        attempt.c.answered_at,
        attempt.c.part,
    )
    .where(among(attempt.c.carrier_id, "ids"), attempt.c.carrier_id != constant(""))
    .order_by(attempt.c.id)
    .with_for_update()
)
#: What receipts have said of messages: (message, part, kind, detail).
_HEARD = Statement(
    select(event.c.message_id, event.c.part, event.c.kind, event.c.detail).where(
        among(event.c.message_id, "ids"), event.c.part > 0
    )
)
_SETTLE = batched(
    lambda given, _: (
        update(attempt)
        .where(attempt.c.id == given.c.id)
        .values(state=given.c.state, reason=given.c.reason, final_at=given.c.at)
    ),
    id=BigInteger,
    state=Text,
    reason=Text,
    at=Double,
)
_PARTS = Statement(
    select(
        attempt.c.message_id,
        attempt.c.part,
        attempt.c.state,
        attempt.c.reason,
        message.c.state,
        attempt.c.total,
    )
    .join(message, message.c.id == attempt.c.message_id)
    # Only what a carrier took says anything about delivery.
    .where(
        among(attempt.c.message_id, "ids"),
        attempt.c.state.in_(
            [constant("accepted"), *(constant(word) for word in ("delivered", "failed", "expired"))]
        ),
        attempt.c.carrier_id != constant(""),
    )
    .order_by(attempt.c.message_id, attempt.c.id)
    .with_for_update(of=message)
)
CALLBACK_KEYS = ("carrier", "kind", "key", "number", "total", "payload", "at")
CALLBACK_ADD = insert(callback, CALLBACK_KEYS)
_EARLY = Statement(
    select(callback.c.id, callback.c.carrier, callback.c.payload, callback.c.at).where(
        callback.c.kind == constant("receipt"), among(callback.c.key, "ids")
    )
)
#: Unmatched receipts that an attempt is now known for: both sides missed each other's commit.
_MISSED = Statement(
    select(callback.c.carrier, callback.c.key)
    .join(
        attempt,
        (attempt.c.carrier_id == callback.c.key) & (attempt.c.carrier == callback.c.carrier),
    )
    .where(callback.c.kind == constant("receipt"), attempt.c.carrier_id != constant(""))
    .limit(500)
)

_ATTEMPT_STATE = {
    State.DELIVERED: "delivered",
    State.FAILED: "failed",
    State.EXPIRED: "expired",
}
_SETTLED = frozenset(_ATTEMPT_STATE.values())


@quick
def record_receipts(items: Sequence[ReceiptIn]) -> Script:
    """When an item's part was accepted (Unix seconds); None where it is not known yet.

    What is not known is stored until it is.
    """
    found = yield Rows(_FIND, {"ids": unique(i.receipt.carrier_id for i in items)})
    attempts = _newest(found)
    known = [i for i in items if (i.carrier, i.receipt.carrier_id) in attempts]
    early = [i for i in items if (i.carrier, i.receipt.carrier_id) not in attempts]
    if early:
        yield Many(CALLBACK_ADD, [_callback(i) for i in early])
    if known:
        yield from _settle([(i, attempts[i.carrier, i.receipt.carrier_id]) for i in known])
    return [_accepted_at(i, attempts.get((i.carrier, i.receipt.carrier_id))) for i in items]


def _accepted_at(item: ReceiptIn, row: Sequence[Any] | None) -> float | None:
    return None if row is None else (row[5] or item.now)


def _newest(found: Sequence[Sequence[Any]]) -> dict[tuple[str, str], Sequence[Any]]:
    """The attempt that each id means now: SMSCs begin to count anew, and ids come again."""
    newest: dict[tuple[str, str], Sequence[Any]] = {}
    for row in sorted(found, key=lambda row: row[2]):
        key = (row[0], row[1])
        if key not in newest or row[4] not in _SETTLED:
            newest[key] = row
    return newest


def match_early(known: set[tuple[str, str]], now: float) -> Script:
    """Receipts that overtook the carrier's answer find their attempts."""
    found = yield Rows(_EARLY, {"ids": unique(carrier_id for _, carrier_id in known)})
    ripe = [row for row in found if (row[1], json.loads(row[2])["carrier_id"]) in known]
    if not ripe:
        return
    yield Many(_EARLY_GONE, [{"c_id": row[0]} for row in ripe])
    yield from record_receipts([_read(row, now) for row in ripe])


_EARLY_GONE = Statement(delete(callback).where(callback.c.id == bindparam("c_id")))


def match_missed(items: Sequence[float]) -> Script:
    """The sweep's part of `match_early`; how many were found."""
    found = yield Rows(_MISSED, {})
    if found:
        yield from match_early({(row[0], row[1]) for row in found}, items[0])
    return [len(found)] * len(items)


def _callback(item: ReceiptIn) -> dict[str, Any]:
    receipt = item.receipt
    payload = {
        "carrier_id": receipt.carrier_id,
        "state": str(receipt.state),
        "reason": receipt.reason,
        "at": receipt.at,
    }
    return {
        "carrier": item.carrier,
        "kind": "receipt",
        "key": receipt.carrier_id,
        "number": 1,
        "total": 1,
        "payload": json.dumps(payload),
        "at": item.now,
    }


def _read(row: Sequence[Any], now: float) -> ReceiptIn:
    kept = json.loads(row[2])
    receipt = Receipt(kept["carrier_id"], State(kept["state"]), kept["reason"], kept["at"])
    return ReceiptIn(row[1], receipt, now)


def _settle(pairs: Sequence[tuple[ReceiptIn, Sequence[Any]]]) -> Script:
    """Write what receipts say of known attempts, then what follows for their messages.

    The first final word of a part stands. What says the same again is nothing; what says otherwise,
    or only that it is under way, is kept as an event, once.
    """
    settled: dict[int, dict[str, Any]] = {}
    events, more = [], []
    for item, row in pairs:
        state = _ATTEMPT_STATE.get(item.receipt.state)
        stands = settled[row[2]]["state"] if row[2] in settled else row[4]
        if stands in _SETTLED:
            if state not in (None, stands):
                more.append(_event(item, row))
        elif state is None:
            more.append(_event(item, row))
        else:
            settled[row[2]] = {
                "id": row[2],
                "state": state,
                "reason": item.receipt.reason,
                "at": item.now,
            }
            events.append(_event(item, row))
    events += (yield from _unheard(more)) if more else ()
    if events:
        yield Many(PART_EVENT_ADD, events)
    if settled:
        yield Many(_SETTLE, list(settled.values()))
        yield from _derive({row[3] for _, row in pairs if row[2] in settled}, pairs[0][0].now)


def _event(item: ReceiptIn, row: Sequence[Any]) -> dict[str, Any]:
    return {
        "message_id": row[3],
        "part": row[6],
        "kind": f"receipt-{item.receipt.state}",
        "detail": " ".join(w for w in (item.carrier, item.receipt.reason) if w),
        "at": item.now,
    }


def _unheard(events: Sequence[dict[str, Any]]) -> Script:
    """Those that say something new: carriers repeat what they were not thanked for in time."""
    known = {
        tuple(r) for r in (yield Rows(_HEARD, {"ids": unique(e["message_id"] for e in events)}))
    }
    fresh = []
    for each in events:
        said = (each["message_id"], each["part"], each["kind"], each["detail"])
        if said not in known:
            known.add(said)
            fresh.append(each)
    return fresh


def _derive(messages: set[int], now: float) -> Script:
    """A message is delivered when all its parts are, failed when one is; never moved back."""
    found = yield Rows(_PARTS, {"ids": unique(messages)})
    parts: dict[int, dict[int, tuple[str, str]]] = {}
    states: dict[int, tuple[State, int]] = {}
    for number, part, state, reason, current, total in found:
        if states.get(number, (None, total))[1] != total:
            parts.pop(number, None)  # another carrier took it cut in another way
        states[number] = State(current), total
        last = parts.setdefault(number, {})
        if last.get(part, ("", ""))[0] != "delivered":
            last[part] = state, reason
    for number, (current, total) in sorted(states.items()):
        verdict = _verdict(parts[number], total)
        if verdict is not None and verdict[0] in NEXT[current]:
            yield from end_messages([number], verdict[0], verdict[1], now)


def _verdict(parts: dict[int, tuple[str, str]], total: int) -> tuple[State, str] | None:
    said = [state for state, _ in parts.values()]
    if len(said) == total and all(state == "delivered" for state in said):
        return State.DELIVERED, ""
    for word, state in (("failed", State.FAILED), ("expired", State.EXPIRED)):
        reasons = [reason for s, reason in parts.values() if s == word]
        if reasons:
            return state, reasons[0]
    return None
