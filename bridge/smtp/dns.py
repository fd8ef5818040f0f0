"""Names in, DNS answers out.

`Resolver` is blocking by design: it runs in the threads where SPF and DKIM are evaluated, and every
question carries the moment at which patience ends.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Sequence

import dns.exception
import dns.name
import dns.nameserver
import dns.rdata
import dns.resolver

from bridge.errors import Misconfigured, TryLater

_SERVER = re.compile(r"\[([0-9A-Fa-f:.]+)\]:(\d{1,5})|([0-9.]+):(\d{1,5})|([0-9A-Fa-f:.]+)")


class LookupFailed(TryLater):
    """DNS gave no answer, neither yes nor no: time-out, lame server, SERVFAIL."""


class _Cache(dns.resolver.LRUCache):
    """dnspython's cache, with an upper bound on how long an answer is believed."""

    def __init__(self, size: int, longest: float) -> None:
        super().__init__(size)
        self._longest = longest

    def put(self, key: dns.resolver.CacheKey, value: dns.resolver.Answer) -> None:
        value.expiration = min(value.expiration, time.time() + self._longest)
        super().put(key, value)


class Resolver:
    """Asks the given name servers ("192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:53").

    Without any, the system's; without those, the one on this machine, as resolv.conf(5) has it.
    `timeout` is seconds for one question; answers are kept for their TTL, at most `longest_ttl`.
    Threads may share it. Raises Misconfigured for a name server that is no IP address.
    """

    def __init__(
        self,
        nameservers: Sequence[str] = (),
        *,
        timeout: float = 2.0,
        longest_ttl: float = 3600.0,
    ) -> None:
        self._timeout = timeout
        self._resolver = _system() if not nameservers else dns.resolver.Resolver(configure=False)
        if nameservers:
            self._resolver.nameservers = [_server(each) for each in nameservers]
        self._resolver.timeout = timeout / 2  # one lost datagram does not lose the question
        self._resolver.cache = _Cache(2000, longest_ttl)

    def look(self, name: str, kind: str, deadline: float) -> list[dns.rdata.Rdata]:
        """The records of a kind ("TXT", "A", ...), CNAMEs followed; none where there are none.

        `deadline` is on time.monotonic's clock. Raises LookupFailed where nobody can tell.
        """
        seconds = min(self._timeout, deadline - time.monotonic())
        if seconds <= 0:
            raise LookupFailed("DNS took too long", "try again later", status="4.4.3")
        try:
            full = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            return []  # such a name cannot have records
        try:
            answer = self._resolver.resolve(full, kind, lifetime=seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
            return []
        except (dns.exception.DNSException, OSError) as failure:
            raise LookupFailed(
                "DNS gave no answer",
                "try again later; /etc/resolv.conf names the servers that are asked",
                status="4.4.3",
            ) from failure
        return list(answer)

    def txt(self, name: str, deadline: float) -> list[bytes]:
        """The TXT records of a name, each with its strings joined (RFC 7208 3.3)."""
        return [b"".join(each.strings) for each in self.look(name, "TXT", deadline)]  # type: ignore[attr-defined]

    def probe(self) -> str:
        """One line for `bridge check`: which servers are asked. Raises LookupFailed."""
        self.look(".", "NS", time.monotonic() + 2 * self._timeout)
        return "DNS answers: " + ", ".join(map(str, self._resolver.nameservers))


def _system() -> dns.resolver.Resolver:
    try:
        return dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        return resolver


def _server(written: str) -> dns.nameserver.Nameserver:
    found = _SERVER.fullmatch(written)
    address = found[1] or found[3] or found[5] if found else ""
    port = int(found[2] or found[4] or 53) if found else 0
    if not (_is_ip(address) and 0 < port < 65_536):
        raise Misconfigured(
            f"[smtp] nameservers: {written!r} is no IP address",
            'write "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:53"',
        )
    return dns.nameserver.Do53Nameserver(address, port)


def _is_ip(address: str) -> bool:
    try:
        return bool(ipaddress.ip_address(address))
    except ValueError:
        return False
