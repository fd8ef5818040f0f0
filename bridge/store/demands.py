"""Authorities' demands: opened with their legal basis and fields, approved by several people,
answered with those fields alone (PRIVACY P57). The declaration that a store for authorities needs
goes the same way (P7): by default nothing is kept for them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlalchemy import bindparam, func, select, update

from bridge.errors import Refused
from bridge.store.audit import Entry, append
from bridge.store.processor_tables import demand, demand_approval
from bridge.store.sql import Do, Many, Row, Rows, Script, Statement, insert_new
from bridge.store.tables import body, fact, message, subject

ACCESS: Final = "access"
STORE: Final = "store"
#: The fact that a store for authorities has been declared and agreed to.
COVERED: Final = "covered provider"


@dataclass(frozen=True, slots=True)
class Demand:
    """A row of the register, without its approvals."""

    id: int
    kind: str
    tenant_id: int | None
    subject_id: int | None
    authority: str
    reference: str
    basis: str
    fields: tuple[str, ...]
    since: float | None
    until: float | None
    state: str
    opened_by: str
    reason: str
    created_at: float
    done_at: float | None


@dataclass(frozen=True, slots=True)
class Ask:
    """A demand comes in."""

    kind: str
    tenant_id: int | None
    subject_id: int | None
    authority: str
    reference: str
    basis: str
    fields: tuple[str, ...]
    since: float | None
    until: float | None
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class Agree:
    """One person agrees; so many different ones must."""

    id: int
    actor: str
    needed: int
    now: float


@dataclass(frozen=True, slots=True)
class Finish:
    """A demand is answered, or refused for a reason."""

    id: int
    actor: str
    state: str  # "answered" | "refused"
    reason: str
    now: float


@dataclass(frozen=True, slots=True)
class Agreed:
    """How a demand stands after an approval."""

    state: str
    approvals: int


#: In the order of `Demand`, newest first; the fields as JSON.
DEMANDS = Statement(select(*demand.columns).order_by(demand.c.id.desc()))
#: (demand, actor, at) of all approvals.
APPROVALS = Statement(select(*demand_approval.columns).order_by(demand_approval.c.at))
#: The declaration in force, as JSON.
DECLARED = Statement(select(fact.c.value).where(fact.c.name == COVERED))
#: The person behind a token, as one tenant knows them.
PERSON_OF = Statement(select(subject.c.id).where(subject.c.phone_index == bindparam("token")))
_KEYS = (
    *("kind", "tenant_id", "subject_id", "authority", "reference", "basis", "fields"),
    *("since", "until", "state", "opened_by", "created_at"),
)
_ADD = Statement(
    demand.insert().values({key: bindparam(key) for key in _KEYS}).returning(demand.c.id)
)
_ONE = Statement(select(*demand.columns).where(demand.c.id == bindparam("id")).with_for_update())
_AGREE = insert_new(demand_approval)
_COUNT = Statement(select(func.count()).where(demand_approval.c.demand_id == bindparam("id")))
_MOVE = Statement(
    update(demand)
    .where(demand.c.id == bindparam("d_id"))
    .values(
        state=bindparam("d_state"), done_at=bindparam("d_done_at"), reason=bindparam("d_reason")
    )
)
_DECLARE = insert_new(fact)


def demand_of(row: Row) -> Demand:
    """A row of `DEMANDS`."""
    values = list(row)
    values[7] = tuple(json.loads(values[7]))
    return Demand(*values)


def open_demands(items: Sequence[Ask]) -> Script:
    """The id of each."""
    numbers = []
    for item in items:
        values = {
            **{key: getattr(item, key) for key in _KEYS if hasattr(item, key)},
            "fields": json.dumps(item.fields),
            "state": "open",
            "opened_by": item.actor,
            "created_at": item.now,
        }
        added = yield Rows(_ADD, values)
        numbers.append(added[0][0])
    yield from append(
        [
            _entry(i, "demand open", n, i.tenant_id, i.subject_id)
            for i, n in zip(items, numbers, strict=True)
        ]
    )
    return numbers


def _entry(
    item: Ask | Agree | Finish,
    action: str,
    number: int,
    tenant: int | None = None,
    subject: int | None = None,
) -> Entry:
    return Entry(item.actor, action, f"id={number}", item.now, tenant or 0, subject)


def _found(number: int) -> Script:
    """The demand, locked. Raises Refused."""
    rows = yield Rows(_ONE, {"id": number})
    if not rows:
        raise Refused("there is no demand with this id", "`bridge demand list` shows them")
    return demand_of(rows[0])


def agree(items: Sequence[Agree]) -> Script:
    """An `Agreed` an item. Raises Refused for whoever agrees a second time."""
    results = []
    entries = []
    for item in items:
        found = yield from _found(item.id)
        if found.state != "open":
            raise Refused(f"this demand is {found.state}", "`bridge demand list` shows them")
        row = {"demand_id": item.id, "actor": item.actor, "at": item.now}
        if not (yield Many(_AGREE, [row])):
            raise Refused("you have agreed already", "another person must agree as well")
        counted = yield Rows(_COUNT, {"id": item.id})
        state = "open"
        if counted[0][0] >= item.needed:
            state = yield from _approved(found, item)
        entries.append(_entry(item, "demand approve", item.id, found.tenant_id, found.subject_id))
        results.append(Agreed(state, counted[0][0]))
    yield from append(entries)
    return results


def _approved(found: Demand, item: Agree) -> Script:
    done_at = item.now if found.kind == STORE else None
    yield Do(_MOVE, {"d_id": item.id, "d_state": "approved", "d_done_at": done_at, "d_reason": ""})
    if found.kind == STORE:
        declared = json.dumps({"demand": item.id, "basis": found.basis, "at": item.now})
        yield Many(_DECLARE, [{"name": COVERED, "value": declared}])
    return "approved"


def finish_demands(items: Sequence[Finish]) -> Script:
    """Nothing an item. Raises Refused for an answer to what has not been approved."""
    entries = []
    for item in items:
        found = yield from _found(item.id)
        _check(found, item)
        values = {"d_state": item.state, "d_done_at": item.now, "d_reason": item.reason}
        yield Do(_MOVE, {**values, "d_id": item.id})
        action = f"demand {'answer' if item.state == 'answered' else 'refuse'}"
        entries.append(_entry(item, action, item.id, found.tenant_id, found.subject_id))
    yield from append(entries)
    return [None] * len(items)


def _check(found: Demand, item: Finish) -> None:
    if found.state not in ("open", "approved"):
        raise Refused(f"this demand is {found.state}", "`bridge demand list` shows them")
    if item.state == "answered" and (found.kind != ACCESS or found.state != "approved"):
        raise Refused(
            "this demand has not been approved", "`bridge demand approve`, by different people"
        )


#: What an answer may hold, by the name that a demand gives it.
_FIELDS = {
    "id": message.c.id,
    "number": subject.c.phone,
    "created_at": message.c.created_at,
    "sent_at": message.c.sent_at,
    "final_at": message.c.final_at,
    "state": message.c.state,
    "class": message.c["class"],
    "parts": message.c.parts,
    "originator": message.c.originator,
    "lane": message.c.lane,
    "text": body.c.text,
}
FIELDS: Final = tuple(_FIELDS)


@cache
def answer(fields: tuple[str, ...]) -> Statement:
    """These fields, and no others, of a person's messages (`subject`, `since`, `until`)."""
    return Statement(
        select(*(_FIELDS[name] for name in fields))
        .select_from(message)
        .join(subject, subject.c.id == message.c.subject_id)
        .outerjoin(body, body.c.message_id == message.c.id)
        .where(
            message.c.subject_id == bindparam("subject"),
            message.c.created_at >= bindparam("since"),
            message.c.created_at < bindparam("until"),
        )
        .order_by(message.c.id)
    )
