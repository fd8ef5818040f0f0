"""Lines come in; where an attribution ("On … wrote:") stands and what it takes with it goes out."""

import re
from typing import NamedTuple

from bridge.smtp.lines import Kind, Line, Traits, blank, next_text, without_embedding
from bridge.smtp.words import WROTE

_MAX_ATTRIBUTION = 320
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d(?!\d)|\d{1,2}[./-] ?\d{1,2}[./-])|\d年|\d{1,2}/\d{1,2}/\d{2}"
)
_TIME = re.compile(r"(?<!\d)\d{1,2}[:.h]\d{2}(?!\d)")
_MAILBOX = re.compile(r"[^\s<>@(:]{1,64}@[^\s<>@)]{1,255}")
_NAMED_LAST = re.compile(r"[^\s<>@(]@[^\s<>@)]{1,255}[>)]{1,2}\s*[:：][\s*_]*$")
_VERBS = "|".join(rf"(?P<{language}>{verbs})" for language, verbs in WROTE.items())
_WROTE = re.compile(rf"(?<!\w)(?:{_VERBS})(?!\w)", re.IGNORECASE)
_QUOTING = re.compile(
    r"(?:quoting|zitat von|citando|citation de|cytowanie|citace)\b", re.IGNORECASE
)


# Zoho draws its attribution as a title: "---- On …, Eva <eva@firma.example> wrote ----".
_FRAMED = re.compile(r"[ \t]*-{3,} ?[^\n-][^\n]{1,300}?[^\n-] ?-{3,}[ \t]*")
_TITLED = re.compile(r"-{3,} ?[^\n:-][^\n:]{1,120}: ?-{3,}[ \t]*")
_GROUPWISE = re.compile(r">>> ?[^\n>]{1,120}(?:<[^\n<>]{3,120}>)?[^\n>]{0,40}>>>[ \t]*")


class Attribution(NamedTuple):
    """A line "On … wrote:": where it begins and ends, what it names, in which language."""

    start: int
    verb: str
    mailbox: bool
    date: bool
    time: bool
    words: int


def attribution(lines: list[Line], index: int) -> Attribution | None:
    """An attribution that ends on this line, up to four lines long."""
    last = without_embedding(lines[index].text).rstrip(" \t*_")
    if not last.endswith((":", "：")) and not ("@" in last and _FRAMED.fullmatch(last)):
        return None
    joined = ""
    best: Attribution | None = None
    for start in range(index, max(index - 4, -1), -1):
        if lines[start].kind is not lines[index].kind:
            break
        text = without_embedding(lines[start].text).strip()
        joined = f"{text} {joined}".strip()
        if not text or len(joined) > _MAX_ATTRIBUTION or (start < index and text.endswith(":")):
            break
        verb = _WROTE.search(joined)
        found = Attribution(
            start,
            (verb.lastgroup or "") if verb else "",
            bool(_MAILBOX.search(joined)),
            bool(_DATE.search(joined)),
            bool(_TIME.search(joined)),
            len(joined.split()),
        )
        if joined[0] in "<(":
            # The writer's name stands on the line above.
            best = found
            continue
        if found.date and (found.verb or found.mailbox):
            return found
        if best is None and (found.verb or found.mailbox or _QUOTING.match(joined)):
            best = found
    return best


def inline(text: str) -> str:
    """The language of an attribution with the quote on the same line, as Yahoo's apps write it."""
    if "@" not in text or ":" not in text:
        return ""
    verb = _WROTE.search(text[:_MAX_ATTRIBUTION])
    head = text[: verb.start()] if verb else ""
    named = bool(_MAILBOX.search(head) and _DATE.search(head) and _TIME.search(head))
    follows = verb and text[verb.end() :].lstrip().startswith(":")
    return (verb.lastgroup or "") if verb and named and follows else ""


def wrote_title(text: str) -> str:
    """The language of Lotus Notes' title above a header: "-----Eva Mala/Firma wrote: -----"."""
    if not text.startswith("---") or ":" not in text or not _TITLED.fullmatch(text):
        return ""
    verb = _WROTE.search(text[:_MAX_ATTRIBUTION])
    return (verb.lastgroup or "") if verb else ""


def is_groupwise(text: str) -> bool:
    """Whether a line is GroupWise's: ">>> Eva <eva@firma.example> 12.05.2026 09:03 >>>"."""
    return bool(
        text.startswith(">>>")
        and _GROUPWISE.fullmatch(text)
        and _DATE.search(text)
        and _TIME.search(text)
    )


def judge(found: Attribution, lines: list[Line], index: int, traits: Traits) -> str:
    """What an attribution takes with it: "line" itself, "rest" all below, "" nothing.

    Without ">" below it the quote has no end, so only one that names date and writer counts.
    """
    following = next_text(lines, index + 1)
    kind = lines[following].kind if following < len(lines) else Kind.OWN
    full = found.date and (found.mailbox or bool(found.verb))
    if kind in (Kind.QUOTED, Kind.PERHAPS_QUOTED):
        short = bool(found.verb) and found.words <= 5
        sure = traits.reply or kind is Kind.QUOTED
        return "line" if full or (sure and (found.mailbox or short)) else ""
    if lines[index].kind is Kind.ATTRIBUTION:
        return "line"
    certain = full and bool(found.verb) and (found.mailbox or found.time)
    if blank(lines[: found.start]) and not (certain and found.mailbox):
        # All would be gone: perhaps the author began with a date and a name.
        return ""
    named = found.verb or _NAMED_LAST.search(without_embedding(lines[index].text))
    if traits.reply and full and named and (found.mailbox or found.time):
        return "rest"
    return "rest" if certain and found.mailbox and not blank(lines[index + 1 :]) else ""
