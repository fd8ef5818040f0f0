"""Backups: a folder comes in, a copy of the database goes into it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from bridge.dispatch.backup import make
from bridge.dispatch.erasing import ledger_of
from bridge.operations.office import Item, Office, record


async def backup(office: Office, *, folder: str) -> AsyncIterator[Item]:
    """Copy the database into a new folder below this one. Raises Refused, TryLater."""
    await record(office, "backup")
    made = await make(office.bridge, Path(folder))
    yield {
        "path": str(made.path),
        "removed_backups": made.gone,
        "removed_keys": made.keys_gone,
        "ledger": str(ledger_of(office.bridge).path.resolve()),
    }
