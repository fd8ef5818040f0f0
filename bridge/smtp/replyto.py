"""A conversation's number in, the local part of its reply address out, and back.

    r-<base32 of: conversation (8 octets), last day (2), HMAC-SHA-256 cut to 15>

42 characters in lower case; upper and mixed case read the same, since mail programs and relays
change it. Who knows an address can answer in that conversation, and in no other: 120 bits of HMAC
(RFC 2104 5 asks for 80 at least) keep addresses from being made up.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import math
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PREFIX = "r-"
_PAYLOAD = struct.Struct(">QH")  # conversation; last day of validity, 0 = for ever
_SIGNATURE = 15  # with the payload 25 octets: base32 without padding
_LENGTH = len(PREFIX) + (_PAYLOAD.size + _SIGNATURE) * 8 // 5
_DAY = 86_400


def derive(secret: bytes) -> bytes:
    """The key for reply addresses, from a secret that serves other ends too (RFC 5869)."""
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"sms-bridge reply address 1").derive(secret)


def make(conversation: int, key: bytes, expires: float | None = None) -> str:
    """The local part for a conversation (0 to 2**63 - 1), always the same for the same input.

    `expires` is Unix time in seconds, until 2149; the address stays good until that day (UTC)
    is over. Raises ValueError for numbers outside these ranges.
    """
    day = 0 if expires is None else math.floor(expires / _DAY)
    if not 0 <= conversation < 2**63 or not (expires is None or 0 < day < 2**16):
        raise ValueError("no reply address can hold this conversation or this day")
    payload = _PAYLOAD.pack(conversation, day)
    return PREFIX + base64.b32encode(payload + _sign(payload, key)).decode("ascii").lower()


def read(local: str, key: bytes, now: float) -> int | None:
    """The conversation that a local part was made for; None if it is not ours or has expired."""
    if len(local) != _LENGTH or local[: len(PREFIX)].lower() != PREFIX:
        return None
    try:
        data = base64.b32decode(local[len(PREFIX) :], casefold=True)
    except (binascii.Error, ValueError):
        return None
    payload, signature = data[: _PAYLOAD.size], data[_PAYLOAD.size :]
    if not hmac.compare_digest(_sign(payload, key), signature):
        return None
    conversation, day = _PAYLOAD.unpack(payload)
    return None if day and now >= (day + 1) * _DAY else int(conversation)


def _sign(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")[:_SIGNATURE]
