"""The words of a time in; a moment out, once it is known on whose clock.

`2026-12-24 08:00`, `24.12. 08:00`, `08:00` (the next one), `tomorrow 08:00`, `monday 08:00`,
`in 90m`, each of the first five with a zone after it where it is not the recipient's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from bridge.bots.words import Line, Word

FORM: Final = (
    "2026-12-24 08:00, 08:00, tomorrow 08:00, monday 08:00 or in 90m, with a zone if need be"
)
_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)").fullmatch
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})").fullmatch
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})?").fullmatch
_JOINED = re.compile(
    r"(\d{4}-\d{1,2}-\d{1,2})t(\d{1,2}:\d\d)(?::\d\d)?(z|[+-]\d\d:\d\d)?"
).fullmatch
_SPAN = re.compile(r"(\d{1,4})(m|min|h|d)").fullmatch
# Two digits alone would take the beginning of a number for a zone.
_OFFSET = re.compile(r"(?:(?:utc|gmt)([+-]\d{1,2})|([+-]\d\d)):?(\d\d)?").fullmatch
_UNITS: Final = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class When:
    """A time as typed: after a span, or at a clock's time on a day that may be left open."""

    span: timedelta | None = None
    clock: time = time()
    day: date | None = None
    weekday: int | None = None
    ahead: int | None = None
    """Days from today: 0 for today, 1 for tomorrow."""
    yearless: bool = False
    """The day was typed without its year: the next such day is meant."""
    zone: tzinfo | None = None
    """As typed; None for the recipient's own."""

    def at(self, now: float, recipient: tzinfo) -> float:
        """Unix time, seconds. In: the present and the recipient's zone."""
        if self.span is not None:
            return now + self.span.total_seconds()
        zone = self.zone or recipient
        here = datetime.fromtimestamp(now, zone)
        found = datetime.combine(self._day(here.date()), self.clock, zone)
        if found.timestamp() > now or (self.day and not self.yearless) or self.ahead is not None:
            return found.timestamp()
        later = self._next(found.date())
        return datetime.combine(later, self.clock, zone).timestamp()

    def _day(self, today: date) -> date:
        if self.day is not None:
            return self._in_year(today.year) if self.yearless else self.day
        if self.weekday is not None:
            return today + timedelta((self.weekday - today.weekday()) % 7)
        return today + timedelta(self.ahead or 0)

    def _next(self, missed: date) -> date:
        if self.day is not None:
            return self._in_year(missed.year + 1)
        return missed + timedelta(7 if self.weekday is not None else 1)

    def _in_year(self, year: int) -> date:
        assert self.day is not None  # noqa: S101 - the callers' condition
        for ahead in range(8):  # 29 February comes within eight years
            try:
                return self.day.replace(year=year + ahead)
            except ValueError:
                continue
        return self.day


def take(line: Line) -> When:
    """Take a time off the line. Raises WrongWord at the word that is none."""
    word = line.take("the time")
    text = word.text.casefold().rstrip(",")
    if text == "in":
        return _span(line)
    if joined := _JOINED(text):
        day = _iso(line, word, joined[1])
        zone = _zone(joined[3]) if joined[3] else _taken_zone(line)
        return When(clock=_clock(line, word, joined[2]), day=day, zone=zone)
    if _CLOCK(text):
        return When(clock=_clock(line, word, text), zone=_taken_zone(line))
    found = _on_day(line, word, text)
    if line.peek() == "at":
        line.skip(1)
    at = line.take("the time of day")
    clock = _clock(line, at, at.text.casefold())
    return replace(found, clock=clock, zone=_taken_zone(line))


def _span(line: Line) -> When:
    """`in 90m`, `in 2 h`, `in 3d`; how far ahead one may go is for whoever sends."""
    word = line.take("how long")
    text = word.text.casefold()
    if text.isdecimal() and line.peek() in _UNITS:
        text += line.take("the unit").text.casefold()
    found = _SPAN(text)
    if found is None:
        raise line.wrong("this is not a span of time, such as 90m, 2h or 3d", word)
    return When(span=timedelta(**{_UNITS[found[2]]: int(found[1])}))


def _on_day(line: Line, word: Word, text: str) -> When:
    if text in ("today", "tomorrow"):
        return When(ahead=int(text == "tomorrow"))
    if len(text) >= 3:
        for number, name in enumerate(_DAYS):
            if name.startswith(text):
                return When(weekday=number)
    if _ISO(text):
        return When(day=_iso(line, word, text))
    if dotted := _DOTTED(text):
        # Without its year the day must only be one that some year has.
        return When(
            day=_date(line, word, int(dotted[3] or 2000), int(dotted[2]), int(dotted[1])),
            yearless=not dotted[3],
        )
    raise line.wrong("this is not a time", word)


def _clock(line: Line, word: Word, text: str) -> time:
    found = _CLOCK(text)
    if found is None:
        raise line.wrong("this is not a time of day, such as 08:00", word)
    return time(int(found[1]), int(found[2]))


def _iso(line: Line, word: Word, text: str) -> date:
    year, month, day = map(int, text.split("-"))
    return _date(line, word, year, month, day)


def _date(line: Line, word: Word, year: int, month: int, day: int) -> date:
    try:
        if not 2000 <= year < 2200:
            raise ValueError
        return date(year, month, day)
    except ValueError:
        raise line.wrong("there is no such day", word) from None


def _taken_zone(line: Line) -> tzinfo | None:
    """The zone that the next word names, taken; None where it names none."""
    zone = _zone(line.peek()) if line else None
    if zone is not None:
        line.skip(1)
    return zone


def _zone(text: str) -> tzinfo | None:
    if text in ("utc", "gmt", "z"):
        return UTC
    offset = _OFFSET(text)
    if offset and (offset[1] or offset[3]):
        hours = offset[1] or offset[2]
        span = timedelta(hours=int(hours[1:]), minutes=int(offset[3] or 0))
        if span < timedelta(hours=15):
            return timezone(-span if hours[0] == "-" else span)
    name = _names().get(text) if "/" in text else None
    return ZoneInfo(name) if name else None


@cache
def _names() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones() if "/" in name}
