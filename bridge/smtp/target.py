"""The URL of a mail server comes in; where it is, how to speak to it and whom to trust goes out."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from bridge.errors import Misconfigured

_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


@dataclass(frozen=True, slots=True)
class Target:
    """Where the URL points to; shown as host:port."""

    scheme: str
    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this very machine, by name (RFC 6761 6.3) or address."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def tls_context(self) -> ssl.SSLContext:
        """What to trust; reads files. SSL_CERT_FILE names authorities of one's own."""
        context = ssl.create_default_context()
        if self.scheme == "smtp" and self.is_loopback:
            # The local Postfix has a certificate that its package made up.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    @classmethod
    def parse(cls, url: str) -> Target:
        """Read `smtp://user:pass@host:587`, `smtps://...`, `smtp+starttls://...`.

        Raises Misconfigured for anything else; its sentence does not show the URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
            if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
                raise ValueError("more than a server, or none")
        except (ValueError, KeyError):
            # The URL itself is not shown: it may hold a password.
            raise Misconfigured(
                "[mail] smarthost is no URL of a mail server",
                "write smtp://user:password@host:587, smtps://… or smtp+starttls://…; "
                "in user and password write @ as %40, : as %3A, / as %2F",
            ) from None
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.scheme, parts.hostname, port, user, password)
