"""A request and who decides on it for a tenant come in, an address to do so goes out; and back.

For tenants without a chat: who reads the mail of one of `deciders` decides. The address is keyed
for one request and one decider; the addresses of whoever leaves that list lead nowhere.
"""

from __future__ import annotations

import hmac
from typing import Final

from bridge.dispatch.bridge import Bridge
from bridge.keyring import Keyring
from bridge.privacy.requests import Role
from bridge.store import ids
from bridge.store.announcements import Words
from bridge.store.request_rows import Request
from bridge.store.requests import Told

PATH: Final = "/decide/"
_KIND: Final = b"decision link"
_LENGTH: Final = 26


def told_deciders(bridge: Bridge, request: Request, title: str, *lines: str) -> tuple[Told, ...]:
    """News to each of a tenant's deciders, with an address of their own."""
    tenant = bridge.register.tenants.get(request.tenant_id)
    if tenant is None or request.role != Role.PROCESSOR:
        return ()
    subject = f"Request {ids.show(request.id)}: {title}"
    return tuple(
        Told(
            (("mail", one),),
            Words(subject, (*lines, f"Read it and decide: {decision_link(bridge, request, one)}")),
        )
        for one in tenant.deciders
    )


def decision_link(bridge: Bridge, request: Request, decider: str) -> str:
    """Where this decider reads a request and decides on it."""
    shown = f"{ids.show(request.id)}-{_proof(bridge.keys, request.id, decider)}"
    return bridge.settings.public_url.rstrip("/") + PATH + shown


def linked_request(shown: str) -> int:
    """The request that the end of such an address names, proved by nothing yet; 0 for none."""
    try:
        return ids.read(shown.partition("-")[0])
    except ValueError:
        return 0


def decider_of(bridge: Bridge, request: Request, shown: str) -> str:
    """Whose address this is, of those who decide for the request's tenant now; "" for nobody's."""
    tenant = bridge.register.tenants.get(request.tenant_id)
    given = shown.partition("-")[2].encode()
    for one in tenant.deciders if tenant is not None else ():
        made = (_proof(keys, request.id, one) for keys in (bridge.keys, *bridge.keys.older))
        if any(hmac.compare_digest(proof.encode(), given) for proof in made):
            return one
    return ""


def _proof(keys: Keyring, number: int, decider: str) -> str:
    return keys.repeat(_KIND, str(number).encode(), decider.casefold().encode())[:_LENGTH]
