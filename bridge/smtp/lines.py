"""What the steps of mail → text hand to each other: lines that know where they came from."""

import re
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """Whose words a line holds."""

    OWN = "own"
    # Marked as a quote by the mail's structure: a cite element, format=flowed depth.
    QUOTED = "quoted"
    # Begins with ">" or stands in a plain blockquote: a quote, or the author's own data.
    PERHAPS_QUOTED = "perhaps-quoted"
    ATTRIBUTION = "attribution"
    SIGNATURE = "signature"


class Line(NamedTuple):
    """One line of a mail, white space at its end removed except after a signature's dashes."""

    text: str
    kind: Kind = Kind.OWN


class Traits(NamedTuple):
    """What the header says of a mail: an answer, a forward, a machine's output; and its subject."""

    reply: bool = False
    forward: bool = False
    machine: bool = False
    # The subject without "Re:" and the like, in lower case.
    topic: str = ""


_SPACES = re.compile("[\u00a0\u202f\u2007\u2000-\u2006\u2008-\u200a\u205f\u3000\x85]")
# C0 and C1 but tab and newline; soft hyphen, zero-width space, marks of direction, joiners, BOM.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u200b\u200e\u200f\u2060-\u2064\ufeff]"
)
# Marks that embed one direction in the other: without letters from right to left they do nothing.
_EMBEDDING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_BREAKS = re.compile("\r\n?|[\x0c\u2028\u2029]")
_UNUSUAL = re.compile("[^\n\t\x20-\x7e\u00a1-\u00ac\u00ae-\u024f]")


def clean(text: str) -> str:
    """Plain spaces and line ends, and no character that is not seen. Out: LF line ends."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text  # as the pattern would say, at a fraction of its cost
    if _UNUSUAL.search(text):
        text = _SPACES.sub(" ", _INVISIBLE.sub("", _BREAKS.sub("\n", text)))
        if not _RIGHT_TO_LEFT.search(text):
            text = without_embedding(text)
    return text


def without_embedding(text: str) -> str:
    """The text without the marks that embed one direction of writing in the other."""
    return _EMBEDDING.sub("", text)


def blank(lines: list[Line]) -> bool:
    """Whether nothing readable stands in these lines."""
    return not any(line.text.strip() for line in lines)


def joined(lines: list[Line]) -> str:
    """The text of the lines, as `together` puts them."""
    return together([line.text for line in lines])


def together(texts: list[str]) -> str:
    """One text of several: no white space at line ends, one blank line at most in a row."""
    if len(texts) == 1:
        return texts[0].rstrip()
    out: list[str] = []
    for each in texts:
        text = each.rstrip()
        if text or (out and out[-1]):
            out.append(text)
    return "\n".join(out).rstrip("\n")


def next_text(lines: list[Line], index: int) -> int:
    """The first line from here on that is not blank."""
    while index < len(lines) and not lines[index].text.strip(" >\t"):
        index += 1
    return index
