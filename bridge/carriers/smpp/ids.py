"""Message ids as an SMSC writes them in, one writing for both sides out.

An SMSC names a part in its answer (submit_sm_resp) and again in the receipt, not always in the
same writing: upper or lower case, padded with zeros, hexadecimal here and decimal there.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final

REMEMBERED: Final = 4096
VOTES: Final = 3

_HEX = re.compile(r"[0-9a-f]{1,32}")
_LETTER = re.compile(r"[a-f]")


def canonical(raw: str) -> str:
    """Without white space, in lower case, without leading zeros."""
    text = raw.strip("\0 \t\r\n").lower()
    return text.lstrip("0") or text[:1]


def _to_hex(decimal: str) -> str | None:
    return f"{int(decimal):x}" if decimal.isdecimal() and len(decimal) <= 32 else None


def _to_decimal(hexadecimal: str) -> str | None:
    return str(int(hexadecimal, 16)) if _HEX.fullmatch(hexadecimal) else None


class Ids:
    """The ids of one carrier.

    `hexdlr`: answers hexadecimal, receipts decimal; `decdlr`: the reverse; `hex`, `dec`: the same
    in both. `auto` compares the first receipts with the latest answers and settles after three in
    a row that agree; until then, a receipt for an answer long past may stay unmatched at an SMSC
    that mixes: declare such a carrier's format.
    """

    def __init__(self, declared: str = "auto") -> None:
        self.settled = "" if declared == "auto" else declared
        self._recent: set[str] = set()
        self._order: deque[str] = deque()
        self._leading = ""
        self._votes = 0

    def answer(self, raw: str) -> str:
        """The id of a submit_sm_resp."""
        name = canonical(raw)
        if not self.settled:
            self._remember(name)
        return name

    def knows(self, raw: str) -> bool:
        """Whether `receipt` can tell how to write this id."""
        return bool(self.settled) or self._match(canonical(raw)) is not None

    def receipt(self, raw: str) -> str:
        """The id of a receipt, written as `answer` wrote it."""
        name = canonical(raw)
        if not self.settled:
            return self._compare(name)
        if self.settled == "hexdlr":
            return _to_hex(name) or name
        if self.settled == "decdlr":
            return _to_decimal(name) or name
        return name

    def _remember(self, name: str) -> None:
        if name in self._recent:
            return
        self._recent.add(name)
        self._order.append(name)
        if len(self._order) > REMEMBERED:
            self._recent.discard(self._order.popleft())

    def _match(self, name: str) -> tuple[str, str] | None:
        """The writing that makes `name` one of the latest answers, and that answer."""
        if name in self._recent:
            return "hex", name
        if (converted := _to_hex(name)) in self._recent and converted:
            return "hexdlr", converted
        # Only a letter proves that a receipt is no decimal: read as hexadecimal, an old one
        # becomes greater and may meet a recent answer.
        if _LETTER.search(name) and (converted := _to_decimal(name)) in self._recent and converted:
            return "decdlr", converted
        return None

    def _compare(self, name: str) -> str:
        match = self._match(name)
        if match is None:
            return name
        writing, answer = match
        self._votes = self._votes + 1 if writing == self._leading else 1
        self._leading = writing
        if self._votes >= VOTES:
            self.settled = writing
            self._recent.clear()
            self._order.clear()
        return answer
