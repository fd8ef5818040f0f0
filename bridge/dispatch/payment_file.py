"""A bank's CSV file comes in as octets; the payments that came in go out, or what is wrong.

Pure. The first line names the columns; the Czech names that banks use are known too. Payments are
found by their variable symbol, as is the practice of Czech banks.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from bridge.dispatch.contact_file import Problem, Unreadable, by_column, records_of
from bridge.errors import Refused
from bridge.money import currency, paid
from bridge.store.payments import PaymentIn

_NAMES: Final = {
    "date": ("date", "datum", "datum zaúčtování", "datum zauctovani"),
    "amount": ("amount", "částka", "castka", "objem"),
    "currency": ("currency", "měna", "mena"),
    "symbol": ("vs", "variable symbol", "variabilní symbol", "variabilni symbol"),
    "reference": ("reference", "message", "zpráva pro příjemce", "zpráva", "zprava", "poznámka"),
}
_KNOWN: Final = {name: column for column, names in _NAMES.items() for name in names}
_HEADER: Final = "the first line names the columns: date,amount,currency,vs,reference"
_DAYS: Final = ("%Y-%m-%d", "%d.%m.%Y", "%d. %m. %Y")


def read_payments(data: bytes) -> tuple[list[PaymentIn], list[Problem]]:
    """What came in by a file, without what went out, and what is wrong."""
    found: list[PaymentIn] = []
    problems: list[Problem] = []
    columns: Sequence[str] | None = None
    seen: Counter[str] = Counter()
    try:
        for line, cells in records_of(data, "CZ", _KNOWN):
            if columns is None:
                columns = _columns(line, cells)
                continue
            try:
                one = _payment(by_column(columns, cells), seen)
            except (Refused, ValueError) as no:
                problems.append(Problem(line, str(no)))
                continue
            if one is not None:
                found.append(one)
        if columns is None:
            raise Unreadable(0, f"the file is empty; {_HEADER}")
    except Unreadable as wrong:
        problems.append(wrong.problem)
    return found, problems


def _columns(line: int, header: Sequence[str]) -> tuple[str, ...]:
    """What stands in each column; banks have many that say nothing here. Raises Unreadable."""
    found = tuple(_KNOWN.get(cell.casefold(), "") for cell in header)
    if not {"date", "amount", "currency", "symbol"} <= set(found):
        raise Unreadable(line, _HEADER)
    return found


def _payment(given: Mapping[str, str], seen: Counter[str]) -> PaymentIn | None:
    """None for what went out. Raises Refused, ValueError."""
    amount = paid(given["amount"].removeprefix("+"))
    if amount <= 0:
        return None
    day, money = _day(given["date"]).isoformat(), currency(given["currency"])
    symbol = re.sub(r"\s", "", given["symbol"]).lstrip("0")
    if symbol and not symbol.isdecimal():
        raise Refused("a variable symbol has digits only")
    reference = given.get("reference", "")
    facts = "\0".join((day, str(amount), money, symbol, reference))
    seen[facts] += 1  # the same twice in a file came twice
    key = hashlib.sha256(f"{facts}\0{seen[facts]}".encode()).hexdigest()
    return PaymentIn(key, day, amount, money, symbol, reference)


def _day(written: str) -> date:
    for form in _DAYS:
        try:
            return datetime.strptime(written, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise Refused("a day is written as 2026-11-23 or 23.11.2026")
