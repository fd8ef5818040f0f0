"""`bridge access`: everybody's access at once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bridge.cli.common import Config, Item, Json, fail, faults, group, perform, print_json

QUESTION = "End the access of everybody in Slack and Telegram, and every open link?"

app = group("The access of all people at once.")


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


def _confirmed() -> bool:
    # typer.confirm would write to standard output, where --json prints.
    typer.echo(f"{QUESTION} [y/N]: ", nl=False, err=True)
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def _tell(item: Item) -> None:
    typer.echo(
        f"closed: staff {item['staff']}, invitations {item['invitations']}, links {item['links']}"
    )
