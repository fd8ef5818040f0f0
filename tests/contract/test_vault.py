"""Over both databases: what people wrote is sealed at rest, under keys that can be destroyed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Text, cast, func, select, type_coerce

from bridge.master import Master
from bridge.store.chat_tables import chat_update
from bridge.store.rewrapping import Rewrap, Rewrapped, rewrap
from bridge.store.sql import Do, Many, Refs, Row, Rows, Script, Shred, Statement, insert
from bridge.store.store import Store, driver
from bridge.store.submissions import store_submissions
from bridge.store.tables import body, metadata, subject, subject_key
from bridge.store.vault import MARK, Key, Vault
from tests.stores import Database, Worker, a_database, a_vault

PHONE, TEXT = "+420601123407", "Boiler 3 is cold"


@pytest.fixture
async def database(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with a_database(url, tmp_path, {}) as made:
        yield made


@pytest.fixture
async def work(database: Database) -> Worker:
    return await database.worker("work-1")


def raw(column: Any) -> Any:
    """A sealed column as it stands in the database."""
    return type_coerce(column, Text())


async def plain(work: Worker) -> list[Row]:
    """What the bridge reads: (number, text)."""
    return await work.rows(
        select(subject.c.phone, body.c.text)
        .join_from(subject, body, body.c.message_id > 0)
        .order_by(body.c.message_id)
    )


async def test_numbers_and_texts_are_sealed_and_read_back(work: Worker) -> None:
    await work.submit(7, text=TEXT, origin='{"subject": "x"}')
    assert await plain(work) == [(PHONE, TEXT)]
    columns = (raw(subject.c.phone), raw(body.c.text), raw(body.c.origin))
    for value in (await work.rows(select(*columns).join_from(subject, body, body.c.text != "")))[0]:
        assert value.startswith(MARK)
        assert TEXT not in value
        assert PHONE[1:] not in value


async def test_every_sealed_column_is_sealed_by_each_statement_that_writes_it(
    work: Worker,
) -> None:
    """Whoever adds a statement that writes plain words into a sealed column fails here."""
    await work.submit(7)
    await work.update(payload='{"text": "secret words"}')
    await work.draft(payload={"text": "secret words"})
    for table in metadata.sorted_tables:
        for column in table.columns:
            if type(column.type).__name__ == "Sealed":
                for (value,) in await work.rows(select(raw(column)).where(raw(column) != "")):
                    assert value.startswith(MARK), f"{table.name}.{column.name}"


async def test_a_person_has_one_key_for_all_their_messages(work: Worker) -> None:
    for _ in range(3):
        await work.submit(7)
    await work.submit(8)
    assert (await work.rows(select(func.count()).select_from(subject_key)))[0][0] == 2


async def test_another_process_reads_what_one_has_sealed(database: Database) -> None:
    first, second = await database.two()
    await first.submit(7, text=TEXT)
    assert await plain(second) == [(PHONE, TEXT)]
    await second.submit(7, text="again")
    assert [row[1] for row in await plain(first)] == [TEXT, "again"]


async def test_of_two_processes_that_make_a_persons_key_one_does(database: Database) -> None:
    first, second = await database.two()
    await asyncio.gather(*(w.submit(7, text=TEXT) for w in (first, second) for _ in range(20)))
    fresh = await database.worker("work-3")
    assert await plain(fresh) == [(PHONE, TEXT)] * 40


async def test_a_key_whose_transaction_failed_is_not_used(work: Worker) -> None:
    """What was sealed with it could be read by nobody after the next start."""
    item = work.prepared(7, text=TEXT)

    def fails(items: Any) -> Script:
        yield from store_submissions(items)
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await work.store.write(fails, item)
    await work.store.write(store_submissions, item)
    fresh = Vault(Master([b"m" * 32]))
    work.store.driver.vault = fresh  # type: ignore[attr-defined]
    assert await plain(work) == [(PHONE, TEXT)]


async def test_p65_a_destroyed_key_takes_what_it_sealed_with_it(database: Database) -> None:
    work, other = await database.two()
    stored = await work.submit(7, text=TEXT)
    await work.submit(8, text="stays")
    assert len(await plain(work)) == 4

    def shred(items: Any) -> Script:
        done = yield Shred(items)
        return [done]

    assert await work.store.write(shred, stored.subject_id) == 1
    for reader in (work, await database.worker("work-3")):
        found = await plain(reader)
        assert {row[0] for row in found} == {"", PHONE[:-1] + "8"}
        assert {row[1] for row in found} == {"", "stays"}
    # A process that still has the key in memory lets go of it within the minute.
    other.store.driver.vault._since -= 61  # type: ignore[attr-defined]
    assert {row[1] for row in await plain(other)} == {"", "stays"}


async def test_p62_the_audits_name_of_a_person_hangs_on_the_key(work: Worker) -> None:
    stored = await work.submit(7)

    def refs(items: Any) -> Script:
        found = yield Refs(items)
        return [found[i] for i in items]

    def shred(items: Any) -> Script:
        return [(yield Shred(items))]

    first = await work.store.write(refs, stored.subject_id)
    assert await work.store.write(refs, stored.subject_id) == first
    assert str(stored.subject_id) not in first
    await work.store.write(shred, stored.subject_id)
    assert await work.store.write(refs, stored.subject_id) != first


async def test_without_the_master_key_nothing_can_be_read(work: Worker) -> None:
    await work.submit(7, text=TEXT)
    work.store.driver.vault = Vault(Master([b"x" * 32]))  # type: ignore[attr-defined]
    assert await plain(work) == [("", "")]


async def test_a_newer_master_key_wraps_and_the_older_one_still_opens(work: Worker) -> None:
    await work.submit(7, text=TEXT)
    await work.update(payload='{"text": "x"}')
    work.store.driver.vault = Vault(Master([b"n" * 32, b"m" * 32]))  # type: ignore[attr-defined]
    await work.submit(8, text="new")
    rows = await plain(work)
    assert {row[1] for row in rows} == {TEXT, "new"}
    keks = await work.rows(select(subject_key.c.kek).order_by(subject_key.c.subject_id))
    assert len(set(keks)) == 2


async def test_p65_all_keys_move_to_the_newest_master_key(work: Worker) -> None:
    await work.submit(7, text=TEXT)
    await work.update(payload='{"text": "x"}')
    both = Vault(Master([b"n" * 32, b"m" * 32]))
    work.store.driver.vault = both  # type: ignore[misc]
    last: int | None = 0
    done = 0
    while last is not None:
        batch: Rewrapped = await work.store.write(rewrap, Rewrap(both, last))
        last, done = batch.last, done + batch.done
    assert done == 1
    work.store.driver.vault = Vault(Master([b"n" * 32]))  # type: ignore[misc]
    assert await plain(work) == [(PHONE, TEXT)]
    # What is under way under the older key is read as long as that is in the file.
    work.store.driver.vault = both  # type: ignore[misc]
    assert await work.rows(select(chat_update.c.payload)) == [('{"text": "x"}',)]


async def test_keys_that_no_master_key_opens_are_counted(work: Worker) -> None:
    await work.submit(7, text=TEXT)
    other = Vault(Master([b"n" * 32]))
    batch: Rewrapped = await work.store.write(rewrap, Rewrap(other, 0))
    assert (batch.done, batch.lost) == (0, 1)


async def test_what_stood_there_plain_before_is_read_as_it_is(work: Worker) -> None:
    stored = await work.submit(7, text=TEXT)
    old = Statement(
        body.update().where(body.c.message_id == stored.id).values(text=cast("as it was", Text()))
    )

    def age(items: Any) -> Script:
        del items
        return [(yield Do(old, {}))]

    await work.store.write(age, None)
    assert [row[1] for row in await plain(work)] == ["as it was"]


async def test_a_text_that_looks_sealed_is_a_text(work: Worker) -> None:
    words = f"{MARK}0.AAAA"
    await work.submit(7, text=words)
    assert [row[1] for row in await plain(work)] == [words]


def test_a_value_is_bound_to_its_column_and_its_key() -> None:
    key = Key(b"k" * 32)
    sealed = key.seal(5, b"phone", PHONE).partition(".")[2]
    assert key.open(b"phone", sealed) == PHONE
    assert key.open(b"text", sealed) == ""
    assert Key(b"o" * 32).open(b"phone", sealed) == ""


def test_the_same_words_are_never_sealed_alike() -> None:
    key = Key(b"k" * 32)
    assert key.seal(5, b"text", TEXT) != key.seal(5, b"text", TEXT)


async def test_a_callback_is_sealed_under_the_bridges_own_key(work: Worker) -> None:
    from bridge.store.receipts import CALLBACK_ADD
    from bridge.store.tables import callback

    row = {
        "carrier": "smsc",
        "kind": "part",
        "key": "k",
        "number": 1,
        "total": 2,
        "payload": json.dumps({"source": PHONE}),
        "at": work.now,
    }

    def add(items: Any) -> Script:
        yield Many(CALLBACK_ADD, items)
        found = yield Rows(Statement(select(callback.c.payload)), {})
        return [tuple(found[0])]

    assert await work.store.write(add, row) == (row["payload"],)
    ((stored,),) = await work.rows(select(raw(callback.c.payload)))
    assert stored.startswith(f"{MARK}0.")


def test_an_insert_that_does_not_say_whose_words_they_are_fails_at_once() -> None:
    session = a_vault().session()
    step = Many(insert(body), [{"message_id": 1, "text": "x", "origin": ""}])
    with pytest.raises(KeyError):
        list(session.perform(step, "sqlite"))


async def test_a_stolen_database_holds_no_number_and_no_text(tmp_path: Path) -> None:
    """Free pages and the journal included."""
    async with a_database("sqlite", tmp_path, {}) as made:
        worker = await made.worker("work-1")
        for _ in range(20):
            await worker.submit(7, text=TEXT)
        for file in sorted(tmp_path.glob("bridge.sqlite*")):  # noqa: ASYNC240 - a test
            octets = file.read_bytes()
            assert PHONE[1:].encode() not in octets
            assert TEXT.encode() not in octets
    store = Store(driver("sqlite", tmp_path, a_vault()))
    await store.open()
    assert (await store.read(Statement(select(body.c.text).limit(1))))[0][0] == TEXT
    await store.close()
