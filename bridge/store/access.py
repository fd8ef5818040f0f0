"""Reviews of access (P59): whoever still needs theirs is confirmed, and all other grants end.

The day stands with the grant (`staff.review_due`). An end by time is an end as any other: a line of
the audit, and a new code for whoever comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, or_, select, update

from bridge.errors import Refused
from bridge.store import ids
from bridge.store.announcements import OPERATOR, Words, owe_words
from bridge.store.audit import Entry, append
from bridge.store.chat_tables import staff
from bridge.store.processor_tables import access_review
from bridge.store.sql import Many, Rows, Script, Statement, insert
from bridge.store.tables import tenant


@dataclass(frozen=True, slots=True)
class Confirm:
    """Somebody needs their access until `due`; tenant 0: of any."""

    staff_id: int
    tenant_id: int
    actor: str
    due: float
    now: float


@dataclass(frozen=True, slots=True)
class Expire:
    """Grants whose day is over end; those whose day comes before `soon` are announced once."""

    now: float
    soon: float
    places: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Expired:
    """How many ended, and how many were announced."""

    ended: int
    announced: int


#: (id, tenant's id, its name, name, role, since, due) of the grants that stand, by their day;
#: tenant 0: of all. One without a day was given before there were any.
GRANTS = Statement(
    select(
        staff.c.id,
        staff.c.tenant_id,
        tenant.c.name,
        staff.c.name,
        staff.c.role,
        staff.c.created_at,
        staff.c.review_due,
    )
    .join(tenant, tenant.c.id == staff.c.tenant_id)
    .where(
        staff.c.revoked_at.is_(None),
        or_(
            bindparam("tenant", type_=staff.c.tenant_id.type) == 0,
            staff.c.tenant_id == bindparam("tenant"),
        ),
    )
    .order_by(staff.c.review_due, staff.c.id)
)
_CONFIRM = Statement(
    update(staff)
    .where(
        staff.c.id == bindparam("s_id"),
        or_(
            bindparam("s_tenant", type_=staff.c.tenant_id.type) == 0,
            staff.c.tenant_id == bindparam("s_tenant"),
        ),
        staff.c.revoked_at.is_(None),
    )
    .values(review_due=bindparam("s_due"))
    .returning(staff.c.tenant_id)
)
_END = Statement(
    update(staff)
    .where(staff.c.revoked_at.is_(None), staff.c.review_due <= bindparam("s_now"))
    .values(revoked_at=bindparam("s_now"))
    .returning(staff.c.id, staff.c.tenant_id)
)
_SOON = Statement(
    select(staff.c.id).where(
        staff.c.revoked_at.is_(None),
        staff.c.review_due <= bindparam("soon"),
        ~select(access_review.c.id)
        .where(
            access_review.c.staff_id == staff.c.id,
            access_review.c.outcome == "announced",
            # An earlier announcement was of an earlier day.
            access_review.c.at >= staff.c.review_due - bindparam("span"),
        )
        .exists(),
    )
)
_REVIEWED = insert(access_review, ("staff_id", "actor", "outcome", "at"))


def confirm(items: Sequence[Confirm]) -> Script:
    """Nothing an item. Raises Refused where nobody is enrolled with this id."""
    entries = []
    for item in items:
        values = {"s_id": item.staff_id, "s_tenant": item.tenant_id, "s_due": item.due}
        found = yield Rows(_CONFIRM, values)
        if not found:
            raise Refused("nobody is enrolled with this id", "`bridge access review` shows who is")
        yield Many(_REVIEWED, [_review(item.staff_id, item.actor, "confirmed", item.now)])
        reason = f"id={ids.show(item.staff_id)}"
        entries.append(Entry(item.actor, "access confirm", reason, item.now, found[0][0]))
    yield from append(entries)
    return [None] * len(items)


def _review(staff_id: int, actor: str, outcome: str, now: float) -> dict[str, object]:
    return {"staff_id": staff_id, "actor": actor, "outcome": outcome, "at": now}


def expire_grants(items: Sequence[Expire]) -> Script:
    """An `Expired` an item."""
    results = []
    for item in items:
        ended = yield Rows(_END, {"s_now": item.now})
        if ended:
            yield Many(_REVIEWED, [_review(r[0], "bridge", "expired", item.now) for r in ended])
            yield from append(
                [
                    Entry("bridge", "access expire", f"id={ids.show(r[0])}", item.now, r[1])
                    for r in ended
                ]
            )
        soon = yield from _announce(item)
        results.append(Expired(len(ended), soon))
    return results


def _announce(item: Expire) -> Script:
    soon = yield Rows(_SOON, {"soon": item.soon, "span": item.soon - item.now})
    if soon:
        yield Many(_REVIEWED, [_review(r[0], "bridge", "announced", item.now) for r in soon])
        words = Words(
            "Access is to be reviewed",
            (
                f"{len(soon)} grants end soon unless somebody confirms them.",
                "`bridge access review` shows whose, `bridge access confirm ID` keeps one.",
            ),
        )
        yield from owe_words(OPERATOR, item.places, words, item.now)
    return len(soon)
