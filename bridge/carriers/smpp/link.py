"""One connection to an SMSC: octets in, outcomes and deliveries out; parts in, octets out.

Source: SMPP 3.4, chapters 2 (session states), 4 (PDUs) and 7.2 (timers).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final, cast

import structlog

from bridge.carriers.smpp import pdu
from bridge.carriers.smpp.account import Account
from bridge.carriers.smpp.coding import Unsendable
from bridge.carriers.smpp.deliveries import Deliveries
from bridge.carriers.smpp.status import ESME_RINVCMDID, ESME_ROK
from bridge.carriers.smpp.window import FAULT, NOT_SENT, Window, each
from bridge.model import Part
from bridge.ports import Done

log = structlog.get_logger("bridge.smpp")

_LAST_SEQUENCE: Final = 0x7FFFFFFF
_TICK: Final = 1.0
_ENQUIRY: Final = 10.0  # seconds for the answer when a bind is suspected
_UNBIND: Final = 2.0
_RINVBNDSTS: Final = 0x04
MUTE: Final = "the SMSC did not answer the bind"


class Link(asyncio.Protocol):
    """One connection, from its bind to its end; `kind` is the command that binds it.

    `settled` gives the status of the bind (0: bound), or None where the connection ended before;
    `ended` gives a sentence that says why, once nothing can come any more.
    """

    def __init__(self, account: Account, kind: int) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._account = account
        self._kind = kind
        self._window = Window(account)
        self._deliveries = Deliveries(account, self._write, self._stored)
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._sequence = 0
        self._heard = loop.time()
        self._enquiry: tuple[int, float] | None = None
        self._why = ""
        self._bound = False
        self._stopping = False
        self._closing_at: float | None = None
        self._write_paused = False
        self._read_paused = False
        self._answerable_from = 0.0
        self._idle: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        config = account.config
        self._tick_seconds = min(_TICK, config.response_timeout / 4, config.enquire_seconds / 4)
        self.settled: asyncio.Future[int | None] = loop.create_future()
        self.ended: asyncio.Future[str] = loop.create_future()

    # -- for the session --------------------------------------------------------------------

    @property
    def bound(self) -> bool:
        """Whether parts may leave and deliveries come."""
        return self._bound and self._closing_at is None

    @property
    def room(self) -> int:
        """Parts that may leave right now."""
        if not self.bound or self._stopping or self._write_paused or self._window.sick:
            return 0
        return self._window.free

    def send(self, parts: Sequence[Part], done: Done) -> None:
        """Write `parts` in one go; those beyond `room` have surely not left."""
        room = self.room
        if len(parts) > room:
            each(parts[room:], done, NOT_SENT)
            parts = parts[:room]
        now, clock = self._loop.time(), time.time()
        out: list[bytes] = []
        for part in parts:
            try:
                body = self._account.coder.body(part, clock)
            except Unsendable as no:
                self._loop.call_soon(done, part, no.outcome)
                continue
            except Exception as fault:  # noqa: BLE001 - the others must leave, and all be told of
                log.error("a part cannot be written", fault=type(fault).__name__)
                self._loop.call_soon(done, part, FAULT)
                continue
            sequence = self._next()
            self._window.add(sequence, part, done, now)
            out.append(pdu.frame(pdu.SUBMIT_SM, 0, sequence, body))
        self._account.counts["submitted"] += len(out)
        self._write(b"".join(out))

    async def close(self, grace: float) -> None:
        """Send no more, wait up to `grace` seconds for what is due, unbind, hang up."""
        self._stopping = True
        if not self.bound:
            self._drop("closed before it was bound")
        elif self._busy():
            self._idle = self._loop.create_future()
            due: set[asyncio.Future[Any]] = {self._idle, self.ended}
            await asyncio.wait(due, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        if self.bound:
            self._why = "closed"
            self._unbind()
        await asyncio.wait({self.ended}, timeout=_UNBIND)
        if not self.ended.done():
            self._drop("closed")
            await asyncio.wait({self.ended})

    # -- asyncio.Protocol -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        config = self._account.config
        body = pdu.bind_body(config.system_id, config.password, config.system_type)
        self._heard = self._loop.time()
        self._write(pdu.frame(self._kind, 0, self._next(), body))
        self._tick()

    def data_received(self, data: bytes) -> None:
        if self._closing_at is not None:
            return
        self._heard = now = self._loop.time()
        self._buffer += data
        room_before = self.room
        at = self._frames(now)
        del self._buffer[:at]
        if self._deliveries.full:
            self._pause_reading()
        if self.room > room_before:
            self._account.on_room()
        self._wake()

    def eof_received(self) -> None:
        self._why = self._why or "the SMSC closed the connection"

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._closing_at = self._closing_at or self._loop.time()
        self._bound = False
        self._window.lost()
        broke = f"the connection broke ({type(exc).__name__})" if exc else ""
        self._why = self._why or broke or "the SMSC closed the connection"
        if not self.settled.done():
            self.settled.set_result(None)
        self.ended.set_result(self._why)

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        if self.room:
            self._account.on_room()

    # -- reading ----------------------------------------------------------------------------

    def _frames(self, now: float) -> int:
        """Handle every whole PDU in the buffer; where the first unread octet is."""
        buffer = self._buffer
        at, size = 0, len(buffer)
        while size - at >= 16 and self._closing_at is None:
            length, command, status, sequence = pdu.HEADER.unpack_from(buffer, at)
            if not 16 <= length <= pdu.LONGEST:
                self._drop("the SMSC sent octets that are not SMPP")
                return size
            end = at + length
            if end > size:
                break
            body = bytes(buffer[at + 16 : end])
            if command == pdu.SUBMIT_SM_RESP:
                self._window.answered(sequence, status, pdu.first_string(body), now)
            else:
                self._other(command, status, sequence, body)
            at = end
        return at

    def _other(self, command: int, status: int, sequence: int, body: bytes) -> None:
        if command in (pdu.DELIVER_SM, pdu.DATA_SM):
            if self._bound:
                self._deliveries.take(command, sequence, body)
            else:
                self._write(pdu.frame(command | pdu.RESPONSE, _RINVBNDSTS, sequence, b"\0"))
        elif command == pdu.ENQUIRE_LINK:
            self._write(pdu.frame(pdu.ENQUIRE_LINK_RESP, ESME_ROK, sequence))
        elif command == self._kind | pdu.RESPONSE:
            self._bind_answered(status)
        elif command == pdu.ENQUIRE_LINK_RESP:
            self._enquiry_answered(sequence)
        elif command == pdu.GENERIC_NACK:
            self._nacked(status, sequence)
        elif command == pdu.UNBIND:
            self._write(pdu.frame(pdu.UNBIND_RESP, ESME_ROK, sequence))
            self._hang_up("the SMSC unbound us")
        elif command == pdu.UNBIND_RESP:
            self._hang_up("unbound")
        elif command & pdu.RESPONSE or command in (pdu.OUTBIND, pdu.ALERT_NOTIFICATION):
            self._account.counts["strange"] += 1
        else:
            self._account.counts["strange"] += 1
            self._write(pdu.frame(pdu.GENERIC_NACK, ESME_RINVCMDID, sequence))

    def _bind_answered(self, status: int) -> None:
        if self.settled.done():
            self._account.counts["strange"] += 1
            return
        self._bound = status == ESME_ROK
        if self._bound:
            self._account.counts["binds"] += 1
        else:
            self._hang_up("the SMSC refused the bind")
        self.settled.set_result(status)

    def _nacked(self, status: int, sequence: int) -> None:
        """Our PDU was not understood, so surely not taken; or it was our bind."""
        if not self.settled.done():
            self._bind_answered(status or ESME_RINVCMDID)
        elif not self._enquiry_answered(sequence):
            self._window.answered(sequence, status or ESME_RINVCMDID, "", self._loop.time())

    def _enquiry_answered(self, sequence: int) -> bool:
        if self._enquiry is None or self._enquiry[0] != sequence:
            return False
        self._enquiry = None
        return True

    def _pause_reading(self) -> None:
        if not self._read_paused and self._transport is not None and self._closing_at is None:
            self._read_paused = True
            self._transport.pause_reading()

    def _stored(self) -> None:
        """Deliveries were answered: read on where that had to wait."""
        if self._read_paused and not self._deliveries.full:
            self._read_paused = False
            # Answers that came meanwhile are still unread; they are not to blame.
            self._answerable_from = self._loop.time() + self._tick_seconds
            if self._transport is not None and self._closing_at is None:
                self._transport.resume_reading()
        self._wake()

    # -- writing ----------------------------------------------------------------------------

    def _next(self) -> int:
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return self._sequence

    def _write(self, octets: bytes) -> None:
        if octets and self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    def _enquire(self, seconds: float) -> None:
        self._enquiry = (self._next(), self._loop.time() + seconds)
        self._write(pdu.frame(pdu.ENQUIRE_LINK, 0, self._enquiry[0]))

    def _unbind(self) -> None:
        self._stopping = True
        self._write(pdu.frame(pdu.UNBIND, 0, self._next()))

    # -- time and the end -------------------------------------------------------------------

    def _tick(self) -> None:
        now = self._loop.time()
        self._timer = self._loop.call_later(self._tick_seconds, self._tick)
        timeout = self._account.config.response_timeout
        if self._closing_at is not None:
            if now - self._closing_at >= _UNBIND and self._transport is not None:
                self._transport.abort()
        elif not self.settled.done():
            if now - self._heard >= timeout:
                self._drop(MUTE)
        elif not self._read_paused and now >= self._answerable_from:
            self._watch(now, timeout)

    def _watch(self, now: float, timeout: float) -> None:
        """Expire old submits; find out whether a silent SMSC is still there."""
        expired = self._window.expire(now)
        if self._enquiry is not None:
            if now >= self._enquiry[1]:
                self._drop("the SMSC did not answer enquire_link")
        elif expired:
            self._enquire(min(timeout, _ENQUIRY))
        elif self._window.hopeless(now):
            self._unbind()
            self._hang_up("the SMSC left too many submits unanswered")
        elif now - self._heard >= self._account.config.enquire_seconds:
            self._enquire(timeout)
        if expired:
            self._wake()

    def _busy(self) -> bool:
        return bool(self._window.waiting or self._deliveries.pending)

    def _wake(self) -> None:
        if self._idle is not None and not self._idle.done() and not self._busy():
            self._idle.set_result(None)

    def _hang_up(self, why: str) -> None:
        """Close once what is written has left."""
        self._why = self._why or why
        self._closing_at = self._closing_at or self._loop.time()
        if self._transport is not None:
            self._transport.close()

    def _drop(self, why: str) -> None:
        """Close at once."""
        self._why = self._why or why
        self._closing_at = self._closing_at or self._loop.time()
        if self._transport is not None:
            self._transport.abort()
