"""The folded words of a text in, the word classes of each language that stand in it out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from bridge.privacy.folding import fold, sound
from bridge.privacy.languages import wishes

_Entry = tuple[tuple[str, ...], str, str]


@dataclass(slots=True)
class _Lexicon:
    """Every word class of every language, by the word that it starts with."""

    whole: dict[str, list[_Entry]]
    stems: dict[str, list[_Entry]]


#: Languages whose people also write in Latin letters, each in a way of their own.
_ROMANISED: Final = ("ru", "uk", "bg", "el")


@cache
def _lexicon(heard: bool = False) -> _Lexicon:
    """The lexicon; `heard`: the sounds of languages that are also written in Latin letters."""
    lexicon = _Lexicon(defaultdict(list), defaultdict(list))
    for language in _ROMANISED if heard else wishes():
        for name, listed in wishes()[language].items():
            for item in listed.split():
                stemmed = item.endswith("*")
                parts = tuple(
                    map(_sound_of_part, _item_words(item)) if heard else _item_words(item)
                )
                entry = (parts, language, name + ("*" if stemmed else ""))
                head = parts[0]
                if stemmed and len(parts) == 1:
                    lexicon.stems[head].append(entry)
                elif head.endswith("*"):
                    lexicon.stems[head[:-1]].append(entry)
                else:
                    lexicon.whole[head].append(entry)
    return lexicon


def _item_words(item: str) -> Iterator[str]:
    """The folded words of a lexicon item; stems inside it keep their `*`, the last one's goes."""
    pieces = item.split("_")
    for at, piece in enumerate(pieces):
        inner = piece.endswith("*") and at < len(pieces) - 1
        for word in fold(piece).split():
            yield word + ("*" if inner else "")


def _sound_of_part(part: str) -> str:
    return sound(part) + ("*" if part.endswith("*") else "")


def _matches(entry: _Entry, tokens: list[str], at: int) -> int:
    """How many tokens from `at` the entry takes; 0 where it does not fit.

    A phrase of three words or more may have one more word inside: nechte mě (konečně) být.
    """
    parts, _, name = entry
    gaps = 1 if len(parts) > 2 and name.rstrip("*") in ("phrase", "short") else 0
    here = at
    for number, part in enumerate(parts, 1):
        stem = part.removesuffix("*")
        loose = stem != part or (number == len(parts) and name.endswith("*"))
        while here < len(tokens):
            token = tokens[here]
            if token.startswith(stem) if loose else token == stem:
                break
            gaps -= 1
            here += 1
            if gaps < 0:
                return 0
        else:
            return 0
        here += 1
    return here - at


Spans = dict[str, list[tuple[int, int]]]


def classes(tokens: list[str], heard: bool = False) -> dict[str, Spans]:
    """Where each language's word classes stand in `tokens`, as (start, end)."""
    lexicon = _lexicon(heard)
    found: dict[str, Spans] = defaultdict(lambda: defaultdict(list))
    for at, token in enumerate(tokens):
        entries = list(lexicon.whole.get(token, ()))
        for size in range(2, len(token) + 1):
            entries += lexicon.stems.get(token[:size], ())
        for entry in entries:
            if size := _matches(entry, tokens, at):
                found[entry[1]][entry[2].rstrip("*")].append((at, at + size))
    return found
