"""Changes in the store come in, server-sent events go out to the pages that are open.

Events carry no content: a page that hears one fetches itself again. One look at the store serves
all pages, and without a page there is none.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import web

from bridge.errors import StoreUnavailable
from bridge.store.sandbox import CHANGE
from bridge.store.store import Store

EVERY = 0.5  # seconds between looks
HEARTBEAT = 15.0  # seconds after which a silent stream proves that its page is still there
LISTENERS = 100


class Live:
    """The open pages of one process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: set[asyncio.Event] = set()
        self._look = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._touched = 0
        self._seen = ""
        self._closing = False

    async def version(self) -> str:
        """A word that differs once something that the pages show has changed."""
        row = (await self._store.read(CHANGE))[0]
        return ".".join([str(value or 0) for value in row] + [str(self._touched)])

    def touch(self) -> None:
        """Something changed that leaves no trace in the store's counters."""
        self._touched += 1
        self._look.set()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The stream of one page: the version now, and every one that follows."""
        if len(self._listeners) >= LISTENERS:
            raise web.HTTPServiceUnavailable(text="too many pages are open; close some\n")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        changed = asyncio.Event()
        self._listeners.add(changed)
        self._watch()
        try:
            await self._tell(response, changed)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._listeners.discard(changed)
        return response

    async def _tell(self, response: web.StreamResponse, changed: asyncio.Event) -> None:
        told = ""
        await response.write(b"retry: 1000\n\n")
        while not self._closing:
            changed.clear()
            if self._seen != told:
                told = self._seen
                await response.write(f"data: {told}\n\n".encode())
                continue
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await changed.wait()
            except TimeoutError:
                await response.write(b":\n\n")

    def _watch(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._looks(), name="sandbox-live")
        self._look.set()

    async def _looks(self) -> None:
        while self._listeners:
            self._look.clear()
            with suppress(StoreUnavailable):
                now = await self.version()
                if now != self._seen:
                    self._seen = now
                    self._wake()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._look.wait()

    def _wake(self) -> None:
        for listener in self._listeners:
            listener.set()

    async def close(self, _app: web.Application) -> None:
        """End all streams."""
        self._closing = True
        self._wake()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
