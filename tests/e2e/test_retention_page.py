"""The operator's table of periods: over real sockets, and in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from bridge.dispatch import holding
from bridge.dispatch.keeping import Keeper
from bridge.privacy.retention import rules
from tests.bridges import ANNA, Running, a_bridge, until, write_config
from tests.browser import a_browser

DAY = 86_400.0


@asynccontextmanager
async def pages(folder: Path, more: str = "") -> AsyncIterator[tuple[Running, str]]:
    """A bridge that has delivered an SMS to Anna, and the address of its pages."""
    async with a_bridge(write_config(folder, more=more)) as running:
        await running.mail(f"{ANNA}@sms.example")

        async def delivered() -> bool:
            return await running.states() == ["delivered"]

        await until(delivered)
        yield running, f"http://{await running.parts.web('127.0.0.1:2525', [])}"


def later(running: Running, days: float) -> None:
    """So many days pass."""
    real = running.bridge.clock
    running.bridge.clock = lambda: real() + days * DAY


async def fetched(url: str, **headers: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers=headers) as response,
    ):
        return response.status, await response.text()


async def test_the_page_shows_every_class_what_is_due_and_what_went(tmp_path: Path) -> None:
    async with pages(tmp_path) as (running, base):
        status, page = await fetched(f"{base}/retention")
        assert status == 200
        for name, rule in rules().items():
            assert f'id="class-{name}"' in page
            assert rule.clause in page
        assert ANNA not in page
        later(running, 61)
        _, page = await fetched(f"{base}/retention")
        assert '<td class="count some">1</td>' in page
        async for _ in Keeper(running.bridge).run(dry=False):
            pass
        ran = datetime.fromtimestamp(running.bridge.clock(), UTC)
        later(running, 1)
        _, page = await fetched(f"{base}/retention")
        assert "1 body deleted" in page
        assert f">{ran:%Y-%m-%d}, " in page
        assert '<td class="count some">' not in page


async def test_a_period_that_was_agreed_to_is_shown(tmp_path: Path) -> None:
    async with pages(tmp_path) as (running, base):
        made = await holding.propose(running.bridge, "traffic", "5mo", "enough", "eva", 0)
        await holding.agree_to_period(running.bridge, made, "ota")
        own = await holding.propose(running.bridge, "text", "30d", "enough", "eva", 1)
        await holding.agree_to_period(running.bridge, own, "ota")
        _, page = await fetched(f"{base}/retention")
        assert "<b>5 months</b>" in page
        assert "another period for acme" in page


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"X-Forwarded-For": "203.0.113.7"}], ids=str
)
async def test_a_stranger_sees_no_page(tmp_path: Path, headers: dict[str, str]) -> None:
    async with pages(tmp_path) as (_, base):
        status, page = await fetched(f"{base}/retention", **headers)
        assert status == 403
        assert "Kept for" not in page


async def test_the_page_in_a_browser(tmp_path: Path, program: Callable[[str], Path]) -> None:
    driver = program("chromedriver")
    async with pages(tmp_path) as (running, base), a_browser(driver, tmp_path) as browser:
        later(running, 200)
        await browser.go(f"{base}/sandbox")
        await browser.click(".tabs a:last-child")
        row = await browser.sees("#class-text", "60 days")
        assert "SendSMSGate 7.1" in row
        assert await browser.text("#class-traffic .count") == "1"
        assert await browser.text("[aria-current]") == "Retention"
        wide = "return document.documentElement.scrollWidth <= innerWidth"
        assert await browser.run(wide)
        await browser.wide(360)
        for path in ("/sandbox", "/sandbox/mailbox", "/retention"):
            await browser.go(base + path)
            await browser.sees(".tabs", "Retention")
            await browser.run("document.querySelector('#live').hidden = false")
            assert await browser.run(wide), path
        assert await browser.complaints() == []
