"""Every command of `bridge`: arguments in, words or JSON on standard output, an exit code.

0: done. 1: refused or failed; standard error says why and what to do, with --json standard output.
2: wrong usage. What a command needs is imported when it runs, so that `explain` starts fast.
"""

from __future__ import annotations

from collections.abc import Sequence

import typer
from typer.main import get_command_name
from typer.models import CommandInfo

from bridge.cli import (
    access,
    accounts,
    audit,
    backup,
    blacklist,
    brakes,
    breach,
    consent,
    contacts,
    demand,
    dsar,
    explain,
    held,
    hold,
    log,
    master,
    pepper,
    prices,
    privacy,
    processors,
    programme,
    records,
    rights,
    running,
    send,
    staff,
    suppress,
    tenant,
)
from bridge.cli.common import group

TITLE = "Mail, Slack and Telegram to SMS, and back."
app = group(TITLE)
app.callback()(running.first)
running.register(app)
app.add_typer(explain.app, name="explain")
log.register(app)
send.register(app)
app.add_typer(held.app, name="held")
app.add_typer(hold.app, name="hold")
brakes.register(app)
app.add_typer(privacy.app, name="privacy")
rights.register(privacy.app)
records.register(privacy.app)
app.add_typer(processors.app, name="subproc")
app.add_typer(processors.policy, name="policy")
app.add_typer(breach.app, name="breach")
app.add_typer(breach.abuse, name="abuse")
app.add_typer(demand.app, name="demand")
app.add_typer(tenant.app, name="tenant")
app.add_typer(prices.app, name="prices")
app.add_typer(accounts.app, name="accounts")
app.add_typer(suppress.app, name="suppress")
app.add_typer(blacklist.app, name="blacklist")
app.add_typer(programme.app, name="programme")
app.add_typer(pepper.app, name="pepper")
app.add_typer(contacts.app, name="contacts")
app.add_typer(consent.app, name="consent")
app.add_typer(dsar.app, name="dsar")
app.add_typer(staff.app, name="staff")
app.add_typer(access.app, name="access")
app.add_typer(master.app, name="master")
app.add_typer(audit.app, name="audit")
backup.register(app)


def part(name: Sequence[str]) -> typer.Typer:
    """The command or group of this name alone; all of them where the name says none.

    To build all takes as long again as what most commands do.
    """
    groups = [each for each in app.registered_groups if [each.name] == list(name)]
    commands = [each for each in app.registered_commands if [_name(each)] == list(name)]
    if not (groups or commands):
        return app
    alone = group(TITLE)
    alone.registered_groups, alone.registered_commands = groups, commands
    alone.callback()(running.first)
    return alone


def _name(command: CommandInfo) -> str:
    return command.name or get_command_name(command.callback.__name__ if command.callback else "")


__all__ = ["app", "part"]
