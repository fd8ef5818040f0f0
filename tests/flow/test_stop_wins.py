"""After a STOP's acknowledgement nothing more leaves for that person, whoever is sending."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bridge.dispatch.submit import submit
from bridge.model import Origin, Submission
from tests.bridges import OURS, Running, a_bridge, until, write_config
from tests.smsc import Smsc, smsc

PEOPLE = [f"+4206011235{n:02d}" for n in range(12)]
EACH = 25


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


async def test_one_process(tmp_path: Path) -> None:
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
async def test_another_process_sends_too(tmp_path: Path, postgres_url: str, latency: float) -> None:
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
