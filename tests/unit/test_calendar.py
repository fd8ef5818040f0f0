"""What goes by hours, days and months, driven through more than a year: no hour of it is special."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from bridge.bots.when import When
from bridge.dispatch.caps import span_of
from bridge.dispatch.clocks import Rarely
from bridge.dispatch.invoicing import Month
from bridge.dispatch.nights import last_night, next_night
from bridge.privacy import requests as law
from bridge.privacy.countries import rule_for
from bridge.privacy.hours import Hours, window
from bridge.privacy.workdays import next_workday

HOUR, DAY = 3600.0, 86_400.0
#: From a new year to after the next leap day; clocks are changed three times in it.
BEGIN = datetime(2027, 1, 1, tzinfo=UTC).timestamp()
END = datetime(2028, 4, 1, tzinfo=UTC).timestamp()
ZONES = ("Europe/Prague", "America/New_York", "Pacific/Auckland")


def moments(step: float) -> Iterator[float]:
    """So many seconds apart."""
    at = BEGIN + 30
    while at < END:
        yield at
        at += step


def test_every_moment_is_between_two_nights_of_work() -> None:
    for now in moments(HOUR / 2):
        assert last_night(now) <= now < next_night(now)
        assert next_night(now) - last_night(now) == DAY
        assert last_night(next_night(now)) == next_night(now)
        assert datetime.fromtimestamp(next_night(now), UTC).hour == 2


def test_what_is_done_rarely_is_done_again_whatever_happens_to_the_clock() -> None:
    look = Rarely(60)
    assert look.due(BEGIN)
    assert not look.due(BEGIN)
    assert not look.due(BEGIN + 59.9)
    assert look.due(BEGIN + 60)
    assert look.due(BEGIN + 365 * DAY)
    assert look.due(BEGIN + 61)  # set back by a year
    assert not look.due(BEGIN + 62)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("country", ["CZ", "FR"])
def test_p49_hours_are_the_recipients_on_every_day(zone: str, country: str) -> None:
    """They open and close by the clock there, also on the days on which it is changed."""
    number = {"CZ": "+420601123456", "FR": "+33612345678"}[country]
    hours, there = rule_for(country, number).hours, ZoneInfo(zone)
    for now in moments(13 * HOUR):
        found = window(hours, (zone,), now)
        assert found is not None
        opens, closes = (datetime.fromtimestamp(at, there) for at in (found.opens, found.closes))
        assert found.closes > now
        span = hours.week[opens.weekday()]
        assert span is not None
        assert opens.date() == closes.date()
        assert (_minutes(opens), _minutes(closes)) == span
        assert opens.date() - datetime.fromtimestamp(now, there).date() < timedelta(days=5)
        assert window(hours, (zone,), found.opens) == found


def _minutes(at: datetime) -> int:
    return at.hour * 60 + at.minute


def test_p49_hours_without_a_pause_are_open_at_every_moment() -> None:
    always = Hours(((0, 24 * 60),) * 7)
    for number, now in enumerate(moments(5 * HOUR)):
        found = window(always, (ZONES[number % 3],), now)
        assert found is not None
        assert found.opens <= now < found.closes


@pytest.mark.parametrize("period", ["hour", "day", "month"])
def test_p32_what_is_counted_in_a_period_is_counted_in_one(period: str) -> None:
    spans = sorted({span_of(period, now) for now in moments(HOUR / 2)})
    assert all(one[1] == other[0] for one, other in pairwise(spans))
    for now in moments(5 * HOUR):
        begin, end = span_of(period, now)
        assert begin <= now < end


def test_months_of_invoices_leave_no_moment_out() -> None:
    written = [f"2027-{month:02}" for month in range(1, 13)] + ["2028-01", "2028-02", "2028-03"]
    months = [Month.of(each) for each in written]
    assert (months[0].since, months[-1].until) == (BEGIN, END)
    assert all(one.until == other.since for one, other in pairwise(months))
    assert {month.year_ends for month in months[:12]} == {months[12].since}


def test_p22_a_later_request_is_not_due_on_an_earlier_day() -> None:
    """A month is 28 days at least, 31 at most, at whatever end of one it begins."""
    for dates in (law.due, law.tell_by):
        due = [dates(now) // DAY for now in moments(HOUR)]
        assert due == sorted(due)
    for now in moments(HOUR):
        assert 28 * DAY <= law.due(now) - now <= 31 * DAY
        assert now < law.reminds_at(law.due(now)) < law.due(now)


def test_p36_people_have_a_whole_working_day() -> None:
    """Whatever comes at a weekend waits for its first working day to be over."""
    due = [next_workday(now) for now in moments(HOUR)]
    assert due == sorted(due)
    for now, until in zip(moments(HOUR), due, strict=True):
        hours = range(int(now), int(until), int(HOUR))
        assert sum(datetime.fromtimestamp(at, UTC).weekday() < 5 for at in hours) == 24


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_of_day_is_the_next_one_there(zone: str) -> None:
    there = ZoneInfo(zone)
    clock = datetime(2027, 1, 1, 8, 0).time()  # noqa: DTZ001 - a clock anywhere
    for now in moments(7 * HOUR):
        at = When(clock=clock).at(now, there)
        assert datetime.fromtimestamp(at, there).time() == clock
        assert 0 < at - now <= 25 * HOUR
