"""A delivered PDU in; whether it is a receipt, and what that receipt says, out.

What a receipt is stands in esm_class and in the optional parameters, which no person can write;
the text alone never makes one, or anybody could text "stat:DELIVRD".
Source: SMPP 3.4, sections 5.2.12 (esm_class), 5.2.28 (message_state), appendix B (the text).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from bridge.carriers.smpp.pdu import (
    MESSAGE_TYPE,
    TAG_MESSAGE_STATE,
    TAG_NETWORK_ERROR_CODE,
    TAG_RECEIPTED_MESSAGE_ID,
    Delivery,
)
from bridge.model import Receipt, State

INTERMEDIATE: Final = 0x20
_RECEIPT_TYPES: Final = frozenset({0x04, 0x08, INTERMEDIATE, INTERMEDIATE | 0x04})

#: message_state, and the words that appendix B and the SMSCs of the field write for it.
_WORDS: Final = {
    0: "SCHEDLD",  # 5.0
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    9: "SKIPPED",  # 5.0
}
_STATES: Final[dict[str, tuple[State, str]]] = {
    "SCHEDLD": (State.SENT, "the carrier holds it for later"),
    "ENROUTE": (State.SENT, "on its way"),
    "BUFFERD": (State.SENT, "on its way"),
    "SUBMITD": (State.SENT, "on its way"),
    "ACCEPTD": (State.SENT, "taken by the next network"),
    "DELIVRD": (State.DELIVERED, ""),
    "EXPIRED": (State.EXPIRED, "the phone was not reached in time"),
    "DELETED": (State.FAILED, "the carrier deleted it"),
    "UNDELIV": (State.FAILED, "it could not be delivered"),
    "FAILED": (State.FAILED, "it could not be delivered"),
    "REJECTD": (State.FAILED, "the network rejected it"),
    "SKIPPED": (State.FAILED, "the carrier skipped it"),
    "UNKNOWN": (State.UNKNOWN, "the carrier does not know what became of it"),
}
_FULL_WORDS: Final = {
    "DELIVERED": "DELIVRD",
    "ACCEPTED": "ACCEPTD",
    "REJECTED": "REJECTD",
    "UNDELIVERED": "UNDELIV",
    "UNDELIVERABLE": "UNDELIV",
    "BUFFERED": "BUFFERD",
}

_ID = re.compile(r"\bid:\s*([^\s\0]{1,65})", re.IGNORECASE)
_STAT = re.compile(r"\bstat:\s*([a-z]{1,16})", re.IGNORECASE)
_ERR = re.compile(r"\berr:\s*([0-9a-z]{1,8})\b", re.IGNORECASE)
_DONE = re.compile(r"\bdone date:\s*(\d{10}(?:\d\d){0,2})\b", re.IGNORECASE)


def is_receipt(delivery: Delivery) -> bool:
    """Whether the SMSC marks this as a receipt, final or intermediate."""
    marked = delivery.esm_class & MESSAGE_TYPE in _RECEIPT_TYPES
    return marked or TAG_RECEIPTED_MESSAGE_ID in delivery.tlvs


def raw_id(delivery: Delivery) -> str:
    """The id of the message that a receipt is about, as the SMSC wrote it; "" where it has none."""
    named = delivery.tlvs.get(TAG_RECEIPTED_MESSAGE_ID, b"").split(b"\0", 1)[0].decode("latin-1")
    if not named and (found := _ID.search(_text(delivery))):
        named = found.group(1)
    return named.strip()


def read_receipt(delivery: Delivery, carrier_id: str, now: float) -> Receipt:
    """What a receipt says of `carrier_id`. `now`: Unix time."""
    text = _text(delivery)
    word = _word(delivery, text)
    state, said = _STATES.get(word, (State.UNKNOWN, "the carrier told a state that we do not know"))
    if delivery.esm_class & INTERMEDIATE and state is not State.DELIVERED:
        # An intermediate notification tells of a failed try; the network will try again.
        state = State.SENT
    return Receipt(carrier_id, state, _reason(said, word, delivery, text), _done(text, now))


def _text(delivery: Delivery) -> str:
    # Headings and codes are ASCII in every default alphabet; some SMSCs write UCS-2.
    ucs2 = delivery.data_coding & 0x0C == 0x08
    return delivery.data.decode("utf-16-be" if ucs2 else "latin-1", "replace")


def _word(delivery: Delivery, text: str) -> str:
    state = delivery.tlvs.get(TAG_MESSAGE_STATE, b"")
    if len(state) == 1 and state[0] in _WORDS:
        return _WORDS[state[0]]
    found = _STAT.search(text)
    word = found.group(1).upper() if found else ""
    return _FULL_WORDS.get(word, word)


def _reason(said: str, word: str, delivery: Delivery, text: str) -> str:
    if not said:
        return ""
    network = delivery.tlvs.get(TAG_NETWORK_ERROR_CODE, b"")
    if len(network) == 3:
        code = str(int.from_bytes(network[1:], "big"))
    else:
        written = _ERR.search(text)
        code = written.group(1) if written else ""
    details = [
        *([word] if word in _STATES else []),
        *([f"error {code}"] if code.strip("0") else []),
    ]
    return f"{said} ({', '.join(details)})" if details else said


def _done(text: str, now: float) -> float | None:
    """The done date as Unix time: taken as UTC, since it names no zone, and never after `now`."""
    found = _DONE.search(text)
    if found is None:
        return None
    digits = found.group(1)
    if len(digits) > 10 and digits.startswith("20"):
        digits = digits[2:]  # Written with the century by some.
    year, month, day, *clock = (int(digits[at : at + 2] or "0") for at in range(0, 12, 2))
    try:
        moment = datetime(2000 + year, month, day, clock[0], clock[1], clock[2], tzinfo=UTC)
    except ValueError:
        return None
    return min(moment.timestamp(), now)
