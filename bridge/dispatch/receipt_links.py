"""An erasure's request comes in, the address of its receipt goes out; and the way back.

Who was erased is known to nobody and cannot sign in: the address alone must prove whose receipt it
is. It is keyed, so that no other one can be made from it.
"""

from __future__ import annotations

import hmac
from typing import Final

from bridge.dispatch.bridge import Bridge
from bridge.store import ids

#: The path of the portal below `public_url`.
_PORTAL: Final = "/privacy"
_KIND: Final = b"receipt link"
_LENGTH: Final = 20


def portal(bridge: Bridge) -> str:
    """The portal's address."""
    return bridge.settings.public_url.rstrip("/") + _PORTAL


def receipt_link(bridge: Bridge, number: int) -> str:
    """Where the receipt of a request is, once there is one."""
    proof = bridge.keys.repeat(_KIND, str(number).encode())[:_LENGTH]
    return f"{portal(bridge)}/receipt/{ids.show(number)}-{proof}"


def linked(bridge: Bridge, shown: str) -> int:
    """The request that the end of such an address names; 0 where it names none."""
    reference, _, proof = shown.partition("-")
    try:
        number = ids.read(reference)
    except ValueError:
        return 0
    keys = (bridge.keys, *bridge.keys.older)
    made = [k.repeat(_KIND, str(number).encode())[:_LENGTH] for k in keys]
    return number if any(hmac.compare_digest(one.encode(), proof.encode()) for one in made) else 0
