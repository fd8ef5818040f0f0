"""The rules of wishes in free words: where word classes stand in, the words that ask for it out.

The same for every language; `languages` has the words of each class.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from bridge.privacy import words
from bridge.privacy.folding import fold
from bridge.privacy.lexicon import Spans


@cache
def _polite() -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(fold(word).split()) for word in words.POLITE.split())


def _courtesies(tokens: list[str]) -> set[int]:
    """Where `tokens` are polite: please, thank you, من فضلكم."""
    return {
        at + inside
        for size in (1, 2, 3)
        for at in range(len(tokens) - size + 1)
        if tuple(tokens[at : at + size]) in _polite()
        for inside in range(size)
    }


def _pairs(
    spans: Spans, first: str, second: str, gap: int, back: int = 0
) -> Iterable[tuple[int, int, int]]:
    """Spans of `first` with one of `second` at most `gap` words after it, or `back` before.

    Yields (start of both, end of both, end of the second's own span).
    """
    for start, end in spans.get(first, ()):
        for start2, end2 in spans.get(second, ()):
            if end <= start2 <= end + gap or (end2 <= start and start - end2 < back):
                yield min(start, start2), max(end, end2), end2


def _parted(spans: Spans, end: int, at: int) -> bool:
    """Whether a clause ends between: "no, remove me"."""
    return any(end <= start <= at for start, _ in spans.get("clause", ()))


def _unwilling(spans: Spans, tokens: list[str], at: int) -> bool:
    """I don't want to unsubscribe; no quiero darme de baja: but particles lie between."""
    for _, end in spans.get("unwanted", ()):
        between = range(end, at)
        if at < end or len(between) > _PARTICLES or _parted(spans, end, at):
            continue
        named = {at for name in ("msg", "it", "how") for at, _ in spans.get(name, ())}
        if all(len(tokens[here]) <= _PARTICLE and here not in named for here in between):
            return True
    return False


#: How many words, of how many letters, link "I don't want" to what is not wanted: să mă, да се.
_PARTICLES: Final = 2
_PARTICLE: Final = 3


def _negated(spans: Spans, tokens: list[str], at: int) -> bool:
    return _unwilling(spans, tokens, at) or any(
        end <= at <= end + 1 and not _parted(spans, end, at) for _, end in spans.get("not", ())
    )


def _not_to_be(spans: Spans, tokens: list[str], at: int) -> bool:
    """Don't unsubscribe me; but not: why have you not yet unsubscribed me; "no, remove me"."""
    if "yet" in spans:
        return False
    return _unwilling(spans, tokens, at) or any(
        end <= at <= end + 1
        and not _parted(spans, end, at)
        and (start or (start, end) not in spans.get("no", ()))
        for start, end in spans.get("not", ())
    )


def _longest(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """`found` without what stands within another: "baja" in "darme de baja"."""
    return [
        (start, end)
        for start, end in found
        if not any(s <= start and end <= e and (s, e) != (start, end) for s, e in found)
    ]


def _own_doing(spans: Spans, at: int) -> bool:
    """Whether what starts at `at` is what the writer does: I will stop the alerts."""
    return any(end == at for _, end in spans.get("self", ()))


def _near(spans: Spans, name: str, start: int, end: int, reach: int) -> bool:
    return any(
        end2 > start - reach and start2 < end + reach for start2, end2 in spans.get(name, ())
    )


def closes(spans: Spans, tokens: list[str], start: int, slack: int = 1) -> bool:
    """Whether from `start` on the text says little else: at most `slack` words beside the wish."""
    rest = set(range(start, len(tokens))) - _courtesies(tokens)
    for name, found in spans.items():
        if name in _WISHFUL:
            for start2, end2 in found:
                rest -= set(range(start2, end2))
    return len(rest) <= slack


_WISHFUL: Final = frozenset(
    "cease off use nouse send do not nosend msg me more it nowant recv erase data mine unsub how"
    " short wrong left why get".split()
)


_Said = tuple[int, int] | None


def _told_to_cease(spans: Spans, tokens: list[str]) -> _Said:
    """Stop sending me messages; přestaňte posílat; slutt å sende."""
    for start, end, _ in _pairs(spans, "cease", "send", 4, 2):
        if _negated(spans, tokens, start) or _own_doing(spans, start):
            continue
        if any(_near(spans, name, start, end, 5) for name in ("msg", "me")) or closes(
            spans, tokens, start
        ):
            return start, end
    for name in ("cease", "off", "cancel"):
        for start, end, _ in _pairs(spans, name, "msg", 4, 1):
            if not _negated(spans, tokens, start) and not _own_doing(spans, start):
                return start, end
    for start, end, _ in _pairs(spans, "enough", "msg", 3):
        return start, end
    if "msg" in spans:
        # "Your messages wake me, please stop them."
        for start, end, _ in _pairs(spans, "cease", "it", 0):
            asked = not _negated(spans, tokens, start) and not _own_doing(spans, start)
            if asked and closes(spans, tokens, start, 0):
                return start, end
    for start, end, _ in _pairs(spans, "cease", "recv", 3):
        if _negated(spans, tokens, start):
            continue
        if _near(spans, "msg", start, end, 6) or closes(spans, tokens, 0, 0):
            return start, end
    return None


def _negated_sends(spans: Spans) -> list[tuple[int, int]]:
    """Where a text says not to write: don't text, nepište, schreiben Sie nicht."""
    negated = [*_pairs(spans, "not", "send", 3, 4), *_pairs(spans, "not", "do", 3, 4)]
    return [(start, end) for start, end, _ in negated] + spans.get("nosend", [])


def _asked_not_to(spans: Spans, tokens: list[str]) -> _Said:
    """Don't text me; už mi nepište; ne m'écrivez plus; non mandatemi più messaggi."""
    for start, end in _negated_sends(spans):
        if _near(spans, "msg", start, end, 6) and _near(spans, "more", start, end, 5):
            return start, end
        if any(_near(spans, name, start, end, 4) for name in ("me", "more", "msg")) and closes(
            spans, tokens, start
        ):
            return start, end
        if "it" not in spans and closes(spans, tokens, 0, 0):
            return start, end
        if _to_this_number(spans, start, end):
            return start, end
    return None


def _to_this_number(spans: Spans, start: int, end: int) -> bool:
    """Nepište na toto číslo; bu numaraya yazmayın: one word between them and "this number"."""
    for number, after in spans.get("data", ()):
        beside = [
            (min(number, first), max(after, last))
            for name in ("here", "mine")
            for first, last in spans.get(name, ())
            if first <= after and number <= last
        ]
        if any(0 <= first - end <= 1 or 0 <= start - last <= 1 for first, last in beside):
            return True
    return False


def _not_wanted(spans: Spans, tokens: list[str]) -> _Said:
    """I don't want these messages; nechci dostávat sms; vil ikke ha disse meldingene."""
    if any(_unwilling(spans, tokens, cease) for cease, _ in spans.get("cease", ())):
        return None  # "I don't want to stop getting messages."
    for start, end, _ in _pairs(spans, "nowant", "msg", 6, 5):
        return start, end
    for start, end, _ in _pairs(spans, "nowant", "recv", 4, 5):
        if closes(spans, tokens, start, 0):
            return start, end
    for start, end, _ in _pairs(spans, "nowant", "list", 5):
        if _near(spans, "be", start, end, 2):
            return start, end
    for start, end, _ in _pairs(spans, "nowant", "send", 4, 3):
        if _near(spans, "me", start, end, 4) and closes(spans, tokens, start):
            return start, end
    return None


def _of_a_visit(spans: Spans) -> bool:
    """Whether a text speaks of an appointment or a day, and of no list, number or messages."""
    return "visit" in spans and not spans.keys() & {"list", "data", "msg"}


def _of_a_school(spans: Spans) -> bool:
    """Whether a text signs somebody off from school, lunch or a course."""
    return "school" in spans and not spans.keys() & {"list", "data", "msg"}


def _to_be_erased(spans: Spans, tokens: list[str]) -> _Said:
    """Delete my number; take me off your list; smažte mě z databáze."""
    if _of_a_visit(spans):
        return None
    for start, end, _ in _pairs(spans, "erase", "data", 5, 4):
        if _near(spans, "visit", start, end, 0) or _not_to_be(spans, tokens, start):
            continue
        if _near(spans, "mine", start, end, 2) or closes(spans, tokens, 0, 0):
            return start, end
    for start, end, _ in _pairs(spans, "erase", "list", 6, 4):
        if _near(spans, "me", start, end, 3) and not _not_to_be(spans, tokens, start):
            return start, end
    for start, end, _ in _pairs(spans, "gone", "list", 4, 4):
        if any(_near(spans, name, start, end, 6) for name in ("how", "me")):
            return start, end
    for start, end, _ in _pairs(spans, "erase", "me", 1, 1):
        if len(tokens) > 6 or _not_to_be(spans, tokens, start):
            continue
        if closes(spans, tokens, start, 0):
            return start, end
    return None


def _not_to_be_used(spans: Spans, _tokens: list[str]) -> _Said:
    """Do not use my number any more; nepoužívejte moje číslo."""
    said = [(start, end) for start, end, _ in _pairs(spans, "not", "use", 3, 5)]
    for start, end in said + spans.get("nouse", []):
        if _near(spans, "data", start, end, 4) and _near(spans, "mine", start, end, 4):
            return start, end
    return None


def _asked_whence(spans: Spans, _tokens: list[str]) -> _Said:
    """Who gave you my number; odkud máte moje číslo; I never gave you my number, or consent."""
    for start, end, _ in _pairs(spans, "source", "data", 4, 4):
        if _near(spans, "mine", start, end, 2):
            return start, end
    never = [*_pairs(spans, "not", "gave", 3, 3)]
    never += [(start, end, end) for start, end in spans.get("nogave", ())]
    for start, end, _ in never:
        if _near(spans, "data", start, end, 4) and _near(spans, "you", start, end, 3):
            return start, end
        if _near(spans, "consent", start, end, 3):
            return start, end
    return None


def _asked_why(spans: Spans, tokens: list[str]) -> _Said:
    """Why am I getting these messages; proč mi to chodí."""
    for start, end, _ in _pairs(spans, "why", "get", 4):
        of_these = all(_near(spans, name, start, end, 4) for name in ("msg", "it"))
        if of_these or closes(spans, tokens, 0, 0):
            return start, end
    return None


def _to_unsubscribe(spans: Spans, tokens: list[str]) -> _Said:
    """How do I unsubscribe; jak se z toho dá odhlásit; chci se odhlásit z odběru."""
    if _of_a_visit(spans) or _of_a_school(spans):
        return None
    for start, end in _longest(spans.get("unsub", [])):
        if _not_to_be(spans, tokens, start):
            continue
        if any(_near(spans, name, start, end, 6) for name in ("how", "msg", "list")):
            return start, end
        if _near(spans, "me", start, end, 2) and len(tokens) <= 8:
            return start, end
        if closes(spans, tokens, 0, 0):
            return start, end
    return None


def _in_so_many_words(spans: Spans, tokens: list[str]) -> _Said:
    """Leave me alone; I said stop; I withdraw my consent; not interested, thanks."""
    said = [*spans.get("phrase", ())]
    erase = {at for name in ("erase", "unsub") for at, _ in spans.get(name, ())}
    if _of_a_visit(spans) or _of_a_school(spans):
        # "Take me off the rota", "remove me from Friday's shift".
        said = [span for span in said if not erase.intersection(range(*span))]
    if "short" in spans and closes(spans, tokens, 0):
        said += spans["short"]
    return next(
        (
            span
            for span in said
            if not erase.intersection(range(*span)) or not _not_to_be(spans, tokens, span[0])
        ),
        None,
    )


def _wrong_person(spans: Spans, tokens: list[str]) -> _Said:
    """You have the wrong number; to je omyl, nejsem Novák; this is no longer Peter's phone."""
    for start, end in spans.get("wrong", ()):
        if _near(spans, "notme", start, end, 6) or closes(spans, tokens, 0):
            return start, end
    for start, end, end2 in _pairs(spans, "nolonger", "number", 2, 3):
        # "Number 5 no longer works" is of no phone.
        if _near(spans, "here", start, end, 4) and not "".join(tokens[end2 : end2 + 1]).isdigit():
            return start, end
    return None


def _of_a_stranger(spans: Spans, _tokens: list[str]) -> _Said:
    """I don't work there any more, please remove; I no longer own it, stop the notices."""
    if _of_a_visit(spans):
        return None
    asked = {"asked": [*_negated_sends(spans)]}
    asked["asked"] += [span for name in ("erase", "cease", "unsub") for span in spans.get(name, ())]
    for start, end, _ in _pairs(asked | {"left": spans.get("left", [])}, "left", "asked", 5, 5):
        return start, end
    return None


def _threatens(spans: Spans, _tokens: list[str]) -> _Said:
    """I will complain to the authority; one more text and I go to the police."""
    for start, end, _ in _pairs(spans, "complain", "authority", 4, 4):
        return start, end
    for name in ("msg", "nosend", "nowant", "more", "cease"):
        for start, end, _ in _pairs(spans, "threat", name, 5, 5):
            return start, end
    return None


def _data_rights(spans: Spans, _tokens: list[str]) -> _Said:
    """What data do you hold on me; I request deletion of my data."""
    for start, end, _ in _pairs(spans, "rights", "mydata", 3, 4):
        return start, end
    return None


RULES = (
    _in_so_many_words,
    _told_to_cease,
    _asked_not_to,
    _not_wanted,
    _to_be_erased,
    _to_unsubscribe,
    _not_to_be_used,
    _asked_whence,
    _asked_why,
    _wrong_person,
    _of_a_stranger,
    _threatens,
    _data_rights,
)
