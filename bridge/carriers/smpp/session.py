"""One bind, kept up: connects, binds, and binds again with growing pauses when it breaks."""

from __future__ import annotations

import asyncio
import random
import ssl
from typing import Final

import structlog

from bridge.carriers.smpp import pdu
from bridge.carriers.smpp.account import Account
from bridge.carriers.smpp.link import MUTE, Link
from bridge.carriers.smpp.status import ESME_RINVPASWD, ESME_RINVSYSID, ESME_ROK, describe

log = structlog.get_logger("bridge.smpp")

CONNECT_SECONDS: Final = 10.0
_FIRST: Final = 0.2
_LONGEST: Final = 15.0
_WRONG_ACCOUNT: Final = 30.0  # seconds between tries that cannot succeed until someone acts
_STABLE: Final = 5.0  # seconds after which a bind counts as having worked

_KINDS: Final = {
    pdu.BIND_TRANSCEIVER: "transceiver",
    pdu.BIND_TRANSMITTER: "transmitter",
    pdu.BIND_RECEIVER: "receiver",
}


class Session:
    """One supervised bind; `kind` is the command that binds it."""

    def __init__(self, account: Account, kind: int, tls: ssl.SSLContext | None) -> None:
        self._account = account
        self._kind = kind
        self._tls = tls
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None
        self.last_error = ""
        """A sentence for people on why it is down, or was last; "" while all is well."""

    @property
    def link(self) -> Link | None:
        """The connection in use, bound or about to be."""
        return self._link

    @property
    def up(self) -> bool:
        """Whether the bind stands."""
        return self._link is not None and self._link.bound

    def open(self) -> None:
        """Keep the bind up from now on."""
        self._task = asyncio.get_running_loop().create_task(self._keep())

    async def close(self, grace: float) -> None:
        """Wait up to `grace` seconds for answers still due, unbind and stop."""
        if self._task is not None:
            # Cancelled at once, or it would bind again; the connection lives on without it.
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        if self._link is not None:
            await self._link.close(grace)
            self._link = None

    async def bind(self) -> int | None:
        """Connect and bind once. The status of the bind, or None where it came to none.

        `last_error` then says why.
        """
        config = self._account.config
        loop = asyncio.get_running_loop()
        link = self._link = Link(self._account, self._kind)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(
                    lambda: link,
                    config.host,
                    config.port,
                    ssl=self._tls,
                    server_hostname=config.host if self._tls else None,
                )
        except asyncio.CancelledError:
            self._link = None
            raise
        except (OSError, UnicodeError) as error:
            self._link = None
            self.last_error = f"{self._where()}: {_why(error, self._tls is not None)}"
            return None
        await asyncio.wait({link.settled})
        status = link.settled.result()
        self.last_error = self._bind_error(link, status)
        return status

    async def _keep(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                status = await self.bind()
            except Exception as fault:  # noqa: BLE001 - it must be tried again, whatever was wrong
                self.last_error = (
                    f"{self._where()}: a fault of the bridge ({type(fault).__name__})."
                )
                status = None
            if status == ESME_ROK and self._link is not None:
                self._log("bound")
                await asyncio.wait({self._link.ended})
                self.last_error = f"{self._where()}: {self._link.ended.result()}."
                if loop.time() - began >= _STABLE:
                    failures = 0
            self._link = None
            pause = rebind_pause(failures, status, random.random())  # noqa: S311
            failures += 1
            self._log("down", reason=self.last_error, pause=round(pause, 1))
            await asyncio.sleep(pause)

    def _log(self, event: str, **more: object) -> None:
        tell = log.warning if more else log.info
        tell(event, carrier=self._account.config.name, bind=_KINDS[self._kind], **more)

    def _where(self) -> str:
        config = self._account.config
        return f"{config.name}: {_KINDS[self._kind]} bind at {config.host}:{config.port}"

    def _bind_error(self, link: Link, status: int | None) -> str:
        if status == ESME_ROK:
            return ""
        if status is None:
            lost = link.ended.result() if link.ended.done() else "the connection ended"
            when = "" if lost == MUTE else " before it answered the bind"
            return f"{self._where()}: {lost}{when}. {_advice(status)}"
        return f"{self._where()}: {describe(status)}. {_advice(status)}"


def rebind_pause(failures: int, status: int | None, luck: float) -> float:
    """Seconds until the next try after `failures` in a row; `luck` from 0 to 1 is the jitter.

    A bind that stood is replaced at once; wrong credentials are tried seldom, since an SMSC may
    lock an account that keeps knocking.
    """
    if status in (ESME_RINVPASWD, ESME_RINVSYSID):
        return _WRONG_ACCOUNT * (1 + luck)
    if failures == 0 and status == ESME_ROK:
        return 0.0
    return float(min(_LONGEST, _FIRST * 2 ** min(failures, 16))) * (0.5 + luck / 2)


def _advice(status: int | None) -> str:
    if status is None:
        return "Check port and tls: one side may expect TLS where the other does not."
    if status in (ESME_RINVPASWD, ESME_RINVSYSID):
        return "Check system_id and password of this carrier."
    return "Ask the carrier whether the account may bind like this, from here, this many times."


def _why(error: OSError | UnicodeError, tls: bool) -> str:
    if isinstance(error, UnicodeError):
        return "this is no host name. Check host."
    if isinstance(error, TimeoutError):
        also = "tls, " if tls else ""
        return f"nobody answers. Check host, port, {also}and the firewalls between."
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message})."
            " Set tls_ca to the file of its authority."
        )
    if isinstance(error, ssl.SSLError) or (tls and isinstance(error, ConnectionResetError)):
        return "it does not speak TLS as we do. Check port, tls, tls_cert and tls_key."
    if isinstance(error, ConnectionRefusedError):
        return "the connection is refused. Check host and port, and that the SMSC runs."
    return f"no connection ({error.strerror or type(error).__name__}). Check host and port."
