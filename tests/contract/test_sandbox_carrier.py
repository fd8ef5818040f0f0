"""The sandbox as a carrier, with the real store: it takes parts, receipts them, and forgets nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from bridge import opening, settings
from bridge.carriers.sandbox import SANDBOX_NUMBER, SandboxCarrier
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.submit import submit
from bridge.errors import StoreUnavailable
from bridge.model import Inbound, Origin, Outcome, Part, Receipt, State, Submission, Verdict
from bridge.store.claims import Claim, Claims, ClaimScript
from bridge.store.outcomes import Move, PartDone, Progress, record_progress
from bridge.store.sandbox import RECEIVED, RECEIVED_BY, Mode, Received, received, set_modes
from tests.bridges import ANNA, BERIT, write_config

LONG = "Žluťoučký kůň 😀 " * 8


class Inbox:
    """Takes receipts, and refuses the first so many."""

    def __init__(self, refuse: int = 0) -> None:
        self.receipts: asyncio.Queue[Receipt] = asyncio.Queue()
        self._refuse = refuse

    async def receipt(self, carrier: str, receipt: Receipt) -> None:
        assert carrier == "sandbox"
        if self._refuse:
            self._refuse -= 1
            raise StoreUnavailable("the database is away", "wait")
        self.receipts.put_nowait(receipt)

    async def inbound(self, _carrier: str, _part: Inbound) -> None:
        raise AssertionError("nobody typed anything")

    async def opted_out(self, _carrier: str, _number: str) -> None:
        raise AssertionError("the sandbox keeps no list")


class Hands:
    """What a lane does with a carrier, by hand."""

    def __init__(self, bridge: Bridge, config: settings.Carrier) -> None:
        self.bridge = bridge
        self.inbox = Inbox()
        self.answers: asyncio.Queue[tuple[Part, Outcome]] = asyncio.Queue()
        self.rooms = asyncio.Event()
        self.carrier = self.another(config)

    def another(self, config: settings.Carrier, slow: float = 0.3) -> SandboxCarrier:
        return SandboxCarrier(
            config, self.bridge.store, self.bridge.keys, slow=slow, receipt_after=(0.01, 0.02)
        )

    async def claimed(self, destination: str = ANNA, text: str = "Ahoj") -> list[Part]:
        """A message that was accepted, claimed, and whose parts may leave."""
        tenant = next(iter(self.bridge.register.tenants))
        origin = Origin("cli", "")
        await submit(self.bridge, Submission(tenant, origin, destination, "CZ", text))
        claims: Claims = await self.bridge.store.write(
            ClaimScript(self.bridge.ids.next),
            Claim("sandbox", self.bridge.incarnation, time.time() + 1, 50, 50),
        )
        (message,) = claims.messages
        return [
            Part(attempt, message.id, n, message.parts, 7, message.phone, "", "…", "gsm7", "", None)
            for n, attempt in message.attempts.items()
        ]

    async def recorded(self, part: Part, outcome: Outcome) -> None:
        """The lane writes down that the carrier took a message of one part."""
        done = PartDone(part.attempt, "accepted", outcome.carrier_id, "")
        move = Move(
            part.message, State.SENT, "", "sandbox.bulk", 0, time.time(), 0, "gsm7", "", 1, 1
        )
        progress = Progress("sandbox", time.time(), self.bridge.incarnation, (done,), move)
        await self.bridge.store.write(record_progress, [progress])

    def send(self, parts: list[Part]) -> None:
        self.carrier.send(parts, lambda part, outcome: self.answers.put_nowait((part, outcome)))

    async def open(self) -> None:
        await self.carrier.open(self.inbox, self.rooms.set)

    async def on_phones(self) -> list[Received]:
        return received(await self.bridge.store.read(RECEIVED, now=time.time()))


@asynccontextmanager
async def hands(folder: Path, database: str = "sqlite", **keys: int) -> AsyncIterator[Hands]:
    config = settings.load(write_config(folder, database=database), {})
    async with opening.opened(config, "up") as bridge:
        made = Hands(bridge, settings.Carrier(name="sandbox", kind="sandbox", **keys))
        await made.open()
        try:
            yield made
        finally:
            await made.carrier.close()


House = Callable[..., AbstractAsyncContextManager[Hands]]


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    url = "sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    return lambda **keys: hands(tmp_path, url, **keys)


async def test_a_part_is_on_disk_before_it_is_answered_and_then_receipted(house: House) -> None:
    async with house() as h:
        parts = await h.claimed()
        h.send(parts)
        assert h.answers.empty(), "the answer never comes from within send"
        part, outcome = await h.answers.get()
        (sms,) = await h.on_phones()
        receipt = await h.inbox.receipts.get()
    assert (part, outcome.verdict) == (parts[0], Verdict.ACCEPTED)
    assert (sms.phone, sms.text, sms.parts, sms.originator) == (ANNA, "Ahoj", 1, SANDBOX_NUMBER)
    assert (receipt.carrier_id, receipt.state) == (outcome.carrier_id, State.DELIVERED)


async def test_a_long_message_is_there_once_its_last_part_came(house: House) -> None:
    async with house() as h:
        parts = await h.claimed(text=LONG)
        assert len(parts) > 1
        h.send(parts[:-1])
        for _ in parts[:-1]:
            await h.answers.get()
        assert await h.on_phones() == []
        h.send(parts[-1:])
        await h.answers.get()
        (sms,) = await h.on_phones()
    assert (sms.parts, sms.text[:20]) == (len(parts), LONG[:20])


async def test_only_one_phones_messages_are_asked_for(house: House) -> None:
    async with house() as h:
        h.send([*await h.claimed(ANNA), *await h.claimed(BERIT, "Hei")])
        await h.answers.get()
        await h.answers.get()
        key = h.bridge.keys.everyone(BERIT)
        rows = await h.bridge.store.read(RECEIVED_BY, now=time.time(), phone=key)
    assert [sms.text for sms in received(rows)] == ["Hei"]


async def test_the_same_part_taken_twice_is_one_and_another_attempt_is_another(
    house: House,
) -> None:
    async with house() as h:
        (part,) = await h.claimed()
        h.send([part])
        await h.answers.get()
        h.send([part])
        await h.answers.get()
        assert len(await h.on_phones()) == 1
        again = Part(
            **{n: getattr(part, n) for n in part.__slots__} | {"attempt": part.attempt + 1}
        )
        h.send([again])
        await h.answers.get()
        assert [sms.message for sms in await h.on_phones()] == [part.message, part.message]


async def test_an_unreachable_phone_gets_nothing_and_the_receipt_says_so(house: House) -> None:
    async with house() as h:
        key = h.bridge.keys.everyone(ANNA)
        await h.bridge.store.write(set_modes, Mode(key, "unreachable"))
        h.send(await h.claimed())
        _, outcome = await h.answers.get()
        receipt = await h.inbox.receipts.get()
        assert outcome.verdict is Verdict.ACCEPTED
        assert (receipt.state, receipt.reason) == (State.FAILED, "phone unreachable")
        await h.bridge.store.write(set_modes, Mode(key, "normal"))
        h.send(await h.claimed(text="Slyšíš mě?"))
        await h.answers.get()
        assert [sms.text for sms in await h.on_phones()] == ["Slyšíš mě?"]


async def test_a_slow_phone_gets_it_late_and_the_receipt_is_later(house: House) -> None:
    async with house() as h:
        await h.bridge.store.write(set_modes, Mode(h.bridge.keys.everyone(ANNA), "slow"))
        sent = time.time()
        h.send(await h.claimed())
        await h.answers.get()
        receipt = await h.inbox.receipts.get()
        (sms,) = await h.on_phones()
    assert receipt.state is State.DELIVERED
    assert receipt.at is not None
    assert sent + 0.3 <= sms.at < receipt.at


async def test_receipts_that_are_owed_come_after_a_restart(house: House) -> None:
    async with house() as h:
        config = settings.Carrier(name="sandbox", kind="sandbox")
        h.carrier = SandboxCarrier(
            config, h.bridge.store, h.bridge.keys, receipt_after=(3600.0, 3600.0)
        )
        await h.open()
        h.send(await h.claimed())
        part, outcome = await h.answers.get()
        await h.recorded(part, outcome)
        await h.carrier.close()
        h.carrier = h.another(config)
        await h.open()
        receipt = await h.inbox.receipts.get()
    assert (receipt.carrier_id, receipt.state) == (outcome.carrier_id, State.DELIVERED)


async def test_a_receipt_that_is_refused_comes_again(tmp_path: Path) -> None:
    async with hands(tmp_path) as h:
        await h.carrier.close()
        h.inbox = Inbox(refuse=1)
        await h.open()
        h.send(await h.claimed())
        assert (await h.inbox.receipts.get()).state is State.DELIVERED


async def test_room_is_the_window_less_what_is_under_way(tmp_path: Path) -> None:
    async with hands(tmp_path, window=2) as h:
        assert (h.carrier.room, h.carrier.up) == (2, True)
        h.send([*await h.claimed(ANNA), *await h.claimed(BERIT)])
        assert h.carrier.room == 0
        await h.rooms.wait()
        assert h.carrier.room > 0
        await h.carrier.close()
        assert (h.carrier.room, h.carrier.up) == (0, False)


async def test_closing_waits_for_what_is_under_way(tmp_path: Path) -> None:
    async with hands(tmp_path) as h:
        h.send(await h.claimed())
        await h.carrier.close()
        assert h.answers.get_nowait()[1].verdict is Verdict.ACCEPTED


async def test_a_database_that_is_away_delays_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hands(tmp_path) as h:
        parts = await h.claimed()
        transaction = h.bridge.store.driver.transaction
        failed = asyncio.Event()

        async def away(_scripts: object) -> list[object]:
            monkeypatch.setattr(h.bridge.store.driver, "transaction", transaction)
            failed.set()
            raise StoreUnavailable("the disk is full", "free some space")

        monkeypatch.setattr(h.bridge.store.driver, "transaction", away)
        h.send(parts)
        await failed.wait()
        assert (await h.answers.get())[1].verdict is Verdict.ACCEPTED
        assert len(await h.on_phones()) == 1
