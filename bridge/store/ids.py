"""Ids: 63-bit integers ordered by time, unique over processes, shown as 13 characters.

42 bits of milliseconds, 11 bits of process (its incarnation), 10 bits of sequence. When more than
1,024 are made in a millisecond the clock part runs ahead: ids stay unique and ordered.
"""

from __future__ import annotations

import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32
_VALUE = {c: i for i, c in enumerate(_ALPHABET)}
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_NODES = 1 << 11
_STEP = 1 << 10


class Ids:
    """Makes ids for one process. Not thread-safe: one loop makes them."""

    def __init__(self, incarnation: int) -> None:
        self._node = (incarnation % _NODES) << 10
        self._ms = 0
        self._sequence = 0

    def next(self) -> int:
        """A new id, larger than every one before it."""
        now = int(time.time() * 1000)
        if now > self._ms:
            self._ms, self._sequence = now, 0
        else:
            self._sequence += 1
            if self._sequence == _STEP:
                self._ms, self._sequence = self._ms + 1, 0
        return (self._ms << 21) | self._node | self._sequence


def show(number: int) -> str:
    """An id as people see it: 13 characters of Crockford base32."""
    pairs = [_PAIRS[number >> shift & 0x3FF] for shift in range(50, -1, -10)]
    return _ALPHABET[number >> 60 & 31] + "".join(pairs)


#: 13 characters can write more than the 63 bits of an id.
LARGEST = (1 << 63) - 1


def read(shown: str) -> int:
    """The id that `shown` stands for. Raises ValueError if it is none."""
    if len(shown) != 13:
        raise ValueError("an id has 13 characters")
    number = 0
    for c in shown.lower():
        if c not in _VALUE:
            raise ValueError("an id has only the letters and digits of `bridge log`")
        number = number << 5 | _VALUE[c]
    return number
