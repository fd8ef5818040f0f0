"""The documentation against the code: its examples load, its commands exist, its links lead there."""

from __future__ import annotations

import re
import shlex
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bridge.cli import app
from bridge.privacy.languages import phrases
from bridge.settings import Settings
from bridge.smtp.disclaimers import DISCLAIMER_MOTIFS
from bridge.smtp.words import HEADER_LABELS

HOME = Path(__file__).parent.parent
PAGES = [
    *(HOME / name for name in ("README.md", "CHANGELOG.md")),
    *sorted((HOME / "docs").rglob("*.md")),
    *sorted((HOME / "deploy").rglob("*.md")),
]
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
#: The entry that an example without one continues.
CARRIER = """
[[carriers]]
name = "gateway"
kind = "http"
api_url = "https://gateway.example"
request = { url = "/sms", form = { to = "{to}", text = "{text}" } }
answer = { id = "/id" }
"""
BRIDGE: Any = get_command(app)
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")


def blocks(*languages: str) -> Iterator[Any]:
    """Each fenced block in one of these languages, named by where it stands."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in FENCED.finditer(text):
            if found[2] in languages:
                line = text.count("\n", 0, found.start()) + 1
                place = f"{page.relative_to(HOME)}:{line}"
                yield pytest.param(textwrap.dedent(found[3]), id=place)


@pytest.mark.parametrize("example", list(blocks("toml")))
def test_each_example_of_a_configuration_loads(example: str) -> None:
    if example.startswith("[carriers."):
        example = CARRIER + example
    Settings.model_validate(tomllib.loads(example))


# -- commands -----------------------------------------------------------------------------------


def written() -> Iterator[Any]:
    """Each command line of `bridge` in a block, without what it is piped to."""
    for block in blocks("", "sh", "console", "bash"):
        for line in str(block.values[0]).replace("\\\n", " ").splitlines():
            found = re.match(r"(?:\$ |.*\| *|.*exec [\w-]+ )?(?:sudo -u \S+ )?(bridge .*)", line)
            if found:
                yield pytest.param(found[1], id=f"{block.id} {found[1][:40]}")


def named() -> Iterator[Any]:
    """Each command that the running text names."""
    for page in PAGES:
        text = FENCED.sub("", page.read_text(encoding="utf-8"))
        for name in sorted(set(re.findall(r"`(bridge [a-z][^`]*)`", text))):
            yield pytest.param(name, id=f"{page.name} {name[:40]}")


def test_the_table_of_commands_leads_to_each_of_them() -> None:
    page = (HOME / "docs/commands.md").read_text(encoding="utf-8")
    table, _, rest = page.partition("\n## ")
    headings = re.findall(r"^## (bridge .+)$", "## " + rest, re.MULTILINE)
    places = {heading.replace(",", "").replace(" ", "-") for heading in headings}
    assert places == set(re.findall(r"\]\(#([a-z-]+)\)", table))


def resolve(rest: list[str]) -> tuple[Any, list[str]]:
    """The command that these words name, and what is left of them."""
    command: Any = BRIDGE
    while hasattr(command, "commands") and rest and re.match("[a-z]", rest[0]):
        assert rest[0] in command.commands, f"{command.name} has no {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


@pytest.mark.parametrize("line", list(written()))
def test_each_command_line_is_taken(line: str) -> None:
    command, rest = resolve(shlex.split(re.split(r" [|<>] ?| #", line)[0])[1:])
    command.make_context(command.name, rest)


@pytest.mark.parametrize("name", list(named()))
def test_each_command_that_is_named_exists(name: str) -> None:
    command, rest = resolve(name.split()[1:])
    known = {option for param in command.params for option in param.opts} | {"--help"}
    for word in rest:
        if word.startswith("--"):
            assert word.partition("=")[0].rstrip(",.;") in known


# -- numbers ------------------------------------------------------------------------------------


def test_as_many_languages_as_are_told_of() -> None:
    readme, privacy = PAGES[0].read_text(), (HOME / "docs" / "privacy.md").read_text()
    quotes, small_print = len(HEADER_LABELS), len(DISCLAIMER_MOTIFS)
    assert f"quotes are cut in {quotes} languages and disclaimers in {small_print}" in readme
    assert f"STOP, in the words of {len(phrases('help'))} languages" in privacy
    assert set(phrases("help")) == set(phrases("start")) <= set(phrases("stop"))


# -- links --------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as web viewers of Markdown make them."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    plain = (
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    )
    return set(plain)


def links() -> Iterator[Any]:
    for page in PAGES:
        text = FENCED.sub("", page.read_text(encoding="utf-8"))
        for target in sorted(set(LINK.findall(text))):
            if not re.match(r"\w+:", target):
                yield pytest.param(page, target, id=f"{page.name} {target}")


@pytest.mark.parametrize(("page", "target"), list(links()))
def test_each_link_leads_somewhere(page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    assert found.exists()
    if anchor:
        assert anchor in anchors(found)
