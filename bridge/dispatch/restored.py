"""A database that is just opened comes in; nobody is let in before the erased are gone from it.

It may be a backup that was brought back, by `bridge restore` or by hand: whoever was erased since
it was made is in it again. The ledger of erasures knows them, and they are erased once more before
an edge opens (PRIVACY P66). Killed midway, the next start does the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.erasing import AT_ONCE, finish, ledger_of, line_of, token_of
from bridge.dispatch.optout_copy import bring_back
from bridge.dispatch.requests import Someone
from bridge.errors import Misconfigured
from bridge.privacy.remembrance import Line
from bridge.store.backups import RESTORED, stand_still, unmark
from bridge.store.erasing import (
    EVERY,
    NUMBER,
    ORIGINS,
    Order,
    begin_erasures,
    erasure_of,
)
from bridge.store.leases import release_silent
from bridge.store.suppressions import Suppress

log = structlog.get_logger("bridge.restored")

ACTOR: Final = "bridge"
SOURCE: Final = "erasure"


async def admit(bridge: Bridge) -> int:
    """Erase anew whom the ledger names and the database has; how many.

    Raises Misconfigured where the ledger of a restored database is missing, or older than it.
    """
    restored = bool(await bridge.store.read(RESTORED))
    ledger = ledger_of(bridge)
    if restored and not ledger.is_there:
        raise Misconfigured(
            "this database comes from a backup, and the erasure ledger is missing: erased people"
            " would come back",
            f"put it at {ledger.path}; if nobody was ever erased, make an empty file there",
        )
    lines = await asyncio.to_thread(ledger.lines)
    known = {one.id: one for one in map(erasure_of, await bridge.store.read(EVERY))}
    missing = [one for number, one in known.items() if number not in lines]
    if restored and missing:
        raise Misconfigured(
            "the erasure ledger is older than the backup: it lacks erasures that the backup has",
            f"put its newest copy at {ledger.path}",
        )
    ledger.make()
    ledger.add(line_of(one) for one in missing)
    done = {number for number, one in known.items() if one.state == "done"}
    due = [line for number, line in lines.items() if number not in done]
    if restored:
        await _stop_all(bridge)
    await bring_back(bridge)
    if due:
        log.warning("erasures are replayed before anybody is let in", count=len(due))
        await bridge.store.write(release_silent, (bridge.incarnation, bridge.clock()))
        await _replay(bridge, due)
    if restored:
        await bridge.store.write(unmark, bridge.clock())
    return len(due)


async def _stop_all(bridge: Bridge) -> None:
    """What waited in the backup waits for a person."""
    await bridge.store.write(release_silent, (bridge.incarnation, bridge.clock()))
    while await bridge.store.write(stand_still, bridge.clock()):
        pass


async def _replay(bridge: Bridge, lines: Sequence[Line]) -> None:
    for at in range(0, len(lines), AT_ONCE):
        some = lines[at : at + AT_ONCE]
        orders = [await _order(bridge, line) for line in some]
        begun = await asyncio.gather(*(bridge.store.write(begin_erasures, o) for o in orders))
        await finish(bridge, begun)
    await bridge.store.scrub()


async def _order(bridge: Bridge, line: Line) -> Order:
    stops = tuple(
        Suppress(int(tenant), str(token), str(scope), SOURCE, line.at, pepper_version=int(version))
        for scope, tenant, token, version in line.suppressed
    )
    return Order(
        line.id,
        0,
        line.tenant,
        line.kind,
        await _value(bridge, line),
        line.token,
        line.ref,
        stops,
        ACTOR,
        bridge.clock(),
        subject_id=line.subject,
    )


async def _value(bridge: Bridge, line: Line) -> str:
    """A writer's address: whichever of the database's gives the ledger's hash."""
    if line.kind == NUMBER:
        return ""
    rows = await bridge.store.read(ORIGINS, tenant=line.tenant, kind=line.kind)
    keys = (bridge.keys, *bridge.keys.older)
    for (value,) in rows:
        who = Someone(line.kind, value)
        if any(token_of(bridge, line.tenant, who, each) == line.token for each in keys):
            return str(value)
    return ""
