"""Octets and the charset they claim come in; text, and how it was read, goes out. Never raises.

A declared charset is a claim. It is believed unless the octets speak against it: text that is
valid UTF-8 is UTF-8, C1 controls mean the Windows code page of the same script, and "latin 1" or
nothing at all is what broken senders put on any text. There the alphabets decide.
"""

import codecs
import functools
import re
from typing import NamedTuple

from bridge.smtp.alphabets import ALPHABETS, COMMON

# What a label means in practice: the WHATWG's mapping for the web, and names seen in mails only.
_ALIASES = {
    **dict.fromkeys(("us-ascii", "ascii", "ansi_x3.4-1968", "646", "ansi"), "cp1252"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1"), "cp1252"),
    **dict.fromkeys(("iso-8859-9", "iso8859-9", "latin5"), "cp1254"),
    **dict.fromkeys(("iso-8859-11", "tis-620", "tis620"), "cp874"),
    **dict.fromkeys(("gb2312", "gb_2312-80", "gbk", "x-gbk", "cp936", "csgb2312"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "x-sjis", "sjis", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ks_c_5601", "ksc5601", "uhc"), "cp949"),
    **dict.fromkeys(("big5", "x-big5", "cn-big5", "big5-hkscs"), "big5hkscs"),
    **dict.fromkeys(("x-mac-roman", "macintosh", "x-macroman"), "mac-roman"),
    **dict.fromkeys(("x-mac-ce", "x-mac-centraleurroman"), "mac-latin2"),
    **dict.fromkeys(("unicode-1-1-utf-8", "x-utf-8", "utf8mb4", "utf-8n", "unicode"), "utf-8"),
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "hz-gb-2312": "hz",
    "iso-2022-jp": "iso2022_jp_ext",
    "x-mac-cyrillic": "mac-cyrillic",
    "unicode-1-1-utf-7": "utf-7",
}
# Python codecs that are no charsets, or that nobody writes mail in.
_NOT_FOR_MAIL = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
)
_C1_SIBLING = {
    "iso8859-2": "cp1250",
    "iso8859-4": "cp1257",
    "iso8859-5": "cp1251",
    "iso8859-7": "cp1253",
    "iso8859-13": "cp1257",
    "iso8859-15": "cp1252",
}
_CANDIDATES = ("cp1252", "cp1250", "iso8859-2", "cp1251", "koi8-r", "cp1254", "cp1253")
_WIDE = frozenset({"gb18030", "cp932", "cp949", "big5hkscs", "euc_jp", "euc_jis_2004", "johab"})
# Codes that write other scripts in ASCII octets, or do not hold ASCII at all.
_NOT_ASCII = ("utf-7", "hz", "utf-16", "utf-32", "iso2022")
_PLAIN_LABELS = frozenset(("", "utf-8", "UTF-8", "us-ascii", "iso-8859-1"))
_BY_NUMBER = re.compile(r"(?:windows|win|x-cp|cp|ms)[-_]?(\d{3,4})")
_ISO_2022 = re.compile(rb"\x1b\$[@B]|\x1b\([JI]")
_STRAY_C1 = re.compile("[\x80-\x9f]")
_ODD_CASE = re.compile(r"(?<=[a-zà-ÿа-яα-ω])[À-ÞА-ЯΑ-Ω]")
_ODD_SYMBOL = re.compile(r"(?<=[^\W\d_])[\u00a1-\u00bf×÷‚„†‡ˆ‰‹›•˜™€](?=[^\W\d_])")
# Greek or Cyrillic inside a Latin word: a western page read as one of theirs.
_MIXED = re.compile("(?<=[a-z])[\u0370-\u04ff]|[\u0370-\u04ff](?=[a-z])")
# What stands beside numbers and words in the west: "20 °C", "£5", "¿Qué?", "3 m²".
_SYMBOL = re.compile(r"\d ?[°ºª½¼¾µ€£]|[£€§±©] ?\d|[¿¡]\w|«\s?\w|\w\s?»|m[²³]")
# Where the languages that write these letters never have them: a Slavic word read as western.
_ODD_PLACE = re.compile(r"ñ(?![aeiouáéíóúü])|(?<!\w)è(?=[^\Wr])|(?<!\w)ð(?=\w)")
# A letter on its own is no word of its language, but for the small ones; "č. 4" is a number's.
_ALONE = re.compile(r"(?<![^\W\d_])[^\W\d_](?![^\W\d_]|\.)")
# The first two octets of a UTF-8 character, each read as one of the western page.
_TWICE = re.compile("[\xc2-\xf4][\x80-\xbf\u0152-\u2122]")
_WORDS = re.compile(r"[^\W\d_]+")
_SAMPLE = 4096
# How much better another reading must be than the one a vague label means.
_MARGIN = 1.0


class Decoded(NamedTuple):
    """Text, the codec that gave it, and whether that is not what the sender had named."""

    text: str
    codec: str
    guessed: bool


def decode(data: bytes, declared: str) -> Decoded:
    """Read octets as text. In: the charset as declared, "" for none."""
    plain = data.isascii() and b"\0" not in data and b"\x1b" not in data
    if plain and declared in _PLAIN_LABELS:
        return Decoded(data.decode("ascii"), "ascii", guessed=False)
    codec = codec_of(declared) if declared else ""
    if plain and not codec.startswith(_NOT_ASCII):
        return Decoded(data.decode("ascii"), "ascii", guessed=False)
    if codec.startswith(_NOT_ASCII) and (found := _strict(data, codec, guessed=False)):
        return found
    found = _marked(data) or _declared(data, codec) or _guessed(data, codec)
    return _once(found) if _TWICE.search(found.text) else found


def codec_of(label: str) -> str:
    """The Python codec that a charset label means in practice, "" where there is none."""
    name = label.strip(" \t\"'=<>").lower()
    return _codec(name) if len(name) <= 40 and name.isascii() else ""


@functools.lru_cache(maxsize=512)
def _codec(name: str) -> str:
    numbered = _BY_NUMBER.fullmatch(name)
    name = _ALIASES.get(name, f"cp{numbered[1]}" if numbered else name)
    try:
        found = codecs.lookup(name).name
        # A LookupError too where the codec is none for text: zlib, hex, rot13.
        b" ".decode(found, "replace")
    except (LookupError, ValueError):
        return ""
    return "" if found.replace("_", "-") in _NOT_FOR_MAIL else found


def _marked(data: bytes) -> Decoded | None:
    """Believe a byte order mark, and the escapes and NULs that only one family of codes has."""
    if data.startswith(b"\xef\xbb\xbf"):
        return _strict(data[3:], "utf-8", guessed=False)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _strict(data[: len(data) & ~1], "utf-16", guessed=False)
    if _ISO_2022.search(data):
        return _strict(data, "iso2022_jp_ext", guessed=False)
    nuls = data.count(b"\0", 0, _SAMPLE)
    if nuls * 3 > min(len(data), _SAMPLE):
        little = data[1:_SAMPLE:2].count(b"\0") > nuls // 2
        return _strict(data[: len(data) & ~1], "utf-16-le" if little else "utf-16-be", guessed=True)
    return None


def _strict(data: bytes, codec: str, *, guessed: bool) -> Decoded | None:
    try:
        text = data.decode(codec)
        # UTF-7 lets halves of characters through, which nothing after this can write.
        text.encode("utf-8")
        return Decoded(text, codec, guessed)
    except (UnicodeError, ValueError):
        return None


def _declared(data: bytes, codec: str) -> Decoded | None:
    """Believe the claim where the octets allow it; a vague claim is left to the guess."""
    if codec in _WIDE and (found := _strict(data, codec, guessed=False)):
        return found
    if found := _strict(data, "utf-8", guessed=codec != "utf-8"):
        return found
    if codec in ("", "cp1252", "utf-8", "ascii", "utf-7"):
        return None
    text = data.decode(codec, "replace") if codec else ""
    if codec in _C1_SIBLING and _STRAY_C1.search(text):
        return Decoded(data.decode(_C1_SIBLING[codec], "replace"), _C1_SIBLING[codec], guessed=True)
    broken = text.count("\ufffd")
    return Decoded(text, codec, guessed=False) if broken * 5 <= len(text) else None


def _guessed(data: bytes, codec: str) -> Decoded:
    """The likeliest reading of octets whose label is vague, unknown or wrong."""
    if patched := _almost_utf8(data):
        return patched
    sample = data[:_SAMPLE]
    readings = [(_score(sample.decode(name, "replace")), name) for name in _CANDIDATES]
    # Of equals the first stands: the western page, which vague labels mean.
    best, name = max(readings, key=lambda reading: reading[0])
    if codec in ("cp1252", "utf-8") and best < readings[0][0] + _MARGIN:
        name = "cp1252"
    if best < 0 and (other := _statistical(data)):
        return other
    return Decoded(data.decode(name, "replace"), name, guessed=name != codec)


def _once(found: Decoded) -> Decoded:
    """Text that a relay took for a western page and put into UTF-8 a second time, as it was."""
    try:
        octets = b"".join(
            char.encode("latin-1" if char <= "\xff" else "cp1252") for char in found.text
        )
        return Decoded(octets.decode("utf-8"), found.codec, guessed=True)
    except UnicodeError:
        return found


def _almost_utf8(data: bytes) -> Decoded | None:
    """UTF-8 with a character cut off, or a few octets of a code page among it."""
    text = data.decode("utf-8", "surrogateescape")
    strays = sum(1 for char in text if "\udc80" <= char <= "\udcff")
    whole = sum(1 for char in text if char > "\x7f") - strays
    if not whole or strays > whole:
        return None
    cut = text.rstrip("\r\n ")
    tail = cut.rstrip("".join(map(chr, range(0xDC80, 0xDD00))))
    text = tail if len(cut) - len(tail) <= 3 else text
    octets = (char.encode("utf-8", "surrogateescape") for char in text)
    fixed = (octet.decode("utf-8" if len(octet) > 1 else "cp1252", "replace") for octet in octets)
    return Decoded("".join(fixed), "utf-8", guessed=True)


def _score(text: str) -> float:
    """How much a reading looks like one of the languages we know; higher is better."""
    lower = text.lower()
    words = set(_WORDS.findall(lower))
    letters = [
        char
        for char in _ALONE.sub("", lower)
        if char > "\x7f" and char.isalpha() and char not in "ªºµ"
    ]
    faults = 4 * len(_STRAY_C1.findall(text)) + 4 * text.count("\ufffd")
    faults += 2 * len(_ODD_CASE.findall(text)) + 2 * len(_ODD_SYMBOL.findall(text))
    faults += 2 * len(_MIXED.findall(lower)) + 2 * len(_ODD_PLACE.findall(lower))
    faults -= len(_SYMBOL.findall(text))
    best = max(
        sum(1 if char in alphabet else -2 for char in letters)
        + min(len(words & COMMON[language]), 6) / 2
        for language, alphabet in ALPHABETS.items()
    )
    return best - faults


def _statistical(data: bytes) -> Decoded | None:
    """Ask charset-normalizer, for the scripts that the alphabets here do not know."""
    from charset_normalizer import from_bytes  # 5 MB that most mails never need

    best = from_bytes(data[:_SAMPLE]).best()
    return Decoded(data.decode(best.encoding, "replace"), best.encoding, True) if best else None
