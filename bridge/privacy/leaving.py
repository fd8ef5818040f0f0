"""An advertisement comes in; whether it says how to end it goes out (PRIVACY P46)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from bridge.privacy import languages
from bridge.privacy.folding import fold

#: Where a text wants its link to opt out; it is put there before the text leaves.
PLACE: Final = "{optout}"
_LINK = re.compile(r"https?://\S+|(?<![\w.@])(?:[\w-]+\.)+[a-z]{2,}/\S+", re.IGNORECASE)
_DIGITS = re.compile(r"\+?\d(?: ?\d){3,}")
#: How far behind the word the link or the number stands that it speaks of.
_BESIDE: Final = 60
#: Shorter words of the way out are everyday ones too, unless they stand in capitals.
_SHORT: Final = 6


def takes_no_answer(originator: str) -> bool:
    """Whether people cannot answer what the phone shows: a name, not a number."""
    return any(map(str.isalpha, originator))


def has_way_out(text: str, originator: str) -> bool:
    """Whether the text says how to end it; a sender that takes no answer says where (P46)."""
    if PLACE in text:
        return True
    places = list(_ways_out(text))
    if not takes_no_answer(originator):
        return bool(places)
    behind = (text[at : at + _BESIDE] for at in places)
    return any(_LINK.search(piece) or _DIGITS.search(piece) for piece in behind)


def _ways_out(text: str) -> Iterable[int]:
    """Where in the text a word of the way out ends: the keyword in capitals, or a longer one."""
    spoken = [(fold(found[0]), found) for found in re.finditer(r"[^\W_]+(?:-[^\W_]+)*", text)]
    for at, (token, found) in enumerate(spoken):
        for phrase in _vocabulary().get(token.partition(" ")[0], ()):
            last = at + len(phrase) - len(token.split())
            said = " ".join(word for word, _ in spoken[at : last + 1]).split()
            if tuple(said) != phrase:
                continue
            is_long = len("".join(phrase)) >= _SHORT
            if is_long or text[found.start() : spoken[last][1].end()].isupper():
                yield spoken[last][1].end()


@cache
def _vocabulary() -> dict[str, tuple[tuple[str, ...], ...]]:
    """The phrases that opt out, by their first word."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for listed in languages.phrases("stop").values():
        for phrase in listed:
            tokens = tuple(fold(phrase).split())
            found.setdefault(tokens[0], []).append(tokens)
    return {first: tuple(phrases) for first, phrases in found.items()}
