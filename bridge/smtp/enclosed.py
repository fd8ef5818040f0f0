"""A raw mail comes in; the files that go with it come out, each with what is to become of it.

A file is what a person would miss: whatever is attached, and pictures that are shown in the text.
Small pictures that are only shown (a logo in a signature, a line, a smiley) are ornaments, and the
signature of a signed mail is none of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Protocol

from bridge.smtp import mime, simple
from bridge.smtp.dangers import why_not
from bridge.smtp.mime import Part

#: A picture below this many octets that the text only shows is an ornament.
ORNAMENT: Final = 40 * 1024
#: Files of one mail that are looked at; those behind them are refused unseen.
MOST: Final = 50
_LONGEST: Final = 100
_SHOWN: Final = frozenset(("text/plain", "text/html"))
_SIGNATURES: Final = frozenset(
    f"application/{each}" for each in ("pgp-signature", "pkcs7-signature", "x-pkcs7-signature")
)
_CID: Final = re.compile(rb"cid:([^\"'\s>)]{1,250})", re.IGNORECASE)
_PATH: Final = re.compile(r".*[/\\]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
#: How files are served, by their ending: never as the mail declares them.
_KINDS: Final = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "txt": "text/plain",
    "csv": "text/csv",
    "ics": "text/calendar",
    "vcf": "text/vcard",
    "zip": "application/zip",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "mp4": "video/mp4",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
ANY: Final = "application/octet-stream"
#: Endings for files without a name.
_ENDINGS: Final = {kind: ending for ending, kind in reversed(_KINDS.items())}


class Limits(Protocol):
    """What a tenant allows; sizes in octets."""

    @property
    def attachment_size(self) -> int: ...
    @property
    def attachment_mail_size(self) -> int: ...
    @property
    def attachment_count(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Enclosed:
    """One file of a mail. `data` is empty where it is not to be sent."""

    name: str
    kind: str  # the media type that it is served as
    size: int  # octets; before decoding only nearly so many
    data: bytes
    refused: str = ""  # why it must not be sent
    ornament: bool = False


def files(raw: bytes, limits: Limits) -> Sequence[Enclosed]:
    """The files of a mail, in its order, ornaments among them. Never raises."""
    if simple.read(raw) is not None:
        return ()
    mail = mime.parse(raw)
    shown = _shown_ids(mail)
    leaves = list(_leaves(mail, top=True))
    room = _Room(limits)
    found = [room.take(part, is_shown=_is_shown(part, shown)) for part in leaves[:MOST]]
    unseen = [
        Enclosed(_name(part), ANY, 0, b"", f"a mail may have {MOST} files at most")
        for part in leaves[MOST:]
    ]
    return [*found, *unseen]


class _Room:
    """What is left of a tenant's limits while the files of a mail are gone through."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._count = limits.attachment_count
        self._octets = limits.attachment_mail_size

    def take(self, part: Part, *, is_shown: bool) -> Enclosed:
        name = _name(part)
        size = _guessed_size(part)
        if is_shown and size < ORNAMENT:
            return Enclosed(name, _served(name), size, b"", ornament=True)
        if why := _never(part) or self._too_large(size):
            return Enclosed(name, ANY, size, b"", why)
        data = part.body
        why = why_not(name, part.content.value, data) or self._too_much(len(data))
        if why:
            return Enclosed(name, ANY, len(data), b"", why)
        self._count -= 1
        self._octets -= len(data)
        return Enclosed(name, _served(name), len(data), data)

    def _too_large(self, size: int) -> str:
        most = self._limits.attachment_size
        return f"it is larger than {shown_size(most)}" if size > most else ""

    def _too_much(self, size: int) -> str:
        if why := self._too_large(size):
            return why
        if not size:
            return "it is empty"
        if self._count <= 0:
            return f"a mail may have {self._limits.attachment_count} files at most"
        if size > self._octets:
            most = shown_size(self._limits.attachment_mail_size)
            return f"the files of a mail may have {most} together at most"
        return ""


def shown_size(octets: int) -> str:
    """A size as people read it: 900 B, 12 kB, 3.4 MB."""
    if octets < 1000:
        return f"{octets} B"
    if octets < 999_500:
        return f"{octets / 1000:.0f} kB"
    return f"{octets / 1_000_000:.1f} MB"


def fate(file: Enclosed, attachments: str) -> str:
    """What becomes of a file where the tenant's `attachments` are so, in words."""
    if attachments == "off":
        return "left out: attachments are off"
    if file.ornament:
        return "left out: a small picture that the text only shows"
    return f"refused: {file.refused}" if file.refused else "sent by the link"


def _leaves(part: Part, *, top: bool = False) -> Iterator[Part]:
    """The parts of a mail that are files."""
    kind = part.content.value
    if kind in ("multipart/encrypted", "multipart/report"):
        return
    if kind == "multipart/appledouble":  # the first one is for a Mac alone
        yield from (leaf for child in part.children[1:] for leaf in _leaves(child))
    elif kind == "multipart/alternative":  # its texts are one text, whatever they are called
        others = [each for each in part.children if each.content.value not in _SHOWN]
        yield from (leaf for child in others for leaf in _leaves(child))
    elif part.children and kind != "message/rfc822":
        yield from (leaf for child in part.children for leaf in _leaves(child))
    elif _is_file(part, kind, top=top):
        yield part


def _is_file(part: Part, kind: str, *, top: bool) -> bool:
    if kind in _SIGNATURES or kind.startswith("multipart/"):
        return False
    if part.disposition.value == "attachment" or part.filename:
        return not (top and kind in _SHOWN)
    return not kind.startswith("text/") or kind in ("text/calendar", "text/vcard", "text/x-vcard")


def _never(part: Part) -> str:
    kind = part.content.value
    if kind.startswith("message/"):
        return "a mail in a mail is not passed on: send its files themselves"
    if kind in ("application/ms-tnef", "application/vnd.ms-tnef"):
        return "only Outlook opens this: send the mail as plain text or HTML"
    return ""


def _guessed_size(part: Part) -> int:
    """How large a part is, without decoding it: a little too much for base64 with its newlines."""
    encoded = part.headers.first("content-transfer-encoding").strip().lower() == "base64"
    return len(part.raw) * 76 * 3 // (77 * 4) if encoded else len(part.raw)


def _shown_ids(part: Part) -> frozenset[str]:
    """The content ids that the HTML of a mail shows (RFC 2392)."""
    if part.children:
        return frozenset().union(*(_shown_ids(child) for child in part.children))
    if part.content.value != "text/html":
        return frozenset()
    found = _CID.findall(part.body[:1_000_000])
    return frozenset(each.decode("ascii", "replace").lower() for each in found)


def _is_shown(part: Part, shown: frozenset[str]) -> bool:
    """Whether it is a picture that the text shows."""
    if not part.content.value.startswith("image/"):
        return False
    own = part.headers.first("content-id").strip().strip("<>").lower()
    return own in shown or part.disposition.value == "inline"


def _name(part: Part) -> str:
    """The name of a part, without path and control characters, not too long, never empty."""
    given = unicodedata.normalize("NFC", part.filename.encode("utf-8", "replace").decode())
    name = _PATH.sub("", _CONTROL.sub(" ", given)).strip()
    if not name:
        ending = _ENDINGS.get(part.content.value)
        return f"file.{ending}" if ending else "file"
    if len(name) <= _LONGEST:
        return name
    ending = PurePosixPath(name).suffix[-20:]
    return name[: _LONGEST - len(ending)] + ending


def _served(name: str) -> str:
    return _KINDS.get(name.rpartition(".")[2].lower(), ANY)
