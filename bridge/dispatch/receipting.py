"""A request whose erasure is done comes in, its signed receipt goes out, as a row and as a file.

While posts in chats are still being taken down, or carriers are still asked to erase, another
receipt follows; it takes the place of the first (PRIVACY P68).
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bridge.dispatch import keeping
from bridge.dispatch.bridge import Bridge
from bridge.errors import Refused, TryLater
from bridge.model import Fate
from bridge.privacy.export import iso
from bridge.privacy.periods import periods
from bridge.privacy.receipt import FORMAT, written
from bridge.privacy.retention import Plan
from bridge.store import ids
from bridge.store.carrier_erasures import GIVEN_UP, NAMELESS, PENDING
from bridge.store.erasing import ERASURES_OF, NUMBER, Erasure, erasure_of
from bridge.store.proofs import POSTS, PROOF, RECORDS, SETTLED, Proof, put_proofs

Item = dict[str, Any]
#: What became of a post that could not be taken out of its chat.
_REFUSED: Final = "refused"
_PENDING: Final = ""


@dataclass(frozen=True, slots=True)
class Records:
    """What became of a carrier's records of one person, for one reason."""

    carrier: str
    outcome: str
    reason: str
    count: int
    at: float | None  # when the last was settled


async def issue(bridge: Bridge, request_id: int) -> Path:
    """Sign what was erased for a request; the file. Raises Refused, StoreUnavailable."""
    rows = await bridge.store.read(ERASURES_OF, request=request_id)
    done = [erasure_of(row) for row in rows]
    if not done or any(one.state != "done" for one in done):
        raise Refused("this erasure is not done", "wait until it is, and ask again")
    posts = [tuple(row) for row in await bridge.store.read(POSTS, request=request_id)]
    records = [tuple(row) for row in await bridge.store.read(RECORDS, request=request_id)]
    told = [Records(*row) for row in records]
    document = _document(bridge, request_id, done, posts, told, await keeping.plan(bridge))
    text = written(document, bridge.signer)
    # The file first: whoever is killed between the two signs anew, and no old file stays.
    path = await _filed(bridge, request_id, text)
    proof = Proof(request_id, text, bridge.clock(), posts, records)
    await bridge.store.write(put_proofs, proof)
    return path


async def settle(bridge: Bridge) -> None:
    """Sign anew what more is known of by now. Raises StoreUnavailable."""
    for (number,) in await bridge.store.read(SETTLED):
        await issue(bridge, number)


async def receipt_of(bridge: Bridge, request_id: int) -> str:
    """The newest receipt of a request, as a file has it. Raises Refused."""
    rows = await bridge.store.read(PROOF, request=request_id)
    if not rows:
        raise Refused("there is no receipt for this request", "it comes when the erasure is done")
    return str(rows[0][0])


async def _filed(bridge: Bridge, request_id: int, text: str) -> Path:
    folder = bridge.settings.data_dir.resolve() / "receipts"
    path = folder / f"{ids.show(request_id)}.json"
    try:
        await asyncio.to_thread(_write, path, text)
    except OSError as error:
        raise TryLater(
            f"the receipt cannot be written ({error.strerror})",
            "see that data_dir/receipts can be written and has room",
        ) from error
    return path


def _write(path: Path, text: str) -> None:
    """The file is there whole, or as it was."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def _document(
    bridge: Bridge,
    request_id: int,
    done: Sequence[Erasure],
    posts: Sequence[tuple[str, str, int]],
    records: Sequence[Records],
    plan: Plan,
) -> Item:
    ended = max(one.done_at or 0.0 for one in done)
    return {
        "format": FORMAT,
        "request": ids.show(request_id),
        "issued_at": iso(bridge.clock()),
        "erased_at": iso(ended),
        "erased": [_erased(bridge, one) for one in done],
        "elsewhere": _elsewhere(records),
        "stays": _stays(done, posts, records, plan, bridge.clock()),
        "backups": {
            "until": iso(ended + periods().horizon),
            "keys_until": iso(ended + periods().keys),
        },
        "audit": [{"entry": one.audit_seq, "hash": one.audit_hash} for one in done],
    }


def _erased(bridge: Bridge, one: Erasure) -> Item:
    tenant = bridge.register.tenants.get(one.tenant_id)
    return {
        "of": tenant.name if tenant else "",
        "person": one.ref,
        "kind": one.kind,
        "begun_at": iso(one.begun_at),
        "done_at": iso(one.done_at),
        "key_destroyed": bool(one.subject_id),
        "categories": {name: count for name, count in sorted(one.rows.items()) if count},
    }


def _stays(
    done: Sequence[Erasure],
    posts: Sequence[tuple[str, str, int]],
    records: Sequence[Records],
    plan: Plan,
    now: float,
) -> list[Item]:
    """What could not go, or must not, with its reason and until when."""
    counts = sum((Counter(one.rows) for one in done), Counter[str]())
    found = []
    if counts["messages"]:
        found.append(
            _kept(
                "traffic",
                "when, by which carrier, how many parts, for bills and claims; no number, no text",
                plan.period("traffic").written,
                count=counts["messages"],
            )
        )
    if any(one.stops for one in done):
        found.append(_kept("suppression", "a keyed hash, so that nobody writes again", "never"))
    found += [
        _kept("audit", "that it was done, under a reference", plan.period("audit").written),
        _kept("request", "the request and this receipt", plan.period("request").written),
    ]
    found += _carriers(done, records, now)
    found.append(_others(done))
    return found + _chats(posts, now)


def _elsewhere(records: Sequence[Records]) -> list[Item]:
    """What carriers have erased for us; "gone" is what they had no more."""
    return [
        {"what": "carrier", "name": each.carrier, "outcome": each.outcome}
        | {"count": each.count, "at": iso(each.at)}
        for each in records
        if each.outcome in (Fate.ERASED, Fate.GONE)
    ]


def _carriers(done: Sequence[Erasure], records: Sequence[Records], now: float) -> list[Item]:
    """What carriers keep: those that were asked by what they said, the others all of it."""
    asked = {each.carrier for each in records}
    given = {name for one in done for name in json.loads(one.carriers or "[]")}
    found = [
        _kept(
            "carrier",
            "carriers keep their own records: ask them",
            "theirs",
            name=name,
            at=iso(max(one.done_at or now for one in done)),
        )
        for name in sorted(given - asked)
        if name != "sandbox"
    ]
    begun = max(one.begun_at for one in done)
    for each in records:
        why = f": {each.reason}" if each.reason else ""
        facts = {"name": each.carrier, "count": each.count, "at": iso(each.at or now)}
        if each.outcome == PENDING:
            words = f"records that the carrier is still asked to erase{why}"
            found.append(_kept("carrier", words, str(iso(begun + periods().carriers)), **facts))
        elif each.outcome == Fate.REFUSED:
            words = f"the carrier was not brought to erase these records{why}"
            found.append(_kept("carrier", words, "theirs", **facts))
        elif each.outcome == GIVEN_UP:
            words = f"these records were asked for in vain until now{why}"
            found.append(_kept("carrier", words, "theirs", **facts))
        elif each.outcome == NAMELESS:
            words = "the bridge has no name for these records to ask by: ask the carrier"
            found.append(_kept("carrier", words, "theirs", **facts))
    return found


def _others(done: Sequence[Erasure]) -> Item:
    """Where else the person may stand, beyond what is theirs."""
    if any(one.kind == NUMBER for one in done):
        words = "what other people wrote about the person in texts of their own"
        return _kept("mentions", words, "as the texts they stand in")
    words = "a sender, inbox or login that bridge.toml names is the operator's to take out"
    return _kept("configuration", words, "until it is taken out")


def _chats(posts: Sequence[tuple[str, str, int]], now: float) -> list[Item]:
    found = []
    for edge, outcome, count in posts:
        if outcome == _REFUSED:
            why = "the chat does not let the bridge take these posts down"
            found.append(_kept("chat", why, "theirs", name=edge, count=count, at=iso(now)))
        elif outcome == _PENDING:
            why = "posts that are still being taken down"
            until = iso(now + periods().chats)
            found.append(_kept("chat", why, str(until), name=edge, count=count, at=iso(now)))
    return found


def _kept(what: str, why: str, until: str, **more: object) -> Item:
    facts: Mapping[str, object] = {"what": what, "why": why, "until": until, **more}
    return dict(facts)
