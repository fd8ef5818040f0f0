"""10,000 messages to 100 people leave by three workers, and half of the people say STOP.

    python bench/stop.py 10000 100          needs PostgreSQL: TEST_POSTGRES_URL, else the local one

Three `bridge up` share a PostgreSQL, each with an SMSC of its own that takes 60 messages a second
until the last STOP. A STOP comes in over one of them while all three send to that person. Counted
at the SMSCs: what left for somebody after their STOP had its deliver_sm_resp. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import services

from tests.bridges import OURS, write_config
from tests.e2e.processes import BridgeProcess, a_house
from tests.e2e.senders import Connection
from tests.smsc import Smsc, smsc

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
WORKERS, RATE, AT_ONCE = 3, 60, 8
CARRIER = """
[[carriers]]
name = "{name}"
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "acme"
password = "secret"
window = 20
originator = "{ours}"
[[routes]]
match = "+"
carriers = ["{name}"]
"""


class Race:
    """The SMSCs, and what left for whom."""

    def __init__(self, centres: list[Smsc]) -> None:
        self.centres = centres
        self.at_stop: dict[str, int] = {}
        self.seconds: list[float] = []

    def counts(self) -> Counter[str]:
        """Messages that left, by number; confirmations aside."""
        return Counter(
            s.destination for c in self.centres for s in c.submits if s.text.startswith("Message")
        )

    async def stop(self, centre: Smsc, people: list[str]) -> None:
        """One STOP after the other over a bind; how much had left when each was acknowledged."""
        for person in people:
            answered, began = len(centre.delivered), time.perf_counter()
            centre.mo(source=person[1:], destination=OURS[1:], text="STOP")
            await centre.until(lambda _, so_far=answered: len(centre.delivered) > so_far)
            self.at_stop[person] = self.counts()[person[1:]]
            self.seconds.append(time.perf_counter() - began)


async def send(port: int, people: list[str], each: int, name: str) -> None:
    """Mails to everybody, mixed, over some connections."""
    waiting = [(person, number) for number in range(each) for person in people]

    async def one() -> None:
        connection = await Connection.open(port)
        while waiting:
            person, number = waiting.pop()
            await connection.mail([f"{person}@sms.example"], _mail(name, number))
        await connection.close()

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))


def _mail(name: str, number: int) -> bytes:
    own = f"{name}.{number}.{random.random()}@acme.example"
    head = f"From: eva@acme.example\r\nMessage-ID: <{own}>\r\n"
    return f"{head}\r\nMessage {name} {number}\r\n".encode()


async def measured(folder: Path, url: str, messages: int, many: int) -> dict[str, object]:
    """Fill, send, stop, count."""
    people = [f"+42060112{number:04}" for number in range(many)]
    for name in ("pepper", "master_key"):
        (folder / name).write_text(random.randbytes(32).hex())
    async with AsyncExitStack() as stack:
        centres, bridges = [], []
        for name in "abc"[:WORKERS]:
            centre = await stack.enter_async_context(smsc())
            centre.behave.rate, centre.behave.dlr = RATE, "none"
            home = folder / name
            home.mkdir()
            config = write_config(
                home,
                database=url,
                carriers=CARRIER.format(name=name, port=centre.port, ours=OURS),
                more=f'[privacy]\npepper_file = "{folder / "pepper"}"\n'
                f'master_key_file = "{folder / "master_key"}"',
            )
            house = await stack.enter_async_context(a_house(home, config))
            bridges.append(await house.start())
            centres.append(centre)
        race = Race(centres)
        each = messages // many // WORKERS
        await asyncio.gather(
            *(send(b.smtp, people, each, n) for n, b in zip("abc", bridges, strict=True))
        )
        queued = each * many * WORKERS - sum(race.counts().values())
        chosen = people[: many // 2]
        random.shuffle(chosen)
        await asyncio.gather(
            *(race.stop(c, chosen[at::WORKERS]) for at, c in enumerate(centres)),
        )
        for centre in centres:
            centre.behave.rate = 0
        await _quiet(race, bridges, many, each)
        after = race.counts()
    late = {person: after[person[1:]] - left for person, left in race.at_stop.items()}
    return {
        "messages": each * many * WORKERS,
        "people": many,
        "queued_at_the_first_stop": queued,
        "stops": len(race.at_stop),
        "left_before_their_stop": sum(race.at_stop.values()),
        "left_after_their_stop": sum(late.values()),
        "others_complete": all(after[p[1:]] == each * WORKERS for p in people[many // 2 :]),
        "stop_acknowledged_ms": {
            "median": round(1000 * sorted(race.seconds)[len(race.seconds) // 2], 1),
            "longest": round(1000 * max(race.seconds), 1),
        },
    }


async def _quiet(race: Race, bridges: list[BridgeProcess], many: int, each: int) -> None:
    """Until the others have all of theirs, and nothing has moved for two seconds."""
    want = (many - many // 2) * each * WORKERS
    before, since = -1, time.monotonic()
    while time.monotonic() - since < 2 or before < want:
        now = sum(race.counts().values())
        if now != before:
            before, since = now, time.monotonic()
        elif time.monotonic() - since > 60:
            sys.exit(f"{before} of at least {want} messages came, then no more")
        await asyncio.sleep(0.1)
    assert all(bridge.popen.poll() is None for bridge in bridges)


def main() -> None:
    """Measure, and print JSON."""
    messages, many = (int(word) for word in (sys.argv[1:] or ["10000", "100"]))
    with services.database(POSTGRES) as (url, _), tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measured(Path(folder), url, messages, many)), indent=2))


main()
