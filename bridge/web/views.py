"""Rows of the store in, what a page shows out: threads, and the bubbles of a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import phonenumbers

from bridge.store.ids import show
from bridge.store.sandbox import NORMAL, THREADS

Row = Sequence[Any]

_SNIPPET = 80
_HUES = 8


@dataclass(frozen=True, slots=True)
class Thread:
    """A phone in the list."""

    key: str
    number: str
    country: str
    at: float
    snippet: str
    answered: bool  # the newest line was typed on the phone


@dataclass(frozen=True, slots=True)
class Bubble:
    """An SMS on a phone's screen."""

    id: str
    at: float
    text: str
    mine: bool  # typed on this phone
    peer: str  # the other number
    there: bool  # the phone has it
    state: str = ""
    label: str = ""  # the state in words, with its reason
    facts: tuple[str, ...] = ()  # parts, encoding, and what else was remarkable


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one phone shows."""

    key: str
    number: str
    country: str
    mode: str
    writes_to: str
    bubbles: tuple[Bubble, ...]


_LABELS = {
    "scheduled": "scheduled",
    "held": "held for a person",
    "queued": "waiting to leave",
    "sending": "leaving",
    "sent": "on its way",
    "delivered": "delivered",
    "failed": "failed",
    "expired": "expired",
    "cancelled": "cancelled",
    "suppressed": "not sent: this person has opted out",
    "unknown": "in doubt: it may have arrived",
}
_VERDICTS: dict[str, str] = {
    "stop": "opted out",
    "start": "opted in again",
    "help": "asked for help",
}
_ENCODINGS: dict[str, str] = {"gsm7": "GSM-7", "ucs2": "UCS-2"}
_TOLD = {"opted-out", "validity-over"}


def threads(sent: Iterable[Row], waiting: Iterable[Row], answers: Iterable[Row]) -> list[Thread]:
    """One thread a phone, with its newest line; rows are (key, number, country, time, text)."""
    newest: dict[str, Thread] = {}
    lines = [(row, False) for row in [*sent, *waiting]] + [(row, True) for row in answers]
    for (key, number, country, at, text), answered in lines:
        known = newest.get(key)
        if known is None or known.at <= at:
            snippet = " ".join(text[: 2 * _SNIPPET].split())[:_SNIPPET]
            newest[key] = Thread(key, number, country, at, snippet, answered)
    return sorted(newest.values(), key=lambda t: -t.at)[:THREADS]


def conversation(
    key: str,
    found: Row,
    sent: Sequence[Row],
    came: Sequence[Row],
    answers: Sequence[Row],
    writes_to: str,
    now: float,
) -> Conversation:
    """A phone with its bubbles, oldest first."""
    arrivals: dict[int, list[Row]] = {}
    for row in came:
        arrivals.setdefault(row[0], []).append(row)
    bubbles = [_sent(row, arrivals.get(row[0], []), now) for row in sent]
    bubbles += [_typed(row) for row in answers]
    bubbles.sort(key=lambda b: b.at)
    return Conversation(key, found[0], found[1], found[2] or NORMAL, writes_to, tuple(bubbles))


def _sent(row: Row, came: Sequence[Row], now: float) -> Bubble:
    number, at, originator, text, state, reason, parts, encoding, resent = row
    copies = _copies(came, now)
    facts: list[str] = [
        f"{parts} parts" if parts > 1 else "1 part",
        _ENCODINGS.get(encoding, str(encoding)),
    ]
    if len(copies) > 1:
        facts.append(f"received {len(copies)} times")
    elif resent:
        facts.append("sent again after a doubt")
    return Bubble(
        id=show(number),
        at=copies[0] if copies else at,
        text=text,
        mine=False,
        peer=came[-1][3] if came else originator,
        there=bool(copies),
        state=state,
        label=_label(state, reason),
        facts=tuple(facts),
    )


def _label(state: str, reason: str) -> str:
    label = _LABELS.get(state, state)
    return f"{label}: {reason}" if reason and reason not in _TOLD else label


def _copies(came: Sequence[Row], now: float) -> list[float]:
    """When each whole copy of a message had come."""
    times: dict[int, list[float]] = {}
    for row in came:
        if row[4] <= now:
            times.setdefault(row[1], []).append(row[4])
    total = came[0][2] if came else 0
    if len(times) < total or not times:
        return []
    whole = min(len(each) for each in times.values())
    return [max(each[n] for each in times.values()) for n in range(whole)]


def _typed(row: Row) -> Bubble:
    number, at, originator, text, verdict = row
    facts: tuple[str, ...] = (_VERDICTS[verdict],) if verdict in _VERDICTS else ()
    return Bubble(show(number), at, text, True, originator, True, facts=facts)


@lru_cache(maxsize=512)
def pretty(number: str) -> str:
    """A number as people write it: +420 601 123 456. What is no number stays as it is."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def iso(at: float) -> str:
    """A Unix time in ISO 8601, UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(at: float) -> str:
    """A time for pages without JavaScript, which cannot know the reader's zone."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M} UTC"


def day(at: float) -> str:
    """The date of a time, UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def hue(key: str) -> int:
    """One of the avatar's colours, always the same for one phone."""
    return sum(map(ord, key)) % _HUES
