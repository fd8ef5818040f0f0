"""What is stopped: a rule or a person stops a range, a sender or all sending, and lifts it again.

A stop by a rule is a case that somebody must look at within a day (PRIVACY P32).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, text, update

from bridge.errors import Refused
from bridge.store.abuse import BLOCK, Report, Review, report, review
from bridge.store.announcements import OPERATOR, Words, owe_words, tell_tenants
from bridge.store.audit import Entry, append
from bridge.store.brake_tables import STANDING, brake, brake_number
from bridge.store.halts import EVERYBODY, HALT, IS_HALT
from bridge.store.processor_tables import abuse_case
from bridge.store.sql import Do, Many, Rows, Script, Statement, insert_new


@dataclass(frozen=True, slots=True)
class Shut:
    """What a rule stops."""

    tenant_id: int
    kind: str
    key: str
    about: str
    reason: str


@dataclass(frozen=True, slots=True)
class Halt:
    """A person stops sending: of a tenant, or (tenant 0) of everybody."""

    tenant_id: int
    reason: str
    actor: str
    now: float
    places: tuple[tuple[str, str], ...] = ()  # the operator's inboxes


@dataclass(frozen=True, slots=True)
class Resume:
    """A person lets sending go on."""

    tenant_id: int
    actor: str
    now: float
    places: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Decide:
    """A person has looked at what a rule stopped; `tenant_id` None: any tenant's."""

    id: int
    lift: bool
    outcome: str
    actor: str
    now: float
    tenant_id: int | None = None


@dataclass(frozen=True, slots=True)
class Brake:
    """Something that is stopped."""

    id: int
    tenant_id: int
    kind: str
    key: str
    about: str
    reason: str
    actor: str
    case_id: int | None
    created_at: float
    confirmed_at: float | None


_COLUMNS = (
    brake.c.id,
    brake.c.tenant_id,
    brake.c.kind,
    brake.c.key,
    brake.c.about,
    brake.c.reason,
    brake.c.actor,
    brake.c.case_id,
    brake.c.created_at,
    brake.c.confirmed_at,
)
#: Everything that is stopped now, newest first.
STOPPED = Statement(select(*_COLUMNS).where(text(STANDING)).order_by(brake.c.id.desc()))
_KEYS = ("tenant_id", "kind", "key", "about", "reason", "actor", "created_at")
_ADD = insert_new(brake, _KEYS)
_CASE = Statement(
    update(brake)
    .where(
        brake.c.kind == bindparam("b_kind"),
        brake.c.tenant_id == bindparam("b_tenant"),
        brake.c.key == bindparam("b_key"),
        text(STANDING),
    )
    .values(case_id=bindparam("b_case"))
)
_RESUME = Statement(
    update(brake)
    .where(*IS_HALT, brake.c.tenant_id == bindparam("b_tenant"))
    .values(ended_at=bindparam("b_now"), ended_by=bindparam("b_actor"))
)
_ONE = Statement(
    select(brake.c.tenant_id, brake.c.kind, brake.c.case_id).where(
        brake.c.id == bindparam("id"), text(STANDING)
    )
)
_OF_CASE = Statement(
    update(brake)
    .where(brake.c.case_id == bindparam("b_case"), text(STANDING))
    .values(ended_at=bindparam("b_now"), ended_by=bindparam("b_actor"))
)
#: Who lifts a range lets it begin anew.
_FORGET = Statement(
    delete(brake_number).where(
        brake_number.c.key.in_(select(brake.c.key).where(brake.c.case_id == bindparam("b_case")))
    )
)
_CONFIRMED = Statement(
    update(brake)
    .where(brake.c.case_id == bindparam("b_case"), text(STANDING))
    .values(confirmed_at=bindparam("b_now"))
)
_UNSEEN = Statement(
    select(abuse_case.c.id).where(
        abuse_case.c.id == bindparam("id"), abuse_case.c.reviewed_at.is_(None)
    )
)


def _row(item: Shut | Halt, now: float) -> dict[str, Any]:
    if isinstance(item, Halt):
        row = {"kind": HALT, "key": "", "about": "", "actor": item.actor}
    else:
        row = {"kind": item.kind, "key": item.key, "about": item.about, "actor": "bridge"}
    return {**row, "tenant_id": item.tenant_id, "reason": item.reason, "created_at": now}


def shut(
    stopped: Sequence[Shut],
    words: Words,
    rule: str,
    places: tuple[tuple[str, str], ...],
    due: float,
    now: float,
) -> Script:
    """A rule stops what belongs together: one case, told once; False where it stands already."""
    first = stopped[0]
    if not (yield Many(_ADD, [_row(first, now)])):
        return False
    if others := stopped[1:]:
        yield Many(_ADD, [_row(each, now) for each in others])
    item = Report(BLOCK, first.tenant_id, rule, words.lines[0], due, "bridge", now, places)
    (reported,) = yield from report([item])
    for each in stopped:
        values = {"b_kind": each.kind, "b_tenant": each.tenant_id, "b_key": each.key}
        yield Do(_CASE, {**values, "b_case": reported.id})
    yield from tell_tenants({first.tenant_id: words}, "brake", reported.id, now)
    return True


def halt(items: Sequence[Halt]) -> Script:
    """True an item that stands now and did not before."""
    results = []
    for item in items:
        new = bool((yield Many(_ADD, [_row(item, item.now)])))
        if new:
            words = Words("Sending was stopped", (item.reason, "Nothing is lost: it waits."))
            yield from _spread(item, words)
            yield from append([_entry("stop-sending", item, item.reason)])
        results.append(new)
    return results


def resume(items: Sequence[Resume]) -> Script:
    """True an item that was halted."""
    results = []
    for item in items:
        values = {"b_tenant": item.tenant_id, "b_now": item.now, "b_actor": item.actor}
        ended = bool((yield Do(_RESUME, values)))
        if ended:
            yield from _spread(item, Words("Sending goes on", ("What waited leaves now.",)))
            yield from append([_entry("resume", item, "")])
        results.append(ended)
    return results


def _spread(item: Halt | Resume, words: Words) -> Script:
    """The operator is told, and the tenant whose messages they are."""
    yield from owe_words(OPERATOR, item.places, words, item.now)
    if item.tenant_id != EVERYBODY:
        yield from tell_tenants({item.tenant_id: words}, "halt", 0, item.now)


def _entry(action: str, item: Halt | Resume, reason: str) -> Entry:
    return Entry(item.actor, action, reason, item.now, item.tenant_id)


def decide(items: Sequence[Decide]) -> Script:
    """Lift or confirm what a rule stopped, with all that was stopped beside it.

    Its case is reviewed with that. Raises Refused where there is no such stop.
    """
    entries = []
    for item in items:
        rows = yield Rows(_ONE, {"id": item.id})
        if not rows or rows[0][1] == HALT or item.tenant_id not in (None, rows[0][0]):
            raise Refused("nothing that a rule stopped has this id", "`bridge brake list`")
        tenant, _, case = rows[0]
        values = {"b_case": case, "b_now": item.now}
        if item.lift:
            yield Do(_FORGET, {"b_case": case})
            yield Do(_OF_CASE, {**values, "b_actor": item.actor})
        else:
            yield Do(_CONFIRMED, values)
        if (yield Rows(_UNSEEN, {"id": case})):
            word = "lifted" if item.lift else "confirmed"
            yield from review([Review(case, f"{word}: {item.outcome}", item.actor, item.now)])
        action = "brake lift" if item.lift else "brake confirm"
        entries.append(Entry(item.actor, action, f"id={item.id}", item.now, tenant))
    yield from append(entries)
    return [None] * len(items)
