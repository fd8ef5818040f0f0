"""What a person wrote comes in, an SMS or a mail; which right they use, and their language, go out.

An SMS must be one of the exact words below, of which each request begins with GDPR: ordinary talk
is never taken for one, and no opt-out word is among them. A mail is read for words of three
languages; what none of them settles is classed by a person.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bridge.privacy.folding import fold
from bridge.privacy.requests import Kind

#: Words that are answered by the way to the portal, and open nothing.
ABOUT: Final = frozenset({"gdpr", "privacy", "osobni udaje", "personvern"})
#: Second words after GDPR that open a request, proved by the handset.
WORDS: Final[Mapping[str, tuple[Kind, str]]] = {
    "export": (Kind.ACCESS, ""),
    "access": (Kind.ACCESS, "en"),
    "vypis": (Kind.ACCESS, "cs"),
    "innsyn": (Kind.ACCESS, "no"),
    "erase": (Kind.ERASE, "en"),
    "delete": (Kind.ERASE, "en"),
    "vymaz": (Kind.ERASE, "cs"),
    "slett": (Kind.ERASE, "no"),
}
#: Answers to the notice that an export is about to be released.
NO: Final = frozenset({"no", "ne", "nei", "nej", "nie"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What a text or a mail asks for; `kind` None: only what may be asked for."""

    kind: Kind | None
    lang: str  # "" where the words are of no language
    mode: str = ""  # of an objection: "marketing", where it is to nothing else


def of_sms(text: str) -> Wish | None:
    """The wish that an SMS is, word for word; None for everything else."""
    said = fold(text)
    if said in ABOUT:
        return Wish(None, {"osobni udaje": "cs", "personvern": "no"}.get(said, ""))
    first, _, rest = said.partition(" ")
    found = WORDS.get(rest) if first == "gdpr" else None
    return Wish(*found) if found else None


def is_no(text: str) -> bool:
    """Whether an SMS is nothing but a no."""
    return fold(text) in NO


_MAIL: Final[tuple[tuple[Kind, str, str], ...]] = (
    (Kind.PORTABILITY, "en", r"portability|machine readable|article 20|art 20"),
    (Kind.PORTABILITY, "cs", r"prenositelnost\w*|prenesen\w* (?:svych |mych )?udaj\w*|clan\w* 20"),
    (Kind.PORTABILITY, "no", r"dataportabilitet\w*|overfore opplysning\w*|artikkel 20"),
    (Kind.ACCESS, "en", r"access request|right of access|copy of (?:my|all) (?:personal )?data"
     r"|what (?:personal )?data (?:do )?you (?:have|hold|keep)|article 15|art 15"),
    (Kind.ACCESS, "cs", r"pristup\w* k\w* (?:\w+ ){0,2}udaj\w*|kopi\w* (?:\w+ ){0,2}udaj\w*"
     r"|jake udaje|vypis (?:\w+ ){0,2}udaj\w*|clan\w* 15"),
    (Kind.ACCESS, "no", r"innsyn\w*|kopi av (?:\w+ ){0,2}opplysning\w*|hvilke opplysning\w*"
     r"|artikkel 15"),
    (Kind.RECTIFY, "en", r"rectif\w+|correct my|wrong number|changed my number|article 16|art 16"),
    (Kind.RECTIFY, "cs", r"oprav\w* (?:\w+ ){0,2}udaj\w*|opravte|zmenil\w* (?:\w+ )?cislo"
     r"|clan\w* 16"),
    (Kind.RECTIFY, "no", r"rett(?:e|ing) (?:\w+ ){0,2}opplysning\w*|feil nummer|nytt nummer"
     r"|artikkel 16"),
    (Kind.ERASE, "en", r"eras\w+|delete (?:my|all)|delete me|right to be forgotten|article 17"
     r"|art 17|remove my (?:data|number)"),
    (Kind.ERASE, "cs", r"vymaz\w*|smaz\w+|pravo byt zapomenut|clan\w* 17"),
    (Kind.ERASE, "no", r"slett\w*|retten til a bli glemt|artikkel 17"),
    (Kind.RESTRICT, "en", r"restrict\w* (?:of |the )?(?:processing|use)|article 18|art 18"),
    (Kind.RESTRICT, "cs", r"omez\w* zpracovan\w*|clan\w* 18"),
    (Kind.RESTRICT, "no", r"begrens\w* (?:\w+ ){0,2}behandling\w*|artikkel 18"),
    (Kind.WITHDRAW, "en", r"withdraw\w* (?:my )?consent"),
    (Kind.WITHDRAW, "cs", r"odvol\w* (?:\w+ ){0,1}souhlas\w*"),
    (Kind.WITHDRAW, "no", r"trekke\w* (?:\w+ ){0,2}samtykke\w*"
     r"|tilbakekall\w* (?:\w+ )?samtykke\w*"),
    (Kind.OBJECT, "en", r"i object|objection to|stop (?:sending|texting|marketing)|no marketing"
     r"|article 21|art 21"),
    (Kind.OBJECT, "cs", r"namit\w+|nesouhlasim|neposilejte|nezasilejte|clan\w* 21"),
    (Kind.OBJECT, "no", r"innsigelse\w*|protester\w*|reserver\w*|ikke send\w*|artikkel 21"),
)  # fmt: skip
_READ: Final = [(kind, lang, re.compile(rf"\b(?:{words})\b")) for kind, lang, words in _MAIL]
_ADVERTISING: Final = re.compile(
    r"\b(?:marketing|advert\w*|promotion\w*|newsletters?|reklam\w*|obchodni\w* sdeleni\w*"
    r"|nabidk\w*|markedsforing\w*|nyhetsbrev\w*)\b"
)
#: Beside advertising they object to more, or may: an objection is not made narrower than it is.
_EVERYTHING: Final = re.compile(r"\b(?:all|any|everything|vse\w*|zadn\w*|alle?|alt)\b")
#: Words that tell a language and nothing else.
_TELLS: Final = {
    "cs": re.compile(
        r"\b(?:dobry|den|prosim|zadam|jsem|muj|moje|udaje|cislo|dekuji|pozdravem|vas|me)\b"
    ),
    "no": re.compile(
        r"\b(?:hei|jeg|ikke|mine|opplysninger|vennlig|hilsen|takk|mitt|nummer|dere|meg|om)\b"
    ),
    "en": re.compile(r"\b(?:dear|please|my|data|number|regards|you|the|hello|about|i|have)\b"),
}
_LONGEST: Final = 20_000


def of_mail(text: str) -> Wish:
    """Which right a mail uses, and its language; `kind` None where its words do not settle that."""
    said = fold(text[:_LONGEST])
    found: Counter[Kind] = Counter()
    spoken: Counter[str] = Counter({lang: len(p.findall(said)) for lang, p in _TELLS.items()})
    for kind, lang, pattern in _READ:
        hits = len(pattern.findall(said))
        if hits:
            found[kind] += hits
            spoken[lang] += 3 * hits
    lang = spoken.most_common(1)[0][0] if spoken.total() else ""
    settled = next(iter(found)) if len(found) == 1 else None
    narrow = settled is Kind.OBJECT and _ADVERTISING.search(said) and not _EVERYTHING.search(said)
    return Wish(settled, lang, "marketing" if narrow else "")


_NUMBER: Final = re.compile(
    r"(?:\+|\b00)[\d (]{1}[\d\s().\-/]{6,20}\d|\b\d{3}[ ]?\d{3}[ ]?\d{3}\b"
    # Norwegian mobile numbers: eight digits, as 406 12 345 or 40 61 23 45.
    r"|\b[49]\d{2}[ ]?\d{2}[ ]?\d{3}\b|\b[49]\d(?: \d{2}){3}\b"
)
#: Where people who write a language mean a number without a country code to be.
COUNTRIES: Final[Mapping[str, str]] = {"cs": "CZ", "no": "NO"}


def numbers_in(text: str) -> list[str]:
    """What in a mail may be a phone's number, as it was written."""
    return [found.group().strip() for found in _NUMBER.finditer(text[:_LONGEST])]


_CODE: Final = re.compile(r"(?<!\d)\d{6}(?!\d)")
_CODE_LETTER: Final = 300


def code_in(text: str) -> str:
    """The code that a short mail brings back; "" for others."""
    found = _CODE.findall(text) if len(text) <= _CODE_LETTER else []
    return found[0] if len(found) == 1 else ""
