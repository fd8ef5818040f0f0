"""A one-time link over real HTTP: asking tells nothing, opening shows a text once and harmlessly."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from sqlalchemy import select

from bridge.dispatch.glimpses import link
from bridge.settings import Listen
from bridge.store.audit_tables import audit
from bridge.store.glimpses import VALID_SECONDS
from bridge.store.sql import Many, Script, Statement, insert
from bridge.store.tables import reply, reply_body
from bridge.web.server import WebServer, make_app
from tests.bridges import Running, a_bridge, write_config

NOBODYS = f"/read/{'x' * 32}"
HOSTILE = "<script>alert('1')</script> & \"<img src=x onerror=alert(2)>\" {{ 7*7 }}"
ARABIC = "مرحبا! رمز الباب هو 4711"


@dataclass(frozen=True)
class Answer:
    """What a browser got."""

    status: int
    headers: Mapping[str, str]
    page: str

    @property
    def shown(self) -> str:
        """The text of the SMS as people read it."""
        (found,) = re.findall(r"<blockquote dir=\"auto\">(.*?)</blockquote>", self.page, re.DOTALL)
        return unescape(found)


class Site:
    """The bridge's pages, and the links into them."""

    def __init__(self, running: Running, session: aiohttp.ClientSession, base: str) -> None:
        self.bridge = running.bridge
        self._session = session
        self._base = base
        self._replies = 0

    async def link(self, text: str) -> str:
        """The path of a link to a reply of these words."""
        self._replies += 1
        await self.bridge.store.write(_replies, (self._replies, text))
        return urlsplit(await link(self.bridge, 1, self._replies)).path

    async def asks(self, method: str, path: str, **headers: str) -> Answer:
        async with self._session.request(method, self._base + path, headers=headers) as response:
            return Answer(response.status, response.headers, await response.text())

    async def audited(self) -> int:
        """How many texts have been read."""
        return len(await self.bridge.store.read(Statement(select(audit.c.seq))))


def _replies(items: Sequence[tuple[int, str]]) -> Script:
    """Texts of replies, each of another person."""
    rows = [
        {"id": n, "reply_id": n, "tenant_id": 1, "subject_id": n, "text": text, "at": 0.0}
        for n, text in items
    ]
    yield Many(insert(reply, ("id", "tenant_id", "subject_id", "at")), rows)
    yield Many(insert(reply_body), rows)
    return [None] * len(items)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with a_bridge(write_config(tmp_path), works=False) as running:
        parts = running.parts
        app = make_app(running.bridge, parts.reception, parts.notifier.mailbox, dict, "")
        server = WebServer(app)
        await server.start(Listen("127.0.0.1", 0))
        async with aiohttp.ClientSession() as session:
            try:
                yield Site(running, session, f"http://{server.addresses[0]}")
            finally:
                await server.stop()


async def test_a_link_shows_its_text_once(site: Site) -> None:
    path = await site.link("My door code is 4711")
    first = await site.asks("POST", path)
    assert (first.status, first.shown) == (200, "My door code is 4711")
    again = await site.asks("POST", path)
    assert again.status == 410
    assert "4711" not in again.page
    assert await site.audited() == 1


async def test_of_many_who_open_it_at_once_one_reads_it(site: Site) -> None:
    path = await site.link("My door code is 4711")
    found = await asyncio.gather(*(site.asks("POST", path) for _ in range(8)))
    assert sorted(each.status for each in found) == [200] + [410] * 7
    assert sum("4711" in each.page for each in found) == 1


async def test_asking_consumes_nothing_and_tells_nothing(site: Site) -> None:
    """Chats and virus scanners fetch links; guessers try them."""
    path, used = await site.link("My door code is 4711"), await site.link("Other")
    await site.asks("POST", used)
    for method in ("GET", "HEAD"):
        found = [await site.asks(method, each) for each in (path, used, NOBODYS)]
        assert {(each.status, each.page) for each in found} == {(200, found[0].page)}
        for each in found[1:]:
            assert {**each.headers, "Date": ""} == {**found[0].headers, "Date": ""}
    assert "4711" not in (await site.asks("GET", path)).page
    assert (await site.asks("POST", path)).status == 200


async def test_links_that_do_not_open_are_all_alike(site: Site) -> None:
    used, late = await site.link("Ano"), await site.link("Ne")
    clock = site.bridge.clock
    await site.asks("POST", used)
    site.bridge.clock = lambda: clock() + VALID_SECONDS
    odd = (NOBODYS, "/read/a", "/read/%00", "/read/%ff%fe", f"/read/{'é' * 900}")
    found = [await site.asks("POST", path) for path in (used, late, *odd)]
    assert {(each.status, each.page) for each in found} == {(410, found[0].page)}
    assert await site.audited() == 1


async def test_nobody_keeps_or_frames_it_or_hears_where_it_was(site: Site) -> None:
    path = await site.link("Ano")
    for method, where in (("GET", path), ("POST", path), ("POST", path), ("GET", NOBODYS)):
        headers = (await site.asks(method, where)).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "Set-Cookie" not in headers


async def test_the_button_works_without_a_script_from_any_host(site: Site) -> None:
    """Browsers say `Origin: null` for a form of a page that tells no referrer."""
    path = await site.link("Ano")
    page = (await site.asks("GET", path, Host="sms.example")).page
    assert '<form method="post"><button>' in page
    assert "<script" not in page
    style = re.findall(r'href="([^"]+\.css)"', page)
    assert [(await site.asks("GET", each)).headers["Content-Type"] for each in style] == [
        "text/css; charset=utf-8"
    ]
    opened = await site.asks("POST", path, Host="sms.example", Origin="null")
    assert opened.shown == "Ano"


@pytest.mark.parametrize(
    "text", [HOSTILE, ARABIC, "two\nlines\r\nand a third", "\u202egnp.exe", "0"]
)
async def test_what_people_write_is_shown_as_they_wrote_it(site: Site, text: str) -> None:
    answer = await site.asks("POST", await site.link(text))
    assert answer.shown == text
    assert "<script" not in answer.page
    assert "<img" not in answer.page


async def test_an_empty_text_is_said_to_be_empty(site: Site) -> None:
    answer = await site.asks("POST", await site.link(""))
    assert (answer.status, answer.shown) == (200, "(empty)")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_nothing_else_is_done_with_a_link(site: Site, method: str) -> None:
    path = await site.link("Ano")
    assert (await site.asks(method, path)).status == 405
    assert (await site.asks("POST", path)).status == 200
