"""Files of mails behind a link, over real SMTP, HTTP and both databases: who gets what, how long."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import aiosmtplib
import jsonschema
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select

from bridge.dispatch.attaching import File, Parcel
from bridge.dispatch.exporting import Wanted, document_of
from bridge.dispatch.fetching import TRIES
from bridge.dispatch.requests import Someone
from bridge.dispatch.submit import keep, prepare
from bridge.errors import TryLater
from bridge.model import Origin, State, Submission
from bridge.operations import REGISTRY, Office
from bridge.privacy.export import SCHEMA, page
from bridge.settings import Listen
from bridge.store.attachment_tables import attachment, attachment_chunk
from bridge.store.attachments import Attached
from bridge.store.sql import Statement
from bridge.store.tables import body, message
from bridge.web.language import languages
from bridge.web.probe import probe
from bridge.web.server import WebServer, make_app
from tests.bridges import ANNA, WRITER, Running, a_bridge, write_config

BERTA = "+420601123457"
PDF = b"%PDF-1.7\n" + os.urandom(500_000)
NOTES = b"Two lines\nof notes\n"
DAY = 86_400.0
_TEXTS = Statement(select(body.c.text).order_by(body.c.message_id))
_LINK = re.compile(r"http://\S+/f/([0-9a-z]{10})")


def a_mail(*attached: tuple[str, bytes], text: str = "Here is the offer", number: int = 0) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = WRITER, "x@sms.example", "Offer"
    if number:
        mail["Message-ID"] = f"<{number}@acme.example>"
    mail.set_content(text)
    for name, data in attached:
        mail.add_attachment(data, "application", "octet-stream", filename=name)
    return mail.as_bytes()


OFFER = a_mail(("Nabídka č. 1.pdf", PDF), ("notes.txt", NOTES))


@dataclass
class Answer:
    """What a browser got."""

    status: int
    headers: Any
    data: bytes

    @property
    def page(self) -> str:
        return self.data.decode()


@dataclass
class Site:
    """A running bridge and its page."""

    running: Running
    session: aiohttp.ClientSession
    base: str

    async def sends(self, raw: bytes, *to: str) -> str:
        try:
            return await self.running.raw([f"{each}@sms.example" for each in to or (ANNA,)], raw)
        except aiosmtplib.SMTPDataError as no:
            return f"{no.code} {no.message}"

    async def asks(self, method: str, path: str, **more: Any) -> Answer:
        async with self.session.request(method, self.base + path, **more) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def texts(self) -> list[str]:
        return [row[0] for row in await self.running.rows(_TEXTS)]

    async def paths(self) -> list[str]:
        """The path of the link in each text."""
        return [f"/f/{found[1]}" for text in await self.texts() if (found := _LINK.search(text))]

    async def count(self, table: Any) -> int:
        rows = await self.running.rows(Statement(select(func.count()).select_from(table)))
        found: int = rows[0][0]
        return found

    async def asked(self, operation: str, **more: Any) -> list[Any]:
        office = Office(self.running.bridge, self.running.bridge.silence, "eva")
        return [each async for each in REGISTRY[operation](office, **more)]

    async def erases(self, number: str) -> None:
        await self.asked("privacy erase", number=number, tenant="acme", instruction="by letter")

    def later(self, seconds: float) -> None:
        clock = self.running.bridge.clock
        self.running.bridge.clock = lambda: clock() + seconds


@asynccontextmanager
async def a_site(folder: Path, **config: Any) -> AsyncIterator[Site]:
    async with a_bridge(write_config(folder, **config), works=False) as running:
        parts = running.parts
        app = make_app(running.bridge, parts.reception, parts.notifier.mailbox, dict, "")
        server = WebServer(app)
        await server.start(Listen("127.0.0.1", 0))
        async with aiohttp.ClientSession() as session:
            try:
                yield Site(running, session, f"http://{server.addresses[0]}")
            finally:
                await server.stop()


ON = 'attachments = "link"'


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(tmp_path, tenant=ON) as made:
        yield made


@pytest.fixture
async def either(url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """On each database in turn."""
    async with a_site(tmp_path, tenant=ON, database=url) as made:
        yield made


# In


async def test_off_by_default(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        assert "accepted" in await site.sends(OFFER)
        assert await site.texts() == ["Here is the offer"]
        assert await site.count(attachment) == await site.count(attachment_chunk) == 0


async def test_a_mails_files_go_as_one_link_and_come_out_whole(either: Site) -> None:
    assert "accepted" in await either.sends(OFFER)
    (text,) = await either.texts()
    assert re.fullmatch(r"Here is the offer\nhttp://127\.0\.0\.1:8080/f/[0-9a-z]{10}", text)
    (path,) = await either.paths()
    page = (await either.asks("GET", path)).page
    assert "<bdi>Nabídka č. 1.pdf</bdi> (500 kB)" in page
    assert "<bdi>notes.txt</bdi> (1 kB)" in page
    first = await either.asks("POST", path, data={"file": "1"})
    assert (first.status, first.data == PDF) == (200, True)
    assert (await either.asks("POST", path, data={"file": "2"})).data == NOTES
    # However it was copied.
    assert (await either.asks("GET", path.upper().replace("/F/", "/f/"))).status == 200


async def test_a_plain_mail_of_such_a_tenant_is_as_ever(site: Site) -> None:
    await site.running.mail(f"{ANNA}@sms.example")
    assert await site.texts() == ["Boiler 3 is cold"]


async def test_each_person_has_a_link_of_their_own_and_the_file_is_kept_once(
    either: Site,
) -> None:
    await either.sends(OFFER, ANNA, BERTA)
    paths = await either.paths()
    assert len(set(paths)) == 2
    for path in paths:
        assert (await either.asks("POST", path, data={"file": "1"})).data == PDF
    assert await either.count(attachment) == 4
    assert await either.count(attachment_chunk) == 3 + 1
    rows = await either.running.rows(Statement(select(attachment.c.served)))
    assert sorted(row[0] for row in rows) == [0, 0, 1, 1]


async def test_the_same_mail_again_sends_and_keeps_nothing_more(site: Site) -> None:
    again = a_mail(("a.pdf", PDF), number=7)
    await site.sends(again)
    assert "accepted before" in await site.sends(again)
    assert (await site.count(message), await site.count(attachment)) == (1, 1)


async def test_the_same_words_with_other_files_are_not_folded(tmp_path: Path) -> None:
    senders = '{ address = "*", proof = "network:127.0.0.0/8", fold = "1m" }'
    async with a_site(tmp_path, tenant=ON, senders=senders) as site:
        for name in ("monday.pdf", "tuesday.pdf"):
            await site.sends(a_mail((name, PDF)))
        for _ in range(2):
            await site.sends(a_mail())
        assert await site.running.states() == ["queued", "queued", "queued", "cancelled"]
        assert len(await site.paths()) == 2


async def test_a_refused_file_is_named_in_the_text(site: Site) -> None:
    await site.sends(a_mail(("offer.pdf", PDF), ("setup.exe", b"MZ")))
    (text,) = await site.texts()
    assert text.endswith("\nBez prilohy: setup.exe")
    assert _LINK.search(text)
    (log,) = await site.asked("log", reveal=True, why="test")
    assert [(f["name"], f["refused"]) for f in log["files"]] == [
        ("offer.pdf", ""),
        ("setup.exe", "programs are not passed on"),
    ]


async def test_a_file_that_is_all_of_a_mail_is_refused_with_its_reason(site: Site) -> None:
    raw = a_mail(("setup.exe", b"MZ"), text="").replace(b"Subject: Offer\n", b"")
    said = await site.sends(raw)
    assert said.startswith("550 5.6.0 a file of this mail cannot be sent (setup.exe: programs")


async def test_a_tenant_may_want_such_mails_back(tmp_path: Path) -> None:
    tenant = f'{ON}\nattachment_refused = "refuse"'
    async with a_site(tmp_path, tenant=tenant) as site:
        assert "550" in await site.sends(a_mail(("offer.pdf", PDF), ("setup.exe", b"MZ")))
        assert await site.texts() == []
        assert await site.count(attachment_chunk) == 0


async def test_nothing_goes_with_a_message_to_whom_has_opted_out(either: Site) -> None:
    await either.asked("suppress add", number=ANNA, tenant="acme")
    bridge = either.running.bridge
    tenant = bridge.register.named("acme")
    assert tenant is not None
    ready = prepare(bridge, Submission(tenant.id, Origin("cli", "eva"), ANNA, "CZ", "Hello"))
    ready.prepared.files = (Attached(1, "offer.pdf", "application/pdf", 1, 0.0, 9e9, "x", 2, "k"),)
    assert (await keep(bridge, ready.prepared, "cli")).state is State.SUPPRESSED
    assert await either.count(attachment) == 0


async def test_a_text_that_would_outlive_its_files_is_refused(site: Site) -> None:
    then = datetime.now(UTC) + timedelta(days=40)
    late = f"601123456.at-{then:%Y%m%d}1200@sms.example"
    with pytest.raises(aiosmtplib.SMTPDataError, match="kept for 30 days"):
        await site.running.raw([late], OFFER)
    assert "accepted" in await site.running.raw([late], a_mail())
    soon = f"601123456.at-{then - timedelta(days=15):%Y%m%d}1200@sms.example"
    assert "accepted" in await site.running.raw([soon], OFFER)


async def test_explain_by_mail_tells_and_keeps_nothing(site: Site) -> None:
    await site.running.raw(
        ["explain.601123456@sms.example"], a_mail(("offer.pdf", PDF), ("a.exe", b"MZ"))
    )
    assert await site.count(attachment) == await site.count(attachment_chunk) == 0


# Out


async def test_a_look_counts_nothing_and_hands_over_nothing(site: Site) -> None:
    await site.sends(OFFER)
    (path,) = await site.paths()
    for method in ("GET", "HEAD", "GET"):
        answer = await site.asks(method, path)
        assert (answer.status, PDF[:50] in answer.data) == (200, False)
    rows = await site.running.rows(Statement(select(attachment.c.served)))
    assert [row[0] for row in rows] == [0, 0]


async def test_what_is_over_never_was_or_is_erased_answers_alike(either: Site) -> None:
    await either.sends(OFFER)
    await either.sends(OFFER, BERTA)
    erased, late = await either.paths()
    await either.erases(ANNA)
    either.later(30 * DAY)
    never, odd = "/f/0000000000", ("/f/a", "/f/%00", "/f/%ff%fe", f"/f/{'é' * 900}")
    for method in ("GET", "POST"):
        found = [await either.asks(method, each) for each in (never, late, erased, *odd)]
        assert {(each.status, each.data) for each in found} == {(410, found[0].data)}
        for each in found[1:]:
            assert {**each.headers, "Date": ""} == {**found[0].headers, "Date": ""}
    assert "deleted" in found[0].page


async def test_guessing_is_slowed_down_by_address(site: Site) -> None:
    await site.sends(OFFER)
    (path,) = await site.paths()
    tries = [await site.asks("GET", f"/f/{n:010}") for n in range(TRIES)]
    assert {each.status for each in tries} == {410}
    for each in (path, "/f/0000000000"):
        slow = await site.asks("GET", each)
        assert (slow.status, slow.headers["Retry-After"]) == (429, "600")
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    assert (await site.asks("GET", path, headers=elsewhere)).status == 200
    site.later(700)
    assert (await site.asks("GET", path)).status == 200


async def test_the_headers_keep_others_out(site: Site) -> None:
    await site.sends(OFFER)
    (path,) = await site.paths()
    page, file = await site.asks("GET", path), await site.asks("POST", path, data={"file": "1"})
    for answer in (page, file, await site.asks("GET", "/f/0000000000")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
    assert "<script" not in page.page
    assert "sandbox" in file.headers["Content-Security-Policy"]
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.headers["Content-Length"] == str(len(PDF))
    assert file.headers["Content-Disposition"] == (
        "attachment; filename=\"Nab_dka _. 1.pdf\"; filename*=UTF-8''Nab%C3%ADdka%20%C4%8D.%201.pdf"
    )


@pytest.mark.parametrize("wanted", ["0", "3", "-1", "x", "1" * 50, "²"])
async def test_a_file_that_is_not_there(site: Site, wanted: str) -> None:
    await site.sends(OFFER)
    (path,) = await site.paths()
    assert (await site.asks("POST", path, data={"file": wanted})).status == 410


async def test_a_name_cannot_break_the_page_or_a_header(site: Site) -> None:
    name = '<img src=x onerror=alert(1)>"; x="{{ 7*7 }}.pdf'
    await site.sends(a_mail((name, PDF)))
    (path,) = await site.paths()
    page = (await site.asks("GET", path)).page
    assert "<img" not in page
    assert "&lt;img" in page
    file = await site.asks("POST", path)
    assert file.data == PDF
    assert file.headers["Content-Disposition"].count('"') == 2


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_nothing_else_is_done_with_a_link(site: Site, method: str) -> None:
    await site.sends(OFFER)
    (path,) = await site.paths()
    assert (await site.asks(method, path)).status == 405


DOMAINS = """
[[tenants]]
name = "beta"
link_domain = "l.beta.test"
senders = []
"""


async def test_the_link_is_on_the_tenants_domain_and_on_no_others(tmp_path: Path) -> None:
    tenant = f'{ON}\nlink_domain = "l.acme.test"'
    async with a_site(tmp_path, tenant=tenant, carriers=DOMAINS) as site:
        await site.sends(OFFER)
        (text,) = await site.texts()
        link = _LINK.search(text)
        assert link is not None
        assert urlsplit(link[0]).netloc == "l.acme.test:8080"
        path = urlsplit(link[0]).path
        for host, status in (
            ("l.acme.test:8080", 200),
            ("L.Acme.test", 200),
            ("127.0.0.1", 200),
            ("l.beta.test", 410),
            ("evil.example", 403),
        ):
            for method in ("GET", "POST"):
                answer = await site.asks(method, path, headers={"Host": host})
                assert answer.status == status, host


#: A name that no resolver looks for: it is too long (RFC 1035 2.3.4).
NOWHERE = ".".join(["l" * 60] * 5)


async def test_check_tells_whether_a_link_domain_leads_here(site: Site) -> None:
    assert "answered by the bridge" in await probe(site.base, "localhost", runs=True)
    for runs in (True, False):
        with pytest.raises(TryLater, match=r"there is no l+.* in DNS"):
            await probe(site.base, NOWHERE, runs=runs)


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "does not know this domain"), (200, "something else"), (410, "else")],
)
async def test_check_tells_what_else_answers_at_a_link_domain(status: int, words: str) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    other = web.Application()
    other.router.add_get("/f/-", answer)
    async with TestServer(other) as server:
        base = str(server.make_url("/"))
        with pytest.raises(TryLater, match=words):
            await probe(base, "localhost", runs=True)
    with pytest.raises(TryLater, match="nothing answers at http://localhost"):
        await probe(base, "localhost", runs=True)
    assert "once the bridge runs" in await probe(base, "localhost", runs=False)


@pytest.mark.parametrize(
    ("accepts", "words"), [("en", "Files for you"), ("cs", "Soubory pro vás"), ("nb", "Last ned")]
)
async def test_it_speaks_its_readers_language(site: Site, accepts: str, words: str) -> None:
    await site.sends(OFFER)
    (path,) = await site.paths()
    assert words in (await site.asks("GET", path, headers={"Accept-Language": accepts})).page


def test_every_language_has_all_words() -> None:
    tables = [set(words.table) for words in languages("files").values()]
    assert all(table == tables[0] for table in tables)


# At rest, and away


async def test_the_database_holds_neither_names_nor_codes_nor_content(
    site: Site, tmp_path: Path
) -> None:
    await site.sends(OFFER)
    (path,) = await site.paths()
    assert (await site.asks("POST", path)).status == 200
    await site.running.bridge.store.scrub()
    octets = b"".join(each.read_bytes() for each in (tmp_path / "var").glob("bridge.sqlite*"))
    for secret in ("Nabídka".encode(), path.rpartition("/")[2].encode(), PDF[100:120], NOTES):
        assert secret not in octets


async def test_p4_files_go_when_their_link_ends_and_after_60_days_at_most(either: Site) -> None:
    await either.sends(OFFER)
    assert await either.asked("retention run", dry_run=False) == []
    either.later(30 * DAY)
    (due,) = await either.asked("retention run", dry_run=True)
    assert (due["class"], due["due"]) == ("attachment", {"attachment": 2})
    (done,) = await either.asked("retention run", dry_run=False)
    assert done["deleted"] == {"attachment": 2, "attachment_chunk": 4}
    assert await either.count(attachment_chunk) == 0
    metrics = either.running.bridge.metrics.registry
    assert metrics.get_sample_value("bridge_attachments_total", {"outcome": "expired"}) == 2


async def test_p4_a_file_that_somebody_else_was_sent_stays_for_them(either: Site) -> None:
    await either.sends(OFFER, ANNA, BERTA)
    mine, hers = await either.paths()
    await either.erases(ANNA)
    assert (await either.asks("POST", mine)).status == 410
    assert (await either.asks("POST", hers)).data == PDF
    await either.erases(BERTA)
    assert await either.count(attachment) == 0
    either.later(3700)
    await either.asked("retention run", dry_run=False)
    assert await either.count(attachment_chunk) == 0


async def test_p4_the_last_file_of_an_old_mail_goes_with_its_last_person(either: Site) -> None:
    await either.sends(OFFER, ANNA)
    either.later(3700)
    await either.erases(ANNA)
    assert await either.count(attachment) == await either.count(attachment_chunk) == 0


async def test_an_erasure_between_two_people_of_a_mail_leaves_the_seconds_file(
    either: Site,
) -> None:
    bridge = either.running.bridge
    tenant = bridge.register.named("acme")
    assert tenant is not None
    parcel = Parcel(bridge, tenant, [File("offer.pdf", "application/pdf", len(PDF), PDF)])
    for number, code in ((ANNA, "0000000000"), (BERTA, "1111111111")):
        ready = prepare(bridge, Submission(tenant.id, Origin("cli", "eva"), number, "CZ", "Hello"))
        ready.prepared.files = await parcel.sent_with(code)
        await keep(bridge, ready.prepared, "cli")
        if number == ANNA:
            await either.erases(ANNA)
    assert (await either.asks("POST", "/f/0000000000")).status == 410
    assert (await either.asks("POST", "/f/1111111111")).data == PDF


async def test_pieces_without_a_message_are_swept_away(either: Site) -> None:
    """A kill between the file and its message leaves them."""
    bridge = either.running.bridge
    tenant = bridge.register.named("acme")
    assert tenant is not None
    await either.sends(OFFER)
    parcel = Parcel(bridge, tenant, [File("lost.pdf", "application/pdf", len(PDF), PDF)])
    await parcel.sent_with("0000000000")
    assert await either.count(attachment_chunk) == 4 + 3
    await either.asked("retention run", dry_run=False)
    assert await either.count(attachment_chunk) == 4 + 3
    either.later(3700)
    await either.asked("retention run", dry_run=False)
    assert await either.count(attachment_chunk) == 4
    (path,) = await either.paths()
    assert (await either.asks("POST", path)).data == PDF


async def test_a_file_that_is_erased_while_it_is_fetched_ends_short(site: Site) -> None:
    await site.sends(a_mail(("large.pdf", b"%PDF-1.7\n" + os.urandom(4_000_000))))
    (path,) = await site.paths()
    async with site.session.post(site.base + path) as answer:
        await answer.content.readexactly(1000)
        await site.erases(ANNA)
        with pytest.raises((aiohttp.ClientPayloadError, asyncio.IncompleteReadError)):
            await answer.content.readexactly(4_000_000)


async def test_an_export_lists_the_files_that_somebody_was_sent(either: Site) -> None:
    await either.sends(a_mail(("offer.pdf", PDF), ("setup.exe", b"MZ")))
    await either.sends(a_mail(("hers.pdf", PDF)), BERTA)
    bridge = either.running.bridge
    tenant = bridge.register.named("acme")
    assert tenant is not None
    document = await document_of(bridge, Wanted(1, tenant, Someone("number", ANNA)))
    assert [(f["name"], f["size"], f["refused"]) for f in document["files"]] == [
        ("offer.pdf", len(PDF), ""),
        ("setup.exe", 2, "programs are not passed on"),
    ]
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert "soubory" in page({**document, "language": "cs"})


async def test_the_log_shows_files_without_their_names(site: Site) -> None:
    await site.sends(OFFER)
    (path,) = await site.paths()
    await site.asks("POST", path)
    (entry,) = await site.asked("log")
    assert [f["served"] for f in entry["files"]] == [1, 0]
    assert all("name" not in each for each in entry["files"])
    assert "Nabídka" not in str(entry)
