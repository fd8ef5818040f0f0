"""The text of an HTML part comes in; its tags, attributes and words go out, one after the other.

Not html.parser: on unclosed comments and tags that one takes time with the square of their number
in Python versions we support. Here each character is looked at a bounded number of times.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

_ATTRIBUTE = re.compile(r"([^\s=/>\"']+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+)))?")
_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9:._-]*)")
_BARE_AMPERSAND = re.compile(r"&(?=[a-zA-Z]{2,31}[=a-zA-Z0-9])(?![a-zA-Z]{2,31};)")
_UNCLOSED_QUOTE_TRIES = 5
# Their content is no text; it runs to the closing tag, whatever stands between.
_RAW = {
    name: re.compile(f"</{name}[^a-z]", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "xmp", "template", "svg")
}


class Token(NamedTuple):
    """A tag ("<name", "</name") with its attributes, words (""), or a sheet ("style")."""

    tag: str
    text: str
    attributes: dict[str, str]


def tokens(html: str) -> Iterator[Token]:
    """Read HTML as browsers nearly do. In: any text. Out: its tokens in order. Linear."""
    at, unclosed = 0, set[str]()
    while (start := html.find("<", at)) >= 0:
        if start > at:
            yield Token("", unescape(html[at:start]), {})
        at, token = _markup(html, start, unclosed)
        if token:
            yield token
            if token.tag[:1] == "<" and (name := token.tag[1:]) in _RAW:
                at, content = _raw_text(html, at, name, unclosed)
                yield Token(name, content, {})
    if at < len(html):
        yield Token("", unescape(html[at:]), {})


def _markup(html: str, start: int, unclosed: set[str]) -> tuple[int, Token | None]:
    """What begins at this "<": a comment, a tag, or nothing but the sign itself."""
    if html.startswith("<!--", start):
        return _after(html, "-->", start + 4, unclosed), None
    following = html[start + 1 : start + 2]
    if following in ("!", "?"):
        return _after(html, ">", start + 1, unclosed), None
    match = _NAME.match(html, start + 1)
    end = _tag_end(html, start, unclosed) if match else -1
    if not match or end < 0:
        return start + 1, Token("", "<", {})
    name = match[1].lower()
    if following == "/":
        return end + 1, Token("</" + name, "", {})
    return end + 1, Token("<" + name, "", _attributes(html[match.end() : end]))


def _after(html: str, closing: str, at: int, unclosed: set[str]) -> int:
    """Where a comment or declaration is over; one that never closes is only its first sign."""
    end = -1 if closing in unclosed else html.find(closing, at)
    if end < 0:
        unclosed.add(closing)
        return at
    return end + len(closing)


def _tag_end(html: str, start: int, unclosed: set[str]) -> int:
    """The ">" that ends a tag: the first one outside quotes, if quotes make sense at all."""
    first = end = -1 if ">" in unclosed else html.find(">", start)
    if first < 0:
        unclosed.add(">")
    at, double, single = start, 0, 0
    for _ in range(_UNCLOSED_QUOTE_TRIES):
        if end < 0:
            break
        double += html.count('"', at, end)
        single += html.count("'", at, end)
        if double % 2 == 0 and (single % 2 == 0 or double):
            return end
        at, end = end, html.find(">", end + 1)
    return first


def _raw_text(html: str, at: int, name: str, unclosed: set[str]) -> tuple[int, str]:
    match = None if name in unclosed else _RAW[name].search(html, at)
    if not match:
        unclosed.add(name)
        return at, ""
    return match.start(), html[at : match.start()]


def _attributes(source: str) -> dict[str, str]:
    """Attributes by lower-case name, the first of each; an address keeps its ampersands."""
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(source):
        value = double or single or bare
        if "&" in value:
            value = unescape(_BARE_AMPERSAND.sub("&amp;", value))
        found.setdefault(name.lower(), value)
    return found
