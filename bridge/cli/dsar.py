"""`bridge dsar`: what people ask for about their own data, from the first word to the answer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bridge.cli.common import Config, Item, Json, Reveal, Why, faults, group, perform, print_json
from bridge.cli.table import listed

COLUMNS = ("id", "type", "state", "role", "who", "channel", "identity", "received_at", "due_at")

app = group("Requests of data subjects: access, erasure and the others.")

Id = Annotated[str, typer.Argument(metavar="ID", help="As `bridge dsar list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept, and whom it concerns is told.")]


@app.command("open")
def open_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", help="access portability rectify erase restrict object withdraw."
        ),
    ],
    who: Annotated[
        str,
        typer.Argument(
            metavar="WHO", help="A number, a mail address, slack:TEAM/PERSON or telegram:ID."
        ),
    ],
    tenant: Annotated[str, typer.Option(help="Whose data; needed where there are several.")] = "",
    via: Annotated[str, typer.Option(help="How they asked: phone letter person mail …")] = "cli",
    lang: Annotated[str, typer.Option(help="In which language they are answered.")] = "en",
    answer_to: Annotated[str, typer.Option(help="A mail address for the answers.")] = "",
    own: Annotated[
        bool, typer.Option("--own", help="About an account with the operator, who decides.")
    ] = False,
    mode: Annotated[
        str,
        typer.Option(
            help="Of erase: suppress, or only (messages may return); of object: marketing."
        ),
    ] = "",
    ground: Annotated[
        str, typer.Option(help="Of restrict: accuracy unlawful claims objection.")
    ] = "",
    number: Annotated[str, typer.Option(help="Of rectify: the right number.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Register a request; what must stop, stops at once."""
    _perform(
        config,
        "dsar open",
        as_json,
        kind=kind,
        who=who,
        tenant=tenant,
        via=via,
        lang=lang,
        answer_to=answer_to,
        own=own,
        details={"mode": mode, "ground": ground, "number": number},
    )


@app.command("list")
def list_(
    tenant: Annotated[str, typer.Option(help="Of this tenant alone.")] = "",
    due: Annotated[int | None, typer.Option(help="Due within so many days.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Also those that are closed.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show the open requests, the most urgent first."""
    with listed(COLUMNS, "nobody has asked for anything", as_json=as_json) as sink:
        perform(config, "dsar list", sink, tenant=tenant, due=due, closed=closed)


@app.command()
def show(
    id: Id,  # noqa: A002
    reveal: Reveal = False,
    why: Why = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show one request with all that happened to it."""
    _perform(config, "dsar show", as_json, id=id, reveal=reveal, why=why)


@app.command()
def verify(
    id: Id,  # noqa: A002
    code: Annotated[str, typer.Option(help="The code that the person has got.")] = "",
    fact: Annotated[
        str, typer.Option(help="Who texted them last, or the day of the last text.")
    ] = "",
    vouch: Annotated[str, typer.Option(help="By what you know who they are.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Send a code to the number or address; with an option, take the proof."""
    _perform(config, "dsar verify", as_json, id=id, code=code, fact=fact, vouch=vouch)


@app.command()
def forward(id: Id, as_json: Json = False, config: Config = None) -> None:  # noqa: A002
    """Tell the tenant (again) that it must decide."""
    _perform(config, "dsar forward", as_json, id=id)


@app.command()
def instruct(
    id: Id,  # noqa: A002
    decision: Annotated[str, typer.Argument(metavar="fulfil|refuse", help="What it decided.")],
    reason: Reason,
    via: Annotated[str, typer.Option(help="By which way the tenant said so.")] = "cli",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record what the tenant decided about its data."""
    _perform(config, "dsar instruct", as_json, id=id, decision=decision, reason=reason, via=via)


@app.command()
def approve(id: Id, as_json: Json = False, config: Config = None) -> None:  # noqa: A002
    """Agree that it is carried out."""
    _perform(config, "dsar approve", as_json, id=id)


@app.command()
def refuse(id: Id, reason: Reason, as_json: Json = False, config: Config = None) -> None:  # noqa: A002
    """Refuse a request, or an instruction that would break the law."""
    _perform(config, "dsar refuse", as_json, id=id, reason=reason)


@app.command()
def reject(id: Id, as_json: Json = False, config: Config = None) -> None:  # noqa: A002
    """End a request whose person nobody has proved to be."""
    _perform(config, "dsar reject", as_json, id=id)


@app.command("class")
def class_(
    id: Id,  # noqa: A002
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Which right it uses.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Say what a letter asks for that no words settled."""
    _perform(config, "dsar class", as_json, id=id, kind=kind)


@app.command()
def correct(
    id: Id,  # noqa: A002
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The right one.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Say the right number, where the person wrote it in words."""
    _perform(config, "dsar correct", as_json, id=id, number=number)


@app.command()
def extend(
    id: Id,  # noqa: A002
    months: Annotated[int, typer.Option(help="1 or 2.")],
    reason: Reason,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Take more time, before the answer is due; the person is told why."""
    _perform(config, "dsar extend", as_json, id=id, months=months, reason=reason)


@app.command()
def withdraw(id: Id, as_json: Json = False, config: Config = None) -> None:  # noqa: A002
    """End a request at the person's wish."""
    _perform(config, "dsar withdraw", as_json, id=id)


@app.command()
def preview(id: Id, as_json: Json = False, config: Config = None) -> None:  # noqa: A002
    """Show what would be done, and the code that `run` needs."""
    _perform(config, "dsar preview", as_json, id=id)


@app.command()
def run(
    id: Id,  # noqa: A002
    confirm: Annotated[str, typer.Option(help="The code of the last preview.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Carry it out."""
    _perform(config, "dsar run", as_json, id=id, confirm=confirm)


@app.command()
def restrict(
    id: Id,  # noqa: A002
    off: Annotated[bool, typer.Option("--off", help="End it.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Keep the person's data and use it for nothing, from now on."""
    _perform(config, "dsar restrict", as_json, id=id, on=not off)


@app.command()
def reassigned(
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="The number, in any common writing.")
    ],
    evidence: Annotated[str, typer.Option(help="How that is known; a hash of it is kept.")],
    since: Annotated[str, typer.Option(help="Since when (ISO 8601); else now.")] = "",
    tenant: Annotated[str, typer.Option(help="Whose region counts for the number.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """A number has another owner: its consents are void, what stops it stays."""
    _perform(
        config,
        "reassigned",
        as_json,
        number=number,
        evidence=evidence,
        since=since,
        tenant=tenant,
    )


def _perform(config: Config, operation: str, as_json: bool, **arguments: Any) -> None:
    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
            return
        for name, value in item.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                typer.echo(f"{name}:")
                for each in value:
                    typer.echo(
                        "  " + "  ".join(f"{v}" for v in each.values() if v not in (None, ""))
                    )
            elif value not in (None, False, "", [], {}):
                typer.echo(f"{name}: {value}")

    with faults(as_json=as_json):
        perform(config, operation, tell, **arguments)
