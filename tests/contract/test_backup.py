"""Backups over both databases: copied while in use, without keys, brought back marked."""

from __future__ import annotations

import gzip
import json
import secrets
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from sqlalchemy import select

from bridge import opening, settings
from bridge.dispatch import backup
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.erasing import Wish, erase, ledger_of
from bridge.dispatch.requests import Someone
from bridge.errors import Misconfigured, Refused
from bridge.privacy.periods import DAY, periods
from bridge.settings import Settings
from bridge.store.sql import Statement, Values
from bridge.store.suppressions import ACTIVE
from bridge.store.tables import body, fact, message, subject
from tests.bridges import write_config
from tests.crowd import One, people, settle


@pytest.fixture
def config(tmp_path: Path, url: str) -> Settings:
    return settings.load(write_config(tmp_path, database=url), {})


@pytest.fixture
def crowd() -> list[One]:
    return people(4)


@pytest.fixture
async def home(config: Settings, crowd: list[One], tmp_path: Path) -> Path:
    """A folder with one backup of four people."""
    async with opening.opened(config) as bridge:
        await settle(bridge, crowd)
        await backup.make(bridge, tmp_path / "backups")
    return tmp_path / "backups"


async def another(url: str) -> AsyncIterator[str]:
    """An empty database of the same kind, to bring a backup back into."""
    if url == "sqlite":
        yield url
        return
    name = f"bridge_test_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(url)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


@pytest.fixture
async def elsewhere(url: str, config: Settings) -> AsyncIterator[Settings]:
    """The same bridge over that database."""
    async for found in another(url):
        database = settings.Settings.model_validate({"database": {"url": found}}).database
        yield config.model_copy(update={"database": database})


def only(home: Path) -> Path:
    """The one backup."""
    (folder,) = home.iterdir()
    return folder


def copied(folder: Path) -> bytes:
    """The database as it stands in a backup."""
    (file,) = folder.glob("bridge.*")
    data = file.read_bytes()
    return gzip.decompress(data) if file.suffix == ".gz" else data


async def texts(bridge: Bridge) -> set[str]:
    return {row[0] for row in await bridge.store.read(Statement(select(body.c.text)))}


async def test_p66_a_backup_comes_back_without_who_was_erased_since(
    config: Settings, elsewhere: Settings, crowd: list[One], home: Path
) -> None:
    async with opening.opened(config) as bridge:
        await erase(bridge, [Wish(9, 1, Someone("number", crowd[0].number), "eva")])
    done = await opening.restore(elsewhere, home, replace=True)
    assert (done["erased"], done["keys"]) == (1, 4)
    async with opening.opened(elsewhere) as bridge:
        assert await texts(bridge) == {one.text for one in crowd[1:]}
        numbers = await bridge.store.read(Statement(select(subject.c.phone)))
        assert {row[0] for row in numbers} == {one.number for one in crowd[1:]}
        token = bridge.keys.person(1, crowd[0].number)
        assert await bridge.store.read(ACTIVE, keys=Values([token]))
        states = await bridge.store.read(Statement(select(message.c.state).distinct()))
        assert {row[0] for row in states} == {"held", "suppressed"}
        marks = await bridge.store.read(Statement(select(fact.c.name)))
        assert "restored" not in {row[0] for row in marks}


async def test_p66_a_suppression_of_the_ledger_survives_a_backup_that_never_had_the_person(
    config: Settings, elsewhere: Settings, home: Path
) -> None:
    late = people(9)[8]
    async with opening.opened(config) as bridge:
        await settle(bridge, [late])
        await erase(bridge, [Wish(9, 1, Someone("number", late.number), "eva")])
    await opening.restore(elsewhere, home, replace=True)
    async with opening.opened(elsewhere) as bridge:
        token = bridge.keys.person(1, late.number)
        assert await bridge.store.read(ACTIVE, keys=Values([token]))


async def test_p66_a_writer_who_was_erased_does_not_come_back(
    config: Settings, elsewhere: Settings, home: Path
) -> None:
    async with opening.opened(config) as bridge:
        await erase(bridge, [Wish(9, 1, Someone("mail", "eva@acme.example"), "eva")])
        assert "eva@" not in ledger_of(bridge).path.read_text()
    await opening.restore(elsewhere, home, replace=True)
    async with opening.opened(elsewhere) as bridge:
        assert await texts(bridge) == set()
        assert len(await bridge.store.read(Statement(select(subject.c.id)))) == 4


async def test_p66_a_ledger_that_is_older_than_the_backup_lets_nobody_in(
    config: Settings, elsewhere: Settings, crowd: list[One], tmp_path: Path
) -> None:
    async with opening.opened(config) as bridge:
        await settle(bridge, crowd)
        await erase(bridge, [Wish(9, 1, Someone("number", crowd[0].number), "eva")])
        await backup.make(bridge, tmp_path / "backups")
        ledger = ledger_of(bridge)
    ledger.path.write_text("")
    with pytest.raises(Misconfigured, match="older than the backup"):
        await opening.restore(elsewhere, tmp_path / "backups", replace=True)
    with pytest.raises(Misconfigured, match="older than the backup"):
        async with opening.opened(elsewhere):
            pass


async def test_p65_no_key_is_in_a_backup_and_none_is_used_after_a_week(
    elsewhere: Settings, home: Path
) -> None:
    folder = only(home)
    kept = json.loads((folder / "keys.json").read_text())
    assert len(kept["keys"]) == 4
    assert not [key for _, key, _ in kept["keys"] if key.encode() in copied(folder)]
    assert b"person-100000-n" in copied(folder)
    now = kept["made_at"]
    assert len(backup.find(home, now + periods().keys - 60).keys) == 4
    assert backup.find(home, now + periods().keys + 60).keys == []
    kept["made_at"] -= periods().keys + 60
    (folder / "keys.json").write_text(json.dumps(kept))
    done = await opening.restore(elsewhere, home, replace=True)
    assert done["keys"] == 0
    async with opening.opened(elsewhere) as bridge:
        assert await texts(bridge) == {""}


async def test_p1_old_backups_and_old_keys_go_with_the_next_one(
    config: Settings, home: Path
) -> None:
    first = only(home)
    made = json.loads((first / "manifest.json").read_text())["made_at"]
    stranger = home / "photos"
    stranger.mkdir()
    async with opening.opened(config) as bridge:

        async def on(day: float) -> backup.Made:
            bridge.clock = lambda: made + day * DAY
            return await backup.make(bridge, home)

        done = await on(6)
        assert (done.gone, done.keys_gone) == (0, 0)
        done = await on(8)
        assert (done.gone, done.keys_gone, (first / "keys.json").exists()) == (0, 1, False)
        done = await on(61)
        assert (done.gone, first.exists(), stranger.exists()) == (1, False, True)
    # What is gone from the bridge on day 60 was last copied then: on day 120 no copy is left.
    assert periods().horizon == 120 * DAY


def test_only_its_owner_can_read_a_backup(home: Path) -> None:
    folder = only(home)
    for path in (folder, *folder.iterdir()):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077
    assert not list(home.glob("*.partial"))


async def test_a_folder_that_cannot_be_written_is_named(config: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with opening.opened(config) as bridge:
        with pytest.raises(Refused, match="cannot be written"):
            await backup.make(bridge, tmp_path / "file" / "backups")


async def test_what_is_no_backup_is_not_brought_back(
    config: Settings, home: Path, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="there is no backup"):
        await opening.restore(config, tmp_path / "none", replace=True)
    folder = only(home)
    facts = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**facts, "schema": "9999"}))
    with pytest.raises(Refused, match="newer than this bridge"):
        await opening.restore(config, home, replace=True)
    other = "postgresql" if facts["database"] == "sqlite" else "sqlite"
    (folder / "manifest.json").write_text(json.dumps({**facts, "database": other}))
    with pytest.raises(Refused, match="is a backup of"):
        await opening.restore(config, home, replace=True)


async def test_a_database_that_is_there_is_not_replaced_unasked(
    config: Settings, home: Path
) -> None:
    with pytest.raises(Refused, match=r"a database already|is not empty"):
        await opening.restore(config, home, replace=False)


def test_the_copy_is_one_whole_database(home: Path, url: str) -> None:
    if url == "sqlite":
        folder = only(home)
        with sqlite3.connect(folder / "bridge.sqlite") as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
