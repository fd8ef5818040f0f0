"""A regular expression out of the configuration comes in; one that cannot take for ever goes out.

Python's own engine tries each way to match. How many there are at most is the product of what each
part of the expression leaves open: that is counted here, and what is searched is short.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST_PATTERN: Final = 300
SEARCHED: Final = 2048
"""Characters of an answer or a callback that a regular expression sees."""

_MOST_WAYS: Final = 2**28
"""A few hundred milliseconds where all of them are tried."""
_TOKEN: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?P<least>\d*)(?P<comma>,?)(?P<most>\d*)\}|\(\?|.", re.DOTALL
)


def bounded(text: str) -> re.Pattern[str]:
    """The expression. Raises ValueError with what to write instead."""
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"must have at most {LONGEST_PATTERN} characters")
    try:
        compiled = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is no regular expression: {error}") from None
    ways, before = SEARCHED, ""
    for token in _TOKEN.finditer(text):
        ways *= _ways(token)
        repeats = token[0] in ("*", "+") or (token["least"] or token["most"]) is not None
        if repeats and before == ")":
            raise ValueError(
                "repeats a group, which can take for ever; repeat a class such as [0-9]+"
            )
        before = token[0]
    if ways > _MOST_WAYS:
        raise ValueError(
            "could take too long; use one + or * at most, and else bounds such as {1,20}"
        )
    return compiled


def _ways(token: re.Match[str]) -> int:
    """How many ways to go on a part of an expression leaves."""
    if token[0] in ("*", "+"):
        return SEARCHED
    if token[0] in ("?", "|"):
        return 2
    if not token["comma"]:
        return 1
    most = int(token["most"]) if token["most"] else SEARCHED
    return min(max(most - int(token["least"] or 0), 0) + 1, SEARCHED)
