"""SQLite: one aiosqlite connection that writes and checkpoints, one that only reads.

Before 3.51.3 a second connection that writes or checkpoints can corrupt a WAL database, so there
is never one. A transaction is one call into aiosqlite's thread: its own layers cost three times
the driver's at a row a commit.

The few scripts that every message runs are quick. They run in the loop's own thread, and only
their COMMIT, which waits for the disk, is handed over: two threads that both run Python take the
interpreter from each other at every statement.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import aiosqlite

from bridge import flatjson
from bridge.errors import StoreUnavailable
from bridge.store.sql import (
    Compiled,
    Do,
    Lock,
    Many,
    Plain,
    Refs,
    Row,
    Rows,
    Script,
    Shred,
    Statement,
    Step,
    Values,
    is_quick,
)
from bridge.store.vault import Session, Vault

BUSY_MS = 2000
#: Octets of a file that is written anew whenever somebody was erased.
SMALL = 256 << 20
_HINTS = (
    ("full", "the disk with data_dir is full: free some space"),
    ("locked", "another program holds the database: end it"),
    ("readonly", "the database cannot be written: check the owner and mode of data_dir"),
    ("unable to open", "the database cannot be opened: check the owner and mode of data_dir"),
    ("disk i/o", "the disk with data_dir reports errors: check it"),
    ("malformed", "the database file is damaged: restore a backup"),
    ("not a database", "bridge.sqlite in data_dir is no database: restore a backup"),
)


def unavailable(error: sqlite3.Error) -> StoreUnavailable:
    """What SQLite says, as a temporary refusal with what to do; its own words may hold a text."""
    said = str(error).lower()
    hint = next((hint for word, hint in _HINTS if word in said), "check the disk with data_dir")
    return StoreUnavailable(f"the database did not take it ({type(error).__name__})", hint)


def _is_fault(error: sqlite3.Error) -> bool:
    """Whether one statement or value is at fault, rather than the database."""
    if isinstance(error, sqlite3.OperationalError):
        return "decode" in str(error)
    return type(error) is not sqlite3.DatabaseError


class Sqlite:
    """The driver of a SQLite file."""

    database = "sqlite"

    def __init__(self, path: Path, vault: Vault) -> None:
        self.path = path
        self.vault = vault
        self._writer: aiosqlite.Connection | None = None
        self._reader: aiosqlite.Connection | None = None
        self._file: tuple[int, int] | None = None

    async def open(self) -> None:
        """Open both connections. Raises StoreUnavailable."""
        try:
            self._writer = await _connect(self.path)
            await self._writer.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            for pragma in (
                "journal_mode = WAL",
                "synchronous = FULL",
                # 32 MB: a page that many commits have touched is written back once.
                "wal_autocheckpoint = 8000",
                "journal_size_limit = 67108864",
                "cache_size = -8192",
                "temp_store = MEMORY",
                # What is deleted is overwritten: a free page holds nobody's number (PRIVACY P65).
                "secure_delete = ON",
            ):
                await self._writer.execute(f"PRAGMA {pragma}")
            # From here on we wait for a lock ourselves, and never in the loop's thread.
            await self._writer.execute("PRAGMA busy_timeout = 0")
            self._file = _identity(self.path)
            self._reader = await _connect(self.path)
            await self._reader.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            await self._reader.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            await self.close()
            raise unavailable(error) from error

    async def close(self) -> None:
        """Close; the last one checkpoints."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                await connection.close()
        self._reader = self._writer = None

    def hurry(self, seconds: float) -> None:
        """Nothing to do: a disk is waited for."""

    async def transaction(self, scripts: Sequence[Callable[[], Script]]) -> list[Any]:
        """Run scripts in one transaction; their results once it is on disk.

        Raises StoreUnavailable when nothing was stored; whatever a script raised, likewise.
        """
        if self._writer is None:
            raise StoreUnavailable("the database is closed", "start the bridge again")
        if _identity(self.path) != self._file:
            raise StoreUnavailable(
                "the database's file was moved or replaced while the bridge ran",
                "put it back, or start the bridge again with the one that is there",
            )
        raw = self._writer._conn  # noqa: SLF001
        quick = all(is_quick(script) for script in scripts)
        session = self.vault.session()
        try:
            if quick and _begin(raw):
                done = _run(raw, scripts, session)
                await _hop(self._writer, _commit, raw)
            else:
                done = await _hop(self._writer, _run_whole, raw, scripts, session)
        except sqlite3.Error as error:
            if _is_fault(error):
                raise
            raise unavailable(error) from error
        session.committed()
        return done

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        """Run one SELECT outside of the writer's way."""
        if self._reader is None:
            raise StoreUnavailable("the database is closed", "start the bridge again")
        session = self.vault.session()
        raw = self._reader._conn  # noqa: SLF001
        try:
            found: list[Row] = await _hop(
                self._reader, _perform, raw, Rows(statement, values), session
            )
        except sqlite3.Error as error:
            raise unavailable(error) from error
        return found

    async def scrub(self, *, whole: bool = False) -> None:
        """Leave nothing of what was deleted: neither in the file nor in the write-ahead log.

        SQLite overwrites what it deletes, but pages that were packed anew keep old octets in their
        gaps. The file is written anew, which takes a second for each 50 MB; one that is large only
        with `whole`.
        """
        if self._writer is None:
            raise StoreUnavailable("the database is closed", "start the bridge again")
        raw = self._writer._conn  # noqa: SLF001
        anew = whole or self.path.stat().st_size <= SMALL
        try:
            await _hop(self._writer, _scrub, raw, self.path.parent, anew)
        except sqlite3.Error as error:
            raise unavailable(error) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands under a name: what is written to one that is gone is gone with us."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _scrub(connection: sqlite3.Connection, folder: Path, anew: bool) -> None:
    if anew:
        # Its scratch file, unlinked as it is made, is to be on the same disk.
        os.environ["SQLITE_TMPDIR"] = str(folder)
        connection.execute("PRAGMA temp_store = FILE")
        try:
            connection.execute("VACUUM")
        finally:
            connection.execute("PRAGMA temp_store = MEMORY")
    until = time.monotonic() + BUSY_MS / 1000
    # Somebody who reads holds the log: (busy, pages, pages moved).
    while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > until:
            raise sqlite3.OperationalError("database is locked")
        time.sleep(0.02)


def _connect(path: Path) -> aiosqlite.Connection:
    connection = aiosqlite.connect(
        path, isolation_level=None, cached_statements=512, check_same_thread=False
    )
    # A process that ends on a fault must not wait for a thread that nobody will stop.
    connection._thread.daemon = True  # noqa: SLF001
    return connection


def _hop(connection: aiosqlite.Connection, work: Callable[..., Any], *args: Any) -> Awaitable[Any]:
    """Run `work` in the connection's thread."""
    call: Callable[..., Awaitable[Any]] = connection._execute  # noqa: SLF001
    return call(work, *args)


def _bind(compiled: Compiled, values: Mapping[str, Any]) -> list[Any]:
    return [flatjson.array(v) if isinstance(v, Values) else v for v in compiled.bind(values)]


def _begin(connection: sqlite3.Connection) -> bool:
    """Begin at once, or not at all: another program may hold the lock."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return False
        raise
    return True


def _begin_patiently(connection: sqlite3.Connection) -> None:
    until = time.monotonic() + BUSY_MS / 1000
    while not _begin(connection):
        if time.monotonic() > until:
            raise sqlite3.OperationalError("database is locked")
        time.sleep(0.02)


def _commit(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("COMMIT")
    except BaseException:
        _undo(connection)
        raise


def _undo(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _run_whole(
    connection: sqlite3.Connection, scripts: Sequence[Callable[[], Script]], session: Session
) -> list[Any]:
    _begin_patiently(connection)
    results = _run(connection, scripts, session)
    _commit(connection)
    return results


def _run(
    connection: sqlite3.Connection, scripts: Sequence[Callable[[], Script]], session: Session
) -> list[Any]:
    """Run scripts in the transaction that has begun; undo it if one fails."""
    try:
        return [_drive(connection, make(), session) for make in scripts]
    except BaseException:
        _undo(connection)
        raise


def _drive(connection: sqlite3.Connection, script: Script, session: Session) -> Any:
    answer: Any = None
    while True:
        try:
            step = script.send(answer)
        except StopIteration as end:
            return end.value
        answer = _perform(connection, step, session)


def _perform(connection: sqlite3.Connection, step: Step, session: Session) -> Any:
    """Run a step, through the vault where it has to do with it."""
    if not isinstance(step, (Refs, Shred)) and not step.statement.of("sqlite").guarded:
        return _step(connection, step)
    steps = session.perform(step, "sqlite")
    answer: Any = None
    while True:
        try:
            part = steps.send(answer)
        except StopIteration as end:
            return end.value
        answer = _step(connection, part)


#: Rows of one statement: any number up to 16, and some larger ones, so that texts stay few.
_ROW_COUNTS = (64, 48, 32, 24, *range(16, 0, -1))


def _insert_all(
    connection: sqlite3.Connection, statement: Statement, rows: Sequence[Mapping[str, Any]]
) -> int:
    """All rows in few statements, each of which costs as much as a row; how many were touched."""
    row = statement.row
    assert row is not None  # noqa: S101 - what `whole` says
    at = touched = 0
    for count in _ROW_COUNTS:
        while len(rows) - at >= count:
            values = list(chain.from_iterable(map(row, rows[at : at + count])))
            touched += connection.execute(statement.rows_text(count), values).rowcount
            at += count
        if at == len(rows):
            break
    return touched


def _step(connection: sqlite3.Connection, step: Plain) -> Any:
    compiled = step.statement.of("sqlite")
    match step:
        case Rows(values=values):
            return connection.execute(compiled.text, _bind(compiled, values)).fetchall()
        case Do(values=values):
            return connection.execute(compiled.text, _bind(compiled, values)).rowcount
        case Many(statement=statement) if statement.whole:
            return _insert_all(connection, statement, step.rows)
        case Lock():
            return None
        case Many(rows=rows):
            bind = compiled.bind
            connection.executemany(compiled.text, [bind(row) for row in rows])
            return None
