"""A database that takes nothing says why, each reason once, and what to do about it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import StoreUnavailable
from bridge.store.postgres import unavailable
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
        ("CannotConnectNowError", "check that PostgreSQL runs"),
    ],
)
def test_what_postgresql_says_is_told_with_what_to_do(error: str, hint: str) -> None:
    asyncpg = pytest.importorskip("asyncpg")
    assert hint in unavailable(getattr(asyncpg, error)("x")).hint
    assert "pg_stat_activity" in unavailable(TimeoutError()).hint
