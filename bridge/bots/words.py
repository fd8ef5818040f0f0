"""A command line in; its words, each with its place, out; and the error that points at one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from bridge.errors import Refused
from bridge.store import ids

_WORD = re.compile(r"\S+")


class Word(NamedTuple):
    """A word as typed, and where it stands in the line."""

    text: str
    start: int
    end: int


class WrongWord(Refused):
    """A command that cannot be obeyed as typed, and the word that is at fault.

    `sentence` says what is wrong, `hint` shows the right form. Neither repeats what was typed:
    that may be a number; `pointed` does, for the one who typed it.
    """

    def __init__(self, sentence: str, form: str, line: str, word: Word | None = None) -> None:
        super().__init__(sentence, form)
        self.line = line
        self.word = word or Word("", len(line), len(line))

    def pointed(self, before: int = 30, after: int = 20) -> str:
        """The part of the line around the word, and below it a mark under the word."""
        start, end = self.word.start, max(self.word.end, self.word.start + 1)
        first = max(0, start - before)
        shown = " ".join(self.line[first : end + after].splitlines()) or " "
        lead = "…" if first else ""
        tail = "…" if end + after < len(self.line) else ""
        mark = " " * (len(lead) + start - first) + "^" * min(end - start, len(shown))
        return f"{lead}{shown}{tail}\n{mark}"


class Line:
    """The words of a line, taken one by one from the left."""

    def __init__(self, text: str, form: str = "") -> None:
        self.text = text
        self.form = form
        self._words = [Word(m[0], m.start(), m.end()) for m in _WORD.finditer(text)]
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._words)

    @property
    def ahead(self) -> Sequence[Word]:
        """The words that are not taken yet."""
        return self._words[self._at :]

    def peek(self) -> str:
        """The next word in lower case, "" at the end."""
        return self._words[self._at].text.casefold() if self else ""

    def take(self, what: str) -> Word:
        """The next word. Raises WrongWord, which names `what` is missing."""
        if not self:
            raise self.wrong(f"{what} is missing")
        self._at += 1
        return self._words[self._at - 1]

    def choice(self, *known: str, without: str) -> str:
        """The next word, one of those known; `without` one where there is none.

        Raises WrongWord.
        """
        if not self:
            return without
        word = self.take("what to do")
        if word.text.casefold() not in known:
            raise self.wrong(f"it can be {', '.join(known[:-1])} or {known[-1]}", word)
        return word.text.casefold()

    def id(self, whose: str) -> int:
        """The next word as the id of a message, a request, … Raises WrongWord."""
        word = self.take(f"the {whose}'s id")
        number = read_id(word.text)
        if number is None:
            raise self.wrong(f"this is not a {whose}'s id", word)
        return number

    def skip(self, count: int) -> None:
        """Take so many words at once."""
        self._at += count

    def rest(self, what: str) -> str:
        """All that is left, as typed, line breaks included. Raises WrongWord if that is nothing."""
        start = self.take(what).start
        self._at = len(self._words)
        return self.text[start:].rstrip()

    def end(self) -> None:
        """Nothing may follow. Raises WrongWord at what does."""
        if self:
            raise self.wrong("this is one word too many", self.ahead[0])

    def wrong(self, sentence: str, word: Word | None = None) -> WrongWord:
        """The error for a word of this line, or for its end."""
        return WrongWord(sentence, self.form, self.text, word)


def read_id(text: str) -> int | None:
    """The id that a word is, None where it is none."""
    try:
        number = ids.read(text)
    except ValueError:
        return None
    return number if number <= ids.LARGEST else None
