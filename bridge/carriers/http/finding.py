"""An answer or a callback, and a place in it, in; the value that stands there out.

Sources: RFC 6901 (JSON pointers). A regular expression sees the beginning of a body only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

from bridge.carriers.http.provider import Answer, Callback, Unreadable, word
from bridge.carriers.http.reading import moment
from bridge.settings.describing import Place
from bridge.settings.patterns import SEARCHED

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,5}")


class Found:
    """What came in, asked for values by place. Values are texts; "" for what is not there."""

    def __init__(self, came: Answer | Callback) -> None:
        self._came = came
        self._whole: Any = None  # one entry of a list, where there are many

    def each(self, many: Place | None) -> Sequence[Found]:
        """Itself, or the entries of the list at `many`: pointers are then theirs."""
        if many is None:
            return [self]
        listed = pointed(self._json, many.steps)
        found = []
        for entry in listed if isinstance(listed, list) else ():
            if entry is None:
                continue
            one = Found(self._came)
            one._whole = entry
            found.append(one)
        return found

    def raw(self, place: Place | None) -> object:
        """The value as it came; None for what is not there."""
        if place is None:
            return None
        if place.kind == "json":
            inside = self._whole if self._whole is not None else self._json
            return pointed(inside, place.steps)
        return self._READERS[place.kind](self, place)

    def text(self, place: Place | None) -> str:
        """The value as a short word."""
        return word(self.raw(place))

    def at(self, place: Place | None) -> float | None:
        """The value as a Unix time."""
        return moment(self.raw(place))

    def matches(self, pattern: re.Pattern[str], place: Place | None) -> bool:
        """Whether a pattern is found at a place, or in the body where none is named."""
        value = self._start if place is None else word(self.raw(place), SEARCHED)
        return pattern.search(value) is not None

    @cached_property
    def _json(self) -> Any:
        try:
            return self._came.json()
        except Unreadable:
            return None

    @cached_property
    def _start(self) -> str:
        return self._came.body[: 4 * SEARCHED].decode("utf-8", "replace")[:SEARCHED]

    def _header(self, place: Place) -> object:
        return self._came.headers.get(place.name)

    def _query(self, place: Place) -> object:
        written = self._came.query if isinstance(self._came, Callback) else ""
        return dict(parse_qsl(written, keep_blank_values=True)).get(place.name)

    def _form(self, place: Place) -> object:
        return self._came.form().get(place.name) if isinstance(self._came, Callback) else None

    def _pattern(self, place: Place) -> object:
        found = place.pattern.search(self._start) if place.pattern else None
        return found[1] if found else None

    _READERS: Final[Mapping[str, Callable[[Found, Place], object]]] = {
        "header": _header,
        "query": _query,
        "form": _form,
        "pattern": _pattern,
    }


def pointed(tree: Any, steps: Sequence[str]) -> Any:
    """What a JSON pointer means in a tree; None for what is not there."""
    for step in steps:
        if isinstance(tree, dict):
            tree = tree.get(step)
        elif isinstance(tree, list) and _INDEX.fullmatch(step) and int(step) < len(tree):
            tree = tree[int(step)]
        else:
            return None
    return tree
