"""What a client sends after DATA in, one mail out: bounded, and ended by CRLF.CRLF only."""

from __future__ import annotations

from typing import Final

from bridge.smtp import wire
from bridge.smtp.service import Service

_END: Final = b"\r\n.\r\n"
_START: Final = b".\r\n"  # the end of a mail without a line

TOO_LARGE: Final = b"552 5.3.4 The mail is larger than the %d octets accepted here"
_LONG_LINE: Final = b"500 5.5.2 A line of the mail has more than %d octets"
_NO_ROOM: Final = b"452 4.3.1 Too many mails are being received, please try again later"


class Intake:
    """One mail on its way in.

    A bare CR or LF is content, wherever it stands: a dot beside one never ends a mail, so nothing
    can be smuggled behind an end that another server does not see. What is too large is thrown away
    as it comes and refused after its end, when the client listens again (RFC 5321 4.2.5).
    """

    __slots__ = ("_began", "_held", "_service", "_swallowed", "refusal")

    def __init__(self, service: Service, now: float) -> None:
        self.refusal = b""
        self._service = service
        self._began = now
        self._held = 0  # octets in the buffer that service.buffered counts
        self._swallowed = 0  # octets thrown away

    def take(self, buffer: bytearray) -> bytes | None:
        """The mail once it is whole, cut off `buffer`; None until then.

        With `refusal` set the mail is to be refused, and what comes back is only its rest.
        """
        whole = self._find_end(buffer)
        if whole < 0:
            self._keep(buffer)
            return None
        raw = bytes(buffer[: whole - len(_START)])
        del buffer[:whole]
        self.release()
        limits = self._service.limits
        if not self.refusal:
            if len(raw) > limits.max_size:
                self._refuse("size", TOO_LARGE % limits.max_size)
            elif len(raw) > limits.data_line and wire.longest_line_over(raw, limits.data_line):
                self._refuse("line", _LONG_LINE % limits.data_line)
        return wire.unstuffed(raw)

    def too_slow(self, now: float) -> bool:
        """True when less has come than the agreed rate asks for."""
        limits = self._service.limits
        counted = now - self._began - limits.data_grace
        return self._held + self._swallowed < limits.data_rate * counted

    def release(self) -> None:
        """Give the memory back that the listener counts."""
        self._service.buffered -= self._held
        self._held = 0

    def _find_end(self, buffer: bytearray) -> int:
        """How many octets the mail has with its end; -1 while that has not come."""
        if not self._held and not self._swallowed and buffer.startswith(_START):
            return len(_START)
        seen = max(0, self._held - len(_END) + 1)
        found = buffer.find(_END, seen)
        return found if found < 0 else found + len(_END)

    def _keep(self, buffer: bytearray) -> None:
        """Note what has come, or let go of it: all but what may belong to the end."""
        service, size = self._service, len(buffer)
        if size < len(_START) and not self._held and not self._swallowed:
            return  # it may yet be the end of an empty mail
        service.buffered += size - self._held
        self._held = size
        if not self.refusal:
            if size > service.limits.max_size + len(_END):
                self._refuse("size", TOO_LARGE % service.limits.max_size)
            elif service.buffered > service.limits.buffered:
                self._refuse("memory", _NO_ROOM)
        if self.refusal:
            gone = max(size - len(_END) + 1, 0)
            del buffer[:gone]
            self._swallowed += gone
            service.buffered -= gone
            self._held -= gone

    def _refuse(self, reason: str, reply: bytes) -> None:
        self._service.counters.refused[reason] += 1
        self.refusal = reply
