"""Ports for servers of the tests: none that the kernel gives to a client meanwhile.

What is killed and started again wants its port back, whoever has connected somewhere in between.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

LOWEST = 10_240
PROCESSES = 16  # of tests, that share the ports from there to the kernel's own
#: Linux; elsewhere the kernel's own begin at 49152 (RFC 6335).
KERNELS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _own() -> Iterator[int]:
    """The ports of this process of tests, over and over; 0 where the kernel keeps all of them."""
    end = int(KERNELS.read_text().split()[0]) if KERNELS.exists() else 49_152
    share = (end - LOWEST) // PROCESSES
    if share < 100:
        yield from itertools.repeat(0)
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PROCESSES
    first = LOWEST + worker * share
    skipped = secrets.randbelow(share)  # of an earlier run, some may not be free yet
    yield from itertools.islice(itertools.cycle(range(first, first + share)), skipped, None)


_PORTS = _own()


def free() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    for wanted in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", wanted))
            port: int = probe.getsockname()[1]
            return port
    raise AssertionError("there is always a next one")
