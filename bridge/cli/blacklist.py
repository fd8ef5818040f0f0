"""`bridge blacklist`: whom the operator does not write to, whatever they want."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bridge.cli.common import Config, Item, Json, faults, group, perform, print_json
from bridge.cli.table import listed

COLUMNS = ("scope", "kind", "value", "reason", "by", "since")

app = group("Numbers, prefixes and countries that are not written to.")

What = Annotated[
    str,
    typer.Argument(metavar="WHAT", help="A number, a prefix (+4477, +4477*) or a country (GB)."),
]
Tenant = Annotated[str, typer.Option(help="For this tenant alone; else for the whole bridge.")]


@app.command()
def add(
    what: What,
    tenant: Tenant = "",
    reason: Annotated[str, typer.Option(help="Why; it is kept encrypted.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Write there no more."""
    _perform(config, "blacklist add", as_json=as_json, what=what, tenant=tenant, reason=reason)


@app.command()
def remove(what: What, tenant: Tenant = "", as_json: Json = False, config: Config = None) -> None:
    """Write there again."""
    _perform(config, "blacklist remove", as_json=as_json, what=what, tenant=tenant)


@app.command("list")
def list_(as_json: Json = False, config: Config = None) -> None:
    """Show the list; numbers stand on it as keyed hashes, so none is shown."""
    with listed(COLUMNS, "it is empty", as_json=as_json) as sink:
        perform(config, "blacklist list", sink)


@app.command()
def check(what: What, tenant: Tenant = "", as_json: Json = False, config: Config = None) -> None:
    """Tell whether it is blocked, and by what."""
    _perform(config, "blacklist check", as_json=as_json, what=what, tenant=tenant)


def _perform(config: Config, operation: str, *, as_json: bool, **arguments: Any) -> None:
    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        elif "blocked" in item:
            typer.echo(f"blocked by its {item['by']}" if item["blocked"] else "not blocked")
        else:
            typer.echo(f"{item['kind']} {item['state']}")

    with faults(as_json=as_json):
        perform(config, operation, tell, **arguments)
