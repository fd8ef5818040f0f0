"""A request comes in, the address of who asks goes out."""

from __future__ import annotations

import ipaddress

from aiohttp import web


def asker(request: web.Request) -> str:
    """Who asks: an IPv4 address, or the network of an IPv6 one, which one subscriber has.

    A proxy on this machine is believed about whom it asks for (its last entry is its own).
    """
    remote = request.remote or ""
    address = _parsed(remote)
    if address is not None and address.is_loopback:
        told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        address = _parsed(told) or address
    if address is None:
        return remote
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
