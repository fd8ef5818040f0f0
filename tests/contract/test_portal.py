"""The portal over real HTTP: a number is proved by its code, and strangers learn nothing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select
from yarl import URL

from bridge import phone
from bridge.dispatch import consents
from bridge.settings import Listen
from bridge.store.consents import Terms, give_consents
from bridge.store.portal import tidy_portal
from bridge.store.portal_tables import portal_ask, portal_code, portal_session
from bridge.store.request_tables import dsr
from bridge.store.sql import Statement
from bridge.web.server import WebServer, make_app
from tests.bridges import ANNA, BERIT, Running, a_bridge, until, write_config

WORDS = Path(__file__).parents[2] / "bridge" / "web" / "words"
STRANGER = "+420601123499"


@dataclass(frozen=True)
class Answer:
    """What a browser got."""

    status: int
    page: str
    headers: dict[str, str]


class Visitor:
    """A browser with its cookies."""

    def __init__(self, running: Running, session: aiohttp.ClientSession, base: str) -> None:
        self.running = running
        self.session = session
        self.base = base

    async def get(self, path: str, **headers: str) -> Answer:
        async with self.session.get(self.base + path, headers=headers) as answer:
            return Answer(answer.status, await answer.text(), dict(answer.headers))

    async def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> Answer:
        async with self.session.post(self.base + path, data=form, headers=headers) as answer:
            return Answer(answer.status, await answer.text(), dict(answer.headers))

    async def phone(self, number: str) -> list[str]:
        """The texts that a phone received."""
        params = {"to": number}
        async with self.session.get(f"{self.base}/sandbox/api/messages", params=params) as answer:
            return [sms["text"] for sms in await answer.json()]

    async def codes(self, number: str, count: int = 1) -> list[str]:
        """The codes that came to a phone, once there are so many."""

        async def there() -> list[str]:
            texts = await self.phone(number)
            found = [m[0] for text in texts if (m := re.match(r"\d{6}", text))]
            return found if len(found) >= count else []

        found: list[str] = await until(there)
        return found

    async def ask(self, number: str) -> Answer:
        return await self.post("/privacy/code", number=number)

    async def enter(self, number: str) -> Answer:
        """Prove a number."""
        await self.ask(number)
        code = (await self.codes(number))[-1]
        return await self.post("/privacy/enter", number=number, code=code)


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    async with a_bridge(write_config(tmp_path)) as running:
        parts = running.parts
        app = make_app(running.bridge, parts.reception, parts.notifier.mailbox, dict, "")
        server = WebServer(app)
        await server.start(Listen("127.0.0.1", 0))
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            try:
                await running.mail(f"{ANNA}@sms.example")
                yield Visitor(running, session, f"http://{server.addresses[0]}")
            finally:
                await server.stop()


async def test_p23_the_code_that_came_by_sms_opens_the_portal(visitor: Visitor) -> None:
    page = await visitor.enter(ANNA)
    assert page.status == 200
    assert "acme" in page.page
    assert "ends in 456" in page.page
    assert ANNA not in page.page


async def test_p23_after_three_wrong_codes_the_right_one_is_wrong_too(visitor: Visitor) -> None:
    await visitor.ask(ANNA)
    (code,) = await visitor.codes(ANNA)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(3):
        answer = await visitor.post("/privacy/enter", number=ANNA, code=wrong)
        assert answer.status == 403
    assert (await visitor.post("/privacy/enter", number=ANNA, code=code)).status == 403
    assert (await visitor.get("/privacy/me")).status == 403


async def test_p23_a_code_is_good_for_ten_minutes_and_once(visitor: Visitor) -> None:
    bridge = visitor.running.bridge
    clock = bridge.clock
    await visitor.ask(ANNA)
    (code,) = await visitor.codes(ANNA)
    bridge.clock = lambda: clock() + 601
    assert (await visitor.post("/privacy/enter", number=ANNA, code=code)).status == 403
    bridge.clock = clock
    assert (await visitor.post("/privacy/enter", number=ANNA, code=code)).status == 200
    await visitor.post("/privacy/out")
    assert (await visitor.post("/privacy/enter", number=ANNA, code=code)).status == 403


async def test_p74_a_known_and_an_unknown_number_are_answered_alike(visitor: Visitor) -> None:
    commits = visitor.running.bridge.store
    answers, writes = [], []
    for number in (ANNA, STRANGER):
        before = commits.commits
        answer = await visitor.ask(number)
        writes.append(commits.commits > before)
        shown = answer.page.replace(number, "")
        answers.append((answer.status, shown, {**answer.headers, "Date": "", "Content-Length": ""}))
    assert answers[0] == answers[1]
    assert writes == [True, True]
    wrong = [await visitor.post("/privacy/enter", number=n, code="0") for n in (ANNA, STRANGER)]
    assert len({(w.status, w.page.replace(ANNA, "").replace(STRANGER, "")) for w in wrong}) == 1


async def test_p74_a_stranger_gets_no_sms(visitor: Visitor) -> None:
    await visitor.ask(STRANGER)
    await visitor.ask(ANNA)
    await visitor.codes(ANNA)
    assert not await visitor.phone(STRANGER)


async def test_p74_p75_a_phone_is_not_flooded(visitor: Visitor) -> None:
    """Three codes a day for a number, whoever asks; five an hour from one address."""
    for network in range(12):
        headers = {"X-Forwarded-For": f"192.0.2.{network}"}
        answer = await visitor.post("/privacy/code", headers=headers, number=ANNA)
        assert answer.status == 200
    assert len(await visitor.codes(ANNA, 3)) == 3
    bridge = visitor.running.bridge
    clock = bridge.clock
    bridge.clock = lambda: clock() + 86_401
    await visitor.ask(ANNA)
    assert len(await visitor.codes(ANNA, 4)) == 4


async def test_p74_one_address_asks_five_times_an_hour(visitor: Visitor) -> None:
    await visitor.running.mail(f"{BERIT}@sms.example")
    for number in range(5):
        await visitor.ask(f"+4206011239{number:02d}")
    await visitor.ask(BERIT)
    bridge = visitor.running.bridge
    clock = bridge.clock
    bridge.clock = lambda: clock() + 3601
    await visitor.ask(BERIT)
    assert len(await visitor.codes(BERIT)) == 1


async def test_p74_guesses_teach_nothing(visitor: Visitor) -> None:
    """Guessed codes for guessed numbers: one answer, nobody gets in, no SMS leaves."""
    pages = set()
    for guess in range(300):
        number = f"+4206011{guess:05d}"
        answer = await visitor.post("/privacy/enter", number=number, code=f"{guess:06}")
        pages.add((answer.status, answer.page.replace(number, "")))
    assert len(pages) == 1
    assert pages.pop()[0] == 403


async def test_stop_from_the_portal_stops_what_waits_too(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    answer = await visitor.post("/privacy/stop", tenant="1")
    assert "Done." in answer.page
    assert "You get no messages from acme" in answer.page
    before = len(await visitor.phone(ANNA))
    with pytest.raises(Exception, match="opted out"):
        await visitor.running.mail(f"{ANNA}@sms.example")
    assert len(await visitor.phone(ANNA)) == before


async def test_a_person_stops_only_senders_that_have_their_number(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    answer = await visitor.post("/privacy/stop", tenant="77")
    assert answer.status == 400
    assert "does not have your number" in answer.page


async def test_nothing_is_done_without_a_session(visitor: Visitor) -> None:
    for path in ("stop", "out", "download"):
        answer = await visitor.post(f"/privacy/{path}", tenant="1", request="1")
        assert "acme" not in answer.page
    assert (await visitor.get("/privacy/me")).status == 403
    await visitor.running.mail(f"{ANNA}@sms.example")


async def test_another_sites_form_is_refused(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    headers = {"Origin": "https://evil.example"}
    assert (await visitor.post("/privacy/stop", headers=headers, tenant="1")).status == 403
    assert "You get messages from acme" in (await visitor.get("/privacy/me")).page


async def test_a_session_ends(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    bridge = visitor.running.bridge
    clock = bridge.clock
    bridge.clock = lambda: clock() + 1801
    assert (await visitor.get("/privacy/me")).status == 403
    bridge.clock = clock
    assert (await visitor.get("/privacy/me")).status == 200
    await visitor.post("/privacy/out")
    assert (await visitor.get("/privacy/me")).status == 403


async def test_its_one_cookie_is_for_the_portal_alone(visitor: Visitor) -> None:
    await visitor.ask(ANNA)
    (code,) = await visitor.codes(ANNA)
    form = {"number": ANNA, "code": code}
    url = f"{visitor.base}/privacy/enter"
    async with visitor.session.post(url, data=form, allow_redirects=False) as answer:
        cookie = answer.cookies["portal"]
    assert (cookie["path"], cookie["samesite"]) == ("/privacy", "Strict")
    assert cookie["httponly"]
    assert len(visitor.session.cookie_jar.filter_cookies(URL(f"{visitor.base}/privacy"))) == 1


@pytest.mark.parametrize("typed", ["", "abc", "+420", "112", "'; drop table subject", "é" * 500])
async def test_what_is_no_number_is_told(visitor: Visitor, typed: str) -> None:
    answer = await visitor.ask(typed)
    assert answer.status == 400
    assert "not a mobile number" in answer.page


@pytest.mark.parametrize(
    ("accepted", "title"),
    [
        ("cs-CZ,cs;q=0.9,en;q=0.5", "Vaše číslo"),
        ("sk", "Vaše číslo"),
        ("nb-NO,nb;q=0.9", "Nummeret ditt"),
        ("xx;q=1, no;q=0.4, en;q=0.3", "Nummeret ditt"),
        ("", "Your number"),
        ("ja;q=oops,,;;", "Your number"),
    ],
)
async def test_it_speaks_the_readers_language(visitor: Visitor, accepted: str, title: str) -> None:
    headers = {"Accept-Language": accepted}
    assert title in (await visitor.get("/privacy", **headers)).page


async def test_a_chosen_language_stays(visitor: Visitor) -> None:
    await visitor.get("/privacy?lang=cs")
    assert "Vaše číslo" in (await visitor.get("/privacy")).page


def test_every_language_says_everything_with_the_same_places() -> None:
    tables = tomllib.loads((WORDS / "portal.toml").read_text(encoding="utf-8"))
    english = tables["en"]
    for code, table in tables.items():
        assert table.keys() == english.keys(), code
        for key, words in table.items():
            places = [sorted(re.findall(r"{\w*}", each)) for each in (words, english[key])]
            assert places[0] == places[1], f"{code}.{key}"


def _id_of(page: Answer) -> str:
    found = re.search(r"name=\"request\" value=\"(\w+)\"", page.page)
    assert found, "no request is shown"
    return found[1]


async def test_p28_an_objection_in_the_portal_stops_everything_at_once(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    answer = await visitor.post("/privacy/request", tenant="1", type="object")
    assert "Your request is here" in answer.page
    assert "You get no messages from acme" in answer.page
    with pytest.raises(Exception, match="opted out"):
        await visitor.running.mail(f"{ANNA}@sms.example")


async def test_p15_a_request_goes_to_the_tenant_who_decides(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    answer = await visitor.post("/privacy/request", tenant="1", type="access", details="All of it")
    assert "Copy of your data" in answer.page
    assert "with acme" in answer.page
    rows = await visitor.running.rows(Statement(select(dsr.c.state, dsr.c.channel, dsr.c.lang)))
    assert [tuple(row) for row in rows] == [("forwarded", "portal", "en")]


async def test_p23_an_export_needs_a_second_fact(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    page = await visitor.post("/privacy/request", tenant="1", type="access")
    request = _id_of(page)
    level = Statement(select(dsr.c.identity_level))
    for wrong in ("2001-01-01", "acme"):
        answer = await visitor.post("/privacy/second", request=request, date=wrong)
        assert answer.status == 400
        assert (await visitor.running.rows(level))[0][0] == "number"
    today = datetime.fromtimestamp(visitor.running.bridge.clock(), UTC).date().isoformat()
    await visitor.post("/privacy/second", request=request, date=today)
    assert (await visitor.running.rows(level))[0][0] == "second-fact"


async def test_p73_who_did_not_ask_cancels_it(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    request = _id_of(await visitor.post("/privacy/request", tenant="1", type="access"))
    answer = await visitor.post("/privacy/cancel", request=request)
    assert "The request is cancelled" in answer.page
    assert (await visitor.running.rows(Statement(select(dsr.c.state))))[0][0] == "withdrawn"
    assert (await visitor.post("/privacy/download", request=request)).status == 400


async def test_p29_erase_keeps_the_suppression_unless_it_is_not_wanted(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    page = (await visitor.get("/privacy/me")).page
    assert "stays on our list" in page
    assert "messages may come again" in page
    await visitor.post("/privacy/request", tenant="1", type="erase_only")
    ((details,),) = await visitor.running.rows(Statement(select(dsr.c.details)))
    assert '"mode": "only"' in details


async def test_a_person_sees_only_their_own_requests(visitor: Visitor) -> None:
    await visitor.running.mail(f"{BERIT}@sms.example")
    await visitor.enter(BERIT)
    request = _id_of(await visitor.post("/privacy/request", tenant="1", type="access"))
    await visitor.post("/privacy/out")
    page = await visitor.enter(ANNA)
    assert request not in page.page
    for path in ("cancel", "second", "download"):
        answer = await visitor.post(f"/privacy/{path}", request=request, date="2026-11-23")
        assert answer.status == 400
    assert (await visitor.running.rows(Statement(select(dsr.c.state))))[0][0] == "forwarded"


async def test_p31_every_consent_is_shown_with_its_text_and_withdrawn_by_one_click(
    visitor: Visitor,
) -> None:
    bridge = visitor.running.bridge
    tenant = bridge.register.tenants[1]
    person = consents.someone(bridge, tenant, phone.parse(ANNA))
    terms = Terms(text_version="v3", text="I want offers by SMS", given_at=bridge.clock())
    await bridge.store.write(
        give_consents, consents.giving(bridge, tenant, person, terms, frozenset())
    )
    page = await visitor.enter(ANNA)
    assert "I want offers by SMS" in page.page
    found = re.search(r"name=\"consent\" value=\"(\d+)\"", page.page)
    assert found
    answer = await visitor.post("/privacy/withdraw", tenant="1", consent=found[1])
    assert "Your consent no longer holds" in answer.page
    assert "withdrawn on" in answer.page
    assert 'name="consent"' not in answer.page
    (shown,) = await consents.consents_of(bridge, tenant, ANNA)
    assert (shown.state, shown.withdrawn_via) == ("withdrawn", "portal")


async def test_p33_the_authority_and_the_officer_are_named_on_every_page(visitor: Visitor) -> None:
    for page in (await visitor.get("/privacy"), await visitor.ask(ANNA), await visitor.enter(ANNA)):
        assert "https://uoou.gov.cz" in page.page


async def test_what_is_over_is_tidied(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    await visitor.ask(STRANGER)
    store, now = visitor.running.bridge.store, visitor.running.bridge.clock()
    tables = (portal_code, portal_ask, portal_session)
    await store.write(tidy_portal, now)
    for table in tables:
        assert await visitor.running.rows(Statement(select(*table.c)))
    await store.write(tidy_portal, now + 86_401)
    for table in tables:
        assert not await visitor.running.rows(Statement(select(*table.c)))
