"""A moment comes in (Unix time), the date or the time that people read goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo


def day(moment: float) -> str:
    """The date in UTC (ISO 8601)."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def minute(moment: float) -> str:
    """The date and the time in UTC, said so: one that anybody can place."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


@dataclass(frozen=True, slots=True)
class _Calendar:
    """How people who speak a language write a date; `{}` are filled in by name."""

    months: tuple[str, ...]
    date: str
    short: str  # for an SMS: nothing that GSM 03.38 lacks
    time: str
    zone: str  # theirs; "": UTC


def _calendar(months: str, date: str, short: str, time: str, zone: str) -> _Calendar:
    return _Calendar(tuple(months.split()), date, short, time, zone)


_EN: Final = "January February March April May June July August September October November December"
_CS: Final = "ledna února března dubna května června července srpna září října listopadu prosince"
_NO: Final = "januar februar mars april mai juni juli august september oktober november desember"
#: Day and month stay on one line.
_CALENDARS: Final[Mapping[str, _Calendar]] = {
    "en": _calendar(_EN, "{d}\N{NBSP}{month} {y}", "{d} {brief} {y}", "%H:%M", ""),
    "cs": _calendar(_CS, "{d}.\N{NBSP}{month} {y}", "{d}. {m}. {y}", "%H:%M", "Europe/Prague"),
    "no": _calendar(
        _NO, "{d}.\N{NBSP}{month} {y}", "{d:02}.{m:02}.{y}", "kl. %H.%M", "Europe/Oslo"
    ),
}


def spoken_day(moment: float, lang: str) -> str:
    """The date as who speaks this language writes it, by their own clock."""
    calendar, at = _at(moment, lang)
    return _written(calendar, at, calendar.date)


def spoken_minute(moment: float, lang: str) -> str:
    """The same with the time, and the name of its zone."""
    calendar, at = _at(moment, lang)
    return f"{_written(calendar, at, calendar.date)} {_time(calendar, at)}"


def brief_day(moment: float, lang: str) -> str:
    """The date for an SMS."""
    calendar, at = _at(moment, lang)
    return _written(calendar, at, calendar.short)


def brief_minute(moment: float, lang: str) -> str:
    """The same with the time, and the name of its zone."""
    calendar, at = _at(moment, lang)
    return f"{_written(calendar, at, calendar.short)} {_time(calendar, at)}"


def _at(moment: float, lang: str) -> tuple[_Calendar, datetime]:
    calendar = _CALENDARS.get(lang, _CALENDARS["en"])
    zone = ZoneInfo(calendar.zone) if calendar.zone else UTC
    return calendar, datetime.fromtimestamp(moment, zone)


def _written(calendar: _Calendar, at: datetime, form: str) -> str:
    month = calendar.months[at.month - 1]
    return form.format(d=at.day, m=at.month, y=at.year, month=month, brief=month[:3])


def _time(calendar: _Calendar, at: datetime) -> str:
    return f"{at.strftime(calendar.time)} {at.tzname()}"


def unix(written: str) -> float:
    """The Unix time of a moment in ISO 8601."""
    return datetime.fromisoformat(written).timestamp()
