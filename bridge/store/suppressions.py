"""Our list not to text: suppress, lift, look up. Tokens only; a number is never stored here.

A suppression has no end of its own (PRIVACY P45) and no reference to a person: it outlives erasure,
re-import and the closing of an account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Text, and_, bindparam, func, or_, select, update

from bridge.model import Class, State
from bridge.store.claims import end_messages
from bridge.store.list_tables import optout_link
from bridge.store.listed import ANY, OBJECTED, RESTRICTED, move_tokens
from bridge.store.sql import (
    Do,
    Many,
    Rows,
    Script,
    Statement,
    Values,
    among,
    constant,
    insert_new,
)
from bridge.store.tables import attempt, message, subject, suppression

#: What people of the operator or a tenant have entered, and may have entered by mistake. All else
#: is a person's own wish, or a right of theirs: nobody else takes that back (PRIVACY P40).
ENTERED: Final = frozenset({"operator", "import", "staff"})


@dataclass(frozen=True, slots=True)
class Suppress:
    """A wish not to be texted.

    In scope "programme" `token` is the programme's, and `person` the tenant's token of the number.
    `moves` are the number's tokens under older peppers, each with the newest (`Keyring.moved`).
    """

    tenant_id: int  # 0 in scope "all"
    token: str
    scope: str  # "tenant" | "programme" | "all"
    source: str
    now: float
    purpose: str = ANY
    pepper_version: int = 1
    programme: int = 0
    person: str = ""
    moves: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lift:
    """A wish to be texted again; with `purpose` of this kind alone."""

    tokens: tuple[str, ...]
    source: str
    now: float
    purpose: str = ""


class Bound(tuple[int, ...]):  # noqa: SLOT001 - a tuple can have no filled slots
    """The people whom a suppression binds, and what of theirs it stops.

    Plain ids, where somebody gives no more than those, are bound in everything.
    """

    purpose: str = ANY
    programme: str = ""
    #: How many messages that waited were cancelled.
    cancelled: int = 0

    @classmethod
    def of(
        cls, people: Iterable[int], purpose: str = ANY, programme: str = "", cancelled: int = 0
    ) -> Bound:
        """These people."""
        if isinstance(people, Bound):
            return people
        made = cls(people)
        made.purpose, made.programme, made.cancelled = purpose, programme, cancelled
        return made

    def binds(self, klass: str, programme: str) -> bool:
        """Whether a message to one of them is stopped."""
        wide = self.purpose == ANY or klass == Class.MARKETING
        return wide and self.programme in ("", programme)


NOBODY: Final = Bound()

_PEOPLE = Statement(
    select(subject.c.id)
    .where(
        or_(subject.c.phone_index == bindparam("token"), subject.c.all_index == bindparam("token"))
    )
    .order_by(subject.c.id)
    .with_for_update(key_share=True)
)
#: New rows of the list.
ADD = insert_new(
    suppression,
    (
        "scope",
        "tenant_id",
        "programme_id",
        "token",
        "pepper_version",
        "purpose",
        "source",
        "created_at",
        "lift_source",
    ),
)
_ACTIVE = Statement(
    select(
        suppression.c.scope,
        suppression.c.source,
        suppression.c.created_at,
        suppression.c.token,
        suppression.c.purpose,
    ).where(among(suppression.c.token, "keys"), suppression.c.lifted_at.is_(None))
)
#: (scope, source, created_at, token, purpose) of what stands.
ACTIVE = _ACTIVE
#: What has changed on the list since a look: (id, token, lifted_at, purpose), oldest first.
CHANGES = Statement(
    select(suppression.c.id, suppression.c.token, suppression.c.lifted_at, suppression.c.purpose)
    .where(
        or_(
            suppression.c.id > bindparam("after"),
            suppression.c.lifted_at > bindparam("since"),
        )
    )
    .order_by(suppression.c.id)
)
#: (token, purpose, scope, source, created_at, id) of a tenant's list, in pages.
LIST = Statement(
    select(
        suppression.c.token,
        suppression.c.purpose,
        suppression.c.scope,
        suppression.c.source,
        suppression.c.created_at,
        suppression.c.id,
    )
    .where(
        suppression.c.tenant_id == bindparam("tenant"),
        suppression.c.lifted_at.is_(None),
        suppression.c.id > bindparam("after"),
    )
    .order_by(suppression.c.id)
    .limit(bindparam("most"))
)
#: How many suppressions stand under each pepper.
VERSIONS = Statement(
    select(suppression.c.pepper_version, func.count())
    .where(suppression.c.lifted_at.is_(None))
    .group_by(suppression.c.pepper_version)
)
# Locked: what another process has just ended, as expired or sent elsewhere, stays as it is.
_WAITING = Statement(
    select(message.c.id, message.c["class"], message.c.programme_index)
    .where(
        among(message.c.subject_id, "people"),
        message.c.state.in_([constant("queued"), constant("scheduled"), constant("held")]),
        message.c.exempt.is_not(True),
    )
    .order_by(message.c.id)
    .with_for_update()
)
_LIFT = Statement(
    update(suppression)
    .where(
        among(suppression.c.token, "keys"),
        suppression.c.lifted_at.is_(None),
        or_(
            and_(
                bindparam("purpose", type_=Text()) == constant(""),
                suppression.c.purpose != constant(RESTRICTED),
            ),
            suppression.c.purpose == bindparam("purpose", type_=Text()),
        ),
    )
    .values(lifted_at=bindparam("now"), lift_source=bindparam("source"))
)
#: Parts to these people that other processes have claimed and not yet heard of.
IN_FLIGHT = Statement(
    select(attempt.c.id)
    .join(message, message.c.id == attempt.c.message_id)
    .where(
        attempt.c.state == constant("claimed"),
        attempt.c.incarnation != bindparam("me"),
        among(message.c.subject_id, "people"),
        message.c.exempt.is_not(True),
        or_(
            bindparam("purpose", type_=Text()) == constant(ANY),
            message.c["class"] == constant("marketing"),
        ),
        or_(
            bindparam("programme", type_=Text()) == constant(""),
            message.c.programme_index == bindparam("programme", type_=Text()),
        ),
    )
    .limit(1)
)
_LINK = Statement(
    select(optout_link.c.tenant_id, optout_link.c.token, optout_link.c.pepper_version).where(
        optout_link.c.hash == bindparam("hash")
    )
)
_LINK_USED = Statement(
    update(optout_link)
    .where(optout_link.c.hash == bindparam("o_hash"))
    .values(used_at=bindparam("now"))
)


def suppress(item: Suppress) -> Script:
    """`Bound`, and whether it is new. What waits and is stopped by it is cancelled."""
    if item.moves:
        yield from move_tokens(item.moves, item.pepper_version, item.now)
    people = yield Rows(_PEOPLE, {"token": item.person or item.token})
    ids = tuple(row[0] for row in people)
    before = yield Rows(_ACTIVE, {"keys": Values([item.token])})
    # Nobody's opt-out stands for a restriction: START may lift it.
    purpose, wider = item.purpose, {ANY, item.purpose}
    if item.purpose == OBJECTED:
        purpose = ANY
    if item.purpose == RESTRICTED:
        purpose, wider = ANY, {RESTRICTED}
    stood = bool({row[4] for row in before} & wider)
    if not stood:
        yield Many(ADD, [row_of(item)])
    bound = Bound.of(ids, purpose, item.token if item.scope == "programme" else "")
    if ids:
        waiting = yield Rows(_WAITING, {"people": Values(ids)})
        numbers = [row[0] for row in waiting if bound.binds(row[1], row[2])]
        if numbers:
            why = RESTRICTED if item.purpose == RESTRICTED else "opted-out"
            yield from end_messages(numbers, State.SUPPRESSED, why, item.now)
        bound.cancelled = len(numbers)
    return bound, not stood


def row_of(item: Suppress) -> dict[str, Any]:
    """A new row of the list."""
    return {
        "scope": item.scope,
        "tenant_id": item.tenant_id,
        "programme_id": item.programme,
        "token": item.token,
        "pepper_version": item.pepper_version,
        "purpose": item.purpose,
        "source": item.source,
        "created_at": item.now,
        "lift_source": "",
    }


def lift(tokens: Sequence[str], source: str, now: float, purpose: str = "") -> Script:
    """How many suppressions ended."""
    values = {"keys": Values(tokens), "now": now, "source": source, "purpose": purpose}
    return (yield Do(_LIFT, values))


def suppress_all(items: Sequence[Suppress]) -> Script:
    """`suppress` for each item."""
    results = []
    for item in items:
        results.append((yield from suppress(item)))
    return results


def lift_all(items: Sequence[Lift]) -> Script:
    """`lift` for each item."""
    results = []
    for item in items:
        results.append((yield from lift(item.tokens, item.source, item.now, item.purpose)))
    return results


@dataclass(frozen=True, slots=True)
class ByLink:
    """Somebody pressed the button behind an opt-out link."""

    hash: str
    purpose: str
    now: float


def suppress_by_link(items: Sequence[ByLink]) -> Script:
    """`suppress` for each item; None for a link that there never was."""
    results: list[Any] = []
    for item in items:
        found = yield Rows(_LINK, {"hash": item.hash})
        if not found:
            results.append(None)
            continue
        tenant_id, token, version = found[0]
        wish = Suppress(
            tenant_id, token, "tenant", "link", item.now, item.purpose, pepper_version=version
        )
        results.append((yield from suppress(wish)))
        yield Do(_LINK_USED, {"o_hash": item.hash, "now": item.now})
    return results
