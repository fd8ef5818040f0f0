"""A stolen login sends 10,000 mails to 10,000 numbers of one range; how many leave?

    python bench/pumping.py 10000 16        numbers, connections
    python bench/pumping.py 10000 16 postgresql   two processes that share it (TEST_POSTGRES_URL)

The tenant sends to Norway too and has no `velocity` of its own: 30 numbers in 10 minutes. Counted
at the SMSC. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import aiosmtplib
import services
from argon2 import PasswordHasher

from tests.bridges import write_config
from tests.e2e.processes import BridgeProcess, a_house, mailbox
from tests.smsc import Smsc, smsc

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
TENANT = """countries = ["CZ", "NO"]
inbox = ["owner@acme.example"]
logins = [{{ user = "shop", password_hash = "{hashed}" }}]"""
OPERATOR = '[privacy]\ninbox = ["root@sms.example"]\n{keys}'


class Thief:
    """Connections that send to one number after the other, and what they hear."""

    def __init__(self, numbers: int) -> None:
        self.waiting = [f"+47406{n:05d}" for n in range(numbers)]
        self.heard: Counter[str] = Counter()
        self.taken: list[float] = []

    async def send(self, port: int) -> None:
        """One connection."""
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=120)
        await client.connect()
        await client.login("shop", "secret")
        while self.waiting:
            number = self.waiting.pop(0)
            await self._one(client, number)
        await client.quit()

    async def _one(self, client: aiosmtplib.SMTP, number: str) -> None:
        try:
            await client.sendmail("shop@acme.example", [f"{number}@sms.example"], _MAIL)
            self.heard["taken"] += 1
            self.taken.append(time.perf_counter())
        except aiosmtplib.SMTPRecipientsRefused:
            self.heard["refused at RCPT"] += 1
            await client.rset()
        except aiosmtplib.SMTPDataError:
            self.heard["refused after DATA"] += 1


_MAIL = "From: shop@acme.example\r\nSubject: x\r\n\r\nYour code is 123456\r\n"


async def measured(
    folder: Path, url: str, processes: int, numbers: int, many: int
) -> dict[str, object]:
    """Send, and count."""
    hashed = PasswordHasher(1, 8, 1).hash("secret")
    keys = ""
    if processes > 1:
        for name in ("pepper", "master_key"):
            (folder / name).write_text(os.urandom(32).hex())
        keys = f'pepper_file = "{folder / "pepper"}"\nmaster_key_file = "{folder / "master_key"}"\n'
    async with AsyncExitStack() as stack:
        centre = await stack.enter_async_context(smsc())
        centre.behave.dlr = "none"
        bridges: list[BridgeProcess] = []
        for at in range(processes):
            home = folder / str(at)
            home.mkdir()
            config = write_config(
                home,
                port=centre.port,
                database=url,
                tenant=TENANT.format(hashed=hashed),
                senders='{ address = "*", proof = "auth" }',
                more=OPERATOR.format(keys=keys),
            )
            house = await stack.enter_async_context(a_house(home, config))
            bridges.append(await house.start())
        thief = Thief(numbers)
        began = time.perf_counter()
        ports = [bridges[n % processes].smtp for n in range(many)]
        await asyncio.gather(*(thief.send(port) for port in ports))
        seconds = time.perf_counter() - began
        await _quiet(centre)
        # Of the owner and of the operator; each is told once.
        mails = await mailbox(bridges[0].http, 2)
        return {
            "numbers": numbers,
            "connections": many,
            "processes": processes,
            "database": url.partition(":")[0],
            "seconds": round(seconds, 2),
            "heard": dict(thief.heard),
            "left": len(centre.submits),
            "last_taken_after_seconds": round(max(thief.taken) - began, 3),
            "told": sorted(f"{mail['to']}: {mail['subject']}" for mail in mails),
        }


async def _quiet(centre: Smsc) -> None:
    """Until nothing has moved for two seconds."""
    before, since = -1, time.monotonic()
    while time.monotonic() - since < 2:
        if len(centre.submits) != before:
            before, since = len(centre.submits), time.monotonic()
        await asyncio.sleep(0.1)


def main() -> None:
    """Measure, and print JSON."""
    numbers, many = (int(word) for word in (sys.argv[1:3] or ["10000", "16"]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if sys.argv[3:] == ["postgresql"]:
            with services.database(POSTGRES) as (url, _):
                found = asyncio.run(measured(folder, url, 2, numbers, many))
        else:
            found = asyncio.run(measured(folder, "sqlite", 1, numbers, many))
    print(json.dumps(found, indent=2))


main()
