"""A command_status in, what it means for us out: verdict and plain reason.

Source: SMPP 3.4, section 5.1.3. The number at fault fails the part for every carrier; our
account, our originator or the service at fault rejects it here, and the next carrier may take it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.model import Outcome, Verdict

_REJECTED = Verdict.REJECTED
_FAILED = Verdict.FAILED
_THROTTLED = Verdict.THROTTLED

ESME_ROK: Final = 0x00
ESME_RINVCMDID: Final = 0x03
ESME_RALYBND: Final = 0x05
ESME_RINVPASWD: Final = 0x0E
ESME_RINVSYSID: Final = 0x0F
ESME_RX_T_APPN: Final = 0x64
ESME_RX_P_APPN: Final = 0x65

STATUS: Final[dict[int, tuple[Verdict, str]]] = {
    0x01: (_REJECTED, "the carrier finds the message too long"),
    0x02: (_REJECTED, "the carrier cannot read our request"),
    0x03: (_REJECTED, "the carrier does not know our request"),
    0x04: (_REJECTED, "this bind may not send; the account needs a transmitter or transceiver"),
    0x05: (_REJECTED, "this account is bound already"),
    0x06: (_REJECTED, "the carrier does not take this priority"),
    0x07: (_REJECTED, "the carrier does not do receipts as we asked for them"),
    0x08: (_THROTTLED, "the carrier has a fault of its own"),
    0x0A: (_REJECTED, "the carrier does not take this originator"),
    0x0B: (_FAILED, "the carrier knows no such number"),
    0x0C: (_REJECTED, "the carrier does not know this message id"),
    0x0D: (_REJECTED, "the carrier refused the bind"),
    0x0E: (_REJECTED, "the password is wrong"),
    0x0F: (_REJECTED, "the system_id is wrong"),
    0x11: (_REJECTED, "the carrier could not cancel the message"),
    0x13: (_REJECTED, "the carrier could not replace the message"),
    0x14: (_THROTTLED, "the carrier's queue is full"),
    0x15: (_REJECTED, "the carrier does not know this service type"),
    0x33: (_REJECTED, "the carrier finds too many destinations"),
    0x34: (_REJECTED, "the carrier does not know this distribution list"),
    0x40: (_REJECTED, "the carrier does not take this destination flag"),
    0x42: (_REJECTED, "the carrier does not take this kind of submit"),
    0x43: (_REJECTED, "the carrier does not take this esm_class; try another way for long texts"),
    0x44: (_REJECTED, "the carrier cannot send to distribution lists"),
    0x45: (_REJECTED, "the carrier could not send the message"),
    0x48: (_REJECTED, "the carrier does not take this type of originator (TON)"),
    0x49: (_REJECTED, "the carrier does not take this numbering plan of originators (NPI)"),
    0x50: (_REJECTED, "the carrier does not take this type of number (TON)"),
    0x51: (_REJECTED, "the carrier does not take this numbering plan (NPI)"),
    0x53: (_REJECTED, "the carrier does not know our system_type"),
    0x54: (_REJECTED, "the carrier does not take this replace flag"),
    0x55: (_REJECTED, "the carrier finds the number of messages wrong"),
    0x58: (_THROTTLED, "we send faster than the carrier allows"),
    0x61: (_REJECTED, "the carrier does not take this delivery time"),
    0x62: (_REJECTED, "the carrier does not take this validity period"),
    0x63: (_REJECTED, "the carrier does not know this predefined message"),
    0x64: (_THROTTLED, "the carrier cannot take it for now"),
    0x65: (_REJECTED, "the carrier will not take it"),
    0x66: (_REJECTED, "the carrier refused the message"),
    0x67: (_REJECTED, "the carrier could not answer the query"),
    0xC0: (_REJECTED, "the carrier finds our optional parameters broken"),
    0xC1: (_REJECTED, "the carrier allows no optional parameter here"),
    0xC2: (_REJECTED, "the carrier finds an optional parameter of wrong length"),
    0xC3: (_REJECTED, "the carrier misses an optional parameter"),
    0xC4: (_REJECTED, "the carrier does not take an optional parameter's value"),
    0xFE: (_REJECTED, "the carrier could not deliver the message"),
    0xFF: (_REJECTED, "the carrier met an error that it does not know"),
}
_OTHER = (_REJECTED, "the carrier refused it with a code of its own")

PAUSE_FIRST: Final = 0.25
PAUSE_LONGEST: Final = 30.0


def describe(status: int) -> str:
    """The status as a short sentence with its code."""
    return f"{STATUS.get(status, _OTHER)[1]} (SMPP 0x{status:02X})"


@dataclass(slots=True)
class Judge:
    """Turns the statuses of one bind into outcomes, and remembers how long it is throttled.

    The pause doubles only for a part that left after the last refusal: one full window refused
    at once counts once.
    """

    pause: float = 0.0
    #: Codes of the carrier's own for a person who has opted out there (PRIVACY P43).
    optouts: frozenset[int] = frozenset()
    _since: float = 0.0

    def outcome(self, status: int, left: float, now: float) -> Outcome:
        """What `status`, no success, means for a part that left at `left` (loop times)."""
        if status in self.optouts:
            reason = f"this person has opted out with the carrier (SMPP 0x{status:02X})"
            return Outcome(Verdict.OPTED_OUT, reason=reason)
        verdict = STATUS.get(status, _OTHER)[0]
        if verdict is not Verdict.THROTTLED:
            return Outcome(verdict, reason=describe(status))
        if not self.pause or left >= self._since:
            self.pause = min(max(self.pause * 2, PAUSE_FIRST), PAUSE_LONGEST)
            self._since = now
        return Outcome(verdict, reason=describe(status), pause=self.pause)

    def relieved(self, left: float) -> None:
        """A part that left at `left` was accepted: forget a throttling before it."""
        if left >= self._since:
            self.pause = 0.0
