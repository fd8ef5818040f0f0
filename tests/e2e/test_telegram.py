"""Telegram, whole way: from a chat to the phone and back, with kills, buttons, groups and topics."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.bridges import ANNA, BERIT, write_config
from tests.e2e.processes import BridgeProcess, House, a_house, get, phones, post, until
from tests.e2e.telegrams import (
    EVA,
    GROUP,
    STRANGER,
    TOKEN,
    Telegram,
    a_telegram,
    below,
    buttons,
)

TEXT = "Boiler is cold"
OPEN = 'show_texts_in = ["telegram"]\n'


class Town:
    """A bridge, its Telegram and its people."""

    def __init__(self, house: House, bridge: BridgeProcess, telegram: Telegram) -> None:
        self.house = house
        self.bridge = bridge
        self.telegram = telegram

    async def enrol(self, name: str = "Eva", person: int = EVA, role: str = "agent") -> None:
        """An invitation, redeemed in a private chat."""
        words = ("staff", "invite", "--tenant", "acme", "--role", role, "--name", name, "--json")
        code, out, err = await self.house.call(*words)
        assert code == 0, out + err
        await self.telegram.say(f"/sms enrol {json.loads(out)['code']}", person, person)
        await self.telegram.shown(f"Welcome, {name}", person)

    async def answered(self, sms: dict[str, Any], text: str) -> None:
        """Somebody types an answer on a phone."""
        item = {"from": sms["to"], "to": sms["from"], "text": text}
        await post(self.bridge.http, "/sandbox/api/messages", item)


@asynccontextmanager
async def a_town(
    folder: Path,
    program: Callable[[str], Path],
    node_modules: Callable[[str], Path],
    tenant: str = "",
) -> AsyncIterator[Town]:
    async with a_house(folder, None) as cellar:
        telegram = await a_telegram(cellar, program, node_modules)
        config = write_config(folder, more=telegram.config, tenant=OPEN + tenant)
        async with a_house(folder, config) as house:
            town = Town(house, await house.start(), telegram)
            yield town
            said = house.said()
            for secret in (TOKEN, "601123456", "40612345", TEXT):
                assert secret not in said


Fixture = Callable[[str], Path]


async def test_from_a_private_chat_to_the_phone_and_back(
    tmp_path: Path, program: Fixture, node_modules: Fixture
) -> None:
    async with a_town(tmp_path, program, node_modules) as town:
        telegram, http = town.telegram, town.bridge.http
        await telegram.say("/sms log", STRANGER, STRANGER)
        await telegram.shown("You are not enrolled here.", STRANGER)
        await telegram.say(f"/sms {ANNA} hello", STRANGER, STRANGER)
        await town.enrol()

        typed = await telegram.say(f"/sms {ANNA} {TEXT}")
        (sms,) = await phones(http, 1)
        assert (sms["to"], sms["text"]) == (ANNA, TEXT)
        card = await telegram.shown("✓✓ delivered")
        assert below(card) == typed
        assert "601 123" not in card["text"]
        assert ANNA not in card["text"]
        posts = await telegram.posts()
        assert len(posts) == 2, "welcome, and one card that was edited in place"

        await town.answered(sms, "We come at five & bring <tools> http://evil.example")
        answer = await telegram.shown("SMS from")
        assert (
            "<code>We come at five &amp; bring &lt;tools&gt; http://evil.example</code>"
            in (answer["text"])
        )
        assert below(answer) == card["post"]
        await telegram.say("Thank you", answers=answer["post"])
        assert [each["text"] for each in await phones(http, 2)] == [TEXT, "Thank you"]
        assert (await phones(http, 2))[1]["to"] == ANNA

        await telegram.say("This is a note to myself")
        await telegram.shown("Nothing was sent")
        await telegram.say("/sms log")
        await telegram.shown("The newest messages")
        assert len(await phones(http, 2)) == 2


async def test_buttons(tmp_path: Path, program: Fixture, node_modules: Fixture) -> None:
    """A long text is shown first, sent once however often it is agreed to; Reply asks for text."""
    async with a_town(tmp_path, program, node_modules) as town:
        telegram, http = town.telegram, town.bridge.http
        await town.enrol()
        await telegram.say(f"/sms {ANNA} {' '.join([TEXT] * 20)}")
        shown = await telegram.shown("Not sent yet")
        send = next(data for data in buttons(shown) if data.startswith("send:"))
        await telegram.press(shown, send)
        await telegram.press(shown, send)
        await telegram.press(shown, send, STRANGER)
        await telegram.shown("✓✓ delivered")
        (sms,) = await phones(http, 1)

        await town.answered(sms, "who is this?")
        answer = await telegram.shown("who is this?")
        claim, reply = (
            next(data for data in buttons(answer) if data.startswith(word))
            for word in ("claim:", "reply:")
        )
        await telegram.press(answer, claim)
        await telegram.shown("who is this?", where=lambda each: "release:" in str(buttons(each)))
        await telegram.press(answer, reply)
        asks = await telegram.shown("as a reply to this message")
        assert asks["reply_markup"]["force_reply"] is True
        await telegram.say("The caretaker", answers=asks["post"])
        assert [each["text"] for each in await phones(http, 2)][1] == "The caretaker"

        async def answered() -> bool:
            return len(await telegram.calls("answerCallbackQuery")) == 5

        await until(answered, "an answer for each press")
        queries = [
            call["callback_query_id"] for call in await telegram.calls("answerCallbackQuery")
        ]
        assert len(set(queries)) == 5, "each press is answered once"


def stored(folder: Path) -> tuple[int, int]:
    """How many updates are on disk, and how many of them wait."""
    file = f"file:{folder / 'var' / 'bridge.sqlite'}?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True)) as store:
        row = store.execute("SELECT count(*), sum(done_at IS NULL) FROM chat_update").fetchone()
    return row[0], row[1] or 0


async def settled(town: Town, total: int) -> bool:
    """Whether so many messages are where they were to go."""
    rows = await town.house.log()
    return len(rows) >= total and {row["state"] for row in rows} == {"delivered"}


@pytest.mark.slow
async def test_a_kill_between_stored_and_worked(
    tmp_path: Path, program: Fixture, node_modules: Fixture
) -> None:
    async with a_town(tmp_path, program, node_modules) as town:
        telegram, total, waited = town.telegram, 0, 0
        await town.enrol()
        for turn in range(8):
            if turn > 1 and waited:
                break
            before, _ = stored(tmp_path)
            texts = [f"{TEXT} {turn}.{n}" for n in range(8)]
            total += len(texts)
            typing = [asyncio.create_task(telegram.say(f"/sms {ANNA} {text}")) for text in texts]
            end = before + len(texts)
            await until(lambda end=end: stored(tmp_path)[1] or stored(tmp_path)[0] == end)
            town.bridge.kill_tree()
            waited += stored(tmp_path)[1]
            await asyncio.gather(*typing)
            town.bridge = await town.house.start()
            await until(lambda total=total: settled(town, total), "all messages")
        rows = await town.house.log("--reveal")
        assert len(rows) == total, "what Telegram tells twice is sent once"
        assert len({row["text"] for row in rows}) == total
        # What was on its way at the kill may be on the phone twice, and is marked.
        marked = [row for row in rows if row["resent"]]
        found = await phones(town.bridge.http, total)
        assert len(found) <= total + len(marked)
        assert await telegram.waiting() == 0
        assert waited, "no kill came between stored and worked"


async def test_a_support_group(tmp_path: Path, program: Fixture, node_modules: Fixture) -> None:
    """A topic a person, made once, used again, and made anew where somebody deleted it."""
    inbox = f'inbox = ["telegram:{GROUP}"]'
    async with a_town(tmp_path, program, node_modules, inbox) as town:
        telegram, http = town.telegram, town.bridge.http
        await telegram.forum()
        await town.enrol()

        await telegram.say(f"/sms {ANNA} {TEXT}", GROUP)
        await telegram.shown("Numbers are not written where others read", GROUP)
        await telegram.say("/sms log", GROUP, STRANGER)
        await telegram.shown("Open a chat with me", GROUP)
        assert await get(http, "/sandbox/api/messages") == []

        for phone in (ANNA, BERIT, ANNA):
            sms = {"to": phone, "from": "+420601000000"}
            await town.answered(sms, f"a question from {phone[-3:]}")
            await telegram.shown(f"a question from {phone[-3:]}", GROUP)

        async def three() -> list[dict[str, Any]]:
            shown = await telegram.posts(GROUP)
            found = [each for each in shown if "a question" in each["text"]]
            return found if len(found) == 3 else []

        one, two, again = await until(three, "three questions")
        topics = await telegram.topics()
        assert len(topics) == 2
        assert one["message_thread_id"] == again["message_thread_id"] != two["message_thread_id"]
        assert "601123" not in str(topics)

        topic = int(one["message_thread_id"])
        await telegram.say("Chatter in the topic", GROUP, topic=topic)
        await telegram.say("An answer", GROUP, answers=again["post"], topic=topic)
        (sms,) = await phones(http, 1)
        assert (sms["to"], sms["text"]) == (ANNA, "An answer")
        card = await telegram.shown("✓✓ delivered", GROUP)
        assert int(card["message_thread_id"]) == topic

        await telegram.delete(topic)
        await town.answered(sms, "Are you there?")
        anew = await telegram.shown("Are you there?", GROUP)
        assert int(anew["message_thread_id"]) not in topics
        assert len(await telegram.topics()) == 2
        await town.answered(sms, "Hello?")
        more = await telegram.shown("Hello?", GROUP)
        assert more["message_thread_id"] == anew["message_thread_id"]


async def test_texts_stay_out_of_chats_that_are_not_named(
    tmp_path: Path, program: Fixture, node_modules: Fixture
) -> None:
    """Without show_texts_in an answer's text is behind a link."""
    async with a_house(tmp_path, None) as cellar:
        telegram = await a_telegram(cellar, program, node_modules)
        config = write_config(tmp_path, more=telegram.config)
        async with a_house(tmp_path, config) as house:
            town = Town(house, await house.start(), telegram)
            await town.enrol()
            await telegram.say(f"/sms {ANNA} {TEXT}")
            (sms,) = await phones(town.bridge.http, 1)
            await town.answered(sms, "a private matter")
            answer = await telegram.shown("Its text is not shown here")
            assert "private matter" not in answer["text"]
            assert re.search(r"<pre>http://127\.0\.0\.1:\d+/\S+</pre>", answer["text"])


async def test_a_webhook(tmp_path: Path, program: Fixture, node_modules: Fixture) -> None:
    """Telegram calls the web edge; who does not know the secret is turned away."""
    async with a_house(tmp_path, None) as cellar:
        telegram = await a_telegram(cellar, program, node_modules)
        hook = f'{telegram.config}webhook_secret = "hook-secret_1"\n'
        async with a_house(tmp_path, write_config(tmp_path, more=hook)) as house:
            bridge = await house.start()
            chat = {"id": EVA, "type": "private", "first_name": "Eva"}
            envelope = {"message_id": 5, "date": 1, "chat": chat}
            person = {"id": EVA, "is_bot": False, "first_name": "Eva"}
            update = {"update_id": 9, "message": {**envelope, "from": person, "text": "/start"}}
            url = f"http://127.0.0.1:{bridge.http}/telegram/webhook"
            await telegram.start()
            async with ClientSession() as session:
                for secret, status in (("wrong", 401), ("hook-secret_1", 200)):
                    headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
                    async with session.post(url, json=update, headers=headers) as answer:
                        assert answer.status == status
            await telegram.shown("You are not enrolled here.")
            assert len(await telegram.posts()) == 1
            assert "hook-secret_1" not in house.said()
