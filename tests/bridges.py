"""A bridge in the test's own process, wired by `app` as in `bridge up`, on free ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib

from bridge import app, settings
from bridge.dispatch.bridge import Bridge
from bridge.store.sql import Row, Statement
from tests.seeds import seed

ANNA = "+420601123456"
BERIT = "+4740612345"
OURS = "+420601000000"
WRITER = "eva@acme.example"

BASE = """
data_dir = "{data_dir}"
region = "CZ"
[database]
url = "{database}"
[queue]
url = "{queue}"
[smtp]
listen = "127.0.0.1:0"
domains = ["sms.example"]
[http]
listen = "127.0.0.1:0"
{more}
[[tenants]]
name = "acme"
region = "CZ"
{tenant}
senders = [ {senders} ]
{carriers}
"""
SMSC = """
[[carriers]]
name = "smsc"
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "acme"
password = "secret"
window = {window}
originator = "+420601000000"
retry_first = "1s"
{carrier}
[[routes]]
match = "+"
carriers = {route}
"""


def write_config(
    folder: Path,
    *,
    port: int = 0,
    database: str = "sqlite",
    queue: str = "embedded",
    tenant: str = "",
    more: str = "",
    window: int = 10,
    carrier: str = "",
    route: str = '["smsc"]',
    senders: str = '{ address = "*", proof = "network:127.0.0.0/8" }',
    carriers: str | None = None,
) -> Path:
    """A bridge.toml in `folder`; with `port`, an SMSC there takes everything."""
    if carriers is None:
        carriers = (
            SMSC.format(port=port, window=window, carrier=carrier, route=route) if port else ""
        )
    seed(folder / "var")
    if "countries" not in tenant:
        tenant = f'countries = ["*"]\n{tenant}'
    path = folder / "bridge.toml"
    path.write_text(
        BASE.format(
            data_dir=folder / "var",
            database=database,
            queue=queue,
            tenant=tenant,
            more=more,
            senders=senders,
            carriers=carriers,
        )
    )
    return path


class Running:
    """A running bridge and what a test asks of it."""

    def __init__(self, parts: app.Parts, smtp: str) -> None:
        self.parts = parts
        self.bridge: Bridge = parts.bridge
        self.host, _, port = smtp.rpartition(":")
        self.port = int(port)

    async def mail(
        self,
        *to: str,
        text: str = "Boiler 3 is cold",
        sender: str = WRITER,
        subject: str = "Boiler",
        **headers: str,
    ) -> str:
        """Send a mail; the reply to its final dot. Raises aiosmtplib's refusals."""
        message = EmailMessage()
        message["From"] = sender
        message["To"] = ", ".join(to)
        message["Subject"] = subject
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        message.set_content(text)
        return await self.raw(to, message.as_bytes(), sender)

    async def raw(self, to: Sequence[str], content: bytes, sender: str = WRITER) -> str:
        """Send these octets as a mail."""
        async with aiosmtplib.SMTP(hostname=self.host, port=self.port, timeout=20) as client:
            await client.mail(sender)
            for recipient in to:
                await client.rcpt(recipient)
            answer = await client.data(content)
        return f"{answer.code} {answer.message}"

    async def rows(self, statement: Statement, **values: Any) -> list[Row]:
        """Read from the store."""
        return await self.bridge.store.read(statement, **values)

    async def states(self) -> list[str]:
        """The states of all messages, oldest first."""
        from sqlalchemy import select

        from bridge.store.tables import message

        found = await self.rows(Statement(select(message.c.state).order_by(message.c.id)))
        return [row[0] for row in found]

    async def mails(self) -> list[dict[str, Any]]:
        """What lies in the sandbox's mailbox."""
        return [dict(mail) for mail in await self.parts.notifier.mailbox()]


async def until(check: Callable[[], Awaitable[Any]], seconds: float = 20) -> Any:
    """Ask again until the answer is true; the answer. Fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while True:
            found = await check()
            if found:
                return found
            await asyncio.sleep(0.01)


@asynccontextmanager
async def a_bridge(config: Path, *, works: bool = True) -> AsyncIterator[Running]:
    """`bridge up` without its pages; with `works` false nothing leaves."""
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(app.running(settings.load(config, {}), "up"))
        await parts.bell(hears=works)
        if works:
            await parts.work()
            parts.sweep()
        yield Running(parts, await parts.mail())
