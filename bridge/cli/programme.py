"""`bridge programme`: what of a tenant's messages people may opt out of by itself."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.common import Config, Item, Json, faults, group, perform, print_json
from bridge.cli.table import Table

app = group("Programmes: what people may opt out of by itself.")

Tenant = Annotated[str, typer.Option(help="Of which tenant; needed where there are several.")]


@app.command()
def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Letters, digits, - and _, such as newsletter.")
    ],
    tenant: Tenant = "",
    keyword: Annotated[str, typer.Option(help='"STOP <keyword>" opts out of it alone.')] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Make a programme; one that is there stays as it is."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(" ".join(filter(None, (str(item["id"]), item["name"], item["keyword"]))))

    with faults(as_json=as_json):
        perform(config, "programme add", tell, name=name, tenant=tenant, keyword=keyword)


@app.command("list")
def list_(tenant: Tenant = "", as_json: Json = False, config: Config = None) -> None:
    """Show a tenant's programmes."""
    with (
        faults(as_json=as_json),
        Table(("id", "name", "keyword"), "" if as_json else "there are none") as table,
    ):
        perform(config, "programme list", print_json if as_json else table.add, tenant=tenant)
