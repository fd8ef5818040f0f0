"""A text in, its user-perceived characters out: where a UCS-2 part may end.

Source: UAX #29, extended grapheme clusters, with the emoji and Indic rules of Unicode 10: what
segment calculators (Twilio's among them) count by, so that our part counts are the ones billed.
Later versions keep a few more sequences whole; a phone joins the parts before it draws them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_PLAIN = re.compile(
    "[\n\r\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u05d0-\u05ea\u0621-\u064a"
    "\u1e00-\u1fff\u2010-\u2027\u202f-\u205e\u20a0-\u20bf\u2116\u2122\u2190-\u21ff\u3000-\u3029"
    "\u3041-\u3096\u30a0-\u30ff\u4e00-\u9fea\uff01-\uff9d]*"
)


def is_plain(text: str) -> bool:
    """True where every character is one UTF-16 unit and stands alone: parts are slices."""
    return _PLAIN.fullmatch(text) is not None


def _ranges(spec: str) -> frozenset[int]:
    spans = (span.partition("-") for span in spec.split())
    return frozenset(
        code for low, _, high in spans for code in range(int(low, 16), int(high or low, 16) + 1)
    )


_PREPEND = _ranges("600-605 6DD 70F 8E2 D4E 110BD 111C2-111C3 11A3A 11A86-11A89 11D46")
_EXTEND = _ranges("200C FF9E-FF9F E0020-E007F")
_ALONE = _ranges(  # Mc by category, yet no SpacingMark
    "102B-102C 1038 1062-1064 1067-106D 1083 1087-108C 108F 109A-109C 1A61 1A63-1A64 AA7B AA7D"
)
_SPACING = _ranges("E33 EB3")
_TONE = _ranges("1F3FB-1F3FF")
_PERSON = _ranges("1F466-1F469")
_TONE_BASE = _PERSON | _ranges(
    "261D 26F9 270A-270D 1F385 1F3C2-1F3C4 1F3C7 1F3CA-1F3CC 1F442-1F443 1F446-1F450 1F46E "
    "1F470-1F478 1F47C 1F481-1F483 1F485-1F487 1F4AA 1F574-1F575 1F57A 1F590 1F595-1F596 "
    "1F645-1F647 1F64B-1F64F 1F6A3 1F6B4-1F6B6 1F6C0 1F6CC 1F918-1F91C 1F91E-1F91F 1F926 "
    "1F930-1F939 1F93D-1F93E 1F9D1-1F9DD"
)
_JOINED = _PERSON | _ranges(  # what a zero-width joiner ties to the emoji before it
    "2640 2642 2695-2696 2708 2764 1F308 1F33E 1F373 1F393 1F3A4 1F3A8 1F3EB 1F3ED 1F48B "
    "1F4BB-1F4BC 1F527 1F52C 1F5E8 1F680 1F692"
)
_HANGUL = {
    "L": ("L", "V", "LV", "LVT"),
    "V": ("V", "T"),
    "LV": ("V", "T"),
    "T": ("T",),
    "LVT": ("T",),
}


def _hangul(code: int) -> str:
    """The syllable class of a Hangul letter or syllable, or ""."""
    if 0xAC00 <= code <= 0xD7A3:
        return "LV" if (code - 0xAC00) % 28 == 0 else "LVT"
    if 0x1100 <= code <= 0x11FF:
        return "L" if code < 0x1160 else "V" if code < 0x11A8 else "T"
    if 0xD7B0 <= code <= 0xD7FB:
        return "V" if code < 0xD7C7 else "T"
    return "L" if 0xA960 <= code <= 0xA97C else ""


@lru_cache(maxsize=4096)
def _kind(char: str) -> str:
    """The grapheme cluster break class of one character; "" for an ordinary one."""
    code = ord(char)
    category = unicodedata.category(char)
    if category in ("Mn", "Me") or code in _EXTEND:
        return "extend"
    if (category == "Mc" and code not in _ALONE) or code in _SPACING:
        return "spacing"
    if code in _PREPEND:
        return "prepend"
    if code == 0x200D:
        return "zwj"
    if category in ("Cc", "Cs", "Zl", "Zp", "Cf"):
        return "control"
    if 0x1F1E6 <= code <= 0x1F1FF:
        return "flag"
    return "tone" if code in _TONE else _hangul(code)


def _joins(cluster: str, before: str, kind: str, char: str) -> bool:
    """Whether `char` of class `kind` continues `cluster`, whose last character is a `before`."""
    if before == "control" or kind == "control" or _is_flag_with_more(cluster, before):
        return False
    if kind in ("extend", "spacing", "zwj") or before == "prepend":
        return True
    if before == "zwj":
        return ord(char) in _JOINED
    if kind == "flag":
        return before == "flag" and len(cluster) % 2 == 1
    if kind == "tone":
        return _takes_tone(cluster, before)
    return kind in _HANGUL.get(before, ())


def _is_flag_with_more(cluster: str, before: str) -> bool:
    """A flag and one character that joined it: the calculators let no second one join."""
    return (
        len(cluster) > 2
        and before not in ("flag", "prepend")
        and all(_kind(char) == "flag" for char in cluster[1:-1])
    )


def _takes_tone(cluster: str, before: str) -> bool:
    """Whether a skin tone joins: to a base, or to one with a single mark, the cluster's only."""
    if before == "extend":
        return ord(cluster[-2:-1] or " ") in _TONE_BASE
    marked = any(_kind(char) == "extend" for char in cluster)
    return not marked and ord(cluster[-1:] or " ") in _TONE_BASE


def clusters(text: str) -> Iterator[str]:
    """Yield the extended grapheme clusters of `text`, in order; they join to it."""
    cluster, before = "", "control"
    for char in text:
        kind = _kind(char)
        if not _joins(cluster, before, kind, char):
            if cluster:
                yield cluster
            cluster = ""
        cluster += char
        before = kind
    if cluster:
        yield cluster
