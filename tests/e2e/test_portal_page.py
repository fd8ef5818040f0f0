"""A person before a real browser: proves the number, sees who has it, asks, and stops it all."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.bridges import ANNA, until
from tests.browser import Browser, a_browser
from tests.e2e.test_sandbox_page import ENTER, Up, up


async def _code(bridge: Up) -> str:
    async def there() -> str:
        texts = [sms["text"] for sms in await bridge.listed()]
        found = [m[0] for text in texts if (m := re.match(r"\d{6}(?= )", text))]
        return found[-1] if found else ""

    found: str = await until(there)
    return found


async def _sign_in(browser: Browser, bridge: Up) -> None:
    await browser.go(f"{bridge.base}/privacy?lang=en")
    await browser.sees("main", "Your mobile number")
    await browser.types("#number", f"601 123 456{ENTER}")
    await browser.sees("main", "gets an SMS with a code now")
    await browser.types("#code", f"{await _code(bridge)}{ENTER}")
    await browser.sees("main", "ends in 456")


async def test_a_person_takes_their_number_into_their_own_hands(
    tmp_path: Path, free_port: Callable[[], int], program: Callable[[str], Path]
) -> None:
    driver = program("chromedriver")
    async with up(tmp_path, free_port) as bridge, a_browser(driver, tmp_path) as browser:
        await bridge.mail(ANNA, "Kotel 3 je studený")
        await _sign_in(browser, bridge)
        await browser.sees("section", "You get messages from default")

        await browser.click("summary")
        await browser.click("input[value=access]")
        await browser.types("textarea", "Everything, please")
        await browser.click("details button")
        await browser.sees(".notice", "Your request is here")
        await browser.sees("section", "Copy of your data")

        await browser.click("button.strong")
        await browser.sees(".notice", "No more messages from default leave for you")
        await browser.sees("section", "You get no messages from default")

        await browser.click("nav a[lang=cs]")
        await browser.sees("h1", "Vaše číslo a vaše zprávy")
        await browser.go(f"{bridge.base}/privacy/me")
        await browser.sees("section", "Od default žádné zprávy nedostáváte")
        assert await browser.complaints() == []


async def test_every_field_has_its_name_and_the_page_its_language(
    tmp_path: Path, free_port: Callable[[], int], program: Callable[[str], Path]
) -> None:
    """What a screen reader needs: names, one main heading, the language, room to zoom."""
    driver = program("chromedriver")
    async with up(tmp_path, free_port) as bridge, a_browser(driver, tmp_path) as browser:
        await bridge.mail(ANNA, "Kotel 3 je studený")
        await _sign_in(browser, bridge)
        await browser.click("summary")
        nameless = await browser.run(
            "return [...document.querySelectorAll('input:not([type=hidden]), textarea, button')]"
            ".filter(e => !e.labels?.length && !e.innerText.trim()).map(e => e.outerHTML)"
        )
        assert nameless == []
        assert await browser.run("return document.querySelectorAll('h1').length") == 1
        assert await browser.run("return document.documentElement.lang") == "en"
        scripts = await browser.run("return document.scripts.length")
        assert scripts == 0
        wide = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert await browser.run(wide) is False
        await browser.click("input[value=erase]")
        await browser.click("details button")
        await browser.sees("section", "/privacy/receipt/")
        await browser.wide(360)
        assert await browser.run(wide) is False
