"""A chat that is slow or silent: it holds up nobody else, and what may be there twice says so."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bridge.bots.chat import View
from bridge.dispatch import answer, teller
from bridge.errors import TryLater
from bridge.model import Inbound
from tests.bridges import ANNA, BERIT, until, write_config
from tests.chats import Pinboard, Talk, a_talk

TWICE = "This may stand here twice"


def config(folder: Path) -> Path:
    return write_config(folder, tenant='show_texts_in = ["telegram"]\ninbox = ["telegram:9"]\n')


class Slow:
    """Holds back the chat's answers to posts that have these words in them."""

    def __init__(self, chat: Pinboard, words: str) -> None:
        self.reached, self.free = asyncio.Event(), asyncio.Event()
        self._post, self._words = chat.post, words
        chat.post = self.post  # type: ignore[method-assign]

    async def post(self, place: str, thread: str, view: View, answers: str = "") -> str:
        number = await self._post(place, thread, view, answers)
        if self._words in view.plain:
            self.reached.set()
            await self.free.wait()
        return number


def views(talk: Talk, words: str) -> list[str]:
    """The posts that have these words in them, oldest first."""
    return [post.view.plain for post in talk.chat.posts.values() if words in post.view.plain]


async def told(talk: Talk, words: str, *, times: int = 1) -> list[str]:
    """The posts that have these words in them, once there are so many."""

    async def look() -> list[str]:
        found = views(talk, words)
        return found if len(found) >= times else []

    found: list[str] = await until(look)
    return found


async def writes(talk: Talk, text: str, source: str = ANNA) -> None:
    """A person answers from a phone."""
    part = Inbound(source=source, destination="", data=text.encode(), coding="utf-8")
    await talk.running.parts.reception.inbound("sandbox", part)


async def test_a_slow_card_holds_up_no_other(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        slow = Slow(talk.chat, "Boiler is slow")
        await talk.types("7", f"{ANNA} Boiler is slow")
        await slow.reached.wait()
        await talk.types("7", f"{BERIT} Boiler is quick")
        await told(talk, "Boiler is quick")
        slow.free.set()


async def test_a_slow_answer_holds_up_nobody_else_s(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("9")
        slow = Slow(talk.chat, "I am slow")
        await writes(talk, "I am slow")
        await slow.reached.wait()
        await writes(talk, "Me too")
        await writes(talk, "I am quick", BERIT)
        await told(talk, "I am quick")
        assert views(talk, "Me too") == [], "the same person's second SMS is told after the first"
        slow.free.set()
        await told(talk, "Me too")


class Woken:
    """Who tells what is owed, and writes down that it was woken."""

    def __init__(self) -> None:
        self.times = 0

    def wake(self) -> None:
        self.times += 1


async def test_what_is_owed_is_told_here_without_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue is rung all the same, for other processes."""
    async with a_talk(config(tmp_path), works=False) as talk:  # nobody hears the queue
        woken, rung = Woken(), list[str]()
        talk.running.parts.tellers["telegram"] = [woken]  # type: ignore[list-item]
        monkeypatch.setattr(talk.bridge.bell, "ring", lambda queue, *_: rung.append(queue))
        await writes(talk, "Is anybody there?")
        assert woken.times == 1
        assert rung == ["answer.telegram"]


async def test_an_end_does_not_wait_for_a_silent_chat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teller, "GRACE", 0.1)
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        slow = Slow(talk.chat, "Boiler is cold")
        await talk.types("7", f"{ANNA} Boiler is cold")
        await slow.reached.wait()
    async with a_talk(config(tmp_path)) as talk:
        (card,) = await told(talk, "Boiler is cold")
        assert TWICE in card


async def test_an_answer_that_was_posted_and_not_stored_is_told_again_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says so too when a try between the two is refused by the chat."""
    monkeypatch.setattr(answer, "FIRST_RETRY", 0.05)
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("9")
        slow = Slow(talk.chat, "On my way")
        await writes(talk, "On my way")
        await slow.reached.wait()
        lock = sqlite3.connect(tmp_path / "var" / "bridge.sqlite", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        refused = asyncio.Event()

        async def refuses(*_: object) -> str:
            refused.set()
            talk.chat.post = slow.post  # type: ignore[method-assign]
            raise TryLater("come again")

        talk.chat.post = refuses  # type: ignore[method-assign]
        slow.free.set()
        await until(lambda: asyncio.sleep(0, talk.bridge.store.failing))
        lock.execute("ROLLBACK")
        lock.close()
        first, second = await told(talk, "On my way", times=2)
        assert refused.is_set()
        assert (TWICE in first, TWICE in second) == (False, True)
