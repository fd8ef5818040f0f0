"""`bridge privacy export`, `erase` and `verify`: a person's whole request, and its receipt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bridge.cli.common import Config, Item, Json, fail, faults, perform, print_json

Number = Annotated[
    str,
    typer.Argument(
        metavar="NUMBER", help="A number, a mail address, slack:TEAM/PERSON or telegram:ID."
    ),
]
Tenant = Annotated[str, typer.Option(help="Whose data; needed where there are several tenants.")]
Instruction = Annotated[str, typer.Option(help="Who asked for it, when and how; it is recorded.")]
Yes = Annotated[bool, typer.Option("--yes", help="Yes, carry it out.")]

#: Why a good receipt's entries may be gone.
_GONE = {"not found": " (older than two years, or from before a backup was brought back)"}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(export)
    app.command()(erase)
    app.command()(verify)


def export(
    number: Number,
    tenant: Tenant = "",
    instruction: Instruction = "",
    portable: Annotated[
        bool, typer.Option("--portable", help="Only what the person gave (GDPR Article 20).")
    ] = False,
    lang: Annotated[
        Literal["en", "cs", "no"] | None, typer.Option(help="Of the readable page.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Make an encrypted file of all that is kept of a person; its password is shown this once."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            _tell(item, "file")
            typer.echo(f"password: {item['password']} (hand it over another way than the file)")

    with faults(as_json=as_json):
        _agreed(yes=yes, as_json=as_json)
        given = {"number": number, "tenant": tenant, "instruction": instruction}
        perform(config, "privacy export", tell, **given, portable=portable, lang=lang or "")


def erase(
    number: Number,
    tenant: Tenant = "",
    instruction: Instruction = "",
    only: Annotated[
        bool,
        typer.Option("--erase-only", help="Keep no suppression: messages may return."),
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Erase a person, keep that they want no messages, and sign a receipt."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            _tell(item, "receipt")
            if not item["final"]:
                typer.echo(
                    "chats or carriers are still asked to erase: a later receipt replaces it"
                )
            if "warning" in item:
                typer.echo(f"mind: {item['warning']}")

    with faults(as_json=as_json):
        _agreed(yes=yes, as_json=as_json)
        given = {"number": number, "tenant": tenant, "instruction": instruction}
        perform(config, "privacy erase", tell, **given, only=only)


def _tell(item: Item, what: str) -> None:
    typer.echo(f"request {item['request']}: {item['state']}")
    for file in item["files"]:
        typer.echo(f"{what}: {file}")


def _agreed(*, yes: bool, as_json: bool) -> None:
    if not yes:
        fail("nothing was done", "say --yes to carry it out", as_json=as_json)


def verify(
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="The file of a receipt.")],
    key: Annotated[
        str, typer.Option(help="The public key that must have signed it; else this bridge's own.")
    ] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Check that a receipt is as it was signed; exit code 1 where it is not."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(f"good: request {item['request']}, erased {item['erased_at']}")
            typer.echo(f"no backup after: {item['backups_until']}")
            typer.echo(f"the audit's entries: {item['audit']}{_GONE.get(item['audit'], '')}")

    with faults(as_json=as_json):
        try:
            text = receipt.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            hint = "name the file of a receipt"
            fail(f"the receipt cannot be read ({type(error).__name__})", hint, as_json=as_json)
        perform(config, "privacy verify", tell, receipt=text, key=key)
