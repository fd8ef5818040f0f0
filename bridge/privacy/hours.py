"""Opening hours, the zones of a number and a moment come in; when it may be written to comes out.

A number may be in several zones: what holds must hold in all of them. Times are Unix seconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
#: Longer than any run of Sundays and holidays; what has no hour in it never has one.
_AHEAD: Final = 14

#: Minutes after midnight, from and to; None is a day without hours.
Span = tuple[int, int] | None
Week = tuple[Span, ...]  # Monday first


@dataclass(frozen=True, slots=True)
class Hours:
    """When people may be written to, on their own clock."""

    week: Week
    holidays: str = ""  # the country whose public holidays have no hours; "" where they have


@dataclass(frozen=True, slots=True)
class Window:
    """From `opens` up to, and without, `closes`."""

    opens: float
    closes: float


def parse(written: str) -> Week:
    """`Mo-Sa 09:00-21:00; Su 12:00-21:00` as a week. Raises ValueError."""
    week: list[Span] = [None] * 7
    for piece in written.split(";"):
        found = re.fullmatch(
            r"(\w\w)(?:-(\w\w))? (\d\d):(\d\d)-(\d\d):(\d\d)", piece.strip(), re.ASCII
        )
        if not found:
            raise ValueError(f'hours are written "Mo-Sa 08:00-20:00", not "{piece.strip()}"')
        first, last = DAYS.index(found[1]), DAYS.index(found[2] or found[1])
        opens, closes = (int(found[n]) * 60 + int(found[n + 1]) for n in (3, 5))
        if not 0 <= opens < closes <= 24 * 60:
            raise ValueError(f'hours end after they begin, unlike "{piece.strip()}"')
        week[first : last + 1] = [(opens, closes)] * (last + 1 - first)
    return tuple(week)


def both(one: Week, other: Week) -> Week:
    """The hours of one that are also the other's."""
    return tuple(_overlap(a, b) for a, b in zip(one, other, strict=True))


def _overlap(one: Span, other: Span) -> Span:
    if one is None or other is None:
        return None
    opens, closes = max(one[0], other[0]), min(one[1], other[1])
    return (opens, closes) if opens < closes else None


def window(hours: Hours, zones: Sequence[str], now: float) -> Window | None:
    """The window that is open now, else the next; None where the zones share no hour at all."""
    found = _windows(hours, zones[0], now)
    for zone in zones[1:]:
        found = _shared(found, _windows(hours, zone, now))
    return next((each for each in found if each.closes > now), None)


def _windows(hours: Hours, zone: str, now: float) -> list[Window]:
    """The windows of one zone, from yesterday on; one that goes on past midnight is one."""
    there = _zone(zone)
    today = datetime.fromtimestamp(now, UTC).astimezone(there).date()
    found: list[Window] = []
    for ahead in range(-1, _AHEAD):
        day = today + timedelta(days=ahead)
        span = hours.week[day.weekday()]
        if span is None or (hours.holidays and day in _holidays(hours.holidays, day.year)):
            continue
        opens, closes = (_moment(day, minutes, there) for minutes in span)
        if found and found[-1].closes >= opens:
            found[-1] = Window(found[-1].opens, closes)
        else:
            found.append(Window(opens, closes))
    return found


def _shared(one: Sequence[Window], other: Sequence[Window]) -> list[Window]:
    found = []
    for a in one:
        for b in other:
            opens, closes = max(a.opens, b.opens), min(a.closes, b.closes)
            if opens < closes:
                found.append(Window(opens, closes))
    return found


def _moment(day: date, minutes: int, zone: ZoneInfo) -> float:
    """A local time as Unix time; a clock that is put back counts its first time."""
    local = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)
    return local.replace(tzinfo=zone).timestamp()


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=64)
def _holidays(country: str, year: int) -> frozenset[date]:
    from holidays import country_holidays  # many modules, needed for few countries

    return frozenset(country_holidays(country, years=year))
