"""A clock that was set back: what was stored before is not kept waiting for the old time to return.

Who wrote for a later time still waits for that: it is later than the message itself. The list of a
carrier is read every night: none waits for longer than a day.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, update

from bridge.store.list_tables import carrier_list
from bridge.store.sql import Do, Script, Statement, constant
from bridge.store.tables import message, notice

#: Seconds by which clocks may differ, and for which a database that is held up may keep us waiting.
_ALLOWED = 60.0
_DAY = 86_400.0

_MESSAGES = Statement(
    update(message)
    .where(
        message.c.state == constant("queued"),
        message.c.due_at > bindparam("then"),
        message.c.created_at > bindparam("then"),
        (message.c.due_at <= message.c.created_at) | (message.c.tries > 0),
    )
    .values(due_at=bindparam("now"))
)
_NOTICES = Statement(
    update(notice)
    .where(
        notice.c.state == constant("due"),
        notice.c.due_at > bindparam("then"),
        notice.c.created_at > bindparam("then"),
    )
    .values(due_at=bindparam("now"))
)
_LISTS = Statement(
    update(carrier_list)
    .where(
        (carrier_list.c.next_at > bindparam("tomorrow"))
        | (carrier_list.c.until > bindparam("tomorrow"))
    )
    .values(next_at=bindparam("now"), until=0.0)
)


def due_again(items: Sequence[float]) -> Script:
    """What was stored in what is now the future is due now; how much of it there is."""
    now = items[0]
    then = {"now": now, "then": now + _ALLOWED}
    count = yield Do(_MESSAGES, then)
    count += yield Do(_NOTICES, then)
    count += yield Do(_LISTS, {"now": now, "tomorrow": now + _ALLOWED + _DAY})
    return [count] * len(items)
