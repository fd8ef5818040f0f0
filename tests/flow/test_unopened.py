"""A carrier that no process can open, or that stands for moments only: the next of its route sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from bridge import carriers
from bridge.carriers.smpp import SmppCarrier
from bridge.dispatch import binds
from bridge.store.sql import Statement
from bridge.store.tables import message
from tests.bridges import ANNA, OURS, Running, a_bridge, until, write_config
from tests.http_cases import twilio
from tests.http_peer import a_peer
from tests.smsc import Smsc, smsc

ENTRY = """
[[carriers]]
name = "{name}"
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "acme"
password = "secret"
window = 10
retry_first = "1s"
failover = "1s"
{more}
"""
ROUTE = '[[routes]]\ncarriers = ["a", "b"]\n'
TO = f"{ANNA}@sms.example"
MISSING = 'tls = true\ntls_ca = "/nowhere/ca.pem"'


def entry(name: str, port: int, more: str = "") -> str:
    return ENTRY.format(name=name, port=port, more=more)


async def states(running: Running, state: str, count: int) -> bool:
    return (await running.states()).count(state) == count


async def delivered(running: Running, count: int = 1) -> None:
    await until(lambda: states(running, "delivered", count))


def nobody(free_port: Callable[[], int], _: Path) -> str:
    return entry("a", free_port())


def no_file(_: Callable[[], int], __: Path) -> str:
    return entry("a", 1, MISSING)


def no_certificate(_: Callable[[], int], folder: Path) -> str:
    (folder / "ca.pem").write_text("this is no certificate\n")
    return entry("a", 1, f'tls = true\ntls_ca = "{folder / "ca.pem"}"')


@pytest.mark.parametrize("first", [nobody, no_file, no_certificate])
async def test_the_second_sends_where_the_first_cannot_be_opened(
    tmp_path: Path, free_port: Callable[[], int], first: Callable[[Callable[[], int], Path], str]
) -> None:
    """Also what waits since before a restart, and what comes when all has moved on."""
    async with smsc() as centre:
        text = first(free_port, tmp_path) + entry("b", centre.port) + ROUTE
        config = write_config(tmp_path, carriers=text)
        async with a_bridge(config, works=False) as running:
            await running.mail(TO, text="Before the restart")
        async with a_bridge(config) as running:
            await delivered(running)
            assert running.parts.binds is not None
            assert running.parts.binds.states() == {"a": False, "b": True, "sandbox": True}
            await running.mail(TO, text="After it")
            await delivered(running, 2)
            await until(lambda: _weighs(running, "a", 0.0))
        assert [m.text for m in centre.messages] == ["Before the restart", "After it"]


async def _weighs(running: Running, name: str, weight: float) -> bool:
    return running.bridge.health.weight(name) == weight


async def test_a_fault_in_one_carrier_keeps_no_other_from_being_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is opened by itself once its fault is gone."""
    monkeypatch.setattr(binds, "BEAT", 0.1)
    monkeypatch.setattr(binds, "AGAIN", 0.1)
    is_mended = asyncio.Event()

    class Faulty(SmppCarrier):
        async def open(self, *given: object) -> None:
            if self.name == "a" and not is_mended.is_set():
                raise RuntimeError("a fault of its own")
            await super().open(*given)  # type: ignore[arg-type]

    monkeypatch.setitem(carriers.KINDS, "smpp", lambda config, _: Faulty(config))
    async with smsc() as one, smsc() as two:
        text = entry("a", one.port) + entry("b", two.port) + ROUTE
        async with a_bridge(write_config(tmp_path, carriers=text)) as running:
            await running.mail(TO)
            await delivered(running)
            assert len(two.messages) == 1
            is_mended.set()
            assert running.parts.binds is not None
            lanes = running.parts.binds.lanes["a"]
            await until(lambda: _is_up(lanes))
            assert one.sessions


@pytest.mark.postgres
@pytest.mark.redis
async def test_a_process_with_better_files_may_have_it(
    tmp_path: Path, postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever cannot open it stands back now and then."""
    for name in ("AGAIN", "BEAT", "KEEP"):
        monkeypatch.setattr(binds, name, 0.1)
    monkeypatch.setattr(binds, "STAND_BACK", 1.0)
    async with smsc() as centre:
        text = entry("a", centre.port, MISSING) + '[[routes]]\ncarriers = ["a"]\n'
        config = write_config(tmp_path, carriers=text, database=postgres_url, queue=redis_url)
        better = tmp_path / "better.toml"
        better.write_text(config.read_text().replace(MISSING, ""))
        async with a_bridge(config) as poor:
            await poor.mail(TO)
            assert poor.parts.binds is not None
            assert poor.parts.binds.states()["a"] is False
            async with a_bridge(better) as rich:
                await delivered(rich)
            assert len(centre.messages) == 1


async def _is_up(lanes: object) -> bool:
    return bool(lanes.carrier.up)  # type: ignore[attr-defined]


async def test_a_carrier_that_is_gone_from_the_file_leaves_its_messages(tmp_path: Path) -> None:
    async with smsc() as centre:
        whole = entry("a", 1, f'originator = "{OURS}"') + entry("b", centre.port) + ROUTE
        async with a_bridge(write_config(tmp_path, carriers=whole), works=False) as running:
            await running.mail(TO)
        left = entry("b", centre.port, 'originator = "+420601000009"')
        left += '[[routes]]\ncarriers = ["b"]\n'
        async with a_bridge(write_config(tmp_path, carriers=left)) as running:
            await delivered(running)
        assert [m.source for m in centre.messages] == ["420601000009"], "shows its own number"


async def test_a_carrier_that_left_its_route_and_is_down_leaves_its_messages(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """It is configured still, and the route has one carrier: another."""
    async with smsc() as centre:
        both = entry("a", free_port()) + entry("b", centre.port)
        before = both + '[[routes]]\ncarriers = ["a"]\n'
        async with a_bridge(write_config(tmp_path, carriers=before), works=False) as running:
            await running.mail(TO)
        after = both + '[[routes]]\ncarriers = ["b"]\n'
        async with a_bridge(write_config(tmp_path, carriers=after)) as running:
            await delivered(running)
        assert len(centre.messages) == 1


async def test_what_is_in_doubt_never_goes_to_the_next(tmp_path: Path) -> None:
    """The first takes ten without a word and dies: they wait for it, the others go on."""
    async with smsc() as two, smsc() as one:
        one.behave.silent = True
        text = entry("a", one.port) + entry("b", two.port) + ROUTE
        config = write_config(tmp_path, carriers=text)
        async with a_bridge(config) as running:
            people = [f"+4206011234{n:02d}" for n in range(15)]
            await asyncio.gather(*(running.mail(f"{to}@sms.example") for to in people))
            await until(lambda: _took(one, 10))
            taken = {s.destination for s in one.submits}
            one.behave.bind_status = 0x0E
            hang_up(one)
            await delivered(running, 5)
            assert await states(running, "queued", 10)
            found = await running.rows(
                Statement(select(message.c.resent, message.c.lane).order_by(message.c.resent))
            )
            assert [tuple(row) for row in found] == [(0, "b.bulk")] * 5 + [(1, "a.bulk")] * 10
            assert not taken & {m.destination for m in two.messages}


async def test_a_refusal_after_a_doubt_is_not_known(tmp_path: Path) -> None:
    async with smsc() as one, smsc() as two:
        one.behave.silent = True
        text = entry("a", one.port) + entry("b", two.port) + ROUTE
        async with a_bridge(write_config(tmp_path, carriers=text)) as running:
            await running.mail(TO)
            await until(lambda: _took(one, 1))
            one.behave.silent, one.behave.status = False, 0x45
            hang_up(one)
            await until(lambda: states(running, "unknown", 1))
        assert not two.messages


def hang_up(centre: Smsc) -> None:
    for session in list(centre.sessions):
        session.transport.abort()


async def _took(centre: Smsc, count: int) -> bool:
    return len(centre.submits) >= count


PROVIDER = """
[[carriers]]
name = "a"
kind = "twilio"
api_url = "{url}"
account = "{account}"
secret = "{secret}"
originator = "+420601000000"
failover = "1s"
"""


def provider(url: str) -> str:
    return PROVIDER.format(url=url, account=twilio.ACCOUNT, secret=twilio.TOKEN)


async def test_a_provider_that_refuses_the_account_is_left(tmp_path: Path) -> None:
    async with a_peer(twilio.CASE) as peer, smsc() as centre:
        peer.locked = True
        text = provider(peer.url + twilio.CASE.base) + entry("b", centre.port) + ROUTE
        async with a_bridge(write_config(tmp_path, carriers=text)) as running:
            await running.mail(TO)
            await delivered(running)
        assert len(centre.messages) == 1


async def test_a_provider_that_takes_the_account_and_no_message_is_left(tmp_path: Path) -> None:
    """Its probe goes well, each message is answered with 401: it stands for moments only."""
    async with a_peer(twilio.CASE) as peer, smsc() as centre:
        peer.reply = twilio.CASE.refuses_us
        text = provider(peer.url + twilio.CASE.base) + entry("b", centre.port) + ROUTE
        async with a_bridge(write_config(tmp_path, carriers=text)) as running:
            await running.mail(TO)
            await delivered(running)
        assert len(centre.messages) == 1
