"""Whether the configured database can be used: its URL in, a sentence about it out."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import column, select, table

from bridge.errors import Misconfigured
from bridge.store.migrate import HEAD
from bridge.store.sql import Statement
from bridge.store.sqlite import unavailable
from bridge.store.tables import carrier_lease

#: Which carriers' binds are owned, whether they stand, and until when that is true.
BINDS = Statement(select(carrier_lease.c.carrier, carrier_lease.c.up, carrier_lease.c.until))

_SCHEMA = str(select(column("version_num")).select_from(table("alembic_version")))


async def probe(url: str, data_dir: Path) -> str:
    """Connect, look at the schema, change nothing. Raises StoreUnavailable, Misconfigured."""
    return _sqlite(data_dir / "bridge.sqlite") if url == "sqlite" else await _postgresql(url)


def _sqlite(path: Path) -> str:
    """Read-only: a bridge may be writing."""
    if not path.exists():
        return f"SQLite {sqlite3.sqlite_version}; {path} is made at the first start"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as file:
            made = file.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
            rows = file.execute(_SCHEMA).fetchall() if made.fetchone() else []
    except sqlite3.Error as error:
        raise unavailable(error) from error
    return f"SQLite {sqlite3.sqlite_version}, {path}, {_schema(rows)}"


async def _postgresql(url: str) -> str:
    # Not loaded where the database is SQLite.
    import asyncpg

    from bridge.store.postgres import unavailable

    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise unavailable(error) from error
    try:
        made = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
        rows = await connection.fetch(_SCHEMA) if made else []
        server = connection.get_server_version()
    finally:
        await connection.close(timeout=5)
    return f"PostgreSQL {server.major}.{server.minor}, {_schema(rows)}"


def _schema(rows: list[tuple[str]]) -> str:
    if not rows:
        return "empty; its tables are made at the first start"
    found = rows[0][0]
    if found > HEAD:
        raise Misconfigured(
            f"the database has schema {found}, which is newer than this bridge knows ({HEAD})",
            "install the newer bridge again, or restore a backup from before the upgrade",
        )
    return f"schema {found}" if found == HEAD else f"schema {found}, upgraded at the next start"
