"""`bridge backup` and `bridge restore`: a copy of the database, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.common import (
    Config,
    Item,
    Json,
    fail,
    faults,
    perform,
    print_json,
    settings_of,
    turn,
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Where the backups are.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(backup)
    app.command()(restore)


def backup(folder: Folder, as_json: Json = False, config: Config = None) -> None:
    """Copy the database into DIR, while the bridge runs; take too old copies away from there."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(f"backup: {item['path']}")
            typer.echo(f"keep a copy of the ledger apart from it: {item['ledger']}")

    with faults(as_json=as_json):
        perform(config, "backup", tell, folder=str(folder.resolve()))


def restore(
    folder: Folder,
    yes: Annotated[
        bool, typer.Option("--yes", help="Yes, the database that is there may go.")
    ] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Bring the newest backup in DIR (or DIR itself) back; who was erased since is erased anew."""
    from bridge.cli.logs import to_stderr

    with faults(as_json=as_json):
        settings = settings_of(config)
        to_stderr("error")
        from bridge import loop, opening

        done: Item = {}

        async def main() -> int:
            done.update(await opening.restore(settings, folder.resolve(), replace=yes))
            return 0

        with turn(settings) as is_ours:
            if not is_ours:
                hint = "stop it first, and start it again afterwards"
                fail("a bridge runs on this data directory", hint, as_json=as_json)
            loop.run(main)
    if as_json:
        print_json(done)
    else:
        _tell(done)


def _tell(done: Item) -> None:
    typer.echo(f"restored: {done['backup']}, as of {done['made_at']}")
    typer.echo(f"erased again: {done['erased']}")
    typer.echo("what waited to be sent is held: `bridge held list`")
    if not done["keys"]:
        typer.echo("there are no keys that may still be used: numbers and texts cannot be read")
