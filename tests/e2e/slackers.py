"""People in a Slack on this machine: what they type and press, and what they see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.processes import Process, until

PACKAGE = "local-slack-linux-x64"
TEAM, GENERAL, SECRET_ROOM = "T01TEST", "C01GEN", "C02HID"
EVA, BOB, MALLORY = "U01EVA", "U02BOB", "U03MAL"
SOCKET_APP, HTTP_APP = "A01APP", "A02APP"
TOKENS = {SOCKET_APP: "xoxb-test-token", HTTP_APP: "xoxb-test-token-2"}
APP_TOKEN, SECRET = "xapp-test-token", "test-signing-secret-2"

CONFIG = """
workspace: {{ name: Trial, domain: trial, teamId: T01TEST }}
apps:
  - {{ appId: A01APP, botUserId: U0BOT, botName: sms, botToken: xoxb-test-token, appToken: xapp-test-token, signingSecret: test-signing-secret, mode: socket }}
  - {{ appId: A02APP, botUserId: U0BOT2, botName: smshttp, botToken: xoxb-test-token-2, appToken: xapp-test-token-2, signingSecret: test-signing-secret-2, mode: events, requestUrl: "{request_url}" }}
users:
  - {{ id: U01EVA, name: eva, real_name: Eva }}
  - {{ id: U02BOB, name: bob, real_name: Bob }}
  - {{ id: U03MAL, name: mallory, real_name: Mallory }}
channels:
  - {{ id: C01GEN, name: general, members: [U01EVA, U02BOB, U03MAL, U0BOT, U0BOT2] }}
"""

Message = dict[str, Any]


class LocalSlack:
    """The workspace, and everybody in it."""

    def __init__(self, port: int, session: aiohttp.ClientSession) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.api_url = f"{self.base}/api/"
        self._session = session

    async def _control(self, what: str, **item: Any) -> dict[str, Any]:
        async with self._session.post(f"{self.base}/_control/{what}", json=item) as answer:
            said: dict[str, Any] = await answer.json()
            assert said.get("ok"), said
            return said

    async def command(
        self, user: str, text: str, channel: str = GENERAL, app: str = SOCKET_APP
    ) -> None:
        """Type `/sms …`; returns when the app has acknowledged it."""
        item = {"user": user, "channel": channel, "text": text, "appId": app}
        await self._control("command", command="/sms", **item)

    async def press(self, user: str, message: Message, action: str) -> None:
        """Press the button of an action below a message."""
        button = next(b for b in buttons(message) if b["action_id"].partition("#")[0] == action)
        item = {"channel": message["channel"], "messageTs": message["ts"], "user": user}
        await self._control("interact", action=button, **item)

    async def submit(self, user: str, **fields: str) -> None:
        """Fill in the form that is open, and send it off."""
        values = {n: {n: {"type": "plain_text_input", "value": v}} for n, v in fields.items()}
        async with self._session.ws_connect(f"{self.base}/ui") as screen:
            await screen.receive_json()
            await screen.send_json({"t": "view_submit", "user": user, "values": values})
            async with asyncio.timeout(10):
                while True:
                    news = await screen.receive_json()
                    if news["t"] == "view" and not news["stack"]:
                        return

    async def look_home(self, user: str, app: str = SOCKET_APP) -> None:
        """Open the app's own page."""
        await self._control("open-home", user=user, appId=app)

    async def state(self) -> dict[str, Any]:
        """All that can be seen: messages, forms, pages."""
        async with self._session.ws_connect(f"{self.base}/ui") as screen:
            found: dict[str, Any] = (await screen.receive_json())["state"]
            return found

    async def form(self) -> dict[str, Any]:
        """The form that is open, once it is."""

        async def look() -> Any:
            return (await self.state())["modalStack"]

        found: list[dict[str, Any]] = await until(look, "a form")
        return found[-1]

    async def own(self, user: str, app: str = SOCKET_APP) -> str:
        """The channel that a person shares with the app alone."""
        headers = {"Authorization": f"Bearer {TOKENS[app]}"}
        url = f"{self.api_url}conversations.open"
        async with self._session.post(url, json={"users": user}, headers=headers) as answer:
            channel: str = (await answer.json())["channel"]["id"]
            return channel

    async def messages(self, channel: str = GENERAL) -> list[Message]:
        """What stands in a channel, hidden ones and threads included."""
        async with self._session.get(f"{self.base}/_control/messages/{channel}") as answer:
            found: list[Message] = (await answer.json())["messages"]
            return found

    async def sees(
        self, wanted: Callable[[Message], object] | str, channel: str = GENERAL
    ) -> Message:
        """The newest message that is so, or that has these words in it, once there is one."""

        def fits(message: Message) -> object:
            return wanted in shown(message) if isinstance(wanted, str) else wanted(message)

        async def look() -> Message | None:
            found = [m for m in await self.messages(channel) if fits(m)]
            return found[-1] if found else None

        found: Message = await until(look, f"a message with {wanted!r}")
        return found

    async def said_of_app(self, app: str = SOCKET_APP) -> bool:
        """Whether the app is connected."""
        return any(a["appId"] == app and a["connected"] for a in (await self.state())["apps"])


def buttons(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The buttons below a message."""
    found = [b["elements"] for b in message.get("blocks") or () if b["type"] == "actions"]
    return [button for elements in found for button in elements]


def shown(item: Any) -> str:
    """All text of a message, but for its notification."""
    if isinstance(item, Mapping):
        if item.get("blocks"):
            return shown(item["blocks"])
        return item["text"] if isinstance(item.get("text"), str) else shown([*item.values()])
    if isinstance(item, Sequence) and not isinstance(item, str):
        return "\n".join(filter(None, map(shown, item)))
    return ""


@asynccontextmanager
async def local_slack(
    folder: Path, package: Path, port: int, request_url: str = "http://127.0.0.1:9/nobody"
) -> AsyncIterator[LocalSlack]:
    """The workspace, running; it ends with the block."""
    config = folder / "local-slack.yaml"
    config.write_text(CONFIG.format(request_url=request_url))
    command = [str(package / "bin" / "local-slack"), "--config", str(config)]
    command += ["--port", str(port), "--base-host", "127.0.0.1", "--files-dir", str(folder / "fs")]
    process = Process(folder, command, name="slack")
    try:
        async with aiohttp.ClientSession() as session:
            slack = LocalSlack(port, session)

            async def answers() -> bool:
                assert process.popen.poll() is None, process.err
                try:
                    return bool(await slack.state())
                except (aiohttp.ClientError, OSError):
                    return False

            await until(answers, "the local Slack")
            yield slack
    finally:
        process.stop()
