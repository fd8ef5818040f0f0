"""A hundred of a thousand people are erased: their traces are in no file, the others' lives go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from bridge.dispatch.erasing import Wish, erase
from bridge.dispatch.requests import Someone
from bridge.store.sql import Statement, Values, among
from bridge.store.suppressions import ACTIVE
from bridge.store.tables import body, message, reply_body, subject
from tests.bridges import Running, a_bridge, write_config
from tests.crowd import found, people, settle

MANY, ERASED = 1000, 100


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with a_bridge(write_config(tmp_path), works=False) as up:
        yield up


async def sealed(running: Running, persons: list[int]) -> list[bytes]:
    """What stands in the columns of these people, as it stands on the disk."""
    raw = [
        "SELECT wrapped FROM subject_key WHERE subject_id IN (SELECT value FROM json_each(:ids))",
        "SELECT phone FROM subject WHERE id IN (SELECT value FROM json_each(:ids))",
        "SELECT phone_index || '' FROM subject WHERE id IN (SELECT value FROM json_each(:ids))",
        "SELECT b.text FROM body b JOIN message m ON m.id = b.message_id"
        " WHERE m.subject_id IN (SELECT value FROM json_each(:ids))",
        "SELECT b.origin FROM body b JOIN message m ON m.id = b.message_id"
        " WHERE m.subject_id IN (SELECT value FROM json_each(:ids))",
        "SELECT b.text FROM reply_body b JOIN reply r ON r.id = b.reply_id"
        " WHERE r.subject_id IN (SELECT value FROM json_each(:ids))",
    ]
    values = []
    for clause in raw:
        rows = await running.bridge.store.read(Statement(text(clause)), ids=Values(persons))
        values += [str(row[0]).encode() for row in rows]
    return values


async def test_p2_p65_erased_people_are_in_no_file(running: Running, tmp_path: Path) -> None:
    bridge = running.bridge
    crowd = people(MANY)
    await settle(bridge, crowd)
    # Every tenth one: their rows stand among the others', on every page.
    erased = crowd[:: MANY // ERASED]
    others = [one for one in crowd if one not in erased]
    indexes = [bridge.keys.person(1, one.number) for one in erased]
    rows = await bridge.store.read(
        Statement(select(subject.c.id).where(among(subject.c.phone_index, "keys"))),
        keys=Values(indexes),
    )
    persons = [row[0] for row in rows]
    assert len(persons) == ERASED
    ciphertexts = await sealed(running, persons)
    tokens = {index.encode() for index in indexes}
    secrets = [value for value in ciphertexts if value not in tokens]
    assert len(secrets) == ERASED * 7
    data = tmp_path / "var"
    before = found(data, [secrets[0], erased[0].name.encode()])
    assert "bridge.sqlite" in before or "bridge.sqlite-wal" in before

    wishes = [Wish(n, 1, Someone("number", one.number), "eva") for n, one in enumerate(erased, 1)]
    done = await erase(bridge, wishes)
    assert [e.state for each in done for e in each] == ["done"] * ERASED

    traces = [trace for one in erased for trace in one.traces]
    assert found(data, traces) == {}
    assert found(data, secrets) == {}
    assert (data / "bridge.sqlite-wal").stat().st_size == 0

    count = Statement(select(func.count()).select_from(body))
    assert (await bridge.store.read(count))[0][0] == 2 * len(others)
    texts = await bridge.store.read(Statement(select(body.c.text)))
    assert {row[0] for row in texts} == {one.text for one in others}
    answers = await bridge.store.read(Statement(select(reply_body.c.text)))
    assert {row[0] for row in answers} == {one.answer for one in others}
    numbers = await bridge.store.read(Statement(select(subject.c.phone)))
    assert {row[0] for row in numbers} == {one.number for one in others}
    unlinked = Statement(select(func.count()).where(message.c.subject_id == 0))
    assert (await bridge.store.read(unlinked))[0][0] == 2 * ERASED
    listed = await bridge.store.read(ACTIVE, keys=Values(indexes))
    assert {row[3] for row in listed} == set(indexes)
