"""People in; out comes when each was answered: colleagues in Slack, and others on their phones.

`commands` are signed requests to /slack/events, `/sms NUMBER TEXT` to a number of its own each;
`phones` are SMS typed in the sandbox, by `--people` people in turns. Each is sent at its time
whatever the bridge does (an open loop). Prints one JSON object; `--out` gets a line each: id, when
it was due, when its answer came, in nanoseconds of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from smtp import percentile

SECRET = "a-signing-secret"
TEAM, CHANNELS, OWN = "T01BENCH", ("C01BENCH", "C02BENCH", "C03BENCH"), "D01BENCH"
LENGTH = 100  # characters of a text: one part
NUMBER = "+420601{:06d}"

Request = tuple[str, bytes, Mapping[str, str]]


def command(text: str, user: str, channel: str, trigger: str, respond: str) -> Request:
    """`/sms …` as Slack tells of it, signed."""
    body = urlencode(
        {
            "token": "unused",
            "team_id": TEAM,
            "channel_id": channel,
            "user_id": user,
            "command": "/sms",
            "text": text,
            "response_url": respond,
            "trigger_id": trigger,
        }
    ).encode()
    stamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }
    return "/slack/events", body, headers


def sms(source: str, text: str) -> Request:
    """An SMS typed on a phone of the sandbox."""
    body = json.dumps({"from": source, "text": text}).encode()
    return "/sandbox/api/messages", body, {"Content-Type": "application/json"}


class Crowd:
    """All of them."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.rows: list[tuple[str, int, int]] = []
        self.refused = 0

    def request(self, number: int) -> tuple[str, Request]:
        """What one of them does, and its id."""
        options = self.options
        if options.kind == "phones":
            turn, person = divmod(number, options.people)
            name = f"{options.run}-{person:03d}-{turn:03d}"
            return name, sms(NUMBER.format(person), _text(name))
        name = f"{options.run}-{number:06d}"
        text = f"{NUMBER.format(number)} {_text(name)}"
        user = f"U{number % options.users:02d}"
        channel = CHANNELS[number % len(CHANNELS)]
        respond = f"http://127.0.0.1:{options.slack}/respond"
        return name, command(text, user, channel, f"trigger-{name}", respond)

    async def run(self) -> None:
        loop, options = asyncio.get_running_loop(), self.options
        base = f"http://127.0.0.1:{options.port}"
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(base, connector=connector) as session:
            began, asked = loop.time(), []
            self.began = began
            for number in range(options.count):
                due = began + number * options.seconds / options.count
                await asyncio.sleep(max(0.0, due - loop.time()))
                asked.append(asyncio.create_task(self.ask(session, number, due)))
            await asyncio.gather(*asked)

    async def ask(self, session: aiohttp.ClientSession, number: int, due: float) -> None:
        name, (path, body, headers) = self.request(number)
        async with session.post(path, data=body, headers=headers) as answer:
            said = await answer.text()
        # A refusal of a command is a 200 with a text.
        if answer.status >= 300 or (self.options.kind == "commands" and said):
            self.refused += 1
            return
        self.rows.append((name, int(due * 1e9), time.monotonic_ns()))


def _text(name: str) -> str:
    return f"id={name}; ".ljust(LENGTH, "x")


async def main(options: argparse.Namespace) -> None:
    """Send, write the list, print the figures."""
    crowd = Crowd(options)
    await crowd.run()
    options.out.write_text("".join(f"{name}\t{due}\t{at}\n" for name, due, at in crowd.rows))
    waits = [(at - due) / 1e6 for _, due, at in crowd.rows]
    figures = {
        "accepted": len(crowd.rows),
        "refused": crowd.refused,
        "began": int(crowd.began * 1e9),
        "answer_ms_p50": percentile(waits, 0.5),
        "answer_ms_p99": percentile(waits, 0.99),
        "answer_ms_max": max(waits, default=float("nan")),
        "cpu_s": time.process_time(),
    }
    print(json.dumps(figures))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("commands", "phones"))
    parser.add_argument("--port", type=int, default=8080, help="of the bridge's [http]")
    parser.add_argument("--slack", type=int, default=7310, help="port of response addresses")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--people", type=int, default=100, help="who write from phones")
    parser.add_argument("--users", type=int, default=10, help="who write in Slack")
    parser.add_argument("--run", default="run", help="how the ids begin")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
