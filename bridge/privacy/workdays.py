"""A moment comes in, the same time of the next working day goes out: until when people look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def next_workday(now: float) -> float:
    """One business day later (UTC), Saturdays and Sundays not counted (PRIVACY P36)."""
    due = datetime.fromtimestamp(now, UTC) + timedelta(days=1)
    while due.weekday() > 4:
        due += timedelta(days=1)
    return due.timestamp()
