"""`bridge staff`: who may use the chats."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.common import Config, Item, Json, Why, faults, group, perform, print_json
from bridge.cli.table import listed

COLUMNS = ("id", "tenant", "name", "role", "edge", "identity", "since")

app = group("People who may use the bridge from Slack and Telegram.")


@app.command()
def invite(
    role: Annotated[
        str, typer.Option(help="agent, privacy, tenant-owner, admin or auditor.", metavar="ROLE")
    ],
    name: Annotated[str, typer.Option(help="The person's name, as colleagues know it.")],
    tenant: Annotated[
        str, typer.Option(help="In whose name; needed where there are several.")
    ] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Make a code of single use for a person, and print it, this once."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(
                f"{item['code']}\nvalid until {item['expires_at']}, once; "
                f"in a private chat with the bot: /sms enrol {item['code']}"
            )

    with faults(as_json=as_json):
        perform(config, "staff invite", tell, tenant=tenant, role=role, name=name)


@app.command("list")
def list_(
    tenant: Annotated[str, typer.Option(help="Of this tenant alone.")] = "",
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show identities in full; leaves an audit line.")
    ] = False,
    why: Why = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show who is enrolled."""
    with listed(COLUMNS, "nobody is enrolled", as_json=as_json) as sink:
        perform(config, "staff list", sink, tenant=tenant, reveal=reveal, why=why)


@app.command()
def revoke(
    person: Annotated[str, typer.Argument(metavar="ID", help="As `bridge staff list` shows it.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """This person may do nothing any more, from now on."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(f"{item['id']} {item['state']}")

    with faults(as_json=as_json):
        perform(config, "staff revoke", tell, id=person)
