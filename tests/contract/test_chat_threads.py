"""Over both databases: whose conversations are, which posts belong to them, links that open once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bridge.store.chat_tables import glimpse, staff, thread
from bridge.store.glimpses import Glimpse, Opened, Seen, add_glimpses, open_glimpses
from bridge.store.sql import Many, Script, insert
from bridge.store.sweeps import tidy
from bridge.store.tables import reply, reply_body
from bridge.store.threads import (
    THREAD_OF_POST,
    Post,
    Root,
    Take,
    Thread,
    ThreadIn,
    add_posts,
    ensure_threads,
    set_roots,
    take_threads,
    thread_of,
)
from tests.stores import EDGE, NOW, OURS, PLACE, Database, Worker

EVA, JAN = 5, 6


# Conversations


async def person(work: Worker, number: int = 1) -> int:
    """The subject of somebody who was written to."""
    return (await work.submit(number)).subject_id


async def ensured(work: Worker, person: int, **more: Any) -> Thread:
    base = ThreadIn(work.ids.next(), 1, EDGE, PLACE, person, OURS, NOW)
    found: Thread = await work.store.write(ensure_threads, replace(base, **more))
    return found


async def test_one_conversation_a_person_place_and_originator(database: Database) -> None:
    here, there = await database.two()
    people = [await person(here, n) for n in range(8)]
    ways = ((here, people), (there, people[::-1]))  # in another order: no deadlock
    found = await asyncio.gather(*(ensured(w, p) for w, order in ways for p in order))
    assert len({t.id for t in found}) == 8
    assert {t.subject_id for t in found} == set(people)
    first = await ensured(here, people[0])
    assert (first.phone, first.root, first.staff_id, first.taken_by) == (
        "+420601123400",
        "",
        None,
        "",
    )
    for more in ({"edge": "slack"}, {"place": "-1002"}, {"originator": "ACME"}):
        assert (await ensured(here, people[0], **more)).id != first.id
    assert await here.count(thread) == 11


async def test_a_conversation_moves_only_from_where_it_stood(database: Database) -> None:
    here, there = await database.two()
    made = await ensured(here, await person(here))
    moves = ((here, "11"), (there, "12"))
    done = await asyncio.gather(
        *(w.store.write(set_roots, Root(made.id, root, "")) for w, root in moves)
    )
    assert sorted(done) == [False, True]
    root = (await ensured(here, made.subject_id)).root
    assert root == ("11" if done[0] else "12")
    assert await here.store.write(set_roots, Root(made.id, "", root))
    assert not await there.store.write(set_roots, Root(made.id, "13", root))


def enrol(items: Sequence[int]) -> Script:
    """These are staff."""
    same = {"tenant_id": 1, "edge": EDGE, "team": "", "name": "x", "role": "agent"}
    rows = [
        {
            **same,
            "id": who,
            "person": str(who),
            "created_at": NOW,
            "revoked_at": None,
            "review_due": None,
        }
        for who in items
    ]
    yield Many(insert(staff), rows)
    return [None] * len(items)


async def test_the_first_who_takes_a_conversation_has_it(database: Database) -> None:
    here, there = await database.two()
    for who in (EVA, JAN):
        await here.store.write(enrol, who)
    made = await ensured(here, await person(here))

    async def take(work: Worker, who: int | None, *, force: bool = False) -> int | None:
        now = await work.store.write(take_threads, Take(made.id, who, NOW, force))
        assert now.id == made.id
        owner: int | None = now.staff_id
        return owner

    owners = await asyncio.gather(
        *(take(w, who) for _ in range(3) for w, who in ((here, EVA), (there, JAN)))
    )
    owner = owners[0]
    assert owners == [owner] * 6
    assert owner in (EVA, JAN)
    assert await take(here, None) == owner
    assert await take(here, None, force=True) is None
    assert await take(there, JAN) == JAN
    assert await take(here, EVA, force=True) == EVA
    assert await here.store.write(take_threads, Take(1, EVA, NOW)) is None


async def test_a_post_belongs_to_the_conversation_that_it_came_to_first(work: Worker) -> None:
    made = [await ensured(work, await person(work, n)) for n in range(2)]
    for each in made:
        await work.store.write(add_posts, Post(EDGE, PLACE, "77", each.id, NOW))
    key = {"edge": EDGE, "place": PLACE, "post": "77"}
    assert [thread_of(row) for row in await work.store.read(THREAD_OF_POST, **key)] == [made[0]]
    for other in ({"edge": "slack"}, {"place": "-1002"}, {"post": "78"}):
        assert await work.store.read(THREAD_OF_POST, **{**key, **other}) == []


# Links


def _texts(items: list[tuple[int, str]]) -> Script:
    """Replies of people with the same ids, and their texts."""
    rows = [
        {"id": n, "reply_id": n, "tenant_id": 1, "subject_id": n, "text": text, "at": NOW}
        for n, text in items
    ]
    yield Many(insert(reply, ("id", "tenant_id", "subject_id", "at")), rows)
    yield Many(insert(reply_body), rows)
    return [None] * len(items)


async def test_a_link_opens_once(database: Database) -> None:
    here, there = await database.two()
    await here.store.write(_texts, (41, ""))
    await here.store.write(add_glimpses, Glimpse("h", 1, 41, NOW + 900))
    ways = [w for _ in range(3) for w in (here, there)]
    seen = await asyncio.gather(*(w.store.write(open_glimpses, Opened("h", NOW)) for w in ways))
    assert [each for each in seen if each is not None] == [Seen(41, "")]


async def test_a_link_that_is_over_or_unknown_or_empty_opens_nothing(work: Worker) -> None:
    await work.store.write(_texts, (41, "Ano"))
    for name, shown, over in (("late", 41, NOW), ("erased", 42, NOW + 9), ("good", 41, NOW + 9)):
        await work.store.write(add_glimpses, Glimpse(name, 1, shown, over))
    names = ("late", "erased", "nobody's", "good")
    seen = [await work.store.write(open_glimpses, Opened(name, NOW)) for name in names]
    assert seen == [None, None, None, Seen(41, "Ano")]
    await work.store.write(tidy, NOW + 901)
    assert await work.count(glimpse) == 2
