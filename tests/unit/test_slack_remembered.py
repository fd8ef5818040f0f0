"""One question for all who ask it; an old answer is better than none."""

from __future__ import annotations

import asyncio

import pytest

from bridge.bots.slack.remembered import Remembered
from bridge.errors import TryLater


class Slack:
    """Answers in turns, when it is let."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.free = asyncio.Event()
        self.free.set()
        self.now = 0.0
        self.known = Remembered(lambda: self.now, 10.0)

    async def __call__(self) -> bool:
        self.asked += 1
        await self.free.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask(self, key: str = "C1") -> bool:
        return await self.known(key, self)


async def test_all_who_ask_at_once_wait_for_one_answer() -> None:
    slack = Slack(True)
    assert await asyncio.gather(*(slack.ask() for _ in range(5))) == [True] * 5
    assert await slack.ask()
    assert slack.asked == 1


async def test_an_old_answer_is_given_while_a_new_one_is_asked_for() -> None:
    slack = Slack(True, False)
    assert await slack.ask()
    slack.now, slack.free = 11.0, asyncio.Event()
    assert await slack.ask()
    assert await slack.ask()
    slack.free.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not await slack.ask()
    assert slack.asked == 2


async def test_a_fault_is_no_answer_and_spoils_no_old_one() -> None:
    slack = Slack(TryLater("not now"), True, TryLater("not now"), False)
    with pytest.raises(TryLater):
        await slack.ask()
    assert await slack.ask()
    slack.now = 11.0
    for _ in range(3):
        assert await slack.ask()
        await asyncio.sleep(0)
        if slack.asked == 4:
            break
    await asyncio.sleep(0)
    assert not await slack.ask()


async def test_who_leaves_does_not_take_the_question_along() -> None:
    slack = Slack(True)
    slack.free.clear()
    first, second = asyncio.create_task(slack.ask()), asyncio.create_task(slack.ask())
    await asyncio.sleep(0)
    first.cancel()
    slack.free.set()
    assert await second
    assert slack.asked == 1


async def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.bots.slack.remembered.MOST", 2)
    slack = Slack(*[True] * 4)
    for key in ("C1", "C2", "C3", "C1"):
        await slack.ask(key)
    assert slack.asked == 4


async def test_an_end_asks_no_more() -> None:
    slack = Slack(True)
    slack.free.clear()
    waiting = asyncio.create_task(slack.ask())
    await asyncio.sleep(0)
    await slack.known.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
