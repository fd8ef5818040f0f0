"""What chats told us: stored before it is acknowledged, worked once, then emptied.

An update is leased to the process that works it; a dead process's updates are free again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ClauseElement, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.store.chat_tables import chat_update
from bridge.store.journal import ALIVE, give_back_own
from bridge.store.sql import Do, Rows, Script, Statement, Values, among

#: A chat tells again within minutes, at most hours, what it holds for unheard.
KEPT_SECONDS = 2 * 86400.0
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Update:
    """What a chat told, as it sent it: JSON."""

    id: int
    payload: str
    at: float
    tries: int


@dataclass(frozen=True, slots=True)
class StoreUpdate:
    """An update as it arrives; the process that stores it also works it."""

    edge: str
    key: str  # the chat's own, for what it tells twice
    payload: str
    now: float
    lease: int | None


@dataclass(frozen=True, slots=True)
class TakeUpdates:
    """Ask for updates that nobody works."""

    edge: str
    lease: int
    most: int = 100


@dataclass(frozen=True, slots=True)
class UpdateDone:
    """An update was worked; with `again` it is tried once more."""

    id: int
    now: float
    again: bool = False


@dataclass(frozen=True, slots=True)
class KeepAnswer:
    """An update was obeyed: what is to be told, whatever becomes of the process."""

    id: int
    answer: str


@dataclass(frozen=True, slots=True)
class GiveBackUpdates:
    """A write of updates whose commit was in doubt: those that nobody works are free again.

    It speaks of what had arrived `before`; a later one may be on its way into somebody's hands.
    """

    edge: str
    incarnation: int
    before: float
    keep: frozenset[int]


def _store(database: str) -> ClauseElement:
    insert = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(chat_update)
    names = ("edge", "key", "payload", "at", "lease")
    values = insert.values({name: bindparam(name) for name in names})
    clause: ClauseElement = values.on_conflict_do_nothing().returning(chat_update.c.id)
    return clause


_STORE = Statement(_store)
_FREE = Statement(
    select(chat_update.c.id, chat_update.c.payload, chat_update.c.at, chat_update.c.tries)
    .where(
        chat_update.c.edge == bindparam("edge"),
        chat_update.c.done_at.is_(None),
        chat_update.c.lease.is_(None),
    )
    .order_by(chat_update.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_TAKE = Statement(
    update(chat_update)
    .where(among(chat_update.c.id, "ids"))
    .values(lease=bindparam("u_lease"), tries=chat_update.c.tries + 1)
)
OPEN_UPDATE = Statement(
    select(chat_update.c.id)
    .where(chat_update.c.id == bindparam("id"), chat_update.c.done_at.is_(None))
    .with_for_update()
)
_DONE = Statement(
    update(chat_update)
    .where(chat_update.c.id == bindparam("u_id"), chat_update.c.done_at.is_(None))
    .values(done_at=bindparam("u_now"), payload="", answer="", lease=None)
)
#: What an update was answered already, "" for nothing.
KEPT_ANSWER = Statement(
    select(chat_update.c.answer).where(
        chat_update.c.id == bindparam("id"), chat_update.c.done_at.is_(None)
    )
)
_ANSWERED = Statement(
    update(chat_update)
    .where(chat_update.c.id == bindparam("u_id"), chat_update.c.done_at.is_(None))
    .values(answer=bindparam("answer"))
)
_AGAIN = Statement(
    update(chat_update)
    .where(chat_update.c.id == bindparam("u_id"), chat_update.c.done_at.is_(None))
    .values(lease=None)
)
_RELEASE = Statement(
    update(chat_update)
    .where(chat_update.c.done_at.is_(None), among(chat_update.c.lease, "dead"))
    .values(lease=None)
)
_OWN = Statement(
    select(chat_update.c.id).where(
        chat_update.c.edge == bindparam("edge"),
        chat_update.c.done_at.is_(None),
        chat_update.c.lease == bindparam("me"),
        chat_update.c.at <= bindparam("before"),
    )
)
_GIVE_BACK = Statement(
    update(chat_update)
    .where(among(chat_update.c.id, "ids"), chat_update.c.done_at.is_(None))
    .values(lease=None)
)
_OLD = Statement(delete(chat_update).where(chat_update.c.at < bindparam("before")))


def store_updates(items: Sequence[StoreUpdate]) -> Script:
    """The id of each update; None for one that was told before."""
    ids = []
    alive = yield from _alive({item.lease for item in items if item.lease is not None})
    for item in items:
        row = {
            "edge": item.edge,
            "key": item.key,
            "payload": item.payload,
            "at": item.now,
            "lease": item.lease if item.lease in alive else None,
        }
        added = yield Rows(_STORE, row)
        ids.append(added[0][0] if added else None)
    return ids


def _alive(leases: set[int]) -> Script:
    """Those whose process nobody takes for dead: what another one leases is never freed."""
    alive = set()
    for lease in sorted(leases):
        if (yield Rows(ALIVE, {"me": lease})):
            alive.add(lease)
    return alive


def take_updates(items: Sequence[TakeUpdates]) -> Script:
    """A list of `Update` an item, oldest first, leased to its process."""
    results: list[list[Update]] = []
    alive = yield from _alive({item.lease for item in items})
    for item in items:
        if item.lease not in alive:
            results.append([])
            continue
        found = yield Rows(_FREE, {"edge": item.edge, "most": item.most})
        if found:
            ids = Values(sorted(row[0] for row in found))
            yield Do(_TAKE, {"ids": ids, "u_lease": item.lease})
        results.append([Update(*row) for row in sorted(found)])
    return results


def finish_updates(items: Sequence[UpdateDone]) -> Script:
    """True an item whose update was open."""
    results = []
    for item in items:
        if item.again:
            results.append(bool((yield Do(_AGAIN, {"u_id": item.id}))))
        else:
            results.append((yield from close_update(item.id, item.now)))
    return results


def keep_answers(items: Sequence[KeepAnswer]) -> Script:
    """Keep the answers of open updates until they are told."""
    for item in items:
        yield Do(_ANSWERED, {"u_id": item.id, "answer": item.answer})
    return [None] * len(items)


def close_update(number: int, now: float) -> Script:
    """Mark an update as worked, and empty it; whether it was open."""
    return bool((yield Do(_DONE, {"u_id": number, "u_now": now})))


def release_updates(dead: Sequence[int]) -> Script:
    """What dead processes were working is free again."""
    return (yield Do(_RELEASE, {"dead": Values(dead)}))


def give_back_updates(items: Sequence[GiveBackUpdates]) -> Script:
    """How many updates are free again."""
    results = []
    for item in items:
        values = {"edge": item.edge, "me": item.incarnation, "before": item.before}
        results.append((yield from give_back_own(_OWN, _GIVE_BACK, values, item.keep)))
    return results


def forget_updates(now: float) -> Script:
    """Drop those that no chat will tell again; how many."""
    return (yield Do(_OLD, {"before": now - KEPT_SECONDS}))
