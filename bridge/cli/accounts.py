"""`bridge accounts`: tenants' credit, what came in, and whether the books are right."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.common import Config, Item, Json, faults, group, perform, print_json
from bridge.cli.files import load
from bridge.cli.table import listed
from bridge.cli.words import teller

app = group("Tenants' credit: what came in, what is left, and whether the books are right.")
COLUMNS = (
    *("tenant", "billing", "variable_symbol", "currency", "credit", "limit", "available"),
    *("reserved", "earned", "overdue"),
)

Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's name.")]


@app.command("list")
def list_(
    tenant: Annotated[str, typer.Option(help="Of this tenant only.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show the accounts, and what is left on them."""
    with listed(
        COLUMNS, 'nobody has an account: set billing = "prepaid" for a tenant', as_json=as_json
    ) as sink:
        perform(config, "accounts list", sink, tenant=tenant)


@app.command()
def add(
    tenant: Tenant,
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="In the tenant's currency, as in 1200.50.")
    ],
    gift: Annotated[bool, typer.Option("--gift", help="It is given, not paid.")] = False,
    correction: Annotated[
        bool, typer.Option("--correction", help="It corrects a mistake; may be below zero.")
    ] = False,
    note: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Book what a tenant has paid, and show its account."""
    if gift and correction:
        raise typer.BadParameter("say --gift or --correction, not both")
    kind = "gift" if gift else "correction" if correction else "payment"
    with listed(COLUMNS, as_json=as_json) as sink:
        given = {"tenant": tenant, "amount": amount, "kind": kind, "note": note}
        perform(config, "accounts add", sink, **given)


@app.command()
def verify(as_json: Json = False, config: Config = None) -> None:
    """Check that debits equal credits, and that as much is reserved as open messages may cost."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
            return
        for currency, debit in item["debits"].items():
            typer.echo(f"{currency}: debits {debit}, credits {item['credits'][currency]}")
        told = f"{item['transfers']} transfers, {item['charges']} charges ({item['open']} open)"
        typer.echo(f"{told}: {'the books are right' if item['right'] else 'NOT RIGHT'}")

    with faults(as_json=as_json):
        perform(config, "accounts verify", tell)


# Months, invoices, payments

Month = Annotated[str, typer.Argument(metavar="MONTH", help="As in 2026-11.")]
Csv = Annotated[bool, typer.Option("--csv", help="As CSV.")]
Html = Annotated[bool, typer.Option("--html", help="As a page.")]
INVOICES = (
    "number",
    "tenant",
    "month",
    "total",
    "open",
    "currency",
    "issued_at",
    "due_at",
    "state",
)
PAYMENTS = ("id", "day", "amount", "currency", "variable_symbol", "reference", "tenant")


def _form(as_csv: bool, as_html: bool) -> str:
    if as_csv and as_html:
        raise typer.BadParameter("--csv and --html are two ways to print it: choose one")
    return "csv" if as_csv else "html" if as_html else "json"


def _print(item: Item) -> None:
    if "written" in item:
        typer.echo(item["written"], nl=False)
    else:
        print_json(item)


@app.command()
def statement(
    tenant: Tenant,
    month: Month,
    as_csv: Csv = False,
    as_html: Html = False,
    config: Config = None,
) -> None:
    """Print what a tenant had, used and paid in a month: as JSON, CSV or a page."""
    form = _form(as_csv, as_html)
    with faults(as_json=form == "json"):
        perform(config, "accounts statement", _print, tenant=tenant, month=month, form=form)


@app.command()
def invoice(tenant: Tenant, month: Month, as_json: Json = False, config: Config = None) -> None:
    """Issue the invoice of a month that is over."""
    with faults(as_json=as_json):
        tell = teller(as_json, "invoice {number}: {total} {currency}, due {due}")
        perform(config, "accounts invoice issue", tell, tenant=tenant, month=month)


@app.command()
def invoices(
    tenant: Annotated[str, typer.Option(help="Of this tenant only.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those that are.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show the invoices, and which of them are paid."""
    with listed(INVOICES, "there are no such invoices", as_json=as_json) as sink:
        perform(config, "accounts invoice list", sink, tenant=tenant, overdue=overdue)


@app.command()
def export(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The invoice's number.")],
    as_csv: Csv = False,
    as_html: Html = False,
    config: Config = None,
) -> None:
    """Print an invoice as it was issued: as JSON, CSV or a page."""
    form = _form(as_csv, as_html)
    with faults(as_json=form == "json"):
        perform(config, "accounts invoice show", _print, number=number, form=form)


@app.command("import")
def import_(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="The bank's CSV: date,amount,currency,vs,reference; - is input."
        ),
    ],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Book the payments of a bank's file: all of them, or none if a line is wrong."""
    told = "booked {booked}, {waiting} wait for a person, {known} were known"
    load(config, "accounts payments import", file, told, as_json=as_json)


@app.command()
def payments(
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only those that wait for a person.")
    ] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show the payments that came in, newest first."""
    with listed(PAYMENTS, "there are no such payments", as_json=as_json) as sink:
        perform(config, "accounts payments list", sink, waiting=waiting)


@app.command()
def match(
    payment: Annotated[str, typer.Argument(metavar="ID", help="The payment's id.")],
    tenant: Tenant,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Say whose a payment is that waits for a person; it is booked."""
    with faults(as_json=as_json):
        tell = teller(as_json, "{id} {state} for {tenant}")
        perform(config, "accounts payments match", tell, id=payment, tenant=tenant)
