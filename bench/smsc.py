"""An SMSC that costs little: SMPP 3.4 in, when each message arrived out.

It answers at once, after `--latency` or at `--rate`, and sends receipts with `--receipts`. Standard
input takes `stats`, `reset`, `dump FILE` and `set OPTION VALUE`, a line each, answered with a line
of JSON; at its end the process ends. A dump has a line a message that was taken: id, nanoseconds
of CLOCK_MONOTONIC, which bind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path
from struct import Struct

HEAD = Struct(">IIII")
SUBMIT, DELIVER, ENQUIRE, UNBIND, RESPONSE = 4, 5, 0x15, 6, 0x80000000
BINDS = (1, 2, 9)
NAME = re.compile(rb"id=([A-Za-z0-9-]+);")


class Smsc:
    """What all binds share."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.loop = asyncio.get_running_loop()
        self.turn = 0.0
        self.ids = self.binds = 0
        self.reset()

    def reset(self) -> None:
        self.rows: list[tuple[bytes, int, int]] = []
        self.seen: set[bytes] = set()
        self.most_in_flight = self.receipts = self.last = self.last_receipt = self.refused = 0

    def stats(self) -> dict[str, float]:
        return {
            "messages": len(self.rows),
            "unique": len(self.seen),
            "last": self.last,
            "binds": self.binds,
            "most_in_flight": self.most_in_flight,
            "receipts": self.receipts,
            "refused": self.refused,
            "last_receipt": self.last_receipt,
            "cpu_s": time.process_time(),
        }

    def arrived(self, body: bytes, bind: int) -> None:
        found = NAME.search(body)
        name, at = found[1] if found else b"-", time.monotonic_ns()
        self.rows.append((name, at, bind))
        if name not in self.seen:
            self.seen.add(name)
            self.last = at

    def delay(self) -> float:
        """Seconds until the next answer is due."""
        delay: float = self.options.latency
        if self.options.rate:
            now = self.loop.time()
            self.turn = max(self.turn + 1 / self.options.rate, now)
            delay += self.turn - now
        return delay

    def ask(self) -> None:
        """Answer a line of standard input."""
        line = sys.stdin.readline().split()
        if not line:
            os._exit(0)
        if line[0] == "reset":
            self.reset()
        if line[0] == "set":
            setattr(self.options, line[1], float(line[2]))
        if line[0] == "dump":
            rows = (f"{name.decode()}\t{at}\t{bind}\n" for name, at, bind in self.rows)
            Path(line[1]).write_text("".join(rows))
        print(json.dumps(self.stats()), flush=True)


class Bind(asyncio.Protocol):
    """One connection."""

    def __init__(self, smsc: Smsc) -> None:
        self.smsc = smsc
        self.buffer = b""
        self.number = self.in_flight = self.sequence = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer + data
        at, out = 0, []
        while len(buffer) - at >= HEAD.size:
            length, command, _, sequence = HEAD.unpack_from(buffer, at)
            if len(buffer) - at < length:
                break
            out.append(self.heard(command, sequence, buffer[at + HEAD.size : at + length]))
            at += length
        self.buffer = buffer[at:]
        self.write(b"".join(out))

    def write(self, octets: bytes) -> None:
        if octets and not self.transport.is_closing():
            self.transport.write(octets)

    def heard(self, command: int, sequence: int, body: bytes) -> bytes:
        """What is answered at once."""
        if command == SUBMIT:
            return self.submit(sequence, body)
        if command in BINDS:
            self.smsc.binds += 1
            self.number = self.smsc.binds
            return HEAD.pack(21, RESPONSE | command, 0, sequence) + b"SMSC\0"
        if command in (ENQUIRE, UNBIND):
            return HEAD.pack(16, RESPONSE | command, 0, sequence)
        if command == RESPONSE | DELIVER:
            self.smsc.receipts += 1
            self.smsc.last_receipt = time.monotonic_ns()
        return b""

    def submit(self, sequence: int, body: bytes) -> bytes:
        smsc = self.smsc
        status = int(smsc.options.status)
        if status:
            smsc.refused += 1
        else:
            smsc.arrived(body, self.number)
        self.in_flight += 1
        smsc.most_in_flight = max(smsc.most_in_flight, self.in_flight)
        delay = smsc.delay()
        if delay > 0:
            smsc.loop.call_later(delay, lambda: self.write(self.answer(sequence, body, status)))
            return b""
        return self.answer(sequence, body, status)

    def answer(self, sequence: int, body: bytes, status: int) -> bytes:
        self.in_flight -= 1
        if status:
            return HEAD.pack(17, RESPONSE | SUBMIT, status, sequence) + b"\0"
        self.smsc.ids += 1
        number = b"%x" % self.smsc.ids
        if self.smsc.options.receipts:
            self.smsc.loop.call_later(self.smsc.options.receipt_after, self.receipt, number, body)
        return HEAD.pack(17 + len(number), RESPONSE | SUBMIT, 0, sequence) + number + b"\0"

    def receipt(self, number: bytes, submit: bytes) -> None:
        """Send a receipt: the submit's addresses in turn, the text of SMPP 3.4's appendix B."""
        addresses = submit[submit.index(b"\0") + 1 :]  # after service_type
        middle = addresses.index(b"\0", 2) + 1  # after ton, npi and number
        source, destination = addresses[:middle], addresses[middle:]
        destination = destination[: destination.index(b"\0", 2) + 1]
        text = b"id:%s sub:001 dlvrd:001 submit date:%s done date:%s stat:DELIVRD err:000 text:"
        day = time.strftime("%y%m%d%H%M").encode()
        text %= (number, day, day)
        body = b"\0" + destination + source + b"\x04" + bytes(8) + bytes((len(text),)) + text
        self.sequence += 1
        self.write(HEAD.pack(HEAD.size + len(body), DELIVER, 0, self.sequence) + body)


async def main(options: argparse.Namespace) -> None:
    """Listen until standard input ends."""
    smsc = Smsc(options)
    await smsc.loop.create_server(lambda: Bind(smsc), "127.0.0.1", options.port)
    smsc.loop.add_reader(0, smsc.ask)
    print(json.dumps(smsc.stats()), flush=True)
    await asyncio.Event().wait()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=2775)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--rate", type=float, default=0.0, help="answers a second; 0: at once")
    parser.add_argument("--receipts", action="store_true")
    parser.add_argument(
        "--receipt-after", type=float, default=0.05, help="seconds after its answer"
    )
    parser.add_argument("--status", type=float, default=0, help="command_status of all answers")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
