"""A number and its country come in, the rule for advertising that binds it goes out.

Rules are dated data, in `rules/countries.toml` (PRIVACY P47 to P49): what the law says today stands
there, not in code.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, reduce
from pathlib import Path
from typing import Any, Final

from bridge.privacy.hours import Hours, both, parse

_RULES: Final = Path(__file__).with_name("rules")
_UNIT: Final = {"h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` messages to a person in any `seconds`."""

    count: int
    seconds: float

    def __str__(self) -> str:
        days, rest = divmod(int(self.seconds), 86400)
        return f"{self.count}/{days}d" if not rest else f"{self.count}/{int(self.seconds) // 3600}h"


@dataclass(frozen=True, slots=True)
class Rule:
    """What advertising to a country, or to a state of one, must keep to."""

    name: str
    hours: Hours
    labels: tuple[str, ...]  # one of these words tells that it is advertising; none: no need
    sender: bool  # the sender is named
    opt_out: bool  # the way out is told
    bases: frozenset[str]  # what permits it: consent, guardian, customer
    purposes: frozenset[str]  # recorded purposes that are specific enough
    caps: tuple[Cap, ...]
    why: str
    source_url: str
    verified_on: date


@dataclass(frozen=True, slots=True)
class _Row:
    rule: Rule
    countries: frozenset[str]
    states: frozenset[str]


def cap(written: str) -> Cap | None:
    """`3/7d` as a cap, "" as none. Raises ValueError."""
    if not written:
        return None
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,2})([hdw])", written, re.ASCII)
    if not found:
        raise ValueError(f'must be messages and a time, such as "3/7d", not "{written}"')
    return Cap(int(found[1]), int(found[2]) * _UNIT[found[3]])


def rule_for(country: str, e164: str) -> Rule:
    """The rule for a number of this country (ISO code).

    Where a country has rows for its states and the number's is not known, all of them bind.
    """
    rows = [row for row in _rows() if country in row.countries]
    if not rows:
        return _elsewhere()
    state = state_of(e164) if any(row.states for row in rows) else ""
    if not state and len(rows) > 1:
        return _all(country)
    found = next((row for row in rows if state in row.states), None)
    return (found or next(row for row in rows if not row.states)).rule


def state_of(e164: str) -> str:
    """The US state that a number's area code belongs to; "" where it is not known."""
    return _area_codes().get(e164[2:5], "") if e164.startswith("+1") else ""


@cache
def _all(country: str) -> Rule:
    """What keeps to every row of a country: its state is not known."""
    rules = [row.rule for row in _rows() if country in row.countries]
    return replace(
        reduce(_both, rules),
        name=f"{country}-unknown",
        why="no state is known: what holds in all of them",
    )


def _both(one: Rule, other: Rule) -> Rule:
    return replace(
        one,
        hours=Hours(both(one.hours.week, other.hours.week), one.hours.holidays),
        labels=one.labels or other.labels,
        sender=one.sender or other.sender,
        opt_out=one.opt_out or other.opt_out,
        bases=one.bases & other.bases,
        purposes=one.purposes & other.purposes,
        caps=tuple(dict.fromkeys(one.caps + other.caps)),
        verified_on=min(one.verified_on, other.verified_on),
    )


@cache
def _rows() -> Sequence[_Row]:
    data = tomllib.loads((_RULES / "countries.toml").read_text(encoding="utf-8"))
    return tuple(_row(row) for row in data["rule"])


def _elsewhere() -> Rule:
    return next(row.rule for row in _rows() if not row.countries)


def _row(row: Mapping[str, Any]) -> _Row:
    countries = row.get("countries", [])
    limit = cap(row.get("cap", ""))
    rule = Rule(
        name=row["name"],
        hours=Hours(parse(row["hours"]), countries[0] if row.get("holidays") else ""),
        labels=tuple(row.get("label", ())),
        sender=row["sender"],
        opt_out=row["opt_out"],
        bases=frozenset(row["bases"]),
        purposes=frozenset(row["purposes"]),
        caps=(limit,) if limit else (),
        why=row["why"],
        source_url=row["source_url"],
        verified_on=row["verified_on"],
    )
    return _Row(rule, frozenset(countries), frozenset(row.get("states", ())))


@cache
def _area_codes() -> Mapping[str, str]:
    data = tomllib.loads((_RULES / "area_codes.toml").read_text(encoding="utf-8"))
    return {code: state for state, codes in data["states"].items() for code in codes}
