"""A CSV file of prices comes in as octets; rows that can be stored go out, or what is wrong.

Pure. The first line names the columns: carrier (what we pay) or tenant (what it pays us), then
prefix, price of one part, currency and, where it does not hold at once, valid_from.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Final

from bridge.dispatch.contact_file import Problem, Unreadable, by_column, records_of
from bridge.errors import Refused
from bridge.money import currency, micro
from bridge.store.prices import ALL, COST, PRICE, Row

MOST_ROWS: Final = 50_000
_KINDS: Final = {"carrier": COST, "tenant": PRICE}
_NEEDED: Final = {"prefix", "price", "currency"}
_KNOWN: Final = {*_KINDS, *_NEEDED, "valid_from"}
_HEADER: Final = (
    "the first line names the columns: carrier,prefix,price,currency,valid_from"
    " or tenant,prefix,price,currency,valid_from"
)
_PREFIX = re.compile(r"(?:\+|00)?([1-9][0-9]{0,14})?").fullmatch


def read_prices(
    data: bytes, carriers: Collection[str], tenants: Collection[str]
) -> tuple[list[Row], list[Problem]]:
    """The prices of a file of these carriers or tenants, and what is wrong."""
    found: dict[tuple[str, str, str, float], tuple[int, Row]] = {}
    problems: list[Problem] = []
    columns: Sequence[str] | None = None
    try:
        for line, cells in records_of(data, "", _KNOWN):
            if columns is None:
                columns = _columns(line, cells)
                continue
            if len(found) + len(problems) >= MOST_ROWS:
                raise Unreadable(line, f"more than {MOST_ROWS:,} rows: split the file")
            try:
                row = _row(by_column(columns, cells), carriers, tenants)
                _keep(found, line, row)
            except (Refused, ValueError) as no:
                problems.append(Problem(line, str(no)))
        if columns is None:
            raise Unreadable(0, f"the file is empty; {_HEADER}")
    except Unreadable as wrong:
        problems.append(wrong.problem)
    return [row for _, row in found.values()], problems


def _columns(line: int, header: Sequence[str]) -> tuple[str, ...]:
    """What stands in each column. Raises Unreadable."""
    last = max(place for place, cell in enumerate(header) if cell)
    found = tuple(cell.casefold() for cell in header[: last + 1])
    kinds = _KINDS.keys() & set(found)
    if not set(found) >= _NEEDED or len(kinds) != 1:
        raise Unreadable(line, _HEADER)
    if "" in found:
        raise Unreadable(line, f"column {found.index('') + 1} has no name: take it out")
    if unknown := sorted(set(found) - _KNOWN):
        raise Unreadable(line, f'there is no column "{unknown[0]}"; {_HEADER}')
    if len(set(found)) < len(found):
        raise Unreadable(line, "a column stands there twice: leave one of them")
    return found


def _row(given: Mapping[str, str], carriers: Collection[str], tenants: Collection[str]) -> Row:
    """Raises Refused, ValueError."""
    word = next(each for each in _KINDS if each in given)
    name = given[word]
    known = carriers if word == "carrier" else {*tenants, ALL}
    if name not in known:
        listed = ", ".join(sorted(known)) or "none"
        raise Refused(f"there is no {word} {name!r}; there is {listed}")
    amount = micro(given.get("price", ""))
    if amount < 0:
        raise Refused("a price is not below nothing")
    return Row(
        _KINDS[word],
        name,
        _prefix(given.get("prefix", "")),
        currency(given.get("currency", "")),
        amount,
        _day(given.get("valid_from", "")),
    )


def _keep(found: dict[tuple[str, str, str, float], tuple[int, Row]], line: int, row: Row) -> None:
    key = (row.name, row.prefix, row.currency, row.valid_from)
    before = found.get(key)
    if before is not None and before[1] != row:
        raise Refused(f"line {before[0]} has another price of the same")
    found[key] = line, row


def _prefix(written: str) -> str:
    """`+420`, `420` or `00420`; `+` or `*` is everywhere."""
    bare = re.sub("[ ()/-]", "", written)
    found = _PREFIX("+" if bare == "*" else bare)
    if not bare or found is None:
        raise Refused("a prefix is the country code and perhaps more digits, as in +42060")
    return f"+{found[1] or ''}"


def _day(written: str) -> float:
    """The begin of a day in UTC; "" is ever since."""
    if not written:
        return 0.0
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise Refused("valid_from is a day, as in 2026-12-01") from None
    return datetime.combine(day, time(), UTC).timestamp()
