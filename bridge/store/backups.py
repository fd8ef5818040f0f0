"""A database comes in, a copy without people's keys goes out; and a copy comes back, marked.

The keys stand in a file of their own, which is kept for days where the copy is kept for months:
whoever is erased has lost their key in every older copy too (PRIVACY P65). The mark says that the
database is not what it was when it was last used: the erasures since are replayed first (P66).
"""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

from sqlalchemy import bindparam, delete, select, update

from bridge.errors import Refused, TryLater
from bridge.model import State
from bridge.store.audit import Entry, append
from bridge.store.chat_tables import chat_update, draft
from bridge.store.claims import end_messages
from bridge.store.sql import Do, Rows, Script, Statement, Values, among, constant
from bridge.store.tables import callback, fact, message, subject_key

MARK = "restored"
HELD_REASON = "restored"
#: Seconds that `pg_dump` and `psql` may take.
LONGEST = 6 * 3600
BATCH = 500

Key = tuple[int, str, str]

KEYS = Statement(
    select(subject_key.c.subject_id, subject_key.c.wrapped, subject_key.c.kek)
    .where(subject_key.c.subject_id > bindparam("after"))
    .order_by(subject_key.c.subject_id)
    .limit(10_000)
)
#: When the copy was made that this database comes from (Unix time); nothing where it is none.
RESTORED = Statement(select(fact.c.value).where(fact.c.name == constant(MARK)))
_UNMARK = Statement(delete(fact).where(fact.c.name == constant(MARK)))
_WAITING = Statement(
    select(message.c.id)
    .where(message.c.state == constant("queued"), message.c.exempt.is_not(True))
    .limit(BATCH)
)
_EXEMPT = Statement(
    select(message.c.id).where(message.c.state == constant("queued"), message.c.exempt).limit(BATCH)
)
_HOLD = Statement(
    update(message).where(among(message.c.id, "ids")).values(state="held", reason=HELD_REASON)
)
_STALE = tuple(Statement(delete(table)) for table in (chat_update, draft, callback))


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy: its file, and the keys that were in it."""

    file: Path
    keys: Sequence[Key]


# Making


def copy_sqlite(source: Path, folder: Path, made_at: float) -> Copied:
    """A consistent copy of a SQLite database that may be in use. Raises Refused, TryLater."""
    target = folder / "bridge.sqlite"
    try:
        with _closing(f"file:{source}?mode=ro") as live, _closing(f"file:{target}") as copy:
            live.backup(copy)
            found = copy.execute("SELECT subject_id, wrapped, kek FROM subject_key").fetchall()
            keys = [(row[0], row[1], row[2]) for row in found]
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute("PRAGMA secure_delete = ON")
            copy.execute("DELETE FROM subject_key")
            copy.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (MARK, repr(made_at)))
            copy.execute("VACUUM")
    except sqlite3.Error as error:
        raise TryLater(
            f"the copy was not made ({type(error).__name__})",
            "see that the folder can be written and has room for the database",
        ) from error
    target.chmod(0o600)
    return Copied(target, keys)


class _closing(sqlite3.Connection):  # noqa: N801 - it is used as a context
    """A connection that commits each statement, and ends with its block."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri, uri=True, isolation_level=None)

    def __exit__(self, *_error: object) -> None:  # type: ignore[override]
        self.close()


def dump_postgresql(url: str, folder: Path, made_at: float) -> Path:
    """A dump of a PostgreSQL database without the keys. Raises Refused, TryLater."""
    target = folder / "bridge.sql.gz"
    arguments = ["--no-owner", "--no-privileges", "--exclude-table-data=subject_key"]
    with gzip.open(target, "wb") as file:
        target.chmod(0o600)
        _run("pg_dump", arguments, url, out=file)
        mark = f"INSERT INTO public.fact VALUES ('{MARK}', '{made_at!r}');\n"  # noqa: S608
        file.write(mark.encode())
    return target


class Source(Protocol):
    """Something to read octets from."""

    def read(self, size: int, /) -> bytes: ...


class Target(Protocol):
    """Something to write octets to."""

    def write(self, data: bytes, /) -> object: ...


def _pour(source: Source, target: Target) -> None:
    while data := source.read(1 << 20):
        target.write(data)


def _run(
    program: str,
    arguments: Sequence[str],
    url: str,
    fed: Source | None = None,
    out: Target | None = None,
) -> None:
    """Run one of PostgreSQL's programs; its password is in nobody's list of processes."""
    if shutil.which(program) is None:
        raise Refused(
            f"the program {program} is not installed", "install the client programs of PostgreSQL"
        )
    place, environment = _place(url)
    with subprocess.Popen(  # noqa: S603 - our own arguments
        [program, *arguments, f"--dbname={place}"],
        stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
        stdout=subprocess.PIPE if out else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # it may quote a row
        env=environment,
    ) as process:
        try:
            if fed is not None and process.stdin is not None:
                _pour(fed, process.stdin)
                process.stdin.close()
            if out is not None and process.stdout is not None:
                _pour(process.stdout, out)
        except BrokenPipeError:
            pass  # its exit code tells
        if process.wait(LONGEST):
            raise TryLater(
                f"{program} failed ({process.returncode})",
                f"run it by hand to see why: {program} {' '.join(arguments)}",
            )


def _place(url: str) -> tuple[str, dict[str, str]]:
    """The address without its password, and the environment that has it."""
    parts = urlsplit(url)
    environment = dict(os.environ)
    if parts.password:
        environment["PGPASSWORD"] = unquote(parts.password)
        user = f"{parts.username}@" if parts.username else ""
        port = f":{parts.port}" if parts.port else ""
        parts = parts._replace(netloc=f"{user}{parts.hostname or ''}{port}")
    return urlunsplit(parts), environment


# Bringing back


def place_sqlite(copy: Path, keys: Sequence[Key], target: Path) -> None:
    """Put a copy in a database's place, whole or not at all. Raises TryLater."""
    scratch = target.with_name("bridge.sqlite.restoring")
    try:
        shutil.copyfile(copy, scratch)
        scratch.chmod(0o600)
        with _closing(f"file:{scratch}") as database:
            database.execute("BEGIN")
            database.executemany("INSERT OR REPLACE INTO subject_key VALUES (?, ?, ?)", keys)
            database.execute("COMMIT")
        for left in ("-wal", "-shm"):
            target.with_name(target.name + left).unlink(missing_ok=True)
        scratch.replace(target)
    except (OSError, sqlite3.Error) as error:
        scratch.unlink(missing_ok=True)
        raise TryLater(
            f"the copy was not put in place ({type(error).__name__})",
            "see that data_dir can be written and has room for the database",
        ) from error


async def is_empty(url: str) -> bool:
    """Whether a PostgreSQL database has no table of ours. Raises StoreUnavailable."""
    # Not loaded where the database is SQLite.
    import asyncpg

    from bridge.store.postgres import unavailable

    try:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            found = await connection.fetchval("SELECT to_regclass('public.alembic_version')")
        finally:
            await connection.close()
    except (asyncpg.PostgresError, OSError) as error:
        raise unavailable(error) from error
    return found is None


def load_postgresql(url: str, dump: Path, keys: Sequence[Key]) -> None:
    """Fill an empty PostgreSQL database from a dump, whole or not at all. Raises TryLater."""
    with gzip.open(dump, "rb") as file:
        fed = _Joined(file, keys)
        arguments = ["--single-transaction", "--quiet", "--set=ON_ERROR_STOP=1", "--no-psqlrc"]
        _run("psql", arguments, url, fed=fed)


class _Joined:
    """A dump and the keys behind it, as one file to read."""

    def __init__(self, dump: Source, keys: Sequence[Key]) -> None:
        self._dump = dump
        rows = (f"({n}, '{wrapped}', '{kek}')" for n, wrapped, kek in keys)
        insert = "INSERT INTO public.subject_key (subject_id, wrapped, kek) VALUES "
        joined = ",\n".join(rows)
        self._keys = f"{insert}{joined};\n".encode() if keys else b""

    def read(self, size: int, /) -> bytes:
        """The next octets."""
        found = self._dump.read(size)
        if not found:
            found, self._keys = self._keys[:size], self._keys[size:]
        return found


# After a restore


def stand_still(items: Sequence[float]) -> Script:
    """True an item while there is more to stop.

    What waited when the copy was made has most likely been sent since: a person decides. What was
    typed or told then and not worked yet is out of date.
    """
    results = []
    for now in items:
        for statement in _STALE:
            yield Do(statement, {})
        exempt = [row[0] for row in (yield Rows(_EXEMPT, {}))]
        if exempt:
            yield from end_messages(exempt, State.CANCELLED, HELD_REASON, now)
        waiting = [row[0] for row in (yield Rows(_WAITING, {}))]
        if waiting:
            yield Do(_HOLD, {"ids": Values(waiting)})
        results.append(len(waiting) == BATCH or len(exempt) == BATCH)
    return results


def unmark(items: Sequence[float]) -> Script:
    """The database is what it is to be: traffic may begin, and the audit tells why it jumps."""
    for now in items:
        if (yield Do(_UNMARK, {})):
            yield from append([Entry("bridge", "restored from a backup", "", now)])
    return [None] * len(items)
