"""Who may use the chats: an invitation and its code's hash come in, an enrolled person goes out.

A person is bound to an identity of a chat by a code of single use. Nothing tells a code that is
wrong from one that is used, over, or another tenant's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Text, bindparam, delete, func, or_, select, update

from bridge.store import ids
from bridge.store.audit import Entry, append
from bridge.store.chat_tables import enrol_try, glimpse, invitation, staff
from bridge.store.sql import Do, Many, Row, Rows, Script, Statement, insert
from bridge.store.tables import tenant

#: So many codes that did not fit, in so many seconds, and the next one is not looked at.
TRIES = 5
TRIES_SECONDS = 900.0
TRIES_KEPT_SECONDS = 86400.0
INVITATIONS_KEPT_SECONDS = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is enrolled, and the identity in a chat by which they are known."""

    id: int
    tenant_id: int
    name: str
    role: str
    edge: str  # "slack" | "telegram"
    team: str  # empty in Telegram
    person: str
    #: Unless somebody confirms the grant before, it ends then (P59); None: nobody has said.
    review_due: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Invite:
    """A code for one named person; `hash` is all that is kept of it."""

    tenant_id: int
    role: str
    name: str
    hash: str
    now: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Redeem:
    """What somebody typed as a code. `id` is for the enrolment; tenant 0: any tenant's code."""

    id: int
    hash: str
    edge: str
    team: str
    person: str
    tenant_id: int
    now: float
    review_due: float | None = None


@dataclass(frozen=True, slots=True)
class Redeemed:
    """Who is enrolled now; or nobody, and why: "unknown" or "throttled"."""

    person: Person | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Revoke:
    """An enrolment is to end."""

    id: int
    actor: str
    now: float


@dataclass(frozen=True, slots=True)
class CloseAll:
    """Everybody's access is to end; with a tenant, that of its people alone."""

    actor: str
    now: float
    tenant_id: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """How many ended: enrolments, invitations, and links that show a text."""

    staff: int
    invitations: int
    links: int


#: The fields of `Person`, in order.
_COLUMNS = (
    staff.c.id,
    staff.c.tenant_id,
    staff.c.name,
    staff.c.role,
    staff.c.edge,
    staff.c.team,
    staff.c.person,
    staff.c.review_due,
)
_ENROLLED = (
    select(*_COLUMNS)
    .join(tenant, tenant.c.id == staff.c.tenant_id)
    .where(staff.c.revoked_at.is_(None), tenant.c.closed_at.is_(None))
)
#: Who stands behind an identity, of an open tenant.
PERSON = Statement(
    _ENROLLED.where(
        staff.c.edge == bindparam("edge"),
        staff.c.team == bindparam("team"),
        staff.c.person == bindparam("person"),
    )
)
#: The same by the enrolment's id: nobody where it has ended.
PERSON_BY_ID = Statement(_ENROLLED.where(staff.c.id == bindparam("id")))
#: All enrolments, also ended ones and those of closed tenants; of one tenant by name, or with ""
#: of all: the columns of a person, then the tenant's name, created_at and revoked_at.
STAFF = Statement(
    select(*_COLUMNS, tenant.c.name, staff.c.created_at, staff.c.revoked_at)
    .join(tenant, tenant.c.id == staff.c.tenant_id)
    .where(or_(bindparam("tenant", type_=Text) == "", tenant.c.name == bindparam("tenant")))
    .order_by(staff.c.id)
)

_INVITE = insert(invitation, ("hash", "tenant_id", "role", "name", "created_at", "expires_at"))
_FAILED = Statement(
    select(func.count()).where(
        enrol_try.c.edge == bindparam("edge"),
        enrol_try.c.team == bindparam("team"),
        enrol_try.c.person == bindparam("person"),
        enrol_try.c.at > bindparam("since"),
    )
)
_TRY_ADD = insert(enrol_try, ("edge", "team", "person", "at"))
# Of two that come at once the second waits for the first one's row, and then finds it used.
_USE = Statement(
    update(invitation)
    .where(
        invitation.c.hash == bindparam("i_hash"),
        invitation.c.used_at.is_(None),
        invitation.c.expires_at > bindparam("i_now"),
        or_(
            bindparam("i_tenant", type_=BigInteger) == 0,
            invitation.c.tenant_id == bindparam("i_tenant", type_=BigInteger),
        ),
        invitation.c.tenant_id.in_(select(tenant.c.id).where(tenant.c.closed_at.is_(None))),
    )
    .values(used_at=bindparam("i_now"))
    .returning(invitation.c.tenant_id, invitation.c.name, invitation.c.role)
)
_REPLACE = Statement(
    update(staff)
    .where(
        staff.c.edge == bindparam("s_edge"),
        staff.c.team == bindparam("s_team"),
        staff.c.person == bindparam("s_person"),
        staff.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("s_now"))
)
_ENROL = insert(staff, (*(column.name for column in _COLUMNS), "created_at"))
_REVOKE = Statement(
    update(staff)
    .where(staff.c.id == bindparam("s_id"), staff.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("s_now"))
    .returning(staff.c.id, staff.c.tenant_id)
)
_TENANT = bindparam("of_tenant", type_=BigInteger)
_REVOKE_ALL = Statement(
    update(staff)
    .where(staff.c.revoked_at.is_(None), or_(_TENANT == 0, staff.c.tenant_id == _TENANT))
    .values(revoked_at=bindparam("s_now"))
    .returning(staff.c.id, staff.c.tenant_id)
)
# Their time ends at 0 and not now: the clock of another machine may be behind.
_END_INVITATIONS = Statement(
    update(invitation)
    .where(
        invitation.c.used_at.is_(None),
        invitation.c.expires_at > bindparam("i_now"),
        or_(_TENANT == 0, invitation.c.tenant_id == _TENANT),
    )
    .values(expires_at=0.0)
)
_END_LINKS = Statement(
    update(glimpse)
    .where(
        glimpse.c.used_at.is_(None),
        glimpse.c.expires_at > bindparam("g_now"),
        or_(_TENANT == 0, glimpse.c.tenant_id == _TENANT),
    )
    .values(expires_at=0.0)
)
_TRIES_OLD = Statement(delete(enrol_try).where(enrol_try.c.at < bindparam("before")))
_INVITATIONS_OLD = Statement(
    delete(invitation).where(
        invitation.c.created_at < bindparam("before"),
        or_(invitation.c.used_at.is_not(None), invitation.c.expires_at < bindparam("before")),
    )
)


def person_of(row: Row) -> Person:
    """The person that a row begins with."""
    return Person(*row[: len(_COLUMNS)])


def invite(items: Sequence[Invite]) -> Script:
    """Keep the invitations; nothing an item."""
    yield Many(
        _INVITE,
        [
            {
                "hash": item.hash,
                "tenant_id": item.tenant_id,
                "role": item.role,
                "name": item.name,
                "created_at": item.now,
                "expires_at": item.expires_at,
            }
            for item in items
        ],
    )
    return [None] * len(items)


def redeem(items: Sequence[Redeem]) -> Script:
    """A `Redeemed` an item; the audit names each enrolment.

    Who is enrolled already is enrolled anew, as the new code says: the earlier enrolment ends.
    """
    results = []
    for item in items:
        results.append((yield from _redeem(item)))
    yield from append(
        [
            _enrolled(done.person, item.now)
            for item, done in zip(items, results, strict=True)
            if done.person is not None
        ]
    )
    return results


def _enrolled(person: Person, now: float) -> Entry:
    return Entry(actor_of(person), "enrolled", f"role={person.role}", now, person.tenant_id)


def actor_of(person: Person) -> str:
    """How the audit names somebody who is enrolled (P59)."""
    return f"staff {ids.show(person.id)}"


def _redeem(item: Redeem) -> Script:
    identity = {"edge": item.edge, "team": item.team, "person": item.person}
    failed = yield Rows(_FAILED, {**identity, "since": item.now - TRIES_SECONDS})
    if failed[0][0] >= TRIES:
        return Redeemed(None, "throttled")
    found = yield Rows(_USE, {"i_hash": item.hash, "i_now": item.now, "i_tenant": item.tenant_id})
    if not found:
        yield Many(_TRY_ADD, [{**identity, "at": item.now}])
        return Redeemed(None, "unknown")
    tenant_id, name, role = found[0]
    person = Person(
        item.id, tenant_id, name, role, item.edge, item.team, item.person, item.review_due
    )
    yield from _enrol(person, item.now)
    return Redeemed(person)


def _enrol(person: Person, now: float) -> Script:
    before = {"s_edge": person.edge, "s_team": person.team, "s_person": person.person}
    yield Do(_REPLACE, {**before, "s_now": now})
    row = {column.name: getattr(person, column.name) for column in _COLUMNS}
    yield Many(_ENROL, [{**row, "created_at": now}])


_BURN = Statement(
    update(invitation)
    .where(invitation.c.hash == bindparam("i_hash"), invitation.c.used_at.is_(None))
    .values(expires_at=0.0)
)


def burn(items: Sequence[str]) -> Script:
    """End the codes with these hashes: others have read them."""
    for item in items:
        yield Do(_BURN, {"i_hash": item})
    return [None] * len(items)


def revoke(items: Sequence[Revoke]) -> Script:
    """True an item whose enrolment stood until now; the audit names it."""
    results, entries = [], []
    for item in items:
        ended = yield Rows(_REVOKE, {"s_id": item.id, "s_now": item.now})
        entries += [_entry(item, "staff revoke", *row) for row in ended]
        results.append(bool(ended))
    yield from append(entries)
    return results


def close_all(items: Sequence[CloseAll]) -> Script:
    """A `Closed` an item; the audit has a line for the act, and one for each enrolment."""
    results = []
    for item in items:
        results.append((yield from _close_all(item)))
    return results


def _close_all(item: CloseAll) -> Script:
    # Invitations first: this waits for whoever redeems one, and then finds their enrolment.
    whose = {"of_tenant": item.tenant_id}
    invitations = yield Do(_END_INVITATIONS, {"i_now": item.now, **whose})
    ended = yield Rows(_REVOKE_ALL, {"s_now": item.now, **whose})
    links = yield Do(_END_LINKS, {"g_now": item.now, **whose})
    closed = Closed(len(ended), invitations, links)
    reason = f"staff={closed.staff} invitations={invitations} links={links}"
    act = Entry(item.actor, "access close-all", reason, item.now, item.tenant_id)
    yield from append([act, *(_entry(item, "access close-all", *row) for row in ended)])
    return closed


def _entry(item: Revoke | CloseAll, action: str, staff_id: int, tenant_id: int) -> Entry:
    return Entry(item.actor, action, f"id={ids.show(staff_id)}", item.now, tenant_id)


def tidy_staff(items: Sequence[float]) -> Script:
    """Drop old tries and invitations that have served; how many."""
    now = items[0]
    gone = yield Do(_TRIES_OLD, {"before": now - TRIES_KEPT_SECONDS})
    gone += yield Do(_INVITATIONS_OLD, {"before": now - INVITATIONS_KEPT_SECONDS})
    return [gone] * len(items)
