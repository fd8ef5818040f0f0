"""`bridge tenant`: client companies beside those of the configuration."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any

import typer

from bridge.cli.common import Config, Json, faults, group, perform
from bridge.cli.running import PasswordStdin, hashed
from bridge.cli.table import listed
from bridge.cli.words import teller

COLUMNS = (
    *("name", "source", "region", "countries", "max_parts", "originator"),
    *("senders", "logins", "tokens"),
)

app = group("Tenants beside those of the configuration.")
token = group("Tokens that prove a sender: the .t-TOKEN in an address.")
app.add_typer(token, name="token")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The tenant's name.")]


@app.command("list")
def list_(as_json: Json = False, config: Config = None) -> None:
    """Show the open tenants and their rules."""
    with listed(COLUMNS, as_json=as_json) as sink:
        perform(config, "tenant list", sink)


@app.command()
def add(
    name: Name,
    sender: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS=PROOF[,PROOF …]",
            help="Who may send, and all that proves it, as in '*@acme.example=dmarc'. Repeatable.",
        ),
    ] = None,
    region: Annotated[
        str, typer.Option(metavar="CC", help="For numbers written nationally; else the bridge's.")
    ] = "",
    country: Annotated[
        list[str] | None,
        typer.Option(metavar="CC", help="Where it may send, or *; else its region. Repeatable."),
    ] = None,
    more: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any other key of [[tenants]], as in max_parts=3. Repeatable.",
        ),
    ] = None,
    credit: Annotated[
        str, typer.Option(metavar="AMOUNT", help="What its account begins with, in its currency.")
    ] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Add a tenant."""
    described: dict[str, Any] = dict(map(_pair, more or ()))
    described["name"] = name
    if region:
        described["region"] = region
    if country:
        described["countries"] = country
    if sender:
        described["senders"] = [*described.get("senders", ()), *map(_sender, sender)]
    with faults(as_json=as_json):
        perform(
            config, "tenant add", teller(as_json, "{name} {state}"), tenant=described, credit=credit
        )


def _pair(written: str) -> tuple[str, Any]:
    """`max_parts=3` as a key and its TOML value; what is no TOML is text."""
    key, equals, value = written.partition("=")
    if not equals:
        raise typer.BadParameter(f"--set {written}: write KEY=VALUE")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _sender(written: str) -> dict[str, Any]:
    """`*@acme.example=network:10.0.0.0/8,auth` as a sender rule."""
    address, equals, proofs = written.rpartition("=")
    if not equals:
        raise typer.BadParameter(f"--sender {written}: write ADDRESS=PROOF")
    return {"address": address, "proof": [proof.strip() for proof in proofs.split(",")]}


@app.command()
def close(name: Name, as_json: Json = False, config: Config = None) -> None:
    """Nobody sends in this name any more; its log stays."""
    with faults(as_json=as_json):
        perform(config, "tenant close", teller(as_json, "{name} {state}"), name=name)


@app.command()
def login(
    name: Name,
    user: Annotated[str, typer.Argument(metavar="USER", help="The name to log in with.")],
    password_stdin: PasswordStdin = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the user instead.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Set a user's password for SMTP; it is asked for, and kept as an argon2id hash."""
    password_hash = ""
    if not remove:
        password_hash = hashed(password_stdin=password_stdin, as_json=as_json)
    with faults(as_json=as_json):
        perform(
            config,
            "tenant login",
            teller(as_json, "{user} {state}"),
            name=name,
            user=user,
            password_hash=password_hash,
        )


@token.command()
def issue(name: Name, as_json: Json = False, config: Config = None) -> None:
    """Make a token and print it, this once."""
    with faults(as_json=as_json):
        perform(config, "token issue", teller(as_json, "{token}"), name=name)


@token.command()
def revoke(name: Name, as_json: Json = False, config: Config = None) -> None:
    """End all tokens of a tenant."""
    with faults(as_json=as_json):
        perform(config, "token revoke", teller(as_json, "{revoked} revoked"), name=name)
