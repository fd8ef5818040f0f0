"""How much of a tenant's data there is: counts only, for assessments (PRIVACY P20)."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from bridge.store.sql import Statement
from bridge.store.tables import message, subject

#: (messages, people written to) of a tenant since a moment.
WRITTEN = Statement(
    select(func.count(), func.count(message.c.subject_id.distinct())).where(
        message.c.tenant_id == bindparam("tenant"), message.c.created_at >= bindparam("since")
    )
)
#: How many people a tenant has written to that are still known, by country.
PEOPLE = Statement(
    select(subject.c.country, func.count())
    .where(subject.c.tenant_id == bindparam("tenant"))
    .group_by(subject.c.country)
    .order_by(subject.c.country)
)
