"""Where data may go: a country, a mechanism and a day come in; whether, and why not, go out.

The countries and mechanisms are `rules/transfers.toml` (GDPR chapter V; PRIVACY P50).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from bridge.errors import Refused

_FILE: Final = Path(__file__).with_name("rules") / "transfers.toml"


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A ground for a transfer that an operator may record."""

    name: str
    does: str
    countries: frozenset[str]  # empty: any
    most_days: int  # how far ahead its recorded end may lie; 0: no limit
    ended: date | None


@dataclass(frozen=True, slots=True)
class Transfers:
    """The rules, as they stand in their file."""

    eea: frozenset[str]
    adequate: Mapping[str, date | None]  # country → the decision's last day
    mechanisms: Mapping[str, Mechanism]

    def why_not(self, country: str, mechanism: str, valid_until: date | None, today: date) -> str:
        """Why nothing may go to `country` today; "" where it may."""
        if country in self.eea or self._is_adequate(country, today):
            return ""
        known = self.mechanisms.get(mechanism)
        if known is None or known.ended:
            return f"no transfer mechanism is valid for {country}"
        if valid_until is None or valid_until < today:
            return f"the transfer mechanism for {country} ({mechanism}) has ended"
        return ""

    def ground(self, country: str, mechanism: str, today: date) -> str:
        """What a transfer rests on, in words; "" where on nothing that is known."""
        if country in self.eea:
            return "inside the EEA"
        if self._is_adequate(country, today):
            last = self.adequate[country]
            return "adequacy decision" + (f" until {last.isoformat()}" if last else "")
        return self.mechanisms[mechanism].does if mechanism in self.mechanisms else ""

    def _is_adequate(self, country: str, today: date) -> bool:
        last = self.adequate.get(country)
        return country in self.adequate and (last is None or today <= last)

    def check(self, country: str, mechanism: str, valid_until: date | None, today: date) -> None:
        """Raises Refused where this mechanism cannot be recorded for a processor in `country`."""
        if not mechanism:
            return
        known = self.mechanisms.get(mechanism)
        usable = ", ".join(sorted(m.name for m in self.mechanisms.values() if not m.ended))
        if known is None:
            raise Refused(f"there is no transfer mechanism {mechanism!r}", f"known: {usable}")
        if known.ended:
            raise Refused(
                f"{known.does} ended on {known.ended.isoformat()} and cannot be chosen",
                f"known: {usable}",
            )
        if known.countries and country not in known.countries:
            only = ", ".join(sorted(known.countries))
            raise Refused(f"{mechanism} is for {only} alone", "choose another, such as scc")
        _check_end(known, valid_until, today)


def _check_end(known: Mechanism, valid_until: date | None, today: date) -> None:
    if valid_until is None:
        raise Refused(
            f"until when does {known.name} hold?",
            "say --until with the day of its renewal or review, as in 2027-06-30",
        )
    if valid_until < today:
        raise Refused(f"{known.name} has ended already", "say --until with a day to come")
    if known.most_days and valid_until > today + timedelta(days=known.most_days):
        raise Refused(
            f"{known.name} holds {known.most_days} days at most", "say --until with a nearer day"
        )


def day(moment: float) -> date:
    """The day of a moment, in UTC."""
    return datetime.fromtimestamp(moment, UTC).date()


@cache
def transfers() -> Transfers:
    """The rules that this version ships."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return Transfers(
        frozenset(data["eea"]["countries"]),
        {row["country"]: row.get("until") for row in data["adequacy"]},
        {row["name"]: _mechanism(row) for row in data["mechanism"]},
    )


def _mechanism(row: Mapping[str, Any]) -> Mechanism:
    return Mechanism(
        row["name"],
        row["does"],
        frozenset(row["countries"]),
        row.get("most_days", 0),
        row.get("ended"),
    )
