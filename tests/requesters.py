"""The register of requests as tests use it: a bridge with a clock, operations, phones and mails."""

from __future__ import annotations

import email
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.policy import default
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bridge import opening
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.receive import Reception
from bridge.dispatch.submit import submit
from bridge.errors import Refused
from bridge.model import Class, Inbound, Origin, Submission
from bridge.operations import REGISTRY, Office
from bridge.settings import load
from bridge.smtp.notifier import MailNotifier
from bridge.store.notices import ClaimNotices, Notice, claim_notices
from bridge.store.request_rows import Request, request_of
from bridge.store.request_tables import dsr
from bridge.store.sql import Do, Statement
from bridge.store.tables import body, message
from tests.seeds import seeded

ANNA = "+420601123456"
BERTA = "+420601123457"
STRANGER = "+420601123499"
CONFIG = """
data_dir = "{data_dir}"
region = "CZ"
public_url = "https://sms.example"
[database]
url = "{url}"
[privacy]
inbox = ["dpo@bridge.example"]
operator = "Our bridge"
[[tenants]]
name = "acme"
countries = ["CZ", "SK"]
inbox = ["boss@acme.example"]
programmes = [ {{ name = "offers", keyword = "OFFERS", text = "You get our offers." }} ]
[[tenants]]
name = "own"
profile = "controller"
authority = "NO"
inbox = ["desk@own.example"]
"""


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now

    def days(self, count: float) -> None:
        self.now += count * 86400


@asynccontextmanager
async def a_register(tmp_path: Path, url: str) -> AsyncIterator[Bridge]:
    """A bridge with a tenant that decides itself and one for which we do, and a clock to move."""
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIG.format(data_dir=seeded(tmp_path / "data"), url=url))
    async with opening.opened(load(path, {}), "up") as bridge:
        bridge.clock = Clock()
        bridge.bell.ring = lambda *_: None  # type: ignore[method-assign]
        Reception(bridge, lambda _: None)
        yield bridge


Do_ = Callable[..., Any]


def doer(bridge: Bridge) -> Do_:
    """Run an operation as somebody; its one item."""

    async def run(operation: str, actor: str = "eva", **arguments: Any) -> Any:
        office = Office(bridge, bridge.silence, actor)
        found = [item async for item in REGISTRY[operation](office, **arguments)]
        return found if operation.endswith("list") else found[0]

    return run


def clock(bridge: Bridge) -> Clock:
    found = bridge.clock
    assert isinstance(found, Clock)
    return found


async def rows(bridge: Bridge, *columns: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await bridge.store.read(Statement(select(*columns)))]


async def texted(
    bridge: Bridge, to: str = ANNA, klass: Class = Class.TRANSACTIONAL, tenant: str = "acme"
) -> int:
    """A message that waits."""
    owner = bridge.register.named(tenant)
    assert owner is not None
    item = Submission(
        owner.id,
        Origin("mail", "eva@firm.example", {"subject": "Pump"}),
        to,
        "CZ",
        "The pump runs.",
        klass=klass,
    )
    return (await submit(bridge, item)).id


async def state_of(bridge: Bridge, number: int) -> str:
    found = await rows(bridge, message.c.id, message.c.state)
    return str(dict(found)[number])


async def sent(bridge: Bridge, number: int) -> None:
    """The message has left."""
    item = Statement(
        message.update()
        .where(message.c.id == number)
        .values(state="sent", tries=1, sent_at=bridge.clock())
    )

    def script(_: Any) -> Any:
        yield Do(item, {})
        return [None]

    await bridge.store.write(script, None)


async def the_request(bridge: Bridge) -> Request:
    found = await bridge.store.read(Statement(select(*dsr.columns).order_by(dsr.c.id.desc())))
    return request_of(found[0])


async def writes(bridge: Bridge, text: str, source: str = ANNA) -> None:
    """A person answers from a phone."""
    part = Inbound(source=source, destination="", data=text.encode(), coding="utf-8")
    await Reception(bridge, lambda _: None).inbound("sandbox", part)


async def code_sent(bridge: Bridge) -> str:
    """The code in the newest SMS of ours."""
    found = await rows(bridge, body.c.text, body.c.message_id)
    text = max(found, key=lambda row: int(row[1]))[0]
    return "".join(c for c in text.split()[0] if c.isdigit())


async def letters(bridge: Bridge) -> list[tuple[str, str]]:
    """(to, text) of all mails that are owed, composed; none of them twice."""
    claimed: list[Notice] = await bridge.store.write(
        claim_notices, ClaimNotices("mail", bridge.incarnation, bridge.clock(), 100)
    )
    notifier = MailNotifier(bridge)
    found = []
    for each in claimed:
        try:
            mail = await notifier.compose(each)
        except Refused:
            continue
        parsed = email.message_from_bytes(mail.content, policy=default)
        words = parsed.get_body(("plain",))
        assert words is not None
        found.append((mail.to, words.get_content()))
    return found


async def proved(bridge: Bridge, do: Do_, shown: str) -> Any:
    await do("dsar verify", id=shown)
    return await do("dsar verify", id=shown, code=await code_sent(bridge))
