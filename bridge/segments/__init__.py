"""A text in, the parts of its SMS out: alphabet, units and bytes of each.

Sources: 3GPP TS 23.038 (alphabets), TS 23.040 section 9.2.3.24 (user data header).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bridge.segments.alphabets import ALPHABETS, DEFAULT, ESC, NATIONAL, Alphabet
from bridge.segments.clusters import clusters, is_plain
from bridge.segments.transliterate import simplify

__all__ = [
    "Header",
    "Segmented",
    "decode",
    "encode_part",
    "prepare",
    "read_udh",
    "segment",
    "split",
    "udh",
]

UCS2_SINGLE: Final = 70
UCS2_MULTI: Final = 67
MOST_PARTS: Final = 255

_NO_ESCAPE = "".join(char for char, septets in DEFAULT.septets.items() if len(septets) == 1)
_DEFAULT_ONLY = re.compile(f"[{re.escape(_NO_ESCAPE)}]*")
_EVERY = {a.name: re.compile(f"[{re.escape(''.join(a.septets))}]*") for a in ALPHABETS.values()}


@dataclass(slots=True)
class Segmented:
    """A text as its carrier will count it."""

    encoding: str
    """"gsm7" or "ucs2"."""
    parts: tuple[str, ...]
    units: tuple[int, ...]
    """Septets (gsm7) or UTF-16 code units (ucs2) of each part, its header not counted."""
    transliterated: bool
    text: str
    """What is sent: the parts joined."""
    lang: str = ""
    """The national alphabet: "", or "tr", "es", "pt" (single shift), "tr-locking" …"""
    kept: str = ""
    """The characters for which `gsm7` found no plain writing and left the text as written."""


def segment(text: str, shift: Sequence[str] = ()) -> Segmented:
    """Cut `text` as written into parts; no character is changed.

    `shift` names the national tables that the carrier supports; one is used only where the
    default alphabet cannot write the text and the table needs fewer parts than UCS-2.
    """
    if _DEFAULT_ONLY.fullmatch(text):
        size = len(text)
        if size <= DEFAULT.single:
            return Segmented("gsm7", (text,), (size,), False, text)
        parts = _slices(text, DEFAULT.multi)
        return Segmented("gsm7", parts, tuple(map(len, parts)), False, text)
    if _EVERY[""].fullmatch(text):
        return _septets(text, DEFAULT)
    best = _utf16(text)
    if len(best.parts) > 1 and shift:
        national = (a for code in shift for a in NATIONAL[code] if _EVERY[a.name].fullmatch(text))
        best = min([best, *(_septets(text, a) for a in national)], key=lambda s: len(s.parts))
    return best


def prepare(text: str, encoding: str = "auto", shift: Sequence[str] = ()) -> Segmented:
    """Cut `text` by the tenant's policy, and say whether that changed it.

    `auto` writes foreign letters, quotes, dashes and spaces plainly (č as c) only where the
    whole then fits GSM-7 and takes fewer parts; `gsm7` wherever the whole then fits, Greek and
    Cyrillic included, and else names in `kept` what has no plain writing; `keep` never.
    """
    written = segment(text, shift)
    if encoding == "keep" or (written.encoding == "gsm7" and not written.lang):
        return written
    if encoding == "gsm7":
        plain = segment(simplify(text, romanise=True))
        if plain.encoding == "gsm7":
            return replace(plain, transliterated=True)
        return replace(written, kept=_beyond(plain.text))
    if encoding != "auto":
        raise ValueError(f"encoding is auto, gsm7 or keep, not {encoding!r}")
    if len(written.parts) > 1:
        plain = segment(simplify(text))
        if plain.encoding == "gsm7" and len(plain.parts) < len(written.parts):
            return replace(plain, transliterated=True)
    return written


def split(text: str, encoding: str, lang: str = "") -> tuple[str, ...]:
    """The parts of a text that was cut before, in the same encoding and alphabet as then."""
    if encoding == "ucs2":
        return _utf16(text).parts
    return segment(text).parts if not lang else _septets(text, ALPHABETS[lang]).parts


def encode_part(part: str, encoding: str, lang: str = "") -> bytes:
    """The octets of one part: a septet an octet (gsm7, unpacked) or UTF-16BE (ucs2).

    Raises ValueError where the alphabet lacks a character: the part is not from `segment`.
    """
    if encoding == "ucs2":
        return part.encode("utf-16-be", "surrogatepass")
    alphabet = ALPHABETS[lang]
    try:
        return part.translate(alphabet.written).encode("ascii")
    except UnicodeEncodeError:
        code = next(ord(char) for char in part if char not in alphabet.septets)
        raise ValueError(f"U+{code:04X} is not in GSM-7; send this text as ucs2") from None


def decode(data: bytes, encoding: str, lang: str = "") -> str:
    """The text of one part's octets, its header cut off: `encode_part` undone.

    Bytes that mean nothing never raise: an unknown extension reads as in the default table
    (TS 23.038, 6.2.1.1), a lone escape as a space, a broken UTF-16 unit as U+FFFD.
    """
    if encoding == "ucs2":
        return data.decode("utf-16-be", "replace")
    alphabet = ALPHABETS[lang]
    if ESC not in data:
        return "".join([alphabet.locked[octet & 0x7F] for octet in data])
    text: list[str] = []
    octets = iter(data)
    for octet in octets:
        code = octet & 0x7F
        if code == ESC:
            code = next(octets, ESC) & 0x7F
            text.append(alphabet.shifted.get(code) or alphabet.locked[code].replace("\x1b", " "))
        else:
            text.append(alphabet.locked[code])
    return "".join(text)


@dataclass(frozen=True, slots=True)
class Header:
    """What a user data header says of its part."""

    ref: int
    total: int
    number: int
    lang: str
    size: int
    """Octets of the header, its own length octet included: the text starts there."""


def udh(ref: int, total: int, number: int, lang: str = "") -> bytes:
    """The user data header of part `number` (from 1) of `total`, or b"" where none is needed.

    `ref` (0 to 255) is what the phone joins the parts by.  Source: TS 23.040, 9.2.3.24.1.
    """
    if not (1 <= number <= total <= MOST_PARTS and 0 <= ref <= 0xFF):
        raise ValueError(f"part {number} of {total} with reference {ref} cannot be written")
    elements = bytes((0x00, 3, ref, total, number)) if total > 1 else b""
    elements += ALPHABETS[lang].header
    return bytes((len(elements),)) + elements if elements else b""


def read_udh(data: bytes) -> Header:
    """What the header at the start of `data` says; elements that we do not know are skipped.

    Raises ValueError where the header is longer than the data.
    """
    size = data[0] + 1 if data else 0
    if not data or size > len(data):
        raise ValueError("the user data header is longer than the message")
    found = dict(_elements(data[1:size]))
    ref, total, number = 0, 1, 1
    if len(joined := found.get(0x00, b"")) == 3:
        ref, total, number = joined
    elif len(joined := found.get(0x08, b"")) == 4:
        ref, total, number = int.from_bytes(joined[:2], "big"), joined[2], joined[3]
    return Header(ref, total, number, _language(found), size)


def _elements(data: bytes) -> Iterable[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(data):
        end = at + 2 + data[at + 1]
        yield data[at], data[at + 2 : end]
        at = end


def _language(found: dict[int, bytes]) -> str:
    for alphabet in ALPHABETS.values():
        announced = dict(_elements(alphabet.header))
        if all(found.get(key) == announced.get(key) for key in (0x24, 0x25)):
            return alphabet.name
    return ""


def _slices(text: str, size: int) -> tuple[str, ...]:
    return tuple([text[at : at + size] for at in range(0, len(text), size)])


def _septets(text: str, alphabet: Alphabet) -> Segmented:
    """`text`, all of it in `alphabet`, in parts that split no escape pair."""
    cost = alphabet.septets
    total = sum([len(cost[char]) for char in text])
    if total <= alphabet.single:
        return Segmented("gsm7", (text,), (total,), False, text, alphabet.name)
    parts, units = _pack([(char, len(cost[char])) for char in text], alphabet.multi)
    return Segmented("gsm7", parts, units, False, text, alphabet.name)


def _utf16(text: str) -> Segmented:
    """`text` in UCS-2 parts that split no surrogate pair and no grapheme that fits a part."""
    total = _units(text)
    if total <= UCS2_SINGLE:
        return Segmented("ucs2", (text,), (total,), False, text)
    if is_plain(text):
        parts = _slices(text, UCS2_MULTI)
        return Segmented("ucs2", parts, tuple(map(len, parts)), False, text)
    pieces: list[tuple[str, int]] = []
    for cluster in clusters(text):
        whole = _units(cluster) <= UCS2_MULTI
        pieces += [(piece, _units(piece)) for piece in ((cluster,) if whole else cluster)]
    return Segmented("ucs2", *_pack(pieces, UCS2_MULTI), False, text)


def _units(text: str) -> int:
    """UTF-16 code units of `text`: characters beyond the basic plane take two."""
    return (
        len(text)
        if not text or max(text) <= "\uffff"
        else len(text.encode("utf-16-be", "surrogatepass")) // 2
    )


def _pack(pieces: list[tuple[str, int]], limit: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Fill parts of `limit` units in order with pieces that must not be cut."""
    parts: list[str] = []
    units: list[int] = []
    start, used = 0, 0
    for at, (_, size) in enumerate(pieces):
        if used + size > limit:
            parts.append("".join([piece for piece, _ in pieces[start:at]]))
            units.append(used)
            start, used = at, 0
        used += size
    parts.append("".join([piece for piece, _ in pieces[start:]]))
    units.append(used)
    return tuple(parts), tuple(units)


def _beyond(text: str) -> str:
    """The distinct characters of `text` that GSM-7 lacks, in order."""
    return "".join(dict.fromkeys(char for char in text if char not in DEFAULT.septets))
