"""The folded words of a text in, the words in which its writer asks to be left alone out."""

from __future__ import annotations

from collections.abc import Collection

from bridge.privacy.folding import sound
from bridge.privacy.lexicon import classes
from bridge.privacy.wish_rules import RULES, closes


def wish(tokens: list[str], clauses: Collection[int] = ()) -> str | None:
    """The words of `tokens` that ask us to stop, or None; `clauses`: where a new one begins."""
    readings = [*classes(tokens).values()]
    if all(map(str.isascii, tokens)):
        readings += classes([sound(token) for token in tokens], heard=True).values()
    own = [span for spans in readings for span in spans.get("self", ())]
    unwanted = [span for spans in readings for span in spans.get("nowant", ())]
    for spans in readings:
        if "veto" in spans:
            continue
        spans["self"] = own
        spans["unwanted"] = unwanted
        spans["clause"] = [(start, start) for start in clauses]
        for rule in RULES:
            if said := rule(spans, tokens):
                return " ".join(tokens[said[0] : said[1]])
    return None


def _has(name: str, tokens: list[str]) -> bool:
    return any(name in spans for spans in classes(tokens).values())


def may_cancel(tokens: list[str]) -> bool:
    """Whether `tokens` have a word for cancelling, which alone may be of an appointment."""
    return _has("cancel", tokens)


def unsubscribes(tokens: list[str]) -> bool:
    """Whether `tokens` have a word that is of subscriptions alone."""
    return _has("unsub", tokens) and not may_cancel(tokens)


def declines(tokens: list[str]) -> bool:
    """Whether `tokens` say no more than: I don't want it; that's enough; I am no customer."""
    return any(
        "left" in spans
        or ("nowant" in spans and closes(spans, tokens, 0, 0))
        or ("enough" in spans and len(tokens) <= 3)
        for spans in classes(tokens).values()
    )


def only_cease(tokens: list[str]) -> bool:
    """Whether `tokens` say nothing but "stop", in whatever form a language has."""
    return any(
        "cease" in spans and closes({"cease": spans["cease"]}, tokens, 0, 0)
        for spans in classes(tokens).values()
    )
