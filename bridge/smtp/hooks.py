"""aiosmtpd's hooks in, calls of the door out, and the door's answers back as SMTP replies."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, cast

from bridge.errors import TryLater
from bridge.smtp import wire
from bridge.smtp.connection import Connection
from bridge.smtp.door import Door, Refusal, Reply
from bridge.smtp.line import Mail


class DoorHooks:
    """An aiosmtpd handler that lets a Door decide."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self,
        server: Connection,
        _session: object,
        envelope: Mail,
        address: str,
        options: list[str],
    ) -> object:
        """Begin a transaction unless the door refuses the sender."""
        try:
            envelope.transaction = self.door.mail(server.caller, address)
        except Refusal as no:
            server.service.counters.refused["sender"] += 1
            return _line(no, envelope)
        except TryLater as later:
            server.service.counters.refused["later"] += 1
            return _later(later, envelope)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return b"250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: Connection,
        _session: object,
        envelope: Mail,
        address: str,
        _options: list[str],
    ) -> object:
        """Add a recipient unless the door refuses it."""
        try:
            state = self.door.recipient(server.caller, envelope.transaction, address)
            if hasattr(state, "__await__"):
                state = await server.in_task(cast("Coroutine[Any, Any, object]", state))
        except Refusal as no:
            server.service.counters.refused["recipient"] += 1
            return _line(no, envelope)
        except TryLater as later:
            server.service.counters.refused["later"] += 1
            return _later(later, envelope)
        envelope.recipients.append(state)
        envelope.rcpt_tos.append(address)
        return b"250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self,
        server: Connection,
        _session: object,
        envelope: Mail,
    ) -> list[bytes]:
        """Hand the mail to the door: its replies, one a recipient."""
        try:
            replies = await self.door.data(
                server.caller,
                envelope.transaction,
                envelope.mail_from or "",
                envelope.recipients,
                cast("bytes", envelope.content),
            )
        except TryLater as later:
            server.service.counters.refused["later"] += 1
            return [_later(later, envelope)] * len(envelope.recipients)
        if len(replies) != len(envelope.recipients):
            raise RuntimeError("the door answered for other recipients than it was given")
        if all(reply.code >= 300 for reply in replies):
            server.service.counters.refused["content"] += 1
        return [_line(reply, envelope) for reply in replies]

    async def authenticate(self, server: Connection, user: str, password: str) -> bool:
        """Ask the door about a login."""
        return await self.door.login(server.caller, user, password)


def _line(answer: Reply | Refusal, envelope: Mail) -> bytes:
    return wire.reply(answer.code, answer.status, answer.sentence, utf8=envelope.smtp_utf8)


def _later(later: TryLater, envelope: Mail) -> bytes:
    return wire.reply(451, later.status, later.sentence, utf8=envelope.smtp_utf8)
