"""Guesses at the privacy portal come in; what they taught and whom they bothered goes out.

    python bench/portal.py 10000

A third asks for codes for a number that was written to, a third for ones that were not, a third
tries codes. Prints JSON: the different answers, how long they took for either kind of number, how
many SMS the known phone got, and how often somebody got in.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import aiohttp

from bridge.settings import Listen
from bridge.web.server import WebServer, make_app
from tests.bridges import ANNA, a_bridge, write_config

AT_ONCE = 16


class Guesser:
    """Asks, and remembers what came back."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base
        self.answers: dict[str, set[tuple[int, str]]] = {}
        self.times: dict[str, list[float]] = {}

    async def guess(self, number: int) -> None:
        """One of three kinds, from an address of its own."""
        kind = ("known", "unknown", "codes")[number % 3]
        phone = ANNA if kind == "known" else f"+4206012{number:05}"
        path, form = "code", {"number": phone}
        if kind == "codes":
            path, form = "enter", {"number": ANNA, "code": f"{number:06}"}
        headers = {"X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
        began = time.perf_counter()
        async with self._session.post(
            f"{self._base}/privacy/{path}", data=form, headers=headers, allow_redirects=False
        ) as answer:
            page = await answer.text()
        self.times.setdefault(kind, []).append(1000 * (time.perf_counter() - began))
        shown = re.sub(r"\+\d{6,}", "", page)
        self.answers.setdefault(kind, set()).add((answer.status, shown))


async def measured(folder: Path, guesses: int) -> dict[str, object]:
    """Write to one number, and let them guess."""
    async with a_bridge(write_config(folder)) as running:
        parts = running.parts
        app = make_app(running.bridge, parts.reception, parts.notifier.mailbox, dict, "")
        server = WebServer(app)
        await server.start(Listen("127.0.0.1", 0))
        await running.mail(f"{ANNA}@sms.example")
        async with aiohttp.ClientSession() as session:
            base = f"http://{server.addresses[0]}"
            guesser = Guesser(session, base)
            numbers = iter(range(guesses))

            async def guess_on() -> None:
                for number in numbers:
                    await guesser.guess(number)

            await asyncio.gather(*(guess_on() for _ in range(AT_ONCE)))
            async with session.get(f"{base}/sandbox/api/messages") as answer:
                got = await answer.json()
        await server.stop()
    asked = guesser.answers["known"] | guesser.answers["unknown"]
    return {
        "guesses": guesses,
        "answers_to_askers": len(asked),
        "answers_to_codes": len(guesser.answers["codes"]),
        "got_in": sum(status == 303 for status, _ in guesser.answers["codes"]),
        "sms_to_the_known_number": len(got) - 1,
        "sms_to_others": sum(sms["to"] != ANNA for sms in got),
        "median_ms": {k: round(statistics.median(v), 2) for k, v in guesser.times.items()},
        "p95_ms": {
            k: round(statistics.quantiles(v, n=20)[-1], 2) for k, v in guesser.times.items()
        },
    }


def main() -> None:
    """Measure, and print JSON."""
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measured(Path(folder), int(sys.argv[1]))), indent=2))


if __name__ == "__main__":
    main()
