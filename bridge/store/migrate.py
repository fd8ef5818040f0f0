"""Brings a database to the newest schema: whole or not at all, also when killed midway.

Everything runs in one transaction: on PostgreSQL under an advisory lock, so that of several
starting processes one migrates and the others wait; on SQLite after BEGIN IMMEDIATE, in a process
of its own, `python -m bridge.store.migrate FILE`: what alembic loads would stay in memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from bridge.errors import BridgeError, Misconfigured, StoreUnavailable
from bridge.store.sqlite import unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = structlog.get_logger("bridge.store")

HEAD = "0020"
MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 0x736D736272  # any number that only we use


async def migrate(url: str, data_dir: Path) -> None:
    """Upgrade the database. Raises StoreUnavailable, or Misconfigured when it is newer than we."""
    if url == "sqlite":
        await asyncio.to_thread(_sqlite, data_dir / "bridge.sqlite")
    else:
        await _postgresql("postgresql+asyncpg://" + url.split("://", 1)[1])


def _sqlite(path: Path) -> None:
    if not _is_newest(path):
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", __name__, str(path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            raise _told(done.stdout, done.returncode)


def _is_newest(path: Path) -> bool:
    """Whether there is nothing to be done. Raises StoreUnavailable."""
    try:
        with closing(sqlite3.connect(path)) as file:
            named = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
            if file.execute(named).fetchone() is None:
                return False
            found = file.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise unavailable(error) from error
    return bool(found == (HEAD,))


def _told(said: bytes, code: int) -> BridgeError:
    """The child's fault, as it told it."""
    try:
        kind, sentence, hint = json.loads(said)
    except ValueError:
        return StoreUnavailable(
            f"the database was not upgraded (the upgrade ended with {code})", "try again"
        )
    return (Misconfigured if kind == Misconfigured.__name__ else StoreUnavailable)(sentence, hint)


def upgrade(path: Path) -> None:
    """Bring a SQLite file to the newest schema. Raises StoreUnavailable, Misconfigured."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    # The driver's own transaction control commits before DDL: it is switched off, BEGIN is ours.
    event.listen(engine, "connect", _own_transactions)
    event.listen(engine, "begin", _begin_immediate)
    try:
        with engine.begin() as connection:
            _upgrade(connection)
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise unavailable(error.orig) from error
        raise


async def _postgresql(url: str) -> None:
    # Eight megabytes that a bridge over SQLite does without.
    import asyncpg
    from sqlalchemy.ext.asyncio import create_async_engine

    from bridge.store.postgres import CONNECT_SECONDS, unavailable

    engine = create_async_engine(url, connect_args={"timeout": CONNECT_SECONDS})
    try:
        async with engine.begin() as connection:
            free = text(f"SELECT pg_try_advisory_xact_lock({_LOCK})")
            if not (await connection.execute(free)).scalar():
                log.info("another process works on the database's schema; waiting for it")
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            await connection.run_sync(_upgrade)
    except DBAPIError as error:
        # SQLAlchemy's error is about its adapter's, and that about asyncpg's.
        raise unavailable(getattr(error.orig, "__cause__", None) or error) from error
    except (OSError, asyncpg.PostgresError) as error:
        raise unavailable(error) from error
    finally:
        await engine.dispose()


def _own_transactions(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _upgrade(connection: Connection) -> None:
    has_table = connection.dialect.has_table(connection, "alembic_version")
    now = (
        connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if has_table
        else None
    )
    if now == HEAD:
        return
    # Only a database that is behind pays for alembic's import.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if now is not None and now not in known:
        raise Misconfigured(
            f"the database has schema {now}, which is newer than this bridge knows ({HEAD})",
            "install the newer bridge again, or restore a backup from before the upgrade",
        )
    command.upgrade(config, "head")


def main() -> None:
    """The process of its own."""
    try:
        upgrade(Path(sys.argv[1]))
    except BridgeError as fault:
        sys.stdout.write(json.dumps([type(fault).__name__, fault.sentence, fault.hint]))
        sys.exit(1)


if __name__ == "__main__":
    main()
