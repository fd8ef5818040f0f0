"""Lines come in; header blocks and "Original Message" lines that stand above quotes go out.

Such a block is From, Sent, To, Subject in one of many languages, each on its line.
"""

import re
from typing import NamedTuple

from bridge.smtp.lines import Line, without_embedding
from bridge.smtp.words import FORWARDED, HEADER_LABELS, ORIGINAL

_KINDS = ("from", "sent", "date", "to", "copy", "subject")
_MAX_BLOCK = 14
_AROUND_PHRASE = " \t>-_=*—–:"
_HEADER = re.compile(
    r"[ \t>*_|]{0,6}([^\W\d_][^\W\d_ .’'-]{0,20}(?: [^\W\d_]{1,12}){0,2})"
    r"[ \t*_]{0,6}[:：][*_]{0,2}[ \t]*([^\n]{0,400})"
)


def _by_word(table: dict[str, str]) -> dict[str, str]:
    """Phrase → language, from a table of alternatives."""
    return {word: language for language, words in table.items() for word in words.split("|")}


ORIGINALS = _by_word(ORIGINAL)
FORWARDS = _by_word(FORWARDED)
_LABELS: dict[str, dict[str, set[str]]] = {}
for _language, _row in HEADER_LABELS.items():
    for _kind, _words in zip(_KINDS, _row, strict=True):
        for _word in _words.split("|"):
            _LABELS.setdefault(_word, {}).setdefault(_kind, set()).add(_language)


_LABELLED = re.compile(r"[ \t*]{0,4}[^\W\d_][^:：@<>\d\n]{0,30}[:：]\*?[ \t]*(\S[^\n]{0,400})")
_FROM = re.compile(r"[^\n]{0,120}<[^<>\s@]{1,64}@[^<>\s]{1,255}>[ \t]*")
_WHEN = re.compile(r"(?:\d[:.h]\d\d(?!\d)|(?<!\d)(?:19|2\d)\d\d(?!\d))")


class Block(NamedTuple):
    """Header lines above a quote: where they end, which there are, in which language."""

    end: int
    kinds: frozenset[str]
    language: str
    # Whether any of them names a mail address.
    mailbox: bool


def phrase(lines: list[Line], index: int, table: dict[str, str]) -> str:
    """The language of a phrase such as "Original Message" that fills a line; "" for none."""
    text = lines[index].text
    if len(text) > 120:
        return ""
    phrase = text.strip(_AROUND_PHRASE).casefold()
    language = table.get(phrase, "")
    if language or not text.lstrip(" >").startswith("--"):
        return language
    # Lotus Notes: "----- Forwarded by Eva/Firma on 12.05.2026 09:03 -----".
    return next((name for word, name in table.items() if phrase.startswith(word + " ")), "")


def is_drawn(text: str) -> bool:
    """Whether a line begins with the dashes that programs draw."""
    return text.lstrip(" >*").startswith(("--", "__", "=="))


def _header(text: str) -> tuple[dict[str, set[str]], str] | None:
    """What a header line in any known language says it is, and its value."""
    text = without_embedding(text)
    match = _HEADER.match(text) if ":" in text or "：" in text else None
    if not match:
        return None
    kinds = _LABELS.get(match[1].casefold())
    return (kinds, match[2].strip(" *")) if kinds else None


def block(lines: list[Line], index: int, *, marked: bool) -> Block | None:
    """Read header lines from here on; blank lines and folded values may stand among them.

    With no mark above, the block must begin as mail programs begin it: with From, Sent or Date.
    """
    first = _header(lines[index].text) if index < len(lines) else None
    if not first or not (marked or first[0].keys() & {"from", "sent", "date"}):
        return None
    languages, kinds, end, loose = dict[str, set[str]](), set[str](), index, 0
    for at in range(index, min(index + _MAX_BLOCK, len(lines))):
        found = _header(lines[at].text)
        if (found and found[1] != "") or (found and "copy" in found[0]):
            for kind, names in found[0].items():
                for name in names:
                    languages.setdefault(name, set()).add(kind)
            end, loose = at + 1, 0
        elif (loose := loose + 1) > 2 or (at > end and not lines[at].text.strip() and loose > 1):
            break
    best = max(languages, key=lambda name: len(languages[name]), default="")
    kinds = languages.get(best, set())
    if len(kinds) < (2 if marked else 3):
        return None
    mailbox = any("@" in line.text for line in lines[index:end])
    return Block(end, frozenset(kinds), best, mailbox)


def foreign(lines: list[Line], index: int, topic: str) -> Block | None:
    """A block in a language that the tables lack: four labels, a mailbox first, then a time.

    One of them repeats the mail's own subject, as no list of somebody's data does.
    """
    values: list[str] = []
    for line in lines[index : index + 8]:
        labelled = _LABELLED.match(line.text)
        if not labelled:
            break
        values.append(labelled[1])
    end = index + len(values)
    if len(values) < 4 or not _FROM.fullmatch(values[0]) or not _WHEN.search(values[1]):
        return None
    topics = {value.rpartition(":")[2].strip().casefold() for value in values[2:]}
    if not topic or topic not in topics:
        return None
    return Block(end, frozenset(("from", "sent", "to", "subject")), "any", mailbox=True)
