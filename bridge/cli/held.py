"""`bridge held`: what waits for a person."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.common import Config, Item, Json, Reveal, Why, faults, group, perform, print_json
from bridge.cli.table import listed

COLUMNS = ("id", "created_at", "tenant", "origin", "destination", "state", "parts", "reason")

app = group("Decide on what waits for a person: senders in doubt, and SMS in doubt.")

Id = Annotated[str, typer.Argument(metavar="ID", help="As `bridge held list` shows it.")]


@app.command("list")
def list_(
    tenant: Annotated[str, typer.Option(help="Of this tenant alone.")] = "",
    reveal: Reveal = False,
    why: Why = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show what waits. `held`: not sent yet; `unknown`: may have been sent already."""
    columns = (*COLUMNS, "text") if reveal else COLUMNS
    with listed(columns, "nothing waits", as_json=as_json) as sink:
        perform(config, "held list", sink, tenant=tenant, reveal=reveal, why=why)


@app.command()
def release(message: Id, as_json: Json = False, config: Config = None) -> None:
    """Send it now; its validity is counted anew."""
    _decide(config, "held release", message, as_json=as_json)


@app.command()
def drop(message: Id, as_json: Json = False, config: Config = None) -> None:
    """Do not send it; its writer is told."""
    _decide(config, "held drop", message, as_json=as_json)


def _decide(config: Config, operation: str, message: str, *, as_json: bool) -> None:
    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(f"{item['id']} {item['state']}")

    with faults(as_json=as_json):
        perform(config, operation, tell, id=message)
