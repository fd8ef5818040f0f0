"""The lines of a mail come in; the author's own lines, and what was forwarded, go out.

A quote is cut where its marks are sure: structure (HTML, format=flowed), an attribution in a
known language, a block of header lines, ">" in a reply. Where marks are missing, lines stay.
"""

import re
from dataclasses import dataclass, field

from bridge.smtp.attribution import attribution, inline, is_groupwise, judge, wrote_title
from bridge.smtp.headerblock import FORWARDS, ORIGINALS, Block, block, foreign, is_drawn, phrase
from bridge.smtp.headers import Headers
from bridge.smtp.lines import Kind, Line, Traits, blank, next_text
from bridge.smtp.markers import is_drawn_answer_line
from bridge.smtp.words import FORWARD_PREFIXES, REPLY_PREFIXES

_PREFIX = re.compile(
    rf"\s*(?:({REPLY_PREFIXES})|({FORWARD_PREFIXES}))(?:\[\d+\]|\(\d+\))?\s*[:：]", re.IGNORECASE
)
_RULE = re.compile(r"[ \t>]*[-_=*~#—–]{3,}[ \t]*")
# "----- Mail original -----", in a language that the tables do not have.
_TITLE = re.compile(r"[ \t]*[-_=]{3,} ?[^\W\d_][^\n]{1,40}? ?[-_=]{3,}[ \t]*")
_TIMED = re.compile(r"\d[:.h]\d\d(?!\d)")
_DIFF = re.compile(r"(?:< |@@ |\+\+\+ |--- \S|\d+(?:,\d+)?[acd]\d+)")
# Lotus Notes sums up what it quotes: "Eva Mala---12.05.2026 09:03:11---Is the pump on?".
_SUMMARY = re.compile(r"[^\n-]{1,80}---[^\n-]{0,20}\d[:.]\d\d[^\n-]{0,20}---[^\n]{0,400}")
# The Bat puts the writer's initials before what it quotes: "EM> Is the pump on?".
_INITIALS = re.compile(r" ?([A-Z]{1,3})>+ ")
# A drawn line stands no further above what it parts off.
_NEAR = 6
_LEVEL = re.compile(r"[ \t]?> ?")


@dataclass(slots=True)
class Parted:
    """A mail's lines by whose they are, and the rules that told."""

    own: list[Line] = field(default_factory=list)
    forwarded: list[Line] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)


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
    lines = _initialled(_from_text(lines))
    return _part(lines, traits) if _has_clue(lines) else Parted(own=lines)


def _from_text(lines: list[Line]) -> list[Line]:
    """The lines without blank ones at their beginning, which later steps would count again."""
    first = next((n for n, line in enumerate(lines) if line.text.strip()), len(lines))
    return lines[first:] if first else lines


def _initialled(lines: list[Line]) -> list[Line]:
    """The lines, those with an attribution's writer's initials before them marked as quoted."""
    marks: set[str] = set()
    for index, line in enumerate(lines):
        found = _INITIALS.match(line.text)
        above = index - 1
        while found and above > 0 and not lines[above].text.strip():
            above -= 1
        if found and above >= 0 and (said := attribution(lines, above)) and said.date:
            marks.add(found[1])
    if not marks:
        return lines
    quoted = re.compile(rf" ?(?:{'|'.join(marks)})>+(?: |$)")
    return [Line(t, Kind.PERHAPS_QUOTED) if quoted.match(t) else Line(t, k) for t, k in lines]


def _has_clue(lines: list[Line]) -> bool:
    """Whether anything stands here that the rules below could take for a quote's beginning.

    Most alerts have nothing of the kind: this spares them every pattern.
    """
    labels = 0
    for text, kind in lines:
        if kind is not Kind.OWN or "--" in text or "__" in text or "==" in text or "##" in text:
            return True
        if ":" in text or "：" in text:
            labels += 1
            if labels > 1 or "@" in text or text.rstrip(" \t*_").endswith((":", "：")):
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
        if traits.reply and (rule := _says_quote_follows(line, parted.own)):
            parted.rules.append(rule)
            _trim_rule(parted.own)
            return parted
        found = attribution(lines, index) if not quoted else None
        if traits.reply and not (quoted or found) and (language := inline(line.text)):
            parted.rules.append(f"quote-attribution:{language}")
            return parted
        if found and (verdict := judge(found, lines, index, traits)):
            if line.kind is not Kind.ATTRIBUTION:
                del parted.own[len(parted.own) - (index - found.start) :]
            parted.rules.append(f"quote-attribution:{found.verb or 'any'}")
            if verdict == "rest":
                return parted
            attributed = True
        elif quoted and (head := _ruled_header(lines, index, parted.own)):
            parted.rules.append(f"quote-header:{head.language}")
            _trim_rule(parted.own)
            return parted
        elif quoted:
            _note(parted, "quote-marked" if line.kind is Kind.QUOTED else "quote-prefix")
        elif line.kind is Kind.ATTRIBUTION:
            _note(parted, "quote-attribution:marked")
            attributed = True
        elif line.kind is Kind.SIGNATURE:
            _note(parted, "signature-marked")
        elif parted.own or line.text.strip():
            parted.own.append(line)
        index += 1
    if parted.rules:
        _trim_rule(parted.own)
    return parted


def _says_quote_follows(line: Line, own: list[Line]) -> str:
    """The rule by which all from this line on is quoted, marked or not; "" for none."""
    if line.kind is Kind.PERHAPS_QUOTED and is_groupwise(line.text):
        return "quote-attribution:groupwise"
    if is_drawn_answer_line(line.text) and not blank(own):
        return "quote-answer-line"
    return ""


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
            return block(lines, index, marked=False) is not None
    return False


# ---- Forwards


def _forward(lines: list[Line], index: int, traits: Traits, parted: Parted) -> bool:
    """Take a forwarded mail apart from what was written above it; its header lines go."""
    language = phrase(lines, index, FORWARDS)
    if traits.forward and not language:
        # Outlook puts the same line above an answer's quote and above what it forwards.
        language = phrase(lines, index, ORIGINALS)
    start = next_text(lines, index + 1) if language else index
    head = block(lines, start, marked=bool(language))
    drawn = bool(language) and traits.forward and is_drawn(lines[index].text)
    # "VS:" is a forward in Danish and Norwegian, but an answer in Finnish.
    answer = traits.reply and head is not None and head.language == "fi"
    forwarded = traits.forward and not answer
    headed = head is not None and (bool(language) or (forwarded and "from" in head.kinds))
    if not drawn and not headed:
        return False
    _trim_rule(parted.own)
    name = language or (head.language if head else "")
    parted.rules.append(f"forward:{name or 'any'}")
    parted.forwarded = _unquoted(lines[head.end if head else start :])
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
    language = phrase(lines, index, ORIGINALS) or wrote_title(lines[index].text)
    if language:
        head = block(lines, next_text(lines, index + 1), marked=True)
        drawn = is_drawn(lines[index].text)
        answers = traits.reply or traits.forward
        if not head and not (drawn and answers):
            return False
        if blank(parted.own) and not (drawn or answers or (head and head.mailbox)):
            return False
        parted.rules.append(f"quote-original:{language}")
    else:
        head = block(lines, index, marked=False)
        if not head and traits.reply and not blank(parted.own):
            head = foreign(lines, index, traits.topic)
        if not head or not _sure(head, traits, lines[index : head.end], alone=blank(parted.own)):
            return False
        parted.rules.append(f"quote-header:{head.language}")
        _trim_rule(parted.own)
        if parted.own and any(each.fullmatch(parted.own[-1].text) for each in (_TITLE, _SUMMARY)):
            parted.own.pop()
    _trim_rule(parted.own)
    return True


def _ruled_header(lines: list[Line], index: int, own: list[Line]) -> Block | None:
    """A header with ">" below an answer and a drawn line: what follows is quoted, marked or not."""
    near = range(len(own) - 1, max(len(own) - _NEAR, 0), -1)
    last = next((n for n in near if own[n].text.strip()), 0)
    if not last or not _RULE.fullmatch(own[last].text) or blank(own[:last]):
        return None
    head = block(lines, index, marked=False)
    return head if head and {"from", "to", "subject"} <= head.kinds else None


def _sure(head: Block, traits: Traits, rows: list[Line], *, alone: bool) -> bool:
    """Whether a block of header lines without a mark above it is a quote's, not an alert's."""
    kinds = head.kinds
    if traits.reply:
        # From, To and Date alone may be a journey that the author describes.
        told = "subject" in kinds or head.mailbox or ("sent" in kinds and not alone)
        timed = kinds & {"sent", "date"} and any(_TIMED.search(line.text) for line in rows)
        if alone and not head.mailbox and not timed:
            return False
        return "from" in kinds and len(kinds) >= 3 and told
    return {"from", "sent", "to", "subject"} <= kinds


def _trim_rule(own: list[Line]) -> None:
    """Drop the line of underscores or dashes that programs draw above a quote."""
    while own and (not own[-1].text.strip() or _RULE.fullmatch(own[-1].text)):
        own.pop()
