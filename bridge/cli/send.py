"""`bridge send`: one text to one number."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bridge.cli.common import Config, Item, Json, fail, faults, perform, print_json
from bridge.model import Class


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(send)


def send(
    to: Annotated[str, typer.Argument(metavar="TO", help="The number, in any common writing.")],
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="The text; - reads it from standard input.")
    ],
    tenant: Annotated[
        str, typer.Option(help="In whose name; needed where there are several.")
    ] = "",
    urgent: Annotated[bool, typer.Option("--urgent", help="Ahead of what is not urgent.")] = False,
    klass: Annotated[Class, typer.Option("--class", help="What it is for.")] = Class.TRANSACTIONAL,
    originator: Annotated[str, typer.Option("--from", help="What the phone shows.")] = "",
    at: Annotated[
        str, typer.Option(help="When: 202611232000 on the recipient's clock, or ISO 8601.")
    ] = "",
    programme: Annotated[
        str, typer.Option(help="Of which programme of the tenant; people may opt out of it alone.")
    ] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Send a text. It is on disk when this returns."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(
                " ".join(
                    filter(None, (item["id"], item["state"], item["reason"], item.get("cost")))
                )
            )

    with faults(as_json=as_json):
        perform(
            config,
            "send",
            tell,
            tenant=tenant,
            to=to,
            text=_text(text, as_json=as_json),
            urgent=urgent,
            klass=str(klass),
            originator=originator,
            at=at,
            programme=programme,
        )


def _text(given: str, *, as_json: bool) -> str:
    """The argument, or what standard input has."""
    if given != "-":
        return given
    try:
        return sys.stdin.buffer.read().decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        fail("the text is not UTF-8", "write it in a terminal of UTF-8", as_json=as_json)
