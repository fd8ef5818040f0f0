"""`bridge breach` and `bridge abuse`: what went wrong, who was told, and what came of it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from bridge.cli.common import Config, Item, Json, faults, group, perform, print_json
from bridge.cli.table import listed
from bridge.cli.words import teller

COLUMNS = ("id", "state", "source", "aware_at", "target_at", "due_at", "tenants", "nature")
CASES = ("id", "kind", "tenant", "source", "state", "opened_at", "review_due", "outcome")

app = group("Breaches of security: the 72 hours, and what tenants are told.")
abuse = group("Complaints, and accounts that a rule has blocked.")

Number = Annotated[int, typer.Argument(metavar="ID", help="As `list` shows it.")]
Categories = Annotated[str | None, typer.Option(help="Kinds of data and people.")]
People = Annotated[int | None, typer.Option(help="About how many people.")]
Records = Annotated[int | None, typer.Option(help="About how many records.")]
Consequences = Annotated[str | None, typer.Option(help="What is likely to come of it.")]
Measures = Annotated[str | None, typer.Option(help="What was done, or will be.")]
Tenants = Annotated[
    list[str] | None, typer.Option("--tenant", help="Whom it concerns; all where none. Repeatable.")
]


def _facts(**given: str | int | None) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if value is not None}


@app.command("open")
def open_(
    nature: Annotated[str, typer.Argument(metavar="NATURE", help="What happened, in a sentence.")],
    tenant: Tenants = None,
    aware: Annotated[
        str, typer.Option(metavar="TIME", help="Since when we know, as 2026-11-22T14:30Z.")
    ] = "",
    reported: Annotated[
        bool, typer.Option("--reported", help="A tenant reports that it suspects so.")
    ] = False,
    categories: Categories = None,
    people: People = None,
    records: Records = None,
    consequences: Consequences = None,
    measures: Measures = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Open a breach: the clock runs from when we knew."""
    facts = _facts(
        nature=nature,
        categories=categories,
        people=people,
        records=records,
        consequences=consequences,
        measures=measures,
    )
    source = "tenant" if reported else "operator"
    given = {"facts": facts, "tenants": tenant or [], "aware": aware, "source": source}
    with faults(as_json=as_json):
        perform(config, "breach open", teller(as_json, _STANDS), **given)


@app.command()
def learn(
    breach: Number,
    nature: Annotated[str | None, typer.Option(help="What happened.")] = None,
    categories: Categories = None,
    people: People = None,
    records: Records = None,
    consequences: Consequences = None,
    measures: Measures = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record what has become known."""
    facts = _facts(
        nature=nature,
        categories=categories,
        people=people,
        records=records,
        consequences=consequences,
        measures=measures,
    )
    with faults(as_json=as_json):
        perform(config, "breach learn", teller(as_json, _STANDS), id=breach, facts=facts)


@app.command()
def notify(
    breach: Number,
    by_hand: Annotated[
        list[str] | None,
        typer.Option(metavar="TENANT", help="You have told this one yourself. Repeatable."),
    ] = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Tell the tenants that have not been told."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
            return
        typer.echo(f"told: {', '.join(item['told']) or 'nobody'}")
        if item["untold"]:
            names = ", ".join(item["untold"])
            typer.echo(f"no inbox, tell them otherwise, then --by-hand: {names}", err=True)

    with faults(as_json=as_json):
        perform(config, "breach notify", tell, id=breach, by_hand=by_hand or [])


@app.command()
def draft(breach: Number, as_json: Json = False, config: Config = None) -> None:
    """Print the notification of GDPR Article 33(3), as far as its facts are known."""
    with faults(as_json=as_json):
        perform(config, "breach draft", teller(as_json, "{draft}"), id=breach)


@app.command()
def close(
    breach: Number,
    outcome: Annotated[str, typer.Option(help="How it ended.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Close a breach of which every tenant was told."""
    with faults(as_json=as_json):
        perform(config, "breach close", teller(as_json, _STANDS), id=breach, outcome=outcome)


@app.command("list")
def list_(as_json: Json = False, config: Config = None) -> None:
    """Show the breaches, newest first."""
    with listed(COLUMNS, "no breach", as_json=as_json) as sink:
        perform(config, "breach list", sink)


@abuse.command("open")
def open_case(
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="Who complained, in any common writing.")
    ],
    tenant: Annotated[str, typer.Option(help="Of whose messages.")] = "",
    source: Annotated[
        Literal["7726", "carrier", "person"], typer.Option(help="Where the complaint came from.")
    ] = "7726",
    note: Annotated[str, typer.Option(help="What else is known.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record a complaint: this person gets no more messages, and a case is open."""
    given = {"number": number, "tenant": tenant, "source": source, "note": note}
    with faults(as_json=as_json):
        perform(config, "abuse open", teller(as_json, "case {id} {state}; suppressed"), **given)


@abuse.command()
def review(
    case: Number,
    outcome: Annotated[str, typer.Option(help="What came of it.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record that a person has looked at a case."""
    with faults(as_json=as_json):
        tell = teller(as_json, "case {id} {state}")
        perform(config, "abuse review", tell, id=case, outcome=outcome)


@abuse.command("list")
def list_cases(as_json: Json = False, config: Config = None) -> None:
    """Show the cases, newest first."""
    with listed(CASES, "no case", as_json=as_json) as sink:
        perform(config, "abuse list", sink)


_STANDS = "breach {id} {state}; tenants are told by {target_at}, at the latest by {due_at}"
