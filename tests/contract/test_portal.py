"""The portal over real HTTP: a number is proved by its code, and strangers learn nothing."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from sqlalchemy import func, select, update
from yarl import URL

from bridge import phone
from bridge.dispatch import consents, deciding, identity, receipting
from bridge.dispatch.requests import By
from bridge.dispatch.submit import submit
from bridge.model import Origin, Submission
from bridge.settings import Listen
from bridge.store import ids, tables
from bridge.store.consents import Terms, give_consents
from bridge.store.portal import tidy_portal
from bridge.store.portal_tables import portal_ask, portal_code, portal_session
from bridge.store.request_tables import dsr
from bridge.store.sql import Do, Script, Statement
from bridge.web.language import languages
from bridge.web.receipts import STAYS, readable
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
    assert "This was not possible" in answer.page
    assert "You get messages from acme" in answer.page


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
    assert "you get no messages until that ends" in answer.page
    with pytest.raises(Exception, match="opted out"):
        await visitor.running.mail(f"{ANNA}@sms.example")


async def test_p28_an_objection_to_advertising_leaves_alarms_alone(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    answer = await visitor.post("/privacy/request", tenant="1", type="object_marketing")
    assert "You get no advertising from acme" in answer.page
    assert "You get messages from acme" in answer.page
    await visitor.running.mail(f"{ANNA}@sms.example")


async def test_p52_a_new_owner_reads_nothing_of_the_former_one(visitor: Visitor) -> None:
    bridge = visitor.running.bridge
    tenant = bridge.register.named("acme")
    assert tenant is not None
    person = consents.someone(bridge, tenant, phone.parse(ANNA))
    terms = Terms(text_version="v3", text="I want offers by SMS", given_at=bridge.clock())
    await bridge.store.write(
        give_consents, consents.giving(bridge, tenant, person, terms, frozenset())
    )
    await visitor.enter(ANNA)
    await visitor.post("/privacy/request", tenant="1", type="rectify", details="I am Anna")
    before = (await visitor.get("/privacy/me")).page
    assert "Withdraw" in before
    assert "asked for on" in before
    number, by = phone.parse(ANNA), By("eva", "cli")
    await identity.reassigned(bridge, number, "the network says so", bridge.clock(), by)
    after = (await visitor.get("/privacy/me")).page
    assert "No consent of yours is written down." in after
    assert "You have asked for nothing so far." in after


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


async def test_whoever_is_signed_in_needs_no_other_code(visitor: Visitor) -> None:
    await visitor.enter(ANNA)
    answer = await visitor.get("/privacy?lang=cs")
    assert answer.status == 200
    assert "končí na 456" in answer.page
    assert 'id="number"' not in answer.page


async def test_every_page_says_where_to_ask_by_mail_and_names_its_choice_of_languages(
    visitor: Visitor,
) -> None:
    for page in (await visitor.get("/privacy"), await visitor.ask(ANNA), await visitor.enter(ANNA)):
        assert 'href="mailto:privacy@sms.example"' in page.page
        assert 'aria-label="Language"' in page.page


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


SECOND = """
[[tenants]]
name = "second"
region = "CZ"
profile = "controller"
authority = "NO"
"""


@pytest.fixture
async def czech(tmp_path: Path) -> AsyncIterator[Visitor]:
    """Two tenants, and a browser that wants Czech."""
    config = write_config(tmp_path, more=SECOND)
    async with a_bridge(config) as running:
        parts = running.parts
        app = make_app(running.bridge, parts.reception, parts.notifier.mailbox, dict, "")
        server = WebServer(app)
        await server.start(Listen("127.0.0.1", 0))
        jar = aiohttp.CookieJar(unsafe=True)
        headers = {"Accept-Language": "cs"}
        async with aiohttp.ClientSession(cookie_jar=jar, headers=headers) as session:
            try:
                await running.mail(f"{ANNA}@sms.example")
                yield Visitor(running, session, f"http://{server.addresses[0]}")
            finally:
                await server.stop()


def _id(visitor: Visitor, name: str) -> str:
    tenants = visitor.running.bridge.register.tenants.values()
    return next(str(tenant.id) for tenant in tenants if tenant.name == name)


async def _second(visitor: Visitor) -> str:
    """The other tenant has texted Anna; its id."""
    second = _id(visitor, "second")
    origin = Origin("cli", "test")
    await submit(visitor.running.bridge, Submission(int(second), origin, ANNA, "CZ", "Ahoj"))
    return second


async def _sent(visitor: Visitor) -> dict[str, int]:
    query = Statement(
        select(tables.tenant.c.name, func.count())
        .join(tables.message, tables.message.c.tenant_id == tables.tenant.c.id)
        .where(tables.message.c.sent_at.is_not(None))
        .group_by(tables.tenant.c.name)
    )
    return {row[0]: row[1] for row in await visitor.running.rows(query)}


async def test_an_act_that_is_not_possible_is_told_in_the_readers_language(czech: Visitor) -> None:
    await czech.enter(ANNA)
    request = _id_of(await czech.post("/privacy/request", tenant=_id(czech, "acme"), type="access"))
    for path, form in {
        "second": {"request": request, "date": "2001-01-01"},
        "download": {"request": request},
        "cancel": {"request": "0000000000000"},
        "request": {"tenant": _id(czech, "acme"), "type": "nonsense"},
        "withdraw": {"tenant": _id(czech, "acme"), "consent": "7"},
        "stop": {"tenant": "77"},
    }.items():
        answer = await czech.post(f"/privacy/{path}", **form)
        said = re.search(r'role="alert">([^<]+)<', answer.page)
        assert said, path
        assert not re.search(r"\b(the|this|not|is|of|that|it)\b", said[1]), said[1]
    wrong = await czech.post("/privacy/second", request=request, date="2001-01-01")
    assert re.search(
        rf'id="d{request}"[^>]+aria-invalid="true" aria-describedby="problem"', wrong.page
    )


async def test_dates_are_written_as_the_reader_writes_them(czech: Visitor) -> None:
    await czech.enter(ANNA)
    page = await czech.post("/privacy/request", tenant=_id(czech, "acme"), type="access")
    assert not re.search(r"\d{4}-\d\d-\d\d", page.page)
    at = datetime.fromtimestamp(czech.running.bridge.clock(), ZoneInfo("Europe/Prague"))
    assert f"žádost z {at.day}.\N{NBSP}" in page.page
    assert re.search(r"nejdříve \d+\.\N{NBSP}\w+ \d{4} \d\d:\d\d CES?T", page.page)

    async def notice() -> bool:
        return any("Nekdo zada" in text for text in await czech.phone(ANNA))

    await until(notice)
    notices = [text for text in await czech.phone(ANNA) if "Nekdo zada" in text]
    assert re.search(r"vydame ji nejdrive \d+\. \d+\. \d{4} \d\d:\d\d CES?T\.", notices[-1])


async def test_p33_each_sender_has_its_own_authority(czech: Visitor) -> None:
    await _second(czech)
    page = await czech.enter(ANNA)
    acme, _, second = page.page.partition(">second</h2>")
    assert "datatilsynet" not in acme
    assert "https://www.datatilsynet.no" in second


async def test_p23_the_day_that_is_asked_for_is_that_of_the_sender_who_is_asked_about(
    czech: Visitor,
) -> None:
    """Another sender wrote later: the honest answer about the first one is right all the same."""
    running = czech.running
    await _second(czech)

    async def both() -> bool:
        return (await _sent(czech)).keys() >= {"acme", "second"}

    await until(both)
    week = czech.running.bridge.clock() - 7 * 86400
    await running.bridge.store.write(_backdate, (int(_id(czech, "acme")), week))
    await czech.enter(ANNA)
    request = _id_of(await czech.post("/privacy/request", tenant=_id(czech, "acme"), type="access"))
    answered = datetime.fromtimestamp(week, UTC).date().isoformat()
    page = await czech.post("/privacy/second", request=request, date=answered)
    assert page.status == 200
    assert "Je to správně" in page.page
    level = Statement(select(dsr.c.identity_level))
    assert (await running.rows(level))[0][0] == "second-fact"


def _backdate(items: Sequence[tuple[int, float]]) -> Script:
    for tenant, at in items:
        text = update(tables.message).where(tables.message.c.tenant_id == tenant)
        yield Do(Statement(text.values(sent_at=at)), {})
    return [None] * len(items)


async def test_what_somebody_asked_for_by_mail_is_confirmed_in_the_portal(visitor: Visitor) -> None:
    """The letter says so: until then nothing is shown, and it may be somebody else's."""
    running = visitor.running
    text = f"Please send me a copy of my data: {ANNA}"
    await running.mail("privacy@sms.example", text=text, sender="eva@person.example")
    page = await visitor.enter(ANNA)
    assert "waits for your proof" in page.page or "received" in page.page
    request = _id_of(page)
    confirmed = await visitor.post("/privacy/confirm", request=request)
    assert "counts as yours now" in confirmed.page
    found = await running.rows(Statement(select(dsr.c.state, dsr.c.identity_level)))
    assert [tuple(row) for row in found] == [("forwarded", "number")]
    assert "/privacy/confirm" not in confirmed.page
    again = await visitor.post("/privacy/confirm", request=request)
    assert again.status == 400


async def test_p68_who_was_erased_finds_the_receipt_by_its_address_alone(czech: Visitor) -> None:
    bridge = czech.running.bridge
    second = await _second(czech)
    await czech.enter(ANNA)
    page = await czech.post("/privacy/request", tenant=second, type="erase")
    found = re.search(r'href="[^"]*(/privacy/receipt/[\w-]+)"', page.page)
    assert found, "the page names no address for the receipt"
    assert (await czech.get(found[1])).status == 404
    reference = found[1].rpartition("/")[2].partition("-")[0]
    request = ids.read(reference)
    await deciding.approve(bridge, request, By("eva", "cli"))
    _, confirm = await deciding.previewed(bridge, request, By("eva", "cli"))
    await deciding.run(bridge, request, confirm, By("petr", "cli"))
    assert bridge.clerk is not None
    await bridge.clerk.carry_out(request)
    await czech.post("/privacy/out")
    receipt = await czech.get(found[1])
    assert receipt.status == 200
    assert "Vaše údaje jsou vymazány" in receipt.page
    assert "6 měsíců" in receipt.page
    assert not re.search(r"\d{4}-\d\d-\d\d|\b(the|of|that)\b", receipt.page.partition("<main>")[2])
    signed = await czech.get(f"{found[1]}/signed")
    assert json.loads(signed.page)["receipt"]["request"] == reference
    forged = f"/privacy/receipt/{reference}-{'0' * 20}"
    assert (await czech.get(forged)).status == 404


async def test_a_browser_without_cookies_is_told_what_is_missing(visitor: Visitor) -> None:
    await visitor.ask(ANNA)
    (code,) = await visitor.codes(ANNA)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        bare = Visitor(visitor.running, session, visitor.base)
        answer = await bare.post("/privacy/enter", number=ANNA, code=code)
    assert answer.status == 403
    assert "Allow cookies" in answer.page


async def test_a_wrong_number_and_a_wrong_code_are_told_at_their_fields(visitor: Visitor) -> None:
    page = (await visitor.ask("601 12")).page
    assert re.search(r'id="number"[^>]+value="601 12" aria-invalid="true"', page)
    assert 'id="problem"' in page
    await visitor.ask(ANNA)
    page = (await visitor.post("/privacy/enter", number=ANNA, code="0")).page
    assert re.search(r'id="code"[^>]+aria-invalid="true" aria-describedby="problem"', page)


@pytest.mark.parametrize("lang", ["en", "cs", "no"])
def test_p68_whatever_a_receipt_says_stays_is_said_in_each_language(lang: str) -> None:
    source = Path(receipting.__file__).read_text(encoding="utf-8")
    kinds = set(re.findall(r'_kept\(\s*"(\w+)"', source))
    assert kinds == set(STAYS)
    until = ["60d", "6mo", "2y", "never", "theirs", "2026-12-07T00:00:00Z", "as the texts"]
    document = {
        "request": "1",
        "erased_at": "2026-11-23T10:00:00Z",
        "erased": [{"of": "acme"}],
        "backups": {"until": "2027-03-23T10:00:00Z"},
        "elsewhere": [{"name": "smsc-1"}],
        "stays": [{"what": what, "why": "why", "until": each} for what in kinds for each in until],
    }
    told = readable(json.dumps({"receipt": document}), languages("portal")[lang])
    assert len(told["stays"]) == len(kinds) * len(until)
    assert not any("why" in line or "theirs" in line or "2026-12" in line for line in told["stays"])
