"""Who did what: operators' commands and people's acts in chats leave entries that tenants can see."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from bridge import opening
from bridge.dispatch import glimpses
from bridge.dispatch.audit import Notary
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.receive import Reception
from bridge.dispatch.submit import submit
from bridge.errors import Refused
from bridge.keyring import Signer
from bridge.model import Inbound, Origin, Submission
from bridge.operations import REGISTRY, Office
from bridge.settings import load
from bridge.store import ids
from bridge.store.audit import Entry, record_entries
from bridge.store.audit_heads import SignHead, sign_heads
from bridge.store.audit_tables import activity, audit, audit_head
from bridge.store.sql import Do, Script, Statement
from bridge.store.staff import PERSON, person_of
from bridge.store.tables import message, notice
from tests.bridges import ANNA, BERIT, until, write_config
from tests.chats import GROUP, Talk, a_talk
from tests.seeds import seeded

Operate = Callable[..., Awaitable[list[dict[str, Any]]]]
NOW = 1_790_000_000.0
DAY = 86400.0
CONFIG = """
data_dir = "{data_dir}"
region = "CZ"
[database]
url = "{url}"
[mail]
smarthost = "smtp://127.0.0.1:9"
[privacy]
dpo = "{dpo}"
[[tenants]]
name = "acme"
[[tenants]]
name = "sister"
"""


@pytest.fixture
def dpo() -> str:
    return "Jana Nová <dpo@acme.example>"


@pytest.fixture
async def bridge(tmp_path: Path, url: str, dpo: str) -> AsyncIterator[Bridge]:
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIG.format(data_dir=seeded(tmp_path / "data"), url=url, dpo=dpo))
    async with opening.opened(load(path, {}), "up") as bridge:
        bridge.clock = lambda: NOW
        yield bridge


@pytest.fixture
def do(bridge: Bridge) -> Operate:
    """Run an operation as eva; its items."""
    return lambda operation, **arguments: operated(bridge, operation, **arguments)


async def operated(bridge: Bridge, operation: str, **arguments: Any) -> list[dict[str, Any]]:
    office = Office(bridge, Reception(bridge, lambda _: None).silence, "eva")
    return [item async for item in REGISTRY[operation](office, **arguments)]


async def altered(bridge: Bridge, *clauses: Any) -> None:
    """Change the database as somebody would who has it in their hands."""

    def script(_: Any) -> Script:
        for clause in clauses:
            yield Do(Statement(clause), {})
        return [None]

    await bridge.store.write(script, None)


def short(items: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(item[name] for name in names) for item in items]


async def submitted(bridge: Bridge, text: str = "The pump runs.", **more: Any) -> str:
    acme = bridge.register.named("acme")
    assert acme is not None
    mail = Origin("mail", "eva@firm.example")
    kept = await submit(bridge, Submission(acme.id, mail, ANNA, "CZ", text, **more))
    return ids.show(kept.id)


# -- the operator's commands -----------------------------------------------------------------------


async def test_p61_a_tenant_sees_who_read_its_texts_and_why(bridge: Bridge, do: Operate) -> None:
    await submitted(bridge)
    await do("log", reveal=True, tenant="acme", why="invoice 7 is disputed", limit=5)
    await do("held list", reveal=True, tenant="sister")
    await do("log", reveal=True, since=NOW - 60)
    seen = await do("audit list", tenant="acme")
    assert short(seen, "at", "tenant", "actor", "action", "reason") == [
        (
            "2026-09-21T14:13:20.000Z",
            "acme",
            "eva",
            "log --reveal",
            "invoice 7 is disputed; limit=5",
        ),
        (
            "2026-09-21T14:13:20.000Z",
            "acme",
            "eva",
            "log --reveal",
            "since=2026-09-21T14:12:20.000Z",
        ),
    ]
    others = await do("audit list", tenant="sister")
    assert short(others, "action") == [("held list --reveal",), ("log --reveal",)]
    assert len(await do("audit list")) == 4


LOGIN = {"name": "beta", "user": "beta", "password_hash": "$argon2id$x"}
ACTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("tenant add", {"tenant": {"name": "gamma"}}, "gamma", "tenant add"),
    ("tenant login", LOGIN, "beta", "tenant login"),
    ("token issue", {"name": "beta"}, "beta", "token issue"),
    ("token revoke", {"name": "beta"}, "beta", "token revoke"),
    ("tenant close", {"name": "beta"}, "beta", "tenant close"),
    ("staff invite", {"tenant": "beta", "role": "agent", "name": "Eva"}, "beta", "staff invite"),
    ("staff list", {"tenant": "beta", "reveal": True}, "beta", "staff list --reveal"),
    ("contacts list", {"tenant": "beta", "reveal": True}, "beta", "contacts list --reveal"),
    ("group list", {"tenant": "beta", "reveal": True}, "beta", "group list --reveal"),
]


@pytest.mark.parametrize(("operation", "arguments", "tenant", "action"), ACTS)
async def test_p59_an_operators_act_names_who_did_it(
    do: Operate, operation: str, arguments: dict[str, Any], tenant: str, action: str
) -> None:
    await do("tenant add", tenant={"name": "beta"})
    before = len(await do("audit list"))
    await do(operation, **arguments)
    made = (await do("audit list"))[before:]
    assert short(made, "actor", "tenant", "action") == [("eva", tenant, action)]


@pytest.mark.parametrize("operation", ["held release", "held drop"])
async def test_p59_a_decision_on_what_waits_names_who_took_it(
    bridge: Bridge, do: Operate, operation: str
) -> None:
    number = await submitted(bridge, hold="SPF did not tell")
    await do(operation, id=number)
    with pytest.raises(Refused, match="does not wait"):
        await do(operation, id=number)
    (line,) = await do("audit list", tenant="acme")
    assert (line["actor"], line["action"], line["reason"]) == ("eva", operation, number)
    assert line["subject"], "the person is named by a reference"


async def test_what_is_refused_leaves_no_entry(do: Operate) -> None:
    refused = [
        ("tenant close", {"name": "acme"}),
        ("tenant login", {**LOGIN, "name": "acme"}),
        ("contacts remove", {"tenant": "acme", "name": "nobody"}),
        ("staff revoke", {"id": "38g4sre5p0100"}),
    ]
    for operation, arguments in refused:
        with pytest.raises(Refused):
            await do(operation, **arguments)
    assert await do("audit list") == []


async def test_the_newest_entries_from_a_day_on(bridge: Bridge, do: Operate) -> None:
    for n in range(5):
        at = NOW + n * DAY
        await bridge.store.write(record_entries, Entry("eva", "looked", f"n={n}", at))
    assert short(await do("audit list", limit=2), "seq", "reason") == [(4, "n=3"), (5, "n=4")]
    assert short(await do("audit list", since="2026-09-24"), "seq") == [(4,), (5,)]
    with pytest.raises(Refused, match="is no day"):
        await do("audit list", since="yesterday")
    with pytest.raises(Refused, match="there is no tenant"):
        await do("audit list", tenant="nobody")


# -- whether it is whole ---------------------------------------------------------------------------


async def test_p62_the_command_names_what_is_wrong(bridge: Bridge, do: Operate) -> None:
    for n in range(4):
        await bridge.store.write(record_entries, Entry("eva", "looked", f"n={n}", NOW))
    await Notary(bridge).once(NOW)
    (good,) = await do("audit verify")
    assert good == {"entries": 4, "first": 1, "last": 4, "signed_until": "2026-09-21"}
    await altered(bridge, update(audit).where(audit.c.seq == 3).values(reason="n=9"))
    office = Office(bridge, Reception(bridge, lambda _: None).silence, "eva")
    said = REGISTRY["audit verify"](office)
    assert await anext(said) == {"seq": 3, "problem": "entry 3 was altered"}
    with pytest.raises(Refused, match="1 problem, the first at entry 3"):
        await anext(said)


async def test_p20_a_head_kept_elsewhere_is_compared(bridge: Bridge, do: Operate) -> None:
    with pytest.raises(Refused, match="no head has been signed"):
        await do("audit head")
    await bridge.store.write(record_entries, Entry("eva", "looked", "", NOW))
    await Notary(bridge).once(NOW)
    (head,) = await do("audit head")
    assert (await do("audit verify", heads=[head]))[0]["entries"] == 1
    await altered(bridge, delete(audit), delete(audit_head))
    with pytest.raises(Refused, match="the first at entry 1"):
        await do("audit verify", heads=[head])
    with pytest.raises(Refused, match="no head of an audit"):
        await do("audit verify", heads=[{"day": "2026-09-21"}])


async def test_an_earlier_key_must_be_named(bridge: Bridge, do: Operate) -> None:
    earlier = Signer(b"e" * 32)
    await bridge.store.write(sign_heads, SignHead(earlier, NOW))
    with pytest.raises(Refused, match=f"signed by a key that is not ours: {earlier.public}"):
        await do("audit verify")
    assert await do("audit verify", keys=[earlier.public.upper()])


# -- day by day ------------------------------------------------------------------------------------


async def heads(bridge: Bridge) -> list[tuple[Any, ...]]:
    wanted = select(audit_head.c.day, audit_head.c.seq).order_by(audit_head.c.day)
    return [tuple(row) for row in await bridge.store.read(Statement(wanted))]


async def owed(bridge: Bridge) -> list[tuple[Any, ...]]:
    wanted = Statement(select(notice.c.edge, notice.c.place))
    return [tuple(row) for row in await bridge.store.read(wanted)]


async def test_p62_each_day_has_a_head_that_is_mailed(bridge: Bridge) -> None:
    notary = Notary(bridge)
    for at in (NOW, NOW + 60, NOW + DAY):
        await bridge.store.write(record_entries, Entry("eva", "looked", "", at))
        await notary.once(at)
    await Notary(bridge).once(NOW + DAY + 60)
    assert await heads(bridge) == [("2026-09-21", 1), ("2026-09-22", 3)]
    assert await owed(bridge) == [("mail", "dpo@acme.example")] * 2


@pytest.mark.parametrize("dpo", ["", "+420 601 123 456"])
async def test_a_head_stays_where_no_mail_reaches_an_officer(bridge: Bridge) -> None:
    await Notary(bridge).once(NOW)
    assert await heads(bridge) == [("2026-09-21", 0)]
    assert await owed(bridge) == []


async def test_p62_what_does_not_verify_is_not_signed(bridge: Bridge) -> None:
    await bridge.store.write(record_entries, Entry("eva", "looked", "", NOW))
    await Notary(bridge).once(NOW)
    await bridge.store.write(record_entries, Entry("eva", "looked", "", NOW))
    await altered(bridge, update(audit).where(audit.c.seq == 2).values(actor="nobody"))
    with capture_logs() as logs:
        await Notary(bridge).once(NOW + DAY)
    (said,) = [line for line in logs if line["log_level"] == "error"]
    assert (said["event"], said["seq"]) == ("the audit does not verify, no head is signed", 2)
    assert await heads(bridge) == [("2026-09-21", 1)]


# -- in chats --------------------------------------------------------------------------------------


async def actor(talk: Talk, who: str) -> str:
    rows = await talk.running.rows(PERSON, edge="telegram", team="", person=who)
    return f"staff {ids.show(person_of(rows[0]).id)}"


async def lines(talk: Talk, table: Any, actions: str = "") -> list[tuple[str, str, bool]]:
    """(actor, action, whether a person is named) of the tenant's entries."""
    key = table.c.seq if table is audit else table.c.id
    wanted = select(table.c.actor, table.c.action, table.c.subject_ref).where(
        table.c.tenant_id == 1
    )
    found = await talk.running.rows(Statement(wanted.order_by(key)))
    return [(a, b, bool(ref)) for a, b, ref in found if b.startswith(actions)]


async def answered(talk: Talk, text: str) -> Any:
    """Anna answers from her phone; the post that tells of it."""
    part = Inbound(source=ANNA, destination="", data=text.encode(), coding="utf-8")
    await talk.running.parts.reception.inbound("sandbox", part)

    async def look() -> Any:
        return next((p for p in talk.chat.posts.values() if "SMS from" in p.view.plain), None)

    return (await until(look)).view


async def test_p61_reading_a_text_by_a_link_is_audited(tmp_path: Path) -> None:
    tenant = f'inbox = ["telegram:{GROUP}"]\nshow_texts_in = []'
    async with a_talk(write_config(tmp_path, tenant=tenant)) as talk:
        await talk.enrol("7", "auditor")
        view = await answered(talk, "My door code is 4711")
        await talk.presses("7", "New link", view, GROUP)
        secret = talk.chat.whispers[-1][1].buttons[0].url.rpartition("/")[2]
        assert await glimpses.opened(talk.bridge, secret) == "My door code is 4711"
        eva = await actor(talk, "7")
        assert await lines(talk, audit) == [
            (eva, "enrolled", False),
            (eva, "took a link to a reply", True),
            ("one-time link", "read a reply", True),
        ]
        (whole,) = await operated(talk.bridge, "audit verify")
        assert whole["entries"] == 3


async def test_p61_reading_somebody_elses_text_in_a_chat_is_audited(tmp_path: Path) -> None:
    config = write_config(tmp_path, tenant='show_texts_in = ["telegram"]')
    async with a_talk(config, works=False) as talk:
        number = await submitted(talk.bridge, "My door code is 4711")
        await talk.enrol("7")
        await talk.types("7", f"{ANNA} My own words")
        await talk.types("7", "status")
        assert await lines(talk, audit, "read") == []
        await talk.types("7", f"status {number}")
        assert "4711" in talk.last
        assert await lines(talk, audit, "read") == [
            (await actor(talk, "7"), "read a message", True)
        ]


async def test_p59_what_people_do_in_a_chat_names_them(tmp_path: Path) -> None:
    tenant = f'inbox = ["telegram:{GROUP}"]'
    async with a_talk(write_config(tmp_path, tenant=tenant)) as talk:
        await talk.enrol("7")
        await talk.enrol("8", name="Ota")
        view = await answered(talk, "Hello")
        await talk.presses("7", "Claim", view, GROUP)
        await talk.types("8", f"{BERIT} The pump in cellar 7 runs dry")
        await talk.types("8", "log")
        eva, ota = await actor(talk, "7"), await actor(talk, "8")
        assert await lines(talk, activity) == [
            (eva, "pressed claim", False),
            (ota, "/sms send", False),
            (ota, "/sms log", False),
        ]
        shown = await operated(talk.bridge, "audit list", tenant="acme", activity=True)
        assert short(shown, "actor", "action") == [
            (eva, "pressed claim"),
            (ota, "/sms send"),
            (ota, "/sms log"),
        ]


async def test_p67_neither_log_holds_a_number_or_a_text(tmp_path: Path) -> None:
    tenant = f'inbox = ["telegram:{GROUP}"]\nshow_texts_in = ["telegram"]'
    async with a_talk(write_config(tmp_path, tenant=tenant)) as talk:
        await talk.enrol("7")
        view = await answered(talk, "My door code is 4711")
        await talk.presses("7", "Claim", view, GROUP)
        await talk.types("7", f"{ANNA} The pump runs")
        number = await talk.running.rows(Statement(select(message.c.id)))
        await talk.types("7", f"status {ids.show(number[0][0])}")
        await operated(talk.bridge, "log", reveal=True, why=f"{ANNA} asked for it")
        said = ""
        for table in (audit, activity):
            wanted = Statement(select(table.c.actor, table.c.action, table.c.reason))
            said += " ".join(word for row in await talk.running.rows(wanted) for word in row)
        assert "log --reveal ••• asked for it" in said
        assert not re.search(r"601123456|door|pump", said.replace(" ", ""), re.IGNORECASE)
