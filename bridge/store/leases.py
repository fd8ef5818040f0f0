"""Who is alive and who owns which bind; what a dead process held is released, honestly.

A new start in the same slot (the same process of the same data directory) releases all that its
forebears held; elsewhere a lease ends by time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, bindparam, delete, literal, select, text, update

from bridge.model import Class, State
from bridge.store.cards import release_cards
from bridge.store.carrier_erasures import release_records
from bridge.store.chat_erasures import release_condemned
from bridge.store.claims import IN_DOUBT
from bridge.store.journal import EVENT_ADD
from bridge.store.notices import notices_for, release_notices
from bridge.store.sql import (
    Do,
    Many,
    Rows,
    Script,
    Statement,
    Values,
    among,
    constant,
    insert_new,
    unique,
)
from bridge.store.tables import OPEN, attempt, carrier_lease, incarnation, message
from bridge.store.updates import release_updates

RESEND_TIMES = 3
LEASE_SECONDS = 9.0


@dataclass(frozen=True, slots=True)
class Begin:
    """A process starts in a slot."""

    slot: str
    now: float


@dataclass(frozen=True, slots=True)
class Beat:
    """A process is alive, and keeps (or asks for) the binds of these carriers."""

    incarnation: int
    now: float
    carriers: tuple[tuple[str, bool], ...] = ()  # (name, whether the bind is up)


_BEGIN = Statement(
    incarnation.insert()
    .values(slot=bindparam("slot"), started_at=bindparam("now"), seen_at=bindparam("now"))
    .returning(incarnation.c.id)
)
_FOREBEARS = Statement(
    select(incarnation.c.id).where(
        incarnation.c.slot == bindparam("slot"), incarnation.c.id != bindparam("me")
    )
)
#: Who is there, and when each has told of itself last, by its own clock.
BEATS = Statement(
    select(incarnation.c.id, incarnation.c.seen_at).where(incarnation.c.id != bindparam("me"))
)
_STILL = Statement(
    select(incarnation.c.id, incarnation.c.seen_at)
    .where(among(incarnation.c.id, "ids"))
    .order_by(incarnation.c.id)
    .with_for_update()
)
_SILENT = Statement(
    select(incarnation.c.id).where(
        incarnation.c.seen_at < bindparam("before"), incarnation.c.id != bindparam("me")
    )
)
_SEEN = Statement(
    update(incarnation).where(incarnation.c.id == bindparam("me")).values(seen_at=bindparam("now"))
)
_FORGET = Statement(delete(incarnation).where(among(incarnation.c.id, "dead")))
_LEASE_ADD = insert_new(carrier_lease)
_LEASE = Statement(
    update(carrier_lease)
    .where(
        carrier_lease.c.carrier == bindparam("name"),
        (carrier_lease.c.incarnation == bindparam("me"))
        | (carrier_lease.c.until < bindparam("now")),
    )
    .values(incarnation=bindparam("me"), until=bindparam("until"), up=bindparam("up"))
)
_LEASES_OVER = Statement(delete(carrier_lease).where(among(carrier_lease.c.incarnation, "dead")))
_LET_GO = Statement(
    delete(carrier_lease).where(
        carrier_lease.c.carrier == bindparam("name"), carrier_lease.c.incarnation == bindparam("me")
    )
)

_HELD_COLUMNS = select(
    message.c.id,
    message.c["class"],
    message.c.resent,
    message.c.hop,
    select(literal(1, literal_execute=False).cast(Boolean))
    .where(attempt.c.message_id == message.c.id, attempt.c.state == constant("claimed"))
    .exists()
    .label("doubt"),
).where(text(OPEN), message.c.state == constant("sending"))
_HELD = Statement(
    _HELD_COLUMNS.where(among(message.c.lease, "dead"))
    .order_by(message.c.id)
    .with_for_update(of=message)
)
#: Held by processes that nobody knows any more: they claimed while they were taken for dead.
_ORPHANS = Statement(
    _HELD_COLUMNS.where(message.c.lease.not_in(select(incarnation.c.id)))
    .order_by(message.c.id)
    .with_for_update(of=message)
)
_DOUBT = Statement(
    update(attempt)
    .where(attempt.c.state == constant("claimed"), among(attempt.c.message_id, "ids"))
    .values(state="unknown", reason="process-ended", answered_at=bindparam("now"))
)
_REQUEUE = Statement(
    update(message)
    .where(message.c.id == bindparam("m_id"))
    .values(
        state=bindparam("m_state"),
        reason=bindparam("m_reason"),
        resent=bindparam("m_resent"),
        due_at=bindparam("m_due_at"),
        lease=None,
    )
)


@dataclass(frozen=True, slots=True)
class GiveBack:
    """A claim whose commit was in doubt: what of it stands goes back, nothing of it has left."""

    incarnation: int
    lanes: tuple[str, ...]
    keep: frozenset[int]  # messages that the process does work on
    now: float


# Locked by their ids, as receipts of parts that were taken lock them.
_OWN = Statement(
    select(message.c.id)
    .where(
        text(OPEN),
        message.c.state == constant("sending"),
        message.c.lease == bindparam("me"),
        among(message.c.lane, "lanes"),
    )
    .order_by(message.c.id)
    .with_for_update()
)
_WITHDRAWN = Statement(
    update(attempt)
    .where(attempt.c.state == constant("claimed"), among(attempt.c.message_id, "ids"))
    .values(state="not-sent", reason="withdrawn", answered_at=bindparam("now"))
)


def give_back(items: Sequence[GiveBack]) -> Script:
    """How many messages went back to their lanes."""
    results = []
    for item in items:
        found = yield Rows(_OWN, {"me": item.incarnation, "lanes": Values(item.lanes)})
        ids = sorted({row[0] for row in found} - item.keep)
        if ids:
            yield Do(_WITHDRAWN, {"ids": Values(ids), "now": item.now})
            rows = yield Rows(_RESENT, {"ids": Values(ids)})
            yield from resolve([(r[0], r[1], r[2], False) for r in rows], item.now)
        results.append(len(ids))
    return results


_RESENT = Statement(
    select(message.c.id, message.c["class"], message.c.resent)
    .where(among(message.c.id, "ids"))
    .order_by(message.c.id)
)


def begin(items: Sequence[Begin]) -> Script:
    """The new incarnation's id; what earlier ones of its slot held is free again."""
    results = []
    for item in items:
        made = yield Rows(_BEGIN, {"slot": item.slot, "now": item.now})
        me = made[0][0]
        found = yield Rows(_FOREBEARS, {"slot": item.slot, "me": me})
        yield from release([row[0] for row in found], item.now)
        results.append(me)
    return results


def beat(items: Sequence[Beat]) -> Script:
    """The carriers that this process owns now; None: it was taken for dead meanwhile."""
    results: list[frozenset[str] | None] = []
    for item in items:
        if not (yield Do(_SEEN, {"me": item.incarnation, "now": item.now})):
            results.append(None)
            continue
        owned = []
        for name, up in item.carriers:
            row = {"carrier": name, "incarnation": item.incarnation, "until": 0.0, "up": up}
            yield Many(_LEASE_ADD, [row])
            until = item.now + LEASE_SECONDS
            values = {
                "name": name,
                "me": item.incarnation,
                "now": item.now,
                "until": until,
                "up": up,
            }
            if (yield Do(_LEASE, values)):
                owned.append(name)
        results.append(frozenset(owned))
    return results


@dataclass(frozen=True, slots=True)
class Gone:
    """Processes that nothing new was seen of for a lease's time: (id, its last beat)."""

    silent: tuple[tuple[int, float], ...]
    now: float


def release_gone(items: Sequence[Gone]) -> Script:
    """Release what these hold, but for those that have told of themselves since; how many."""
    results = []
    for item in items:
        gone: list[int] = []
        if item.silent:
            found = yield Rows(_STILL, {"ids": Values([number for number, _ in item.silent])})
            gone = [number for number, seen_at in found if (number, seen_at) in item.silent]
        freed = yield from release(gone, item.now)
        results.append(freed + (yield from _release_orphans(item.now)))
    return results


def _release_orphans(now: float) -> Script:
    orphans = yield Rows(_ORPHANS, {})
    if orphans:
        yield from resolve([(r[0], r[1], r[2], bool(r[4])) for r in orphans], now)
    return len(orphans)


def release_silent(items: Sequence[tuple[int, float]]) -> Script:
    """Release what other processes hold that were not seen for a lease's time; how many.

    By the clock: for a database that no other process uses, such as one just restored.
    """
    me, now = items[0]
    found = yield Rows(_SILENT, {"before": now - LEASE_SECONDS, "me": me})
    freed = yield from release([row[0] for row in found], now)
    freed += yield from _release_orphans(now)
    return [freed] * len(items)


def leave(items: Sequence[int]) -> Script:
    """These processes give up their binds; another may take them at once."""
    yield Do(_LEASES_OVER, {"dead": Values(items)})
    return [None] * len(items)


def let_go(items: Sequence[tuple[int, str]]) -> Script:
    """These (process, carrier) give up one bind each; another process may take it at once."""
    for me, name in items:
        yield Do(_LET_GO, {"me": me, "name": name})
    return [None] * len(items)


def release(dead: Sequence[int], now: float) -> Script:
    """Messages of dead processes: in doubt where a part was claimed, else queued again."""
    if not dead:
        return 0
    held = yield Rows(_HELD, {"dead": Values(dead)})
    if held:
        yield from resolve([(r[0], r[1], r[2], bool(r[4])) for r in held], now)
    yield from release_notices(dead)
    yield from release_updates(dead)
    yield from release_cards(dead)
    yield from release_condemned(dead)
    yield from release_records(dead)
    yield Do(_LEASES_OVER, {"dead": Values(dead)})
    yield Do(_FORGET, {"dead": Values(dead)})
    return len(held)


def resolve(held: Sequence[tuple[int, str, int, bool]], now: float) -> Script:
    """What happens to (message, class, resent, in doubt) is the class's rule.

    Transactional: sent again, marked, three times at most. Marketing: a person decides.
    """
    doubtful = [row[0] for row in held if row[3]]
    if doubtful:
        yield Do(_DOUBT, {"ids": unique(doubtful), "now": now})
    moves: list[dict[str, Any]] = []
    for number, klass, resent, doubt in held:
        again = not doubt or (klass == Class.TRANSACTIONAL and resent < RESEND_TIMES)
        moves.append(
            {
                "m_id": number,
                "m_state": str(State.QUEUED if again else State.UNKNOWN),
                "m_reason": IN_DOUBT if doubt else "",
                "m_resent": resent + (1 if doubt and again else 0),
                "m_due_at": now,
            }
        )
    yield Many(_REQUEUE, moves)
    yield Many(
        EVENT_ADD,
        [
            {
                "message_id": m["m_id"],
                "kind": m["m_state"],
                "detail": m["m_reason"] or "released",
                "at": now,
            }
            for m in moves
        ],
    )
    unknown = [m["m_id"] for m in moves if m["m_state"] == State.UNKNOWN]
    yield from notices_for(unknown, "unknown", now)
