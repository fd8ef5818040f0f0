"""Composed mails in; out: their hand-over to the smarthost, or an error that says who must act.

`Refused` is the smarthost's no to this mail; all that concerns the connection, the login or the
configuration is `TryLater`, so that a wrong password delays mails and loses none. A connection
that breaks after the content and before the answer is `TryLater` too: the mail may then arrive
twice, under the same Message-ID.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass
from email.utils import parseaddr

import aiosmtplib
from aiosmtplib import SMTP

from bridge.errors import BridgeError, Refused, TryLater
from bridge.smtp.target import Target

_AT_ONCE = 4  # connections
_PER_CONNECTION = 50  # mails; servers close after some number of their own

# Replies about who we are, not about the mail (RFC 4954 6): they end when somebody sets it right.
_LOGIN_REPLIES = frozenset({530, 534, 535, 538})

_ADDRESS = re.compile(r"[^\x00-\x1f\x7f]+@[^\x00-\x20\x7f<>@]+")
_PERSONAL = re.compile(r"<[^<>]*>|\S*@\S*|\+?\d{6,}")
_STATUS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\s+")


class Smarthost:
    """The server that takes our mails: `smtp://user:pass@host:587`, `smtps://…`, `smtp+starttls://…`.

    `smtp` uses STARTTLS where it is offered, `smtp+starttls` insists on it. Certificates are
    verified (against SSL_CERT_FILE where that is set), except for `smtp` to this very machine.
    Credentials leave in clear only to this machine. Raises Misconfigured for another kind of URL.
    """

    def __init__(
        self, url: str, local_hostname: str, *, timeout: float = 30.0, idle: float = 5.0
    ) -> None:
        self._target = Target.parse(url)
        self._local_hostname = local_hostname
        self._timeout = timeout
        self._idle_seconds = idle
        self._tls: ssl.SSLContext | None = None
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._idle: _Connection | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, envelope_from: str, to: str, content: bytes) -> None:
        """Hand over one mail to one recipient; "" is the null sender.

        Returns when the smarthost has taken it. Raises Refused (5xx) or TryLater (the rest), with
        the server's sentence but no address or number in it.
        """
        _check(envelope_from, to)
        async with self._slots:
            kept, self._idle = self._idle, None
            if kept is not None and kept.wake():
                try:
                    return await self._send_by(kept, envelope_from, to, content)
                except _Stale:
                    pass  # the server had given up on it meanwhile
            try:
                await self._send_by(await self._connect(), envelope_from, to, content)
            except _Stale as lost:
                raise TryLater(lost.sentence, lost.hint, status=lost.status) from lost

    async def probe(self) -> str:
        """One line for `bridge check`, after connecting, TLS and login. Raises TryLater."""
        connection = await self._connect()
        secured = connection.smtp.get_transport_info("ssl_object")
        await connection.quit()
        words = [secured.version() if secured else "no TLS"]
        words += ["login accepted"] if self._target.user else []
        return f"{self._target} takes mail ({', '.join(words)})"

    async def close(self) -> None:
        """Close what is open, politely; to be called when no `send` is under way."""
        kept, self._idle = self._idle, None
        if kept is not None and kept.wake():
            await kept.quit()
        await asyncio.gather(*self._closing)

    async def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            # Reading all authorities takes tens of milliseconds.
            self._tls = await asyncio.to_thread(self._target.tls_context)
        return self._tls

    async def _connect(self) -> _Connection:
        target = self._target
        smtp = SMTP(
            hostname=target.host,
            port=target.port,
            use_tls=target.scheme == "smtps",
            start_tls={"smtps": False, "smtp+starttls": True}.get(target.scheme),
            tls_context=await self._tls_context(),
            local_hostname=self._local_hostname,
            timeout=self._timeout,
        )
        try:
            await smtp.connect()
            await self._login(smtp)
        except (aiosmtplib.SMTPException, OSError) as failure:
            smtp.close()
            raise _no_connection(target, failure) from failure
        except BaseException:
            smtp.close()
            raise
        return _Connection(smtp)

    async def _login(self, smtp: SMTP) -> None:
        target = self._target
        if not target.user:
            return
        if smtp.get_transport_info("sslcontext") is None and not target.is_loopback:
            raise TryLater(
                f"{target} offers no TLS, so the password was not sent",
                "use smtps:// or a port that offers STARTTLS in [mail] smarthost",
                status="4.7.4",
            )
        try:
            await smtp.login(target.user, target.password)
        except aiosmtplib.SMTPAuthenticationError as no:
            raise TryLater(
                f"{target} refused the login: {_impersonal(no.message)}",
                "check user and password in [mail] smarthost",
                status="4.7.8",
            ) from no

    async def _send_by(self, by: _Connection, envelope_from: str, to: str, content: bytes) -> None:
        try:
            options = _options(by.smtp, envelope_from, to, content)
            await by.smtp.sendmail(envelope_from, to, content, mail_options=options)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as reply:
            error = _from_reply(self._target, reply)
            by.smtp.close() if isinstance(error, _Stale) else self._keep(by)
            raise error from None
        except aiosmtplib.SMTPNotSupported:
            self._keep(by)
            raise Refused(
                f"{self._target} takes no address beyond ASCII",
                "use an address in plain ASCII, or a smarthost with SMTPUTF8",
                status="5.6.7",
            ) from None
        except (aiosmtplib.SMTPException, OSError):
            by.smtp.close()
            raise _Stale(f"the connection to {self._target} broke", "it is tried again") from None
        except BaseException:
            by.smtp.close()  # cancelled halfway through a dialogue
            raise
        self._keep(by)

    def _keep(self, connection: _Connection) -> None:
        """Leave one connection open for a while; it is likely that more mails follow."""
        connection.mails += 1
        if self._idle is None and connection.mails < _PER_CONNECTION and connection.is_open:
            self._idle = connection
            loop = asyncio.get_running_loop()
            connection.timer = loop.call_later(self._idle_seconds, self._retire, connection)
        else:
            self._quit_soon(connection)

    def _retire(self, connection: _Connection) -> None:
        if self._idle is connection:
            self._idle = None
        self._quit_soon(connection)

    def _quit_soon(self, connection: _Connection) -> None:
        task = asyncio.get_running_loop().create_task(connection.quit())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class _Stale(TryLater):
    """The connection, not the mail, is at fault: worth one more try if it was a kept one."""


@dataclass(slots=True)
class _Connection:
    smtp: SMTP
    mails: int = 0
    timer: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        return self.smtp.is_connected

    def wake(self) -> bool:
        """Stop the timer that would close it; True if it is still open."""
        if self.timer is not None:
            self.timer.cancel()
        return self.is_open

    async def quit(self) -> None:
        try:
            if self.is_open:
                await self.smtp.quit(timeout=2)
        except (aiosmtplib.SMTPException, OSError):
            pass  # it is closed either way
        finally:
            self.smtp.close()


def _check(envelope_from: str, to: str) -> None:
    """Refuse what is no plain address; aiosmtplib would send what it takes it to mean."""
    for address in filter(None, (envelope_from, to or "nobody")):
        if parseaddr(address)[1] != address or not _ADDRESS.fullmatch(address):
            raise Refused(
                "a mail cannot go to or from what is no mail address",
                "correct the address in the configuration",
                status="5.1.3",
            )


def _options(smtp: SMTP, envelope_from: str, to: str, content: bytes) -> list[str]:
    options = [] if (envelope_from + to).isascii() else ["SMTPUTF8"]
    if not content.isascii() and smtp.supports_extension("8bitmime"):
        options.append("BODY=8BITMIME")
    return options


def _from_reply(
    target: Target, reply: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPResponseException
) -> BridgeError:
    """The error that a reply of the server stands for."""
    if isinstance(reply, aiosmtplib.SMTPRecipientsRefused):
        reply = reply.recipients[0]
    found = _STATUS.match(reply.message)
    words = _impersonal(reply.message[found.end() :] if found else reply.message)
    sentence = f"{target} answered {reply.code} {words}".rstrip()
    if reply.code == 421 or reply.code < 400:  # closing; or what is no SMTP reply
        return _Stale(sentence, "it is tried again", status="4.4.2")
    if reply.code in _LOGIN_REPLIES:
        return TryLater(sentence, "check user and password in [mail] smarthost", status="4.7.0")
    if reply.code < 500:
        return TryLater(sentence, "it is tried again", status=found[1] if found else "4.0.0")
    return Refused(sentence, "the mail is not sent", status=found[1] if found else "5.0.0")


def _no_connection(target: Target, failure: Exception) -> TryLater:
    if isinstance(failure, aiosmtplib.SMTPResponseException):
        said = f"{target} answered {failure.code} {_impersonal(failure.message)}"
        return TryLater(said, "it is tried again", status="4.4.1")
    cause = failure if isinstance(failure, ssl.SSLError) else failure.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return TryLater(
            f"the certificate of {target} is not trusted: {cause.verify_message}",
            "name the host as its certificate does, or set SSL_CERT_FILE to its authority's file",
            status="4.7.5",
        )
    if isinstance(cause, ssl.SSLError):
        return TryLater(
            f"TLS with {target} failed", "smtps:// is for port 465, smtp:// for 25 and 587"
        )
    if isinstance(failure, TimeoutError):
        return TryLater(f"{target} did not answer in time", "it is tried again", status="4.4.1")
    if isinstance(failure, ConnectionError | OSError):
        return TryLater(f"{target} cannot be reached", "is it running?", status="4.4.1")
    return TryLater(f"{target}: {_impersonal(str(failure))}", "see [mail] smarthost")


def _impersonal(words: str) -> str:
    """A server's words on one line, without what could be an address or a number."""
    return " ".join(_PERSONAL.sub("…", words).split())[:200]
