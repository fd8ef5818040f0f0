"""A mail's header lines come in as octets; names, parameters and readable text go out.

Nothing is trusted: values are capped before any pattern runs over them, and whatever cannot be
decoded comes out as the likeliest reading (RFC 2047, RFC 2231, and what senders do instead).
"""

import binascii
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from bridge.smtp import charset

MAX_BLOCK = 262_144
MAX_VALUE = 16_384

_FIELD = re.compile(rb"([!-9;-~]{1,80})[ \t]*:")
_WELL_FORMED = re.compile(r"([!-9;-~]{1,80}):[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)\n?")
_KNOWN = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|mime-version|content-[a-z-]{1,40}|received"
    rb"|return-path|reply-to|references|in-reply-to|x-[a-z-]{1,40})[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_PARAMETER = re.compile(
    r"[;\s]\s{0,20}([^\s=;\"*]{1,60})(?:\*(\d{1,2}))?(\*)?\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"?|([^;\s]*))"
)
_ESCAPED = re.compile(r"\\(.)")
_WORD = re.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^\n]{0,2000}?)\?=")
_Q_OCTET = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f]+")


@dataclass(slots=True)
class Parameters:
    """A structured header: its value in lower case and its parameters, names in lower case."""

    value: str
    items: dict[str, str] = field(default_factory=dict)


class Headers:
    """The header of one entity, by lower-case name; repeated fields stay in order."""

    __slots__ = ("_fields", "_first")

    def __init__(
        self, fields: Sequence[tuple[str, str]] = (), first: dict[str, str] | None = None
    ) -> None:
        """`first` is for whoever has them by lower-case name already, within `MAX_VALUE`."""
        self._fields = fields
        # Read backwards, so that of a repeated field the first one stays.
        self._first = first or {name.lower(): v[:MAX_VALUE] for name, v in reversed(fields)}

    def __contains__(self, name: str) -> bool:
        return name in self._first

    def any_of(self, names: frozenset[str]) -> bool:
        """Whether at least one of these fields is there."""
        return not names.isdisjoint(self._first)

    def count(self, name: str) -> int:
        """How often a field occurs."""
        if name not in self._first:
            return 0
        return sum(1 for spelled, _ in self._fields if spelled.lower() == name)

    def first(self, name: str) -> str:
        """The first field of that name as it stands; "" where there is none.

        Octets that are not UTF-8 are surrogates, as in the surrogateescape error handler.
        """
        return self._first.get(name, "")

    def text(self, name: str) -> str:
        """The first field of that name as a person reads it, on one line."""
        return readable(self.first(name))


def is_field(data: bytes) -> bool:
    """Whether these octets begin with a header line that mails are known to carry."""
    return bool(_KNOWN.match(data))


def split(data: bytes) -> tuple[Headers, bytes]:
    """Part header from body. In: an entity with LF line ends. Forgives a missing blank line."""
    if data.startswith(b"\n"):
        return Headers(), data[1:]
    end = data.find(b"\n\n", 0, MAX_BLOCK)
    block = data[: end if end >= 0 else MAX_BLOCK]
    text = block.decode("utf-8", "surrogateescape")
    found = _WELL_FORMED.findall(text)
    # Names, colons and values are all there is, but for a space and a line end each.
    if end >= 0 and text.count("\n") + 1 == len(found) and text[:1] not in " \t":
        return Headers(found), data[end + 2 :]
    return _split_broken(data, block, end)


def _split_broken(data: bytes, block: bytes, end: int) -> tuple[Headers, bytes]:
    """Read folded fields, and skip or stop at lines that are no fields."""
    fields: list[tuple[str, str]] = []
    at = 0
    for line in block.split(b"\n"):
        if match := _FIELD.match(line):
            value = line[match.end() :].strip(b" \t\0").decode("utf-8", "surrogateescape")
            fields.append((match[1].decode("ascii"), value))
        elif fields and line[:1] in (b" ", b"\t"):
            name, value = fields[-1]
            if len(value) < MAX_VALUE:
                more = line.strip(b" \t\0").decode("utf-8", "surrogateescape")
                fields[-1] = (name, f"{value} {more}")
        elif not _KNOWN.search(block, at):
            # No blank line between header and body: the body begins here.
            return Headers(fields), data[at:]
        at += len(line) + 1
    return Headers(fields), data[end + 2 :] if end >= 0 else b""


def parameters(value: str) -> Parameters:
    """Read a structured header value such as Content-Type's, with RFC 2231 parameters."""
    # Short values are the same few in most mails; one with a name in it is a person's.
    return _parameters(value) if len(value) > 60 or "name" in value else _known(value)


@functools.lru_cache(maxsize=256)
def _known(value: str) -> Parameters:
    return _parameters(value)


def _parameters(value: str) -> Parameters:
    head = value.split(";", 1)[0].split(None, 1)
    main = head[0].strip("\"'").lower() if head else ""
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for name, part, extended, quoted, bare in _PARAMETER.findall(value[:MAX_VALUE]):
        text = _ESCAPED.sub(r"\1", quoted) if quoted else bare
        pieces.setdefault(name.lower(), []).append((int(part or 0), bool(extended), text))
    return Parameters(main, {name: _join(found) for name, found in pieces.items()})


def _join(pieces: list[tuple[int, bool, str]]) -> str:
    """Put a parameter's continuations together and undo their percent-encoding (RFC 2231 3, 4)."""
    if len(pieces) == 1 and not pieces[0][1]:
        text = pieces[0][2]
        return readable(text) if "=?" in text else text
    pieces.sort(key=lambda piece: piece[0])
    text = "".join(piece[2] for piece in pieces)
    return _extended(text) if pieces[0][1] else text


def _extended(text: str) -> str:
    """charset'language'percent-encoded, the form of RFC 2231 section 4."""
    declared, _, rest = text.partition("'")
    _, mark, encoded = rest.partition("'")
    escaped = encoded if mark else text
    octets = unquote_to_bytes(escaped.encode("utf-8", "surrogateescape"))
    return charset.decode(octets, declared if mark else "").text


def subject(headers: Headers) -> str:
    """The subject, decoded, on one line; also one written as a RFC 2231 parameter."""
    if "subject" in headers or "subject*" not in headers:
        return headers.text("subject")
    return _BREAKS.sub(" ", _extended(headers.first("subject*"))).strip()


def readable(value: str) -> str:
    """Undo encoded words, raw 8-bit text and folding. In: a field as first() gives it."""
    text = value
    if not value.isascii():
        text = charset.decode(value.encode("utf-8", "surrogateescape"), "").text
    if "=?" in text:
        text = _encoded_words(text)
    return _BREAKS.sub(" ", text).strip()


def _encoded_words(text: str) -> str:
    """Decode encoded words; neighbours of one charset are joined before their octets are read.

    RFC 2047 forbids to split a character between two words; many senders do it all the same.
    """
    out: list[str] = []
    octets, declared, at = b"", "", 0
    for match in _WORD.finditer(text):
        between = text[at : match.start()]
        if octets and (between.strip() or match[1].lower() != declared):
            out.append(charset.decode(octets, declared).text)
            octets = b""
        if between.strip() or not at:
            out.append(between)
        declared, at = match[1].lower(), match.end()
        octets += _word(match[2].lower(), match[3])
    if octets:
        out.append(charset.decode(octets, declared).text)
    return "".join(out) + text[at:]


def _word(encoding: str, text: str) -> bytes:
    """The octets of one encoded word (RFC 2047 4)."""
    data = text.encode("utf-8", "surrogateescape")
    if encoding == "b":
        return base64_run(_NOT_BASE64.sub(b"", data))
    spaced = data.replace(b"_", b" ")
    return _Q_OCTET.sub(lambda match: bytes((int(match[1], 16),)), spaced)


def base64_run(run: bytes) -> bytes:
    """Decode base64 characters without padding; a lone last one carries no whole octet."""
    run = run[:-1] if len(run) % 4 == 1 else run
    return binascii.a2b_base64(run + b"=" * (-len(run) % 4))
