"""A Slack that costs little: Web API calls in, who posted and changed what and when out.

It asks a share of the calls to come again (`--refuse`, `--pause` seconds later), by luck with a
seed. Standard input takes `stats`, `reset` and `dump FILE`, a line each, answered with a line of
JSON; at its end the process ends. A dump has a line a post or edit that bears an id: id,
nanoseconds of CLOCK_MONOTONIC, the post, its thread, `post` or `edit`, 1 where it says delivered.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import re
import sys
import time
from collections import Counter
from pathlib import Path

from aiohttp import web

NAME = re.compile(r"id=([A-Za-z0-9-]+);")
TEAM, OWN = "T01BENCH", "D01BENCH"
POSTS = {"chat.postMessage": "post", "chat.update": "edit"}
#: Milliseconds after a refusal in which calls may arrive that had left before it.
ON_THE_WAY = 50.0

Row = tuple[str, int, str, str, str, int]


class Workspace:
    """What was called, and what stands in it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.luck = random.Random(options.seed)
        self.numbers = itertools.count(1)
        self.pauses: dict[str, tuple[float, float]] = {}
        self.reset()

    def reset(self) -> None:
        self.rows: list[Row] = []
        self.calls: Counter[str] = Counter()
        self.limited = self.impatient = 0
        self.seen: set[str] = set()
        self.delivered: set[str] = set()

    def stats(self) -> dict[str, object]:
        return {
            "unique": len(self.seen),
            "delivered": len(self.delivered),
            "calls": sum(self.calls.values()),
            "by_method": dict(self.calls),
            "limited": self.limited,
            "impatient": self.impatient,
            "cpu_s": time.process_time(),
        }

    async def call(self, request: web.Request) -> web.Response:
        """A method of the Web API."""
        method, body = request.match_info["method"], await request.text()
        self.calls[method] += 1
        now = time.monotonic()
        began, until = self.pauses.get(method, (0.0, 0.0))
        self.impatient += began + ON_THE_WAY / 1000 < now < until
        if self.luck.random() < self.options.refuse:
            self.limited += 1
            self.pauses[method] = now, now + self.options.pause
            headers = {"Retry-After": f"{self.options.pause:g}"}
            answer = {"ok": False, "error": "ratelimited"}
            return web.json_response(answer, status=429, headers=headers)
        answer = {"ok": True, "team_id": TEAM, "team": "Bench", "channel": {"id": OWN}}
        if kind := POSTS.get(method):
            answer["ts"] = self.written(kind, body)
        return web.json_response(answer)

    async def respond(self, request: web.Request) -> web.Response:
        """An answer at a payload's own address."""
        self.calls["response_url"] += 1
        self.written("whisper", await request.text())
        return web.Response(text="ok")

    def written(self, kind: str, body: str) -> str:
        """Write down a post or an edit; its id."""
        said = json.loads(body)
        post = said.get("ts") or f"1790000000.{next(self.numbers):06}"
        if found := NAME.search(body):
            name, is_delivered = found[1], "delivered" in body
            thread = said.get("thread_ts", "")
            self.rows.append((name, time.monotonic_ns(), post, thread, kind, int(is_delivered)))
            self.seen.add(name)
            if is_delivered:
                self.delivered.add(name)
        return str(post)

    def ask(self) -> None:
        """Answer a line of standard input."""
        line = sys.stdin.readline().split()
        if not line:
            os._exit(0)
        if line[0] == "reset":
            self.reset()
        if line[0] == "dump":
            rows = ("\t".join(map(str, row)) + "\n" for row in self.rows)
            Path(line[1]).write_text("".join(rows))
        print(json.dumps(self.stats()), flush=True)


async def main(options: argparse.Namespace) -> None:
    """Listen until standard input ends."""
    workspace = Workspace(options)
    app = web.Application()
    app.add_routes(
        [web.route("*", "/api/{method}", workspace.call), web.post("/respond", workspace.respond)]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port).start()
    asyncio.get_running_loop().add_reader(0, workspace.ask)
    print(json.dumps(workspace.stats()), flush=True)
    await asyncio.Event().wait()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=7310)
    parser.add_argument("--refuse", type=float, default=0.0, help="share of calls that get a 429")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds of a 429's Retry-After")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
