"""Periods that people set: a proposal comes in, a second person agrees, what holds goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from bridge.store.retention_tables import retention_rule
from bridge.store.sql import Do, Many, Script, Statement, insert


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another period for a class; `minimum` and `maximum` are what the rules allow today."""

    id: int
    tenant_id: int  # 0: for all
    klass: str
    trigger: str
    days: int
    months: int
    minimum: str
    maximum: str
    basis: str
    reason: str
    set_by: str
    set_at: float


@dataclass(frozen=True, slots=True)
class AgreeToPeriod:
    """A second person agrees to a proposal; it waits for `lapse` seconds."""

    id: int
    approved_by: str
    now: float
    lapse: float


_FIELDS = tuple("class" if name == "klass" else name for name in Proposal.__dataclass_fields__)
_ADD = insert(retention_rule, _FIELDS)
_COLUMNS = [retention_rule.c[name] for name in _FIELDS]
_AGREE = Statement(
    update(retention_rule)
    .where(
        retention_rule.c.id == bindparam("p_id"),
        retention_rule.c.approved_at.is_(None),
        retention_rule.c.set_at > bindparam("asked_since"),
    )
    .values(approved_by=bindparam("p_by"), approved_at=bindparam("p_now"))
)
#: (class, tenant, days, months) of all that was agreed to, oldest first: the last one holds.
AGREED = Statement(
    select(
        retention_rule.c["class"],
        retention_rule.c.tenant_id,
        retention_rule.c.days,
        retention_rule.c.months,
    )
    .where(retention_rule.c.approved_at.is_not(None))
    .order_by(retention_rule.c.approved_at, retention_rule.c.id)
)
#: A proposal that waits: the fields of `Proposal`.
WAITING = Statement(
    select(*_COLUMNS).where(
        retention_rule.c.id == bindparam("id"),
        retention_rule.c.approved_at.is_(None),
        retention_rule.c.set_at > bindparam("asked_since"),
    )
)


def propose_periods(items: Sequence[Proposal]) -> Script:
    """Nothing an item; nothing changes before a second person agrees."""
    rows = []
    for item in items:
        row = {name: getattr(item, name) for name in Proposal.__dataclass_fields__}
        row["class"] = row.pop("klass")
        rows.append(row)
    yield Many(_ADD, rows)
    return [None] * len(items)


def agree_to_periods(items: Sequence[AgreeToPeriod]) -> Script:
    """True an item whose proposal waited for it: from now on it holds."""
    results = []
    for item in items:
        values = {
            "p_id": item.id,
            "p_by": item.approved_by,
            "p_now": item.now,
            "asked_since": item.now - item.lapse,
        }
        results.append(bool((yield Do(_AGREE, values))))
    return results
