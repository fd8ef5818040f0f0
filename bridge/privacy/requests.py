"""A request of a data subject comes in, with what happens to it; its next state and dates go out.

Pure: kinds, states and what may follow what, and calendar arithmetic (PRIVACY, "Request"). The
numbers are rows of `rules/requests.toml`. Times are Unix seconds.

    received → identity_pending → verified | rejected
    verified → approved (we decide) | forwarded → instructed → approved | refused
    approved → previewed → executing → done → receipt_sent

Beside the way: held, withdrawn, duplicate, failed. An extension moves the due date, not the state.
"""

from __future__ import annotations

import calendar
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

_FILE: Final = Path(__file__).with_name("rules") / "requests.toml"


class Kind(StrEnum):
    """What a person may ask for (GDPR Art. 15 to 21, and 7(3))."""

    ACCESS = "access"
    PORTABILITY = "portability"
    RECTIFY = "rectify"
    ERASE = "erase"
    RESTRICT = "restrict"
    OBJECT = "object"
    WITHDRAW = "withdraw"


class Role(StrEnum):
    """Who decides: the tenant, whose processor we are, or we."""

    PROCESSOR = "processor"
    CONTROLLER = "controller"


class State(StrEnum):
    """Where a request stands."""

    RECEIVED = "received"
    IDENTITY_PENDING = "identity_pending"
    VERIFIED = "verified"
    REJECTED = "rejected"  # nobody proved to be the person
    FORWARDED = "forwarded"
    INSTRUCTED = "instructed"
    APPROVED = "approved"
    REFUSED = "refused"
    PREVIEWED = "previewed"
    EXECUTING = "executing"
    DONE = "done"
    RECEIPT_SENT = "receipt_sent"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    DUPLICATE = "duplicate"
    FAILED = "failed"


FINAL: Final = frozenset(
    {State.REJECTED, State.REFUSED, State.RECEIPT_SENT, State.WITHDRAWN, State.DUPLICATE}
)
#: What a person can prove by something stronger than words, from nothing to a second fact.
LEVELS: Final = ("", "address", "number", "vouched", "second-fact")

NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.RECEIVED: frozenset(
        {State.IDENTITY_PENDING, State.VERIFIED, State.REJECTED, State.DUPLICATE}
        | {State.WITHDRAWN}
    ),
    State.IDENTITY_PENDING: frozenset(
        {State.VERIFIED, State.REJECTED, State.DUPLICATE, State.WITHDRAWN}
    ),
    State.VERIFIED: frozenset(
        {State.APPROVED, State.FORWARDED, State.REFUSED, State.HELD, State.WITHDRAWN}
    ),
    State.FORWARDED: frozenset({State.INSTRUCTED, State.HELD, State.WITHDRAWN}),
    State.INSTRUCTED: frozenset({State.APPROVED, State.REFUSED, State.HELD, State.WITHDRAWN}),
    State.APPROVED: frozenset({State.PREVIEWED, State.HELD, State.WITHDRAWN}),
    State.PREVIEWED: frozenset({State.EXECUTING, State.HELD, State.WITHDRAWN}),
    State.EXECUTING: frozenset({State.DONE, State.FAILED, State.HELD}),
    State.FAILED: frozenset({State.EXECUTING, State.HELD}),
    # An export that waits for its release can still be stopped by the number's owner (P73).
    State.DONE: frozenset({State.RECEIPT_SENT, State.WITHDRAWN}),
    State.HELD: frozenset(
        {State.VERIFIED, State.FORWARDED, State.INSTRUCTED, State.APPROVED, State.REFUSED}
        | {State.WITHDRAWN}
    ),
    **{final: frozenset() for final in FINAL},
}

#: These stop what is sent as soon as they are received: stopping needs no proof.
STOPPING: Final = frozenset({Kind.OBJECT, Kind.WITHDRAW, Kind.ERASE})
#: These hand out data: a second fact, and a notice to the number before (P23, P73).
RELEASING: Final = frozenset({Kind.ACCESS, Kind.PORTABILITY})
#: A second person must agree to these.
TWO_PEOPLE: Final = frozenset({Kind.ERASE})
GROUNDS: Final = ("accuracy", "unlawful", "claims", "objection")  # of a restriction, Art. 18(1)
#: How a person is erased (P29), and what an objection is to (Art. 21(1) or (2)).
MODES: Final = {Kind.ERASE: ("suppress", "only"), Kind.OBJECT: ("any", "marketing")}


def before(after: State) -> tuple[str, ...]:
    """The states that may become `after`."""
    return tuple(str(state) for state, found in NEXT.items() if after in found)


def resumed(held_from: str) -> State:
    """The state of a request whose hold has ended: what was shown or begun is shown anew."""
    came = State(held_from)
    begun = (State.APPROVED, State.PREVIEWED, State.EXECUTING, State.FAILED)
    return State.APPROVED if came in begun else came


@dataclass(frozen=True, slots=True)
class Authority:
    """Whom a person may complain to (Art. 77)."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of rules/requests.toml; spans in seconds where no unit is named."""

    months: int
    most_extension_months: int
    escalate_days: int
    remind_days: int
    tell_business_days: int
    code_digits: int
    code_seconds: float
    code_tries: int
    codes_an_hour: int
    codes_a_day: int
    notice_seconds: float
    authority: str
    authorities: Mapping[str, Authority]


@cache
def rules() -> Rules:
    """The rules as they ship."""
    data: dict[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    code = data["code"]
    return Rules(
        months=data["answer"]["months"],
        most_extension_months=data["answer"]["most_extension_months"],
        escalate_days=data["watch"]["escalate_day"],
        remind_days=data["watch"]["remind_days"],
        tell_business_days=data["tell_tenant"]["business_days"],
        code_digits=code["digits"],
        code_seconds=code["minutes"] * 60.0,
        code_tries=code["tries"],
        codes_an_hour=code["an_hour"],
        codes_a_day=code["a_day"],
        notice_seconds=data["release"]["notice_hours"] * 3600.0,
        authority=data["authority"]["default"],
        authorities={
            row["country"]: Authority(row["name"], row["address"]) for row in data["authorities"]
        },
    )


def authority(*wishes: str) -> Authority:
    """The first wish that is given: a country's authority, or words as they stand; else ours."""
    for wish in (*wishes, rules().authority):
        if wish:
            known = rules().authorities.get(wish.upper())
            return known or Authority(wish, "")
    raise AssertionError("the rules name a default")


def months_after(moment: float, months: int) -> float:
    """So many calendar months later, at the same time of day (UTC).

    Where the month has no such day, its last one (Regulation 1182/71, Art. 3(2)(c)). The later
    end that Art. 3(4) gives after a holiday is not used.
    """
    at = datetime.fromtimestamp(moment, UTC)
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day).timestamp()


def due(received_at: float) -> float:
    """When the answer is due (P22)."""
    return months_after(received_at, rules().months)


def extended(received_at: float, months: int) -> float:
    """The due date with an extension of so many months. Raises ValueError beyond the law's."""
    most = rules().most_extension_months
    if not 1 <= months <= most:
        raise ValueError(f"an extension is of 1 to {most} months (GDPR Art. 12(3))")
    return months_after(received_at, rules().months + months)


def escalates_at(received_at: float) -> float:
    """When a request that still waits for its tenant is escalated."""
    return received_at + rules().escalate_days * 86400.0


def reminds_at(due_at: float) -> float:
    """When people are reminded of a due date."""
    return due_at - rules().remind_days * 86400.0


def tell_by(received_at: float) -> float:
    """Until when the tenant must know (P15): weekends count for nothing, holidays are ignored."""
    at, left = datetime.fromtimestamp(received_at, UTC), rules().tell_business_days
    while left:
        at += timedelta(days=1)
        left -= at.weekday() < 5
    return at.timestamp()
