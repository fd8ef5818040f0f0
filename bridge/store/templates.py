"""A tenant's texts to use again: they come in under a name, and go out by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update

from bridge.store.chat_tables import template
from bridge.store.claimed import unclaimed
from bridge.store.names import Put, hold
from bridge.store.sql import Do, Many, Rows, Script, Statement, insert


@dataclass(frozen=True, slots=True)
class TemplateIn:
    """A text under a name."""

    tenant_id: int
    name: str
    text: str
    now: float


#: (name, text) of a tenant's templates.
TEMPLATES = Statement(
    select(template.c.name, template.c.text)
    .where(template.c.tenant_id == bindparam("tenant_id"), unclaimed(template))
    .order_by(template.c.name)
)
#: (text) of one.
TEMPLATE = Statement(
    select(template.c.text).where(
        template.c.tenant_id == bindparam("tenant_id"),
        template.c.name == bindparam("name"),
        unclaimed(template),
    )
)
_ADD = insert(template)
_CHANGE = Statement(
    update(template)
    .where(template.c.tenant_id == bindparam("t_tenant"), template.c.name == bindparam("t_name"))
    .values(text=bindparam("t_text"))
)
_GONE = Statement(
    delete(template).where(
        template.c.tenant_id == bindparam("tenant_id"), template.c.name == bindparam("name")
    )
)


def put_templates(items: Sequence[TemplateIn]) -> Script:
    """A `Put` an item."""
    yield from hold(i.tenant_id for i in items)
    results = []
    for item in items:
        results.append((yield from _put(item)))
    return results


def _put(item: TemplateIn) -> Script:
    before = yield Rows(TEMPLATE, {"tenant_id": item.tenant_id, "name": item.name})
    if not before:
        # One that is claimed for deletion makes room (P1).
        yield Do(_GONE, {"tenant_id": item.tenant_id, "name": item.name})
        base = {"tenant_id": item.tenant_id, "name": item.name}
        yield Many(_ADD, [{**base, "text": item.text, "created_at": item.now}])
        return Put.ADDED
    if before[0][0] == item.text:
        return Put.SAME
    yield Do(_CHANGE, {"t_tenant": item.tenant_id, "t_name": item.name, "t_text": item.text})
    return Put.CHANGED


def remove_templates(items: Sequence[tuple[int, str]]) -> Script:
    """True an item (tenant, name) that was there."""
    results = []
    for tenant_id, name in items:
        results.append(bool((yield Do(_GONE, {"tenant_id": tenant_id, "name": name}))))
    return results
