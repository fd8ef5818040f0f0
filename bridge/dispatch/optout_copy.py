"""Opt-outs come in and stand in a file beside the database; what a backup lacks of them goes back.

A backup has the opt-outs of its day. Whoever said STOP since is written to a file of keyed hashes,
`optouts.jsonl` beside the erasure ledger, within a second, and is put on the list again before an
edge opens on a database that has gone back. A START since the backup is not: to be asked for it
once more is the smaller harm.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any, Final

import structlog

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.erasing import ledger_at
from bridge.privacy.journal import Journal
from bridge.settings import Settings
from bridge.store.optout_copy import COPIED, NEWEST, THERE
from bridge.store.sql import Values
from bridge.store.suppressions import Suppress, suppress_all

log = structlog.get_logger("bridge.optouts")

#: Transactions do not commit in the order of their rows' ids: so many are looked at again.
OVERLAP: Final = 500
#: Another process's clock may be behind, and its commit late: seconds.
_SLACK: Final = 60.0


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the list, as it stood. Times are Unix seconds."""

    id: int
    scope: str
    tenant: int
    programme: int
    token: str
    pepper: int
    purpose: str
    source: str
    at: float
    lifted: float | None


class OptOuts(Journal):
    """The file. While a replay is under way, its last row says from which id on."""

    NAME = "copy of the opt-outs"
    LOST = "without it a backup forgets who has opted out since"

    def lines(self) -> dict[int, Line]:
        """Each row as it was last told. Raises Misconfigured for a damaged file."""
        rows = self.read(lambda row: None if "from" in row else Line(**row))
        return {line.id: line for line in rows if line is not None}

    def newest(self) -> tuple[int, int | None]:
        """The highest id, and where a replay began that did not end. Raises Misconfigured."""
        highest, begun = 0, None
        for row in self.tail():
            if "from" in row:
                begun = int(row["from"]) if begun is None else min(begun, int(row["from"]))
            highest = max(highest, int(row.get("id", 0)))
        return highest, begun


def optouts_at(settings: Settings) -> OptOuts:
    """The copy of this machine."""
    return OptOuts(ledger_at(settings).path.with_name("optouts.jsonl"))


class Copyist:
    """Keeps the copy, in the process that sweeps."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._file = optouts_at(bridge.settings)
        self._after: int | None = None
        self._since = 0.0
        self._told: dict[int, float | None] = {}

    async def once(self, now: float) -> None:
        """Write what is new. Raises StoreUnavailable, Misconfigured."""
        if self._after is None:
            await asyncio.to_thread(self._begin)
        after = self._after or 0
        values: dict[str, Any] = {"after": max(0, after - OVERLAP), "since": self._since}
        lines = [Line(*row) for row in await self._bridge.store.read(COPIED, **values)]
        new = [asdict(one) for one in lines if self._told.get(one.id, -1.0) != one.lifted]
        if new:
            await asyncio.to_thread(self._file.append, new)
        self._after = max([after, *(one.id for one in lines)])
        self._told = {one.id: one.lifted for one in lines}
        self._since = now - _SLACK

    def _begin(self) -> None:
        rows = [row for row in self._file.tail() if "id" in row]
        self._told = {int(row["id"]): row["lifted"] for row in rows}
        self._after = max(self._told, default=0)


async def bring_back(bridge: Bridge) -> int:
    """Put on the list again what a database that has gone back lacks; how many rows that were.

    Killed midway, the next start begins again. Raises Misconfigured, StoreUnavailable.
    """
    file = optouts_at(bridge.settings)
    highest, begun = await asyncio.to_thread(file.newest)
    had = (await bridge.store.read(NEWEST))[0][0]
    if begun is not None:
        had = min(had, begun)
    if highest <= had:
        return 0
    known = await asyncio.to_thread(file.lines)
    near = Values(number for number in known if had - OVERLAP < number <= had)
    there = {row[0] for row in await bridge.store.read(THERE, ids=near)}
    kept = {n: one for n, one in known.items() if n <= had - OVERLAP or n in there}
    lost = [one for n, one in known.items() if n not in kept]
    # What goes back gets ids of its own: a kill must not make them look like those that were lost.
    await asyncio.to_thread(file.append, [{"from": had}])
    wishes = [_wish(one) for one in lost if one.lifted is None]
    await asyncio.gather(*(bridge.store.write(suppress_all, wish) for wish in wishes))
    await asyncio.to_thread(file.replace, [asdict(one) for one in kept.values()])
    log.warning("opt-outs that the database lacked are back", count=len(wishes))
    return len(wishes)


def _wish(line: Line) -> Suppress:
    return Suppress(
        line.tenant,
        line.token,
        line.scope,
        line.source,
        line.at,
        line.purpose,
        line.pepper,
        line.programme,
    )
