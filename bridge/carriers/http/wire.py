"""Requests in, answers out, over HTTP; for a request without an answer, whether it had left."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from yarl import URL

from bridge.carriers.http.provider import Answer, Call

CONNECT_SECONDS: Final = 10.0
LARGEST: Final = 1024 * 1024
"""Octets of an answer; what is beyond is not read."""
_KEEPALIVE: Final = 15.0  # below what servers keep: a connection that they close is a doubt


class Lost(Exception):
    """No answer came; its text says why, in plain words."""


class Unwritten(Lost):
    """Nothing had been written: the request surely was not taken."""


class Broken(Lost):
    """It may have been taken or not."""


class _NoLeave(aiohttp.ClientError):
    """It may not leave any more; or it has left, and its connection broke.

    The library repeats a GET on a new connection when the old one broke: we never do.
    """


class Leave:
    """Whether a request has begun to leave, or one before it had, and whether it still may."""

    def __init__(self, may: Callable[[], bool] = lambda: True) -> None:
        self.may = may
        self.written = False
        self.ever_written = False
        self.withdrawn = False


async def _about_to_write(_session: object, context: Any, _params: object) -> None:
    leave: Leave = context.trace_request_ctx
    leave.withdrawn = leave.withdrawn or not leave.may()
    if leave.written or leave.withdrawn:
        raise _NoLeave
    leave.written = leave.ever_written = True


class Wire:
    """Connections to one provider, kept for the next request. Times in seconds."""

    def __init__(self, *, limit: int, timeout: float, tls: ssl.SSLContext | None) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_about_to_write)
        connector = aiohttp.TCPConnector(
            limit=limit, keepalive_timeout=_KEEPALIVE, ssl=tls if tls is not None else True
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "sms-bridge", "Accept": "application/json, */*;q=0.5"},
            timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_SECONDS),
            trace_configs=[trace],
        )

    async def close(self) -> None:
        """Drop the connections."""
        await self._session.close()

    async def ask(self, call: Call, leave: Leave | None = None) -> Answer:
        """The answer to a request, whatever its status. Raises Unwritten, Broken."""
        leave = leave or Leave()
        leave.written = False
        try:
            return await self._answered(call, leave)
        except TimeoutError:
            why = "the provider did not answer in time"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            what = "the connection to the provider broke" if leave.written else "no connection"
            why = f"{what} ({_name(error)})"
        raise (Broken if leave.written else Unwritten)(why)

    async def _answered(self, call: Call, leave: Leave) -> Answer:
        async with self._session.request(
            call.method,
            URL(call.url, encoded=True),
            headers=call.headers,
            data=call.body or None,
            allow_redirects=False,
            trace_request_ctx=leave,
        ) as response:
            body = b""
            async for chunk in response.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > LARGEST:
                    break
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, body)


def _name(error: BaseException) -> str:
    """What went wrong, without what a library may quote of the request."""
    reason = getattr(error, "os_error", None) or error
    return getattr(reason, "strerror", None) or type(reason).__name__
