"""deliver_sm and data_sm in; receipts and MO parts to the inbox, and their responses, out.

Stored first, acknowledged after: the SMSC repeats what we do not acknowledge. Many are stored at
a time, so that the inbox can commit them together; MO parts of one sender keep their order.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Final

import structlog

from bridge.carriers.smpp.account import Account
from bridge.carriers.smpp.inbound import read_inbound
from bridge.carriers.smpp.pdu import (
    DELIVER_SM,
    RESPONSE,
    BadPdu,
    Delivery,
    frame,
    read_data,
    read_deliver,
)
from bridge.carriers.smpp.receipts import is_receipt, raw_id, read_receipt
from bridge.carriers.smpp.status import ESME_ROK, ESME_RX_P_APPN, ESME_RX_T_APPN
from bridge.errors import TryLater
from bridge.model import Inbound

log = structlog.get_logger("bridge.smpp")

MOST: Final = 500
"""Deliveries being stored at a time; beyond it the connection is not read."""

_OVERTAKEN: Final = (0.02, 0.1, 0.5, 2.0)
"""Seconds between looks for the answer that a receipt overtook."""


class Deliveries:
    """What one connection delivered and we have not answered yet.

    `write` takes responses; `changed` is called whenever one has been answered.
    """

    def __init__(
        self, account: Account, write: Callable[[bytes], None], changed: Callable[[], None]
    ) -> None:
        self._account = account
        self._write = write
        self._changed = changed
        self._tasks: set[asyncio.Task[None]] = set()
        self._senders: dict[str, deque[tuple[Inbound, int, int]]] = {}
        self._answers: list[bytes] = []
        self.pending = 0

    @property
    def full(self) -> bool:
        """Whether reading has to wait."""
        return self.pending >= MOST

    def take(self, command: int, sequence: int, body: bytes) -> None:
        """One delivery; its response follows when it is stored."""
        try:
            delivery = read_deliver(body) if command == DELIVER_SM else read_data(body)
        except BadPdu:
            self._account.counts["unreadable"] += 1
            log.warning("delivery unreadable", carrier=self._account.config.name)
            self._write(self._response(command, sequence, ESME_RX_P_APPN))
            return
        self.pending += 1
        if is_receipt(delivery):
            self._spawn(self._receipt(delivery, command, sequence))
        else:
            self._queue(delivery, command, sequence)

    def _response(self, command: int, sequence: int, status: int) -> bytes:
        return frame(command | RESPONSE, status, sequence, b"\0")

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        # The loop holds tasks weakly: a reference of our own keeps them to the end.
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _receipt(self, delivery: Delivery, command: int, sequence: int) -> None:
        account = self._account
        raw = raw_id(delivery)
        if not raw:
            # It names no message: nobody could ever match it, and sent again it says no more.
            account.counts["unreadable"] += 1
            log.warning("receipt without an id", carrier=account.config.name)
            self._answered(command, sequence, ESME_ROK)
            return
        account.counts["receipts"] += 1
        await self._overtaken(raw)
        receipt = read_receipt(delivery, account.ids.receipt(raw), time.time())
        status = await self._stored(account.inbox.receipt(account.config.name, receipt))
        self._answered(command, sequence, status)

    async def _overtaken(self, raw: str) -> None:
        """While the writing of ids is open, let an answer come that this receipt overtook."""
        for pause in _OVERTAKEN:
            if self._account.ids.knows(raw) or not self._account.outstanding:
                return
            await asyncio.sleep(pause)

    def _queue(self, delivery: Delivery, command: int, sequence: int) -> None:
        part = read_inbound(delivery, self._account.config.gsm7_coding)
        self._account.counts["inbound"] += 1
        item = (part, command, sequence)
        if part.source in self._senders:
            self._senders[part.source].append(item)
            return
        self._senders[part.source] = deque([item])
        self._spawn(self._sender(part.source))

    async def _sender(self, source: str) -> None:
        account = self._account
        queue = self._senders[source]
        while queue:
            part, command, sequence = queue.popleft()
            status = await self._stored(account.inbox.inbound(account.config.name, part))
            self._answered(command, sequence, status)
        del self._senders[source]

    async def _stored(self, storing: Coroutine[None, None, None]) -> int:
        """The status to answer with once `storing` ends."""
        try:
            await storing
        except TryLater:
            self._account.counts["refused-for-now"] += 1
            return ESME_RX_T_APPN
        except Exception as fault:  # noqa: BLE001
            # Unstored is unacknowledged, whatever went wrong; its message may hold a text.
            self._account.counts["refused-for-now"] += 1
            carrier = self._account.config.name
            log.error("the inbox failed", carrier=carrier, fault=type(fault).__name__)
            return ESME_RX_T_APPN
        return ESME_ROK

    def _answered(self, command: int, sequence: int, status: int) -> None:
        self.pending -= 1
        if not self._answers:
            # What one commit stored is answered in one write.
            asyncio.get_running_loop().call_soon(self._flush)
        self._answers.append(self._response(command, sequence, status))

    def _flush(self) -> None:
        answers, self._answers = self._answers, []
        self._write(b"".join(answers))
        self._changed()
