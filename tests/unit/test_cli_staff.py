"""`bridge staff` and `bridge access` without a bridge: options, words, JSON, exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bridge.cli import app
from bridge.cli import common as cli
from bridge.errors import Refused

Asked = list[tuple[str, dict[str, Any]]]
EVA = {
    "id": "38g4sre5p0100",
    "tenant": "acme",
    "name": "Eva",
    "role": "agent",
    "edge": "telegram",
    "identity": "…501",
    "since": "2026-11-23T20:00:00.000Z",
}
INVITED = {"code": "7K3M-9QXT-2B4D", "expires_at": "2026-11-23T20:15:00.000Z"}
CLOSED = {"staff": 4, "invitations": 1, "links": 2}
ANSWERS: dict[str, Any] = {
    "staff invite": INVITED,
    "staff list": EVA,
    "staff revoke": {"id": "38g4sre5p0100", "state": "revoked"},
    "access close-all": CLOSED,
}
INVITE = ("staff", "invite", "--tenant", "acme", "--role", "agent", "--name", "Eva")


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What was asked of the bridge, which answers as in `ANSWERS`."""
    seen: Asked = []

    def perform(_: object, operation: str, sink: cli.Sink, **arguments: Any) -> None:
        seen.append((operation, arguments))
        if arguments.get("role") == "boss":
            raise Refused("there is no role 'boss'", "roles: agent, auditor")
        sink(ANSWERS[operation])

    for name in ("staff", "access"):
        monkeypatch.setattr(f"bridge.cli.{name}.perform", perform)
    return seen


def test_an_invitation_says_what_to_type(asked: Asked) -> None:
    result = run(*INVITE)
    assert result.exit_code == 0
    code, how = result.stdout.splitlines()
    assert code == "7K3M-9QXT-2B4D"
    assert "2026-11-23T20:15:00.000Z" in how
    assert how.endswith("in a private chat with the bot: /sms enrol 7K3M-9QXT-2B4D")
    assert asked == [("staff invite", {"tenant": "acme", "role": "agent", "name": "Eva"})]


@pytest.mark.usefixtures("asked")
def test_json_is_what_the_bridge_said() -> None:
    assert json.loads(run(*INVITE, "--json").stdout) == INVITED
    assert json.loads(run("staff", "list", "--json").stdout) == EVA
    assert json.loads(run("staff", "revoke", "x", "--json").stdout)["state"] == "revoked"
    assert json.loads(run("access", "close-all", "--yes", "--json").stdout) == CLOSED


@pytest.mark.usefixtures("asked")
def test_a_refusal_names_the_roles() -> None:
    result = run("staff", "invite", "--role", "boss", "--name", "Eva", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "error": "there is no role 'boss'",
        "hint": "roles: agent, auditor",
    }


def test_the_list_for_people(asked: Asked) -> None:
    result = run("staff", "list", "--tenant", "acme", "--reveal", "--reason", "review")
    assert all(str(value) in result.stdout for value in EVA.values())
    assert asked == [("staff list", {"tenant": "acme", "reveal": True, "why": "review"})]


def test_an_empty_list_says_so(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.cli.staff.perform", lambda *_, **__: None)
    assert run("staff", "list").stderr == "nobody is enrolled\n"
    assert run("staff", "list", "--json").output == ""
    assert not asked


def test_a_revocation(asked: Asked) -> None:
    assert run("staff", "revoke", "38g4sre5p0100").stdout == "38g4sre5p0100 revoked\n"
    assert asked == [("staff revoke", {"id": "38g4sre5p0100"})]


def test_all_is_closed_when_somebody_says_yes(asked: Asked) -> None:
    said = "closed: staff 4, invitations 1, links 2\n"
    assert run("access", "close-all", stdin="y\n").stdout == said
    assert run("access", "close-all", "--yes").stdout == said
    assert asked == [("access close-all", {})] * 2


@pytest.mark.parametrize("answer", ["n\n", "\n", "", b"\xff\xfe"])
def test_and_not_otherwise(asked: Asked, answer: str | bytes) -> None:
    result = run("access", "close-all", stdin=answer)
    assert result.exit_code == 1
    assert "nothing was closed" in result.stderr
    result = run("access", "close-all", "--json", stdin=answer)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == "nothing was closed"
    assert not asked


@pytest.mark.parametrize(
    "arguments",
    [
        ["staff", "invite", "--role", "agent"],
        ["staff", "invite", "--name", "Eva"],
        ["staff", "revoke"],
        ["access", "close-all", "everything"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [INVITE, ("staff", "list"), ("staff", "revoke", "x"), ("access", "close-all", "--yes")],
    ids=" ".join,
)
def test_a_broken_configuration_is_told(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("[smtp]\nlisten = 25\n")
    result = run(*arguments, "--config", "broken.toml")
    assert result.exit_code == 1
    assert "[smtp] listen" in result.stderr
    found = json.loads(run(*arguments, "--json", "--config", "missing.toml").stdout)
    assert "missing.toml: no such file" in found["error"]
