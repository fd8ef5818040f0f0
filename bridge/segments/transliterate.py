"""A text in, its plainer writing out: foreign letters and signs by what GSM-7 has.

Only writings that every reader takes for the same are used; what has none stays as it is, and
the caller then sends the text as written.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

from bridge.segments.alphabets import DEFAULT

_SIGNS = {
    "'": "‘’‚‛′´`ʹʻʼʽˈˊˋ‵＇",
    '"': "“”„‟″«»〝〞＂ʺ",
    "<": "‹",
    ">": "›",
    "-": "‐‑‒–—―−⁃﹣－",
    "...": "…",
    "*": "•●▪◦‣∙·★☆",
    " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f"
    "\u205f\u3000\t",
    "\n": "\u2028\u2029\u0085\v",
    # Signs without width: hyphenation, byte order, direction.
    "": "\u00ad\u200b\u200e\u200f\u2060\ufeff"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    "x": "×",
    "/": "÷⁄∕",
    "|": "¦",
    "~": "˜∼～",
    "+/-": "±",
    "<=": "≤",
    ">=": "≥",
    "!=": "≠",
    "->": "→",
    "<-": "←",
    "=>": "⇒",
    "(C)": "©",
    "(R)": "®",
    "TM": "™",
    "No": "№",
    "a": "ª",
    "o": "º",
    "c": "¢",
    "ae": "ǽ",
    "oe": "œ",
    "OE": "Œ",
    "l": "ł",
    "L": "Ł",
    "d": "đð",
    "D": "ĐÐ",
    "th": "þ",
    "Th": "Þ",
    "i": "ı",
    "h": "ħ",
    "H": "Ħ",
    "t": "ŧ",
    "T": "Ŧ",
    "n": "ŋ",
    "N": "Ŋ",
    "k": "ĸ",
    "s": "ſ",
    "SS": "ẞ",
    "ij": "ĳ",
    "IJ": "Ĳ",
    # Greek capitals that look like Latin ones; the others are in GSM-7.
    **dict(zip("ABEZHIKMNOPTYX", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", strict=True)),
    # The nearest letter that GSM-7 has, rather than the bare one.
    "u": "µ",
    "ö": "ő",
    "Ö": "Ő",
    "ü": "ű",
    "Ü": "Ű",
}
_TABLE = {ord(char): plain for plain, chars in _SIGNS.items() for char in chars}

# After a letter a raised figure is read as written small (m²); after a figure it would change
# the number (10²), and there it stays.
_RAISED = re.compile(r"(?<=[^\W\d_])([²³])")
_RAISED_TO = {"²": "2", "³": "3"}
_FRACTION = re.compile(r"(\d?) ?([¼½¾])")
_FRACTION_TO = {"¼": "1/4", "½": "1/2", "¾": "3/4"}
_DEGREES = re.compile(r"°(?=[CF]\b)")
_NUMBER_SIGN = re.compile(r"(?<=\b[nN])°")


def simplify(text: str, romanise: bool = False) -> str:
    """`text` with each character outside GSM-7 written plainly, where there is such a writing.

    `romanise` also writes Greek in capitals without accents, as phones always showed it, and
    Cyrillic in Latin letters.
    """
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    text = _RAISED.sub(lambda m: _RAISED_TO[m[1]], text)
    text = _FRACTION.sub(lambda m: f"{m[1]} {_FRACTION_TO[m[2]]}".lstrip(), text)
    text = _NUMBER_SIGN.sub("o", _DEGREES.sub("", text)).replace("°", " deg")
    known = DEFAULT.septets
    return "".join([c if c in known else _plain(c, romanise) for c in text])


@lru_cache(maxsize=4096)
def _plain(char: str, romanise: bool) -> str:
    if ord(char) in _TABLE:
        return _TABLE[ord(char)]
    name = unicodedata.name(char, "")
    if name.startswith("LATIN ") or "FULLWIDTH" in name:
        decomposed = unicodedata.normalize("NFKD", char)
        bare = "".join([c for c in decomposed if not unicodedata.combining(c)])
        return _TABLE.get(ord(bare), bare) if len(bare) == 1 else bare
    if name.startswith("GREEK ") and (romanise or char.isupper()):
        capital = unicodedata.normalize("NFD", char)[0].upper()
        return capital if capital in DEFAULT.septets else _TABLE.get(ord(capital), char)
    return anyascii(char) if romanise and name.startswith("CYRILLIC ") else char
