"""A code from a text comes in; what it leads to, and a file piece by piece, goes out.

A code that there never was, one that has ended and one whose files were erased are alike: the same
statement is run, and finds nothing.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from bridge.dispatch.attaching import link_hash, read_code
from bridge.dispatch.bridge import Bridge
from bridge.store.attachments import (
    BY_LINK,
    CHUNK,
    PIECE,
    Piece,
    Served,
    count_served,
    opened,
)
from bridge.store.portal import ASKED, note_asks
from bridge.store.sql import Values

#: So many codes that lead nowhere may be tried from one address in so many seconds.
TRIES, WITHIN = 60, 600.0


class TooMany(Exception):
    """Too many codes that lead nowhere were tried from this address."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that a link leads to."""

    id: int
    tenant_id: int
    name: str
    kind: str
    size: int
    file_id: int
    file_key: str
    expires_at: float


async def behind(bridge: Bridge, typed: str, asker: str, domain: str) -> Sequence[Sent]:
    """The files behind a code, asked for at a tenant's `domain` ("": at the bridge's own).

    Empty where the code leads nowhere. Raises TooMany, StoreUnavailable.
    """
    now = bridge.clock()
    key = bridge.keys.repeat(b"link address", asker.encode())
    tried = await bridge.store.read(ASKED, key=key, since=now - WITHIN)
    if tried[0][0] >= TRIES:
        raise TooMany
    code = read_code(typed)
    links = Values(link_hash(keys, code) for keys in (bridge.keys, *bridge.keys.older))
    rows = await bridge.store.read(BY_LINK, links=links, now=now)
    found = [Sent(*row) for row in rows] if code else []
    found = [each for each in found if _is_of(bridge, each.tenant_id, domain)]
    if not found:
        await bridge.store.write(note_asks, (key, now))
        bridge.metrics.attachments.labels("not-found").inc()
    return found


def _is_of(bridge: Bridge, tenant: int, domain: str) -> bool:
    owner = bridge.register.tenants.get(tenant)
    return owner is not None and domain in ("", owner.link_domain)


async def octets(bridge: Bridge, file: Sent) -> AsyncIterator[bytes]:
    """A file's content, a piece in memory at a time; it is counted with the last of them.

    Raises StoreUnavailable; LookupError where it went meanwhile.
    """
    key = b64decode(file.file_key)
    if not key:
        raise LookupError("the file has no key any more")
    count = -(-file.size // CHUNK)
    for number in range(count):
        rows = await bridge.store.read(PIECE, file=file.file_id, number=number)
        if not rows:
            raise LookupError("a piece of the file is gone")
        try:
            piece = opened(key, Piece(file.file_id, number, rows[0][0]))
        except ValueError as wrong:
            raise LookupError(str(wrong)) from wrong
        if number == count - 1:
            await bridge.store.write(count_served, Served(file.id, bridge.clock()))
            bridge.metrics.attachments.labels("served").inc()
        yield piece
