"""What pydantic finds wrong comes in; one sentence each goes out, with the path as it stands in
the file, and never a secret.
"""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

PREFIX = "BRIDGE__"

Model = type[BaseModel]
Table = dict[str, Any]
Detail = Mapping[str, Any]


def members(annotation: Any) -> tuple[Any, ...]:
    """A type and, where it is a union or a list, what that is made of."""
    return (annotation, *get_args(annotation))


def keys(model: Model) -> dict[str, FieldInfo]:
    """A section's keys as the file has them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def inner_model(model: Model, key: str) -> Model | None:
    """The model of a section or of a list's entries; None where the key is a plain value."""
    field = keys(model).get(key)
    for member in members(field.annotation) if field else ():
        if isinstance(member, type) and issubclass(member, BaseModel):
            return member
    return None


def is_list(model: Model, key: str) -> bool:
    """True for a section written with two brackets, [[key]], or for a list of inline tables."""
    return get_origin(keys(model)[key].annotation) is list


def is_secret(model: Model, key: str) -> bool:
    """True for a value that must never be shown."""
    field = keys(model).get(key)
    return field is not None and SecretStr in members(field.annotation)


def unknown(key: str, known: Iterable[str], form: str = '"{}"') -> str:
    """What to say of a key that is not known; form writes a key as the reader would."""
    known = list(known)
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.6)
    show = str.upper if form.startswith(PREFIX) else str
    if near:
        return f"unknown key; did you mean {form.format(show(near[0]))}?"
    return f"unknown key; known here: {', '.join(show(name) for name in known)}"


def sentences(error: ValidationError, model: Model, data: Table) -> Iterator[str]:
    """One sentence for each thing wrong, with the path to it as it stands in the file."""
    for detail in error.errors(include_url=False):
        place, owner, key = _place_of(detail["loc"], model, data)
        what = _what(detail, owner, key)
        yield f"{place}: {what}" if place else what


def _place_of(loc: tuple[int | str, ...], model: Model, data: Any) -> tuple[str, Model, str]:
    """`[smtp] listen`, `[[carriers]] "smsc-1" port`; with the model that has the last key."""
    words: list[str] = []
    owner, key = model, ""
    for depth, step in enumerate(loc):
        data = _step(data, step)
        if isinstance(step, int):
            words.append(f'"{data["name"]}"' if has_name(data) else f"number {step + 1}")
            continue
        owner, key = (inner_model(owner, key) or owner) if key else owner, step
        words.append(_written(owner, key, depth))
    return " ".join(words), owner, key


def has_name(entry: object) -> bool:
    """True for an entry of a list that has a name to be called by."""
    return isinstance(entry, dict) and isinstance(entry.get("name"), str)


def _written(owner: Model, key: str, depth: int) -> str:
    if depth or inner_model(owner, key) is None:
        return key
    return f"[[{key}]]" if is_list(owner, key) else f"[{key}]"


def _step(data: Any, step: int | str) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        return None


# What must hold, by pydantic's name of what does not.
RULES = {
    "string_type": 'must be text between quotes, as in "value"',
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number, without quotes",
    "finite_number": "must be a number",
    "bool_type": "must be true or false, without quotes",
    "list_type": 'must be a list, as in ["one", "two"]',
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least one entry",
}


def _what(detail: Detail, owner: Model, key: str) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown(key, keys(owner))
    if kind == "missing":
        return "is missing; add it"
    if kind == "value_error":
        return str(context["error"])
    if kind in {"list_type", "model_type"} and inner_model(owner, key):
        entry = kind == "model_type" and isinstance(detail["loc"][-1], int)
        return "must be a table, as in { key = 1 }" if entry else _brackets(owner, key)
    rule = RULES[kind].format(**context) if kind in RULES else detail["msg"]
    return rule.replace("'", '"') + _not(detail, owner, key)


def _not(detail: Detail, owner: Model, key: str) -> str:
    """`, not 5`: never for a secret, nor for what is too long to help."""
    shown = json.dumps(detail["input"], default=str, ensure_ascii=False)
    return "" if is_secret(owner, key) or len(shown) > 60 else f", not {shown}"


def _brackets(owner: Model, key: str) -> str:
    if key not in {"tenants", "carriers", "routes"} and is_list(owner, key):
        return "must be a list of tables, as in [ { key = 1 }, { key = 2 } ]"
    if is_list(owner, key):
        return f"must be a list of tables; begin each entry with [[{key}]], two brackets"
    return f"must be one table; begin it with [{key}], one bracket"
