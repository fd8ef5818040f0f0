"""One client's line: octets in as they arrive, replies out together, and an end when it is due.

aiosmtpd runs a task a connection that waits for each line of the client. Here what has arrived is
worked off within the loop's own call, and an idle connection is this object and its transport: no
task, no timer, no stream; one sweep of the listener looks after everybody's time.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final, cast

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as WireSession

from bridge.smtp.door import Session
from bridge.smtp.intake import Intake
from bridge.smtp.service import Service, peer_of

#: Octets received ahead of their turn before the socket is no longer read.
_READ_AHEAD: Final = 2**16
#: Commands of one client worked off in a row.
_TURN: Final = 100
#: Seconds a closed connection may take for its last reply.
_LINGER: Final = 5.0

CLOSING: Final = b"421 4.3.2 Shutting down, please try again soon\r\n"
_IDLE: Final = b"421 4.4.2 Too long without a command, closing\r\n"
_SLOW: Final = b"421 4.4.2 The mail took too long, closing\r\n"


class Mail(Envelope):
    """A mail under way, with what the door keeps of it and of its recipients."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction: object = None
        self.recipients: list[object] = []


class Line(SMTP):
    """The transport's side of a session; what comes in is for the subclass to understand.

    aiosmtpd's own constructor, which lists methods and hooks by reflection and makes a stream, is
    left out: at some 0.3 ms and 8 kB a connection it would cost more than a mail. What its methods
    need is set here or shared in `Service`.
    """

    speaks_lmtp: ClassVar[bool] = False
    methods: ClassVar[Any] = {}

    session: WireSession
    envelope: Mail
    transport: asyncio.Transport | None

    # What a connection starts with; an instance holds only what has changed since.
    _out: bytes = b""
    _running: asyncio.Task[None] | None = None  # a command that waits, or the door with a mail
    _committing: bool = False  # it is the door
    _turn: asyncio.Handle | None = None  # others have theirs
    _asking: asyncio.Future[bytes] | None = None  # AUTH waits for the client's next line
    _intake: Intake | None = None  # between 354 and the final dot
    _stopped_reading: bool = False
    _stopped_writing: bool = False
    _ended: bool = False  # the client has said all it will
    _closed_at: float = 0.0
    _heard: float = 0.0  # when the last whole command came
    _mail_at: float = 0.0

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self.service = service
        self.limits = service.limits
        self.loop = loop
        self.event_handler = service.handler
        self.hostname = service.hostname
        self.data_size_limit = service.limits.max_size
        self.enable_SMTPUTF8 = True
        self.tls_context = service.tls
        self.session = self._create_session()
        self.envelope = Mail()
        self.transport = None
        self._tls_protocol: Any = None
        self._auth_required = False
        self._smtp_methods = self.methods
        self._handle_hooks = service.hooks  # type: ignore[assignment]
        self.caller = Session("", lmtp=self.speaks_lmtp)
        self.id = next(service.ids)
        self._buffer = bytearray()

    def _create_envelope(self) -> Mail:
        return Mail()

    def _set_post_data_state(self) -> None:
        self.envelope = Mail()

    def _set_rset_state(self) -> None:
        self.envelope = Mail()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast("asyncio.Transport", transport)
        peername = transport.get_extra_info("peername")
        self.session.peer = peername
        self.caller.peer = peer_of(peername)
        self._heard = self.loop.time()
        refusal = self.service.admit(self, self.caller.peer)
        if refusal is not None:
            self.bye(refusal)
            return
        name = "LMTP" if self.speaks_lmtp else "ESMTP"
        transport.write(f"220 {self.hostname} {name}\r\n".encode("ascii"))

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self.service.leave(self, self.caller.peer)
        if self._intake is not None:
            self._intake.release()
        self.transport = None
        self._buffer.clear()
        if self._running is not None and not self._committing:
            self._running.cancel()

    def data_received(self, data: bytes) -> None:
        if self._closed_at:
            return
        self._buffer += data
        if not self._waits():
            self._work()
        elif self._asking is not None:
            self._take_answer()
        elif len(self._buffer) > _READ_AHEAD:
            self._stop_reading()

    def eof_received(self) -> bool:
        """Answer what was asked before the client shut its side; TLS cannot stay half open."""
        self._ended = True
        if self._asking is not None and self._running is not None:
            self._running.cancel()
            return False
        return self._waits() and not self._tls_protocol

    def pause_writing(self) -> None:
        self._stopped_writing = True
        self._stop_reading()

    def resume_writing(self) -> None:
        self._stopped_writing = False
        if not self._waits():
            self._work()

    def _stop_reading(self) -> None:
        if self.transport is not None and not self._stopped_reading and not self._closed_at:
            self._stopped_reading = True
            self.transport.pause_reading()

    def _waits(self) -> bool:
        """True while what has been received must lie."""
        return (
            self._running is not None
            or self._turn is not None
            or self._stopped_writing
            or self._closed_at > 0
        )

    def _work(self) -> None:
        """Work off what has been received, until something waits or nothing whole is left.

        Replies to commands that came together leave together (RFC 2920 3.2). After some commands
        the other connections have their turn.
        """
        for _ in range(_TURN):
            if not self._buffer or not self._take():
                break
            if self._running is not None or self._closed_at:
                break
        else:
            self._turn = self.loop.call_soon(self._next_turn)
        if self._out:
            self._flush()
        if self._waits() or self.transport is None:
            return
        if self.service.closing and self.idle:
            self.bye(CLOSING)
        elif self._ended:
            self.transport.close()
        elif self._stopped_reading:
            self._stopped_reading = False
            self.transport.resume_reading()

    def _next_turn(self) -> None:
        self._turn = None
        if not self._waits():
            self._work()

    def _take(self) -> bool:
        """Take one command, or a mail's content, off the buffer; False while none is whole."""
        raise NotImplementedError

    def _take_answer(self) -> None:
        """Take the line off the buffer that a command has asked for, if it is there."""
        raise NotImplementedError

    def _flush(self) -> None:
        if self._out and self.transport is not None:
            out, self._out = self._out, b""
            self.transport.write(out)

    def bye(self, reply: bytes) -> None:
        """Say a last word, with CRLF, and close; nothing that still comes is looked at."""
        if self.transport is None or self._closed_at:
            return
        self._out += reply
        self._flush()
        self._closed_at = self.loop.time()
        self._buffer.clear()
        self.transport.close()

    @property
    def idle(self) -> bool:
        """No mail and no command is under way."""
        return self._running is None and self._intake is None and self.envelope.mail_from is None

    def close_if_idle(self) -> None:
        """End an idle connection; any other ends itself once its mail is done."""
        if self.idle:
            self.bye(CLOSING)

    def close_at_once(self) -> None:
        """End a connection whatever is under way."""
        if self._closed_at and self.transport is not None:
            self.transport.abort()
        self.bye(CLOSING)

    def check_time(self, now: float) -> None:
        """Close what has been idle, slow or closing for too long; what waits for us is spared."""
        if self._closed_at:
            if now - self._closed_at > _LINGER and self.transport is not None:
                self.transport.abort()
        elif self._running is not None and self._asking is None:
            return
        elif self._stopped_writing:
            if now - self._heard > self.limits.idle and self.transport is not None:
                self.service.counters.refused["slow"] += 1
                self.transport.abort()
        elif self._too_slow(now):
            self._expire("slow", _SLOW)
        elif self._intake is None and now - self._heard > self.limits.idle:
            self._expire("idle", _IDLE)

    def _too_slow(self, now: float) -> bool:
        if self.envelope.mail_from is None:
            return False
        if now - self._mail_at > self.limits.transaction:
            return True
        return self._intake is not None and self._intake.too_slow(now)

    def _expire(self, reason: str, reply: bytes) -> None:
        self.service.counters.refused[reason] += 1
        self.bye(reply)
        if self._running is not None:
            self._running.cancel()
