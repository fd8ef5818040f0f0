"""What people who ask for their data are told: news of a request comes in, words in theirs go out.

The words stand in `letters.toml`. Letters are mails, texts are SMS; both say who decides, until
when, and whom to complain to (PRIVACY P15, P22, P33). Nothing in them tells whether we hold
anything of anybody.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from bridge.dates import brief_day, brief_minute, spoken_day
from bridge.privacy.requests import STOPPING, Kind, rules

LANGUAGES: Final = ("en", "cs", "no")
_FILE: Final = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a letter may name."""

    reference: str
    kind: str
    decides: str  # the tenant's name; "": we
    operator: str
    due: float
    authority: str
    portal: str
    receipt: str = ""  # where an erasure's receipt is
    reason: str = ""
    code: str = ""
    mode: str = ""  # how it is erased, or what an objection is to: see `requests.MODES`
    number: bool = False  # it is about a phone's number
    hidden: bool = False  # nobody has proved the number: who decides is not named
    nothing: bool = False  # nothing of them was found
    by_hand: bool = False  # what was wrong was corrected by a person


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's subject and its paragraphs."""

    subject: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n\n".join(self.paragraphs)


@cache
def _words(lang: str) -> Mapping[str, Any]:
    """One language's words."""
    found: Mapping[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))[lang]
    return found


#: News that end a request, or refuse something: they name the remedy (Art. 12(4); P33).
_NAMES_REMEDY: Final = frozenset(
    {"acknowledged", "undetermined", "extended", "refused", "rejected", "held", "withdrawn", "done"}
    | {"reassigned"}
)
LETTERS: Final = frozenset(_words("en")["letters"])


def language(wanted: str) -> str:
    """One of ours; English where theirs is none."""
    return wanted if wanted in LANGUAGES else {"nb": "no", "nn": "no"}.get(wanted, "en")


def of_country(country: str) -> str:
    """The language in which a number of this country is answered."""
    return {"CZ": "cs", "SK": "cs", "NO": "no"}.get(country, "en")


def letter(news: str, lang: str, facts: Facts) -> Letter:
    """The mail that tells `news` (one of `LETTERS`)."""
    spoken = language(lang)
    blanks = _blanks(spoken, facts)
    paragraphs = [line.format(**blanks) for line in _words(spoken)["letters"][news]]
    if news in _NAMES_REMEDY:
        paragraphs.append(_words(spoken)["remedy"].format(authority=facts.authority))
    subject = _words(spoken)["subject"].format(reference=facts.reference)
    return Letter(subject, tuple(p for p in paragraphs if p))


def _blanks(spoken: str, facts: Facts) -> dict[str, str]:
    words = _words(spoken)
    plain = {
        "reference": facts.reference,
        "asked": words["kinds"].get("marketing" if facts.mode == "marketing" else facts.kind, ""),
        "due": spoken_day(facts.due, spoken),
        "day": brief_day(facts.due, spoken),
        "moment": brief_minute(facts.due, spoken),
        "portal": facts.portal,
        "receipt": facts.receipt,
        "reason": facts.reason,
        "code": facts.code,
        "minutes": str(round(rules().code_seconds / 60)),
    }
    who = words["who"][2 if facts.hidden else 0 if facts.decides else 1]
    done = words["done"].get(_done(facts), "")
    return {
        **plain,
        "who": who.format(operator=facts.operator, decides=facts.decides),
        "proof": words["proof"][0 if facts.number else 1].format(**plain),
        "stopped": words["stopped"] if facts.number and facts.kind in STOPPING else "",
        "even_so": words["even_so"] if facts.kind == Kind.OBJECT else "",
        "more": done.format(**plain),
    }


def _done(facts: Facts) -> str:
    if facts.nothing:
        return "none"
    match facts.kind:
        case Kind.ACCESS | Kind.PORTABILITY:
            return "export" if facts.number else "address"
        case Kind.ERASE:
            return "only" if facts.mode == "only" else "erase"
        case Kind.RECTIFY:
            return "by-hand" if facts.by_hand else "told" if facts.reason else "rectify"
        case Kind.OBJECT:
            return "marketing" if facts.mode == "marketing" else "object"
        case _:
            return facts.kind


def sms(news: str, lang: str, facts: Facts) -> str:
    """The text that tells `news`."""
    spoken = language(lang)
    found: str = _words(spoken)["sms"][news]
    return found.format(**_blanks(spoken, facts))
