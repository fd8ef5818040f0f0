"""`bridge log`: what became of messages."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated

import typer

from bridge.cli.common import Config, Json, Reveal, Why, perform
from bridge.cli.table import listed
from bridge.model import State

SHOWN = 50  # messages that a person sees unless told otherwise

COLUMNS = (
    *("id", "created_at", "tenant", "origin", "destination", "state", "parts"),
    *("encoding", "carrier", "reason"),
)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(log)


def _moment(written: str) -> float:
    """`1h30m` or `2d` ago, or an ISO 8601 time (without a zone: this machine's), as Unix time."""
    from pydantic import TypeAdapter, ValidationError

    from bridge.settings.values import Duration

    try:
        return time.time() - TypeAdapter(Duration).validate_python(written).total_seconds()
    except ValidationError:
        pass
    try:
        return datetime.fromisoformat(written).timestamp()
    except (ValueError, OverflowError):
        raise typer.BadParameter('write it as "1h", "2d" or "2026-11-23T20:00"') from None


Since = Annotated[
    float | None,
    typer.Option(
        parser=_moment,
        metavar="TIME",
        help='Not older than: "1h", "2d", or an ISO 8601 time.',
        show_default=False,
    ),
]


def log(
    as_json: Json = False,
    reveal: Reveal = False,
    why: Why = "",
    since: Since = None,
    tenant: Annotated[str, typer.Option(help="Of this tenant alone.")] = "",
    state: Annotated[State | None, typer.Option(help="In this state alone.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help="At most so many, the newest; 0: all.", show_default=False),
    ] = None,
    config: Config = None,
) -> None:
    """What became of messages, oldest first; without --json the newest 50, unless told."""
    if limit is None:
        limit = 0 if as_json or since is not None else SHOWN
    columns = (*COLUMNS, "text") if reveal else COLUMNS
    with listed(columns, "no such messages", as_json=as_json) as sink:
        perform(
            config,
            "log",
            sink,
            since=since or 0.0,
            tenant=tenant,
            state=str(state) if state else "",
            limit=limit,
            reveal=reveal,
            why=why,
        )
