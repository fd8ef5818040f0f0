"""Slack and kill -9: what was acknowledged is one SMS each, and what is shown twice says so."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.bridges import ANNA, write_config
from tests.e2e.processes import BridgeProcess, House, a_house, get, phones, post, until
from tests.e2e.slackers import shown
from tests.slack_peer import BOT, OWN, SECRET, FakeSlack, serving, signed

RATE = 30  # commands a second
KILLS = 3
LATENCY = 0.2  # seconds between a post and its answer
AGAIN = 0.2  # seconds after which Slack tells anew what was not acknowledged
TWICE = "This may stand here twice"


@dataclass
class Post:
    """A post as it stands now."""

    thread: str
    text: str


class Workspace(FakeSlack):
    """A Slack that keeps what stands in it, and may hold back its answers to new posts."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: dict[str, Post] = {}  # in the order in which they came
        self.free = asyncio.Event()
        self.free.set()

    async def _method(self, request: web.Request) -> web.Response:
        answer = await super()._method(request)
        if request.match_info["method"] == "chat.postMessage":
            await asyncio.sleep(LATENCY)
            await self.free.wait()
        return answer

    def _answered(self, method: str, arguments: dict[str, Any]) -> web.Response:
        answer = super()._answered(method, arguments)
        if method == "chat.postMessage":
            ts = json.loads(answer.text or "")["ts"]
            self.posts[ts] = Post(arguments.get("thread_ts", ""), shown(arguments))
        elif method == "chat.update":
            self.posts[arguments["ts"]].text = shown(arguments)
        return answer

    def with_words(self, words: str) -> list[tuple[str, Post]]:
        """The posts that have these words in them, oldest first."""
        return [(ts, each) for ts, each in self.posts.items() if words in each.text]


class Desk:
    """A bridge that is killed, and the requests that Slack makes of it."""

    def __init__(self, house: House, slack: Workspace, port: int) -> None:
        self.house = house
        self.slack = slack
        self.url = f"http://127.0.0.1:{port}/slack/events"
        self.env = {"BRIDGE__HTTP__LISTEN": f"127.0.0.1:{port}"}
        self.acknowledged: list[str] = []
        self.again = 0
        self.up: BridgeProcess

    async def start(self) -> None:
        self.up = await self.house.start(env=self.env)

    async def kill(self) -> None:
        """SIGKILL, and a new start."""
        self.up.kill()
        await self.start()

    async def enrol(self) -> None:
        words = ("staff", "invite", "--role", "agent", "--name", "Eva", "--json")
        code, out, err = await self.house.call(*words)
        assert code == 0, out + err
        await self.say(f"enrol {json.loads(out)['code']}", channel_id=OWN)
        await until(lambda: self.slack.called("respond"), "the welcome")

    async def say(self, text: str, **more: str) -> None:
        """Type `/sms …`; Slack tells of it until that is acknowledged."""
        body = urlencode(self.slack.command(text, **more))
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        async with aiohttp.ClientSession() as session:
            for number in itertools.count():
                headers = kind | signed(body)
                if number:
                    self.again += 1
                    headers |= {
                        "X-Slack-Retry-Num": str(number),
                        "X-Slack-Retry-Reason": "http_error",
                    }
                try:
                    async with session.post(self.url, data=body, headers=headers) as answer:
                        if answer.status == 200 and not await answer.text():
                            break
                except (aiohttp.ClientError, OSError):
                    pass
                await asyncio.sleep(AGAIN)
        self.acknowledged.append(text.partition(" ")[2])

    async def settled(self, count: int = 1) -> list[dict[str, Any]]:
        """The log, once so many messages are there and all are delivered."""

        async def look() -> list[dict[str, Any]] | None:
            rows = await self.house.log("--reveal")
            is_over = len(rows) >= count and {row["state"] for row in rows} == {"delivered"}
            return rows if is_over else None

        rows: list[dict[str, Any]] = await until(look, "the last delivery")
        return rows


@asynccontextmanager
async def a_desk(folder: Path, port: int) -> AsyncIterator[Desk]:
    slack = Workspace()
    async with serving(slack.routes()) as url:
        slack.url = url
        keys = f'bot_token = "{BOT}"\nsigning_secret = "{SECRET}"\n'
        section = f'[slack]\napi_url = "{url}api/"\n{keys}'
        config = write_config(folder, more=section, tenant='show_texts_in = ["slack"]\n')
        async with a_house(folder, config) as house:
            desk = Desk(house, slack, port)
            await desk.start()
            await desk.enrol()
            try:
                yield desk
            finally:
                slack.free.set()


def right(slack: Workspace, text: str) -> bool:
    """Whether the newest card of a command tells the end, and one before it that it may be two."""
    cards = [card.text for _, card in slack.with_words(text)]
    later = all(TWICE in card for card in cards[1:])
    return bool(cards) and "✓✓ delivered" in cards[-1] and later


async def test_every_command_is_sent_once_and_told_to_its_end(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    luck = random.Random(11)
    async with a_desk(tmp_path, free_port()) as desk:
        slack, sent, over = desk.slack, list[str](), asyncio.Event()

        async def load() -> None:
            async with asyncio.TaskGroup() as people:
                for number in itertools.count():
                    if over.is_set():
                        return
                    sent.append(f"Boiler {number:05} is cold")
                    people.create_task(desk.say(f"+420601{number:06} {sent[-1]}"))
                    await asyncio.sleep(1 / RATE)

        loading = asyncio.create_task(load())
        for _ in range(KILLS):
            await asyncio.sleep(luck.uniform(0.3, 1.0))
            await desk.kill()
        await asyncio.sleep(0.3)
        over.set()
        await loading

        rows = await desk.settled(len(sent))
        assert sorted(desk.acknowledged[1:]) == sorted(sent)
        assert sorted(row["text"] for row in rows) == sorted(sent)
        # What was on its way at a kill may be on the phone twice, and is marked.
        resent = {row["text"]: row["resent"] for row in rows}
        found = Counter(sms["text"] for sms in await phones(desk.up.http, len(sent)))
        assert found.keys() == set(sent)
        assert all(times <= 1 + resent[text] for text, times in found.items()), "twice, not marked"
        await until(lambda: all(right(slack, text) for text in sent), "the end of all cards")
        twice = [text for text in sent if len(slack.with_words(text)) > 1]
        print(  # noqa: T201 - figures for the reader
            f"sent={len(sent)} again={desk.again} resent={sum(map(bool, resent.values()))}"
            f" on phones twice={sum(times > 1 for times in found.values())} cards twice={len(twice)}"
        )


async def test_a_post_that_slack_never_acknowledged_is_made_again_and_says_so(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """The bridge is killed between what it did in Slack and hearing of it: a card, an answer."""
    async with a_desk(tmp_path, free_port()) as desk:
        slack = desk.slack
        slack.free.clear()
        await desk.say(f"{ANNA} Boiler is cold")
        await until(lambda: slack.with_words("Boiler is cold"), "the card")
        await desk.kill()
        slack.free.set()
        await until(lambda: right(slack, "Boiler is cold"), "the end of the card")
        (_, first), (root, second) = slack.with_words("Boiler is cold")
        assert (TWICE in first.text, TWICE in second.text) == (False, True)
        (sms,) = await desk.settled()
        received = await get(desk.up.http, "/sandbox/api/messages")
        assert len(received) <= 1 + sms["resent"]

        slack.free.clear()
        (number,) = {each["from"] for each in received}
        item = {"from": ANNA, "to": number, "text": "We come at five"}
        await post(desk.up.http, "/sandbox/api/messages", item)
        await until(lambda: slack.with_words("at five"), "the answer")
        await desk.kill()
        slack.free.set()
        await until(lambda: len(slack.with_words("at five")) > 1, "the answer again")
        (_, first), (_, second) = slack.with_words("at five")
        assert (TWICE in first.text, TWICE in second.text) == (False, True)
        assert (first.thread, second.thread) == (root, root)
