"""A provider over real HTTP on loopback: it judges each request by its documentation."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from tests import ports
from tests.http_cases import Case, Reply, Seen, Sent


class Peer:
    """What a provider was asked, and how it behaves.

    `reply` answers every SMS instead of taking it; `hold`, when cleared, lets answers wait; `cut`
    takes an SMS and hangs up; `locked` refuses our credentials; `latency` is the time in seconds
    between taking an SMS and the answer. `pause`, when cleared, lets all other answers wait.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.sent: list[Sent] = []
        self.ids: list[str] = []
        self.answers: list[Reply] = []
        self.asked: list[Seen] = []
        self.judged: list[Sent] = []
        self.complaints: list[str] = []
        self.keys: Counter[str] = Counter()
        self.reply: Reply | None = None
        self.locked = False
        self.latency = 0.0
        self.cut = False
        self.hold = asyncio.Event()
        self.hold.set()
        self.pause = asyncio.Event()
        self.pause.set()
        self.flying = self.most_flying = 0
        self.port = ports.free()
        self.url = ""

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen; once more at the same port."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, "127.0.0.1", self.port, ssl_context=tls, reuse_address=True
        )
        await site.start()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Listen no more; connections break."""
        self.hold.set()
        self.pause.set()
        await self._runner.cleanup()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Seen(request.method, path, query, headers, await request.read())
        self.asked.append(seen)
        if self.locked:
            return _response(self.case.refuses_us)
        try:
            if not self.case.is_send(seen):
                said = self.case.other(seen)
                await self.pause.wait()
                return _response(said)
            sent = self.case.judge(seen)
            self.judged.append(sent)
        except Exception as wrong:  # noqa: BLE001 - the documentation does not have such a request
            self.complaints.append(f"{type(wrong).__name__}: {wrong}")
            return web.Response(status=400, text="{}")
        self.flying += 1
        self.most_flying = max(self.flying, self.most_flying)
        try:
            await self.hold.wait()
            answer = self._taken(request, sent)
            await asyncio.sleep(self.latency)
            return answer
        finally:
            self.flying -= 1

    def _taken(self, request: web.Request, sent: Sent) -> web.StreamResponse:
        if self.reply is not None:
            return _response(self.reply)
        if sent.key and self.keys[sent.key]:
            self.keys[sent.key] += 1
            number = next(i for i, s in zip(self.ids, self.sent, strict=True) if s.key == sent.key)
        else:
            self.keys[sent.key] += 1
            self.sent.append(sent)
            number = sent.id or self.case.number(len(self.sent))
            self.ids.append(number)
        if self.cut:
            assert request.transport is not None
            request.transport.abort()
        known = self.case.repeat if self.keys[sent.key] > 1 else None
        self.answers.append(known or self.case.accept(sent, number))
        return _response(self.answers[-1])


def _response(reply: Reply) -> web.Response:
    return web.Response(
        status=reply.status,
        body=reply.body.encode(),
        content_type=reply.content_type,
        headers=reply.headers,
    )


@asynccontextmanager
async def a_peer(case: Case, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """A provider that listens; what it complains of fails the test."""
    peer = Peer(case)
    await peer.start(tls)
    try:
        yield peer
    finally:
        await peer.stop()
    assert not peer.complaints, peer.complaints


async def until(holds: Callable[[], object], seconds: float = 15) -> None:
    """Wait until `holds()`."""
    async with asyncio.timeout(seconds):
        while True:
            if holds():
                return
            await asyncio.sleep(0.005)
