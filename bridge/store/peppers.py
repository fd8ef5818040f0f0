"""After the pepper was changed: every keyed hash of a known number is made anew, in slices.

A slice is one transaction that also notes how far it came, so a kill between two costs nothing.
Of people who were erased only tokens are left: those stay under their pepper until the number is
next looked up (`store.listed`), and that pepper stays in its file as long.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Table, Text, bindparam, func, select, update

from bridge.keyring import Keyring
from bridge.store.blocklist import BLOCKED, MoveBlocks, move_blocks
from bridge.store.list_tables import blocked, carrier_listed, optout_link, programme
from bridge.store.listed import move_tokens, suppressed
from bridge.store.request_tables import dsr, reassignment
from bridge.store.sql import Do, Many, Rows, Script, Statement, batched, insert_new
from bridge.store.tables import fact, incarnation, message, subject, suppression

SLICE: Final = 500
_PEPPER: Final = "pepper"
_MOVED: Final = "pepper moved"  # the last person whose hashes are new; "" once all are


@dataclass(frozen=True, slots=True)
class Change:
    """The database's pepper becomes another."""

    before: str  # fingerprints
    after: str


_FACT = Statement(select(fact.c.value).where(fact.c.name == bindparam("name")).with_for_update())
_FACT_ADD = insert_new(fact)
_FACT_SET = Statement(
    update(fact).where(fact.c.name == bindparam("f_name")).values(value=bindparam("f_value"))
)
#: How far the hashes are new.
MOVED = Statement(select(fact.c.value).where(fact.c.name == _MOVED))
#: Processes that were alive a moment ago, other than those of a place.
OTHERS = Statement(
    select(incarnation.c.id).where(
        incarnation.c.seen_at > bindparam("since"), incarnation.c.slot != bindparam("slot")
    )
)
_PEOPLE = Statement(
    select(
        subject.c.id,
        subject.c.tenant_id,
        subject.c.phone,
        subject.c.phone_index,
        subject.c.all_index,
    )
    .where(subject.c.id > bindparam("after"))
    .order_by(subject.c.id)
    .limit(bindparam("most"))
)
_PROGRAMMES = Statement(select(programme.c.tenant_id, programme.c.id))
_PERSON = batched(
    lambda given, _: (
        update(subject)
        .where(subject.c.id == given.c.id)
        .values(phone_index=given.c.own, all_index=given.c.all)
    ),
    id=BigInteger,
    own=Text,
    all=Text,
)
_MESSAGES = batched(
    lambda given, _: (
        update(message)
        .where(message.c.subject_id == given.c.person, message.c.programme_index == given.c.old)
        .values(programme_index=given.c.new)
    ),
    person=BigInteger,
    old=Text,
    new=Text,
)


def _versioned(table: Table) -> Statement:
    return batched(
        lambda given, _: (
            update(table)
            .where(table.c.token == given.c.old)
            .values(token=given.c.new, pepper_version=given.c.version)
        ),
        old=Text,
        new=Text,
        version=BigInteger,
    )


_LINKS, _CARRIERS = _versioned(optout_link), _versioned(carrier_listed)


def _token_of(table: Table) -> Statement:
    return batched(
        lambda given, _: (
            update(table).where(table.c.token == given.c.old).values(token=given.c.new)
        ),
        old=Text,
        new=Text,
    )


_REQUESTS, _REASSIGNED = _token_of(dsr), _token_of(reassignment)
_IN_USE = tuple(
    Statement(select(table.c.pepper_version, func.count()).group_by(table.c.pepper_version))
    for table in (
        select(suppression.c.pepper_version).where(suppression.c.lifted_at.is_(None)).subquery(),
        select(blocked.c.pepper_version)
        .where(blocked.c.lifted_at.is_(None), blocked.c.kind == "number")
        .subquery(),
        optout_link,
    )
)


def change_pepper(items: Sequence[Change]) -> Script:
    """The fingerprint that stands afterwards: the new one, unless a third was there."""
    results = []
    for item in items:
        yield Many(_FACT_ADD, [{"name": _MOVED, "value": ""}])
        found = yield Rows(_FACT, {"name": _PEPPER})
        stands = found[0][0]
        if stands == item.before:
            yield Do(_FACT_SET, {"f_name": _PEPPER, "f_value": item.after})
            yield Do(_FACT_SET, {"f_name": _MOVED, "f_value": "0"})
            stands = item.after
        results.append(stands)
    return results


class MoveScript:
    """The batch script of slices; True an item that found people whose hashes were old."""

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys

    def __call__(self, items: Sequence[float]) -> Script:
        results = []
        for now in items:
            results.append((yield from self._slice(now)))
        return results

    def _slice(self, now: float) -> Script:
        found = yield Rows(_FACT, {"name": _MOVED})
        if not found or not found[0][0]:
            return False
        people = yield Rows(_PEOPLE, {"after": int(found[0][0]), "most": SLICE})
        last = str(people[-1][0]) if people else ""
        yield Do(_FACT_SET, {"f_name": _MOVED, "f_value": last})
        known = [row for row in people if row[2]]  # an erased person has no number any more
        if known:
            yield from self._people(known, now)
        return bool(people)

    def _people(self, people: Sequence[Sequence[Any]], now: float) -> Script:
        keys = self._keys
        moves: dict[str, str] = {}
        for _, tenant, number, own, all_ in people:
            moves |= keys.moved(tenant, number)
            moves |= {own: keys.person(tenant, number), all_: keys.everyone(number)}
        rows = [(row[0], moves[row[3]], moves[row[4]]) for row in people]
        yield Many(_PERSON, [{"id": i, "own": own, "all": all_} for i, own, all_ in rows])
        yield from self._tokens(moves)
        moves |= yield from self._messages(people)
        listed = yield from suppressed(set(moves))
        if listed:
            yield from move_tokens({old: moves[old] for old in listed}, keys.version, now)
        numbers = yield Rows(BLOCKED, {})
        if here := {row[2]: moves[row[2]] for row in numbers if row[2] in moves}:
            yield from move_blocks([MoveBlocks(here, keys.version)])

    def _tokens(self, moves: Mapping[str, str]) -> Script:
        version = self._keys.version
        pairs = [{"old": old, "new": new} for old, new in sorted(moves.items()) if old != new]
        for statement in (_LINKS, _CARRIERS):
            yield Many(statement, [{**pair, "version": version} for pair in pairs])
        yield Many(_REQUESTS, pairs)
        yield Many(_REASSIGNED, pairs)

    def _messages(self, people: Sequence[Sequence[Any]]) -> Script:
        """Messages of programmes; the tokens that changed with them (old → new)."""
        programmes = defaultdict(list)
        for tenant, number in (yield Rows(_PROGRAMMES, {})):
            programmes[tenant].append(number)
        moves: dict[str, str] = {}
        rows = []
        for person, tenant, number, *_ in people:
            for each in programmes[tenant]:
                new = self._keys.programme(tenant, each, number)
                for older in self._keys.older:
                    old = older.programme(tenant, each, number)
                    moves[old] = new
                    rows.append({"person": person, "old": old, "new": new})
        if rows:
            yield Many(_MESSAGES, rows)
        return moves


def versions_in_use(items: Sequence[None]) -> Script:
    """Peppers by version, and how many tokens stand under each, for each item."""
    counts: dict[int, int] = defaultdict(int)
    for statement in _IN_USE:
        for version, count in (yield Rows(statement, {})):
            counts[version] += count
    return [dict(counts)] * len(items)
