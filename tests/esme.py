"""A carrier under test with an inbox that remembers: parts in, what became of them out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from bridge.carriers.smpp import SmppCarrier, SmppConfig
from bridge.model import Inbound, Outcome, Part, Receipt, Verdict

OURS = "+420601000000"


class Inbox:
    """Stores in memory. `fail` is raised instead; `gate`, when cleared, makes storing wait."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.parts: list[Inbound] = []
        self.storing = self.most_storing = 0
        self.fail: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.changed = asyncio.Event()

    async def receipt(self, carrier: str, receipt: Receipt) -> None:
        assert carrier == "smsc-1"
        await self._stored()
        self.receipts.append(receipt)

    async def inbound(self, carrier: str, part: Inbound) -> None:
        assert carrier == "smsc-1"
        await self._stored()
        self.parts.append(part)

    async def opted_out(self, _carrier: str, _number: str) -> None:
        raise AssertionError("SMPP has no word for this")

    async def _stored(self) -> None:
        self.storing += 1
        self.most_storing = max(self.most_storing, self.storing)
        self.changed.set()
        try:
            await self.gate.wait()
            if self.fail:
                raise self.fail
        finally:
            self.storing -= 1
            self.changed.set()


class Esme:
    """An open carrier and everything it told."""

    def __init__(self, config: SmppConfig) -> None:
        self.carrier = SmppCarrier(config)
        self.inbox = Inbox()
        self.outcomes: dict[int, Outcome] = {}
        self.late: dict[int, Outcome] = {}
        self.rooms = 0
        self._sending = False
        self._changed = asyncio.Event()
        self.inbox.changed = self._changed
        self._made = 0

    def part(self, text: str = "Server room is flooding", **more: Any) -> Part:
        self._made += 1
        values: dict[str, Any] = {
            "attempt": self._made, "message": self._made, "number": 1, "total": 1, "ref": 0, "destination": "+420601123456",
            "originator": "", "text": text, "encoding": "gsm7", "lang": "", "expires_at": time.time() + 3600,
        }  # fmt: skip
        return Part(**(values | more))

    def send(self, *parts: Part) -> None:
        self._sending = True
        self.carrier.send(parts, self._done)
        self._sending = False

    async def told(self, *parts: Part) -> list[Outcome]:
        """The outcomes of parts that were sent."""
        await self.until(lambda: all(p.attempt in self.outcomes for p in parts))
        return [self.outcomes[p.attempt] for p in parts]

    async def ask(self, *parts: Part) -> list[Outcome]:
        self.send(*parts)
        return await self.told(*parts)

    async def until(self, holds: Callable[[], object], seconds: float = 15.0) -> None:
        """Wait until `holds()`; asked again whenever the carrier told something."""
        async with asyncio.timeout(seconds):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    def _done(self, part: Part, outcome: Outcome) -> None:
        assert not self._sending, "done was called from within send"
        if outcome.late:
            assert self.outcomes[part.attempt].verdict is Verdict.UNKNOWN
            self.late[part.attempt] = outcome
            self._changed.set()
            return
        assert part.attempt not in self.outcomes, "a part was told twice"
        self.outcomes[part.attempt] = outcome
        self._changed.set()

    def room(self) -> None:
        self.rooms += 1
        self._changed.set()


def config(port: int, **more: Any) -> SmppConfig:
    values: dict[str, Any] = {
        "name": "smsc-1",
        "host": "127.0.0.1",
        "port": port,
        "system_id": "acme",
        "password": "secret",
        "originator": OURS,
    }
    return SmppConfig(**(values | more))


@contextlib.asynccontextmanager
async def esme(port: int, *, wait: bool = True, **more: Any) -> AsyncIterator[Esme]:
    """An open carrier; bound already unless `wait` is false."""
    it = Esme(config(port, **more))
    await it.carrier.open(it.inbox, it.room)
    try:
        if wait:
            await it.until(lambda: it.carrier.room and it.carrier.up)
        yield it
    finally:
        await it.carrier.close()
