"""A moment comes in; when the night's work was, and will be, due goes out.

Who works by this and was down or busy at that hour does it as soon as it can.
"""

from __future__ import annotations

from typing import Final

from bridge.privacy.periods import DAY

#: The hour (UTC) from which on it is due.
NIGHT: Final = 2


def last_night(now: float) -> float:
    """Since when the newest night's work is due."""
    return next_night(now) - DAY


def next_night(now: float) -> float:
    """From when the next night's work is due."""
    today = now - now % DAY + NIGHT * 3600
    return today if now < today else today + DAY
