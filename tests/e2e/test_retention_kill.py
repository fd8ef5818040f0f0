"""A purge as a real process, killed in the middle: the next one ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from sqlalchemy import func, select

from bridge.model import State
from bridge.store.claims import end_messages
from bridge.store.sql import Script, Statement
from bridge.store.tables import metadata
from tests.e2e.processes import environment, until
from tests.keepers import DAY, NOISE
from tests.stores import Worker, a_database

MANY = 4000
#: What each start, and who looks, leave behind: the tenant is not in the configuration.
OWN = NOISE | {"audit", "activity", "audit_head", "deletion_claim"}


class OldIds:
    """Ids of long ago."""

    def __init__(self, when: float) -> None:
        self._next = int(when * 1000) << 21

    def next(self) -> int:
        self._next += 1
        return self._next


def _end(items: list[tuple[list[int], float]]) -> Script:
    for numbers, now in items:
        yield from end_messages(numbers, State.FAILED, "handset off", now)
    return [None] * len(items)


async def filled(work: Worker) -> None:
    """Messages of 200 days ago to many people."""
    work.now = time.time() - 200 * DAY
    work.ids = OldIds(work.now)  # type: ignore[assignment]
    stored = await asyncio.gather(*(work.submit(person % 1000) for person in range(MANY)))
    await work.store.write(_end, ([one.id for one in stored], work.now + 60))
    # Of somebody who is still written to.
    work.now = time.time()
    await work.submit(7, id=int(work.now * 1000) << 21)


async def counts(work: Worker) -> dict[str, int]:
    found = {}
    for name, table in metadata.tables.items():
        if name not in OWN:
            rows = await work.store.read(Statement(select(func.count()).select_from(table)))
            found[name] = rows[0][0]
    return found


class Purge:
    """`bridge privacy retention` over a copy of a database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.folder = folder
        folder.mkdir(exist_ok=True)
        config = f'data_dir = "{folder}"\n[database]\nurl = "{url}"\n'
        (folder / "bridge.toml").write_text(config)

    async def start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "privacy", "retention", "--json"),
            *("--config", str(self.folder / "bridge.toml")),
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def whole(self) -> list[dict[str, object]]:
        process = await self.start()
        out, _ = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0, out
        return [json.loads(line) for line in out.splitlines()]

    async def killed(self) -> None:
        """Killed once it has deleted something, and before it is done."""
        process = await self.start()
        try:
            await until(self._has_begun, "the first deletion")
        finally:
            process.send_signal(signal.SIGKILL)
            await process.wait()

    async def _has_begun(self) -> bool:
        query = "SELECT count(*) FROM retention_run WHERE counts <> '{}'"
        if self.url == "sqlite":
            with closing(sqlite3.connect(self.folder / "bridge.sqlite")) as connection:
                connection.execute("PRAGMA query_only = ON")
                return bool(connection.execute(query).fetchone()[0])
        connection = await asyncpg.connect(self.url)
        try:
            return bool(await connection.fetchval(query))
        finally:
            await connection.close()

    async def counts(self) -> dict[str, int]:
        async with a_database(self.url, self.folder, {}) as database:
            return await counts(await database.worker("look"))


Copy = Callable[[str], Awaitable[Purge]]


@pytest.fixture
async def copy(url: str, tmp_path: Path) -> AsyncIterator[Copy]:
    """A function that gives another copy of the same full database."""
    made: list[str] = []
    origin = tmp_path / "origin"
    origin.mkdir()
    async with a_database(url, origin, {}) as database:
        await filled(await database.worker("fill"))

    async def another(name: str) -> Purge:
        folder = tmp_path / name
        if url == "sqlite":
            shutil.copytree(origin, folder)
            return Purge(folder, url)
        parts = urlsplit(url)
        base = parts.path.removeprefix("/")
        admin = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")))
        try:
            await admin.execute(f'CREATE DATABASE "{base}_{name}" TEMPLATE "{base}"')
        finally:
            await admin.close()
        made.append(f"{base}_{name}")
        return Purge(folder, urlunsplit(parts._replace(path=f"/{base}_{name}")))

    yield another
    for name in made:
        await _drop(url, name)


async def _drop(url: str, name: str) -> None:
    admin = await asyncpg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")))
    try:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


async def test_p13_a_killed_purge_ends_as_one_that_was_not(copy: Copy) -> None:
    calm, rough = await copy("calm"), await copy("rough")
    before = await calm.counts()
    assert before["message"] == before["body"] == MANY + 1
    told = await calm.whole()
    deleted = {str(item["class"]): item["deleted"] for item in told}
    assert deleted["text"] == {"body": MANY}
    assert deleted["person"] == {"conversation": 999, "subject": 999, "subject_key": 999}
    await rough.killed()
    midway = await rough.counts()
    assert 1 < midway["message"] + midway["body"] < 2 * (MANY + 1)
    await rough.whole()
    after = await rough.counts()
    assert after == await calm.counts()
    assert after["message"] == after["body"] == after["subject"] == 1
