"""A worker that was frozen and taken for dead: what it had in hand does not leave behind its back."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from bridge.dispatch.stopping import stop, wish
from bridge.dispatch.submit import submit
from bridge.model import Origin, Submission
from tests.bridges import Running, a_bridge, write_config
from tests.e2e.processes import a_house, until
from tests.smsc import smsc

PERSON = "+420601123456"
MANY = 200


@pytest.mark.postgres
@pytest.mark.redis
async def test_what_a_frozen_worker_had_claimed_does_not_leave_after_a_stop(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """SIGSTOP, its lease ends, the person opts out, SIGCONT: nothing more leaves."""
    async with smsc() as centre:
        config = write_config(
            tmp_path,
            port=centre.port,
            window=100,
            database=postgres_url,
            queue=redis_url,
            carrier="tps = 50",
        )
        async with a_house(tmp_path, config) as house, a_bridge(config, works=False) as edge:
            work, _ = await house.start("work"), await house.start("tick")
            await until(lambda: centre.binds, "the bind")
            await asyncio.gather(*(one(edge, n) for n in range(MANY)))
            await until(lambda: len(centre.submits) > 20, "the first messages")
            work.signal(signal.SIGSTOP)
            await until(lambda: "ended processes released" in house.said(), "the lease's end")
            await opted_out(edge)
            before = len(centre.submits)
            work.signal(signal.SIGCONT)
            assert await work.ended() == 1
            await until(lambda: not centre.sessions, "the end of the bind")
            assert len(centre.submits) == before


async def one(edge: Running, number: int) -> None:
    """Queue a message."""
    tenant = edge.bridge.register.named("acme")
    assert tenant is not None
    origin = Origin("cli", "test")
    await submit(edge.bridge, Submission(tenant.id, origin, PERSON, "CZ", f"Message {number}"))


async def opted_out(edge: Running) -> None:
    """The person's wish is on disk, and acknowledged."""
    tenant = edge.bridge.register.named("acme")
    assert tenant is not None
    keys, now = edge.bridge.keys, edge.bridge.clock()
    await stop(
        edge.bridge, wish(keys, tenant.id, PERSON, scope="tenant", source="handset", now=now)
    )
