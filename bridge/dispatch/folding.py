"""Alarm storms: when the time of a fold is over, one SMS tells how many more alerts there were."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from bridge import segments
from bridge.dispatch.brakes import first_line
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.fit import fit
from bridge.dispatch.submit import prepare
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.model import Origin, State, Submission
from bridge.store.folding import FOLDED, OVER, FoldOver, close_folds
from bridge.store.sql import Row, Script
from bridge.store.submissions import store_submissions

log = structlog.get_logger("bridge.folding")


async def unfold_due(bridge: Bridge, now: float) -> None:
    """Tell of the folds that are over. Raises StoreUnavailable."""
    for row in await bridge.store.read(OVER, now=now):
        item = FoldOver(row[0], partial(_tell, bridge, row))
        rung: tuple[str, int] | None = await bridge.store.write(close_folds, item)
        if rung is not None:
            bridge.ring_lane(*rung)


def _tell(bridge: Bridge, row: Row, more: int) -> Script:
    """Store how many more there were: (lane, message), None where that may not be told."""
    if row[4] is None or row[1] not in bridge.register.tenants:
        return None
    try:
        ready = prepare(bridge, _summary(bridge, row, more))
    except Refused as no:
        log.warning("a fold's end is not told of", reason=no.sentence)
        return None
    (stored,) = yield from store_submissions([ready.prepared])
    if stored.refusal is not None:
        log.warning("a brake refused a fold's end", rule=stored.refusal.rule)
    return (ready.prepared.lane, stored.id) if stored.state is State.QUEUED else None


def _told(tenant: Tenant, line: str, encoding: str, more: int) -> str:
    """`Disk full on db1 ... and 41 more`: one SMS; a longer line is cut, never what was counted."""
    mark = "..." if encoding == "gsm7" else "…"
    whole = f"{line} {mark} and {more} more"
    if len(segments.prepare(whole, tenant.encoding).parts) == 1:
        return whole
    one = replace(tenant, max_parts=1, over_limit="cut")
    return fit(one, line, tail=f" and {more} more").text


def _summary(bridge: Bridge, row: Row, more: int) -> Submission:
    tenant, phone, country, text, origin, kind, address, urgent, originator, encoding = row[1:]
    ref: dict[str, Any] = json.loads(origin) if origin else {}
    return Submission(
        tenant=tenant,
        origin=Origin(kind, address, ref),
        destination=phone,
        country=country,
        text=_told(bridge.register.tenants[tenant], first_line(text), encoding, more),
        urgent=bool(urgent),
        originator=originator,
        rules=(FOLDED,),
    )
