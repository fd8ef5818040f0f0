"""The folded words of a text in, the words in which its writer asks to be left alone out.

Rules over word classes, the same for every language; `wishes` has each language's words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from bridge.privacy import words
from bridge.privacy.folding import fold, sound
from bridge.privacy.wishes import WISHES

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
    for language in _ROMANISED if heard else WISHES:
        for name, listed in WISHES[language].items():
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


@cache
def _polite() -> frozenset[str]:
    return frozenset(fold(word) for word in words.POLITE.split() if "_" not in word)


_Spans = dict[str, list[tuple[int, int]]]


def _classes(tokens: list[str], heard: bool = False) -> dict[str, _Spans]:
    """Where each language's word classes stand in `tokens`, as (start, end)."""
    lexicon = _lexicon(heard)
    found: dict[str, _Spans] = defaultdict(lambda: defaultdict(list))
    for at, token in enumerate(tokens):
        entries = list(lexicon.whole.get(token, ()))
        for size in range(2, len(token) + 1):
            entries += lexicon.stems.get(token[:size], ())
        for entry in entries:
            if size := _matches(entry, tokens, at):
                found[entry[1]][entry[2].rstrip("*")].append((at, at + size))
    return found


def wish(tokens: list[str]) -> str | None:
    """The words of `tokens` that ask us to stop, or None."""
    readings = [*_classes(tokens).values()]
    if all(map(str.isascii, tokens)):
        readings += _classes([sound(token) for token in tokens], heard=True).values()
    for spans in readings:
        if "veto" in spans:
            continue
        for rule in _RULES:
            if said := rule(spans, tokens):
                return " ".join(tokens[said[0] : said[1]])
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


def _has(name: str, tokens: list[str]) -> bool:
    return any(name in spans for spans in _classes(tokens).values())


def may_cancel(tokens: list[str]) -> bool:
    """Whether `tokens` have a word for cancelling, which alone may be of an appointment."""
    return _has("cancel", tokens)


def unsubscribes(tokens: list[str]) -> bool:
    """Whether `tokens` have a word that is of subscriptions alone."""
    return _has("unsub", tokens) and not may_cancel(tokens)


def only_cease(tokens: list[str]) -> bool:
    """Whether `tokens` say nothing but "stop", in whatever form a language has."""
    return any(
        "cease" in spans and _closes({"cease": spans["cease"]}, tokens, 0, 0)
        for spans in _classes(tokens).values()
    )


def _negated(spans: _Spans, at: int) -> bool:
    return any(end <= at <= end + 1 for _, end in spans.get("not", ()))


def _near(spans: _Spans, name: str, start: int, end: int, reach: int) -> bool:
    return any(
        end2 > start - reach and start2 < end + reach for start2, end2 in spans.get(name, ())
    )


def _closes(spans: _Spans, tokens: list[str], start: int, slack: int = 1) -> bool:
    """Whether from `start` on the text says little else: at most `slack` words beside the wish."""
    rest = {at for at in range(start, len(tokens)) if tokens[at] not in _polite()}
    for name, found in spans.items():
        if name in _WISHFUL:
            for start2, end2 in found:
                rest -= set(range(start2, end2))
    return len(rest) <= slack


_WISHFUL: Final = frozenset(
    "cease send do not nosend msg me more it nowant recv erase data mine unsub how short".split()
)


_Said = tuple[int, int] | None


def _told_to_cease(spans: _Spans, tokens: list[str]) -> _Said:
    """Stop sending me messages; přestaňte posílat; slutt å sende."""
    for start, end, _ in _pairs(spans, "cease", "send", 4, 2):
        if _negated(spans, start):
            continue
        if any(_near(spans, name, start, end, 5) for name in ("msg", "me")) or _closes(
            spans, tokens, start
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
    negated = [*_pairs(spans, "not", "send", 3, 4), *_pairs(spans, "not", "do", 3, 4)]
    negated += [(start, end, end) for start, end in spans.get("nosend", ())]
    for start, end, _ in negated:
        if _near(spans, "msg", start, end, 6) and _near(spans, "more", start, end, 5):
            return start, end
        if any(_near(spans, name, start, end, 4) for name in ("me", "more", "msg")) and _closes(
            spans, tokens, start
        ):
            return start, end
        if "it" not in spans and _closes(spans, tokens, 0, 0):
            return start, end
    return None


def _not_wanted(spans: _Spans, tokens: list[str]) -> _Said:
    """I don't want these messages; nechci dostávat sms; vil ikke ha disse meldingene."""
    for start, end, _ in _pairs(spans, "nowant", "msg", 6, 5):
        return start, end
    for start, end, _ in _pairs(spans, "nowant", "recv", 4, 5):
        if _closes(spans, tokens, start, 0):
            return start, end
    for start, end, _ in _pairs(spans, "nowant", "send", 4, 3):
        if _near(spans, "me", start, end, 4) and _closes(spans, tokens, start):
            return start, end
    return None


def _of_a_visit(spans: _Spans) -> bool:
    """Whether a text speaks of an appointment or a day, and of no list, number or messages."""
    return "visit" in spans and not spans.keys() & {"list", "data", "msg"}


def _to_be_erased(spans: _Spans, tokens: list[str]) -> _Said:
    """Delete my number; take me off your list; smažte mě z databáze."""
    if _of_a_visit(spans):
        return None
    for start, end, _ in _pairs(spans, "erase", "data", 5, 4):
        if _near(spans, "visit", start, end, 0):
            continue
        if _near(spans, "mine", start, end, 2) or _closes(spans, tokens, 0, 0):
            return start, end
    for start, end, _ in _pairs(spans, "erase", "list", 6, 4):
        if _near(spans, "me", start, end, 3):
            return start, end
    for start, end, _ in _pairs(spans, "erase", "me", 1, 1):
        if len(tokens) <= 6 and _closes(spans, tokens, start, 0):
            return start, end
    return None


def _asked_whence(spans: _Spans, _tokens: list[str]) -> _Said:
    """Who gave you my number; odkud máte moje číslo; woher haben Sie meine Nummer."""
    for start, end, _ in _pairs(spans, "source", "data", 4, 4):
        if _near(spans, "mine", start, end, 2):
            return start, end
    return None


def _to_unsubscribe(spans: _Spans, tokens: list[str]) -> _Said:
    """How do I unsubscribe; jak se z toho dá odhlásit; chci se odhlásit z odběru."""
    for start, end in spans.get("unsub", ()):
        if any(_near(spans, name, start, end, 6) for name in ("how", "msg", "list")):
            return start, end
        if _near(spans, "me", start, end, 2) and len(tokens) <= 8:
            return start, end
        if _closes(spans, tokens, 0, 0):
            return start, end
    return None


def _in_so_many_words(spans: _Spans, tokens: list[str]) -> _Said:
    """Leave me alone; I said stop; I withdraw my consent; not interested, thanks."""
    said = [*spans.get("phrase", ())]
    if _of_a_visit(spans):
        # "Take me off the rota", "remove me from Friday's shift".
        erase = spans.get("erase", ())
        said = [span for span in said if not any(span[0] <= at < span[1] for at, _ in erase)]
    if "short" in spans and _closes(spans, tokens, 0):
        said += spans["short"]
    return next(iter(said), None)


_RULES = (
    _in_so_many_words,
    _told_to_cease,
    _asked_not_to,
    _not_wanted,
    _to_be_erased,
    _to_unsubscribe,
    _asked_whence,
)
