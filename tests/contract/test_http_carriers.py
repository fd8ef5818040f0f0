"""Every carrier over HTTP against a provider that follows its documentation, over real sockets.

A provider comes in by its module in `tests/http_cases`.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.carriers.http import provider
from bridge.carriers.http.carrier import HttpCarrier, probe
from bridge.carriers.http.provider import Answer, Call
from bridge.keyring import Keyring
from bridge.model import Inbound, Outcome, Part, Receipt, Verdict
from bridge.segments import segment
from bridge.settings import Carrier
from tests.http_cases import ANNA, OURS, PUBLIC, Case, cases
from tests.http_peer import a_peer, until

KEYS = Keyring(b"p" * 32)
CASES = cases()
ATTEMPTS = itertools.count(1)

pytestmark = pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats follow at once."""
    monkeypatch.setattr("bridge.carriers.http.carrier.REPEATS", (0.01, 0.01, 0.01))


class NoInbox:
    """What providers tell comes in by the web edge."""

    async def receipt(self, _carrier: str, _receipt: Receipt) -> None:
        raise AssertionError

    async def inbound(self, _carrier: str, _part: Inbound) -> None:
        raise AssertionError

    async def opted_out(self, _carrier: str, _number: str) -> None:
        raise AssertionError


def entry(case: Case, url: str, **more: Any) -> Carrier:
    values = {
        "name": "us",
        "kind": case.kind,
        "api_url": url + case.base,
        "originator": OURS,
        **case.keys,
        **more,
    }
    return Carrier.model_validate(values, strict=False)


class Us:
    """An open carrier and everything that it told."""

    def __init__(self, config: Carrier) -> None:
        self.may = True
        known = provider(config, KEYS, PUBLIC)
        self.carrier = HttpCarrier(config, known, may_leave=lambda: self.may)
        self.outcomes: dict[int, Outcome] = {}
        self.rooms = 0
        self._sending = False

    def part(self, text: str = "Server room is flooding", **more: Any) -> Part:
        number = next(ATTEMPTS)
        values: dict[str, Any] = {
            "attempt": number,
            "message": number,
            "number": 1,
            "total": 1,
            "ref": 0,
            "destination": ANNA,
            "originator": "",
            "text": text,
            "encoding": segment(text).encoding,
            "lang": "",
            "expires_at": time.time() + 3600,
        }
        return Part(**(values | more))

    def send(self, *parts: Part) -> None:
        self._sending = True
        self.carrier.send(parts, self._done)
        self._sending = False

    async def ask(self, *parts: Part) -> list[Outcome]:
        self.send(*parts)
        await until(lambda: all(part.attempt in self.outcomes for part in parts))
        return [self.outcomes[part.attempt] for part in parts]

    def _done(self, part: Part, outcome: Outcome) -> None:
        assert not self._sending, "done was called from within send"
        assert part.attempt not in self.outcomes, "a part was told twice"
        self.outcomes[part.attempt] = outcome

    def room(self) -> None:
        self.rooms += 1


@asynccontextmanager
async def us(case: Case, url: str, *, wait: bool = True, **more: Any) -> AsyncIterator[Us]:
    it = Us(entry(case, url, **more))
    await it.carrier.open(NoInbox(), it.room)
    try:
        if wait:
            await until(lambda: it.carrier.up)
            assert it.carrier.room == it.carrier._config.window
            assert it.rooms == 1
        yield it
    finally:
        await it.carrier.close()
        assert it.carrier.room == 0


@pytest.mark.parametrize("which", ["gsm7", "ucs2", "long", "long-ucs2", "signs"])
async def test_number_and_text_leave_as_documented(case: Case, which: str) -> None:
    text = {
        "gsm7": "Server room is flooding [€5] ~ ¿què? + 100 % & a=b",
        "ucs2": case.unicode,
        "long": "All pumps failed. " * 20,
        "long-ucs2": f"{case.unicode} " * 8,
        "signs": "first line\nsecond \"line\" <b>'x'</b> \\ ; ?#/",
    }[which]
    async with a_peer(case) as peer, us(case, peer.url) as it:
        if it.carrier.whole:
            parts = [it.part(text)]
        else:
            cut = segment(text)
            parts = [
                it.part(each, number=n, total=len(cut.parts), ref=7, encoding=cut.encoding)
                for n, each in enumerate(cut.parts, 1)
            ]
        outcomes = await it.ask(*parts)
        assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}
        assert sorted(outcome.carrier_id for outcome in outcomes) == sorted(peer.ids)
        assert {sent.to for sent in peer.sent} == {case.to}
        assert {sent.sender for sent in peer.sent} == {case.sender}
        told = [sent.text for sent in peer.sent]
        assert sorted(told) == sorted(part.text for part in parts)
        for sent in peer.sent:
            assert sent.ucs2 in (None, "ucs2" in which)


async def test_receipts_are_asked_for_at_the_public_address(case: Case) -> None:
    async with a_peer(case) as peer, us(case, peer.url) as it:
        await it.ask(it.part())
        (sent,) = peer.sent
        assert sent.receipts_to in ("", it.carrier.provider.url("receipt"))
        assert it.carrier.provider.url("receipt").startswith(f"{PUBLIC}/carriers/us/")
    async with a_peer(case) as peer, us(case, peer.url, receipts=False) as it:
        await it.ask(it.part())
        assert peer.sent[0].receipts_to == ""


async def test_each_refusal_has_its_verdict(case: Case) -> None:
    for reply, verdict in case.refusals:
        async with a_peer(case) as peer, us(case, peer.url) as it:
            peer.reply = reply
            (outcome,) = await it.ask(it.part())
            assert outcome.verdict is verdict, (reply, outcome)
            assert 0 < len(outcome.reason) < 200
            assert ANNA.lstrip("+") not in outcome.reason
            assert peer.sent == []


async def test_too_many_requests_wait_as_long_as_told(case: Case) -> None:
    async with a_peer(case) as peer, us(case, peer.url) as it:
        peer.reply = case.busy
        (outcome,) = await it.ask(it.part())
        assert outcome.verdict is Verdict.THROTTLED
        assert outcome.pause == (7.0 if "Retry-After" in case.busy.headers else 1.0)
        (again,) = await it.ask(it.part())
        assert again.pause > outcome.pause, "it grows while the provider refuses"
        peer.reply = None
        (taken,) = await it.ask(it.part())
        assert taken.verdict is Verdict.ACCEPTED
        assert it.carrier.up


@pytest.mark.usefixtures("quick")
async def test_an_answer_that_says_nothing_is_a_doubt(case: Case) -> None:
    for reply in case.doubts:
        async with a_peer(case) as peer, us(case, peer.url) as it:
            peer.reply = reply
            part = it.part()
            (outcome,) = await it.ask(part)
            assert outcome.verdict is Verdict.UNKNOWN, reply
            asked = [seen for seen in peer.asked if case.is_send(seen)]
            keys = {case.judge(seen).key for seen in asked}
            assert len(asked) == (4 if case.idempotent else 1)
            assert len(keys) == 1


@pytest.mark.usefixtures("quick")
async def test_a_broken_connection_after_the_request_is_a_doubt(case: Case) -> None:
    async with a_peer(case) as peer, us(case, peer.url) as it:
        peer.cut = True
        part = it.part()
        (outcome,) = await it.ask(part)
        assert outcome.verdict is Verdict.UNKNOWN
        assert len(peer.sent) == 1, "it was taken, and once"
        peer.cut = False
        await until(lambda: it.carrier.up)
        if case.idempotent:
            await it.ask(again := it.part(attempt=part.attempt + 10_000_000))
            assert it.outcomes[again.attempt].verdict is Verdict.ACCEPTED


@pytest.mark.usefixtures("quick")
async def test_a_request_is_repeated_until_it_is_no_doubt_where_that_is_harmless(
    case: Case,
) -> None:
    async with a_peer(case) as peer, us(case, peer.url) as it:
        peer.cut = True
        part = it.part()
        it.send(part)
        if case.idempotent:
            await until(lambda: len([seen for seen in peer.asked if case.is_send(seen)]) >= 2)
            peer.cut = False
        await until(lambda: part.attempt in it.outcomes)
        outcome = it.outcomes[part.attempt]
        assert outcome.verdict is (Verdict.ACCEPTED if case.idempotent else Verdict.UNKNOWN)
        assert outcome.carrier_id == peer.ids[0] or not case.idempotent
        assert len(peer.sent) == 1


@pytest.mark.usefixtures("quick")
async def test_no_answer_in_time_is_a_doubt(case: Case) -> None:
    async with a_peer(case) as peer, us(case, peer.url, response_timeout="1s") as it:
        peer.hold.clear()
        (outcome,) = await it.ask(it.part())
        assert outcome.verdict is Verdict.UNKNOWN
        peer.hold.set()


async def test_what_is_withdrawn_before_it_is_written_stays_here(case: Case) -> None:
    async with a_peer(case) as peer, us(case, peer.url) as it:
        gone, stays = it.part(), it.part()
        it.send(gone, stays)
        it.carrier.withdraw(gone.message)
        await until(lambda: len(it.outcomes) == 2)
        assert it.outcomes[gone.attempt].verdict is Verdict.NOT_SENT
        assert it.outcomes[stays.attempt].verdict is Verdict.ACCEPTED
        assert len(peer.sent) == 1
        assert it.carrier.up


async def test_a_process_that_others_take_for_dead_writes_nothing(case: Case) -> None:
    """It stood frozen while its parts waited for a connection: another has sent them by now."""
    async with a_peer(case) as peer, us(case, peer.url) as it:
        it.may = False
        (outcome,) = await it.ask(it.part())
        assert outcome.verdict is Verdict.NOT_SENT
        it.may = True
        (outcome,) = await it.ask(it.part())
        assert outcome.verdict is Verdict.ACCEPTED
        assert len(peer.sent) == 1


@pytest.mark.usefixtures("quick")
async def test_what_is_withdrawn_in_doubt_is_not_repeated(case: Case) -> None:
    async with a_peer(case) as peer, us(case, peer.url) as it:
        peer.hold.clear()
        part = it.part()
        it.send(part)
        await until(lambda: peer.flying == 1)
        it.carrier.withdraw(part.message)
        peer.cut = True
        peer.hold.set()
        await until(lambda: part.attempt in it.outcomes)
        assert it.outcomes[part.attempt].verdict is Verdict.UNKNOWN
        assert len([seen for seen in peer.asked if case.is_send(seen)]) == 1


async def test_without_a_connection_nothing_has_left(case: Case) -> None:
    async with a_peer(case) as peer, us(case, peer.url) as it:
        await peer.stop()
        (outcome,) = await it.ask(it.part())
        assert outcome.verdict is Verdict.NOT_SENT
        assert (it.carrier.up, it.carrier.room) == (False, 0)
        (outcome,) = await it.ask(it.part())
        assert outcome.verdict is Verdict.NOT_SENT
        assert it.carrier.last_error
        await peer.start()
        await until(lambda: it.carrier.up)
        assert (it.rooms, it.carrier.last_error) == (2, "")
        (outcome,) = await it.ask(it.part())
        assert outcome.verdict is Verdict.ACCEPTED


async def test_a_fault_before_the_request_is_no_doubt(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_peer(case) as peer, us(case, peer.url) as it:

        def faulty(*_: object) -> Call:
            raise RuntimeError("a fault of our own")

        monkeypatch.setattr(it.carrier.provider, "request", faulty)
        (outcome,) = await it.ask(it.part())
        assert outcome.verdict is Verdict.REJECTED
        assert not peer.sent
        assert it.carrier.up


async def test_wrong_credentials_keep_messages_where_they_are(case: Case) -> None:
    async with a_peer(case) as peer, us(case, peer.url) as it:
        peer.locked = True
        (outcome,) = await it.ask(it.part())
        assert outcome.verdict is Verdict.NOT_SENT
        assert not it.carrier.up
        await until(lambda: len(peer.asked) > 3)
        assert not it.carrier.up
        peer.locked = False
        await until(lambda: it.carrier.up)


async def test_the_window_is_never_exceeded(case: Case) -> None:
    async with a_peer(case) as peer, us(case, peer.url, window=3) as it:
        peer.hold.clear()
        parts = [it.part() for _ in range(5)]
        it.send(*parts)
        assert it.carrier.room == 0
        await until(lambda: peer.flying == 3)
        await until(lambda: len(it.outcomes) == 2)
        rooms = it.rooms
        peer.hold.set()
        await until(lambda: len(it.outcomes) == 5)
        verdicts = [it.outcomes[part.attempt].verdict for part in parts]
        assert verdicts == [Verdict.ACCEPTED] * 3 + [Verdict.NOT_SENT] * 2
        assert it.rooms == rooms + 1
        assert it.carrier.room == 3
        assert peer.most_flying == 3


@pytest.mark.usefixtures("quick")
async def test_closing_waits_for_answers_and_doubts_what_gets_none(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.carriers.http.carrier.GRACE", 0.05)
    async with a_peer(case) as peer, us(case, peer.url) as it:
        peer.hold.clear()
        part = it.part()
        it.send(part)
        await until(lambda: peer.flying)
        await it.carrier.close()
        assert it.outcomes[part.attempt].verdict is Verdict.UNKNOWN


async def test_a_provider_that_never_answers_does_not_hold_the_bridge(case: Case) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with asyncio.timeout(10):
            async with us(case, url, wait=False):
                connection, _ = await asyncio.get_running_loop().sock_accept(listener)
            connection.close()
            config = entry(case, url)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await probe(config, provider(config, KEYS, PUBLIC))


async def test_check_asks_without_sending(case: Case) -> None:
    async with a_peer(case) as peer:
        config = entry(case, peer.url)
        account = provider(config, KEYS, PUBLIC)
        assert await probe(config, account) == ""
        peer.locked = True
        assert await probe(config, account) != ""
        assert peer.sent == []
    assert await probe(config, account) != ""


async def test_an_address_that_is_not_the_providers_loses_nothing(case: Case) -> None:
    account = provider(entry(case, "http://127.0.0.1:1"), KEYS, PUBLIC)
    for status in (301, 307, 308):
        moved = Answer(status, {"location": "https://else.example/"}, b"<html>")
        assert account.probed(moved)
        assert account.outcome(moved).verdict is Verdict.NOT_SENT


async def test_no_answer_makes_it_fall(case: Case) -> None:
    odd = ["", "null", "[]", "1", '"x"', "<html>", "{" * 5000, '{"a":' * 5000, "\0", "é" * 99]
    account = provider(entry(case, "http://127.0.0.1:1"), KEYS, PUBLIC)
    for status, body in itertools.product((100, 200, 201, 204, 302, 400, 418, 500, 999), odd):
        outcome = account.outcome(Answer(status, {}, body.encode()))
        assert outcome.verdict is not Verdict.ACCEPTED, (status, body)
        account.probed(Answer(status, {}, body.encode()))
