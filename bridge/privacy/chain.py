"""The audit comes in; whether it is whole goes out, with the number of each entry that is wrong.

Every entry must have the hash that it should have and follow the one before. The chain begins at
the signed checkpoint of the last purge, passes through every signed head, and ends at the tail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bridge.keyring import verify as is_signed
from bridge.store.audit import PAGE, TAIL, digest, row_of
from bridge.store.audit_heads import CHECKPOINT, HEADS, Checkpoint, Head
from bridge.store.store import Store

ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, at which entry."""

    seq: int
    problem: str


@dataclass(frozen=True, slots=True)
class Link:
    """An entry's number and hash."""

    seq: int
    hash: str


@dataclass(slots=True)
class Verdict:
    """What was looked at, and what is wrong with it; nothing is, where `problems` is empty.

    `foreign` are keys that signed something and are not among those that are trusted.
    """

    first: int
    last: int
    entries: int = 0
    signed_until: str = ""  # the day of the newest head
    problems: list[Problem] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)

    def say(self, seq: int, problem: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(seq, problem))


async def verify(
    store: Store, trusted: Collection[str], outside: Sequence[Head] = (), since: str = ""
) -> Verdict:
    """Walk the chain; from the newest head of that day or before it, where `since` is a day.

    `trusted` are the public keys that may have signed, `outside` heads that were kept elsewhere.
    Raises StoreUnavailable.
    """
    while True:
        begun = await _checkpoint(store)
        verdict = await _verify(store, begun, trusted, outside, since)
        # A purge may have taken away what was being read.
        if not verdict.problems or await _checkpoint(store) == begun:
            return verdict


async def _checkpoint(store: Store) -> Checkpoint | None:
    rows = await store.read(CHECKPOINT)
    return Checkpoint(*rows[0]) if rows else None


async def _verify(
    store: Store,
    checkpoint: Checkpoint | None,
    trusted: Collection[str],
    outside: Sequence[Head],
    since: str,
) -> Verdict:
    heads = [Head(*row) for row in await store.read(HEADS)]
    tails = await store.read(TAIL)
    start = Link(checkpoint.seq, checkpoint.hash) if checkpoint else Link(0, "")
    verdict = Verdict(start.seq + 1, start.seq)
    if checkpoint is not None:
        _check_signature(verdict, checkpoint, "the checkpoint", trusted)
    for head in (*heads, *outside):
        _check_signature(verdict, head, f"the head of {head.day}", trusted)
    good = [head for head in heads if head.seq >= start.seq and _is_good(head, trusted)]
    if since:
        anchors = [head for head in good if head.day <= since]
        start = Link(anchors[-1].seq, anchors[-1].hash) if anchors else start
        verdict.first, verdict.last = start.seq + 1, start.seq
    marks = [(h.seq, h.hash, f"the head of {h.day}") for h in (*heads, *outside)]
    marks += [(seq, tail, "the tail") for seq, tail in tails]
    if not tails:
        verdict.say(start.seq, "the tail is missing")
    hashes = await _walk(verdict, store, start, {seq for seq, *_ in marks})
    _compare(verdict, marks, hashes, start)
    verdict.signed_until = good[-1].day if good else ""
    verdict.problems.sort(key=lambda problem: problem.seq)
    return verdict


def _is_good(item: Head | Checkpoint, trusted: Collection[str]) -> bool:
    return item.signed_by in trusted and is_signed(item.signed_by, item.signed, item.signature)


def _check_signature(
    verdict: Verdict, item: Head | Checkpoint, name: str, trusted: Collection[str]
) -> None:
    if not is_signed(item.signed_by, item.signed, item.signature):
        verdict.say(item.seq, f"{name} has a wrong signature")
    elif item.signed_by not in trusted:
        verdict.foreign.add(item.signed_by)


async def _walk(verdict: Verdict, store: Store, start: Link, wanted: set[int]) -> dict[int, str]:
    """Follow the chain; the hashes of the entries that are wanted."""
    hashes = {start.seq: start.hash}
    before = start
    async for row in _rows(store, start.seq):
        seq = row["seq"]
        if seq != before.seq + 1:
            verdict.say(before.seq + 1, _missing(before.seq + 1, seq - 1))
        elif row["prev"] != before.hash:
            verdict.say(seq, f"entry {seq} does not follow the one before it")
        if digest(row) != row["hash"]:
            verdict.say(seq, f"entry {seq} was altered")
        before = Link(seq, row["hash"])
        verdict.last, verdict.entries = seq, verdict.entries + 1
        if seq in wanted:
            hashes[seq] = before.hash
    return hashes


async def _rows(store: Store, after: int) -> AsyncIterator[dict[str, Any]]:
    while True:
        found = await store.read(PAGE, after=after, most=ROWS)
        for each in found:
            yield row_of(each)
        if len(found) < ROWS:
            return
        after = found[-1][0]


def _missing(first: int, last: int) -> str:
    return (
        f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"
    )


def _compare(
    verdict: Verdict, marks: Sequence[tuple[int, str, str]], hashes: dict[int, str], start: Link
) -> None:
    """Heads and tail must name entries that are there, with these hashes."""
    last, _, name = max(marks, default=(0, "", ""))
    if last > verdict.last:
        missing = _missing(verdict.last + 1, last)
        verdict.say(verdict.last + 1, f"{missing} at the end: {name} names the last")
    for seq, mark, name in marks:
        # What was before the start is gone, or not looked at; what is missing was told.
        if seq >= start.seq and seq in hashes and hashes[seq] != mark:
            verdict.say(seq, f"entry {seq} is not the one that {name} names")
