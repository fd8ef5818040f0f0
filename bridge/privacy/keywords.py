"""A text from a phone in, what its writer wants of us out: stop, start, help, a wish, or nothing.

`stop`, `start` and `help` need the exact word, alone but for politeness, repetition, what it is
to stop and a device's signature.  A wish in free words is an `intent`: marketing stops at once
and a person looks at it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final

from bridge.privacy import languages, words
from bridge.privacy.folding import (
    fold,
    is_name,
    plainer,
    sound,
    undoubled,
    unmasked,
    without_signature,
)
from bridge.privacy.intents import declines, may_cancel, only_cease, unsubscribes, wish

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
    #: An everyday word where it opts nobody out: somebody looks at it, nothing is stopped (P37).
    weak: bool = False


def verdict(text: str, country: str | None = None) -> Verdict:
    """Judge `text` from a person whose number is of `country` (ISO code; None: not known).

    Everyday words such as "end" or "konec" opt out only in a country of their language; elsewhere
    they are an `intent`.  In +1 countries the FCC's words always opt out.
    """
    bare = without_signature(text)
    tokens = fold(bare).split()
    if not tokens:
        return Verdict(NONE)
    country = (country or "").upper()
    spelled = (found for way in _spellings(bare, tokens) if (found := _exact(way, country)))
    exact = next(spelled, None) or _exact_by_ear(tokens)
    return exact or _free_words(tokens, bare) or Verdict(NONE)


# The exact words

_Phrases = dict[tuple[str, ...], frozenset[str]]
_OBJECT, _POLITE, _WEAK, _SLIP = "object", "polite", "weak", "slip"
_SHORT_CODE = re.compile(r"\d{5,6}").fullmatch


def _phrases(table: dict[str, list[str]]) -> Iterator[tuple[tuple[str, ...], str]]:
    for language, listed in table.items():
        for phrase in listed:
            yield tuple(fold(phrase).split()), language


@cache
def _vocabulary() -> dict[str, _Phrases]:
    """Every kind's phrases, each with the languages it belongs to."""
    tables = {kind: languages.phrases(kind) for kind in (STOP, _WEAK, START, HELP)}
    for kind, listed in ((_POLITE, words.POLITE), (_OBJECT, words.OBJECTS), (_SLIP, words.SLIPS)):
        tables[kind] = {"": listed.split()}
    vocabulary: dict[str, _Phrases] = {}
    for kind, table in tables.items():
        found = defaultdict(set)
        for phrase, language in _phrases(table):
            found[phrase].add(language)
        vocabulary[kind] = {phrase: frozenset(langs) for phrase, langs in found.items()}
    return vocabulary


@cache
def _alone() -> frozenset[tuple[str, ...]]:
    return frozenset(phrase for phrase, _ in _phrases({"": words.ALONE.split(",")}))


_JOINED = re.compile(r"(?<=\w)[-_.](?=\w)")


def _spellings(text: str, tokens: list[str]) -> Iterator[list[str]]:
    """The ways to read what somebody typed in haste or in disguise: un-subscribe, sttop."""
    yield plainer(tokens)
    if _JOINED.search(text):
        yield plainer(fold(_JOINED.sub("", text)).split())
    for respelled in (unmasked, undoubled):
        if (way := respelled(tokens)) != tokens:
            yield way


def _exact_by_ear(tokens: list[str]) -> Verdict | None:
    """The verdict on words of another alphabet in Latin letters: otpisatsya; stop, spasibo."""
    if not all(map(str.isascii, tokens)) or any(_DOUBLED.search(token) for token in tokens):
        return None
    heard = [sound(token) for token in tokens]
    for kind in (STOP, START, HELP):
        if said := _cover(heard, (kind, _POLITE, _OBJECT), _heard()).get(kind):
            return Verdict(kind, " ".join(said))
    return None


_DOUBLED = re.compile(r"([a-z])\1")


@cache
def _heard() -> dict[str, _Phrases]:
    """How the phrases of other alphabets sound in Latin letters; everyday words are left out."""
    return {
        kind: {
            tuple(map(sound, phrase)): languages
            for phrase, languages in phrases.items()
            if _OTHER_ALPHABET.search(phrase[0])
        }
        for kind, phrases in _vocabulary().items()
        if kind in (STOP, START, HELP, _POLITE, _OBJECT)
    }


#: Greek and Cyrillic: those whose people also write in Latin letters.
_OTHER_ALPHABET = re.compile(r"[α-ωа-яѐ-џ]")


def _exact(tokens: list[str], country: str) -> Verdict | None:
    """The verdict where `tokens` are nothing but keywords, their objects and politeness."""
    for kind in (STOP, START, HELP, _WEAK, _SLIP):
        beside = (_POLITE,) if kind in (HELP, _SLIP) else (_POLITE, _OBJECT)
        covered = _cover(tokens, (kind, *beside))
        if not (said := covered.get(kind)):
            continue
        keyword = " ".join(said)
        if kind == _WEAK and covered.get(_OBJECT) and said in _alone():
            continue
        if kind == _SLIP:
            return Verdict(INTENT, keyword)
        if kind == _WEAK and not covered.get(_OBJECT) and not _counts(said, country):
            return Verdict(INTENT, keyword, weak=True)
        return Verdict(STOP if kind == _WEAK else kind, keyword)
    return None


def _cover(
    tokens: list[str], kinds: tuple[str, ...], vocabulary: dict[str, _Phrases] | None = None
) -> dict[str, tuple[str, ...]]:
    """The first phrase of each of `kinds` if together they make up all of `tokens`, else {}.

    The keyword's own phrases come first, the longer before the shorter.
    """
    vocabulary = vocabulary or _vocabulary()
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
    return any(country in languages.countries(lang) for lang in _vocabulary()[_WEAK][said])


def of_programme(text: str, keyword: str) -> str:
    """What `text` asks of the programme of this keyword: "STOP offers", "START offers"; or ""."""
    tokens, own = fold(without_signature(text)).split(), fold(keyword).split()
    if not own or len(tokens) <= len(own) or tokens[-len(own) :] != own:
        return ""
    rest = plainer(tokens[: -len(own)])
    return next((kind for kind in (STOP, START) if kind in _cover(rest, (kind, _POLITE))), "")


_CLAUSE = re.compile(r"[.!?,;:…،؛؟。、，！？\n]+|\s[-–—~]+\s")


def _free_words(tokens: list[str], text: str) -> Verdict | None:
    """A wish in free words; or the last of several clauses is only a stop word.

    The first may be one only if it is to unsubscribe, or if all that follows is a name: "stop, I am
    at the door" asks nothing of us.
    "I am ill, cancel please" answers a reminder: what may be cancelled is no stop word there.
    STOP itself with nothing but wishes behind it is one: "STOP! Don't text me again".
    """
    written = [clause for clause in _CLAUSE.split(text) if fold(clause)]
    clauses = [fold(clause).split() for clause in written]
    said = wish(tokens[:_LONGEST], [*accumulate(map(len, clauses[:-1]))])
    if len(clauses) < 2:
        return Verdict(INTENT, said) if said else None
    first, last = clauses[0], clauses[-1]
    if _is_stop_itself(first) and all(map(_adds_nothing, clauses[1:])):
        return Verdict(STOP, " ".join(first))
    if said:
        return Verdict(INTENT, said)
    signed = len(clauses) == 2 and is_name(written[1].strip())
    if _stops(first) and (unsubscribes(first) or (signed and _is_stop_itself(first))):
        return Verdict(INTENT, " ".join(first))
    if not may_cancel(last) and (_stops(last) or only_cease(last)):
        return Verdict(INTENT, " ".join(last))
    return None


def _stops(tokens: list[str]) -> bool:
    found = _exact(tokens, "")
    return found is not None and found.verdict == STOP


def _is_stop_itself(tokens: list[str]) -> bool:
    found = _exact(plainer(tokens), "")
    return found is not None and found.verdict == STOP and sound(found.keyword or "") == "stop"


def _adds_nothing(tokens: list[str]) -> bool:
    """Whether a clause beside a STOP is polite, declines, or is a wish of its own."""
    polite = _cover(tokens, (_POLITE,)) or _wishes_well(tokens)
    return bool(polite or declines(tokens) or wish(tokens))


def _wishes_well(tokens: list[str]) -> bool:
    """Whether `tokens` are a wish for a good day, in whatever words."""
    times, well = _good_wishes()
    return not times.isdisjoint(tokens) and well.issuperset(tokens)


@cache
def _good_wishes() -> tuple[frozenset[str], frozenset[str]]:
    times = frozenset(map(fold, words.TIMES.split()))
    return times, times | frozenset(map(fold, f"{words.WELL} {words.POLITE}".split()))
