"""Mails to a port of this machine, as many and as fast as told; out comes when each was accepted.

Prints one JSON object. `--out` gets a line a mail: id, when it was due, when its 250 came, both in
nanoseconds of CLOCK_MONOTONIC, which all processes of a machine share. Without `--rate` a mail is
due when a connection is free; with it, at its time, whatever the bridge does (an open loop). A
connection that breaks is opened again, and a mail that has no answer is sent again as it was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

now = time.monotonic_ns

BODY = """\
From: <writer@acme.example>\r
To: <{to}>\r
Subject: Measurement\r
Date: Mon, 23 Nov 2026 20:00:00 +0100\r
Message-ID: <{name}@acme.example>\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: 8bit\r
\r
{text}\r
.\r
"""
LENGTH = 100  # octets of the text: one part
PAUSE = 0.1  # seconds before a broken connection is opened again


class Client(asyncio.Protocol):
    """One SMTP connection; a mail is a script of codes to come and what is written after each."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.buffer = b""
        self.mail: tuple[int, int] | None = None
        self.leaving = False
        self.script = deque([(b"220", b"EHLO bench.example\r\n"), (b"250", b"")])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, self.buffer = (self.buffer + data).split(b"\r\n")
        for line in lines:
            if line[3:4] != b"-" and self.script:
                self.answered(line)

    def answered(self, line: bytes) -> None:
        code, following = self.script.popleft()
        if line[:3] != code:
            self.load.refused(self, line)
            self.transport.abort()
        elif following:
            self.transport.write(following)
        elif not self.script:
            self.load.free(self)

    def send(self, mail: tuple[int, int]) -> None:
        self.mail = mail
        name, to = self.load.named(mail[0])
        text = f"id={name}; ".ljust(LENGTH, "x")
        commands = [
            b"MAIL FROM:<writer@acme.example>\r\n",
            b"RCPT TO:<%s>\r\n" % to.encode(),
            b"DATA\r\n",
            BODY.format(to=to, name=name, text=text).encode(),
        ]
        codes = (b"250", b"250", b"354", b"250")
        if self.load.options.pipelining:
            commands = [b"".join(commands[:3]), b"", b"", commands[3]]
        self.transport.write(commands[0])
        self.script.extend(zip(codes, [*commands[1:], b""], strict=True))

    def quit(self) -> None:
        self.leaving = True
        self.script.append((b"221", b""))
        self.transport.write(b"QUIT\r\n")

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.load.lost(self)


class Load:
    """All connections, and the mails that are due."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.due: deque[tuple[int, int]] = deque()
        self.idle: deque[Client] = deque()
        self.rows: list[tuple[str, int, int]] = []
        self.refusals = self.deferred = self.in_doubt = 0
        self.loop = asyncio.get_running_loop()
        self.over = self.loop.create_future()
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await asyncio.gather(*(self.connect() for _ in range(self.options.connections)))
        while len(self.idle) < self.options.connections:
            await asyncio.sleep(0.001)
        self.began = self.loop.time()
        if self.options.rate:
            self.tick(0)
        else:
            self.due.extend((number, 0) for number in range(self.options.count))
            self.pump()
        await self.over

    def named(self, number: int) -> tuple[str, str]:
        """A mail's id and its recipient."""
        number += self.options.first
        return f"{self.options.run}-{number:07d}", self.options.to.format(number)

    async def connect(self, pause: float = 0.0) -> None:
        await asyncio.sleep(pause)
        while True:
            try:
                await self.loop.create_connection(
                    lambda: Client(self), "127.0.0.1", self.options.port
                )
            except OSError:
                await asyncio.sleep(PAUSE)
            else:
                return

    def tick(self, number: int) -> None:
        """Put on the list what is due by now."""
        began, rate = self.began, self.options.rate
        while number < self.options.count and began + number / rate <= self.loop.time():
            self.due.append((number, int((began + number / rate) * 1e9)))
            number += 1
        self.pump()
        if number < self.options.count:
            self.loop.call_at(began + number / rate, self.tick, number)

    def pump(self) -> None:
        while self.due and self.idle:
            number, due = self.due.popleft()
            self.idle.popleft().send((number, due or now()))

    def free(self, client: Client) -> None:
        if client.mail is not None:
            self.rows.append((self.named(client.mail[0])[0], client.mail[1], now()))
            client.mail = None
            self.settle()
            if self.options.fresh:
                client.quit()
                return
        if not client.leaving:
            self.idle.append(client)
            self.pump()

    def refused(self, client: Client, line: bytes) -> None:
        if line.startswith(b"4") or client.mail is None:
            self.deferred += 1
            client.script.clear()
            return
        if not self.refusals:
            sys.stderr.write(f"refused: {line.decode(errors='replace')}\n")
        self.refusals += 1
        client.mail = None
        self.settle()

    def lost(self, client: Client) -> None:
        if client in self.idle:
            self.idle.remove(client)
        if client.mail is not None:
            self.in_doubt += len(client.script) == 1
            self.due.appendleft(client.mail)
        if not self.over.done():
            task = self.loop.create_task(self.connect(0.0 if client.leaving else PAUSE))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def settle(self) -> None:
        if len(self.rows) + self.refusals == self.options.count and not self.over.done():
            self.over.set_result(None)


def percentile(values: Sequence[float], share: float) -> float:
    """By nearest rank; NaN of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


async def main(options: argparse.Namespace) -> None:
    """Send, write the list, print the figures."""
    load = Load(options)
    await load.run()
    if options.out:
        options.out.write_text("".join(f"{name}\t{due}\t{at}\n" for name, due, at in load.rows))
    took = (max((row[2] for row in load.rows), default=0) / 1e9) - load.began
    waits = [(at - due) / 1e6 for _, due, at in load.rows]
    figures = {
        "accepted": len(load.rows),
        "accepted_per_s": len(load.rows) / took,
        "began": int(load.began * 1e9),
        "reply_ms_p50": percentile(waits, 0.5),
        "reply_ms_p99": percentile(waits, 0.99),
        "refused": load.refusals,
        "deferred": load.deferred,
        "in_doubt": load.in_doubt,
        "cpu_s": time.process_time(),
    }
    print(json.dumps(figures))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first mail's number")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.0, help="mails a second; 0: all it takes")
    parser.add_argument("--pipelining", action="store_true")
    parser.add_argument("--fresh", action="store_true", help="a connection a mail")
    parser.add_argument("--run", default="run", help="how the ids begin")
    parser.add_argument("--to", default="+420601{:06d}@sms.example", help="{} is the number")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
