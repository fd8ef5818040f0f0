"""Export, erasure and restore with kill -9 in their middle: the next run ends in the same state."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import pyzipper

from bridge import opening, settings
from bridge.privacy.remembrance import Remembrance
from tests.bridges import write_config
from tests.crowd import One, found, people, settle
from tests.e2e import erasing_child
from tests.e2e.processes import House, Process, a_house, post, until

MANY, EVERY = 1200, 2
WHO = ("--tenant", "acme", "--instruction", "letter of 23 November", "--yes", "--json")


def killed_while(house: House, *words: str) -> Process:
    """A command of the bridge, to be killed."""
    command = [sys.executable, "-m", "bridge", *words, "--config", str(house.config)]
    return house.run(*command, name=words[1])


def erasing(house: House) -> Process:
    """A process that erases half of all people."""
    words = (erasing_child.__file__, str(house.config), str(MANY), str(EVERY))
    return house.run(sys.executable, *words, name="erasing")


async def interrupted(house: House, *words: str) -> None:
    """Kill a command in its middle, and as often again somewhere."""
    luck = random.Random(7)
    process = killed_while(house, *words)
    await until(lambda: _begun(house.folder), "the beginning")
    process.kill_tree()
    for _ in range(3):
        process = killed_while(house, *words)
        await asyncio.sleep(luck.uniform(0.5, 4))
        process.kill_tree()


def _begun(folder: Path) -> bool:
    with suppress(sqlite3.Error):
        return bool(rows(folder, "SELECT id FROM dsr WHERE state = 'executing'"))
    return False


async def populated(folder: Path, count: int) -> tuple[Path, list[One]]:
    """A configuration, and a database with so many people."""
    config = write_config(folder)
    async with opening.opened(settings.load(config, {})) as bridge:
        crowd = people(count)
        await settle(bridge, crowd)
    return config, crowd


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """What stands in the database, which nothing writes just now."""
    with closing(
        sqlite3.connect(f"file:{folder / 'var' / 'bridge.sqlite'}?mode=ro", uri=True)
    ) as db:
        return db.execute(query).fetchall()


def ledger(folder: Path) -> int:
    return len(Remembrance(folder / "var" / "erasures.jsonl").lines())


async def test_p13_an_export_that_is_killed_is_made_by_the_next_run(tmp_path: Path) -> None:
    config, crowd = await populated(tmp_path, 2)
    command = ("privacy", "export", crowd[0].number, *WHO)
    async with a_house(tmp_path, config) as house:
        await interrupted(house, *command)
        code, out, err = await house.call(*command)
        assert code == 0, out + err
    item = json.loads(out)
    folder = tmp_path / "var" / "exports"
    assert [str(path) for path in folder.iterdir()] == item["files"]
    with pyzipper.AESZipFile(item["files"][0]) as archive:
        archive.setpassword(item["password"].encode())
        told = json.loads(archive.read("data.json"))
    assert [m["text"] for m in told["messages"]] == [crowd[0].text] * 2
    states = rows(tmp_path, "SELECT state FROM dsr WHERE state <> 'duplicate'")
    assert states in ([("done",)], [("receipt_sent",)])
    assert rows(tmp_path, "SELECT count(*) FROM export_file") == [(1,)]


async def test_p13_an_erasure_of_one_that_is_killed_is_done_by_the_next_run(
    tmp_path: Path,
) -> None:
    config, crowd = await populated(tmp_path, 3)
    command = ("privacy", "erase", crowd[0].number, *WHO)
    async with a_house(tmp_path, config) as house:
        await interrupted(house, *command)
        code, out, err = await house.call(*command)
        assert code == 0, out + err
        code, said, err = await house.call(
            "privacy", "verify", json.loads(out)["files"][0], "--json"
        )
        assert (code, json.loads(said)["audit"]) == (0, "found"), said + err
        code, said, _ = await house.call("privacy", "verify", json.loads(out)["files"][0])
        assert "the audit's entries: found\n" in said
        code, _, _ = await house.call("audit", "verify")
        assert code == 0
    assert rows(tmp_path, "SELECT count(*) FROM subject") == [(2,)]
    assert set(rows(tmp_path, "SELECT state, value FROM erasure")) == {("done", "")}
    assert found(tmp_path / "var", crowd[0].traces) == {}


async def test_p13_an_erasure_of_many_that_is_killed_ends_in_the_same_state(
    tmp_path: Path,
) -> None:
    config, crowd = await populated(tmp_path, MANY)
    erased, others = crowd[::EVERY], crowd[1::EVERY]
    async with a_house(tmp_path, config) as house:
        for line in (1, 150, 400):
            process = erasing(house)
            await until(lambda: ledger(tmp_path) >= line, "the ledger")  # noqa: B023
            process.kill_tree()
        assert rows(tmp_path, "SELECT count(*) FROM subject")[0][0] > len(others)
        assert await erasing(house).ended() == 0
    assert rows(tmp_path, "SELECT count(*) FROM subject") == [(len(others),)]
    assert rows(tmp_path, "SELECT count(*) FROM body") == [(2 * len(others),)]
    assert rows(tmp_path, "SELECT state, count(*) FROM erasure GROUP BY state") == [
        ("done", len(erased))
    ]
    assert ledger(tmp_path) == len(erased)
    assert rows(tmp_path, "SELECT count(*) FROM suppression") == [(len(erased),)]
    assert found(tmp_path / "var", [trace for one in erased for trace in one.traces]) == {}
    names = {name for (name,) in rows(tmp_path, "SELECT name FROM contact")}
    assert names == {one.name for one in others}


# Backup and restore


async def backed_up(house: House, folder: Path) -> Path:
    """A backup; the folder of all of them."""
    code, out, err = await house.call("backup", str(folder / "backups"), "--json")
    assert code == 0, out + err
    return Path(json.loads(out)["path"])


async def test_p66_who_was_erased_does_not_come_back_with_a_backup(tmp_path: Path) -> None:
    config, crowd = await populated(tmp_path, 4)
    async with a_house(tmp_path, config) as house:
        backup = await backed_up(house, tmp_path)
        for one in crowd[:2]:
            code, out, err = await house.call("privacy", "erase", one.number, *WHO)
            assert code == 0, out + err
        up = await house.start()
        code, out, _ = await house.call("restore", str(tmp_path / "backups"), "--yes", "--json")
        assert (code, "a bridge runs" in out) == (1, True)
        up.kill_tree()
        code, out, err = await house.call("restore", str(tmp_path / "backups"), "--json")
        assert (code, "a database already" in out) == (1, True)
        code, out, err = await house.call("restore", str(backup), "--yes", "--json")
        assert code == 0, out + err
        assert (json.loads(out)["erased"], json.loads(out)["keys"]) == (2, 4)
        assert rows(tmp_path, "SELECT count(*) FROM subject") == [(2,)]
        await house.start()
        shown = await house.log("--reveal")
        assert {row["text"] for row in shown} == {one.text for one in crowd[2:]}
        assert {row["state"] for row in shown} == {"held"}
        for one in crowd[:2]:
            code, out, _ = await house.call("suppress", "check", one.number, "--json")
            assert json.loads(out)["suppressed"]
    live = tmp_path / "var"
    assert found(live, [trace for one in crowd[:2] for trace in one.traces]) == {}


async def test_who_has_said_stop_since_a_backup_is_still_left_alone(tmp_path: Path) -> None:
    config, crowd = await populated(tmp_path, 2)
    async with a_house(tmp_path, config) as house:
        backup = await backed_up(house, tmp_path)
        up = await house.start()
        anna, berta = (one.number for one in crowd)
        await post(up.http, "/sandbox/api/messages", {"from": anna, "to": "", "text": "STOP"})
        copy = tmp_path / "var" / "optouts.jsonl"
        await until(lambda: copy.exists() and copy.read_text().endswith("\n"), "the copy")
        up.kill_tree()
        code, out, err = await house.call("restore", str(backup), "--yes", "--json")
        assert code == 0, out + err
        for number, expected in ((anna, True), (berta, False)):
            code, out, _ = await house.call("suppress", "check", number, "--json")
            assert json.loads(out)["suppressed"] is expected


async def test_p65_a_backup_has_no_keys_in_it_and_opens_with_those_beside_it(
    tmp_path: Path,
) -> None:
    config, crowd = await populated(tmp_path, 3)
    wrapped = rows(tmp_path, "SELECT wrapped FROM subject_key")
    async with a_house(tmp_path, config) as house:
        await house.start()
        backup = await backed_up(house, tmp_path)
    octets = (backup / "bridge.sqlite").read_bytes()
    assert not [key for (key,) in wrapped if key.encode() in octets]
    assert not [one for one in crowd if one.text.encode() in octets]
    for path in backup.iterdir():
        assert path.stat().st_mode & 0o077 == 0
    (backup / "keys.json").unlink()
    async with a_house(tmp_path, config) as house:
        code, out, err = await house.call("restore", str(backup), "--yes", "--json")
        assert (code, json.loads(out)["keys"]) == (0, 0), out + err
        shown = await house.log("--reveal")
        assert {row["text"] for row in shown} == {""}


async def test_p66_a_start_that_is_killed_in_the_middle_opens_no_port_before_it_is_done(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    config, crowd = await populated(tmp_path, MANY)
    erased, others = crowd[::EVERY], crowd[1::EVERY]
    async with a_house(tmp_path, config) as house:
        backup = await backed_up(house, tmp_path)
        assert await erasing(house).ended() == 0
    assert ledger(tmp_path) == len(erased)
    # Brought back by hand: nobody has told the bridge.
    live = tmp_path / "var" / "bridge.sqlite"
    shutil.copyfile(backup / "bridge.sqlite", live)
    port = free_port()
    config.write_text(
        config.read_text().replace('listen = "127.0.0.1:0"', f'listen = "127.0.0.1:{port}"', 1)
    )
    async with a_house(tmp_path, config) as house:
        for left in (1150, 800):
            process = house.launch()
            await until(lambda: _people(tmp_path) <= left, "a part of the replay")  # noqa: B023
            process.kill_tree()
            assert _people(tmp_path) > len(others)
            assert not _answers(port)
        house.launch()
        await until(lambda: _answers(port), "the port")
        assert _people(tmp_path) == len(others)
    assert rows(tmp_path, "SELECT name FROM fact WHERE name = 'restored'") == []


def _people(folder: Path) -> int:
    with suppress(sqlite3.Error):
        return int(rows(folder, "SELECT count(*) FROM subject")[0][0])
    return MANY


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@pytest.mark.parametrize("part", ["up", "log"])
async def test_p66_without_the_ledger_a_backup_lets_nobody_in(tmp_path: Path, part: str) -> None:
    config, crowd = await populated(tmp_path, 2)
    async with a_house(tmp_path, config) as house:
        backup = await backed_up(house, tmp_path)
        await house.call("privacy", "erase", crowd[0].number, *WHO)
        shutil.copyfile(backup / "bridge.sqlite", tmp_path / "var" / "bridge.sqlite")
        (tmp_path / "var" / "erasures.jsonl").unlink()
        code, _, err = await house.call(part)
        assert code == 1
        assert "the erasure ledger is missing" in err
        assert "put it at" in err
        code, out, _ = await house.call("restore", str(backup), "--yes", "--json")
        assert (code, "ledger is missing" in out) == (1, True)
    assert rows(tmp_path, "SELECT count(*) FROM subject") == [(2,)]
