"""Over both databases: codes that are good once, people who are enrolled by them, and their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select

from bridge.store import ids, postgres
from bridge.store.audit_tables import audit
from bridge.store.chat_tables import enrol_try, glimpse, invitation, staff
from bridge.store.sql import Many, Script, Statement, insert
from bridge.store.staff import (
    PERSON,
    PERSON_BY_ID,
    STAFF,
    TRIES,
    TRIES_SECONDS,
    CloseAll,
    Closed,
    Invite,
    Person,
    Redeem,
    Redeemed,
    Revoke,
    close_all,
    invite,
    person_of,
    redeem,
    revoke,
    tidy_staff,
)
from bridge.store.store import Store, driver
from bridge.store.tenants import CloseTenant, TenantIn, close_tenants, put_tenants
from tests.seeds import seed
from tests.stores import a_vault

NOW = 1_790_000_000.0
QUARTER = 900.0
DAY = 86_400.0
ACME, BETA = 1, 2
UNKNOWN = Redeemed(None, "unknown")
EVA = Redeem(100, "code-1", "telegram", "", "501", 0, NOW)


@pytest.fixture
async def store(url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """A migrated database with the tenants acme and beta."""
    seed(tmp_path)
    store = Store(driver(url, tmp_path, a_vault()))
    await store.open()
    for name in ("acme", "beta"):
        await store.write(put_tenants, TenantIn(name, {}, [], [], "command", NOW))
    yield store
    await store.close()


async def invited(store: Store, hash: str = "code-1", **more: Any) -> None:  # noqa: A002
    base = Invite(ACME, "agent", "Eva", hash, NOW, NOW + QUARTER)
    await store.write(invite, replace(base, **more))


async def enrolled(store: Store, item: Redeem = EVA, **more: Any) -> Person:
    await invited(store, item.hash, **more)
    done: Redeemed = await store.write(redeem, item)
    assert done.person is not None
    return done.person


async def person(store: Store, edge: str = "telegram", team: str = "", who: str = "501") -> Any:
    found = await store.read(PERSON, edge=edge, team=team, person=who)
    return person_of(found[0]) if found else None


async def lines(store: Store) -> list[tuple[Any, ...]]:
    """What the audit says beside that people have enrolled."""
    wanted = select(audit.c.actor, audit.c.action, audit.c.reason).order_by(audit.c.seq)
    found = await store.read(Statement(wanted.where(audit.c.action != "enrolled")))
    return [tuple(row) for row in found]


async def count(store: Store, table: Any) -> int:
    return len(await store.read(Statement(select(table))))


# Enrolment


async def test_a_code_enrols_whom_it_names(store: Store) -> None:
    await invited(store)
    assert await person(store) is None
    done = await store.write(redeem, EVA)
    assert done == Redeemed(Person(100, ACME, "Eva", "agent", "telegram", "", "501"))
    assert await person(store) == done.person
    assert [person_of(row) for row in await store.read(PERSON_BY_ID, id=100)] == [done.person]
    assert await count(store, enrol_try) == 0


async def test_p76_an_identity_is_all_of_edge_team_and_person(store: Store) -> None:
    await enrolled(store, replace(EVA, edge="slack", team="T1", person="U1"))
    assert await person(store, "slack", "T1", "U1") is not None
    for other in (("slack", "T2", "U1"), ("slack", "T1", "U2"), ("telegram", "T1", "U1")):
        assert await person(store, *other) is None


NO_CODE: dict[str, dict[str, Any]] = {
    "wrong": {"hash": "code-2"},
    "over": {"now": NOW + QUARTER},
    "another tenant's": {"tenant_id": BETA},
}


@pytest.mark.parametrize("name", NO_CODE)
async def test_a_code_that_does_not_fit_tells_nothing(store: Store, name: str) -> None:
    await invited(store)
    assert await store.write(redeem, replace(EVA, **NO_CODE[name])) == UNKNOWN
    assert await count(store, enrol_try) == 1
    assert (await store.write(redeem, EVA)).person is not None


async def test_p76_a_code_is_good_once(store: Store) -> None:
    await enrolled(store)
    assert await store.write(redeem, replace(EVA, id=101, person="502")) == UNKNOWN
    assert await store.write(redeem, replace(EVA, id=102)) == UNKNOWN
    assert (await person(store)).id == 100
    assert await count(store, staff) == 1


async def test_in_its_own_tenants_team_it_fits(store: Store) -> None:
    assert (await enrolled(store, replace(EVA, tenant_id=ACME))).tenant_id == ACME


async def test_nobody_is_enrolled_in_a_closed_tenant(store: Store) -> None:
    await enrolled(store)
    await invited(store, "code-2")
    await store.write(close_tenants, CloseTenant("acme", NOW))
    assert await person(store) is None
    assert await store.read(PERSON_BY_ID, id=100) == []
    assert await store.write(redeem, replace(EVA, hash="code-2", id=101)) == UNKNOWN


async def test_a_new_code_enrols_anew(store: Store) -> None:
    await enrolled(store)
    later = replace(EVA, id=101, hash="code-2", now=NOW + 60)
    await enrolled(store, later, tenant_id=BETA, role="admin", name="Eva N.")
    assert await person(store) == Person(101, BETA, "Eva N.", "admin", "telegram", "", "501")
    assert await store.read(PERSON_BY_ID, id=100) == []
    ended = {row[0]: row[-1] for row in await store.read(STAFF, tenant="")}
    assert ended == {100: NOW + 60, 101: None}


async def test_a_guesser_has_five_tries_a_quarter_of_an_hour(store: Store) -> None:
    await invited(store, expires_at=NOW + DAY)
    for second in range(TRIES):
        assert await store.write(redeem, replace(EVA, hash="?", now=NOW + second)) == UNKNOWN
    throttled = Redeemed(None, "throttled")
    assert await store.write(redeem, replace(EVA, now=NOW + 10)) == throttled
    assert await store.write(redeem, replace(EVA, now=NOW + TRIES_SECONDS - 1)) == throttled
    assert await count(store, enrol_try) == TRIES
    other = replace(EVA, person="502", hash="?", now=NOW + 10)
    assert await store.write(redeem, other) == UNKNOWN
    done = await store.write(redeem, replace(EVA, now=NOW + TRIES_SECONDS))
    assert done.person is not None


async def test_of_many_at_once_one_is_enrolled(store: Store, url: str, tmp_path: Path) -> None:
    await invited(store)
    other = store if url == "sqlite" else Store(driver(url, tmp_path, a_vault()))
    if other is not store:
        await other.open()
    items = [replace(EVA, id=200 + n, person=str(n)) for n in range(40)]
    asked = [(store, other)[n % 2].write(redeem, item) for n, item in enumerate(items)]
    done = await asyncio.gather(*asked)
    assert sum(each.person is not None for each in done) == 1
    assert await count(store, staff) == 1
    if other is not store:
        await other.close()


# Its end


async def test_a_revocation_is_at_once_and_in_the_audit(store: Store) -> None:
    await enrolled(store)
    assert await store.write(revoke, Revoke(100, "root", NOW + 5))
    assert await person(store) is None
    assert not await store.write(revoke, Revoke(100, "root", NOW + 6))
    assert not await store.write(revoke, Revoke(7, "root", NOW + 6))
    assert await lines(store) == [("root", "staff revoke", f"id={ids.show(100)}")]
    assert (await store.read(STAFF, tenant=""))[0][-1] == NOW + 5


def links(items: Any) -> Script:
    keys = ("hash", "tenant_id", "reply_id", "expires_at", "used_at")
    rows = [dict(zip(keys, each, strict=True)) for each in items[0]]
    yield Many(insert(glimpse), rows)
    return [None]


async def test_close_all_leaves_nobody_in(store: Store) -> None:
    await enrolled(store)
    await enrolled(store, replace(EVA, id=101, hash="b", person="502"), tenant_id=BETA)
    await store.write(revoke, Revoke(101, "root", NOW))
    await enrolled(store, replace(EVA, id=102, hash="c", person="503"), tenant_id=BETA)
    await invited(store, "open")
    await invited(store, "over", expires_at=NOW - 1)
    fresh, old = NOW + 60, NOW - 60
    await store.write(
        links, [("a", 1, 1, fresh, None), ("b", 1, 1, fresh, old), ("c", 1, 1, old, None)]
    )
    assert await store.write(close_all, CloseAll("root", NOW)) == Closed(2, 1, 1)
    assert await person(store) is None
    assert await store.write(redeem, replace(EVA, hash="open", now=NOW - 30)) == UNKNOWN
    shown = Statement(select(glimpse.c.hash).where(glimpse.c.expires_at > NOW - 30))
    assert [row[0] for row in await store.read(shown)] == ["b"]
    said = await lines(store)
    assert said[0] == ("root", "staff revoke", f"id={ids.show(101)}")
    assert said[1] == ("root", "access close-all", "staff=2 invitations=1 links=1")
    assert sorted(said[2:]) == [
        ("root", "access close-all", f"id={ids.show(number)}") for number in (100, 102)
    ]
    assert not any(who in reason for *_, reason in said for who in ("501", "502", "503"))
    assert await store.write(close_all, CloseAll("root", NOW)) == Closed(0, 0, 0)
    assert len(await lines(store)) == 5


async def test_and_people_can_be_invited_again(store: Store) -> None:
    await enrolled(store)
    await store.write(close_all, CloseAll("root", NOW))
    assert (await enrolled(store, replace(EVA, id=101, hash="code-2"))).id == 101


async def test_what_has_served_goes_after_its_time(store: Store) -> None:
    await enrolled(store)
    await invited(store, "unused")
    await invited(store, "later", now=NOW + DAY, expires_at=NOW + DAY + QUARTER)
    await store.write(redeem, replace(EVA, hash="?"))
    assert await store.write(tidy_staff, NOW + DAY) == 0
    assert await store.write(tidy_staff, NOW + DAY + 1) == 1
    assert await store.write(tidy_staff, NOW + 30 * DAY + QUARTER) == 1  # the used one
    assert await store.write(tidy_staff, NOW + 30 * DAY + QUARTER + 1) == 1
    assert await count(store, invitation) == 1
    assert await person(store) is not None


async def test_the_list_is_of_one_tenant_or_of_all(store: Store) -> None:
    await enrolled(store)
    await enrolled(store, replace(EVA, id=101, hash="b", person="502"), tenant_id=BETA)
    await store.write(close_tenants, CloseTenant("beta", NOW))
    assert [(row[0], *row[-3:]) for row in await store.read(STAFF, tenant="")] == [
        (100, "acme", NOW, None),
        (101, "beta", NOW, None),
    ]
    assert [row[0] for row in await store.read(STAFF, tenant="beta")] == [101]


# Two processes that meet in PostgreSQL: the one is stopped before its commit.


async def blocked(observer: asyncpg.Connection[Any]) -> None:
    waiting = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    async with asyncio.timeout(20):
        while True:
            if await observer.fetchval(waiting):
                return
            await asyncio.sleep(0.01)


# SQLite has one writer.
postgresql_only = pytest.mark.parametrize(
    "url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
async def at_once(store: Store, url: str) -> AsyncIterator[Callable[..., Any]]:
    """Run a first script up to its commit, and a second one beside it; what both answered."""
    connection, observer = await asyncpg.connect(url), await asyncpg.connect(url)

    async def run(first: Callable[[], Script], second: Any, item: Any) -> tuple[Any, Any]:
        async with connection.transaction():
            (before,) = await postgres._drive(connection, first(), a_vault().session())
            other = asyncio.create_task(store.write(second, item))
            await blocked(observer)
        return before, await other

    yield run
    await connection.close()
    await observer.close()


@postgresql_only
async def test_who_enrols_while_all_is_closed_is_closed_out(store: Store, at_once: Any) -> None:
    await invited(store)
    done, closed = await at_once(lambda: redeem([EVA]), close_all, CloseAll("root", NOW))
    assert done.person is not None
    assert closed == Closed(1, 0, 0)
    assert await person(store) is None


@postgresql_only
async def test_who_comes_after_the_close_is_not_let_in(store: Store, at_once: Any) -> None:
    await invited(store)
    closed, done = await at_once(lambda: close_all([CloseAll("root", NOW)]), redeem, EVA)
    assert closed == Closed(0, 1, 0)
    assert done == UNKNOWN


@postgresql_only
async def test_two_codes_of_one_person_at_once_leave_one_enrolment(
    store: Store, at_once: Any
) -> None:
    await invited(store)
    await invited(store, "code-2", role="admin")
    second = replace(EVA, id=101, hash="code-2")
    await at_once(lambda: redeem([EVA]), redeem, second)
    assert (await person(store)).role == "admin"
    assert await count(store, staff) == 2
