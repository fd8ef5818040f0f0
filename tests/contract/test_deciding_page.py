"""A tenant without a chat decides on a request: an address in a mail, a page, a recorded word."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select

from bridge.dispatch.requests import Ask, Someone, open_request
from bridge.privacy.requests import Kind
from bridge.settings import Listen
from bridge.store.audit_tables import audit
from bridge.store.request_tables import dsr, instruction
from bridge.store.requests import Check
from bridge.store.sql import Statement
from bridge.web.server import WebServer, make_app
from tests.bridges import ANNA, Running, a_bridge, until, write_config

EVA, JAN = "eva@acme.example", "jan@acme.example"
WORDS = Path(__file__).parents[2] / "bridge" / "web" / "words" / "decide.toml"


class Desk:
    """A bridge, its pages, and the mails of those who decide."""

    def __init__(self, running: Running, session: aiohttp.ClientSession, base: str) -> None:
        self.running, self.session, self.base = running, session, base

    async def asked(self, kind: Kind = Kind.ACCESS, words: str = "I was never told") -> None:
        """Anna asks, and proves who she is."""
        bridge = self.running.bridge
        tenant = bridge.register.named("acme")
        now = bridge.clock()
        proof = Check("portal", now, now, passed=True)
        who, details = Someone("number", ANNA), {"words": words}
        ask = Ask(kind, who, tenant, "portal", "the person", "en", details=details, proof=proof)
        await open_request(bridge, ask)

    async def address(self, decider: str = EVA) -> str:
        """The path that this decider was mailed."""

        async def there() -> str:
            texts = [m["text"] for m in await self.running.mails() if m["to"] == decider]
            found = [path for text in texts for path in re.findall(r"/decide/\S+", text)]
            return found[-1] if found else ""

        return str(await until(there))

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.base + path) as answer:
            return answer.status, await answer.text()

    async def post(self, path: str, lang: str = "en", **form: str) -> tuple[int, str]:
        headers = {"Accept-Language": lang}
        async with self.session.post(self.base + path, data=form, headers=headers) as answer:
            return answer.status, await answer.text()

    async def state(self) -> str:
        return str((await self.running.rows(Statement(select(dsr.c.state))))[-1][0])


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    tenant = f'inbox = ["noc@acme.example"]\ndeciders = ["{EVA}", "{JAN}"]'
    async with a_bridge(write_config(tmp_path, tenant=tenant)) as running:
        parts = running.parts
        app = make_app(running.bridge, parts.reception, parts.notifier.mailbox, dict, "")
        server = WebServer(app)
        await server.start(Listen("127.0.0.1", 0))
        async with aiohttp.ClientSession() as session:
            try:
                await running.mail(f"{ANNA}@sms.example")
                yield Desk(running, session, f"http://{server.addresses[0]}")
            finally:
                await server.stop()


async def test_p16_who_decides_by_mail_reads_the_request_and_their_word_is_recorded(
    desk: Desk,
) -> None:
    await desk.asked()
    path = await desk.address()
    status, page = await desk.get(path)
    assert status == 200
    assert ANNA not in page
    status, page = await desk.post(path)
    assert status == 200
    assert ANNA in page
    assert "I was never told" in page
    assert await desk.state() == "forwarded"
    status, page = await desk.post(path, decision="fulfil", reason="she is our customer")
    assert (status, "recorded" in page) == (200, True)
    assert await desk.state() == "approved"
    given = await desk.running.rows(
        Statement(select(instruction.c.actor, instruction.c.channel, instruction.c.decision))
    )
    assert [tuple(row) for row in given] == [("e…@acme.example", "mail", "fulfil")]
    acts = await desk.running.rows(Statement(select(audit.c.actor, audit.c.action)))
    assert ("e…@acme.example", "dsar read") in [tuple(row) for row in acts]
    status, page = await desk.post(path)
    assert "nothing to decide now" in page


async def test_the_inbox_is_told_and_gets_no_address(desk: Desk) -> None:
    await desk.asked()
    await desk.address()
    theirs = [m["text"] for m in await desk.running.mails() if m["to"] == "noc@acme.example"]
    assert theirs
    assert not any("/decide/" in text for text in theirs)


async def test_each_has_an_address_and_it_ends_with_their_place_on_the_list(desk: Desk) -> None:
    await desk.asked()
    eva, jan = await desk.address(EVA), await desk.address(JAN)
    assert eva != jan
    register = desk.running.bridge.register
    tenants = {k: replace(t, deciders=(JAN,)) for k, t in register.tenants.items()}
    desk.running.bridge.register = replace(register, tenants=tenants)
    assert (await desk.post(eva))[0] == 404
    assert (await desk.post(jan))[0] == 200


@pytest.mark.parametrize("wrong", ["", "x", "0-0", "zz-é"])
async def test_an_address_that_nobody_was_mailed_shows_nothing(desk: Desk, wrong: str) -> None:
    await desk.asked()
    path = await desk.address()
    stem = path.partition("-")[0]
    for each in (f"/decide/{wrong or 'none'}", f"{stem}-{wrong}", path[:-1] + "."):
        status, page = await desk.post(each, decision="fulfil", reason="x")
        assert status == 404
        assert ANNA not in page
    assert await desk.state() == "forwarded"


async def test_another_sites_page_decides_nothing(desk: Desk) -> None:
    await desk.asked()
    path = await desk.address()
    form = {"decision": "fulfil", "reason": "x"}
    headers = {"Origin": "https://evil.example"}
    async with desk.session.post(desk.base + path, data=form, headers=headers) as answer:
        assert answer.status == 403
    assert await desk.state() == "forwarded"


async def test_a_refusal_needs_a_reason_and_the_page_says_so(desk: Desk) -> None:
    await desk.asked()
    path = await desk.address()
    status, page = await desk.post(path, decision="refuse", reason=" ")
    assert status == 400
    assert "a decision needs its reason" in page
    status, _ = await desk.post(path, decision="refuse", reason="asked five times")
    assert (status, await desk.state()) == (200, "refused")


async def test_an_erasure_still_needs_a_second_person(desk: Desk) -> None:
    await desk.asked(Kind.ERASE)
    path = await desk.address()
    _, page = await desk.post(path, "cs")
    assert "druhý člověk" in page
    await desk.post(path, decision="fulfil", reason="she may go")
    assert await desk.state() == "instructed"


def test_the_page_says_the_same_in_each_language() -> None:
    tables = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    assert {frozenset(words) for words in tables.values()} == {frozenset(tables["en"])}
    assert set(tables) == {"en", "cs", "no"}
    assert {f"type_{kind}" for kind in Kind} <= set(tables["en"])
