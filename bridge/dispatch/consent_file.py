"""A CSV file of consents comes in as octets; rows that can be stored go out, or what is wrong.

Pure. The first line names the columns: number, evidence, and any other that a consent has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge import phone
from bridge.dispatch.contact_file import MOST_ROWS, Problem, Unreadable, records_of
from bridge.errors import Refused
from bridge.phone import Phone
from bridge.privacy.consents import KEYS, terms
from bridge.store.consents import Terms

_NAMES: Final = frozenset(("number", "phone", *KEYS))
_COLUMNS: Final = "the first line names the columns: number,evidence, and if need be " + ",".join(
    key for key in KEYS if key != "evidence"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A consent as a line describes it."""

    line: int
    phone: Phone
    terms: Terms


@dataclass(frozen=True, slots=True)
class Consents:
    """What a file asks for; with problems, nothing."""

    rows: tuple[Row, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_consents(data: bytes, region: str, now: float) -> Consents:
    """The consents of a file; numbers without a country code are of `region`."""
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        lines = records_of(data, region)
        columns = _columns(next(lines, (0, [])))
        for line, cells in lines:
            if len(rows) + len(problems) >= MOST_ROWS:
                raise Unreadable(line, f"the file has more than {MOST_ROWS:,} rows: split it")
            try:
                rows.append(_row(line, columns, cells, region, now))
            except Refused as no:
                problems.append(Problem(line, f"{no.sentence}; {no.hint}"))
    except Unreadable as wrong:
        problems.append(wrong.problem)
    if not rows and not problems:
        problems.append(Problem(0, "there is nobody in the file"))
    return Consents((), tuple(problems)) if problems else Consents(tuple(rows))


def _columns(header: tuple[int, list[str]]) -> tuple[str, ...]:
    line, cells = header
    found = tuple("number" if c.casefold() == "phone" else c.casefold() for c in cells if c)
    if not {"number", "evidence"} <= set(found) <= _NAMES or len(set(found)) < len(found):
        raise Unreadable(line, _COLUMNS)
    return found


def _row(line: int, columns: Sequence[str], cells: Sequence[str], region: str, now: float) -> Row:
    given = {name: cell for name, cell in zip(columns, cells, strict=False) if cell}
    number = phone.parse(given.pop("number", ""), region)
    return Row(line, number, terms(given, now, "import"))
