"""The keys outside the database: a wish comes in, what was done to them goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bridge.operations.office import Item, Office, record
from bridge.store.rewrapping import Rewrap, Rewrapped, rewrap


async def master_rewrap(office: Office) -> AsyncIterator[Item]:
    """Wrap every person's key by the newest master key, so that older ones may be thrown away."""
    store = office.bridge.store
    last: int | None = 0
    done = lost = 0
    while last is not None:
        batch: Rewrapped = await store.write(rewrap, Rewrap(store.driver.vault, last))
        last, done, lost = batch.last, done + batch.done, lost + batch.lost
    await record(office, "master rewrap")
    yield {"rewrapped": done, "lost": lost}
