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


#: The 1 of a hurried "!!!1".
_SHOUTED_ONES = re.compile(r"(?<=!)1+(?!\w)")


def fold(text: str) -> str:
    """`text` in lower case without marks, punctuation, emoji and invisible characters.

    NFKC, casefold, then NFKD without marks; words are joined by single spaces.
    """
    text = _SHOUTED_ONES.sub("", text)
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
    r"atenciosamente\b|abra[cç]os?\b|"
    r"(?:ystävällisin )?terveisin\b|[uü]dv(?:[oö]zlettel)?\b|cu stim[aă]\b|"
    r"sayg[ıi]lar(?:[ıi]mla)?\b|с уважением\b|с уважение\b|з повагою\b|поздрави\b|"
    r"με εκτίμηση\b|(?:srdačan |lijep |lep )pozdrav\b|lp\b|lugupidamisega\b|pagarbiai\b|"
    r"ar cieņu\b"
)
#: Of a quoted message.
_HEADER = r"(?:from|von|de|da|van|od|fra|från|от|від|lähettäjä|feladó|date|subject) ?: ?\S"
#: A line of a number, an address or a site.
_REACHED_AT = (
    r"(?:tel|phone|fon|mobile?|mob|t|m)?[.:]? ?\+?\d[\d ()/-]{6,}$|\S+@\S+$|(?:https?://|www\.)\S+$"
)
_SIGNATURE = re.compile(
    rf"--+ ?$|_{{3,}}|>|\[|{_HEADER}|(?:{_SENT_FROM})\b|{_CLOSING}|{_REACHED_AT}|"
    rf".{{0,80}}(?:\b(?:{_DEVICES})\b.{{0,30}}$|{_QUOTED})",
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


def is_name(text: str) -> bool:
    """Whether `text` is one to three words that each begin with a capital."""
    return bool(_NAME.fullmatch(text)) and text.istitle()


_THANKS = (
    r"many thanks|thank you|thanks|thx|d[ií]k[yi]?|d[eě]kuj[iu]|[dď]akujem|takk|tack|tak|danke|"
    r"merci|gracias|grazie|obrigad[oa]|dzi[eę]ki|dzi[eę]kuj[eę]|bedankt|kiitos|köszönöm|mul[tț]umesc|"
    r"спасибо|дякую|благодаря|ευχαριστώ|te[sş]ekkürler|hvala|ait[aä]h|paldies|a[cč]i[uū]"
)
#: Thanks and a name at the end of a line.
_THANKED = re.compile(rf"(?<=\w)[\s,.;!–-]+(?i:{_THANKS})[\s,.;!–-]+(?P<name>{_NAMED})$")


def without_signature(text: str) -> str:
    """`text` up to the first words, not its first, that a mail program or a closing began.

    A name alone on the last of two or three lines goes too, and one above it; so does one after
    thanks.
    """
    bare = _TRAILING.sub("", _without_last_lines(text))
    thanked = _THANKED.search(bare)
    return bare[: thanked.start()] if thanked and thanked["name"].istitle() else bare


def _without_last_lines(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip(" \t\ufeff\u200b")]
    for at, line in enumerate(lines[1:], 1):
        if _SIGNATURE.match(line):
            del lines[at:]
            break
    if len(lines) in (2, 3):
        while len(lines) > 1 and is_name(lines[-1]):
            lines.pop()
    return "\n".join(lines)


#: Letters of other alphabets by the Latin ones that they look like.
_ALIKE = str.maketrans("асеорхуткмнвѕіјԁһոαεορχυτκμνβιηζ", "aceopxytkmhbsijdhnaeopxytkmvbinz")
_TO_CYRILLIC = str.maketrans("aceopxytkmhb", "асеорхуткмнв")
_MIXED = re.compile(r"(?=\w*[a-z])(?=\w*[а-яѐ-џα-ωѕԁһո])\w+")


def unmasked(tokens: list[str]) -> list[str]:
    """`tokens` with letters of other alphabets, where a word has no others, as the Latin ones.

    "ЅТОР" in Cyrillic letters throughout; also small capitals and the like, and 5 for S.
    """
    bare = []
    for token in tokens:
        alike = token.translate(_ALIKE)
        if all(unicodedata.name(char, "").startswith("LATIN") for char in alike):
            alike = anyascii(alike).lower()
        bare.append(re.sub(r"^5(?=[a-z])", "s", alike) if alike.isascii() else token)
    return bare


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
            latin = token.translate(_ALIKE)
            token = latin if latin.isascii() else token.translate(_TO_CYRILLIC)
        plain.append(token)
    return plain


def undoubled(tokens: list[str]) -> list[str]:
    """`tokens` with each letter once where a long word, or "stop", has one twice: sttop."""
    single = [re.sub(r"([^\W\d])\1", r"\1", token) for token in tokens]
    return [
        one if len(one) > 4 or (one == "stop" and "oo" not in token) else token
        for token, one in zip(tokens, single, strict=True)
    ]


#: Ways to spell one sound in Latin letters: "ja" and "ya", "ou" and "u", "6" for "sh".
_SPELLINGS = [(re.compile(spelling), one) for spelling, one in (
    (r"[^a-z0-9]", ""), (r"4", "ch"), (r"6", "sh"), (r"8", "th"), (r"shch|sch|sht", "sh"),
    (r"kh|x", "h"), (r"q", "ia"), (r"ts|tz", "c"), (r"w", "v"), (r"o[uy]", "u"), (r"[yj]|zh", "i"),
    (r"[eo]i", "i"), (r"ai", "e"), (r"(.)\1+", r"\1"),
)]  # fmt: skip


def sound(word: str) -> str:
    """How the folded `word` sounds, in Latin letters: one for пишите, pishite and pishyte."""
    heard = anyascii(word).lower()
    for spelling, one in _SPELLINGS:
        heard = spelling.sub(one, heard)
    return heard
