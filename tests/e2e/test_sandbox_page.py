"""A newcomer before a real browser, and `bridge up` as a real process that may be killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

import aiohttp
import aiosmtplib

from tests.bridges import ANNA, until
from tests.browser import a_browser

HOME = Path(__file__).parents[2]
ENTER = "\ue007"


class Up:
    """`bridge up` in a folder of its own."""

    def __init__(self, folder: Path, smtp: int, http: int) -> None:
        self.smtp = smtp
        self.base = f"http://127.0.0.1:{http}"
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        (folder / "bridge.toml").write_text(
            f'[smtp]\nlisten = "127.0.0.1:{smtp}"\n[http]\nlisten = "127.0.0.1:{http}"\n'
        )

    async def start(self) -> None:
        """Start, and wait until it says that it is ready."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "up"),
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(HOME)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            line = await self._process.stdout.readline()
        assert line.startswith(b"ready "), "the bridge did not start"

    async def end(self, how: int = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        assert self._process is not None
        self._process.send_signal(how)
        return await asyncio.wait_for(self._process.wait(), 60)

    async def mail(self, to: str, text: str) -> None:
        message = EmailMessage()
        message["From"], message["To"] = "eva@acme.example", f"{to}@sms.localhost"
        message["Subject"] = "Boiler"
        message.set_content(text)
        await aiosmtplib.send(message, hostname="127.0.0.1", port=self.smtp)

    async def listed(self) -> list[dict[str, str]]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.base}/sandbox/api/messages") as response,
        ):
            found: list[dict[str, str]] = await response.json()
            return found


@asynccontextmanager
async def up(folder: Path, free_port: Callable[[], int]) -> AsyncIterator[Up]:
    bridge = Up(folder, free_port(), free_port())
    await bridge.start()
    try:
        yield bridge
    finally:
        assert await bridge.end() == 0


async def test_a_newcomers_first_minutes(
    tmp_path: Path, free_port: Callable[[], int], program: Callable[[str], Path]
) -> None:
    driver = program("chromedriver")
    async with up(tmp_path, free_port) as bridge, a_browser(driver, tmp_path) as browser:
        await browser.go(f"{bridge.base}/")
        command = await browser.sees("#stage", "Send your first SMS")
        assert f"swaks --server 127.0.0.1:{bridge.smtp}" in command

        await bridge.mail(ANNA, "Kotel 3 je studený")
        await browser.sees("#log", "Kotel 3 je studený")
        await browser.sees("#log", "delivered")
        assert "+420 601 123 456" in await browser.text(".head")

        await browser.types("#text", f"Už jedu{ENTER}")
        await browser.sees("#log .mine", "Už jedu")

        async def emptied() -> bool:
            return await browser.run("return document.querySelector('#text').value") == ""

        await until(emptied)
        await browser.sees("#threads", "Už jedu")

        await browser.click("#mode-unreachable")
        await browser.sees(".head", "switched off")
        await bridge.mail(ANNA, "Slyšíš mě?")
        await browser.sees("#log .ghost", "failed: phone unreachable")

        await browser.click(".tabs a[href='/sandbox/mailbox']")
        await browser.sees("#mails", "Už jedu")
        await browser.sees("#mails", "Not delivered: Boiler")
        assert await browser.complaints() == []


async def test_typing_is_not_disturbed_by_another_phone(
    tmp_path: Path, free_port: Callable[[], int], program: Callable[[str], Path]
) -> None:
    driver = program("chromedriver")
    async with up(tmp_path, free_port) as bridge, a_browser(driver, tmp_path) as browser:
        await browser.go(f"{bridge.base}/sandbox")
        await bridge.mail(ANNA, "Kotel 3 je studený")
        await browser.sees("#log", "delivered")
        await browser.types("#text", "Už se obl")
        await bridge.mail("+420606123456", "Hei!")
        await browser.sees("#threads", "Hei!")
        await browser.types("#text", "ékám")
        assert await browser.run("return document.querySelector('#text').value") == "Už se oblékám"
        assert "Kotel 3" in await browser.text("#log")
        assert "Hei!" not in await browser.text("#log")
        words = await browser.run("return document.activeElement.id")
        assert words == "text"


async def test_what_phones_received_survives_a_kill(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    bridge = Up(tmp_path, free_port(), free_port())
    await bridge.start()
    await bridge.mail(ANNA, "Kotel 3 je studený")

    async def there() -> list[dict[str, str]]:
        return await bridge.listed()

    before = await until(there)
    await bridge.end(signal.SIGKILL)
    await bridge.start()
    try:
        assert await bridge.listed() == before

        async def receipted() -> bool:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{bridge.base}/sandbox") as page,
            ):
                return bool(re.search('class="bubble theirs delivered"', await page.text()))

        await until(receipted)
    finally:
        assert await bridge.end() == 0
