"""What is decided about a mail's sender, and what that is decided by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ruling(StrEnum):
    """What to do with a mail, as far as its sender is concerned."""

    PASS = "pass"  # noqa: S105 - no password: RFC 7489's word
    HOLD = "hold"  # a person releases or drops it
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Finding:
    """A ruling and why, in a sentence that may be shown to the sender."""

    ruling: Ruling
    reason: str


@dataclass(frozen=True, slots=True)
class Way:
    """How a mail came in: the client's IP address ("" if none), its HELO, the envelope sender."""

    ip: str
    helo: str
    sender: str
