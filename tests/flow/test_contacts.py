"""Names from a file, an operator or an edge: into the store, found again, and listed."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from bridge import opening, phone
from bridge.cli.contacts import app
from bridge.control import ControlServer
from bridge.dispatch import contacts
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.contact_file import MOST_OCTETS, Problem
from bridge.dispatch.contacts import Found, Imported, NobodyOfThisName, Person
from bridge.dispatch.receive import Reception
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.operations import contacts as operations
from bridge.operations.office import Office
from bridge.settings import load
from bridge.store.audit_tables import audit
from bridge.store.chat_tables import contact
from bridge.store.names import Put
from bridge.store.sql import Statement
from bridge.store.suppressions import Suppress, suppress_all
from tests.seeds import seeded

ANNA = "+420601123456"
BERTA = "+420602123456"
CLARA = "+420603123456"
FILE = f"name,number,groups\nAnna,601 123 456,oncall\nberta,{BERTA},oncall|night\n".encode()
CONFIG = """
data_dir = "{data_dir}"
[database]
url = "{url}"
[[tenants]]
name = "acme"
region = "CZ"
[[tenants]]
name = "sister"
region = "NO"
"""
HOW_MANY = Statement(select(func.count()).select_from(contact))


@pytest.fixture
def config(tmp_path: Path, url: str) -> Path:
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIG.format(data_dir=seeded(tmp_path / "data"), url=url))
    return path


@pytest.fixture
async def bridge(config: Path) -> AsyncIterator[Bridge]:
    async with opening.opened(load(config, {}), "up") as bridge:
        yield bridge


@pytest.fixture
def acme(bridge: Bridge) -> Tenant:
    found = bridge.register.named("acme")
    assert found is not None
    return found


async def do(bridge: Bridge, operation: Any, **arguments: Any) -> list[dict[str, Any]]:
    office = Office(bridge, Reception(bridge, lambda _: None).silence, "eva")
    return [item async for item in operation(office, **arguments)]


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


# Names and people


async def test_names_become_people(bridge: Bridge, acme: Tenant) -> None:
    await contacts.import_csv(bridge, acme, FILE)
    anna, berta = Person(ANNA, "CZ"), Person(BERTA, "CZ")
    assert await contacts.people(bridge, acme, ["night", "ANNA", "oncall", "night"]) == [
        Found("night", "group", (berta,)),
        Found("anna", "contact", (anna,)),
        Found("oncall", "group", (anna, berta)),
        Found("night", "group", (berta,)),
    ]
    assert await contacts.people(bridge, acme, []) == []


@pytest.mark.parametrize("name", ["clara", "no name", ""])
async def test_a_name_that_nobody_has_is_refused(bridge: Bridge, acme: Tenant, name: str) -> None:
    await contacts.import_csv(bridge, acme, FILE)
    with pytest.raises(NobodyOfThisName) as no:
        await contacts.people(bridge, acme, ["anna", name])
    assert no.value.name == name
    assert no.value.sentence == "there is no contact or group of this name"
    assert no.value.hint == "/sms contact list"
    assert not name or name not in str(no.value)


async def test_a_group_without_people_is_refused(bridge: Bridge, acme: Tenant) -> None:
    await contacts.import_csv(bridge, acme, FILE)
    await contacts.drop_members(bridge, acme, "Night", ["Berta"], [])
    with pytest.raises(NobodyOfThisName, match="nobody in this group"):
        await contacts.people(bridge, acme, ["night"])


async def test_a_person_twice_in_a_group_is_found_once(bridge: Bridge, acme: Tenant) -> None:
    await contacts.import_csv(bridge, acme, FILE)
    await contacts.save_contact(bridge, acme, "anna.home", phone.parse(ANNA))
    await contacts.save_members(bridge, acme, "oncall", ["anna.home"], [phone.parse(ANNA)])
    (found,) = await contacts.people(bridge, acme, ["oncall"])
    assert found.people == (Person(ANNA, "CZ"), Person(BERTA, "CZ"))


async def test_one_contact_is_saved(bridge: Bridge, acme: Tenant) -> None:
    for number, what in ((ANNA, Put.ADDED), (ANNA, Put.SAME), (BERTA, Put.CHANGED)):
        assert await contacts.save_contact(bridge, acme, "Anna", phone.parse(number)) is what


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("oncall", "a group has this name"),
        ("two words", "a name has letters"),
        ("r-anna", "cannot begin with r-"),
        ("Privacy", "for the bridge itself"),
        ("postmaster", "for the bridge itself"),
    ],
)
async def test_a_contact_that_is_refused(
    bridge: Bridge, acme: Tenant, name: str, said: str
) -> None:
    await contacts.import_csv(bridge, acme, FILE)
    with pytest.raises(Refused, match=said) as no:
        await contacts.save_contact(bridge, acme, name, phone.parse(ANNA))
    assert no.value.hint


async def test_members_that_are_refused(bridge: Bridge, acme: Tenant) -> None:
    await contacts.import_csv(bridge, acme, FILE)
    with pytest.raises(Refused, match="a contact has this name"):
        await contacts.save_members(bridge, acme, "anna", ["berta"], [])
    with pytest.raises(NobodyOfThisName, match="no contact of this name") as no:
        await contacts.save_members(bridge, acme, "night", ["anna", "oncall"], [])
    assert no.value.name == "oncall"
    with pytest.raises(NobodyOfThisName, match="no group of this name"):
        await contacts.drop_members(bridge, acme, "day", ["anna"], [])
    with pytest.raises(NobodyOfThisName, match="no contact of this name"):
        await contacts.drop_members(bridge, acme, "night", ["clara"], [])


# A file


async def test_a_file_is_imported_and_again(bridge: Bridge, acme: Tenant) -> None:
    assert await contacts.import_csv(bridge, acme, FILE) == Imported(2, 0, 0, 2)
    more = FILE.replace(b"601 123 456", CLARA.encode()) + f"dana,{ANNA},day\n".encode()
    assert await contacts.import_csv(bridge, acme, more) == Imported(1, 1, 1, 3)
    (found,) = await contacts.people(bridge, acme, ["oncall"])
    assert {person.e164 for person in found.people} == {BERTA, CLARA}


async def test_with_a_problem_nothing_is_imported(bridge: Bridge, acme: Tenant) -> None:
    done = await contacts.import_csv(bridge, acme, FILE + b"clara,12,\n")
    (problem,) = done.problems
    assert done == Imported(problems=(problem,))
    assert problem.line == 4
    assert (await bridge.store.read(HOW_MANY))[0][0] == 0


async def test_names_that_are_taken_are_told_by_line(bridge: Bridge, acme: Tenant) -> None:
    await contacts.import_csv(bridge, acme, FILE)
    text = f"name,number,groups\nclara,{CLARA},\noncall,{CLARA},\ndana,{CLARA},day|Berta\n"
    done = await contacts.import_csv(bridge, acme, text.encode())
    assert done.problems == (
        Problem(3, "a group has this name"),
        Problem(4, "a contact has the name of one of the groups"),
    )
    text = f"name,number,groups\nprivacy,{CLARA},\ndana,{CLARA},postmaster\n"
    done = await contacts.import_csv(bridge, acme, text.encode())
    assert [problem.line for problem in done.problems] == [2, 3]
    assert (await bridge.store.read(HOW_MANY))[0][0] == 2


async def test_people_who_want_no_messages_are_left_out(bridge: Bridge, acme: Tenant) -> None:
    token = bridge.keys.everyone(BERTA)
    await bridge.store.write(suppress_all, Suppress(0, token, "all", "operator", 1.0))
    done = await contacts.import_csv(bridge, acme, FILE)
    assert done == Imported(1, 0, 0, 1, suppressed=(3,))
    with pytest.raises(NobodyOfThisName):
        await contacts.people(bridge, acme, ["berta"])


# What an operator asks


async def test_an_operator_imports_lists_and_removes(bridge: Bridge) -> None:
    (done,) = await do(bridge, operations.contacts_import, tenant="acme", data=packed(FILE))
    assert done == {"added": 2, "changed": 0, "unchanged": 0, "groups": 2, "suppressed": []}
    assert await do(bridge, operations.contacts_list, tenant="acme") == [
        {"name": "anna", "number": "+420 ••• ••• 456", "groups": ["oncall"]},
        {"name": "berta", "number": "+420 ••• ••• 456", "groups": ["night", "oncall"]},
    ]
    assert await do(bridge, operations.group_list, tenant="acme") == [
        {"name": "night", "people": 1, "members": ["berta"]},
        {"name": "oncall", "people": 2, "members": ["anna", "berta"]},
    ]
    assert await do(bridge, operations.contacts_list, tenant="sister") == []
    assert await do(bridge, operations.contacts_remove, tenant="acme", name="Berta") == [
        {"name": "berta", "state": "removed"}
    ]
    for name in ("berta", "no name"):
        with pytest.raises(Refused, match="no contact of this name"):
            await do(bridge, operations.contacts_remove, tenant="acme", name=name)
    groups = await do(bridge, operations.group_list, tenant="acme")
    assert [(group["name"], group["people"]) for group in groups] == [("night", 0), ("oncall", 1)]


async def test_numbers_are_shown_to_whoever_leaves_a_line_in_the_audit(bridge: Bridge) -> None:
    await do(bridge, operations.contacts_import, tenant="acme", data=packed(FILE))
    acme = bridge.register.named("acme")
    assert acme is not None
    await contacts.save_members(bridge, acme, "night", [], [phone.parse(CLARA)])
    listed = await do(bridge, operations.contacts_list, tenant="acme", reveal=True)
    assert [item["number"] for item in listed] == [ANNA, BERTA]
    groups = await do(bridge, operations.group_list, tenant="acme", reveal=True)
    assert groups[0]["members"] == [CLARA, "berta"]
    looks = await bridge.store.read(Statement(select(audit.c.action).order_by(audit.c.seq)))
    assert [row[0] for row in looks] == [
        "contacts import",
        "contacts list --reveal",
        "group list --reveal",
    ]


async def test_an_operator_hears_of_every_problem_and_then_no(bridge: Bridge) -> None:
    office = Office(bridge, Reception(bridge, lambda _: None).silence, "eva")
    data = packed(b"name,number\nanna,1\n,601123456\n")
    told = operations.contacts_import(office, tenant="acme", data=data)
    assert [(await anext(told))["line"], (await anext(told))["line"]] == [2, 3]
    with pytest.raises(Refused, match="nothing was imported: 2 problems"):
        await anext(told)


@pytest.mark.parametrize("data", ["§", "AAAA", packed(b"a" * 2 * MOST_OCTETS)[:40]])
async def test_what_did_not_arrive_whole_is_refused(bridge: Bridge, data: str) -> None:
    with pytest.raises(Refused):
        await do(bridge, operations.contacts_import, tenant="acme", data=data)


async def test_a_file_that_is_too_large_is_not_unpacked_whole(bridge: Bridge) -> None:
    data = packed(b"a" * 50 * MOST_OCTETS)
    with pytest.raises(Refused, match="nothing was imported: 1 problem"):
        await do(bridge, operations.contacts_import, tenant="acme", data=data)


# The command itself


@pytest.fixture
async def served(bridge: Bridge, config: Path) -> AsyncIterator[Path]:
    """The configuration of a bridge that answers commands."""
    server = ControlServer(bridge, Reception(bridge, lambda _people: None))
    await server.start()
    yield config
    await server.stop()


async def command(config: Path, *arguments: str, stdin: bytes | None = None) -> Result:
    """`bridge contacts …` for acme, beside the running bridge."""
    words = [*arguments, "--tenant", "acme", "--config", str(config)]
    return await asyncio.to_thread(CliRunner().invoke, app, words, input=stdin)


async def test_the_command_imports_lists_and_removes(served: Path, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(FILE)
    done = await command(served, "import", str(path))
    assert done.stdout == "added 2, changed 0, unchanged 0; 2 groups in the file\n"
    done = await command(served, "import", "-", "--json", stdin=FILE)
    assert json.loads(done.stdout)["unchanged"] == 2
    listed = await command(served, "list")
    assert "anna" in listed.stdout
    assert ANNA not in listed.stdout
    listed = await command(served, "groups", "--json")
    assert [json.loads(line)["name"] for line in listed.stdout.splitlines()] == ["night", "oncall"]
    gone = await command(served, "remove", "anna")
    assert gone.stdout == "anna removed\n"
    gone = await command(served, "remove", "anna", "--json")
    assert gone.exit_code == 1
    assert json.loads(gone.stdout)["error"] == "there is no contact of this name"


async def test_the_command_tells_whom_it_left_out(served: Path, bridge: Bridge) -> None:
    token = bridge.keys.everyone(BERTA)
    await bridge.store.write(suppress_all, Suppress(0, token, "all", "operator", 1.0))
    done = await command(served, "import", "-", stdin=FILE)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "added 1, changed 0, unchanged 0; 1 group in the file",
        "left out, they do not want to be texted: line 3",
    ]


async def test_the_command_tells_each_problem_and_fails(served: Path) -> None:
    done = await command(served, "import", "-", stdin=b"name,number\nanna,12\nberta,13\n")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "line 2: The number is too short for +420 (CZ)",
        "line 3: The number is too short for +420 (CZ)",
    ]
    assert "nothing was imported: 2 problems" in done.stderr
    done = await command(served, "import", "-", "--json", stdin=b"")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["line"] == 0
    assert lines[1]["error"] == "nothing was imported: 1 problem"
    done = await command(served, "import", "missing.csv")
    assert "the file cannot be read (No such file or directory)" in done.stderr
    noise = random.Random(1).randbytes(MOST_OCTETS)
    done = await command(served, "import", "-", stdin=noise)
    assert "this is not the text of a CSV file" in done.stderr


async def test_the_largest_file_fits_through_the_socket(served: Path) -> None:
    luck = random.Random(1)
    lines = [
        f"{luck.randbytes(19).hex()}x,+420{luck.randint(601_000_000, 608_999_999)},{luck.randbytes(8).hex()}g"
        for _ in range(10_000)
    ]
    data = "\n".join(["name,number,groups", *lines]).encode()
    done = await command(served, "import", "-", stdin=data)
    assert done.stdout == "added 10000, changed 0, unchanged 0; 10000 groups in the file\n"


async def test_the_command_works_where_no_bridge_runs(config: Path) -> None:
    async with opening.opened(load(config, {}), "up"):
        pass  # it has run before: the tenants are there
    for what in ("import", "list"):
        words = ["contacts", what, *(["-"] if what == "import" else []), "--tenant", "acme"]
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "bridge", *words, "--json", "--config", str(config)],
            input=FILE,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said = [json.loads(line) for line in done.stdout.splitlines()]
        assert said[0].get("added") == 2 or said[0]["name"] == "anna"
