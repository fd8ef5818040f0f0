"""A text from a phone in, what its writer wants of us out: stop, start, help, a wish, or nothing.

`stop`, `start` and `help` need the exact word, alone but for politeness, repetition, what it is
to stop and a device's signature.  A wish in free words is an `intent`: marketing stops at once
and a person looks at it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from bridge.privacy import words
from bridge.privacy.wishes import WISHES

STOP: Final = "stop"
START: Final = "start"
HELP: Final = "help"
INTENT: Final = "intent"
NONE: Final = "none"

#: Longer texts are letters, not wishes; what they open with is judged.
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a text asks for, and the words (folded) that say so."""

    verdict: str
    keyword: str | None = None


def verdict(text: str, country: str | None = None) -> Verdict:
    """Judge `text` from a person whose number is of `country` (ISO code; None: not known).

    Everyday words such as "end" or "konec" opt out only in a country of their language; elsewhere
    they are an `intent`.  In +1 countries the FCC's words always opt out.
    """
    tokens = fold(_without_signature(text)).split()
    if not tokens:
        return Verdict(NONE)
    found = _exact(_plainer(tokens), (country or "").upper())
    return found or _wish(tokens[:_LONGEST]) or Verdict(NONE)


# Folding

_SPECIAL = {
    ord("ł"): "l", ord("ø"): "o", ord("ħ"): "h", ord("ı"): "i", ord("ŋ"): "n",
    ord("æ"): "ae", ord("œ"): "oe", ord("đ"): "d", ord("ð"): "d", ord("þ"): "th",
    # Arabic letters that people write one for the other, and the stretching stroke.
    ord("ى"): "ي", ord("ة"): "ه", ord("ـ"): None,
}  # fmt: skip
_NOT_WORDS = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """`text` in lower case without marks, punctuation, emoji and invisible characters.

    NFKC, casefold, then NFKD without marks; words are joined by single spaces.
    """
    text = unicodedata.normalize("NFKC", text).casefold().translate(_SPECIAL)
    kept = [
        char
        for char in unicodedata.normalize("NFKD", text)
        if unicodedata.category(char) not in ("Mn", "Me", "Cf")
    ]
    return _NOT_WORDS.sub(" ", unicodedata.normalize("NFC", "".join(kept))).strip()


_SIGNATURE = re.compile(
    r"(?:-- ?$|_{3,}|>|.{0,80}(?:"
    r"\b(?:i ?phone|i ?pad|android|samsung|galaxy|huawei|xiaomi|nokia|blackberry|outlook|gmail|"
    r"yahoo|windows phone|pixel|smartphone|handy|mobil\w*|telefon\w*|proton ?mail)\b.{0,30}$"
    r"|wrote:$|napsala?:$|schrieb.*:$|a écrit ?:$|skrev.*:$|escribió:$|ha scritto:$))|"
    r"(?:kind |best )?regards\b|cheers\b|sincerely\b|s pozdravem\b|s pozdravom\b|mvh\b|"
    r"(?:med )?(?:vennlig|venlig|vänlig)?a? ?h[iä]lsnin?g?(?:ar)?\b|(?:vennlig )?hilsen\b|"
    r"(?:mit )?(?:freundlichen? )?gr[uü](?:ß|ss)e?n?\b|mfg\b|cordialement\b|saludos\b|"
    r"cordiali saluti\b|met vriendelijke groet|pozdrawiam\b|atenciosamente\b",
    re.IGNORECASE,
)


def _without_signature(text: str) -> str:
    """`text` up to the first line, not its first, that a mail program or a closing began."""
    lines = [line.strip() for line in text.splitlines() if line.strip(" \t\ufeff\u200b")]
    for at, line in enumerate(lines[1:], 1):
        if _SIGNATURE.match(line):
            return "\n".join(lines[:at])
    return "\n".join(lines)


_LATIN, _CYRILLIC = "aceopxytkmhb", "асеорхуткмнв"
_TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)
_TO_CYRILLIC = str.maketrans(_LATIN, _CYRILLIC)
_MIXED = re.compile(r"(?=\w*[a-z])(?=\w*[а-я])\w+")


def _plainer(tokens: list[str]) -> list[str]:
    """`tokens` without the ways of shouting a word: s t o p, stoooop, ST0P, mixed scripts."""
    if len(tokens) > 2 and all(len(token) == 1 for token in tokens):
        tokens = ["".join(tokens)]
    plain = []
    for written in tokens:
        token = re.sub(r"([^\W\d])\1{2,}", r"\1", written)
        if not token.isdigit():
            token = token.replace("0", "o")
        if _MIXED.fullmatch(token):
            latin = token.translate(_TO_LATIN)
            token = latin if latin.isascii() else token.translate(_TO_CYRILLIC)
        plain.append(token)
    return plain


# The exact words

_Phrases = dict[tuple[str, ...], frozenset[str]]
_OBJECT, _POLITE, _WEAK, _SLIP = "object", "polite", "weak", "slip"
_SHORT_CODE = re.compile(r"\d{5,6}").fullmatch


def _phrases(table: dict[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    for language, listed in table.items():
        for phrase in listed.split(","):
            yield tuple(fold(phrase).split()), language


@cache
def _vocabulary() -> dict[str, _Phrases]:
    """Every kind's phrases, each with the languages it belongs to."""
    tables = {STOP: words.STOP, _WEAK: words.WEAK, START: words.START, HELP: words.HELP}
    for kind, listed in ((_POLITE, words.POLITE), (_OBJECT, words.OBJECTS), (_SLIP, words.SLIPS)):
        tables[kind] = {"": ",".join(listed.split())}
    vocabulary: dict[str, _Phrases] = {}
    for kind, table in tables.items():
        found = defaultdict(set)
        for phrase, language in _phrases(table):
            found[phrase].add(language)
        vocabulary[kind] = {phrase: frozenset(langs) for phrase, langs in found.items()}
    return vocabulary


def _exact(tokens: list[str], country: str) -> Verdict | None:
    """The verdict where `tokens` are nothing but keywords, their objects and politeness."""
    for kind in (STOP, START, HELP, _WEAK, _SLIP):
        beside = (_POLITE,) if kind in (HELP, _SLIP) else (_POLITE, _OBJECT)
        covered = _cover(tokens, (kind, *beside))
        if not (said := covered.get(kind)):
            continue
        keyword = " ".join(said)
        if kind == _SLIP:
            return Verdict(INTENT, keyword)
        if kind == _WEAK and not covered.get(_OBJECT) and not _counts(said, country):
            return Verdict(INTENT, keyword)
        return Verdict(STOP if kind == _WEAK else kind, keyword)
    return None


def _cover(tokens: list[str], kinds: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The first phrase of each of `kinds` if together they make up all of `tokens`, else {}.

    The keyword's own phrases come first, the longer before the shorter.
    """
    vocabulary = _vocabulary()
    found: dict[str, tuple[str, ...]] = {}
    at = 0
    while at < len(tokens):
        for size in range(min(6, len(tokens) - at), 0, -1):
            phrase = tuple(tokens[at : at + size])
            kind = next((k for k in kinds if phrase in vocabulary[k]), None)
            if kind:
                found.setdefault(kind, phrase)
                break
        else:
            # "STOP au 36180": a short code after the word, with or without "to".
            ahead = at + 1 if len(tokens[at]) <= 3 and at + 1 < len(tokens) else at
            if not (found and _SHORT_CODE(tokens[ahead])):
                return {}
            size = ahead - at + 1
        at += size
    return found


def _counts(said: tuple[str, ...], country: str) -> bool:
    """Whether an everyday word is an opt-out for people of `country`."""
    if country in words.PLUS_ONE and " ".join(said) in words.FCC:
        return True
    return any(country in words.COUNTRIES[lang].split() for lang in _vocabulary()[_WEAK][said])


# Wishes in free words


@dataclass(slots=True)
class _Lexicon:
    """Every word class of every language, by the word that it starts with."""

    whole: dict[str, list[tuple[tuple[str, ...], str, str]]]
    stems: dict[str, list[tuple[tuple[str, ...], str, str]]]


@cache
def _lexicon() -> _Lexicon:
    lexicon = _Lexicon(defaultdict(list), defaultdict(list))
    for language, classes in WISHES.items():
        for name, listed in classes.items():
            for item in listed.split():
                stemmed = item.endswith("*")
                parts = tuple(_item_words(item))
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


def _matches(entry: tuple[tuple[str, ...], str, str], tokens: list[str], at: int) -> int:
    """How many tokens from `at` the entry takes; 0 where it does not fit."""
    parts, _, name = entry
    if at + len(parts) > len(tokens):
        return 0
    for offset, part in enumerate(parts):
        token = tokens[at + offset]
        last = offset == len(parts) - 1
        if part.endswith("*"):
            if not token.startswith(part[:-1]):
                return 0
        elif not (token.startswith(part) if last and name.endswith("*") else token == part):
            return 0
    return len(parts)


_Spans = dict[str, list[tuple[int, int]]]


def _classes(tokens: list[str]) -> dict[str, _Spans]:
    """Where each language's word classes stand in `tokens`, as (start, end)."""
    lexicon = _lexicon()
    found: dict[str, _Spans] = defaultdict(lambda: defaultdict(list))
    for at, token in enumerate(tokens):
        entries = list(lexicon.whole.get(token, ()))
        for size in range(2, len(token) + 1):
            entries += lexicon.stems.get(token[:size], ())
        for entry in entries:
            if size := _matches(entry, tokens, at):
                found[entry[1]][entry[2].rstrip("*")].append((at, at + size))
    return found


def _wish(tokens: list[str]) -> Verdict | None:
    for spans in _classes(tokens).values():
        if "veto" in spans:
            continue
        for rule in _RULES:
            if said := rule(spans, tokens):
                return Verdict(INTENT, " ".join(tokens[said[0] : said[1]]))
    return None


def _pairs(
    spans: _Spans, first: str, second: str, gap: int, back: int = 0
) -> Iterable[tuple[int, int, int]]:
    """Spans of `first` with one of `second` at most `gap` words after it, or `back` before.

    Yields (start of both, end of both, end of the second's own span).
    """
    for start, end in spans.get(first, ()):
        for start2, end2 in spans.get(second, ()):
            if end <= start2 <= end + gap or (end2 <= start and start - end2 < back):
                yield min(start, start2), max(end, end2), end2


def _negated(spans: _Spans, at: int) -> bool:
    return any(end <= at <= end + 1 for _, end in spans.get("not", ()))


def _near(spans: _Spans, name: str, start: int, end: int, reach: int) -> bool:
    return any(end2 > start - reach and start2 < end + reach for start2, end2 in spans.get(name, ()))


def _closes(spans: _Spans, tokens: list[str], end: int) -> bool:
    """Whether after `end` the text says nothing new: at most politeness, "me", "again"."""
    rest = {at for at in range(end, len(tokens)) if (tokens[at],) not in _vocabulary()[_POLITE]}
    for name in ("me", "more", "msg", "not"):
        for start2, end2 in spans.get(name, ()):
            rest -= set(range(start2, end2))
    return len(rest) <= (1 if len(tokens) > 2 else 0)


_Said = tuple[int, int] | None


def _told_to_cease(spans: _Spans, tokens: list[str]) -> _Said:
    """Stop sending me messages; přestaňte posílat; slutt å sende."""
    for start, end, _ in _pairs(spans, "cease", "send", 4, 2):
        if _negated(spans, start):
            continue
        if any(_near(spans, name, start, end, 5) for name in ("msg", "me")) or _closes(
            spans, tokens, end
        ):
            return start, end
    for start, end, _ in _pairs(spans, "cease", "msg", 4, 1):
        if not _negated(spans, start):
            return start, end
    for start, end, _ in _pairs(spans, "cease", "recv", 3):
        if _near(spans, "msg", start, end, 6):
            return start, end
    return None


def _asked_not_to(spans: _Spans, tokens: list[str]) -> _Said:
    """Don't text me; už mi nepište; ne m'écrivez plus; non mandatemi più messaggi."""
    negated = [*_pairs(spans, "not", "send", 3, 4)]
    negated += [(start, end, end) for start, end in spans.get("nosend", ())]
    for start, end, _ in negated:
        if _near(spans, "msg", start, end, 4) and _near(spans, "more", start, end, 5):
            return start, end
        if any(_near(spans, name, start, end, 4) for name in ("me", "more", "msg")) and _closes(
            spans, tokens, end
        ):
            return start, end
    return None


def _not_wanted(spans: _Spans, tokens: list[str]) -> _Said:
    """I don't want these messages; nechci dostávat sms; vil ikke ha disse meldingene."""
    for start, end, _ in _pairs(spans, "nowant", "msg", 6, 5):
        return start, end
    for start, end, _ in _pairs(spans, "nowant", "recv", 4, 5):
        if _closes(spans, tokens, end):
            return start, end
    for start, end, _ in _pairs(spans, "nowant", "send", 4, 3):
        if _near(spans, "me", start, end, 4) and _closes(spans, tokens, end):
            return start, end
    return None


def _to_be_erased(spans: _Spans, tokens: list[str]) -> _Said:
    """Delete my number; take me off your list; smažte mě z databáze."""
    for start, end, _ in _pairs(spans, "erase", "data", 5, 4):
        if _near(spans, "mine", start, end, 2):
            return start, end
    for start, end, _ in _pairs(spans, "erase", "list", 6, 4):
        if _near(spans, "me", start, end, 3):
            return start, end
    for start, end, _ in _pairs(spans, "erase", "me", 1, 1):
        if len(tokens) <= 6 and _closes(spans, tokens, end):
            return start, end
    return None


def _to_unsubscribe(spans: _Spans, tokens: list[str]) -> _Said:
    """How do I unsubscribe; jak se z toho dá odhlásit; chci se odhlásit z odběru."""
    for start, end in spans.get("unsub", ()):
        if any(_near(spans, name, start, end, 6) for name in ("how", "msg", "list")):
            return start, end
        if _near(spans, "me", start, end, 2) and len(tokens) <= 8:
            return start, end
        if len(tokens) <= 3:
            return start, end
    return None


def _in_so_many_words(spans: _Spans, _: list[str]) -> _Said:
    """Leave me alone; I said stop; I withdraw my consent."""
    return next(iter(spans.get("phrase", ())), None)


_RULES = (
    _in_so_many_words,
    _told_to_cease,
    _asked_not_to,
    _not_wanted,
    _to_be_erased,
    _to_unsubscribe,
)
