"""Breaches of security: one is opened with the tenants that it concerns, they are told, it closes.

The clock runs from `aware_at` (GDPR Article 33; PRIVACY P58). Who was told, and when, is recorded
for each tenant, so that a breach cannot be closed over one that has not heard of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from bridge.errors import Refused
from bridge.store.announcements import OPERATOR, Words, owe_words, tell_tenants
from bridge.store.audit import Entry, append
from bridge.store.processor_tables import breach, breach_tenant
from bridge.store.sql import Do, Many, Row, Rows, Script, Statement, insert

Places = tuple[tuple[str, str], ...]
#: Seconds within which the same words are the same breach.
TWICE_S = 600.0


@dataclass(frozen=True, slots=True)
class Breach:
    """A row of the register."""

    id: int
    source: str
    nature: str
    categories: str
    people: int | None
    records: int | None
    consequences: str
    measures: str
    outcome: str
    aware_at: float
    created_at: float
    closed_at: float | None
    reminded: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What Article 33(3) wants to be told; None leaves as it is."""

    nature: str | None = None
    categories: str | None = None
    people: int | None = None
    records: int | None = None
    consequences: str | None = None
    measures: str | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A breach becomes known. The operator's inboxes hear of it at once."""

    source: str  # "operator" | "tenant"
    facts: Facts
    tenants: tuple[int, ...]
    aware_at: float
    actor: str
    now: float
    places: Places
    words: Words


@dataclass(frozen=True, slots=True)
class Learn:
    """More is known."""

    id: int
    facts: Facts
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Tenants are to be told: in their inboxes, or `by_hand` (somebody did so otherwise)."""

    id: int
    words: Mapping[int, Words]
    by_hand: frozenset[int]
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class Close:
    """Nothing is left to be done."""

    id: int
    outcome: str
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class Remind:
    """The operator is to hear of a breach of which somebody has not been told, for the nth time."""

    id: int
    count: int
    places: Places
    words: Words
    now: float


#: In the order of `Breach`, newest first.
BREACHES = Statement(select(*breach.columns).order_by(breach.c.id.desc()))
#: (breach, tenant, told_at) of all.
CONCERNED = Statement(
    select(*breach_tenant.columns).order_by(breach_tenant.c.breach_id, breach_tenant.c.tenant_id)
)
_FACTS = ("nature", "categories", "people", "records", "consequences", "measures")
_COUNTS = ("people", "records")
_KEYS = ("source", *_FACTS, "outcome", "aware_at", "created_at")
_ADD = Statement(
    breach.insert().values({key: bindparam(key) for key in _KEYS}).returning(breach.c.id)
)
_RECENT = Statement(
    select(breach.c.id, breach.c.nature, breach_tenant.c.tenant_id)
    .join(breach_tenant, breach_tenant.c.breach_id == breach.c.id)
    .where(
        breach.c.source == bindparam("source"),
        breach.c.closed_at.is_(None),
        breach.c.created_at > bindparam("since"),
    )
    .order_by(breach.c.id)
)
_CONCERN = insert(breach_tenant, ("breach_id", "tenant_id"))
_ONE = Statement(select(*breach.columns).where(breach.c.id == bindparam("id")).with_for_update())
_LEARN = Statement(
    update(breach)
    .where(breach.c.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in _FACTS})
)
_TOLD = Statement(
    update(breach_tenant)
    .where(
        breach_tenant.c.breach_id == bindparam("b_id"),
        breach_tenant.c.tenant_id == bindparam("b_tenant"),
        breach_tenant.c.told_at.is_(None),
    )
    .values(told_at=bindparam("b_now"))
)
_UNTOLD = Statement(
    select(breach_tenant.c.tenant_id).where(
        breach_tenant.c.breach_id == bindparam("id"), breach_tenant.c.told_at.is_(None)
    )
)
_CLOSE = Statement(
    update(breach)
    .where(breach.c.id == bindparam("b_id"), breach.c.closed_at.is_(None))
    .values(closed_at=bindparam("b_now"), outcome=bindparam("b_outcome"))
)
_REMIND = Statement(
    update(breach)
    .where(
        breach.c.id == bindparam("b_id"),
        breach.c.closed_at.is_(None),
        breach.c.reminded < bindparam("b_count"),
    )
    .values(reminded=bindparam("b_count"))
)


def breach_of(row: Row) -> Breach:
    """A row of `BREACHES`."""
    return Breach(*row)


def open_breaches(items: Sequence[Open]) -> Script:
    """The id of each; what is told again within minutes is the breach that it was."""
    numbers = []
    entries = []
    for item in items:
        if same := (yield from _same(item)):
            numbers.append(same)
            continue
        facts = {name: getattr(item.facts, name) for name in _FACTS}
        words = {n: "" if v is None and n not in _COUNTS else v for n, v in facts.items()}
        more = {"source": item.source, "outcome": "", "aware_at": item.aware_at}
        added = yield Rows(_ADD, {**words, **more, "created_at": item.now})
        number = added[0][0]
        yield Many(_CONCERN, [{"breach_id": number, "tenant_id": t} for t in item.tenants])
        yield from owe_words(OPERATOR, item.places, item.words, item.now)
        entries += [_entry(item, "breach open", number, tenant) for tenant in item.tenants]
        numbers.append(number)
    yield from append(entries)
    return numbers


def _same(item: Open) -> Script:
    """Somebody pressed twice, or a command is worked again after a kill."""
    found: dict[int, set[int]] = {}
    values = {"source": item.source, "since": item.now - TWICE_S}
    for number, nature, tenant in (yield Rows(_RECENT, values)):
        if nature == item.facts.nature:
            found.setdefault(number, set()).add(tenant)
    return next((n for n, concerned in found.items() if concerned == set(item.tenants)), 0)


def _entry(item: Open | Learn | Tell | Close, action: str, number: int, tenant: int = 0) -> Entry:
    return Entry(item.actor, action, f"id={number}", item.now, tenant)


def _found(number: int) -> Script:
    """The breach, locked. Raises Refused where there is none, or it is closed."""
    rows = yield Rows(_ONE, {"id": number})
    if not rows:
        raise Refused("there is no breach with this id", "`bridge breach list` shows them")
    found = breach_of(rows[0])
    if found.closed_at is not None:
        raise Refused("this breach is closed", "`bridge breach open` opens another")
    return found


def learn_facts(items: Sequence[Learn]) -> Script:
    """Record what has become known; nothing an item. Raises Refused."""
    for item in items:
        before = yield from _found(item.id)
        values = {
            f"b_{n}": getattr(before if getattr(item.facts, n) is None else item.facts, n)
            for n in _FACTS
        }
        yield Do(_LEARN, {**values, "b_id": item.id})
    yield from append([_entry(item, "breach learn", item.id) for item in items])
    return [None] * len(items)


def tell_breaches(items: Sequence[Tell]) -> Script:
    """Who had not been told and has been now, an item. Raises Refused."""
    results = []
    entries = []
    for item in items:
        yield from _found(item.id)
        waiting = {row[0] for row in (yield Rows(_UNTOLD, {"id": item.id}))}
        words = {t: w for t, w in item.words.items() if t in waiting - item.by_hand}
        told = yield from tell_tenants(words, "breach", item.id, item.now)
        heard = sorted({t for t, places in told.items() if places} | (waiting & item.by_hand))
        for tenant in heard:
            yield Do(_TOLD, {"b_id": item.id, "b_tenant": tenant, "b_now": item.now})
        entries += [_entry(item, "breach notify", item.id, tenant) for tenant in heard]
        results.append(heard)
    yield from append(entries)
    return results


def close_breaches(items: Sequence[Close]) -> Script:
    """Nothing an item. Raises Refused while a tenant has not been told."""
    for item in items:
        yield from _found(item.id)
        if (yield Rows(_UNTOLD, {"id": item.id})):
            raise Refused(
                "a tenant has not been told of this breach",
                "`bridge breach notify` tells them, with --by-hand NAME once you have otherwise",
            )
        yield Do(_CLOSE, {"b_id": item.id, "b_now": item.now, "b_outcome": item.outcome})
    yield from append([_entry(item, "breach close", item.id) for item in items])
    return [None] * len(items)


def remind_of_breaches(items: Sequence[Remind]) -> Script:
    """True an item whose reminder is owed now; of several processes one owes it."""
    results = []
    for item in items:
        due = yield Do(_REMIND, {"b_id": item.id, "b_count": item.count})
        if due:
            yield from owe_words(OPERATOR, item.places, item.words, item.now)
        results.append(bool(due))
    return results
