"""Marketing texts come in, with the way out that its recipients need where they cannot answer.

A sender's name takes no answers, so no STOP (PRIVACY P46): the text has a short link instead, one
for each tenant and person, which the page in `web/optout.py` obeys.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.links import link
from bridge.dispatch.stopping import settle
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.keyring import Keyring
from bridge.privacy.leaving import PLACE, has_way_out, takes_no_answer
from bridge.store.suppressions import ByLink, suppress_by_link

PATH: Final = "/o/"
_SECRET: Final = 12  # characters of base64: 72 bits


def secret(keys: Keyring, tenant: int, e164: str) -> str:
    """What stands behind `/o/`: the same for every text of a tenant to a person."""
    return keys.repeat(b"opt-out link", b"%d" % tenant, e164.encode())[:_SECRET]


def link_hash(given: str) -> str:
    """By which the store knows a link. Nobody can try 72 bits, so that it needs no pepper."""
    return sha256(given.encode("utf-8", "replace")).hexdigest()


def with_way_out(
    tenant: Tenant, keys: Keyring, url: str, e164: str, originator: str, text: str
) -> tuple[str, str]:
    """The marketing text as it leaves, and its link's hash ("" without one).

    `{optout}` becomes the link; where nobody can answer, a text without any way out gets it added,
    or is refused, as the tenant wishes. Raises Refused.
    """
    wanted = PLACE in text
    if not wanted and (not takes_no_answer(originator) or has_way_out(text, originator)):
        return text, ""
    if not wanted and tenant.optout == "require":
        raise Refused(
            "an advertisement from a name needs a way to opt out (a name takes no STOP)",
            "write {optout} where the link is to stand, or send it from a number",
        )
    given = secret(keys, tenant.id, e164)
    out = link(url, tenant.link_domain, f"{PATH}{given}")
    shown = text.replace(PLACE, out) if wanted else f"{text.rstrip()}\nSTOP: {out}"
    return shown, link_hash(given)


async def left_by_link(bridge: Bridge, given: str, purpose: str) -> bool:
    """Opt out whom this link was sent to; False for one that there never was.

    Raises StoreUnavailable, TryLater.
    """
    item = ByLink(link_hash(given), purpose, bridge.clock())
    done = await bridge.store.write(suppress_by_link, item)
    if done is None:
        return False
    await settle(bridge, done[0])
    return True
