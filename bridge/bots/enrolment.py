"""Codes that enrol a person in a chat: a new one to be shown once; what was typed to its hash.

Twelve characters of Crockford's base32 are 60 bits, of which a guesser has a few tries a quarter
of an hour. Only the keyed hash is stored.
"""

from __future__ import annotations

import secrets
from typing import Final

from bridge.keyring import Keyring

#: How long an invitation waits to be redeemed.
VALID_SECONDS: Final = 15 * 60.0

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# What a hand mistakes for a digit; and dashes, which a phone may have made longer.
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1"} | dict.fromkeys("-‐‑–—"))


def new_code() -> str:
    """XXXX-XXXX-XXXX."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return "-".join((code[:4], code[4:8], code[8:]))


def code_hash(keys: Keyring, typed: str) -> str:
    """How an invitation is known; the same for every common way to write its code."""
    code = typed.strip().upper().translate(_READ_AS)
    return keys.repeat(b"invitation", code.encode("utf-8", "replace"))
