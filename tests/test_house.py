"""The project about itself: every setting documented, every module introduced, nothing said that
does not belong.
"""

import ast
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from bridge import carriers
from bridge.settings import Carrier, Listen, Settings
from bridge.settings.kinds import COMMON, KINDS
from bridge.settings.problems import inner_model, is_list, is_secret, keys

HOME = Path(__file__).parent.parent
MODULES = sorted((HOME / "bridge").rglob("*.py"))
CONFIGURATION = (HOME / "docs" / "configuration.md").read_text(encoding="utf-8")

Setting = tuple[str, type[BaseModel], str]

# A library stays where it is wrapped.
KEPT_IN = {
    "dramatiq": ("dispatch", "app"),
    "pika": ("dispatch", "app"),
    "sqlalchemy": ("store",),
    "sqlite3": ("store",),
    "aiosqlite": ("store",),
    "asyncpg": ("store",),
    "alembic": ("store",),
    "aiosmtpd": ("smtp",),
    "slack_bolt": ("bots",),
    "slack_sdk": ("bots",),
    "aiogram": ("bots",),
}


def name_of(module: Path) -> str:
    return str(module.relative_to(HOME))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_every_module_opens_with_a_sentence(module: Path) -> None:
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    assert docstring, "say in one sentence what comes in and what goes out"
    first = re.split(r"\n\s*\n", docstring)[0]
    assert first.rstrip().endswith((".", ":", "?")), "the first paragraph is a sentence"


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_library_is_imported_only_where_it_is_wrapped(module: Path) -> None:
    place = module.relative_to(HOME / "bridge").parts[0].removesuffix(".py")
    for name in imports(ast.parse(module.read_text(encoding="utf-8"))):
        allowed = KEPT_IN.get(name.partition(".")[0])
        assert allowed is None or place in allowed, f"{name} belongs in bridge/{allowed}"


# -- settings -----------------------------------------------------------------------------------


TOP = "Top of the file"


def settings(model: type[BaseModel], heading: str = TOP) -> Iterator[Setting]:
    """Every key, with the heading it must stand under and the model that has it."""
    for key in keys(model):
        inner = inner_model(model, key)
        if inner is None or heading != TOP:
            yield heading, model, key
        if inner and heading != TOP:
            yield from settings(inner, key)
        elif inner:
            yield from settings(inner, f"[[{key}]]" if is_list(model, key) else f"[{key}]")


SETTINGS = list(settings(Settings))


def under(heading: str) -> str:
    """The text below a heading of configuration.md, up to the next one."""
    found = re.search(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^## |^### |\Z)",
        CONFIGURATION,
        re.MULTILINE | re.DOTALL,
    )
    assert found, f"docs/configuration.md lacks the heading {heading}"
    return found[1]


def row_of(heading: str, key: str) -> list[str]:
    """The cells of the row that describes a key, after an empty one."""
    rows = [line.split("|") for line in under(heading).splitlines() if line.startswith("| `")]
    return next((row for row in rows if f"`{key}`" in row[1]), [])


@pytest.mark.parametrize(("heading", "model", "key"), SETTINGS)
def test_every_setting_is_documented(heading: str, model: type[BaseModel], key: str) -> None:
    assert row_of(heading, key), f"describe {model.__name__}.{key}"


def test_no_setting_is_documented_that_does_not_exist() -> None:
    known = {(heading, key) for heading, _, key in SETTINGS}
    for heading in {heading for heading, _ in known}:
        for line in under(heading).splitlines():
            if line.startswith("| `"):
                for key in re.findall(r"`(\w+)`", line.split("|")[1]):
                    assert (heading, key) in known


def written(value: object) -> str:
    """A default as the table shows it."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, BaseModel):
        return "{}"
    if isinstance(value, timedelta):
        return f'"{span(value)}"'
    if isinstance(value, Listen | Path):
        return f'"{value}"'
    return json.dumps("" if value is None else value, ensure_ascii=False)


def span(value: timedelta) -> str:
    """The shortest writing, in days from two of them on."""
    for unit, seconds in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(int(value.total_seconds()), seconds)
        if not rest and count > (unit == "d"):
            return f"{count}{unit}"
    raise AssertionError(f"{value} is less than a second")


@pytest.mark.parametrize(("heading", "model", "key"), SETTINGS)
def test_a_documented_default_is_the_real_one(
    heading: str, model: type[BaseModel], key: str
) -> None:
    default = keys(model)[key].default
    _, _, shown, *_ = row_of(heading, key)
    values = re.findall(r"`([^`]*)`", shown)
    if not values:
        assert default in {PydanticUndefined, None, ""}
    else:
        assert written(default) in values


@pytest.mark.parametrize(("heading", "model", "key"), SETTINGS)
def test_a_secret_is_documented_as_one(heading: str, model: type[BaseModel], key: str) -> None:
    if is_secret(model, key):
        assert "secret" in "".join(row_of(heading, key)[3:])


def test_keys_of_the_kinds_of_carriers_are_keys_of_carriers() -> None:
    own = set().union(*(kind.keys for kind in KINDS.values()))
    assert set(Carrier.model_fields) == COMMON | own
    assert set(KINDS) == set(carriers.KINDS), "each kind has its keys, and something that sends"


# -- what the project does not say --------------------------------------------------------------

TEXT_SUFFIXES = {".py", ".md", ".toml", ".lock", ".yaml", ".yml", ".service", ".socket", ".target"}
TEXT_SUFFIXES |= {".html", ".css", ".js", ".mjs", ".cf", ".rules", ".json", ".sh", ""}
OUTSIDE = {".git", ".venv", "var", "build", "dist", "node_modules", "__pycache__"}
OUTSIDE |= {"published"}  # what others say of their interfaces, in their words
OUTSIDE |= {".hypothesis", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache"}


def texts() -> Iterator[Path]:
    for path in sorted(HOME.rglob("*")):
        parts = set(path.relative_to(HOME).parts)
        if path.is_file() and path.suffix in TEXT_SUFFIXES and not parts & OUTSIDE:
            yield path


# Put together here, so that this file does not say them itself.
UNSAID = re.compile(
    "|".join(
        [
            r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b",
            r"/wo" + r"rk/|/ro" + r"ot/|/ho" + r"me/",
            r"(?:--(?:extra-)?index|find)-" + r"(?:url|links)\s+\S*//",
            r"\bpypi\." + r"org|registry\." + r"npmjs",
            r"\b(?:cla" + r"ude|anth" + r"ropic|chat" + r"gpt|copi" + r"lot)\b",
        ]
    ),
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", list(texts()), ids=name_of)
def test_nothing_is_said_that_does_not_belong(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = UNSAID.search(line)
        if found:
            pytest.fail(f"line {number} says {found[0]!r}", pytrace=False)


def test_the_changelog_has_an_unreleased_section_of_short_entries() -> None:
    written = (HOME / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in written
    for entry in re.findall(r"^- .*(?:\n  .*)*", written, re.MULTILINE):
        lines = entry.splitlines()
        assert len(lines) <= 2, f"say it in two lines: {lines[0]}"
        assert max(map(len, lines)) <= 120, f"at most 120 characters a line: {lines[0]}"
