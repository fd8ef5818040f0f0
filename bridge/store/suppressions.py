"""Our list not to text: suppress, lift, look up. Tokens only; a number is never stored here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from bridge.model import State
from bridge.store.claims import end_messages
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


@dataclass(frozen=True, slots=True)
class Suppress:
    """A wish not to be texted."""

    tenant_id: int  # 0 in scope "all"
    token: str
    scope: str  # "tenant" | "all"
    source: str
    now: float


@dataclass(frozen=True, slots=True)
class Lift:
    """A wish to be texted again."""

    tokens: tuple[str, ...]
    source: str
    now: float


_PEOPLE = Statement(
    select(subject.c.id)
    .where(
        or_(subject.c.phone_index == bindparam("token"), subject.c.all_index == bindparam("token"))
    )
    .with_for_update()
)
_ADD = insert_new(
    suppression, ("scope", "tenant_id", "token", "source", "created_at", "lift_source")
)
_ACTIVE = Statement(
    select(
        suppression.c.scope,
        suppression.c.source,
        suppression.c.created_at,
        suppression.c.token,
    ).where(among(suppression.c.token, "keys"), suppression.c.lifted_at.is_(None))
)
ACTIVE = _ACTIVE
#: What has changed on the list since a look: (id, token, lifted_at), oldest first.
CHANGES = Statement(
    select(suppression.c.id, suppression.c.token, suppression.c.lifted_at)
    .where(
        or_(
            suppression.c.id > bindparam("after"),
            suppression.c.lifted_at > bindparam("since"),
        )
    )
    .order_by(suppression.c.id)
)
_WAITING = Statement(
    select(message.c.id).where(
        among(message.c.subject_id, "people"),
        message.c.state.in_([constant("queued"), constant("scheduled"), constant("held")]),
        message.c.exempt.is_not(True),
    )
)
_LIFT = Statement(
    update(suppression)
    .where(among(suppression.c.token, "keys"), suppression.c.lifted_at.is_(None))
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
    )
    .limit(1)
)


def suppress(item: Suppress) -> Script:
    """The subjects it binds, and whether it is new. Their waiting messages are cancelled."""
    people = yield Rows(_PEOPLE, {"token": item.token})
    ids = tuple(row[0] for row in people)
    before = yield Rows(_ACTIVE, {"keys": Values([item.token])})
    if not before:
        row: dict[str, Any] = {
            "scope": item.scope,
            "tenant_id": item.tenant_id,
            "token": item.token,
            "source": item.source,
            "created_at": item.now,
            "lift_source": "",
        }
        yield Many(_ADD, [row])
    if ids:
        waiting = yield Rows(_WAITING, {"people": Values(ids)})
        if waiting:
            numbers = [row[0] for row in waiting]
            yield from end_messages(numbers, State.SUPPRESSED, "opted-out", item.now)
    return ids, not before


def lift(tokens: Sequence[str], source: str, now: float) -> Script:
    """How many suppressions ended."""
    values = {"keys": Values(tokens), "now": now, "source": source}
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
        results.append((yield from lift(item.tokens, item.source, item.now)))
    return results
