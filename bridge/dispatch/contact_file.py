"""A CSV file of contacts comes in as octets; rows that can be stored go out, or what is wrong.

Pure. The first line names the columns: name, number and, where there are any, groups and consent.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bridge import phone
from bridge.errors import Refused
from bridge.naming import alias_of
from bridge.phone import Phone
from bridge.privacy.consents import pairs, terms
from bridge.store.consents import Terms

MOST_OCTETS: Final = 1_000_000
MOST_ROWS: Final = 10_000

_DELIMITERS: Final = (",", ";", "\t")
_HEADER: Final = {
    "name": "name",
    "number": "number",
    "phone": "number",
    "groups": "groups",
    "group": "groups",
    "consent": "consent",
}
_COLUMNS: Final = "the first line names the columns: name,number or name,number,groups"
# Where Windows writes cp1250. Single names are too short for statistics to tell ø from ř.
_CENTRAL: Final = frozenset("AL BA CZ HR HU ME PL RO RS SI SK XK".split())
_WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAVE: Final = "save it as CSV in UTF-8"
#: A cell that says that there is no consent.
_NO: Final = frozenset(("", "-", "0", "no", "n", "ne", "nei", "nie", "nein", "non", "false"))
_PAIRS = re.compile(r"[a-z]+=").match
_BETWEEN_GROUPS = re.compile("[|;,]").split  # none of them can stand in a name


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line; 0 is the file as a whole."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A contact as a line describes it."""

    line: int
    name: str
    phone: Phone
    groups: tuple[str, ...]
    consent: Terms | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """What a file asks for; with problems, nothing."""

    rows: tuple[Row, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_csv(data: bytes, region: str, now: float = 0.0) -> Import:
    """The contacts of a file; numbers without a country code are of `region`.

    Consents without a date are given `now`, in Unix seconds.
    """
    try:
        lines = records_of(data, region)
        header = next(lines, None)
        if header is None:
            raise Unreadable(0, f"the file is empty; {_COLUMNS}")
        columns = _columns(*header)
    except Unreadable as wrong:
        return Import(problems=(wrong.problem,))
    reading = _Reading(columns, region, now)
    try:
        for line, cells in lines:
            reading.take(line, cells)
    except Unreadable as wrong:
        reading.problems.append(wrong.problem)
    return reading.result()


def records_of(
    data: bytes, region: str, header: Collection[str] = _HEADER
) -> Iterator[tuple[int, list[str]]]:
    """The records of any CSV file that are not blank, with their lines. Raises Unreadable.

    `header` are the names, in small letters, by which the first line shows what parts columns.
    """
    text = _text(data, region)
    return _records(text, _delimiter(text, header))


def by_column(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """What a record says in each column, "" where it ends early.

    Of several columns of one name the first that says anything is heard. Raises Refused where the
    record has more cells than there are columns: a number with a comma may be in two of them.
    """
    if any(cells[len(columns) :]):
        raise Refused(
            "there are more columns than the first line names",
            "put a value that has a comma between quotes",
        )
    found = dict.fromkeys(columns, "")
    for column, cell in zip(columns, cells, strict=False):
        found[column] = found[column] or cell
    return found


class Unreadable(Exception):
    """What ends the reading."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.problem = Problem(line, reason)


def _text(data: bytes, region: str) -> str:
    if len(data) > MOST_OCTETS:
        raise Unreadable(0, f"the file has more than {MOST_OCTETS:,} octets: split it")
    encoding = "utf-16" if data.startswith(_WIDE) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        if data.startswith((*_WIDE, codecs.BOM_UTF8)):
            raise Unreadable(0, f"the file is damaged: {_SAVE}") from None
        return _guessed(data, region)


def _guessed(data: bytes, region: str) -> str:
    from charset_normalizer import from_bytes  # most files never need it

    likely = "cp1250" if region in _CENTRAL else "cp1252"
    found = from_bytes(data, cp_isolation=["cp1250", "cp1252"])
    best = max(found, key=lambda match: (-match.chaos, match.encoding == likely), default=None)
    if best is None:
        raise Unreadable(0, f"the file is in an unknown encoding: {_SAVE}")
    return str(best)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not blank, with the line that it begins in. Raises Unreadable."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            raise Unreadable(line, "a quote is not closed, or stands where none belongs") from None
        if any(cells):
            yield line, cells
        line = reader.line_num + 1


def _delimiter(text: str, header: Collection[str]) -> str:
    """The one with which the first line names most columns."""

    def known(delimiter: str) -> int:
        try:
            cells = next(_records(text, delimiter), (0, []))[1]
        except Unreadable:
            return -1
        return sum(cell.casefold() in header for cell in cells)

    return max(_DELIMITERS, key=known)


def _columns(line: int, header: Sequence[str]) -> tuple[str, ...]:
    """What stands in each column. Raises Unreadable."""
    last = max(place for place, cell in enumerate(header) if cell)
    found = tuple(_HEADER.get(cell.casefold(), "") for cell in header[: last + 1])
    if not {"name", "number"} <= set(found):
        raise Unreadable(line, _COLUMNS)
    if "" in found:
        place = found.index("") + 1
        known = "name, number, groups and consent"
        raise Unreadable(line, f"column {place} is none of {known}: take it out")
    if len(set(found)) < len(found):
        raise Unreadable(line, "a column stands there twice: leave one of them")
    return found


class _Reading:
    """The rows and problems of a file, as far as it is read."""

    def __init__(self, columns: Sequence[str], region: str, now: float) -> None:
        self.problems: list[Problem] = []
        self._now = now
        self._columns = columns
        self._region = region
        self._rows: dict[str, Row] = {}
        self._groups: dict[str, int] = {}  # and the line that named each one first
        self._count = 0

    def take(self, line: int, cells: list[str]) -> None:
        """One record. Raises Unreadable where there are too many."""
        self._count += 1
        if self._count > MOST_ROWS:
            raise Unreadable(line, f"the file has more than {MOST_ROWS:,} rows: split it")
        try:
            self._keep(self._row(line, cells))
        except Refused as no:
            self.problems.append(Problem(line, no.sentence))

    def _row(self, line: int, cells: list[str]) -> Row:
        given = by_column(self._columns, cells)
        for column in ("name", "number"):
            if not given[column]:
                raise Refused(f"the {column} is empty")
        name = alias_of(given["name"])
        number = phone.parse(given["number"], self._region)
        agreed = _consent(given.get("consent", ""), self._now)
        return Row(line, name, number, _groups(given.get("groups", "")), agreed)

    def _keep(self, row: Row) -> None:
        before = self._rows.get(row.name)
        if before is not None:
            if before.phone.e164 != row.phone.e164:
                raise Refused(f"this name stands in line {before.line} with another number")
            groups = tuple(dict.fromkeys(before.groups + row.groups))
            agreed = row.consent or before.consent
            row = Row(before.line, row.name, row.phone, groups, agreed)
        self._rows[row.name] = row
        for group in row.groups:
            self._groups.setdefault(group, row.line)

    def result(self) -> Import:
        """What the file asks for."""
        for name in self._rows.keys() & self._groups.keys():
            reason = f"this name is also that of a group, in line {self._groups[name]}"
            self.problems.append(Problem(self._rows[name].line, reason))
        if not self._rows and not self.problems:
            self.problems.append(Problem(0, "there is nobody in the file"))
        if self.problems:
            return Import(problems=tuple(sorted(self.problems, key=lambda each: each.line)))
        return Import(tuple(self._rows.values()))


def _groups(cell: str) -> tuple[str, ...]:
    """The groups of a cell, each once. Raises Refused."""
    typed = [piece.strip() for piece in _BETWEEN_GROUPS(cell)]
    try:
        return tuple(dict.fromkeys(alias_of(piece) for piece in typed if piece))
    except Refused as no:
        raise Refused(f"a group's name is wrong: {no.sentence}", no.hint) from None


def _consent(cell: str, now: float) -> Terms | None:
    """What a person agreed to: evidence in plain words, or name=value pairs. Raises Refused."""
    if cell.casefold() in _NO:
        return None
    given = pairs(cell) if _PAIRS(cell) else {"evidence": cell}
    return terms(given, now, "import")
