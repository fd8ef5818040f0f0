"""Parts in, outcomes out; receipts and MO parts to the inbox: one SMPP account as a carrier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from bridge import settings
from bridge.carriers.smpp import pdu
from bridge.carriers.smpp.account import account
from bridge.carriers.smpp.config import SmppConfig
from bridge.carriers.smpp.session import Session
from bridge.carriers.smpp.window import NOT_SENT, each
from bridge.errors import Misconfigured, TryLater
from bridge.model import Inbound, Part, Receipt
from bridge.ports import Done, Inbox

GRACE: Final = 5.0
"""Seconds that `close` waits for answers still due."""

_BINDS: Final = {
    "transceiver": (pdu.BIND_TRANSCEIVER,),
    "pair": (pdu.BIND_TRANSMITTER, pdu.BIND_RECEIVER),
}


class SmppCarrier:
    """An account at an SMSC, as `bridge.ports.Carrier`. Raises Misconfigured."""

    def __init__(self, config: SmppConfig | settings.Carrier) -> None:
        if isinstance(config, settings.Carrier):
            config = SmppConfig.from_settings(config)
        self.config = config
        self.name = config.name
        self.whole = config.long == "payload"
        self.counts: Counter[str] = Counter()
        """What happened how often, for the metrics: see `account.Account.counts`."""
        self._sessions: list[Session] = []

    async def open(self, inbox: Inbox, on_room: Callable[[], None]) -> None:
        """Start keeping the binds up. Raises Misconfigured where the TLS files cannot be used."""
        tls = self.config.tls_context()
        shared = account(self.config, inbox, on_room)
        self.counts = shared.counts
        self._sessions = [Session(shared, kind, tls) for kind in _BINDS[self.config.bind]]
        for session in self._sessions:
            session.open()

    async def close(self) -> None:
        """Unbind and stop; the transmitter first, so that its receipts may still come."""
        sessions, self._sessions = self._sessions, []
        for session in sessions:
            await session.close(GRACE)

    @property
    def room(self) -> int:
        """Parts that may leave right now; a pair needs its transmitter only."""
        link = self._sessions[0].link if self._sessions else None
        return link.room if link is not None else 0

    @property
    def up(self) -> bool:
        """Whether every bind stands."""
        return bool(self._sessions) and all(session.up for session in self._sessions)

    @property
    def last_error(self) -> str:
        """Why a bind is down, in a sentence; "" while all stand."""
        return next((s.last_error for s in self._sessions if s.last_error), "")

    def send(self, parts: Sequence[Part], done: Done) -> None:
        """Hand over parts; those that cannot leave now are told as not sent."""
        link = self._sessions[0].link if self._sessions else None
        if link is None:
            each(parts, done, NOT_SENT)
        else:
            link.send(parts, done)

    def withdraw(self, message: int) -> None:
        """What was handed over is written."""


class _Closed:
    """An inbox for a bind that only looks whether it can be: it takes nothing."""

    async def receipt(self, _carrier: str, _receipt: Receipt) -> None:
        raise TryLater("this bind was only a try", "the SMSC sends it again")

    async def inbound(self, _carrier: str, _part: Inbound) -> None:
        raise TryLater("this bind was only a try", "the SMSC sends it again")

    async def opted_out(self, _carrier: str, _number: str) -> None:
        raise TryLater("this bind was only a try", "the carrier tells again")


async def probe(config: SmppConfig | settings.Carrier) -> str:
    """Bind once and unbind: "" when that went well, else what is wrong and what to do next."""
    try:
        if isinstance(config, settings.Carrier):
            config = SmppConfig.from_settings(config)
        tls = config.tls_context()
    except Misconfigured as wrong:
        return f"{wrong.sentence} {wrong.hint}"
    shared = account(config, _Closed(), lambda: None)
    for kind in _BINDS[config.bind]:
        session = Session(shared, kind, tls)
        await session.bind()
        await session.close(0)
        if session.last_error:
            return session.last_error
    return ""
