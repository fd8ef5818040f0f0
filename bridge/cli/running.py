"""`bridge up` and its parts, `check`, `version` and `hash-password`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge import __version__
from bridge.cli.common import Config, Json, fail, faults, print_json, settings_of, turn

if TYPE_CHECKING:
    from bridge.settings import Settings

#: The collector's thresholds. A message under way is a few dozen objects that end by themselves;
#: Python's 700 would look for cycles among them a few hundred times a second.
COLLECT = (20_000, 20, 50)

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(up)
    app.command()(serve)
    app.command()(work)
    app.command()(tick)
    app.command()(check)
    app.command()(version)
    app.command()(hash_password)


def _version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


def first(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_version, help="Print the version."),
    ] = False,
) -> None:
    """What stands before a command's name."""


def up(config: Config = None) -> None:
    """Run everything in one process, until SIGTERM or Ctrl-C."""
    _run(config, "up")


def serve(config: Config = None) -> None:
    """Run the edges alone: mail in, web pages, callbacks. Needs PostgreSQL."""
    _run(config, "serve")


def work(config: Config = None) -> None:
    """Run the dispatch workers alone: carriers and answers. Needs PostgreSQL."""
    _run(config, "work")


def tick(config: Config = None) -> None:
    """Run alone what time does: sweep, retention. Needs PostgreSQL."""
    _run(config, "tick")


def _run(config: Path | None, name: str) -> None:
    from bridge.cli.logs import to_stderr

    with faults():
        settings = settings_of(config)
        to_stderr("info")
        gc.disable()  # what is loaded stays: to look for garbage in it takes a fifth of the time
        from bridge import app

        gc.set_threshold(*COLLECT)
        gc.enable()
        part: Callable[[Settings], Awaitable[int]] = getattr(app, name)
        # A command that is just at work is waited for; a bridge that runs is an error of `app`.
        with turn(settings):
            code = app.main_loop(part, settings)
    raise typer.Exit(code)


def check(config: Config = None, as_json: Json = False) -> None:
    """Validate the configuration and reach for every part named in it, a line each."""
    from bridge.cli.check import Finding, examine
    from bridge.cli.logs import to_stderr

    with faults(as_json=as_json):
        settings = settings_of(config)
    to_stderr("critical")
    good = True

    def tell(found: Finding) -> None:
        nonlocal good
        good = good and found.ok
        if as_json:
            row: dict[str, Any] = {"part": found.part, "ok": found.ok}
            print_json({**row, "detail": found.detail, "hint": found.hint})
        else:
            hint = f" → {found.hint}" if found.hint else ""
            typer.echo(f"{'ok' if found.ok else 'FAILED':<7} {found.part}: {found.detail}{hint}")
        sys.stdout.flush()

    examine(settings, tell)
    if not good:
        raise typer.Exit(1)


def version(
    as_json: Json = False,
    config: Config = None,  # noqa: ARG001 - an option of every command
) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": __version__})
    else:
        typer.echo(f"sms-bridge {__version__}")


def hash_password(
    password_stdin: PasswordStdin = False,
    config: Config = None,  # noqa: ARG001 - an option of every command
) -> None:
    """Print the argon2id hash of a password, for `password_hash` in the configuration."""
    typer.echo(hashed(password_stdin=password_stdin))


def hashed(*, password_stdin: bool, as_json: bool = False) -> str:
    """The hash of a password that is asked for twice, or stands on standard input."""
    from argon2 import PasswordHasher

    if password_stdin:
        try:
            password = sys.stdin.buffer.readline().decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            why = "the password is not UTF-8"
            fail(why, "type it in a terminal that writes UTF-8", as_json=as_json)
    elif not sys.stdin.isatty():
        why = "a password is asked for in a terminal alone"
        fail(why, "--password-stdin reads it from standard input", as_json=as_json)
    else:
        asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        password = asked
    if not password:
        hint = "write it on the first line of standard input"
        fail("the password is empty", hint, as_json=as_json)
    return PasswordHasher().hash(password)
