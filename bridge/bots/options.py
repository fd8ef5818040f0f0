"""What stands behind a command as name=value comes in, a mapping goes out; values may be quoted."""

from __future__ import annotations

from typing import Final

from bridge.bots.words import Line, Word

#: Programs for writing make these of a plain quote.
_QUOTES: Final = "\"'“”„‟«»"


def take(line: Line, *known: str) -> dict[str, str]:
    """The options at the end of a line, each once. Raises WrongWord."""
    found: dict[str, str] = {}
    while line:
        word = line.take("an option")
        name, equals, value = word.text.partition("=")
        name = name.casefold()
        if not equals or name not in known:
            wanted = ", ".join(f"{each}=…" for each in known)
            raise line.wrong(f"only this can stand here: {wanted}", word)
        if name in found:
            raise line.wrong("this stands there twice", word)
        found[name] = _value(line, word, value)
    return found


def _value(line: Line, word: Word, value: str) -> str:
    if not value or value[0] not in _QUOTES:
        return value
    while len(value) < 2 or value[-1] not in _QUOTES:
        if not line:
            raise line.wrong("the quote is not closed", word)
        value += f" {line.take('the closing quote').text}"
    return value[1:-1].strip()
