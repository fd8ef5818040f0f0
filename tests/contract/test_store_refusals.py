"""A database that takes nothing says why, each reason once, and what to do about it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bridge.errors import StoreUnavailable
from bridge.store import postgres
from bridge.store.postgres import unavailable
from bridge.store.sql import Do, Script, Statement
from bridge.store.tables import message
from tests.stores import Worker, a_database


async def test_a_reason_that_shows_later_is_told_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Locked first, then full: two lines, however many writes are refused; one when it is over."""
    async with a_database("sqlite", tmp_path, {}) as database:
        work = await database.worker("work-1")
        with closing(sqlite3.connect(tmp_path / "bridge.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert "another program" in await _hint(work)
        await _pages(work, 1)
        for _ in range(3):
            assert "full" in await _hint(work)
        await _pages(work, 1 << 30)
        await work.submit(1)
    said = capsys.readouterr().out
    assert said.count("database refuses writes") == 2
    assert said.count("database takes writes again") == 1


async def test_a_file_that_is_not_there_any_more_takes_nothing(tmp_path: Path) -> None:
    """What is written to it would be gone with the process."""
    async with a_database("sqlite", tmp_path, {}) as database:
        work = await database.worker("work-1")
        await work.submit(1)
        file = tmp_path / "bridge.sqlite"
        file.rename(tmp_path / "moved")
        assert "put it back" in await _hint(work)
        file.write_bytes(b"another")
        assert "put it back" in await _hint(work)
        (tmp_path / "moved").rename(file)
        await work.submit(2)


@pytest.mark.postgres
async def test_a_process_that_stands_still_in_a_transaction_keeps_no_locks(
    tmp_path: Path, postgres_url: str
) -> None:
    """Frozen between two statements: whoever takes over waits for a lease's time, no longer."""
    async with a_database(postgres_url, tmp_path, {}) as database:
        frozen, other = await database.worker("work-1"), await database.worker("work-2")
        writer = frozen.store.driver._writer  # type: ignore[attr-defined]
        await writer.execute("BEGIN")
        await writer.execute("LOCK TABLE message IN ACCESS EXCLUSIVE MODE")
        await other.submit(1)
        await frozen.submit(2)


@pytest.mark.postgres
async def test_a_connection_that_is_dead_is_left_and_its_locks_end(
    tmp_path: Path, postgres_url: str, proxy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network goes in the midst of a command: the server waits on, and no timeout of its counts.

    Whoever reads leaves its connection too, and all those that may be as dead.
    """
    monkeypatch.setattr(postgres, "COMMAND_SECONDS", 0.5)
    monkeypatch.setattr(postgres, "LEASE_SECONDS", 3600.0)
    through, url = proxy(postgres_url)
    await through.open()
    async with a_database(url, tmp_path, {}) as database:
        work = await database.worker("work-1")
        await asyncio.gather(*(work.count(message) for _ in range(4)))

        def halfway(_items: Sequence[None]) -> Script:
            yield Do(Statement(text("LOCK TABLE message IN ACCESS EXCLUSIVE MODE")), {})
            through.mute, through.tells = True, False
            yield Do(Statement(text("SELECT 1")), {})
            return [None]

        with pytest.raises(StoreUnavailable, match="TimeoutError"):
            await work.store.write(halfway, None)
        with pytest.raises(StoreUnavailable, match="TimeoutError"):
            await work.count(message)
        through.mute = False
        await work.submit(2)
        assert await work.count(message) == 1


@pytest.mark.postgres
async def test_the_end_does_not_wait_for_a_database_that_does_not_answer(
    tmp_path: Path, postgres_url: str, proxy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "CLOSE_SECONDS", 0.1)
    through, url = proxy(postgres_url)
    await through.open()
    async with a_database(url, tmp_path, {}) as database, asyncio.timeout(20):
        work = await database.worker("work-1")
        await work.count(message)
        through.mute = True
        under_way = asyncio.gather(work.submit(1), work.count(message), return_exceptions=True)
        await asyncio.sleep(0)
        work.store.hurry(0.1)
        later = await asyncio.gather(work.submit(2), return_exceptions=True)
        for refused in (*await under_way, *later):
            assert isinstance(refused, StoreUnavailable)
        for store in database.stores:
            store.hurry(0.0)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("taken", "given"),
    [
        (
            "ALTER DATABASE {name} RENAME TO {name}_away",
            "ALTER DATABASE {name}_away RENAME TO {name}",
        ),
        (
            "ALTER DATABASE {name} ALLOW_CONNECTIONS false",
            "ALTER DATABASE {name} ALLOW_CONNECTIONS true",
        ),
    ],
)
async def test_a_database_that_is_taken_away_is_waited_for(
    taken: str, given: str, tmp_path: Path, postgres_url: str
) -> None:
    asyncpg = pytest.importorskip("asyncpg")
    server, name = postgres_url.rsplit("/", 1)
    async with a_database(postgres_url, tmp_path, {}) as database:
        work = await database.worker("work-1")
        await work.submit(1)
        admin = await asyncpg.connect(f"{server}/postgres")
        try:
            await admin.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1",
                name,
            )
            await admin.execute(taken.format(name=name))
            for _ in range(2):
                for refused in (work.submit(2), work.count(message)):
                    with pytest.raises(StoreUnavailable):
                        await refused
            await admin.execute(given.format(name=name))
            await work.submit(3)
            assert await work.count(message) == 2
        finally:
            await admin.close()


async def _hint(work: Worker) -> str:
    with pytest.raises(StoreUnavailable) as refused:
        await work.submit(1, text="Boiler 3 is cold. " * 20_000)
    return refused.value.hint


async def _pages(work: Worker, most: int) -> None:
    """A database that may grow to so many pages, and is as large as it is."""
    driver: Any = work.store.driver
    await driver._writer.execute(f"PRAGMA max_page_count = {most}")


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("LockNotAvailableError", "pg_stat_activity"),
        ("QueryCanceledError", "pg_stat_activity"),
        ("TooManyConnectionsError", "short of disk, memory or connections"),
        ("ReadOnlySQLTransactionError", "only reads"),
        ("UndefinedFileError", "see its log"),
        ("CannotConnectNowError", "check that PostgreSQL runs"),
    ],
)
def test_what_postgresql_says_is_told_with_what_to_do(error: str, hint: str) -> None:
    asyncpg = pytest.importorskip("asyncpg")
    assert hint in unavailable(getattr(asyncpg, error)("x")).hint
    assert "pg_stat_activity" in unavailable(TimeoutError()).hint
