"""How long data is kept: the dated rules of `rules/retention.toml` come in, moments go out. Pure.

Whatever has its moment at or before `Period.before(now)` is due. Months and years are calendar
ones, counted backwards in UTC: what began on the 31st ends after the last day of a shorter month
(Regulation 1182/71, article 3(2)(c)). What is due once stays due, so that a run that comes late
misses nothing.
"""

from __future__ import annotations

import re
import tomllib
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Final

from bridge.errors import Refused

_FILE: Final = Path(__file__).with_name("rules") / "retention.toml"
_WRITTEN: Final = re.compile(r"(\d{1,4})(d|mo|y)").fullmatch
_NEVER: Final = "never"
_MOST_MONTHS: Final = 1200


@dataclass(frozen=True, slots=True)
class Period:
    """A span of days and calendar months; or no end."""

    days: int = 0
    months: int = 0
    endless: bool = False

    @classmethod
    def of(cls, written: str) -> Period:
        """`60d`, `6mo`, `10y` or `never`. Raises ValueError."""
        if written == _NEVER:
            return cls(endless=True)
        found = _WRITTEN(written)
        if found is None:
            raise ValueError(f"{written!r} is no period; write it as 60d, 6mo or 10y")
        count = int(found[1])
        if found[2] == "d":
            return cls(days=count)
        months = count * (12 if found[2] == "y" else 1)
        if months > _MOST_MONTHS:
            raise ValueError(f"{written!r} is longer than a hundred years")
        return cls(months=months)

    def before(self, now: float) -> float:
        """What began at this Unix time or earlier is over; minus infinity where nothing ever is.

        Where the month has no such day, that is the end of its last one.
        """
        if self.endless:
            return float("-inf")
        moment = datetime.fromtimestamp(now, UTC)
        count = moment.year * 12 + moment.month - 1 - self.months
        year, month = divmod(count, 12)
        last = monthrange(year, month + 1)[1]
        if moment.day <= last:
            earlier = moment.replace(year=year, month=month + 1)
        else:
            earlier = datetime.combine(date(year, month + 1, last), datetime.max.time(), UTC)
        return now - (moment - earlier).total_seconds() - 86400.0 * self.days

    @property
    def written(self) -> str:
        """As `of` reads it."""
        if self.endless:
            return _NEVER
        if not self.months:
            return f"{self.days}d"
        return f"{self.months}mo" if self.months % 12 else f"{self.months // 12}y"

    def __str__(self) -> str:
        if self.endless:
            return "no end"
        if not self.months:
            return _counted(self.days, "day") if self.days else "at once"
        years, rest = divmod(self.months, 12)
        return _counted(self.months, "month") if rest else _counted(years, "year")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


#: Periods are compared by how far they reach back from here, a day after the longest months.
_REFERENCE: Final = datetime(2026, 9, 1, tzinfo=UTC).timestamp()


def is_longer(one: Period, other: Period) -> bool:
    """Whether `one` lasts longer than `other`."""
    return one.before(_REFERENCE) < other.before(_REFERENCE)


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one class of data is kept."""

    name: str
    holds: str
    trigger: str
    period: Period
    minimum: Period
    maximum: Period
    set_by: str  # "tenant" | "operator" | "": who may set another period
    basis: str
    clause: str
    source_url: str
    verified_on: date

    def check(self, period: Period) -> None:
        """Raises Refused for a period that this class may not have."""
        if not self.set_by:
            raise Refused(f"the period of {self.name} cannot be changed", self.basis)
        if is_longer(period, self.maximum):
            raise Refused(
                f"{self.name} may be kept for {self.maximum} at most, not {period}", self.clause
            )
        if is_longer(self.minimum, period):
            raise Refused(
                f"{self.name} must be kept for {self.minimum} at least, not {period}", self.clause
            )

    def bounded(self, period: Period) -> Period:
        """The nearest period that the rule allows: its bounds may be newer than what was set."""
        if is_longer(period, self.maximum):
            return self.maximum
        return self.minimum if is_longer(self.minimum, period) else period


@cache
def rules() -> Mapping[str, Rule]:
    """The rules by class, in the file's order."""
    with _FILE.open("rb") as file:
        tables = tomllib.load(file)
    return {name: _rule(name, table) for name, table in tables.items()}


def _rule(name: str, table: Mapping[str, object]) -> Rule:
    written = {key: Period.of(str(table[key])) for key in ("period", "minimum", "maximum")}
    words = {key: value for key, value in table.items() if key not in written}
    return Rule(name=name, **written, **words)  # type: ignore[arg-type]


def rule(name: str) -> Rule:
    """One class's rule. Raises Refused."""
    found = rules().get(name)
    if found is None:
        raise Refused(f"there is no class {name!r}", f"classes: {', '.join(rules())}")
    return found


@dataclass(frozen=True, slots=True)
class Plan:
    """The periods that hold now: the rules, what was set and agreed to, what tenants configured.

    `decided` is (class, tenant) → period, tenant 0 for the operator's; `keep_texts` is a tenant's
    own wish for texts. The narrower decision wins, and none leaves the rule's bounds.
    """

    decided: Mapping[tuple[str, int], Period] = field(default_factory=dict)
    keep_texts: Mapping[int, Period] = field(default_factory=dict)

    def period(self, name: str, tenant: int = 0) -> Period:
        """How long a tenant's data of this class is kept."""
        its = rules()[name]
        wished = self.keep_texts.get(tenant) if name == "text" else None
        found = self.decided.get((name, tenant)) or wished or self.decided.get((name, 0))
        return its.bounded(found) if found else its.period

    def cutoffs(self, name: str, now: float) -> dict[int, float]:
        """Tenant → the moment at or before which its data is due; 0 for everyone else."""
        tenants = {tenant for known, tenant in self.decided if known == name}
        if name == "text":
            tenants |= self.keep_texts.keys()
        return {tenant: self.period(name, tenant).before(now) for tenant in sorted(tenants | {0})}
