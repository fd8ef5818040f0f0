"""Slack, whole way: from a channel to the phone and back, with forms, buttons, kills and strangers."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bridges import ANNA, BERIT, write_config
from tests.e2e import slackers
from tests.e2e.processes import BridgeProcess, House, a_house, phones, post, until
from tests.e2e.slackers import (
    BOB,
    EVA,
    GENERAL,
    HTTP_APP,
    MALLORY,
    PACKAGE,
    SOCKET_APP,
    LocalSlack,
    Message,
    buttons,
    local_slack,
    shown,
)

TEXT = "Boiler is cold"
OPEN = 'show_texts_in = ["slack"]\n'
BY_SOCKET = f'bot_token = "{slackers.TOKENS[SOCKET_APP]}"\napp_token = "{slackers.APP_TOKEN}"\n'
BY_HOOK = f'bot_token = "{slackers.TOKENS[HTTP_APP]}"\nsigning_secret = "{slackers.SECRET}"\n'

FreePort = Callable[[], int]
NodeModules = Callable[[str], Path]


class Office:
    """A bridge, its Slack and its people."""

    def __init__(self, house: House, bridge: BridgeProcess, slack: LocalSlack, app: str) -> None:
        self.house = house
        self.bridge = bridge
        self.slack = slack
        self.app = app

    async def enrol(self, user: str = EVA, name: str = "Eva", role: str = "agent") -> None:
        """An invitation, redeemed in the private chat with the app."""
        words = ("staff", "invite", "--tenant", "acme", "--role", role, "--name", name, "--json")
        code, out, err = await self.house.call(*words)
        assert code == 0, out + err
        own = await self.slack.own(user, self.app)
        await self.say(user, f"enrol {json.loads(out)['code']}", own)
        await self.slack.sees(f"Welcome, {name}", own)

    async def say(self, user: str, text: str, channel: str = GENERAL) -> None:
        """Type `/sms …`; it is acknowledged when this returns."""
        await self.slack.command(user, text, channel, self.app)

    async def restart(self) -> None:
        """After a kill."""
        self.bridge = await self.house.start()
        await self.connected()

    async def connected(self) -> None:
        if self.app == SOCKET_APP:
            await until(self.slack.said_of_app, "the connection")

    async def answered(self, sms: dict[str, Any], text: str) -> None:
        """Somebody types an answer on a phone."""
        item = {"from": sms["to"], "to": sms["from"], "text": text}
        await post(self.bridge.http, "/sandbox/api/messages", item)

    async def received(self, count: int) -> list[str]:
        """The texts on the phones, once there are so many."""
        return [each["text"] for each in await phones(self.bridge.http, count)]


@asynccontextmanager
async def an_office(
    folder: Path,
    free_port: FreePort,
    node_modules: NodeModules,
    tenant: str = "",
    app: str = SOCKET_APP,
) -> AsyncIterator[Office]:
    http = free_port()
    hook = f"http://127.0.0.1:{http}/slack/events"
    async with local_slack(folder, node_modules(PACKAGE), free_port(), hook) as slack:
        keys = BY_SOCKET if app == SOCKET_APP else BY_HOOK
        section = f'[slack]\napi_url = "{slack.api_url}"\n{keys}'
        config = write_config(folder, more=section, tenant=OPEN + tenant)
        env = {"BRIDGE__HTTP__LISTEN": f"127.0.0.1:{http}"}
        async with a_house(folder, config) as house:
            office = Office(house, await house.start(env=env), slack, app)
            await office.connected()
            yield office
            said = house.said()
            for secret in (*slackers.TOKENS.values(), "601123456", "40612345", TEXT):
                assert secret not in said


def hidden(message: Message) -> bool:
    """Whether one person alone sees it."""
    return message.get("subtype") == "ephemeral"


async def cards(slack: LocalSlack) -> list[Message]:
    """What everybody sees at the top of the channel."""
    return [m for m in await slack.messages() if not hidden(m) and not m.get("thread_ts")]


@pytest.mark.parametrize("app", [SOCKET_APP, HTTP_APP])
async def test_from_a_channel_to_the_phone_and_back(
    tmp_path: Path, free_port: FreePort, node_modules: NodeModules, app: str
) -> None:
    async with an_office(tmp_path, free_port, node_modules, app=app) as office:
        slack = office.slack
        await office.say(MALLORY, f"{ANNA} hello")
        no = await slack.sees("You are not enrolled here.")
        assert no["ephemeral_to"] == MALLORY
        await office.enrol()

        await office.say(EVA, f"{ANNA} {TEXT}")
        (sms,) = await phones(office.bridge.http, 1)
        assert (sms["to"], sms["text"]) == (ANNA, TEXT)
        card = await slack.sees("✓✓ delivered")
        assert "601 123" not in shown(card)
        assert ANNA not in shown(card)
        assert "from Eva" in shown(card)
        assert len(await cards(slack)) == 1, "one card that was edited in place"

        await office.answered(sms, "We come at five & bring <!channel> *tools* http://evil.example")
        answer = await slack.sees("SMS from")
        assert "We come at five & bring <!channel> *tools* http://evil.example" in shown(answer)
        assert answer["thread_ts"] == card["ts"]
        assert "<!channel>" not in answer["text"], "it would ring for everybody"
        (words,) = (b for b in answer["blocks"] if "five" in str(b))
        assert words["text"]["type"] == "plain_text"

        await slack.press(EVA, answer, "reply")
        await slack.form()
        await slack.submit(EVA, text="Thank you")
        assert await office.received(2) == [TEXT, "Thank you"]
        own = await slack.sees(lambda m: "Thank you" in shown(m) and "delivered" in shown(m))
        assert own["thread_ts"] == card["ts"]


async def test_a_long_text_is_shown_first_and_sent_once(
    tmp_path: Path, free_port: FreePort, node_modules: NodeModules
) -> None:
    async with an_office(tmp_path, free_port, node_modules) as office:
        slack = office.slack
        await office.enrol()
        await office.enrol(BOB, "Bob")
        await office.say(EVA, f"{ANNA} {' '.join([TEXT] * 20)}")
        preview = await slack.sees("Not sent yet")
        assert hidden(preview)
        await slack.press(BOB, preview, "send")
        for _ in range(3):
            await slack.press(EVA, preview, "send")
        await slack.sees("✓✓ delivered")
        assert len(await office.received(1)) == 1
        assert "Not sent yet" not in "".join(map(shown, await slack.messages()))
        await slack.sees("this draft is somebody else's".capitalize())


async def test_a_draft_is_changed_in_the_form(
    tmp_path: Path, free_port: FreePort, node_modules: NodeModules
) -> None:
    async with an_office(tmp_path, free_port, node_modules, 'preview = "always"\n') as office:
        slack = office.slack
        await office.enrol()
        await office.say(EVA, f"{ANNA} {TEXT}")
        await slack.press(EVA, await slack.sees("Not sent yet"), "edit")
        form = await slack.form()
        inputs = [b for b in form["blocks"] if "element" in b]
        typed = {b["block_id"]: b["element"].get("initial_value") for b in inputs}
        assert typed == {"text": TEXT}
        await slack.submit(EVA, text="It is warm")
        await slack.press(EVA, await slack.sees("It is warm"), "send")
        (sms,) = await phones(office.bridge.http, 1)
        assert (sms["to"], sms["text"]) == (ANNA, "It is warm")


async def test_one_claims_and_the_other_is_told(
    tmp_path: Path, free_port: FreePort, node_modules: NodeModules
) -> None:
    inbox = f'inbox = ["slack:{GENERAL}"]\n'
    async with an_office(tmp_path, free_port, node_modules, inbox) as office:
        slack = office.slack
        await office.enrol()
        await office.enrol(BOB, "Bob")
        await office.answered({"to": BERIT, "from": ""}, "Is anybody there?")
        answer = await slack.sees("Is anybody there?")
        await slack.press(EVA, answer, "claim")
        await slack.press(BOB, answer, "claim")
        told = await slack.sees("Eva has claimed this conversation")
        assert told["ephemeral_to"] == BOB
        answer = await slack.sees("Is anybody there?")
        labels = [button["text"]["text"] for button in buttons(answer)]
        assert labels[:2] == ["Reply", "Release (Eva)"]
        assert "Is anybody there?" in shown(answer)


async def test_the_apps_own_page(
    tmp_path: Path, free_port: FreePort, node_modules: NodeModules
) -> None:
    async with an_office(tmp_path, free_port, node_modules) as office:
        await office.enrol()
        await office.slack.look_home(EVA)

        async def look() -> Any:
            return (await office.slack.state())["homeViews"].get(EVA)

        page = (await until(look, "the page"))[SOCKET_APP]
        assert "your last messages" in shown(page)


@pytest.mark.slow
async def test_a_kill_right_after_the_acknowledgement(
    tmp_path: Path, free_port: FreePort, node_modules: NodeModules
) -> None:
    async with an_office(tmp_path, free_port, node_modules) as office:
        luck = random.Random(7)
        await office.enrol()
        sent: list[str] = []
        for turn in range(5):
            for n in range(luck.randrange(1, 4)):
                sent.append(f"{TEXT} {turn}.{n}")
                await office.say(EVA, f"{ANNA} {sent[-1]}")
            office.bridge.kill_tree()
            await office.restart()

        async def settled() -> bool:
            rows = await office.house.log()
            return len(rows) >= len(sent) and {row["state"] for row in rows} == {"delivered"}

        await until(settled, "all messages")
        rows = await office.house.log("--reveal")
        assert sorted(row["text"] for row in rows) == sorted(sent)
        # What was on its way at the kill may be on the phone twice, and is marked.
        found = await office.received(len(sent))
        assert len(found) <= len(sent) + sum(row["resent"] for row in rows)


async def test_it_ends_while_it_is_connected(
    tmp_path: Path, free_port: FreePort, node_modules: NodeModules
) -> None:
    async with an_office(tmp_path, free_port, node_modules) as office:
        office.bridge.signal(signal.SIGTERM)
        assert await office.bridge.ended(15) == 0
        assert not await office.slack.said_of_app()
