"""The lines of a mail come in; the author's own lines, and what was forwarded, go out.

A quote is cut where its marks are sure: structure (HTML, format=flowed), an attribution in a
known language, a block of header lines, ">" in a reply. Where marks are missing, lines stay.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from bridge.smtp.headers import Headers
from bridge.smtp.lines import Kind, Line, blank
from bridge.smtp.words import (
    FORWARD_PREFIXES,
    FORWARDED,
    HEADER_LABELS,
    ORIGINAL,
    REPLY_PREFIXES,
    WROTE,
)

_KINDS = ("from", "sent", "date", "to", "copy", "subject")
_MAX_ATTRIBUTION = 320
_MAX_BLOCK = 14

_PREFIX = re.compile(
    rf"\s*(?:({REPLY_PREFIXES})|({FORWARD_PREFIXES}))(?:\[\d+\]|\(\d+\))?\s*[:：]", re.IGNORECASE
)
_HEADER = re.compile(
    r"[ \t>*_|]{0,6}([^\W\d_][^\W\d_ .’'-]{0,20}(?: [^\W\d_]{1,12}){0,2})"
    r"[ \t*_]{0,6}[:：][*_]{0,2}[ \t]*([^\n]{0,400})"
)
_RULE = re.compile(r"[ \t>]*[-_=*~#—–]{3,}[ \t]*")
_AROUND_PHRASE = " \t>-_=*—–:"
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d(?!\d)|\d{1,2}[./-] ?\d{1,2}[./-])|\d年|\d{1,2}/\d{1,2}/\d{2}"
)
_TIME = re.compile(r"(?<!\d)\d{1,2}[:.h]\d{2}(?!\d)")
_MAILBOX = re.compile(r"[^\s<>@(:]{1,64}@[^\s<>@)]{1,255}")
_NAMED_LAST = re.compile(r"[^\s<>@(]@[^\s<>@)]{1,255}[>)]{1,2}\s*[:：][\s*_]*$")
_WROTE = re.compile(
    "|".join(rf"(?P<{language}>(?<!\w)(?:{verbs})(?!\w))" for language, verbs in WROTE.items()),
    re.IGNORECASE,
)
_QUOTING = re.compile(
    r"(?:quoting|zitat von|citando|citation de|cytowanie|citace)\b", re.IGNORECASE
)
_DIFF = re.compile(r"(?:< |@@ |\+\+\+ |--- \S|\d+(?:,\d+)?[acd]\d+)")
_LEVEL = re.compile(r"[ \t]?> ?")


def _by_word(table: dict[str, str]) -> dict[str, str]:
    """Phrase → language, from a table of alternatives."""
    return {word: language for language, words in table.items() for word in words.split("|")}


_ORIGINAL = _by_word(ORIGINAL)
_FORWARDED = _by_word(FORWARDED)
_LABELS: dict[str, dict[str, set[str]]] = {}
for _language, _row in HEADER_LABELS.items():
    for _kind, _words in zip(_KINDS, _row, strict=True):
        for _word in _words.split("|"):
            _LABELS.setdefault(_word, {}).setdefault(_kind, set()).add(_language)


class Traits(NamedTuple):
    """What the header says of a mail: an answer, a forward, a machine's output."""

    reply: bool = False
    forward: bool = False
    machine: bool = False


@dataclass(slots=True)
class Parted:
    """A mail's lines by whose they are, and the rules that told."""

    own: list[Line] = field(default_factory=list)
    forwarded: list[Line] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)


class _Block(NamedTuple):
    """Header lines above a quote: where they end, which there are, in which language."""

    end: int
    kinds: frozenset[str]
    language: str


class _Attribution(NamedTuple):
    """A line "On … wrote:": where it begins and ends, what it names, in which language."""

    start: int
    verb: str
    mailbox: bool
    date: bool
    time: bool
    words: int


def prefix(subject: str) -> tuple[bool, bool]:
    """Whether a subject begins as a reply's, and whether as a forward's."""
    match = _PREFIX.match(subject) if ":" in subject[:40] or "：" in subject[:40] else None
    if not match:
        return False, False
    word = (match[1] or match[2]).lower()
    # "VS:" and "RV:" and "I:" are one language's reply and another's forward.
    both = word in ("vs", "rv")
    return bool(match[1]), bool(match[2]) or both


def is_reply(headers: Headers) -> bool:
    """Whether the header refers to an earlier mail (RFC 5322 3.6.4)."""
    return "in-reply-to" in headers or "references" in headers


def part(lines: list[Line], traits: Traits) -> Parted:
    """Tell the author's lines from quotes. In: a whole mail. Out: rules in kebab names too."""
    return _part(lines, traits) if _has_clue(lines) else Parted(own=lines)


def _has_clue(lines: list[Line]) -> bool:
    """Whether anything stands here that the rules below could take for a quote's beginning.

    Most alerts have nothing of the kind: this spares them every pattern.
    """
    labels = 0
    for text, kind in lines:
        if kind is not Kind.OWN or "--" in text or "__" in text or "==" in text:
            return True
        if ":" in text or "：" in text:
            labels += 1
            if labels > 1 or text.rstrip(" \t*_").endswith((":", "：")):
                return True
    return False


def _part(lines: list[Line], traits: Traits) -> Parted:
    parted = Parted()
    diff = any(line.kind is Kind.OWN and _DIFF.match(line.text) for line in lines)
    attributed = _headed(lines)
    index = 0
    while index < len(lines):
        line = lines[index]
        quoted = _is_quote(line, traits, attributed=attributed, diff=diff)
        if not quoted or traits.forward:
            taken = _forward(lines, index, traits, parted) or _header_quote(
                lines, index, traits, parted
            )
            if taken:
                return parted
        found = _attribution(lines, index) if not quoted else None
        if found and (verdict := _judge(found, lines, index, traits)):
            if line.kind is not Kind.ATTRIBUTION:
                del parted.own[len(parted.own) - (index - found.start) :]
            parted.rules.append(f"quote-attribution:{found.verb or 'any'}")
            if verdict == "rest":
                return parted
            attributed = True
        elif quoted:
            _note(parted, "quote-marked" if line.kind is Kind.QUOTED else "quote-prefix")
        elif line.kind is Kind.ATTRIBUTION:
            _note(parted, "quote-attribution:marked")
            attributed = True
        elif line.kind is Kind.SIGNATURE:
            _note(parted, "signature-marked")
        else:
            parted.own.append(line)
        index += 1
    if parted.rules:
        _trim_rule(parted.own)
    return parted


def _note(parted: Parted, rule: str) -> None:
    if rule not in parted.rules:
        parted.rules.append(rule)


def _is_quote(line: Line, traits: Traits, *, attributed: bool, diff: bool) -> bool:
    if line.kind is Kind.QUOTED:
        return True
    if line.kind is not Kind.PERHAPS_QUOTED:
        return False
    return attributed or (traits.reply and not diff)


def _headed(lines: list[Line]) -> bool:
    """Whether the first ">" lines are a mail's header: then what has ">" is quoted."""
    for index, line in enumerate(lines):
        if line.kind is Kind.PERHAPS_QUOTED:
            return _block(lines, index, marked=False) is not None
    return False


def _next_text(lines: list[Line], index: int) -> int:
    """The first line from here on that is not blank."""
    while index < len(lines) and not lines[index].text.strip(" >\t"):
        index += 1
    return index


# ---- Forwards


def _forward(lines: list[Line], index: int, traits: Traits, parted: Parted) -> bool:
    """Take a forwarded mail apart from what was written above it; its header lines go."""
    language = _phrase(lines, index, _FORWARDED)
    if traits.forward and not language:
        # Outlook puts the same line above an answer's quote and above what it forwards.
        language = _phrase(lines, index, _ORIGINAL)
    start = _next_text(lines, index + 1) if language else index
    block = _block(lines, start, marked=bool(language))
    drawn = bool(language) and traits.forward and _is_drawn(lines[index].text)
    headed = block is not None and (bool(language) or (traits.forward and "from" in block.kinds))
    if not drawn and not headed:
        return False
    _trim_rule(parted.own)
    name = language or (block.language if block else "")
    parted.rules.append(f"forward:{name or 'any'}")
    parted.forwarded = _unquoted(lines[block.end if block else start :])
    return True


def _unquoted(lines: list[Line]) -> list[Line]:
    """Forwarded lines without the quote marks that some programs put before each of them."""
    if any(line.kind is Kind.OWN and line.text.strip() for line in lines):
        marked = (Kind.ATTRIBUTION,)
        return [Line(line.text) if line.kind in marked else line for line in lines]
    return [
        Line(text, Kind.PERHAPS_QUOTED if text.startswith(">") else Kind.OWN)
        for text in (_LEVEL.sub("", line.text, count=1) for line in lines)
    ]


# ---- Header lines above a quote


def _header_quote(lines: list[Line], index: int, traits: Traits, parted: Parted) -> bool:
    """Cut at "-----Original Message-----" or at Outlook's block of From, Sent, To, Subject."""
    language = _phrase(lines, index, _ORIGINAL)
    if language:
        block = _block(lines, _next_text(lines, index + 1), marked=True)
        drawn = _is_drawn(lines[index].text)
        if not block and not (drawn and (traits.reply or traits.forward)):
            return False
        parted.rules.append(f"quote-original:{language}")
    else:
        block = _block(lines, index, marked=False)
        if not block or not _sure(block, traits):
            return False
        parted.rules.append(f"quote-header:{block.language}")
    _trim_rule(parted.own)
    return True


def _sure(block: _Block, traits: Traits) -> bool:
    """Whether a block of header lines without a mark above it is a quote's, not an alert's."""
    kinds = block.kinds
    if traits.reply:
        return "from" in kinds and len(kinds) >= 3
    return {"from", "sent", "to", "subject"} <= kinds


def _phrase(lines: list[Line], index: int, table: dict[str, str]) -> str:
    """The language of a phrase such as "Original Message" that fills a line; "" for none."""
    text = lines[index].text
    if len(text) > 120:
        return ""
    phrase = text.strip(_AROUND_PHRASE).casefold()
    language = table.get(phrase, "")
    if language or not text.lstrip(" >").startswith("--"):
        return language
    # Lotus Notes: "----- Forwarded by Eva/Firma on 12.05.2026 09:03 -----".
    return next((name for word, name in table.items() if phrase.startswith(word + " ")), "")


def _is_drawn(text: str) -> bool:
    """Whether a line begins with the dashes that programs draw."""
    return text.lstrip(" >*").startswith(("--", "__", "=="))


def _header(text: str) -> tuple[dict[str, set[str]], str] | None:
    """What a header line in any known language says it is, and its value."""
    match = _HEADER.match(text) if ":" in text or "：" in text else None
    if not match:
        return None
    kinds = _LABELS.get(match[1].casefold())
    return (kinds, match[2].strip(" *")) if kinds else None


def _block(lines: list[Line], index: int, *, marked: bool) -> _Block | None:
    """Read header lines from here on; blank lines and folded values may stand among them.

    With no mark above, the block must begin as mail programs begin it: with From, Sent or Date.
    """
    first = _header(lines[index].text) if index < len(lines) else None
    if not first or not (marked or first[0].keys() & {"from", "sent", "date"}):
        return None
    languages, kinds, end, loose = dict[str, set[str]](), set[str](), index, 0
    for at in range(index, min(index + _MAX_BLOCK, len(lines))):
        found = _header(lines[at].text)
        if (found and found[1] != "") or (found and "copy" in found[0]):
            for kind, names in found[0].items():
                for name in names:
                    languages.setdefault(name, set()).add(kind)
            end, loose = at + 1, 0
        elif (loose := loose + 1) > 2 or (at > end and not lines[at].text.strip() and loose > 1):
            break
    best = max(languages, key=lambda name: len(languages[name]), default="")
    kinds = languages.get(best, set())
    return _Block(end, frozenset(kinds), best) if len(kinds) >= (2 if marked else 3) else None


def _trim_rule(own: list[Line]) -> None:
    """Drop the line of underscores or dashes that programs draw above a quote."""
    while own and (not own[-1].text.strip() or _RULE.fullmatch(own[-1].text)):
        own.pop()


# ---- Attributions


def _attribution(lines: list[Line], index: int) -> _Attribution | None:
    """An attribution that ends on this line, up to four lines long."""
    if not lines[index].text.rstrip(" \t*_").endswith((":", "：")):
        return None
    joined = ""
    best: _Attribution | None = None
    for start in range(index, max(index - 4, -1), -1):
        if lines[start].kind is not lines[index].kind:
            break
        text = lines[start].text.strip()
        joined = f"{text} {joined}".strip()
        if not text or len(joined) > _MAX_ATTRIBUTION or (start < index and text.endswith(":")):
            break
        verb = _WROTE.search(joined)
        found = _Attribution(
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


def _judge(found: _Attribution, lines: list[Line], index: int, traits: Traits) -> str:
    """What an attribution takes with it: "line" itself, "rest" all below, "" nothing.

    Without ">" below it the quote has no end, so only one that names date and writer counts.
    """
    following = _next_text(lines, index + 1)
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
    named = found.verb or _NAMED_LAST.search(lines[index].text)
    if traits.reply and full and named and (found.mailbox or found.time):
        return "rest"
    return "rest" if certain and found.mailbox and not blank(lines[index + 1 :]) else ""
