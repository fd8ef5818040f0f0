"""One client's connection, driven by what it sends: octets in, commands obeyed, replies out.

aiosmtpd runs a task a connection that waits for each line. Here the lines are worked off as they
arrive, within the loop's call: a command's coroutine runs at once, and only one that has to wait (a
login, a TLS handshake, the door) goes on as a task. Replies to commands that came together leave
together (RFC 2920 3.2). An idle connection is this object and its transport: no task, no timer, no
stream; one sweep of the listener looks after everybody's time.
"""

from __future__ import annotations

import asyncio
import logging
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from functools import partial
from typing import Any, ClassVar, Final, TypeVar, cast

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as WireSession

from bridge.smtp import wire
from bridge.smtp.door import Session
from bridge.smtp.intake import Intake
from bridge.smtp.service import Service, peer_of

log = logging.getLogger(__name__)

T = TypeVar("T")
Method = Callable[..., Coroutine[Any, Any, None]]

#: Octets received ahead of their turn before the socket is no longer read.
_READ_AHEAD: Final = 2**16
#: Seconds a closed connection may take for its last reply.
_LINGER: Final = 5.0
#: What a browser sends when a web page points it at our port: never an SMTP command.
_FOREIGN: Final = frozenset({"GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "DELETE", "PATCH"})

_IDLE = b"421 4.4.2 Too long without a command, closing\r\n"
_SLOW = b"421 4.4.2 The mail took too long, closing\r\n"
CLOSING = b"421 4.3.2 Shutting down, please try again soon\r\n"
_MALFORMED = b"500 5.5.2 Control characters or broken UTF-8 in a command\r\n"


class Mail(Envelope):
    """A mail under way, with what the door keeps of it and of its recipients."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction: object = None
        self.recipients: list[object] = []


class Connection(SMTP):
    """The transport's side of a session; the commands are the subclass's `smtp_*` methods.

    aiosmtpd's own constructor, which lists methods and hooks by reflection and makes a stream, is
    left out: at some 0.3 ms and 8 kB a connection it would cost more than a mail. What its methods
    need is set here or shared in `Service`.
    """

    methods: ClassVar[Mapping[str, Method]]
    speaks_lmtp: ClassVar[bool] = False

    session: WireSession
    envelope: Mail
    transport: asyncio.Transport | None

    # What a connection starts with; an instance holds only what has changed since.
    _out: bytes = b""
    _running: asyncio.Task[None] | None = None
    _line: asyncio.Future[bytes] | None = None  # AUTH waits for the client's next line
    _committing: bool = False
    _intake: Intake | None = None  # between 354 and the final dot
    _overlong: bool = False  # in a command line that is too long
    _stopped_reading: bool = False
    _stopped_writing: bool = False
    _ended: bool = False  # the client has said all it will
    _closed_at: float = 0.0
    _heard: float = 0.0
    _mail_at: float = 0.0
    _errors: int = 0
    _unrecognised: int = 0

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.methods = {
            name.removeprefix("smtp_"): getattr(cls, name)
            for name in dir(cls)
            if name.startswith("smtp_")
        }

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self.service = service
        self.loop = loop
        self.event_handler = service.handler
        self.hostname = service.hostname
        self.data_size_limit = service.limits.max_size
        self.enable_SMTPUTF8 = True
        self.tls_context = service.tls
        self.session = self._create_session()
        self.envelope = self._create_envelope()
        self.transport = None
        self._tls_protocol: Any = None
        self._auth_required = False
        self._smtp_methods = self.methods  # type: ignore[assignment]
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
        self.caller.peer = peer_of(peername)
        self._heard = self.loop.time()
        refusal = self.service.admit(self, self.caller.peer)
        if refusal is not None:
            transport.write(refusal)
            self._closed_at = self._heard
            transport.close()
            return
        self.session.peer = peername
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
        if self._running is None and not self._stopped_writing:
            self._work()
        elif self._line is not None:
            self._hand_line()
        elif len(self._buffer) > _READ_AHEAD:
            self._stop_reading()

    def eof_received(self) -> bool:
        """Answer what was asked before the client shut its side; TLS cannot stay half open."""
        self._ended = True
        if self._line is not None and self._running is not None:
            self._running.cancel()
            return False
        return self._running is not None and not self._tls_protocol

    def pause_writing(self) -> None:
        self._stopped_writing = True
        self._stop_reading()

    def resume_writing(self) -> None:
        self._stopped_writing = False
        if self._running is None:
            self._work()

    def _stop_reading(self) -> None:
        if self.transport is not None and not self._stopped_reading and not self._closed_at:
            self._stopped_reading = True
            self.transport.pause_reading()

    def _work(self) -> None:
        """Work off what has been received, until a command waits or nothing whole is left."""
        while (
            self._buffer
            and self._running is None
            and not self._stopped_writing
            and not self._closed_at
        ):
            intake = self._intake
            if not (self._take_command() if intake is None else self._take_data(intake)):
                break
        self._flush()
        if self._running is not None or self._closed_at or self.transport is None:
            return
        if self.service.closing and self.idle:
            self.bye(CLOSING)
        elif self._ended and not self._stopped_writing:
            self.transport.close()
        elif self._stopped_reading and not self._stopped_writing:
            self._stopped_reading = False
            self.transport.resume_reading()

    def _take_command(self) -> bool:
        """Obey the next line, ended by LF as in aiosmtpd; False while none is whole."""
        buffer = self._buffer
        end = buffer.find(b"\n")
        if end > self.service.limits.command_line or (
            end < 0 and len(buffer) > self.service.limits.command_line
        ):
            self._overlong = True
        if end < 0:
            if self._overlong:
                buffer.clear()
            return False
        line = bytes(buffer[:end])
        del buffer[: end + 1]
        self._heard = self.loop.time()
        if self._overlong:
            self._overlong = False
            self._complain(b"500 5.5.2 Command line too long\r\n")
        else:
            self._command(line.rstrip(b"\r"))
        return True

    def _command(self, line: bytes) -> None:
        text = wire.command_text(line)
        if text is None:
            self._complain(_MALFORMED)
            return
        verb, _, argument = text.partition(" ")
        method = self.methods.get(verb) or self.methods.get(verb.upper())
        if method is None:
            self._unknown(verb.upper())
            return
        self._step(self._obey(method, argument.strip() or None))

    def _unknown(self, verb: str) -> None:
        self._unrecognised += 1
        if verb in _FOREIGN or self._unrecognised > self.service.limits.unrecognised:
            reason = "foreign" if verb in _FOREIGN else "unrecognised"
            self.service.counters.refused[reason] += 1
            self.bye(b"421 4.7.0 This is not a conversation in SMTP, closing\r\n")
        else:
            self._out += b"500 5.5.1 Command not recognised\r\n"

    async def _obey(self, method: Method, argument: str | None) -> None:
        try:
            await method(self, argument)
        except Exception as error:  # noqa: BLE001 - logged, and answered with 451
            await self.push(await self.handle_exception(error))

    def _step(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a command; what it has to wait for, and the rest of it, becomes a task."""
        try:
            awaited = coroutine.send(None)
        except StopIteration:
            return
        self._flush()
        self._running = self.loop.create_task(self._go_on(coroutine, awaited))

    async def _go_on(self, coroutine: Coroutine[Any, Any, None], awaited: object) -> None:
        await _rest(coroutine, awaited)
        self._running = None
        self._work()

    async def in_task(self, awaitable: Awaitable[T]) -> T:
        """Await something in a task of its own: the first step of a command runs outside one."""
        return await asyncio.ensure_future(awaitable, loop=self.loop)

    async def handle_exception(self, error: Exception) -> str:
        """The reply to a fault of ours: 451, so that the client keeps the mail and comes again.

        Neither the text of the error, which may quote a mail, nor the client stands in the log.
        """
        self.service.counters.refused["fault"] += 1
        trace, where = error.__traceback__, ""
        while trace is not None:
            where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
            trace = trace.tb_next
        log.error(
            "smtp command failed: %s",
            type(error).__name__,
            extra={"connection": self.id, "where": where},
        )
        hook = getattr(self.event_handler, "handle_exception", None)
        if hook is not None:
            return str(await hook(error))
        return "451 4.3.0 Something is wrong here, please try again later"

    async def next_line(self) -> bytes:
        """The client's next line, for a command that is itself a dialogue; CRLF taken off."""
        self._flush()
        self._line = self.loop.create_future()
        self._hand_line()
        try:
            return await self._line
        finally:
            self._line = None
            self._heard = self.loop.time()

    def _hand_line(self) -> None:
        end = self._buffer.find(b"\n")
        limit = self.service.limits.command_line
        if self._line is None or self._line.done():
            return
        if end > limit or (end < 0 and len(self._buffer) > limit):
            self.bye(b"500 5.5.2 Line too long, closing\r\n")
            if self._running is not None:
                self._running.cancel()
        elif end >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._line.set_result(line.rstrip(b"\r"))

    def expect_data(self) -> None:
        """From here to the final dot what comes in is a mail."""
        self._intake = Intake(self.service, self.loop.time())

    def _take_data(self, intake: Intake) -> bool:
        """Hand a whole mail over, or give the refusal that it has earned; False until it is."""
        content = intake.take(self._buffer)
        if content is None:
            return False
        self._intake = None
        self._heard = self.loop.time()
        if intake.refusal:
            self._answer_mail([intake.refusal])
            return True
        self._flush()
        self._committing = True
        task = self.loop.create_task(self._commit(content))
        self._running = task
        self.service.commits.add(task)
        task.add_done_callback(self.service.committed)
        return True

    async def _commit(self, content: bytes) -> None:
        """Let the handler take the mail. Nothing cancels this: the client leaving least of all."""
        try:
            replies = await self.take_mail(content)
        except Exception as error:  # noqa: BLE001 - logged, and answered with 451
            replies = [wire.with_status((await self.handle_exception(error)).encode())]
        self._committing = False
        self._running = None
        self._heard = self.loop.time()
        if self.transport is None or self._closed_at:
            log.info("smtp client left before the reply", extra={"connection": self.id})
            return
        self._answer_mail(replies)
        self._work()

    async def take_mail(self, content: bytes) -> list[bytes]:
        """The handler's replies to a mail, without CRLF."""
        raise NotImplementedError

    def _answer_mail(self, replies: list[bytes]) -> None:
        """Write the outcome of a mail, and forget it."""
        raise NotImplementedError

    async def push(self, status: str | bytes) -> None:
        """Answer: text gets the status of its code and counts as error from 500 on; octets go."""
        if isinstance(status, str):
            status = wire.with_status(status.encode("utf-8"))
            if status[:1] == b"5":
                self._complain(status + b"\r\n")
                return
        self._out += status + b"\r\n"
        if self._running is not None:
            self._flush()

    def _complain(self, reply: bytes) -> None:
        """Answer a protocol error; who makes many is sent away."""
        self._out += reply
        self._errors += 1
        if self._errors > self.service.limits.errors:
            self.service.counters.refused["errors"] += 1
            self.bye(b"421 4.7.0 Too many errors, closing\r\n")
        elif self._running is not None:
            self._flush()

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
        limits = self.service.limits
        if self._closed_at:
            if now - self._closed_at > _LINGER and self.transport is not None:
                self.transport.abort()
        elif self._running is not None and self._line is None:
            return
        elif self._stopped_writing:
            if now - self._heard > limits.idle and self.transport is not None:
                self.service.counters.refused["slow"] += 1
                self.transport.abort()
        elif self._too_slow(now):
            self._expire("slow", _SLOW)
        elif self._intake is None and now - self._heard > limits.idle:
            self._expire("idle", _IDLE)

    def _too_slow(self, now: float) -> bool:
        limits = self.service.limits
        if self.envelope.mail_from is None:
            return False
        if now - self._mail_at > limits.transaction:
            return True
        return self._intake is not None and self._intake.too_slow(now)

    def _expire(self, reason: str, reply: bytes) -> None:
        self.service.counters.refused[reason] += 1
        self.bye(reply)
        if self._running is not None:
            self._running.cancel()


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], awaited: object) -> Generator[Any, Any, None]:
    """Go on with a coroutine that has run until it awaited something."""
    while True:
        step: Callable[[], object] = partial(coroutine.send, None)
        try:
            yield awaited
        except BaseException as error:  # noqa: BLE001 - what was awaited failed: the coroutine's own
            step = partial(coroutine.throw, error)
        try:
            awaited = step()
        except StopIteration:
            return
