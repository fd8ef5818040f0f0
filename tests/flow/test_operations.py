"""Operator's commands against a real store: what they do, what they say, and through the socket."""

import asyncio
import json
import socket
import stat
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bridge import control, opening, operations
from bridge.control import ControlServer
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.receive import Reception
from bridge.dispatch.submit import submit
from bridge.errors import BadNumber, Misconfigured, Refused, TryLater
from bridge.model import Class, Origin, State, Submission
from bridge.operations import REGISTRY, Office
from bridge.settings import load
from bridge.store import ids, logbook
from bridge.store.audit_tables import audit
from bridge.store.claims import Claim, ClaimScript
from bridge.store.sql import Do, Script, Statement
from bridge.store.tables import event, message, notice, suppression, tenant
from tests.consents import OFFER, agree, shift
from tests.seeds import seeded

ANNA = "+420601123456"
BERTA = "+420602123456"
CONFIG = """
data_dir = "{data_dir}"
region = "CZ"
[database]
url = "{url}"
[[tenants]]
name = "acme"
countries = ["CZ", "SK"]
validity = "2h"
[[tenants]]
name = "sister"
"""


@pytest.fixture
async def bridge(tmp_path: Path, url: str) -> AsyncIterator[Bridge]:
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIG.format(data_dir=seeded(tmp_path / "data"), url=url))
    async with opening.opened(load(path, {}), "up") as bridge:
        yield bridge


class Rung:
    """What was rung, in place of the bell."""

    def __init__(self, bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queues: list[str] = []
        monkeypatch.setattr(bridge.bell, "ring", lambda queue, _ids=(): self.queues.append(queue))


@pytest.fixture
def rung(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> Rung:
    return Rung(bridge, monkeypatch)


Do_ = Callable[..., Any]


@pytest.fixture
def do(bridge: Bridge) -> Do_:
    """Run an operation; its items."""

    async def run(operation: str, **arguments: Any) -> list[dict[str, Any]]:
        office = Office(bridge, Reception(bridge, lambda _: None).silence, "eva")
        return [item async for item in REGISTRY[operation](office, **arguments)]

    return run


async def rows(bridge: Bridge, table: Any, *columns: str) -> list[tuple[Any, ...]]:
    wanted = [table.c[name] for name in columns]
    found = await bridge.store.read(Statement(table.select().with_only_columns(*wanted)))
    return [tuple(row) for row in found]


def a_submission(bridge: Bridge, **changes: Any) -> Submission:
    acme = bridge.register.named("acme")
    assert acme is not None
    facts: dict[str, Any] = {
        "tenant": acme.id,
        "origin": Origin("mail", "eva@firm.example", {"subject": "Pump"}),
        "destination": ANNA,
        "country": "CZ",
        "text": "The pump runs.",
    }
    return Submission(**{**facts, **changes})


async def held(bridge: Bridge, **changes: Any) -> str:
    kept = await submit(bridge, a_submission(bridge, hold="SPF did not tell", **changes))
    assert kept.state is State.HELD
    return ids.show(kept.id)


# send


async def test_a_text_is_sent(do: Do_, rung: Rung) -> None:
    (sent,) = await do("send", tenant="acme", to="601 123 456", text="Čau", urgent=True)
    assert sent == {"id": sent["id"], "state": "queued", "reason": ""}
    assert rung.queues == ["deliver.sandbox.urgent"]
    (shown,) = await do("log")
    assert (shown["id"], shown["tenant"], shown["origin"]) == (sent["id"], "acme", "cli:e…")


async def test_it_waits_for_its_time_on_the_recipients_clock(bridge: Bridge, do: Do_) -> None:
    bridge.clock = lambda: 1_790_000_000.0  # 2026-09-21, summer time in Prague
    for at in ("202609252000", "2026-09-25T20:00", "2026-09-25T18:00Z"):
        (sent,) = await do("send", tenant="acme", to=ANNA, text="later", at=at)
        assert sent["state"] == "scheduled"
    assert {due for (due,) in await rows(bridge, message, "due_at")} == {1_790_359_200.0}


UNSENT: list[tuple[dict[str, str], str]] = [
    ({"tenant": "nobody"}, "there is no tenant 'nobody'"),
    ({"tenant": ""}, "which tenant?"),
    ({"to": "12"}, "The number is too short for +420 (CZ)"),
    ({"to": "+4740612345"}, "acme does not send to NO; allowed countries: CZ, SK"),
    ({"text": "  "}, "there is no text to send"),
    ({"text": "word " * 999}, "the text needs 33 SMS parts"),
    ({"at": "tomorrow"}, "--at is no time"),
    ({"at": "209911232000"}, "the time is more than 90 days ahead"),
    ({"originator": "much too long a name"}, "--from must be a number with plus"),
]


async def test_what_is_not_sent_says_why(bridge: Bridge, do: Do_) -> None:
    for arguments, said in UNSENT:
        with pytest.raises(Refused) as caught:
            await do("send", **{"tenant": "acme", "to": ANNA, "text": "hi", **arguments})
        assert caught.value.sentence.startswith(said)
    assert await rows(bridge, message, "id") == []


# log


async def test_the_log_hides_people(bridge: Bridge, do: Do_) -> None:
    bridge.clock = lambda: 1_790_000_000.25
    await agree(bridge, ANNA)
    kept = await submit(bridge, a_submission(bridge, klass=Class.MARKETING, text=OFFER))
    assert await do("log") == [
        {
            "id": ids.show(kept.id),
            "tenant": "acme",
            "origin": "mail:e…@firm.example",
            "destination": "+420 ••• ••• 456",
            "class": "marketing",
            "state": "queued",
            "parts": 1,
            "encoding": "gsm7",
            "carrier": "sandbox",
            "attempts": 0,
            "resent": 0,
            "reason": "",
            "created_at": "2026-09-21T14:13:20.250Z",
            "sent_at": None,
            "final_at": None,
        }
    ]
    assert await rows(bridge, audit, "actor") == []


async def test_who_reads_what_is_hidden_leaves_a_line(bridge: Bridge, do: Do_) -> None:
    await submit(bridge, a_submission(bridge))
    (shown,) = await do("log", reveal=True, tenant="acme")
    assert shown["destination"] == ANNA
    assert shown["origin"] == "mail:eva@firm.example"
    assert shown["text"] == "The pump runs."
    assert await rows(bridge, audit, "actor", "action", "reason") == [("eva", "log --reveal", "")]


async def test_the_line_is_there_before_anything_is_shown(bridge: Bridge) -> None:
    await submit(bridge, a_submission(bridge))
    office = Office(bridge, Reception(bridge, lambda _: None).silence, "eva")
    shown = operations.log(office, reveal=True)
    await anext(shown)
    assert len(await rows(bridge, audit, "actor")) == len(bridge.register.tenants)
    await shown.aclose()  # type: ignore[attr-defined]


async def test_the_log_is_read_in_pages_oldest_first(
    bridge: Bridge, do: Do_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logbook, "PAGE", 3)
    kept = [await submit(bridge, a_submission(bridge)) for _ in range(9)]
    expected = [ids.show(each.id) for each in kept]
    assert [item["id"] for item in await do("log")] == expected
    assert [item["id"] for item in await do("log", limit=5)] == expected[-5:]
    assert [item["id"] for item in await do("log", limit=100)] == expected


async def test_the_log_can_be_narrowed(bridge: Bridge, do: Do_) -> None:
    waiting = await held(bridge)
    await submit(bridge, a_submission(bridge))
    assert [item["id"] for item in await do("log", state="held")] == [waiting]
    assert len(await do("log", tenant="acme")) == 2
    assert await do("log", tenant="sister") == []
    assert await do("log", since=bridge.clock() + 60) == []
    assert len(await do("log", since=bridge.clock() - 60)) == 2
    with pytest.raises(Refused, match="there is no tenant"):
        await do("log", tenant="nobody")


async def test_the_carrier_is_the_one_that_was_tried_last(bridge: Bridge, do: Do_) -> None:
    await submit(bridge, a_submission(bridge))
    claim = Claim("sandbox", bridge.incarnation, bridge.clock(), 10, 10)
    await bridge.store.write(ClaimScript(bridge.ids.next), claim)
    (shown,) = await do("log")
    assert (shown["state"], shown["attempts"], shown["carrier"]) == ("sending", 1, "sandbox")


# held


async def test_what_is_held_is_listed(bridge: Bridge, do: Do_) -> None:
    waiting = await held(bridge)
    await submit(bridge, a_submission(bridge))
    (shown,) = await do("held list")
    assert (shown["id"], shown["state"]) == (waiting, "held")
    assert shown["reason"] == "SPF did not tell"
    assert "text" not in shown
    assert (await do("held list", reveal=True))[0]["text"] == "The pump runs."


async def test_a_release_queues_it_and_counts_its_validity_anew(
    bridge: Bridge, do: Do_, rung: Rung
) -> None:
    waiting = await held(bridge)
    later = bridge.clock() + 3600
    bridge.clock = lambda: later
    (done,) = await do("held release", id=waiting)
    assert done == {"id": waiting, "state": "queued", "reason": "was held"}
    found = await rows(bridge, message, "state", "reason", "due_at", "expires_at")
    assert found == [("queued", "", later, later + 7200)]
    assert rung.queues == ["deliver.sandbox.bulk"]
    kinds = await rows(bridge, event, "kind", "detail")
    assert kinds[-1] == ("queued", "released-by-operator")
    assert await do("held list") == []


async def test_a_time_that_its_writer_asked_for_still_holds(bridge: Bridge, do: Do_) -> None:
    at = bridge.clock() + 86_400
    waiting = await held(bridge, not_before=at)
    await do("held release", id=waiting)
    assert await rows(bridge, message, "due_at", "expires_at") == [(at, at + 7200)]


async def test_a_drop_ends_it_and_its_writer_is_told(bridge: Bridge, do: Do_, rung: Rung) -> None:
    waiting = await held(bridge)
    (done,) = await do("held drop", id=waiting)
    assert done["state"] == "cancelled"
    assert await rows(bridge, message, "state", "reason") == [("cancelled", "dropped-by-operator")]
    assert await rows(bridge, notice, "edge", "kind", "state") == [("mail", "failed", "due")]
    assert rung.queues == ["answer.mail"]


async def test_what_may_have_left_is_sent_again_marked(bridge: Bridge, do: Do_) -> None:
    shift(bridge, "2026-11-23T12:00")
    await agree(bridge, ANNA)
    kept = await submit(bridge, a_submission(bridge, klass=Class.MARKETING, text=OFFER))

    def doubt(items: Sequence[int]) -> Script:
        yield Do(Statement(message.update().values(state="unknown", tries=1)), {})
        return [None] * len(items)

    await bridge.store.write(doubt, 0)
    (shown,) = await do("held list")
    assert shown["state"] == "unknown"
    await do("held release", id=ids.show(kept.id))
    assert await rows(bridge, message, "state", "resent") == [("queued", 1)]


async def test_an_id_that_is_none(do: Do_) -> None:
    for wrong in ("", "38g4", "Anna's message"):
        with pytest.raises(Refused, match="this is no id"):
            await do("held release", id=wrong)
    for wrong in ("38g4sre5p0100", "zzzzzzzzzzzzz"):
        with pytest.raises(Refused, match="no message has this id"):
            await do("held drop", id=wrong)


async def test_what_does_not_wait_stays_as_it_is(bridge: Bridge, do: Do_) -> None:
    kept = await submit(bridge, a_submission(bridge))
    with pytest.raises(Refused, match="it is queued"):
        await do("held drop", id=ids.show(kept.id))
    assert await rows(bridge, message, "state") == [("queued",)]


# tenants


BETA = {
    "name": "beta",
    "countries": ["NO"],
    "senders": [{"address": "*@beta.example", "proof": ["auth"]}],
}


async def test_a_tenant_comes_and_goes(bridge: Bridge, do: Do_) -> None:
    assert await do("tenant add", tenant=BETA) == [{"name": "beta", "state": "open"}]
    listed = {item["name"]: item for item in await do("tenant list")}
    assert set(listed) == {"acme", "sister", "beta"}
    assert listed["acme"]["source"] == "file"
    assert listed["beta"] == {
        "name": "beta",
        "source": "command",
        "region": "CZ",
        "countries": ["NO"],
        "max_parts": 6,
        "validity": 86400.0,
        "originator": "",
        "senders": [{"address": "*@beta.example", "proof": ["auth"], "class": "transactional"}],
        "logins": [],
        "tokens": 0,
    }
    assert await do("tenant close", name="beta") == [{"name": "beta", "state": "closed"}]
    assert bridge.register.named("beta") is None
    assert await do("log", tenant="beta") == []
    await do("tenant add", tenant=BETA)
    assert len(await rows(bridge, tenant, "name")) == 3


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("tenant add", {"tenant": {"name": "acme"}}, "there is a tenant 'acme' already"),
    ("tenant add", {"tenant": {"name": "A B"}}, "name: must be small letters"),
    ("tenant add", {"tenant": {"name": "c", "max_part": 3}}, "did you mean"),
    ("tenant close", {"name": "acme"}, "the tenant 'acme' stands in the configuration"),
    ("tenant close", {"name": "nobody"}, "there is no tenant 'nobody'"),
    ("token issue", {"name": "nobody"}, "there is no tenant 'nobody'"),
    (
        "tenant login",
        {"name": "acme", "user": "eva", "password_hash": "$argon2id$x"},
        "the tenant 'acme' stands in the configuration",
    ),
]


async def test_what_tenants_refuse(do: Do_) -> None:
    for operation, arguments, said in REFUSED:
        with pytest.raises(Refused) as caught:
            await do(operation, **arguments)
        assert said in caught.value.sentence
        assert caught.value.hint


async def test_a_token_is_kept_as_a_hash(bridge: Bridge, do: Do_) -> None:
    (issued,) = await do("token issue", name="acme")
    await do("token issue", name="acme")
    held_hashes = [digest for _, digest in bridge.register.tokens]
    assert len(held_hashes) == 2
    assert issued["token"] not in held_hashes
    assert await do("token revoke", name="acme") == [{"name": "acme", "revoked": 2}]
    assert bridge.register.tokens == ()


async def test_a_login_is_one_tenants(bridge: Bridge, do: Do_) -> None:
    await do("tenant add", tenant=BETA)
    await do("tenant add", tenant={"name": "gamma"})
    login = {"name": "beta", "user": "eva", "password_hash": "$argon2id$one"}
    assert (await do("tenant login", **login))[0]["state"] == "set"
    await do("tenant login", **{**login, "password_hash": "$argon2id$two"})
    beta = bridge.register.named("beta")
    assert beta is not None
    assert bridge.register.logins == {"eva": (beta.id, "$argon2id$two")}
    with pytest.raises(Refused, match="belongs to another tenant"):
        await do("tenant login", **{**login, "name": "gamma"})
    assert (await do("tenant login", **{**login, "password_hash": ""}))[0]["state"] == "removed"
    with pytest.raises(Refused, match="has no user"):
        await do("tenant login", **{**login, "password_hash": ""})


# suppression


async def test_a_suppression_and_its_end(bridge: Bridge, do: Do_) -> None:
    nothing = {"suppressed": False, "scope": None, "source": None, "since": None, "purpose": None}
    bridge.clock = lambda: 1_790_000_000.0
    person = {"number": "601 123 456", "tenant": "acme"}
    assert await do("suppress check", **person) == [nothing]
    standing = {
        "suppressed": True,
        "scope": "tenant",
        "source": "operator",
        "since": "2026-09-21T14:13:20.000Z",
        "purpose": "any",
    }
    assert await do("suppress add", **person) == [{**standing, "cancelled": 0}]
    assert await do("suppress add", **person) == [{**standing, "cancelled": 0}]
    assert await do("suppress check", **person) == [standing]
    assert await do("suppress check", **person, scope="all") == [nothing]
    assert await do("suppress check", number=ANNA, tenant="sister") == [nothing]
    assert await do("suppress remove", **person) == [nothing]
    assert len(await rows(bridge, suppression, "lifted_at")) == 1


async def test_the_operators_own_suppression_is_everyones(do: Do_) -> None:
    await do("suppress add", number=ANNA, tenant="acme", scope="all")
    (other,) = await do("suppress check", number=ANNA, tenant="sister")
    assert (other["suppressed"], other["scope"]) == (True, "all")
    await do("suppress add", number=ANNA, tenant="acme")
    (still,) = await do("suppress remove", number=ANNA, tenant="acme")
    assert (still["suppressed"], still["scope"]) == (True, "all")
    (gone,) = await do("suppress remove", number=ANNA, tenant="acme", scope="all")
    assert not gone["suppressed"]


async def test_what_waits_for_this_person_is_cancelled(bridge: Bridge, do: Do_) -> None:
    await submit(bridge, a_submission(bridge))
    await held(bridge)
    await submit(bridge, a_submission(bridge, destination=BERTA))
    silenced: list[Sequence[int]] = []

    async def silence(people: Sequence[int]) -> None:
        silenced.append(people)

    office = Office(bridge, silence, "eva")
    adding = operations.suppress_add(office, number=ANNA, tenant="acme")
    (standing,) = [item async for item in adding]
    assert standing["suppressed"]
    assert len(silenced) == 1
    states = await rows(bridge, message, "state")
    assert sorted(states) == [("queued",), ("suppressed",), ("suppressed",)]
    (sent,) = await do("send", tenant="acme", to=ANNA, text="hello")
    assert (sent["state"], sent["reason"]) == ("suppressed", "opted-out")


async def test_a_number_that_is_none_is_not_suppressed(do: Do_) -> None:
    with pytest.raises(BadNumber):
        await do("suppress add", number="hello", tenant="acme")


# The control socket


async def test_keys_are_not_wrapped_by_a_master_key_that_the_bridge_did_not_read(
    bridge: Bridge, do: Do_
) -> None:
    assert await do("master rewrap") == [{"rewrapped": 0, "lost": 0}]
    path = bridge.settings.data_dir / "master_key"
    path.write_text("ab" * 32 + "\n" + path.read_text())
    with pytest.raises(Misconfigured, match="nothing was wrapped"):
        await do("master rewrap")


@pytest.fixture
async def server(bridge: Bridge) -> AsyncIterator[ControlServer]:
    server = ControlServer(bridge, Reception(bridge, lambda _: None))
    await server.start()
    yield server
    await server.stop()


async def ask(bridge: Bridge, operation: str, **arguments: Any) -> list[dict[str, Any]]:
    data_dir = bridge.settings.data_dir
    asked = await asyncio.to_thread(control.ask, data_dir, operation, "eva", arguments)
    assert asked is not None
    return await asyncio.to_thread(list, asked)


async def talk(bridge: Bridge, line: bytes) -> dict[str, Any]:
    path = control.socket_path(bridge.settings.data_dir)
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(line)
    writer.write_eof()
    said: dict[str, Any] = json.loads(await reader.readline())
    writer.close()
    return said


@pytest.mark.usefixtures("server")
async def test_the_running_bridge_does_it(bridge: Bridge) -> None:
    (sent,) = await ask(bridge, "send", tenant="acme", to=ANNA, text="Čau \U0001f44b")
    (shown,) = await ask(bridge, "log", reveal=True)
    assert (shown["id"], shown["text"]) == (sent["id"], "Čau \U0001f44b")
    (status,) = await ask(bridge, "status")
    assert status["database"] == bridge.store.database


@pytest.mark.usefixtures("server")
async def test_its_refusals_come_through(bridge: Bridge) -> None:
    with pytest.raises(Refused) as caught:
        await ask(bridge, "held release", id="x")
    assert caught.value.hint == "copy it from `bridge held list`"


@pytest.mark.usefixtures("server")
async def test_only_the_owner_may_ask(bridge: Bridge) -> None:
    path = control.socket_path(bridge.settings.data_dir)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


NO_OPERATION = (
    b"hello\n",
    b"\n",
    b"[]\n",
    b"",
    b'{"operation": "__class__", "actor": "eva", "arguments": {}}\n',
    b'{"operation": "log", "actor": "eva", "arguments": {"colour": 1}}\n',
    b'{"operation": "log", "actor": "eva"}\n',
    b"x" * (control.LONGEST_LINE + 2) + b"\n",
)


@pytest.mark.usefixtures("server")
async def test_what_is_no_operation_is_refused(bridge: Bridge) -> None:
    for line in NO_OPERATION:
        said = await talk(bridge, line)
        assert said["error"] == "the running bridge does not understand this command"
    assert await ask(bridge, "log") == []


@pytest.mark.usefixtures("server")
async def test_a_fault_is_told_without_its_words(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def faulty(_office: Office) -> AsyncIterator[dict[str, Any]]:
        yield {"one": 1}
        raise LookupError(ANNA)

    monkeypatch.setattr(operations, "REGISTRY", {"faulty": faulty})
    with pytest.raises(TryLater) as caught:
        await ask(bridge, "faulty")
    assert "LookupError" in caught.value.sentence
    assert ANNA not in caught.value.sentence


@pytest.mark.usefixtures("server")
async def test_a_text_too_long_for_a_line_is_refused_here(bridge: Bridge) -> None:
    with pytest.raises(Refused, match="too long"):
        await ask(bridge, "send", tenant="acme", to=ANNA, text="x" * control.LONGEST_LINE)


async def test_a_bridge_that_stops_says_so(
    bridge: Bridge, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = asyncio.Event()

    async def endless(_office: Office) -> AsyncIterator[dict[str, Any]]:
        began.set()
        await asyncio.Event().wait()
        yield {}

    monkeypatch.setattr(operations, "REGISTRY", {"endless": endless})
    asking = asyncio.create_task(ask(bridge, "endless"))
    await began.wait()
    await server.stop()
    with pytest.raises(TryLater, match="the bridge is stopping"):
        await asking
    assert control.ask(bridge.settings.data_dir, "log", "eva", {}) is None


async def test_where_no_bridge_runs_nobody_answers(tmp_path: Path) -> None:
    assert control.ask(tmp_path, "log", "eva", {}) is None
    assert not control.answers(tmp_path / "nothing")
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "control.sock"))
    assert control.ask(tmp_path, "log", "eva", {}) is None


async def test_a_bridge_that_dies_amid_its_answer(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "control.sock"))
        listener.listen()

        def die() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b'{"item": {"id": 1}}\n{"ite')

        thread = threading.Thread(target=die)
        thread.start()
        asked = control.ask(tmp_path, "log", "eva", {})
        assert asked is not None
        assert await asyncio.to_thread(next, asked) == {"id": 1}
        with pytest.raises(TryLater, match="ended before it had answered"):
            await asyncio.to_thread(next, asked)
        thread.join()


def test_a_long_path_has_its_socket_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/tmp")
    assert not control.answers(deep)
    path = control.socket_path(deep)
    try:
        assert len(str(path)) < control.LONGEST_SOCKET
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        path.parent.chmod(0o755)
        with pytest.raises(PermissionError):
            control.socket_path(deep)
    finally:
        path.parent.rmdir()


async def test_a_log_of_many_pages_goes_through_the_socket(
    bridge: Bridge, server: ControlServer
) -> None:
    assert server
    await asyncio.gather(*(submit(bridge, a_submission(bridge)) for _ in range(1100)))
    found = await ask(bridge, "log", reveal=True)
    assert len({item["id"] for item in found}) == 1100
