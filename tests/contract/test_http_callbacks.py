"""Providers' callbacks into a real bridge over real sockets: receipts, MO, opt-outs, strangers.

A provider comes in by its module in `tests/http_cases`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs
from yarl import URL

from bridge.carriers.http import provider
from bridge.errors import StoreUnavailable, TryLater
from bridge.settings import Listen
from bridge.store.sql import Statement
from bridge.store.tables import callback, event, reply, suppression
from bridge.web import callbacks
from bridge.web.server import WebServer, make_app
from tests.bridges import ANNA as TO
from tests.bridges import Running, a_bridge, until, write_config
from tests.http_cases import ANNA, OURS, PUBLIC, Case, Reply, Told, cases
from tests.http_peer import Peer, a_peer

CASES = cases()


def each(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """A test for each of these providers."""
    return pytest.mark.parametrize("case", list(cases), ids=lambda case: case.kind)


every = each(CASES)
with_mo = each(case for case in CASES if case.inbound is not None)

COUNTS = {
    "replies": Statement(select(func.count()).select_from(reply)),
    "callbacks": Statement(select(func.count()).select_from(callback)),
    "suppressed": Statement(select(func.count()).select_from(suppression)),
    "receipts": Statement(
        select(func.count()).select_from(event).where(event.c.kind.like("receipt-%"))
    ),
}
SOURCES = Statement(select(suppression.c.source))


class World:
    """A bridge whose carrier is a provider's, and that provider."""

    def __init__(self, case: Case, running: Running, peer: Peer, session: aiohttp.ClientSession):
        self.case = case
        self.running = running
        self.peer = peer
        self.session = session
        self.server: WebServer
        self.account = provider(running.bridge.carrier("us"), running.bridge.keys, PUBLIC)

    def url(self, what: str) -> str:
        """Where the provider calls, as it knows it."""
        return self.account.url(what)

    async def calls(
        self, what: str, told: Told, *, sign: bool = True, at: str | None = None
    ) -> tuple[int, str]:
        """A callback comes in by the public address; status and body of the answer."""
        url = at or self.url(what)
        if sign and self.case.sign is not None:
            told = self.case.sign(told, f"{url}?{told.query}" if told.query else url)
        if told.query:
            url = f"{url}?{told.query}"
        headers = dict(told.headers)
        if told.content_type:
            headers["Content-Type"] = told.content_type
        local = url.replace(PUBLIC, f"http://{self.server.addresses[0]}")
        async with self.session.request(
            told.method,
            URL(local, encoded=True),
            data=BytesIO(told.body) if told.body else None,
            headers=headers,
        ) as response:
            return response.status, await response.text()

    async def count(self, what: str) -> int:
        return int((await self.running.rows(COUNTS[what]))[0][0])

    async def sends(self, number: str = TO) -> str:
        """A mail leaves; the id that the provider gave."""
        before = len(self.peer.ids)
        await self.running.mail(f"{number}@sms.example", text=f"Boiler {before} is cold")

        async def gone() -> bool:
            return len(self.peer.ids) > before

        await until(gone)
        return self.peer.ids[before]

    async def comes_to(self, *states: str) -> None:
        async def reached() -> bool:
            return await self.running.states() == list(states)

        await until(reached)


@asynccontextmanager
async def world(case: Case, folder: Path, **more: Any) -> AsyncIterator[World]:
    async with a_peer(case) as peer, aiohttp.ClientSession() as session:
        entry = {
            "name": "us",
            "kind": case.kind,
            "api_url": peer.url + case.base,
            "originator": OURS,
            "retry_first": "1s",
            **case.keys,
        }
        carriers = "[[carriers]]\n" + "\n".join(f"{k} = {toml(v)}" for k, v in entry.items())
        carriers += '\n[[routes]]\nmatch = "+"\ncarriers = ["us"]\n'
        config = write_config(folder, carriers=carriers, **more)
        written = config.read_text(encoding="utf-8")
        config.write_text(f'public_url = "{PUBLIC}"\n{written}', encoding="utf-8")
        async with a_bridge(config) as running:
            it = World(case, running, peer, session)
            parts = running.parts
            it.server = WebServer(
                make_app(running.bridge, parts.reception, parts.notifier.mailbox, dict, "smtp")
            )
            await it.server.start(Listen("127.0.0.1", 0))
            try:
                yield it
            finally:
                await it.server.stop()


def toml(value: object) -> str:
    """A value as TOML has it: JSON does, but for tables."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    return json.dumps(value)


@every
async def test_a_mail_becomes_an_sms_and_its_receipt_is_the_last_word(
    case: Case, tmp_path: Path
) -> None:
    async with world(case, tmp_path) as it:
        number = await it.sends()
        await it.comes_to("sent")
        (sent,) = it.peer.sent
        assert (sent.to, sent.sender) == (case.to, case.sender)
        delivered = next(word for word, state in case.states.items() if state == "delivered")
        assert (await it.calls("receipt", case.receipt(number, delivered)))[0] == 200
        await it.comes_to("delivered")
        counts = []
        for _ in range(2):
            for word in case.states:
                assert (await it.calls("receipt", case.receipt(number, word)))[0] == 200
            counts.append(await it.count("receipts"))
        assert counts[0] == counts[1], "what comes again is no event"
        await it.comes_to("delivered")


@every
async def test_each_word_for_a_state_has_its_state(case: Case, tmp_path: Path) -> None:
    async with world(case, tmp_path) as it:
        expected = []
        for word, state in case.states.items():
            number = await it.sends()
            assert (await it.calls("receipt", case.receipt(number, word)))[0] == 200
            moved = {"delivered", "failed", "expired"}
            expected.append(str(state) if state in moved else "sent")
        await it.comes_to(*expected)


@every
async def test_a_receipt_may_overtake_the_answer(case: Case, tmp_path: Path) -> None:
    async with world(case, tmp_path) as it:
        it.peer.hold.clear()
        await it.running.mail(f"{TO}@sms.example")

        async def asked() -> bool:
            return it.peer.flying == 1

        await until(asked)
        delivered = next(word for word, state in case.states.items() if state == "delivered")
        told = case.receipt(it.peer.judged[0].id or case.number(1), delivered)
        assert (await it.calls("receipt", told))[0] == 200
        assert (await it.calls("receipt", told))[0] == 200
        it.peer.hold.set()
        await it.comes_to("delivered")
        assert await it.count("callbacks") == 0
        assert await it.count("receipts") == 1


@with_mo
async def test_an_mo_is_an_answer_once(case: Case, tmp_path: Path) -> None:
    assert case.inbound is not None
    async with world(case, tmp_path) as it:
        await it.sends()
        for text in (case.unicode, "ok\n& a=b + 100 %"):
            for _ in range(2):
                key = f"mo-{len(text)}"
                assert (await it.calls("inbound", case.inbound(text, key)))[0] == 200

        async def mailed() -> Any:
            mails = await it.running.mails()
            return mails if len(mails) == 2 else None

        mails = await until(mailed)
        assert case.unicode in mails[0]["text"]
        assert "ok\n& a=b + 100 %" in mails[1]["text"].replace("\r\n", "\n")
        assert await it.count("replies") == 2


@with_mo
async def test_stop_is_on_disk_before_its_answer(case: Case, tmp_path: Path) -> None:
    assert case.inbound is not None
    async with world(case, tmp_path) as it:
        await it.sends()
        it.peer.hold.clear()
        await it.running.mail(f"{TO}@sms.example", text="under way")
        assert (await it.calls("inbound", case.inbound("STOP", "mo-1")))[0] in (200, 503)
        assert await it.count("suppressed") == 1
        it.peer.hold.set()


@each(case for case in CASES if case.opt_outs)
async def test_opt_outs_that_the_provider_knows_become_ours(case: Case, tmp_path: Path) -> None:
    for number, (what, told) in enumerate(case.opt_outs):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with world(case, folder) as it:
            await it.sends()
            for _ in range(2):
                assert (await it.calls(what, told))[0] == 200
                assert await it.running.rows(SOURCES) == [("carrier",)]


def opted_out(case: Case) -> Reply | None:
    """An answer by which the provider tells that the person has opted out there."""
    return next((reply for reply, verdict in case.refusals if verdict == "opted-out"), None)


@each(case for case in CASES if opted_out(case))
async def test_a_refusal_that_names_an_opt_out_becomes_ours(case: Case, tmp_path: Path) -> None:
    async with world(case, tmp_path) as it:
        it.peer.reply = opted_out(case)
        await it.running.mail(f"{TO}@sms.example")
        await it.comes_to("suppressed")

        async def listed() -> bool:
            return await it.running.rows(SOURCES) == [("carrier",)]

        await until(listed)


@every
async def test_only_the_provider_is_heard(case: Case, tmp_path: Path) -> None:
    async with world(case, tmp_path) as it:
        number = await it.sends()
        word = next(word for word, state in case.states.items() if state == "delivered")
        told = case.receipt(number, word)
        bare = f"{PUBLIC}/carriers/us/receipt"
        wrong = f"{PUBLIC}/carriers/us/{'x' * 22}/receipt"
        if case.sign is None:
            assert [(await it.calls("receipt", told, at=at))[0] for at in (bare, wrong)] == [
                403
            ] * 2
        else:
            assert (await it.calls("receipt", told, sign=False))[0] == 403
            url = it.url("receipt")
            signed = case.sign(told, f"{url}?{told.query}" if told.query else url)
            assert signed != told
            other = case.number(99)
            forged = replace(
                signed,
                body=signed.body.replace(number.encode(), other.encode()),
                query=signed.query.replace(number, other),
            )
            assert forged != signed
            assert (await it.calls("receipt", forged, sign=False))[0] == 403
        await it.comes_to("sent")
        assert (await it.calls("receipt", told))[0] == 200
        await it.comes_to("delivered")
        metrics = it.running.bridge.metrics.callbacks
        assert metrics.labels("us", "receipt", "refused")._value.get() >= 1


@every
async def test_what_cannot_be_stored_is_not_acknowledged(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(case, tmp_path) as it:
        number = await it.sends()
        word = next(word for word, state in case.states.items() if state == "delivered")
        faults: list[Exception] = [
            StoreUnavailable("The disk is full."),
            TryLater("not now"),
            RuntimeError(f"a fault that quotes {ANNA}"),
        ]
        for fault in faults:

            async def fails(*_: object, fault: Exception = fault) -> None:
                raise fault

            with monkeypatch.context() as patch, capture_logs() as lines:
                patch.setattr(it.running.parts.reception, "receipt", fails)
                patch.setattr(it.running.parts.reception, "inbound", fails)
                assert (await it.calls("receipt", case.receipt(number, word)))[0] == 503
                if case.inbound is not None:
                    assert (await it.calls("inbound", case.inbound("STOP", "mo-1")))[0] == 503
            assert ANNA not in repr(lines)
        assert (await it.calls("receipt", case.receipt(number, word)))[0] == 200
        await it.comes_to("delivered")


HOSTILE = [
    b"",
    b"\xff\xfe\x00",
    b"{" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a": ' + b"9" * 100_000 + b"}",
    b"a=b&" * 50_000,
    b"=" * 1000,
    b"null",
    b'[null, 1, "x", {}]',
    b'{"results": {"x": [[]]}}',
    b"%00%ff%zz",
    '"\ud800"'.encode("utf-8", "surrogatepass"),
]


@every
async def test_hostile_bodies_are_refused_and_never_logged(case: Case, tmp_path: Path) -> None:
    async with world(case, tmp_path) as it:
        with capture_logs() as lines:
            for what in it.account.callbacks:
                for body in HOSTILE:
                    for kind in ("application/json", "application/x-www-form-urlencoded", ""):
                        told = Told(body, kind)
                        status, _ = await it.calls(what, told, sign=signable(body))
                        assert status in (200, 400, 403), (what, body[:20], status)
                assert (await it.calls(what, Told(b"x" * (1 << 20) + b"x"), sign=False))[0] == 413
            answers = await asyncio.gather(
                *(it.calls("receipt", Told(b"{" * 1000), sign=False) for _ in range(300))
            )
        assert {status for status, _ in answers} <= {200, 400, 403}
        assert not re.search(r"zz|9999|a=b|\[\[\[", repr(lines))
        assert await it.count("replies") == 0
        assert await it.count("suppressed") == 0
        assert (await it.calls("receipt", Told(b"{}"), at=f"{PUBLIC}/carriers/no/receipt"))[
            0
        ] == 404
        assert (await it.calls("receipt", Told(b"{}"), at=f"{PUBLIC}/carriers/us/else"))[0] == 404


SIGNED = next(case for case in CASES if case.sign is not None)
BARE = next(case for case in CASES if case.sign is None)


async def head(it: World, path: str, *lines: str, body: bytes = b"") -> tuple[int, bytes]:
    """The beginning of a request, over a socket that stays open; the status and what else came."""
    host, _, port = it.server.addresses[0].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        asked = "\r\n".join((f"POST {path} HTTP/1.1", "Host: sms.example", *lines, "", ""))
        writer.write(asked.encode() + body)
        async with asyncio.timeout(10):
            answer = await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()
    return int(answer.split()[1]), answer


def counted(it: World, outcome: str, *labels: str) -> float:
    name, what = labels or ("us", "receipt")
    metrics = it.running.bridge.metrics.callbacks
    return float(metrics.labels(name, what, outcome)._value.get())


MUCH = "Content-Length: 1000000"


async def test_a_stranger_is_refused_before_the_body_comes(tmp_path: Path) -> None:
    """A megabyte is announced and never sent: the answer does not wait for it."""
    async with world(BARE, tmp_path) as it:
        assert (await head(it, f"/carriers/us/{'x' * 22}/receipt", MUCH))[0] == 403
        assert (await head(it, "/carriers/us/receipt", MUCH))[0] == 403
        assert counted(it, "refused") == 2
        status, answer = await head(it, "/carriers/hello-there/receipt", MUCH)
        assert status == 404
        assert b"hello-there" not in answer
        assert (await head(it, "/carriers/us/hello-there", MUCH))[0] == 404
        assert counted(it, "not-here", "", "") == 2
        for method in ("HEAD", "PUT", "DELETE", "OPTIONS"):
            async with it.session.request(
                method, f"http://{it.server.addresses[0]}/carriers/us/receipt"
            ) as response:
                assert (response.status, response.headers["Allow"]) == (405, "GET, POST")
        assert counted(it, "wrong-method") == 4


async def test_a_body_that_does_not_come_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "SLOWEST", 0.1)
    async with world(SIGNED, tmp_path) as it:
        assert (await head(it, "/carriers/us/receipt", MUCH, body=b"a=b"))[0] == 408
        assert counted(it, "too-slow") == 1
        assert (await head(it, "/carriers/us/receipt", "Content-Length: 1048577"))[0] == 413


async def test_who_hangs_up_is_counted_and_not_logged(tmp_path: Path) -> None:
    async with world(SIGNED, tmp_path) as it:
        host, _, port = it.server.addresses[0].rpartition(":")
        with capture_logs() as lines:
            _, writer = await asyncio.open_connection(host, int(port))
            asked = f"POST /carriers/us/receipt HTTP/1.1\r\nHost: x\r\n{MUCH}\r\n\r\na=b"
            writer.write(asked.encode())
            await writer.drain()
            writer.transport.abort()

            async def is_counted() -> bool:
                return counted(it, "broken-off") == 1

            await until(is_counted)
        assert not [line for line in lines if line["log_level"] in ("warning", "error")]


async def test_strangers_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What many hold half way is limited; when they are gone the provider is heard again."""
    monkeypatch.setattr(callbacks, "MOST", 300_000)
    async with world(SIGNED, tmp_path) as it:
        host, _, port = it.server.addresses[0].rpartition(":")
        strangers = [await asyncio.open_connection(host, int(port)) for _ in range(4)]
        for _, writer in strangers:
            asked = f"POST /carriers/us/receipt HTTP/1.1\r\nHost: x\r\n{MUCH}\r\n\r\n"
            writer.write(asked.encode() + b"x" * 100_000)

        async def is_full() -> bool:
            return counted(it, "too-many") >= 1

        await until(is_full)
        for _, writer in strangers:
            writer.close()
        number = await it.sends()
        told = it.case.receipt(number, next(iter(it.case.states)))

        async def is_heard() -> bool:
            return (await it.calls("receipt", told))[0] == 200

        await until(is_heard)


def signable(body: bytes) -> bool:
    """What the official libraries can sign at all."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return len(body) < 10_000


ODD = ["", "\0", "x" * 100_000, "\ud83d", "+", "9" * 400, "🐎"]


@every
async def test_odd_values_are_stored_or_refused(case: Case, tmp_path: Path) -> None:
    async with world(case, tmp_path) as it:
        for value in ODD:
            sane = value.encode("utf-8", "replace").decode()
            words = (next(iter(case.states)), "delivered", sane)
            told = [("receipt", case.receipt(sane, word)) for word in words]
            if case.inbound is not None:
                told.append(("inbound", case.inbound(sane, f"mo-{len(value)}")))
                told.append(("inbound", case.inbound("hi", sane)))
            for what, each in told:
                status, _ = await it.calls(what, each)
                assert status in (200, 400), (what, value[:9], status)
        assert await it.running.states() == []
