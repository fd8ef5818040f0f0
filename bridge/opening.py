"""Settings in, a bridge over its open store out: what every process and command begins with."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from bridge import lock
from bridge.dispatch import peppers, processors, tenants
from bridge.dispatch.backup import bring_back
from bridge.dispatch.bell import Bell
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.clerk import Clerk
from bridge.dispatch.clocks import SettledClock, SharedClock
from bridge.dispatch.erasing import ledger_at
from bridge.dispatch.executor import Fulfilment
from bridge.dispatch.restored import admit
from bridge.dispatch.route import Routes
from bridge.errors import Misconfigured
from bridge.keyring import Keyring, Signer, keyring, signer
from bridge.master import Master, master, master_path
from bridge.settings import Settings
from bridge.store.facts import settle
from bridge.store.ids import Ids
from bridge.store.leases import Begin, begin
from bridge.store.migrate import migrate
from bridge.store.store import Store, driver
from bridge.store.tenants import put_file_tenants
from bridge.store.vault import Vault

log = structlog.get_logger("bridge.opening")


@asynccontextmanager
async def opened(settings: Settings, role: str = "command") -> AsyncIterator[Bridge]:
    """A bridge with its store open and its tenants read; nothing runs yet.

    Raises Misconfigured, StoreUnavailable.
    """
    data_dir = settings.data_dir
    lock.prepare(data_dir)
    url = settings.database.url.get_secret_value()
    # SQLite has one writing process, whatever its role.
    slot = lock.only(data_dir, "bridge") if url == "sqlite" else lock.any_of(data_dir, role)
    try:
        keys, made = keyring(settings.privacy.pepper_file, data_dir)
        if made:
            log.warning("a pepper was made; keep a backup of it", path=str(data_dir / "pepper"))
        locks = _master(settings)
        await migrate(url, data_dir)
        store = Store(driver(url, data_dir, Vault(locks)))
        await store.open()
        try:
            # A command beside other machines' bridges must not impose its own file on them.
            learn = role != "command" or url == "sqlite"
            await _same_master(store, locks)
            bridge = await _bridge(settings, store, keys, slot.name, learn=learn)
            # Whoever was erased is not let in again by a backup.
            await admit(bridge)
            yield bridge
        finally:
            await store.close()
    finally:
        slot.release()


def _master(settings: Settings) -> Master:
    """The master key. Raises Misconfigured."""
    privacy = settings.privacy
    path = master_path(privacy.master_key_file, privacy.pepper_file, settings.data_dir)
    found, made = master(path, named=privacy.master_key_file is not None)
    if made:
        log.warning("a master key was made; keep a backup of it", path=str(path))
    return found


async def _same_master(store: Store, locks: Master) -> None:
    """Raises Misconfigured where the database was sealed under a master key that is not here."""
    if await store.write(settle, ("master", locks.names[0])) not in locks.names:
        raise Misconfigured(
            "this database was sealed under another master key: no number could be read",
            "give every process the same [privacy] master_key_file; restore a lost one",
        )


async def _bridge(
    settings: Settings, store: Store, keys: Keyring, slot: str, *, learn: bool
) -> Bridge:
    """The bridge over an open store; with `learn`, the file's tenants become the store's."""
    data_dir = settings.data_dir.resolve()
    clock = await _clock(store)
    now = clock()
    place = f"{slot}:{lock.instance(data_dir)}"
    await peppers.prepare(store, keys, place, now)
    incarnation = await store.write(begin, Begin(place, now))
    bridge = Bridge(
        settings=settings,
        store=store,
        keys=keys,
        signer=_signer(settings),
        bell=Bell(settings.queue.url.get_secret_value(), data_dir),
        incarnation=incarnation,
        ids=Ids(incarnation),
        routes=Routes(settings.routes),
        clock=clock,
    )
    if learn:
        await store.write(put_file_tenants, [tenants.from_file(t, now) for t in settings.tenants])
        await processors.learn(bridge)
    await bridge.refresh()
    bridge.clerk = Clerk(bridge, Fulfilment(bridge))
    return bridge


def _signer(settings: Settings) -> Signer:
    """Who signs here. Raises Misconfigured."""
    privacy = settings.privacy
    home = lock.keyfile("signing_key", privacy.pepper_file, settings.data_dir).parent
    found, made = signer(privacy.signing_key_file, home)
    if made:
        path = str(home / "signing_key")
        log.warning("a signing key was made; keep a backup of it", path=path)
    return found


async def _clock(store: Store) -> Callable[[], float]:
    """The clock that all processes share: leases of one machine are judged on another."""
    if store.database == "sqlite":
        return SettledClock()
    shared = SharedClock()
    await shared.ask(store)
    return shared


async def restore(settings: Settings, place: Path, *, replace: bool) -> dict[str, Any]:
    """Bring a backup back; who was erased since it was made is gone again when this returns.

    Raises Refused, TryLater, Misconfigured, StoreUnavailable.
    """
    lock.prepare(settings.data_dir)
    slot = lock.only(settings.data_dir, "bridge")
    try:
        found = await bring_back(settings, place, time.time(), replace=replace)
    finally:
        slot.release()
    since = [one for one in ledger_at(settings).lines().values() if one.at > found.made_at]
    async with opened(settings):
        pass
    made_at = datetime.fromtimestamp(found.made_at, UTC).isoformat(timespec="seconds")
    return {
        "backup": str(found.file.parent),
        "made_at": made_at,
        "erased": len(since),
        "keys": len(found.keys),
    }
