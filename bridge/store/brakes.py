"""What a message is counted by comes in; why it is refused, or nothing, goes out.

Asked in the transaction that stores, so that all processes share the counts and a kill loses none.
Only what is stored is counted. Of a range of numbers (a number without its last four digits) each
number counts once in the window: an alarm that repeats itself to one person is no fraud.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Double,
    Integer,
    Subquery,
    Text,
    bindparam,
    delete,
    select,
    text,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.money import show
from bridge.store.announcements import Words, tell_tenants
from bridge.store.brake_tables import brake_count, brake_number
from bridge.store.braking import Shut, shut
from bridge.store.halts import RANGE, SENDER, SHUT
from bridge.store.sql import Do, Lock, Many, Rows, Script, Statement, among, batched, unique

#: Percentages of a cap at which its tenant is told, each once a period.
STAGES: Final = (50, 80, 90, 100)
#: What `Refusal.rule` and a message's reason say.
TOO_FAST, STOPPED, SPENT = "velocity", "stopped", "cap"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many parts, or so much money, in a period: one row of counts."""

    key: str  # the tenant, or the keyed hash of the sender; and the period
    slot: int  # the period's begin, Unix seconds
    until: float
    limit: int
    period: str  # hour | day | month
    whose: str = ""  # the sender; "" for the tenant's own
    each: int = 1  # what a part counts: 1, or its price in micro-units
    currency: str = ""  # of money; "" for parts

    @property
    def told(self) -> str:
        """The key of the row that says of which stages its tenant was told.

        A cap that was raised has its own: 80 % of it is news again.
        """
        return f"{self.key} of {self.limit}"

    def spoken(self, used: int) -> str:
        """`400 of 500 SMS parts`, `8.00 of 10.00 EUR`."""
        if self.currency:
            return f"{show(used)} of {show(self.limit)} {self.currency}"
        return f"{used} of {self.limit} SMS parts"


@dataclass(frozen=True, slots=True)
class Meter:
    """What a message is counted by."""

    sender: str  # keyed hash
    shown: str  # the sender, for the tenant's eyes
    caps: tuple[Cap, ...] = ()
    range: str = ""  # keyed hash of the number's range; "" is not counted
    number: str = ""  # keyed hash of the number
    most: int = 0  # different numbers of the range
    span: float = 0.0  # in so many seconds
    keeps: bool = False  # what is refused is stored as cancelled, for a chat's card
    places: tuple[tuple[str, str], ...] = ()  # the operator's inboxes
    review_due: float = 0.0  # when somebody must have looked at what a rule stops by itself


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message was not taken."""

    rule: str  # velocity | stopped | cap
    cap: Cap | None = None
    kind: str = ""  # of what is stopped: range | sender
    is_news: bool = False  # something was stopped just now


class Metered(Protocol):
    """A message on its way into the outbox."""

    id: int
    tenant_id: int
    country: str
    parts: int
    now: float
    meter: Meter | None


_ADVISORY = Statement(
    text(
        "SELECT pg_advisory_xact_lock(hashtextextended(k, 0))"
        " FROM unnest(CAST(:keys AS text[])) AS k"
    ).bindparams(bindparam("keys"))
)
_NUMBERS = Statement(
    select(brake_number.c.key, brake_number.c.token, brake_number.c.sender, brake_number.c.at)
    .where(among(brake_number.c.key, "keys"), brake_number.c.at > bindparam("since"))
    .order_by(brake_number.c.key)
)


def _put(given: Subquery, database: str) -> ClauseElement:
    clause = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(brake_number)
    clause = clause.from_select(
        [c.name for c in brake_number.columns], select(*given.c).where(true())
    )
    found: ClauseElement = clause.on_conflict_do_update(
        index_elements=[brake_number.c.key, brake_number.c.token],
        set_={name: clause.excluded[name] for name in ("sender", "at", "until")},
    )
    return found


def _add(given: Subquery, database: str) -> ClauseElement:
    clause = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(brake_count)
    clause = clause.from_select(
        [c.name for c in brake_count.columns], select(*given.c).where(true())
    )
    found: ClauseElement = clause.on_conflict_do_update(
        index_elements=[brake_count.c.key, brake_count.c.slot],
        set_={"count": brake_count.c["count"] + clause.excluded["count"]},
    )
    return found


def _tell(given: Subquery, database: str) -> ClauseElement:
    clause = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(brake_count)
    clause = clause.from_select(
        [c.name for c in brake_count.columns], select(*given.c).where(true())
    )
    found: ClauseElement = clause.on_conflict_do_update(
        index_elements=[brake_count.c.key, brake_count.c.slot],
        set_={"told": clause.excluded.told},
        where=brake_count.c.told < clause.excluded.told,
    )
    return found


_NUMBER_PUT = batched(_put, key=Text, token=Text, sender=Text, at=Double, until=Double)
_COUNT_ADD, _TOLD = (
    batched(make, key=Text, slot=BigInteger, count=BigInteger, told=Integer, until=Double)
    for make in (_add, _tell)
)
_COUNTS = Statement(
    select(brake_count.c.key, brake_count.c.slot, brake_count.c["count"], brake_count.c.told).where(
        among(brake_count.c.key, "keys"), brake_count.c.until > bindparam("now")
    )
)
#: How many parts count in one slot of one key.
USED = Statement(
    select(brake_count.c["count"]).where(
        brake_count.c.key == bindparam("key"), brake_count.c.slot == bindparam("slot")
    )
)
_COUNTS_OLD = Statement(delete(brake_count).where(brake_count.c.until <= bindparam("now")))
_NUMBERS_OLD = Statement(delete(brake_number).where(brake_number.c.until <= bindparam("now")))


def braked(items: Sequence[Metered]) -> Script:
    """Message → `Refusal`, for those that a brake refuses; the others are counted."""
    metered = [(item, item.meter) for item in items if item.meter is not None]
    refused: dict[int, Refusal] = {}
    if not metered:
        return refused
    yield from _standing(metered, refused)
    yield from _too_fast([m for m in metered if m[0].id not in refused], refused)
    yield from _too_many([m for m in metered if m[0].id not in refused], refused)
    return refused


_Pairs = Sequence[tuple[Metered, Meter]]


def _standing(metered: _Pairs, refused: dict[int, Refusal]) -> Script:
    """What is stopped already."""
    keys = {meter.sender for _, meter in metered} | {meter.range for _, meter in metered}
    rows = yield Rows(SHUT, {"keys": unique(keys - {""})})
    if not rows:
        return
    kinds = {row[1]: row[0] for row in rows}
    for item, meter in metered:
        kind = kinds.get(meter.sender) or kinds.get(meter.range)
        if kind:
            refused[item.id] = Refusal(STOPPED, kind=kind)


# -- velocity ------------------------------------------------------------------------------------


def _too_fast(metered: _Pairs, refused: dict[int, Refusal]) -> Script:
    watched = [(item, meter) for item, meter in metered if meter.range]
    if not watched:
        return
    # Two processes with numbers of one range wait for each other: neither sees half.
    yield Lock(_ADVISORY, {"keys": unique(meter.range for _, meter in watched)})
    for span in sorted({meter.span for _, meter in watched}):
        yield from _within(span, [m for m in watched if m[1].span == span], refused)


def _within(span: float, watched: _Pairs, refused: dict[int, Refusal]) -> Script:
    since = min(item.now for item, _ in watched) - span
    keys = unique(meter.range for _, meter in watched)
    seen: dict[str, dict[str, str]] = defaultdict(dict)
    for key, token, sender, _at in (yield Rows(_NUMBERS, {"keys": keys, "since": since})):
        seen[key][token] = sender
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    over: dict[str, tuple[Metered, Meter]] = {}
    for item, meter in watched:
        known = seen[meter.range]
        if meter.number not in known and len(known) >= meter.most:
            over.setdefault(meter.range, (item, meter))
            refused[item.id] = Refusal(TOO_FAST, kind=RANGE)
            continue
        known[meter.number] = meter.sender
        rows[meter.range, meter.number] = {
            "key": meter.range,
            "token": meter.number,
            "sender": meter.sender,
            "at": item.now,
            "until": item.now + span,
        }
    if rows:
        yield Many(_NUMBER_PUT, [rows[key] for key in sorted(rows)])
    for key, (item, meter) in sorted(over.items()):
        if (yield from _trip(item, meter, set(seen[key].values()) | {meter.sender})):
            refused[item.id] = Refusal(TOO_FAST, kind=RANGE, is_news=True)


def _trip(item: Metered, meter: Meter, senders: Iterable[str]) -> Script:
    """Stop a range, and the sender where it is one's doing; whether that is news."""
    minutes = meter.span / 60
    spoken = f"{meter.most} numbers in {minutes:g} minute{'s' if minutes != 1 else ''}"
    stopped = [Shut(item.tenant_id, RANGE, meter.range, item.country, f"more than {spoken}")]
    alone = set(senders) == {meter.sender}
    if alone:
        stopped.append(Shut(item.tenant_id, SENDER, meter.sender, "", f"{meter.shown}: {spoken}"))
    lines = [
        f"More than {spoken} of one range in {item.country} were written to: nothing more goes"
        " to that range until somebody has looked.",
        f"All of it came from {meter.shown}, which may send nothing until then."
        if alone
        else "Several senders wrote to it; they may go on elsewhere.",
        "`bridge brake list`, or /sms brake, shows what is stopped, lifts it or confirms it.",
    ]
    words = Words("Sending to a range of numbers was stopped", tuple(lines))
    return (yield from shut(stopped, words, TOO_FAST, meter.places, meter.review_due, item.now))


# -- caps ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Row:
    """One count, as it will stand."""

    cap: Cap
    tenant: int
    told: int = 0
    used: int = 0
    added: int = 0
    refused: bool = False
    now: float = field(default=0.0)


def _too_many(metered: _Pairs, refused: dict[int, Refusal]) -> Script:
    rows: dict[tuple[str, int], _Row] = {}
    for item, meter in metered:
        for cap in meter.caps:
            row = rows.setdefault((cap.key, cap.slot), _Row(cap, item.tenant_id, now=item.now))
            row.added += item.parts * cap.each
    if not rows:
        return
    yield Many(_COUNT_ADD, _counted(rows))
    now = min(row.now for row in rows.values())
    told = {(row.cap.told, slot): row for (_, slot), row in rows.items()}
    keys = unique(key for key, _ in (*rows, *told))
    for key, slot, count, stage in (yield Rows(_COUNTS, {"keys": keys, "now": now})):
        if (key, slot) in rows:
            row = rows[key, slot]
            row.used, row.added = count - row.added, 0
        elif (key, slot) in told:
            told[key, slot].told = stage
    for item, meter in metered:
        own = [(rows[cap.key, cap.slot], item.parts * cap.each) for cap in meter.caps]
        over = next((row for row, cost in own if row.used + cost > row.cap.limit), None)
        if over is not None:
            over.refused = True
            refused[item.id] = Refusal(SPENT, cap=over.cap)
        for row, cost in own:
            if over is None:
                row.used += cost
            else:
                row.added -= cost
    if any(row.added for row in rows.values()):
        yield Many(_COUNT_ADD, _counted(rows))
    for _, row in sorted(rows.items()):
        yield from _warn(row)


def _counted(rows: Mapping[tuple[str, int], _Row]) -> list[dict[str, Any]]:
    """In the order of their keys, so that processes take the locks in one order."""
    return [
        {"key": key, "slot": slot, "count": row.added, "told": 0, "until": row.cap.until}
        for (key, slot), row in sorted(rows.items())
        if row.added
    ]


def _warn(row: _Row) -> Script:
    """Tell the tenant of the highest stage that is new."""
    cap = row.cap
    share = 100 if row.refused else row.used * 100 // cap.limit
    stage = max((stage for stage in STAGES if stage <= share), default=0)
    if stage <= row.told:
        return
    values = {"key": cap.told, "slot": cap.slot, "count": 0, "told": stage, "until": cap.until}
    if not (yield Many(_TOLD, [values])):
        return
    whose = f"{cap.whose} has" if cap.whose else "You have"
    what = f"of the money ({cap.currency})" if cap.currency else "of the SMS parts"
    then = "What is over is refused until the next one." if stage == STAGES[-1] else ""
    lines = (f"{whose} used {cap.spoken(row.used)} of this {cap.period} (UTC).", then)
    words = Words(f"{stage} % {what} of this {cap.period}", tuple(filter(None, lines)))
    yield from tell_tenants({row.tenant: words}, "cap", cap.slot, row.now)


def tidy_brakes(items: Sequence[float]) -> Script:
    """Drop counts whose time is over, as of a Unix time."""
    now = items[0]
    yield Do(_COUNTS_OLD, {"now": now})
    yield Do(_NUMBERS_OLD, {"now": now})
    return [None] * len(items)
