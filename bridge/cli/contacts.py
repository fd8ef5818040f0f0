"""`bridge contacts`: names for people, imported from a file, listed and removed."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.common import (
    Config,
    Item,
    Json,
    Reveal,
    Why,
    faults,
    group,
    perform,
    print_json,
)
from bridge.cli.files import load
from bridge.cli.table import listed

app = group("Names for people and groups: in mail addresses, in chats, and from files.")

Tenant = Annotated[str, typer.Option(help="Of which tenant; needed where there are several.")]


@app.command("import")
def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="CSV: name,number[,groups,consent]; - is input.")
    ],
    tenant: Tenant = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Add or change contacts from a file: all of them, or none if a line is wrong."""
    load(config, "contacts import", file, _done, as_json=as_json, tenant=tenant)


def _done(item: Item) -> str:
    groups = f"{item['groups']} group{'' if item['groups'] == 1 else 's'}"
    told = (
        f"added {item['added']}, changed {item['changed']}, unchanged {item['unchanged']};"
        f" {groups} in the file"
    )
    if item["suppressed"]:
        lines = ", ".join(map(str, item["suppressed"]))
        told += f"\nleft out, they do not want to be texted: line {lines}"
    return told


@app.command("list")
def list_(
    tenant: Tenant = "",
    reveal: Reveal = False,
    why: Why = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show the contacts, and the groups that they are in."""
    with listed(("name", "number", "groups"), "there are no contacts", as_json=as_json) as sink:
        perform(config, "contacts list", sink, tenant=tenant, reveal=reveal, why=why)


@app.command()
def groups(
    tenant: Tenant = "",
    reveal: Reveal = False,
    why: Why = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show the groups, and who is in them."""
    with listed(("name", "people", "members"), "there are no groups", as_json=as_json) as sink:
        perform(config, "group list", sink, tenant=tenant, reveal=reveal, why=why)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The contact's name.")],
    tenant: Tenant = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Forget a contact; it leaves its groups too."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(f"{item['name']} {item['state']}")

    with faults(as_json=as_json):
        perform(config, "contacts remove", tell, tenant=tenant, name=name)
