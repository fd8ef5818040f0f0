"""A provider's callbacks into real processes that are killed: repeated until 200, kept once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import aiosmtplib
import pytest

from tests.bridges import WRITER, write_config
from tests.e2e.processes import BridgeProcess, House, a_house, until
from tests.e2e.senders import Load
from tests.e2e.verdicts import judged
from tests.http_cases import PUBLIC, Sent, Told, twilio
from tests.http_peer import Peer, a_peer

PEOPLE = 24
KILLS = 4


def number(person: int) -> str:
    return f"+42060112{person:04}"


def config(folder: Path, peer: Peer, **more: str) -> Path:
    keys = {"name": "us", "kind": "twilio", "api_url": peer.url, "originator": twilio.OURS}
    entry = "\n".join(f"{k} = {json.dumps(v)}" for k, v in {**keys, **twilio.CASE.keys}.items())
    route = '[[routes]]\nmatch = "+"\ncarriers = ["us"]\n'
    path = write_config(folder, carriers=f"[[carriers]]\n{entry}\n{route}", **more)
    path.write_text(f'public_url = "{PUBLIC}"\n' + path.read_text(encoding="utf-8"))
    return path


async def mail(port: int, to: str, text: str) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = WRITER, f"{to}@sms.example", "Boiler"
    letter.set_content(text)
    await aiosmtplib.send(letter, hostname="127.0.0.1", port=port, timeout=30)


class Provider:
    """Repeats each callback until it hears 200, and then tells it once more."""

    def __init__(self, port: Callable[[], int], session: aiohttp.ClientSession) -> None:
        self._port = port
        self._session = session
        self.told = 0

    async def call(self, what: str, told: Told) -> int:
        path = f"/carriers/us/{what}"
        signed = twilio.sign(told, PUBLIC + path)
        headers = {**signed.headers, "Content-Type": signed.content_type}
        url = f"http://127.0.0.1:{self._port()}{path}"
        async with self._session.post(url, data=signed.body, headers=headers) as answer:
            return answer.status

    async def tell(self, what: str, told: Told) -> None:
        for _ in range(2):
            status = 0
            while status != 200:
                assert status in (0, 503)
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    status = await self.call(what, told)
                if status != 200:
                    await asyncio.sleep(0.02)
            self.told += 1


async def test_what_a_provider_tells_is_kept_once_whatever_is_killed(tmp_path: Path) -> None:
    luck = random.Random(5)
    async with (
        a_peer(twilio.CASE) as peer,
        a_house(tmp_path, config(tmp_path, peer)) as house,
        aiohttp.ClientSession() as session,
    ):
        _, said, _ = await house.call("check")
        assert f"ok      carrier us: {peer.url} takes our account; the addresses" in said, said
        up = await house.start()
        _, said, _ = await house.call("check")
        assert f"{peer.url} takes our account" in said, said
        assert f"{PUBLIC}/carriers/us/receipt and {PUBLIC}/carriers/us/inbound" in said
        people = range(PEOPLE)
        for person in people:
            await mail(up.smtp, number(person), f"to {person}")
        await until(lambda: len(peer.ids) == PEOPLE, "all SMS at the provider")
        ids = {sent.to: each for sent, each in zip(peer.sent, peer.ids, strict=True)}
        provider = Provider(lambda: up.http, session)
        telling = [
            asyncio.create_task(provider.tell(what, told))
            for person in people
            for what, told in (
                ("receipt", twilio.receipt(ids[number(person)], "sent")),
                ("receipt", twilio.receipt(ids[number(person)], "delivered")),
                ("inbound", written(person, "STOP" if person % 2 else f"answer {person}")),
            )
        ]
        for kill in range(KILLS):
            await until(lambda at=kill: provider.told > at * 20, "callbacks")
            await asyncio.sleep(luck.uniform(0, 0.03))
            up.kill()
            up = await house.start()
        await asyncio.gather(*telling)
        log = await house.log()
        delivered = [m for m in log if m["state"] == "delivered"]
        assert len(delivered) == PEOPLE
        for person in (1, 2):
            await mail_again(up, number(person), stopped=bool(person % 2))
        with contextlib.closing(sqlite3.connect(tmp_path / "var" / "bridge.sqlite")) as kept:
            count = kept.execute("SELECT count(*), count(DISTINCT subject_id) FROM reply")
            assert count.fetchone() == (PEOPLE, PEOPLE)
            stopped = kept.execute("SELECT count(*) FROM suppression")
            assert stopped.fetchone() == (PEOPLE // 2,)


class Centre:
    """A provider's SMS as the judge of losses reads them."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    @property
    def messages(self) -> list[Sent]:
        return self._peer.sent

    @property
    def submits(self) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(destination=sent.to.removeprefix("+"), number=1, status=0)
            for sent in self._peer.sent
        ]

    @property
    def most_in_flight(self) -> int:
        return self._peer.most_flying


async def test_a_kill_loses_nothing_and_doubles_only_what_was_in_doubt(tmp_path: Path) -> None:
    async with a_peer(twilio.CASE) as peer, a_house(tmp_path, config(tmp_path, peer)) as house:
        peer.latency = 0.05
        up = await house.start()
        load = Load(lambda: up.smtp, rate=60, run="h")
        sending = asyncio.create_task(load())
        for _ in range(KILLS):
            before = len(peer.sent)
            await until(lambda at=before: len(peer.sent) > at + 40, "SMS at the provider")
            up.kill()
            up = await house.start()
        load.enough()
        await sending
        await judged(house, Centre(peer), load, KILLS)  # type: ignore[arg-type]


def written(person: int, text: str) -> Told:
    told = twilio.inbound(text, f"SM{person:032x}")
    return Told(
        told.body.replace(
            twilio.ANNA.replace("+", "%2B").encode(), number(person).replace("+", "%2B").encode()
        ),
        told.content_type,
    )


async def mail_again(up: BridgeProcess, to: str, *, stopped: bool) -> None:
    if not stopped:
        await mail(up.smtp, to, "once more")
        return
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await mail(up.smtp, to, "once more")


@pytest.mark.postgres
@pytest.mark.redis
async def test_callbacks_reach_the_edge_and_carriers_work_elsewhere(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    async with (
        a_peer(twilio.CASE) as peer,
        a_house(tmp_path, config(tmp_path, peer, database=postgres_url, queue=redis_url)) as house,
        aiohttp.ClientSession() as session,
    ):
        serve = await house.start("serve")
        await house.start("work")
        await house.start("tick")  # it matches receipts that the two others missed each for itself
        provider = Provider(lambda: serve.http, session)
        await mail(serve.smtp, number(1), "first")
        await until(lambda: len(peer.ids) == 1, "the SMS at the provider")
        assert await provider.call("receipt", twilio.receipt(peer.ids[0], "delivered")) == 200
        await until_state(house, "delivered")

        peer.hold.clear()
        await mail(serve.smtp, number(1), "second")
        await until(lambda: peer.flying == 1, "the second SMS under way")
        stop = asyncio.create_task(provider.call("inbound", written(1, "STOP")))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(stop), 0.5)
        peer.hold.set()
        assert await stop == 200, "once what was under way in the other process is told of"
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await mail(serve.smtp, number(1), "third")
        assert await provider.call("inbound", written(1, "STOP")) == 200


async def until_state(house: House, state: str) -> None:
    async def reached() -> bool:
        return {m["state"] for m in await house.log()} == {state}

    await until(reached, f"a message {state}")
