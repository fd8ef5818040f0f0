"""`bridge explain`: raw mails, texts, numbers or replies in; what the bridge makes of them out."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

import typer

from bridge.cli.common import Config, Json, actor, fail, faults, group, print_json, settings_of

if TYPE_CHECKING:
    from bridge.explain import Advertising, Answer, Rules

app = group(
    "Tell what the bridge makes of a mail, a text, a number, a reply, and which route it takes. "
    "Sends nothing."
)

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE", help="Files to read; - or none: standard input."),
]
Lines = Annotated[bool, typer.Option("--jsonl", help="JSON objects, one a line, in and out.")]
_Explain = Callable[[Mapping[str, Any]], "Answer"]


@app.command()
def mail(
    files: Files = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One object a line, in order.")] = False,
    tenant: Annotated[str, typer.Option(help="Whose rules; else the first tenant's.")] = "",
    klass: Annotated[
        Literal["transactional", "marketing"], typer.Option("--class", help="What it is for.")
    ] = "transactional",
    to: Annotated[str, typer.Option(help="For whom, where it is marketing: a number.")] = "",
    shown: Annotated[str, typer.Option("--from", help="What the phone shows.")] = "",
    config: Config = None,
) -> None:
    """What would be sent of each raw mail, and which rules made it so."""
    from bridge import explain

    with faults():
        rules = _rules(config, tenant)
        if klass == "marketing":
            rules = replace(rules, advert=_advertising(config, rules.name, to, shown))
    _print(
        _each(files, lambda raw, file: explain.mail(raw, file, rules), "file"),
        as_list=len(files or ()) > 1,
        jsonl=jsonl,
    )


@app.command()
def text(
    files: Files = None,
    jsonl: Lines = False,
    config: Config = None,  # noqa: ARG001 - an option of every command
) -> None:
    """Encoding and parts of a text as written. --jsonl: {"id", "text"} a line."""
    from bridge import explain

    _explained(files, jsonl, explain.text, "text")


@app.command()
def number(
    files: Files = None,
    jsonl: Lines = False,
    region: Annotated[str, typer.Option(help="Where it was written; without --jsonl.")] = "",
    config: Config = None,  # noqa: ARG001 - an option of every command
) -> None:
    """Validity, E.164 and type of a number. --jsonl: {"id", "raw", "region"} a line."""
    from bridge import explain

    _explained(files, jsonl, explain.number, "raw", region=region)


@app.command()
def reply(
    files: Files = None,
    jsonl: Lines = False,
    country: Annotated[str, typer.Option(help="Of its writer; without --jsonl.")] = "",
    config: Config = None,  # noqa: ARG001 - an option of every command
) -> None:
    """What a text from a phone asks for. --jsonl: {"id", "text", "country"} a line."""
    from bridge import explain

    _explained(files, jsonl, explain.reply, "text", country=country)


@app.command()
def route(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="To whom.")],
    tenant: Annotated[str, typer.Option(help="Whose message; else the first tenant's.")] = "",
    klass: Annotated[
        Literal["transactional", "marketing"], typer.Option("--class", help="What it is for.")
    ] = "transactional",
    shown: Annotated[str, typer.Option("--from", help="What the phone should show.")] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Which carriers would take a message to a number, and why; what the phone shows."""
    with faults(as_json=as_json):
        for answer in _routed(config, number, tenant, klass, shown):
            if as_json:
                print_json(answer)
            else:
                from bridge.dispatch.roads import in_words

                typer.echo("\n".join(in_words(answer)))


def _routed(
    config: Path | None, number: str, tenant: str, klass: str, shown: str
) -> Iterable[Answer]:
    """From the bridge that runs here; else what the configuration alone tells."""
    from bridge import control

    settings = settings_of(config)
    wish = {"number": number, "tenant": tenant, "klass": klass, "shown": shown}
    asked = control.ask(settings.data_dir, "explain route", actor(), wish)
    if asked is not None:
        return asked
    from bridge import phone
    from bridge.dispatch.choose import Leg
    from bridge.dispatch.roads import Configured, explained

    ways = Configured(settings)
    owner = ways.tenant(tenant)
    to = phone.parse(number, owner.region)
    return [explained(ways, Leg(owner, to.e164, to.country, klass, shown), None)]


def _rules(config: Path | None, tenant: str) -> Rules:
    """The rules of a configured tenant; the default ones where nothing is configured."""
    from bridge.explain import Rules

    named = config or os.environ.get("BRIDGE_CONFIG") or Path("bridge.toml").exists()
    if not named and not tenant and not any(name.startswith("BRIDGE__") for name in os.environ):
        return Rules()
    settings = settings_of(config)
    found = next((t for t in settings.tenants if tenant in ("", t.name)), None)
    if found is None:
        known = ", ".join(t.name for t in settings.tenants)
        fail(f"the configuration has no tenant {tenant!r}", f"tenants there: {known}")
    return Rules(
        name=found.name,
        subject=found.subject,
        prefix=found.prefix,
        end_markers=tuple(found.end_markers),
        encoding=found.encoding,
        max_parts=found.max_parts,
        over_limit=found.over_limit,
        own_domains=tuple(settings.smtp.domains),
        attachments=found.attachments,
        attachment_refused=found.attachment_refused,
        attachment_size=found.attachment_size,
        attachment_mail_size=found.attachment_mail_size,
        attachment_count=found.attachment_count,
        public_url=settings.public_url,
        link_domain=found.link_domain,
        country=found.region or settings.region,
    )


def _advertising(config: Path | None, name: str, to: str, shown: str) -> Advertising:
    """What an advertisement to this number is judged by. Raises BadNumber."""
    from bridge import phone
    from bridge.explain import Advertising

    if not to:
        fail("advertising is judged by its recipient", "name one: --to +420601123456")
    settings = settings_of(config)
    tenant = next((t for t in settings.tenants if t.name == name), None)
    number = phone.parse(to, (tenant and tenant.region) or settings.region)
    if tenant is None:
        return Advertising(number.e164, number.country, time.time(), shown, name)
    return Advertising(
        to=number.e164,
        country=number.country,
        now=time.time(),
        originator=shown or tenant.originator,
        sender=tenant.marketing_sender or tenant.name,
        label=tenant.marketing_label,
        footer=tenant.marketing_footer,
        adds_link=tenant.optout == "append",
    )


def _explained(
    files: list[str] | None, jsonl: bool, explain: _Explain, key: str, **more: str
) -> None:
    """One answer a line of JSON; without --jsonl one a file, which is the text itself."""
    from bridge.explain import BadInput

    def whole(raw: bytes, file: str) -> Answer:
        try:
            written = raw.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as wrong:
            raise BadInput(f"octet {wrong.start + 1} is not UTF-8; save it as UTF-8") from None
        return explain({"id": file, key: written, **more})

    if jsonl:
        _print(_each_line(files or ["-"], explain), as_list=False, jsonl=True)
    else:
        _print(_each(files, whole, "id"), as_list=len(files or ()) > 1, jsonl=False)


def _each(
    files: list[str] | None, explain: Callable[[bytes, str], Answer], name: str
) -> Iterator[Answer]:
    """An answer a file; one with `error` where it cannot be read."""
    from bridge.explain import BadInput

    for file in files or ["-"]:
        try:
            yield explain(_read(file), file)
        except BadInput as wrong:
            yield {name: file, "error": str(wrong)}


def _read(file: str) -> bytes:
    from bridge.explain import BadInput

    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as wrong:  # ValueError: a name with NUL
        raise BadInput(_unreadable(wrong)) from None


def _each_line(files: list[str], explain: _Explain) -> Iterator[Answer]:
    """An answer a line of all files, one after the other; one with `error` where a file ends it."""
    from bridge.explain import BadInput, lines

    for file in files:
        try:
            yield from lines(_lines(file), explain, f"{file}, " if len(files) > 1 else "")
        except BadInput as wrong:
            yield {"id": None, "error": f"{file} {wrong}"}


def _lines(file: str) -> Iterator[bytes]:
    from bridge.explain import BadInput

    try:
        if file == "-":
            yield from sys.stdin.buffer
            return
        with Path(file).open("rb") as opened:
            yield from opened
    except (OSError, ValueError) as wrong:  # ValueError: a name with NUL
        raise BadInput(_unreadable(wrong)) from None


def _unreadable(wrong: Exception) -> str:
    return f"cannot be read ({getattr(wrong, 'strerror', None) or wrong})"


def _print(answers: Iterable[Answer], *, as_list: bool, jsonl: bool) -> None:
    """Print as asked; exit with 1 when an input had no answer."""
    unanswered = False
    if jsonl:
        for answer in answers:
            unanswered |= "error" in answer
            print_json(answer)
            sys.stdout.flush()  # whoever sends one line at a time waits for its answer
    else:
        found = list(answers)
        unanswered = any("error" in answer for answer in found)
        _print_pretty(sys.stdout.buffer, found if as_list else found[0])
    if unanswered:
        raise typer.Exit(1)


def _print_pretty(out: BinaryIO, value: object) -> None:
    try:
        written = json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair
        written = json.dumps(value, indent=2).encode("ascii")
    out.write(written + b"\n")
