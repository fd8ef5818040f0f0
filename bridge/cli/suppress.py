"""`bridge suppress`: who is not to be texted."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from bridge.cli.common import Config, Item, Json, faults, group, perform, print_json

app = group("The list of people not to be texted.")

Number = Annotated[str, typer.Argument(help="The number, in any common writing.")]
Tenant = Annotated[str, typer.Option(help="For which tenant; needed where there are several.")]
Scope = Annotated[
    Literal["tenant", "all"], typer.Option(help="For this tenant, or for all of the bridge.")
]
AnyScope = Annotated[
    Literal["tenant", "all"] | None, typer.Option(help="Look at this scope alone.")
]


@app.command()
def add(
    number: Number,
    tenant: Tenant = "",
    scope: Scope = "tenant",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Nothing more leaves for this person; what waits is cancelled."""
    _perform(config, "suppress add", number, tenant, scope, as_json=as_json)


@app.command()
def remove(
    number: Number,
    tenant: Tenant = "",
    scope: Scope = "tenant",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Lift a suppression; one in the other scope stays."""
    _perform(config, "suppress remove", number, tenant, scope, as_json=as_json)


@app.command()
def check(
    number: Number,
    tenant: Tenant = "",
    scope: AnyScope = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Tell whether this person is suppressed."""
    _perform(config, "suppress check", number, tenant, scope or "", as_json=as_json)


def _perform(
    config: Config, operation: str, number: str, tenant: str, scope: str, *, as_json: bool
) -> None:
    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        elif item["suppressed"]:
            words = f"scope {item['scope']}, source {item['source']}, since {item['since']}"
            typer.echo(f"suppressed: {words}")
        else:
            typer.echo("not suppressed")

    with faults(as_json=as_json):
        perform(config, operation, tell, number=number, tenant=tenant, scope=scope)
