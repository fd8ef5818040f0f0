"""`bridge privacy`: what people and tenants may ask for, and how long data is kept."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.common import Config, Item, Json, Sink, faults, group, perform, print_json
from bridge.cli.table import Table, listed

COLUMNS = ("class", "period", "set_by", "trigger", "basis", "clause", "last_run")

app = group("People's rights, and how long data is kept.")
retention = typer.Typer(
    help="Delete what is past its period; show and set periods.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(retention, name="retention")

Tenant = Annotated[str, typer.Option(help="For this tenant's data alone.")]


@retention.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what is due, and delete nothing.")
    ] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Delete what is past its period, now and to the end."""
    if context.invoked_subcommand is not None:
        return
    columns = ("class", "period", "due" if dry_run else "deleted")
    empty = "" if as_json else "nothing is past its period"
    with faults(as_json=as_json), Table(columns, empty) as table:
        perform(config, "retention run", print_json if as_json else _row(table), dry_run=dry_run)


def _row(table: Table) -> Sink:
    def add(item: Item) -> None:
        for key in ("due", "deleted"):
            if key in item:
                said = ", ".join(f"{count} {name}" for name, count in sorted(item[key].items()))
                item[key] = f"{said} and more" if item.get("more") else said
        table.add(item)

    return add


@retention.command()
def show(tenant: Tenant = "", as_json: Json = False, config: Config = None) -> None:
    """Show how long each class of data is kept, and why."""
    with listed(COLUMNS, as_json=as_json) as sink:
        perform(config, "retention show", sink, tenant=tenant)


@retention.command("set")
def set_(
    data_class: Annotated[str, typer.Argument(metavar="CLASS", help="As `show` lists it.")],
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="30d, 6mo or 10y.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the decision.")],
    tenant: Tenant = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Propose another period; a second person must agree to it."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(
                f"{item['id']} waits until {item['lapses_at']}; somebody else agrees with: "
                f"bridge privacy retention agree {item['id']}"
            )

    with faults(as_json=as_json):
        given = {"klass": data_class, "period": period, "reason": reason, "tenant": tenant}
        perform(config, "retention set", tell, **given)


@retention.command()
def agree(
    proposal: Annotated[str, typer.Argument(metavar="ID", help="As `set` printed it.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Agree, as a second person, to a period or to a hold."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(f"{item['id']} {item['state']}")

    with faults(as_json=as_json):
        perform(config, "retention agree", tell, id=proposal)


@app.command("claim")
def claim(
    tenant: Annotated[str, typer.Option(help="Whose contacts and messages are to go.")],
    instruction: Annotated[str, typer.Option(help="What the tenant wrote, and when.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record a tenant's claim: all that it has until now goes when its time comes."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(
                f"claimed at {item['claimed_at']}: contacts go after {item['contacts_gone_after']},"
                f" messages after {item['messages_gone_after']},"
                f" backups {item['backups_gone_after']} later"
            )

    with faults(as_json=as_json):
        perform(config, "retention claim", tell, tenant=tenant, instruction=instruction)
