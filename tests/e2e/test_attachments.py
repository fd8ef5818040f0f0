"""Files of mails behind a link: before a real browser, and over a real process that is killed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
import aiosmtplib

from tests.bridges import ANNA, until
from tests.browser import a_browser
from tests.e2e.test_sandbox_page import HOME, Up

TENANT = """
[[tenants]]
name = "acme"
attachments = "link"
senders = [ { address = "*", proof = "network:127.0.0.0/8" } ]
"""


@asynccontextmanager
async def up(folder: Path, free_port: Callable[[], int]) -> AsyncIterator[Up]:
    """A bridge whose tenant sends files as links to this very bridge."""
    bridge = Up(folder, free_port(), free_port())
    path = folder / "bridge.toml"
    path.write_text(f'public_url = "{bridge.base}"\n{path.read_text()}{TENANT}')
    await bridge.start()
    try:
        yield bridge
    finally:
        assert await bridge.end() == 0


async def sends(bridge: Up, name: str, data: bytes, to: str = ANNA) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "eva@acme.example", f"{to}@sms.localhost", "Offer"
    mail.set_content(f"Here is {name}")
    mail.add_attachment(data, "application", "octet-stream", filename=name)
    await aiosmtplib.send(mail, hostname="127.0.0.1", port=bridge.smtp)


def link_in(text: str) -> str:
    found = re.search(r"http://\S+/f/[0-9a-z]{10}", text)
    assert found, text
    return found[0]


async def log(folder: Path) -> list[Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "log", "--json"),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(HOME)},
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    return [json.loads(line) for line in told.splitlines()]


async def test_a_person_opens_the_link_and_gets_the_file(
    tmp_path: Path, free_port: Callable[[], int], program: Callable[[str], Path]
) -> None:
    driver = program("chromedriver")
    async with up(tmp_path, free_port) as bridge, a_browser(driver, tmp_path) as browser:
        await sends(bridge, "Nabídka.pdf", b"%PDF-1.7\n" + b"x" * 300_000)
        (sms,) = await until(bridge.listed)
        await browser.go(link_in(sms["text"]))
        await browser.sees("main", "Files for you")
        await browser.sees("main", "Nabídka.pdf (300 kB)")
        assert (await log(tmp_path))[0]["files"][0]["served"] == 0
        await browser.click("button")

        async def fetched() -> bool:
            served: int = (await log(tmp_path))[0]["files"][0]["served"]
            return served == 1

        await until(fetched)
        assert await browser.run("return document.scripts.length") == 0
        await browser.sees("main", "Files for you")
        assert await browser.complaints() == []
        await browser.go(f"{bridge.base}/f/0000000000")
        await browser.sees("h1", "There is nothing here any more")


async def test_a_kill_leaves_no_link_without_its_file(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    files = {f"file-{n}.pdf": b"%PDF-1.7\n" + os.urandom(900_000) for n in range(24)}
    accepted: set[str] = set()
    some, two = asyncio.Event(), asyncio.Semaphore(2)

    async def deliver(name: str) -> None:
        async with two:
            try:
                await sends(bridge, name, files[name], f"+4206011230{name[5:-4]:0>2}")
            except (OSError, aiosmtplib.SMTPException):
                return
        accepted.add(name)
        if len(accepted) >= 5:
            some.set()

    async with up(tmp_path, free_port) as bridge:
        sending = [asyncio.create_task(deliver(name)) for name in files]
        await asyncio.wait_for(some.wait(), 60)
        await bridge.end(signal.SIGKILL)
        await asyncio.gather(*sending)
        assert len(accepted) < len(files), "the kill came too late to tell anything"
        await bridge.start()

        async def there() -> list[dict[str, str]]:
            found = await bridge.listed()
            return found if {_name(sms) for sms in found} >= accepted else []

        async with aiohttp.ClientSession() as session:
            for sms in await until(there, 60):
                link = link_in(sms["text"])
                async with session.post(link, data={"file": "1"}) as answer:
                    assert answer.status == 200
                    assert await answer.read() == files[_name(sms)]


def _name(sms: dict[str, str]) -> str:
    found = re.search(r"file-\d+\.pdf", sms["text"])
    assert found
    return found[0]
