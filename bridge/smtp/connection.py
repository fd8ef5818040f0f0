"""One client's commands: lines in, each obeyed by its `smtp_*` method, mails handed to the handler.

A command's coroutine runs at once, within the loop's call that brought the line; only one that has
to wait (for a login, a TLS handshake, the door) goes on as a task.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from functools import partial
from typing import Any, ClassVar, Final, TypeVar

import structlog

from bridge.smtp import wire
from bridge.smtp.intake import Intake
from bridge.smtp.line import Line

log = structlog.get_logger("bridge.smtp")

T = TypeVar("T")
Method = Callable[..., Coroutine[Any, Any, None]]

#: What a browser sends when a web page points it at our port: never an SMTP command.
_FOREIGN: Final = frozenset({"GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "DELETE", "PATCH"})

_MALFORMED: Final = b"500 5.5.2 Control characters or broken UTF-8 in a command\r\n"
_TOO_LONG: Final = b"500 5.5.2 Command line too long\r\n"
_UNKNOWN: Final = b"500 5.5.1 Command not recognised\r\n"


class Connection(Line):
    """Obeys commands; what they are is in the subclasses."""

    methods: ClassVar[Mapping[str, Method]]

    _overlong: bool = False  # in a command line that is too long
    _errors: int = 0
    _unrecognised: int = 0

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.methods = {
            name.removeprefix("smtp_"): getattr(cls, name)
            for name in dir(cls)
            if name.startswith("smtp_")
        }

    def _take(self) -> bool:
        intake = self._intake
        return self._take_command() if intake is None else self._take_data(intake)

    def _take_command(self) -> bool:
        """Obey the next line, ended by LF as in aiosmtpd; False while none is whole."""
        buffer, limit = self._buffer, self.limits.command_line
        end = buffer.find(b"\n")
        if end > limit or (end < 0 and len(buffer) > limit):
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
            self._complain(_TOO_LONG)
        else:
            self._command(line)
        return True

    def _command(self, line: bytes) -> None:
        text = wire.command_text(line.rstrip(b"\r"))
        if text is None:
            self._complain(_MALFORMED)
            return
        verb, _, argument = text.partition(" ")
        method = self.methods.get(verb) or self.methods.get(verb.upper())
        if method is None:
            self._unknown(verb.upper())
        else:
            self._step(method(self, argument.strip() or None))

    def _unknown(self, verb: str) -> None:
        self._unrecognised += 1
        if verb in _FOREIGN or self._unrecognised > self.limits.unrecognised:
            reason = "foreign" if verb in _FOREIGN else "unrecognised"
            self.service.counters.refused[reason] += 1
            self.bye(b"421 4.7.0 This is not a conversation in SMTP, closing\r\n")
        else:
            self._out += _UNKNOWN

    def _step(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a command; what it has to wait for, and the rest of it, becomes a task."""
        try:
            awaited = coroutine.send(None)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - logged, and answered with 451
            self._step(self._own_up(error))
            return
        self._flush()
        self._running = self.loop.create_task(self._go_on(coroutine, awaited))

    async def _go_on(self, coroutine: Coroutine[Any, Any, None], awaited: object) -> None:
        try:
            await _rest(coroutine, awaited)
        except Exception as error:  # noqa: BLE001 - logged, and answered with 451
            await self._own_up(error)
        self._running = None
        if not self._waits():
            self._work()

    async def _own_up(self, error: Exception) -> None:
        await self.push(await self.handle_exception(error))

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
        log.error("smtp fault", connection=self.id, fault=type(error).__name__, where=where)
        hook = getattr(self.event_handler, "handle_exception", None)
        if hook is not None:
            return str(await hook(error))
        return "451 4.3.0 Something is wrong here, please try again later"

    async def next_line(self) -> bytes:
        """The client's next line, for a command that is itself a dialogue; CRLF taken off."""
        self._flush()
        self._asking = self.loop.create_future()
        self._take_answer()
        try:
            return await self._asking
        finally:
            self._asking = None
            self._heard = self.loop.time()

    def _take_answer(self) -> None:
        if self._asking is None or self._asking.done():
            return
        end, limit = self._buffer.find(b"\n"), self.limits.command_line
        if end > limit or (end < 0 and len(self._buffer) > limit):
            self.bye(_TOO_LONG)
            if self._running is not None:
                self._running.cancel()
        elif end >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._asking.set_result(line.rstrip(b"\r"))

    def expect_data(self) -> None:
        """From here to the final dot what comes in is a mail."""
        self._intake = Intake(self.service, self._heard)

    def _take_data(self, intake: Intake) -> bool:
        """Hand a whole mail over, or give the refusal that it has earned; False until it is."""
        content = intake.take(self._buffer)
        if content is None:
            return False
        self._intake = None
        if intake.refusal:
            self._heard = self.loop.time()
            self._answer_mail([intake.refusal])
            return True
        self._flush()
        self._committing = True
        self._running = self.loop.create_task(self._commit(content))
        self.service.commits.add(self)
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
        self.service.committed(self)
        if self.transport is None or self._closed_at:
            log.info("smtp client left before the reply", connection=self.id)
            return
        self._answer_mail(replies)
        if self._stopped_writing:
            self._flush()
        else:
            self._work()

    async def take_mail(self, content: bytes) -> list[bytes]:
        """The handler's replies to a mail, without CRLF."""
        raise NotImplementedError

    def _answer_mail(self, replies: list[bytes]) -> None:
        """Write the outcome of a mail, and forget it."""
        raise NotImplementedError

    async def push(self, status: str | bytes) -> None:
        """Answer. Text gets the status of its code, and is an error from 500 on; octets just go."""
        if isinstance(status, str):
            status = wire.with_status(status.encode("utf-8"))
            if status[:1] == b"5":
                self._complain(status + b"\r\n")
                return
        self.answer(status)

    def answer(self, reply: bytes) -> None:
        """Answer with octets, without CRLF; they leave with the next flush."""
        self._out += reply + b"\r\n"

    def _complain(self, reply: bytes) -> None:
        """Answer a protocol error; who makes many is sent away."""
        self._out += reply
        self._errors += 1
        if self._errors > self.limits.errors:
            self.service.counters.refused["errors"] += 1
            self.bye(b"421 4.7.0 Too many errors, closing\r\n")


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
