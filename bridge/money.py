"""Amounts of money: written decimals come in, whole micro-units go out, and back. Never a float.

A micro-unit is a millionth of a currency's unit: prices of a part have up to six decimals.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

MICRO: Final = 1_000_000
#: More than any price or payment here; sums stay far below what 63 bits hold.
LARGEST: Final = 1_000_000_000
_WRITTEN = re.compile(r"-?[0-9]{1,10}([.,][0-9]{1,6})?").fullmatch
_CURRENCY = re.compile("[A-Z]{3}").fullmatch


def micro(written: str) -> int:
    """`0.0521`, `0,0521` or `-3` as micro-units. Raises ValueError with what to write."""
    found = written.strip().replace("\u00a0", "").replace(" ", "")
    if not _WRITTEN(found):
        raise ValueError("an amount is a number with at most six decimals, as in 0.0521")
    amount = Decimal(found.replace(",", "."))
    if abs(amount) > LARGEST:
        raise ValueError(f"an amount is at most {LARGEST:,}")
    return int(amount * MICRO)


def paid(written: str) -> int:
    """As `micro`, of money that changes hands: `1,200` may be a thousand to whoever wrote it.

    Raises ValueError.
    """
    found = micro(written)
    if re.search("[.,][0-9]{3}", written):
        raise ValueError("what is paid has at most two decimals, and no sign between thousands")
    return found


def decimal(units: int) -> Decimal:
    """Micro-units as an exact decimal, with two places at least."""
    amount = Decimal(units) / MICRO
    cents = amount.quantize(Decimal("0.01"))
    return cents if cents == amount else amount.normalize()


def show(units: int) -> str:
    """Micro-units as people write them: `0.0521`, `12.00`."""
    return f"{decimal(units):f}"


def currency(written: str) -> str:
    """A currency's three letters (ISO 4217). Raises ValueError."""
    found = written.strip().upper()
    if not _CURRENCY(found):
        raise ValueError("a currency has three letters (ISO 4217), as in CZK")
    return found
