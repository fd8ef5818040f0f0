"""From an operator's command to an enrolled person and back, with a real store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge import control, opening
from bridge.bots.enrolment import code_hash
from bridge.bots.roles import ROLES
from bridge.control import ControlServer
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.receive import Reception
from bridge.errors import Refused
from bridge.operations import REGISTRY, Office
from bridge.settings import load
from bridge.store import ids
from bridge.store.audit_tables import audit
from bridge.store.chat_tables import invitation
from bridge.store.sql import Statement
from bridge.store.staff import PERSON, Redeem, Redeemed, redeem
from tests.seeds import seeded

CONFIG = """
data_dir = "{data_dir}"
[[tenants]]
name = "acme"
[[tenants]]
name = "sister"
"""
Do = Callable[..., Any]


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIG.format(data_dir=seeded(tmp_path / "data")))
    async with opening.opened(load(path, {}), "up") as bridge:
        yield bridge


@pytest.fixture
def do(bridge: Bridge) -> Do:
    """Run an operation; its items."""

    async def run(operation: str, **arguments: Any) -> list[dict[str, Any]]:
        office = Office(bridge, Reception(bridge, lambda _: None).silence, "root")
        return [item async for item in REGISTRY[operation](office, **arguments)]

    return run


async def typed(bridge: Bridge, code: str, who: str = "U0G9QF9C6") -> Redeemed:
    """What comes of a code that somebody types in Slack."""
    digest = code_hash(bridge.keys, code)
    item = Redeem(bridge.ids.next(), digest, "slack", "T024BE7LD", who, 0, bridge.clock())
    done: Redeemed = await bridge.store.write(redeem, item)
    return done


async def lines(bridge: Bridge) -> list[tuple[str, str]]:
    wanted = select(audit.c.action, audit.c.reason).order_by(audit.c.seq)
    return [tuple(row) for row in await bridge.store.read(Statement(wanted))]


async def test_a_person_comes_and_goes(bridge: Bridge, do: Do) -> None:
    bridge.clock = lambda: 1_790_000_000.0
    (invited,) = await do("staff invite", tenant="acme", role="agent", name=" Eva \n Nováková ")
    assert invited["expires_at"] == "2026-09-21T14:28:20.000Z"
    done = await typed(bridge, invited["code"].replace("-", "").lower())
    assert done.person is not None
    number = ids.show(done.person.id)
    expected = {
        "id": number,
        "tenant": "acme",
        "name": "Eva Nováková",
        "role": "agent",
        "edge": "slack",
        "identity": "T024BE7LD/…9C6",
        "since": "2026-09-21T14:13:20.000Z",
    }
    assert await do("staff list") == [expected]
    assert await do("staff list", tenant="acme") == [expected]
    assert await do("staff list", tenant="sister") == []
    assert await do("staff revoke", id=number) == [{"id": number, "state": "revoked"}]
    assert await do("staff list") == []
    who = {"edge": "slack", "team": "T024BE7LD", "person": "U0G9QF9C6"}
    assert await bridge.store.read(PERSON, **who) == []
    assert await lines(bridge) == [
        ("staff invite", "role=agent"),
        ("enrolled", "role=agent"),
        ("staff revoke", f"id={number}"),
    ]


async def test_who_looks_at_identities_leaves_a_line(bridge: Bridge, do: Do) -> None:
    (invited,) = await do("staff invite", tenant="acme", role="admin", name="Eva")
    await typed(bridge, invited["code"])
    (shown,) = await do("staff list", reveal=True, tenant="acme")
    assert shown["identity"] == "T024BE7LD/U0G9QF9C6"
    assert (await lines(bridge))[-1] == ("staff list --reveal", "")


async def test_a_code_is_nowhere_in_the_database(bridge: Bridge, do: Do) -> None:
    (invited,) = await do("staff invite", tenant="acme", role="agent", name="Eva")
    code = invited["code"]
    for row in await bridge.store.read(Statement(invitation.select())):
        assert not {code, code.replace("-", "")} & set(map(str, row))
    found = await asyncio.to_thread(_octets, bridge.settings.data_dir)
    assert code.encode() not in found
    assert code.replace("-", "").encode() not in found


def _octets(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("bridge.sqlite*"))


async def test_an_invitation_is_valid_for_a_quarter_of_an_hour(bridge: Bridge, do: Do) -> None:
    (invited,) = await do("staff invite", tenant="acme", role="agent", name="Eva")
    until = datetime.fromisoformat(invited["expires_at"]).timestamp()
    bridge.clock = lambda: until + 1
    assert (await typed(bridge, invited["code"])).why == "unknown"


async def test_everybody_is_out_at_once(bridge: Bridge, do: Do) -> None:
    for who in ("U1", "U2"):
        (invited,) = await do("staff invite", tenant="acme", role="agent", name=who)
        await typed(bridge, invited["code"], who)
    (unused,) = await do("staff invite", tenant="sister", role="admin", name="Eva")
    assert await do("access close-all") == [{"staff": 2, "invitations": 1, "links": 0}]
    assert await do("staff list") == []
    assert (await typed(bridge, unused["code"])).why == "unknown"
    assert await do("access close-all") == [{"staff": 0, "invitations": 0, "links": 0}]


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("staff invite", {"role": "boss"}, "there is no role 'boss'", f"roles: {', '.join(ROLES)}"),
    ("staff invite", {"name": "  "}, "--name must be 1 to 80 characters", "name"),
    ("staff invite", {"name": "Eva\x1b[31m"}, "--name must be 1 to 80 characters", "name"),
    ("staff invite", {"name": "x" * 81}, "--name must be 1 to 80 characters", "name"),
    ("staff invite", {"tenant": "nobody"}, "there is no tenant 'nobody'", "acme, sister"),
    ("staff invite", {"tenant": ""}, "which tenant?", "--tenant"),
    ("staff list", {"tenant": "nobody"}, "there is no tenant 'nobody'", "acme, sister"),
    ("staff revoke", {"id": "Eva"}, "this is no id", "bridge staff list"),
    ("staff revoke", {"id": "38g4sre5p0100"}, "nobody is enrolled", "bridge staff list"),
    ("staff revoke", {"id": "zzzzzzzzzzzzz"}, "nobody is enrolled", "bridge staff list"),
]


async def test_what_is_refused_and_what_to_do(bridge: Bridge, do: Do) -> None:
    invite = {"tenant": "acme", "role": "agent", "name": "Eva"}
    for operation, wrong, said, hint in REFUSED:
        arguments = {**invite, **wrong} if operation == "staff invite" else wrong
        with pytest.raises(Refused) as caught:
            await do(operation, **arguments)
        assert caught.value.sentence.startswith(said)
        assert hint in caught.value.hint
    assert await lines(bridge) == []
    assert await bridge.store.read(Statement(invitation.select())) == []


async def test_the_running_bridge_does_it(bridge: Bridge) -> None:
    server = ControlServer(bridge, Reception(bridge, lambda _: None))
    await server.start()
    invite = {"tenant": "acme", "role": "privacy", "name": "Eva"}
    data_dir = bridge.settings.data_dir
    asked = await asyncio.to_thread(control.ask, data_dir, "staff invite", "root", invite)
    assert asked is not None
    (invited,) = await asyncio.to_thread(list, asked)
    done = await typed(bridge, invited["code"])
    assert done.person is not None
    assert done.person.role == "privacy"
    await server.stop()
