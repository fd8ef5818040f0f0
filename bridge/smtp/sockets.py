"""`host:port`, `unix:/path` or opened sockets in, bound sockets out, or a sentence why not."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import stat
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from bridge.errors import Misconfigured

BACKLOG = 2048
_FAMILY_LACKS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_HOST_PORT = re.compile(r"([^\s:\[\]]+|\[[^\s\[\]]+\]):([0-9]{1,5})")
_Info = tuple[int, tuple[object, ...]]


async def opened(listen: str | Sequence[socket.socket], setting: str) -> list[socket.socket]:
    """The sockets to listen at. Raises Misconfigured; `setting` is what its sentence names."""
    if not isinstance(listen, str):
        return list(listen)
    if listen.startswith("unix:"):
        return _bound([partial(_unix, Path(listen.removeprefix("unix:")))], listen, setting)
    host, port = _host_and_port(listen, setting)
    found = await _resolved(host, port, setting)
    return _bound([partial(_tcp, info) for info in found], listen, setting)


def _host_and_port(text: str, setting: str) -> tuple[str, int]:
    found = _HOST_PORT.fullmatch(text)
    if found is None or int(found[2]) > 65535:
        raise Misconfigured(
            f"{setting} is {text!r}, which is no address to listen at",
            "write host:port, such as 127.0.0.1:2525 or [::1]:2525, or unix:/path",
        )
    return found[1].strip("[]"), int(found[2])


async def _resolved(host: str, port: int, setting: str) -> list[_Info]:
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
            f"{setting}: no address is known for {host}",
            "write an address of this machine, such as 127.0.0.1:2525",
        ) from error
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _bound(
    makers: Iterable[Callable[[], socket.socket]], listen: str, setting: str
) -> list[socket.socket]:
    """Bound sockets, or the sentence that says what to do instead."""
    made: list[socket.socket] = []
    lacking: OSError | None = None
    for make in makers:
        try:
            made.append(make())
        except OSError as error:
            if error.errno in _FAMILY_LACKS:
                lacking = error  # a name may stand for IPv6 where there is none
                continue
            for each in made:
                each.close()
            raise _sentence(error, listen, setting) from error
    if lacking is not None and not made:
        raise _sentence(lacking, listen, setting) from lacking
    return made


def _sentence(error: OSError, listen: str, setting: str) -> Misconfigured:
    name = listen.removeprefix("unix:")
    if error.errno == errno.EADDRINUSE:
        return Misconfigured(
            f"{name} is taken by another program; set {setting}",
            "stop that program, or choose another address",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return Misconfigured(
            f"{name} may not be opened by this user; set {setting}",
            "choose a directory that this user may write in"
            if listen.startswith("unix:")
            else "choose a port from 1024 up, such as 2525, or grant CAP_NET_BIND_SERVICE",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return Misconfigured(
            f"{name} is not an address of this machine; set {setting}",
            "choose 127.0.0.1, 0.0.0.0, or an address that `ip address` shows",
        )
    return Misconfigured(
        f"{name} cannot be listened at: {error.strerror or error}; set {setting}",
        "choose another address",
    )


def _tcp(info: _Info) -> socket.socket:
    """A bound TCP socket. asyncio sets TCP_NODELAY only where the protocol is named."""
    family, address = info
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(BACKLOG)  # so that a port taken by another program is noticed here
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


def is_unix(each: socket.socket) -> bool:
    """True for a unix socket."""
    return each.family == socket.AF_UNIX


def written(each: socket.socket) -> str:
    """Where a socket is bound, as `opened` takes it."""
    name = each.getsockname()
    if is_unix(each):
        return f"unix:{name}"
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
