"""The audit and the activity log: entries come in; chained, they are on disk beside their acts.

`append` is a part of a script: the act and its entry commit together. Each entry has the hash of
the one before, so that whoever alters, removes or reorders one breaks the chain (P62). An entry
names nobody: a person is a reference derived from their own key, which erasure destroys, and a
number or address in a reason is masked before it is stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final, TypeVar

from sqlalchemy import bindparam, or_, select, update

from bridge.store.audit_tables import activity, audit, audit_tail
from bridge.store.sql import Do, Many, Refs, Rows, Script, Statement, insert

LONGEST_REASON: Final = 500
MASKED: Final = "•••"

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what, and why; of whose data, and to which person, where that is known."""

    actor: str
    action: str
    reason: str
    now: float
    tenant_id: int = 0  # 0: nobody's data, or the whole bridge's
    subject_id: int | None = None


#: What the hash of an entry is over.
_HASHED: Final = ("seq", "at", "tenant_id", "actor", "action", "subject_ref", "reason", "prev")
_COLUMNS: Final = (*_HASHED, "hash")
#: The columns of the audit, oldest first, a page at a time.
PAGE = Statement(
    select(*(audit.c[name] for name in _COLUMNS))
    .where(audit.c.seq > bindparam("after"))
    .order_by(audit.c.seq)
    .limit(bindparam("most"))
)
#: The hash of an entry.
HASH_OF = Statement(select(audit.c.hash).where(audit.c.seq == bindparam("seq")))
#: The newest entry's number and hash; locked, so that whoever appends next waits.
TAIL = Statement(select(audit_tail.c.seq, audit_tail.c.hash))
LOCKED_TAIL = Statement(select(audit_tail.c.seq, audit_tail.c.hash).with_for_update())
_ADD = insert(audit, _COLUMNS)
_MOVE = Statement(update(audit_tail).values(seq=bindparam("t_seq"), hash=bindparam("t_hash")))
_NOTE = insert(activity, ("at", "tenant_id", "actor", "action", "subject_ref", "reason"))


def canonical(facts: Mapping[str, Any]) -> bytes:
    """The octets that a hash or a signature is over: JSON in ASCII, sorted, without spaces."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode("ascii")


def digest(row: Mapping[str, Any]) -> str:
    """The hash of an entry: SHA-256 over all it says and the hash before, in hexadecimal."""
    return sha256(canonical({name: row[name] for name in _HASHED})).hexdigest()


def row_of(found: Sequence[Any]) -> dict[str, Any]:
    """An entry as `PAGE` selects it, by name."""
    return dict(zip(_COLUMNS, found, strict=True))


def append(entries: Sequence[Entry]) -> Script:
    """Chain the entries; nothing comes back.

    The tail is locked until the commit: a script appends last.
    """
    if not entries:
        return
    facts = yield from _facts(entries)
    found = yield Rows(LOCKED_TAIL, {})
    seq, prev = found[0]
    rows = []
    for each in facts:
        seq += 1
        row = {**each, "seq": seq, "prev": prev}
        prev = row["hash"] = digest(row)
        rows.append(row)
    yield Many(_ADD, rows)
    yield Do(_MOVE, {"t_seq": seq, "t_hash": prev})


def note(entries: Sequence[Entry]) -> Script:
    """Write the entries into the activity log; nothing comes back."""
    if entries:
        yield Many(_NOTE, (yield from _facts(entries)))


def _facts(entries: Sequence[Entry]) -> Script:
    people = sorted({e.subject_id for e in entries if e.subject_id is not None})
    refs: Mapping[int, str] = (yield Refs(people)) if people else {}
    return [
        {
            "at": float(entry.now),
            "tenant_id": entry.tenant_id,
            "actor": _one_line(entry.actor),
            "action": _one_line(entry.action),
            "subject_ref": "" if entry.subject_id is None else refs[entry.subject_id],
            "reason": masked(entry.reason),
        }
        for entry in entries
    ]


def record_entries(items: Sequence[Entry]) -> Script:
    """`append` for entries that stand alone; nothing an item."""
    yield from append(items)
    return [None] * len(items)


def note_activity(items: Sequence[Entry]) -> Script:
    """`note` for each; nothing an item."""
    yield from note(items)
    return [None] * len(items)


@cache
def audited(
    script: Callable[[Sequence[Item]], Script],
) -> Callable[[Sequence[tuple[Item, Callable[[Any], Entry | None]]]], Script]:
    """The same batch script, which also appends what each item tells of its result, if anything.

    Its items are pairs of an item and a function from the result to an entry.
    """

    def both(items: Sequence[tuple[Item, Callable[[Any], Entry | None]]]) -> Script:
        results: Sequence[Any] = yield from script([item for item, _ in items])
        told = [tell(result) for (_, tell), result in zip(items, results, strict=True)]
        yield from append([entry for entry in told if entry is not None])
        return results

    return both


# What a person typed as a reason may hold what must not stand here for two years.

# Both read a text once, whatever stands in it: a match begins where none could have begun before.
_ADDRESS = re.compile(r"(?<![^\s<>@,;])[^\s<>@,;]++@[^\s<>@,;]++")
_RUN = re.compile(r"(?<!\w)\+?\(?\d[\d\s()._/‐‑–—-]*+")
_END = re.compile(r"\d(?![\w-])")
_NO_NUMBER = re.compile(r"\d{4}-\d\d-\d\d|0000\d{9}")  # a day; an id of digits alone
_FEWEST_DIGITS = 7


def masked(reason: str) -> str:
    """A reason on one line, without numbers that could be called and without addresses."""
    plain = _ADDRESS.sub(MASKED, _one_line(reason))
    return _RUN.sub(_masked, plain)[:LONGEST_REASON]


def _masked(run: re.Match[str]) -> str:
    """The run without the number at its beginning, which ends where no word goes on."""
    written, after = run[0], run.string[run.end() : run.end() + 1]
    ends = [found.end() for found in _END.finditer(written + after)]
    number = written[: ends[-1]] if ends else ""
    digits = sum(c.isdigit() for c in number)
    few = digits < _FEWEST_DIGITS or _NO_NUMBER.fullmatch(number)
    return written if few else MASKED + written[len(number) :]


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


# What is shown of them


def _listed(table: Any, key: Any) -> Statement:
    tenant = bindparam("tenant", type_=table.c.tenant_id.type)
    return Statement(
        select(
            key,
            table.c.at,
            table.c.tenant_id,
            table.c.actor,
            table.c.action,
            table.c.subject_ref,
            table.c.reason,
        )
        .where(
            key > bindparam("after"),
            table.c.at >= bindparam("since"),
            or_(tenant == 0, table.c.tenant_id == tenant),
        )
        .order_by(key)
        .limit(bindparam("most"))
    )


#: (number, at, tenant, actor, action, subject_ref, reason), oldest first; tenant 0: all.
AUDIT = _listed(audit, audit.c.seq)
ACTIVITY = _listed(activity, activity.c.id)
