"""What somebody writes of a consent comes in; terms that can be stored, or a refusal, go out.

One grammar for the command line, for chats and for a cell of a file: `name=value` pairs, values
with spaces in quotes. Ages and terms stand in `rules/consent.toml` (S4 4, S4 11).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from bridge.errors import Refused
from bridge.store.consents import Terms

_FILE: Final = Path(__file__).with_name("rules") / "consent.toml"
_DAY: Final = 86400.0
PURPOSES: Final = ("sms", "marketing", "newsletter", "service")
BASES: Final = ("consent", "customer", "guardian")
KEYS: Final = (
    *("programme", "purpose", "basis", "channel", "text", "evidence"),
    *("given", "until", "ended", "age"),
)
FORM: Final = 'programme=<name> text="…" evidence="…"'
_PAIR = re.compile(r'([a-z]+)=(?:"([^"]*)"|([^"\s;]*))(?=[\s;]|$)')
_OLDEST: Final = 120  # years; an age that nobody has is a slip


@dataclass(frozen=True, slots=True)
class Rules:
    """From which age people agree by themselves, by purpose; and terms in seconds."""

    ages: Mapping[str, int]
    customer: float  # after the end of the relation
    confirmation: float  # until an opt-in is confirmed


@cache
def rules() -> Rules:
    """The rules that this version ships."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return Rules(
        ages={purpose: data["age"][purpose] for purpose in PURPOSES},
        customer=data["customer"]["days"] * _DAY,
        confirmation=data["confirmation"]["hours"] * 3600.0,
    )


def pairs(written: str) -> dict[str, str]:
    """`programme=news evidence="web form"` as names and values. Raises Refused."""
    found: dict[str, str] = {}
    rest = written.strip()
    while rest:
        match = _PAIR.match(rest)
        if not match:
            raise Refused("a consent is written as name=value", FORM)
        name, quoted, bare = match.groups()
        if name not in KEYS:
            raise Refused(f"a consent has no {name}", f"it has {', '.join(KEYS)}")
        if name in found:
            raise Refused(f"{name} stands twice", "write it once")
        found[name] = quoted if quoted is not None else bare
        rest = rest[match.end() :].lstrip("; \t\r\n")
    return found


def terms(given: Mapping[str, str], now: float, channel: str) -> Terms:
    """What is to be recorded. Raises Refused, also where a guardian has to agree (S4 11)."""
    purpose = _one_of("purpose", given.get("purpose") or PURPOSES[0], PURPOSES)
    kind = _one_of("basis", given.get("basis") or BASES[0], BASES)
    evidence = given.get("evidence", "").strip()
    if not evidence:
        raise Refused("a consent needs its evidence", 'such as evidence="web form, 2 March 2026"')
    words = given.get("text", "").strip()
    given_at = _moment("given", given.get("given", ""), now)
    if given_at > now + _DAY:
        raise Refused("a consent cannot be given in the future", "given=2026-03-02")
    return Terms(
        programme=given.get("programme", ""),
        purpose=purpose,
        basis=kind,
        channel=given.get("channel") or channel,
        text_version=version_of(words) if words else "",
        text=words,
        evidence=evidence,
        of_age=_of_age(given.get("age", ""), purpose, kind),
        given_at=min(given_at, now),
        expires_at=_expires_at(given, kind, now),
    )


def version_of(words: str) -> str:
    """The name of a text that was given as words: the same for the same words."""
    return sha256(words.encode("utf-8", "replace")).hexdigest()[:12]


def _one_of(name: str, value: str, known: Iterable[str]) -> str:
    if value not in known:
        raise Refused(f"there is no such {name}", f"{name} is {', '.join(known)}")
    return value


def _of_age(written: str, purpose: str, kind: str) -> bool | None:
    """Whether a declared age is enough; None without one. Raises Refused where it is not."""
    if not written:
        return None
    if not (written.isdecimal() and int(written) <= _OLDEST):
        raise Refused("an age is a number of years", "age=17")
    needed = rules().ages[purpose]
    is_enough = int(written) >= needed
    if not is_enough and kind != "guardian":
        raise Refused(
            f"whoever is under {needed} does not agree to this alone",
            'record the consent of a parent or guardian: basis=guardian evidence="…"',
        )
    return is_enough


def _expires_at(given: Mapping[str, str], kind: str, now: float) -> float | None:
    """The end of the term; of a customer so long after the end of the contract (P54)."""
    if given.get("until") and given.get("ended"):
        raise Refused("until and ended do not go together", "leave one of them out")
    if given.get("ended"):
        if kind != "customer":
            raise Refused("ended is the end of a customer's contract", "until=2027-01-31")
        return _moment("ended", given["ended"], now) + rules().customer
    return _moment("until", given["until"], now) if given.get("until") else None


def _moment(name: str, written: str, now: float) -> float:
    """A day or a time in ISO 8601 as Unix time, UTC unless it says; "" is now. Raises Refused."""
    if not written:
        return now
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise Refused(f"{name} is no date", f"{name}=2026-03-02") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
