"""`bridge hold`: what must be kept although its period is over."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.common import Config, Item, Json, faults, group, perform, print_json
from bridge.cli.table import listed

COLUMNS = ("id", "person", "message", "basis", "since", "until", "set_by", "approved_by")

app = group("Keep what a case needs, whatever its period.")

Tenant = Annotated[str, typer.Option(help="Whose data it is; needed where there are several.")]


@app.command()
def add(
    ref: Annotated[
        str,
        typer.Argument(metavar="REF", help="A number, or a message's id as `bridge log` has it."),
    ],
    basis: Annotated[str, typer.Option(help="The case, and on what ground.")],
    until: Annotated[str, typer.Option(metavar="DATE", help="The last day, as 2027-06-30.")],
    tenant: Tenant = "",
    claim: Annotated[
        bool,
        typer.Option(
            "--claim", help="A message's price or delivery is disputed: keep its record alone."
        ),
    ] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Keep all that is kept of a person, or with --claim a message's traffic record."""
    given = {"ref": ref, "basis": basis, "until": until, "tenant": tenant, "claim": claim}
    with faults(as_json=as_json):
        perform(config, "hold add", print_json if as_json else _tell, **given)


@app.command()
def release(
    hold: Annotated[str, typer.Argument(metavar="ID", help="As `bridge hold list` shows it.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """End a hold: what is past its period goes with the next run."""
    with faults(as_json=as_json):
        perform(config, "hold release", print_json if as_json else _tell, id=hold)


@app.command("list")
def list_(
    tenant: Annotated[str, typer.Option(help="Of this tenant alone.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show what is held."""
    with listed(COLUMNS, "nothing is held", as_json=as_json) as sink:
        perform(config, "hold list", sink, tenant=tenant)


def _tell(item: Item) -> None:
    if "state" in item:
        typer.echo(f"{item['id']} {item['state']}")
    else:
        typer.echo(f"{item['id']} holds until {item['until']}")
