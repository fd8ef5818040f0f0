"""What a tenant claims the deletion of is hidden at once, and goes when its time comes (P1)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, Text, bindparam, cast, exists, not_, update

from bridge.store.retention_tables import deletion_claim
from bridge.store.sql import Statement, among, constant

#: Between a name that was set aside and its row's id: no name that a tenant gives has it.
MARK = " #"


def unclaimed(table: Table) -> ColumnElement[bool]:
    """Not older than a claim of the row's tenant."""
    claims = exists().where(
        deletion_claim.c.tenant_id == table.c.tenant_id,
        deletion_claim.c.kind == constant("claim"),
        deletion_claim.c.claimed_at >= table.c.created_at,
    )
    return not_(claims)


def set_aside(table: Table) -> Statement:
    """Make names free that claimed rows still have: of `a_tenant`, those among `names`."""
    return Statement(
        update(table)
        .where(
            table.c.tenant_id == bindparam("a_tenant"),
            among(table.c.name, "names"),
            not_(unclaimed(table)),
        )
        .values(name=table.c.name + bindparam("a_mark") + cast(table.c.id, Text))
    )
