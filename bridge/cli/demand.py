"""`bridge demand`: what authorities ask for, and the fields that they may have."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.common import Config, Json, faults, group, perform, print_json
from bridge.cli.table import listed
from bridge.cli.words import teller

COLUMNS = ("id", "kind", "state", "tenant", "authority", "reference", "fields", "approved_by")

app = group("Demands of authorities: two people agree, and only what was agreed goes out.")

Number = Annotated[int, typer.Argument(metavar="ID", help="As `bridge demand list` shows it.")]


@app.command("open")
def open_(
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="Of whom, in any common writing.")
    ],
    authority: Annotated[str, typer.Option(help="Who asks.")],
    basis: Annotated[str, typer.Option(help="By which law, act and paragraph.")],
    field: Annotated[
        list[str], typer.Option(help="A field that the law allows to be answered. Repeatable.")
    ],
    tenant: Annotated[str, typer.Option(help="Whose messages.")] = "",
    reference: Annotated[str, typer.Option(help="The authority's own reference.")] = "",
    since: Annotated[str, typer.Option(metavar="DAY", help="Messages from this day on.")] = "",
    until: Annotated[str, typer.Option(metavar="DAY", help="Messages before this day.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record a demand. Nothing goes out before two different people have approved it."""
    paper = {
        "authority": authority,
        "reference": reference,
        "basis": basis,
        "fields": field,
        "since": since,
        "until": until,
    }
    with faults(as_json=as_json):
        tell = teller(as_json, "demand {id} {state}")
        perform(config, "demand open", tell, number=number, tenant=tenant, paper=paper)


@app.command()
def approve(demand: Number, as_json: Json = False, config: Config = None) -> None:
    """Agree to a demand, as one of two different people."""
    with faults(as_json=as_json):
        tell = teller(as_json, "demand {id} {state}, approvals: {approvals}")
        perform(config, "demand approve", tell, id=demand)


@app.command()
def refuse(
    demand: Number,
    reason: Annotated[str, typer.Option(help="Why.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Do not answer a demand."""
    with faults(as_json=as_json):
        tell = teller(as_json, "demand {id} {state}")
        perform(config, "demand refuse", tell, id=demand, reason=reason)


@app.command()
def answer(demand: Number, config: Config = None) -> None:
    """Print what an approved demand may have: JSON, one message a line."""
    with faults(as_json=True):
        perform(config, "demand answer", print_json, id=demand)


@app.command()
def declare(
    basis: Annotated[str, typer.Option(help="The law that makes you a covered provider.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Ask for the declaration that a store for authorities needs; by default there is none."""
    with faults(as_json=as_json):
        tell = teller(as_json, "demand {id} {state}; two people approve it")
        perform(config, "demand declare", tell, basis=basis)


@app.command("list")
def list_(as_json: Json = False, config: Config = None) -> None:
    """Show the demands, newest first."""
    with listed(COLUMNS, "no demand", as_json=as_json) as sink:
        perform(config, "demand list", sink)
