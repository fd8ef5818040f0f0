"""A process that appends to the audit until it is killed, and says how many entries are on disk."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bridge.store.audit import Entry, record_entries
from bridge.store.store import Store, driver
from tests.stores import a_vault

AT_ONCE = 8


async def main(url: str, folder: str, actor: str) -> None:
    """Append from several tasks, so that commits are shared; a line an entry."""
    store = Store(driver(url, Path(folder), a_vault()))
    await store.open()

    async def append(task: int) -> None:
        while True:
            await store.write(record_entries, Entry(actor, "appended", f"task={task}", 1.5, 1))
            print(task, flush=True)  # noqa: T201

    await asyncio.gather(*map(append, range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
