"""The pepper comes in as its file has it; a database whose keyed hashes are made with it goes out.

Before anything else runs: after a rotation every known number's hashes are made anew here, so that
no look-up on a message's way has to try two peppers for them (PRIVACY P64).
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from bridge.errors import Misconfigured, Refused
from bridge.keyring import SIZE, Keyring, peppers_in, peppers_written
from bridge.store.facts import settle
from bridge.store.leases import LEASE_SECONDS
from bridge.store.peppers import MOVED, OTHERS, Change, MoveScript, change_pepper, versions_in_use
from bridge.store.store import Store

log = structlog.get_logger("bridge.pepper")

_LOOK: Final = 0.5  # seconds between two looks at whether another process still runs


async def prepare(store: Store, keys: Keyring, slot: str, now: float) -> None:
    """Make sure that this database is under our newest pepper. Raises Misconfigured.

    `slot` is this process's place; other processes must not run while hashes are made anew.
    """
    stands = await store.write(settle, ("pepper", keys.fingerprint))
    if stands != keys.fingerprint:
        if stands not in {older.fingerprint for older in keys.older}:
            raise Misconfigured(
                "this database was made with another pepper: no suppression would match",
                "give every process the same [privacy] pepper_file; restore a lost one from its"
                " backup",
            )
        await _alone(store, slot, now)
        await store.write(change_pepper, Change(stands, keys.fingerprint))
        log.warning("the pepper was changed: hashes are made anew", version=keys.version)
    await _move(store, keys, now)
    await _complete(store, keys)


async def _alone(store: Store, slot: str, now: float) -> None:
    """Wait until no process with the older pepper can be at work. Raises Misconfigured."""
    if store.database == "sqlite":
        return  # one process writes, and that is this one
    for _ in range(int(2 * LEASE_SECONDS / _LOOK)):
        if not await store.read(OTHERS, since=now - LEASE_SECONDS, slot=slot):
            return
        await asyncio.sleep(_LOOK)
        now += _LOOK
    raise Misconfigured(
        "another process still runs with the older pepper",
        "stop all of them, then start them with the new pepper_file",
    )


async def _move(store: Store, keys: Keyring, now: float) -> None:
    found = await store.read(MOVED)
    if not found or not found[0][0]:
        return
    if not keys.older:
        raise Misconfigured(
            "hashes under the older pepper are not made anew yet, and its line is gone",
            "put the older pepper back as the second line of the pepper's file",
        )
    move = MoveScript(keys)
    while await store.write(move, now):
        pass
    log.info("all hashes are under the new pepper", version=keys.version)


async def _complete(store: Store, keys: Keyring) -> None:
    """Raises Misconfigured where tokens stand under a pepper that is not here."""
    known = {keys.version, *(older.version for older in keys.older)}
    lost = {v: n for v, n in (await store.write(versions_in_use, None)).items() if v not in known}
    if lost:
        version, count = max(lost.items())
        raise Misconfigured(
            f"{count} entries of the lists are under pepper {version}, which is not in its file",
            "restore its line from the backup: those people would be texted again",
        )


async def idle(store: Store, keys: Keyring) -> tuple[int, ...]:
    """The versions of older peppers under which nothing stands any more."""
    used = await store.write(versions_in_use, None)
    return tuple(older.version for older in keys.older if not used.get(older.version))


def add(path: Path) -> int:
    """Put a new pepper first in its file; its version. Raises Misconfigured, OSError."""
    peppers = peppers_in(path)
    version = peppers[0][0] + 1
    _write(path, [(version, secrets.token_bytes(SIZE)), *peppers])
    return version


def drop(path: Path, versions: Sequence[int]) -> None:
    """Take peppers out of their file that nothing uses. Raises Misconfigured, OSError."""
    kept = [each for each in peppers_in(path) if each[0] not in versions]
    _write(path, kept)


def back_up(path: Path, to: Path) -> int:
    """Copy the peppers into a new file that only its owner reads; how many they are.

    Raises Refused, Misconfigured, OSError.
    """
    peppers = peppers_in(path)
    try:
        _new(to, peppers_written(peppers))
    except FileExistsError:
        raise Refused(
            "this file is there already; a backup is never overwritten", "choose another name"
        ) from None
    return len(peppers)


def _write(path: Path, peppers: Sequence[tuple[int, bytes]]) -> None:
    """Replace the file at once: it is there whole, before and after, whenever we are killed."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.new")
    scratch.unlink(missing_ok=True)
    _new(scratch, peppers_written(peppers))
    scratch.replace(path)
    _sync(path.parent)


def _new(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    _sync(path.parent)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
