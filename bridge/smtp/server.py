"""The commands of SMTP and LMTP (RFC 5321, 2033): their arguments in, replies out."""

from __future__ import annotations

from aiosmtpd.smtp import MISSING, syntax

from bridge.smtp import wire
from bridge.smtp.intake import TOO_LARGE
from bridge.smtp.line import CLOSING
from bridge.smtp.secured import MECHANISMS, Secured

_OK = b"250 2.0.0 OK"
_SENDER_OK = b"250 2.1.0 OK"
_RECIPIENT_OK = b"250 2.1.5 OK"
_MAIL_SYNTAX = "501 5.5.4 Syntax: MAIL FROM:<address> [SP <mail-parameters>]"
_RCPT_SYNTAX = "501 5.5.4 Syntax: RCPT TO:<address>"


class Server(Secured):
    """SMTP. Like aiosmtpd it calls the handler's hooks: `handle_MAIL`, `handle_RCPT`, …

    A hook of DATA may return a list, one reply a recipient: LMTP gives them all, SMTP one for all.
    """

    _greeting = "EHLO"

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
            words.append("AUTH " + " ".join(MECHANISMS))
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
        if not self.speaks_lmtp:
            replies = [_for_all(replies)]
        elif len(replies) != len(self.envelope.rcpt_tos):
            replies = replies[:1] * len(self.envelope.rcpt_tos)
        if any(reply[:1] == b"2" for reply in replies):
            self.service.counters.accepted += 1
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


def _for_all(replies: list[bytes]) -> bytes:
    """SMTP's one reply: "not now" if anybody's is, else yes where anybody's mail is taken.

    The client then comes again with the whole mail; whoever has it already gets no second SMS.
    """
    if len(replies) == 1:
        return replies[0]
    for first in (b"4", b"2"):
        found = next((reply for reply in replies if reply[:1] == first), None)
        if found is not None:
            return found
    return replies[0]


def _after(keyword: str, argument: str | None) -> str:
    """What follows `FROM:` or `TO:`; "" where that does not stand there."""
    if not argument or argument[: len(keyword)].upper() != keyword:
        return ""
    return argument[len(keyword) :].lstrip()


def _octets(status: str | bytes) -> bytes:
    """A hook's answer as a reply: octets are complete, text may lack its status. Nobody's error."""
    return wire.with_status(status.encode()) if isinstance(status, str) else status
