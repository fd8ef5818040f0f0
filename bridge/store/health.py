"""What tells whether a carrier's work goes on."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from bridge.store.sql import Statement, constant
from bridge.store.tables import attempt, carrier_lease

#: A part that a carrier answered, among those that left at or after the time of the id `since`.
ANSWERED_SINCE = Statement(
    select(attempt.c.id)
    .where(
        attempt.c.id >= bindparam("since"),
        attempt.c.carrier == bindparam("carrier"),
        attempt.c.state != constant("claimed"),
    )
    .limit(1)
)


#: The binds that some process owns now, and whether they stood when it last told.
BINDS = Statement(
    select(carrier_lease.c.carrier, carrier_lease.c.up).where(
        carrier_lease.c.until > bindparam("now")
    )
)


def id_at(when: float) -> int:
    """The smallest id that can have been made at that Unix time (see `store.ids`)."""
    return max(0, int(when * 1000)) << 21
