"""Records that carriers keep of people who are erased: queued in the transaction that unlinks what
they are about, asked for one by one by a desk, and counted for the receipt (PRIVACY P68).

The carrier's id of a record stands here until the record is settled, and not longer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, func, or_, select, text, update

from bridge.store.erasure_tables import carrier_erasure, erasure
from bridge.store.journal import give_back_own, lease_due
from bridge.store.proofs import reopen
from bridge.store.sql import (
    Do,
    Many,
    Rows,
    Script,
    Statement,
    Values,
    among,
    constant,
    insert,
)
from bridge.store.tables import attempt, reply, reply_part

#: Seconds before a carrier is first asked: Twilio has to be done with a message before.
FIRST: Final = 60.0
PENDING: Final = ""
#: The outcome of a record whose id no carrier ever told us: it cannot be asked for.
NAMELESS: Final = "nameless"
GIVEN_UP: Final = "given-up"
_WAITING: Final = "outcome = ''"


@dataclass(frozen=True, slots=True)
class Record:
    """A carrier's record that is to go."""

    id: int
    carrier_id: str
    inbound: bool
    tries: int
    begun_at: float


@dataclass(frozen=True, slots=True)
class ClaimRecords:
    """Who asks a carrier wants work."""

    carrier: str
    lease: int
    now: float
    most: int


@dataclass(frozen=True, slots=True)
class RecordDone:
    """What became of a record: an outcome, or another try at `due_at`."""

    id: int
    now: float
    outcome: str = PENDING  # erased gone refused given-up
    reason: str = ""
    due_at: float = 0.0


@dataclass(frozen=True, slots=True)
class GiveBackRecords:
    """A claim whose commit was in doubt: those that nobody works on are due again."""

    carrier: str
    incarnation: int
    keep: frozenset[int]


@dataclass(frozen=True, slots=True)
class Abandon:
    """A carrier is not asked any more: what waits for it is refused, with the reason."""

    carrier: str
    reason: str
    now: float


@dataclass(frozen=True, slots=True)
class GiveUpRecords:
    """A carrier's account lets nobody erase: what waits longest for it is asked for no more."""

    carrier: str
    reason: str
    before: float  # when their erasures had begun
    now: float


_ADD = insert(
    carrier_erasure,
    ("erasure_id", "carrier", "carrier_id", "inbound", "outcome", "due_at", "done_at"),
)
#: (carrier, its id or "") of the parts of messages that it has, or may have.
_PARTS = Statement(
    select(attempt.c.carrier, attempt.c.carrier_id)
    .where(
        among(attempt.c.message_id, "ids"),
        among(attempt.c.carrier, "carriers"),
        or_(attempt.c.carrier_id != constant(""), attempt.c.state == constant("unknown")),
    )
    .order_by(attempt.c.id)
)
#: The same of answers; one that came before ids were kept has none.
_ANSWERS = Statement(
    select(reply.c.carrier, func.coalesce(reply_part.c.carrier_id, ""))
    .select_from(reply.outerjoin(reply_part, reply_part.c.reply_id == reply.c.id))
    .where(among(reply.c.id, "ids"), among(reply.c.carrier, "carriers"))
    .order_by(reply.c.id)
)
_DUE = Statement(
    select(
        carrier_erasure.c.id,
        carrier_erasure.c.carrier_id,
        carrier_erasure.c.inbound,
        carrier_erasure.c.tries,
        erasure.c.begun_at,
    )
    .join(erasure, erasure.c.id == carrier_erasure.c.erasure_id)
    .where(
        carrier_erasure.c.carrier == bindparam("carrier"),
        text(_WAITING),
        carrier_erasure.c.due_at <= bindparam("now"),
        carrier_erasure.c.lease.is_(None),
    )
    .order_by(carrier_erasure.c.due_at, carrier_erasure.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=carrier_erasure)
)
#: When the next record of a carrier is due.
NEXT_RECORD = Statement(
    select(carrier_erasure.c.due_at)
    .where(
        carrier_erasure.c.carrier == bindparam("carrier"),
        text(_WAITING),
        carrier_erasure.c.lease.is_(None),
    )
    .order_by(carrier_erasure.c.due_at)
    .limit(1)
)
#: The carriers for which something waits.
WAITED_FOR = Statement(select(carrier_erasure.c.carrier).distinct().where(text(_WAITING)))
_LEASE = Statement(
    update(carrier_erasure)
    .where(among(carrier_erasure.c.id, "ids"))
    .values(lease=bindparam("c_lease"), tries=carrier_erasure.c.tries + 1)
)
_DONE = Statement(
    update(carrier_erasure)
    .where(carrier_erasure.c.id == bindparam("c_id"), text(_WAITING))
    .values(
        outcome=bindparam("c_outcome"),
        reason=bindparam("c_reason"),
        done_at=bindparam("c_now"),
        carrier_id="",
        lease=None,
    )
)
_LATER = Statement(
    update(carrier_erasure)
    .where(carrier_erasure.c.id == bindparam("c_id"), text(_WAITING))
    .values(due_at=bindparam("c_due_at"), reason=bindparam("c_reason"), lease=None)
)
_ABANDONED = Statement(
    update(carrier_erasure)
    .where(carrier_erasure.c.carrier == bindparam("c_carrier"), text(_WAITING))
    .values(
        outcome="refused",
        reason=bindparam("c_reason"),
        done_at=bindparam("c_now"),
        carrier_id="",
        lease=None,
    )
)
_GIVEN_UP = Statement(
    update(carrier_erasure)
    .where(
        carrier_erasure.c.carrier == bindparam("c_carrier"),
        text(_WAITING),
        carrier_erasure.c.lease.is_(None),
        carrier_erasure.c.erasure_id.in_(
            select(erasure.c.id).where(erasure.c.begun_at < bindparam("c_before"))
        ),
    )
    .values(
        outcome=GIVEN_UP,
        reason=bindparam("c_reason"),
        done_at=bindparam("c_now"),
        carrier_id="",
    )
)
_RELEASE = Statement(
    update(carrier_erasure)
    .where(
        carrier_erasure.c.lease.is_not(None),
        text(_WAITING),
        among(carrier_erasure.c.lease, "dead"),
    )
    .values(lease=None)
)
_OWN = Statement(
    select(carrier_erasure.c.id).where(
        carrier_erasure.c.carrier == bindparam("carrier"),
        text(_WAITING),
        carrier_erasure.c.lease == bindparam("me"),
    )
)
_GIVE_BACK = Statement(
    update(carrier_erasure).where(among(carrier_erasure.c.id, "ids")).values(lease=None)
)


def queue_messages(
    number: int, messages: Sequence[int], carriers: Collection[str], now: float
) -> Script:
    """An erasure's messages are to go with these carriers, of those that carried them."""
    yield from _queued(number, _PARTS, messages, carriers, now, inbound=False)


def queue_answers(
    number: int, replies: Sequence[int], carriers: Collection[str], now: float
) -> Script:
    """The same of answers. They are still there."""
    yield from _queued(number, _ANSWERS, replies, carriers, now, inbound=True)


def queue_parts(number: int, parts: Sequence[tuple[str, str]], now: float) -> Script:
    """Parts (carrier, its id) of answers that never became whole are to go."""
    yield from _added(number, [_row(number, *part, now, inbound=True) for part in parts])


def _queued(
    number: int,
    statement: Statement,
    ids: Sequence[int],
    carriers: Collection[str],
    now: float,
    *,
    inbound: bool,
) -> Script:
    if not ids or not carriers:
        return
    found = yield Rows(statement, {"ids": Values(ids), "carriers": Values(sorted(carriers))})
    rows = [_row(number, row[0], row[1], now, inbound=inbound) for row in found]
    yield from _added(number, rows)


def _added(number: int, rows: Sequence[dict[str, Any]]) -> Script:
    if rows:
        yield Many(_ADD, rows)
        yield from reopen(number)  # an erasure that is done may be gone through once more


def _row(
    number: int, carrier: str, carrier_id: str, now: float, *, inbound: bool
) -> dict[str, Any]:
    return {
        "erasure_id": number,
        "carrier": carrier,
        "carrier_id": carrier_id,
        "inbound": inbound,
        "outcome": PENDING if carrier_id else NAMELESS,
        "due_at": now + FIRST,
        "done_at": None if carrier_id else now,
    }


def claim_records(items: Sequence[ClaimRecords]) -> Script:
    """A list of `Record` an item, leased to its process."""
    results: list[list[Record]] = []
    for item in items:
        values = {"carrier": item.carrier, "now": item.now, "most": item.most}
        found = yield from lease_due(_DUE, _LEASE, values, item.lease)
        results.append([Record(*row) for row in found])
    return results


def finish_records(items: Sequence[RecordDone]) -> Script:
    """Record what became of records."""
    for item in items:
        said = {"c_id": item.id, "c_reason": item.reason}
        if item.outcome == PENDING:
            yield Do(_LATER, {**said, "c_due_at": item.due_at})
        else:
            yield Do(_DONE, {**said, "c_outcome": item.outcome, "c_now": item.now})
    return [None] * len(items)


def abandon_records(items: Sequence[Abandon]) -> Script:
    """How many records were given up, an item."""
    results = []
    for item in items:
        values = {"c_carrier": item.carrier, "c_reason": item.reason, "c_now": item.now}
        results.append((yield Do(_ABANDONED, values)))
    return results


def give_up_records(items: Sequence[GiveUpRecords]) -> Script:
    """How many records were given up, an item; what is just being asked for is not."""
    results = []
    for item in items:
        values = {"c_carrier": item.carrier, "c_reason": item.reason, "c_now": item.now}
        results.append((yield Do(_GIVEN_UP, {**values, "c_before": item.before})))
    return results


def release_records(dead: Sequence[int]) -> Script:
    """What dead processes were asking for is anybody's again."""
    return (yield Do(_RELEASE, {"dead": Values(dead)}))


def give_back_records(items: Sequence[GiveBackRecords]) -> Script:
    """How many are due again, an item."""
    results = []
    for item in items:
        mine = {"me": item.incarnation, "carrier": item.carrier}
        results.append((yield from give_back_own(_OWN, _GIVE_BACK, mine, item.keep)))
    return results
