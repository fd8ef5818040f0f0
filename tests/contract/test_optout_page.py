"""The page behind an opt-out link: a look changes nothing, a button does, for good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select

from bridge.dispatch.optout import link_hash, secret
from bridge.dispatch.submit import keep, prepare
from bridge.model import Origin, State, Submission
from bridge.operations import REGISTRY, Office
from bridge.settings import Listen
from bridge.store.list_tables import optout_link
from bridge.store.sql import Statement
from bridge.store.tables import body, suppression
from bridge.web.language import languages
from bridge.web.server import WebServer, make_app
from tests.bridges import ANNA, Running, a_bridge, write_config

BERTA = "+420601123457"


@dataclass
class Site:
    """The page of a running bridge."""

    running: Running
    session: aiohttp.ClientSession
    base: str

    async def asks(self, method: str, path: str, **more: Any) -> tuple[int, str, Any]:
        async with self.session.request(method, self.base + path, **more) as answer:
            return answer.status, await answer.text(), answer.headers

    async def sent(self, number: str = ANNA) -> str:
        """A text with a link has been taken; the link's path."""
        bridge = self.running.bridge
        ready = prepare(bridge, self._submission(number))
        given = secret(bridge.keys, self.tenant, number)
        ready.prepared.optout_link = link_hash(given)
        assert (await keep(bridge, ready.prepared, "cli")).state is State.QUEUED
        return f"/o/{given}"

    @property
    def tenant(self) -> int:
        found = self.running.bridge.register.named("acme")
        assert found is not None
        return found.id

    def _submission(self, number: str) -> Submission:
        return Submission(self.tenant, Origin("cli", "eva"), number, "CZ", "Sale today")

    async def listed(self) -> list[tuple[str, str, str]]:
        wanted = select(suppression.c.scope, suppression.c.purpose, suppression.c.source)
        return [(r[0], r[1], r[2]) for r in await self.running.rows(Statement(wanted))]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    config = write_config(tmp_path, tenant='originator = "ACME"')
    async with a_bridge(config, works=False) as running:
        parts = running.parts
        app = make_app(running.bridge, parts.reception, parts.notifier.mailbox, dict, "")
        server = WebServer(app)
        await server.start(Listen("127.0.0.1", 0))
        async with aiohttp.ClientSession() as session:
            try:
                yield Site(running, session, f"http://{server.addresses[0]}")
            finally:
                await server.stop()


async def test_p46_a_program_that_looks_at_links_opts_nobody_out(site: Site) -> None:
    path = await site.sent()
    for method in ("GET", "HEAD", "GET"):
        status, page, headers = await site.asks(method, path)
        assert status == 200
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "<script" not in page
    assert await site.listed() == []
    _, unknown, _ = await site.asks("GET", "/o/AAAAAAAAAAAA")
    assert unknown == page


async def test_p46_the_button_stops_what_it_says_and_what_waits(site: Site) -> None:
    path = await site.sent()
    status, page, _ = await site.asks("POST", path, data={"purpose": "marketing"})
    assert (status, "no more advertising" in page) == (200, True)
    assert await site.listed() == [("tenant", "marketing", "link")]
    assert await site.running.states() == ["queued"]
    status, page, _ = await site.asks("POST", path, data={"purpose": "any"})
    assert (status, "no more messages" in page) == (200, True)
    assert set(await site.listed()) == {("tenant", "marketing", "link"), ("tenant", "any", "link")}
    assert await site.running.states() == ["suppressed"]


async def test_an_unknown_link_opts_nobody_out(site: Site) -> None:
    path = await site.sent()
    for wrong in (path[:-1], f"{path}A", "/o/AAAAAAAAAAAA", "/o/%00", "/o/style.css"):
        status, page, _ = await site.asks("POST", wrong, data={"purpose": "any"})
        assert status in (404, 405)
        assert ANNA not in page
    assert await site.listed() == []


@pytest.mark.parametrize(
    ("accepts", "words"),
    [
        ("en", "No more messages?"),
        ("cs-CZ,cs", "Nechcete další"),
        ("nb", "Ikke flere"),
        ("xx", "No"),
    ],
)
async def test_it_speaks_its_readers_language(site: Site, accepts: str, words: str) -> None:
    _, page, _ = await site.asks("GET", "/o/A", headers={"Accept-Language": accepts})
    assert words in page


def test_every_language_has_all_words() -> None:
    tables = [set(words.table) for words in languages("optout").values()]
    assert all(table == tables[0] for table in tables)


async def test_the_store_does_not_know_the_link_itself(site: Site) -> None:
    path = await site.sent()
    rows = await site.running.rows(Statement(select(*optout_link.columns)))
    assert len(rows) == 1
    assert path.rpartition("/")[2] not in str([tuple(row) for row in rows])
    assert ANNA[1:] not in str([tuple(row) for row in rows])
    assert await site.sent() == path
    assert await site.sent(BERTA) != path


async def test_p46_an_advertisement_from_a_name_leaves_with_its_link(site: Site) -> None:
    running = site.running
    office = Office(running.bridge, running.bridge.silence, "eva")
    given = {"evidence": "web form", "programme": ""}
    async for _ in REGISTRY["consent add"](office, number=ANNA, tenant="acme", given=given):
        pass
    advert = {"tenant": "acme", "to": ANNA, "text": "OS ACME: Sale today", "klass": "marketing"}
    async for _ in REGISTRY["send"](office, **advert):
        pass
    ((text,),) = await running.rows(Statement(select(body.c.text)))
    link = text.rpartition(" ")[2]
    assert text.startswith("OS ACME: Sale today\n")
    assert link.startswith("http://127.0.0.1:8080/o/")
    status, _, _ = await site.asks("POST", link.removeprefix("http://127.0.0.1:8080"), data={})
    assert status == 200
    assert await site.listed() == [("tenant", "any", "link")]


@pytest.mark.parametrize(("accepted", "more"), [("cs", "Kdo má vaše číslo"), ("nb", "Hvem som")])
async def test_p31_the_link_leads_to_all_else_that_a_person_may_ask_for(
    site: Site, accepted: str, more: str
) -> None:
    path = await site.sent()
    headers = {"Accept-Language": accepted}
    pages = [
        await site.asks("GET", path, headers=headers),
        await site.asks("POST", path, headers=headers, data={"purpose": "any"}),
        await site.asks("POST", "/o/nothing", headers=headers, data={"purpose": "any"}),
    ]
    for _, page, _ in pages:
        assert 'href="/privacy?lang=' in page
        assert more in page
    status, _, got = await site.asks("GET", "/o/icon.svg")
    assert (status, got["Content-Type"].partition(";")[0]) == (200, "image/svg+xml")
