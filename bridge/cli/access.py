"""`bridge access`: everybody's access at once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bridge.cli.common import Config, Item, Json, fail, faults, group, perform, print_json
from bridge.cli.table import listed

QUESTION = "End the access of everybody in Slack and Telegram, and every open link?"

COLUMNS = ("id", "tenant", "name", "role", "since", "review_due")

app = group("Who has access until when, and its end for all at once.")


@app.command("close-all")
def close_all(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """End every enrolment, invitation and link. What is due still leaves; STOP is still heard."""
    with faults(as_json=as_json):
        if not yes and not _confirmed():
            fail("nothing was closed", "answer y, or say --yes", as_json=as_json)
        perform(config, "access close-all", print_json if as_json else _tell)


@app.command()
def review(
    tenant: Annotated[str, typer.Option(help="Of this tenant alone.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show who has access until when; those whose day comes first, first."""
    with listed(COLUMNS, "nobody is enrolled", as_json=as_json) as sink:
        perform(config, "access review", sink, tenant=tenant)


@app.command()
def confirm(
    person: Annotated[str, typer.Argument(metavar="ID", help="As `bridge access review` shows.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """This person still needs their access, and is bound to secrecy; it stands a quarter more."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(f"{item['id']} {item['state']} until {item['review_due']}")

    with faults(as_json=as_json):
        perform(config, "access confirm", tell, id=person)


def _confirmed() -> bool:
    # typer.confirm would write to standard output, where --json prints.
    typer.echo(f"{QUESTION} [y/N]: ", nl=False, err=True)
    return sys.stdin.buffer.readline().strip().lower() in {b"y", b"yes"}


def _tell(item: Item) -> None:
    typer.echo(
        f"closed: staff {item['staff']}, invitations {item['invitations']}, links {item['links']}"
    )
