"""Which carrier a message takes, what the phone shows, and how a sick carrier is left and found."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge.dispatch import roads
from bridge.dispatch.choose import Leg, first
from bridge.dispatch.submit import submit
from bridge.errors import Refused
from bridge.model import Class, Origin, Submission
from bridge.operations import REGISTRY, Office
from bridge.store.prices import Import, Row, put_prices
from bridge.store.sql import Statement
from bridge.store.tables import message
from bridge.store.tallies import Weighed
from tests.bridges import ANNA, BERIT, Running, a_bridge, until, write_config
from tests.smsc import Smsc, smsc

ONE = """
[[carriers]]
name = "{name}"
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "acme"
password = "secret"
window = 50
retry_first = "1s"
failover = "1s"
{more}
"""
HEALTH = """
[health]
slow = "1s"
window = "1s"
step = "1s"
errors = 1000
"""


def carrier(name: str, port: int = 1, more: str = "") -> str:
    return ONE.format(name=name, port=port, more=more)


def a_submission(to: str = ANNA, **more: object) -> Submission:
    country = "NO" if to == BERIT else "CZ"
    given = {"destination": to, "country": country, "text": "Boiler 3 is cold", **more}
    return Submission(tenant=1, origin=Origin("mail", "eva@acme.example"), **given)


def taken(running: Running, to: str = ANNA, klass: Class = Class.TRANSACTIONAL, **more: str) -> str:
    bridge = running.bridge
    country = more.pop("country", "NO" if to == BERIT else "CZ")
    leg = Leg(bridge.register.tenants[1], to, country, klass, more.get("wanted", ""))
    place = first(bridge, leg)
    return f"{place.carrier.name} {place.originator}".strip()


async def test_the_first_route_whose_conditions_hold_decides(tmp_path: Path) -> None:
    routes = """
[[routes]]
tenant = "other"
carriers = ["a"]
[[routes]]
match = "+420"
class = "marketing"
carriers = ["b"]
[[routes]]
country = ["NO", "SE"]
carriers = ["c"]
[[routes]]
carriers = ["d"]
"""
    carriers = "".join(carrier(name) for name in "abcd") + routes
    async with a_bridge(write_config(tmp_path, carriers=carriers), works=False) as running:
        assert taken(running) == "d"
        assert taken(running, klass=Class.MARKETING) == "b"
        assert taken(running, BERIT) == "c"
        assert taken(running, BERIT, Class.MARKETING) == "c"


async def test_a_carrier_serves_whom_a_route_leads_over_it(tmp_path: Path) -> None:
    routes = """
[[routes]]
tenant = "other"
carriers = ["a"]
[[routes]]
country = ["NO", "SE"]
carriers = ["c"]
[[routes]]
country = ["NO"]
carriers = ["b"]
[[routes]]
carriers = ["d"]
[[routes]]
match = "+420"
class = "marketing"
carriers = ["c"]
"""
    carriers = "".join(carrier(name) for name in "abcd") + routes
    async with a_bridge(write_config(tmp_path, carriers=carriers), works=False) as running:
        serves = running.bridge.routes.serves
        assert [name for name in "abcd" if serves(name, "acme")] == ["c", "d"]
        assert [name for name in "abcd" if serves(name, "other")] == ["a"]


async def test_weights_share_the_traffic(tmp_path: Path) -> None:
    routes = """
[[routes]]
order = "weight"
weights = { a = 3, b = 1, c = 0 }
carriers = ["c", "a", "b"]
"""
    carriers = "".join(carrier(name) for name in "abc") + routes
    async with a_bridge(write_config(tmp_path, carriers=carriers), works=False) as running:
        found = Counter(taken(running) for _ in range(4000))
        assert found["c"] == 0
        assert 2850 < found["a"] < 3150


async def test_the_cheapest_comes_first(tmp_path: Path) -> None:
    carriers = "".join(carrier(name) for name in "abcd")
    carriers += '[[routes]]\norder = "price"\ncarriers = ["a", "b", "c", "d"]'
    async with a_bridge(write_config(tmp_path, carriers=carriers), works=False) as running:
        assert taken(running) == "a", "no price is known"
        rows = (
            Row("cost", "b", "+420", "CZK", 900_000),
            Row("cost", "c", "+420", "CZK", 700_000),
            Row("cost", "c", "+420601", "CZK", 1_700_000),
            Row("cost", "d", "+420", "EUR", 20_000),
        )
        await running.bridge.store.write(put_prices, Import(rows, 1.0, "1"))
        await running.bridge.refresh()
        assert taken(running, "+420777000111") == "c"
        assert taken(running) == "b", "the longest prefix is what it costs"
        assert taken(running, BERIT) == "a"


async def test_a_name_gives_way_to_a_number_where_networks_show_none(tmp_path: Path) -> None:
    carriers = carrier("a", more='originator = "+12025550123"\nsenders = ["ACME"]')
    carriers += carrier("b") + '[[routes]]\ncarriers = ["b", "a"]'
    config = write_config(tmp_path, carriers=carriers, tenant='originator = "ACME"')
    async with a_bridge(config, works=False) as running:
        assert taken(running) == "b ACME"
        assert taken(running, "+12025550100", country="US") == "a +12025550123"
        with pytest.raises(Refused, match="phones in US show no names"):
            taken(running, "+12025550100", country="US", wanted="ACME")
        # Nobody knows what holds there: what is asked for is sent.
        assert taken(running, "+819012345678", country="JP") == "b ACME"


async def test_a_name_is_registered_where_the_country_asks_for_it(tmp_path: Path) -> None:
    carriers = carrier("a", more='senders = ["ACME"]') + '[[routes]]\ncarriers = ["a"]'
    async with a_bridge(write_config(tmp_path, carriers=carriers), works=False) as running:
        assert taken(running, wanted="ACME") == "a ACME"
        with pytest.raises(Refused, match="is not registered with a, which CZ asks for"):
            taken(running, wanted="Others")


POOL = ["+420601000001", "+420601000002", "+420601000003"]


async def senders(running: Running) -> dict[str, set[str]]:
    """What each person was shown: subject → originators."""
    found: dict[str, set[str]] = {}
    statement = Statement(select(message.c.subject_id, message.c.originator))
    for subject, originator in await running.rows(statement):
        found.setdefault(subject, set()).add(originator)
    return found


async def test_people_keep_their_number_of_a_pool(tmp_path: Path) -> None:
    carriers = carrier("a") + '[[routes]]\ncarriers = ["a"]'
    people = [f"+42060112{n:04d}" for n in range(60)]

    async def write(pool: list[str]) -> dict[str, set[str]]:
        config = write_config(tmp_path, carriers=carriers, tenant=f"originators = {pool}")
        async with a_bridge(config, works=False) as running:
            for origin in ("eva@acme.example", "jan@acme.example"):
                told = [a_submission(to) for to in people]
                for one in told:
                    one.origin = Origin("mail", origin)
                await asyncio.gather(*(submit(running.bridge, one) for one in told))
            return await senders(running)

    two = await write(POOL[:2])
    assert all(len(shown) == 1 for shown in two.values())
    spread = Counter(next(iter(shown)) for shown in two.values())
    assert min(spread.values()) > 15, "spread evenly"
    three = await write(POOL)
    assert three == two, "a new number takes nobody from the others"
    left = await write(POOL[1:])
    assert all(shown <= {*POOL} for shown in left.values())
    for person, shown in left.items():
        kept_theirs = two[person] == {POOL[1]}
        assert (shown == {POOL[1]}) is kept_theirs, "only who must, changes"


async def test_a_number_that_answers_come_to_has_one_tenant(tmp_path: Path) -> None:
    from bridge import settings

    config = write_config(tmp_path, tenant=f"originators = {POOL}")
    more = f'\n[[tenants]]\nname = "other"\noriginator = "{POOL[0]}"\n'
    config.write_text(config.read_text() + more)
    with pytest.raises(
        settings.SettingsError, match="one that takes replies belongs to one tenant"
    ):
        settings.load(config, {})


async def test_a_message_goes_back_to_who_comes_before_in_the_route(tmp_path: Path) -> None:
    """It began at the second, by weight; the second refuses it: the first has not been tried."""
    async with smsc() as one, smsc() as two:
        two.behave.status = 0x45
        routes = '[[routes]]\ncarriers = ["a", "b"]\norder = "weight"\nweights = { a = 0, b = 1 }'
        carriers = carrier("a", one.port, 'originator = "+420601000001"')
        carriers += carrier("b", two.port, 'originator = "+420601000002"') + routes
        async with a_bridge(write_config(tmp_path, carriers=carriers)) as running:
            await running.mail(f"{ANNA}@sms.example")
            await until(lambda: _states(running, "delivered", 1))
        assert [m.source for m in one.messages] == ["420601000001"], "shows its own number"
        assert not two.messages


async def _states(running: Running, state: str, count: int) -> bool:
    return (await running.states()).count(state) == count


async def _weighs(running: Running, name: str, least: float, most: float) -> bool:
    return least <= running.bridge.health.weight(name) <= most


async def _send(running: Running, first: int, count: int, pause: float = 0.0) -> None:
    for number in range(first, first + count):
        await submit(running.bridge, a_submission(f"+42060{number:07d}"))
        await asyncio.sleep(pause)


def _came(*centres: Smsc) -> Counter[str]:
    return Counter(m.destination for centre in centres for m in centre.messages)


@pytest.mark.slow
async def test_a_sick_carrier_is_left_in_steps_and_found_again(tmp_path: Path) -> None:
    """It refuses, then heals: nothing is lost, nothing comes twice."""
    async with smsc() as one, smsc() as two:
        carriers = carrier("a", one.port) + carrier("b", two.port)
        carriers += '[[routes]]\ncarriers = ["a", "b"]'
        config = write_config(tmp_path, carriers=carriers, more=HEALTH)
        async with a_bridge(config) as running:
            seen: list[float] = []

            async def watch() -> None:
                while True:
                    weight = running.bridge.health.weight("a")
                    if not seen or seen[-1] != weight:
                        seen.append(weight)
                    await asyncio.sleep(0.02)

            watching = asyncio.create_task(watch())
            await _send(running, 1_000_000, 50, 0.01)
            assert len(one.messages) == 50
            one.behave.status = 0x45
            sent = 0
            async with asyncio.timeout(30):
                while not await _weighs(running, "a", 0.0, 0.06):
                    await _send(running, 1_100_000 + sent, 20, 0.01)
                    sent += 20
            await until(lambda: _states(running, "delivered", 50 + sent))
            one.behave.status = 0
            await until(lambda: _weighs(running, "a", 1.0, 1.0), 30)
            before = len(one.messages)
            await _send(running, 1_200_000, 20)
            await until(lambda: _states(running, "delivered", 70 + sent))
            assert len(one.messages) == before + 20
            watching.cancel()
        came = _came(one, two)
        assert len(came) == 70 + sent
        assert set(came.values()) == {1}
        lowest = seen.index(min(seen))
        assert len(seen[:lowest]) >= 4, "it falls in steps"
        assert len(seen[lowest:]) >= 8, "and drifts back"


async def test_what_waits_for_a_sick_carrier_moves_on(tmp_path: Path) -> None:
    async with smsc() as one, smsc() as two:
        carriers = carrier("a", one.port) + carrier("b", two.port)
        carriers += '[[routes]]\ncarriers = ["a", "b"]'
        config = write_config(tmp_path, carriers=carriers, more=HEALTH)
        async with a_bridge(config) as running:
            await until(lambda: _up(running, "a", "b"))
            one.behave.status = 0x58  # it wants to be left alone, longer each time
            await _send(running, 1_000_000, 60)
            await until(lambda: _states(running, "delivered", 60))
            assert running.bridge.health.weight("a") < 1
        assert not one.messages
        assert sorted(_came(two).values()) == [1] * 60


async def _up(running: Running, *names: str) -> bool:
    return all(running.bridge.health.binds.get(name) for name in names)


async def test_a_route_is_explained_with_why_and_what_answers(tmp_path: Path) -> None:
    carriers = carrier("a", more='senders = ["ACME"]') + carrier("b") + carrier("c")
    carriers += '[[routes]]\ncountry = "CZ"\norder = "price"\ncarriers = ["a", "b", "c"]'
    config = write_config(tmp_path, carriers=carriers, tenant=f"originators = {POOL[:2]}")
    async with a_bridge(config, works=False) as running:
        bridge = running.bridge
        rows = (Row("cost", "c", "+420", "CZK", 700_000),)
        await bridge.store.write(put_prices, Import(rows, 1.0, "1"))
        await bridge.refresh()
        bridge.health.weights = {"c": Weighed("c", 0.25, 0.9, "accepts and does not report", 1.0)}
        leg = Leg(bridge.register.tenants[1], ANNA, "CZ", Class.TRANSACTIONAL)
        told = roads.explained(bridge, leg, roads.Own("anna"))
        assert (told["route"], told["order"]) == ("match +; country CZ", "price")
        assert (told["carrier"], told["replies"]) == ("a", "yes")
        found = [(row["carrier"], row["share"], row["price"]) for row in told["carriers"]]
        assert found == [("c", 0.25, "0.70 CZK"), ("a", 0.75, None), ("b", 0.0, None)]
        assert told["carriers"][0]["reason"] == "accepts and does not report"
        assert told["carriers"][0]["pool"] == POOL[:2]
        told = roads.explained(bridge, leg._replace(wanted="Others"), roads.Own("anna"))
        refused = {row["carrier"]: row["why_not"] for row in told["carriers"] if row["why_not"]}
        assert refused == {"a": "Others is not registered with a, which CZ asks for"}
        assert told["replies"] == "no"
        words = "\n".join(roads.in_words(told))
        assert "a is not taken (Others is not registered" in words


async def test_an_explained_route_shows_the_number_that_a_person_has(tmp_path: Path) -> None:
    """Of a pool, what they would get; once they were written to, what they know."""
    carriers = carrier("a", more=f"originators = {POOL}") + '[[routes]]\ncarriers = ["a"]'
    async with a_bridge(write_config(tmp_path, carriers=carriers), works=False) as running:
        office = Office(running.bridge, running.parts.reception, "eva")

        async def asked(to: str) -> dict[str, Any]:
            return [dict(item) async for item in REGISTRY["explain route"](office, number=to)].pop()

        for number in range(8):
            to = f"+4206011234{number:02d}"
            told = await asked(to)
            await submit(running.bridge, a_submission(to))
            rows = await running.rows(Statement(select(message.c.originator, message.c.id)))
            assert told["originator"] == max(rows, key=lambda row: row[1])[0]
            assert "would get it" in "\n".join(roads.in_words(told))
        # What they know stays theirs, whatever anybody new would get.
        mine = told["originator"]
        other = next(each for each in POOL if each != mine)
        await submit(running.bridge, a_submission(to, originator=other))
        told = await asked(to)
        await submit(running.bridge, a_submission(to))
        rows = await running.rows(Statement(select(message.c.originator, message.c.id)))
        assert told["originator"] == max(rows, key=lambda row: row[1])[0] == other
        assert told["carriers"][0]["conversation"] is True
        words = "\n".join(roads.in_words(told))
        assert f"sender: {other} (long, of 3: this person knows it); answers: yes" in words
