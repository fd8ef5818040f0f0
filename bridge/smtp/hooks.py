"""aiosmtpd's hooks in, calls of the door out, and the door's answers back as SMTP replies."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, cast

from bridge.smtp import wire
from bridge.smtp.connection import Connection, Mail
from bridge.smtp.door import Door, Refusal, Reply


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
        replies = await self.door.data(
            server.caller,
            envelope.transaction,
            envelope.mail_from or "",
            envelope.recipients,
            cast("bytes", envelope.content),
        )
        if len(replies) != len(envelope.recipients):
            raise RuntimeError("the door answered for other recipients than it was given")
        return [_line(reply, envelope) for reply in replies]

    async def authenticate(self, server: Connection, user: str, password: str) -> bool:
        """Ask the door about a login."""
        return await self.door.login(server.caller, user, password)


def _line(answer: Reply | Refusal, envelope: Mail) -> bytes:
    return wire.reply(answer.code, answer.status, answer.sentence, utf8=envelope.smtp_utf8)
