"""What is known of a person comes in as one document; a zip under a password goes out.

The document is data.json (docs/export.schema.json describes it), its lists are also CSV files, and
index.html shows all of it in the person's language (PRIVACY P24, P25). The zip's files are under
AES-256 (WinZip AE-2), which 7-Zip, WinZip, Keka and the archive programs of Linux open.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bridge import phone
from bridge.pages import Pages

FORMAT: Final = "sms-bridge-export-1"
SCHEMA: Final = Path(__file__).with_name("export.schema.json")
#: The lists of a document, each a CSV file too.
LISTS: Final = (
    *("messages", "files", "replies", "written", "names", "consents", "suppressions"),
    *("requests", "enrolments", "recipients"),
)
#: No letter or digit that is taken for another (Crockford); 100 bits.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ADDRESS: Final = re.compile(r"[^\s<>@,;:\"'()]+@[^\s<>@,;:\"'()]+\.\w+")
_PAGES: Final = Pages(Path(__file__).with_name("templates"))
#: What a spreadsheet would take for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Document = Mapping[str, Any]


def password() -> str:
    """A new password, in groups that can be read out."""
    found = "".join(secrets.choice(_ALPHABET) for _ in range(20))
    return "-".join(found[at : at + 5] for at in range(0, 20, 5))


def masked(text: str, region: str, own: str) -> str:
    """A text as its subject may read it: other people's numbers and addresses are masked."""
    without = phone.masked(text, region, own)
    return _ADDRESS.sub(lambda found: _address(found[0], own), without)


def _address(found: str, own: str) -> str:
    if found.casefold() == own.casefold():
        return found
    local, _, domain = found.rpartition("@")
    return f"{local[:1]}…@{domain}"


def iso(moment: float | None) -> str | None:
    """A time in UTC, to the second."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def packed(document: Document, key: str, path: Path) -> None:
    """Write the zip; it is there whole or not at all. Raises OSError."""
    import pyzipper

    files = {
        "index.html": page(document),
        "data.json": json.dumps(document, ensure_ascii=False, indent=1),
        "data.schema.json": SCHEMA.read_text(encoding="utf-8"),
    }
    files |= {f"{name}.csv": table(document[name]) for name in LISTS if document.get(name)}
    for left in path.parent.glob(f".{path.name}.*.partial"):  # by a kill
        left.unlink(missing_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(handle, "wb") as raw,
            pyzipper.AESZipFile(
                raw, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
            ) as archive,
        ):
            archive.setpassword(key.encode("ascii"))
            for name, words in files.items():
                archive.writestr(name, words.encode("utf-8", "replace"))
            archive.close()
            raw.flush()
            os.fsync(raw.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A list as CSV (RFC 4180), UTF-8 with its mark; no cell is a formula."""
    written = io.StringIO()
    # Spreadsheets take a file without this mark for one of their own country's old code page.
    written.write("\N{ZERO WIDTH NO-BREAK SPACE}")
    writer = csv.DictWriter(written, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return written.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    is_number = text[:1] == "+" and text[1:].replace(" ", "").replace("•", "").isdigit()
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text


def page(document: Document) -> str:
    """The document for reading."""
    from bridge.privacy.export_values import shown
    from bridge.privacy.export_words import period, words

    said = words(document["language"])
    given = {"d": document, "w": said, "lists": LISTS, "period": period, "shown": shown}
    return _PAGES.render("export.html", **given)
