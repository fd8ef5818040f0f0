"""After a STOP's acknowledgement nothing more leaves for that person, whoever is sending."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from bridge.dispatch.stopping import stop, wish
from bridge.dispatch.submit import submit
from bridge.model import Origin, Submission
from bridge.store.sql import Do, Script, Statement
from bridge.store.suppressions import Suppress
from bridge.store.tables import suppression
from tests.bridges import OURS, Running, a_bridge, until, write_config
from tests.smsc import Smsc, smsc

PEOPLE = [f"+4206011235{n:02d}" for n in range(12)]
EACH = 25
SPARE = """
[[carriers]]
name = "spare"
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "acme"
password = "secret"
"""


async def fill(bridge: Running) -> None:
    """Queue messages to everybody, mixed."""
    tenant = bridge.bridge.register.named("acme")
    assert tenant is not None
    await asyncio.gather(
        *(
            submit(
                bridge.bridge,
                Submission(tenant.id, Origin("cli", "test"), person, "CZ", f"Message {n}"),
            )
            for n in range(EACH)
            for person in PEOPLE
        )
    )


async def stop_and_count(centre: Smsc, person: str, everywhere: list[Smsc]) -> int:
    """Send a STOP; how many messages had left for the person when it was acknowledged."""
    answered = len(centre.delivered)
    centre.mo(source=person[1:], destination=OURS[1:], text="STOP")
    await centre.until(lambda _: len(centre.delivered) > answered)
    return count(everywhere, person)


def count(everywhere: list[Smsc], person: str) -> int:
    """Messages that left for a person, the confirmation aside."""
    return sum(
        s.destination == person[1:] and s.text.startswith("Message")
        for centre in everywhere
        for s in centre.submits
    )


async def quiet(bridge: Running) -> None:
    """Wait until everything that may leave has left."""

    async def done() -> bool:
        states = await bridge.states()
        return not {"queued", "sending"} & set(states)

    await until(done, 60)


async def test_p42_one_process(tmp_path: Path) -> None:
    async with smsc() as centre:
        centre.behave.rate, centre.behave.dlr = 400, "none"
        async with a_bridge(write_config(tmp_path, port=centre.port, window=20)) as bridge:
            await centre.until(lambda _: bool(centre.binds))
            await fill(bridge)
            await centre.until(lambda _: len(centre.submits) > 40)
            counts = {p: await stop_and_count(centre, p, [centre]) for p in PEOPLE[:6]}
            await quiet(bridge)
            assert {p: count([centre], p) for p in counts} == counts
            assert all(count([centre], p) == EACH for p in PEOPLE[6:])
            assert any(n < EACH for n in counts.values())


@pytest.mark.parametrize("latency", [0.0, 0.03])
async def test_p42_another_process_sends_too(
    tmp_path: Path, postgres_url: str, latency: float
) -> None:
    """The STOP comes in over one worker's bind while another worker sends over its own."""
    async with smsc() as first, smsc() as second, AsyncExitStack() as stack:
        running = []
        (tmp_path / "pepper").write_text("5e" * 32)
        pepper = f'[privacy]\npepper_file = "{tmp_path / "pepper"}"'
        for name, own in (("a", first), ("b", second)):
            own.behave.rate, own.behave.latency, own.behave.dlr = 200, latency, "none"
            folder = tmp_path / name
            folder.mkdir()
            carriers = f"""
[[carriers]]
name = "{name}"
kind = "smpp"
host = "127.0.0.1"
port = {own.port}
system_id = "acme"
password = "secret"
window = 10
originator = "{OURS}"
[[routes]]
match = "+"
carriers = ["{name}"]
"""
            config = write_config(folder, database=postgres_url, carriers=carriers, more=pepper)
            running.append(await stack.enter_async_context(a_bridge(config)))
        await first.until(lambda _: bool(first.binds))
        await second.until(lambda _: bool(second.binds))
        await asyncio.gather(*(fill(bridge) for bridge in running))
        both = [first, second]
        await second.until(lambda _: len(second.submits) > 20)
        counts = {p: await stop_and_count(first, p, both) for p in PEOPLE[:4]}
        await quiet(running[0])
        assert {p: count(both, p) for p in counts} == counts
        assert all(count(both, p) == 2 * EACH for p in PEOPLE[4:])


async def test_p42_between_enqueue_and_send_nothing_leaves(tmp_path: Path) -> None:
    """What stands in the database when a STOP comes is found by the claim, in any process."""
    async with smsc() as centre:
        config = write_config(tmp_path, port=centre.port)
        person, other = PEOPLE[:2]
        async with a_bridge(config, works=False) as bridge:
            tenant = bridge.bridge.register.named("acme")
            assert tenant is not None
            for to in (person, other):
                item = Submission(tenant.id, Origin("cli", "test"), to, "CZ", "Message 1")
                await submit(bridge.bridge, item)
            keys, now = bridge.bridge.keys, bridge.bridge.clock()
            held = wish(keys, tenant.id, person, scope="tenant", source="handset", now=now)
            await bridge.bridge.store.write(_listed_only, held)
        async with a_bridge(config) as bridge:
            await quiet(bridge)
            assert sorted(await bridge.states()) == ["delivered", "suppressed"] or (
                sorted(await bridge.states()) == ["sent", "suppressed"]
            )
        assert [s.destination for s in centre.submits] == [other[1:]]


def _listed_only(items: Sequence[Suppress]) -> Script:
    """The list's row alone, without the cancelling: only the claim can stop the message now."""
    row = suppression.insert().values(
        scope="tenant",
        tenant_id=items[0].tenant_id,
        token=items[0].token,
        source="handset",
        created_at=items[0].now,
    )
    yield Do(Statement(row), {})
    return [None] * len(items)


async def test_p36_a_marketing_opt_out_holds_back_what_is_claimed_of_marketing_alone(
    tmp_path: Path,
) -> None:
    async with smsc() as centre:
        centre.behave.rate = 20
        config = write_config(tmp_path, port=centre.port, window=2)
        async with a_bridge(config) as bridge:
            await centre.until(lambda _: bool(centre.binds))
            await fill(bridge)
            person = PEOPLE[0]
            tenant = bridge.bridge.register.named("acme")
            assert tenant is not None
            keys, now = bridge.bridge.keys, bridge.bridge.clock()
            facts = {"scope": "tenant", "source": "handset", "now": now, "purpose": "marketing"}
            bound = await stop(bridge.bridge, wish(keys, tenant.id, person, **facts))
            assert (len(bound), bound.cancelled) == (1, 0)
            centre.behave.rate = 0
            await quiet(bridge)
        assert count([centre], person) == EACH


async def test_p43_a_carriers_refusal_for_an_opt_out_is_final_and_becomes_ours(
    tmp_path: Path,
) -> None:
    async with smsc() as first, smsc() as second:
        first.behave.status = 0x0451
        config = write_config(
            tmp_path,
            port=first.port,
            route='["smsc", "spare"]',
            carrier=f"""
optout_errors = [0x0451]
{SPARE.format(port=second.port)}""",
        )
        async with a_bridge(config) as bridge:
            tenant = bridge.bridge.register.named("acme")
            assert tenant is not None
            item = Submission(tenant.id, Origin("cli", "test"), PEOPLE[0], "CZ", "Message 1")
            await submit(bridge.bridge, item)

            async def listed() -> bool:
                wanted = select(suppression.c.scope, suppression.c.source)
                found = await bridge.rows(Statement(wanted))
                return [tuple(row) for row in found] == [("tenant", "carrier")]

            await until(listed, 60)
            await quiet(bridge)
            assert await bridge.states() == ["suppressed"]
            first.behave.status = 0
            await submit(bridge.bridge, item)
            assert await bridge.states() == ["suppressed", "suppressed"]
        assert second.submits == []
