"""Characters in, septets out and back: GSM 7-bit default and national alphabets.

Source: 3GPP TS 23.038, sections 6.2.1 (default, extension) and annex A (national language
shift tables).  A septet is kept unpacked, one an octet, as SMPP carries it.
"""

from __future__ import annotations

from dataclasses import dataclass

ESC = 0x1B
HEADER_CONCAT = 6
"""Octets of a header that only joins parts: length, IE 0x00 with its length, ref, total, number."""

_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TURKISH = (
    "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§çabcdefghijklmnopqrstuvwxyzäöñüà"
)
_PORTUGUESE = (
    "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?"
    "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà"
)

_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]",
    0x40: "|", 0x65: "€",
}  # fmt: skip
_TURKISH_SHIFT = _EXTENSION | {
    0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "ı", 0x73: "ş",
}  # fmt: skip
_SPANISH_SHIFT = _EXTENSION | {
    0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x61: "á", 0x69: "í", 0x6F: "ó",
    0x75: "ú",
}  # fmt: skip
_PORTUGUESE_SHIFT = _EXTENSION | {
    0x05: "ê", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á", 0x12: "Φ", 0x13: "Γ",
    0x15: "Ω", 0x16: "Π", 0x17: "Ψ", 0x18: "Σ", 0x19: "Θ", 0x1F: "Ê", 0x41: "À", 0x49: "Í",
    0x4F: "Ó", 0x55: "Ú", 0x5B: "Ã", 0x5C: "Õ", 0x61: "Â", 0x69: "í", 0x6F: "ó", 0x75: "ú",
    0x7B: "ã", 0x7C: "õ", 0x7F: "â",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alphabet:
    """One pair of tables, and the header elements that announce it to the phone."""

    name: str
    septets: dict[str, bytes]
    written: dict[int, str]
    """For `str.translate`: each character as its septets, what of ASCII has none as U+FFFF."""
    locked: str
    shifted: dict[int, str]
    header: bytes
    """Information elements 0x24 (single shift) and 0x25 (locking shift); empty for the default."""
    single: int
    """Septets that a message of one part holds."""
    multi: int
    """Septets that a part holds beside the header joining it to the others."""


def room(header: int) -> int:
    """Septets left of 140 octets when the user data header takes `header` of them."""
    return (140 - header) * 8 // 7


def _alphabet(name: str, locked: str, shifted: dict[int, str], header: bytes) -> Alphabet:
    septets = {char: bytes((ESC, code)) for code, char in shifted.items()}
    septets |= {char: bytes((code,)) for code, char in enumerate(locked) if code != ESC}
    written = dict.fromkeys(range(0x80), "\uffff")
    written |= {ord(char): octets.decode("ascii") for char, octets in septets.items()}
    alone = len(header) + 1 if header else 0
    return Alphabet(
        name,
        septets,
        written,
        locked,
        shifted,
        header,
        room(alone),
        room(HEADER_CONCAT + len(header)),
    )


DEFAULT = _alphabet("", _DEFAULT, _EXTENSION, b"")

NATIONAL: dict[str, tuple[Alphabet, ...]] = {
    "tr": (
        _alphabet("tr", _DEFAULT, _TURKISH_SHIFT, b"\x24\x01\x01"),
        _alphabet("tr-locking", _TURKISH, _TURKISH_SHIFT, b"\x24\x01\x01\x25\x01\x01"),
    ),
    # Annex A defines no locking table for Spanish.
    "es": (_alphabet("es", _DEFAULT, _SPANISH_SHIFT, b"\x24\x01\x02"),),
    "pt": (
        _alphabet("pt", _DEFAULT, _PORTUGUESE_SHIFT, b"\x24\x01\x03"),
        _alphabet("pt-locking", _PORTUGUESE, _PORTUGUESE_SHIFT, b"\x24\x01\x03\x25\x01\x03"),
    ),
}

ALPHABETS = {DEFAULT.name: DEFAULT} | {a.name: a for group in NATIONAL.values() for a in group}
