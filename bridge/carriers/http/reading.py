"""Values as providers write them in, ours out, and the other way: times, numbers, lists, names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from bridge.carriers.http.provider import word
from bridge.model import Part
from bridge.store.ids import show

_MILLISECONDS_FROM: Final = 100_000_000_000
"""A Unix time beyond this is in milliseconds: in seconds it would be the year 5138."""


def reference(part: Part) -> str:
    """What we call a part towards a provider: 13 small letters and digits, never used twice."""
    return show(part.attempt)


def digits(number: str) -> str:
    """An E.164 number without its plus."""
    return number.removeprefix("+")


def seconds_left(part: Part, now: float, longest: float) -> int:
    """Seconds from `now` until the part expires, at least 1; 0 where it never does."""
    if part.expires_at is None:
        return 0
    return int(max(1, min(part.expires_at - now, longest)))


def iso(at: float) -> str:
    """A Unix time as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(value: object) -> float | None:
    """The Unix time that a provider wrote as seconds, as milliseconds or as ISO 8601.

    None for what is no time; without a zone it is UTC.
    """
    written = str(value) if isinstance(value, float) else word(value, 40)
    try:
        seconds = float(written)
    except ValueError:
        return _iso(written)
    if seconds >= _MILLISECONDS_FROM:
        seconds /= 1000
    return seconds if 0 < seconds < _MILLISECONDS_FROM else None


def _iso(written: str) -> float | None:
    try:
        found = datetime.fromisoformat(written)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def table(value: object) -> Mapping[str, Any]:
    """A JSON object; {} for what is none."""
    return value if isinstance(value, dict) else {}


def entries(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a JSON array; nothing for what is none."""
    return (each for each in (value if isinstance(value, list) else ()) if isinstance(each, dict))
