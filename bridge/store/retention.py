"""Retention: one bounded turn of a class comes in; what is due goes, and where it stopped is kept.

A run walks through the rows of a class by their keys, a few at a time. Each turn is a transaction
that deletes, counts and moves the place in `retention_run`: a killed process's run is continued by
the next one, and ends as if nothing had happened (PRIVACY P13). Turns of one class wait for each
other. Suppressions and the blacklist are in no class.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ClauseElement, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.keyring import Signer
from bridge.store.holds import Held, held
from bridge.store.retention_tables import retention_run
from bridge.store.sql import Do, Rows, Script, Statement

Counts = Counter[str]
Cutoffs = Mapping[int, float]

#: What a hold has kept: counted beside the tables.
HELD = "held"


@dataclass(frozen=True, slots=True)
class Turn:
    """Some rows of one class are to be looked at.

    `cutoffs` tells, for the moment at which the run began, tenant → what is due (0: all others).
    A run that ended less than `rest` seconds ago is not begun anew; one that somebody moved less
    than `pace` seconds ago is theirs.
    """

    klass: str
    cutoffs: Callable[[float], Cutoffs]
    now: float
    signer: Signer
    lapse: float  # seconds for which a hold waits for a second person
    most: int = 200
    rest: float = 3600.0
    pace: float = 0.0


@dataclass(frozen=True, slots=True)
class Turned:
    """How far a run is; `counts` are of the whole run: table → rows."""

    counts: Mapping[str, int]
    done: bool
    idle: bool = False  # nothing was to be done


@dataclass(frozen=True, slots=True)
class Job:
    """What a walk needs to know."""

    cutoffs: Cutoffs
    now: float  # when the run began: the same for all of its turns
    most: int
    dry: bool
    held: Held
    signer: Signer
    so_far: Mapping[str, int]

    def is_due(self, tenant: int, moment: float | None) -> bool:
        """Whether a row's time is over."""
        return moment is not None and moment <= self.cutoffs.get(tenant, self.cutoffs[0])

    @property
    def latest(self) -> float:
        """Nothing after this is due for anybody."""
        return max(self.cutoffs.values())


@dataclass(frozen=True, slots=True)
class Walked:
    """Where a walk stopped: behind the row with this key; None at its end."""

    after: int | None
    gone: Counts


Walk = Callable[[Job, int], Script]

_OPEN = Statement(
    select(
        retention_run.c.id,
        retention_run.c.stage,
        retention_run.c.after,
        retention_run.c.started_at,
        retention_run.c.turned_at,
        retention_run.c.counts,
    )
    .where(retention_run.c["class"] == bindparam("class"), retention_run.c.done_at.is_(None))
    .with_for_update(skip_locked=True)
)
_LAST = Statement(
    select(retention_run.c.done_at)
    .where(retention_run.c["class"] == bindparam("class"), retention_run.c.done_at.is_not(None))
    .order_by(retention_run.c.id.desc())
    .limit(1)
)


def _begin(database: str) -> ClauseElement:
    insert = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(retention_run)
    names = ("class", "started_at", "turned_at", "counts")
    values = insert.values({name: bindparam(name) for name in names})
    clause: ClauseElement = values.on_conflict_do_nothing()
    return clause


_BEGIN = Statement(_begin)
_MOVE = Statement(
    update(retention_run)
    .where(retention_run.c.id == bindparam("r_id"))
    .values(
        stage=bindparam("r_stage"),
        after=bindparam("r_after"),
        turned_at=bindparam("r_now"),
        done_at=bindparam("r_done_at"),
        counts=bindparam("r_counts"),
    )
)
# Of runs that found nothing only the newest is of interest.
_EMPTY_GONE = Statement(
    delete(retention_run).where(
        retention_run.c["class"] == bindparam("class"),
        retention_run.c.id < bindparam("before"),
        retention_run.c.done_at.is_not(None),
        retention_run.c.counts == "{}",
    )
)
#: (class, started, done, counts) of the last run of each class that ended, and of open ones.
RUNS = Statement(
    select(
        retention_run.c["class"],
        retention_run.c.started_at,
        retention_run.c.done_at,
        retention_run.c.counts,
    ).order_by(retention_run.c.id)
)


class Retention:
    """The batch scripts over the walks of each class."""

    def __init__(self, walks: Mapping[str, Sequence[Walk]]) -> None:
        self.walks = walks

    def turn(self, items: Sequence[Turn]) -> Script:
        """A `Turned` an item."""
        results = []
        for item in items:
            results.append((yield from self._turn(item)))
        return results

    def due(self, items: Sequence[Turn]) -> Script:
        """Counter of what would go an item, and whether there may be more; nothing is deleted."""
        results = []
        for item in items:
            results.append((yield from self._due(item)))
        return results

    def _turn(self, item: Turn) -> Script:
        run = yield from self._run(item)
        if run is None:
            return Turned({}, done=True, idle=True)
        number, stage, after, started_at, turned_at, written = run
        if abs(item.now - turned_at) < item.pace and (stage or after):
            return Turned({}, done=False, idle=True)
        counts = Counter(json.loads(written))
        # Where a clock was set back no run waits for, or is judged by, a moment to come.
        job = yield from _job(item, min(started_at, item.now), counts, dry=False)
        walked: Walked = yield from self.walks[item.klass][stage](job, after)
        counts += walked.gone
        if walked.after is None:
            stage, after = stage + 1, 0
        else:
            after = walked.after
        done = stage == len(self.walks[item.klass])
        yield Do(
            _MOVE,
            {
                "r_id": number,
                "r_stage": stage,
                "r_after": after,
                "r_now": item.now,
                "r_done_at": item.now if done else None,
                "r_counts": json.dumps(counts, sort_keys=True),
            },
        )
        if done:
            yield Do(_EMPTY_GONE, {"class": item.klass, "before": number})
        return Turned(dict(counts), done)

    def _run(self, item: Turn) -> Script:
        """The open run of the class, begun if it is time; None where there is nothing to do."""
        found = yield Rows(_OPEN, {"class": item.klass})
        if not found:
            last = yield Rows(_LAST, {"class": item.klass})
            if last and abs(item.now - last[0][0]) < item.rest:
                return None
            row = {"class": item.klass, "started_at": item.now, "turned_at": item.now}
            yield Do(_BEGIN, {**row, "counts": "{}"})
            found = yield Rows(_OPEN, {"class": item.klass})
        return found[0] if found else None

    def _due(self, item: Turn) -> Script:
        job = yield from _job(item, item.now, {}, dry=True)
        gone = Counter[str]()
        more = False
        for walk in self.walks[item.klass]:
            walked: Walked = yield from walk(job, 0)
            while walked.after is not None and sum(gone.values()) < item.most:
                gone += walked.gone
                walked = yield from walk(job, walked.after)
            more = more or walked.after is not None
            gone += walked.gone
        return gone, more


def _job(item: Turn, started_at: float, so_far: Mapping[str, int], *, dry: bool) -> Script:
    kept = yield from held(item.now, item.lapse)
    return Job(item.cutoffs(started_at), started_at, item.most, dry, kept, item.signer, so_far)
