"""Brings a database to the newest schema: whole or not at all, also when killed midway.

Everything runs in one transaction: on PostgreSQL under an advisory lock, so that of several
starting processes one migrates and the others wait; on SQLite after BEGIN IMMEDIATE.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bridge.errors import Misconfigured, StoreUnavailable
from bridge.store.postgres import unavailable as postgres_unavailable
from bridge.store.sqlite import unavailable as sqlite_unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "0010"
MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 0x736D736272  # any number that only we use


async def migrate(url: str, data_dir: Path) -> None:
    """Upgrade the database. Raises StoreUnavailable, or Misconfigured when it is newer than we."""
    engine = _engine(url, data_dir)
    try:
        async with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            await connection.run_sync(_upgrade)
    except (DBAPIError, OSError, asyncpg.PostgresError) as error:
        raise _unavailable(error) from error
    finally:
        await engine.dispose()


def _engine(url: str, data_dir: Path) -> AsyncEngine:
    if url != "sqlite":
        return create_async_engine("postgresql+asyncpg://" + url.split("://", 1)[1])
    engine = create_async_engine(f"sqlite+aiosqlite:///{data_dir / 'bridge.sqlite'}")
    # The driver's own transaction control commits before DDL: it is switched off, BEGIN is ours.
    event.listen(engine.sync_engine, "connect", _own_transactions)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


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


def _unavailable(error: Exception) -> StoreUnavailable:
    cause = getattr(error, "orig", None) or error
    cause = getattr(cause, "__cause__", None) or cause
    if isinstance(cause, sqlite3.Error):
        return sqlite_unavailable(cause)
    return postgres_unavailable(cause if isinstance(cause, Exception) else error)
