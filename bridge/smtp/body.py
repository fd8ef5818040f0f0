"""The parts of a mail come in; its text, read as plain or as HTML, goes out as lines.

Attachments are never text. Parts shown one below the other are joined, of alternatives one is
taken: which one is decided by the caller, for the whole mail, by what each reading gives.
"""

import re
from typing import NamedTuple

from bridge.smtp import charset, html, plain
from bridge.smtp.lines import Line, blank, clean
from bridge.smtp.markers import without_armour
from bridge.smtp.mime import Part

# Far above the 255 parts of the longest SMS; what is longer is refused for its length anyway.
MAX_TEXT = 100_000
MAX_HTML = 1_000_000

_SHOWN = frozenset(
    "text/plain text/html text/x-html application/xhtml+xml text/enriched text/richtext"
    " text/markdown text/x-markdown".split()
)
# Text for programs: never shown, even where a mail is nothing else.
_DATA = frozenset("text/calendar text/vcard text/x-vcard text/directory text/rtf".split())
_HTML = frozenset(("text/html", "text/x-html", "application/xhtml+xml"))
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_IS_HTML = re.compile(r"\s*(?:<!doctype html|<html[\s>]|<body[\s>]|<head[\s>])", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,2000}>")
_RICH_COMMAND = re.compile(r"<(/?)([a-zA-Z0-9-]{1,60})>")
_PLACEHOLDER = re.compile(
    r"(?:html|rich.?text).{0,80}(?:capable|compatible|enabled|viewer|reader|client|browser|support"
    r"|view|version|zobraz|formát|anzeig|afficher|mostrar|visualizza|weergeven|wyświetl|visualizar"
    r"|version|näytt|megjelen|visa|vis )"
    r"|(?:view|open|read|see|display).{0,40}(?:html|in (?:a |your )?(?:web )?browser|online)"
    r"|(?:does not|doesn't|cannot|can't|unable to|not able to) (?:support|display|show|read|view)"
    r".{0,30}html|(?:nepodporuje|neumí|nezobrazuje|unterstützt|nicht unterst).{0,40}html"
    r"|html.{0,40}(?:nepodporuje|nezobraz|unterstütz|nicht)"
    r"|(?:v|ve|im|dans|en el|nel|in de|w|no|i) (?:html|prohlížeči|prehliadači|browser\w*|navigateur"
    r"|navegador|przeglądarce|nettleser\w*|webbläsare\w*|selaimessa)",
    re.IGNORECASE | re.DOTALL,
)
# Where a picture stands in the HTML: "[cid:image001.png@01DA]", "[image: logo.png]".
_PICTURE = re.compile(
    r"\[cid:[^\[\]\s]{1,200}\]|^\[image: [^\[\]\n]{1,100}\.(?:png|jpe?g|gif|heic|webp)\][ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"[<\[(]?(?:https?://|www\.|mailto:)[^\s>\])]*[>\])]?")
_WORD = re.compile(r"\w+")
_LOST = re.compile(r"(?<=\w)[?\ufffd]+(?=\w)|\ufffd")


class Reading(NamedTuple):
    """A mail's lines, and the rules that gave them."""

    lines: list[Line]
    rules: list[str]


class _Choice:
    """What one reading prefers, and what it met on its way."""

    def __init__(self, *, prefer_html: bool) -> None:
        self.prefer_html = prefer_html
        self.rules: list[str] = []
        self.kinds: set[str] = set()

    def note(self, rule: str) -> None:
        if rule not in self.rules:
            self.rules.append(rule)


def read(mail: Part) -> list[Reading]:
    """Every reading of a mail that may be the right one, the preferred first; never none."""
    choice = _Choice(prefer_html=False)
    lines = _lines(mail, choice, root=True)
    if blank(lines):
        lines = _enclosed(mail, choice)
    readings = [Reading(lines, choice.rules)]
    if "alternative" in choice.kinds:
        other = _Choice(prefer_html=True)
        readings.append(Reading(_lines(mail, other, root=True), other.rules))
    return readings


def poorer(text: str, rich: str) -> str:
    """Why a plain text is not what the author wrote, given what the HTML says; "" if it is."""
    if not rich.strip():
        return ""
    words = _WORD.findall(_ADDRESS.sub(" ", text))
    if not words:
        return "plain-empty"
    if len(words) <= 60 and _PLACEHOLDER.search(text) and not _PLACEHOLDER.search(rich):
        return "plain-placeholder"
    if _LOST.search(text) and not _LOST.search(rich):
        return "plain-lossy"
    rich_words = _WORD.findall(_ADDRESS.sub(" ", rich))
    missing = len(rich_words) - len(words)
    held = set(words) <= set(rich_words)
    return "plain-poorer" if held and missing >= 4 and missing * 2 >= len(words) else ""


def _lines(part: Part, choice: _Choice, *, root: bool = False) -> list[Line]:
    """The lines that a mail program would show of this part."""
    kind = part.content.value
    if kind.startswith("multipart/"):
        if not part.children:
            # No delimiter anywhere: a person would see the body as it stands.
            choice.note("mime-no-boundary")
            closing = f"--{part.content.items.get('boundary', '')}--"
            shown = _text(part, "text/plain", choice) if root else []
            return [line for line in shown if line.text.rstrip() != closing]
        return _multipart(part, kind, choice)
    if kind not in _SHOWN and not (root and kind.startswith("text/") and kind not in _DATA):
        return []
    if not root and (part.disposition.value == "attachment" or part.filename):
        return []
    return _text(part, kind, choice)


def _multipart(part: Part, kind: str, choice: _Choice) -> list[Line]:
    if kind == "multipart/encrypted":
        choice.note("encrypted")
        return []
    if kind == "multipart/alternative":
        return _alternative(part.children, choice)
    if kind in ("multipart/related", "multipart/signed", "multipart/appledouble"):
        shown = part.children[:1] if kind != "multipart/related" else (_start(part),)
    elif kind == "multipart/report":
        shown = part.children[:1]
    else:
        shown = part.children
    texts = [lines for child in shown if not blank(lines := _lines(child, choice))]
    return [line for lines in texts for line in lines] or _named(part, choice)


def _start(part: Part) -> Part:
    """The root of a multipart/related (RFC 2387 3.2)."""
    wanted = part.content.items.get("start", "")
    for child in part.children:
        if wanted and child.headers.first("content-id") == wanted:
            return child
    return part.children[0]


def _alternative(children: tuple[Part, ...], choice: _Choice) -> list[Line]:
    """One of the alternatives: the plain one, or the HTML one, whichever this reading prefers."""
    found: dict[bool, list[Line]] = {}
    for child in children:
        rich = _holds_html(child)
        lines = _lines(child, choice) if rich is choice.prefer_html or not rich else []
        if not blank(lines) or rich:
            found[rich] = lines
    if True in found:
        choice.kinds.add("alternative")
    best = found.get(choice.prefer_html)
    return best if best is not None else next(iter(found.values()), [])


def _holds_html(part: Part) -> bool:
    """Whether a part's first shown text is HTML."""
    while part.children:
        part = part.children[0]
    return part.content.value in _HTML


def _named(part: Part, choice: _Choice) -> list[Line]:
    """A text part with a name that is not called an attachment, where there is no other text."""
    for child in part.children:
        named = child.filename and child.disposition.value != "attachment"
        if named and child.content.value in ("text/plain", "text/html"):
            return _text(child, child.content.value, choice)
    return []


def _enclosed(mail: Part, choice: _Choice) -> list[Line]:
    """The text of a mail forwarded whole, where its sender wrote nothing above it."""
    queue = [mail]
    while queue:
        part = queue.pop(0)
        if part.content.value == "message/rfc822" and part.children:
            choice.note("forward-enclosed")
            return _lines(part.children[0], choice, root=True)
        queue.extend(part.children)
    return []


def _text(part: Part, kind: str, choice: _Choice) -> list[Line]:
    """Decode one text part and read it as what it is, which may not be what it says."""
    data = part.body[: MAX_HTML if kind in _HTML else MAX_TEXT]
    label = part.content.items.get("charset", "")
    if not label and b"<" in data and (meta := _META.search(data[:4096])):
        label = meta[1].decode("ascii", "replace")
    text, codec, guessed = charset.decode(data, label)
    if guessed:
        choice.note(f"charset:{codec}")
    marked_up = kind in _HTML or ("<" in text and _IS_HTML.match(text[:2000]))
    if marked_up and (_ANY_TAG.search(text) or "&" in text):
        choice.note("html")
        return _short(html.lines_of(text.replace("\0", "")))
    if kind in ("text/enriched", "text/richtext"):
        text = _unenriched(text)
    text = _PICTURE.sub("", text) if "[cid:" in text or "[image: " in text else text
    text, armour = without_armour(clean(text))
    if armour:
        choice.note(armour)
    if part.content.items.get("format", "").lower() == "flowed":
        choice.note("flowed")
        delsp = part.content.items.get("delsp", "").lower() == "yes"
        return plain.flowed_lines(text, delsp=delsp)
    return plain.lines_of(text)


def _short(lines: list[Line]) -> list[Line]:
    """Clean lines, as many as MAX_TEXT holds: markup may be long, what it shows need not be."""
    kept, room = [], MAX_TEXT
    for line, kind in lines:
        kept.append(Line(clean(line[:room]), kind))
        room -= len(line) + 1
        if room <= 0:
            break
    return kept


def _unenriched(text: str) -> str:
    """text/enriched (RFC 1896) without its commands."""
    text = re.sub(r"(?is)<param>[^<]{0,400}</param>", "", text)
    return _RICH_COMMAND.sub("", text).replace("<<", "<")
