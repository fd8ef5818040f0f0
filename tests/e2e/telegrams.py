"""Telegram's people, for tests: what they type and press goes in, what they see comes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.processes import House, get, post, until

TOKEN = "7000:AAtheSecretOfTheBot"
EVA, STRANGER = 42, 43
GROUP = -1000500

Post = dict[str, Any]


class Telegram:
    """One bot's people and chats, on the npm package telegram-test-api."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def config(self) -> str:
        """The bridge's settings."""
        return f'[telegram]\ntoken = "{TOKEN}"\napi_url = "http://127.0.0.1:{self.port}"\n'

    async def say(
        self, text: str, place: int = EVA, person: int = EVA, answers: int = 0, topic: int = 0
    ) -> int:
        """Somebody writes; the message's number."""
        where = {"token": TOKEN, "place": place, "person": person, "topic": topic}
        item: Any = {**where, "text": text, "answers": answers}
        found = await post(self.port, "/people/say", item)
        return int(found["message_id"])

    async def start(self, person: int = EVA) -> None:
        """Somebody presses Start: the bot may write to them."""
        item: Any = {"person": person}
        await post(self.port, "/people/start", item)

    async def press(self, shown: Post, data: str, person: int = EVA) -> None:
        """Somebody presses a button."""
        where = {"token": TOKEN, "place": int(shown["chat_id"]), "person": person}
        topic = int(shown.get("message_thread_id", 0))
        item: Any = {**where, "post": shown["post"], "data": data, "topic": topic}
        await post(self.port, "/people/press", item)

    async def posts(self, place: int = EVA) -> list[Post]:
        """All of the bot's posts in a chat, as they stand now."""
        found: list[Post] = await get(self.port, f"/people/posts?place={place}")
        return found

    async def shown(
        self, text: str, place: int = EVA, *, where: Callable[[Post], bool] = lambda _: True
    ) -> Post:
        """The newest post that says something, once it does."""

        async def look() -> Post | None:
            found = [each for each in await self.posts(place) if text in each["text"]]
            return next(filter(where, reversed(found)), None)

        found: Post = await until(look, f"a post with {text!r}")
        return found

    async def calls(self, method: str) -> list[dict[str, Any]]:
        """What the bot asked for by one method."""
        found = await get(self.port, "/people/calls")
        return [call["body"] for call in found if call["method"] == method]

    async def waiting(self) -> int:
        """How many updates the bot has not confirmed."""
        return int(await get(self.port, "/people/waiting"))

    async def forum(self, place: int = GROUP) -> None:
        """Switch topics on."""
        item: Any = {"place": place}
        await post(self.port, "/people/forum", item)

    async def topics(self) -> dict[int, str]:
        """The topics that there are."""
        return dict(await get(self.port, "/people/topics"))

    async def delete(self, topic: int) -> None:
        """Somebody deletes a topic."""
        item: Any = {"topic": topic}
        await post(self.port, "/people/delete", item)


async def a_telegram(
    house: House, program: Callable[[str], Path], node_modules: Callable[[str], Path]
) -> Telegram:
    """A running one; its end is the house's."""
    node, package = program("node"), node_modules("telegram-test-api")
    script = Path(__file__).with_name("telegram_server.js")
    server = house.run(node, script, name="telegram", env={"NODE_PATH": str(package.parent)})
    await until(lambda: server.out.partition("\n")[1], "Telegram's port")
    return Telegram(int(server.out.split()[0]))


def buttons(shown: Post) -> list[str]:
    """The data of the buttons below a post."""
    rows = (shown.get("reply_markup") or {}).get("inline_keyboard", [])
    return [key.get("callback_data", key.get("url")) for row in rows for key in row]


def below(shown: Post) -> int:
    """The message that a post answers."""
    return int(json.loads(shown["reply_parameters"])["message_id"])
