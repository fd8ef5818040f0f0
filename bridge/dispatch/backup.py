"""A folder comes in; a copy of the database goes into it, and what is too old goes out of it.

The copy holds no keys: they stand beside it in a file that is kept for days. An older copy is
read with the newest keys, so that whoever was erased since cannot be read in it (PRIVACY P1, P65).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bridge import __version__
from bridge.dispatch import keeping
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.erasing import ledger_at
from bridge.errors import Refused, TryLater
from bridge.privacy.periods import periods
from bridge.settings import Settings
from bridge.store.backups import (
    KEYS,
    Key,
    copy_sqlite,
    dump_postgresql,
    is_empty,
    load_postgresql,
    place_sqlite,
)
from bridge.store.migrate import HEAD

FORMAT: Final = "sms-bridge-backup-1"
KEYS_FILE: Final = "keys.json"
MANIFEST: Final = "manifest.json"
_PARTIAL: Final = ".partial"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup, and how many older ones and key files went."""

    path: Path
    gone: int
    keys_gone: int


@dataclass(frozen=True, slots=True)
class Found:
    """A backup to bring back, and the keys to read it with."""

    file: Path
    database: str
    made_at: float
    keys: Sequence[Key]


async def make(bridge: Bridge, home: Path) -> Made:
    """Back the database up into a new folder below `home`. Raises Refused, TryLater."""
    now = bridge.clock()
    name = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    folder = home / f"{name}{_PARTIAL}"
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise Refused(
            f"{home} cannot be written ({error.strerror})", "name a folder of the bridge's own user"
        ) from error
    try:
        keys = await _copied(bridge, folder, now)
        facts = {
            "format": FORMAT,
            "made_at": now,
            "database": bridge.store.database,
            "schema": HEAD,
            "version": __version__,
        }
        write(folder / KEYS_FILE, {"made_at": now, "keys": keys})
        write(folder / MANIFEST, facts)
        folder.replace(home / name)
    except OSError as error:
        raise TryLater(
            f"the backup was not written ({error.strerror})", "see that its disk has room"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    before = (await keeping.plan(bridge)).period("backup").before(now)
    gone, keys_gone = await asyncio.to_thread(tidy, home, now, before)
    return Made(home / name, gone, keys_gone)


async def _copied(bridge: Bridge, folder: Path, now: float) -> Sequence[Key]:
    settings = bridge.settings
    if bridge.store.database == "sqlite":
        source = settings.data_dir.resolve() / "bridge.sqlite"
        return (await asyncio.to_thread(copy_sqlite, source, folder, now)).keys
    url = settings.database.url.get_secret_value()
    await asyncio.to_thread(dump_postgresql, url, folder, now)
    keys: list[Key] = []
    after = 0
    while rows := await bridge.store.read(KEYS, after=after):
        keys += [(row[0], row[1], row[2]) for row in rows]
        after = rows[-1][0]
    return keys


def write(path: Path, facts: object) -> None:
    """A file of JSON, on disk, for its owner alone."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(facts, file)
        file.flush()
        os.fsync(file.fileno())


def tidy(home: Path, now: float, before: float) -> tuple[int, int]:
    """Take away backups made before a moment, and keys older than days; how many of each."""
    gone = keys_gone = 0
    for folder in _folders(home):
        made_at = _facts(folder)["made_at"]
        if made_at <= before:
            shutil.rmtree(folder)
            gone += 1
        elif made_at <= now - periods().keys and (folder / KEYS_FILE).exists():
            (folder / KEYS_FILE).unlink()
            keys_gone += 1
    return gone, keys_gone


def _folders(home: Path) -> list[Path]:
    """The whole backups below a folder, oldest first."""
    return sorted(path.parent for path in home.glob(f"*/{MANIFEST}") if _is_ours(path.parent))


def _is_ours(folder: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return folder.suffix != _PARTIAL and _facts(folder).get("format") == FORMAT
    return False


def _facts(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="ascii"))
    return facts


def find(place: Path, now: float) -> Found:
    """The backup at `place`, or the newest one below it, with the newest keys. Raises Refused."""
    folders = [place] if _is_ours(place) else _folders(place)
    if not folders:
        raise Refused(f"there is no backup in {place}", "name a folder that `bridge backup` made")
    folder = folders[-1]
    facts = _facts(folder)
    if facts["schema"] > HEAD:
        raise Refused(
            f"the backup has schema {facts['schema']}, which is newer than this bridge ({HEAD})",
            "install the newer bridge first",
        )
    name = "bridge.sqlite" if facts["database"] == "sqlite" else "bridge.sql.gz"
    keys = _newest_keys([folder, *_folders(folder.parent)], now)
    return Found(folder / name, facts["database"], facts["made_at"], keys)


def _newest_keys(folders: Sequence[Path], now: float) -> Sequence[Key]:
    """The newest keys that are not too old to be used."""
    found: list[tuple[float, list[Key]]] = []
    for folder in folders:
        with contextlib.suppress(FileNotFoundError):
            facts = json.loads((folder / KEYS_FILE).read_text(encoding="ascii"))
            found.append((facts["made_at"], facts["keys"]))
    fresh = [one for one in found if one[0] > now - periods().keys]
    if not fresh:
        return []
    return [(row[0], row[1], row[2]) for row in max(fresh, key=lambda one: one[0])[1]]


# Bringing back


async def bring_back(settings: Settings, place: Path, now: float, *, replace: bool) -> Found:
    """Put a backup in the database's place, marked: nobody is let in before the erased are gone.

    The caller sees to it that nothing runs. Raises Refused, TryLater, Misconfigured.
    """
    found = find(place, now)
    url = settings.database.url.get_secret_value()
    kind = "sqlite" if url == "sqlite" else "postgresql"
    if found.database != kind:
        raise Refused(
            f"this is a backup of {found.database}, and [database] url names {kind}",
            "name the same kind of database as when it was made",
        )
    ledger = ledger_at(settings)
    if not ledger.is_there:
        raise Refused(
            "the erasure ledger is missing: erased people would come back",
            f"put it at {ledger.path}; if nobody was ever erased, make an empty file there",
        )
    if kind == "sqlite":
        target = settings.data_dir.resolve() / "bridge.sqlite"
        if target.exists() and not replace:
            raise Refused("there is a database already", "say --yes if it may go")
        await asyncio.to_thread(place_sqlite, found.file, found.keys, target)
    else:
        if not await is_empty(url):
            raise Refused(
                "this PostgreSQL database is not empty", "name a new one in [database] url"
            )
        await asyncio.to_thread(load_postgresql, url, found.file, found.keys)
    return found
