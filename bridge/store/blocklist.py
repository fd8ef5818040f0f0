"""Whom the operator or a tenant does not write to: numbers, prefixes, countries; put and lifted.

A list apart from the opt-outs: those are people's own wishes, this is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from bridge.store.list_tables import blocked
from bridge.store.sql import Do, Many, Rows, Script, Statement, constant, insert_new
from bridge.store.tables import tenant


@dataclass(frozen=True, slots=True)
class Block:
    """What is not written to; `tenant_id` 0 means the whole bridge."""

    tenant_id: int
    kind: str  # "number" | "prefix" | "country"
    value: str  # a number's token; digits with their plus; an ISO country
    reason: str
    actor: str
    now: float
    pepper_version: int = 1


@dataclass(frozen=True, slots=True)
class Unblock:
    """What may be written to again; `values` are a number's tokens under every pepper."""

    tenant_id: int
    values: tuple[str, ...]
    now: float


_ADD = insert_new(
    blocked,
    (
        "scope",
        "tenant_id",
        "kind",
        "value",
        "pepper_version",
        "reason",
        "actor",
        "created_at",
    ),
)
_STANDS = Statement(
    select(blocked.c.id).where(
        blocked.c.value == bindparam("value"),
        blocked.c.tenant_id == bindparam("tenant"),
        blocked.c.lifted_at.is_(None),
    )
)
_LIFT = Statement(
    update(blocked)
    .where(
        blocked.c.value == bindparam("b_value"),
        blocked.c.tenant_id == bindparam("b_tenant"),
        blocked.c.lifted_at.is_(None),
    )
    .values(lifted_at=bindparam("now"))
)
_MOVE = Statement(
    update(blocked)
    .where(
        blocked.c.value == bindparam("b_old"),
        blocked.c.kind == constant("number"),
        blocked.c.lifted_at.is_(None),
    )
    .values(value=bindparam("b_new"), pepper_version=bindparam("b_version"))
)
#: What has changed since a look: its id.
BLOCK_CHANGES = Statement(
    select(blocked.c.id).where(
        or_(blocked.c.id > bindparam("after"), blocked.c.lifted_at > bindparam("since"))
    )
)
#: (tenant, kind, value) of what stands.
BLOCKED = Statement(
    select(blocked.c.tenant_id, blocked.c.kind, blocked.c.value).where(
        blocked.c.lifted_at.is_(None)
    )
)
#: (tenant's name, kind, value, reason, actor, created_at, tenant) of what stands, oldest first.
BLOCKS = Statement(
    select(
        tenant.c.name,
        blocked.c.kind,
        blocked.c.value,
        blocked.c.reason,
        blocked.c.actor,
        blocked.c.created_at,
        blocked.c.tenant_id,
    )
    .outerjoin(tenant, tenant.c.id == blocked.c.tenant_id)
    .where(blocked.c.lifted_at.is_(None))
    .order_by(blocked.c.id)
)


def block_all(items: Sequence[Block]) -> Script:
    """True an item that was not blocked before."""
    results = []
    for item in items:
        there = yield Rows(_STANDS, {"value": item.value, "tenant": item.tenant_id})
        if not there:
            yield Many(_ADD, [_row(item)])
        results.append(not there)
    return results


def _row(item: Block) -> dict[str, Any]:
    return {
        "scope": "tenant" if item.tenant_id else "operator",
        "tenant_id": item.tenant_id,
        "kind": item.kind,
        "value": item.value,
        "pepper_version": item.pepper_version,
        "reason": item.reason,
        "actor": item.actor,
        "created_at": item.now,
    }


def unblock_all(items: Sequence[Unblock]) -> Script:
    """True an item that was blocked."""
    results = []
    for item in items:
        count = 0
        for value in item.values:
            row = {"b_value": value, "b_tenant": item.tenant_id, "now": item.now}
            count += yield Do(_LIFT, row)
        results.append(count > 0)
    return results


@dataclass(frozen=True, slots=True)
class MoveBlocks:
    """Numbers that were found under an older pepper (old token → new)."""

    moves: Mapping[str, str]
    version: int


def move_blocks(items: Sequence[MoveBlocks]) -> Script:
    """Put them under the newest pepper (PRIVACY P64)."""
    for item in items:
        for old, new in sorted(item.moves.items()):
            yield Do(_MOVE, {"b_old": old, "b_new": new, "b_version": item.version})
    return [None] * len(items)
