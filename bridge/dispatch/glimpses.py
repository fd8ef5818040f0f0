"""One-time links: a reply in, a link out; the link's secret in, the text out, once."""

from __future__ import annotations

import secrets

from bridge.dispatch.bridge import Bridge
from bridge.store.glimpses import VALID_SECONDS, Glimpse, Opened, Seen, add_glimpses, open_glimpses

PATH = "/read/"


def _hash(bridge: Bridge, secret: str) -> str:
    return bridge.keys.repeat(b"glimpse", secret.encode("utf-8", "replace"))


async def link(bridge: Bridge, tenant: int, reply: int) -> str:
    """A link that shows a reply's text once, for a quarter of an hour (PRIVACY P56)."""
    secret = secrets.token_urlsafe(24)
    over = bridge.clock() + VALID_SECONDS
    await bridge.store.write(add_glimpses, Glimpse(_hash(bridge, secret), tenant, reply, over))
    return f"{bridge.settings.public_url.rstrip('/')}{PATH}{secret}"


async def opened(bridge: Bridge, secret: str) -> str | None:
    """The text; None where the link was opened before, is over, or never was.

    Reading it leaves a line in `audit` (P61).
    """
    now = bridge.clock()
    seen: Seen | None = await bridge.store.write(open_glimpses, Opened(_hash(bridge, secret), now))
    return seen.text if seen is not None else None
