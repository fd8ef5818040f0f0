"""What deploy/ ships: files that parse, commands that exist, settings that load."""

import configparser
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.settings import Privacy, Settings, load
from bridge.settings.environment import overlay

HOME = Path(__file__).parent.parent.parent
DEPLOY = HOME / "deploy"
DOCUMENT = (HOME / "docs" / "deploy.md").read_text(encoding="utf-8")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMMANDS = {"up", "serve", "work", "tick"}


def name_of(path: Path) -> str:
    return path.name


def shipped() -> list[Path]:
    """What is in deploy/, without the secrets that someone may have put there."""
    files = (path for path in DEPLOY.rglob("*") if path.is_file())
    return sorted(path for path in files if path.parent.name != "secrets")


@pytest.mark.parametrize("path", shipped(), ids=name_of)
def test_every_file_is_explained(path: Path) -> None:
    assert str(path.relative_to(DEPLOY)) in DOCUMENT or path.name in DOCUMENT


# -- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((DEPLOY / "examples").glob("*.toml")), ids=name_of)
def test_an_example_loads(path: Path) -> None:
    settings = load(path, {})
    assert settings.tenants[0].name == "acme"
    assert settings.routes[0].carriers == ["smsc-1"]


def test_the_example_for_many_processes_shares_database_and_queue() -> None:
    settings = load(DEPLOY / "examples" / "scale-out.toml", {})
    assert settings.database.url.get_secret_value() != "sqlite"
    assert settings.queue.url.get_secret_value() != "embedded"


def names_settings(environ: dict[str, str], example: str, folder: Path) -> None:
    """Every BRIDGE__ variable in environ leads to a setting of the example."""
    (folder / "secret").write_text("postgresql://bridge@db.example/bridge")
    given = {
        name: str(folder / "secret") if name.endswith("_FILE") else value
        for name, value in environ.items()
    }
    data = tomllib.loads((DEPLOY / "examples" / example).read_text(encoding="utf-8"))
    assert overlay(data, Settings, given) == []
    Settings.model_validate(data)


# -- compose ------------------------------------------------------------------------------------


@pytest.fixture
def compose() -> dict[str, Any]:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))
    return loaded


def test_compose_runs_every_part(compose: dict[str, Any]) -> None:
    ours = [one["command"] for one in compose["services"].values() if one["image"] == "sms-bridge"]
    assert sorted(ours) == [["serve"], ["tick"], ["work"]]
    assert compose["services"]["serve"]["deploy"]["replicas"] == 2


def test_compose_names_what_it_defines(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).exists()
        if "build" in service:
            context = DEPLOY / service["build"]["context"]
            assert (context / service["build"]["dockerfile"]).is_file()


def test_compose_mounts_the_secrets_it_names(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for value in service.get("environment", {}).values():
            if value.startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_compose_gives_every_process_the_same_keys_and_keeps_what_no_database_has(
    compose: dict[str, Any],
) -> None:
    keys = {k for k in Privacy.model_fields if k.endswith(("key_file", "pepper_file"))}
    assert len(keys) == 3
    for one in compose["services"].values():
        if one["image"] == "sms-bridge":
            given = one["environment"]
            assert {given[f"BRIDGE__PRIVACY__{k.upper()}"] for k in keys} <= {
                f"/run/secrets/{name}" for name in one["secrets"]
            }
    tick = compose["services"]["tick"]
    assert "kept:/var/lib/sms-bridge" in tick["volumes"]
    assert not any("/var/lib/sms-bridge" in place for place in tick["tmpfs"])


def test_compose_sets_settings_that_exist(compose: dict[str, Any], tmp_path: Path) -> None:
    environ = compose["services"]["serve"]["environment"]
    names_settings(environ, "scale-out.toml", tmp_path)


def test_the_documentation_makes_every_secret(compose: dict[str, Any]) -> None:
    for name, secret in compose["secrets"].items():
        assert secret["file"] == f"./secrets/{name}"
        assert f"> secrets/{name}" in DOCUMENT


# -- image --------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


KNOWN = {"FROM", "WORKDIR", "RUN", "ENV", "COPY", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK"}
KNOWN |= {"STOPSIGNAL", "ENTRYPOINT", "CMD"}


def test_the_image_is_made_of_known_instructions_and_does_not_run_as_root() -> None:
    assert {word for word, _ in instructions()} <= KNOWN
    assert [rest for word, rest in instructions() if word == "USER"] == ["sms-bridge"]


def test_what_the_image_copies_is_there_and_sent_to_the_builder() -> None:
    sent = (HOME / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            for source in shlex.split(rest)[:-1]:
                assert (HOME / source).exists()
                assert f"!{source}" in sent


def test_the_image_starts_the_bridge_with_settings_that_exist(tmp_path: Path) -> None:
    last = dict(instructions())
    assert (last["ENTRYPOINT"], last["CMD"]) == ('["bridge"]', '["up"]')
    pairs = [pair.partition("=") for pair in shlex.split(last["ENV"])]
    names_settings(
        {name: value for name, _, value in pairs if name.startswith("BRIDGE__")},
        "small.toml",
        tmp_path,
    )


# -- systemd ------------------------------------------------------------------------------------


class Unit(configparser.RawConfigParser):
    """A unit file, whose keys keep their capitals."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


@pytest.mark.parametrize("path", UNITS, ids=name_of)
def test_a_unit_starts_a_command_that_exists(path: Path, tmp_path: Path) -> None:
    unit = Unit(strict=True)
    unit.read(path, encoding="utf-8")
    program, command, *options = shlex.split(unit["Service"]["ExecStart"])
    assert program == "/opt/sms-bridge/.venv/bin/bridge"
    assert command in COMMANDS | {"%i"}
    assert options == ["--config", "/etc/sms-bridge/bridge.toml"]
    pairs = [pair.partition("=") for pair in shlex.split(unit["Service"]["Environment"])]
    names_settings(
        {name: value for name, _, value in pairs if name.startswith("BRIDGE__")},
        "small.toml",
        tmp_path,
    )


@pytest.mark.parametrize("path", UNITS, ids=name_of)
def test_systemd_accepts_a_unit(path: Path, tmp_path: Path, program: Callable[[str], Path]) -> None:
    text = path.read_text(encoding="utf-8")
    copy = tmp_path / path.name.replace("@.", "@serve.")
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    run = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", copy],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in run.stderr.splitlines() if path.name.partition(".")[0] in line]
    assert complaints == []


# -- Postfix ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((DEPLOY / "postfix").glob("transport.*")), ids=name_of)
def test_a_transport_map_sends_the_domain_to_a_listener_of_the_example(path: Path) -> None:
    (line,) = [one for one in path.read_text().splitlines() if one and not one.startswith("#")]
    domain, transport = line.split()
    kind, _, place = transport.partition(":")
    assert domain == load(DEPLOY / "examples" / "small.toml", {}).smtp.domains[0]
    assert kind == path.suffix.removeprefix(".")
    assert place in {"inet:127.0.0.1:2424", "[127.0.0.1]:2525"}


def test_postfix_knows_the_settings(tmp_path: Path, program: Callable[[str], Path]) -> None:
    text = (DEPLOY / "postfix" / "main.cf").read_text(encoding="utf-8")
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\n" + text)
    services = [f"{name} unix - - n - - {name}\n" for name in ("smtp", "lmtp")]
    (tmp_path / "master.cf").write_text("".join(services))
    run = subprocess.run(
        [program("postconf"), "-c", tmp_path, "-n"], capture_output=True, text=True, check=True
    )
    names = re.findall(r"^(\w+) =", text, flags=re.MULTILINE)
    assert set(re.findall(r"^(\w+) =", run.stdout, flags=re.MULTILINE)) >= set(names)
    assert run.stderr == ""


def test_the_commands_in_the_documentation_exist() -> None:
    assert set(re.findall(r"\| `bridge (\w+)`", DOCUMENT)) == {"serve", "work", "tick"}


# -- watching -----------------------------------------------------------------------------------


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_asks_for_metrics_that_exist_and_says_what_to_do(rule: dict[str, Any]) -> None:
    described = (HOME / "docs" / "http.md").read_text(encoding="utf-8")
    names = set(re.findall(r"\bbridge_\w+", rule["expr"]))
    assert names or rule["expr"].startswith("up{")
    assert {name for name in names if f"`{name}`" not in described} == set()
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["action"]
