"""STARTTLS and AUTH (RFC 3207, 4954): a handshake or a login in, a safer session out."""

from __future__ import annotations

import asyncio
import base64
import binascii
import ssl
from typing import Any

from aiosmtpd.smtp import MISSING, AuthResult, LoginPassword, _Missing, syntax

from bridge.errors import TryLater
from bridge.smtp.connection import Connection
from bridge.smtp.door import Session
from bridge.smtp.login import LOOPBACK
from bridge.smtp.service import network_of

_HANDSHAKE = 30.0  # seconds
MECHANISMS = ("LOGIN", "PLAIN")


class Secured(Connection):
    """A session that can be encrypted, and that a user can log in to."""

    AuthLoginUsernameChallenge = "Username:"  # what clients expect, word for word
    AuthLoginPasswordChallenge = "Password:"

    @property
    def may_log_in(self) -> bool:
        """AUTH is offered under TLS, and without it only to this machine."""
        return self.service.authenticate is not None and (
            self.caller.tls or network_of(self.caller.peer) == LOOPBACK
        )

    @syntax("STARTTLS", when="tls_context")
    async def smtp_STARTTLS(self, arg: str | None) -> None:  # noqa: N802
        context = self.service.tls
        if arg:
            await self.push("501 5.5.4 Syntax: STARTTLS")
        elif self.caller.tls:
            await self.push("503 5.5.1 TLS is on already")
        elif context is None or self.transport is None:
            await self.push("454 4.7.0 TLS is not available here")
        else:
            # Whatever came with the command came unprotected: RFC 3207 6, CVE-2011-0411.
            self._buffer.clear()
            self._out += b"220 2.0.0 Ready to start TLS\r\n"
            self._flush()
            await self._shake_hands(context, self.transport)

    async def _shake_hands(self, context: ssl.SSLContext, plain: asyncio.Transport) -> None:
        """Put TLS under the session and begin it anew (RFC 3207 4.2)."""
        try:
            transport = await self.loop.start_tls(
                plain,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=_HANDSHAKE,
            )
        except OSError:
            self.service.counters.tls_failures += 1
            plain.abort()
            self.connection_lost(None)  # the loop tells only protocols whose handshake succeeded
            return
        if transport is None:  # the client left during the handshake
            return
        peer = self.session.peer
        self.transport = transport
        self._tls_protocol = transport
        self.caller = Session(self.caller.peer, tls=True, lmtp=self.speaks_lmtp)
        self._set_rset_state()
        self.session = self._create_session()
        self.session.peer = peer
        self.session.ssl = {
            name: transport.get_extra_info(name) for name in ("cipher", "ssl_object", "sslcontext")
        }
        self._heard = self.loop.time()

    @syntax("AUTH <mechanism>")
    async def smtp_AUTH(self, arg: str | None) -> None:  # noqa: N802
        if await self.check_helo_needed("EHLO"):
            return
        words = (arg or "").split()
        mechanism = words[0].upper() if words else ""
        refusal = self._cannot_log_in(words, mechanism)
        if refusal:
            await self.push(refusal)
            return
        gather = self.auth_PLAIN if mechanism == "PLAIN" else self.auth_LOGIN
        if words[1:] == ["="]:  # RFC 4954 4: an initial response that is there, and empty
            words[1] = ""
        result = await gather(self, words)
        if isinstance(result.auth_data, LoginPassword):
            await self._log_in(*result.auth_data)

    def _cannot_log_in(self, words: list[str], mechanism: str) -> str:
        """The reply to an AUTH that is out of place; "" when it may go on."""
        if self.service.authenticate is None or not self.session.extended_smtp:
            return "502 5.5.1 AUTH is not available here"
        if not self.may_log_in:
            return "538 5.7.11 A login needs encryption: STARTTLS first"
        if self.session.authenticated:
            return "503 5.5.1 Already logged in"
        if self.envelope.mail_from is not None:
            return "503 5.5.1 AUTH has no place within a mail"
        if not 1 <= len(words) <= 2:
            return "501 5.5.4 Syntax: AUTH mechanism [initial-response]"
        if mechanism not in MECHANISMS:
            return "504 5.5.4 The mechanisms are PLAIN and LOGIN"
        return ""

    def _authenticate(self, mechanism: str, auth_data: Any) -> AuthResult:  # noqa: ARG002
        """Aiosmtpd's `auth_*` methods only gather a login: deciding here would block the loop."""
        return AuthResult(success=False, handled=False, auth_data=auth_data)

    async def challenge_auth(
        self,
        challenge: str | bytes,
        encode_to_b64: bool = True,
        log_client_response: bool = False,  # noqa: ARG002 - aiosmtpd's signature; never logged
    ) -> _Missing | bytes:
        """Ask the client for the next piece of a login; MISSING after the answer to a bad one."""
        octets = challenge.encode() if isinstance(challenge, str) else challenge
        await self.push(b"334 " + (base64.b64encode(octets) if encode_to_b64 else octets))
        line = (await self.next_line()).strip()
        if line == b"*":
            await self.push("501 5.7.0 Login given up")
            return MISSING
        try:
            return base64.b64decode(line, validate=True)
        except binascii.Error:
            await self.push("501 5.5.2 That is not base64")
            return MISSING

    async def _log_in(self, login: bytes, password: bytes) -> None:
        """Check a login, slowed down after wrong ones."""
        service, address = self.service, network_of(self.caller.peer)
        user = login.decode("utf-8", "replace")
        wait = service.throttle.wait(address, user, self.loop.time())
        if wait is None:
            service.counters.refused["login"] += 1
            self.bye(b"421 4.7.0 Too many failed logins, please try again later\r\n")
            return
        await asyncio.sleep(wait)
        right = await self._is_right(user, password)
        if right is None:
            await self.push("454 4.7.0 Logins cannot be checked now, please try again later")
        elif right:
            service.throttle.passed(address, user)
            service.counters.logins += 1
            self.session.authenticated = True
            self.caller.login = user
            await self.push(b"235 2.7.0 Logged in")
        else:
            service.throttle.failed(address, user, self.loop.time())
            service.counters.auth_failures += 1
            await self.push("535 5.7.8 Wrong user or password")

    async def _is_right(self, user: str, password: bytes) -> bool | None:
        """Whether the password fits; None when that cannot be known now."""
        check = self.service.authenticate
        if check is None:
            return None
        try:
            secret = password.decode("utf-8")
            return bool(await self.in_task(check(self, user, secret)))
        except UnicodeDecodeError:
            return False
        except TryLater:
            return None
        except Exception as error:  # noqa: BLE001 - logged, and answered with 454
            await self.handle_exception(error)
            return None
