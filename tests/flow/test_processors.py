"""Processors, transfers and terms: what an operator records decides where a message may go."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from bridge import settings
from bridge.cli.records import _write
from bridge.dispatch import processors, terms
from bridge.dispatch.audit import Notary
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.held import decided
from bridge.dispatch.receive import Reception
from bridge.dispatch.submit import prepare, submit
from bridge.errors import Refused
from bridge.model import Inbound, Origin, Submission
from bridge.operations import REGISTRY, Office
from bridge.store.classes import TABLES, Role
from bridge.store.sql import Statement
from bridge.store.tables import attempt, message, notice
from tests.bridges import ANNA, Running, a_bridge, until, write_config
from tests.chats import GROUP, a_talk
from tests.smsc import smsc

TO = f"{ANNA}@sms.example"
DAY = 86400.0
SCC = {"mechanism": "scc", "until": "2099-01-01"}
DETAILS = {"country": "US", "purpose": "delivers SMS", "company": "Carrier Inc."}
ABROAD = """
[[carriers]]
name = "abroad"
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "acme"
password = "secret"
country = "{country}"
failover = "1s"
[[routes]]
match = "+"
carriers = {route}
"""


def config(
    folder: Path, port: int, route: str = '["abroad", "sandbox"]', country: str = "US", **more: str
) -> Path:
    carriers = ABROAD.format(port=port, country=country, route=route)
    return write_config(folder, carriers=carriers, **more)


def doer(bridge: Bridge, actor: str = "root") -> Callable[..., Any]:
    async def run(operation: str, **arguments: Any) -> list[dict[str, Any]]:
        office = Office(bridge, Reception(bridge, lambda _: None).silence, actor)
        return [item async for item in REGISTRY[operation](office, **arguments)]

    return run


def submission(bridge: Bridge, **more: Any) -> Submission:
    tenant = bridge.register.named("acme")
    assert tenant is not None
    return Submission(tenant.id, Origin("cli", "", {}), ANNA, "CZ", "Boiler 3 is cold", **more)


def carrier(bridge: Bridge) -> str:
    """Which carrier a message would leave by. Raises Refused."""
    return prepare(bridge, submission(bridge)).prepared.lane.rpartition(".")[0]


async def tried(running: Running) -> set[str]:
    rows = await running.rows(Statement(attempt.select().with_only_columns(attempt.c.carrier)))
    return {row[0] for row in rows}


@asynccontextmanager
async def idle(path: Path) -> AsyncIterator[Bridge]:
    """A bridge out of which nothing leaves."""
    async with a_bridge(path, works=False) as running:
        yield running.bridge


# -- routes --------------------------------------------------------------------------------------


async def test_p50_a_carrier_without_a_mechanism_is_passed_over(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(config(tmp_path, centre.port)) as running:
        await running.mail(TO)
        await until(lambda: _delivered(running))
        assert await tried(running) == {"sandbox"}
        assert centre.messages == []


async def _delivered(running: Running) -> bool:
    return "delivered" in await running.states()


async def test_p50_with_a_dated_mechanism_it_is_used_and_with_its_end_no_more(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with idle(config(tmp_path, free_port())) as bridge:
        do = doer(bridge)
        assert carrier(bridge) == "sandbox"
        await do("subproc set", name="abroad", details=SCC)
        assert carrier(bridge) == "abroad"
        bridge.clock = lambda: datetime(2099, 1, 2, tzinfo=UTC).timestamp()
        await bridge.refresh()
        assert carrier(bridge) == "sandbox"


async def test_p50_no_lawful_route_is_said_to_the_sender(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with a_bridge(config(tmp_path, free_port(), '["abroad"]'), works=False) as running:
        with pytest.raises(aiosmtplib.SMTPDataError) as caught:
            await running.mail(TO)
        assert caught.value.code == 550
        assert "no carrier of this route may have data of acme" in caught.value.message
        assert "no transfer mechanism is valid for US" in caught.value.message
        assert await running.states() == []


async def test_p50_eea_only_wins_over_a_mechanism_and_over_silence(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    for country, used in (("US", "sandbox"), ("GB", "sandbox"), ("", "sandbox"), ("NO", "abroad")):
        folder = tmp_path / (country or "none")
        folder.mkdir()
        async with idle(
            config(folder, free_port(), country=country, tenant="eea_only = true")
        ) as bridge:
            if country == "US":
                await doer(bridge)("subproc set", name="abroad", details=SCC)
            assert carrier(bridge) == used, country


async def test_p50_a_country_nobody_has_said_is_the_operators_own(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with idle(config(tmp_path, free_port(), country="")) as bridge:
        assert carrier(bridge) == "abroad"


async def test_p55_an_objection_stops_what_waits_and_its_end_lets_it_go(tmp_path: Path) -> None:
    async with (
        smsc() as centre,
        a_bridge(config(tmp_path, centre.port, '["abroad"]', country="CZ")) as running,
    ):
        bridge, do = running.bridge, doer(running.bridge)
        held = await submit(bridge, submission(bridge, hold="sender-not-proved"))
        await do("subproc object", name="abroad", tenant="acme", reason="we do not know them")
        with pytest.raises(Refused, match="no carrier of this route"):
            carrier(bridge)
        await decided(bridge, held.id, release=True, actor="root")
        await until(lambda: _state(running, "failed"))
        rows = await running.rows(Statement(message.select().with_only_columns(message.c.reason)))
        assert [row[0] for row in rows] == ["no-lawful-route"]
        assert centre.messages == []
        with pytest.raises(Refused, match="objects already"):
            await do("subproc object", name="abroad", tenant="acme")
        await do("subproc object", name="abroad", tenant="acme", withdraw=True)
        await running.mail(TO)
        await centre.until(lambda c: c.messages)


async def _state(running: Running, state: str) -> bool:
    return state in await running.states()


async def test_p55_what_waits_for_a_carrier_that_is_down_fails_and_does_not_wait(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with a_bridge(config(tmp_path, free_port(), '["abroad"]', country="CZ")) as running:
        await running.mail(TO)
        assert await running.states() == ["queued"]
        await doer(running.bridge)("subproc object", name="abroad", tenant="acme", leaves=True)
        await until(lambda: _state(running, "failed"))


async def test_p55_what_waits_goes_on_by_the_next_lawful_carrier(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with a_bridge(config(tmp_path, free_port(), country="CZ")) as running:
        await running.mail(TO)
        await doer(running.bridge)("subproc object", name="abroad", tenant="acme")
        await until(lambda: _delivered(running))
        assert await tried(running) == {"sandbox"}


async def test_p55_an_ended_processor_gets_nothing(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with idle(config(tmp_path, free_port(), country="CZ")) as bridge:
        do = doer(bridge)
        assert await do("subproc end", name="abroad") == [{"name": "abroad", "state": "ended"}]
        assert carrier(bridge) == "sandbox"
        with pytest.raises(Refused, match="has ended already"):
            await do("subproc end", name="abroad")


# -- notices of change ---------------------------------------------------------------------------


INBOX = 'inbox = ["office@acme.example"]'


async def told(running: Running) -> list[str]:
    return [
        mail["subject"] for mail in await running.mails() if mail["to"] == "office@acme.example"
    ]


async def test_p55_a_processor_is_announced_thirty_days_before_it_gets_anything(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    folder = config(tmp_path, free_port(), country="CZ", tenant=INBOX)
    path = tmp_path / "before.toml"
    path.write_text(re.sub(r"\[\[carriers\]\].*", "", folder.read_text(), flags=re.DOTALL))
    async with a_bridge(path) as running:
        bridge, do = running.bridge, doer(running.bridge)
        now = bridge.clock()
        soon = datetime.fromtimestamp(now + 29 * DAY, UTC).date().isoformat()
        with pytest.raises(Refused, match="at least 30 days before"):
            await do("subproc add", name="abroad", kind="carrier", effective=soon, details=DETAILS)
        (added,) = await do("subproc add", name="abroad", kind="carrier", details=DETAILS)
        assert added["state"] == "announced"
        assert added["untold"] == []
        begins = datetime.fromisoformat(added["effective_at"]).timestamp()
        assert now + 30 * DAY <= begins <= now + 31 * DAY
        (subject,) = await until(lambda: told(running))
        assert "Carrier Inc." in subject
    async with idle(folder) as bridge:
        await doer(bridge)("subproc set", name="abroad", details={"country": "CZ"})
        bridge.clock = lambda: begins - 1
        await bridge.refresh()
        assert carrier(bridge) == "sandbox"
        bridge.clock = lambda: begins
        await bridge.refresh()
        assert carrier(bridge) == "abroad"


async def test_p55_a_carrier_that_joins_the_file_waits_for_tenants_with_terms(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    first = config(tmp_path, free_port(), country="CZ", tenant=INBOX)
    more = first.read_text().replace('["abroad", "sandbox"]', '["second", "sandbox"]')
    more += f"""
[[carriers]]
name = "second"
kind = "smpp"
host = "127.0.0.1"
port = {free_port()}
country = "CZ"
"""
    async with idle(first) as bridge:
        now = bridge.clock()
        assert carrier(bridge) == "abroad"  # there from the start
    path = tmp_path / "more.toml"
    path.write_text(more)
    async with a_bridge(path, works=False) as running:
        bridge, do = running.bridge, doer(running.bridge)
        assert carrier(bridge) == "second"  # no terms are recorded
        later = datetime.fromtimestamp(now + 40 * DAY, UTC).date().isoformat()
        await do("policy announce", version="1", effective=later)
        await do("policy accept", version="1", tenant="acme")
        assert carrier(bridge) == "sandbox"
        bridge.clock = lambda: now + 31 * DAY
        await bridge.refresh()
        assert carrier(bridge) == "second"
        rows = {row.name: row for row in await processors.register(bridge)}
        assert rows["abroad"].notified_at is None
        assert rows["second"].notified_at is not None


async def test_p55_p56_the_register_names_carriers_smarthost_and_chats(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    more = """
[mail]
smarthost = "smtp://127.0.0.1:1"
[telegram]
token = "123456:abcdefghijklmnopqrstuvwxyz012345678"
"""
    async with idle(config(tmp_path, free_port(), country="NO", more=more)) as bridge:
        found = {row["name"]: row for row in await doer(bridge)("subproc list")}
        assert set(found) == {"abroad", "smarthost", "telegram"}
        assert all(row["configured"] and row["purpose"] for row in found.values())
        assert found["abroad"]["transfer"] == "inside the EEA"


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("subproc add", {"name": "x", "kind": "carrier", "details": {}}, "needs a name, a country"),
    ("subproc add", {"name": "x", "kind": "bank", "details": DETAILS}, "no kind 'bank'"),
    ("subproc add", {"name": "abroad", "kind": "carrier", "details": DETAILS}, "already"),
    ("subproc set", {"name": "nobody", "details": {}}, "no processor is named"),
    ("subproc set", {"name": "abroad", "details": {"country": "ZZ"}}, "is no country"),
    ("subproc set", {"name": "abroad", "details": {"colour": "red"}}, "no such detail"),
    (
        "subproc set",
        {"name": "abroad", "details": {"mechanism": "privacy-shield", "until": "2027-01-01"}},
        "cannot be chosen",
    ),
    ("subproc object", {"name": "abroad", "withdraw": True}, "does not object"),
    ("policy announce", {"version": "2", "effective": "soon"}, "is no day"),
    ("policy accept", {"version": "9"}, "there is no version"),
]


async def test_what_the_register_refuses(tmp_path: Path, free_port: Callable[[], int]) -> None:
    async with idle(config(tmp_path, free_port(), country="CZ")) as bridge:
        for operation, arguments, said in BAD:
            with pytest.raises(Refused) as caught:
                await doer(bridge)(operation, **arguments)
            assert said in caught.value.sentence, operation
            assert caught.value.hint


# -- chats and the smarthost ---------------------------------------------------------------------


async def test_p55_in_a_chat_that_a_tenant_objects_to_nothing_is_shown(tmp_path: Path) -> None:
    token = '[telegram]\ntoken = "123456:abcdefghijklmnopqrstuvwxyz012345678"'
    inbox = f'inbox = ["telegram:{GROUP}", "office@acme.example"]'
    path = write_config(tmp_path, tenant=inbox, more=token)
    async with a_talk(path) as talk:
        await talk.enrol("7")
        await doer(talk.bridge)("subproc object", name="telegram", tenant="acme")
        await talk.types("7", f"{ANNA} Boiler 3 is cold")
        assert "may not be used" in talk.last
        assert await talk.running.states() == []
        await talk.running.mail(TO)
        await until(lambda: _delivered(talk.running))
        before = len(talk.chat.posts)
        part = Inbound(source=ANNA, destination="", data=b"Thank you", coding="utf-8")
        await talk.running.parts.reception.inbound("sandbox", part)
        await until(talk.running.mails)
        assert len(talk.chat.posts) == before
        assert "Thank you" not in talk.chat.words()


async def test_p50_the_smarthost_of_no_known_country_gets_no_mail_of_an_eea_tenant(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    more = f'[mail]\nsmarthost = "smtp://127.0.0.1:{free_port()}"'
    tenant = 'eea_only = true\nreports = "all"'
    async with a_bridge(write_config(tmp_path, more=more, tenant=tenant)) as running:

        async def reasons() -> list[str]:
            rows = await running.rows(Statement(notice.select().with_only_columns(notice.c.reason)))
            return [row[0] for row in rows if row[0]]

        await running.mail(TO)
        (said,) = await until(reasons)
        assert "stays inside the EEA" in said
        await doer(running.bridge)("subproc set", name="smarthost", details={"country": "CZ"})
        assert running.bridge.lawful.refused == {}


# -- terms ---------------------------------------------------------------------------------------


async def test_p21_terms_are_announced_in_time_and_silence_changes_nothing(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant=INBOX)) as running:
        bridge, do = running.bridge, doer(running.bridge)
        tenant = bridge.register.named("acme")
        assert tenant is not None
        now = bridge.clock()

        def days(count: float) -> str:
            return datetime.fromtimestamp(now + count * DAY, UTC).date().isoformat()

        with pytest.raises(Refused, match="at least 30 days before"):
            await do("policy announce", version="2027-01", effective=days(29))
        (done,) = await do("policy announce", version="2027-01", effective=days(32))
        assert (done["told"], done["untold"]) == (1, [])
        await until(lambda: told(running))
        await do("policy accept", version="2027-01", tenant="acme")
        assert await terms.terms_of(bridge, tenant.id) == ""  # not in force yet
        await do("policy announce", version="2028-01", effective=days(60))
        bridge.clock = lambda: now + 90 * DAY
        assert await terms.terms_of(bridge, tenant.id) == "2027-01"
        with pytest.raises(Refused, match="was announced before"):
            await do("policy announce", version="2027-01", effective=days(180))
        listed = {row["version"]: row["accepted"] for row in await do("policy list")}
        assert listed == {"2027-01": ["acme"], "2028-01": []}


# -- records -------------------------------------------------------------------------------------


async def test_p19_the_records_are_the_live_configuration(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    more = """
[privacy]
operator = "SMS Ltd, Street 1, Praha"
dpo = "dpo@sms.example"
"""
    path = config(tmp_path, free_port(), country="US", more=more, tenant='countries = ["CZ", "NO"]')
    async with idle(path) as bridge:
        do = doer(bridge)
        (found,) = await do("privacy ropa")
        configured = settings.load(path, {})
        assert [each["tenant"] for each in found["processor"]] == [
            t.name for t in configured.tenants
        ]
        assert found["operator"]["name"] == configured.privacy.operator
        assert found["operator"]["authority"] == "Úřad pro ochranu osobních údajů"
        assert [each["name"] for each in found["recipients"]] == ["abroad"]
        (own,) = found["processor"]
        assert own["countries"] == ["CZ", "NO"]
        assert own["recipients"] == []
        assert "abroad" in own["excluded"]
        retention = {row["class"]: row for row in await do("retention show")}
        held = {role: {k.klass for k in TABLES.values() if k.role is role} for role in Role}
        assert {row["class"] for row in found["controller"]} == held[Role.CONTROLLER]
        assert {row["class"] for row in own["data"]} == held[Role.PROCESSOR]
        for row in (*found["controller"], *own["data"]):
            assert row["categories"] == retention[row["class"]]["holds"]

        await do("tenant add", tenant={"name": "sister"})
        await do("subproc set", name="abroad", details={**SCC, "company": "Carrier <Inc.>"})
        (found,) = await do("privacy ropa")
        assert [each["tenant"] for each in found["processor"]] == ["acme", "sister"]
        (transfer,) = found["processor"][0]["transfers"]
        assert transfer["ground"].startswith("standard contractual clauses")
        assert transfer["valid_until"] == "2099-01-01"
        await do("tenant close", name="sister")
        await do("subproc end", name="abroad")
        (found,) = await do("privacy ropa")
        assert [each["tenant"] for each in found["processor"]] == ["acme"]
        assert found["recipients"] == []


async def test_p19_whose_data_the_operator_decides_on_is_in_the_controllers_part(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with idle(config(tmp_path, free_port(), country="CZ")) as bridge:
        do = doer(bridge)
        await do("tenant add", tenant={"name": "house", "profile": "controller"})
        (found,) = await do("privacy ropa")
        assert [each["tenant"] for each in found["processor"]] == ["acme"]
        (own,) = found["as_controller"]
        assert own["tenant"] == "house"
        assert "instruction" not in own["processing"]
        (page,) = await do("privacy ropa", html=True)
        processor, _, controller = page["html"].partition("Article 30(1)")
        assert "acme" in processor
        assert "house" not in processor
        assert "house" in controller


async def test_p19_the_page_shows_them_and_escapes(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with idle(config(tmp_path, free_port(), country="CZ")) as bridge:
        do = doer(bridge)
        await do("subproc set", name="abroad", details={"company": "Carrier <Inc.>"})
        (page,) = await do("privacy ropa", html=True)
        assert page["html"].startswith("<!doctype html>")
        assert "Carrier &lt;Inc.&gt;" in page["html"]
        assert "acme" in page["html"]


async def test_p20_an_auditor_gets_the_whole_pack_of_one_tenant(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with idle(config(tmp_path, free_port(), country="NO")) as bridge:
        do = doer(bridge)
        await do("tenant add", tenant={"name": "sister"})
        await do("privacy drill", outcome="restored in 12 minutes")
        facts = {"nature": "A disk was lost"}
        await do("breach open", facts=facts, tenants=["acme"])
        await do("breach open", facts={"nature": "Sister's own affair"}, tenants=["sister"])
        await submit(bridge, submission(bridge))
        await Notary(bridge).once(bridge.clock())
        files = {each["name"]: each["content"] for each in await do("privacy art28", tenant="acme")}
        assert set(files) == {
            *("measures.json", "processing.json", "subprocessors.json", "terms.json"),
            *("audit-heads.json", "restore-drills.json", "breaches.json", "dpia.json"),
        }
        assert "restored in 12 minutes" in files["restore-drills.json"]
        assert [row["name"] for row in json.loads(files["subprocessors.json"])] == ["abroad"]
        assert [row["nature"] for row in json.loads(files["breaches.json"])] == ["A disk was lost"]
        assert len(json.loads(files["audit-heads.json"])) == 1
        assert json.loads(files["dpia.json"])["messages_in_a_year"] == 1
        assert not any("sister" in text.casefold() for text in files.values())
        assert not any(ANNA[4:] in text for text in files.values())


def test_p20_the_pack_is_a_file_of_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "art28.zip"
    _write(path, [{"name": "measures.json", "content": "[]\n"}])
    assert path.stat().st_mode & 0o777 == 0o600
    assert zipfile.ZipFile(path).read("measures.json") == b"[]\n"
    with pytest.raises(Refused, match="cannot be written"):
        _write(path, [])
