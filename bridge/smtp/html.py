"""The text of an HTML part comes in; lines as a person would read them aloud go out.

Hidden text is left out, links keep their address where their words do not tell it, tables become
one line a row, and cited blocks, attributions and signatures are marked for the steps after.
"""

import re
from dataclasses import dataclass, field
from itertools import islice

from bridge.smtp.hiding import hidden_marks, is_hidden
from bridge.smtp.lines import Kind, Line, blank
from bridge.smtp.markup import Token, tokens

# Ten times what the longest newsletters hold.
_MAX_TOKENS = 60_000
_VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr keygen o:p".split()
)
_BLOCKS = frozenset(
    "address article aside body center dd details dialog div dl dt fieldset figcaption figure"
    " footer form header html li main nav ol section summary table tbody tfoot thead tr ul".split()
)
_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 pre blockquote hr".split())
_CELLS = frozenset(("td", "th"))
_SILENT = frozenset("head select option object audio video canvas map noframes iframe".split())
_SELF_CLOSING = frozenset("p li td th tr dt dd option".split())

_QUOTE_CLASS = re.compile(r"gmail_quote|protonmail_quote|yahoo_quoted|zmail_extra|iwcQuote")
_ATTRIBUTION_CLASS = re.compile(r"gmail_attr|moz-cite-prefix|zmail_extra_hr")
_SIGNATURE_CLASS = re.compile(
    r"gmail_signature|moz-signature|protonmail_signature|ms-outlook-mobile-signature"
    r"|^Signature$|^signature$|mobile-signature"
)
_WHITE = re.compile(r"[ \t\r\n\f]+")
_TRIMMED_ADDRESS = re.compile(r"^(?:https?://|ftp://)?(?:www\.)?|[/?#]+$", re.IGNORECASE)
_ASCII_WORD = re.compile(r"[A-Za-z0-9]")


@dataclass(slots=True)
class _Element:
    name: str
    hidden: bool
    kind: Kind
    pre: bool
    # A cell's first line, so that short cells of a row stay on one line.
    line: int = 0
    count: int = 0


@dataclass(slots=True)
class _Link:
    address: str
    words: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)


class _Page:
    """Lines as they grow; a break is only made when text follows it."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.stack = [_Element("", hidden=False, kind=Kind.OWN, pre=False)]
        self.open: dict[str, int] = {}
        self.inline: list[str] = []
        self.kind = Kind.OWN
        # 0: none, 1: a new line, 2: a blank line, -1: the next cell of a row.
        self.pending = 0
        self.link: _Link | None = None
        self.hidden_marks: set[str] = set()
        self.alternatives: list[str] = []
        # A cell or item has just begun: what opens in it starts on the same line.
        self.fresh = False
        self.after_address = False

    @property
    def top(self) -> _Element:
        return self.stack[-1]

    def flush(self) -> None:
        text = "".join(self.inline)
        self.inline.clear()
        self.lines.append(Line(text.strip(" ") if not self.top.pre else text, self.kind))

    def break_line(self, strength: int) -> None:
        if not self.fresh and strength:
            self.pending = max(self.pending, strength)

    def settle(self) -> None:
        """Make the break that was asked for, now that something follows it."""
        pending, self.pending = self.pending, 0
        if pending == -1:
            self.inline.append(" ")
        elif pending:
            if self.inline:
                self.flush()
            if pending == 2 and self.lines and self.lines[-1].text:
                self.lines.append(Line("", self.kind))
        if self.kind is not self.top.kind:
            if self.inline:
                self.flush()
            self.kind = self.top.kind

    def write(self, text: str) -> None:
        if self.top.hidden:
            return
        if self.link:
            self.link.words.append(text)
        if self.top.pre:
            self._write_pre(text)
            return
        text = _WHITE.sub(" ", text)
        if text == " " or not text:
            if text and self.inline and not self.pending:
                self.inline.append(" ")
            return
        self.fresh = False
        self.settle()
        if not self.inline or self.inline[-1].endswith(" "):
            text = text.removeprefix(" ")
        elif self.after_address and text[0].isalnum():
            text = " " + text
        self.after_address = False
        self.inline.append(text)

    def _write_pre(self, text: str) -> None:
        self.settle()
        first, *others = text.replace("\r\n", "\n").split("\n")
        self.inline.append(first)
        for line in others:
            self.flush()
            self.inline.append(line)

    def line_break(self) -> None:
        if self.top.hidden:
            return
        if self.pending:
            self.settle()
        self.kind = self.top.kind if not self.inline else self.kind
        self.flush()


def lines_of(html: str) -> list[Line]:
    """Read HTML as text. Never raises; takes time in proportion to the text."""
    page = _Page()
    for token in islice(tokens(html), _MAX_TOKENS):
        if token.tag == "":
            page.write(token.text)
        elif token.tag[0] == "<" and token.tag[1] != "/":
            _open(page, token)
        elif token.tag[0] == "<":
            _close(page, token.tag[2:])
        elif token.tag == "style":
            page.hidden_marks |= hidden_marks(token.text)
    if page.inline:
        page.flush()
    if blank(page.lines) and page.alternatives:
        return [Line(text) for text in page.alternatives]
    return page.lines


def _open(page: _Page, token: Token) -> None:
    name, attributes = token.tag[1:], token.attributes
    if name == page.top.name and name in _SELF_CLOSING:
        _close(page, name)
    if name == "br":
        page.line_break()
    elif name == "img":
        _picture(page, attributes)
    elif name in _VOID:
        page.break_line(2 if name == "hr" else 0)
    else:
        _break_before(page, name, attributes)
        _push(page, name, attributes)
        _begin(page, name, attributes)


def _break_before(page: _Page, name: str, attributes: dict[str, str]) -> None:
    if name in _PARAGRAPHS and "MsoNormal" not in attributes.get("class", ""):
        page.break_line(1 if page.top.name in ("li", "td", "th") else 2)
    elif name in _BLOCKS or name == "p":
        page.break_line(1)


def _push(page: _Page, name: str, attributes: dict[str, str]) -> None:
    top = page.top
    if name in _CELLS and page.pending > 0:
        page.settle()
    page.stack.append(
        _Element(
            name,
            hidden=top.hidden or name in _SILENT or is_hidden(attributes, page.hidden_marks),
            kind=_kind(name, attributes, top.kind),
            pre=top.pre or name == "pre",
            line=len(page.lines),
        )
    )
    page.open[name] = page.open.get(name, 0) + 1


def _begin(page: _Page, name: str, attributes: dict[str, str]) -> None:
    """What an element writes before its content: a bullet, a number, nothing."""
    if name in _CELLS:
        page.fresh = True
    elif name == "a":
        page.link = _Link(attributes.get("href", "").strip())
    elif name == "ol" and attributes.get("start", "").isdecimal():
        page.top.count = int(attributes["start"][:6]) - 1
    elif name == "li" and not page.top.hidden:
        holder = next((item for item in page.stack[-2:-12:-1] if item.name in ("ul", "ol")), None)
        if holder and holder.name == "ol":
            holder.count += 1
        page.write(f"{holder.count}. " if holder and holder.name == "ol" else "- ")
        page.fresh = True


def _close(page: _Page, name: str) -> None:
    """Close an element and whatever was left open inside it; strangers are ignored."""
    if name == "p" and not page.open.get("p"):
        page.break_line(1)
    if not page.open.get(name):
        return
    while True:
        element = page.stack[-1]
        if element.name == "a":
            _end_link(page)
        if element.pre and element.name == "pre" and page.inline:
            page.flush()
        page.stack.pop()
        page.open[element.name] -= 1
        _break_after(page, element)
        if element.name == name:
            return


def _break_after(page: _Page, element: _Element) -> None:
    if element.hidden:
        return
    if element.name in _CELLS or element.name == "li":
        page.fresh = False
    if element.name in _CELLS and len(page.lines) == element.line:
        # The cell is part of one line so far: the next one goes beside it.
        page.pending = -1 if page.inline else page.pending
    elif element.name in _PARAGRAPHS:
        in_item = page.top.name in ("li", "td", "th")
        page.break_line(1 if in_item else 2)
    elif element.name in _BLOCKS or element.name in _CELLS:
        page.break_line(1)


def _end_link(page: _Page) -> None:
    link, page.link = page.link, None
    if not link or page.top.hidden:
        return
    words = " ".join("".join(link.words).split())
    if not words and link.alternatives:
        words = " ".join(link.alternatives)
        page.write(words)
    if words and (address := _telling(link.address, words)):
        page.write(" " + address)
        page.after_address = True


def _telling(address: str, words: str) -> str:
    """What of a link's address its words do not tell; "" for nothing."""
    scheme, _, rest = address.partition(":")
    scheme, said = scheme.lower(), words.casefold()
    if scheme in ("tel", "sms"):
        return "" if any(char.isdigit() for char in words) else rest
    if scheme == "mailto":
        mailbox = rest.split("?")[0]
        return "" if mailbox.casefold() in said else mailbox
    short = _TRIMMED_ADDRESS.sub("", address).casefold()
    return address if scheme in ("http", "https", "ftp") and short not in said else ""


def _picture(page: _Page, attributes: dict[str, str]) -> None:
    """A picture's words count where they are the text: emoji, buttons, mails of pictures only."""
    text = " ".join(attributes.get("alt", "").split())
    if not text or page.top.hidden or is_hidden(attributes, page.hidden_marks):
        return
    if len(text) <= 8 and not _ASCII_WORD.search(text):
        page.write(text)
    elif page.link:
        page.link.alternatives.append(text)
    page.alternatives.append(text)


def _kind(name: str, attributes: dict[str, str], outer: Kind) -> Kind:
    """Whose words an element holds, by the marks that mail programs leave."""
    if outer is not Kind.OWN:
        return outer
    marks = " ".join((attributes.get("class", ""), attributes.get("data-smartmail", ""))).strip()
    if name == "blockquote":
        cited = attributes.get("type", "").lower() == "cite" or _QUOTE_CLASS.search(marks)
        return Kind.QUOTED if cited else Kind.PERHAPS_QUOTED
    if _SIGNATURE_CLASS.search(marks) or attributes.get("id", "").lower() == "signature":
        return Kind.SIGNATURE
    return Kind.ATTRIBUTION if _ATTRIBUTION_CLASS.search(marks) else outer
