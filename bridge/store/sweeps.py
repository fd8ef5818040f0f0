"""What time does: scheduled messages fall due, waiting ones expire, old keys and parts go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, select, text, update

from bridge.model import State
from bridge.store.cards import touch_cards
from bridge.store.claims import end_late, end_messages
from bridge.store.drafts import forget_drafts
from bridge.store.glimpses import forget_glimpses
from bridge.store.halts import HALTED
from bridge.store.mo_parts import REPEAT_SECONDS as HEARD_SECONDS
from bridge.store.sql import Do, Rows, Script, Statement, among, constant
from bridge.store.submissions import REPEAT_SECONDS as SEEN_SECONDS
from bridge.store.tables import OPEN, WAITING, callback, event, heard, message, notice, seen
from bridge.store.updates import forget_updates

CALLBACK_SECONDS = 72 * 3600.0
#: A message in doubt for so long is closed: no receipt of it can be matched any more.
UNKNOWN_SECONDS = 72 * 3600.0
PARTIAL_SECONDS = 600.0  # an MO whose missing parts have not come is delivered marked partial
BATCH = 500
#: Why a message was closed of which nobody ever heard whether it arrived.
NEVER_KNOWN = "never-known"

_RIPE = Statement(
    update(message)
    .where(
        text(OPEN), message.c.state == constant("scheduled"), message.c.due_at <= bindparam("now")
    )
    .values(state="queued")
    .returning(message.c.lane, message.c.id)
)
_LATE = Statement(
    select(message.c.id, message.c.resent)
    .where(text(WAITING), message.c.expires_at <= bindparam("now"))
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_DOUBTED = Statement(
    select(message.c.id)
    .where(
        text(OPEN),
        message.c.state == constant("unknown"),
        message.c.due_at <= bindparam("before"),
        ~select(event.c.id)
        .where(
            event.c.message_id == message.c.id,
            event.c.kind == constant("unknown"),
            event.c.at > bindparam("before"),
        )
        .exists(),
    )
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_SEEN_OLD = Statement(delete(seen).where(seen.c.at < bindparam("before")))
_HEARD_OLD = Statement(delete(heard).where(heard.c.at < bindparam("before")))
_CALLBACKS_OLD = Statement(delete(callback).where(callback.c.at < bindparam("before")))
PARTIAL = Statement(
    select(callback.c.key, callback.c.carrier, callback.c.payload)
    .where(callback.c.kind == constant("part"), callback.c.at < bindparam("before"))
    .order_by(callback.c.id)
    .limit(BATCH)
)
DUE_LANES = Statement(
    select(message.c.lane, func.count(), func.min(message.c.due_at))
    .where(message.c.state == constant("queued"), message.c.due_at <= bindparam("now"))
    .group_by(message.c.lane)
)
#: The same, without what is halted and meant to wait.
DUE_MOVING = Statement(
    select(message.c.lane, func.count(), func.min(message.c.due_at))
    .where(
        message.c.state == constant("queued"),
        message.c.due_at <= bindparam("now"),
        message.c.tenant_id.not_in(HALTED),
    )
    .group_by(message.c.lane)
)
NEXT_DUE = Statement(
    select(message.c.due_at)
    .where(among(message.c.lane, "lanes"), message.c.state == constant("queued"))
    .order_by(message.c.due_at)
    .limit(1)
)
DUE_NOTICES = Statement(
    select(notice.c.edge, func.min(notice.c.due_at))
    .where(notice.c.state == constant("due"), notice.c.due_at <= bindparam("now"))
    .group_by(notice.c.edge)
)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found."""

    lanes: frozenset[str]  # lanes whose scheduled messages fell due
    expired: int  # also those that were in doubt for too long


def sweep(items: Sequence[float]) -> Script:
    """A `Swept` an item (all the same)."""
    now = items[0]
    ripe = yield Rows(_RIPE, {"now": now})
    if ripe:
        yield from touch_cards([row[1] for row in ripe], now)
    late = yield Rows(_LATE, {"now": now})
    if late:
        yield from end_late({row[0]: row[1] for row in late}, now)
    doubted = yield Rows(_DOUBTED, {"before": now - UNKNOWN_SECONDS})
    if doubted:
        yield from end_messages([r[0] for r in doubted], State.EXPIRED, NEVER_KNOWN, now)
    swept = Swept(frozenset(row[0] for row in ripe), len(late) + len(doubted))
    return [swept] * len(items)


def tidy(items: Sequence[float]) -> Script:
    """Drop keys that have served and callbacks past their 72 hours; how many."""
    now = items[0]
    gone = yield Do(_SEEN_OLD, {"before": now - SEEN_SECONDS})
    gone += yield Do(_HEARD_OLD, {"before": now - HEARD_SECONDS})
    gone += yield Do(_CALLBACKS_OLD, {"before": now - CALLBACK_SECONDS})
    gone += yield from forget_updates(now)
    gone += yield from forget_drafts(now)
    gone += yield from forget_glimpses(now)
    return [gone] * len(items)
