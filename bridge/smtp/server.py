"""The commands of SMTP and LMTP (RFC 5321, 2033, 3207, 4954): their arguments in, replies out."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Any

from aiosmtpd.smtp import MISSING, AuthResult, LoginPassword, _Missing, syntax

from bridge.errors import TryLater
from bridge.smtp import wire
from bridge.smtp.connection import Connection
from bridge.smtp.door import Session
from bridge.smtp.intake import TOO_LARGE
from bridge.smtp.line import CLOSING
from bridge.smtp.login import LOOPBACK
from bridge.smtp.service import network_of

_HANDSHAKE = 30.0  # seconds
_OK = b"250 2.0.0 OK"
_SENDER_OK = b"250 2.1.0 OK"
_RECIPIENT_OK = b"250 2.1.5 OK"
_MAIL_SYNTAX = "501 5.5.4 Syntax: MAIL FROM:<address> [SP <mail-parameters>]"
_RCPT_SYNTAX = "501 5.5.4 Syntax: RCPT TO:<address>"
_MECHANISMS = ("LOGIN", "PLAIN")


class Server(Connection):
    """SMTP. Like aiosmtpd it calls the handler's hooks: `handle_MAIL`, `handle_RCPT`, …

    A hook of DATA may return a list, one reply a recipient: LMTP gives them all, SMTP the first
    acceptance or, without one, the first reply.
    """

    AuthLoginUsernameChallenge = "Username:"  # what clients expect, word for word
    AuthLoginPasswordChallenge = "Password:"

    _greeting = "EHLO"

    @property
    def may_log_in(self) -> bool:
        """AUTH is offered under TLS, and without it only to this machine."""
        return self.service.authenticate is not None and (
            self.caller.tls or network_of(self.caller.peer) == LOOPBACK
        )

    @syntax("HELO hostname")
    async def smtp_HELO(self, hostname: str | None) -> None:  # noqa: N802
        await self._hello(hostname, "HELO", extended=False)

    @syntax("EHLO hostname")
    async def smtp_EHLO(self, hostname: str | None) -> None:  # noqa: N802
        await self._hello(hostname, "EHLO", extended=True)

    async def _hello(self, hostname: str | None, verb: str, *, extended: bool) -> None:
        if not hostname or not hostname.isascii():
            await self.push(f"501 5.5.4 Syntax: {verb} hostname")
            return
        self._set_rset_state()
        self.session.extended_smtp = extended
        lines = self._abilities() if extended else [self.hostname]
        hook = "EHLO" if extended else "HELO"
        status = await self._call_handler_hook(hook, hostname, *([lines] if extended else []))
        if isinstance(status, list):
            lines = status
        elif status is not MISSING:
            await self.push(status)
            return
        self.session.host_name = hostname
        self.caller.helo = hostname
        await self.push("\r\n".join(lines).encode() if extended else b"250 " + lines[0].encode())

    def _abilities(self) -> list[str]:
        """The lines of EHLO's reply (RFC 5321 4.1.1.1)."""
        words = [
            self.hostname,
            f"SIZE {self.limits.max_size}",
            "8BITMIME",
            "SMTPUTF8",
            "PIPELINING",
            "ENHANCEDSTATUSCODES",
        ]
        if self.service.tls is not None and not self.caller.tls:
            words.append("STARTTLS")
        if self.may_log_in:
            words.append("AUTH " + " ".join(_MECHANISMS))
        return [*(f"250-{word}" for word in words), "250 HELP"]

    @syntax("MAIL FROM: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if not self.session.host_name and await self.check_helo_needed(self._greeting):
            return
        if self.envelope.mail_from is not None:
            await self.push("503 5.5.1 A mail is under way already: RSET gives it up")
            return
        if self.service.closing:
            self.bye(CLOSING)
            return
        written = _after("FROM:", arg)
        found = wire.path(written)
        if found is None:
            await self.push("553 5.1.7 Bad address" if written else _MAIL_SYNTAX)
            return
        address, rest = found
        options = await self._mail_options(rest) if rest else {}
        if options is None:
            return
        self.envelope.smtp_utf8 = "SMTPUTF8" in options
        if not (address.isascii() or self.envelope.smtp_utf8):
            await self.push("553 5.6.7 An address beyond ASCII needs SMTPUTF8")
            return
        mail_options = rest.split()
        self._mail_at = self._heard
        hook = self._handle_hooks.get("MAIL")
        if hook is not None:
            status = await hook(self, self.session, self.envelope, address, mail_options)
            self.answer(_octets(status))
        else:
            self.envelope.mail_from = address
            self.envelope.mail_options.extend(mail_options)
            self.answer(_SENDER_OK)

    async def _mail_options(self, text: str) -> dict[str, str | None] | None:
        """MAIL's parameters; None after the answer to wrong ones."""
        options = wire.parameters(text) if self.session.extended_smtp else None
        if options is None:
            await self.push(_MAIL_SYNTAX)
            return None
        size = options.get("SIZE", "0")
        problem = ""
        if (options.get("BODY", "7BIT") or "").upper() not in {"7BIT", "8BITMIME"}:
            problem = "501 5.5.4 BODY is 7BIT or 8BITMIME"
        elif options.get("SMTPUTF8") is not None:
            problem = "501 5.5.4 SMTPUTF8 takes no value"
        elif size is None or not (size.isascii() and size.isdigit() and len(size) <= 20):
            problem = "501 5.5.4 SIZE is a number of octets"
        elif int(size) > self.limits.max_size:
            self.service.counters.refused["size"] += 1
            await self.push(TOO_LARGE % self.limits.max_size)
            return None
        elif options.keys() - {"BODY", "SIZE", "SMTPUTF8", "AUTH"}:
            problem = "555 5.5.4 MAIL FROM has an unknown parameter"
        if problem:
            await self.push(problem)
            return None
        return options

    @syntax("RCPT TO: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        if not self.session.host_name and await self.check_helo_needed(self._greeting):
            return
        envelope = self.envelope
        if envelope.mail_from is None:
            await self.push("503 5.5.1 MAIL comes before RCPT")
            return
        written = _after("TO:", arg)
        found = wire.path(written)
        if found is None or not found[0]:
            bad = written and found is None
            await self.push("553 5.1.3 Bad address" if bad else _RCPT_SYNTAX)
            return
        address, rest = found
        if rest:
            sound = self.session.extended_smtp and wire.parameters(rest) is not None
            await self.push("555 5.5.4 RCPT TO takes no parameters" if sound else _RCPT_SYNTAX)
            return
        if not (address.isascii() or envelope.smtp_utf8):
            await self.push("553 5.6.7 An address beyond ASCII needs SMTPUTF8")
            return
        if len(envelope.rcpt_tos) >= self.limits.max_recipients:
            self.service.counters.refused["recipients"] += 1
            await self.push(b"452 4.5.3 Too many recipients in one mail, send it again for these")
            return
        hook = self._handle_hooks.get("RCPT")
        if hook is not None:
            self.answer(_octets(await hook(self, self.session, envelope, address, [])))
        else:
            envelope.rcpt_tos.append(address)
            self.answer(_RECIPIENT_OK)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        if not self.session.host_name and await self.check_helo_needed(self._greeting):
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
        elif not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 No valid recipients")
        else:
            self.expect_data()
            self.answer(b"354 End data with <CR><LF>.<CR><LF>")

    async def take_mail(self, content: bytes) -> list[bytes]:
        self.envelope.content = self.envelope.original_content = content
        hook = self._handle_hooks.get("DATA")
        status = _OK if hook is None else await hook(self, self.session, self.envelope)
        return [_octets(each) for each in (status if isinstance(status, list) else [status])]

    def _answer_mail(self, replies: list[bytes]) -> None:
        taken = next((reply for reply in replies if reply[:1] == b"2"), None)
        if taken is not None:
            self.service.counters.accepted += 1
        if not self.speaks_lmtp:
            replies = [taken or replies[0]]
        elif len(replies) != len(self.envelope.rcpt_tos):
            replies = replies[:1] * len(self.envelope.rcpt_tos)
        self._set_post_data_state()
        self._out += b"\r\n".join(replies) + b"\r\n"

    @syntax("VRFY <address>")
    async def smtp_VRFY(self, arg: str | None) -> None:  # noqa: N802
        if arg:
            await self.push(b"252 2.0.0 Send a mail, and RCPT will tell")
        else:
            await self.push("501 5.5.4 Syntax: VRFY <address>")

    @syntax("QUIT")
    async def smtp_QUIT(self, arg: str | None) -> None:  # noqa: N802
        if arg:
            await self.push("501 5.5.4 Syntax: QUIT")
            return
        status = await self._call_handler_hook("QUIT")
        self.bye((b"221 2.0.0 Bye" if status is MISSING else _octets(status)) + b"\r\n")

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

    async def _shake_hands(self, context: Any, plain: asyncio.Transport) -> None:
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
        if mechanism not in _MECHANISMS:
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


class Lmtp(Server):
    """LMTP (RFC 2033): LHLO for the greeting, and after the dot one reply a recipient."""

    speaks_lmtp = True
    _greeting = "LHLO"

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, hostname: str | None) -> None:  # noqa: N802
        await self._hello(hostname, "LHLO", extended=True)

    async def smtp_HELO(self, hostname: str | None) -> None:  # noqa: ARG002, N802
        await self.push("500 5.5.1 This is LMTP: greet with LHLO")

    async def smtp_EHLO(self, hostname: str | None) -> None:  # noqa: ARG002, N802
        await self.push("500 5.5.1 This is LMTP: greet with LHLO")


def _after(keyword: str, argument: str | None) -> str:
    """What follows `FROM:` or `TO:`; "" where that does not stand there."""
    if not argument or argument[: len(keyword)].upper() != keyword:
        return ""
    return argument[len(keyword) :].lstrip()


def _octets(status: str | bytes) -> bytes:
    """A hook's answer as a reply: octets are complete, text may lack its status. Nobody's error."""
    return wire.with_status(status.encode()) if isinstance(status, str) else status
