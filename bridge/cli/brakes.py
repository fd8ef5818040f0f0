"""`bridge stop-sending`, `bridge resume` and `bridge brake`: what is stopped, and by whom."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.common import Config, Json, faults, group, perform
from bridge.cli.table import listed
from bridge.cli.words import teller

COLUMNS = ("id", "tenant", "kind", "country", "since", "by", "confirmed_at", "reason")

app = group("What is stopped: by a rule, or by somebody.")

Id = Annotated[int, typer.Argument(metavar="ID", help="As `bridge brake list` shows it.")]
Outcome = Annotated[str, typer.Option(help="What was found.")]
Tenant = Annotated[str, typer.Option(help="Of this tenant alone; else of all.")]


def register(root: typer.Typer) -> None:
    """Add these commands."""
    root.command("stop-sending")(stop_sending)
    root.command()(resume)
    root.add_typer(app, name="brake")


def stop_sending(
    reason: Annotated[str, typer.Option(help="Why: whoever finds it stopped must know.")],
    tenant: Tenant = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Let nothing more leave, in all processes within a second. What is accepted waits."""
    with faults(as_json=as_json):
        tell = teller(as_json, "sending is stopped ({tenant}); `bridge resume` lets it go on")
        perform(config, "stop-sending", tell, tenant=tenant, reason=reason)


def resume(tenant: Tenant = "", as_json: Json = False, config: Config = None) -> None:
    """Let what waits leave again."""
    with faults(as_json=as_json):
        perform(config, "resume", teller(as_json, "sending goes on ({tenant})"), tenant=tenant)


@app.command("list")
def list_(as_json: Json = False, config: Config = None) -> None:
    """Show what is stopped, newest first."""
    with listed(COLUMNS, "nothing is stopped", as_json=as_json) as sink:
        perform(config, "brake list", sink)


@app.command()
def lift(brake: Id, outcome: Outcome, as_json: Json = False, config: Config = None) -> None:
    """Let a range or a sender go on that a rule has stopped; its case is reviewed."""
    with faults(as_json=as_json):
        tell = teller(as_json, "{id} {state}")
        perform(config, "brake lift", tell, id=brake, outcome=outcome)


@app.command()
def confirm(brake: Id, outcome: Outcome, as_json: Json = False, config: Config = None) -> None:
    """Keep stopped what a rule has stopped; its case is reviewed."""
    with faults(as_json=as_json):
        tell = teller(as_json, "{id} {state}")
        perform(config, "brake confirm", tell, id=brake, outcome=outcome)
