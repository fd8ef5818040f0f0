"""A file of numbers comes in as octets; each line's number goes out, or what is wrong with it.

Pure; nothing is kept of the file. The number is in the column named number, phone, msisdn or to;
without such a heading it is the first column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bridge import phone
from bridge.dispatch.contact_file import Problem, Unreadable, records_of
from bridge.errors import BadNumber
from bridge.phone import Phone

MOST_ROWS: Final = 50_000
_BETWEEN: Final = re.compile("[;,\t]").split
_NAMES: Final = ("number", "phone", "msisdn", "to", "mobile", "telefon")


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its number."""

    line: int
    phone: Phone


def read_numbers(data: bytes, region: str) -> tuple[list[Line], list[Problem]]:
    """The numbers, and the lines that have none; those without a country code are of `region`."""
    lines: list[Line] = []
    problems: list[Problem] = []
    try:
        for line, written in _cells(data, region):
            if len(lines) + len(problems) >= MOST_ROWS:
                raise Unreadable(line, f"more than {MOST_ROWS:,} lines: split the file")
            try:
                lines.append(Line(line, phone.parse(written, region)))
            except BadNumber as bad:
                problems.append(Problem(line, bad.sentence))
    except Unreadable as wrong:
        problems.append(wrong.problem)
    return lines, problems


def _cells(data: bytes, region: str) -> Iterator[tuple[int, str]]:
    column: int | None = None
    for line, cells in records_of(data, region):
        if column is None:
            named = [cell.casefold() in _NAMES for cell in cells]
            column = named.index(True) if any(named) else 0
            if any(named):
                continue
        cell = cells[column] if column < len(cells) else ""
        yield line, _BETWEEN(cell)[0].strip()  # without a heading nobody says what parts columns
