"""Abuse: a complaint suppresses the person and opens a case; an automatic block waits for somebody
to look at it (PRIVACY P53, P32).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from bridge.errors import Refused
from bridge.store.announcements import OPERATOR, Words, owe_words
from bridge.store.audit import Entry, append
from bridge.store.demands import PERSON_OF
from bridge.store.processor_tables import abuse_case
from bridge.store.sql import Do, Row, Rows, Script, Statement
from bridge.store.suppressions import Bound, Suppress, suppress

COMPLAINT, BLOCK = "complaint", "block"


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the register."""

    id: int
    kind: str
    tenant_id: int
    subject_id: int | None
    source: str
    note: str
    opened_at: float
    review_due: float
    reviewed_at: float | None
    reviewer: str
    outcome: str
    reminded: bool


@dataclass(frozen=True, slots=True)
class Report:
    """Something is to be looked at; a complaint names whom to suppress, by their token."""

    kind: str
    tenant_id: int
    source: str  # "7726" | "carrier" | "person" | a rule
    note: str
    review_due: float
    actor: str
    now: float
    places: tuple[tuple[str, str], ...] = ()
    wish: Suppress | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """The case's id, and whom a suppression binds."""

    id: int
    people: Bound | tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """A person has looked."""

    id: int
    outcome: str
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class Overdue:
    """The operator is to hear of what nobody has looked at in time."""

    places: tuple[tuple[str, str], ...]
    now: float


#: In the order of `Case`, newest first.
CASES = Statement(select(*abuse_case.columns).order_by(abuse_case.c.id.desc()))
_KEYS = ("kind", "tenant_id", "subject_id", "source", "note", "opened_at", "review_due")
_ADD = Statement(
    abuse_case.insert().values({key: bindparam(key) for key in _KEYS}).returning(abuse_case.c.id)
)
_REVIEW = Statement(
    update(abuse_case)
    .where(abuse_case.c.id == bindparam("c_id"), abuse_case.c.reviewed_at.is_(None))
    .values(
        reviewed_at=bindparam("c_now"),
        reviewer=bindparam("c_actor"),
        outcome=bindparam("c_outcome"),
    )
    .returning(abuse_case.c.tenant_id, abuse_case.c.subject_id)
)
_LATE = Statement(
    update(abuse_case)
    .where(
        abuse_case.c.reviewed_at.is_(None),
        abuse_case.c.reminded.is_(False),
        abuse_case.c.review_due <= bindparam("c_now"),
    )
    .values(reminded=True)
)


def case_of(row: Row) -> Case:
    """A row of `CASES`."""
    return Case(*row)


def report(items: Sequence[Report]) -> Script:
    """A `Reported` an item; what waits for whoever is suppressed is cancelled with it."""
    results = []
    entries = []
    for item in items:
        subject, people = yield from _suppressed(item)
        more = {"subject_id": subject, "opened_at": item.now}
        values = {key: getattr(item, key) for key in _KEYS if hasattr(item, key)}
        added = yield Rows(_ADD, {**values, **more})
        number = added[0][0]
        words = Words(
            "A case of abuse was opened",
            (f"{item.kind} ({item.source}), case {number}.", "`bridge abuse list` shows it."),
        )
        yield from owe_words(OPERATOR, item.places, words, item.now)
        reason = f"id={number} kind={item.kind} source={item.source}"
        entries.append(Entry(item.actor, "abuse open", reason, item.now, item.tenant_id, subject))
        results.append(Reported(number, people))
    yield from append(entries)
    return results


def _suppressed(item: Report) -> Script:
    """The person of a complaint, where the tenant has texted them; and whom the list binds now."""
    if item.wish is None:
        return None, ()
    people, _ = yield from suppress(item.wish)
    found = yield Rows(PERSON_OF, {"token": item.wish.person or item.wish.token})
    return (found[0][0] if found else None), people


def review(items: Sequence[Review]) -> Script:
    """Nothing an item. Raises Refused for what was looked at before."""
    entries = []
    for item in items:
        values = {"c_id": item.id, "c_now": item.now, "c_actor": item.actor}
        found = yield Rows(_REVIEW, {**values, "c_outcome": item.outcome})
        if not found:
            raise Refused("no open case has this id", "`bridge abuse list` shows them")
        tenant, subject = found[0]
        entries.append(
            Entry(item.actor, "abuse review", f"id={item.id}", item.now, tenant, subject)
        )
    yield from append(entries)
    return [None] * len(items)


def remind_of_cases(items: Sequence[Overdue]) -> Script:
    """How many cases became overdue, an item; of several processes one tells of them."""
    results = []
    for item in items:
        late = yield Do(_LATE, {"c_now": item.now})
        if late:
            words = Words(
                "Cases wait for a person",
                (f"{late} cases are past their time.", "`bridge abuse list` shows them."),
            )
            yield from owe_words(OPERATOR, item.places, words, item.now)
        results.append(late)
    return results
