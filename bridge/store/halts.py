"""What is stopped, as who stores and claims asks: keys or a process in, yes or no out."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, exists, select, text

from bridge.store.brake_tables import STANDING, brake
from bridge.store.sql import Statement, among, constant
from bridge.store.tables import incarnation

RANGE, SENDER, HALT = "range", "sender", "halt"
#: The tenant of a halt of everything.
EVERYBODY: Final = 0

#: (kind, key) of what is stopped among these keys.
SHUT = Statement(
    select(brake.c.kind, brake.c.key).where(
        text(STANDING),
        brake.c.kind.in_([constant(RANGE), constant(SENDER)]),
        among(brake.c.key, "keys"),
    )
)
IS_HALT = (brake.c.kind == constant(HALT), text(STANDING))
#: The tenants of which nothing leaves.
HALTED = select(brake.c.tenant_id).where(*IS_HALT)
HALTS = Statement(HALTED)
#: As `journal.ALIVE`, with whether anything is halted.
ALIVE = Statement(
    select(incarnation.c.id, exists(select(brake.c.id).where(*IS_HALT)))
    .where(incarnation.c.id == bindparam("me"))
    .with_for_update(read=True, of=incarnation)
)
