"""The command line as people run it: real processes, beside a running bridge and without one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.e2e.processes import House, a_house, environment, until

ANNA = "+420601123456"
CONFIG = """
data_dir = "data"
[smtp]
listen = "127.0.0.1:0"
[http]
listen = "127.0.0.1:0"
"""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    config = tmp_path / "bridge.toml"
    config.write_text(CONFIG)
    async with a_house(tmp_path, config) as house:
        yield house


async def told(house: House, *words: str) -> dict[str, object]:
    """The one object that a command prints with --json."""
    code, out, err = await house.call(*words, "--json")
    assert code == 0, out + err
    found: dict[str, object] = json.loads(out)
    return found


async def test_commands_work_through_the_running_bridge_and_after_it(house: House) -> None:
    bridge = await house.start()
    sent = await told(house, "send", ANNA, "Příliš žluťoučký kůň")
    assert sent["state"] in {"queued", "sending"}  # its lane may be awake

    async def delivered() -> bool:
        return [row["state"] for row in await house.log()] == ["delivered"]

    await until(delivered, "the receipt")
    (shown,) = await house.log("--reveal", "--since", "1h", "--limit", "1")
    assert (shown["destination"], shown["text"]) == (ANNA, "Příliš žluťoučký kůň")
    assert (shown["carrier"], shown["attempts"], shown["encoding"]) == ("sandbox", 1, "ucs2")
    code, out, _ = await house.call("log")
    assert code == 0
    assert "+420 ••• ••• 456" in out
    assert ANNA not in out

    assert (await told(house, "suppress", "add", ANNA, "--tenant", "default"))["suppressed"]
    assert (await told(house, "send", ANNA, "again"))["state"] == "suppressed"

    code, out, _ = await house.call("check")
    assert code == 0, out
    assert f"ok      bridge: runs on data (process {bridge.pid})" in out
    code, _, err = await house.call("up")
    assert code == 1
    assert f"a bridge already runs on data_dir data (process {bridge.pid})" in err

    bridge.signal(signal.SIGTERM)
    assert await bridge.ended() == 0
    assert [row["state"] for row in await house.log()] == ["delivered", "suppressed"]
    assert (await told(house, "suppress", "check", ANNA))["suppressed"]
    assert ANNA not in house.said()


async def test_what_is_kept_is_its_owners_alone_also_in_a_folder_for_all(tmp_path: Path) -> None:
    """A volume or a folder that somebody else has made may be entered by anybody."""
    config = tmp_path / "bridge.toml"
    config.write_text(CONFIG)
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    async with a_house(tmp_path, config, bare=True) as house:
        await house.start()
        await told(house, "send", ANNA, "Boiler 3 is cold")
        found = {path.name: path.stat().st_mode & 0o077 for path in folder.iterdir()}
    assert {"bridge.sqlite", "bridge.sqlite-wal", "bridge.lock", "pepper"} <= set(found)
    assert not any(found.values()), found


async def test_a_killed_bridge_does_not_stand_in_the_way(house: House) -> None:
    bridge = await house.start()
    bridge.kill_tree()
    assert (house.folder / "data" / "control.sock").exists()
    assert (await told(house, "send", ANNA, "hello"))["state"] == "queued"  # nothing runs
    assert len(await house.log()) == 1
    again = await house.start()
    assert (await told(house, "tenant", "list"))["name"] == "default"
    again.signal(signal.SIGTERM)
    assert await again.ended() == 0


async def test_two_commands_at_once_wait_for_each_other(house: House) -> None:
    sent = await asyncio.gather(*(told(house, "send", ANNA, f"number {n}") for n in range(3)))
    assert len({each["id"] for each in sent}) == 3
    assert len(await house.log()) == 3


async def test_a_tenant_added_beside_a_running_bridge_may_send(house: House) -> None:
    await house.start()
    await told(house, "tenant", "add", "beta", "--sender", "*@beta.example=token")
    token = (await told(house, "tenant", "token", "issue", "beta"))["token"]
    assert isinstance(token, str)
    assert len(token) == 16
    code, out, err = await house.call("send", ANNA, "which tenant", "--json")
    assert code == 1, err
    assert json.loads(out)["error"] == "which tenant?"
    sent = await told(house, "send", ANNA, "hi", "--tenant", "beta")
    assert sent["state"] in {"queued", "sending"}
    assert [row["tenant"] for row in await house.log("--tenant", "beta")] == ["beta"]


# Faults: a sentence and what to do, never a traceback


FAULTS = {
    "not a directory": ({"BRIDGE__DATA_DIR": "bridge.toml"}, "data_dir bridge.toml cannot be"),
    "no PostgreSQL": (
        {"BRIDGE__DATABASE__URL": "postgresql://nobody@127.0.0.1:1/nothing"},
        "check that PostgreSQL runs and that [database] url is right",
    ),
    "no such key": ({"BRIDGE__SMTP__LISTN": "127.0.0.1:0"}, "did you mean BRIDGE__SMTP__LISTEN?"),
    "no pepper": ({"BRIDGE__PRIVACY__PEPPER_FILE": "missing"}, "missing does not exist"),
    "no file": ({"BRIDGE_CONFIG": "missing.toml"}, "missing.toml: no such file"),
}


@pytest.mark.parametrize("command", [["up"], ["log"], ["send", ANNA, "hi"]], ids=" ".join)
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_a_sentence(tmp_path: Path, name: str, command: list[str]) -> None:
    env, said = FAULTS[name]
    (tmp_path / "bridge.toml").write_text(CONFIG)
    async with a_house(tmp_path, None) as house:
        code, out, err = await house.call(*command, env=env)
        assert code == 1
        assert out == ""
        assert said in err
        assert "Traceback" not in err


async def test_a_damaged_database_is_a_sentence(house: House) -> None:
    await told(house, "send", ANNA, "hi")
    (house.folder / "data" / "bridge.sqlite").write_bytes(b"no database" * 1000)
    for command in (["up"], ["log"], ["check"]):
        code, out, err = await house.call(*command)
        assert code == 1
        assert "Traceback" not in out + err
        assert "database" in out + err


async def test_parts_that_need_postgresql_say_so(house: House) -> None:
    for part in ("serve", "work", "tick"):
        code, _, err = await house.call(part)
        assert code == 1
        assert "set [database] url to a PostgreSQL, or run `bridge up`" in err


#: A name that no resolver looks for: it is too long (RFC 1035 2.3.4).
NOWHERE = ".".join(["l" * 60] * 5)


async def test_check_tells_every_part_that_is_wrong(
    house: House, free_port: Callable[[], int]
) -> None:
    assert house.config is not None
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        house.config.write_text(
            f"""
data_dir = "data"
[smtp]
listen = "127.0.0.1:{port}"
tls_cert = "missing.pem"
tls_key = "missing.pem"
[http]
listen = "127.0.0.1:0"
[queue]
url = "redis://127.0.0.1:{free_port()}/0"
[mail]
smarthost = "smtp://127.0.0.1:{free_port()}"
[telegram]
token = "1:secret-token"
[[tenants]]
name = "acme"
link_domain = "{NOWHERE}"
[[carriers]]
name = "smsc-1"
kind = "smpp"
host = "127.0.0.1"
port = {free_port()}
password = "secret"
"""
        )
        code, out, err = await house.call("check")
        assert code == 1
        failed = {
            line.removeprefix("FAILED").strip().partition(":")[0]
            for line in out.splitlines()
            if line.startswith("FAILED")
        }
        assert failed == {
            *("queue", "carrier smsc-1", "smarthost", "tls", "smtp listen", "telegram"),
            f"link_domain {NOWHERE}",
        }
        assert "secret" not in out + err
        assert "Traceback" not in err
        code, out, _ = await house.call("check", "--json")
        assert code == 1
        rows = [json.loads(line) for line in out.splitlines()]
        assert {row["part"] for row in rows if not row["ok"]} == failed
        assert all(row["hint"] for row in rows if row["part"] in failed - {"carrier smsc-1"})


async def test_check_finds_a_route_of_nobody(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    route = '[[routes]]\ntenant = "beta"\ncarriers = ["sandbox"]\n'
    config.write_text(CONFIG + route)
    async with a_house(tmp_path, config) as house:
        _, out, _ = await house.call("check")
        assert "routes: beta: not in [[tenants]], so `bridge tenant add` must have added" in out
        await house.start()
        code, out, _ = await house.call("check")
        assert code == 1
        assert "FAILED  routes: no tenant is named beta: such a route takes nothing" in out
        assert "write one of default, or add it: `bridge tenant add beta`" in out
        await told(house, "tenant", "add", "beta")
        code, out, _ = await house.call("check")
        assert code == 0, out
        assert "ok      routes: for tenants that a command has added: beta" in out


# Pipes


def explain(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "bridge", "explain", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )


def test_each_line_is_answered_when_it_comes() -> None:
    with explain("text", "--jsonl") as process:
        assert process.stdin
        assert process.stdout
        for number in range(3):
            process.stdin.write(b'{"id": %d, "text": "hello"}\n' % number)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait() == 0


def test_a_reader_that_leaves_is_no_fault() -> None:
    with explain("text", "--jsonl") as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(b'{"id": 1, "text": "hello"}\n' * 5000)
            process.stdin.close()
        assert b"Traceback" not in process.stderr.read()
        assert process.wait() == 1
