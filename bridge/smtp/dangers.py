"""A file's name, declared kind and octets come in; why it must not be passed on goes out.

This is no virus scanner: it refuses what mail services refuse by name (`dangers.toml`), what is
not what its name says, and what nobody can look into.
"""

from __future__ import annotations

import io
import re
import tomllib
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).with_name("dangers.toml")
#: Inside a name these are programs beyond doubt; "com" or "js" may be a site or a library.
_DOUBLE: Final = frozenset(
    "apk bat cmd cpl dll exe hta jar jse lnk msi pif ps1 scr vbe vbs wsf".split()
)
#: Signs that change the direction of writing or take no room: `exe.pdf` may read `fdp.exe`.
_DISGUISE: Final = re.compile(
    "[\x00-\x1f\x7f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
#: What programs begin with: Windows, Linux, macOS (four ways), a shortcut, a script, a compiled
#: help file, Android code.
_PROGRAMS: Final = (
    *(b"MZ", b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe"),
    *(b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"L\0\0\0\x01\x14\x02\0", b"#!", b"ITSF", b"dex\n"),
)
_PROGRAM_KINDS: Final = re.compile(
    r"application/(?:x-ms(?:download|dos-program|i)|x-dosexec|x-executable|x-sharedlib|x-sh|hta"
    r"|vnd\.microsoft\.portable-executable|java-archive|x-java-archive|javascript|x-javascript"
    r"|vnd\.android\.package-archive|x-bat|x-csh|x-perl|x-python|x-elf|x-mach-binary)"
    r"|text/(?:javascript|vbscript|x-(?:sh|python|perl)|scriptlet)"
)
_ZIP: Final = b"PK\x03\x04"
#: By which archives are known that have another name.
_CLOSED: Final = (b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"MSCF")
#: What a file of this name begins with; the first of it may come a little later in a PDF.
_BEGINS: Final[Mapping[str, tuple[bytes, ...]]] = {
    "pdf": (b"%PDF-",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "zip": (_ZIP, b"PK\x05\x06"),
    **dict.fromkeys("docx xlsx pptx odt ods odp epub".split(), (_ZIP,)),
    **dict.fromkeys("doc xls ppt".split(), (b"\xd0\xcf\x11\xe0", _ZIP, b"{\\rtf")),
}
_DOCUMENTS: Final = frozenset("docx xlsx pptx odt ods odp epub doc xls ppt".split())
#: The directory of a zip: entries and octets of it that are looked at.
_MOST_ENTRIES, _MOST_DIRECTORY = 2000, 1 << 19
_TAIL: Final = 65_557
_ENCRYPTED: Final = 0x1
_SYMLINK: Final = 0o120000


@cache
def _names() -> Mapping[str, str]:
    """The last part of a name → why it is refused."""
    tables = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {name: table["why"] for table in tables.values() for name in table["names"].split()}


def why_not(name: str, kind: str, data: bytes) -> str:
    """Why a file is not passed on; "" where nothing speaks against it.

    `kind` is the media type that the mail declares for it.
    """
    return _by_name(name) or _by_kind(kind) or _by_content(name, data)


def _by_name(name: str) -> str:
    if _DISGUISE.search(name):
        return "the name has signs that hide how it ends"
    # Windows drops dots and spaces at the end.
    parts = [part.strip() for part in name.rstrip(". ").lower().split(".")[1:]]
    if not parts:
        return ""
    if why := _names().get(parts[-1]):
        return why
    return "the name has two endings" if _DOUBLE & set(parts[:-1]) else ""


def _by_kind(kind: str) -> str:
    return _names()["exe"] if _PROGRAM_KINDS.fullmatch(kind) else ""


def _by_content(name: str, data: bytes) -> str:
    if data.startswith(_PROGRAMS):
        return _names()["exe"]
    if data.startswith(_CLOSED):
        return _names()["rar"]
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    begins = _BEGINS.get(ending)
    head = data[:1024] if ending == "pdf" else data
    found = begins is None or head.startswith(begins) or (ending == "pdf" and b"%PDF-" in head)
    if not found:
        return f"it is no {ending.upper()}, as its name says"
    return _by_entries(ending, data) if data.startswith((_ZIP, b"PK\x05\x06")) else ""


def _by_entries(ending: str, data: bytes) -> str:
    """What the directory of a zip tells; nothing is unpacked."""
    if not _is_modest(data):
        return "the archive has too many files to look at"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError):
        return "the archive is damaged"
    if len(entries) > _MOST_ENTRIES:
        return "the archive has too many files to look at"
    for entry in entries:
        if why := _entry(entry, is_document=ending in _DOCUMENTS):
            return why
    return ""


def _entry(entry: zipfile.ZipInfo, *, is_document: bool) -> str:
    if entry.flag_bits & _ENCRYPTED:
        return "the archive has a password, so nobody can look into it"
    if entry.external_attr >> 16 & 0o170000 == _SYMLINK:
        return "the archive has links in it"
    inner = entry.filename.replace("\\", "/").rstrip("/").rpartition("/")[2]
    if is_document:
        # What documents are made of has names of its own: only macros count.
        return _names()["docm"] if inner.lower() == "vbaproject.bin" else ""
    if inner.rstrip(". ").lower().endswith(".zip"):
        return "it is an archive in an archive"
    why = _by_name(inner)
    return f"in the archive: {why}" if why else ""


def _is_modest(data: bytes) -> bool:
    """Whether the directory is small, as the archive itself says (APPNOTE.TXT 4.3.16)."""
    at = data.rfind(b"PK\x05\x06", -_TAIL)
    if at < 0:
        return True  # damaged: whoever opens it says so
    entries = int.from_bytes(data[at + 10 : at + 12], "little")
    size = int.from_bytes(data[at + 12 : at + 16], "little")
    return entries <= _MOST_ENTRIES and size <= _MOST_DIRECTORY
