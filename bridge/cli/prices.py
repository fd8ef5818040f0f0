"""`bridge prices`: what a part costs with a carrier, and what a tenant pays for it."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.common import Config, Json, group, perform
from bridge.cli.files import load
from bridge.cli.table import listed

app = group("What a part costs with a carrier, and what a tenant pays for it.")
COLUMNS = ("carrier", "tenant", "prefix", "price", "currency", "valid_from")


@app.command("import")
def import_(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="CSV: carrier,prefix,price,currency,valid_from, or tenant in the place of"
            " carrier; - is input.",
        ),
    ],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Add or change prices from a file: all of them, or none if a line is wrong."""
    told = "{prices} prices stand as in the file"
    load(config, "prices import", file, told, as_json=as_json)


@app.command("list")
def list_(
    carrier: Annotated[str, typer.Option(help="Of this carrier only.")] = "",
    tenant: Annotated[str, typer.Option(help="Of this tenant only; * is every tenant's.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show all prices, also those to come and those that are over."""
    with listed(
        COLUMNS, "there are no prices: `bridge prices import` reads a file", as_json=as_json
    ) as sink:
        perform(config, "prices list", sink, carrier=carrier, tenant=tenant)


@app.command()
def check(
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="The number, in any common writing.")
    ],
    tenant: Annotated[str, typer.Option(help="Of this tenant only.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show what a part to a number costs now: with each carrier, and each tenant."""
    with listed(COLUMNS, "no price is known for this number", as_json=as_json) as sink:
        perform(config, "prices check", sink, number=number, tenant=tenant)
