"""`bridge audit`: who did what with people's data, and whether that record is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli.common import Config, Item, Json, fail, faults, group, perform, print_json
from bridge.cli.table import listed

SHOWN = 50  # entries that a person sees unless told otherwise
COLUMNS = ("seq", "at", "tenant", "actor", "action", "subject", "reason")

app = group("Who did what with people's data, and whether that record is whole.")

From = Annotated[str, typer.Option("--from", metavar="DATE", help="From this day on, in UTC.")]


@app.command()
def verify(
    since: From = "",
    head: Annotated[
        list[Path] | None,
        typer.Option(help="A file with heads that were kept elsewhere, one a line; repeatable."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(metavar="HEX", help="A public key that signed earlier; repeatable."),
    ] = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Read the whole chain, its heads and checkpoint; exit with 1 where an entry is wrong."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        elif "problem" in item:
            typer.echo(item["problem"])
        else:
            signed = item["signed_until"] or "no day yet"
            typer.echo(f"whole: {item['entries']} entries, signed until {signed}")

    with faults(as_json=as_json):
        heads = [each for path in head or () for each in _heads(path, as_json=as_json)]
        perform(config, "audit verify", tell, since=since, keys=key or [], heads=heads)


def _heads(path: Path, *, as_json: bool) -> list[Any]:
    """The heads in a file; other lines are passed over."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        fail(f"{path} cannot be read ({error.strerror})", "name a file", as_json=as_json)
    found = [head for line in lines if (head := _object(line)) is not None]
    if not found:
        fail(
            f"{path} has no head",
            "put the line with { … } out of the mail into it",
            as_json=as_json,
        )
    return found


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@app.command()
def head(as_json: Json = False, config: Config = None) -> None:
    """Print the newest signed head, to be kept where nobody who runs the bridge can change it."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            for name, value in item.items():
                typer.echo(f"{name}: {value}")

    with faults(as_json=as_json):
        perform(config, "audit head", tell)


@app.command("list")
def list_(
    tenant: Annotated[str, typer.Option(help="Acts on this tenant's data alone.")] = "",
    since: From = "",
    activity: Annotated[
        bool, typer.Option("--activity", help="The activity log of the last month instead.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help="At most so many, the newest; 0: all.", show_default=False),
    ] = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show who did what, oldest first; without --json or --from the newest 50, unless told."""
    if limit is None:
        limit = 0 if as_json or since else SHOWN
    asked = {"tenant": tenant, "since": since, "limit": limit, "activity": activity}
    with listed(COLUMNS, "no such entries", as_json=as_json) as sink:
        perform(config, "audit list", sink, **asked)
