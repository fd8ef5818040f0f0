"""The only wiring: settings in, a running bridge out, in one process or as parts for many.

`up` is everything; `serve` has the edges, `work` the carriers and answers, `tick` the sweep.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import structlog

from bridge.bots.board import Board
from bridge.bots.chat import Chat
from bridge.bots.edges import Edge, chats_of, edges_of
from bridge.bots.inboxes import ChatNotifier
from bridge.bots.removing import Remover
from bridge.control import ControlServer
from bridge.dispatch.answer import Desk
from bridge.dispatch.binds import Binds
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.carrier_erasing import RecordDesk, desks
from bridge.dispatch.carrier_lists import ListReader
from bridge.dispatch.receive import Reception
from bridge.dispatch.sweep import Sweeper
from bridge.errors import Misconfigured
from bridge.loop import run
from bridge.opening import opened
from bridge.settings import Listen, Settings
from bridge.smtp.counted import Counted
from bridge.smtp.gate import Gate
from bridge.smtp.listener import Certificate, Listener
from bridge.smtp.login import Throttle
from bridge.smtp.notifier import MailNotifier
from bridge.smtp.service import Limits
from bridge.web.server import WebServer, make_app, make_watch

log = structlog.get_logger("bridge.app")

REFRESH = 5.0
DRAIN = 10.0
#: Seconds that a database which does not answer may hold up the end, in all.
HURRY = 15.0


class Parts:
    """What a running process may have; each method adds one part and its end."""

    def __init__(self, bridge: Bridge, stack: AsyncExitStack) -> None:
        self.bridge = bridge
        bridge.watch = self._watch
        bridge.wake = self._wake
        self._stack = stack
        self.done = asyncio.Event()
        self.exit_code = 0
        self._listeners: list[Listener] = []
        self.binds: Binds | None = None
        #: Who tells what is owed over an edge, by edge; and who asks a carrier, by its own name.
        self.tellers: dict[str, list[Desk | Board | Remover | RecordDesk]] = {}
        self.chats: dict[str, Chat] = {}
        self.reception = Reception(bridge, self._revoke)
        self.notifier = MailNotifier(bridge)
        stack.push_async_callback(self.notifier.close)

    def _revoke(self, subjects: Sequence[int]) -> None:
        if self.binds is not None:
            self.binds.revoke(subjects)

    async def bell(self, *, hears: bool) -> None:
        """The doorbell; with `hears`, this process answers it."""
        # The lanes' queues follow with their leases: only a lane's owner hears its bell.
        queues = [f"answer.{edge}" for edge in self.bridge.edges]
        await self.bridge.bell.start(queues, self._heard if hears else None)
        self._stack.push_async_callback(self.bridge.bell.stop)

    def _heard(self, queue: str, _ids: Sequence[int]) -> None:
        kind, _, name = queue.partition(".")
        if kind == "deliver" and self.binds is not None:
            self.binds.wake(name)
        elif kind == "answer":
            self._wake(name)

    def _wake(self, edge: str) -> None:
        for teller in self.tellers.get(edge, ()):
            teller.wake()

    async def work(self) -> None:
        """Carriers, and the answers that are owed."""
        self._tell("mail", Desk(self.bridge, "mail", self.notifier))
        for edge, chat in self.chats.items():
            self._tell(edge, Desk(self.bridge, edge, ChatNotifier(self.bridge, chat)))
            self._tell(edge, Board(self.bridge, chat))
            self._tell(edge, Remover(self.bridge, chat))
        self.binds = Binds(self.bridge)
        self.binds.lost = lambda: self._end(1)
        await self.binds.start(self.reception)
        self._stack.push_async_callback(self.binds.stop)
        self.health()

    def health(self) -> None:
        """How carriers do: counted here, weighed by whoever owns them."""
        self._task(self.bridge.health.run(self.bridge, self._bind_states), "health")

    def _tell(self, edge: str, teller: Desk | Board | Remover | RecordDesk) -> None:
        teller.start()
        self.tellers.setdefault(edge, []).append(teller)
        self._stack.push_async_callback(teller.stop)

    def connect(self) -> None:
        """The chats that are configured, to speak in."""
        self.chats = chats_of(self.bridge)
        for chat in self.chats.values():
            self._stack.push_async_callback(chat.close)

    def sweep(self) -> None:
        """What time does."""
        self._task(Sweeper(self.bridge, self.reception).run(), "sweep")
        self._task(ListReader(self.bridge).run(), "carriers' lists")
        for desk in desks(self.bridge):
            self._tell(desk.name, desk)
        if self.bridge.clerk is not None:
            self._task(self.bridge.clerk.run(), "requests")

    def refresh(self) -> None:
        """Hear of what other processes change."""
        self._task(self.bridge.refresh_every(REFRESH), "refresh")
        self._task(self.bridge.brakes.watch(self.bridge.store), "brakes")

    async def mail(self) -> str:
        """The mail edge; the address that it listens on."""
        smtp = self.bridge.settings.smtp
        gate = Gate(self.bridge)
        self._stack.callback(gate.close)
        limits = _limits(self.bridge.settings)
        throttle = Throttle()
        certificate = (
            Certificate(smtp.tls_cert, smtp.tls_key) if smtp.tls_cert and smtp.tls_key else None
        )
        hostname = smtp.hostname or smtp.domains[0]
        listener = Listener(
            gate,
            str(smtp.listen),
            hostname=hostname,
            certificate=certificate,
            limits=limits,
            throttle=throttle,
        )
        self.bridge.metrics.registry.register(Counted(listener.counters))
        await self._start(listener)
        if smtp.lmtp is not None:
            lmtp = Listener(
                gate,
                str(smtp.lmtp),
                hostname=hostname,
                lmtp=True,
                certificate=certificate,
                limits=limits,
                counters=listener.counters,
                throttle=throttle,
            )
            await self._start(lmtp)
        return listener.addresses[0]

    async def web(self, smtp: str, hearers: Sequence[Edge]) -> str:
        """The web edge; the address that it listens on."""
        http = WebServer(
            make_app(
                self.bridge,
                self.reception,
                self.notifier.mailbox,
                self._bind_states,
                smtp,
                [route for each in hearers for route in each.routes()],
            )
        )
        await self._answer(http, self.bridge.settings.http.listen)
        return http.addresses[0]

    async def watched(self) -> None:
        """Health and metrics, where this process has no edge and is to be watched all the same."""
        listen = self.bridge.settings.http.watch
        if listen is not None:
            watch = make_watch(self.bridge, self._bind_states)
            await self._answer(WebServer(watch, "[http] watch"), listen)

    async def _answer(self, http: WebServer, listen: Listen) -> None:
        await http.start(listen)
        self._stack.push_async_callback(http.stop)

    async def edges(self) -> None:
        """All edges, and the line that says they are ready."""
        hearers = edges_of(self.bridge, self.chats)
        smtp = await self.mail()
        http = await self.web(smtp, hearers)
        for each in hearers:
            await each.start()
            self._stack.push_async_callback(each.stop)
        _say(f"ready smtp={smtp} http=http://{http}")

    async def _start(self, listener: Listener) -> None:
        await listener.start()
        self._stack.push_async_callback(listener.stop, DRAIN)
        self._listeners.append(listener)

    def _bind_states(self) -> dict[str, bool]:
        return self.binds.states() if self.binds is not None else {}

    async def control(self) -> None:
        """The command line's way in."""
        server = ControlServer(self.bridge, self.reception)
        await server.start()
        self._stack.push_async_callback(server.stop)

    def _task(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._watch(task)
        self._stack.push_async_callback(_cancel, task)

    def _watch(self, task: asyncio.Task[None]) -> None:
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Future[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a part of the bridge ended", error=type(error).__name__, exc_info=error)
            self._end(1)

    def _end(self, code: int) -> None:
        self.exit_code = code
        self.done.set()

    def _reload(self) -> None:
        for listener in self._listeners:
            try:
                listener.reload_certificate()
            except Misconfigured as error:
                log.error("certificate not reloaded", error=error.sentence, hint=error.hint)

    async def until_told(self) -> int:
        """Run until SIGTERM or SIGINT; the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, 0)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        _settle()
        await self.done.wait()
        self.bridge.store.hurry(HURRY)
        return self.exit_code


def _settle() -> None:
    """What has been loaded by now stays: the collector of cycles need not look at it again."""
    gc.collect()
    gc.freeze()


async def _cancel(task: asyncio.Future[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


def _limits(settings: Settings) -> Limits:
    smtp = settings.smtp
    return Limits(
        max_size=smtp.max_size,
        max_recipients=smtp.max_recipients,
        data_line=smtp.max_line,
        errors=smtp.max_errors,
        connections=smtp.max_connections,
        per_address=smtp.max_connections_per_address,
        per_loopback=smtp.max_connections,
        idle=smtp.idle_timeout.total_seconds(),
        transaction=smtp.transaction_timeout.total_seconds(),
    )


@asynccontextmanager
async def running(settings: Settings, role: str) -> AsyncIterator[Parts]:
    """An opened bridge whose parts may be started; they end in reverse order."""
    async with opened(settings, role) as bridge, AsyncExitStack() as stack:
        yield Parts(bridge, stack)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the contract's ready line


async def up(settings: Settings) -> int:
    """Everything in one process. The exit code. Raises Misconfigured, StoreUnavailable."""
    async with running(settings, "up") as parts:
        parts.connect()
        await parts.bell(hears=True)
        await parts.work()
        parts.sweep()
        parts.refresh()
        await parts.control()
        await parts.edges()
        return await parts.until_told()


async def serve(settings: Settings) -> int:
    """The edges: mail in, pages, callbacks."""
    _needs_postgresql(settings, "serve")
    async with running(settings, "serve") as parts:
        parts.connect()
        await parts.bell(hears=False)
        parts.refresh()
        parts.health()
        await parts.edges()
        return await parts.until_told()


async def work(settings: Settings) -> int:
    """Carriers and answers."""
    _needs_postgresql(settings, "work")
    async with running(settings, "work") as parts:
        parts.connect()
        await parts.bell(hears=True)
        await parts.work()
        parts.refresh()
        await parts.watched()
        _say("ready work")
        return await parts.until_told()


async def tick(settings: Settings) -> int:
    """The sweep."""
    _needs_postgresql(settings, "tick")
    async with running(settings, "tick") as parts:
        await parts.bell(hears=False)
        parts.sweep()
        parts.refresh()
        await parts.watched()
        _say("ready tick")
        return await parts.until_told()


def _needs_postgresql(settings: Settings, command: str) -> None:
    if settings.database.url.get_secret_value() == "sqlite":
        raise Misconfigured(
            f"`bridge {command}` runs beside other processes, and SQLite has one writer",
            "set [database] url to a PostgreSQL, or run `bridge up`",
        )


def main_loop(command: Callable[[Settings], Awaitable[int]], settings: Settings) -> int:
    """Run one of the commands above to its end."""

    async def main() -> int:
        return await command(settings)

    try:
        return run(main)
    finally:
        sys.stdout.flush()
