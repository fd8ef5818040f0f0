"""A tenant's programmes: a name, and the keyword that opts out of it alone; made and listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from bridge.store.list_tables import programme
from bridge.store.sql import Many, Rows, Script, Statement, insert_new
from bridge.store.tables import tenant


@dataclass(frozen=True, slots=True)
class Programme:
    """What of a tenant's messages people may opt out of by itself."""

    id: int
    tenant_id: int
    name: str
    keyword: str  # "STOP <keyword>"; "" for none


@dataclass(frozen=True, slots=True)
class ProgrammeIn:
    """A programme on its way in."""

    tenant_id: int
    name: str
    keyword: str
    now: float


_ADD = insert_new(programme, ("tenant_id", "name", "keyword", "created_at"))
_FIND = Statement(
    select(programme.c.id, programme.c.keyword).where(
        programme.c.tenant_id == bindparam("tenant"), programme.c.name == bindparam("name")
    )
)
#: (id, tenant, name, keyword), of tenants that are open.
PROGRAMMES = Statement(
    select(programme.c.id, programme.c.tenant_id, programme.c.name, programme.c.keyword)
    .join(tenant, tenant.c.id == programme.c.tenant_id)
    .where(tenant.c.closed_at.is_(None))
    .order_by(programme.c.id)
)


def add_programmes(items: Sequence[ProgrammeIn]) -> Script:
    """The `Programme` that has each name now; one that stood there keeps its keyword."""
    results = []
    for item in items:
        row = {
            "tenant_id": item.tenant_id,
            "name": item.name,
            "keyword": item.keyword,
            "created_at": item.now,
        }
        yield Many(_ADD, [row])
        found = yield Rows(_FIND, {"tenant": item.tenant_id, "name": item.name})
        results.append(Programme(found[0][0], item.tenant_id, item.name, found[0][1]))
    return results
