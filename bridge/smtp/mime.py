"""Raw bytes of a mail come in; a bounded tree of parts with decoded bodies goes out.

Written for mails as they arrive, not as RFC 2045 wants them: missing boundaries, headers without
a separator, broken base64 and bare CRs all give the part a person would have seen. Every step is
linear in the size of the mail; depth and number of parts are bounded, so nothing here recurses
or grows at a sender's wish.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bridge.smtp.headers import Headers, Parameters, base64_run, is_field, parameters, split

MAX_DEPTH = 20
MAX_PARTS = 300

_BOUNDARY_GUESS = re.compile(rb"(?:^|\n)--(?=\S)([^\n]{1,70})\n(?=content-)", re.IGNORECASE)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\n]")
_PADDED = re.compile(rb"=[ \t]+\n")
_ESCAPED_OCTETS = re.compile(rb"(?:=[C-F][0-9A-F](?:=\n)?=[89AB][0-9A-F])")
_LOOSE_EQUALS = re.compile(rb"=(?![0-9A-F]{2}|\n|$)")


@dataclass(slots=True)
class Part:
    """One MIME entity: its headers, its body as it was transferred, its sub-parts."""

    headers: Headers
    raw: bytes
    # Content-Type, lower case, and its parameters; text/plain where it makes no sense.
    content: Parameters
    children: tuple["Part", ...] = ()

    @property
    def disposition(self) -> Parameters:
        """Content-Disposition and its parameters (RFC 2183)."""
        return parameters(self.headers.first("content-disposition"))

    @property
    def filename(self) -> str:
        """The name a sender gave this part, "" where there is none."""
        return self.disposition.items.get("filename") or self.content.items.get("name", "")

    @property
    def body(self) -> bytes:
        """The body with its Content-Transfer-Encoding undone, as far as it can be."""
        return decode_transfer(self.raw, self.headers.first("content-transfer-encoding"))


def parse(raw: bytes) -> Part:
    """Read a whole mail. In: its octets, any line endings. Out: the root part. Never raises."""
    data = raw
    if b"\r" in data:
        # CR CR LF is what relays make of CR LF that they take for a bare LF.
        data = data.replace(b"\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _entity(data, 0, [MAX_PARTS])


def _entity(data: bytes, depth: int, budget: list[int], kind: str = "text/plain") -> Part:
    headers, body = split(data if depth else _without_preface(data))
    content = parameters(headers.first("content-type") or kind)
    if "/" not in content.value:
        content = Parameters("text/plain", content.items)
    return _with_children(Part(headers, body, content), depth, budget)


def _with_children(part: Part, depth: int, budget: list[int]) -> Part:
    """Split a multipart, or open an enclosed mail, within what is left of depth and budget."""
    kind = part.content.value
    if depth >= MAX_DEPTH or not kind.startswith(("multipart/", "message/rfc822")):
        return part
    if kind == "message/rfc822":
        budget[0] -= 1
        return replace(part, children=(_entity(part.body, depth + 1, budget),))
    pieces = list(_pieces(part, budget))
    # A digest's parts are mails unless they say otherwise (RFC 2046 5.1.5).
    inner = "message/rfc822" if kind == "multipart/digest" else "text/plain"
    children = tuple(_entity(piece, depth + 1, budget, inner) for piece in pieces)
    return replace(part, children=children)


def _pieces(part: Part, budget: list[int]) -> Iterator[bytes]:
    """The bodies between a multipart's delimiter lines (RFC 2046 5.1)."""
    boundary = part.content.items.get("boundary", "").encode("utf-8", "surrogateescape")
    cuts = _delimiters(part.raw, boundary) if boundary else []
    if not cuts:
        guess = _BOUNDARY_GUESS.search(part.raw)
        cuts = _delimiters(part.raw, guess.group(1).rstrip()) if guess else []
    for index, (_, start, closing) in enumerate(cuts):
        if closing or budget[0] <= 0:
            return
        budget[0] -= 1
        end = cuts[index + 1][0] if index + 1 < len(cuts) else len(part.raw)
        yield part.raw[start:end]


def _delimiters(body: bytes, boundary: bytes) -> list[tuple[int, int, bool]]:
    """Where each delimiter line begins (its newline included) and ends, and whether it closes."""
    marker, at = b"--" + boundary, 0
    found: list[tuple[int, int, bool]] = []
    while (at := body.find(marker, at)) >= 0 and len(found) <= MAX_PARTS:
        begins = at == 0 or body[at - 1] == 0x0A
        ends = body.find(b"\n", at)
        ends = len(body) if ends < 0 else ends
        rest = body[at + len(marker) : ends].strip(b" \t\0")
        if begins and rest in (b"", b"--"):
            found.append((max(at - 1, 0), min(ends + 1, len(body)), rest == b"--"))
            if rest:
                break
        at = ends if begins else at + len(marker)
    return found


def _without_preface(data: bytes) -> bytes:
    """Skip blank lines, a byte order mark and an mbox "From " line before the header."""
    bare = data.lstrip(b"\n \t\0\xef\xbb\xbf")
    if bare.startswith((b"From ", b">From ")):
        bare = bare.partition(b"\n")[2]
    return bare if is_field(bare) else data


def decode_transfer(raw: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding (RFC 2045 6). Unknown names are taken as no encoding."""
    name = encoding.strip(" \t\"';").lower().replace("_", "-") if encoding else ""
    if name == "base64":
        return _base64(raw)
    if name == "quoted-printable":
        return binascii.a2b_qp(_PADDED.sub(b"=\n", raw))
    if name in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _uu(raw)
    if b"=" in raw and _ESCAPED_OCTETS.search(raw) and not _LOOSE_EQUALS.search(raw):
        # Encoded, but the header that says so was lost on the way.
        return binascii.a2b_qp(raw)
    return raw


def _base64(raw: bytes) -> bytes:
    """Decode what is base64; text that only claims to be is handed back as it is."""
    lines = [line.strip(b" \t") for line in raw.split(b"\n")]
    plain = next((n for n, line in enumerate(lines) if _is_text(line)), len(lines))
    if plain == 0 or not any(lines[:plain]):
        return raw
    kept = b"\n".join(lines[:plain])
    junk = len(_NOT_BASE64.findall(kept))
    if junk * 10 > len(kept):
        return raw
    clean = _NOT_BASE64.sub(b"", kept).replace(b"\n", b"")
    if plain < len(lines) and (len(clean) < 16 or len(clean) % 4):
        # A footer in plain words follows whole base64; after half of it, all is words.
        return raw
    return b"".join(base64_run(run) for run in clean.split(b"="))


def _is_text(line: bytes) -> bool:
    """Whether a line is no base64: words, or a line that is drawn."""
    return b" " in line or 2 * len(_NOT_BASE64.findall(line)) > len(line)


def _uu(raw: bytes) -> bytes:
    """Decode a uuencoded body, line by line; lines that are not are skipped."""
    octets = bytearray()
    for line in raw.partition(b"begin ")[2].split(b"\n")[1:]:
        if line.strip() in (b"end", b"`", b""):
            break
        try:
            octets += binascii.a2b_uu(line)
        except binascii.Error:
            continue
    return bytes(octets)
