"""A proxy before a server, for tests: it breaks what runs through it."""

from __future__ import annotations

import asyncio
import contextlib
import socket


class Proxy:
    """A TCP proxy that can be cut, shut, or made to swallow what the server answers.

    It accepts by itself: a server of asyncio that is closed while it accepts loses the connection
    unclosed (Python 3.11).
    """

    def __init__(self, port: int, host: str, target: int) -> None:
        self.port = port
        self.mute = False
        #: Whether the server hears of a client's end; a network that is gone tells nobody.
        self.tells = True
        self._target = (host, target)
        self._listening: socket.socket | None = None
        self._pairs: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self._listening.setblocking(False)
        asyncio.get_running_loop().add_reader(self._listening, self._accept)

    async def shut(self) -> None:
        """Break what is open and take no more."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None
        while self._pairs:
            for pair in self._pairs:
                pair.cancel()
            await asyncio.wait(self._pairs)

    def cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    def _accept(self) -> None:
        assert self._listening is not None
        with contextlib.suppress(BlockingIOError, ConnectionError):
            accepted, _ = self._listening.accept()
            pair = asyncio.create_task(self._serve(accepted))
            self._pairs.add(pair)
            # Also where it was cancelled before its first step.
            pair.add_done_callback(lambda _: accepted.close())
            pair.add_done_callback(self._pairs.discard)

    async def _serve(self, accepted: socket.socket) -> None:
        async with contextlib.AsyncExitStack() as ends:
            reader, writer = await asyncio.open_connection(sock=accepted)
            ends.push_async_callback(self._end, writer)
            with contextlib.suppress(OSError):
                there, back = await asyncio.open_connection(*self._target)
                ends.push_async_callback(self._end, back)
                self._writers |= {writer, back}
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pump(reader, back, answers=False))
                    both.create_task(self._pump(there, writer, answers=True))

    async def _end(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if not (answers and self.mute):
                    sink.write(data)
                    await sink.drain()
        if answers or self.tells:
            sink.transport.abort()
