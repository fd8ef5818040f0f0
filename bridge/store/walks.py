"""The walks of retention: a job and a place come in, due rows go, the next place comes out.

A walk reads rows in the order of their keys, at most `most` of them a turn, and leaves what is
held, what is not final, and what is not due yet. Most keys tell when their rows were made
(`store.ids`), so that a walk ends where nothing can be due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    and_,
    bindparam,
    literal_column,
    select,
)

from bridge.store.cards import touch_cards
from bridge.store.health import id_at
from bridge.store.purges import delete_by
from bridge.store.retention import HELD, Job, Walked
from bridge.store.sql import Rows, Script, Statement, Values, among

#: Ids are made by each process's own clock; so far apart from ours it may be.
SLACK_SECONDS: Final = 86400.0
#: A person who was made this recently may be about to be used.
FRESH_SECONDS: Final = 3600.0

NOBODY: Final = literal_column("0", BigInteger)
Gone = Callable[[Sequence[int]], Script]


def by_key(column: Column[Any]) -> Gone:
    """Deletes rows by this column."""
    return lambda ids: delete_by(column, ids)


@dataclass(frozen=True)
class Aged:
    """Rows that are due once their moment is old enough.

    `tenant` and `person` say whose they are; with `timed`, keys tell the time. `disputed` rows are
    also kept where somebody disputes the message.
    """

    key: Column[Any]
    moment: ColumnElement[Any]
    gone: Gone
    source: FromClause | None = None
    tenant: ColumnElement[Any] = NOBODY
    person: ColumnElement[Any] = NOBODY
    condition: ColumnElement[bool] | None = None
    timed: bool = True
    disputed: bool = False
    told: bool = False  # its cards show less afterwards
    statement: Statement = field(init=False)

    def __post_init__(self) -> None:
        found = select(self.key, self.tenant, self.person, self.moment)
        if self.source is not None:
            found = found.select_from(self.source)
        found = found.where(self.key > bindparam("after"))
        if self.timed:
            found = found.where(self.key < bindparam("before"))
        if self.condition is not None:
            found = found.where(self.condition)
        statement = Statement(found.order_by(self.key).limit(bindparam("most")))
        object.__setattr__(self, "statement", statement)

    def __call__(self, job: Job, after: int) -> Script:
        """A `Walked`."""
        values = {"after": after, "most": job.most}
        if self.timed:
            values["before"] = id_at(job.latest + SLACK_SECONDS) if job.latest > 0 else 0
        rows = yield Rows(self.statement, values)
        due = [row for row in rows if job.is_due(row[1], row[3])]
        kept = [row[0] for row in due if self._is_held(row, job)]
        ids = [row[0] for row in due if not self._is_held(row, job)]
        gone = yield from self._take(ids, job)
        if kept:
            gone[HELD] += len(kept)
        return Walked(rows[-1][0] if len(rows) == job.most else None, gone)

    def _is_held(self, row: Sequence[Any], job: Job) -> bool:
        return row[2] in job.held.people or (self.disputed and row[0] in job.held.messages)

    def _take(self, ids: Sequence[int], job: Job) -> Script:
        if job.dry:
            return Counter({self.key.table.name: len(ids)}) if ids else Counter[str]()
        if self.told and ids:
            yield from touch_cards(ids, job.now)
        return (yield from self.gone(ids))


@dataclass(frozen=True)
class Unused:
    """Rows that are due once nothing needs them: `needed` is asked of each row of `key`'s table."""

    key: Column[Any]
    needed: ColumnElement[bool]
    gone: Gone
    person: ColumnElement[Any]
    statement: Statement = field(init=False)
    locked: Statement = field(init=False)

    def __post_init__(self) -> None:
        near = and_(self.key > bindparam("after"), self.key < bindparam("before"))
        found = select(self.key, self.needed.label("needed"), self.person).where(near)
        statement = Statement(found.order_by(self.key).limit(bindparam("most")))
        object.__setattr__(self, "statement", statement)
        again = select(self.key).where(among(self.key, "ids")).order_by(self.key)
        object.__setattr__(self, "locked", Statement(again.with_for_update(skip_locked=True)))

    def __call__(self, job: Job, after: int) -> Script:
        """A `Walked`."""
        before = id_at(job.latest - FRESH_SECONDS)
        rows = yield from self._window(after, before, job)
        free = {row[0]: row[2] in job.held.people for row in rows if not row[1]}
        ids = [number for number, is_held in free.items() if not is_held]
        if job.dry:
            gone = Counter({self.key.table.name: len(ids)})
        else:
            gone = yield from self.gone((yield from self._still_free(ids, job)))
        gone[HELD] += sum(free.values())
        return Walked(rows[-1][0] if len(rows) == job.most else None, +gone)

    def _window(self, after: int, before: int, job: Job) -> Script:
        values = {"after": after, "before": before, "most": job.most}
        return (yield Rows(self.statement, values))

    def _still_free(self, ids: Sequence[int], job: Job) -> Script:
        """Those that nobody else has taken up: locked first, then asked again under the lock."""
        if not ids:
            return []
        locked = yield Rows(self.locked, {"ids": Values(ids)})
        rows = yield from self._window(ids[0] - 1, ids[-1] + 1, job)
        needed = {row[0] for row in rows if row[1]}
        return [row[0] for row in locked if row[0] not in needed]
