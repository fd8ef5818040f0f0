"""A moment comes in (Unix time), the date that people read goes out."""

from __future__ import annotations

from datetime import UTC, datetime


def day(moment: float) -> str:
    """The date in UTC (ISO 8601)."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
