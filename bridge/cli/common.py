"""What commands share: their options, the way to the bridge, and how faults are told."""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bridge.errors import BridgeError, Misconfigured, Refused, TryLater

if TYPE_CHECKING:
    from bridge.lock import Slot
    from bridge.settings import Settings

Item = dict[str, Any]
Sink = Callable[[Item], None]

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="PATH",
        help="The configuration; else BRIDGE_CONFIG, else bridge.toml here.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show numbers, addresses and texts; leaves an audit line.")
]
Why = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="With --reveal: why; stands in the audit.")
]

#: Seconds to wait for another command, or for a bridge that is just starting or stopping.
TURN_S = 30.0


def group(title: str) -> typer.Typer:
    """A group of commands. Its help and errors are plain text: rich takes longer to import."""
    return typer.Typer(
        help=title,
        no_args_is_help=True,
        context_settings={"help_option_names": ["--help", "-h"]},
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def settings_of(config: Path | None) -> Settings:
    """The settings. Raises SettingsError."""
    from bridge.settings import load

    return load(config, os.environ)


@contextmanager
def faults(*, as_json: bool = False) -> Iterator[None]:
    """Tell an expected fault in a sentence and exit with 1; an unexpected one shows where it is."""
    try:
        yield
    except BridgeError as error:
        fail(error.sentence, error.hint, as_json=as_json)
    except Exception as error:
        problems = getattr(error, "problems", None)  # SettingsError, not imported for its name
        if problems is None:
            raise
        hint = "correct the configuration; docs/configuration.md describes every key"
        fail(("; " if as_json else "\n").join(problems), hint, as_json=as_json)


def fail(sentence: str, hint: str, *, as_json: bool = False) -> NoReturn:
    """Say what is wrong and what to do, and exit with 1."""
    if as_json:
        print_json({"error": sentence, "hint": hint})
    else:
        typer.echo(f"bridge: {sentence}", err=True)
        if hint:
            typer.echo(f"  → {hint}", err=True)
    raise typer.Exit(1)


def print_json(item: Item) -> None:
    """One object, one line. ASCII: no character in it ends a line, or cannot be written."""
    sys.stdout.write(json.dumps(item) + "\n")


def actor() -> str:
    """Who runs this command, for the audit."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def perform(config: Path | None, operation: str, sink: Sink, **arguments: Any) -> None:
    """Do an operation in the bridge that runs on this data directory, or here if none does.

    `sink` gets each object as it comes. Raises BridgeError, SettingsError.
    """
    from bridge import control

    _check_typed(arguments)
    settings = settings_of(config)
    asked = control.ask(settings.data_dir, operation, actor(), arguments)
    if asked is None:
        with turn(settings) as is_ours:
            if is_ours:
                _perform_here(settings, operation, sink, arguments)
                return
        asked = control.ask(settings.data_dir, operation, actor(), arguments)
    if asked is None:
        raise TryLater("the bridge has just ended", "try again")
    for item in asked:
        sink(item)


def _check_typed(arguments: Mapping[str, Any]) -> None:
    """Raise Refused for octets that are not UTF-8, and for numbers that no database takes."""
    if any(isinstance(value, int) and abs(value) >= 2**63 for value in arguments.values()):
        raise Refused("a number is too large", "look whether it is the one that you meant")
    try:
        json.dumps(arguments, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("an argument is not UTF-8", "write it in a terminal of UTF-8") from None


@contextmanager
def turn(settings: Settings) -> Iterator[bool]:
    """Wait to be the one process that works on the data directory, and stay it for the block.

    False when a bridge answers there. With PostgreSQL several may work at once. Raises
    Misconfigured when the time is over.
    """
    if settings.database.url.get_secret_value() != "sqlite":
        yield True
        return
    place = _place(settings.data_dir)
    try:
        yield place is not None
    finally:
        if place is not None:
            place.release()


def _place(data_dir: Path) -> Slot | None:
    from bridge import control, lock

    lock.prepare(data_dir)
    until = time.monotonic() + TURN_S
    while not control.answers(data_dir):
        try:
            return lock.only(data_dir, "turn")
        except Misconfigured:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    return None


def _perform_here(
    settings: Settings, operation: str, sink: Sink, arguments: Mapping[str, Any]
) -> None:
    """Open the store in this process and do it."""
    from bridge import loop, opening, operations
    from bridge.cli.logs import to_stderr
    from bridge.dispatch.receive import Reception

    async def main() -> int:
        async with opening.opened(settings) as bridge:
            # No part is under way in this process: there is nothing to revoke.
            silence = Reception(bridge, lambda _people: None).silence
            office = operations.Office(bridge, silence, actor())
            async for item in operations.REGISTRY[operation](office, **arguments):
                sink(item)
        return 0

    to_stderr("warning")
    loop.run(main)
