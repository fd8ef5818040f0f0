"""P68: an erasure reaches the carriers that can erase, and the receipt tells what came of it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from sqlalchemy import select
from structlog.testing import capture_logs

from bridge.dispatch import receipting
from bridge.dispatch.erasing import Wish, erase
from bridge.dispatch.requests import Someone
from bridge.model import Inbound
from bridge.operations import REGISTRY, Office
from bridge.privacy.export import iso
from bridge.privacy.periods import DAY
from bridge.privacy.receipt import checked
from bridge.store import ids
from bridge.store.carrier_erasures import queue_parts
from bridge.store.erasure_tables import carrier_erasure, erasure, receipt
from bridge.store.sql import Script, Statement
from bridge.store.tables import reply_part
from tests.bridges import ANNA, OURS, WRITER, Running, a_bridge, until, write_config
from tests.http_cases import Records, Reply, twilio, vonage
from tests.http_peer import Peer, a_peer

#: From Twilio, which cannot send it, a message goes on to Vonage.
CANNOT = twilio.error(21408, 403)
LONG = "The pump runs, and nobody is there to see it. " * 8
HOUR = 3600.0


class House:
    """A running bridge over two providers, and a clock that stands still until a test moves it."""

    def __init__(self, running: Running, us: Peer, them: Peer) -> None:
        self.running = running
        self.bridge = running.bridge
        self.us = us
        self.them = them
        self.now = time.time()
        self.bridge.clock = lambda: self.now

    def later(self, seconds: float) -> None:
        """Time goes on; whoever waits for it looks again."""
        self.now += seconds
        for name in ("us", "them"):
            self.bridge.wake(f"records-{name}")

    async def rows(self, *columns: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.bridge.store.read(Statement(select(*columns)))]

    async def sends(self, text: str, *, by_vonage: bool = False) -> None:
        before = len(await self.running.states())
        self.us.reply = CANNOT if by_vonage else None
        await self.running.mail(f"{ANNA}@sms.example", text=text)
        await until(lambda: self._all_sent(before + 1))
        self.us.reply = None

    async def _all_sent(self, count: int) -> bool:
        return await self.running.states() == ["sent"] * count

    async def hears(self, carrier: str, key: str, number: int = 1, total: int = 1) -> None:
        part = Inbound(ANNA, OURS, f"Thanks {key}".encode(), "utf-8")
        part = Inbound(
            *(part.source, part.destination, part.data, part.coding),
            ref=7,
            total=total,
            number=number,
            key=key,
        )
        await self.running.parts.reception.inbound(carrier, part)

    async def erases(self, number: str = ANNA) -> dict[str, Any]:
        """What the operator is shown."""
        office = Office(self.bridge, self.bridge.silence, "eva")
        words = {"tenant": "acme", "instruction": "letter of 23 November"}
        (item,) = [i async for i in REGISTRY["privacy erase"](office, number=number, **words)]
        return dict(item)

    async def settled(self, count: int, *, of: str = "%") -> None:
        """Until so many records wait no more."""

        async def done() -> bool:
            rows = await self.rows(carrier_erasure.c.carrier, carrier_erasure.c.outcome)
            return sum(o != "" for c, o in rows if of in ("%", c)) == count

        await until(done)

    async def is_last(self) -> bool:
        return await self.rows(receipt.c.is_last) == [(True,)]


@pytest.fixture
async def kept() -> dict[str, Records]:
    return {"us": Records(), "them": Records()}


@pytest.fixture
async def house(
    tmp_path: Path, url: str, kept: dict[str, Records], more: str
) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        us = await stack.enter_async_context(a_peer(twilio.with_records(kept["us"])))
        them = await stack.enter_async_context(a_peer(vonage.with_records(kept["them"])))
        entries = [
            entry("us", "twilio", us.url, twilio.CASE.keys, "response_timeout = '5s'"),
            entry("them", "vonage", them.url, vonage.CASE.keys, more),
            '[[routes]]\nmatch = "+"\ncarriers = ["us", "them"]',
        ]
        config = write_config(tmp_path, database=url, carriers="\n".join(entries))
        running = await stack.enter_async_context(a_bridge(config))
        yield House(running, us, them)


@pytest.fixture
def more() -> str:
    """Further keys of the second carrier."""
    return ""


def entry(name: str, kind: str, url: str, keys: Any, more: str) -> str:
    facts = {"name": name, "kind": kind, "api_url": url, "originator": OURS, **keys}
    lines = [f"{key} = {json.dumps(value)}" for key, value in facts.items()]
    return "\n".join(["[[carriers]]", *lines, more])


def document(item: dict[str, Any]) -> dict[str, Any]:
    """The receipt as it stands now."""
    text = Path(item["files"][0]).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["receipt"]
    return found


def at_carriers(told: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    """(carrier, why, how many) of what stays."""
    found = [each for each in told["stays"] if each["what"] == "carrier"]
    return [(each["name"], each["why"], each.get("count")) for each in found]


def elsewhere(told: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(each["name"], each["outcome"], each["count"]) for each in told["elsewhere"]]


async def no_id_stays(house: House, ids: Sequence[str]) -> None:
    for row in await house.rows(carrier_erasure):
        assert not {str(value) for value in row} & set(ids)
    assert await house.rows(reply_part) == []


WAITS = "records that the carrier is still asked to erase"


async def test_p2_p68_an_erasure_reaches_the_carriers_and_the_receipt_follows(
    house: House, kept: dict[str, Records]
) -> None:
    us, them = kept["us"], kept["them"]
    await house.sends("Boiler 3 is cold")
    await house.sends(LONG, by_vonage=True)
    mo = "SM" + "f" * 32
    us.kept.add((mo, ""))
    them.kept |= {("0B01", "inbound"), ("0B02", "inbound")}
    await house.hears("us", mo)
    await house.hears("them", "0B02", 2, 2)
    await house.hears("them", "0B01", 1, 2)
    everything = us.kept | them.kept
    assert (len(us.kept), len(them.kept)) == (2, 5)
    them.answers = [vonage.problem("premature-redaction", 403)] * 5
    with capture_logs() as logs:
        item = await house.erases()
        assert not item["final"]
        assert us.asked == them.asked == []
        begun = (await house.rows(erasure.c.begun_at))[0][0]
        told = document(item)
        assert told["elsewhere"] == []
        assert at_carriers(told) == [("them", WAITS, 5), ("us", WAITS, 2)]
        (until_then,) = {e["until"] for e in told["stays"] if e["what"] == "carrier"}
        assert until_then == iso(begun + 14 * DAY)
        assert not await house.is_last()

        house.later(60)
        await house.settled(2)
        await until(lambda: answered(them, 5))
        await until(lambda: idle(house))
        assert us.kept == set()
        assert not await house.is_last()
        house.later(HOUR)
        await house.settled(7)
        house.later(30)
        await until(house.is_last)
    assert not them.kept
    assert {*us.erased, *them.erased} == everything
    assert sorted(us.asked) == sorted(us.erased)
    told = document(item)
    assert elsewhere(told) == [("them", "erased", 5), ("us", "erased", 2)]
    assert at_carriers(told) == []
    assert told["elsewhere"][0]["at"] > told["elsewhere"][1]["at"] > told["erased_at"]
    text = await receipting.receipt_of(house.bridge, ids.read(item["request"]))
    assert json.loads(text)["receipt"] == told
    assert checked(text, {house.bridge.signer.public}).is_good
    await no_id_stays(house, [name for name, _ in everything])
    # No log tells an id.
    words = json.dumps(logs, default=str)
    assert not [name for name, _ in everything if name in words]
    counted = generate_latest(house.bridge.metrics.registry).decode()
    for carrier, count in (("us", 2), ("them", 5)):
        line = f'carrier_erasures_total{{carrier="{carrier}",outcome="erased"}} {count}.0'
        assert line in counted


async def answered(records: Records, count: int) -> bool:
    return len(records.asked) == count and not records.answers


async def test_what_a_carrier_has_no_more_is_told_so(
    house: House, kept: dict[str, Records]
) -> None:
    await house.sends("Boiler 3 is cold")
    kept["us"].kept.clear()
    item = await house.erases()
    house.later(60)
    await house.settled(1)
    house.later(30)
    await until(house.is_last)
    assert elsewhere(document(item)) == [("us", "gone", 1)]


async def test_an_account_that_may_not_erase_is_told_until_it_may(
    house: House, kept: dict[str, Records]
) -> None:
    them = kept["them"]
    await house.sends(LONG, by_vonage=True)
    them.answers = [vonage.problem("unprovisioned", 403)] * 3
    with capture_logs() as logs:
        await house.erases()
        house.later(60)
        await until(lambda: answered(them, 3))
        await until(lambda: idle(house))
        (told,) = [line for line in logs if line["event"] == "a carrier erases nothing now"]
        assert told["log_level"] == "warning"
        assert "ask Vonage's support" in told["hint"]
    # All of the account's records wait.
    assert {row[0] for row in await house.rows(carrier_erasure.c.due_at)} == {house.now + HOUR}
    house.later(HOUR)
    await house.settled(3)
    assert len(them.erased) == 3


async def test_p68_what_was_asked_for_in_vain_is_in_the_receipt_with_its_reason(
    house: House, kept: dict[str, Records]
) -> None:
    them = kept["them"]
    await house.sends("Boiler 3 is cold", by_vonage=True)
    them.answers = [vonage.UNAUTHORIZED] * 2
    item = await house.erases()
    house.later(60)
    await until(lambda: asked(them, 1))
    await until(lambda: idle(house))
    house.later(15 * DAY)
    await house.settled(1)
    house.later(30)
    await until(house.is_last)
    told = document(item)
    assert elsewhere(told) == []
    refused_it, (name, why, count) = at_carriers(told)
    assert (name, count) == ("them", 1)
    # It had been handed the text, and keeps what it keeps of a request that it refused.
    assert refused_it == ("us", "carriers keep their own records: ask them", None)
    assert why.startswith("these records were asked for in vain until now: Vonage does not let")
    await no_id_stays(house, [name for name, _ in them.kept])


async def test_p68_where_an_account_may_not_erase_all_is_given_up_in_time(
    house: House, kept: dict[str, Records]
) -> None:
    them = kept["them"]
    for _ in range(2):
        await house.sends(LONG, by_vonage=True)
    them.answers = [vonage.UNAUTHORIZED] * 8
    item = await house.erases()
    house.later(60)
    await until(lambda: asked(them, 4))
    await until(lambda: idle(house))
    house.later(15 * DAY)
    await house.settled(6)
    house.later(30)
    await until(house.is_last)
    assert len(them.asked) <= 8, "nothing else is tried"
    assert [(name, count) for name, _, count in at_carriers(document(item))] == [
        ("us", None),
        ("them", 6),
    ]
    counted = generate_latest(house.bridge.metrics.registry).decode()
    assert 'carrier_erasures_total{carrier="them",outcome="given-up"} 6.0' in counted


async def asked(records: Records, count: int) -> bool:
    return len(records.asked) == count


async def idle(house: House) -> bool:
    """Nothing is being asked."""
    return {row[0] for row in await house.rows(carrier_erasure.c.lease)} == {None}


async def test_p68_what_a_carrier_refuses_is_in_the_receipt_with_its_reason(
    house: House, kept: dict[str, Records]
) -> None:
    await house.sends("Boiler 3 is cold")
    kept["us"].answers = [Reply(422, "{}")]
    item = await house.erases()
    house.later(60)
    await house.settled(1)
    house.later(30)
    await until(house.is_last)
    ((name, why, count),) = at_carriers(document(item))
    assert (name, count) == ("us", 1)
    assert why.endswith("erase these records: the provider refused to erase it (HTTP 422)")


async def test_a_carrier_that_is_away_is_asked_with_growing_pauses(
    house: House, kept: dict[str, Records]
) -> None:
    us = kept["us"]
    await house.sends("Boiler 3 is cold")
    us.answers = [Reply(500)] * 3
    await house.erases()
    house.later(60)
    for count, pause in ((1, 60.0), (2, 120.0), (3, 240.0)):
        await until(lambda: asked(us, count))  # noqa: B023
        await until(lambda: idle(house))
        ((due, why),) = await house.rows(carrier_erasure.c.due_at, carrier_erasure.c.reason)
        assert due == house.now + pause
        assert "HTTP 500" in why
        house.later(pause)
    await house.settled(1)
    assert len(us.erased) == 1


async def test_p2_a_writers_texts_go_at_their_carriers_too(
    house: House, kept: dict[str, Records]
) -> None:
    await house.sends("Boiler 3 is cold")
    owner = house.bridge.register.named("acme")
    assert owner is not None
    await erase(house.bridge, [Wish(9, owner.id, Someone("mail", WRITER), "eva")])
    house.later(60)
    await house.settled(1)
    assert len(kept["us"].erased) == 1


@pytest.mark.parametrize("more", ["erase_records = false"])
async def test_who_asks_himself_is_told_to(house: House, kept: dict[str, Records]) -> None:
    await house.sends("Boiler 3 is cold", by_vonage=True)
    await house.hears("them", "0B01")
    item = await house.erases()
    told = document(item)
    assert at_carriers(told) == [
        ("them", "carriers keep their own records: ask them", None),
        ("us", "carriers keep their own records: ask them", None),
    ]
    assert item["final"]
    assert await house.is_last()
    assert await house.rows(carrier_erasure) == []
    assert kept["them"].asked == []


async def test_p68_a_carrier_that_is_taken_out_is_told_of(
    house: House, kept: dict[str, Records]
) -> None:
    await house.sends("Boiler 3 is cold")
    item = await house.erases()
    bridge = house.bridge
    bridge.settings = bridge.settings.model_copy(update={"carriers": []})
    del bridge.carriers
    house.later(30)
    await until(house.is_last)
    assert at_carriers(document(item)) == [
        (
            "us",
            "the carrier was not brought to erase these records: it is not configured any more",
            1,
        )
    ]
    await no_id_stays(house, [name for name, _ in kept["us"].kept])
    assert kept["us"].asked == []


async def test_p68_what_came_while_it_was_erased_follows_in_another_receipt(house: House) -> None:
    await house.sends("Boiler 3 is cold")
    item = await house.erases()
    house.later(60)
    await house.settled(1)
    house.later(30)
    await until(house.is_last)
    assert elsewhere(document(item)) == [("us", "erased", 1)]
    # Another process stored it for somebody whom it had just found there.
    ((number,),) = await house.rows(erasure.c.id)

    def late(items: list[int]) -> Script:
        for one in items:
            yield from queue_parts(one, [("us", "SM" + "e" * 32)], house.now)
        return [None] * len(items)

    await house.bridge.store.write(late, number)
    assert not await house.is_last()
    house.later(60)
    await house.settled(2)
    house.later(30)
    await until(house.is_last)
    assert elsewhere(document(item)) == [("us", "erased", 1), ("us", "gone", 1)]


async def test_p68_what_comes_while_a_receipt_is_signed_follows_in_another(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.sends("Boiler 3 is cold")
    item = await house.erases()
    number = ids.read(item["request"])
    house.later(60)
    await house.settled(1)
    house.later(30)
    await until(house.is_last)
    ((erased,),) = await house.rows(erasure.c.id)
    filed = receipting._filed

    def late(items: list[int]) -> Script:
        for one in items:
            yield from queue_parts(one, [("us", "")], house.now)
        return [None] * len(items)

    async def meanwhile(*words: Any) -> Path:
        monkeypatch.setattr(receipting, "_filed", filed)
        await house.bridge.store.write(late, erased)
        return await filed(*words)

    monkeypatch.setattr(receipting, "_filed", meanwhile)
    await receipting.issue(house.bridge, number)
    assert not await house.is_last()
    await receipting.settle(house.bridge)
    assert await house.is_last()
    ((name, why, count),) = at_carriers(document(item))
    assert (name, count) == ("us", 1)
    assert why.startswith("the bridge has no name for these records")
