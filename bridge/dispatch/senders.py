"""What a phone would show comes in; whether its country's networks carry it, and whether the
person can answer, goes out.

Rules are dated data, in `senders.toml`. A carrier's own list of registered names is the operator's.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from bridge.settings import SANDBOX, Carrier

_RULES: Final = Path(__file__).with_name("senders.toml")
NAME, LONG, SHORT, CARRIERS = "name", "long", "short", "carrier's own"
_SHORT: Final = re.compile(r"[0-9]{3,8}").fullmatch


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds in one country."""

    country: str
    name: str  # "yes" | "registered" | "no"
    number: str  # "yes" | "local"
    answers: tuple[str, ...]
    note: str
    source_url: str
    verified_on: date


@cache
def rules() -> Mapping[str, Rule]:
    """What is known, by country."""
    data = tomllib.loads(_RULES.read_text(encoding="utf-8"))
    return {
        country: Rule(country, **{**row, "answers": tuple(row["answers"])})
        for country, row in data.items()
    }


def kind_of(originator: str) -> str:
    """A name, a long number, a short code, or whatever the carrier shows by itself ("")."""
    if not originator:
        return CARRIERS
    if any(map(str.isalpha, originator)):
        return NAME
    return SHORT if _SHORT(originator) else LONG


def why_not(originator: str, country: str, carrier: Carrier) -> str:
    """Why this carrier cannot show it there; "" where it can, or where nothing is known."""
    if not originator or carrier.kind == SANDBOX:
        return ""
    return _why_not(originator, country, carrier.name, tuple(carrier.senders))


@lru_cache(maxsize=4096)
def _why_not(originator: str, country: str, carrier: str, registered: Sequence[str]) -> str:
    rule = rules().get(country)
    if rule is None or kind_of(originator) != NAME:
        return ""
    if rule.name == "no":
        return f"phones in {country} show no names"
    if rule.name == "registered" and registered and originator not in registered:
        return f"{originator} is not registered with {carrier}, which {country} asks for"
    return ""


def answers(originator: str) -> str:
    """Whether people can answer: "yes", "no", or "" where the carrier alone knows."""
    kind = kind_of(originator)
    return {NAME: "no", CARRIERS: ""}.get(kind, "yes")


def told(originator: str) -> str:
    """What a writer should know of it before they send."""
    said = {
        "yes": f"{originator}: answers come back",
        "no": f"{originator}: a name, nobody can answer it",
    }
    return said.get(answers(originator), "the carrier's own number: it knows whether answers come")


def caveats(originator: str, country: str, carrier: Carrier) -> list[str]:
    """What an operator should know of showing it there."""
    rule, kind = rules().get(country), kind_of(originator)
    if carrier.kind == SANDBOX:
        return []
    if rule is None:
        return [f"nothing is known of senders in {country or 'this country'}"]
    said = []
    if kind == NAME and rule.name == "registered" and not carrier.senders:
        said.append(f"names are to be registered there, and {carrier.name} declares none (senders)")
    if kind in (LONG, SHORT) and rule.number == "local":
        said.append("numbers of other countries may be blocked or overwritten there")
    if kind == SHORT and rule.answers and SHORT not in rule.answers:
        said.append("no short codes that take answers are known there")
    return [*said, rule.note] if rule.note else said


def of_pool(pool: Sequence[str], person: str) -> str:
    """Which number of a pool somebody new gets: even over people, and the same in every process."""
    return max(pool, key=lambda each: blake2b(f"{each} {person}".encode(), digest_size=8).digest())
