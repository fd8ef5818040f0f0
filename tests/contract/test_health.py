"""Carriers' counts and weights over both databases, and who moves on from a lane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import select

from bridge import settings
from bridge.dispatch.health import Health
from bridge.dispatch.metrics import Metrics
from bridge.dispatch.route import Routes
from bridge.model import State, Verdict
from bridge.store.leases import Beat, beat
from bridge.store.outcomes import Move, PartDone, Progress, record_progress
from bridge.store.reroutes import REFUSED, WAITING, Reroute, reroute
from bridge.store.store import Store
from bridge.store.tables import event, message
from tests.stores import NOW, OURS, Database, Worker

CONFIG = """
[health]
slow = "40s"
window = "20s"
step = "5s"
[[carriers]]
name = "a"
kind = "smpp"
host = "127.0.0.1"
[[carriers]]
name = "b"
kind = "smpp"
host = "127.0.0.1"
[[carriers]]
name = "c"
kind = "smpp"
host = "127.0.0.1"
[[routes]]
carriers = ["a", "b"]
[[routes]]
carriers = ["c", "sandbox"]
"""


@dataclass
class Process:
    """One that counts; its clock is the test's."""

    store: Store
    incarnation: int
    health: Health
    clock: Callable[[], float]
    metrics: Metrics = field(default_factory=Metrics)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


async def two(database: Database, folder: Path) -> tuple[Process, Process, Clock]:
    path = folder / "health.toml"
    path.write_text(CONFIG)
    found = settings.load(path, {})
    clock = Clock()

    def made(worker: Worker) -> Process:
        return Process(worker.store, worker.me, Health(found, Routes(found.routes)), clock)

    first, second = await database.two()
    return made(first), made(second), clock


async def test_what_one_process_weighs_all_know(database: Database, tmp_path: Path) -> None:
    owner, edge, clock = await two(database, tmp_path)
    assert owner.health.watched == {"a", "b"}, "the sandbox stands in for nobody"
    weights = []
    for _ in range(12):
        for part in range(30):
            verdict = Verdict.UNKNOWN if part % 2 else Verdict.ACCEPTED
            owner.health.answered("a", verdict, 0.1, clock())
        edge.health.reported("a", clock() - 1, clock())
        await edge.health.once(edge, {})
        await owner.health.once(owner, {"a": True, "b": True})
        await edge.health.once(edge, {})
        assert edge.health.weight("a") == owner.health.weight("a")
        weights.append(edge.health.weight("a"))
        clock.now += 5
    assert weights[:3] == [0.5, 0.25, 0.125]
    assert weights[-1] == 0.05
    assert edge.health.weight("b") == 1.0
    for _ in range(60):
        await owner.health.once(owner, {"a": True, "b": True})
        clock.now += 5
    await edge.health.once(edge, {})
    assert edge.health.weight("a") == 1.0
    gauge = edge.metrics.registry.get_sample_value("bridge_carrier_weight", {"carrier": "a"})
    assert gauge == 1.0


async def test_receipts_that_another_process_hears_count(
    database: Database, tmp_path: Path
) -> None:
    """The owner hears no receipt itself: what the edge was told keeps the carrier well."""
    owner, edge, clock = await two(database, tmp_path)

    async def live(seconds: int, *, reports: bool) -> float:
        for _ in range(seconds // 5):
            for _ in range(20):
                owner.health.answered("a", Verdict.ACCEPTED, 0.1, clock())
                if reports:
                    edge.health.reported("a", clock(), clock())
            await edge.health.once(edge, {})
            await owner.health.once(owner, {"a": True})
            clock.now += 5
        return owner.health.weight("a")

    assert await live(200, reports=True) == 1.0
    assert await live(120, reports=False) == 0.05
    assert owner.health.weights["a"].reason == "accepts and does not report"
    assert await live(200, reports=True) == 1.0


async def test_a_bind_that_nobody_holds_up_is_known_elsewhere(
    database: Database, tmp_path: Path
) -> None:
    owner, edge, clock = await two(database, tmp_path)
    await owner.store.write(beat, Beat(owner.incarnation, clock(), (("a", False), ("b", True))))
    await edge.health.once(edge, {})
    assert edge.health.is_down("a")
    assert not edge.health.is_down("b")
    assert not edge.health.is_down("c"), "nothing is known of it"


async def said(work: Worker, state: str, to: State = State.QUEUED, **more: object) -> None:
    """The carrier's answer to all that is due, and where it goes."""
    claims = await work.claim()
    for each in claims.messages:
        parts = tuple(PartDone(a, state, "", "") for a in each.attempts.values())
        move = Move(each.id, to, "", "smsc.bulk", 0, work.now, 0, "gsm7", "", 1, each.tries)
        item = Progress("smsc", work.now, work.me, parts, replace(move, **more))
        await work.store.write(record_progress, [item])


async def test_a_claim_tells_who_has_said_no(work: Worker) -> None:
    await work.submit()
    await said(work, "throttled")
    await said(work, "not-sent")
    assert (await work.store.read(REFUSED, id=0)) == []
    claims = await work.claim()
    assert claims.messages[0].throttled == {"smsc"}
    assert claims.messages[0].refused == frozenset()


async def test_a_move_changes_the_originator_only_where_it_says_so(work: Worker) -> None:
    stored = await work.submit()
    await said(work, "rejected")
    assert await work.rows(select(message.c.originator)) == [(OURS,)]
    await said(work, "rejected", originator="+420601999999", hop=1)
    found = await work.rows(select(message.c.originator, message.c.hop))
    assert found == [("+420601999999", 1)]
    rows = await work.store.read(REFUSED, id=stored.id)
    assert [tuple(row) for row in rows] == [("smsc",)]
    item = Reroute(stored.id, "smsc.bulk", "spare.bulk", 2, "gsm7", "", 1, work.now)
    await work.store.write(reroute, item)
    told = await work.count(event)
    await work.store.write(reroute, replace(item, was="elsewhere.bulk"))
    assert await work.count(event) == told, "it has gone elsewhere meanwhile"
    await work.store.write(reroute, replace(item, was="spare.bulk", originator="Acme"))
    assert await work.count(event) == told + 1
    assert await work.rows(select(message.c.originator, message.c.hop)) == [("Acme", 2)]


async def test_what_has_waited_long_or_half_its_validity_leaves_a_sick_lane(work: Worker) -> None:
    old = await work.submit(1, due_at=NOW - 40, expires_at=NOW + 3600)
    await work.submit(2, due_at=NOW - 10, expires_at=NOW + 3600)
    short = await work.submit(3, due_at=NOW - 10, expires_at=NOW + 9)
    page = {"lane": "smsc.bulk", "after": 0.0, "after_id": 0, "doubts": 0}
    found = await work.store.read(WAITING, **page, now=NOW, before=NOW - 30)
    assert [row[0] for row in found] == [old.id, short.id]
    assert len(await work.store.read(WAITING, **page, now=NOW, before=NOW)) == 3


async def test_a_bind_that_was_down_stays_so_until_it_stands(
    database: Database, tmp_path: Path
) -> None:
    """Whoever takes it over gives it no traffic meanwhile."""
    owner, heir, clock = await two(database, tmp_path)
    for _ in range(10):
        await owner.health.once(owner, {"a": False})
        clock.now += 5
    assert owner.health.weight("a") == 0
    for _ in range(10):
        await heir.health.once(heir, {"a": False})
        assert heir.health.weight("a") == 0
        clock.now += 5
    await heir.health.once(heir, {"a": True})
    assert heir.health.weight("a") == 0.05


async def test_a_clock_that_is_set_back_holds_no_weight(database: Database, tmp_path: Path) -> None:
    owner, _, clock = await two(database, tmp_path)
    await owner.health.once(owner, {"a": True, "b": True})
    clock.now -= 3600
    for _ in range(10):
        for _ in range(30):
            owner.health.answered("a", Verdict.UNKNOWN, 0.1, clock())
        await owner.health.once(owner, {"a": True, "b": False})
        clock.now += 5
    assert owner.health.weight("a") == 0.05, "sick"
    assert owner.health.weight("b") == 0, "down"
