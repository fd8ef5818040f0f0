"""What an entry of the audit costs: appended one by one, by 64 tasks at once, and verified.

    python bench/audit.py [postgresql://…] [--folder FOLDER] [--entries N]

Prints a line each. The folder must be on a disk; without one it is made in the working directory.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bridge.master import Master
from bridge.privacy.chain import verify
from bridge.store.audit import Entry, record_entries
from bridge.store.migrate import migrate
from bridge.store.store import Store, driver
from bridge.store.vault import Vault

TASKS = 64


async def timed(name: str, count: int, work: Callable[[], Awaitable[object]]) -> None:
    """Do it, and say how many entries a second that was."""
    began, cpu = time.monotonic(), time.process_time()
    await work()
    seconds, busy = time.monotonic() - began, time.process_time() - cpu
    print(f"{name:<10} {count / seconds:>8,.0f}/s  {1e6 * busy / count:>6.0f} µs CPU an entry")


async def measure(url: str, folder: Path, entries: int) -> None:
    """Append and verify in a database at `url`; what is there stays there."""
    await migrate(url, folder)
    store = Store(driver(url, folder, Vault(Master([b"m" * 32]))))
    await store.open()

    async def append(count: int) -> None:
        for n in range(count):
            item = Entry("staff 38g4sre5p0100", "read a message", f"n={n}", time.time(), 1, 7)
            await store.write(record_entries, item)

    async def at_once() -> None:
        await asyncio.gather(*(append(entries // TASKS) for _ in range(TASKS)))

    few = entries // 10
    await timed("alone", few, lambda: append(few))
    await timed("at once", entries, at_once)
    await timed("verified", few + entries, lambda: verify(store, ()))
    await store.close()


def main() -> None:
    """Read the arguments, and measure."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("url", nargs="?", default="sqlite")
    reader.add_argument("--folder", type=Path, default=Path())
    reader.add_argument("--entries", type=int, default=20 * TASKS * 10)
    given = reader.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        asyncio.run(measure(given.url, Path(folder), given.entries))


if __name__ == "__main__":
    main()
