"""What all connections of one listener share: limits and handler in; counts and admissions out."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from bridge.smtp.login import LOOPBACK, Throttle

if TYPE_CHECKING:
    from bridge.smtp.line import Line


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, and all of them together, may ask of a listener."""

    max_size: int = 10 * 2**20  # octets of a mail, told in EHLO
    max_recipients: int = 100  # RFC 5321 4.5.3.1.8 wants at least 100
    command_line: int = 2000  # octets; 512 are too few for SMTPUTF8 and AUTH
    data_line: int = 2**16  # octets; real mails have lines far beyond RFC 5322's 998
    errors: int = 20  # protocol errors on a connection; refused recipients are none
    unrecognised: int = 25  # unknown commands on a connection
    connections: int = 10_000
    per_address: int = 50  # connections from one IPv4 address or IPv6 /64
    per_loopback: int = 8_000  # the same from this machine and by unix socket
    idle: float = 300  # seconds until the next command (RFC 5321 4.5.3.2.7: at least 300)
    transaction: float = 600  # seconds from MAIL to the final dot
    data_rate: int = 100  # octets a second that DATA must reach
    data_grace: float = 30  # seconds of DATA before its rate counts
    buffered: int = 2**28  # octets of unfinished mails in memory, over all connections


@dataclass(slots=True)
class Counters:
    """What happened at a listener since it started, for the metrics.

    `refused` has the reasons: connections, address, closing, errors, unrecognised, foreign, idle,
    slow, size, line, memory, recipients, sender, recipient, content, later, login, fault.
    """

    connections: int = 0
    open: int = 0
    accepted: int = 0
    logins: int = 0
    auth_failures: int = 0
    tls_failures: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Service:
    """Shared by all connections of one listener.

    `handler` is an aiosmtpd handler (its `handle_*` hooks). `authenticate` gets the connection,
    user and password; a fault of it means "not now", None means no AUTH at all.
    """

    handler: Any
    hostname: str
    limits: Limits = field(default_factory=Limits)
    authenticate: Callable[[Any, str, str], Awaitable[bool]] | None = None
    tls: ssl.SSLContext | None = None
    throttle: Throttle = field(default_factory=Throttle)
    counters: Counters = field(default_factory=Counters)
    connections: set[Line] = field(default_factory=set)
    commits: set[Line] = field(default_factory=set)
    closing: bool = False
    buffered: int = 0
    hooks: Mapping[str, Callable[..., Any]] = field(init=False)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    per_address: Counter[str] = field(default_factory=Counter)
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.hooks = {
            name.removeprefix("handle_"): getattr(self.handler, name)
            for name in dir(self.handler)
            if name.startswith("handle_")
        }

    def admit(self, connection: Line, peer: str) -> bytes | None:
        """Count a new connection in; a reply comes back instead when there is no room for it."""
        counters, limits = self.counters, self.limits
        counters.connections += 1
        if self.closing:
            counters.refused["closing"] += 1
            return b"421 4.3.2 Shutting down, please try again soon\r\n"
        if counters.open >= limits.connections:
            counters.refused["connections"] += 1
            return b"421 4.7.0 Too many connections, please try again later\r\n"
        key = network_of(peer)
        allowed = limits.per_loopback if key == LOOPBACK else limits.per_address
        if self.per_address[key] >= allowed:
            counters.refused["address"] += 1
            return b"421 4.7.0 Too many connections from your address\r\n"
        self.per_address[key] += 1
        counters.open += 1
        self.connections.add(connection)
        return None

    def leave(self, connection: Line, peer: str) -> None:
        """Count a connection out that `admit` let in."""
        if connection not in self.connections:
            return
        self.connections.discard(connection)
        self.counters.open -= 1
        key = network_of(peer)
        self.per_address[key] -= 1
        if not self.per_address[key]:
            del self.per_address[key]
        self._note_settled()

    def committed(self, connection: Line) -> None:
        """Note that the door is through with a connection's mail."""
        self.commits.discard(connection)
        self._note_settled()

    def _note_settled(self) -> None:
        if not self.connections and not self.commits:
            self.settled.set()


def network_of(peer: str) -> str:
    """Whom an address stands for: IPv4 itself, IPv6 its /64, this machine 127.0.0.1."""
    if peer.startswith("127.") or peer == "::1":
        return LOOPBACK
    if ":" not in peer:
        return peer
    return str(IPv6Address(int(IPv6Address(peer)) >> 64 << 64))


def peer_of(peername: object) -> str:
    """The client's IP from a socket's peer name, as `door.Session.peer` tells it."""
    if not isinstance(peername, tuple):
        return LOOPBACK
    host = str(peername[0]).partition("%")[0]
    if ":" in host:
        mapped = getattr(ip_address(host), "ipv4_mapped", None)
        return str(mapped or host)
    return host
