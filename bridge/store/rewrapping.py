"""A batch of people's keys that an older master key wrapped comes out, wrapped by the newest.

Nothing of what the keys have sealed changes. Killed midway, the next run goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Text, bindparam, select, update

from bridge.store.sql import Do, Many, Rows, Script, Statement, batched
from bridge.store.tables import fact, subject_key
from bridge.store.vault import Vault

BATCH = 500


@dataclass(frozen=True, slots=True)
class Rewrap:
    """The next batch, behind this person."""

    vault: Vault
    after: int


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What came of a batch; `last` is None where nothing was left."""

    last: int | None
    done: int = 0
    lost: int = 0  # no master key in the file opens these


_NEXT = Statement(
    select(subject_key.c.subject_id, subject_key.c.wrapped, subject_key.c.kek)
    .where(subject_key.c.subject_id > bindparam("after"), subject_key.c.kek != bindparam("newest"))
    .order_by(subject_key.c.subject_id)
    .limit(BATCH)
    .with_for_update()
)
_WRAP = batched(
    lambda given, _: (
        update(subject_key)
        .where(subject_key.c.subject_id == given.c.subject_id)
        .values(wrapped=given.c.wrapped, kek=given.c.kek)
    ),
    subject_id=BigInteger,
    wrapped=Text,
    kek=Text,
)
_SETTLED = Statement(
    update(fact).where(fact.c.name == bindparam("f_name")).values(value=bindparam("f_value"))
)


def rewrap(items: Sequence[Rewrap]) -> Script:
    """A `Rewrapped` an item. With the last batch the database belongs to the newest master key."""
    answers = []
    for item in items:
        answers.append((yield from _batch(item)))
    return answers


def _batch(item: Rewrap) -> Script:
    newest = item.vault.newest
    found = yield Rows(_NEXT, {"after": item.after, "newest": newest})
    if not found:
        yield Do(_SETTLED, {"f_name": "master", "f_value": newest})
        return Rewrapped(None)
    rows = [item.vault.rewrapped(*row) for row in found]
    wrapped = [row for row in rows if row is not None]
    if wrapped:
        yield Many(_WRAP, wrapped)
    return Rewrapped(found[-1][0], len(wrapped), len(rows) - len(wrapped))
