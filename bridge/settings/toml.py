"""The path of a TOML file comes in; its tables go out, or one sentence: where it is broken, and
what to do.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

Table = dict[str, Any]


def read(path: Path) -> tuple[Table, list[str]]:
    """The file's tables, and what is wrong with it: where it stands and what to do."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return {}, [f"{path}: no such file; name one that exists with --config or BRIDGE_CONFIG"]
    except UnicodeDecodeError as error:
        return {}, [f"{path}, byte {error.start}: not UTF-8 text; save the file as UTF-8"]
    except OSError as error:
        return {}, [f"{path}: cannot be read ({error.strerror}); check its owner and mode"]
    try:
        return tomllib.loads(text), []
    except tomllib.TOMLDecodeError as error:
        return {}, [f"{path}, {_broken(str(error), text)}"]


def _broken(message: str, text: str) -> str:
    """`line 3, column 8: ...` with what is probably meant, out of tomllib's own message."""
    lines = text.split("\n")
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    what, line, column = found.groups() if found else (message, None, None)
    number = int(line) if line else len(lines)
    place = f"line {number}, column {column or len(lines[-1]) + 1}"
    return f"{place}: {what}; {_hint(what, lines[number - 1])}"


def _hint(what: str, line: str) -> str:
    _, equals, value = line.partition("=")
    value = value.strip()
    if "twice" in what or "overwrite" in what:
        return "it stands in the file already; keep one of them"
    if not equals:
        return 'write a section as [name] and a key as name = "value"'
    if ";" in value:
        return "TOML takes one key a line, without a semicolon"
    if not value:
        return 'give the key a value, "" for none'
    if value[0] not in "\"'[{":
        return 'put text between quotes, as in name = "value"'
    return "close what was opened: each quote, bracket and brace"
