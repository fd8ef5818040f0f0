"""A text as typed on a phone in, its bare words out: one spelling for every way to write them."""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

_SPECIAL = {
    ord("ł"): "l", ord("ø"): "o", ord("ħ"): "h", ord("ı"): "i", ord("ŋ"): "n",
    ord("æ"): "ae", ord("œ"): "oe", ord("đ"): "d", ord("ð"): "d", ord("þ"): "th",
    # Arabic letters that people write one for the other, and the stretching stroke.
    ord("ى"): "ي", ord("ة"): "ه", ord("ـ"): None,
}  # fmt: skip
_NOT_WORDS = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """`text` in lower case without marks, punctuation, emoji and invisible characters.

    NFKC, casefold, then NFKD without marks; words are joined by single spaces.
    """
    text = unicodedata.normalize("NFKC", text).casefold().translate(_SPECIAL)
    kept = [
        char
        for char in unicodedata.normalize("NFKD", text)
        if unicodedata.category(char) not in ("Mn", "Me", "Cf")
    ]
    # Once more: ǽ is an æ only now that its mark is gone.
    bare = unicodedata.normalize("NFC", "".join(kept)).translate(_SPECIAL)
    return _NOT_WORDS.sub(" ", bare).strip()


_DEVICES = (
    r"i ?phon\w*|i ?pad\w*|android|samsung|galaxy|huawei|xiaomi|nokia|blackberry|outlook|gmail|"
    r"yahoo|windows phone|pixel|smartphone|handy|mobil\w*|telefon\w*|proton ?mail"
)
_SENT_FROM = (
    r"sent (?:from|via)|get outlook|odesl[aá]no z|odoslan[eé] z|sendt fra|skickat från|"
    r"gesendet (?:von|mit)|von meinem|envoyé (?:de|depuis)|enviad[oa] (?:desde|do|de)|inviato da|"
    r"verzonden|verstuurd|wysłan[eo] z|lähetetty|elküldve|trimis de|отправлено с|надіслано з|"
    r"изпратено от|στάλθηκε από|נשלח מ|أرسل من"
)
_QUOTED = r"wrote:$|napsala?:$|schrieb.*:$|a écrit ?:$|skrev.*:$|escribió:$|ha scritto:$"
_CLOSING = (
    r"(?:kind |best )?regards\b|cheers\b|sincerely\b|s pozdravem\b|s pozdravom\b|mvh\b|"
    r"(?:(?:med )?(?:vennlig|venlig|vänliga?) )?(?:hilsen|hälsning(?:ar)?)\b|mfg\b|"
    r"(?:mit )?(?:freundlichen? )?gr[uü](?:ß|ss)e?n?\b|cordialement\b|saludos\b|"
    r"(?:viele |liebe |beste )?gr[uü](?:ß|ss)e\b|lg\b|cdlt\b|bien à vous\b|"
    r"(?:cordiali |distinti )?saluti\b|(?:un )?(?:cordial )?saludos?\b|cumprimentos\b|"
    r"met vriendelijke groet(?:en)?\b|groet(?:en|jes)?\b|mvg\b|pozdrawiam\b|"
    r"atenciosamente\b|(?:ystävällisin )?terveisin\b|[uü]dv(?:[oö]zlettel)?\b|cu stim[aă]\b|"
    r"sayg[ıi]lar(?:[ıi]mla)?\b|с уважением\b|с уважение\b|з повагою\b|поздрави\b|"
    r"με εκτίμηση\b|(?:srdačan |lijep |lep )pozdrav\b|lugupidamisega\b|pagarbiai\b|"
    r"ar cieņu\b"
)
_SIGNATURE = re.compile(
    rf"-- ?$|_{{3,}}|>|(?:{_SENT_FROM})\b|.{{0,80}}(?:\b(?:{_DEVICES})\b.{{0,30}}$|{_QUOTED})|"
    rf"{_CLOSING}",
    re.IGNORECASE,
)
_NAMED = r"[^\W\d_]+(?:[ '.-]+[^\W\d_]+){0,2}\.?"
_NAME = re.compile(_NAMED)
#: The same at the end of a line, where a phone or a carrier has taken the line ends out.
_TRAILING = re.compile(
    rf"(?<=\w)[\s,.;!–-]+(?:(?:{_SENT_FROM})\b.{{0,30}}\b(?:{_DEVICES})\b.{{0,30}}|"
    rf"(?:{_CLOSING})[\s,.;!–-]*(?:{_NAMED})?)$",
    re.IGNORECASE,
)


def without_signature(text: str) -> str:
    """`text` up to the first words, not its first, that a mail program or a closing began.

    A name alone on the last of two or three lines goes too, and one above it.
    """
    return _TRAILING.sub("", _without_last_lines(text))


def _without_last_lines(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip(" \t\ufeff\u200b")]
    for at, line in enumerate(lines[1:], 1):
        if _SIGNATURE.match(line):
            return "\n".join(lines[:at])
    if len(lines) in (2, 3):
        while len(lines) > 1 and _NAME.fullmatch(lines[-1]) and lines[-1].istitle():
            lines.pop()
    return "\n".join(lines)


_LATIN, _CYRILLIC = "aceopxytkmhb", "асеорхуткмнв"
_TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)
_TO_CYRILLIC = str.maketrans(_LATIN, _CYRILLIC)
_MIXED = re.compile(r"(?=\w*[a-z])(?=\w*[а-я])\w+")


def plainer(tokens: list[str]) -> list[str]:
    """`tokens` without the ways of shouting a word: s t o p, stoooop, ST0P, mixed scripts."""
    if len(tokens) > 2 and all(len(token) == 1 for token in tokens):
        tokens = ["".join(tokens)]
    plain = []
    for written in tokens:
        token = re.sub(r"([^\W\d])\1{2,}", r"\1", written)
        if not token.isdigit():
            token = token.replace("0", "o")
        if _MIXED.fullmatch(token):
            latin = token.translate(_TO_LATIN)
            token = latin if latin.isascii() else token.translate(_TO_CYRILLIC)
        plain.append(token)
    return plain


#: Ways to spell one sound in Latin letters: "ja" and "ya", "ou" and "u", "6" for "sh".
_SPELLINGS = [(re.compile(spelling), one) for spelling, one in (
    (r"[^a-z0-9]", ""), (r"4", "ch"), (r"6", "sh"), (r"8", "th"), (r"shch|sch|sht", "sh"),
    (r"kh|x", "h"), (r"ts|tz", "c"), (r"w", "v"), (r"o[uy]", "u"), (r"[yj]", "i"),
    (r"[eo]i", "i"), (r"ai", "e"), (r"(.)\1+", r"\1"),
)]  # fmt: skip


def sound(word: str) -> str:
    """How the folded `word` sounds, in Latin letters: one for пишите, pishite and pishyte."""
    heard = anyascii(word).lower()
    for spelling, one in _SPELLINGS:
        heard = spelling.sub(one, heard)
    return heard
