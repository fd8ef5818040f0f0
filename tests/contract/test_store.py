"""One suite over both databases: what the store promises to the rest of the house."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bridge.errors import Misconfigured
from bridge.model import Receipt, State
from bridge.store import leases, sweeps
from bridge.store import migrate as migrations
from bridge.store.claims import Claim, Claims, ClaimScript
from bridge.store.ids import Ids
from bridge.store.leases import Beat, Begin, GiveBack, beat, begin, give_back, release_silent
from bridge.store.notices import ClaimNotices, NoticeDone, claim_notices, finish_notices
from bridge.store.outcomes import Move, PartDone, Progress, record_progress
from bridge.store.receipts import ReceiptIn, match_missed, record_receipts
from bridge.store.sql import Statement
from bridge.store.store import Store, driver
from bridge.store.submissions import Prepared, Stored, store_submissions
from bridge.store.suppressions import Lift, Suppress, lift_all, suppress_all
from bridge.store.sweeps import sweep, tidy
from bridge.store.tables import attempt, event, message, notice, seen, subject
from bridge.store.tenants import TenantIn, put_tenants
from tests.consents import VOUCHED
from tests.seeds import seed
from tests.stores import a_message, a_vault, whole_metadata

STATES = Statement(select(message.c.state).order_by(message.c.id))
NOTICES = Statement(select(notice.c.kind).order_by(notice.c.id))
LANE = "smsc.bulk"


@dataclass
class Place:
    """A migrated, empty database."""

    url: str
    folder: Path

    async def store(self) -> Store:
        store = Store(driver(self.url, self.folder, a_vault()))
        await store.open()
        return store


@pytest.fixture
async def place(url: str, tmp_path: Path) -> Place:
    seed(tmp_path)
    return Place(url, tmp_path)


class Process:
    """What one process of the bridge does with its store."""

    def __init__(self, store: Store, incarnation: int) -> None:
        self.store = store
        self.me = incarnation
        self.ids = Ids(incarnation)
        self.claims = ClaimScript(self.ids.next)

    async def claim(self, room: int = 100, **more: Any) -> Claims:
        item = Claim("smsc", self.me, time.time(), room, room, **more)
        found: Claims = await self.store.write(self.claims, item)
        return found

    def prepared(self, number: int = 0, **more: Any) -> Prepared:
        return a_message(self.ids.next(), time.time(), number, **more)

    async def submit(self, number: int = 0, **more: Any) -> Stored:
        stored: Stored = await self.store.write(store_submissions, self.prepared(number, **more))
        return stored

    async def answer(
        self, claims: Claims, state: State = State.SENT, word: str = "accepted"
    ) -> None:
        for claimed in claims.messages:
            parts = tuple(
                PartDone(a, word, f"id-{a}" if word == "accepted" else "", "")
                for a in claimed.attempts.values()
            )
            move = Move(
                claimed.id,
                state,
                "",
                LANE,
                0,
                time.time(),
                claimed.resent,
                "gsm7",
                "",
                claimed.parts,
                claimed.tries,
            )
            progress = Progress("smsc", time.time(), self.me, parts, move)
            await self.store.write(record_progress, [progress])

    async def states(self) -> list[str]:
        return [row[0] for row in await self.store.read(STATES)]


@pytest.fixture
async def process(place: Place) -> AsyncIterator[Process]:
    store = await place.store()
    tenant = TenantIn("acme", {"reports": "all"}, [], [], "file", time.time())
    await store.write(put_tenants, tenant)
    yield Process(store, await store.write(begin, Begin("work-1", time.time())))
    await store.close()


async def another(place: Place, slot: str = "work-2") -> Process:
    store = await place.store()
    return Process(store, await store.write(begin, Begin(slot, time.time())))


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn, without a table."""
    if request.param == "sqlite":
        return "sqlite"
    found: str = request.getfixturevalue("bare_postgres_url")
    return found


def _engine(url: str, folder: Path) -> AsyncEngine:
    if url == "sqlite":
        return create_async_engine(f"sqlite+aiosqlite:///{folder / 'bridge.sqlite'}")
    return create_async_engine("postgresql+asyncpg://" + url.split("://", 1)[1])


async def test_the_migrations_make_the_tables_that_the_statements_mean(
    bare_url: str, tmp_path: Path
) -> None:
    await migrations.migrate(bare_url, tmp_path)
    engine = _engine(bare_url, tmp_path)
    async with engine.connect() as connection:
        difference = await connection.run_sync(
            lambda c: compare_metadata(MigrationContext.configure(c), whole_metadata())
        )
    await engine.dispose()
    assert difference == []


def test_the_newest_migration_is_the_one_that_is_checked_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


async def test_a_newer_database_is_refused(place: Place) -> None:
    from sqlalchemy import text

    engine = _engine(place.url, place.folder)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(Misconfigured, match="newer than this bridge"):
        await migrations.migrate(place.url, place.folder)


async def test_several_starts_at_once_migrate_once(tmp_path: Path, bare_postgres_url: str) -> None:
    await asyncio.gather(*(migrations.migrate(bare_postgres_url, tmp_path) for _ in range(4)))


async def test_the_same_key_within_the_hour_is_one_message(process: Process) -> None:
    first = await process.submit(dedupe="k")
    again = await asyncio.gather(*(process.submit(dedupe="k") for _ in range(5)))
    assert {(s.id, s.repeat) for s in again} == {(first.id, True)}
    later = await process.submit(dedupe="k", now=time.time() + 3700)
    assert not later.repeat


async def test_two_processes_with_the_same_mail_store_it_once(
    place: Place, process: Process
) -> None:
    other = await another(place)
    stored = await asyncio.gather(
        *(p.submit(dedupe=f"k{n % 10}", number=n % 10) for n in range(40) for p in (process, other))
    )
    await other.store.close()
    assert sum(not s.repeat for s in stored) == 10
    assert len(await process.states()) == 10


async def test_one_person_is_one_subject_however_many_write(place: Place, process: Process) -> None:
    other = await another(place)
    await asyncio.gather(*(p.submit(7) for _ in range(20) for p in (process, other)))
    await other.store.close()
    assert (await process.store.read(Statement(select(func.count()).select_from(subject))))[0][
        0
    ] == 1


async def test_one_faulty_item_fails_alone(process: Process) -> None:
    good = process.prepared(1)
    bad = replace(process.prepared(2), parts=None)  # type: ignore[arg-type]
    results = await asyncio.gather(
        process.store.put(store_submissions, good),
        process.store.put(store_submissions, bad),
        process.store.put(store_submissions, process.prepared(3)),
        return_exceptions=True,
    )
    assert isinstance(results[1], Exception)
    assert await process.states() == ["queued", "queued"]


async def test_a_claim_takes_no_more_parts_than_there_is_room(process: Process) -> None:
    for number in range(4):
        await process.submit(number, parts=3, text="x" * 400)
    claims = await process.claim(room=5)
    assert [len(c.attempts) for c in claims.messages] == [3, 2]
    assert [c.due for c in claims.messages] == [(1, 2, 3), (1, 2, 3)]
    begun = ((claims.messages[1].id, 3, (3,)),)
    more = await process.claim(room=1, begun=begun)
    assert list(more.attempts) == [(claims.messages[1].id, 3)]


async def test_urgent_goes_first_and_bulk_keeps_to_its_room(process: Process) -> None:
    await process.submit(1)
    await process.submit(2)
    await process.submit(3, urgent=True, lane="smsc.urgent")
    claims: Claims = await process.store.write(
        process.claims, Claim("smsc", process.me, time.time(), room=3, bulk_room=2)
    )
    assert [c.urgent for c in claims.messages] == [True, False]


async def test_two_processes_never_claim_the_same_message(place: Place, process: Process) -> None:
    other = await another(place)
    for number in range(60):
        await process.submit(number)
    claims = await asyncio.gather(*(p.claim(room=4) for _ in range(20) for p in (process, other)))
    await other.store.close()
    taken = [c.id for each in claims for c in each.messages]
    assert len(taken) == len(set(taken)) == 60


async def test_what_is_suppressed_is_neither_stored_to_leave_nor_claimed(process: Process) -> None:
    await process.submit(1)
    await process.submit(2)
    ids, new = await process.store.write(
        suppress_all, Suppress(1, "person-1", "tenant", "handset", time.time())
    )
    assert len(ids) == 1
    assert new
    assert await process.states() == ["suppressed", "queued"]
    assert (await process.submit(1)).state is State.SUPPRESSED
    assert (await process.submit(1, exempt=True)).state is State.QUEUED
    assert len((await process.claim()).messages) == 2
    await process.store.write(lift_all, Lift(("person-1",), "handset", time.time()))
    assert (await process.submit(1)).state is State.QUEUED
    assert [row[0] for row in await process.store.read(NOTICES)] == ["failed", "failed"]


async def test_a_stop_between_store_and_claim_wins(process: Process) -> None:
    """Scope "all" is known by another token than the tenant's."""
    await process.submit(1)
    await process.store.write(suppress_all, Suppress(0, "all-1", "all", "handset", time.time()))
    assert (await process.claim()).messages == []


async def test_a_late_message_expires_at_the_claim(process: Process) -> None:
    await process.submit(1, expires_at=time.time() - 1)
    assert (await process.claim()).refused == 1
    assert await process.states() == ["expired"]


async def test_a_new_start_in_the_slot_releases_what_its_forebear_held(
    place: Place, process: Process
) -> None:
    await process.submit(1)
    await process.submit(2, klass="marketing", permit=VOUCHED)
    await process.claim()
    heir = await another(place, "work-1")
    assert await heir.states() == ["queued", "unknown"]
    again = await heir.claim()
    assert [(c.resent, c.tries) for c in again.messages] == [(1, 2)]
    attempts = await heir.store.read(Statement(select(attempt.c.state).order_by(attempt.c.id)))
    assert [row[0] for row in attempts] == ["unknown", "unknown", "claimed"]
    await heir.store.close()


async def test_a_message_is_sent_again_three_times_at_most(place: Place, process: Process) -> None:
    await process.submit(1)
    heirs = [process]
    for _ in range(4):
        await heirs[-1].claim()
        heirs.append(await another(place, "work-1"))
    assert await process.states() == ["unknown"]
    for heir in heirs[1:]:
        await heir.store.close()


async def test_a_silent_process_is_released_by_others(place: Place, process: Process) -> None:
    await process.submit(1)
    await process.claim()
    other = await another(place)
    assert await other.store.write(release_silent, (other.me, time.time())) == 0
    assert await other.store.write(release_silent, (other.me, time.time() + 60)) == 1
    assert await other.states() == ["queued"]
    assert await process.store.write(beat, Beat(process.me, time.time())) is None
    await other.store.close()


async def test_a_bind_belongs_to_one_process_at_a_time(place: Place, process: Process) -> None:
    other = await another(place)
    now = time.time()
    wanted = (("smsc", True),)
    assert await process.store.write(beat, Beat(process.me, now, wanted)) == {"smsc"}
    assert await other.store.write(beat, Beat(other.me, now, wanted)) == frozenset()
    assert await other.store.write(beat, Beat(other.me, now + 60, wanted)) == {"smsc"}
    await other.store.close()


async def test_a_claim_whose_commit_was_in_doubt_is_given_back(process: Process) -> None:
    await process.submit(1)
    await process.submit(2)
    claims = await process.claim()
    keep = frozenset({claims.messages[0].id})
    back = GiveBack(process.me, (LANE,), keep, time.time())
    assert await process.store.write(give_back, back) == 1
    assert await process.states() == ["sending", "queued"]


async def test_receipts_settle_whatever_their_order(process: Process) -> None:
    await process.submit(1, parts=2, text="x" * 200)
    claims = await process.claim()
    first, second = claims.messages[0].attempts.values()

    async def receipt(attempt_id: int, state: State) -> bool:
        item = ReceiptIn("smsc", Receipt(f"id-{attempt_id}", state, "code 1"), time.time())
        known: bool = await process.store.write(record_receipts, item)
        return known

    assert not await receipt(first, State.DELIVERED)  # it overtook the answer
    await process.answer(claims)
    assert await process.states() == ["sent"]
    assert await receipt(second, State.SENT)
    assert await process.states() == ["sent"]
    assert await receipt(second, State.DELIVERED)
    assert await receipt(second, State.FAILED)  # too late: the first final word stands
    assert await process.states() == ["delivered"]
    assert [row[0] for row in await process.store.read(NOTICES)] == ["delivered"]


async def test_the_same_id_at_two_carriers_is_two_parts(process: Process) -> None:
    await process.submit(1)
    claims = await process.claim()
    await process.answer(claims)
    number = next(iter(claims.messages[0].attempts.values()))
    item = ReceiptIn("other", Receipt(f"id-{number}", State.DELIVERED), time.time())
    assert not await process.store.write(record_receipts, item)
    assert await process.states() == ["sent"]
    assert await process.store.write(match_missed, time.time()) == 0


async def test_a_failed_part_fails_the_message_with_its_reason(process: Process) -> None:
    await process.submit(1, parts=2, text="x" * 200)
    claims = await process.claim()
    await process.answer(claims)
    number = claims.messages[0].attempts[2]
    item = ReceiptIn("smsc", Receipt(f"id-{number}", State.FAILED, "absent"), time.time())
    await process.store.write(record_receipts, item)
    row = (await process.store.read(Statement(select(message.c.state, message.c.reason))))[0]
    assert tuple(row) == ("failed", "absent")


async def test_only_the_owner_moves_a_message_that_is_sending(
    place: Place, process: Process
) -> None:
    await process.submit(1)
    claims = await process.claim()
    heir = await another(place, "work-1")
    await process.answer(claims)
    assert await heir.states() == ["queued"]
    await heir.store.close()


async def test_notices_are_told_once(place: Place, process: Process) -> None:
    await process.submit(1, expires_at=time.time() - 1)
    await process.store.write(sweep, time.time())
    other = await another(place)
    found = await asyncio.gather(
        *(
            p.store.write(claim_notices, ClaimNotices("mail", p.me, time.time()))
            for p in (process, other)
        )
    )
    told = [n for each in found for n in each]
    assert len(told) == 1
    await process.store.write(finish_notices, NoticeDone(told[0].id, "sent", time.time()))
    again = ClaimNotices("mail", process.me, time.time() + 9)
    assert await process.store.write(claim_notices, again) == []
    await other.store.close()


async def test_time_ends_what_is_over(process: Process) -> None:
    now = time.time()
    await process.submit(1, state="scheduled", due_at=now + 50, dedupe="k")
    await process.submit(2, state="held", expires_at=now + 20)
    swept = await process.store.write(sweep, now)
    assert not swept.lanes
    swept = await process.store.write(sweep, now + 60)
    assert swept.lanes == {LANE}
    assert await process.states() == ["queued", "expired"]
    await process.store.write(tidy, now + 4000)
    assert (await process.store.read(Statement(select(func.count()).select_from(seen))))[0][0] == 0


async def test_every_move_leaves_an_event(process: Process) -> None:
    await process.submit(1)
    await process.answer(await process.claim())
    events = await process.store.read(Statement(select(event.c.kind).order_by(event.c.id)))
    assert [row[0] for row in events] == ["sent"]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (leases._HELD, "message_open"),
        (leases._OWN, "message_open"),
        (sweeps._RIPE, "message_open"),
        (sweeps._LATE, "message_expiry"),
        (sweeps.NEXT_DUE, "message_due"),
    ],
)
async def test_what_looks_for_open_messages_reads_only_those(
    tmp_path: Path, statement: Statement, index: str
) -> None:
    seed(tmp_path)
    compiled = statement.of("sqlite")
    with closing(sqlite3.connect(tmp_path / "bridge.sqlite")) as connection:
        values = ["[]" if "json_each" in compiled.text else 0] * compiled.text.count("?")
        plan = str(connection.execute(f"EXPLAIN QUERY PLAN {compiled.text}", values).fetchall())
    assert f"INDEX {index}" in plan
