"""A reader's language comes in, the words of a page in it go out.

The words stand in `words/*.toml`, a table a language, the same keys in each.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).with_name("words")
_FIRST: Final = "en"
#: What browsers call our languages by.
_ALSO: Final = {"nb": "no", "nn": "no", "sk": "cs"}


@dataclass(frozen=True)
class Words:
    """One language's words."""

    code: str
    table: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The words for a key, with its places filled in."""
        return self.table[key].format(**values) if values else self.table[key]


@cache
def languages(page: str) -> Mapping[str, Words]:
    """The languages that a page knows, by code."""
    tables = tomllib.loads((_HERE / f"{page}.toml").read_text(encoding="utf-8"))
    return {code: Words(code, table) for code, table in tables.items()}


def chosen(page: str, wanted: str, accepted: str) -> Words:
    """The words for a reader who chose `wanted`, or whose browser accepts these (RFC 9110 12.5.4).

    English where none fits.
    """
    known = languages(page)
    for code in (wanted, *_preferred(accepted)):
        primary = code.lower().partition("-")[0]
        found = known.get(_ALSO.get(primary, primary))
        if found is not None:
            return found
    return known[_FIRST]


def _preferred(accepted: str) -> list[str]:
    """The codes of an Accept-Language header, the most wanted first."""
    ranked = []
    for place, entry in enumerate(accepted.split(",")[:20]):
        code, _, rest = entry.strip().partition(";")
        weight = rest.strip().removeprefix("q=")
        try:
            ranked.append((-float(weight) if weight else -1.0, place, code.strip()))
        except ValueError:
            continue
    return [code for _, _, code in sorted(ranked)]
