"""P44: a carrier's own list of opt-outs is read, becomes ours, and what differs is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from sqlalchemy import select
from structlog.testing import capture_logs

from bridge import opening, settings
from bridge.cli.check import Examination, Finding
from bridge.dispatch import carrier_lists
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.carrier_lists import ListReader
from bridge.dispatch.nights import next_night
from bridge.dispatch.receive import Reception
from bridge.dispatch.submit import submit
from bridge.errors import Refused, StoreUnavailable, TryLater
from bridge.keyring import Keyring
from bridge.model import Inbound, Origin, Submission
from bridge.operations import REGISTRY, Office
from bridge.store.audit_tables import audit
from bridge.store.carrier_lists import BeginList, begin_lists
from bridge.store.list_tables import carrier_list, carrier_listed
from bridge.store.set_back import due_again
from bridge.store.sql import Statement
from bridge.store.tables import message, notice_body, suppression
from tests.bridges import a_bridge, until, write_config
from tests.http_cases import infobip
from tests.http_cases.infobip import Blocklist, list_error
from tests.http_peer import Peer, a_peer
from tests.seeds import seeded

ANNA, BERTA, CYRIL = "+420601123456", "+420601123457", "+420601123458"
ACME, SISTER = "+420601000000", "+420601000001"
NOW = 1_795_200_000.0  # 20 November 2026, 18:40 UTC
DAY = 86_400.0
CONFIG = """
data_dir = "{data_dir}"
region = "CZ"
[database]
url = "{url}"
[privacy]
inbox = ["privacy@bridge.example"]
[[tenants]]
name = "acme"
originator = "{acme}"
[[tenants]]
name = "sister"
originator = "{sister}"
[[tenants]]
name = "aloof"
[[carriers]]
name = "info"
kind = "infobip"
api_url = "{peer}"
key = "{key}"
response_timeout = "2s"
[[carriers]]
name = "other"
kind = "infobip"
api_url = "{peer}/other"
key = "{key}"
optout_list = {other}
[[routes]]
match = "+"
tenant = "aloof"
carriers = ["other"]
[[routes]]
match = "+"
carriers = ["info"]
"""


@pytest.fixture
def blocklist() -> Blocklist:
    return Blocklist()


@pytest.fixture
async def peer(blocklist: Blocklist) -> AsyncIterator[Peer]:
    async with a_peer(infobip.with_list(blocklist)) as peer:
        yield peer


class House:
    """A bridge whose clock a test sets, and what a test does in it."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.now = NOW
        bridge.clock = lambda: self.now
        self.reception = Reception(bridge, lambda _: None)
        self.reader = ListReader(bridge)

    async def rows(self, *columns: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.bridge.store.read(Statement(select(*columns)))]

    async def night(self, after: float = DAY) -> None:
        """The next reading that is due."""
        self.now += after
        await self.reader.once()

    async def texts(self, to: str = ANNA, tenant: str = "acme") -> str:
        """What becomes of a text that is taken now."""
        owner = self.bridge.register.named(tenant)
        assert owner is not None
        origin = Origin("cli", "eva")
        said = Submission(owner.id, origin, to, "CZ", "The pump runs.")
        return str((await submit(self.bridge, said)).state)

    async def says(self, text: str, number: str = ANNA) -> None:
        part = Inbound(source=number, destination=ACME, data=text.encode(), coding="utf-8")
        await self.reception.inbound("info", part)

    async def do(self, operation: str, **arguments: Any) -> list[dict[str, Any]]:
        office = Office(self.bridge, self.bridge.silence, "eva")
        return [item async for item in REGISTRY[operation](office, **arguments)]

    async def sync(self) -> dict[str, Any]:
        (item,) = await self.do("suppress sync", carrier="info")
        return item

    async def suppressed(self, number: str = ANNA, tenant: str = "acme") -> bool:
        (found,) = await self.do("suppress check", number=number, tenant=tenant)
        assert found["source"] in (None, "carrier", "handset")
        return bool(found["suppressed"])

    async def payloads(self) -> list[str]:
        return [row[0] for row in await self.rows(notice_body.c.payload)]

    async def told(self) -> list[str]:
        """The subjects of what is owed to the operator."""
        return [json.loads(payload)["subject"] for payload in await self.payloads()]


@asynccontextmanager
async def a_house(
    folder: Path, url: str, peer: Peer, *, other: str = "false"
) -> AsyncIterator[House]:
    path = folder / "bridge.toml"
    names = {"acme": ACME, "sister": SISTER, "key": infobip.KEY, "peer": peer.url, "other": other}
    path.write_text(CONFIG.format(data_dir=seeded(folder / "data"), url=url, **names))
    async with opening.opened(settings.load(path, {}), "up") as bridge:
        await bridge.bell.start([], None)
        yield House(bridge)
        await bridge.bell.stop()


@pytest.fixture
async def house(tmp_path: Path, url: str, peer: Peer) -> AsyncIterator[House]:
    async with a_house(tmp_path, url, peer) as house:
        yield house


async def test_p44_who_opted_out_with_the_carrier_is_opted_out_here_known_or_not(
    house: House, blocklist: Blocklist
) -> None:
    assert await house.texts() == "queued"
    blocklist.add(ANNA)
    blocklist.add(BERTA)
    await house.reader.once()
    assert await house.rows(message.c.state) == [("suppressed",)]
    for number in (ANNA, BERTA):
        for tenant in ("acme", "sister"):
            assert await house.texts(number, tenant) == "suppressed"
        # This one does not write over the carrier: nobody has told it to stop.
        assert await house.texts(number, "aloof") == "queued"
    assert set(await house.rows(suppression.c.source, suppression.c.scope)) == {
        ("carrier", "tenant")
    }
    assert await house.texts(CYRIL) == "queued"


async def test_p44_an_opt_out_from_a_tenants_number_is_that_tenants(
    house: House, blocklist: Blocklist
) -> None:
    blocklist.add(ANNA, sender=ACME.removeprefix("+"))
    blocklist.add(BERTA, sender="somebody else")
    await house.reader.once()
    assert await house.texts(ANNA, "acme") == "suppressed"
    assert await house.texts(ANNA, "sister") == "queued"
    assert await house.texts(BERTA, "sister") == "suppressed"


async def test_p44_nothing_is_lifted_and_the_operator_hears_what_differs(
    house: House, blocklist: Blocklist
) -> None:
    for number in (ANNA, BERTA, CYRIL):
        blocklist.add(number)
    assert await house.texts() == "queued"
    await house.says("STOP", CYRIL)
    with capture_logs() as logs:
        await house.night()
        blocklist.entries = blocklist.entries[2:]
        await house.night()
        await house.night()
        blocklist.entries = []
        await house.night()
    assert await house.suppressed()
    assert await house.texts(BERTA) == "suppressed"
    read = [log for log in logs if log["event"] == "a carrier's list of opt-outs was read"]
    # Of two tenants each; Cyril's STOP here went to one of them.
    assert [(log["read"], log["taken"], log["dropped"]) for log in read] == [
        (3, 5, 0),
        (1, 0, 4),
        (1, 0, 0),
        (0, 0, 1),
    ]
    said = f"{logs}{await house.payloads()}{await house.rows(audit.c.reason)}"
    for number in (ANNA, BERTA, CYRIL):
        assert number.removeprefix("+") not in said
    assert await house.told() == [
        "Opt-outs with the carrier info: 5 new, 0 gone",
        "Opt-outs with the carrier info: 0 new, 4 gone",
        "Opt-outs with the carrier info: 0 new, 1 gone",
    ]
    assert (await house.rows(audit.c.actor, audit.c.action, audit.c.reason))[-1] == (
        "bridge",
        "suppress sync",
        "carrier=info read=0 taken=0 dropped=1",
    )
    metric = house.bridge.metrics.carrier_optouts.labels
    assert metric("info", "taken")._value.get() == 5
    assert metric("info", "dropped")._value.get() == 5


async def test_p44_start_from_the_phone_is_not_undone_by_the_next_night(
    house: House, blocklist: Blocklist
) -> None:
    await house.texts()
    blocklist.add(ANNA, createdDate="2026-11-20T10:00:00Z")
    await house.night()
    assert await house.suppressed()
    await house.says("START")
    for _ in range(2):
        await house.night()
        assert not await house.suppressed()
    assert (await house.sync())["started"] == 1
    # Then they opt out there once more.
    blocklist.entries[0]["createdDate"] = "2026-11-24T10:00:00Z"
    house.now += 3 * DAY
    assert (await house.sync())["taken"] == 1
    assert await house.suppressed()


async def test_p44_a_list_without_times_begins_anew_for_who_left_it(
    house: House, blocklist: Blocklist
) -> None:
    await house.texts()
    blocklist.add(ANNA, createdDate="")
    await house.night()
    await house.says("START")
    await house.night()
    assert not await house.suppressed()
    gone, blocklist.entries = blocklist.entries, []
    await house.night()
    assert not await house.suppressed()
    blocklist.entries = gone
    await house.night()
    assert await house.suppressed()


async def test_p44_what_was_read_of_a_list_that_breaks_off_holds_and_nobody_is_missed(
    house: House, blocklist: Blocklist
) -> None:
    for number in range(1500):
        blocklist.add(f"+42060{number + 2_000_000:07}")
    last = "+420602001499"
    await house.night()
    assert await house.texts(last) == "suppressed"
    blocklist.entries.insert(0, blocklist.entries[-1] | {"destination": BERTA.removeprefix("+")})
    blocklist.answers = [None, list_error("BAD_REQUEST", 200)]
    with capture_logs() as logs:
        await house.night()
    (log,) = [each for each in logs if each["log_level"] == "warning"]
    assert "page 2 cannot be read" in log["why"]
    assert (log["read"], log["taken"], log["dropped"]) == (1000, 2, 0)
    assert await house.texts(BERTA) == "suppressed"
    # It is tried again after an hour, not before.
    asked = len(blocklist.answers)
    await house.night(60)
    assert len(blocklist.answers) == asked
    await house.night(3600)
    assert (await house.rows(carrier_list.c.problem)) == [("",)]
    assert (await house.rows(carrier_list.c.read_at)) == [(house.now,)]


async def test_p44_a_key_that_may_not_read_the_list_is_told_of_once(
    house: House, blocklist: Blocklist, peer: Peer
) -> None:
    blocklist.answers = [list_error("FORBIDDEN", 403) for _ in range(3)]
    await house.night()
    await house.night(3600)
    assert len(peer.asked) == 1  # to ask again changes nothing before somebody has
    await house.night()
    assert await house.told() == ["Opt-outs with the carrier info cannot be read"]
    (payload,) = await house.payloads()
    assert "blocklist:manage" in payload
    assert house.bridge.metrics.carrier_optouts.labels("info", "failed")._value.get() == 2
    assert await house.texts() == "queued"


async def test_a_carrier_that_is_away_is_tried_three_times_a_night(
    house: House, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.carriers.http.optouts.PAUSES", ())
    await peer.stop()
    for told in (0, 0, 1):
        await house.night(3600)
        assert len(await house.told()) == told
    assert await house.rows(carrier_list.c.next_at) == [(next_night(house.now),)]


@pytest.mark.parametrize("broken_off", [False, True])
async def test_a_clock_that_was_a_year_ahead_puts_no_night_off(
    house: House, blocklist: Blocklist, *, broken_off: bool
) -> None:
    await house.night(365 * DAY)
    if broken_off:
        lease = BeginList("info", 1, house.now, house.now + 200, forced=True)
        assert await house.bridge.store.write(begin_lists, lease)
    house.now -= 365 * DAY
    blocklist.add(ANNA)
    assert await house.bridge.store.write(due_again, house.now) == 1
    await house.reader.once()
    assert await house.suppressed()
    assert await house.rows(carrier_list.c.next_at) == [(next_night(house.now),)]
    assert await house.bridge.store.write(due_again, house.now) == 0


async def test_one_carriers_trouble_is_not_the_others(
    tmp_path: Path, peer: Peer, blocklist: Blocklist
) -> None:
    blocklist.add(ANNA)
    async with a_house(tmp_path, "sqlite", peer, other="true") as house:
        # Its address is nobody's: the peer complains of what it does not know.
        listed = dict(carrier_lists.readable(house.bridge))
        house.reader._lists = {"other": _Faulty(), "info": listed["info"]}  # type: ignore[dict-item]
        await house.reader.once()
        assert await house.suppressed()
        found = dict(await house.rows(carrier_list.c.carrier, carrier_list.c.read_at))
    assert found == {"other": None, "info": NOW}


class _Faulty:
    """A list whose reading fails in a way that nobody thought of."""

    async def pages(self) -> Any:
        if self:
            raise ZeroDivisionError
        yield


async def test_p44_of_several_processes_one_reads(
    house: House, blocklist: Blocklist, peer: Peer
) -> None:
    for number in range(2500):
        blocklist.add(f"+42060{number:07}")
    others = [ListReader(house.bridge) for _ in range(4)]
    await asyncio.gather(*(each.once() for each in (house.reader, *others)))
    assert len(peer.asked) == 3
    await house.reader.once()
    assert len(peer.asked) == 3


async def test_what_is_counted_is_there_before_anything_is(house: House) -> None:
    await house.reader.once()
    shown = generate_latest(house.bridge.metrics.registry).decode()
    for what in ("taken", "dropped", "failed"):
        assert f'bridge_carrier_optouts_total{{carrier="info",what="{what}"}} 0.0' in shown


async def test_who_was_overtaken_stops(house: House, blocklist: Blocklist) -> None:
    """A process that stood still for longer than its lease finds that another has begun."""
    for number in range(1500):
        blocklist.add(f"+42060{number:07}")
    listed = dict(carrier_lists.readable(house.bridge))["info"]
    slow = carrier_lists.Reader(house.bridge, "info", listed, house.bridge.silence)
    real = slow._take

    async def late(*arguments: Any) -> None:
        slow._take = real  # type: ignore[method-assign]
        house.now += DAY
        await house.reader.once()
        await real(*arguments)

    slow._take = late  # type: ignore[method-assign]
    assert await slow.read() is None
    assert await house.rows(carrier_list.c.read_at) == [(house.now,)]


async def test_pages_that_move_while_they_are_read_leave_nobody_out(
    house: House, blocklist: Blocklist
) -> None:
    """An entry that is taken off moves another to a page that was read: nobody is counted gone."""
    for number in range(1500):
        blocklist.add(f"+42060{number:07}")
    await house.night()
    listed = dict(carrier_lists.readable(house.bridge))["info"]
    reader = carrier_lists.Reader(house.bridge, "info", listed, house.bridge.silence)
    real = reader._take
    calls = []

    async def shorter(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            del blocklist.entries[0]
        await real(*arguments)

    reader._take = shorter  # type: ignore[method-assign]
    reading = await reader.read(actor="eva")
    assert reading is not None
    assert (reading.read, reading.dropped, reading.whole) == (1499, 0, True)


async def test_a_person_under_an_older_pepper_is_the_same(
    house: House, blocklist: Blocklist
) -> None:
    blocklist.add(ANNA, createdDate="")
    await house.night()
    before = set(await house.rows(suppression.c.token))
    older = house.bridge.keys
    house.bridge.keys = Keyring(b"q" * 32, older.version + 1, (older,))
    await house.night()
    found = await house.rows(suppression.c.token, suppression.c.pepper_version)
    assert len(found) == len(before)
    assert {version for _, version in found} == {older.version + 1}
    assert not before & {(token,) for token, _ in found}
    listed = await house.rows(carrier_listed.c.token, carrier_listed.c.first_at)
    assert {token for token, _ in listed} == {token for token, _ in found}
    assert {first for _, first in listed} == {NOW + DAY}


async def test_what_has_no_number_is_counted(house: House, blocklist: Blocklist) -> None:
    blocklist.add("12")
    blocklist.add(ANNA)
    found = await house.sync()
    assert (found["read"], found["unreadable"], found["taken"]) == (2, 1, 2)


async def test_the_command_reads_at_once_and_tells_counts(
    house: House, blocklist: Blocklist
) -> None:
    blocklist.add(ANNA)
    first = await house.sync()
    assert first == {
        "carrier": "info",
        "read": 1,
        "unreadable": 0,
        "taken": 2,
        "started": 0,
        "dropped": 0,
        "whole": True,
        "problem": "",
        "hint": "",
    }
    assert (await house.sync())["taken"] == 0
    assert await house.rows(audit.c.actor, audit.c.action) == [("eva", "suppress sync")] * 2


async def test_the_command_says_what_it_could_not_read(house: House, blocklist: Blocklist) -> None:
    blocklist.answers = [list_error("FORBIDDEN", 403)]
    items: list[dict[str, Any]] = []

    async def run() -> None:
        office = Office(house.bridge, house.bridge.silence, "eva")
        async for item in REGISTRY["suppress sync"](office):
            items.append(item)

    with pytest.raises(TryLater, match="not read to its end: the list of info"):
        await run()
    assert "does not let our account read" in items[0]["problem"]
    assert "blocklist:manage" in items[0]["hint"]


@pytest.mark.parametrize(
    ("carrier", "said"),
    [("other", "other shows no list of opt-outs"), ("nobody", "there is no carrier 'nobody'")],
)
async def test_the_command_names_the_carriers_that_show_a_list(
    house: House, carrier: str, said: str
) -> None:
    with pytest.raises(Refused, match=said) as no:
        await house.do("suppress sync", carrier=carrier)
    assert no.value.hint == "carriers that show one: info"


async def test_the_loop_outlives_a_lost_database(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_lists, "LOOK", 0.0)
    done = asyncio.Event()
    turns: list[Callable[[], Awaitable[None]]] = []

    async def lost() -> None:
        raise StoreUnavailable("gone", "wait")

    async def strange() -> None:
        raise ZeroDivisionError

    async def good() -> None:
        done.set()
        await asyncio.Event().wait()

    turns += [good, strange, lost]

    async def turn() -> None:
        await turns.pop()()

    monkeypatch.setattr(house.reader, "once", turn)
    task = asyncio.create_task(house.reader.run())
    try:
        await asyncio.wait_for(done.wait(), 5)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_p44_a_running_bridge_reads_it_by_itself_and_check_tells_whether_it_may(
    tmp_path: Path, peer: Peer, blocklist: Blocklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_lists, "LOOK", 0.01)
    blocklist.add(ANNA)
    entry = f"""
[[carriers]]
name = "info"
kind = "infobip"
api_url = "{peer.url}"
key = "{infobip.KEY}"
[[routes]]
match = "+"
carriers = ["info"]
"""
    config = write_config(tmp_path, carriers=entry)
    async with a_bridge(config) as running:

        async def read() -> object:
            return await running.rows(Statement(select(suppression.c.source)))

        assert await until(read) == [("carrier",)]
    found: dict[str, Finding] = {}
    examination = Examination(settings.load(config, {}), lambda f: found.update({f.part: f}))
    await examination._optouts(settings.load(config, {}).carriers[0])
    assert found["opt-outs info"].ok
    blocklist.answers = [list_error("FORBIDDEN", 403)]
    await examination._optouts(settings.load(config, {}).carriers[0])
    assert not found["opt-outs info"].ok
    assert "blocklist:manage" in found["opt-outs info"].hint
