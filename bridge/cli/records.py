"""`bridge privacy ropa`, `art28` and `drill`: documents of what runs, printed or in a file."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.common import Config, Item, Json, faults, perform, print_json
from bridge.cli.words import teller
from bridge.errors import Refused


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(ropa)
    app.command()(art28)
    app.command()(drill)


def ropa(
    html: Annotated[bool, typer.Option("--html", help="As a page.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Print the records of processing (GDPR Article 30), as JSON or as a page."""
    if html and as_json:
        raise typer.BadParameter("--html and --json are two ways to print it: choose one")
    with faults(as_json=not html):
        tell = _page if html else print_json
        perform(config, "privacy ropa", tell, html=html)


def _page(item: Item) -> None:
    typer.echo(item["html"], nl=False)


def art28(
    tenant: Annotated[str, typer.Option(help="For whose auditor.")] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The zip; else art28.zip here.")
    ] = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Write what a tenant's auditor may see (GDPR Article 28) into a zip."""
    path = out or Path("art28.zip")
    files: list[Item] = []
    with faults(as_json=as_json):
        if path.exists():
            raise Refused(f"{path} is there already", "say --out with another name")
        perform(config, "privacy art28", files.append, tenant=tenant)
        _write(path, files)
    names = [each["name"] for each in files]
    if as_json:
        print_json({"file": str(path), "files": names})
    else:
        typer.echo(f"{path}: {', '.join(names)}")


def _write(path: Path, files: list[Item]) -> None:
    """A zip that only its owner reads. Raises Refused."""
    try:
        number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror})", "say --out") from error
    with os.fdopen(number, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        for each in files:
            pack.writestr(each["name"], each["content"])


def drill(
    outcome: Annotated[str, typer.Option(help="How it went, and how long it took.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record that a restore from a backup was practised."""
    with faults(as_json=as_json):
        perform(config, "privacy drill", teller(as_json, "{state}"), outcome=outcome)
