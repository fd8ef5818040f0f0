"""A data subject's request comes in; what it stops, or lets go of again, goes out.

Stopping needs no proof: advertising ends on receipt. All else ends once the number is proved, so
that nobody silences another's alarms; for an objection only until it is decided (PRIVACY P28).
"""

from __future__ import annotations

from typing import Final

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.stopping import wish
from bridge.privacy.requests import STOPPING, Kind
from bridge.store.listed import ANY, MARKETING, OBJECTED
from bridge.store.request_rows import Request
from bridge.store.requests import Unstop
from bridge.store.suppressions import Suppress

NUMBER: Final = "number"
_UNPROVED: Final = "request"  # source of a suppression that nobody has proved yet


def stops(bridge: Bridge, request: Request, *, proved: bool) -> tuple[Suppress, ...]:
    """What a request stops when it is received, or when its number is `proved`."""
    if Kind(request.type) not in STOPPING or request.identity_kind != NUMBER:
        return ()
    if not request.identity:
        return ()  # erased already, and suppressed with it
    if not proved or to_marketing(request) or request.type == Kind.WITHDRAW:
        purpose = MARKETING  # a consent that ends touches nothing that had another ground
    else:
        purpose = OBJECTED if request.type == Kind.OBJECT else ANY
    return (stopping(bridge, request, purpose, proved=proved),)


def to_marketing(request: Request) -> bool:
    """Whether a request is an objection to advertising alone, which nobody weighs (Art. 21(3))."""
    return request.type == Kind.OBJECT and request.known_details.get("mode") == "marketing"


def stopping(bridge: Bridge, request: Request, purpose: str, *, proved: bool = True) -> Suppress:
    """What a request about a number stops."""
    return wish(
        bridge.keys,
        request.tenant_id,
        request.identity,
        scope="tenant" if request.tenant_id else "all",
        source="portal" if proved else _UNPROVED,
        now=bridge.clock(),
        purpose=purpose,
    )


def unstopping(bridge: Bridge, request: Request, *purposes: str, why: str) -> Unstop:
    """What a request had stopped, of these kinds, is stopped no more."""
    keys, tenant, number = bridge.keys, request.tenant_id, request.identity
    tokens = tuple(
        k.person(tenant, number) if tenant else k.everyone(number) for k in (keys, *keys.older)
    )
    return Unstop(tokens, purposes, request.received_at, bridge.clock(), why)


def let_go(bridge: Bridge, request: Request, why: str) -> tuple[Unstop, ...]:
    """What an objection stopped until it is decided; advertising stays stopped (P28)."""
    if request.type != Kind.OBJECT or request.identity_kind != NUMBER or not request.identity:
        return ()
    return (unstopping(bridge, request, OBJECTED, why=why),)
