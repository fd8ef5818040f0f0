"""SMTP's small syntax (RFC 5321, 2034, 6531): octets of a line in, plain values out, and back."""

from __future__ import annotations

import re

#: RFC 5321 4.5.3.1.5 gives a reply line 512 octets, with the code and CRLF.
_REPLY_LINE = 512 - 2

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_MAILBOX = rf'(?:{_QUOTED}|[^<>"@\s]+)(?:@[^<>"@\s]+)?'
#: `<@relay,@relay:user@host>`: a source route is read over, as RFC 5321 appendix C wants.
_PATH = re.compile(rf'<\s*(?:@[^<>":\s]+:)?({_MAILBOX})?\s*>(?:\s+(.*))?')
_BARE = re.compile(rf"({_MAILBOX})(?:\s+(.*))?")
_DOT_ATOM = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_WHITE = re.compile(r"[\x00-\x20\x7f]+")
_STATUS = re.compile(rb"\d{3}[ -][245]\.\d{1,3}\.\d{1,3}(?: |$)")

#: RFC 2034: each 2xx, 4xx, 5xx reply carries a status; these are for replies that name none.
_USUAL_STATUS = {
    b"221": b"2.0.0",
    b"235": b"2.7.0",
    b"250": b"2.0.0",
    b"252": b"2.0.0",
    b"421": b"4.3.2",
    b"450": b"4.2.0",
    b"451": b"4.3.0",
    b"452": b"4.3.1",
    b"454": b"4.7.0",
    b"500": b"5.5.2",
    b"501": b"5.5.4",
    b"502": b"5.5.1",
    b"503": b"5.5.1",
    b"504": b"5.5.4",
    b"530": b"5.7.0",
    b"535": b"5.7.8",
    b"538": b"5.7.11",
    b"552": b"5.3.4",
    b"553": b"5.1.3",
    b"555": b"5.5.4",
}


def command_text(line: bytes) -> str | None:
    """A command line as text; None when it has control characters or is not UTF-8."""
    try:
        text = line.decode("ascii") if line.isascii() else line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if text.isprintable() or not _CONTROL.search(text):
        return text
    return None


def path(text: str) -> tuple[str, str] | None:
    """The argument of `FROM:` or `TO:` as (address, parameters); "" is the null sender.

    Angle brackets may lack, be doubled or hold spaces: swaks can name `+420…` only so.
    None where it is no path.
    """
    if text[:2] == "<<" and ">>" in text:
        text = text[1:].replace(">>", ">", 1)
    found = _PATH.fullmatch(text)
    if found is None and text[:1] != "<":
        found = _BARE.fullmatch(text)
    if found is None:
        return None
    address = found[1] or ""
    return (_unquoted(address) if address[:1] == '"' else address), found[2] or ""


def _unquoted(address: str) -> str:
    """`"a.b"@host` and `a.b@host` are one mailbox (RFC 5321 4.1.2): the shorter is kept."""
    local, at, domain = address.rpartition('"')
    plain = re.sub(r"\\(.)", r"\1", local[1:])
    return plain + domain if at and _DOT_ATOM.fullmatch(plain) else address


def parameters(text: str) -> dict[str, str | None] | None:
    """ESMTP parameters by upper-case keyword; None when malformed or given twice."""
    result: dict[str, str | None] = {}
    for word in text.split():
        keyword, equals, value = word.partition("=")
        keyword = keyword.upper()
        if not _KEYWORD.fullmatch(keyword) or (equals and not value) or keyword in result:
            return None
        result[keyword] = value if equals else None
    return result


def reply(code: int, status: str, sentence: str, *, utf8: bool = False) -> bytes:
    """One reply line without CRLF; whatever cannot stand in it (line breaks, length) is mended."""
    text = sentence if sentence.isprintable() else _WHITE.sub(" ", sentence).strip()
    octets = text.encode("utf-8") if utf8 else text.encode("ascii", "replace")
    line = b"%d %b %b" % (code, status.encode("ascii"), octets)
    if len(line) > _REPLY_LINE:
        line = line[:_REPLY_LINE].decode("utf-8", "ignore").encode("utf-8")
    return line


def with_status(line: bytes) -> bytes:
    """The same reply with the usual status of its code, unless it carries one."""
    usual = _USUAL_STATUS.get(line[:3])
    if usual is None or _STATUS.match(line):
        return line
    return line[:4].ljust(4) + usual + b" " + line[4:]


def unstuffed(data: bytes) -> bytes:
    """Content without the dots that transparency added (RFC 5321 4.5.2); else octet for octet."""
    if data[:1] == b".":
        data = data[1:]
    return data.replace(b"\r\n.", b"\r\n")


def longest_line_over(data: bytes, limit: int) -> bool:
    """True when some line, ended by LF, has more than `limit` octets. Looks at few of them."""
    start = 0
    while len(data) - start > limit:
        end = data.rfind(b"\n", start, start + limit + 1)
        if end < 0:
            return True
        start = end + 1
    return False
