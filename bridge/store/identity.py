"""Proofs of who a person is: a code goes out and comes back, a second fact is asked; a verdict out.

Of a code only its keyed hash stands in the register (PRIVACY P23); the SMS that carries it is
emptied when the code is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, func, or_, select, update

from bridge.store.request_tables import dsr, identity_check, reassignment, restriction
from bridge.store.requests import NOBODY, Check, Move, Moved, add_check, move
from bridge.store.sql import Do, Many, Rows, Script, Statement, Values, among, constant, insert
from bridge.store.submissions import Prepared, store_submissions
from bridge.store.suppressions import Suppress, lift, suppress
from bridge.store.tables import body, message, subject, tenant

PASSED: Final = "passed"
WRONG: Final = "wrong"
OVER: Final = "over"  # there is no code, or its time or its tries are over


@dataclass(frozen=True, slots=True)
class StartCode:
    """A code for one request; the SMS that carries it, where one does, leaves with it."""

    dsr_id: int
    token: str
    check: Check
    an_hour: int
    a_day: int
    then: Move
    prepared: Prepared | None = None


@dataclass(frozen=True, slots=True)
class PassCode:
    """What somebody says the code is. `then` follows where it is right."""

    dsr_id: int
    otp_hmac: str
    tries: int
    now: float
    then: Move


@dataclass(frozen=True, slots=True)
class PassFact:
    """Whether somebody knew a second fact (`right`), which counts as one of so many tries."""

    dsr_id: int
    right: bool
    tries: int
    since: float
    now: float
    then: Move


_SENT = Statement(
    select(func.count())
    .select_from(identity_check)
    .join(dsr, dsr.c.id == identity_check.c.dsr_id)
    .where(
        dsr.c.token == bindparam("token"),
        identity_check.c.method.in_([constant("sms-code"), constant("mail-code")]),
        identity_check.c.at > bindparam("since"),
    )
)
_NEWEST = Statement(
    select(
        identity_check.c.id,
        identity_check.c.otp_hmac,
        identity_check.c.tries,
        identity_check.c.expires_at,
        identity_check.c.passed_at,
    )
    .where(
        identity_check.c.dsr_id == bindparam("id"),
        identity_check.c.method.in_([constant("sms-code"), constant("mail-code")]),
    )
    .order_by(identity_check.c.id.desc())
    .limit(1)
    .with_for_update()
)
_TRIED = Statement(
    update(identity_check)
    .where(identity_check.c.id == bindparam("c_id"))
    .values(tries=identity_check.c.tries + 1)
)
_PASSED = Statement(
    update(identity_check)
    .where(identity_check.c.id == bindparam("c_id"))
    .values(passed_at=bindparam("c_at"))
)
_FACTS_TRIED = Statement(
    select(func.count()).where(
        identity_check.c.dsr_id == bindparam("id"),
        identity_check.c.method == constant("second-fact"),
        identity_check.c.passed_at.is_(None),
        identity_check.c.at > bindparam("since"),
    )
)
#: (method, at, expires_at, passed_at, tries) of all proofs of a request, in order.
CHECKS = Statement(
    select(
        identity_check.c.method,
        identity_check.c.at,
        identity_check.c.expires_at,
        identity_check.c.passed_at,
        identity_check.c.tries,
    )
    .where(identity_check.c.dsr_id == bindparam("id"))
    .order_by(identity_check.c.id)
)
#: (tenant's name, when it last texted) by tenant: what only the person behind a number knows.
LAST_TEXTS = Statement(
    select(tenant.c.name, func.max(message.c.sent_at))
    .select_from(message)
    .join(subject, subject.c.id == message.c.subject_id)
    .join(tenant, tenant.c.id == message.c.tenant_id)
    .where(
        subject.c.all_index == bindparam("all_index"),
        message.c.sent_at.is_not(None),
        message.c.exempt.is_not(True),
    )
    .group_by(tenant.c.name)
)
_OVER = Statement(
    select(identity_check.c.message_id).where(
        identity_check.c.message_id.is_not(None),
        or_(
            identity_check.c.passed_at.is_not(None), identity_check.c.expires_at < bindparam("now")
        ),
    )
)
_EMPTY = Statement(update(body).where(among(body.c.message_id, "ids")).values(text="", origin=""))
_UNLINK = Statement(
    update(identity_check).where(among(identity_check.c.message_id, "ids")).values(message_id=None)
)


def start_code(items: Sequence[StartCode]) -> Script:
    """`Moved` an item; None where this person has had too many codes lately."""
    results: list[Moved | None] = []
    for item in items:
        results.append((yield from _start(item)))
    return results


def _start(item: StartCode) -> Script:
    now = item.check.now
    hour = yield Rows(_SENT, {"token": item.token, "since": now - 3600.0})
    day = yield Rows(_SENT, {"token": item.token, "since": now - 86400.0})
    if hour[0][0] >= item.an_hour or day[0][0] >= item.a_day:
        return None
    moved = yield from move(item.then)
    if moved.done:
        if item.prepared is not None:
            yield from store_submissions([item.prepared])
        yield from add_check(item.dsr_id, item.check)
    return moved


def pass_code(items: Sequence[PassCode]) -> Script:
    """(PASSED | WRONG | OVER, `Moved` or None) an item."""
    results: list[tuple[str, Moved | None]] = []
    for item in items:
        results.append((yield from _pass(item)))
    return results


def _pass(item: PassCode) -> Script:
    found = yield Rows(_NEWEST, {"id": item.dsr_id})
    if not found:
        return OVER, None
    number, kept, tries, expires_at, passed_at = found[0]
    if passed_at is not None or expires_at <= item.now or tries >= item.tries:
        return OVER, None
    yield Do(_TRIED, {"c_id": number})
    if kept != item.otp_hmac:
        return WRONG, None
    yield Do(_PASSED, {"c_id": number, "c_at": item.now})
    return PASSED, (yield from move(item.then))


def pass_fact(items: Sequence[PassFact]) -> Script:
    """(PASSED | WRONG | OVER, `Moved` or None) an item."""
    results: list[tuple[str, Moved | None]] = []
    for item in items:
        results.append((yield from _fact(item)))
    return results


def _fact(item: PassFact) -> Script:
    tried = yield Rows(_FACTS_TRIED, {"id": item.dsr_id, "since": item.since})
    if tried[0][0] >= item.tries:
        return OVER, None
    check = Check("second-fact", item.now, item.now, passed=item.right)
    yield from add_check(item.dsr_id, check)
    if not item.right:
        return WRONG, None
    return PASSED, (yield from move(item.then))


def forget_codes(items: Sequence[float]) -> Script:
    """Empty the SMS of codes that are over; how many."""
    found = yield Rows(_OVER, {"now": items[0]})
    if found:
        over = Values(row[0] for row in found)
        yield Do(_EMPTY, {"ids": over})
        yield Do(_UNLINK, {"ids": over})
    return [len(found)] * len(items)


# Restriction (Art. 18)


@dataclass(frozen=True, slots=True)
class Restrict:
    """A person's data may be kept, and not used, for the sake of a request; or used again."""

    dsr_id: int
    ground: str
    actor: str
    wish: Suppress  # in purpose "restricted", by which sending stops
    on: bool = True


_RESTRICTED = Statement(
    select(restriction.c.dsr_id).where(
        restriction.c.token == bindparam("token"), restriction.c.off_at.is_(None)
    )
)
#: The tokens of everybody who is restricted.
RESTRICTED_TOKENS = Statement(
    select(restriction.c.token).where(restriction.c.off_at.is_(None)).distinct()
)
_RESTRICTION_ADD = insert(
    restriction, ("tenant_id", "dsr_id", "token", "ground", "on_by", "on_at", "off_by")
)
_RESTRICTION_OFF = Statement(
    update(restriction)
    .where(
        restriction.c.token == bindparam("r_token"),
        restriction.c.dsr_id == bindparam("r_dsr"),
        restriction.c.off_at.is_(None),
    )
    .values(off_at=bindparam("r_at"), off_by=bindparam("r_by"))
)


def restrict_all(items: Sequence[Restrict]) -> Script:
    """(whether something changed, the people bound) an item.

    Several cases may restrict one person: the last that ends ends it.
    """
    results = []
    for item in items:
        change = _restrict(item) if item.on else _unrestrict(item)
        results.append((yield from change))
    return results


def _restrict(item: Restrict) -> Script:
    wish = item.wish
    found = yield Rows(_RESTRICTED, {"token": wish.token})
    if item.dsr_id in {row[0] for row in found}:
        return False, NOBODY
    row = {
        "tenant_id": wish.tenant_id,
        "dsr_id": item.dsr_id,
        "token": wish.token,
        "ground": item.ground,
        "on_by": item.actor,
        "on_at": wish.now,
        "off_by": "",
    }
    yield Many(_RESTRICTION_ADD, [row])
    bound, _ = yield from suppress(wish)
    return True, bound


def _unrestrict(item: Restrict) -> Script:
    wish = item.wish
    values = {"r_token": wish.token, "r_dsr": item.dsr_id, "r_at": wish.now, "r_by": item.actor}
    ended = yield Do(_RESTRICTION_OFF, values)
    if not ended:
        return False, NOBODY
    if not (yield Rows(_RESTRICTED, {"token": wish.token})):
        yield from lift([wish.token], wish.source, wish.now, wish.purpose)
    return True, NOBODY


# A number changes hands


@dataclass(frozen=True, slots=True)
class Reassigned:
    """A number is known to have another owner since `at` (P51)."""

    token: str
    actor: str
    evidence: str
    at: float


_REASSIGNED_ADD = insert(reassignment, ("token", "actor", "evidence", "at"))
#: When a number last changed hands; None where nobody knows of it.
OWNED_SINCE = Statement(
    select(func.max(reassignment.c.at)).where(among(reassignment.c.token, "tokens"))
)


def reassign(items: Sequence[Reassigned]) -> Script:
    """Keep that numbers have changed hands."""
    rows = [{"token": i.token, "actor": i.actor, "evidence": i.evidence, "at": i.at} for i in items]
    yield Many(_REASSIGNED_ADD, rows)
    return [None] * len(items)
