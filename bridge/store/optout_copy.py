"""What the copy of the opt-outs is made from, and what says how much of it a database has."""

from __future__ import annotations

from sqlalchemy import bindparam, func, or_, select

from bridge.store.sql import Statement, among
from bridge.store.tables import suppression

#: (id, scope, tenant, programme, token, pepper, purpose, source, created, lifted) of what is new:
#: the highest ids, and what was lifted lately.
COPIED = Statement(
    select(
        suppression.c.id,
        suppression.c.scope,
        suppression.c.tenant_id,
        suppression.c.programme_id,
        suppression.c.token,
        suppression.c.pepper_version,
        suppression.c.purpose,
        suppression.c.source,
        suppression.c.created_at,
        suppression.c.lifted_at,
    )
    .where(
        or_(
            suppression.c.id > bindparam("after"),
            suppression.c.lifted_at > bindparam("since"),
        )
    )
    .order_by(suppression.c.id)
)
NEWEST = Statement(select(func.coalesce(func.max(suppression.c.id), 0)))
#: (id) of those that there are.
THERE = Statement(select(suppression.c.id).where(among(suppression.c.id, "ids")))
