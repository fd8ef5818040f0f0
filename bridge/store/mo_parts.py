"""MO parts in: those that came before are known, those of one long MO are joined."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select

from bridge.model import Inbound
from bridge.store.receipts import CALLBACK_ADD
from bridge.store.sql import Many, Rows, Script, Statement, Values, among, constant, insert_new
from bridge.store.tables import callback, heard

# An SMSC that missed our acknowledgement comes again within seconds. A person may well write the
# same word twice, so the time is short.
REPEAT_SECONDS = 120.0
# Under the carrier's own id a repeat is one however late: providers over HTTP try for a day.
KEYED_SECONDS = 2 * 86_400.0


@dataclass(frozen=True, slots=True)
class PartIn:
    """An MO part, with its numbers understood and its keyed hashes made."""

    carrier: str
    part: Inbound
    source: str  # E.164
    ours: str  # our number, E.164 or as written
    all_index: str
    country: str
    heard_key: str  # the same part again
    group_key: str  # parts of one long MO
    now: float


_HEARD = Statement(select(heard.c.key, heard.c.at).where(among(heard.c.key, "keys")))
_HEARD_ADD = insert_new(heard)
_HEARD_GONE = Statement(delete(heard).where(heard.c.key == bindparam("h_key")))
_PARTS = Statement(
    select(callback.c.number, callback.c.payload)
    .where(callback.c.kind == constant("part"), callback.c.key == bindparam("key"))
    .order_by(callback.c.id)
    .with_for_update()
)
_PARTS_GONE = Statement(
    delete(callback).where(callback.c.kind == constant("part"), callback.c.key == bindparam("key"))
)


def is_repeat(item: PartIn) -> Script:
    """An MO whose acknowledgement was lost comes again: within minutes, or under its own id.

    A row counts from its `at` on for REPEAT_SECONDS: that of an MO with an id is in the future.
    """
    found = yield Rows(_HEARD, {"keys": Values([item.heard_key])})
    if found and found[0][1] > item.now - REPEAT_SECONDS:
        return True
    if found:
        yield Many(_HEARD_GONE, [{"h_key": item.heard_key}])
    later = KEYED_SECONDS - REPEAT_SECONDS if item.part.key else 0.0
    yield Many(_HEARD_ADD, [{"key": item.heard_key, "at": item.now + later}])
    return False


def joined(item: PartIn) -> Script:
    """All parts of the MO once the last has come; None before."""
    if item.part.total <= 1:
        return [item.part]
    yield Many(CALLBACK_ADD, [part_row(item)])
    stored = yield from _stored(item.group_key)
    if len(stored) < item.part.total:
        return None
    yield from drop_parts(item.group_key)
    return [read_part(payload) for payload in stored]


def parts_of(group_key: str) -> Script:
    """The parts of a long MO that have come so far, in order."""
    stored = yield from _stored(group_key)
    return [read_part(payload) for payload in stored]


def _stored(group_key: str) -> Script:
    """What is kept of each part that has come, in order."""
    found = yield Rows(_PARTS, {"key": group_key})
    parts = {row[0]: row[1] for row in found}
    return [parts[number] for number in sorted(parts)]


def drop_parts(group_key: str) -> Script:
    """They are kept no longer: the MO is whole, or shown as it is."""
    yield Many(_PARTS_GONE, [{"key": group_key}])


def part_row(item: PartIn) -> dict[str, Any]:
    """How a part waits for the others."""
    part = item.part
    payload = {
        "source": part.source,
        "destination": part.destination,
        "data": part.data.hex(),
        "coding": part.coding,
        "lang": part.lang,
        "ref": part.ref,
        "total": part.total,
        "number": part.number,
        "key": part.key,
    }
    return {
        "carrier": item.carrier,
        "kind": "part",
        "key": item.group_key,
        "number": part.number,
        "total": part.total,
        "payload": json.dumps(payload),
        "at": item.now,
    }


def read_part(payload: str) -> Inbound:
    """A stored part as it came."""
    kept = json.loads(payload)
    kept["data"] = bytes.fromhex(kept["data"])
    return Inbound(**kept)
