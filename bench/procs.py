"""Process ids in; the CPU seconds and the memory of their trees out, from /proc (Linux)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Of whole trees: CPU with reaped children's, RSS with shared pages in each, PSS without."""

    cpu_s: float
    rss_mb: float
    pss_mb: float


def _stat(pid: int) -> list[str]:
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def parent(pid: int) -> int:
    """A process's parent; OSError where it is not of this machine."""
    return int(_stat(pid)[1])


def family(roots: Iterable[int]) -> list[int]:
    """These processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                children.setdefault(parent(int(entry.name)), []).append(int(entry.name))
    found = list(roots)
    for pid in found:
        found += children.get(pid, [])
    return found


def usage(roots: Iterable[int]) -> Usage:
    """What these trees have used and hold now."""
    ticks = rss = pss = 0
    for pid in family(roots):
        with suppress(OSError):
            ticks += sum(map(int, _stat(pid)[11:15]))  # utime, stime, cutime, cstime: proc(5)
            lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
            kb = {line.split()[0]: int(line.split()[1]) for line in lines}
            rss, pss = rss + kb["Rss:"], pss + kb["Pss:"]
    return Usage(ticks / TICKS, rss / 1024, pss / 1024)


def busy() -> float:
    """CPU seconds that this machine has worked since its start, whoever for."""
    fields = list(map(int, (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]))
    return (sum(fields) - fields[3] - fields[4]) / TICKS  # without idle and iowait
