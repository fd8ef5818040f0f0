"""Words of a command in, the recipients that they name out: numbers in any writing, and names."""

from __future__ import annotations

import re
from typing import Final

from bridge import phone
from bridge.bots.model import Name, Number, Recipient
from bridge.bots.words import Line, Word
from bridge.errors import BadNumber
from bridge.naming import name_of

_DIGITS = re.compile(r"[()/\-.]*\d[\d()/\-.]*,?").fullmatch
_MOST_GROUPS: Final = 7


def take(line: Line, region: str) -> tuple[Recipient, ...]:
    """One or more, with commas between them; each once. Raises WrongWord."""
    found: dict[Recipient, None] = {}
    more = True
    while more:
        word = line.take("a number or an @name")
        more = word.text.endswith(",")
        pieces = [piece for piece in _split(word) if piece.text]
        for piece in pieces[:-1]:
            found[_recipient(line, piece, region)] = None
        if pieces:
            last, continued = one(line, pieces[-1], region, ended=more)
            found[last] = None
            more = more or continued
        more = more or _comma_follows(line)
    return tuple(found)


def _split(word: Word) -> list[Word]:
    """The pieces of a word between its commas."""
    pieces, start = [], word.start
    for text in word.text.split(","):
        pieces.append(Word(text, start, start + len(text)))
        start += len(text) + 1
    return pieces


def _comma_follows(line: Line) -> bool:
    if line.peek() == ",":
        line.skip(1)
        return True
    return False


def one(line: Line, word: Word, region: str, *, ended: bool) -> tuple[Recipient, bool]:
    """A recipient, written in several words if it is a number; whether a comma ended it.

    Where one more group of digits would also make a number, nobody can tell whose it is: refused.
    Raises WrongWord.
    """
    if word.text[0] == "@" or ended:
        return _recipient(line, word, region), False
    error: BadNumber | None = None
    found: list[tuple[str, int]] = []
    text, ahead = word.text, line.ahead
    for count in range(_MOST_GROUPS):
        try:
            found.append((phone.parse(text.rstrip(","), region).e164, count))
        except BadNumber as bad:
            error = error or bad
        if text.endswith(",") or count >= len(ahead) or not _DIGITS(ahead[count].text):
            break
        text += " " + ahead[count].text
    if not found:
        assert error is not None  # noqa: S101 - nothing was found, so something was wrong
        raise line.wrong(_lowered(error.sentence), word)
    if len(found) > 1:
        raise line.wrong("where does the number end? Write it in one, then a word of text", word)
    number, count = found[0]
    comma = bool(count) and ahead[count - 1].text.endswith(",")
    line.skip(count)
    return Number(number), comma


def _recipient(line: Line, word: Word, region: str) -> Recipient:
    if word.text[0] == "@":
        return Name(name(line, word))
    try:
        return Number(phone.parse(word.text, region).e164)
    except BadNumber as bad:
        raise line.wrong(_lowered(bad.sentence), word) from None


def _lowered(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def name(line: Line, word: Word) -> str:
    """The name that a word is, with or without its @. Raises WrongWord."""
    try:
        return name_of(word.text.removeprefix("@"))
    except ValueError as no:
        raise line.wrong(f"a name has {no}", word) from None
