"""`bridge contacts`: names for people, imported from a file, listed and removed."""

from __future__ import annotations

import base64
import sys
import zlib
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.common import (
    Config,
    Item,
    Json,
    Reveal,
    Why,
    fail,
    faults,
    group,
    perform,
    print_json,
)
from bridge.cli.table import Table

app = group("Names for people and groups: in mail addresses, in chats, and from files.")

Tenant = Annotated[str, typer.Option(help="Of which tenant; needed where there are several.")]


@app.command("import")
def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="CSV: name,number[,groups,consent]; - is input.")
    ],
    tenant: Tenant = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Add or change contacts from a file: all of them, or none if a line is wrong."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(_problem(item) if "problem" in item else _done(item))

    with faults(as_json=as_json):
        data = packed(file, as_json=as_json)
        perform(config, "contacts import", tell, tenant=tenant, data=data)


def packed(file: str, *, as_json: bool) -> str:
    """The file as the bridge unpacks it (`operations.contacts.unpacked`)."""
    from bridge.control import LONGEST_LINE
    from bridge.dispatch.contact_file import MOST_OCTETS

    try:
        if file == "-":
            raw = sys.stdin.buffer.read(MOST_OCTETS + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(MOST_OCTETS + 1)
    except (OSError, ValueError) as wrong:  # ValueError: a name with NUL
        why = getattr(wrong, "strerror", "") or "its name cannot be one"
        fail(f"the file cannot be read ({why})", "check the path and its mode", as_json=as_json)
    sent = base64.b64encode(zlib.compress(raw)).decode("ascii")
    if len(sent) > LONGEST_LINE - 1000:  # names and numbers shrink, however chosen
        fail("this is not the text of a CSV file", "save it as CSV in UTF-8", as_json=as_json)
    return sent


def _problem(item: Item) -> str:
    where = f"line {item['line']}" if item["line"] else "the file"
    return f"{where}: {item['problem']}"


def _done(item: Item) -> str:
    groups = f"{item['groups']} group{'' if item['groups'] == 1 else 's'}"
    told = (
        f"added {item['added']}, changed {item['changed']}, unchanged {item['unchanged']};"
        f" {groups} in the file"
    )
    if item["suppressed"]:
        lines = ", ".join(map(str, item["suppressed"]))
        told += f"\nleft out, they do not want to be texted: line {lines}"
    return told


@app.command("list")
def list_(
    tenant: Tenant = "",
    reveal: Reveal = False,
    why: Why = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show the contacts, and the groups that they are in."""
    empty = "" if as_json else "there are no contacts"
    with faults(as_json=as_json), Table(("name", "number", "groups"), empty) as table:
        sink = print_json if as_json else table.add
        perform(config, "contacts list", sink, tenant=tenant, reveal=reveal, why=why)


@app.command()
def groups(
    tenant: Tenant = "",
    reveal: Reveal = False,
    why: Why = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show the groups, and who is in them."""
    empty = "" if as_json else "there are no groups"
    with faults(as_json=as_json), Table(("name", "people", "members"), empty) as table:
        sink = print_json if as_json else table.add
        perform(config, "group list", sink, tenant=tenant, reveal=reveal, why=why)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="The contact's name.")],
    tenant: Tenant = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Forget a contact; it leaves its groups too."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(f"{item['name']} {item['state']}")

    with faults(as_json=as_json):
        perform(config, "contacts remove", tell, tenant=tenant, name=name)
