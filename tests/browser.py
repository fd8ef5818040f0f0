"""A real Chromium for a test, driven over WebDriver (W3C), without a library."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.bridges import until

_ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --disable-dev-shm-usage "
    "--window-size=1280,880 --lang=en-GB"
).split()


class Browser:
    """One window."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    async def _ask(self, path: str, **body: Any) -> Any:
        async with self._session.post(self._address + path, json=body) as response:
            said = (await response.json())["value"]
        assert response.status == 200, said
        return said

    async def go(self, url: str) -> None:
        """Open a page."""
        await self._ask("/url", url=url)

    async def run(self, script: str, *arguments: Any) -> Any:
        """What this JavaScript returns in the page."""
        return await self._ask("/execute/sync", script=script, args=list(arguments))

    async def text(self, selector: str) -> str:
        """The words of an element, as shown; "" where there is none."""
        found: str = await self.run(
            "return document.querySelector(arguments[0])?.innerText ?? ''", selector
        )
        return found

    async def sees(self, selector: str, words: str) -> str:
        """Wait until an element shows these words; all of its words."""

        async def there() -> str:
            text = await self.text(selector)
            return text if words in text else ""

        found: str = await until(there)
        return found

    async def click(self, selector: str) -> None:
        """Click as a person does."""
        await self._ask(f"/element/{await self._find(selector)}/click")

    async def types(self, selector: str, keys: str) -> None:
        """Press these keys in a field, those of WebDriver (Enter, say) too."""
        await self._ask(f"/element/{await self._find(selector)}/value", text=keys)

    async def wide(self, pixels: int) -> None:
        """Show the page as a screen so wide does; a window itself cannot be as narrow as a phone."""
        metrics = {"width": pixels, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        command = "Emulation.setDeviceMetricsOverride"
        await self._ask("/goog/cdp/execute", cmd=command, params=metrics)

    async def complaints(self) -> list[str]:
        """What the console says of errors: a policy broken, a file missing, a fault in a script."""
        found = await self._ask("/se/log", type="browser")
        return [entry["message"] for entry in found if entry["level"] == "SEVERE"]

    async def _find(self, selector: str) -> str:
        found = await self._ask("/element", using="css selector", value=selector)
        return str(next(iter(found.values())))


@asynccontextmanager
async def a_browser(driver: Path, folder: Path) -> AsyncIterator[Browser]:
    """A window with a profile of its own in `folder`; it ends with the test."""
    process = await asyncio.create_subprocess_exec(
        driver, "--port=0", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        base = f"http://127.0.0.1:{await _port(process)}"
        async with aiohttp.ClientSession() as session:
            address = await _window(session, base, folder)
            try:
                yield Browser(session, address)
            finally:
                await session.delete(address)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        shutil.rmtree(folder / "profile", ignore_errors=True)


async def _port(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while line := await process.stdout.readline():
            if found := re.search(rb"started successfully on port (\d+)", line):
                return int(found[1])
    raise AssertionError("chromedriver ended before it listened")


async def _window(session: aiohttp.ClientSession, base: str, folder: Path) -> str:
    options = {"args": [*_ARGUMENTS, f"--user-data-dir={folder / 'profile'}"]}
    wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "SEVERE"}}
    body = {"capabilities": {"alwaysMatch": wanted}}
    async with session.post(base + "/session", json=body) as response:
        said = (await response.json())["value"]
    assert response.status == 200, said
    return f"{base}/session/{said['sessionId']}"
