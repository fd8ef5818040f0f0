"""An address or an opened socket in, a running SMTP or LMTP listener out; it ends by draining."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import resource
import socket
import ssl
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog

from bridge.errors import Misconfigured
from bridge.smtp.connection import Connection
from bridge.smtp.door import Door
from bridge.smtp.hooks import DoorHooks
from bridge.smtp.login import Throttle
from bridge.smtp.server import Lmtp, Server
from bridge.smtp.service import Counters, Limits, Service

log = structlog.get_logger("bridge.smtp")

_BACKLOG = 2048
#: Files that the rest of the process needs beside its SMTP connections.
_OTHER_FILES = 256
_FAMILY_LACKS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_SLOWEST_SWEEP = 5.0  # seconds
_HOST_PORT = re.compile(r"([^\s:\[\]]+|\[[^\s\[\]]+\]):([0-9]{1,5})")


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
        return [_written(each) for each in self._sockets]

    async def start(self) -> None:
        """Listen. Raises Misconfigured with what to change when that cannot be."""
        if self._certificate is not None:
            self.service.tls = self._certificate.context()
        self._make_room()
        self._sockets = await self._opened()
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            each.setblocking(False)
            create = loop.create_unix_server if _is_unix(each) else loop.create_server
            self._servers.append(
                await create(lambda: self._speaker(self.service, loop), sock=each, backlog=_BACKLOG)
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
        for connection in list(self.service.connections):
            connection.check_time(now)
        shortest = min(limits.idle, limits.transaction, max(limits.data_grace, 0.1))
        pause = min(shortest / 10, _SLOWEST_SWEEP)
        self._sweeper = loop.call_later(pause, self._sweep, loop)

    def _make_room(self) -> None:
        """Raise the limit of open files as far as needed and allowed, and stay below it."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.service.limits.connections + _OTHER_FILES
        if soft != resource.RLIM_INFINITY and soft < wanted:
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft != resource.RLIM_INFINITY and soft < wanted:
            fewer = max(soft - _OTHER_FILES, 1)
            log.warning("few open files allowed", smtp_connections=fewer)
            self.service.limits = replace(self.service.limits, connections=fewer)

    async def _opened(self) -> list[socket.socket]:
        if not isinstance(self._listen, str):
            return list(self._listen)
        if self._listen.startswith("unix:"):
            path = Path(self._listen.removeprefix("unix:"))
            opened = self._bound([partial(_unix, path)])
            self._own_path = path
            return opened
        host, port = self._host_and_port(self._listen)
        return self._bound([partial(_tcp, info) for info in await self._resolved(host, port)])

    def _host_and_port(self, text: str) -> tuple[str, int]:
        found = _HOST_PORT.fullmatch(text)
        if found is None or int(found[2]) > 65535:
            raise Misconfigured(
                f"{self._setting} is {text!r}, which is no address to listen at",
                "write host:port, such as 127.0.0.1:2525 or [::1]:2525, or unix:/path",
            )
        return found[1].strip("[]"), int(found[2])

    async def _resolved(self, host: str, port: int) -> list[_Info]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(
                host,
                port,
                type=socket.SOCK_STREAM,
                flags=socket.AI_PASSIVE,
            )
        except socket.gaierror as error:
            raise Misconfigured(
                f"{self._setting}: no address is known for {host}",
                "write an address of this machine, such as 127.0.0.1:2525",
            ) from error
        return list(dict.fromkeys((family, address) for family, _, _, _, address in found))

    def _bound(self, makers: Iterable[Callable[[], socket.socket]]) -> list[socket.socket]:
        """Bound sockets, or the sentence that says what to do instead."""
        opened: list[socket.socket] = []
        lacking: OSError | None = None
        for make in makers:
            try:
                opened.append(make())
            except OSError as error:
                if error.errno in _FAMILY_LACKS:
                    lacking = error  # a name may stand for IPv6 where there is none
                    continue
                for each in opened:
                    each.close()
                raise self._sentence(error) from error
        if lacking is not None and not opened:
            raise self._sentence(lacking) from lacking
        return opened

    def _sentence(self, error: OSError) -> Misconfigured:
        where = self._listen if isinstance(self._listen, str) else ""
        name = where.removeprefix("unix:")
        if error.errno == errno.EADDRINUSE:
            return Misconfigured(
                f"{name} is taken by another program; set {self._setting}",
                "stop that program, or choose another address",
            )
        if error.errno in {errno.EACCES, errno.EPERM}:
            return Misconfigured(
                f"{name} may not be opened by this user; set {self._setting}",
                "choose a directory that this user may write in"
                if where.startswith("unix:")
                else "choose a port from 1024 up, such as 2525, or grant CAP_NET_BIND_SERVICE",
            )
        if error.errno == errno.EADDRNOTAVAIL:
            return Misconfigured(
                f"{name} is not an address of this machine; set {self._setting}",
                "choose 127.0.0.1, 0.0.0.0, or an address that `ip address` shows",
            )
        return Misconfigured(
            f"{name} cannot be listened at: {error.strerror or error}; set {self._setting}",
            "choose another address",
        )

    def _remove_path(self) -> None:
        if self._own_path is not None:
            self._own_path.unlink(missing_ok=True)
            self._own_path = None


_Info = tuple[int, tuple[object, ...]]


def _tcp(info: _Info) -> socket.socket:
    """A bound TCP socket. asyncio sets TCP_NODELAY only where the protocol is named."""
    family, address = info
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(_BACKLOG)  # so that a port taken by another program is noticed here
    except OSError:
        made.close()
        raise
    return made


def _unix(path: Path) -> socket.socket:
    """A bound unix socket for owner and group; one that nobody listens at is removed first."""
    _remove_stale(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        made.bind(str(path))
    except OSError:
        made.close()
        raise
    finally:
        os.umask(before)
    return made


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, "there is a file of that name")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _is_unix(each: socket.socket) -> bool:
    return each.family == socket.AF_UNIX


def _written(each: socket.socket) -> str:
    name = each.getsockname()
    if _is_unix(each):
        return f"unix:{name}"
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
