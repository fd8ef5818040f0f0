"""Databases that are migrated already: one is migrated for all tests, the others are its copies."""

from __future__ import annotations

import asyncio
import atexit
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from bridge.store.migrate import HEAD, migrate

FILE = "bridge.sqlite"


def seed(folder: Path) -> None:
    """Put a migrated SQLite database into a folder, unless one is there."""
    if not (folder / FILE).exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(_sqlite() / FILE, folder / FILE)


def seeded(folder: Path) -> Path:
    """A `data_dir` whose SQLite database is migrated."""
    seed(folder)
    return folder


@asynccontextmanager
async def kept_postgres(admin: str) -> AsyncIterator[str]:
    """The migrated database that this process's tests share, one after another; emptied after each.

    To make and to drop one takes longer than most tests. One that a test has changed otherwise
    than by rows is dropped.
    """
    name = _KEPT.pop() if _KEPT else await _made(admin)
    url = urlunsplit(urlsplit(admin)._replace(path=f"/{name}"))
    try:
        yield url
    finally:
        if await _emptied(url):
            _KEPT.append(name)
        else:
            await _execute(admin, f'DROP DATABASE "{name}" WITH (FORCE)')


_KEPT: list[str] = []
#: What the migrations themselves have written: table → its rows as JSON.
_SEEDED: dict[str, str] = {}
#: Whoever is still connected is a process that the test has killed, or is about to end.
_ALONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES = """
SELECT tablename FROM pg_tables
WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
_EMPTY = """
DO $$
DECLARE one text;
BEGIN
  FOR one IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %I', one);
  END LOOP;
  FOR one IN SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', one);
  END LOOP;
END $$
"""


async def _made(admin: str) -> str:
    name = f"bridge_test_{secrets.token_hex(6)}"
    await _execute(admin, f'CREATE DATABASE "{name}"')
    atexit.register(_drop, admin, name)
    url = urlunsplit(urlsplit(admin)._replace(path=f"/{name}"))
    await migrate(url, Path())
    await _remember(url)
    return name


async def _remember(url: str) -> None:
    connection = await asyncpg.connect(url)
    for (table,) in await connection.fetch(_TABLES):
        rows = await connection.fetchval(f'SELECT json_agg(t) FROM "{table}" t')
        if rows:
            _SEEDED[table] = rows
    await connection.close()


def _drop(admin: str, name: str) -> None:
    asyncio.run(_execute(admin, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def _emptied(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url)
    except asyncpg.InvalidCatalogNameError:
        return False
    try:
        await connection.execute(_ALONE)
        await connection.execute(_EMPTY)
        for table, rows in _SEEDED.items():
            given = f'json_populate_recordset(NULL::"{table}", $1)'
            await connection.execute(f'INSERT INTO "{table}" SELECT * FROM {given}', rows)
        found = await connection.fetchval("SELECT version_num FROM alembic_version")
        return bool(found == HEAD)
    finally:
        await connection.close()


@cache
def _sqlite() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="bridge-seed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _run(migrate("sqlite", folder))
    return folder


async def _execute(admin: str, statement: str) -> None:
    connection = await asyncpg.connect(admin)
    await connection.execute(statement)
    await connection.close()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Do it in a loop of its own: the caller may be in one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
