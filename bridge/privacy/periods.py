"""What an erasure is measured by: days come from `rules/erasure.toml`, seconds go out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).with_name("rules") / "erasure.toml"
DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Periods:
    """Seconds, all of them."""

    horizon: float
    keys: float
    chats: float
    carriers: float


@cache
def periods() -> Periods:
    """The periods as they ship."""
    with _FILE.open("rb") as file:
        tables = tomllib.load(file)
    return Periods(
        horizon=tables["backups"]["horizon_days"] * DAY,
        keys=tables["keys"]["kept_days"] * DAY,
        chats=tables["chats"]["tried_days"] * DAY,
        carriers=tables["carriers"]["tried_days"] * DAY,
    )
