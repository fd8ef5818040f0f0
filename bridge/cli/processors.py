"""`bridge subproc` and `bridge policy`: who else processes data, and which terms are agreed on."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from bridge.cli.common import Config, Item, Json, Sink, faults, group, perform
from bridge.cli.table import listed
from bridge.cli.words import teller

COLUMNS = ("name", "kind", "state", "company", "country", "transfer", "effective_at", "objections")
POLICIES = ("version", "effective_at", "announced_at", "accepted")

app = group("Processors: carriers, the smarthost, chats, and whoever else gets data.")
policy = group("Versions of the terms, and who accepted them.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `bridge subproc list` shows it.")]
Tenant = Annotated[str, typer.Option(help="Which tenant; needed where there are several.")]
Kind = Literal["carrier", "smarthost", "slack", "telegram", "other"]
Company = Annotated[str | None, typer.Option(help="The company's name.")]
Address = Annotated[str | None, typer.Option(help="Its address.")]
Contact = Annotated[str | None, typer.Option(help="Whom to turn to there.")]
Purpose = Annotated[str | None, typer.Option(help="What it does with the data.")]
Country = Annotated[str | None, typer.Option(metavar="CC", help="Where it processes them.")]
Mechanism = Annotated[
    str | None, typer.Option(help="Outside the EEA and without adequacy: dpf, scc or bcr.")
]
Until = Annotated[
    str | None, typer.Option(metavar="DAY", help="Until when the mechanism holds, as 2027-06-30.")
]


@app.command("list")
def list_(as_json: Json = False, config: Config = None) -> None:
    """Show the register."""
    with listed(COLUMNS, "nobody else processes data", as_json=as_json) as sink:
        perform(config, "subproc list", sink)


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A carrier: as in [[carriers]].")],
    kind: Annotated[Kind, typer.Option(help="What it is.")] = "carrier",
    effective: Annotated[
        str, typer.Option(metavar="DAY", help="From when; at least 30 days from now.")
    ] = "",
    company: Company = None,
    address: Address = None,
    contact: Contact = None,
    purpose: Purpose = None,
    country: Country = None,
    mechanism: Mechanism = None,
    until: Until = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Announce a processor to every tenant. It gets no data before its day."""
    details = _given(company, address, contact, purpose, country, mechanism, until)
    with faults(as_json=as_json):
        perform(
            config,
            "subproc add",
            _teller(as_json, "{name} {state} for {effective_at}"),
            name=name,
            kind=kind,
            effective=effective,
            details=details,
        )


@app.command("set")
def set_(
    name: Name,
    company: Company = None,
    address: Address = None,
    contact: Contact = None,
    purpose: Purpose = None,
    country: Country = None,
    mechanism: Mechanism = None,
    until: Until = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record what is known of a processor."""
    details = _given(company, address, contact, purpose, country, mechanism, until)
    with faults(as_json=as_json):
        tell = _teller(as_json, "{name} {state}: {country} {transfer}")
        perform(config, "subproc set", tell, name=name, details=details)


def _given(
    company: str | None,
    address: str | None,
    contact: str | None,
    purpose: str | None,
    country: str | None,
    mechanism: str | None,
    until: str | None,
) -> dict[str, str]:
    """What was said; what was not stays as it is."""
    details = {
        "company": company,
        "address": address,
        "contact": contact,
        "purpose": purpose,
        "country": country,
        "mechanism": mechanism,
        "until": until,
    }
    return {key: value for key, value in details.items() if value is not None}


@app.command()
def notify(name: Name, as_json: Json = False, config: Config = None) -> None:
    """Tell every tenant of a processor once more."""
    with faults(as_json=as_json):
        tell = _teller(as_json, "{name}: {told} tenants told")
        perform(config, "subproc notify", tell, name=name)


@app.command("object")
def object_(
    name: Name,
    tenant: Tenant = "",
    reason: Annotated[str, typer.Option(help="Why, in the tenant's words.")] = "",
    leaves: Annotated[
        bool, typer.Option("--exit", help="The tenant ends its contract over it.")
    ] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="The tenant does not object any more.")
    ] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """A tenant objects: none of its data goes there from now on."""
    with faults(as_json=as_json):
        perform(
            config,
            "subproc object",
            _teller(as_json, "{tenant}, {name}: {state}"),
            name=name,
            tenant=tenant,
            reason=reason,
            leaves=leaves,
            withdraw=withdraw,
        )


@app.command()
def end(name: Name, as_json: Json = False, config: Config = None) -> None:
    """Nothing goes to a processor any more."""
    with faults(as_json=as_json):
        perform(config, "subproc end", _teller(as_json, "{name} {state}"), name=name)


@policy.command()
def announce(
    version: Annotated[str, typer.Option(help="Its name, as in 2027-01.")],
    effective: Annotated[
        str, typer.Option(metavar="DAY", help="From when; at least 30 days from now.")
    ],
    url: Annotated[str, typer.Option(help="Where tenants can read it.")] = "",
    sha256: Annotated[str, typer.Option(help="Of its text, as proof of what was announced.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Announce a version to every tenant. Whoever is silent keeps the version they accepted."""
    with faults(as_json=as_json):
        perform(
            config,
            "policy announce",
            _teller(as_json, "{version} from {effective}: {told} tenants told"),
            version=version,
            effective=effective,
            url=url,
            digest=sha256,
        )


@policy.command()
def accept(
    version: Annotated[str, typer.Argument(metavar="VERSION")],
    tenant: Tenant = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record that a tenant accepts a version."""
    with faults(as_json=as_json):
        tell = _teller(as_json, "{tenant}, {version}: {state}")
        perform(config, "policy accept", tell, version=version, tenant=tenant)


@policy.command("list")
def list_policies(as_json: Json = False, config: Config = None) -> None:
    """Show the versions, newest first."""
    with listed(POLICIES, "no version was announced", as_json=as_json) as sink:
        perform(config, "policy list", sink)


def _teller(as_json: bool, words: str) -> Sink:
    """As `teller`; it also says whom nobody could tell."""
    said = teller(as_json, words)

    def tell(item: Item) -> None:
        said(item)
        if item.get("untold") and not as_json:
            names = ", ".join(item["untold"])
            typer.echo(f"no inbox, tell them otherwise: {names}", err=True)

    return tell
