"""The web edge over real sockets: the sandbox's contract, who may ask, the pages, and health."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import aiosmtplib
import pytest
from sqlalchemy import select

from bridge.errors import Misconfigured, StoreUnavailable
from bridge.settings import Listen
from bridge.store import postgres
from bridge.store.sandbox import Arrival, take_parts
from bridge.store.sql import Statement
from bridge.store.tables import message
from bridge.web import health
from bridge.web.server import WebServer, make_app
from tests.bridges import ANNA, BERIT, WRITER, Running, a_bridge, until, write_config

OURS = "+12025550100"
TO = f"{ANNA}@sms.example"
_ONE_MESSAGE = Statement(select(message.c.id).limit(1))


class Web:
    """A running bridge with its pages, and a client."""

    def __init__(self, running: Running, session: aiohttp.ClientSession, base: str) -> None:
        self.running = running
        self.session = session
        self.base = base
        self.binds: dict[str, bool] = {"sandbox": True}

    async def get(self, path: str, **options: Any) -> tuple[int, Any]:
        async with self.session.get(self.base + path, **options) as response:
            return response.status, await _content(response)

    async def post(self, path: str, **options: Any) -> tuple[int, Any]:
        async with self.session.post(self.base + path, **options) as response:
            return response.status, await _content(response)

    async def messages(self, count: int, query: str = "") -> list[dict[str, Any]]:
        async def enough() -> list[dict[str, Any]]:
            _, found = await self.get(f"/sandbox/api/messages{query}")
            return found if len(found) >= count else []

        found: list[dict[str, Any]] = await until(enough)
        assert len(found) == count
        return found

    async def says(self, text: str, **more: str) -> tuple[int, Any]:
        said = {"from": ANNA, "text": text, **more}
        return await self.post("/sandbox/api/messages", json=said)

    async def page(self, path: str) -> str:
        status, text = await self.get(path)
        assert status == 200
        return str(text)

    async def form(self, path: str, **fields: str) -> tuple[int, Any]:
        (token,) = set(re.findall(r'name="token" value="([^"]+)"', await self.page("/sandbox")))
        return await self.post(path, data={"token": token, **fields})


async def _content(response: aiohttp.ClientResponse) -> Any:
    if response.content_type == "application/json":
        return await response.json()
    return await response.text()


@asynccontextmanager
async def web(folder: Path, *, works: bool = True, **config: Any) -> AsyncIterator[Web]:
    async with a_bridge(write_config(folder, **config), works=works) as running:
        made: Web

        def binds() -> Mapping[str, bool]:
            return made.binds

        server = WebServer(
            make_app(
                running.bridge,
                running.parts.reception,
                running.parts.notifier.mailbox,
                binds,
                f"{running.host}:{running.port}",
            )
        )
        await server.start(Listen("127.0.0.1", 0))
        async with aiohttp.ClientSession() as session:
            made = Web(running, session, f"http://{server.addresses[0]}")
            try:
                yield made
            finally:
                await server.stop()


# -- what phones receive ------------------------------------------------------------------------


async def test_an_empty_sandbox_lists_nothing(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        for what in ("messages", "mails", "phones"):
            assert await w.get(f"/sandbox/api/{what}") == (200, [])


async def test_a_mail_is_listed_as_the_phone_received_it(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        reply = await w.running.mail(TO, text="Kotel 3 je studený")
        (sms,) = await w.messages(1)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", sms.pop("at"))
        assert reply.endswith(sms.pop("id"))
        assert sms == {"from": OURS, "to": ANNA, "text": "Kotel 3 je studený", "parts": 1}


@pytest.mark.parametrize("written", ["+420601123456", "%2B420601123456", "601%20123%20456"])
async def test_one_phones_messages_are_asked_for(tmp_path: Path, written: str) -> None:
    async with web(tmp_path) as w:
        await w.running.mail(TO, f"{BERIT}@sms.example")
        await w.messages(2)
        (sms,) = await w.messages(1, f"?to={written}")
        assert sms["to"] == ANNA


async def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        status, said = await w.get("/sandbox/api/messages?to=12")
        assert status == 400
        assert set(said) == {"error", "hint"}


async def test_ten_thousand_messages_come_whole_and_in_order(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        await w.running.mail(TO)
        (first,) = await w.messages(1)
        store = w.running.bridge.store
        number = (await w.running.rows(_ONE_MESSAGE))[0][0]
        await asyncio.gather(
            *(
                store.write(take_parts, Arrival(n, number, 1, 1, str(n), "", time.time() + n, 0))
                for n in range(-9999, 0)
            )
        )
        found = await w.messages(10_000)
        assert found[-1] == first
        assert [sms["from"] for sms in found[:-1]] == [str(n) for n in range(-9999, 0)]


# -- what is typed on phones --------------------------------------------------------------------


async def test_an_answer_becomes_a_mail_to_the_writer(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        await w.running.mail(TO, Message_ID="<boiler@acme.example>")
        await w.messages(1)
        status, made = await w.says("Už jedu", to=OURS)
        assert (status, list(made)) == (201, ["id"])

        async def told() -> Any:
            return (await w.get("/sandbox/api/mails"))[1]

        (mail,) = await until(told)
        assert set(mail) == {"to", "subject", "headers", "text"}
        assert mail["to"] == WRITER
        assert mail["text"].startswith("Už jedu")
        assert mail["headers"]["In-Reply-To"] == "<boiler@acme.example>"


async def test_without_to_it_answers_what_came_last_and_the_same_twice_is_two(
    tmp_path: Path,
) -> None:
    async with web(tmp_path) as w:
        await w.running.mail(TO)
        await w.messages(1)
        assert [(await w.says("Ano"))[0] for _ in range(2)] == [201, 201]

        async def told() -> Any:
            mails = (await w.get("/sandbox/api/mails"))[1]
            return mails if len(mails) == 2 else None

        assert [mail["text"][:3] for mail in await until(told)] == ["Ano", "Ano"]


async def test_stop_binds_from_its_answer_on(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        await w.running.mail(TO)
        await w.messages(1)
        assert (await w.says("STOP"))[0] == 201
        (_, confirmation) = await w.messages(2)
        assert "START" in confirmation["text"]
        with pytest.raises(aiosmtplib.SMTPResponseException):
            await w.running.mail(TO, subject="again")


BROKEN = [
    b"{",
    b"[]",
    b"{}",
    b'{"from": "+420601123456"}',
    b'{"from": "+420601123456", "text": 5}',
    b'{"from": "12", "text": "hi"}',
    b'{"from": "+420601123456", "text": " "}',
    b'{"from": "+420601123456", "text": "\\u0000"}',
    b'{"from": "+420601123456", "text": "hi", "to": "ACME"}',
    b'{"from": "+420601123456", "text": "hi", "when": "now"}',
    b"\xff\xfe",
    b"[" * 5000,
]


async def test_a_broken_answer_is_refused_with_what_to_do(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        for body in BROKEN:
            status, said = await w.post(
                "/sandbox/api/messages", data=body, headers={"Content-Type": "application/json"}
            )
            assert status == 400, body
            assert set(said) == {"error", "hint"}
            assert "601123456" not in said["error"]


async def test_odd_answers_are_stored(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        for text in ("\ud83d", "😀" * 200, "\u202e\u200b\x07", "a" * 10_000):
            assert (await w.says(text))[0] == 201


async def test_an_answer_is_refused_for_now_when_it_cannot_be_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web(tmp_path, works=False) as w:

        async def full(_scripts: object) -> list[object]:
            raise StoreUnavailable("the database did not take it", "free some space")

        monkeypatch.setattr(w.running.bridge.store.driver, "transaction", full)
        status, said = await w.says("Ano")
        assert (status, said["hint"]) == (503, "free some space")


async def test_a_large_request_is_refused(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        assert (await w.says("a" * 70_000))[0] == 413


async def test_a_phone_is_switched(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        await w.post("/sandbox/api/phones", json={"number": ANNA, "mode": "unreachable"})
        await w.running.mail(TO)

        async def failed() -> bool:
            return await w.running.states() == ["failed"]

        await until(failed)
        assert await w.get("/sandbox/api/messages") == (200, [])
        phones = [{"number": ANNA, "mode": "unreachable"}]
        assert await w.get("/sandbox/api/phones") == (200, phones)
        status, _ = await w.post("/sandbox/api/phones", json={"number": ANNA, "mode": "broken"})
        assert status == 400


# -- who may ask --------------------------------------------------------------------------------

PATHS = ("/", "/sandbox", "/sandbox/api/messages", "/sandbox/events", "/sandbox/static/icon.svg")


STRANGERS: list[dict[str, str]] = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example:8080"},
    {"Host": ""},
    {"Host": "0.0.0.0:8080"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost"},
    {"X-Forwarded-For": "203.0.113.9"},
    {"Forwarded": "for=203.0.113.9"},
]


async def test_strangers_are_refused(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        for path in PATHS:
            for headers in STRANGERS:
                status, _ = await w.get(path, headers=headers, allow_redirects=False)
                assert status == 403, (path, headers)


async def test_a_public_sandbox_may_stand_behind_a_proxy(tmp_path: Path) -> None:
    more = "[sandbox]\npublic = true"
    async with web(tmp_path, works=False, more=more) as w:
        assert (await w.get("/sandbox", headers={"X-Forwarded-For": "203.0.113.9"}))[0] == 200
        assert (await w.get("/sandbox", headers={"Host": "evil.example"}))[0] == 403


async def test_our_own_names_are_taken(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        port = w.base.rpartition(":")[2]
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "LOCALHOST"):
            headers = {"Host": host, "Origin": f"http://{host}"}
            assert (await w.get("/sandbox", headers=headers))[0] == 200


async def test_a_form_of_another_site_is_refused(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        said = {"from": ANNA, "text": "STOP"}
        ours = {"Origin": w.base}
        assert (await w.post("/sandbox/api/messages", data=said, headers=ours))[0] == 415
        assert (await w.post("/sandbox/api/messages", data=said))[0] == 400
        assert (await w.post("/sandbox/answers", data={"number": ANNA, "text": "STOP"}))[0] == 403
        forged = {"Origin": "https://evil.example"}
        assert (await w.post("/sandbox/api/messages", json=said, headers=forged))[0] == 403


async def test_a_program_need_not_name_the_type_of_its_json(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        said = json.dumps({"from": ANNA, "to": OURS, "text": "Yes"}).encode()
        plain = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await w.post("/sandbox/api/messages", data=said, headers=plain))[0] == 201
        for name in ("Origin", "Referer"):
            browser = {**plain, name: w.base}
            assert (await w.post("/sandbox/api/messages", data=said, headers=browser))[0] == 415


async def test_health_is_for_everyone(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await w.get(path, headers={"Host": "probe.example"}))[0] == 200


async def test_every_answer_keeps_other_sites_out(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        for path in ("/sandbox", "/sandbox/api/mails", "/nowhere", "/healthz"):
            async with w.session.get(w.base + path) as response:
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Cache-Control"] == "no-store"


# -- pages --------------------------------------------------------------------------------------


async def test_the_front_leads_to_an_empty_sandbox_that_tells_how_to_begin(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        text = await w.page("/")
        assert f"swaks --server 127.0.0.1:{w.running.port}" in text
        assert "+420601123456@sms.example" in text
        for part in re.findall(r'(?:href|src)="(/[^"]*)"', text):
            assert (await w.get(part))[0] == 200


async def test_a_page_shows_words_as_words(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        await w.running.mail(TO, text='<script>alert(1)</script> & "quotes"')
        await w.messages(1)
        await w.says("<img src=x onerror=alert(1)>")
        text = await w.page("/sandbox")
        assert "&lt;script&gt;alert(1)" in text
        assert "&lt;img src=x" in text
        assert "<script>alert" not in text
        assert not re.search(r"<[^>]*\s(?:on\w+|style)=", text), "the policy allows nothing inline"


async def test_a_person_without_javascript_reads_and_answers(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        await w.running.mail(TO)
        await w.messages(1)
        (thread,) = set(re.findall(r'/sandbox/phones/([\w-]+)"', await w.page("/sandbox")))
        status, text = await w.form("/sandbox/answers", phone=thread, to=OURS, text="Ano, hned")
        assert status == 200
        assert "Ano, hned" in text
        status, text = await w.form("/sandbox/answers", phone=thread, to=OURS, text=" ")
        assert status == 400
        assert "text is empty" in text
        status, text = await w.form("/sandbox/modes", phone=thread, mode="slow")
        assert "on a slow network" in text
        assert (await w.form("/sandbox/modes", phone="nobody", mode="slow"))[0] == 400


@pytest.mark.postgres
async def test_the_pages_read_postgresql_too(tmp_path: Path, postgres_url: str) -> None:
    async with web(tmp_path, database=postgres_url) as w:
        await w.running.mail(TO)
        await w.messages(1, f"?to={ANNA}")
        assert (await w.says("Ano, hned"))[0] == 201
        text = await w.page("/sandbox")
        assert "Boiler 3 is cold" in text
        assert "Ano, hned" in text
        status, _ = await w.post("/sandbox/api/phones", json={"number": ANNA, "mode": "slow"})
        assert status == 200
        assert (await w.get("/sandbox/api/phones"))[1] == [{"number": ANNA, "mode": "slow"}]
        assert (await w.get("/readyz"))[0] == 200


async def test_a_stranger_may_write_first(tmp_path: Path) -> None:
    async with web(tmp_path, tenant='inbox = "team@acme.example"') as w:
        await w.running.mail(TO)
        await w.messages(1)
        status, text = await w.form(
            "/sandbox/answers", number=BERIT, to="", text="Hei, hvem er du?"
        )
        assert status == 200
        assert "Hei, hvem er du?" in text
        status, text = await w.form("/sandbox/answers", number="12", to="", text="Hei")
        assert status == 400
        assert "The number is too short" in text or "not a phone number" in text


async def test_the_mailbox_shows_what_could_not_leave(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        assert "Nothing here" in await w.page("/sandbox/mailbox")
        await w.running.mail(TO)
        await w.messages(1)
        await w.says("Už jedu <3")

        async def there() -> bool:
            return "Už jedu &lt;3" in await w.page("/sandbox/mailbox")

        await until(there)


async def test_nothing_is_served_that_is_not_there(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        for path in ("/nowhere", "/sandbox/phones/nobody", "/sandbox/static/..%2fpage.py"):
            assert (await w.get(path))[0] == 404
        assert (await w.get("/sandbox/api/nowhere"))[1]["error"] == "not found"
        async with w.session.put(w.base + "/sandbox/api/messages") as response:
            assert response.status == 405
            assert "POST" in response.headers["Allow"]


async def test_an_open_page_hears_of_news(tmp_path: Path) -> None:
    async with web(tmp_path) as w, w.session.get(w.base + "/sandbox/events") as stream:
        assert stream.content_type == "text/event-stream"
        before = await _event(stream)
        await w.running.mail(TO)
        assert await _event(stream) != before


async def _event(stream: aiohttp.ClientResponse) -> bytes:
    async with asyncio.timeout(20):
        while not (line := await stream.content.readline()).startswith(b"data:"):
            pass
    return line


# -- health -------------------------------------------------------------------------------------


async def test_it_is_ready_while_messages_get_on(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        assert await w.get("/healthz") == (200, "ok\n")
        status, told = await w.get("/readyz")
        assert (status, told["ready"], told["problems"]) == (200, True, [])


async def test_a_bind_or_a_broker_that_is_down_is_told_and_is_no_reason_to_turn_mail_away(
    tmp_path: Path,
) -> None:
    async with web(tmp_path) as w:
        w.binds = {"sandbox": True, "smsc": False}
        await w.running.bridge.bell.stop()
        status, told = await w.get("/readyz")
        assert status == 200
        assert "carrier smsc: not bound" in told["degraded"]


async def test_a_message_that_nothing_moves_makes_it_unready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web(tmp_path, works=False) as w:
        await w.running.mail(TO)
        assert (await w.get("/readyz"))[0] == 200
        monkeypatch.setattr(w.running.bridge, "clock", lambda: time.time() + 61)
        status, told = await w.get("/readyz")
        assert status == 503
        assert told["oldest_due_seconds"] >= 61
        assert told["problems"] == ["lane sandbox.bulk: nothing has left for a minute"]


async def test_a_database_that_takes_nothing_makes_it_unready(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        w.running.bridge.store.failing = StoreUnavailable("the disk is full", "free some space")
        status, told = await w.get("/readyz")
        assert (status, told["database"]) == (503, False)
        assert "bridge_store_up 0.0" in (await w.get("/metrics"))[1]


@pytest.mark.postgres
async def test_whoever_watches_hears_in_time_of_a_database_that_does_not_answer(
    tmp_path: Path, postgres_url: str, proxy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(postgres, "COMMAND_SECONDS", 5.0)
    through, url = proxy(postgres_url)
    await through.open()
    async with web(tmp_path, works=False, database=url) as w:
        through.mute = True
        status, told = await w.get("/readyz")
        assert (status, told["database"]) == (503, False)
        assert told["problems"] == ["database: it does not answer in time"]
        through.mute = False
        through.cut()
        await until(lambda: _ready(w))


async def _ready(w: Web) -> bool:
    return bool((await w.get("/readyz"))[0] == 200)


async def test_metrics_count_and_name_nobody(tmp_path: Path) -> None:
    async with web(tmp_path) as w:
        await w.running.mail(TO)
        await w.messages(1)
        _, text = await w.get("/metrics")
        assert 'bridge_accepted_total{edge="mail"} 1.0' in text
        assert 'bridge_bind_up{carrier="sandbox"} 1.0' in text
        assert 'bridge_carrier_answer_seconds_count{carrier="sandbox"} 1.0' in text
        assert "bridge_smtp_accepted_total 1.0" in text
        described = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
        for name in re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE):
            assert name.endswith("_created") or f"`{name}`" in described
        assert "601123456" not in text


# -- the server ---------------------------------------------------------------------------------


async def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            server = WebServer(make_app(w.running.bridge, w.running.parts.reception, _no, dict, ""))
            with pytest.raises(Misconfigured) as wrong:
                await server.start(Listen("127.0.0.1", port))
        taken = f"127.0.0.1:{port} is taken by another program; set [http] listen"
        assert wrong.value.sentence == taken


async def test_an_unknown_host_is_said_in_a_sentence(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        server = WebServer(make_app(w.running.bridge, w.running.parts.reception, _no, dict, ""))
        with pytest.raises(Misconfigured, match="is not an address of this machine"):
            await server.start(Listen("192.0.2.1", 0))


async def test_stopping_ends_open_streams(tmp_path: Path) -> None:
    async with web(tmp_path, works=False) as w:
        server = WebServer(
            make_app(w.running.bridge, w.running.parts.reception, _no, dict, "127.0.0.1:25")
        )
        await server.start([socket.create_server(("127.0.0.1", 0))])
        async with w.session.get(f"http://{server.addresses[0]}/sandbox/events") as stream:
            await _event(stream)
            await server.stop()
            assert await stream.content.read() is not None


async def _no() -> list[Any]:
    return []
