"""`bridge consent`: what people agreed to, and that they do not any more."""

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

app = group("Consents to advertising: recorded, shown, withdrawn.")

COLUMNS = ("state", "programme", "purpose", "basis", "channel", "given_at", "expires_at", "text")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The number, in any common writing.")]
Tenant = Annotated[str, typer.Option(help="Of which tenant; needed where there are several.")]
Programme = Annotated[str, typer.Option(help="Of this programme alone; else of all.")]


@app.command()
def add(
    number: Number,
    evidence: Annotated[str, typer.Option(help="How it is known: a form, a contract, a date.")],
    tenant: Tenant = "",
    programme: Programme = "",
    purpose: Annotated[
        str, typer.Option(help="sms, marketing (no channel named), newsletter or service.")
    ] = "",
    basis: Annotated[str, typer.Option(help="consent, customer or guardian.")] = "",
    text: Annotated[str, typer.Option(help="The words agreed to, or their version.")] = "",
    channel: Annotated[str, typer.Option(help="How it came: web, paper, phone …")] = "",
    given: Annotated[str, typer.Option(help="When: 2026-03-02; else now.")] = "",
    until: Annotated[str, typer.Option(help="The end of its term.")] = "",
    ended: Annotated[
        str, typer.Option(help="When a customer's contract ended; a year later it stops.")
    ] = "",
    age: Annotated[str, typer.Option(help="As the person declared it, in years.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record what a person agreed to."""
    written = {
        "programme": programme,
        "purpose": purpose,
        "basis": basis,
        "text": text,
        "evidence": evidence,
        "channel": channel,
        "given": given,
        "until": until,
        "ended": ended,
        "age": age,
    }
    terms = {name: value for name, value in written.items() if value}
    with listed(COLUMNS, as_json=as_json) as sink:
        perform(config, "consent add", sink, number=number, tenant=tenant, given=terms)


@app.command()
def withdraw(
    number: Number,
    tenant: Tenant = "",
    programme: Programme = "",
    via: Annotated[str, typer.Option(help="How the person said so: phone, mail …")] = "command",
    reassigned: Annotated[
        bool, typer.Option("--reassigned", help="The number is somebody else's now.")
    ] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """End what a person agreed to; what waits because of it is cancelled."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(f"ended {item['ended']}, messages cancelled {item['cancelled']}")

    with faults(as_json=as_json):
        perform(
            config,
            "consent withdraw",
            tell,
            number=number,
            tenant=tenant,
            programme=programme,
            via=via,
            void=reassigned,
        )


@app.command()
def show(
    number: Number,
    tenant: Tenant = "",
    reveal: Reveal = False,
    why: Why = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show all that is recorded of a person, oldest first; with --reveal the evidence too."""
    columns = (*COLUMNS, "evidence") if reveal else COLUMNS
    with listed(columns, "nothing is recorded", as_json=as_json) as sink:
        given = {"number": number, "tenant": tenant, "reveal": reveal, "why": why}
        perform(config, "consent show", sink, **given)


@app.command("import")
def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="CSV: number,evidence …; - is standard input.")
    ],
    tenant: Tenant = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record the consents of a file: all of them, or none if a line is wrong."""
    told = "recorded {recorded}"
    load(config, "consent import", file, told, as_json=as_json, tenant=tenant)


@app.command()
def text(
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="Its name; none: show all.")
    ] = "",
    words: Annotated[
        str, typer.Argument(metavar="WORDS", help="The words that people agree to.")
    ] = "",
    tenant: Tenant = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Keep the words that people agree to under a version, or show them."""
    with listed(("version", "text"), "there are no texts", as_json=as_json) as sink:
        perform(config, "consent text", sink, tenant=tenant, version=version, text=words)
