"""A file that a person names goes to an operation; what came of it is told, problems by line."""

from __future__ import annotations

import base64
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.cli.common import Config, Item, fail, faults, perform
from bridge.cli.words import teller


def load(
    config: Config,
    operation: str,
    file: str,
    told: str | Callable[[Item], str],
    *,
    as_json: bool,
    **more: Any,
) -> None:
    """Give a file to an operation; `told` are the words for an object that is no problem."""

    def words(item: Item) -> str:
        if "problem" in item:
            where = f"line {item['line']}: " if item["line"] else ""
            return f"{where}{item['problem']}"
        return told.format(**item) if isinstance(told, str) else told(item)

    with faults(as_json=as_json):
        data = packed(file, as_json=as_json)
        perform(config, operation, teller(as_json, words), data=data, **more)


def packed(file: str, *, as_json: bool) -> str:
    """The file as the bridge unpacks it (`operations.contacts.unpacked`)."""
    from bridge.control import LONGEST_LINE
    from bridge.dispatch.contact_file import MOST_OCTETS

    try:
        if file == "-":
            raw = sys.stdin.buffer.read(MOST_OCTETS + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(MOST_OCTETS + 1)
    except (OSError, ValueError) as wrong:  # ValueError: a name with NUL
        why = getattr(wrong, "strerror", "") or "its name cannot be one"
        fail(f"the file cannot be read ({why})", "check the path and its mode", as_json=as_json)
    sent = base64.b64encode(zlib.compress(raw)).decode("ascii")
    if len(sent) > LONGEST_LINE - 1000:  # names and numbers shrink, however chosen
        fail("this is not the text of a CSV file", "save it as CSV in UTF-8", as_json=as_json)
    return sent
