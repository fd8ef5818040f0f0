"""Text comes in; what its author marked as the message, and no armour of OpenPGP, goes out."""

import re

from bridge.smtp.words import ABOVE, ANSWER_STEMS, LINE_STEMS

_INSIDE = re.compile(r"(?<!#)##(?!#)(.{1,20000}?)(?<!#)##(?!#)", re.DOTALL)
# Ticket systems draw one line to answer above: "##- Please type your reply above this line -##".
_ANSWER_ABOVE = re.compile(r"[ \t]*##-[^\n#]{1,200}-##[ \t]*")
_DRAWN = re.compile(r"[ \t]*[#=*_~—–-]{2,}")
_ANSWER_WORDS = tuple(
    re.compile(rf"(?<!\w)(?:{words})", re.IGNORECASE) for words in (ANSWER_STEMS, ABOVE, LINE_STEMS)
)
_HEADING = re.compile(r"(?:^|\n)## [^\n]*\S")
_DOLLARS = re.compile(r"(?<![$\w])\$\$(?![$\w{(])|(?<=[^\W_])\$\$(?=\s|$)")
_BRACED = re.compile(r"\{ ?end ?sms ?\}", re.IGNORECASE)
_SIGNED = re.compile(
    r"-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Z][\w-]{1,30}: [^\n]*\n)*\n?"
)
_BEGIN = re.compile(
    r"^-----BEGIN PGP (SIGNATURE|MESSAGE[^-\n]{0,40}|PUBLIC KEY BLOCK)-----", re.MULTILINE
)
_DASH_ESCAPED = re.compile(r"^- (?=-|From )", re.MULTILINE)


def is_answer_line(text: str) -> bool:
    """Whether a line is the one that a ticket system wants answers above."""
    return "##-" in text and bool(_ANSWER_ABOVE.fullmatch(text))


def is_drawn_answer_line(text: str) -> bool:
    """Whether a drawn line says, in a language that we know, to answer above it."""
    return is_answer_line(text) or (
        len(text) <= 160
        and bool(_DRAWN.match(text))
        and all(words.search(text) for words in _ANSWER_WORDS)
    )


def between(text: str, own: tuple[str, ...]) -> tuple[str, str]:
    """Keep what the author marked. In: a tenant's own end markers. Out: the text, and the rule.

    "##…##" keeps what is inside; "$$", "{end sms}" and own markers keep what is before them.
    Markdown headings and runs of "#" or "$" are no markers.
    """
    if not own and "##" not in text and "$$" not in text and "{" not in text:
        return text, ""
    ends = _ends(text, own)
    if "$$" in text and (match := _DOLLARS.search(text)):
        ends.append(match.start())
    inside = _INSIDE.search(text) if "##" in text and not _HEADING.search(text) else None
    if inside and inside[1].strip():
        return inside[1].strip(), "marker-inside"
    return (text[: min(ends)].strip(), "marker-end") if ends else (text, "")


def before(text: str, own: tuple[str, ...]) -> tuple[str, str]:
    """What stands before the markers that no machine writes by chance; see between."""
    ends = _ends(text, own)
    return (text[: min(ends)].strip(), "marker-end") if ends else (text, "")


def _ends(text: str, own: tuple[str, ...]) -> list[int]:
    ends = [at for marker in own if marker and (at := text.find(marker)) >= 0]
    if "{" in text and (match := _BRACED.search(text)):
        ends.append(match.start())
    return ends


def without_armour(text: str) -> tuple[str, str]:
    """Take signed text out of its armour (RFC 9580 7); drop signatures, keys, encrypted blocks."""
    if "-----BEGIN PGP " not in text:
        return text, ""
    signed = _SIGNED.search(text)
    if signed:
        text = text[: signed.start()] + _DASH_ESCAPED.sub("", text[signed.end() :])
    out: list[str] = []
    at = 0
    while begin := _BEGIN.search(text, at):
        out.append(text[at : begin.start()])
        closing = f"-----END PGP {begin[1]}-----"
        end = text.find(closing, begin.end())
        # No end: the mail was cut off, and armour runs to where it stops.
        at = len(text) if end < 0 else end + len(closing)
    return "".join(out) + text[at:], "pgp-signed" if signed else "pgp-armour"
