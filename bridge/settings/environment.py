"""Environment variables and a model of the keys come in; the tables go out with each value in its
place, and a sentence for every variable that has none.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bridge.settings.problems import (
    PREFIX,
    Model,
    Table,
    has_name,
    inner_model,
    is_list,
    is_secret,
    keys,
    members,
    unknown,
)

FILE_SUFFIX = "_file"


def overlay_whole(data: Table, model: Model, environ: Mapping[str, str]) -> list[str]:
    """Write the variables that give a whole top-level key, as BRIDGE__REGION or BRIDGE__ROUTES."""
    return _overlay(data, model, environ, [name for name in _ours(environ) if not _path(name)])


def overlay(data: Table, model: Model, environ: Mapping[str, str]) -> list[str]:
    """Write the variables that give a key of a section; what could not be placed comes back.

    A secret may also come as the path of a file that holds it, in a variable ending in _FILE.
    """
    return _overlay(data, model, environ, [name for name in _ours(environ) if _path(name)])


def _ours(environ: Mapping[str, str]) -> list[str]:
    return sorted(name for name in environ if name.startswith(PREFIX))


def _path(name: str) -> list[str]:
    """The sections that lead to the variable's key, in small letters."""
    return name.removeprefix(PREFIX).lower().split("__")[:-1]


def _overlay(
    data: Table, model: Model, environ: Mapping[str, str], names: Iterable[str]
) -> list[str]:
    problems = []
    for name in names:
        try:
            _place(data, model, name, environ)
        except _MisplacedError as error:
            problems.append(f"{name}: {error}")
    return problems


class _MisplacedError(Exception):
    """A variable that names no setting, or whose value cannot be read."""


def _place(data: Table, model: Model, name: str, environ: Mapping[str, str]) -> None:
    table, model = _descend(data, model, _path(name))
    last = name.rpartition("__")[2].lower()
    if last in keys(model):
        table[last] = _value(environ[name], model, last)
        return
    key = last.removesuffix(FILE_SUFFIX)
    if key == last or not is_secret(model, key):
        raise _MisplacedError(unknown(last, keys(model), _variable(name)))
    if name.removesuffix(FILE_SUFFIX.upper()) in environ:
        raise _MisplacedError("set either this or the variable without _FILE, not both")
    table[key] = _contents(environ[name])


def _variable(name: str) -> str:
    return name.rpartition("__")[0] + "__{}"


def _descend(data: Table, model: Model, path: list[str]) -> tuple[Table, Model]:
    """The table that path leads to, made on the way, and its model."""
    steps = iter(path)
    for step in steps:
        inner = inner_model(model, step)
        if inner is None:
            raise _MisplacedError(unknown(step, keys(model), "BRIDGE__{}__…"))
        if is_list(model, step):
            data = _entry(data.setdefault(step, []), step, next(steps, None))
        else:
            data = data.setdefault(step, {})
        if not isinstance(data, dict):
            raise _MisplacedError(f"{step} is no table in the file; correct that first")
        model = inner
    return data, model


def _entry(entries: Any, section: str, wanted: str | None) -> Table:
    """The entry that has the wanted name, where case, - and _ make no difference."""
    named = {plain(entry["name"]): entry for entry in entries if has_name(entry)}
    if wanted is None or plain(wanted) not in named:
        known = ", ".join(sorted(entry["name"] for entry in named.values())) or "none"
        raise _MisplacedError(f"no entry of that name in [[{section}]]; entries there: {known}")
    found: Table = named[plain(wanted)]
    return found


def plain(name: str) -> str:
    """A name as it stands in a variable: `smsc-1` is `smsc_1`."""
    return name.lower().replace("-", "_")


def _contents(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise _MisplacedError(
            f"{path} cannot be read ({reason}); check the path and its mode"
        ) from None


def _value(text: str, model: Model, key: str) -> Any:
    """Text as the TOML value that the key's type calls for; what is unreadable stays text."""
    kinds = members(keys(model)[key].annotation)
    if bool in kinds and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if {int, float} & set(kinds) and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text) if "." in text else int(text)
    if is_list(model, key):
        return _list(text, of_tables=inner_model(model, key) is not None)
    if inner_model(model, key):
        raise _MisplacedError("a section; name one of its keys, as in BRIDGE__SMTP__LISTEN")
    return text


def _list(text: str, *, of_tables: bool) -> Any:
    """A TOML or JSON array; for a list of words a comma between them will do."""
    if not of_tables and not text.lstrip().startswith("["):
        return [word.strip() for word in text.split(",") if word.strip()]
    for parse in (_toml_value, json.loads):
        try:
            return parse(text)
        except ValueError:
            continue
    example = '[{match = "+", carriers = ["smsc-1"]}]' if of_tables else '["one", "two"]'
    raise _MisplacedError(f"not a list; write it as in TOML, {example}")


def _toml_value(text: str) -> Any:
    return tomllib.loads(f"value = {text}")["value"]
