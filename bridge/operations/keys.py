"""The keys outside the database: a wish comes in, what was done to them goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bridge.errors import Misconfigured
from bridge.master import master, master_path
from bridge.operations.office import Item, Office, record
from bridge.store.rewrapping import Rewrap, Rewrapped, rewrap


async def master_rewrap(office: Office) -> AsyncIterator[Item]:
    """Wrap every person's key by the newest master key, so that older ones may be thrown away.

    Raises Misconfigured where the file has another one first than this process read at its start.
    """
    store, settings = office.bridge.store, office.bridge.settings
    privacy = settings.privacy
    path = master_path(privacy.master_key_file, privacy.pepper_file, settings.data_dir)
    if master(path, named=True)[0].names[0] != store.driver.vault.newest:
        raise Misconfigured(
            f"the bridge that runs does not use the first key of {path} yet: nothing was wrapped",
            "keep all keys in the file, start every process of the bridge again, then rewrap",
        )
    last: int | None = 0
    done = lost = 0
    while last is not None:
        batch: Rewrapped = await store.write(rewrap, Rewrap(store.driver.vault, last))
        last, done, lost = batch.last, done + batch.done, lost + batch.lost
    await record(office, "master rewrap")
    yield {"rewrapped": done, "lost": lost}
