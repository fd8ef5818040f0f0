"""Clocks that are wrong, or set while the bridge runs: nobody is killed by one, nothing waits for it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bridge.dispatch.clocks import SharedClock
from bridge.store.leases import BEATS, Beat, Gone, beat, release_gone
from bridge.store.set_back import due_again
from bridge.store.tables import message
from tests.stores import NOW, Database, a_database

HOUR = 3600.0


@pytest.fixture
async def database(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with a_database(url, tmp_path, {}) as made:
        yield made


async def test_who_has_told_of_itself_meanwhile_is_not_released(database: Database) -> None:
    """Its beat came between the look and the release: it lives, whatever its clock says."""
    worker, watcher = await database.two()
    await worker.submit(1)
    await worker.claim()
    found = await watcher.store.read(BEATS, me=watcher.me)
    silent = tuple((row[0], row[1]) for row in found if row[0] == worker.me)
    assert await worker.store.write(beat, Beat(worker.me, NOW - HOUR)) is not None
    assert await watcher.store.write(release_gone, Gone(silent, NOW)) == 0
    assert await watcher.store.write(release_gone, Gone(((worker.me, NOW - HOUR),), NOW)) == 1
    assert await worker.store.write(beat, Beat(worker.me, NOW)) is None


async def test_a_clock_that_is_set_back_keeps_nothing_waiting(database: Database) -> None:
    """What was stored before waits no hour; what its writer asked for later still does."""
    worker, _ = await database.two()
    worker.now += HOUR
    plain = await worker.submit(1)
    tried = await worker.submit(2)
    later = await worker.submit(3, due_at=worker.now + HOUR)
    timed = await worker.submit(4, state="scheduled", due_at=worker.now + HOUR)
    worker.now -= HOUR
    assert (await worker.claim()).messages == []
    assert await worker.store.write(due_again, worker.now) == 2
    due = dict(await worker.rows(select(message.c.id, message.c.due_at)))
    assert due == {
        plain.id: NOW,
        tried.id: NOW,
        later.id: NOW + 2 * HOUR,
        timed.id: NOW + 2 * HOUR,
    }
    assert [c.id for c in (await worker.claim()).messages] == [plain.id, tried.id]
    assert await worker.store.write(due_again, worker.now) == 0


@pytest.mark.postgres
async def test_a_wrong_clock_of_this_machine_matters_to_nobody(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where processes share a database its clock is theirs, whatever becomes of their machine's."""
    right = time.time()
    async with a_database(postgres_url, tmp_path, {}) as database:
        worker = await database.worker("work-1")
        monkeypatch.setattr(time, "time", lambda: right - HOUR)
        shared = SharedClock()
        assert shared() == pytest.approx(right - HOUR, abs=30)
        await shared.ask(worker.store)
        assert shared() == pytest.approx(right, abs=30)
        monkeypatch.setattr(time, "time", lambda: right + HOUR)
        assert shared() == pytest.approx(right, abs=30)


@pytest.mark.postgres
async def test_an_answer_that_took_long_sets_no_clock(postgres_url: str, tmp_path: Path) -> None:
    """A database that stood still for a while tells when it answered, and nobody knows when."""
    async with a_database(postgres_url, tmp_path, {}) as database:
        store = (await database.worker("work-1")).store
        stood = [0.0, 0.0, 0.0, 0.0, 20.0]
        shared = SharedClock(lambda: time.monotonic() + (stood.pop(0) if stood else 20.0))
        await shared.ask(store)
        await shared.ask(store)
        right = time.time() + 20.0  # it has passed here
        assert shared() == pytest.approx(right, abs=2)
