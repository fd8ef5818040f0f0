"""A mail of a few plain fields and ASCII lines comes in; its header and reading go out at once.

Most alerts are such, and `mime.parse` and `body.read` would find in them nothing but that. For
each thing that they look for there is one cheap test here that it is absent; a mail that fails one
goes their way. The property tests hold the two against each other.
"""

from typing import Final

from bridge.smtp.body import Reading
from bridge.smtp.headers import Headers, parameters
from bridge.smtp.lines import blank
from bridge.smtp.mime import decode_transfer
from bridge.smtp.plain import lines_of

#: Larger mails are rare, and gain little.
_MOST: Final = 8192
_PRINTABLE: Final = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_READ: Final = frozenset(
    "from subject message-id content-type content-transfer-encoding auto-submitted importance"
    " x-priority precedence x-mailer user-agent in-reply-to references return-path".split()
)
#: Fields that nobody here reads. One that is in neither set is left to the long way.
_UNREAD: Final = frozenset(
    "to cc date mime-version reply-to sender dkim-signature delivered-to x-original-to"
    " content-language organization thread-topic thread-index".split()
)
_LABELS: Final = frozenset(("", "utf-8", "UTF-8", "us-ascii", "US-ASCII"))
_ONLY: Final = frozenset(("charset",))
_AS_IT_IS: Final = frozenset(("", "7bit", "8bit", "7BIT", "8BIT"))


def read(raw: bytes) -> tuple[Headers, list[Reading]] | None:
    """The header as far as anybody reads it, and the one reading; None for any other mail."""
    if len(raw) > _MOST or raw.translate(None, _PRINTABLE):
        return None
    data = raw.replace(b"\r\n", b"\n")
    head, gap, body = data.partition(b"\n\n")
    if not gap or b"\r" in data or not _is_plain(body):
        return None
    fields = _fields(head.decode("ascii"))
    if fields is None or fields.get("content-transfer-encoding", "") not in _AS_IT_IS:
        return None
    content = parameters(fields.get("content-type", "text/plain"))
    if content.value != "text/plain" or not content.items.keys() <= _ONLY:
        return None
    if content.items.get("charset", "") not in _LABELS:
        return None
    lines = lines_of(body.decode("ascii"))
    return None if blank(lines) else (Headers(list(fields.items()), fields), [Reading(lines, [])])


def _fields(head: str) -> dict[str, str] | None:
    """The fields that are read, by lower-case name; None where one is folded, twice or unusual."""
    fields: dict[str, str] = {}
    for line in head.split("\n"):
        spelled, colon, value = line.partition(":")
        name = spelled.lower()
        if name in _READ and colon and name not in fields:
            fields[name] = value.lstrip(" \t")
        elif name not in _UNREAD or not colon:
            return None
    return fields


def _is_plain(body: bytes) -> bool:
    """Whether a body is text as it was typed: no markup, armour or escapes in it, and not blank."""
    return (
        b"<" not in body
        and b"-----BEGIN " not in body
        and b"[cid:" not in body
        and b"[image: " not in body
        and bool(body.strip())
        and (b"=" not in body or decode_transfer(body, "") == body)
    )
