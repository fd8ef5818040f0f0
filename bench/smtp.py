"""Mails to a port of this machine, as many and as fast as told; out comes when each was accepted.

Prints one JSON object; `--out` gets a line a mail: id, when it was due, when its 250 came, in
nanoseconds of CLOCK_MONOTONIC, which all processes of a machine share. A mail is due when a
connection is free, or, with `--rate`, at its time whatever the bridge does (an open loop). A broken
connection is opened again, and a mail without an answer is sent again as it was.
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
    """One SMTP connection; its script says which code must come and what is written then."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.buffer = b""
        self.mail: tuple[int, int] | None = None  # number, due
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

    def send(self, number: int, due: int) -> None:
        self.mail = (number, due)
        name, to = self.load.named(number)
        text = f"id={name}; ".ljust(LENGTH, "x")
        body = BODY.format(to=to, name=name, text=text).encode()
        sender, recipient = b"MAIL FROM:<writer@acme.example>\r\n", f"RCPT TO:<{to}>\r\n".encode()
        commands = [sender, recipient, b"DATA\r\n", body, b""]
        if self.load.options.pipelining:
            commands = [b"".join(commands[:3]), b"", b"", body, b""]
        self.transport.write(commands[0])
        self.script.extend(zip((b"250", b"250", b"354", b"250"), commands[1:], strict=True))

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
        self.refusals = self.in_doubt = 0
        self.loop = asyncio.get_running_loop()
        self.greeted, self.over = asyncio.Event(), asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        for _ in range(self.options.connections):
            self.open(0)
        await self.greeted.wait()
        self.began = self.loop.time()
        if self.options.rate:
            self.tick(0)
        else:
            self.due.extend((number, 0) for number in range(self.options.count))
            self.pump()
        await self.over.wait()

    def named(self, number: int) -> tuple[str, str]:
        """A mail's id and its recipient."""
        return f"{self.options.run}-{number:07d}", self.options.to.format(number)

    def open(self, pause: float) -> None:
        task = self.loop.create_task(self.connect(pause))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def connect(self, pause: float) -> None:
        await asyncio.sleep(pause)
        try:
            await self.loop.create_connection(lambda: Client(self), "127.0.0.1", self.options.port)
        except OSError:
            self.open(PAUSE)

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
            self.idle.popleft().send(number, due or time.monotonic_ns())

    def free(self, client: Client) -> None:
        """Everything that this connection asked is answered."""
        if client.mail is not None:
            number, due = client.mail
            client.mail = None
            self.rows.append((self.named(number)[0], due, time.monotonic_ns()))
            self.settle()
            if self.options.fresh:
                return client.quit()
        if not client.leaving:
            self.idle.append(client)
            if len(self.idle) == self.options.connections:
                self.greeted.set()
            self.pump()
        return None

    def refused(self, client: Client, line: bytes) -> None:
        """For good with 5xx; else the mail is sent again on another connection."""
        if not line.startswith(b"5") or client.mail is None:
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
            self.in_doubt += len(client.script) == 1  # only the answer to the text was missing
            self.due.appendleft(client.mail)
        if not self.over.is_set():
            self.open(0 if client.leaving else PAUSE)

    def settle(self) -> None:
        if len(self.rows) + self.refusals == self.options.count:
            self.over.set()


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
    waits = [(at - due) / 1e6 for _, due, at in load.rows]
    figures = {
        "accepted": len(load.rows),
        "accepted_per_s": len(load.rows) / (load.rows[-1][2] / 1e9 - load.began),
        "began": int(load.began * 1e9),
        "reply_ms_p50": percentile(waits, 0.5),
        "reply_ms_p99": percentile(waits, 0.99),
        "in_doubt": load.in_doubt,
        "cpu_s": time.process_time(),
    }
    print(json.dumps(figures))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.0, help="mails a second; 0: all it takes")
    parser.add_argument("--pipelining", action="store_true", help="MAIL, RCPT and DATA at once")
    parser.add_argument("--fresh", action="store_true", help="a connection a mail")
    parser.add_argument("--run", default="run", help="how the ids begin")
    parser.add_argument("--to", default="+420601{:06d}@sms.example", help="{} is the number")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
