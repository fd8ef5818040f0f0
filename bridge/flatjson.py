"""Short lists and flat facts come in; the JSON that `json.dumps` would make of them goes out.

The library sets its encoder up anew at each call, which costs several times what is then encoded:
each message has such facts, and each statement over several rows such a list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quoted
from typing import Any


def array(values: list[Any]) -> str:
    """A list, quickly where all of it is texts or all whole numbers."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return list.__repr__(values)
    if kinds == {str}:
        return f"[{', '.join(map(quoted, values))}]"
    return json.dumps(values)


def facts(named: Mapping[str, Any]) -> str:
    """A mapping by name, quickly where all of it is texts."""
    if set(map(type, named.values())) == {str}:
        return f"{{{', '.join([f'{quoted(n)}: {quoted(v)}' for n, v in named.items()])}}}"
    return json.dumps(dict(named))
