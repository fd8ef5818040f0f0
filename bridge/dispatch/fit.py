"""A text and a tenant's limits in; its encoding and parts out, or a refusal with the counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from bridge import segments
from bridge.errors import Refused
from bridge.segments import Segmented

LONGEST = segments.MOST_PARTS * 153  # septets that the largest number of parts can hold


class Limits(Protocol):
    """What a tenant allows."""

    @property
    def name(self) -> str: ...
    @property
    def encoding(self) -> str: ...
    @property
    def max_parts(self) -> int: ...
    @property
    def over_limit(self) -> str: ...


def fit(
    tenant: Limits, text: str, shift: tuple[str, ...] = (), tail: str = "", *, whole: bool = False
) -> Segmented:
    """The text in its encoding and parts; `tail` stands at its end, whole, whatever is cut.

    With `whole` nothing is cut.

    Raises Refused when it is empty or too long.
    """
    text = storable(text)
    if tail:
        text, tail = (text + tail, tail) if text.strip() else (tail.lstrip(), tail.lstrip())
    if not text.strip():
        raise Refused("there is no text to send", "write something")
    may_cut = tenant.over_limit == "cut" and not whole
    if len(text) > LONGEST and not may_cut:
        raise Refused(
            f"the text has {len(text)} characters; no SMS can carry more than {LONGEST}",
            "shorten it",
            status="5.3.4",
        )
    segmented = segments.prepare(_bounded(text, tail), tenant.encoding, shift)
    if len(segmented.parts) <= tenant.max_parts:
        return segmented
    if may_cut:
        return _cut(tenant, segmented, shift, tail)
    alphabet = "GSM-7" if segmented.encoding == "gsm7" else "UCS-2"
    raise Refused(
        f"the text needs {len(segmented.parts)} SMS parts ({sum(segmented.units)} units in "
        f"{alphabet}); {tenant.name} allows {tenant.max_parts}",
        "shorten it, or ask the operator for a higher max_parts",
        status="5.3.4",
    )


def storable(text: str) -> str:
    """Text as both databases can keep it: no NUL, no half of a surrogate pair."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text


def _bounded(text: str, tail: str) -> str:
    """No more of a text than the largest SMS can hold; its tail is kept."""
    if len(text) <= LONGEST:
        return text
    return text.removesuffix(tail)[: LONGEST - len(tail)] + tail


def _cut(tenant: Limits, segmented: Segmented, shift: tuple[str, ...], tail: str) -> Segmented:
    """The tenant wants a long text cut, visibly: an ellipsis stands where its end was."""
    mark = "..." if segmented.encoding == "gsm7" else "…"
    fits = sum(map(len, segmented.parts[: tenant.max_parts]))
    text = segmented.text.removesuffix(tail)[:fits]
    while text:
        text = text[:-1]
        fitted = segments.segment(text.rstrip() + mark + tail, shift)
        if len(fitted.parts) <= tenant.max_parts:
            return replace(fitted, transliterated=segmented.transliterated)
    raise Refused(
        f"the link to the files alone needs more than the {tenant.max_parts} SMS parts that "
        f"{tenant.name} allows",
        "ask the operator for a higher max_parts",
        status="5.3.4",
    )
