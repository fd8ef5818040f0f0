"""An address or an opened socket in, a running SMTP or LMTP listener out; it ends by draining."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from bridge.errors import Misconfigured
from bridge.smtp import sockets
from bridge.smtp.connection import Connection
from bridge.smtp.door import Door
from bridge.smtp.hooks import DoorHooks
from bridge.smtp.login import Throttle
from bridge.smtp.server import Lmtp, Server
from bridge.smtp.service import Counters, Limits, Service

log = structlog.get_logger("bridge.smtp")

#: Files that the rest of the process needs beside its SMTP connections.
_OTHER_FILES = 256
_SLOWEST_SWEEP = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of a PEM certificate chain and its key."""

    cert: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """A server's TLS context. Raises Misconfigured with the file that is wrong."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        for path, setting in ((self.cert, "tls_cert"), (self.key, "tls_key")):
            try:
                path.read_bytes()
            except OSError as error:
                raise Misconfigured(
                    f"{path} cannot be read: {error.strerror}",
                    f"set [smtp] {setting} to a PEM file that this user may read",
                ) from error
        try:
            context.load_cert_chain(self.cert, self.key)
        except (ssl.SSLError, ValueError) as error:
            raise Misconfigured(
                f"{self.cert} and {self.key} are not a PEM certificate and its key",
                "set [smtp] tls_cert and tls_key to files that belong together",
            ) from error
        return context


class Listener:
    """SMTP, or LMTP, at one address.

    `listen` is `host:port`, `unix:/path` or sockets that are opened and bound already. `setting`
    is what the sentence about a wrong address names. Use one Throttle and one Counters for several
    listeners to count together.
    """

    def __init__(
        self,
        door: Door,
        listen: str | Sequence[socket.socket],
        *,
        hostname: str,
        lmtp: bool = False,
        auth: bool = True,
        certificate: Certificate | None = None,
        limits: Limits | None = None,
        throttle: Throttle | None = None,
        counters: Counters | None = None,
        setting: str = "",
    ) -> None:
        hooks = DoorHooks(door)
        self.service = Service(
            handler=hooks,
            hostname=hostname,
            limits=limits or Limits(),
            authenticate=hooks.authenticate if auth else None,
            throttle=throttle or Throttle(),
            counters=counters or Counters(),
        )
        self._listen = listen
        self._speaker: type[Connection] = Lmtp if lmtp else Server
        self._certificate = certificate
        self._setting = setting or ("[smtp] lmtp" if lmtp else "[smtp] listen")
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._own_path: Path | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def counters(self) -> Counters:
        """What has happened since the start."""
        return self.service.counters

    @property
    def addresses(self) -> list[str]:
        """Where it listens, as `host:port` or `unix:/path`; port 0 is told as the real one."""
        return [sockets.written(each) for each in self._sockets]

    async def start(self) -> None:
        """Listen. Raises Misconfigured with what to change when that cannot be."""
        if self._certificate is not None:
            self.service.tls = self._certificate.context()
        self._make_room()
        self._sockets = await sockets.opened(self._listen, self._setting)
        if isinstance(self._listen, str) and self._listen.startswith("unix:"):
            self._own_path = Path(self._listen.removeprefix("unix:"))
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            each.setblocking(False)
            create = loop.create_unix_server if sockets.is_unix(each) else loop.create_server
            self._servers.append(
                await create(
                    lambda: self._speaker(self.service, loop), sock=each, backlog=sockets.BACKLOG
                )
            )
        self._sweep(loop)

    def reload_certificate(self) -> None:
        """Read the certificate anew, for the handshakes to come; SIGHUP is for that.

        Raises Misconfigured, and then the old one stays.
        """
        if self._certificate is not None:
            self.service.tls = self._certificate.context()

    async def stop(self, drain_seconds: float = 10.0) -> None:
        """Take no more connections and no more mails; mails under way have `drain_seconds`.

        What the door has been given is never cut short: it is waited for within the same time, and
        after it left to end by itself.
        """
        self.service.closing = True
        for server in self._servers:
            server.close()
        self._remove_path()
        for connection in list(self.service.connections):
            connection.close_if_idle()
        if self.service.connections or self.service.commits:
            self.service.settled.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.service.settled.wait(), drain_seconds)
        for connection in list(self.service.connections):
            connection.close_at_once()
        if self._sweeper is not None:
            self._sweeper.cancel()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look after everybody's time, often enough for the shortest limit."""
        now, limits = loop.time(), self.service.limits
        shortest = min(limits.idle, limits.transaction, max(limits.data_grace, 0.1))
        pause = min(shortest / 10, _SLOWEST_SWEEP)
        self._sweeper = loop.call_later(pause, self._sweep, loop)
        for connection in list(self.service.connections):
            connection.check_time(now)

    def _make_room(self) -> None:
        """Raise the limit of open files as far as needed and allowed, and stay below it."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.service.limits.connections + _OTHER_FILES
        if soft != resource.RLIM_INFINITY and soft < wanted:
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft != resource.RLIM_INFINITY and soft < wanted:
            fewer = max(soft - _OTHER_FILES, 1)
            log.warning(
                "few open files allowed",
                smtp_connections=fewer,
                hint=f"allow {wanted}: LimitNOFILE= in the unit, or ulimit -n",
            )
            self.service.limits = replace(self.service.limits, connections=fewer)

    def _remove_path(self) -> None:
        if self._own_path is not None:
            self._own_path.unlink(missing_ok=True)
            self._own_path = None
