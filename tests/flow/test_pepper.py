"""The pepper is changed under a full database: who was stopped stays so, whenever it is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge import opening, settings
from bridge.dispatch import peppers
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.receive import Reception
from bridge.dispatch.stopping import stop, wish
from bridge.dispatch.submit import submit
from bridge.errors import Misconfigured, Refused
from bridge.keyring import keyring, peppers_in
from bridge.model import Origin, State, Submission
from bridge.operations import REGISTRY, Office
from bridge.store.peppers import MOVED, Change, MoveScript, change_pepper
from bridge.store.sql import Do, Statement
from bridge.store.tables import message, subject, suppression
from tests.bridges import ANNA
from tests.seeds import seeded

BERTA = "+420601123457"
ERASED = "+420601123458"
CONFIG = """
data_dir = "{data_dir}"
region = "CZ"
[database]
url = "{url}"
[[tenants]]
name = "acme"
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A bridge over each database."""
    is_sqlite = request.param == "sqlite"
    url = "sqlite" if is_sqlite else str(request.getfixturevalue("postgres_url"))
    return write(tmp_path, url)


def write(folder: Path, url: str = "sqlite") -> Path:
    path = folder / "bridge.toml"
    path.write_text(CONFIG.format(data_dir=seeded(folder / "data"), url=url))
    return path


@asynccontextmanager
async def opened(config: Path) -> AsyncIterator[Bridge]:
    async with opening.opened(settings.load(config, {}), "up") as bridge:
        Reception(bridge, lambda _: None)
        await bridge.bell.start([], None)
        yield bridge
        await bridge.bell.stop()


def acme(bridge: Bridge) -> int:
    found = bridge.register.named("acme")
    assert found is not None
    return found.id


async def stopped(bridge: Bridge, number: str, **more: Any) -> None:
    facts: dict[str, Any] = {"scope": "tenant", "source": "handset", **more}
    await stop(bridge, wish(bridge.keys, acme(bridge), number, now=bridge.clock(), **facts))


async def taken(bridge: Bridge, number: str, **more: Any) -> State:
    item = Submission(acme(bridge), Origin("cli", "eva"), number, "CZ", "The pump runs.", **more)
    return (await submit(bridge, item)).state


async def does(bridge: Bridge, operation: str, **arguments: Any) -> list[dict[str, Any]]:
    office = Office(bridge, bridge.silence, "eva")
    return [item async for item in REGISTRY[operation](office, **arguments)]


async def erase(bridge: Bridge) -> None:
    """Everything of the people goes but the tokens."""

    def script(items: Any) -> Any:
        for table in (message, subject):
            yield Do(Statement(table.delete()), {})
        return [None] * len(items)

    await bridge.store.write(script, None)


def pepper(config: Path) -> Path:
    return settings.load(config, {}).data_dir / "pepper"


async def versions(bridge: Bridge) -> list[int]:
    wanted = select(suppression.c.pepper_version).where(suppression.c.lifted_at.is_(None))
    return sorted(row[0] for row in await bridge.store.read(Statement(wanted)))


async def test_p64_a_token_moves_to_the_new_pepper_when_its_number_is_next_checked(
    config: Path,
) -> None:
    async with opened(config) as bridge:
        await stopped(bridge, ERASED)
        await stopped(bridge, BERTA, scope="all")
        await does(bridge, "blacklist add", what="+420601123459")
    peppers.add(pepper(config))
    async with opened(config) as bridge:
        assert bridge.keys.version == 2
        assert await versions(bridge) == [1, 1]
        assert await taken(bridge, ERASED) is State.SUPPRESSED
        assert await versions(bridge) == [1, 2]
        assert (await does(bridge, "suppress check", number=BERTA, tenant=""))[0]["suppressed"]
        assert await taken(bridge, BERTA) is State.SUPPRESSED
        assert await versions(bridge) == [2, 2]
        assert await peppers.idle(bridge.store, bridge.keys) == ()  # the blocked number's
        with pytest.raises(Refused, match="blacklist"):
            await taken(bridge, "+420601123459")
        await bridge.refresh()
        assert await peppers.idle(bridge.store, bridge.keys) == (1,)
        with pytest.raises(Refused, match="blacklist"):
            await taken(bridge, "+420601123459")
    peppers.drop(pepper(config), (1,))
    async with opened(config) as bridge:
        assert await taken(bridge, ERASED) is State.SUPPRESSED
        with pytest.raises(Refused, match="blacklist"):
            await taken(bridge, "+420601123459")


def braked(config: Path) -> None:
    config.write_text(f'{config.read_text()}velocity = "3/1h"\n')


async def test_p32_what_a_rule_stopped_stays_stopped_under_a_new_pepper(config: Path) -> None:
    braked(config)
    numbers = [f"+42060112{n:04}" for n in range(4)]
    async with opened(config) as bridge:
        for number in numbers[:3]:
            await taken(bridge, number)
        with pytest.raises(Refused, match="too many numbers"):
            await taken(bridge, numbers[3])
    peppers.add(pepper(config))
    async with opened(config) as bridge:
        for number in ("+420602123456", numbers[0]):
            with pytest.raises(Refused, match="until somebody has looked"):
                await taken(bridge, number)


async def test_p64_known_people_are_brought_over_before_anything_runs(config: Path) -> None:
    async with opened(config) as bridge:
        await does(bridge, "programme add", name="offers", tenant="acme")
        programme = bridge.register.programme(acme(bridge), "offers").id
        assert await taken(bridge, ANNA) is State.QUEUED
        assert await taken(bridge, BERTA, programme="offers") is State.QUEUED
        await stopped(bridge, ANNA)
        old = bridge.keys.person(acme(bridge), BERTA)
    peppers.add(pepper(config))
    async with opened(config) as bridge:
        assert bridge.keys.person(acme(bridge), BERTA) != old
        assert await versions(bridge) == [2]
        assert await peppers.idle(bridge.store, bridge.keys) == (1,)
        wanted = select(subject.c.phone, subject.c.phone_index, subject.c.all_index)
        for number, own, everybody in await bridge.store.read(Statement(wanted)):
            assert own == bridge.keys.person(acme(bridge), number)
            assert everybody == bridge.keys.everyone(number)
        assert await taken(bridge, ANNA) is State.SUPPRESSED
        await stopped(bridge, BERTA, scope="programme", programme=programme)
        states = select(message.c.state).where(message.c.programme_index != "")
        assert [r[0] for r in await bridge.store.read(Statement(states))] == ["suppressed"]
        assert len(await bridge.store.read(Statement(select(subject.c.id)))) == 2


async def test_p64_a_move_that_ended_midway_goes_on_at_the_next_start(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.peppers.SLICE", 3)
    people = [f"+4206011234{n:02d}" for n in range(8)]
    async with opened(config) as bridge:
        for number in people:
            await taken(bridge, number)
        await stopped(bridge, people[0])
        await stopped(bridge, people[-1])
    peppers.add(pepper(config))
    older, _ = keyring(None, pepper(config).parent)
    assert older.older

    async def ends(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as midway:
        midway.setattr(peppers, "_complete", ends)
        midway.setattr(peppers, "_move", _one_slice)
        with contextlib.suppress(KeyboardInterrupt):
            async with opened(config):
                raise AssertionError("it must not open with hashes of two peppers")
    async with opened(config) as bridge:
        for number in people:
            wanted = State.SUPPRESSED if number in (people[0], people[-1]) else State.QUEUED
            assert await taken(bridge, number) is wanted
        assert len(await bridge.store.read(Statement(select(subject.c.id)))) == len(people)


async def _one_slice(store: Any, keys: Any, now: float) -> None:
    assert await store.write(MoveScript(keys), now)


async def test_a_foreign_pepper_is_refused(config: Path) -> None:
    async with opened(config) as bridge:
        await stopped(bridge, ANNA)
    path = pepper(config)
    before = path.read_text()
    path.write_text("ab" * 32 + "\n")
    with pytest.raises(Misconfigured, match="another pepper"):
        async with opened(config):
            pass
    path.write_text(before)
    peppers.add(path)
    async with opened(config):
        pass
    peppers.drop(path, (1,))
    with pytest.raises(Misconfigured, match="1 entries of the lists are under pepper 1"):
        async with opened(config):
            pass


@pytest.mark.postgres
async def test_no_pepper_is_changed_under_a_process_that_runs(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write(tmp_path, postgres_url)
    monkeypatch.setattr(peppers, "_LOOK", 100.0)  # so that it looks once, and does not wait
    async with opened(config):
        peppers.add(pepper(config))
        with pytest.raises(Misconfigured, match="still runs with the older pepper"):
            async with opening.opened(settings.load(config, {}), "command"):
                pass


# files


def test_a_backup_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    path, copy = tmp_path / "pepper", tmp_path / "copy"
    path.write_text("ab" * 32 + "\n")
    assert peppers.add(path) == 2
    assert peppers.back_up(path, copy) == 2
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert peppers_in(copy) == peppers_in(path)
    with pytest.raises(Refused, match="never overwritten"):
        peppers.back_up(path, copy)


def test_a_new_pepper_stands_first_and_its_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    path.write_text("ab" * 32 + "\n")
    for version in (2, 3):
        assert peppers.add(path) == version
    assert [version for version, _ in peppers_in(path)] == [3, 2, 1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    peppers.drop(path, (2,))
    keys, _ = keyring(path, tmp_path)
    assert (keys.version, [older.version for older in keys.older]) == (3, [1])
    assert [file.name for file in tmp_path.iterdir()] == ["pepper"]


# the commands


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bridge", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_the_commands_back_up_rotate_and_show(config: Path, tmp_path: Path) -> None:
    async with opened(config) as bridge:
        await taken(bridge, ANNA)
        await stopped(bridge, ANNA)

    def commands() -> tuple[Any, ...]:
        at = ("--config", str(config), "--json")
        return (
            run("pepper", "backup", str(tmp_path / "copy"), *at),
            run("pepper", "rotate", *at),
            run("pepper", "status", *at),
            run("pepper", "backup", str(tmp_path / "copy"), *at),
        )

    backed, rotated, shown, again = await asyncio.to_thread(commands)
    assert '"peppers": 1' in backed.stdout
    assert '{"version": 2, "dropped": [1]}' in rotated.stdout
    assert '{"version": 2, "entries": 1, "newest": true}' in shown.stdout
    assert (again.returncode, "never overwritten" in again.stdout) == (1, True)
    async with opened(config) as bridge:
        assert await taken(bridge, ANNA) is State.SUPPRESSED


async def test_kill_9_in_the_middle_of_a_rotation_loses_nothing(tmp_path: Path) -> None:
    config = write(tmp_path)
    people = [f"+42060112{n:04d}" for n in range(1500)]
    async with opened(config) as bridge:
        await asyncio.gather(*(taken(bridge, number) for number in people))
        for number in people[::300]:
            await stopped(bridge, number)
    for _ in range(2):
        await asyncio.to_thread(_rotate_and_kill, config)
    async with opened(config) as bridge:
        assert await bridge.store.read(MOVED) in ([("",)], [[""]], [])
        for number in people[::150]:
            is_stopped = number in people[::300]
            assert (await taken(bridge, number) is State.SUPPRESSED) is is_stopped
        assert len(await bridge.store.read(Statement(select(subject.c.id)))) == len(people)


def _rotate_and_kill(config: Path) -> None:
    """Kill the command once the first people are moved, or let it end if it is faster."""
    command = [sys.executable, "-m", "bridge", "pepper", "rotate", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        before = len(peppers_in(pepper(config)))
        for moved in _moved(pepper(config).parent / "bridge.sqlite"):
            grew = len(peppers_in(pepper(config))) > before
            if process.poll() is not None:
                return
            if grew and moved not in ("", "0"):
                os.kill(process.pid, signal.SIGKILL)
                return


def _moved(database: Path) -> Iterator[str]:
    until = time.monotonic() + 60
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reader:
        while time.monotonic() < until:
            found = reader.execute("SELECT value FROM fact WHERE name = 'pepper moved'").fetchall()
            yield found[0][0] if found else ""


async def test_only_the_pepper_that_stands_is_followed_by_ours(config: Path) -> None:
    async with opened(config) as bridge:
        item = Change("a third one", bridge.keys.fingerprint)
        assert await bridge.store.write(change_pepper, item) == bridge.keys.fingerprint
        assert (await bridge.store.read(MOVED))[0][0] == ""
