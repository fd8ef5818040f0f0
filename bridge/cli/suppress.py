"""`bridge suppress`: who is not to be texted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bridge.cli.common import Config, Item, Json, faults, group, perform, print_json
from bridge.cli.files import load
from bridge.cli.table import listed

app = group("The list of people not to be texted.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The number, in any common writing.")]
Tenant = Annotated[str, typer.Option(help="For which tenant; needed where there are several.")]
Scope = Annotated[
    Literal["tenant", "all"], typer.Option(help="For this tenant, or for all of the bridge.")
]
AnyScope = Annotated[
    Literal["tenant", "programme", "all"] | None, typer.Option(help="Look at this scope alone.")
]
Purpose = Annotated[
    Literal["any", "marketing"], typer.Option(help="Everything, or what is marketing.")
]
Programme = Annotated[str, typer.Option(help="This programme of the tenant alone.")]
File = Annotated[
    str, typer.Argument(metavar="FILE", help="CSV with a column of numbers; - is standard input.")
]

_COUNTS = ("read", "taken", "dropped", "started", "unreadable")


@app.command()
def add(
    number: Number,
    tenant: Tenant = "",
    scope: Scope = "tenant",
    purpose: Purpose = "any",
    programme: Programme = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Nothing more leaves for this person; what waits is cancelled."""
    more = {"scope": scope, "purpose": purpose, "programme": programme}
    _perform(config, "suppress add", number, tenant, as_json=as_json, **more)


@app.command()
def remove(
    number: Number,
    tenant: Tenant = "",
    scope: Scope = "tenant",
    programme: Programme = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Lift what the operator put there; only START from the phone lifts the person's own wish."""
    more = {"scope": scope, "programme": programme}
    _perform(config, "suppress remove", number, tenant, as_json=as_json, **more)


@app.command()
def check(
    number: Annotated[
        str, typer.Argument(metavar="NUMBER|FILE", help="A number, or a CSV file of numbers.")
    ],
    tenant: Tenant = "",
    scope: AnyScope = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Tell whether this person is suppressed; of a file, which lines to take out."""
    if number == "-" or Path(number).is_file() or Path(number).suffix.lower() == ".csv":
        load(config, "suppress check file", number, _told, as_json=as_json, tenant=tenant)
    else:
        _perform(config, "suppress check", number, tenant, as_json=as_json, scope=scope or "")


@app.command("import")
def import_(
    file: File,
    tenant: Tenant = "",
    purpose: Purpose = "any",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Put every number of a file on the list; lines without one are told. The file is not kept."""
    more = {"tenant": tenant, "purpose": purpose}
    load(config, "suppress import", file, _told, as_json=as_json, **more)


@app.command()
def export(tenant: Tenant = "", as_json: Json = False, config: Config = None) -> None:
    """Print the list: keyed hashes, never numbers."""
    columns = ("token", "purpose", "scope", "source", "since")
    with listed(columns, "the list is empty", as_json=as_json) as sink:
        perform(config, "suppress export", sink, tenant=tenant)


@app.command()
def wishes(tenant: Tenant = "", as_json: Json = False, config: Config = None) -> None:
    """Show the wishes in free words that nobody has looked at yet."""
    columns = ("id", "at", "due_at", "overdue")
    with listed(columns, "none waits", as_json=as_json) as sink:
        perform(config, "suppress wishes", sink, tenant=tenant)


@app.command()
def sync(
    carrier: Annotated[
        str, typer.Argument(metavar="CARRIER", help="This carrier's list alone.")
    ] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Read now who has opted out with the carriers; they are opted out here too. Counts only."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
            return
        counts = ", ".join(f"{what} {item[what]}" for what in _COUNTS)
        typer.echo(f"{item['carrier']}: {counts}")
        if item["problem"]:
            typer.echo(f"  {item['problem']}\n  → {item['hint']}")

    with faults(as_json=as_json):
        perform(config, "suppress sync", tell, carrier=carrier)


def _told(item: Item) -> str:
    if "line" in item:
        return f"line {item['line']}: suppressed (scope {item['scope']}, {item['purpose']})"
    return ", ".join(f"{word} {count}" for word, count in item.items())


def _perform(
    config: Config, operation: str, number: str, tenant: str, *, as_json: bool, **more: str
) -> None:
    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        elif item["suppressed"]:
            words = f"scope {item['scope']}, source {item['source']}, since {item['since']}"
            narrow = ", marketing only" if item["purpose"] == "marketing" else ""
            typer.echo(f"suppressed: {words}{narrow}")
        else:
            typer.echo("not suppressed")

    with faults(as_json=as_json):
        perform(config, operation, tell, number=number, tenant=tenant, **more)
