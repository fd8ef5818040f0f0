"""The lists of opt-outs that carriers keep: who stands on one comes in; suppressions stand
afterwards, and what differs is counted (PRIVACY P44).

One process reads a list at a time, under a lease; a reading has a number, and each entry the number
of the newest that found it. Nothing here lifts a suppression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Double,
    Integer,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.store.announcements import OPERATOR, Words, owe_words
from bridge.store.audit import Entry, append
from bridge.store.list_tables import carrier_list, carrier_listed
from bridge.store.listed import ANY, move_tokens
from bridge.store.sql import (
    Do,
    Many,
    Rows,
    Script,
    Statement,
    Values,
    among,
    batched,
    constant,
    insert_new,
)
from bridge.store.suppressions import ACTIVE, ADD, Suppress, row_of
from bridge.store.tables import subject, suppression

_SWEPT: Final = 1000
_EVER: Final = 1e15  # later than any time


@dataclass(frozen=True, slots=True)
class BeginList:
    """A process wants to read a carrier's list; `forced` also when it is not yet time."""

    carrier: str
    run: int
    now: float
    until: float
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Somebody whom a carrier lists, for a tenant: `wish` is what we would make of it.

    `at` is when they opted out there, where the carrier tells.
    """

    wish: Suppress
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list; no two of its people have the same token."""

    carrier: str
    run: int
    now: float
    until: float
    people: Sequence[Listing]


@dataclass(slots=True)
class Taken:
    """What a page changed; `known` are to be suppressed yet, each by itself, with what waits."""

    added: int = 0
    kept: int = 0  # they said START here after they had opted out there
    known: list[Suppress] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Gone:
    """All was read: who does not stand there any more, of those about these tenants?"""

    carrier: str
    run: int
    tenants: frozenset[int]
    after: str = ""


@dataclass(frozen=True, slots=True)
class EndList:
    """A reading is over, `whole` or not; `words` are owed, so that `problem` is known."""

    carrier: str
    run: int
    now: float
    next_at: float
    tries: int
    whole: bool
    problem: str = ""
    entry: Entry | None = None
    places: tuple[tuple[str, str], ...] = ()
    words: Words | None = None


#: (carrier, tries, problem, due at) of every list that was ever read.
LISTS = Statement(
    select(
        carrier_list.c.carrier,
        carrier_list.c.tries,
        carrier_list.c.problem,
        case(
            (carrier_list.c.until > carrier_list.c.next_at, carrier_list.c.until),
            else_=carrier_list.c.next_at,
        ),
    )
)
_NEW = insert_new(carrier_list, ("carrier",))
_BEGIN = Statement(
    update(carrier_list)
    .where(
        carrier_list.c.carrier == bindparam("l_carrier"),
        carrier_list.c.until <= bindparam("l_now"),
        carrier_list.c.next_at <= bindparam("l_due"),
    )
    .values(run=bindparam("l_run"), until=bindparam("l_until"))
)
_HOLD = Statement(
    update(carrier_list)
    .where(
        carrier_list.c.carrier == bindparam("l_carrier"), carrier_list.c.run == bindparam("l_run")
    )
    .values(until=bindparam("l_until"))
)
_END = Statement(
    update(carrier_list)
    .where(
        carrier_list.c.carrier == bindparam("l_carrier"), carrier_list.c.run == bindparam("l_run")
    )
    .values(
        until=0.0,
        next_at=bindparam("l_next"),
        tries=bindparam("l_tries"),
        problem=bindparam("l_problem"),
        read_at=func.coalesce(bindparam("l_read", type_=Double()), carrier_list.c.read_at),
    )
)
_FIRST = Statement(
    select(carrier_listed.c.token, carrier_listed.c.first_at).where(
        carrier_listed.c.carrier == bindparam("carrier"), among(carrier_listed.c.token, "tokens")
    )
)


def _see(given: Subquery, database: str) -> ClauseElement:
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[database]
    names = ("carrier", "token", "tenant_id", "pepper_version", "run", "first_at")
    rows = select(*(given.c[name] for name in names)).where(true())
    clause = dialect.insert(carrier_listed).from_select(list(names), rows)
    found: ClauseElement = clause.on_conflict_do_update(
        index_elements=[carrier_listed.c.carrier, carrier_listed.c.token],
        set_={"run": clause.excluded.run},
    )
    return found


_SEEN = batched(
    _see,
    carrier=Text,
    token=Text,
    tenant_id=BigInteger,
    pepper_version=Integer,
    run=BigInteger,
    first_at=Double,
)
_there = carrier_listed.alias("there")
_MOVE = batched(
    lambda given, _: (
        update(carrier_listed)
        .where(
            carrier_listed.c.carrier == given.c.carrier,
            carrier_listed.c.token == given.c.old,
            ~exists().where(_there.c.carrier == given.c.carrier, _there.c.token == given.c.new),
        )
        .values(token=given.c.new, pepper_version=given.c.version)
    ),
    carrier=Text,
    old=Text,
    new=Text,
    version=Integer,
)
# What is not NULL is found by its index, and is little.
_STARTED = Statement(
    select(suppression.c.token, func.max(suppression.c.lifted_at))
    .where(
        suppression.c.lifted_at > 0,
        suppression.c.lift_source == constant("handset"),
        among(suppression.c.token, "tokens"),
    )
    .group_by(suppression.c.token)
)
_KNOWN = Statement(select(subject.c.phone_index).where(among(subject.c.phone_index, "tokens")))
_PASSED = Statement(
    select(carrier_listed.c.token, carrier_listed.c.run, carrier_listed.c.tenant_id)
    .where(
        carrier_listed.c.carrier == bindparam("carrier"),
        carrier_listed.c.token > bindparam("after"),
    )
    .order_by(carrier_listed.c.token)
    .limit(_SWEPT)
)
#: Of these, whom we suppress on a carrier's word alone.
_OURS = Statement(
    select(func.count())
    .select_from(suppression)
    .where(
        among(suppression.c.token, "tokens"),
        and_(suppression.c.lifted_at.is_(None), suppression.c.source == constant("carrier")),
    )
)
_FORGET = Statement(
    delete(carrier_listed).where(
        carrier_listed.c.carrier == bindparam("carrier"), among(carrier_listed.c.token, "tokens")
    )
)


def begin_lists(items: Sequence[BeginList]) -> Script:
    """Whether the list is to be read by whoever asks, an item."""
    results = []
    for item in items:
        yield Many(_NEW, [{"carrier": item.carrier}])
        values = {
            "l_carrier": item.carrier,
            "l_now": item.now,
            "l_due": _EVER if item.forced else item.now,
            "l_run": item.run,
            "l_until": item.until,
        }
        results.append(bool((yield Do(_BEGIN, values))))
    return results


def take_pages(items: Sequence[Page]) -> Script:
    """`Taken` an item; None where another process has begun to read the list meanwhile."""
    results: list[Taken | None] = []
    for item in items:
        results.append((yield from _page(item)))
    return results


def _page(item: Page) -> Script:
    held = {"l_carrier": item.carrier, "l_run": item.run, "l_until": item.until}
    if not (yield Do(_HOLD, held)):
        return None
    wishes = {each.wish.token: each.wish for each in item.people}
    if not wishes:
        return Taken()
    yield from _moved(item, wishes.values())
    tokens = Values(sorted(wishes))
    first = dict((yield Rows(_FIRST, {"carrier": item.carrier, "tokens": tokens})))
    seen = [
        {
            "carrier": item.carrier,
            "token": token,
            "tenant_id": wishes[token].tenant_id,
            "pepper_version": wishes[token].pepper_version,
            "run": item.run,
            "first_at": item.now,
        }
        for token in tokens
    ]
    yield Many(_SEEN, seen)
    rows = yield Rows(ACTIVE, {"keys": tokens})
    stands = {row[3] for row in rows if row[4] == ANY}
    return (yield from _added(item, first, [e for e in item.people if e.wish.token not in stands]))


def _added(item: Page, first: Mapping[str, float], people: Sequence[Listing]) -> Script:
    """Suppress who is not suppressed, but for whom START was the later word."""
    taken = Taken()
    if not people:
        return taken
    tokens = Values(sorted(each.wish.token for each in people))
    started = dict((yield Rows(_STARTED, {"tokens": tokens})))
    known = {row[0] for row in (yield Rows(_KNOWN, {"tokens": tokens}))}
    rows = []
    for each in people:
        token = each.wish.token
        since = first.get(token, item.now) if each.at is None else min(each.at, item.now)
        if started.get(token, 0.0) >= since:
            taken.kept += 1
        elif token in known:
            taken.known.append(each.wish)
        else:
            rows.append(row_of(each.wish))
    if rows:
        taken.added = yield Many(ADD, rows)
    return taken


def _moved(item: Page, wishes: Any) -> Script:
    """Under an older pepper a person is the same person (P64)."""
    moves = {old: new for wish in wishes for old, new in wish.moves.items()}
    if not moves:
        return
    version = max(wish.pepper_version for wish in wishes)
    yield from move_tokens(moves, version, item.now)
    rows = [
        {"carrier": item.carrier, "old": old, "new": new, "version": version}
        for old, new in sorted(moves.items())
    ]
    yield Many(_MOVE, rows)


def forget_gone(items: Sequence[Gone]) -> Script:
    """(how far it came, "" at the end; how many of ours are on the list no more), an item."""
    results = []
    for item in items:
        found = yield Rows(_PASSED, {"carrier": item.carrier, "after": item.after})
        gone = [row for row in found if row[1] != item.run]
        count = 0
        if gone:
            # Of a tenant that writes over this carrier no more nobody has looked.
            ours = Values(row[0] for row in gone if row[2] in item.tenants)
            count = (yield Rows(_OURS, {"tokens": ours}))[0][0]
            everybody = Values(row[0] for row in gone)
            yield Do(_FORGET, {"carrier": item.carrier, "tokens": everybody})
        results.append((found[-1][0] if len(found) == _SWEPT else "", count))
    return results


def end_lists(items: Sequence[EndList]) -> Script:
    """Nothing an item."""
    for item in items:
        values = {
            "l_carrier": item.carrier,
            "l_run": item.run,
            "l_next": item.next_at,
            "l_tries": item.tries,
            "l_problem": item.problem,
            "l_read": item.now if item.whole else None,
        }
        yield Do(_END, values)
        if item.words is not None:
            yield from owe_words(OPERATOR, item.places, item.words, item.now)
    yield from append([item.entry for item in items if item.entry is not None])
    return [None] * len(items)
