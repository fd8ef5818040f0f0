"""The operator's periods towards tenants and authorities, from `rules/duties.toml`; in seconds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).with_name("rules") / "duties.toml"
_HOUR: Final = 3600.0
_DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Duties:
    """How long before, and how long after."""

    notice: float  # before a new processor or new terms (P21, P55)
    breach_target: float  # after awareness, until the tenant is told (P58)
    breach_hard: float
    breach_reminders: tuple[float, ...]
    review: float  # a grant that nobody confirms ends after (P59)
    review_reminder: float  # and is announced so long before
    block_review: float  # until a person has looked at an automatic block (P32)
    approvers: int  # of a demand (P57)


@cache
def duties() -> Duties:
    """The rules that this version ships."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    breach, review = data["breach"], data["access_review"]
    return Duties(
        notice=data["change_notice"]["days"] * _DAY,
        breach_target=breach["target_hours"] * _HOUR,
        breach_hard=breach["hard_hours"] * _HOUR,
        breach_reminders=tuple(hours * _HOUR for hours in breach["remind_hours"]),
        review=review["days"] * _DAY,
        review_reminder=review["remind_days"] * _DAY,
        block_review=data["block_review"]["hours"] * _HOUR,
        approvers=data["demand"]["approvers"],
    )
