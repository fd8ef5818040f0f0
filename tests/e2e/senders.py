"""A mail server's manner of sending, as a load: paced, tried again until accepted, and recorded."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator

ACCEPTED = re.compile(r"accepted (?:before )?as (\S+)")


class Refusal(Exception):
    """A reply that is not 2xx or 3xx."""


class Connection:
    """One SMTP session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int, limit: int = 2**16) -> Connection:
        """Connect and greet. Raises OSError, EOFError, Refusal."""
        streams = await asyncio.open_connection("127.0.0.1", port, limit=limit)
        connection = cls(*streams)
        try:
            await connection.reply()
            await connection.say("EHLO client.example")
        except (OSError, EOFError, Refusal):
            await connection.close()
            raise
        return connection

    async def reply(self) -> str:
        """The next reply. Raises Refusal for 4xx and 5xx, EOFError at the end."""
        lines = []
        while True:
            line = (await self.reader.readline()).decode()
            if not line.endswith("\n"):
                raise EOFError
            lines.append(line)
            if line[3] == " ":
                break
        if line[0] not in "23":
            raise Refusal("".join(lines).strip())
        return "".join(lines).strip()

    async def say(self, line: str) -> str:
        """Send a command; its reply."""
        self.writer.write(line.encode() + b"\r\n")
        await self.writer.drain()
        return await self.reply()

    async def mail(self, to: list[str], content: bytes, sender: str = "eva@acme.example") -> str:
        """A whole transaction; the reply to the final dot. Raises as `reply`."""
        await self.say(f"MAIL FROM:<{sender}>")
        for recipient in to:
            await self.say(f"RCPT TO:<{recipient}>")
        await self.say("DATA")
        self.writer.write(content + b"\r\n.\r\n")
        await self.writer.drain()
        return await self.reply()

    async def close(self) -> None:
        """Cut the connection."""
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


def a_mail(number: int, run: str = "a", words: str = "Boiler is cold") -> bytes:
    """A mail whose text names it: `id=a7; …`."""
    return (
        f"From: Eva <eva@acme.example>\r\nTo: <+420601123456@sms.example>\r\nSubject: x\r\n"
        f"Message-ID: <{run}.{number}@acme.example>\r\nDate: Mon, 23 Nov 2026 20:00:00 +0000\r\n"
        f"\r\nid={run}{number}; {words}"
    ).encode()


class Load:
    """`count` mails at `rate` a second over `connections`; refused or cut ones are sent again.

    Without a count it goes on until `enough`, so that there is work left at the last of many kills
    however long they take. `port` is asked for at each connection: a bridge that starts again may
    listen elsewhere.
    """

    def __init__(
        self,
        port: Callable[[], int],
        *,
        count: int | None = None,
        rate: float,
        connections: int = 16,
        run: str = "a",
        words: str = "Boiler is cold",
    ) -> None:
        self.port = port
        self.count = count
        self.begun = 0
        self.rate = rate
        self.connections = connections
        self.run = run
        self.words = words
        self.accepted: dict[str, str] = {}  # our id -> the bridge's
        self.refusals: list[str] = []
        self.slowest = 0.0  # seconds that one mail waited until it was accepted
        self._gaps: list[float] = []

    async def __call__(self) -> None:
        """Send all of them."""
        began = time.monotonic()
        numbers = self._numbers()
        async with asyncio.TaskGroup() as group:
            for _ in range(self.connections):
                group.create_task(self._sender(numbers, began))

    def enough(self) -> None:
        """No further mails; those begun are sent."""
        self.count = self.begun

    def _numbers(self) -> Iterator[int]:
        while self.count is None or self.begun < self.count:
            self.begun += 1
            yield self.begun - 1

    async def _sender(self, numbers: Iterator[int], began: float) -> None:
        async with contextlib.AsyncExitStack() as stack:
            kept: list[Connection] = []
            stack.push_async_callback(_close, kept)
            for number in numbers:
                due = began + number / self.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                await self._deliver(number, kept)

    async def _deliver(self, number: int, kept: list[Connection]) -> None:
        """Until accepted, as a mail server does (only sooner); `kept` has the open connection."""
        begun = time.monotonic()
        while True:
            try:
                if not kept:
                    kept.append(await Connection.open(self.port()))
                to = [f"+42060112{number % 10000:04}@sms.example"]
                reply = await kept[0].mail(to, a_mail(number, self.run, self.words))
            except (OSError, EOFError, Refusal) as error:
                await _close(kept)
                if isinstance(error, Refusal):
                    self.refusals.append(str(error))
                    if str(error).startswith("5"):
                        raise
                await asyncio.sleep(0.1)
            else:
                found = ACCEPTED.search(reply)
                assert found, reply
                self.accepted[f"{self.run}{number}"] = found[1]
                self.slowest = max(self.slowest, time.monotonic() - begun)
                return


async def _close(kept: list[Connection]) -> None:
    while kept:
        await kept.pop().close()


@contextlib.asynccontextmanager
async def a_session(port: int, limit: int = 2**16) -> AsyncIterator[Connection]:
    """A connected client that has greeted."""
    connection = await Connection.open(port, limit)
    try:
        yield connection
    finally:
        await connection.close()
