"""kill -9 of anything at any moment: what was accepted arrives, and twice only what was in doubt."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bridges import write_config
from tests.e2e.processes import BridgeProcess, House, a_house, until
from tests.e2e.senders import Load
from tests.e2e.verdicts import RATE, SLOWER, WINDOW, judged
from tests.smsc import Smsc, smsc


class Chaos:
    """A bridge under load whose parts are killed; each kill waits until it works again."""

    def __init__(self, house: House, centre: Smsc, seed: int) -> None:
        self.house = house
        self.centre = centre
        self.luck = random.Random(seed)
        self.kills = 0
        self.up: BridgeProcess

    async def start(self) -> None:
        self.up = await self.house.start()

    async def again(self) -> None:
        """Wait for the next message at the SMSC after a kill; say how long that took."""
        self.kills += 1
        began, before = time.monotonic(), len(self.centre.messages)
        if self.up.popen.poll() is not None:
            await self.start()
        await until(lambda: len(self.centre.messages) > before, "work after a kill")
        print(f"working again after {time.monotonic() - began:.2f} s")  # noqa: T201

    async def pause(self, longest: float = 0.5) -> None:
        """A random moment of the load."""
        await asyncio.sleep(self.luck.uniform(0.05, longest))

    async def kill(self, what: str) -> None:
        await self.pause()
        if what == "bridge":
            self.up.kill()
        elif what == "tree":
            self.up.kill_tree()
        elif (valkey := self.up.valkey) is not None:
            os.kill(valkey, signal.SIGKILL)
        await self.again()


@pytest.mark.parametrize(
    ("kills", "seed"),
    [
        (["queue", "queue"], 2),
        (["bridge", "tree", "queue", "bridge"], 4),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
async def test_up_loses_nothing(tmp_path: Path, kills: list[str], seed: int) -> None:
    async with smsc() as centre:
        centre.behave.rate = SLOWER
        config = write_config(tmp_path, port=centre.port, window=WINDOW)
        async with a_house(tmp_path, config) as house:
            chaos = Chaos(house, centre, seed)
            await chaos.start()
            load = Load(lambda: chaos.up.smtp, rate=SLOWER, run="u")
            sending = asyncio.create_task(load())
            await until(lambda: len(centre.messages) > 20, "the first messages")
            for what in kills:
                await chaos.kill(what)
            load.enough()
            await sending
            await judged(house, centre, load, len(kills))


async def test_long_texts_to_a_fast_smsc(tmp_path: Path) -> None:
    """Three parts a text and a window of 50: a kill doubles parts in doubt, not whole messages."""
    async with smsc() as centre:
        centre.behave.latency = 0.02
        config = write_config(tmp_path, port=centre.port, window=50)
        async with a_house(tmp_path, config) as house:
            chaos = Chaos(house, centre, 6)
            await chaos.start()
            words = "The pump in cellar 7 runs dry. " * 14
            load = Load(lambda: chaos.up.smtp, rate=500, run="l", words=words)
            sending = asyncio.create_task(load())
            for what in ("bridge", "tree"):
                await until(lambda: len(centre.messages) > 20, "the first messages")
                await chaos.kill(what)
            load.enough()
            await sending
            await judged(house, centre, load, 2, window=50)
            assert {len(m.ids) for m in centre.messages} == {3}


async def test_killed_while_it_starts_again_and_again(tmp_path: Path) -> None:
    """A bridge that is killed before it is ready loses nothing of what the last one left."""
    luck = random.Random(5)
    async with smsc() as centre:
        centre.behave.rate = SLOWER
        config = write_config(tmp_path, port=centre.port, window=WINDOW)
        async with a_house(tmp_path, config) as house:
            first = await house.start()
            load = Load(lambda: first.smtp, count=300, rate=2000, run="s")
            await load()
            first.kill_tree()
            for _ in range(4):
                following = house.launch()
                await asyncio.sleep(luck.uniform(0.2, 1.5))
                following.kill_tree()
            await house.start()
            await judged(house, centre, load, 5)


async def test_two_kills_in_a_row_mark_a_part_each_time_and_end(tmp_path: Path) -> None:
    """An SMSC that takes and never answers: every kill leaves doubt, three resends are the most."""
    async with smsc() as centre:
        centre.behave.silent = True
        config = write_config(tmp_path, port=centre.port, window=WINDOW)
        async with a_house(tmp_path, config) as house:
            up = await house.start()
            load = Load(lambda: up.smtp, count=1, rate=10, run="d")
            await load()
            for turn in range(1, 5):
                await until(lambda: len(centre.submits) >= turn, "the next try")  # noqa: B023
                up.kill()
                up = await house.start()
            row = await until(lambda: unknown(house), "the end of trying")
            assert (row["resent"], row["attempts"]) == (3, 4)
            assert len(centre.submits) == 4


async def unknown(house: House) -> dict[str, object] | None:
    (row,) = await house.log()
    return row if row["state"] == "unknown" else None


async def test_a_stopped_queue_delays_and_refuses_nothing(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Nobody listens where the queue should be: mail is accepted, and leaves all the same."""
    async with smsc() as centre:
        queue = f"redis://127.0.0.1:{free_port()}/0"
        config = write_config(tmp_path, port=centre.port, queue=queue)
        async with a_house(tmp_path, config) as house:
            up = await house.start()
            load = Load(lambda: up.smtp, count=100, rate=RATE, run="q")
            await load()
            assert load.refusals == []
            await judged(house, centre, load, 0)
