"""The register of processors: what the file names and what was announced come in, who may be used
by whom comes out.

A row of the file is there from the start; one that joins later is announced to the tenants, and
those whose terms are recorded wait for its day (PRIVACY P55).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select, update

from bridge.errors import Refused
from bridge.store.announcements import Words, tell_tenants
from bridge.store.audit import Entry, append
from bridge.store.processor_tables import objection, policy_acceptance, subprocessor
from bridge.store.sql import Do, Many, Row, Rows, Script, Statement, insert, insert_new
from bridge.store.tables import tenant


@dataclass(frozen=True, slots=True)
class Processor:
    """A row of the register."""

    id: int
    kind: str
    name: str
    source: str
    company: str
    address: str
    contact: str
    purpose: str
    country: str
    mechanism: str
    valid_until: float | None
    created_at: float
    notified_at: float | None
    effective_at: float
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class Named:
    """A processor as the configuration names it."""

    kind: str
    name: str
    country: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Seed:
    """All that the configuration names."""

    named: tuple[Named, ...]
    notice: float  # seconds between an announcement and its day
    now: float


@dataclass(frozen=True, slots=True)
class Details:
    """What an operator records of a processor; None leaves as it is."""

    company: str | None = None
    address: str | None = None
    contact: str | None = None
    purpose: str | None = None
    country: str | None = None
    mechanism: str | None = None
    valid_until: float | None = None


@dataclass(frozen=True, slots=True)
class Announce:
    """A processor that shall be used from `effective_at`."""

    kind: str
    name: str
    details: Details
    effective_at: float
    words: Words
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class Change:
    """Further details of a processor."""

    id: int
    details: Details
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class Notify:
    """The tenants are to be told of a processor, once more."""

    id: int
    words: Words
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class Object:
    """A tenant's no; with `stands` false it is taken back."""

    tenant_id: int
    id: int
    actor: str
    reason: str
    outcome: str  # "excluded" | "exit"
    now: float
    stands: bool = True


@dataclass(frozen=True, slots=True)
class End:
    """Nothing goes to a processor any more."""

    id: int
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class Announced:
    """A processor's id, and how many inboxes of each tenant were told."""

    id: int
    told: dict[int, int]


#: In the order of `Processor`.
REGISTER = Statement(select(*subprocessor.columns).order_by(subprocessor.c.id))
#: (tenant, processor) of each objection that stands.
OBJECTIONS = Statement(
    select(objection.c.tenant_id, objection.c.subprocessor_id).where(objection.c.ended_at.is_(None))
)
#: Tenants that have accepted terms: a new processor waits for its day with them.
BOUND = Statement(select(policy_acceptance.c.tenant_id).distinct())

_DETAILS = ("company", "address", "contact", "purpose", "country", "mechanism", "valid_until")
_KEYS = (
    *("kind", "name", "source", *_DETAILS),
    *("created_at", "notified_at", "effective_at", "ended_at"),
)
_ADD = Statement(
    subprocessor.insert()
    .values({key: bindparam(key) for key in _KEYS})
    .returning(subprocessor.c.id)
)
_SEED = insert_new(subprocessor, _KEYS)
_ONE = Statement(
    select(*subprocessor.columns).where(
        subprocessor.c.kind == bindparam("kind"), subprocessor.c.name == bindparam("name")
    )
)
_COUNT = Statement(select(func.count()).select_from(subprocessor))
_AGAIN = Statement(
    update(subprocessor)
    .where(subprocessor.c.id == bindparam("p_id"))
    .values(
        source=bindparam("p_source"),
        effective_at=bindparam("p_effective_at"),
        notified_at=None,
        ended_at=None,
    )
)
_COUNTRY = Statement(
    update(subprocessor)
    .where(subprocessor.c.id == bindparam("p_id"))
    .values(country=bindparam("p_country"))
)
_CHANGE = Statement(
    update(subprocessor)
    .where(subprocessor.c.id == bindparam("p_id"))
    .values({name: bindparam(f"p_{name}") for name in _DETAILS})
)
_BY_ID = Statement(select(*subprocessor.columns).where(subprocessor.c.id == bindparam("id")))
_NOTIFIED = Statement(
    update(subprocessor)
    .where(subprocessor.c.id == bindparam("p_id"))
    .values(notified_at=bindparam("p_now"))
)
_END = Statement(
    update(subprocessor)
    .where(subprocessor.c.id == bindparam("p_id"), subprocessor.c.ended_at.is_(None))
    .values(ended_at=bindparam("p_now"))
)
_TENANTS = Statement(select(tenant.c.id).where(tenant.c.closed_at.is_(None)).order_by(tenant.c.id))
_OBJECT = insert(objection, ("tenant_id", "subprocessor_id", "actor", "reason", "outcome", "at"))
_STANDING = Statement(
    select(objection.c.id).where(
        objection.c.tenant_id == bindparam("tenant_id"),
        objection.c.subprocessor_id == bindparam("id"),
        objection.c.ended_at.is_(None),
    )
)
_WITHDRAW = Statement(
    update(objection)
    .where(
        objection.c.tenant_id == bindparam("o_tenant"),
        objection.c.subprocessor_id == bindparam("o_id"),
        objection.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("o_now"))
)


def processor_of(row: Row) -> Processor:
    """A row of `REGISTER`."""
    return Processor(*row)


def seed(items: Sequence[Seed]) -> Script:
    """Put what the configuration names into the register; nothing an item.

    In an empty register they are in use at once; who joins later has its day after the notice.
    """
    for item in items:
        counted = yield Rows(_COUNT, {})
        effective_at = item.now + item.notice if counted[0][0] else item.now
        for named in item.named:
            yield from _seed(named, effective_at, item.now)
    return [None] * len(items)


def _seed(named: Named, effective_at: float, now: float) -> Script:
    found = yield Rows(_ONE, {"kind": named.kind, "name": named.name})
    if not found:
        yield Many(_SEED, [_first_row(named, effective_at, now)])
    elif named.country and named.country != processor_of(found[0]).country:
        yield Do(_COUNTRY, {"p_id": found[0][0], "p_country": named.country})


def _first_row(named: Named, effective_at: float, now: float) -> dict[str, Any]:
    return {
        "kind": named.kind,
        "name": named.name,
        "source": "file",
        "company": "",
        "address": "",
        "contact": "",
        "purpose": named.purpose,
        "country": named.country,
        "mechanism": "",
        "valid_until": None,
        "created_at": now,
        "notified_at": None,
        "effective_at": effective_at,
        "ended_at": None,
    }


def announce(items: Sequence[Announce]) -> Script:
    """An `Announced` an item. Raises Refused for a name that is in use."""
    results = []
    for item in items:
        results.append((yield from _announce(item)))
    yield from append(
        [_entry(item, "subproc add", done.id) for item, done in _both(items, results)]
    )
    return results


def _both(items: Sequence[Any], results: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
    return list(zip(items, results, strict=True))


def _entry(item: Announce | Change | Notify | Object | End, action: str, number: int) -> Entry:
    tenant_id = item.tenant_id if isinstance(item, Object) else 0
    return Entry(item.actor, action, f"id={number}", item.now, tenant_id)


def _announce(item: Announce) -> Script:
    found = yield Rows(_ONE, {"kind": item.kind, "name": item.name})
    if found and processor_of(found[0]).ended_at is None:
        raise Refused(
            f"{item.name!r} stands in the register already",
            "`bridge subproc set` changes what is recorded of it",
        )
    if found:
        number = found[0][0]
        again = {"p_id": number, "p_source": "command", "p_effective_at": item.effective_at}
        yield Do(_AGAIN, again)
    else:
        named = Named(item.kind, item.name, "", "")
        row = {**_first_row(named, item.effective_at, item.now), "source": "command"}
        added = yield Rows(_ADD, row)
        number = added[0][0]
    yield from _record(number, item.details)
    told = yield from _tell(number, item.words, item.now)
    return Announced(number, told)


def _record(number: int, details: Details) -> Script:
    rows = yield Rows(_BY_ID, {"id": number})
    before = processor_of(rows[0])
    values = {
        f"p_{name}": getattr(before if getattr(details, name) is None else details, name)
        for name in _DETAILS
    }
    yield Do(_CHANGE, {**values, "p_id": number})


def _tell(number: int, words: Words, now: float) -> Script:
    tenants = yield Rows(_TENANTS, {})
    told = yield from tell_tenants({row[0]: words for row in tenants}, "subproc", number, now)
    if any(told.values()):
        yield Do(_NOTIFIED, {"p_id": number, "p_now": now})
    return told


def change(items: Sequence[Change]) -> Script:
    """Record further details; nothing an item."""
    for item in items:
        yield from _record(item.id, item.details)
    yield from append([_entry(item, "subproc set", item.id) for item in items])
    return [None] * len(items)


def notify(items: Sequence[Notify]) -> Script:
    """Tell every open tenant; an `Announced` an item."""
    results = []
    for item in items:
        told = yield from _tell(item.id, item.words, item.now)
        results.append(Announced(item.id, told))
    yield from append(
        [
            _entry(i, "subproc notify", i.id)
            for i, r in _both(items, results)
            if any(r.told.values())
        ]
    )
    return results


def record_objections(items: Sequence[Object]) -> Script:
    """True an item that changed how a tenant stands to a processor."""
    results = []
    for item in items:
        results.append((yield from _objected(item)))
    yield from append(
        [
            _entry(i, "subproc object" if i.stands else "subproc object --withdraw", i.id)
            for i, changed in _both(items, results)
            if changed
        ]
    )
    return results


def _objected(item: Object) -> Script:
    if not item.stands:
        values = {"o_tenant": item.tenant_id, "o_id": item.id, "o_now": item.now}
        return bool((yield Do(_WITHDRAW, values)))
    if (yield Rows(_STANDING, {"tenant_id": item.tenant_id, "id": item.id})):
        return False
    row = {
        "tenant_id": item.tenant_id,
        "subprocessor_id": item.id,
        "actor": item.actor,
        "reason": item.reason,
        "outcome": item.outcome,
        "at": item.now,
    }
    yield Many(_OBJECT, [row])
    return True


def end(items: Sequence[End]) -> Script:
    """True an item that was in use until now."""
    results = []
    for item in items:
        ended = yield Do(_END, {"p_id": item.id, "p_now": item.now})
        results.append(bool(ended))
    yield from append([_entry(i, "subproc end", i.id) for i, r in _both(items, results) if r])
    return results
