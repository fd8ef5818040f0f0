"""The command line without a bridge: options, exit codes, sentences, and what is printed."""

import errno
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from bridge import __version__
from bridge.cli import app, part
from bridge.cli import common as cli
from bridge.cli.check import Examination, Finding
from bridge.cli.table import Table
from bridge.errors import Refused, TryLater
from bridge.settings import Settings

BRIDGE: Any = get_command(app)
MAIL = b"From: eva@firm.example\nSubject: Pump\n\nThe pump runs: \xf0\x9f\x91\x8d\n"
HEAVY = ("sqlalchemy", "aiohttp", "dramatiq", "bridge.settings", "rich", "asyncpg", "structlog")


def run(*arguments: str, stdin: bytes | str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# Explain


def test_one_mail_is_one_object() -> None:
    result = run("explain", "mail", stdin=MAIL)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["file"], found["text"]) == ("-", "The pump runs: 👍")
    assert "👍" in result.stdout


def test_several_mails_are_a_list(tmp_path: Path) -> None:
    for name in ("a.eml", "b.eml"):
        (tmp_path / name).write_bytes(MAIL)
    result = run("explain", "mail", "a.eml", "b.eml")
    assert [each["file"] for each in json.loads(result.stdout)] == ["a.eml", "b.eml"]


def test_mails_line_by_line_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(MAIL)
    result = run("explain", "mail", "--jsonl", "a.eml", "missing.eml", "a.eml")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["file"] for each in lines] == ["a.eml", "missing.eml", "a.eml"]
    assert lines[1]["error"] == "cannot be read (No such file or directory)"
    assert result.exit_code == 1


def test_lines_are_ascii_so_that_no_character_in_them_ends_one() -> None:
    source = json.dumps({"id": "\u2028", "text": "a"}, ensure_ascii=False)
    result = run("explain", "text", "--jsonl", stdin=source)
    assert result.exit_code == 0
    assert result.stdout.isascii()


def test_half_a_surrogate_pair_can_be_printed() -> None:
    mail = b"Content-Type: text/plain; charset=utf-16-be\n\n\xd8\x00\x00a"
    result = run("explain", "mail", stdin=mail)
    assert result.exit_code == 0
    assert json.loads(result.stdout)


def test_a_number_in_a_file_of_its_own() -> None:
    result = run("explain", "number", "--region", "CZ", stdin="601 123 456\n")
    assert json.loads(result.stdout)["e164"] == "+420601123456"


def test_a_text_keeps_its_own_line_ends() -> None:
    assert json.loads(run("explain", "text", stdin="a\nb\n").stdout)["units"] == [3]


def test_a_reply_on_standard_input() -> None:
    result = run("explain", "reply", "--country", "CZ", stdin="Konec\n")
    assert json.loads(result.stdout) == {"id": "-", "verdict": "stop", "keyword": "konec"}


def test_a_text_that_is_not_utf8_has_an_error() -> None:
    result = run("explain", "text", stdin=b"\xff")
    assert result.exit_code == 1
    assert "octet 1 is not UTF-8" in json.loads(result.stdout)["error"]


def test_a_bad_line_makes_the_exit_code_1() -> None:
    result = run("explain", "reply", "--jsonl", stdin='{"id": 1}\n{"id": 2, "text": "STOP"}\n')
    assert result.exit_code == 1
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == [1, 2]


def test_a_file_of_lines_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n{"id": 2, "text": "a"}')
    result = run("explain", "text", "--jsonl", "missing.jsonl", ".", "/proc/self/mem", "a.jsonl")
    assert result.exit_code == 1
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each.get("error") for each in found] == [
        "missing.jsonl cannot be read (No such file or directory)",
        ". cannot be read (Is a directory)",
        "/proc/self/mem cannot be read (Input/output error)",
        'a.jsonl, line 1: "text" is missing',
        None,
    ]


@pytest.mark.parametrize("kind", ["mail", "text", "number", "reply"])
def test_closed_streams_are_empty_ones(kind: str) -> None:
    done = shell(f"bridge explain {kind} <&- 2>&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize("words", ["version", "--help", "explain text"])
def test_an_output_that_is_full_is_said(words: str) -> None:
    done = shell(f"bridge {words} >/dev/full")
    assert done.returncode == 1
    assert done.stderr.startswith("bridge: nothing more can be written (No space left on device)")
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_hears_no_complaint() -> None:
    done = shell("bridge --help | true")
    assert (done.stdout, done.stderr) == ("", "")


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """What `line` does in a shell, where `bridge` is ours and writes in blocks."""
    ours = f'bridge() {{ "{sys.executable}" -m bridge "$@"; }}; '
    known = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    home = {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        ["/bin/sh", "-c", ours + line],
        input="",
        capture_output=True,
        text=True,
        check=False,
        env=known | home,
    )


TENANTS = """
[[tenants]]
name = "acme"
prefix = "ACME:"
[[tenants]]
name = "beta"
max_parts = 1
"""


def test_the_first_tenants_rules_count_where_there_is_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_text(TENANTS)
    assert json.loads(run("explain", "mail", stdin=MAIL).stdout)["text"].startswith("ACME: ")


def test_or_those_of_the_tenant_that_was_named(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(TENANTS)
    more = ("--config", "other.toml", "--tenant", "beta")
    found = json.loads(run("explain", "mail", *more, stdin=MAIL + b"word " * 99).stdout)
    assert "beta allows 1" in found["reason"]


def test_a_tenant_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_text(TENANTS)
    result = run("explain", "mail", "--tenant", "gamma", stdin=MAIL)
    assert result.exit_code == 1
    assert "tenants there: acme, beta" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["explain", "mail"], ["explain", "number"], ["explain", "reply"]]
)
def test_it_starts_without_what_it_does_not_need(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom bridge.cli import app\n"
        f"try: app({arguments!r})\nexcept SystemExit: pass\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    home = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"601123456", capture_output=True, cwd=home, check=True
    )
    assert done.stderr.decode().strip() == "[]"


@pytest.mark.parametrize("name", sorted(BRIDGE.commands))
def test_a_command_is_built_alone_as_it_is_among_all(name: str) -> None:
    alone: Any = get_command(part([name]))
    assert list(alone.commands) == [name]
    assert leaves(alone.commands[name]) == leaves(BRIDGE.commands[name])


@pytest.mark.parametrize("words", [[], ["lgo"], ["--help"], ["--version"]])
def test_what_names_no_command_has_them_all(words: list[str]) -> None:
    assert part(words) is app


def leaves(command: Any) -> dict[str, object]:
    """The command's commands to the last, each with its options."""
    below = getattr(command, "commands", {})
    return {each: leaves(below[each]) for each in below} or {
        found.name: found.opts for found in command.params
    }


# Usage and faults


def test_help_has_a_short_name() -> None:
    assert run("explain", "mail", "-h").stdout == run("explain", "mail", "--help").stdout


def test_a_number_too_large_for_a_database_is_refused(tmp_path: Path) -> None:
    for words in (("brake", "lift"), ("breach", "close")):
        result = run(*words, str(10**24), "--outcome", "ok", "--json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["error"] == "a number is too large"
    assert not list(tmp_path.iterdir())


def test_an_argument_that_is_not_utf8_reaches_no_database(tmp_path: Path) -> None:
    result = run("consent", "text", "v1", "\udcff", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == "an argument is not UTF-8"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "mail", "--nonsense"],
        ["nonsense"],
        ["log", "--since", "yesterday"],
        ["log", "--state", "asleep"],
        ["log", "--limit", "-1"],
        ["send"],
        ["suppress", "add", "+420601123456", "--scope", "world"],
        ["tenant", "add", "beta", "--sender", "nobody"],
        ["tenant", "add", "beta", "--set", "nothing"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


ALL = [
    ["up"],
    ["serve"],
    ["work"],
    ["tick"],
    ["check"],
    ["log"],
    ["send", "+420601123456", "hi"],
    ["held", "list"],
    ["held", "release", "x"],
    ["held", "drop", "x"],
    ["tenant", "list"],
    ["tenant", "add", "beta"],
    ["tenant", "close", "beta"],
    ["tenant", "login", "beta", "eva", "--remove"],
    ["tenant", "token", "issue", "beta"],
    ["tenant", "token", "revoke", "beta"],
    ["suppress", "add", "+420601123456"],
    ["suppress", "remove", "+420601123456"],
    ["suppress", "check", "+420601123456"],
    ["suppress", "sync"],
    ["explain", "mail"],
]


@pytest.mark.parametrize("arguments", ALL, ids=" ".join)
def test_a_broken_configuration_is_told_in_sentences(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("[smtp]\nlisten = 25\n[stmp]\n")
    result = run(*arguments, "--config", "broken.toml")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Traceback" not in result.output
    assert "[smtp] listen" in result.stderr
    assert "did you mean" in result.stderr


JSON = [each for each in ALL if each[0] not in {"up", "serve", "work", "tick", "explain"}]


@pytest.mark.parametrize("arguments", JSON, ids=" ".join)
def test_and_with_json_as_an_object(arguments: list[str]) -> None:
    result = run(*arguments, "--json", "--config", "missing.toml")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert set(found) == {"error", "hint"}
    assert "missing.toml: no such file" in found["error"]


def test_a_fault_that_nobody_expected_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "settings_of", broken)
    assert isinstance(run("log").exception, ZeroDivisionError)


# Operator's commands, with the bridge's part told by the test


Asked = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What was asked of the bridge; `ANSWERS` is what it says."""
    seen: Asked = []

    def perform(_: object, operation: str, sink: cli.Sink, **arguments: Any) -> None:
        seen.append((operation, arguments))
        for item in ANSWERS[operation]:
            if isinstance(item, Exception):
                raise item
            sink(item)

    for name in ("log", "send", "held", "tenant", "suppress"):
        monkeypatch.setattr(f"bridge.cli.{name}.perform", perform)
    return seen


ROW = {
    "id": "38g4sre5p0100",
    "tenant": "acme",
    "origin": "mail:e…@firm.example",
    "destination": "+420 ••• ••• 456",
    "class": "transactional",
    "state": "delivered",
    "parts": 1,
    "encoding": "gsm7",
    "carrier": "sandbox",
    "attempts": 1,
    "resent": 0,
    "reason": "",
    "created_at": "2026-11-23T20:00:00.000Z",
    "sent_at": None,
    "final_at": None,
}
SYNCED: dict[str, Any] = {
    "carrier": "info",
    "read": 7,
    "unreadable": 0,
    "taken": 2,
    "started": 0,
    "dropped": 1,
    "whole": True,
    "problem": "",
    "hint": "",
}
ANSWERS: dict[str, list[Any]] = {
    "log": [ROW],
    "send": [{"id": "38g4sre5p0100", "state": "queued", "reason": ""}],
    "held list": [],
    "held release": [Refused("no message has this id", "`bridge held list` shows what waits")],
    "tenant add": [{"name": "beta", "state": "open"}],
    "tenant login": [{"name": "beta", "user": "eva", "state": "set"}],
    "token issue": [{"name": "beta", "token": "537v4at6ptxb67pg"}],
    "suppress add": [
        {
            "suppressed": True,
            "scope": "tenant",
            "source": "operator",
            "since": "2026-11-23",
            "purpose": "any",
        }
    ],
    "suppress check": [{"suppressed": False, "scope": None, "source": None, "since": None}],
    "suppress sync": [
        SYNCED,
        {**SYNCED, "carrier": "more", "whole": False, "problem": "It is away.", "hint": "Wait."},
        TryLater("not read to its end: the list of more", "see above"),
    ],
}


def test_the_log_for_people(asked: Asked) -> None:
    result = run("log")
    assert result.exit_code == 0
    assert "38g4sre5p0100" in result.stdout
    assert "+420 ••• ••• 456" in result.stdout
    assert asked[0][1]["limit"] == 50


def test_the_log_for_programs(asked: Asked) -> None:
    result = run("log", "--json", "--since", "2d", "--state", "held", "--tenant", "acme")
    assert json.loads(result.stdout) == ROW
    _, arguments = asked[0]
    assert (arguments["limit"], arguments["state"], arguments["tenant"]) == (0, "held", "acme")
    assert arguments["since"] > 0


def test_an_empty_list_says_so_to_people_only(asked: Asked) -> None:
    assert run("held", "list").stderr == "nothing waits\n"
    assert run("held", "list", "--json").output == ""
    assert len(asked) == 2


def test_send_prints_what_became_of_it(asked: Asked) -> None:
    assert run("send", "+420601123456", "hello").stdout == "38g4sre5p0100 queued\n"
    assert run("send", "+420601123456", "-", "--at", "202611232000", stdin="hi\n").exit_code == 0
    assert asked[1][1]["text"] == "hi"
    assert asked[1][1]["at"] == "202611232000"


def test_a_text_that_is_not_utf8_is_not_sent(asked: Asked) -> None:
    result = run("send", "+420601123456", "-", "--json", stdin=b"\xff")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == "the text is not UTF-8"
    assert not asked


def test_a_refusal_is_a_sentence_with_a_hint(asked: Asked) -> None:
    result = run("held", "release", "0000000000000")
    assert result.exit_code == 1
    assert result.stderr == (
        "bridge: no message has this id\n  → `bridge held list` shows what waits\n"
    )
    result = run("held", "release", "0000000000000", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "error": "no message has this id",
        "hint": "`bridge held list` shows what waits",
    }
    assert len(asked) == 2


def test_a_tenant_is_described_by_options(asked: Asked) -> None:
    result = run(
        *("tenant", "add", "beta", "--region", "NO", "--country", "NO", "--country", "SE"),
        *("--sender", "*@beta.example=network:10.0.0.0/8,auth", "--set", "max_parts=3"),
        *("--set", "prefix=Beta:", "--sender", "a=b@beta.example=dmarc"),
    )
    assert result.stdout == "beta open\n"
    assert asked[0][1]["tenant"] == {
        "name": "beta",
        "region": "NO",
        "countries": ["NO", "SE"],
        "max_parts": 3,
        "prefix": "Beta:",
        "senders": [
            {"address": "*@beta.example", "proof": ["network:10.0.0.0/8", "auth"]},
            {"address": "a=b@beta.example", "proof": ["dmarc"]},
        ],
    }


def test_a_password_leaves_as_a_hash_only(asked: Asked) -> None:
    result = run("tenant", "login", "beta", "eva", "--password-stdin", stdin="secret\n")
    assert result.exit_code == 0
    assert asked[0][1]["password_hash"].startswith("$argon2id$")
    assert "secret" not in result.output


@pytest.mark.parametrize("words", [("hash-password",), ("tenant", "login", "beta", "eva")])
@pytest.mark.parametrize("stdin", ["", "secret\nsecret\n", b"\xff\xfe"])
def test_a_password_is_asked_for_in_a_terminal_alone(
    words: tuple[str, ...], stdin: str | bytes, asked: Asked
) -> None:
    result = run(*words, stdin=stdin)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "--password-stdin" in result.stderr
    assert not asked


def test_a_terminal_is_asked_twice_and_shows_nothing() -> None:
    ours, theirs = pty.openpty()
    asked = subprocess.Popen(
        [sys.executable, "-m", "bridge", "hash-password"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # a terminal of ours is not asked
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    os.close(theirs)
    assert asked.stderr is not None
    for question in (b"Password: ", b"Repeat for confirmation: "):
        heard = b""
        while not heard.endswith(question):
            octet = asked.stderr.read(1)
            assert octet, heard
            heard += octet
        os.write(ours, b"secret\n")
    told, more = asked.communicate(timeout=60)
    os.close(ours)
    assert told.startswith(b"$argon2id$")
    assert b"secret" not in told + more


def test_an_empty_password_is_refused(asked: Asked) -> None:
    assert run("tenant", "login", "beta", "eva", "--password-stdin", stdin="").exit_code == 1
    assert not asked


def test_a_token_is_printed_alone(asked: Asked) -> None:
    assert run("tenant", "token", "issue", "beta").stdout == "537v4at6ptxb67pg\n"
    assert asked == [("token issue", {"name": "beta"})]


def test_suppression_in_words(asked: Asked) -> None:
    result = run("suppress", "add", "+420601123456", "--tenant", "acme")
    assert result.stdout == ("suppressed: scope tenant, source operator, since 2026-11-23\n")
    assert run("suppress", "check", "+420601123456").stdout == "not suppressed\n"
    assert [arguments["scope"] for _, arguments in asked] == ["tenant", ""]


def test_a_file_that_is_not_there_is_taken_for_no_number(asked: Asked) -> None:
    result = run("suppress", "check", "missing.csv")
    assert result.exit_code == 1
    assert "the file cannot be read (No such file or directory)" in result.stderr
    assert not asked


def test_carriers_lists_in_words_and_in_objects(asked: Asked) -> None:
    result = run("suppress", "sync")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "info: read 7, taken 2, dropped 1, started 0, unreadable 0",
        "more: read 7, taken 2, dropped 1, started 0, unreadable 0",
        "  It is away.",
        "  → Wait.",
    ]
    assert "not read to its end: the list of more" in result.stderr
    lines = run("suppress", "sync", "info", "--json").stdout.splitlines()
    assert [json.loads(line).get("carrier") for line in lines] == ["info", "more", None]
    assert json.loads(lines[0]) == SYNCED
    assert [arguments for _, arguments in asked] == [{"carrier": ""}, {"carrier": "info"}]


def test_what_people_wrote_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Table(("text",)) as table:
        table.add({"text": "\x1b[31mred\n[bold]second"})
    assert "\x1b" not in (shown := capsys.readouterr().out)
    assert "[31mred [bold]second" in shown


def test_a_long_table_is_printed_in_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    with Table(("id",)) as table:
        for number in range(1200):
            table.add({"id": number})
            if number == 600:
                assert "499" in capsys.readouterr().out
    assert "1199" in capsys.readouterr().out


async def test_check_tells_what_it_may_not_read_and_goes_on() -> None:
    found: list[Finding] = []

    async def look() -> str:
        raise PermissionError(errno.EACCES, "Permission denied", "var/pepper")

    await Examination(Settings(), found.append)._part("keys", look())
    (finding,) = found
    assert (finding.ok, finding.detail) == (False, "var/pepper may not be read")
    assert "the user that runs the bridge" in finding.hint


def test_the_version() -> None:
    assert run("version").stdout == run("--version").stdout == f"sms-bridge {__version__}\n"
    assert json.loads(run("version", "--json").stdout) == {"version": __version__}


def test_a_hash_for_the_configuration() -> None:
    assert run("hash-password", "--password-stdin", stdin="secret\n").stdout.startswith(
        "$argon2id$"
    )


# What the documentation says


COMMANDS_MD = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")


def commands(group: Any, *path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name)), command


EVERY = dict(commands(get_command(app)))


@pytest.mark.parametrize("name", EVERY)
def test_every_command_and_option_is_documented(name: str) -> None:
    first, *rest = name.split()
    section = next(
        part
        for part in re.split(r"^## ", COMMANDS_MD, flags=re.MULTILINE)
        if re.match(rf"bridge [\w, -]*\b{first}\b", part)
    )
    assert re.search(rf"\b{rest[-1] if rest else first}\b", section)
    for option in (o for p in EVERY[name].params for o in p.opts if o.startswith("--")):
        assert f"`{option}" in (COMMANDS_MD if option in {"--config", "--json"} else section), (
            option
        )


@pytest.mark.parametrize("name", EVERY)
def test_every_command_takes_a_configuration(name: str) -> None:
    assert "--config" in [option for p in EVERY[name].params for option in p.opts]
    assert EVERY[name].help


ROUTED = """
[[tenants]]
name = "acme"
originator = "ACME"
[[carriers]]
name = "smsc-1"
kind = "smpp"
host = "127.0.0.1"
[[routes]]
match = "+420"
carriers = ["smsc-1"]
"""


def test_a_route_is_explained_without_a_bridge(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_text(ROUTED)
    found = json.loads(run("explain", "route", "601123456", "--json").stdout)
    assert (found["route"], found["carrier"], found["replies"]) == ("match +420", "smsc-1", "no")
    assert found["carriers"][0]["weight"] is None
    said = run("explain", "route", "601123456", "--from", "+420601000000").stdout
    assert "sender: +420601000000 (long); answers: yes" in said
    assert "health: not known: no bridge runs here" in said
    assert not (tmp_path / "var").exists(), "nothing is made"
    wrong = run("explain", "route", "601123456", "--tenant", "nobody", "--json")
    assert wrong.exit_code == 1
    assert "no tenant 'nobody'" in json.loads(wrong.stdout)["error"]
