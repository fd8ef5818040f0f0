"""Every command of `bridge`: arguments in, words or JSON on standard output, an exit code.

0: done. 1: refused or failed; standard error says why and what to do, with --json standard output.
2: wrong usage. What a command needs is imported when it runs, so that `explain` starts fast.
"""

from __future__ import annotations

from bridge.cli import access, contacts, explain, held, log, running, send, staff, suppress, tenant
from bridge.cli.common import group

app = group("Mail, Slack and Telegram to SMS, and back.")
running.register(app)
app.add_typer(explain.app, name="explain")
log.register(app)
send.register(app)
app.add_typer(held.app, name="held")
app.add_typer(tenant.app, name="tenant")
app.add_typer(suppress.app, name="suppress")
app.add_typer(contacts.app, name="contacts")
app.add_typer(staff.app, name="staff")
app.add_typer(access.app, name="access")

__all__ = ["app"]
