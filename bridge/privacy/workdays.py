"""A moment comes in, the same time of the next working day goes out: until when people look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_DAY = timedelta(days=1)


def next_workday(now: float) -> float:
    """One business day later (UTC), Saturdays and Sundays not counted (PRIVACY P36).

    Whatever comes on one of those waits for all of the Monday.
    """
    due = datetime.fromtimestamp(now, UTC)
    while due.weekday() > 4:
        due = (due + _DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    due += _DAY
    while due.weekday() > 4:
        due += _DAY
    return due.timestamp()
