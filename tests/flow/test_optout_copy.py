"""Opt-outs stand in a file beside the database, and come back into one that has gone back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from bridge import opening
from bridge.dispatch import optout_copy
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.optout_copy import Copyist, bring_back, optouts_at
from bridge.dispatch.stopping import stop, wish
from bridge.errors import Misconfigured, StoreUnavailable
from bridge.settings import load
from bridge.store.sql import Do, Script, Statement
from bridge.store.suppressions import Lift, lift_all
from bridge.store.tables import suppression
from tests.bridges import write_config

PEOPLE = [f"+4206011234{n:02}" for n in range(20)]


@pytest.fixture
async def bridge(url: str, tmp_path: Path) -> AsyncIterator[Bridge]:
    async with opening.opened(load(write_config(tmp_path, database=url), {}), "up") as bridge:
        yield bridge


async def said_stop(bridge: Bridge, *people: str) -> None:
    for person in people:
        facts = {"scope": "tenant", "source": "handset", "now": bridge.clock()}
        await stop(bridge, wish(bridge.keys, 1, person, **facts))


async def said_start(bridge: Bridge, person: str) -> None:
    tokens = bridge.keys.tokens(1, person)
    await bridge.store.write(lift_all, Lift(tokens, "handset", bridge.clock()))


async def listed(bridge: Bridge) -> set[str]:
    """Who is on the list."""
    wanted = select(suppression.c.token).where(suppression.c.lifted_at.is_(None))
    found = {row[0] for row in await bridge.store.read(Statement(wanted))}
    return {person for person in PEOPLE if bridge.keys.person(1, person) in found}


async def ids(bridge: Bridge) -> list[int]:
    """The rows of the list."""
    wanted = Statement(select(suppression.c.id).order_by(suppression.c.id))
    return [row[0] for row in await bridge.store.read(wanted)]


async def go_back(bridge: Bridge, count: int) -> None:
    """As a backup has it: rows after so many are not there, and lifts of it neither."""
    newest = (await ids(bridge))[count - 1]

    def script(_: object) -> Script:
        yield Do(Statement(delete(suppression).where(suppression.c.id > newest)), {})
        yield Do(Statement(update(suppression).values(lifted_at=None)), {})
        return [None]

    await bridge.store.write(script, None)


async def test_a_backup_gets_back_who_has_opted_out_since(bridge: Bridge) -> None:
    copyist = Copyist(bridge)
    await said_stop(bridge, *PEOPLE[:3])
    await copyist.once(bridge.clock())
    await said_stop(bridge, *PEOPLE[3:6])
    await copyist.once(bridge.clock())
    await said_start(bridge, PEOPLE[4])
    await said_start(bridge, PEOPLE[0])
    await copyist.once(bridge.clock())
    await copyist.once(bridge.clock())
    file = optouts_at(bridge.settings)
    assert len(file.path.read_text().splitlines()) == 8  # six opt-outs, two of them lifted
    assert not any(person[1:] in file.path.read_text() for person in PEOPLE)
    first = (await ids(bridge))[:3]
    await go_back(bridge, 3)
    assert await bring_back(bridge) == 2
    # Who sent START before the copy was brought back sends it once more.
    assert await listed(bridge) == {*PEOPLE[:3], PEOPLE[3], PEOPLE[5]}
    assert sorted(file.lines()) == first
    assert await bring_back(bridge) == 0
    await Copyist(bridge).once(bridge.clock())
    assert len(file.lines()) == 5


async def test_a_replay_that_is_killed_is_done_by_the_next_start(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    await said_stop(bridge, *PEOPLE)
    await Copyist(bridge).once(bridge.clock())
    await go_back(bridge, 2)
    real = optout_copy.suppress_all
    calls = 0

    def some(items: list[object]) -> Script:
        """Half of what is written at once is on disk when the power goes."""
        nonlocal calls
        calls += 1
        if calls > 5:
            raise StoreUnavailable("the power went", "")
        return (yield from real(items))

    monkeypatch.setattr(optout_copy, "suppress_all", some)
    monkeypatch.setattr("bridge.store.store.BATCH", 1)
    with pytest.raises(StoreUnavailable):
        await bring_back(bridge)
    monkeypatch.undo()
    before = await listed(bridge)
    assert set(PEOPLE[:2]) < before < set(PEOPLE)
    await bring_back(bridge)
    assert await listed(bridge) == set(PEOPLE)
    assert await bring_back(bridge) == 0


async def test_rows_that_were_committed_out_of_order_are_copied(bridge: Bridge) -> None:
    """On PostgreSQL a lower id may be seen later than a higher one."""
    copyist = Copyist(bridge)
    await said_stop(bridge, *PEOPLE[:3])
    numbers = await ids(bridge)
    late = select(suppression).where(suppression.c.id == numbers[1])
    (row,) = await bridge.store.read(Statement(late))

    def without(_: object) -> Script:
        yield Do(Statement(delete(suppression).where(suppression.c.id == numbers[1])), {})
        return [None]

    await bridge.store.write(without, None)
    await copyist.once(bridge.clock())

    def again(_: object) -> Script:
        values = dict(zip(suppression.c.keys(), row, strict=True))
        yield Do(Statement(suppression.insert().values(values)), {})
        return [None]

    await bridge.store.write(again, None)
    await copyist.once(bridge.clock())
    assert sorted(optouts_at(bridge.settings).lines()) == numbers


async def test_a_damaged_copy_lets_nobody_in(tmp_path: Path) -> None:
    settings = load(write_config(tmp_path), {})
    async with opening.opened(settings, "up") as bridge:
        await said_stop(bridge, *PEOPLE[:3])
        await Copyist(bridge).once(bridge.clock())
        await go_back(bridge, 1)
    path = optouts_at(settings).path
    path.write_text("{\n" + path.read_text())
    with pytest.raises(Misconfigured, match=r"copy of the opt-outs .* is damaged in line 1"):
        async with opening.opened(settings, "up"):
            pass
