"""A bridge in, its web edge out: health, metrics and the sandbox, at one address."""

from __future__ import annotations

import errno
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from bridge.dispatch.bridge import Bridge
from bridge.errors import Misconfigured
from bridge.ports import Inbox
from bridge.settings import Listen
from bridge.web.api import Api
from bridge.web.callbacks import Callbacks
from bridge.web.decide import DecisionPage
from bridge.web.files import FilePage
from bridge.web.glimpse import GlimpsePage
from bridge.web.guard import guarded, harden
from bridge.web.health import Binds, Health
from bridge.web.live import Live
from bridge.web.optout import OptOutPage
from bridge.web.page import Page
from bridge.web.phones import Phones
from bridge.web.portal import Portal
from bridge.web.retention import RetentionPage

Mails = Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]

#: Octets of the largest request, seconds that a silent connection is kept, seconds that requests
#: under way may take when the bridge ends.
LARGEST = 64 * 1024
KEEPALIVE = 30.0
DRAIN = 3.0
_BACKLOG = 128


def make_app(
    bridge: Bridge,
    inbox: Inbox,
    mails: Mails,
    binds: Binds,
    smtp_address: str,
    chats: Sequence[web.RouteDef] = (),
) -> web.Application:
    """The web application; `chats` are the routes by which chats call.

    `mails` lists the mails that had no smarthost to leave by, oldest first, as mappings of `to`,
    `subject`, `headers` and `text`; `binds` tells which carriers are bound; `smtp_address` is shown
    to newcomers.
    """
    live = Live(bridge.store)
    phones = Phones(bridge, inbox, live)
    app = make_watch(bridge, binds)
    app.middlewares.append(guarded(bridge.settings))
    app.on_shutdown.append(live.close)
    app.add_routes(Api(phones, mails).routes())
    app.add_routes(GlimpsePage(bridge).routes())
    app.add_routes(OptOutPage(bridge).routes())
    app.add_routes(DecisionPage(bridge).routes())
    app.add_routes(FilePage(bridge).routes())
    app.add_routes(Portal(bridge).routes())
    app.add_routes(Callbacks(bridge, inbox).routes())
    app.add_routes(chats)
    page = Page(phones, live, mails, smtp_address)
    app.add_routes(page.routes())
    app.add_routes(RetentionPage(bridge, page.render).routes())
    return app


def make_watch(bridge: Bridge, binds: Binds) -> web.Application:
    """Health and metrics alone, for a process that has no edge."""
    app = web.Application(client_max_size=LARGEST)
    app.on_response_prepare.append(harden)
    app.add_routes(Health(bridge, binds).routes())
    return app


class WebServer:
    """The web application at its address. It keeps no access log: it would hold numbers.

    `setting` is what the sentence about a wrong address names.
    """

    def __init__(self, app: web.Application, setting: str = "[http] listen") -> None:
        self._setting = setting
        self._runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=KEEPALIVE,
            shutdown_timeout=DRAIN,
            # A provider may tell of a long SMS in the query of a GET, nine characters for a letter.
            max_line_size=32 * 1024,
            max_field_size=16 * 1024,
        )
        self._sockets: list[socket.socket] = []

    @property
    def addresses(self) -> list[str]:
        """Where it listens, as `host:port`; port 0 is told as the real one."""
        return [_written(each.getsockname()) for each in self._sockets]

    async def start(self, listen: Listen | Sequence[socket.socket]) -> None:
        """Answer at an address, or on sockets that are bound already.

        Raises Misconfigured with what to change when that cannot be.
        """
        await self._runner.setup()
        try:
            if isinstance(listen, Listen):
                listen = _bound(listen, self._setting)
            self._sockets = list(listen)
            for each in self._sockets:
                await web.SockSite(self._runner, each, backlog=_BACKLOG).start()
        except BaseException:
            await self._runner.cleanup()
            raise

    async def stop(self) -> None:
        """Take no more requests; those under way have a few seconds."""
        await self._runner.cleanup()


def _bound(listen: Listen, setting: str) -> list[socket.socket]:
    """Listening sockets for every address of the host's name."""
    opened: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, _, _, _, address in dict.fromkeys(found):
            opened.append(socket.create_server(address[:2], family=family, backlog=_BACKLOG))
    except OSError as error:
        # A name may stand for IPv6 too, where there is none.
        if not (opened and error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}):
            for each in opened:
                each.close()
            raise _sentence(listen, error, setting) from error
    return opened


def _sentence(listen: Listen, error: OSError, setting: str) -> Misconfigured:
    if isinstance(error, socket.gaierror):
        return Misconfigured(
            f"{setting}: no address is known for {listen.host}",
            "write an address of this machine, such as 127.0.0.1:8080",
        )
    if error.errno == errno.EADDRINUSE:
        return Misconfigured(
            f"{listen} is taken by another program; set {setting}",
            "stop that program, or choose another address",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return Misconfigured(
            f"{listen} may not be opened by this user; set {setting}",
            "choose a port from 1024 up, such as 8080, or grant CAP_NET_BIND_SERVICE",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return Misconfigured(
            f"{listen} is not an address of this machine; set {setting}",
            "choose 127.0.0.1, 0.0.0.0, or an address that `ip address` shows",
        )
    return Misconfigured(
        f"{listen} cannot be listened at: {error.strerror or error}; set {setting}",
        "choose another address",
    )


def _written(name: tuple[Any, ...]) -> str:
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
