"""Plain data that travels through the house; no behaviour beyond the table of states.

Nobody changes a record after it was made. Those that are made for every message are not frozen all
the same: freezing triples what it costs to make one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a message stands; `bridge log` prints these words."""

    SCHEDULED = "scheduled"
    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    UNKNOWN = "unknown"


FINAL = frozenset(
    {State.DELIVERED, State.FAILED, State.EXPIRED, State.CANCELLED, State.SUPPRESSED},
)

#: What may follow what. A receipt that would move a message elsewhere is kept as an event only.
NEXT: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset(
        {State.QUEUED, State.SENDING, State.CANCELLED, State.SUPPRESSED, State.EXPIRED},
    ),
    State.HELD: frozenset({State.QUEUED, State.CANCELLED, State.SUPPRESSED, State.EXPIRED}),
    State.QUEUED: frozenset(
        {
            State.SENDING,
            State.DELIVERED,  # in doubt, to be sent again: its receipt comes before that
            State.CANCELLED,
            State.SUPPRESSED,
            State.EXPIRED,
            State.FAILED,
            State.UNKNOWN,  # in doubt until its validity was over
        },
    ),
    State.SENDING: frozenset(
        {
            State.QUEUED,
            State.SENT,
            State.DELIVERED,
            State.FAILED,
            State.EXPIRED,
            State.SUPPRESSED,
            State.UNKNOWN,
        },
    ),
    State.SENT: frozenset({State.DELIVERED, State.FAILED, State.EXPIRED}),
    State.UNKNOWN: frozenset(
        {
            State.QUEUED,
            State.SENT,
            State.DELIVERED,
            State.FAILED,
            State.EXPIRED,
            State.CANCELLED,
            State.SUPPRESSED,
        },
    ),
    **{final: frozenset() for final in FINAL},
}


class Class(StrEnum):
    """What a message is for; it decides what happens to a doubtful one."""

    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"


@dataclass(slots=True)
class Part:
    """One SMS part ready to leave, with the attempt that was written before it may."""

    attempt: int
    message: int
    number: int  # 1-based
    total: int
    ref: int  # concatenation reference, 0-255
    destination: str  # E.164
    originator: str  # what the phone shows; "" = the carrier's own
    text: str
    encoding: str  # "gsm7" | "ucs2"
    lang: str  # national shift table, "" = the default alphabet
    expires_at: float | None  # Unix time, seconds
    urgent: bool = False
    left: float = 0.0  # when it was handed to the carrier: the loop's time, seconds


class Verdict(StrEnum):
    """What a carrier's answer to a part means for us."""

    ACCEPTED = "accepted"  # the carrier took it; carrier_id names it in receipts
    NOT_SENT = "not-sent"  # it surely did not leave: send it again, nothing is doubled
    THROTTLED = "throttled"  # refused for now; the lane pauses, nothing is doubled
    REJECTED = "rejected"  # this carrier will never take it: the next in the route may
    FAILED = "failed"  # nobody will: the number or the text is at fault
    OPTED_OUT = "opted-out"  # the carrier knows that this person has opted out
    UNKNOWN = "unknown"  # it may have been taken or not


@dataclass(slots=True)
class Outcome:
    """A carrier's answer to one part."""

    verdict: Verdict
    carrier_id: str = ""
    reason: str = ""  # short, in plain words with the carrier's code; no personal data
    pause: float = 0.0  # seconds to leave the carrier alone (THROTTLED), to hope for it (UNKNOWN)
    also: tuple[str, ...] = ()  # further ids, one each part, of a text that it took whole and cut
    late: bool = False  # the part was told as UNKNOWN before


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery receipt: evidence about one part, named by the carrier's id."""

    carrier_id: str
    state: State  # SENT (still under way), DELIVERED, FAILED, EXPIRED, UNKNOWN
    reason: str = ""
    at: float | None = None  # Unix time of the carrier's "done date"


@dataclass(frozen=True, slots=True)
class Inbound:
    """One MO part as a carrier handed it over, before it is joined and decoded."""

    source: str  # the person's number, as the carrier wrote it
    destination: str  # our number, as the carrier wrote it
    data: bytes
    coding: str  # "gsm7" (one septet an octet) | "ucs2" (UTF-16BE) | "latin1" | "ascii" | "utf-8"
    lang: str = ""  # national shift table named by the UDH
    ref: int = 0
    total: int = 1
    number: int = 1
    key: str = ""  # the carrier's own id of this MO where it has one


@dataclass(frozen=True, slots=True)
class OptedOut:
    """A number on a carrier's own list of people who opted out with it."""

    number: str  # as the carrier writes it
    sender: str = ""  # to which of ours they said so, as the carrier writes it; "" = to all
    at: float | None = None  # Unix time, where the carrier tells


@dataclass(frozen=True, slots=True)
class OptOutPage:
    """A page of such a list."""

    people: Sequence[OptedOut]
    total: int | None = None  # how long the carrier says that the whole list is now


class Fate(StrEnum):
    """What became of a carrier's record of an SMS that it was asked to erase."""

    ERASED = "erased"
    GONE = "gone"  # the carrier has it no more
    LATER = "later"  # it is to be asked again
    REFUSED = "refused"  # it never will be erased so


@dataclass(frozen=True, slots=True)
class Erased:
    """A carrier's answer to being asked to erase one record."""

    fate: Fate
    reason: str = ""  # why it is not erased; never personal data
    hint: str = ""  # what the operator can do about that
    pause: float = 0.0  # seconds after which to ask again; 0 where the carrier does not say
    whole: bool = False  # it is so for every record of the account


@dataclass(slots=True)
class Origin:
    """Where a message was written, and what is needed to answer there."""

    kind: str  # "mail" | "slack" | "telegram" | "cli"
    address: str  # mail: the envelope sender; chat: the channel or chat id
    ref: dict[str, Any] = field(default_factory=dict)  # mail: message_id, references, subject


@dataclass(slots=True)
class Submission:
    """What an edge heard, translated: one message to one destination."""

    tenant: int
    origin: Origin
    destination: str  # E.164
    country: str  # ISO 3166 alpha-2 of the destination
    text: str  # as to be sent, before encoding policy
    klass: Class = Class.TRANSACTIONAL
    urgent: bool = False
    originator: str = ""
    not_before: float | None = None  # Unix time
    hold: str = ""  # why a person must look first; "" = send
    dedupe: bytes | None = None  # the same within an hour is one SMS; None = never a repeat
    rules: tuple[str, ...] = ()  # what shaped the text, for the log
    tail: str = ""  # what must stay whole at the text's end: the link to its files
    sender: str = ""  # who wrote it, as the brakes know them; "" = the origin
    kind: str = ""  # libphonenumber's type of the destination, where the edge knows it
    fold: float = 0.0  # seconds within which the same alert is folded; 0 = never
    programme: str = ""  # of which of the tenant's programmes it is, by name; "" = none
