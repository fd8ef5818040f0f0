"""`serve`, `work` and `tick` apart, on PostgreSQL with Redis or RabbitMQ: kill each of them."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bridges import write_config
from tests.e2e.brokers import RabbitMQ, Redis
from tests.e2e.processes import BridgeProcess, House, a_house, get, phones, post, until
from tests.e2e.senders import Load
from tests.e2e.verdicts import RATE, SLOWER, WINDOW, judged
from tests.smsc import Smsc, smsc

Program = Callable[[str], Path]
FreePort = Callable[[], int]


class Cluster:
    """The parts of one bridge as processes of their own, and what they stand on."""

    def __init__(self, house: House, centre: Smsc) -> None:
        self.house = house
        self.centre = centre
        self.parts: dict[str, BridgeProcess] = {}

    async def start(self, *names: str) -> None:
        """Start parts; a name may carry a number, as in `work-2`."""
        for name in names:
            self.parts[name] = self.house.launch(name.partition("-")[0])
        for name in names:
            await self.parts[name].ready()

    def port(self) -> int:
        return self.parts["serve"].smtp

    async def kill(self, name: str, *, again: bool = True) -> None:
        """SIGKILL for one part; wait until messages flow again."""
        before = len(self.centre.messages)
        self.parts[name].kill()
        if again:
            await self.start(name)
        began = time.monotonic()
        await until(lambda: len(self.centre.messages) > before + WINDOW, "work after a kill")
        print(f"{name}: works again after {time.monotonic() - began:.2f} s")  # noqa: T201


@asynccontextmanager
async def a_cluster(
    folder: Path, postgres: str, queue: str, **config: Any
) -> AsyncIterator[Cluster]:
    async with smsc() as centre:
        centre.behave.rate = SLOWER
        path = write_config(
            folder, port=centre.port, window=WINDOW, database=postgres, queue=queue, **config
        )
        async with a_house(folder, path) as house:
            yield Cluster(house, centre)


@pytest.mark.postgres
@pytest.mark.redis
async def test_each_part_killed(
    tmp_path: Path, postgres_url: str, program: Program, free_port: FreePort
) -> None:
    luck = random.Random(11)
    async with a_house(tmp_path, None) as cellar:
        redis = Redis(cellar, program, free_port)
        await redis.start()
        async with a_cluster(tmp_path, postgres_url, redis.url) as cluster:
            await cluster.start("serve", "work", "tick")
            load = Load(cluster.port, rate=SLOWER, run="p")
            sending = asyncio.create_task(load())
            await until(lambda: len(cluster.centre.messages) > 20, "the first messages")
            for what in ("work", "serve", "redis", "tick", "work"):
                await asyncio.sleep(luck.uniform(0.05, 0.3))
                if what == "redis":
                    redis.kill()
                    await redis.start()
                else:
                    await cluster.kill(what)
            for part in cluster.parts.values():
                part.signal()
            for part in cluster.parts.values():
                await part.ended()
            await cluster.start("serve", "work", "tick")
            load.enough()
            await sending
            await judged(cluster.house, cluster.centre, load, 3)


@pytest.mark.postgres
@pytest.mark.rabbitmq
async def test_a_killed_rabbitmq_delays_and_refuses_nothing(
    tmp_path: Path, postgres_url: str, program: Program, free_port: FreePort
) -> None:
    async with a_house(tmp_path, None) as cellar:
        rabbit = RabbitMQ(cellar, program, free_port)
        starting = asyncio.create_task(rabbit.start())
        async with a_cluster(tmp_path, postgres_url, rabbit.url) as cluster:
            await starting
            await cluster.start("serve", "work", "tick")
            first = Load(cluster.port, count=300, rate=RATE, run="r")
            sending = asyncio.create_task(first())
            await until(lambda: len(cluster.centre.messages) > 20, "the first messages")
            await cluster.kill("work")
            rabbit.kill()
            await sending
            await judged(cluster.house, cluster.centre, first, 1)
            # Nobody hears a bell now: the worker looks by itself.
            began = time.monotonic()
            second = Load(cluster.port, count=50, rate=RATE, run="b")
            await second()
            await until(lambda: len(cluster.centre.messages) >= 350, "messages without a bell")
            print(f"50 messages without a broker in {time.monotonic() - began:.2f} s")  # noqa: T201
            assert first.refusals == second.refusals == []
            await rabbit.start()
            await until(lambda: ready(cluster), "the broker's return")


async def ready(cluster: Cluster) -> bool:
    found = await get(cluster.parts["serve"].http, "/readyz")
    return bool(found and found["broker"])


async def bound(cluster: Cluster) -> bool:
    found = await get(cluster.parts["serve"].http, "/readyz")
    return bool(found and found["binds"] and all(found["binds"].values()))


@pytest.mark.postgres
@pytest.mark.redis
async def test_another_worker_takes_the_bind_over(
    tmp_path: Path, postgres_url: str, program: Program, free_port: FreePort
) -> None:
    async with a_house(tmp_path, None) as cellar:
        redis = Redis(cellar, program, free_port)
        await redis.start()
        async with a_cluster(tmp_path, postgres_url, redis.url) as cluster:
            await cluster.start("work-1")
            await until(lambda: len(cluster.centre.binds) == 1, "the first bind")
            await cluster.start("serve", "tick", "work-2")
            await until(lambda: bound(cluster), "the edge's word of the worker's bind")
            load = Load(cluster.port, count=600, rate=RATE, run="o")
            sending = asyncio.create_task(load())
            await until(lambda: len(cluster.centre.messages) > 100, "the first messages")
            assert len(cluster.centre.binds) == 1, "two workers bound at once"
            await cluster.kill("work-1", again=False)
            await sending
            await judged(cluster.house, cluster.centre, load, 1)
            # And back, in good order: the second ends, a third is there at once.
            await cluster.start("work-3")
            cluster.parts["work-2"].signal(15)
            assert await cluster.parts["work-2"].ended() == 0
            more = Load(cluster.port, count=20, rate=RATE, run="m")
            await more()
            await until(lambda: len(cluster.centre.messages) >= 620, "the third worker's messages")


@pytest.mark.postgres
@pytest.mark.redis
async def test_cut_database_connections_delay(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """PostgreSQL ends all connections (a restart does): mail waits, processes stay, nothing is lost."""
    import asyncpg

    async with a_cluster(tmp_path, postgres_url, redis_url) as cluster:
        await cluster.start("serve", "work", "tick")
        load = Load(cluster.port, count=600, rate=RATE, run="c")
        sending = asyncio.create_task(load())
        admin = await asyncpg.connect(postgres_url)
        for turn in range(1, 4):
            await until(lambda: len(cluster.centre.messages) > turn * 60, "messages")  # noqa: B023
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await admin.close()
        await sending
        await judged(cluster.house, cluster.centre, load, 3)
        assert [p.popen.poll() for p in cluster.parts.values()] == [None] * 3


@pytest.mark.postgres
@pytest.mark.redis
async def test_the_sandbox_phone_answers_across_processes(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    config = write_config(tmp_path, database=postgres_url, queue=redis_url)
    async with a_house(tmp_path, config) as house:
        serve = await house.start("serve")
        await house.start("work")
        await house.start("tick")
        load = Load(lambda: serve.smtp, count=1, rate=10, run="x")
        await load()
        (shown,) = await phones(serve.http, 1)
        assert re.match(r"id=x0; Boiler is cold", shown["text"])
        await post(
            serve.http,
            "/sandbox/api/messages",
            {"from": shown["to"], "to": shown["from"], "text": "on my way"},
        )

        async def answer() -> Any:
            return await get(serve.http, "/sandbox/api/mails")

        (mail,) = await until(answer, "the answer")
        assert mail["text"].startswith("on my way")


@pytest.mark.postgres
async def test_workers_and_the_clock_are_watched_where_it_is_said(
    tmp_path: Path, postgres_url: str, free_port: FreePort
) -> None:
    async with a_cluster(tmp_path, postgres_url, "redis://127.0.0.1:1/0") as cluster:
        for part in ("work", "tick"):
            port = free_port()
            env = {"BRIDGE__HTTP__WATCH": f"127.0.0.1:{port}"}
            process = await cluster.house.start(part, env=env)
            await until(lambda port=port: bound_at(port), "the bind")
            taken = cluster.house.launch("tick", env=env)
            assert await taken.ended() != 0
            assert f"127.0.0.1:{port} is taken" in taken.err
            assert "set [http] watch" in taken.err
            assert process.popen.poll() is None


async def bound_at(port: int) -> bool:
    found = await get(port, "/readyz")
    return bool(found and found["binds"].get("smsc"))
