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
from typing import Final

from bridge.privacy import words
from bridge.privacy.folding import fold, plainer, without_signature
from bridge.privacy.intents import may_cancel, only_cease, unsubscribes, wish

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
    tokens = fold(without_signature(text)).split()
    if not tokens:
        return Verdict(NONE)
    found = _exact(plainer(tokens), (country or "").upper())
    return found or _free_words(tokens, text) or Verdict(NONE)


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


@cache
def _alone() -> frozenset[tuple[str, ...]]:
    return frozenset(phrase for phrase, _ in _phrases({"": words.ALONE}))


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


def of_programme(text: str, keyword: str) -> str:
    """What `text` asks of the programme of this keyword: "STOP offers", "START offers"; or ""."""
    tokens, own = fold(without_signature(text)).split(), fold(keyword).split()
    if not own or len(tokens) <= len(own) or tokens[-len(own) :] != own:
        return ""
    rest = plainer(tokens[: -len(own)])
    return next((kind for kind in (STOP, START) if kind in _cover(rest, (kind, _POLITE))), "")


_CLAUSE = re.compile(r"[.!?,;:\n]+|\s[-–—]+\s")


def _free_words(tokens: list[str], text: str) -> Verdict | None:
    """A wish in free words; or the last of several clauses is only a stop word.

    The first may be one only if it is to unsubscribe: "stop, I am at the door" asks nothing of us.
    "I am ill, cancel please" answers a reminder: what may be cancelled is no stop word there.
    """
    if said := wish(tokens[:_LONGEST]):
        return Verdict(INTENT, said)
    clauses = [clause for clause in map(fold, _CLAUSE.split(without_signature(text))) if clause]
    if len(clauses) < 2:
        return None
    first, last = clauses[0].split(), clauses[-1].split()
    if _stops(first) and unsubscribes(first):
        return Verdict(INTENT, clauses[0])
    if not may_cancel(last) and (_stops(last) or only_cease(last)):
        return Verdict(INTENT, clauses[-1])
    return None


def _stops(tokens: list[str]) -> bool:
    found = _exact(tokens, "")
    return found is not None and found.verdict == STOP
