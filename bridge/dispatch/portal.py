"""The portal's sign-in: a typed number in, a code by SMS out; a typed code in, a session out.

A number that nobody ever wrote to is treated alike to the last write, only no SMS leaves: nothing
is learnt, a stranger's phone is not flooded, and nobody earns by it (PRIVACY P23, P74, P75).
"""

from __future__ import annotations

import asyncio
import secrets
from hashlib import sha256

import structlog

from bridge import phone
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.own import Addressee, own_message
from bridge.dispatch.submit import keep
from bridge.errors import BridgeError
from bridge.store.portal import (
    CODE_SECONDS,
    KNOWN,
    LAST_SENT,
    SESSION,
    AskCode,
    Known,
    TryCode,
    ask_codes,
    sign_out,
    try_codes,
)

log = structlog.get_logger("bridge.portal")

_DIGITS = 6


class SignIn:
    """How a person proves a number to the portal."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._sending: set[asyncio.Task[None]] = set()

    def person(self, typed: str) -> str:
        """The keyed hash that a number is known by, as typed. Raises BadNumber."""
        return self._bridge.keys.everyone(self._e164(typed))

    async def ask(self, typed: str, address: str, words: str) -> None:
        """Send a code to this number, where one may be sent.

        `address` is who asks; `words` hold `{code}`. Raises BadNumber, StoreUnavailable. It takes
        as long for every number: what an SMS needs is done afterwards.
        """
        keys = self._bridge.keys
        person = self.person(typed)
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
        item = AskCode(
            all_index=person,
            number_key=keys.repeat(b"portal number", person.encode()),
            address_key=keys.repeat(b"portal address", address.encode()),
            code_hash=self._code(person, code),
            now=self._bridge.clock(),
        )
        allowed = await self._bridge.store.write(ask_codes, item)
        task = asyncio.create_task(self._send(person, words.replace("{code}", code), allowed))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def enter(self, typed: str, code: str) -> str | None:
        """A session's secret for whoever typed the right code. Raises BadNumber."""
        person = self.person(typed)
        secret = secrets.token_urlsafe(24)
        item = TryCode(person, self._code(person, code), _hash(secret), self._bridge.clock())
        return secret if await self._bridge.store.write(try_codes, item) else None

    async def who(self, secret: str) -> str | None:
        """The person that a session is of: their keyed hash."""
        now = self._bridge.clock()
        found = await self._bridge.store.read(SESSION, hash=_hash(secret), now=now)
        return found[0][0] if found else None

    async def known(self, person: str) -> list[Known]:
        """How each tenant knows this person."""
        return [Known(*row) for row in await self._bridge.store.read(KNOWN, all_index=person)]

    async def leave(self, secret: str) -> None:
        """End a session."""
        await self._bridge.store.write(sign_out, _hash(secret))

    async def settle(self) -> None:
        """Return once no code is on its way to the outbox any more."""
        while self._sending:
            await asyncio.wait(self._sending)

    def _e164(self, typed: str) -> str:
        return phone.parse(typed, self._bridge.settings.region).e164

    def _code(self, person: str, code: str) -> str:
        digits = "".join(c for c in code if c.isdecimal())
        return self._bridge.keys.repeat(b"portal code", person.encode(), digits.encode())

    async def _send(self, person: str, text: str, allowed: bool) -> None:
        try:
            found = await self.known(person)
            last = await self._bridge.store.read(LAST_SENT, all_index=person)
            if allowed and found:
                await self._send_to(person, found, [tuple(row) for row in last], text)
        except BridgeError as error:
            log.warning("a portal's code could not be sent", error=error.sentence)

    async def _send_to(
        self, person: str, found: list[Known], last: list[tuple[int, str]], text: str
    ) -> None:
        tenant_id, originator = last[0] if last else (found[0].tenant_id, "")
        known = next((k for k in found if k.tenant_id == tenant_id), found[0])
        tenant = self._bridge.register.tenants.get(known.tenant_id)
        if tenant is None:
            return
        to = Addressee(known.phone, known.phone_index, person, known.country, originator)
        message = own_message(
            self._bridge, tenant, to, text, rule="portal-code", valid=CODE_SECONDS
        )
        await keep(self._bridge, message, "portal")


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
